// The whole page: what is where, keys, help, printing.

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
