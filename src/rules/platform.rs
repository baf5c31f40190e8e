//! Rules about the Platform as a whole.

use super::{Check, Check::Stage, Rule};
use crate::contract::At;
use crate::contract::platform::PodSecurity;
use crate::diagnostic::Findings;
use crate::names::is_subject;
use crate::place::Place;
use crate::plan::Plan;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T601",
        title: "another version of mtp is wanted",
        why: "Two versions may render different bytes; laptops and CI would change each other's files for ever.",
        fix: "Install a version that the Platform's `mtpVersion` allows, or change the range and render anew.",
        check: Stage,
    },
    Rule {
        id: "T602",
        title: "no supported version of Kubernetes",
        why: "What is rendered depends on what the cluster has.",
        fix: "Write the cluster's minor version in quotes, such as \"1.36\".",
        check: Stage,
    },
    Rule {
        id: "T603",
        title: "no version of the Pod Security Standards",
        why: "The API server falls back to `latest` where the label makes no sense, and an upgrade then refuses pods that ran before.",
        fix: "Write `v1.` and a minor version that the cluster knows, or `latest`.",
        check: Check::Plan(pod_security),
    },
    Rule {
        id: "T604",
        title: "a prefix that makes names of the cluster",
        why: "With a prefix such as `system:`, names in tenant files become Kubernetes' own.",
        fix: "Write the prefix that the API server is started with, such as `oidc:`.",
        check: Check::Plan(prefixes),
    },
];

/// Looks at the Platform's `mtpVersion`; before anything else, since another version may not understand the rest.
pub fn version(range: &At<String>, at: Place, own: &str, findings: &mut Findings) {
    let Ok(wanted) = semver::VersionReq::parse(range) else {
        findings
            .error("T601", at, format!("expected a range of versions for `mtpVersion`, found `{range}`"))
            .hint("write \">=0.1, <0.2\"");
        return;
    };
    if semver::Version::parse(own).is_ok_and(|own| !wanted.matches(&own)) {
        findings.error("T601", at, format!("this platform wants mtp {range}, and this is mtp {own}"));
    }
}

fn pod_security(plan: &Plan, findings: &mut Findings) {
    let newest = plan.platform.kubernetes;
    let mut look = |stated: &PodSecurity, at: &dyn Fn(crate::place::Span) -> Place| {
        let Some(version) = &stated.version else { return };
        let minor = version.strip_prefix("v1.").filter(|m| !m.starts_with('0') || *m == "0");
        let minor = minor.filter(|m| m.bytes().all(|b| b.is_ascii_digit())).and_then(|m| m.parse::<u32>().ok());
        if version.value != "latest" && minor.is_none_or(|minor| minor > newest) {
            findings
                .error(
                    "T603",
                    at(version.span),
                    format!("expected `latest` or `v1.0` to `v1.{newest}`, found `{version}`"),
                )
                .hint(format!("write `v1.{newest}`"));
        }
    };
    let platform = &plan.platform.doc;
    look(&platform.content.spec.pod_security, &|span| platform.at(span));
    for tier in plan.tiers.values() {
        look(&tier.doc.content.spec.pod_security, &|span| tier.doc.at(span));
    }
}

fn prefixes(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let identity = &doc.content.spec.identity;
    for prefix in [&identity.user_prefix, &identity.group_prefix].into_iter().flatten() {
        if "system:".starts_with(&prefix.to_lowercase()) && !prefix.is_empty()
            || prefix.to_lowercase().starts_with("system:")
        {
            let about = format!("with the prefix `{prefix}`, names become Kubernetes' own");
            findings
                .error("T604", doc.at(prefix.span), about)
                .hint("write the API server's own prefix, such as `oidc:`");
        } else if !prefix.is_empty() && !is_subject(prefix) {
            findings.error("T604", doc.at(prefix.span), "the prefix has blanks or invisible characters in it");
        }
    }
}
