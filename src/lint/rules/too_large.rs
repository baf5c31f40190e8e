//! L113: an object that is too large for etcd.

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::lint::file::Object;
use crate::lint::file::json_length;
use crate::lint::found::Found;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L113",
    severity: Severity::Error,
    title: "an object that is too large for etcd",
    why: "etcd takes requests of 1.5 MiB at most: the object can never be stored.",
    fix: "Split it, or keep the data elsewhere.",
    source: "<https://etcd.io/docs/v3.6/dev-guide/limit/>",
    consumers: &[Consumer::Cluster],
    example: "a ConfigMap with 2 MiB of data",
    in_units: false,
    check: Check::Object(check),
};

/// etcd's `--max-request-bytes`.
const MOST: usize = 1_572_864;

fn check(object: &Object<'_>, found: &mut Found) {
    if object.file.text.len() > MOST {
        let bytes = json_length(object.node);
        if bytes > MOST {
            found.add(
                &RULE,
                object.at(),
                format!("expected at most {MOST} bytes, found {bytes}: etcd does not store it"),
            );
        }
    }
}
