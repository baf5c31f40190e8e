//! Rules about names: each is legal, unique, and nobody else's.

use std::collections::BTreeMap;

use super::{Check, Check::Stage, Rule};
use crate::contract::At;
use crate::contract::tenant::State;
use crate::diagnostic::Findings;
use crate::names::{MAX_LABEL, is_dns_label, is_dns_subdomain};
use crate::place::Place;
use crate::plan::{Plan, TenantPlan, TierPlan};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T101",
        title: "no Platform, or two",
        why: "One folder is one cluster: what holds for every tenant stands in exactly one document.",
        fix: "`mtp init` writes a Platform; of two, keep one.",
        check: Stage,
    },
    Rule {
        id: "T102",
        title: "duplicate name",
        why: "Two documents of one kind and name would overwrite each other.",
        fix: "Rename one of them, or take it out.",
        check: Stage,
    },
    Rule {
        id: "T103",
        title: "not a name of Kubernetes",
        why: "Names become namespaces and labels, which take lower-case letters, digits and `-`, 63 at most.",
        fix: "Choose a name that begins and ends with a letter or digit and has nothing but lower-case letters, digits and `-`.",
        check: Check::Plan(legal),
    },
    Rule {
        id: "T104",
        title: "the namespace's name is too long",
        why: "Kubernetes takes 63 characters, and a shortened name could be another tenant's.",
        fix: "Shorten `metadata.name` or the namespace's own part; `tenant-` and a `-` come on top.",
        check: Check::Tenant(length),
    },
    Rule {
        id: "T105",
        title: "two namespaces of one name",
        why: "Tenant `a-b` with namespace `c` and tenant `a` with namespace `b-c` are both `tenant-a-b-c`: each would have the \
              other's access.",
        fix: "Rename one of the namespaces, or one of the tenants.",
        check: Check::Plan(collisions),
    },
    Rule {
        id: "T106",
        title: "reserved name",
        why: "Names of Kubernetes' and of the platform's own namespaces would mislead people and policies that match by name.",
        fix: "Choose another name.",
        check: Check::Tenant(reserved),
    },
    Rule {
        id: "T107",
        title: "metadata.namespace is ignored",
        why: "Platforms, Tiers and Tenants are cluster-scoped. Files written for older versions may still name a namespace.",
        fix: "Take `metadata.namespace` out.",
        check: Check::Plan(ignored_namespace),
    },
    Rule {
        id: "T108",
        title: "two objects in one file",
        why: "On a disk that ignores case, one rendered file would overwrite the other.",
        fix: "Rename one of the objects.",
        check: Stage,
    },
    Rule {
        id: "T109",
        title: "more namespaces than the tier allows",
        why: "Quotas are per namespace: each further one is a further budget.",
        fix: "Retire a namespace, or choose a tier that allows more.",
        check: Check::Tenant(too_many),
    },
    Rule {
        id: "T110",
        title: "unknown tier",
        why: "Without its tier a namespace would have no quota and no defaults.",
        fix: "Name a Tier that exists, or add it.",
        check: Stage,
    },
];

/// Names of Kubernetes' own namespaces, and those that would pass for ours.
const RESERVED: [&str; 6] = ["default", "kube-node-lease", "kube-public", "kube-system", "k8s-mtp", "kubernetes"];

fn legal(plan: &Plan, findings: &mut Findings) {
    let mut label = |what: &str, name: &At<String>, at: Place| {
        if !is_dns_label(name) {
            let wrong = findings.error("T103", at, format!("`{name}` is no name for {what}"));
            wrong.hint(match legal_form(name) {
                Some(close) => format!("write `{close}`"),
                None if name.len() > MAX_LABEL => format!("it has {} characters, {MAX_LABEL} are the most", name.len()),
                None => "use lower-case letters, digits and `-`".to_owned(),
            });
        }
    };
    let platform = &plan.platform.doc;
    label("the Platform", &platform.content.metadata.name, platform.at(platform.content.metadata.name.span));
    if let Some(namespace) = &platform.content.spec.namespace {
        label("a namespace", namespace, platform.at(namespace.span));
    }
    if let Some(namespace) = platform.content.spec.network.dns.as_ref().and_then(|dns| dns.namespace.as_ref()) {
        label("a namespace", namespace, platform.at(namespace.span));
    }
    for tier in plan.tiers.values() {
        label("a Tier", &tier.doc.content.metadata.name, tier.doc.at(tier.doc.content.metadata.name.span));
    }
    for tenant in &plan.tenants {
        label("a Tenant", &tenant.doc.content.metadata.name, tenant.name_at());
        let spec = &tenant.doc.content.spec;
        for name in std::iter::once(&spec.name).chain(spec.namespaces.iter().map(|entry| &entry.name)) {
            label("a namespace", name, tenant.doc.at(name.span));
        }
        for secret in &spec.pull_secrets {
            if !is_dns_subdomain(secret) {
                label("a Secret", secret, tenant.doc.at(secret.span));
            }
        }
    }
    for secret in &platform.content.spec.image_pull_secrets {
        if !is_dns_subdomain(secret) {
            label("a Secret", secret, platform.at(secret.span));
        }
    }
    if let Some(namespace) = &platform.content.spec.namespace {
        let about = || format!("`{namespace}` is no name for the platform's namespace");
        if namespace.starts_with("tenant-") {
            findings.error("T106", platform.at(namespace.span), about()).hint("names with `tenant-` are tenants'");
        } else if namespace.starts_with("kube-") || namespace.value == "default" {
            findings
                .error("T106", platform.at(namespace.span), about())
                .hint("it is Kubernetes' own, whose pods need more than the platform's may; take one of its own");
        }
    }
}

/// The name in lower case, other characters replaced by `-`.
fn legal_form(name: &str) -> Option<String> {
    let plain: String = name
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' })
        .collect();
    let plain = plain.trim_matches('-');
    (name.is_ascii() && is_dns_label(plain)).then(|| plain.to_owned())
}

fn length(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    // Of a part that is too long by itself, T103 speaks.
    let whole = |part: &str| tenant.name.len() <= MAX_LABEL && part.len() <= MAX_LABEL;
    for namespace in tenant.namespaces.iter().filter(|n| n.name.len() > MAX_LABEL && whole(&n.part)) {
        let (name, long) = (&namespace.name, namespace.name.len());
        let over = long - MAX_LABEL;
        findings
            .error(
                "T104",
                tenant.doc.at(namespace.span),
                format!("the namespace `{name}` has {long} characters, {over} too many"),
            )
            .hint(format!(
                "`{}` and `{}` together may have {}",
                tenant.name,
                namespace.part,
                MAX_LABEL - "tenant--".len()
            ));
    }
}

fn collisions(plan: &Plan, findings: &mut Findings) {
    let mut seen: BTreeMap<&str, (&TenantPlan, Place)> = BTreeMap::new();
    for tenant in &plan.tenants {
        for namespace in &tenant.namespaces {
            let at = tenant.doc.at(namespace.span);
            if let Some((first, place)) = seen.get(&*namespace.name) {
                let (name, own, other) = (&namespace.name, &tenant.name, &first.name);
                let whose =
                    if own == other { format!("of `{own}` twice") } else { format!("of both `{other}` and `{own}`") };
                findings
                    .error("T105", at, format!("the namespace `{name}` would be {whose}"))
                    .related(place.clone(), "first here")
                    .hint("rename one of the two");
            } else {
                seen.insert(&namespace.name, (tenant, at));
            }
        }
    }
}

fn reserved(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let own = &plan.platform.doc.content.spec.reserved_names;
    let taken = |name: &str| {
        RESERVED.contains(&name)
            || name.starts_with("kube-")
            || name == &*plan.platform.namespace
            || own.iter().any(|r| r.value == name)
    };
    let metadata = &tenant.doc.content.metadata.name;
    if taken(metadata) {
        findings.error("T106", tenant.name_at(), format!("`{metadata}` is reserved")).hint("choose another name");
    }
    for namespace in &tenant.namespaces {
        if taken(&namespace.part) || taken(&namespace.name) {
            let name = if taken(&namespace.part) { &namespace.part } else { &namespace.name };
            findings
                .error("T106", tenant.doc.at(namespace.span), format!("`{name}` is reserved"))
                .hint("choose another name");
        }
    }
}

fn ignored_namespace(plan: &Plan, findings: &mut Findings) {
    let tiers = plan.tiers.values().map(|t| (&t.doc.file, &t.doc.content.metadata));
    let tenants = plan.tenants.iter().map(|t| (&t.doc.file, &t.doc.content.metadata));
    let platform = [(&plan.platform.doc.file, &plan.platform.doc.content.metadata)];
    for (file, metadata) in platform.into_iter().chain(tiers).chain(tenants) {
        if let Some(namespace) = &metadata.namespace {
            let about = format!("`{namespace}` is ignored: the document is cluster-scoped");
            findings.warning("T107", Place::new(file, namespace.span), about).hint("take `metadata.namespace` out");
        }
    }
}

fn too_many(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let TierPlan { name, namespaces: allowed, .. } = &*tenant.tier;
    let used = tenant.namespaces.iter().filter(|n| n.state != State::Retired).count();
    let spec = &tenant.doc.content.spec;
    let last = spec.namespaces.last().map_or(spec.name.span, |entry| entry.span);
    if u32::try_from(used).is_ok_and(|used| used <= *allowed) {
        return;
    }
    let namespaces = if *allowed == 1 { "namespace" } else { "namespaces" };
    findings
        .error("T109", tenant.doc.at(last), format!("tier `{name}` allows {allowed} {namespaces}, found {used}"))
        .hint("retired ones do not count");
}
