// The condition builder of the admin: a JSON tree in a textarea, shown as rows.
// The textarea stays the value that is posted; every change rewrites it and asks for the live count.

const WAIT = 200;
const JOINTS = { all: "all of these hold", any: "at least one of these holds", none: "none of these holds" };
let names = 0;

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function labelled(label, control, hint = "") {
  control.id ||= `condition-${++names}`;
  const parts = [element("label", { for: control.id }, label), control];
  if (hint) {
    control.setAttribute("aria-describedby", `${control.id}-hint`);
    parts.push(element("span", { class: "condition-hint", id: `${control.id}-hint` }, hint));
  }
  return element("div", { class: "condition-field" }, ...parts);
}

function select(options, value, onchange) {
  const node = element("select", { onchange: () => onchange(node.value) });
  for (const [key, label] of options) node.append(element("option", { value: key }, label));
  node.value = value;
  return node;
}

const lines = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
const whole = (text) => (text.trim() === "" ? "" : Number.isNaN(Number(text)) ? text : Number(text));
const isGroup = (item) => !("is" in item);
const kindOf = (tree) => ["all", "any", "none"].find((kind) => kind in tree);

class Builder {
  constructor(root) {
    this.root = root;
    this.textarea = root.querySelector("textarea");
    this.place = root.querySelector("[data-builder]");
    this.settings = JSON.parse(root.querySelector('script[type="application/json"]').textContent);
    this.form = this.textarea.form;
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
    const title = parent ? "Group" : "Condition";
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
    return element("div", { class: "condition-group", role: "group", "aria-label": title }, head, group.items.length ? rows : element("p", { class: "condition-hint" }, this.nothing), buttons);
  }

  drawLeaf(leaf, group, index) {
    const box = element("div", { class: "condition-leaf" });
    const criterion = this.criteria.find((one) => one.key === leaf.is);
    const what = element("select", { onchange: () => {
      group.items[index] = this.fresh(what.value);
      this.write();
      box.replaceWith(this.drawLeaf(group.items[index], group, index));
      this.place.querySelector(`#${what.id}`)?.focus();
    } });
    const single = element("optgroup", { label: "What they did, and where from" });
    for (const one of this.criteria) {
      if (!one.fields) {
        single.append(element("option", { value: one.key }, one.label));
        continue;
      }
      what.append(element("optgroup", { label: one.label }, ...one.fields.map((field) => element("option", { value: `${one.key}:${field.key}` }, capital(field.label)))));
    }
    if (single.children.length) what.append(single);
    if (!criterion) what.prepend(element("option", { value: leaf.is }, leaf.is));
    what.value = criterion?.fields ? `${leaf.is}:${leaf.field}` : leaf.is;
    what.id = leafId(this, group, index);
    box.append(labelled("What", what));
    if (criterion?.fields) this.drawComparison(box, criterion, leaf, group, index);
    else for (const parameter of criterion?.parameters ?? []) box.append(this.drawParameter(parameter, leaf));
    return box;
  }

  drawComparison(box, criterion, leaf, group, index) {
    const field = criterion.fields.find((one) => one.key === leaf.field) ?? criterion.fields[0];
    const op = select(Object.entries(field.operators), leaf.op, (value) => {
      const had = [leaf.value].flat().filter((one) => one !== undefined);
      leaf.op = value;
      delete leaf.value;
      if (value === "one_of") leaf.value = had;
      else if (value !== "known" && value !== "unknown") leaf.value = had[0] ?? firstValue(field);
      this.write();
      const fresh = this.drawLeaf(leaf, group, index);
      box.replaceWith(fresh);
      fresh.querySelectorAll("select")[1]?.focus();
    });
    box.append(labelled("Operator", op));
    if (leaf.op === "known" || leaf.op === "unknown") return;
    const change = (value) => {
      leaf.value = value;
      this.write();
    };
    if (leaf.op === "one_of" && field.type === "choice") box.append(checkboxes("Values", field.choices, leaf.value ?? [], change));
    else if (leaf.op === "one_of") box.append(labelled("Values", textLines(leaf.value ?? [], change), "one per line"));
    else if (field.type === "choice") box.append(labelled("Value", select(Object.entries(field.choices), leaf.value, change)));
    else box.append(labelled("Value", typed(field.type, leaf.value, change)));
  }

  drawParameter(parameter, leaf) {
    const change = (value) => {
      if (value === "" && !parameter.required) delete leaf[parameter.name];
      else leaf[parameter.name] = value;
      this.write();
    };
    const value = leaf[parameter.name] ?? (parameter.required ? "" : parameter.default ?? "");
    if (parameter.kind === "texts") return labelled(parameter.label, textLines(value || [], change), "one per line");
    if (parameter.kind === "choice") return labelled(parameter.label, select(Object.entries(parameter.choices), value, change));
    if (parameter.suggestions && Object.keys(parameter.suggestions).length) return suggested(parameter, value, change);
    return labelled(parameter.label, typed(parameter.kind, value, change), parameter.help);
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
      if (!parameter.required) continue;
      leaf[parameter.name] = { texts: [], choice: Object.keys(parameter.choices ?? {})[0], number: parameter.name === "days" ? 30 : "" }[parameter.kind] ?? Object.keys(parameter.suggestions ?? {})[0] ?? "";
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
    part("sentence").textContent = answer.sentence ?? "";
    part("count").textContent = answer.error ? (row ? "Complete the condition to see how many match." : `${answer.path} ${answer.error}`.trim()) : answer.count;
    part("warning").textContent = answer.warning ?? "";
    part("warning").hidden = !answer.warning;
    part("samples").replaceChildren(...(answer.samples ?? []).map((text) => element("li", {}, text)));
    part("samples-box").hidden = !answer.samples?.length;
  }
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1).replaceAll("_", " ");
const firstValue = (field) => (field.type === "choice" ? Object.keys(field.choices)[0] : "");

function leafId(builder, group, index) {
  group.number ??= ++names;
  Object.defineProperty(group, "number", { enumerable: false });
  return `condition-${builder.textarea.id}-${group.number}-${index}`;
}

function typed(type, value, change) {
  const node = element("input", { type: "text", inputmode: type === "number" ? "numeric" : null, autocomplete: "off", oninput: () => change(type === "number" ? whole(node.value) : node.value) });
  node.value = value ?? "";
  return node;
}

function textLines(values, change) {
  const node = element("textarea", { rows: Math.min(6, values.length + 1), oninput: () => change(lines(node.value)) });
  node.value = values.join("\n");
  return node;
}

function checkboxes(label, choices, chosen, change) {
  const box = element("fieldset", { class: "condition-field condition-checks" }, element("legend", {}, label));
  for (const [key, text] of Object.entries(choices)) {
    const input = element("input", { type: "checkbox", value: key, onchange: () => change([...box.querySelectorAll("input:checked")].map((one) => one.value)) });
    input.checked = chosen.includes(key);
    box.append(element("label", {}, input, text));
  }
  return box;
}

// A choice of the known words, or any other word of one's own.
function suggested(parameter, value, change) {
  const own = value !== "" && !(value in parameter.suggestions);
  const input = typed("text", own ? value : "", change);
  const other = labelled("Its name", input, "as it is recorded");
  other.hidden = !own;
  const options = [...Object.entries(parameter.suggestions), ["", "Another activity…"]];
  const node = select(options, own ? "" : value, (chosen) => {
    other.hidden = chosen !== "";
    change(chosen || input.value);
  });
  return element("div", { class: "condition-pair" }, labelled(parameter.label, node), other);
}

for (const root of document.querySelectorAll("[data-condition]")) new Builder(root);
