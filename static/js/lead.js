// The lead page: panels that open in place, quick dates, next and previous lead.
const panel = () => document.getElementById("action-panel");

function focusFirst() {
  const form = panel() && panel().querySelector("[data-panel]");
  if (!form) return;
  showQuickDates(form);
  const field = form.querySelector('[aria-invalid="true"], input:not([type="hidden"]), textarea, select');
  if (field) field.focus({ preventScroll: false });
  const menu = document.querySelector("details.more[open]");
  if (menu) menu.open = false;
}

function showQuickDates(form) {
  for (const group of form.querySelectorAll("[data-quick]")) {
    group.hidden = false;
    const input = document.getElementById(group.dataset.quick);
    for (const button of group.querySelectorAll("[data-value]")) {
      button.addEventListener("click", () => { input.value = button.dataset.value; input.focus(); });
    }
  }
}

function close() {
  const open = panel() && panel().querySelector("[data-panel]");
  if (!open) return false;
  panel().replaceChildren();
  if (location.search) history.replaceState(null, "", location.pathname);
  const bar = document.querySelector(".actions-bar .button");
  if (bar) bar.focus();
  return true;
}

// j and k on the lead page: the neighbours in the list this person came from.
export function neighbour(by) {
  const order = JSON.parse(sessionStorage.getItem("lead-order") || "[]");
  const here = order.indexOf(location.pathname);
  const next = order[here + by];
  if (here >= 0 && next) location.assign(next);
}

export function startLead() {
  if (!panel()) return;
  focusFirst();
  // Not htmx:afterSettle, which comes 20 ms after the panel is seen: keys typed in between would be lost.
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "action-panel") focusFirst(); });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-panel-close]") && close()) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    const menu = document.querySelector("details.more[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    else if (!/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) close();
  });
}
