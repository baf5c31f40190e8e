// Puts sample data into the page the way the Rust side does: `node make.mjs FOLDER` writes sample, passed, hostile and large.html.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const part = (name) => readFileSync(join(here, "../../src/report/review/page", name), "utf8");
const data = (name) => JSON.parse(readFileSync(join(here, name), "utf8"));

const escapeHtml = (text) => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
const escapeJson = (text) => text.replace(/[<>&\u2028\u2029]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

export function page(report) {
  const style = part("page.css");
  // One script of several files, in the order in which the Rust side names them.
  const files = part("../html.rs").match(/page\/\w+\.js/g).map((name) => part(name.slice("page/".length)));
  const script = `(() => {\n"use strict";\n${files.join("")}})();\n`;
  const values = {
    csp: `default-src 'none'; style-src ${hash(style)}; script-src ${hash(script)}; base-uri 'none'; form-action 'none'`,
    title: escapeHtml(`${report.decision}: ${report.name}`),
    style,
    script,
    data: escapeJson(JSON.stringify(report)),
    summary: `<p>${escapeHtml(report.verdict)}</p><ul>${Object.entries(report.counts).map(([key, value]) => `<li>${key}: ${value}</li>`).join("")}</ul>`,
  };
  // In one pass: what is put in may itself hold what looks like a placeholder.
  return part("page.html").replace(/\{\{ (\w+) \}\}/g, (_, name) => values[name]);
}

/** Names as Rust would let them through: marks and control characters escaped, everything else as somebody wrote it. */
export const HOSTILE = [
  "<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>", "<!--<script>", "`code` and ` one more", "::error file=a,line=1::text", "%0A%25 100 %",
  "{{ script }} {{ data }}", "\\u{202e}gpj.exe", "שלום-עולם", "مرحبا", "x".repeat(253), "javascript:alert(3)", "\" onfocus=alert(4) autofocus x=\"", "&lt;b&gt;bold&lt;/b&gt;",
  "__proto__", "constructor", "a,b=c&d#e",
];

export function hostile() {
  const report = data("sample.json");
  const [first] = report.findings, all = HOSTILE.join(" ");
  report.verdict = all;
  report.name = HOSTILE[0];
  report.base.name = HOSTILE[1];
  report.denies = HOSTILE;
  report.findings = HOSTILE.map((text, index) => ({
    ...first, id: `hostile-${index}`, title: text, message: text, why: text, class: text, decision: index % 2 ? "approved" : "denied", before: [text], after: [all], tenants: HOSTILE, objects: HOSTILE.map((name) => `Kind \`${name}\``),
    places: [{ path: text, line: 1, column: 1 }], approval: { who: text, until: text, reason: all, path: text, line: 1 }, approve: `- finding: ${text}\n`, rule: text,
  }));
  report.changes = HOSTILE.map((text) => ({
    ...report.changes[0], kind: text, name: text, group: text, objects: HOSTILE, tenants: HOSTILE, from: text, differences: [{ path: text, before: text, after: all }], diff: `@@ ${text}\n-${text}\n+${all}\n`,
  }));
  report.network = {
    tenants: HOSTILE, whole: true, pairs: HOSTILE.map((text, index) => ({ from: text, to: HOSTILE[(index * 3) % HOSTILE.length], before: [text], after: index % 2 ? [all] : [] })),
    pictures: HOSTILE.slice(0, 4).map((text) => ({ tenant: text, edges: HOSTILE.map((peer, index) => ({ direction: index % 2 ? "egress" : "ingress", peer, kind: index % 3 ? "tenant" : peer, ports: HOSTILE, namespaces: HOSTILE, before: index % 4 > 1, after: index % 2 > 0 })) })),
  };
  return report;
}

/** A fleet of ten thousand tenants on the day on which everything changes. */
export function large(size = 10_000) {
  const report = data("sample.json");
  const tenants = Array.from({ length: size }, (_, index) => `tenant-${String(index).padStart(5, "0")}`);
  const some = (from, count) => tenants.slice(from % size, (from % size) + count);
  const each = (count, build) => Array.from({ length: count }, (_, index) => build(index));
  const lines = each(400, (index) => (index % 40 === 3 ? `-  limits.cpu: "${index}"\n+  limits.cpu: "${index + 1}"\n` : `   key-${index}: value\n`)).join("");
  report.findings = each(300, (index) => ({ ...report.findings[index % 5], id: `finding-${index}`, tenants: index === 0 ? tenants : some(index * 31, (index % 50) + 1) }));
  report.changes = each(500, (index) => ({ ...report.changes[index % 5], tenants: index === 0 ? tenants : some(index * 17, index % 60), diff: `@@ -1,400 +1,400 @@\n${lines}` }));
  report.network = {
    ...report.network, whole: false, tenants: tenants.slice(0, 200),
    pairs: tenants.map((tenant, index) => ({ from: tenant, to: tenants[(index * 7) % size], before: index % 3 ? ["TCP 443"] : [], after: index % 5 ? ["TCP 443"] : ["every port"] })),
    pictures: tenants.slice(0, 200).map((tenant) => ({ tenant, edges: each(60, (index) => ({ ...report.network.pictures[index % 3].edges[index % 5], peer: `peer-${index}` })) })),
  };
  report.counts = { ...report.counts, findings: 300, denied: 120, approved: 60, errors: 120, warnings: 120, notices: 60, changed: 480, tenantsChanged: size, tenants: size };
  report.verdict = "120 findings are denied; 300 findings; 500 objects change in 10,000 tenants";
  return report;
}

/** The largest matrix that is drawn. */
export function matrix(size = 200) {
  const report = data("sample.json");
  report.network.tenants = Array.from({ length: size }, (_, index) => `tenant-${index}`);
  report.network.pairs = report.network.tenants.flatMap((from, row) => report.network.tenants.filter((_, column) => (row * column) % 3 === 0)
    .map((to, column) => ({ from, to, before: column % 4 ? ["TCP 443"] : [], after: ["TCP 443"] })));
  return report;
}

export function make(folder) {
  mkdirSync(folder, { recursive: true });
  const reports = { sample: data("sample.json"), passed: data("passed.json"), hostile: hostile(), large: large(), matrix: matrix() };
  for (const [name, report] of Object.entries(reports)) writeFileSync(join(folder, `${name}.html`), page(report));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) make(process.argv[2]);
