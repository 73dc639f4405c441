// Elements without a framework. Text is always text: nothing from the venue is ever read as HTML.

/** An element: `h("button.primary", {onclick}, "Send")`. Falsy children are left out. */
export function h(name, properties = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "class") element.className = `${element.className} ${value}`.trim();
    else if (key in element && !key.includes("-") && !["list", "form", "role", "style"].includes(key)) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  append(element, children);
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : String(child));
  }
}

/** Replace what an element contains. */
export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/** Set text only if it changed, so that fifty updates a second cost nothing where nothing moves. */
export function put(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

let fields = 0;

/** A labelled control. `hint` stands under it, `end` beside it. */
export function field(label, control, { hint, end } = {}) {
  control.id ||= `field-${++fields}`;
  return h("div.field", {}, h("label", { htmlFor: control.id }, label), h("div.control", {}, control, end), hint);
}

export function select(options, value, onchange, more = {}) {
  return h(
    "select",
    { onchange: (event) => onchange(event.target.value), ...more },
    options.map((option) => {
      const [key, name] = Array.isArray(option) ? option : [option, option];
      return h("option", { value: key, selected: key === value }, name);
    }),
  );
}

/** Buttons of which one is pressed. */
export function tabs(options, value, onchange, { label = "", kind = "" } = {}) {
  return h(
    "div",
    { class: `tabs ${kind}`, role: "group", "aria-label": label },
    options.map(([key, name, note]) =>
      h("button", { type: "button", "aria-pressed": String(key === value), class: key, title: note, onclick: () => onchange(key) }, name),
    ),
  );
}

const PAGE = 50;
const opened = new Map();

/**
 * A table that scrolls on its own on narrow screens. Columns: [title, cell, class]. A long one shows a page of rows
 * and a button for the next; how many are open is remembered by label, since lists are drawn anew as they change.
 */
export function table(columns, rows, { empty = "Nothing here yet.", label = "Table" } = {}) {
  if (!rows.length) {
    opened.delete(label);
    return h("p.empty", {}, empty);
  }
  const line = (row) => h("tr", {}, columns.map(([title, cell, kind]) => h("td", { class: kind, "data-title": title }, cell(row))));
  const body = h("tbody");
  const foot = h("div.more-rows");
  const show = (count) => {
    append(body, rows.slice(body.children.length, count).map(line));
    if (rows.length <= PAGE) return;
    const left = rows.length - Math.min(count, rows.length);
    fill(foot, h("span", {}, `${Math.min(count, rows.length).toLocaleString("en")} of ${rows.length.toLocaleString("en")}`),
      left > 0 && h("button.small", { type: "button", onclick: () => { opened.set(label, count + PAGE); show(count + PAGE); } }, `Show ${Math.min(left, PAGE)} more`));
  };
  show(opened.get(label) || PAGE);
  const head = ([title, , kind]) => (title ? h("th", { scope: "col", class: kind }, title) : h("td", { class: kind }));
  return h("div.scroll", { tabIndex: 0, role: "region", "aria-label": `${label}, table` },
    h("table", {}, h("thead", {}, h("tr", {}, columns.map(head))), body), foot);
}

/** Name and value, one a line. */
export function facts(rows, kind = "") {
  return h(
    "dl",
    { class: `facts ${kind}` },
    rows.filter(Boolean).map(([name, value, more]) => h("div", { class: more || "" }, h("dt", {}, name), h("dd", {}, value))),
  );
}

export function card(title, ...children) {
  const [name, end] = Array.isArray(title) ? title : [title];
  return h("section.card", { "aria-label": name }, name && h("header", {}, h("h2", {}, name), end), children);
}

export const stat = (name, value, note, kind = "") =>
  h("div.stat", {}, h("span.name", {}, name), h("span", { class: `value ${kind}` }, value), note && h("span.note", {}, note));

export const empty = (text, ...more) => h("div.empty", {}, h("p", {}, text), more);

/** A message that goes away by itself. */
export function toast(message, kind = "") {
  const holder = document.getElementById("toasts");
  const element = h("div.toast", { class: kind }, h("span", {}, message), h("button.quiet", { type: "button", "aria-label": "Dismiss", onclick: () => element.remove() }, "×"));
  holder.append(element);
  while (holder.children.length > 4) holder.firstChild.remove();
  setTimeout(() => element.remove(), kind === "bad" ? 9000 : 5000);
}

/** A modal dialog; `build(close)` gives its content. */
export function dialog(title, build) {
  const element = h("dialog", { "aria-label": title });
  const close = () => element.close();
  append(element, [
    h("header", {}, h("h2", {}, title), h("button.quiet.icon", { type: "button", "aria-label": "Close", onclick: close }, "×")),
    build(close, element),
  ]);
  element.addEventListener("close", () => element.remove());
  element.addEventListener("click", (event) => event.target === element && close());
  document.body.append(element);
  element.showModal();
  return element;
}

/** Run `work` while the button says so; faults become messages. */
export async function busy(button, label, work) {
  const before = button.textContent;
  button.disabled = true;
  button.textContent = label;
  try {
    return await work();
  } catch (fault) {
    toast(fault.message || String(fault), "bad");
    return undefined;
  } finally {
    button.disabled = false;
    button.textContent = before;
  }
}

/** At most once every `wait` milliseconds, the last call never lost. */
export function throttled(work, wait) {
  let timer = 0;
  let last = 0;
  return () => {
    if (timer) return;
    timer = setTimeout(() => {
      timer = 0;
      last = Date.now();
      work();
    }, Math.max(0, last + wait - Date.now()));
  };
}
