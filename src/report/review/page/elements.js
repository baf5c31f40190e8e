// What everything on the page is made of: the data, elements, folds, lists in chunks. Every string of the data may be hostile:
// it becomes a text node or an attribute that holds text, never markup. What is folded is not built before it is unfolded.
//
// The files of this folder are one script, in the order in which `html.rs` names them, within one function.

const report = JSON.parse(document.getElementById("report").textContent);
const main = document.getElementById("main");
const SVG = "http://www.w3.org/2000/svg";

// How much is built at once; the rest waits for a button.
const CARDS = 50, NAMES = 200, NAMES_AT_FIRST = 12, ROWS = 100, LINES = 600, UNFOLDED_AT_FIRST = 3, CARDS_ON_PAPER = 100;

/** A table that has nothing but its rows: a word of the data such as `constructor` finds nothing in it. */
const lookup = (entries) => Object.assign(Object.create(null), entries);
const SEVERITIES = ["error", "warning", "notice"];
const CAUSES = lookup({ author: "by the author", tool: "by the tool", both: "by the author and the tool" });
const REACH = lookup({ gained: ["+", "gained"], lost: ["−", "lost"], changed: ["~", "other ports"], same: ["·", "unchanged"] });
const PEERS = lookup({ internet: "the internet", cidr: "addresses", tenant: "tenant", namespace: "namespace", pods: "pods", "same-namespace": "same namespace" });
const RING = "M8 1.7a6.3 6.3 0 1 0 .01 0";
const ICONS = lookup({
  denied: "M4 4l8 8M12 4l-8 8", passed: "M3 8.5l3.5 3.5L13 4.5", approved: "M3 8.5l3.5 3.5L13 4.5", noted: `${RING}M8 7.5v3.2M8 4.9v.1`,
  error: `${RING}M8 4.8v3.6M8 11v.1`, warning: "M8 2l6.5 11.5h-13zM8 6.5v3M8 11.5v.1", notice: `${RING}M8 7.5v3.2M8 4.9v.1`,
  added: "M8 3v10M3 8h10", removed: "M3 8h10", changed: "M2.5 9.5c2-4 4-4 5.5-1.5s3.5 2.5 5.5-1.5", renamed: "M2 8h11M9 4l4 4-4 4",
});

/** An element with attributes and children; a string becomes a text node, null nothing. */
function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function icon(name) {
  return draw("svg", { class: `icon ${name}`, viewBox: "0 0 16 16", "aria-hidden": "true" }, draw("path", { d: ICONS[name] }));
}

function button(text, act, attributes) {
  const element = make("button", { type: "button", ...attributes }, text);
  element.addEventListener("click", act);
  return element;
}

/** A name of someone else's: isolated, so that its direction of writing cannot reorder what stands around it. */
const named = (text) => make("bdi", { class: "name" }, text);

/** A sentence in which `backticks` mean code. */
function prose(text) {
  const parts = text.split("`");
  if (parts.length % 2 === 0) return [make("bdi", null, text)];
  return parts.map((part, index) => (index % 2 ? make("code", null, make("bdi", null, part)) : part));
}

const number = (value) => value.toLocaleString("en-US");
const count = (value, one, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;
const quiet = (...content) => make("p", { class: "quiet" }, content);
const pill = (kind, text) => make("span", { class: `pill ${kind}` }, ICONS[kind] ? icon(kind) : null, text);

/** Children of `list` for `items`, `size` at a time: `nodes` to place, `showTo(n)` to have the first n. */
function inChunks(list, items, size, build, what, first = size) {
  let shown = 0;
  const more = button("", () => {
    const from = shown;
    showTo(shown + size);
    // The button may be gone now, and the focus with it.
    if (shown === items.length && list.children[from]) {
      list.children[from].setAttribute("tabindex", "-1");
      list.children[from].focus();
    }
  }, { class: "more" });
  const rest = make("p", { class: "rest" });
  function showTo(end) {
    const upTo = Math.min(Math.max(end, shown), items.length);
    const batch = document.createDocumentFragment();
    while (shown < upTo) batch.append(build(items[shown++]));
    list.append(batch);
    const left = items.length - shown;
    more.hidden = rest.hidden = left === 0;
    more.textContent = left > size ? `Show ${number(size)} more of ${number(left)} ${what}` : `Show the other ${number(left)} ${what}`;
    rest.textContent = `… and ${number(left)} more`;
  }
  showTo(first);
  return { nodes: [list, more, rest], showTo };
}

/** A fold whose content is made when it is unfolded for the first time. */
function fold(attributes, summary, build) {
  const element = make("details", attributes, make("summary", null, summary));
  let built = false;
  const ensure = () => {
    if (!built) element.append(make("div", { class: "body" }, build()));
    built = true;
  };
  element.addEventListener("toggle", () => element.open && ensure());
  element.unfold = () => { ensure(); element.open = true; };
  return element;
}

/** What is wider than the page scrolls by itself, and is reached by keyboard. */
const scrolling = (label, ...children) => make("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": label }, children);

function table(label, heads, body) {
  const head = make("tr", null, heads.map((text) => make("th", { scope: "col" }, text)));
  return scrolling(label, make("table", { class: "rows" }, make("thead", null, head), body));
}

const cell = (...content) => make("td", null, content);

/** Names as chips, most of them only when asked for; with a field to look one up where there are many. */
function nameList(names) {
  const box = make("div", { class: "names" });
  const list = (some) => inChunks(make("ul", { class: "chips", tabindex: "0", "aria-label": "Names" }), some, NAMES, (name) => make("li", null, named(name)), "names", NAMES_AT_FIRST);
  box.append(...list(names).nodes);
  if (names.length > NAMES) {
    const what = `Look up one of ${number(names.length)}`;
    const field = make("input", { type: "search", class: "controls", "aria-label": what, placeholder: what });
    field.addEventListener("input", () => {
      while (field.nextSibling) field.nextSibling.remove();
      const found = names.filter((name) => name.includes(field.value.trim()));
      box.append(...(found.length ? list(found).nodes : [quiet("None of that name.")]));
    });
    box.prepend(field);
  }
  return box;
}

/** Copies, or where the browser does not let a file do that, selects the text, so that one key does. */
function copyButton(what, source) {
  const said = make("span", { role: "status", class: "said" });
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      said.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      said.textContent = "Selected: copy it with your keyboard";
    }
  }, { "aria-label": `Copy ${what}` });
  return make("span", { class: "controls copy" }, copy, said);
}
