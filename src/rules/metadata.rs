//! Rules about labels and annotations: only what the Platform lists, and never what policies select by.

use std::collections::BTreeMap;

use super::{Check, Rule};
use crate::contract::At;
use crate::diagnostic::Findings;
use crate::names::{is_label_value, is_qualified};
use crate::objects::meta::is_ours;
use crate::parse::Document;
use crate::place::Place;
use crate::plan::{Plan, TenantPlan};
use crate::yaml::plain;
use crate::yaml::shape::list;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T501",
        title: "a key that the Platform does not list",
        why: "Labels and annotations of a Namespace steer policies, admission and controllers; which ones a tenant may set is \
              the platform's decision.",
        fix: "Have the platform team add the key to `tenantMetadata`, or take it out.",
        check: Check::Tenant(listed),
    },
    Rule {
        id: "T502",
        title: "no label",
        why: "The API server would refuse it.",
        fix: "A key is a name, or a domain, a slash and a name; a value has at most 63 letters, digits, `-`, `_` and `.`.",
        check: Check::Plan(legal),
    },
    Rule {
        id: "T503",
        title: "a key of the platform or of Kubernetes",
        why: "Pod Security, isolation and ownership are read from these keys. Nobody but the renderer writes them.",
        fix: "Choose another key.",
        check: Check::Plan(ours),
    },
    Rule {
        id: "T504",
        title: "annotations that are too large",
        why: "Kubernetes takes 256 KiB of annotations an object, and tools keep a copy of the object in one of them.",
        fix: "Shorten the values; 16 KiB in all are taken here.",
        check: Check::Tenant(large),
    },
];

/// The most that a tenant's annotations may hold in all, in bytes.
const MAX_ANNOTATIONS: usize = 16 * 1024;

fn listed(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let spec = &tenant.doc.content.spec;
    let allowed = &plan.platform.doc.content.spec.tenant_metadata;
    for (field, keys, allowed) in
        [("labels", &spec.labels, &allowed.labels), ("annotations", &spec.annotations, &allowed.annotations)]
    {
        // Of a key that nobody may list, T503 speaks.
        for key in keys.keys().filter(|key| !allowed.contains(key) && !is_ours(key)) {
            let about = format!("the Platform does not list `{key}` among the {field} of tenants");
            let known = list(allowed.iter().map(|k| k.value.as_str()));
            findings.error("T501", tenant.doc.at(key.span), about).hint(format!("it lists {known}"));
        }
    }
}

/// What a key looks like.
const KEY: &str = "write a name of letters, digits, `-`, `_` and `.`, or a domain, a slash and a name";

fn legal(plan: &Plan, findings: &mut Findings) {
    let mut look = |labels: &BTreeMap<At<String>, At<String>>, at: &dyn Fn(crate::place::Span) -> Place| {
        for (key, value) in labels {
            if !is_qualified(key) {
                findings.error("T502", at(key.span), format!("`{key}` is no key of a label")).hint(KEY);
            }
            if !is_label_value(value) {
                let about = format!("\"{}\" is no value of a label", value.escape_debug());
                findings.error("T502", at(value.span), about).hint("63 letters, digits, `-`, `_` and `.` at most");
            }
        }
    };
    let platform = &plan.platform.doc;
    let network = &platform.content.spec.network;
    let place = |span| platform.at(span);
    for pods in platform.content.spec.admission.webhook.iter().flat_map(|webhook| &webhook.metrics_from) {
        look(&pods.pod_labels, &place);
    }
    look(&network.platform_access_labels, &place);
    network.dns.iter().for_each(|dns| look(&dns.pod_labels, &place));
    network.ingress_from.iter().for_each(|from| look(&from.pod_labels, &place));
    for tenant in &plan.tenants {
        let spec = &tenant.doc.content.spec;
        let place = |span| tenant.doc.at(span);
        look(&spec.labels, &place);
        for peer in spec.egress.allow.iter().chain(&spec.ingress.allow) {
            look(&peer.pod_labels, &place);
        }
    }
    let mut qualified = |key: &At<String>, at: Place| {
        if !plain::is_text(key) && is_qualified(key) {
            let about = format!("kustomize loses the quotes of the key `{key}`, which is then no text");
            findings.error("T502", at, about).hint("put a domain before it, such as `example.org/`");
        } else if !is_qualified(key) {
            findings.error("T502", at, format!("`{key}` is no key of a label or annotation")).hint(KEY);
        }
    };
    let allowed = &platform.content.spec.tenant_metadata;
    allowed.labels.iter().chain(&allowed.annotations).for_each(|key| qualified(key, place(key.span)));
    for tenant in &plan.tenants {
        tenant.doc.content.spec.annotations.keys().for_each(|key| qualified(key, tenant.doc.at(key.span)));
    }
}

fn ours(plan: &Plan, findings: &mut Findings) {
    let platform = &plan.platform.doc;
    let allowed = &platform.content.spec.tenant_metadata;
    let mut look = |key: &At<String>, at: Place| {
        if is_ours(key) {
            findings.error("T503", at, format!("`{key}` is written by the platform alone")).hint("choose another key");
        }
    };
    allowed.labels.iter().chain(&allowed.annotations).for_each(|key| look(key, platform.at(key.span)));
    for tenant in &plan.tenants {
        let Document { content, .. } = &tenant.doc;
        let keys = content.spec.labels.keys().chain(content.spec.annotations.keys());
        keys.for_each(|key| look(key, tenant.doc.at(key.span)));
    }
}

fn large(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let annotations = &tenant.doc.content.spec.annotations;
    let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
    if let Some(first) = annotations.keys().next().filter(|_| size > MAX_ANNOTATIONS) {
        let about = format!("the annotations hold {size} bytes, expected at most {MAX_ANNOTATIONS}");
        findings.error("T504", tenant.doc.at(first.span), about).hint("shorten the values");
    }
}
