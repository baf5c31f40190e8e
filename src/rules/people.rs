//! Rules about people: whoever gets rights is somebody, and nobody gets those of the cluster itself.

use std::collections::BTreeMap;

use super::{Check, Rule};
use crate::contract::At;
use crate::diagnostic::Findings;
use crate::names::{is_email, is_subject};
use crate::plan::{Plan, TenantPlan};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T201",
        title: "no user and no group",
        why: "An empty name, or one with characters that nobody sees, binds rights to whatever the identity provider makes of it.",
        fix: "Write the name as the identity provider spells it, or take the entry out.",
        check: Check::Tenant(subjects),
    },
    Rule {
        id: "T202",
        title: "no e-mail address",
        why: "The owner's address is where people are reached when the tenant makes trouble.",
        fix: "Write an address such as `someone@example.org`.",
        check: Check::Tenant(email),
    },
    Rule {
        id: "T203",
        title: "a name of the cluster itself",
        why: "Users and groups that begin with `system:` are Kubernetes' own: `system:authenticated` is everybody, \
              `system:masters` may do everything.",
        fix: "Name people and groups of the identity provider.",
        check: Check::Tenant(system),
    },
    Rule {
        id: "T204",
        title: "somebody is named twice",
        why: "It changes nothing, and hides that only one of the two entries is wanted.",
        fix: "Take one of the entries out.",
        check: Check::Tenant(twice),
    },
];

/// The lists of users and groups of a tenant, by field.
fn lists(tenant: &TenantPlan) -> [(&'static str, &Vec<At<String>>); 6] {
    let spec = &tenant.doc.content.spec.value;
    [
        ("admins", &spec.admins),
        ("operators", &spec.operators),
        ("viewers", &spec.viewers),
        ("groups.admins", &spec.groups.admins),
        ("groups.operators", &spec.groups.operators),
        ("groups.viewers", &spec.groups.viewers),
    ]
}

fn subjects(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    for (field, names) in lists(tenant) {
        for name in names.iter().filter(|name| !is_subject(name)) {
            let about = format!("expected a name in `{field}`, found \"{}\"", name.escape_debug());
            let hint =
                if name.trim().is_empty() { "take the entry out" } else { "take out blanks and invisible characters" };
            findings.error("T201", tenant.doc.at(name.span), about).hint(hint);
        }
    }
}

fn email(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let owner = &tenant.doc.content.spec.owner_email;
    if !is_email(owner) {
        let about = format!("expected an e-mail address for `ownerEmail`, found \"{}\"", owner.escape_debug());
        findings.error("T202", tenant.doc.at(owner.span), about).hint("write `someone@example.org`");
    }
}

fn system(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    for (field, names) in lists(tenant) {
        for name in names.iter().filter(|name| name.to_lowercase().starts_with("system:")) {
            findings
                .error(
                    "T203",
                    tenant.doc.at(name.span),
                    format!("`{name}` in `{field}` is one of Kubernetes' own names"),
                )
                .hint("name people or groups of the identity provider");
        }
    }
}

fn twice(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    for (field, names) in lists(tenant) {
        let mut seen = BTreeMap::new();
        for name in names {
            if let Some(first) = seen.insert(&name.value, name.span) {
                findings
                    .warning("T204", tenant.doc.at(name.span), format!("`{name}` stands in `{field}` twice"))
                    .related(tenant.doc.at(first), "first here")
                    .hint("take one of them out");
            }
        }
    }
}
