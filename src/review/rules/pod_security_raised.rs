//! R302: a namespace refuses pods that it admitted.

use super::{Check, Rule, pod_security_lowered};
use crate::contract::review::Class;
use crate::review::finding::Severity;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R302",
    name: "pod-security-raised",
    title: "pod security raised",
    class: Class::PodSecurity,
    severity: Severity::Notice,
    why: "Nothing is weakened; pods that run today may not start again.",
    example: "A later `podSecurity.version`.",
    approvable: true,
    check: Check::Pair(|pair, unit, change, found| {
        pod_security_lowered::compare(&RULE, pair, unit, change, found, false)
    }),
};
