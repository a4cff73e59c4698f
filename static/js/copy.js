// "Copy as text": copies what the element named by data-copy holds. Without this file there is the link to the plain text.
import { announce } from "./toasts.js";

async function copy(button) {
  const said = button.querySelector("[data-said]");
  const words = said.textContent;
  try {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    said.textContent = "Copied";
  } catch {
    said.textContent = "Not allowed here: open the text instead";
  }
  announce(said.textContent);
  setTimeout(() => { said.textContent = words; }, 4000);
}

export function startCopy() {
  if (!navigator.clipboard) return; // a page that is not served securely
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}
