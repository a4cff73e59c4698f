// Single keys. An element says which key presses it: data-key="c". Off in text fields, with a
// modifier, while a dialog is open, and where the reader switched them off.
import { move } from "./list.js";
import { neighbour } from "./lead.js";
import { undoLast } from "./toasts.js";

const SWITCH = "single-keys";
const isOn = () => localStorage.getItem(SWITCH) !== "off";

function isTyping(target) {
  return target.isContentEditable || /^(SELECT|TEXTAREA)$/.test(target.tagName)
    || (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(target.type));
}

// The element for a key: first inside the row that is selected, then on the page.
function pressable(key) {
  const row = document.activeElement && document.activeElement.closest("[data-row]");
  const wanted = `[data-key="${CSS.escape(key)}"]`;
  const found = (row && row.querySelector(wanted)) || [...document.querySelectorAll(wanted)].find((e) => !e.closest("[data-row]"));
  return found && !found.disabled ? found : null;
}

// In a list to the next row, on a lead page to the next lead.
function step(by) {
  if (document.querySelector("[data-row]")) move(by);
  else neighbour(by);
}

function help() {
  const dialog = document.getElementById("keys-help");
  if (dialog && !dialog.open) dialog.showModal();
}

function onKey(event) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape" && isTyping(event.target)) return event.target.blur();
  if (!isOn() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "?") { event.preventDefault(); return help(); }
  if (event.key === "z") return void (undoLast() && event.preventDefault());
  if (event.key === "j" || event.key === "k") return void step(event.key === "j" ? 1 : -1);
  const element = pressable(event.key);
  if (!element) return;
  event.preventDefault();
  if (/^(INPUT|TEXTAREA)$/.test(element.tagName)) { element.focus(); element.select(); }
  else element.click();
}

export function startKeys() {
  document.addEventListener("keydown", onKey);
  const button = document.querySelector("[data-keys-help]");
  if (button) { button.hidden = false; button.addEventListener("click", help); }
  const hint = document.querySelector("[data-keys-hint]");
  if (hint && matchMedia("(pointer: fine)").matches) hint.hidden = !isOn();
  const box = document.querySelector("[data-keys-switch]");
  if (box) {
    box.checked = isOn();
    box.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "on" : "off"));
  }
}
