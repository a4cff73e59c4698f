// Names for what the admin's theme leaves nameless, so that a screen reader can tell it apart.
// A classic script in <head>: it is asked before the theme's own scroll bars are made.
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("nav-sidebar-apps")?.setAttribute("data-simplebar-aria-label", "Sections");
  for (const table of document.querySelectorAll("[id$='-group'] [data-simplebar]")) {
    table.setAttribute("data-simplebar-aria-label", `Table of ${table.closest("[id$='-group']").id.replace("-group", "")}`);
  }
  for (const head of document.querySelectorAll("thead th")) {
    if (!head.textContent.trim() && !head.querySelector("input")) head.append(Object.assign(document.createElement("span"), { className: "admin-hidden", textContent: "Remove" }));
  }
});
