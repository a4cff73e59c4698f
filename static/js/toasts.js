// A toast stays 8 seconds (not while it is pointed at or focused); "z" presses its Undo.
const STAY = 8000;

export function startToasts() {
  const region = document.getElementById("toasts");
  if (!region) return;
  const prepareAll = () => region.querySelectorAll("[data-toast]:not([data-ready])").forEach(prepare);
  new MutationObserver(prepareAll).observe(region, { childList: true });
  prepareAll();
}

function prepare(toast) {
  toast.dataset.ready = "";
  const close = toast.querySelector("[data-toast-close]");
  close.hidden = false;
  close.addEventListener("click", () => toast.remove());
  if (toast.classList.contains("error")) return; // what went wrong stays until it was read
  let timer = setTimeout(() => toast.remove(), STAY);
  const hold = () => clearTimeout(timer);
  const release = () => { hold(); timer = setTimeout(() => toast.remove(), STAY / 2); };
  for (const event of ["pointerenter", "focusin"]) toast.addEventListener(event, hold);
  for (const event of ["pointerleave", "focusout"]) toast.addEventListener(event, release);
}

export function undoLast() {
  const forms = document.querySelectorAll("#toasts [data-undo]");
  const last = forms[forms.length - 1];
  if (last) last.requestSubmit();
  return Boolean(last);
}

export function announce(text) {
  const region = document.getElementById("announce");
  if (region) region.textContent = text;
}
