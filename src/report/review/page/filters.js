// Search and filters, and their state in the address.

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
