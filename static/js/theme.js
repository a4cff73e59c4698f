// Light, dark or as the system says. A cookie, so that the server writes data-theme and nothing flashes.
const NEXT = { system: "light", light: "dark", dark: "system" };
const NAMES = { system: "as the system", light: "light", dark: "dark" };
const YEAR = 31536000;

export function remember(name, value) {
  document.cookie = `${name}=${value}; path=/; max-age=${value ? YEAR : 0}; samesite=lax`;
}

export function startTheme() {
  rememberZone();
  const button = document.querySelector("[data-theme-toggle]");
  if (!button) return;
  const root = document.documentElement;
  const name = button.querySelector("[data-theme-name]");
  const say = () => (name.textContent = NAMES[root.dataset.theme || "system"]);
  button.hidden = false;
  say();
  button.addEventListener("click", () => {
    const next = NEXT[root.dataset.theme || "system"];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    remember("theme", next === "system" ? "" : next);
    say();
  });
}

// The server writes times in the reader's own zone from the second page on.
function rememberZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) remember("zone", zone);
}
