// The objects that change, grouped, with their differences.

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
