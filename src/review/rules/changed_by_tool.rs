//! R901: this mtp renders otherwise than what is committed.

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::report::count;
use crate::review::finding::{Findings, Severity, Told};
use crate::review::{Cause, Change};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R901",
    name: "changed-by-tool",
    title: "changed by the tool",
    class: Class::Tool,
    severity: Severity::Warning,
    why: "The base's rendered/ is not what this mtp renders from the base's tenants/: it was stale, another version rendered it, or somebody edited it. No edit of this change asks for these differences.",
    example: "A new version of mtp renders one more annotation.",
    approvable: true,
    check: Check::Change(check),
};

fn check(change: &Change<'_>, found: &mut Findings) {
    let [tool, both] = [Cause::Tool, Cause::Both].map(|cause| change.pairs.iter().filter(move |p| p.cause == cause));
    let (tool_only, partly) = (tool.clone().count(), both.clone().count());
    if tool_only + partly == 0 {
        return;
    }
    let partly = if partly > 0 { format!(", {} partly so", count(partly, "further object")) } else { String::new() };
    let differ = if tool_only == 1 { "differs" } else { "differ" };
    let what = count(tool_only, "object");
    let mut told = Told::new(&RULE, format!("{what} {differ} without a change of tenants/{partly}"));
    told = told.cause(Cause::Tool);
    for pair in tool.chain(both) {
        told = told.object(&pair.id).tenant(pair.tenant());
    }
    found.add(told);
}
