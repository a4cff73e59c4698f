// A rating scale in the admin: the plain lines of its four text areas, shown as tables and a matrix of choices.
// The text areas stay the values that are posted; every change rewrites them.

import { element } from "./element.js";

const MINUTES = /\s*\((\d+)\s*min\)\s*$/;

const linesOf = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);

function pair(line) {
  const at = line.indexOf("=");
  return at < 0 ? [line, ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
}

// Lists of rows: how a line is read and written, and what its columns are called.
const LISTS = {
  ratings: {
    columns: ["Rating", "What to do", "Minutes a lead"],
    one: "rating",
    read(line) {
      const [label, told] = pair(line);
      const minutes = told.match(MINUTES);
      return [label, told.replace(MINUTES, ""), minutes ? minutes[1] : ""];
    },
    write: ([label, action, minutes]) => `${label} = ${action}${minutes ? ` (${minutes} min)` : ""}`,
  },
  fit_bands: { columns: ["Fit band", "From so many points"], one: "fit band", read: pair, write: ([label, points]) => `${label} = ${points}` },
  engagement_bands: { columns: ["Engagement band", "From so many points"], one: "engagement band", read: pair, write: ([label, points]) => `${label} = ${points}` },
};

class ScaleEditor {
  constructor(form) {
    this.areas = Object.fromEntries([...Object.keys(LISTS), "matrix"].map((name) => [name, form.elements[name]]));
    this.rows = {};
    this.places = {};
    for (const [name, list] of Object.entries(LISTS)) {
      this.rows[name] = linesOf(this.areas[name].value).map(list.read);
      this.places[name] = this.cover(name);
    }
    const cells = linesOf(this.areas.matrix.value).map((line) => line.split(",").map((cell) => cell.trim()));
    // Kept by the names of their bands, so that a band that moves takes its ratings along.
    this.cells = new Map();
    this.rows.fit_bands.forEach(([fit], y) =>
      this.rows.engagement_bands.forEach(([engagement], x) => this.cells.set(`${fit}/${engagement}`, cells[y]?.[x] ?? "")),
    );
    this.places.matrix = this.cover("matrix");
    this.said = element("p", { class: "admin-hidden", role: "status" });
    this.places.ratings.before(this.said);
    for (const name of Object.keys(LISTS)) this.drawList(name);
    this.drawMatrix();
  }

  cover(name) {
    const place = element("div", { class: "scale-editor" });
    this.areas[name].hidden = true;
    this.areas[name].setAttribute("aria-hidden", "true");
    this.areas[name].after(place);
    return place;
  }

  keep() {
    for (const [name, list] of Object.entries(LISTS)) this.areas[name].value = this.rows[name].map(list.write).join("\n");
    this.areas.matrix.value = this.rows.fit_bands
      .map(([fit]) => this.rows.engagement_bands.map(([engagement]) => this.cells.get(`${fit}/${engagement}`) || "?").join(", "))
      .join("\n");
  }

  // --- a list: names and what belongs to them, best first ----------------------------------------
  drawList(name) {
    const { columns, one } = LISTS[name];
    const rows = this.rows[name];
    const head = element("tr", {}, ...columns.map((words) => element("th", { scope: "col" }, words)), element("th", {}, element("span", { class: "admin-hidden" }, "Order")));
    const body = rows.map((row, n) => {
      const inputs = row.map((value, column) => {
        const rest = name !== "ratings" && column === 1 && n === rows.length - 1; // the last band takes the rest
        return element(
          "td",
          { class: column === row.length - 1 ? "figure" : false },
          rest
            ? element("span", { class: "condition-hint" }, "everybody else")
            : element("input", {
                value,
                "aria-label": `${columns[column]}, number ${n + 1}`,
                inputmode: column === row.length - 1 ? "decimal" : false,
                maxlength: column === 0 ? 20 : 200,
                oninput: (event) => this.type(name, n, column, event.target.value),
              }),
        );
      });
      return element("tr", {}, ...inputs, element("td", { class: "icons" }, ...this.buttons(name, n)));
    });
    const add = element("button", { type: "button", class: "condition-add", onclick: () => this.add(name) }, `+ ${one[0].toUpperCase()}${one.slice(1)}`);
    const table = element("table", {}, element("caption", { class: "admin-hidden" }, `${columns[0]}s, best first`), element("thead", {}, head), element("tbody", {}, ...body));
    this.places[name].replaceChildren(element("div", { class: "rows", tabindex: "0", role: "group", "aria-label": `${columns[0]}s` }, table), element("div", {}, add));
  }

  buttons(name, n) {
    const rows = this.rows[name];
    const label = rows[n][0] || `number ${n + 1}`;
    return [
      ["↑", `Move ${label} up`, n > 0, () => this.move(name, n, -1)],
      ["↓", `Move ${label} down`, n < rows.length - 1, () => this.move(name, n, 1)],
      ["×", `Remove ${label}`, rows.length > 1, () => this.remove(name, n)],
    ]
      .filter(([, , possible]) => possible)
      .map(([sign, words, , onclick]) => element("button", { type: "button", "aria-label": words, title: words, onclick }, sign));
  }

  type(name, n, column, value) {
    const row = this.rows[name][n];
    const before = row[0];
    row[column] = name === "ratings" ? value.replace(/[\n]/g, " ") : value;
    if (column === 0) this.rename(name, before, value);
    if (column === 0) this.drawMatrix();
    this.keep();
  }

  rename(name, before, after) {
    const moved = new Map();
    for (const [key, rating] of this.cells) {
      const at = key.indexOf("/");
      let [fit, engagement] = [key.slice(0, at), key.slice(at + 1)];
      if (name === "fit_bands" && fit === before) fit = after;
      if (name === "engagement_bands" && engagement === before) engagement = after;
      moved.set(`${fit}/${engagement}`, name === "ratings" && rating === before ? after : rating);
    }
    this.cells = moved;
  }

  add(name) {
    this.rows[name].push(LISTS[name].columns.map(() => ""));
    this.changed(name);
    this.places[name].querySelector("tbody tr:last-child input").focus();
  }

  remove(name, n) {
    const [gone] = this.rows[name].splice(n, 1);
    this.changed(name);
    this.said.textContent = `${gone[0] || "The row"} is removed.`;
    this.places[name].querySelectorAll("tbody tr")[Math.min(n, this.rows[name].length - 1)].querySelector("input").focus();
  }

  move(name, n, by) {
    const rows = this.rows[name];
    [rows[n], rows[n + by]] = [rows[n + by], rows[n]];
    this.changed(name);
    this.said.textContent = `${rows[n + by][0] || "The row"} is number ${n + by + 1} now.`;
    this.places[name].querySelectorAll("tbody tr")[n + by].querySelector("input").focus();
  }

  changed(name) {
    this.drawList(name);
    this.drawMatrix();
    this.keep();
  }

  // --- the matrix: one choice per cell -----------------------------------------------------------
  drawMatrix() {
    const labels = this.rows.ratings.map(([label]) => label).filter(Boolean);
    const head = this.rows.engagement_bands.map(([label]) => element("th", { scope: "col" }, label || "?"));
    const body = this.rows.fit_bands.map(([fit]) =>
      element(
        "tr",
        {},
        element("th", { scope: "row" }, fit || "?"),
        ...this.rows.engagement_bands.map(([engagement]) => element("td", {}, this.choice(fit, engagement, labels))),
      ),
    );
    const table = element(
      "table",
      {},
      element("caption", { class: "admin-hidden" }, "Rating by fit and engagement"),
      element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Fit ↓ Engagement →"), ...head)),
      element("tbody", {}, ...body),
    );
    this.places.matrix.replaceChildren(element("div", { class: "matrix", tabindex: "0", role: "group", "aria-label": "Matrix" }, table));
  }

  choice(fit, engagement, labels) {
    const key = `${fit}/${engagement}`;
    const kept = this.cells.get(key) ?? "";
    const node = element("select", { "aria-label": `Fit ${fit}, engagement ${engagement}`, onchange: () => (this.cells.set(key, node.value), this.keep()) });
    for (const label of labels.includes(kept) ? labels : ["", ...labels]) node.append(element("option", { value: label }, label || "choose"));
    node.value = labels.includes(kept) ? kept : "";
    return node;
  }
}

const marked = document.querySelector("textarea[data-scale]");
if (marked) new ScaleEditor(marked.form);
