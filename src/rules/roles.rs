//! Rules about rights: the Platform's `extraRules` are for custom resources, and never undo what keeps tenants apart.
//!
//! What is refused, and where each was learnt: `*` in anything (a new resource would be granted unseen); Kubernetes' own
//! resources, whose rights are enumerated in [`crate::objects::role`] (Endpoints, CVE-2021-25740; Namespaces, CVE-2022-46167
//! and CVE-2026-30963; `get` on `pods/exec` runs commands); `escalate`, `bind`, `impersonate` (Kubernetes' good practices for
//! RBAC); writing policies and network policies of the engines that are known, and what other controllers deploy with rights
//! of their own (CVE-2026-22039).

use super::{Check, Rule};
use crate::contract::platform::ExtraRule;
use crate::contract::{At, GROUP};
use crate::diagnostic::Findings;
use crate::names::{is_dns_subdomain, is_in_domain};
use crate::objects::role::ROLES;
use crate::plan::Plan;
use crate::rendered::is_kubernetes_own;

/// The rows.
pub const RULES: &[Rule] = &[Rule {
    id: "T605",
    title: "a right that no tenant may have",
    why: "It would let a tenant change what isolates it, hand out rights that it lacks, or act as somebody else.",
    fix: "Name the resources and verbs that are needed, of custom resources.",
    check: Check::Plan(extra_rules),
}];

/// Kubernetes' own groups of which tenants write nothing: rights, admission, the API itself.
const CLOSED_GROUPS: [&str; 9] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
];

/// Domains of policies, network policies and tenancy. Whole domains, since new groups appear below them.
const POLICY_DOMAINS: [&str; 15] = [
    "antrea.io",
    "calico.org",
    "capsule.clastix.io",
    "cilium.io",
    "gatekeeper.sh",
    "istio.io",
    "k8s.cni.cncf.io",
    "k8s.ovn.org",
    "kubeovn.io",
    "kubewarden.io",
    "kyverno.io",
    "policy.linkerd.io",
    "policy.networking.k8s.io",
    "projectcalico.org",
    "wgpolicyk8s.io",
];

/// Domains of what controllers deploy with rights of their own: writing one is as good as having those.
const DEPLOYING_DOMAINS: [&str; 5] =
    ["argoproj.io", "crossplane.io", "fluxcd.io", "olm.operatorframework.io", "operators.coreos.com"];

/// Verbs that nobody gets: each hands out rights, or acts as somebody else.
const CLOSED_VERBS: [&str; 7] = ["approve", "attest", "bind", "escalate", "impersonate", "sign", "use"];

const READ_VERBS: [&str; 3] = ["get", "list", "watch"];

/// Whether a group holds what isolates tenants: no template makes it, and nobody writes it.
pub fn is_isolating(group: &str) -> bool {
    CLOSED_GROUPS.contains(&group) || group == GROUP || POLICY_DOMAINS.iter().any(|domain| is_in_domain(group, domain))
}

fn extra_rules(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    for (role, rules) in ROLES.iter().zip(&plan.platform.extra_rules) {
        for rule in rules {
            // In a suspended namespace every role has the viewer's rights.
            for verb in rule.verbs.iter().filter(|verb| *role == "viewer" && !READ_VERBS.contains(&verb.as_str())) {
                findings
                    .error("T605", doc.at(verb.span), format!("viewers only read, found the verb `{verb}`"))
                    .hint("grant it to `operator` or `admin`");
            }
            let at = |value: &At<String>| doc.at(value.span);
            for (what, list) in
                [("apiGroups", &rule.api_groups), ("resources", &rule.resources), ("verbs", &rule.verbs)]
            {
                if list.is_empty() {
                    let about = format!("`{what}` is empty: the rule would grant nothing");
                    findings
                        .error("T605", doc.at(rule.span), about)
                        .hint("name what is granted; the core group is \"\"");
                }
                for value in list.iter().filter(|v| v.contains('*')) {
                    findings
                        .error("T605", at(value), format!("`{value}` in `{what}` grants what nobody has seen"))
                        .hint("name each one");
                }
            }
            let dead = |group: &At<String>| !group.is_empty() && !is_dns_subdomain(group);
            for group in rule.api_groups.iter().filter(|g| dead(g) && !g.contains('*')) {
                findings.error("T605", at(group), format!("`{group}` is no API group"));
            }
            for verb in rule.verbs.iter().filter(|verb| CLOSED_VERBS.contains(&verb.as_str())) {
                findings.error("T605", at(verb), format!("no tenant gets the verb `{verb}`"));
            }
            groups(rule, &at, findings);
        }
    }
}

fn groups(rule: &At<ExtraRule>, at: &dyn Fn(&At<String>) -> crate::place::Place, findings: &mut Findings) {
    let deploys = |group: &str| DEPLOYING_DOMAINS.iter().any(|domain| is_in_domain(group, domain));
    let writes = rule.verbs.iter().any(|verb| !READ_VERBS.contains(&verb.as_str()));
    for group in &rule.api_groups {
        if is_kubernetes_own(group) {
            let name = if group.is_empty() { "the core group" } else { group.as_str() };
            findings
                .error("T605", at(group), format!("extra rules are for custom resources, found {name}"))
                .hint("what tenants may do with Kubernetes' own resources is enumerated by mtp");
        } else if writes && (is_isolating(group) || deploys(group)) {
            findings
                .error("T605", at(group), format!("no tenant writes anything of `{group}`"))
                .hint("grant `get`, `list`, `watch`");
        }
    }
    for resource in &rule.resources {
        if resource.value != resource.to_lowercase() {
            let about = format!("`{resource}` is no resource: resources are plural words in lower case");
            findings.error("T605", at(resource), about).hint(format!("write `{}s`", resource.to_lowercase()));
        }
    }
}
