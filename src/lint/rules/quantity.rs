//! L233: a quantity that is none, or has another unit.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::{entries, items};
use crate::lint::found::Found;
use crate::quantity::{NoQuantity, Quantity};
use crate::yaml::{Node, Value};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L233",
    severity: Severity::Error,
    title: "a quantity that is none, or has another unit",
    why: "The API server refuses what is no quantity; `memory: 100m` it takes, and it means a tenth of a byte.",
    fix: "Write CPU as `500m` or `2`, memory and storage as `512Mi` or `10Gi`, counts as whole numbers.",
    source: "<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>",
    consumers: &[Consumer::Cluster],
    example: "memory: 100m",
    in_units: false,
    check: Check::Object(check),
};

fn check(object: &Object<'_>, found: &mut Found) {
    match (object.group, object.kind) {
        ("", "ResourceQuota") => amounts(object, object.get(&["spec", "hard"]), found),
        ("", "LimitRange") => {
            for item in items(object.get(&["spec", "limits"])) {
                for field in ["max", "min", "default", "defaultRequest"] {
                    amounts(object, item.get(field), found);
                }
            }
        }
        ("" | "apps" | "batch", _) => containers(object, found),
        _ => {}
    }
}

/// What containers and claims ask for, wherever they stand.
fn containers(object: &Object<'_>, found: &mut Found) {
    let mut open: Vec<&Node<'_>> = object.get(&["spec"]).into_iter().collect();
    while let Some(node) = open.pop() {
        match &node.value {
            Value::Scalar { .. } => {}
            Value::List(items) => open.extend(items),
            Value::Map(entries) => {
                for (key, value) in entries {
                    if key.text() == Some("resources") {
                        ["requests", "limits"].iter().for_each(|field| amounts(object, value.get(field), found));
                    } else {
                        open.push(value);
                    }
                }
            }
        }
    }
}

fn amounts(object: &Object<'_>, map: Option<&Node<'_>>, found: &mut Found) {
    for (key, value) in entries(map) {
        let (Some(key), Some(text)) = (key.text(), value.text()) else { continue };
        // What is filled in later is not known.
        if text.contains("${") || text.contains("{{") || value.is_null() {
            continue;
        }
        let bytes = key.ends_with("memory") || key.ends_with("storage") || key.contains("hugepages-");
        let cpu = key.ends_with("cpu");
        let message = match Quantity::parse(text) {
            Err(NoQuantity::Form) => format!("`{text}` is no quantity"),
            Err(NoQuantity::Negative) => format!("`{text}` is below zero"),
            Err(NoQuantity::TooLarge) => format!("`{text}` is more than Kubernetes can count"),
            Ok(_) if bytes && text.ends_with('m') => format!("`{key}: {text}` is in thousandths of a byte"),
            Ok(_) if cpu && text.ends_with('i') => format!("`{key}: {text}` is in units of memory"),
            Ok(amount) if !bytes && !cpu && !amount.is_whole() => format!("`{key}: {text}` is no whole number"),
            Ok(_) => continue,
        };
        found.add(&RULE, object.place(value), message);
    }
}
