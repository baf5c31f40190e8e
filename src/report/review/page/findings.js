// The verdict, and the findings as cards.

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
      finding.whoCount ? fact("Who", bounded(finding.who, finding.whoCount, prose)) : [],
      finding.objectCount ? facts(finding.objectCount, "object", bounded(finding.objects, finding.objectCount, prose)) : [],
      finding.placeCount ? facts(finding.placeCount, "place", bounded(finding.places, finding.placeCount, place)) : [],
      drawn.length ? fact("Picture", make("ul", { class: "chips" }, drawn.map(toPicture))) : [],
      fact("Finding", link(make("code", null, finding.id), { finding: finding.id }), make("span", { class: "quiet" }, ` rule ${finding.rule}`))),
    (finding.approvals ?? [finding.approval]).filter(Boolean).map(approval),
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
    make("p", null, "Add this below spec.review.approvals of the Platform, in the same change, and fill in why, who and until when."),
    make("div", { class: "paste" }, text, copyButton("the text that approves this finding", text)));
}
