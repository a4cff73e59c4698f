// The condition builder of the admin: a JSON tree in a textarea, shown as rows.
// The textarea stays the value that is posted; every change rewrites it and asks for the live count.

import { SEVERAL, checkboxes, labelled, newName, offeredLines, offeredText, range, select, suggested, typed, valueLines } from "./admin-condition-controls.js";
import { element } from "./element.js";

const WAIT = 200;
const JOINTS = { all: "all of these hold", any: "at least one of these holds", none: "none of these holds" };

const isGroup = (item) => !("is" in item);
const kindOf = (tree) => ["all", "any", "none"].find((kind) => kind in tree);

class Builder {
  constructor(root) {
    this.root = root;
    this.textarea = root.querySelector("textarea");
    this.place = root.querySelector("[data-builder]");
    this.settings = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    this.form = this.textarea.form;
    this.label = document.querySelector(`label[for="${this.textarea.id}"]`)?.textContent.trim() || "Condition";
    this.kept = {}; // the tree of each scope, so that trying another kind loses nothing
    this.follow();
    if (this.read()) this.draw();
    this.textarea.addEventListener("input", () => this.ask());
    this.ask(0);
  }

  // --- which catalogue holds: fixed, or that of another select of the form -----------------------
  follow() {
    this.scope = this.settings.scope;
    const other = this.settings.follows && this.form.elements[this.settings.follows];
    const days = this.form.elements.window_days;
    days?.addEventListener("input", () => this.ask());
    if (!other) return;
    const choose = () => this.settings.scopeOf[other.value] ?? null;
    this.scope = choose();
    other.addEventListener("change", () => {
      const scope = choose();
      if (scope === this.scope) return;
      this.kept[this.scope] = this.tree;
      this.scope = scope;
      this.tree = this.kept[scope] ?? { kind: "all", items: [] };
      this.write();
      this.draw();
    });
  }

  get criteria() {
    return this.settings.scopes[this.scope] ?? [];
  }

  get nothing() {
    return this.settings.empty || (this.scope === "touchpoint" ? "No condition: any activity matches." : "No condition: everybody matches.");
  }

  // --- the tree: {kind, items: [leaf | {kind, items}]} ------------------------------------------
  read() {
    let stored;
    try {
      stored = JSON.parse(this.textarea.value || "{}");
    } catch {
      stored = null;
    }
    if (typeof stored !== "object" || stored === null) return false; // the text stays, to be put right
    this.tree = this.grouped("is" in stored ? { all: [stored] } : stored);
    const deep = this.tree.items.some((item) => isGroup(item) && item.items.some(isGroup));
    if (deep) this.root.prepend(element("p", { class: "condition-hint" }, "This condition is nested more deeply than the rows can show. It is edited here as text."));
    return !deep;
  }

  grouped(stored) {
    const kind = kindOf(stored) ?? "all";
    const items = (stored[kind] ?? []).map((item) => ("is" in item ? item : this.grouped(item)));
    return { kind, items };
  }

  plain(group) {
    return { [group.kind]: group.items.map((item) => (isGroup(item) ? this.plain(item) : item)) };
  }

  write() {
    const tree = this.tree.items.length && this.scope ? this.plain(this.tree) : {};
    this.textarea.value = JSON.stringify(tree);
    this.textarea.dispatchEvent(new Event("condition", { bubbles: true })); // for what else reads the form
    this.ask();
  }

  // --- drawing ----------------------------------------------------------------------------------
  draw(focus) {
    this.textarea.hidden = true;
    this.place.hidden = !this.scope;
    this.place.replaceChildren(this.drawGroup(this.tree, this.tree.kind, null));
    if (focus) this.place.querySelector(`[data-row="${focus}"] select`)?.focus();
  }

  drawGroup(group, path, parent) {
    const title = parent ? "Group" : this.label;
    const joint = select(Object.entries(JOINTS), group.kind, (kind) => {
      group.kind = kind;
      this.write();
      this.draw(); // the paths of the rows begin with the kind
      this.place.querySelector(`#${joint.id}`)?.focus();
    });
    joint.id = `condition-${this.textarea.id}-${parent ? path.replace(/\W/g, "-") : "root"}`;
    const rows = element("div", { class: "condition-rows" });
    group.items.forEach((item, index) => {
      const here = `${path}[${index}]`;
      const row = element("div", { class: "condition-row", "data-row": here, role: "group", "aria-label": `${isGroup(item) ? "Group" : "Condition"} ${index + 1}` });
      row.append(isGroup(item) ? this.drawGroup(item, `${here}.${item.kind}`, group) : this.drawLeaf(item, group, index));
      row.append(element("button", { type: "button", class: "condition-remove", "aria-label": `Remove ${isGroup(item) ? "group" : "condition"} ${index + 1}`, title: "Remove", onclick: () => this.remove(group, index, path) }, "×"));
      row.append(element("p", { class: "condition-error", "data-error": true, hidden: true, role: "alert" }));
      rows.append(row);
    });
    const add = element("button", { type: "button", class: "condition-add", "data-add": path, onclick: () => this.add(group, path) }, "+ Condition");
    const buttons = element("div", { class: "condition-buttons" }, add);
    if (!parent) buttons.append(element("button", { type: "button", class: "condition-add", onclick: () => this.addGroup(group, path) }, "+ Group"));
    const head = labelled(parent ? "Within this group" : "A lead matches when", joint);
    if (!parent && this.scope === "touchpoint") head.firstChild.textContent = "An activity matches when";
    return element("div", { class: "condition-group", role: "group", "aria-label": title }, head, group.items.length ? rows : this.drawNothing(parent), buttons);
  }

  // No condition is a fault in a group; elsewhere it is worth a warning, unless this form says what it means here.
  drawNothing(parent) {
    if (parent) return element("p", { class: "condition-hint" }, "Add a condition, or remove this group.");
    return element("p", { class: this.settings.empty ? "condition-hint" : "condition-warning" }, this.nothing);
  }

  drawLeaf(leaf, group, index) {
    const box = element("div", { class: "condition-leaf" });
    const criterion = this.criteria.find((one) => one.key === leaf.is);
    // The rest is drawn anew and the select stays, so that typing the name of a choice is not cut off after a letter.
    const rest = element("div", { class: "condition-pair" });
    const what = element("select", { onchange: () => {
      group.items[index] = this.fresh(what.value);
      this.write();
      hint.textContent = this.hintOf(group.items[index]);
      rest.replaceChildren();
      this.drawRest(rest, group.items[index]);
    } });
    for (const [heading, options] of this.offered()) what.append(element("optgroup", { label: heading }, ...options.map(([value, label]) => element("option", { value }, label))));
    if (!criterion) what.prepend(element("option", { value: leaf.is }, leaf.is));
    what.value = criterion?.fields ? `${leaf.is}:${leaf.field}` : leaf.is;
    what.id = leafId(this, group, index);
    const field = labelled("What", what, " ");
    const hint = field.querySelector(".condition-hint");
    hint.textContent = this.hintOf(leaf);
    box.append(field, rest);
    this.drawRest(rest, leaf);
    return box;
  }

  // Group → [value, label] of what may be asked, as it comes.
  offered() {
    const groups = new Map();
    const offer = (group, value, label) => groups.set(group, [...(groups.get(group) ?? []), [value, capital(label)]]);
    for (const one of this.criteria) {
      if (one.fields) for (const field of one.fields) offer(field.group || one.group, `${one.key}:${field.key}`, field.label);
      else offer(one.group, one.key, one.label);
    }
    return groups;
  }

  // What tells it from another that is much like it.
  hintOf(leaf) {
    const criterion = this.criteria.find((one) => one.key === leaf.is);
    return (criterion?.fields ? criterion.fields.find((one) => one.key === leaf.field) : criterion)?.hint ?? "";
  }

  drawRest(rest, leaf) {
    const criterion = this.criteria.find((one) => one.key === leaf.is);
    if (criterion?.fields) this.drawComparison(rest, criterion, leaf);
    else this.drawParameters(rest, criterion?.parameters ?? [], leaf);
  }

  drawComparison(box, criterion, leaf) {
    const field = criterion.fields.find((one) => one.key === leaf.field) ?? criterion.fields[0];
    const operand = element("div", { class: "condition-pair" });
    const op = select(Object.entries(field.operators), leaf.op, (value) => {
      const had = [leaf.value].flat().filter((one) => one !== undefined && one !== "");
      leaf.op = value;
      delete leaf.value;
      const fresh = { none: undefined, many: had, range: had.length === 2 ? had : ["", ""], days: 30, one: had[0] ?? firstValue(field) }[field.operands[value]];
      if (fresh !== undefined) leaf.value = fresh;
      this.write();
      operand.replaceChildren();
      this.drawOperand(operand, field, leaf);
    });
    box.append(labelled("Operator", op), operand);
    this.drawOperand(operand, field, leaf);
  }

  drawOperand(box, field, leaf) {
    const takes = field.operands[leaf.op];
    if (takes === "none") return;
    const change = (value) => {
      leaf.value = value;
      this.write();
    };
    if (takes === "many" && field.type === "choice") box.append(checkboxes("Values", field.choices, leaf.value ?? [], change));
    else if (takes === "many" && field.suggests) box.append(offeredLines("Values", leaf.value ?? [], change, this.asker(field.suggests, leaf)));
    else if (takes === "many") box.append(labelled("Values", valueLines(leaf.value ?? [], change), SEVERAL));
    else if (takes === "range") box.append(range(field.type, leaf.value, change));
    else if (takes === "days") box.append(labelled("Days", typed("number", leaf.value, change)));
    else if (field.type === "choice") box.append(labelled("Value", select(Object.entries(field.choices), leaf.value, change)));
    else if (field.suggests) this.appendOffered(box, "Value", leaf.value, change, field.suggests, leaf);
    else box.append(labelled("Value", typed(field.type, leaf.value, change)));
  }

  // Parameters may depend on earlier ones: those that are not asked now are not kept either. What is shown stays in place.
  drawParameters(box, parameters, leaf) {
    const decides = new Set(parameters.flatMap((one) => Object.keys(one.shown_when)));
    const shown = new Map();
    const arrange = () => {
      let last = null;
      for (const parameter of parameters) {
        if (!isAsked(parameter, parameters, leaf)) {
          shown.get(parameter.name)?.remove();
          shown.delete(parameter.name);
          delete leaf[parameter.name];
          continue;
        }
        if (!shown.has(parameter.name)) {
          const drawn = this.drawParameter(parameter, leaf, decides.has(parameter.name) ? arrange : () => {});
          drawn.dataset.parameter = parameter.name;
          if (last) last.after(drawn);
          else box.prepend(drawn);
          shown.set(parameter.name, drawn);
        }
        last = shown.get(parameter.name);
      }
    };
    arrange();
  }

  drawParameter(parameter, leaf, then) {
    const change = (value) => {
      if (value === "" && !parameter.required) delete leaf[parameter.name];
      else leaf[parameter.name] = value;
      then();
      this.write();
    };
    const value = valueOf(parameter, leaf) ?? "";
    if (parameter.kind === "texts" && parameter.suggests) return offeredLines(parameter.label, value || [], change, this.asker(parameter.suggests, leaf));
    if (parameter.kind === "texts") return labelled(parameter.label, valueLines(value || [], change), SEVERAL);
    if (parameter.kind === "choices") return checkboxes(parameter.label, parameter.choices, value || [], change);
    if (parameter.kind === "choice") return labelled(parameter.label, select(optional(parameter), value, change), parameter.help);
    if (parameter.suggestions && Object.keys(parameter.suggestions).length) return suggested(parameter, value, change);
    if (parameter.kind === "text" && parameter.suggests) {
      const box = element("div", { class: "condition-pair" });
      this.appendOffered(box, parameter.label, value, change, parameter.suggests, leaf, parameter.help);
      return box;
    }
    return labelled(parameter.label, typed(parameter.kind, value, change), parameter.help);
  }

  appendOffered(box, label, value, change, suggests, leaf, hint = "") {
    const { input, list } = offeredText(value, change, this.asker(suggests, leaf));
    box.append(labelled(label, input, hint), list);
  }

  // Asks for values that occur; what was asked before is abandoned, and without an answer nothing is offered.
  asker(suggests, leaf) {
    let asking;
    return async (text) => {
      asking?.abort();
      asking = new AbortController();
      const query = new URLSearchParams({ of: suggests, typed: text, kind: leaf.kind ?? "", property: leaf.property ?? "" });
      try {
        const response = await fetch(`${this.settings.values}?${query}`, { signal: asking.signal });
        return response.ok ? (await response.json()).values : [];
      } catch {
        return [];
      }
    };
  }

  fresh(chosen) {
    const [key, name] = chosen.split(":");
    const criterion = this.criteria.find((one) => one.key === key);
    if (criterion.fields) {
      const field = criterion.fields.find((one) => one.key === name);
      return { is: key, field: name, op: Object.keys(field.operators)[0], value: firstValue(field) };
    }
    const leaf = { is: key };
    for (const parameter of criterion.parameters) {
      if (!parameter.required || !isAsked(parameter, criterion.parameters, leaf)) continue;
      leaf[parameter.name] = { texts: [], choices: [], choice: Object.keys(parameter.choices ?? {})[0], number: parameter.name === "days" ? 30 : "" }[parameter.kind] ?? Object.keys(parameter.suggestions ?? {})[0] ?? "";
    }
    return leaf;
  }

  add(group, path) {
    const first = this.criteria[0];
    group.items.push(this.fresh(first.fields ? `${first.key}:${first.fields[0].key}` : first.key));
    this.write();
    this.draw(`${path}[${group.items.length - 1}]`);
  }

  addGroup(group, path) {
    const inner = { kind: "any", items: [] };
    group.items.push(inner);
    this.add(inner, `${path}[${group.items.length - 1}].any`);
  }

  remove(group, index, path) {
    group.items.splice(index, 1);
    this.write();
    this.draw();
    this.place.querySelector(`[data-add="${CSS.escape(path)}"]`)?.focus();
  }

  // --- the live count ----------------------------------------------------------------------------
  ask(wait = WAIT) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetch(), wait);
  }

  async fetch() {
    const result = this.root.querySelector("[data-result]");
    const mute = !this.scope || (this.settings.empty && this.tree?.items.length === 0);
    result.hidden = mute;
    if (mute) return;
    this.asking?.abort();
    this.asking = new AbortController();
    const body = new FormData();
    body.set("tree", this.textarea.value);
    body.set("scope", this.scope);
    body.set("days", this.form.elements.window_days?.value ?? "");
    body.set("csrfmiddlewaretoken", this.form.elements.csrfmiddlewaretoken.value);
    try {
      const response = await fetch(this.settings.preview, { method: "POST", body, signal: this.asking.signal });
      if (!response.ok) throw new Error(response.status);
      this.show(await response.json());
    } catch (error) {
      if (error.name !== "AbortError") this.show({ sentence: "", count: "The count cannot be reached now; what you typed is kept.", samples: [] });
    }
  }

  show(answer) {
    const part = (name) => this.root.querySelector(`[data-${name}]`);
    this.place.querySelectorAll("[data-error]").forEach((node) => (node.hidden = true));
    const rows = [...this.place.querySelectorAll("[data-row]")].filter((row) => answer.path?.startsWith(row.dataset.row));
    const row = rows.at(-1); // the innermost
    if (answer.error && row) {
      const error = row.querySelector(":scope > [data-error]");
      const name = answer.path.slice(row.dataset.row.length).replace(/^\./, "");
      error.textContent = `${capital(name || "This")} ${answer.error}.`;
      error.hidden = false;
    }
    if (row || answer.sentence) this.forgetPath();
    part("sentence").textContent = answer.sentence ?? "";
    part("count").textContent = answer.error ? (row ? "Complete the condition to see how many match." : `${answer.path} ${answer.error}`.trim()) : answer.count;
    part("warning").textContent = answer.warning ?? "";
    part("warning").hidden = !answer.warning;
    part("samples").replaceChildren(...(answer.samples ?? []).map(({ words, url }) => element("li", {}, element("a", { href: url, target: "_blank", rel: "noopener" }, words))));
    part("samples-box").hidden = !answer.samples?.length;
  }

  // What the server said of the text by its path: the row says it now, or it is mended.
  forgetPath() {
    for (const error of this.root.closest(".errors")?.querySelectorAll("li") ?? []) {
      if (!this.root.contains(error) && /^(all|any|none)[[.:]/.test(error.textContent.trim())) error.remove();
    }
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");

// A choice that may be left open can be taken back.
const optional = (parameter) => (parameter.default === "" && !("" in parameter.choices) ? [["", parameter.empty ?? "Any"], ...Object.entries(parameter.choices)] : Object.entries(parameter.choices));

function valueOf(parameter, leaf) {
  if (parameter.name === "when" && leaf.when === undefined && leaf.days) return "within"; // days alone say so
  return leaf[parameter.name] ?? parameter.default;
}

function isAsked(parameter, parameters, leaf) {
  return Object.entries(parameter.shown_when).every(([name, values]) => {
    return values.includes(valueOf(parameters.find((one) => one.name === name), leaf));
  });
}

const firstValue = (field) => (field.type === "choice" ? Object.keys(field.choices)[0] : "");

function leafId(builder, group, index) {
  group.number ??= newName();
  Object.defineProperty(group, "number", { enumerable: false });
  return `condition-${builder.textarea.id}-${group.number}-${index}`;
}

for (const root of document.querySelectorAll("[data-condition]")) new Builder(root);
