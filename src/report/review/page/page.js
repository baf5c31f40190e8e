// Builds the page of `mtp diff --output html=PATH` from the JSON in it. Every string of that JSON may be hostile: it
// becomes a text node or an attribute that holds text, never markup. What is folded is not built before it is unfolded.
(() => {
"use strict";

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

// ---- elements

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

// ---- verdict

function summary() {
  const { counts, decision } = report;
  const revision = ({ name, commit }) => {
    const short = commit && commit.slice(0, 7);
    return [named(name), " ", short && !name.startsWith(short) ? [make("code", null, short), " "] : null];
  };
  const tile = (value, text, kind) => make("li", { class: `tile ${value ? kind : "none"}` }, make("b", null, icon(kind), number(value)), text);
  const share = make("span", { class: "share", "aria-hidden": "true" }, make("span"));
  // A sliver stays to be seen where few of many change.
  share.firstChild.style.width = `${counts.tenantsChanged ? Math.min(100, Math.max(2, (100 * counts.tenantsChanged) / Math.max(1, counts.tenants))) : 0}%`;
  document.getElementById("scriptless").remove();
  document.getElementById("summary").replaceChildren(
    make("div", { class: `verdict ${decision}` }, icon(decision),
      make("p", null, make("strong", null, decision === "denied" ? "Denied" : "Passed"), make("span", null, prose(report.verdict)))),
    make("p", { class: "what" }, named(report.name), " · from ", revision(report.base), "to ", revision(report.head),
      report.at ? ["· judged as of ", make("time", { datetime: report.at }, report.at.replace("T", " ").replace("Z", " UTC"))] : null,
      report.denies.length ? [" · denies ", report.denies.map((name, index) => [index ? ", " : "", make("code", null, named(name))])] : " · denies nothing"),
    make("div", { class: "tiles" },
      make("div", null, make("h2", null, "Findings"), make("ul", null,
        tile(counts.denied, "denied", "denied"), tile(counts.approved, "approved", "approved"),
        tile(counts.findings - counts.denied - counts.approved, "noted", "noted"))),
      make("div", null, make("h2", null, "Severity"), make("ul", null,
        tile(counts.errors, counts.errors === 1 ? "error" : "errors", "error"), tile(counts.warnings, counts.warnings === 1 ? "warning" : "warnings", "warning"),
        tile(counts.notices, counts.notices === 1 ? "notice" : "notices", "notice"))),
      make("div", null, make("h2", null, "Objects"), make("ul", null,
        tile(counts.added, "added", "added"), tile(counts.changed, "changed", "changed"), tile(counts.removed, "removed", "removed")),
        counts.byTool ? quiet(`${number(counts.byTool)} of them by the tool`) : null),
      make("div", null, make("h2", null, "Tenants"),
        make("p", { class: "tenants" }, make("b", null, number(counts.tenantsChanged)), ` of ${number(counts.tenants)} change`), share)));
}

// ---- findings

/** Denied first, then by severity; what a browser sorts stays in order otherwise. */
const findings = [...report.findings].sort((a, b) =>
  (b.decision === "denied") - (a.decision === "denied") || SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
const byId = new Map(findings.map((finding) => [finding.id, finding]));

/** Each card is made once and kept, so that a filter does not fold what was unfolded. */
function remember(build) {
  const made = new Map();
  return (item) => made.get(item) || made.set(item, build(item)).get(item);
}

const findingCard = remember((finding) => fold({ class: `card ${finding.decision}` }, [
  make("h3", null, icon(finding.severity), make("span", { class: "title" }, make("span", { class: "unseen" }, `${finding.severity}: `), finding.title)),
  make("span", { class: "pills" }, pill(finding.decision, finding.decision), pill("", finding.class)),
  make("span", { class: "message" }, prose(finding.message)),
  make("span", { class: "quiet" }, dotted(finding.severity, who(finding.tenants), finding.namespaces ? count(finding.namespaces, "namespace") : null,
    finding.objectCount ? count(finding.objectCount, "object") : null, CAUSES[finding.cause])),
], () => findingBody(finding)));

const dotted = (...parts) => parts.filter((part) => part !== null).map((part, index) => [index ? " · " : "", part]);

function who(tenants) {
  if (tenants.length === 0) return "the platform itself";
  return tenants.length === 1 ? named(tenants[0]) : count(tenants.length, "tenant");
}

/** A line of a list of facts; its label counts where there are several. */
const fact = (label, ...content) => [make("dt", null, label), make("dd", null, content)];
const facts = (total, one, content) => fact(total > 1 ? count(total, one) : one[0].toUpperCase() + one.slice(1), content);
const tenantsFact = (tenants) => (tenants.length ? facts(tenants.length, "tenant", nameList(tenants)) : fact("About", "the platform itself"));

/** A list of which the report has only the first ones. */
function bounded(list, total, build) {
  return [make("ul", { class: "lines" }, list.map((item) => make("li", null, build(item)))),
    total > list.length ? quiet(`… and ${number(total - list.length)} more`) : null];
}

function findingBody(finding) {
  const drawn = finding.class === "network" ? finding.tenants.slice(0, NAMES).filter((tenant) => pictures.has(tenant)).slice(0, NAMES_AT_FIRST) : [];
  const toPicture = (tenant) => make("li", null, link(named(tenant), { picture: tenant }));
  const place = ({ path, line }) => make("code", null, named(`${path}:${line}`));
  return [
    beforeAfter(finding),
    make("p", { class: "why" }, prose(finding.why)),
    make("dl", null,
      tenantsFact(finding.tenants),
      finding.objectCount ? facts(finding.objectCount, "object", bounded(finding.objects, finding.objectCount, prose)) : [],
      finding.placeCount ? facts(finding.placeCount, "place", bounded(finding.places, finding.placeCount, place)) : [],
      drawn.length ? fact("Picture", make("ul", { class: "chips" }, drawn.map(toPicture))) : [],
      fact("Finding", link(make("code", null, finding.id), { finding: finding.id }), make("span", { class: "quiet" }, ` rule ${finding.rule}`))),
    finding.approval ? approval(finding.approval) : null,
    finding.approve ? approve(finding) : null,
  ];
}

/** What was allowed and what will be; a line on one side only says so by its sign. */
function beforeAfter({ before, after }) {
  const side = (title, lines, others, kind, sign) => make("section", { class: `side ${kind}` }, make("h4", null, title),
    lines.length === 0 ? quiet("nothing") : make("ul", { class: "signed" }, lines.map((line) => (others.includes(line)
      ? make("li", null, make("span", { class: "sign", "aria-hidden": "true" }, " "), make("span", null, prose(line)))
      : make("li", { class: kind }, make("span", { class: "sign" }, sign), make("span", null, prose(line)))))));
  return make("div", { class: "sides" }, side("Before", before, after, "lost", "−"), side("After", after, before, "gained", "+"));
}

function approval({ who: person, until, reason, path, line }) {
  return make("div", { class: "box approved" }, make("h4", null, icon("approved"), "Approved"),
    make("p", null, "By ", named(person), " until ", make("time", { datetime: until }, until), ", in ", make("code", null, named(`${path}:${line}`))),
    make("blockquote", null, make("bdi", null, reason)));
}

function approve(finding) {
  const text = make("pre", { tabindex: "0", role: "group", "aria-label": "Text that approves this finding" }, finding.approve);
  return make("div", { class: "box" }, make("h4", null, "To approve it"),
    make("p", null, "Add this to the platform’s approvals, and fill in why, who and until when."),
    make("div", { class: "paste" }, text, copyButton("the text that approves this finding", text)));
}

// ---- who reaches whom

function reachOf({ before, after }) {
  if (before.length === 0) return "gained";
  if (after.length === 0) return "lost";
  return before.length === after.length && before.every((port) => after.includes(port)) ? "same" : "changed";
}

const ports = (list) => (list.length ? list.join(", ") : "nothing");
const sign = (kind) => make("span", { class: `mark ${kind}` }, REACH[kind][0]);

function legend(kinds, more) {
  return make("ul", { class: "legend" }, kinds.map((kind) => make("li", null, sign(kind), REACH[kind][1])), more);
}

function reachSection({ tenants, whole, pairs }) {
  const kinds = new Map(pairs.map((pair) => [pair, reachOf(pair)]));
  const changed = pairs.filter((pair) => kinds.get(pair) !== "same");
  const place = make("div");
  const all = make("input", { type: "checkbox" });
  const asMatrix = whole && tenants.length <= 200;
  let tenant = state.tenant;
  const show = () => {
    tenant = state.tenant;
    const some = (all.checked ? pairs : changed).filter(({ from, to }) => tenantMatches([from, to]));
    const nodes = asMatrix ? matrix(tenants, some, kinds, all.checked && !tenant) : pairTable(some, kinds);
    place.replaceChildren(...(nodes.length ? nodes : [make("p", { class: "about" }, "No pair matches the filters.")]));
  };
  all.checked = changed.length === 0 || (asMatrix && tenants.length <= 40);
  all.addEventListener("change", show);
  show();
  // The matrix takes longer than the rest, and knows no words.
  onFilter.push(() => { if (!asMatrix || tenant !== state.tenant) show(); });
  return [
    make("p", { class: "about" }, `Who may open connections to whom ${changed.length ? `differs in ${count(changed.length, "case")}` : "stays as it is"}.`),
    make("div", { class: "bar" }, legend(Object.keys(REACH), asMatrix ? make("li", null, make("span", { class: "mark self" }), "itself") : null),
      changed.length && changed.length < pairs.length ? make("label", { class: "controls check" }, all, "also what stays as it is") : null),
    place,
  ];
}

/** Tenants by tenants. One cell is in the order of Tab, arrows go from there, as in a spreadsheet. */
function matrix(tenants, pairs, kinds, everyone) {
  const seen = new Set(pairs.flatMap(({ from, to }) => [from, to]));
  const order = everyone ? tenants : tenants.filter((tenant) => seen.has(tenant));
  const at = new Map(order.map((tenant, index) => [tenant, index]));
  const byCell = new Map(pairs.map((pair) => [`${at.get(pair.from)}/${at.get(pair.to)}`, pair]));
  const said = make("p", { class: "about detail", "aria-live": "polite" }, "Point at a cell, or go through the cells with the arrow keys.");
  const heads = order.map((tenant) => make("th", { scope: "col", title: tenant }, named(tenant)));
  const rows = order.map((tenant, row) => make("tr", null, make("th", { scope: "row", title: tenant }, named(tenant)), order.map((to, column) => {
    const pair = byCell.get(`${row}/${column}`);
    const self = row === column ? " self" : "";
    if (!pair) return make("td", { class: `no${self}`, tabindex: "-1" });
    const text = `${tenant} → ${to}: ${pairText(pair)}`;
    return make("td", { class: kinds.get(pair) + self, tabindex: "-1", "aria-label": text, title: text }, REACH[kinds.get(pair)][0]);
  })));
  const body = make("tbody", null, rows);
  const table = make("table", { class: "matrix", role: "grid", "aria-label": "Who may open connections to whom" },
    make("thead", null, make("tr", null, make("th", { scope: "col", class: "corner" }, "from ↓ to →"), heads)), body);
  const position = (cell) => [cell.parentNode.rowIndex - 1, cell.cellIndex - 1];
  let current = body.querySelector("td:not(.no):not(.same)") || body.querySelector("td");
  let lit = [];
  function point(cell) {
    const [row, column] = position(cell);
    const pair = byCell.get(`${row}/${column}`);
    lit.forEach((head) => head.classList.remove("lit"));
    lit = [heads[column], rows[row].firstChild];
    lit.forEach((head) => head.classList.add("lit"));
    said.replaceChildren(named(order[row]), " → ", named(order[column]), ": ",
      ...(pair ? [sign(kinds.get(pair)), " ", pairText(pair)] : ["no connection, before and after"]));
  }
  const cellOf = (event) => event.target.closest("tbody td");
  body.addEventListener("mouseover", (event) => cellOf(event) && point(cellOf(event)));
  body.addEventListener("focusin", (event) => {
    if (!cellOf(event)) return;
    current.tabIndex = -1;
    current = cellOf(event);
    current.tabIndex = 0;
    point(current);
  });
  body.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -Infinity], End: [0, Infinity] }[event.key];
    if (!step || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    const within = (value) => Math.min(Math.max(value, 0), order.length - 1);
    const [row, column] = position(current);
    rows[within(row + step[0])].children[within(column + step[1]) + 1].focus();
  });
  if (current) current.tabIndex = 0;
  return order.length ? [make("div", { class: "scroll" }, table), said] : [];
}

function pairText(pair) {
  return `${REACH[reachOf(pair)][1]}; before: ${ports(pair.before)}; after: ${ports(pair.after)}`;
}

function pairTable(pairs, kinds) {
  const shown = pairs.filter(({ from, to }) => wordsMatch(`${from} ${to}`.toLowerCase()));
  const body = make("tbody");
  const { nodes: [, more, rest] } = inChunks(body, shown, ROWS, (pair) => make("tr", null, cell(sign(kinds.get(pair)), " ", REACH[kinds.get(pair)][1]),
    cell(named(pair.from)), cell(named(pair.to)), cell(ports(pair.before)), cell(ports(pair.after))), "pairs");
  return shown.length === 0 ? [] : [table("Who may open connections to whom", ["Reach", "From", "To", "Before", "After"], body), more, rest];
}

// ---- pictures of networks

const pictures = new Map(((report.network && report.network.pictures) || []).map((picture) => [picture.tenant, picture]));
const edgeKind = (edge) => (edge.before === edge.after ? "same" : edge.after ? "gained" : "lost");
const MOST_EDGES = 40;

const pictureFold = remember((picture) => {
  const tally = ["gained", "lost"].map((kind) => [kind, picture.edges.filter((edge) => edgeKind(edge) === kind).length]).filter(([, some]) => some);
  return fold({ class: "card picture" }, [make("h3", null, named(picture.tenant)),
    make("span", { class: "pills" }, tally.map(([kind, some]) => pill(kind, `${REACH[kind][0]}${some} ${kind}`)))], () => pictureBody(picture));
});

function pictureBody(picture) {
  const drawing = scrolling(`Picture of the network of ${picture.tenant}`, networkPicture(picture));
  // Where the picture is wider than the screen: to the side on which something differs.
  const comesIn = picture.edges.some((edge) => edge.direction === "ingress" && edge.before !== edge.after);
  if (!comesIn) requestAnimationFrame(() => { drawing.scrollLeft = drawing.scrollWidth; });
  const choose = (mode, text) => {
    const input = make("input", { type: "radio", name: `shown ${picture.tenant}` });
    input.checked = mode === "both";
    input.addEventListener("change", () => drawing.setAttribute("data-shown", mode));
    return make("label", null, input, make("span", null, text));
  };
  const row = (edge) => make("tr", null, cell(sign(edgeKind(edge)), " ", REACH[edgeKind(edge)][1]), cell(edge.direction),
    cell(named(edge.peer), " ", make("span", { class: "quiet" }, PEERS[edge.kind] || edge.kind)), cell(ports(edge.ports)),
    cell(edge.namespaces.map((name, index) => [index ? ", " : "", named(name)])));
  const asTable = () => table(`Connections of ${picture.tenant}`, ["Reach", "Direction", "Peer", "Ports", "Namespaces"],
    make("tbody", null, picture.edges.map(row)));
  return [
    make("div", { class: "bar" },
      make("fieldset", { class: "controls segments" }, make("legend", { class: "unseen" }, "What the picture shows"),
        choose("before", "Before"), choose("both", "Both"), choose("after", "After")),
      legend(["gained", "lost", "same"])),
    drawing, fold({ class: "plain" }, ["The same as a table"], asTable),
  ];
}

// Widths of the picture: a peer's box, the room for ports beside it, the bend to the tenant, the tenant; and the heights.
const PEER = 200, LABEL = 170, BEND = 45, TENANT = 140, LINE = 30, LEAST = 46, GAP = 12;
const peerHeight = (edges) => Math.max(LEAST, edges.length * LINE + 10);

/** The peers of one side with their edges, what differs above. */
function sideOf(picture, direction) {
  const rank = lookup({ gained: 0, lost: 1, same: 2 });
  const edges = picture.edges.filter((edge) => edge.direction === direction).sort((a, b) => rank[edgeKind(a)] - rank[edgeKind(b)]);
  const byPeer = new Map();
  for (const edge of edges.slice(0, MOST_EDGES)) {
    const key = `${edge.kind} ${edge.peer}`;
    byPeer.set(key, [...(byPeer.get(key) || []), edge]);
  }
  const peers = [...byPeer.values()];
  return {
    peers, comesIn: direction === "ingress", lines: Math.min(edges.length, MOST_EDGES), hidden: edges.length - MOST_EDGES,
    height: peers.reduce((sum, list) => sum + peerHeight(list) + GAP, -GAP),
  };
}

/** The tenant in the middle; who comes in stands to its left, where it goes stands to its right. */
function networkPicture(picture) {
  const sides = ["ingress", "egress"].map((direction) => sideOf(picture, direction));
  const height = Math.max(90, ...sides.map((side) => side.height)), centre = height / 2;
  const tenantHeight = Math.min(height, Math.max(70, ...sides.map(({ lines }) => lines * 14 + 20)));
  const left = sides[0].lines ? PEER + LABEL + BEND : 0;
  const width = left + TENANT + (sides[1].lines ? PEER + LABEL + BEND : 0);
  const below = sides.some(({ hidden }) => hidden > 0) ? 32 : 8;
  const tally = ["gained", "lost", "same"].map((kind) => `${picture.edges.filter((edge) => edgeKind(edge) === kind).length} ${REACH[kind][1]}`);
  const svg = draw("svg", {
    class: "network", viewBox: `-4 -4 ${width + 8} ${height + below}`, role: "img",
    "aria-label": `${picture.tenant}: ${tally.join(", ")}. The table below says the same.`,
  });
  for (const side of sides) {
    const tenantAt = side.comesIn ? left : left + TENANT, boxAt = side.comesIn ? 0 : tenantAt + BEND + LABEL;
    let top = centre - side.height / 2, index = 0;
    for (const edges of side.peers) {
      const tall = peerHeight(edges), middle = top + tall / 2;
      svg.append(peerBox(edges, boxAt, top, tall));
      edges.forEach((edge, position) => {
        const y = middle + (position - (edges.length - 1) / 2) * LINE;
        const tenantY = centre + (side.lines > 1 ? (index++ / (side.lines - 1) - 0.5) * (tenantHeight - 24) : 0);
        svg.append(edgeLine(edge, side.comesIn, tenantAt, tenantY, y));
      });
      top += tall + GAP;
    }
    if (side.hidden > 0) svg.append(draw("text", { class: "quiet", x: boxAt, y: height + 18 }, `… and ${number(side.hidden)} more, in the table`));
  }
  svg.append(draw("g", { class: "tenant" }, draw("title", null, picture.tenant),
    draw("rect", { x: left, y: centre - tenantHeight / 2, width: TENANT, height: tenantHeight, rx: 10 }),
    inBox(left, centre, TENANT, "tenant", picture.tenant)));
  return svg;
}

/** A peer: of one colour where all its edges come or all go. */
function peerBox(edges, x, y, height) {
  const [{ peer, kind }] = edges, kinds = new Set(edges.map(edgeKind));
  return draw("g", { class: `peer ${kinds.size === 1 ? [...kinds][0] : "same"}` }, draw("title", null, peer),
    draw("rect", { x, y, width: PEER, height, rx: 8 }), inBox(x, y + height / 2, PEER, PEERS[kind] || kind, peer));
}

/** An edge: straight beside the peer, where its ports stand, then bent to its place at the tenant. */
function edgeLine(edge, comesIn, tenantAt, tenantY, y) {
  const kind = edgeKind(edge), away = comesIn ? -1 : 1;
  const turn = tenantAt + away * BEND, bend = tenantAt + away * (BEND / 2), peer = turn + away * LABEL;
  const [tip, tipY] = comesIn ? [tenantAt, tenantY] : [peer, y];
  const line = comesIn
    ? `M${peer} ${y}L${turn} ${y}C${bend} ${y} ${bend} ${tenantY} ${tip - 7} ${tipY}`
    : `M${tenantAt} ${tenantY}C${bend} ${tenantY} ${bend} ${y} ${turn} ${y}L${tip - 7} ${tipY}`;
  return draw("g", { class: `edge ${kind}` },
    draw("title", null, `${edge.peer}: ${ports(edge.ports)} (${REACH[kind][1]}; ${edge.namespaces.join(", ")})`),
    draw("path", { d: line }), draw("path", { class: "tip", d: `M${tip - 10} ${tipY - 5.5}L${tip} ${tipY}L${tip - 10} ${tipY + 5.5}Z` }),
    draw("text", { x: (turn + peer) / 2, y: y - 6, "text-anchor": "middle" }, `${kind === "same" ? "" : `${REACH[kind][0]} `}${somePorts(edge.ports)}`));
}

function inBox(x, middle, width, kind, name) {
  const line = (dy, text, className) => draw("text", { x: x + width / 2, y: middle + dy, "text-anchor": "middle", class: className }, text);
  if (name === kind || name === "internet" || name === "same-namespace") return [line(5, short(kind, Math.floor(width / 8)), "name")];
  return [line(-5, kind, "kind"), line(12, short(name, Math.floor(width / 8)), "name")];
}

/** As many whole ports as have room on a line of the picture. */
function somePorts(list) {
  let end = 1;
  while (end < list.length && list.slice(0, end + 1).join(", ").length < 18) end += 1;
  return end < list.length ? `${short(list.slice(0, end).join(", "), 16)}, …` : short(list.join(", "), 20);
}

function short(text, most) {
  const letters = Array.from(text);
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

// ---- objects that change

const changeCard = remember((change) => {
  const fields = change.differences.length + change.hidden;
  return fold({ class: "card change" }, [
    make("h3", null, icon(change.change),
      make("span", { class: "title" }, make("span", { class: "unseen" }, `${change.change}: `), change.kind, " ", named(change.name))),
    make("span", { class: "pills" }, change.count > 1 ? pill("", `× ${number(change.count)}`) : null, pill(change.change, change.change)),
    change.differences.length ? make("span", { class: "message" }, difference(change.differences[0]),
      fields > 1 ? make("span", { class: "quiet" }, ` and ${number(fields - 1)} more`) : null) : null,
    make("span", { class: "quiet" }, dotted(who(change.tenants), CAUSES[change.cause], change.group || null)),
  ], () => changeBody(change));
});

const value = (text, kind) => (text === null ? make("span", { class: "quiet" }, "not there") : make("code", { class: kind }, make("bdi", null, text)));
const difference = ({ path, before, after }) => [make("code", { class: "path" }, named(path)), " ", value(before, "lost"), " → ", value(after, "gained")];

function changeBody(change) {
  const body = make("tbody");
  const { nodes: [, more, rest] } = inChunks(body, change.differences, ROWS, ({ path, before, after }) => make("tr", null,
    cell(make("code", { class: "path" }, named(path))), cell(value(before, "lost")), cell(value(after, "gained"))), "fields", 20);
  return [
    change.differences.length ? [table("Fields that differ", ["Field", "Before", "After"], body), more, rest] : null,
    change.hidden ? quiet(`… and ${count(change.hidden, "more field")} in the manifests`) : null,
    change.diff ? unified(change) : null,
    make("dl", null,
      change.from ? fact("Was", make("code", null, named(change.from))) : [],
      facts(change.count, "object", bounded(change.objects, change.count, (name) => make("code", null, named(name)))),
      tenantsFact(change.tenants)),
  ];
}

/** A unified diff whose signs stay text; runs of lines that stay the same are one element. */
function unified(change) {
  const kinds = { "+": "gained", "-": "lost", "@": "hunk" };
  const runs = [];
  change.diff.replace(/\n$/, "").split("\n").forEach((line, index) => {
    // The names of the two sides, where they stand, are no lines of them.
    const kind = index < 2 && /^(---|\+\+\+) /.test(line) ? "hunk" : kinds[line[0]] || "context", last = runs[runs.length - 1];
    if (last && last.kind === kind && last.lines.length < 50) last.lines.push(line);
    else runs.push({ kind, lines: [line] });
  });
  const pre = make("pre", { class: "diff" });
  const run = ({ kind, lines }) => make("span", { class: kind }, `${lines.join("\n")}\n`);
  const { nodes: [, more, rest] } = inChunks(pre, runs, LINES, run, "parts of the manifests");
  return [scrolling(`Manifests of ${change.kind} ${change.name}, before and after`, pre), more, rest];
}

// ---- filters, and their state in the address

const FACETS = ["decision", "severity", "class", "cause"];
const state = { words: "", tenant: "", finding: "", picture: "", ...Object.fromEntries(FACETS.map((facet) => [facet, new Set()])) };
const onFilter = [];
let tenantNames;

function knownTenants() {
  tenantNames = tenantNames || new Set([...report.findings, ...report.changes].flatMap(({ tenants }) => tenants).sort());
  return tenantNames;
}

/** A name that exists means that tenant, anything else all tenants whose names contain it. */
function tenantMatches(tenants) {
  if (!state.tenant) return true;
  return knownTenants().has(state.tenant) ? tenants.includes(state.tenant) : tenants.some((tenant) => tenant.includes(state.tenant));
}

/** Every word of the search has to be there. */
const wordsMatch = (text) => state.words.toLowerCase().split(/\s+/).every((word) => text.includes(word));

/** All that an item says, put together when it is first searched. */
const textOf = remember((item) => JSON.stringify(Object.values(item)).replace(/\\["n]/g, " ").toLowerCase());

function matches(item, facets) {
  return facets.every((facet) => state[facet].size === 0 || state[facet].has(item[facet]))
    && tenantMatches(item.tenants) && (!state.words || wordsMatch(textOf(item)));
}

/** `#<finding>&class=network,rights&q=words`: a finding by its id alone, everything else by name. */
function readAddress() {
  const fields = new URLSearchParams(location.hash.slice(1));
  FACETS.forEach((facet) => { state[facet] = new Set((fields.get(facet) || "").split(",").filter(Boolean)); });
  [state.words, state.tenant, state.picture] = ["q", "tenant", "picture"].map((key) => fields.get(key) || "");
  state.finding = [...fields.keys()].find((key) => byId.has(key)) || "";
}

function writeAddress() {
  const fields = [...FACETS.map((facet) => [facet, [...state[facet]].join(",")]), ["q", state.words], ["tenant", state.tenant], ["picture", state.picture]];
  const parts = fields.filter(([, text]) => text).map(([key, text]) => `${key}=${encodeURIComponent(text).replace(/%2C/g, ",")}`);
  try {
    history.replaceState(null, "", `#${[state.finding, ...parts].filter(Boolean).join("&")}`);
  } catch {
    // A page in a sandboxed frame may not: then links cannot be shared, and everything else works.
  }
}

/** A link that also stands alone, and that keeps the filters when it is followed here. */
function link(text, target) {
  const anchor = make("a", { href: target.finding ? `#${target.finding}` : `#picture=${encodeURIComponent(target.picture)}` }, text);
  anchor.addEventListener("click", (event) => {
    event.preventDefault();
    Object.assign(state, { finding: "", picture: "" }, target);
    goToTarget();
    writeAddress();
  });
  return anchor;
}

function goToTarget() {
  const [section, item] = state.picture ? [sections.pictures, pictures.get(state.picture)] : [sections.findings, byId.get(state.finding)];
  if (!section || !item || section.reveal(item)) return;
  // Whoever follows a link wants to see what it leads to, whatever the filters are.
  clearFilters();
  section.reveal(item);
}

function clearFilters() {
  Object.assign(state, { words: "", tenant: "" });
  FACETS.forEach((facet) => state[facet].clear());
  applyFilters();
}

function applyFilters() {
  onFilter.forEach((show) => show());
}

/** Search, tenant and the choices that tell something apart. */
function filterPanel() {
  const names = make("datalist", { id: "tenant-names" });
  const words = make("input", { type: "search", id: "search", autocomplete: "off", spellcheck: "false" });
  const tenant = make("input", { type: "search", id: "tenant", list: "tenant-names", autocomplete: "off", spellcheck: "false" });
  let waiting;
  const later = (key, field) => field.addEventListener("input", () => {
    if (key === "tenant") {
      // Ten thousand names would slow typing down: some that fit are enough.
      const some = [...knownTenants()].filter((name) => name.includes(field.value)).slice(0, 30);
      names.replaceChildren(...some.map((name) => make("option", { value: name })));
    }
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      if (state[key] === field.value.trim()) return;
      state[key] = field.value.trim();
      changed();
    }, 120);
  });
  const changed = () => {
    if (state.finding && !matches(byId.get(state.finding), FACETS)) state.finding = "";
    applyFilters();
    writeAddress();
  };
  later("words", words);
  later("tenant", tenant);
  const boxes = [];
  const groups = FACETS.map((facet) => {
    const found = new Map();
    [...findings, ...(facet === "cause" ? report.changes : [])].forEach((item) => found.set(item[facet], (found.get(item[facet]) || 0) + 1));
    if (found.size < 2) return null;
    return make("fieldset", null, make("legend", null, facet), [...found].map(([value, some]) => {
      const box = make("input", { type: "checkbox" });
      box.addEventListener("change", () => { state[facet][box.checked ? "add" : "delete"](value); changed(); });
      boxes.push(() => { box.checked = state[facet].has(value); });
      return make("label", { class: "check" }, box, ICONS[value] ? icon(value) : null, make("span", null, value), make("span", { class: "quiet" }, number(some)));
    }));
  });
  const said = make("p", { role: "status", class: "quiet" });
  const clear = button("Clear all filters", () => { clearFilters(); writeAddress(); words.focus(); });
  onFilter.push(() => {
    if (document.activeElement !== words) words.value = state.words;
    if (document.activeElement !== tenant) tenant.value = state.tenant;
    boxes.forEach((box) => box());
    clear.hidden = !(state.words || state.tenant || FACETS.some((facet) => state[facet].size));
    const [some, others] = [sections.findings.shown(), sections.changes.shown()].map(number);
    said.textContent = clear.hidden ? "" : `${some} of ${count(findings.length, "finding")}, ${others} of ${count(report.changes.length, "difference")}`;
  });
  const panel = make("details", { class: "filters" }, make("summary", null, "Search and filters"), make("search", null,
    make("label", { for: "search" }, "Search ", make("kbd", null, "/")), words, make("label", { for: "tenant" }, "Tenant"), tenant, names, groups, said, clear));
  panel.open = matchMedia("(min-width: 70rem)").matches;
  return panel;
}

// ---- the whole

function addSection(id, title, controls, ...content) {
  const heading = make("h2", { id: `${id}-title` }, title);
  main.append(make("section", { id, "aria-labelledby": heading.id, tabindex: "-1" }, make("div", { class: "bar" }, heading, controls), content));
}

/** A section of cards that follow the filters. */
function cardSection(id, title, about, items, card, isShown) {
  const place = make("div"), note = make("p", { class: "about" }, about);
  const folds = () => place.querySelectorAll(".cards > details");
  let shown = items, showTo;
  onFilter.push(() => {
    shown = items.filter(isShown);
    const list = inChunks(make("div", { class: "cards" }), shown, CARDS, card, title.toLowerCase());
    showTo = list.showTo;
    showTo(shown.indexOf(byId.get(state.finding)) + 1);
    place.replaceChildren(...(shown.length || !items.length ? list.nodes : [make("p", { class: "about" }, "Nothing here matches the filters.")]));
  });
  const all = make("div", { class: "controls" }, button("Unfold all", () => folds().forEach((one) => one.unfold())),
    button("Fold all", () => folds().forEach((one) => { one.open = false; })));
  addSection(id, title, items.length > 1 ? all : null, note, place);
  return {
    shown: () => shown.length,
    showTo: (end) => showTo(end),
    reveal(item) {
      const index = shown.indexOf(item);
      if (index < 0) return false;
      showTo(index + 1);
      const target = card(item);
      target.unfold();
      target.querySelector("summary").focus({ preventScroll: true });
      target.scrollIntoView();
      return true;
    },
  };
}

const sections = {};

function addSections() {
  sections.findings = cardSection("findings", "Findings", findings.length ? null : "There is nothing to decide: no finding.",
    findings, findingCard, (finding) => matches(finding, FACETS));
  if (report.network && report.network.pairs.length) addSection("reach", "Who reaches whom", null, reachSection(report.network));
  if (pictures.size) {
    sections.pictures = cardSection("pictures", "Networks that change", null, [...pictures.values()], pictureFold, ({ tenant }) => tenantMatches([tenant]));
  }
  sections.changes = cardSection("changes", "Objects that change",
    report.changes.length ? "What is the same for several tenants stands here once." : "No rendered object changes.",
    report.changes, changeCard, (change) => matches(change, ["cause"]));
}

/** Links to the sections. They leave the address alone, which holds the filters. */
function sectionLinks() {
  const { added, changed, removed } = report.counts;
  const sizes = lookup({ findings: findings.length, pictures: pictures.size, changes: added + changed + removed });
  return make("ul", { class: "sections" }, [...main.children].map((section) => {
    const size = sizes[section.id] ? make("span", { class: "quiet" }, ` ${number(sizes[section.id])}`) : null;
    const anchor = make("a", { href: `#${section.id}` }, section.querySelector("h2").textContent, size);
    anchor.addEventListener("click", (event) => {
      event.preventDefault();
      section.focus({ preventScroll: true });
      section.scrollIntoView();
    });
    return make("li", null, anchor);
  }));
}

function build() {
  summary();
  addSections();
  document.getElementById("rail").append(sectionLinks(), ...(findings.length + report.changes.length ? [filterPanel()] : []));
  const help = helpDialog();
  document.querySelector("header").append(button(["Keyboard ", make("kbd", null, "?")], help.open, { class: "controls help" }));
  addEventListener("keydown", (event) => onKey(event, help));
  printing();
  const go = () => { readAddress(); applyFilters(); };
  const target = () => { if (state.finding || state.picture) goToTarget(); };
  addEventListener("hashchange", () => { go(); target(); });
  go();
  // Before anything scrolls: what is unfolded above a target would push it away.
  const first = [...document.querySelectorAll("#findings .cards > .denied")].slice(0, UNFOLDED_AT_FIRST);
  [...first, ...document.querySelectorAll("#pictures .cards > details:first-child")].forEach((card) => card.unfold());
  target();
}

const KEYS = [["/", "search"], ["j", "next finding"], ["k", "previous finding"], ["Enter or o", "unfold or fold"], ["Esc", "leave the search"], ["?", "this help"]];

function helpDialog() {
  // Whoever speaks to the browser, or has a cat, wants single keys to do nothing.
  const on = make("input", { type: "checkbox" });
  on.checked = true;
  const dialog = make("dialog", { "aria-labelledby": "help-title" }, make("h2", { id: "help-title" }, "Keyboard"),
    make("dl", null, KEYS.map(([key, text]) => [make("dt", null, make("kbd", null, key)), make("dd", null, text)])),
    quiet("In the matrix: arrow keys, Home and End."), make("label", { class: "check" }, on, "Single keys do this"),
    button("Close", () => dialog.close()));
  document.body.append(dialog);
  return { open: () => dialog.showModal(), keysAreOff: () => dialog.open || !on.checked };
}

function onKey(event, help) {
  const typing = event.target.closest("input, textarea, select");
  if (event.ctrlKey || event.altKey || event.metaKey || help.keysAreOff()) return;
  if (typing) {
    if (event.key === "Escape") typing.blur();
    if (typing.type !== "checkbox" && typing.type !== "radio") return;
  }
  if (event.key === "j") sections.findings.showTo(findings.length);
  const cards = [...document.querySelectorAll("#findings .cards > details")];
  const current = cards.findIndex((card) => card.contains(document.activeElement));
  const move = (to) => cards[to] && cards[to].querySelector("summary").focus();
  const act = {
    "/": () => {
      const filters = document.querySelector(".filters");
      if (filters) filters.open = true;
      if (filters) document.getElementById("search").focus();
    },
    j: () => move(current + 1),
    k: () => move(Math.max(current - 1, 0)),
    o: () => { if (current >= 0) cards[current].open = !cards[current].open; },
    "?": help.open,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

/** On paper nothing can be unfolded: all findings are, and as much else as somebody reads; afterwards it is as it was. */
function printing() {
  let opened = null;
  const open = () => {
    if (opened) return;
    opened = [];
    sections.findings.showTo(findings.length);
    sections.changes.showTo(CARDS_ON_PAPER);
    for (let closed; (closed = [...main.querySelectorAll("details:not([open])")]).length; opened.push(...closed)) closed.forEach((one) => one.unfold());
  };
  const close = () => { (opened || []).forEach((one) => { one.open = false; }); opened = null; };
  addEventListener("beforeprint", open);
  addEventListener("afterprint", close);
  matchMedia("print").addEventListener("change", (event) => (event.matches ? open() : close()));
}

build();
})();
