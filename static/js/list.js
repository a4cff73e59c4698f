// The triage list: j and k move, the list looks for news every 20 seconds while it is seen.
import { announce } from "./toasts.js";

const EVERY = 20000;
const rows = () => [...document.querySelectorAll("[data-row]")];
const toDo = () => Number(document.querySelector("[data-to-do]")?.dataset.toDo || 0);
const nameOf = (row) => row.querySelector("[data-row-link]");

export function move(by) {
  const all = rows();
  if (!all.length) return;
  const here = all.findIndex((row) => row.contains(document.activeElement));
  const next = here < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, here + by));
  nameOf(all[next]).focus();
  all[next].scrollIntoView({ block: "nearest" });
}

function isTyping() {
  const active = document.activeElement;
  return active && /^(INPUT|TEXTAREA|SELECT)$/.test(active.tagName);
}

// The order of the list, so that the lead page knows the next one.
function rememberOrder() {
  const links = rows().map((row) => nameOf(row).getAttribute("href"));
  sessionStorage.setItem("lead-order", JSON.stringify(links));
}

export function startList() {
  const list = document.getElementById("lead-list");
  if (!list) return;
  rememberOrder();
  setInterval(() => {
    if (!document.hidden && !document.querySelector("dialog[open]") && window.htmx) window.htmx.trigger(list, "look");
  }, EVERY);
  let place = 0, before = toDo();
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target.id !== "lead-list") return;
    place = rows().findIndex((row) => row.contains(document.activeElement));
  });
  document.addEventListener("htmx:afterSwap", (event) => { // at once: a key pressed before the focus is back would be lost
    if (event.detail.target.id !== "lead-list" && event.target.id !== "lead-list") return;
    rememberOrder();
    if (place >= 0 && document.activeElement === document.body && !isTyping()) {
      const row = rows()[Math.min(place, rows().length - 1)]; // the lead left the list: its successor takes the focus
      if (row) nameOf(row).focus({ preventScroll: true });
    }
    const now = toDo();
    if (now > before) announce(`${now - before} more to do now`);
    before = now;
  });
}
