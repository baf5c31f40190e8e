//! L234: a LimitRange that contradicts itself.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{below, entries, items};
use crate::lint::found::Found;
use crate::quantity::Quantity;
use crate::yaml::Node;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L234",
    severity: Severity::Error,
    title: "a LimitRange that contradicts itself",
    why: "The API server refuses a minimum above the maximum, a default outside of them, and a default request above \
          the default limit.",
    fix: "Order them: min ≤ defaultRequest ≤ default ≤ max.",
    source: "ValidateLimitRange in pkg/apis/core/validation/validation.go of kubernetes/kubernetes",
    consumers: &[Consumer::Cluster],
    example: "default: {cpu: 2}\nmax: {cpu: 1}",
    in_units: false,
    check: Check::Object(check),
};

/// Pairs of which the first may not exceed the second.
const ORDER: [(&str, &str); 6] = [
    ("min", "max"),
    ("min", "defaultRequest"),
    ("min", "default"),
    ("defaultRequest", "default"),
    ("defaultRequest", "max"),
    ("default", "max"),
];

fn check(object: &Object<'_>, found: &mut Found) {
    if !object.is("", "LimitRange") {
        return;
    }
    for item in items(object.get(&["spec", "limits"])) {
        for (lower, upper) in ORDER {
            for (key, value) in entries(item.get(lower)) {
                let other = key.text().and_then(|key| below(item, &[upper, key]));
                let read = |node: &Node<'_>| Quantity::parse(node.text()?).ok();
                let (Some(own), Some(other)) = (read(value), other.and_then(read)) else { continue };
                if own > other {
                    let key = key.text().unwrap_or_default();
                    let message = format!("`{lower}` of {key} is {own}, above `{upper}`, which is {other}");
                    found.add(&RULE, object.place(value), message);
                }
            }
        }
    }
}
