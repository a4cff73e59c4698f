// The controls of the condition builder: each shows a value and says when it changes.

import { element } from "./element.js";

let names = 0;

export const newName = () => ++names;
export const SEVERAL = "separated by commas or lines; \"Acme, Inc.\" in quotes is one";
const VALUE = /\s*(?:"((?:[^"]|"")*)"|([^,]*?))\s*(?:,|$)/y;
export const whole = (text) => (text.trim() === "" ? "" : Number.isNaN(Number(text)) ? text : Number(text));
const OTHER = "\u0000"; // no word that anybody could mean

export function labelled(label, control, hint = "") {
  control.id ||= `condition-${newName()}`;
  const parts = [element("label", { for: control.id }, label), control];
  if (hint) {
    control.setAttribute("aria-describedby", `${control.id}-hint`);
    parts.push(element("span", { class: "condition-hint", id: `${control.id}-hint` }, hint));
  }
  return element("div", { class: "condition-field" }, ...parts);
}

export function select(options, value, onchange) {
  const node = element("select", { onchange: () => onchange(node.value) });
  for (const [key, label] of options) node.append(element("option", { value: key }, label));
  node.value = value;
  return node;
}

export function typed(type, value, change) {
  const node = element("input", { type: type === "date" ? "date" : "text", inputmode: type === "number" ? "decimal" : null, autocomplete: "off", oninput: () => change(type === "number" ? whole(node.value) : node.value) });
  node.value = value ?? "";
  return node;
}

// The values of a text: separated by commas or lines, in quotes where one holds a comma itself.
export function valuesIn(text) {
  const found = [];
  for (const line of text.split("\n")) {
    VALUE.lastIndex = 0;
    while (VALUE.lastIndex < line.length) {
      const [, quoted, plain] = VALUE.exec(line);
      found.push((quoted?.replaceAll('""', '"') ?? plain).trim());
    }
  }
  return found.filter(Boolean);
}

const written = (value) => (value.includes(",") || value.startsWith('"') ? `"${value.replaceAll('"', '""')}"` : value);
const writtenLines = (values) => values.map(written).join("\n");

export function valueLines(values, change) {
  const node = element("textarea", { rows: Math.min(6, values.length + 1), oninput: () => change(valuesIn(node.value)) });
  node.value = writtenLines(values);
  return node;
}

export function checkboxes(label, choices, chosen, change) {
  const box = element("fieldset", { class: "condition-field condition-checks" }, element("legend", {}, label));
  for (const [key, text] of Object.entries(choices)) {
    const input = element("input", { type: "checkbox", value: key, onchange: () => change([...box.querySelectorAll("input:checked")].map((one) => one.value)) });
    input.checked = chosen.includes(key);
    box.append(element("label", {}, input, text));
  }
  return box;
}

// From … to …, both included.
export function range(type, value, change) {
  const ends = [value?.[0] ?? "", value?.[1] ?? ""];
  const end = (place) => typed(type, ends[place], (text) => {
    ends[place] = text;
    change([...ends]);
  });
  return element("div", { class: "condition-pair" }, labelled("From", end(0)), labelled("To", end(1), "included"));
}

// A choice of the known words, or any other word of one's own.
export function suggested(parameter, value, change) {
  const own = !(value in parameter.suggestions);
  const input = typed("text", own ? value : "", change);
  const other = labelled("Its name", input, "as it is recorded");
  other.hidden = !own;
  const options = [...Object.entries(parameter.suggestions), [OTHER, "Another activity…"]];
  const node = select(options, own ? OTHER : value, (chosen) => {
    other.hidden = chosen !== OTHER;
    change(chosen === OTHER ? input.value : chosen);
  });
  return element("div", { class: "condition-pair" }, labelled(parameter.label, node), other);
}

// --- Values that occur, offered while one is typed ---------------------------------------------------

const PAUSE = 150;

// offers(input, ask): `ask(text)` resolves to [[value, how many], …]. The input stays free text.
export function offers(input, ask) {
  const list = element("datalist", { id: `condition-${newName()}` });
  input.setAttribute("list", list.id);
  let timer;
  const refresh = async () => {
    const found = await ask(input.value);
    list.replaceChildren(...found.map(([value, times]) => element("option", { value }, `${value} (${times.toLocaleString("en")})`)));
  };
  for (const kind of ["input", "focus"]) {
    input.addEventListener(kind, () => {
      clearTimeout(timer);
      timer = setTimeout(refresh, PAUSE);
    });
  }
  return list;
}

// One value with suggestions.
export function offeredText(value, change, ask) {
  const input = typed("text", value, change);
  return { input, list: offers(input, ask) };
}

// Several values, with an input above that adds some: one that was offered as it is, others as in the area.
export function offeredLines(label, values, change, ask) {
  const area = valueLines(values, change);
  const add = () => {
    const known = valuesIn(area.value);
    const isOffered = [...list.options].some((option) => option.value === input.value);
    const fresh = (isOffered ? [input.value] : valuesIn(input.value)).filter((value) => !known.includes(value));
    if (!fresh.length) return;
    area.value = writtenLines([...known, ...fresh]);
    area.rows = Math.min(6, known.length + fresh.length + 1);
    input.value = "";
    change(valuesIn(area.value));
  };
  const input = element("input", { type: "text", autocomplete: "off", onchange: add });
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    add();
  });
  const list = offers(input, ask);
  return element("div", { class: "condition-pair" }, labelled("Add a value", input, "those that occur are offered; several with commas"), list, labelled(label, area, SEVERAL));
}
