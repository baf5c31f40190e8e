//! What `mtp sync` may do: every right enumerated from what may be rendered, none by `*`.
//!
//! It hands out Roles whose rights it does not have (`escalate`, `bind`), and may widen its own ClusterRole when a new version
//! renders more: whoever may write to the repository, or run as this ServiceAccount, is as good as the cluster's admin. The list
//! is a fence against mistakes, and tells a reviewer what is written where.
//!
//! What is named is created by server-side apply alone, which is asked for by name (`patch.go` in `pkg/endpoints/handlers` of
//! kubernetes/apiserver); so a right to create may be one for a name.
//!
//! Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::rbac::v1::PolicyRule;

use super::NAME;
use crate::certs::SECRET;
use crate::contract::GROUP;
use crate::objects::custom_resource_definition;
use crate::objects::kinds::{self, Rendered, Stands};
use crate::objects::role::rule;
use crate::objects::role_binding::GROUP as RBAC;
use crate::objects::webhook::configurations;
use crate::plan::Plan;

/// What seeing needs.
const READ: [&str; 3] = ["get", "list", "watch"];

/// What server-side apply and pruning need.
const APPLY: [&str; 6] = ["create", "delete", "get", "list", "patch", "watch"];

/// What is left of it while something is to be removed of kinds that are rendered no more: see `cluster::unit`.
pub const PRUNE: [&str; 4] = ["delete", "get", "list", "watch"];

/// A kind of which objects of these names alone are written.
struct Named {
    kind: &'static str,
    names: Vec<String>,
    verbs: &'static [&'static str],
}

/// All of them. What everything hangs on is never deleted: the definition of Tenants goes with all Tenants, and its own rights are
/// an admin's to take away.
fn named(policies: bool) -> Vec<Named> {
    let own = || vec![NAME.to_owned()];
    let [validating, mutating] = configurations::NAMES.map(|name| vec![name.to_owned()]);
    let written = &["create", "delete", "patch"];
    let mut all = vec![
        Named { kind: "ClusterRole", names: own(), verbs: &["bind", "escalate", "patch"] },
        Named { kind: "ClusterRoleBinding", names: own(), verbs: &["patch"] },
        Named {
            kind: "CustomResourceDefinition",
            names: vec![custom_resource_definition::name()],
            verbs: &["create", "patch"],
        },
        Named { kind: "MutatingWebhookConfiguration", names: mutating, verbs: written },
        Named { kind: "Secret", names: vec![SECRET.to_owned()], verbs: written },
        Named { kind: "ValidatingWebhookConfiguration", names: validating, verbs: written },
    ];
    // The names of policies follow tiers, which come and go. Where there are none, it keeps its own fence.
    if !policies {
        let keep = |kind| Named { kind, names: own(), verbs: &["create", "patch"] };
        all.extend(["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"].map(keep));
        let none = |kind| Named { kind, names: Vec::new(), verbs: &[] };
        all.extend(["MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"].map(none));
    }
    all
}

/// A rule each for kinds that are rows of [`crate::objects::KINDS`].
fn of_rows<'a>(rows: impl Iterator<Item = Rendered<'a>>, policies: bool) -> Vec<PolicyRule> {
    let named = named(policies);
    let mut rules = Rules::default();
    let mut written: Vec<PolicyRule> = Vec::new();
    for row in rows {
        match named.iter().find(|named| named.kind == row.kind) {
            Some(Named { names, verbs, .. }) => {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                let rule = rule(row.group, [row.resource.to_string()], verbs, &names);
                if !names.is_empty() && !written.contains(&rule) {
                    written.push(rule);
                }
                rules.add(row, &READ);
            }
            None => rules.add(row, &APPLY),
        }
    }
    rules.all().chain(written).collect()
}

/// One rule a resource. Where a change takes some rights away and gives others, `mtp sync` applies its own roles without the rules
/// that grow first: a rule of several resources would go with all of them, and what it needs to come back may be one.
#[derive(Default)]
struct Rules(BTreeMap<(String, String), &'static [&'static str]>);

impl Rules {
    fn add(&mut self, kind: Rendered<'_>, verbs: &'static [&'static str]) {
        self.0.insert((kind.group.to_owned(), kind.resource.into_owned()), verbs);
    }

    fn all(self) -> impl Iterator<Item = PolicyRule> {
        self.0.into_iter().map(|((group, resource), verbs)| rule(&group, [resource], verbs, &[]))
    }
}

/// What it may do in the whole cluster: kinds that stand in no namespace, or in those of tenants, whose names nobody knows
/// beforehand.
pub fn of_cluster(plan: &Plan) -> Vec<PolicyRule> {
    let mut made = BTreeSet::new();
    for namespace in plan.tenants.iter().flat_map(|tenant| &tenant.namespaces) {
        made.extend(namespace.extras.iter().map(|extra| (&*extra.id.group, &*extra.id.kind)));
    }
    let rows = || kinds::rows().filter(|row| row.stands != Stands::Platform);
    let mut of_templates = Rules::default();
    for kind in kinds::of_templates(plan) {
        let is = (kind.group, kind.kind);
        if made.contains(&is) && !rows().any(|row| (row.group, row.kind) == is) {
            of_templates.add(kind, &APPLY);
        }
    }
    let mut rules = of_rows(rows(), plan.platform.admission.policies.is_some());
    rules.extend(of_templates.all());
    rules.push(rule(RBAC, ["roles".to_owned()], &["bind", "escalate"], &[]));
    rules.push(rule(GROUP, ["tenants/status".to_owned()], &["get", "patch"], &[]));
    rules
}

/// What it may do in the platform's namespace on top: kinds that no tenant's namespace has, its inventory, its Lease.
pub fn of_platform() -> Vec<PolicyRule> {
    let elsewhere: BTreeSet<&str> =
        kinds::rows().filter(|row| row.stands == Stands::Tenants).map(|row| row.kind).collect();
    let rows = kinds::rows().filter(|row| row.stands == Stands::Platform && !elsewhere.contains(row.kind));
    // No policy stands in a namespace.
    let mut rules = of_rows(rows, false);
    rules.push(rule("", ["configmaps".to_owned()], &["update"], &[]));
    // Whoever creates a Lease does so without server-side apply: its name is not known yet.
    let leases = || ["leases".to_owned()];
    rules.push(rule("coordination.k8s.io", leases(), &["create"], &[]));
    rules.push(rule("coordination.k8s.io", leases(), &["get", "update"], &[NAME]));
    rules
}

/// What it may do where events of cluster-scoped objects stand.
pub fn of_events() -> Vec<PolicyRule> {
    vec![rule("events.k8s.io", ["events".to_owned()], &["create", "patch"], &[])]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Inputs;

    /// (group, resource, verb)
    type Right = (String, String, String);

    /// What is not the apply of a kind, each with what it is for.
    const MORE: [(&str, &str, &str); 11] = [
        // Roles give rights that it does not have itself.
        (RBAC, "roles", "bind"),
        (RBAC, "roles", "escalate"),
        // Its own ClusterRole grows with what is rendered.
        (RBAC, "clusterroles", "bind"),
        (RBAC, "clusterroles", "escalate"),
        // What became of a tenant.
        (GROUP, "tenants/status", "get"),
        (GROUP, "tenants/status", "patch"),
        // Its inventory.
        ("", "configmaps", "update"),
        // Which replica works.
        ("coordination.k8s.io", "leases", "create"),
        ("coordination.k8s.io", "leases", "get"),
        ("coordination.k8s.io", "leases", "update"),
        ("events.k8s.io", "events", "create"),
    ];

    fn owned((group, resource, verb): (&str, &str, &str)) -> Right {
        (group.to_owned(), resource.to_owned(), verb.to_owned())
    }

    fn all(rules: &[PolicyRule]) -> BTreeSet<Right> {
        let mut rights = BTreeSet::new();
        for rule in rules {
            let list = |list: &Option<Vec<String>>| list.clone().unwrap_or_default();
            for group in list(&rule.api_groups) {
                for resource in list(&rule.resources) {
                    rights.extend(rule.verbs.iter().map(|verb| owned((&group, &resource, verb))));
                }
            }
        }
        rights
    }

    /// The plan of a platform, with a template or without.
    fn rights(template: Option<&str>) -> BTreeSet<Right> {
        let digest = "1".repeat(64);
        let head = "apiVersion: multitenant.k8s-mtp.io/v1";
        let platform = format!(
            "{head}\nkind: Platform\nmetadata: {{name: a}}\nspec:\n  kubernetesVersion: \"1.36\"\n  templates:\n    kinds:\n    \
             - {{group: example.org, kind: Box, resource: boxes}}\n  sync:\n    image: a@sha256:{digest}\n    git:\n      \
             repo: https://git.example.org/a.git\n      image: a@sha256:{digest}\n"
        );
        let tier = format!("{head}\nkind: Tier\nmetadata: {{name: a}}\nspec: {{}}\n");
        let tenant = format!(
            "{head}\nkind: Tenant\nmetadata: {{name: a}}\nspec: {{name: a, tier: a, ownerEmail: a@example.org}}\n"
        );
        let mut files = vec![
            ("tenants/platform.yaml", platform.into_bytes()),
            ("tenants/tier.yaml", tier.into_bytes()),
            ("tenants/tenant.yaml", tenant.into_bytes()),
        ];
        files.extend(template.map(|text| ("tenants/templates/a.yaml", text.as_bytes().to_vec())));
        let inputs: Inputs = files.into_iter().collect();
        let (rendered, diagnostics) = crate::render(&inputs);
        let plan = rendered.plan().unwrap_or_else(|| panic!("{diagnostics:?}"));
        let rules = [of_cluster(plan), of_platform(), of_events()].concat();
        assert!(rules.iter().all(|rule| rule.verbs.iter().all(|verb| verb != "*")), "{rules:?}");
        all(&rules)
    }

    /// What may be rendered may be applied, and pruned unless everything hangs on it; nobody may do anything else.
    #[test]
    fn each_right_is_one_of_a_row() {
        let never_deleted = [
            "clusterroles",
            "clusterrolebindings",
            "customresourcedefinitions",
            "validatingadmissionpolicies",
            "validatingadmissionpolicybindings",
        ];
        // It takes nobody else's rights over, and whoever lost its own could not come back by himself.
        let never_created = ["clusterroles", "clusterrolebindings"];
        // Only read where no policies are wanted.
        let never_written = ["mutatingadmissionpolicies", "mutatingadmissionpolicybindings"];
        let mut expected: BTreeSet<Right> = MORE.into_iter().map(owned).collect();
        expected.insert(owned(("events.k8s.io", "events", "patch")));
        for row in kinds::rows() {
            let is = |list: &[&str]| list.contains(&&*row.resource);
            let verbs = APPLY.into_iter().filter(|verb| {
                let never = match *verb {
                    "delete" => is(&never_deleted) || is(&never_written),
                    "create" => is(&never_created) || is(&never_written),
                    "patch" => is(&never_written),
                    _ => false,
                };
                !never
            });
            expected.extend(verbs.map(|verb| owned((row.group, &row.resource, verb))));
        }
        assert_eq!(rights(None), expected);
    }

    /// A kind that templates make is applied; one that they may make is none of its business.
    #[test]
    fn templates_give_rights_to_what_they_make() {
        let without = rights(None);
        let with = rights(Some("apiVersion: example.org/v1\nkind: Box\nmetadata: {name: a}\n"));
        let gained: BTreeSet<Right> = with.difference(&without).cloned().collect();
        let verbs = |group: &str, resource: &str| -> Vec<&str> {
            gained.iter().filter(|(g, r, _)| g == group && r == resource).map(|(.., verb)| verb.as_str()).collect()
        };
        assert_eq!(verbs("example.org", "boxes"), APPLY);
        assert_eq!(verbs("", "pods"), [""; 0]);
        assert!(with.is_superset(&without));
    }

    /// Secrets are read in the platform's namespace, and written there by name alone.
    #[test]
    fn secrets_are_the_platforms_own() {
        let speaks = |rule: &&PolicyRule| rule.resources.iter().flatten().any(|resource| resource == "secrets");
        let rules = of_platform();
        let written = rules.iter().filter(speaks).filter(|rule| rule.verbs.iter().any(|verb| !READ.contains(&&**verb)));
        let names: Vec<_> = written.map(|rule| rule.resource_names.clone()).collect();
        assert_eq!(names, [Some(vec![SECRET.to_owned()])]);
        let rows = kinds::rows().filter(|row| row.stands != Stands::Platform);
        assert!(rows.into_iter().all(|row| row.kind != "Secret"));
    }
}
