// Who reaches whom: the matrix, and the picture of a tenant's network.

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
