//! Rules about quantities: what the API server would refuse, and what would make every pod be refused.

use std::collections::BTreeMap;

use super::{Check, Check::Stage, Rule, limits};
use crate::diagnostic::Findings;
use crate::names::{is_dns_subdomain, is_qualified};
use crate::place::Place;
use crate::plan::{Placed, Plan, TenantPlan, TierPlan};
use crate::yaml::shape::{closest, list};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T301",
        title: "no quantity",
        why: "The API server would refuse it.",
        fix: "Write a number with one of Kubernetes' suffixes: `500m`, `20`, `2Gi`, `1G`.",
        check: Stage,
    },
    Rule {
        id: "T302",
        title: "a negative quantity",
        why: "The API server would refuse it.",
        fix: "Write a quantity from 0 up.",
        check: Stage,
    },
    Rule {
        id: "T303",
        title: "a fraction of what comes whole",
        why: "Objects are counted in whole numbers, memory and storage in whole bytes, CPU in thousandths; `512m` of memory is \
              half a byte.",
        fix: "Write a whole number; `Mi` and `Gi` for memory and storage.",
        check: Check::Plan(whole),
    },
    Rule {
        id: "T304",
        title: "a limit above the quota",
        why: "A container that states nothing gets the default limit. If that is more than the namespace may use in all, no pod \
              starts, and nobody sees why.",
        fix: "Lower the limit, or raise the quota.",
        check: Check::Plan(above_quota),
    },
    Rule {
        id: "T305",
        title: "a tenant's quota above its tier's",
        why: "A tenant may lower its own ceilings; raising them is the platform's decision, which the Tier's `quotaMax` states.",
        fix: "Choose a larger tier, or have the platform team raise `quotaMax`.",
        check: Check::Tenant(above_tier),
    },
    Rule {
        id: "T306",
        title: "an object that no quota counts",
        why: "The API server refuses a quota with a key that it does not know.",
        fix: "Write `secrets`, `configmaps`, `services`, `persistentvolumeclaims`, `replicationcontrollers`, `resourcequotas`, or \
              `count/` with the plural and the group, such as `count/deployments.apps`.",
        check: Check::Plan(countable),
    },
    Rule {
        id: "T307",
        title: "limits that contradict each other",
        why: "The API server refuses a LimitRange whose default is above its maximum, whose minimum is above its default, or \
              whose ratio is below 1.",
        fix: "Keep min ≤ default request ≤ default ≤ max, for each resource.",
        check: Check::Tier(limits::contradictions),
    },
    Rule {
        id: "T308",
        title: "unknown class",
        why: "A quota for a storage class that the cluster does not have bounds nothing.",
        fix: "Name one of the Platform's `storageClasses`, or add it there.",
        check: Check::Tier(classes),
    },
    Rule {
        id: "T309",
        title: "load balancers without node ports",
        why: "A Service of type LoadBalancer takes node ports unless it says `allocateLoadBalancerNodePorts: false`; with \
              `nodePorts: 0` the quota refuses it.",
        fix: "Tell the tenants of this tier to set `allocateLoadBalancerNodePorts: false`, or leave `loadBalancers` out.",
        check: Check::Tier(load_balancers),
    },
    Rule {
        id: "T310",
        title: "pods that have to state everything",
        why: "With a quota on CPU, memory or ephemeral storage, the API server refuses every container that states no request \
              and limit for it, unless a LimitRange fills them in.",
        fix: "Add `limitRange.container.default` for the resource.",
        check: Check::Tier(limits::defaults),
    },
    Rule {
        id: "T311",
        title: "a ceiling below what the platform puts there",
        why: "Quotas, policies and roles of the platform count as well: the API server would refuse what no longer fits.",
        fix: "Raise the ceiling to the number in the message, plus what tenants need.",
        check: Check::Plan(own_objects),
    },
];

/// How many objects the platform itself, or Kubernetes, puts into a namespace of a tier, by key of ResourceQuota.
pub fn own(key: &str, tier: &TierPlan) -> usize {
    match key.strip_prefix("count/").unwrap_or(key) {
        "resourcequotas" => 1 + tier.scoped.len(),
        // `kube-root-ca.crt`
        "configmaps" => 1,
        "limitranges" | "serviceaccounts" => 1,
        "roles.rbac.authorization.k8s.io" | "rolebindings.rbac.authorization.k8s.io" => 3,
        // `tenant-isolation` and six `tenant-allow-…`
        "networkpolicies.networking.k8s.io" => 7,
        _ => 0,
    }
}

fn own_objects(plan: &Plan, findings: &mut Findings) {
    let mut look = |key: &str, (ceiling, at): &Placed, tier: &TierPlan| {
        let least = own(key, tier);
        if ceiling.nanos() < i128::try_from(least).unwrap_or(i128::MAX).saturating_mul(1_000_000_000) {
            let about = format!("`{key}: {ceiling}` is below {least}, which the platform itself needs");
            findings.error("T311", at.clone(), about).hint("raise it");
        }
    };
    for tier in plan.tiers.values() {
        tier.hard.iter().for_each(|(key, placed)| look(key, placed, tier));
    }
    for namespace in plan.tenants.iter().flat_map(|tenant| &tenant.namespaces) {
        namespace.own.iter().for_each(|(key, placed)| look(key, placed, &namespace.tier));
    }
}

/// Keys of ResourceQuota that count objects without `count/`.
const COUNTED: [&str; 6] =
    ["configmaps", "persistentvolumeclaims", "replicationcontrollers", "resourcequotas", "secrets", "services"];

/// Resources of the core group that `count/` counts.
const CORE: [&str; 12] = [
    "configmaps",
    "endpoints",
    "events",
    "limitranges",
    "persistentvolumeclaims",
    "pods",
    "podtemplates",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "serviceaccounts",
    "services",
];

/// Whether a key of ResourceQuota or LimitRange counts in bytes or counts objects; CPU is finer.
fn is_whole(key: &str) -> bool {
    !matches!(key, "cpu" | "requests.cpu" | "limits.cpu")
}

/// What the author calls a key: `memory` stands for both `requests.memory` and `limits.memory`, and is spoken of once.
pub(super) fn typed(key: &str) -> &str {
    match key.split_once('.') {
        Some(("requests" | "limits", name @ ("cpu" | "memory" | "ephemeral-storage" | "storage"))) => name,
        _ => key,
    }
}

fn whole(plan: &Plan, findings: &mut Findings) {
    let mut look = |name: &str, (quantity, at): &Placed| {
        let (fits, unit, hint) = if is_whole(name) {
            (quantity.is_whole(), "whole numbers", "write memory and storage as `128Mi`, counts as `20`")
        } else {
            (quantity.is_milli(), "thousandths", "write CPU as `500m` or `2`")
        };
        if !fits {
            let about = format!("`{quantity}` is a fraction; `{}` is counted in {unit}", typed(name));
            findings.error("T303", at.clone(), about).hint(hint);
        }
    };
    for tier in plan.tiers.values() {
        let scoped = tier.scoped.iter().map(|quota| &quota.hard);
        for hard in [&tier.hard, &tier.max].into_iter().chain(scoped) {
            hard.iter().for_each(|(key, placed)| look(key, placed));
        }
        let limits = &tier.limits;
        let bounds = [&limits.default, &limits.default_request, &limits.max, &limits.min, &limits.pod_max];
        for values in bounds.into_iter().chain([&limits.claim_min, &limits.claim_max]) {
            values.iter().for_each(|(key, placed)| look(key, placed));
        }
    }
    for namespace in plan.tenants.iter().flat_map(|tenant| &tenant.namespaces) {
        namespace.own.iter().for_each(|(key, placed)| look(key, placed));
    }
}

/// What a container, a pod or a claim may have, and the ceiling of the namespace that it has to fit in.
fn above_quota(plan: &Plan, findings: &mut Findings) {
    let nothing = BTreeMap::new();
    let tiers = plan.tiers.values().map(|tier| (&**tier, &tier.hard, &nothing));
    // Who lowers no ceiling has the tier's.
    let namespaces = plan.tenants.iter().flat_map(|tenant| &tenant.namespaces).filter(|n| !n.own.is_empty());
    for (tier, hard, own) in tiers.chain(namespaces.map(|n| (&*n.tier, &n.hard, &n.own))) {
        let limits = &tier.limits;
        let mut look = |what: &str, values: &BTreeMap<&'static str, Placed>, prefix: &str| {
            for (resource, (limit, at)) in values {
                let key = format!("{prefix}{resource}");
                let Some((ceiling, place)) = hard.get(&key).filter(|(ceiling, _)| limit > ceiling) else {
                    continue;
                };
                let about = format!("{what} `{resource}: {limit}` is above the quota `{key}: {ceiling}`");
                // Where the tenant itself lowered the ceiling, that is where to look.
                let lowered = own.contains_key(&key);
                let (at, other) = if lowered { (place, at) } else { (at, place) };
                findings
                    .error("T304", at.clone(), about)
                    .related(other.clone(), if lowered { "the limit" } else { "the quota" })
                    .hint("lower the limit, or raise the quota");
            }
        };
        look("the container's default", &limits.default, "limits.");
        look("the container's default request", &limits.default_request, "requests.");
        look("the container's maximum", &limits.max, "limits.");
        look("the container's minimum", &limits.min, "requests.");
        look("the pod's maximum", &limits.pod_max, "limits.");
        look("the claim's minimum", &limits.claim_min, "requests.");
        look("the claim's maximum", &limits.claim_max, "requests.");
    }
}

fn above_tier(_: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    for namespace in &tenant.namespaces {
        let tier = &namespace.tier;
        for (key, (own, at)) in &namespace.own {
            // What the tier does not govern, a tenant may still bound for itself.
            let Some((ceiling, place)) = tier.max.get(key).or_else(|| tier.hard.get(key)) else { continue };
            if own > ceiling {
                let which = if tier.max.contains_key(key) { "quotaMax" } else { "quota" };
                let about = format!("`{}: {own}` is above the {which} of tier `{}`, {ceiling}", typed(key), tier.name);
                findings
                    .error("T305", at.clone(), about)
                    .related(place.clone(), "the tier's ceiling")
                    .hint("lower it, or choose a larger tier");
            }
        }
    }
}

fn countable(plan: &Plan, findings: &mut Findings) {
    let mut look = |name: &str, at: Place| {
        // Without a group it is the core group's, which has these alone: `count/deployments` would count nothing.
        let counted = name
            .strip_prefix("count/")
            .is_some_and(|rest| is_dns_subdomain(rest) && (rest.contains('.') || CORE.contains(&rest)));
        if counted || COUNTED.contains(&name) {
            return;
        }
        let unknown = findings.error("T306", at, format!("no quota counts `{name}`"));
        let own = match name {
            "pods" => Some("`pods` is a field of `quota` itself".to_owned()),
            "services.loadbalancers" => Some("write `loadBalancers`, a field of `quota` itself".to_owned()),
            "services.nodeports" => Some("write `nodePorts`, a field of `quota` itself".to_owned()),
            "storage" | "requests.storage" => Some("write `storage`, a field of `quota` itself".to_owned()),
            _ => closest(name, COUNTED.into_iter()).map(|close| format!("did you mean `{close}`?")),
        };
        let all = || format!("write {}, or `count/…` such as `count/deployments.apps`", list(COUNTED.into_iter()));
        unknown.hint(own.unwrap_or_else(all));
    };
    for tier in plan.tiers.values() {
        let spec = &tier.doc.content.spec;
        for name in spec.quota.objects.keys().chain(spec.quota_max.objects.keys()) {
            look(name, tier.doc.at(name.span));
        }
    }
    for tenant in &plan.tenants {
        let spec = &tenant.doc.content.spec;
        let entries = spec.namespaces.iter().flat_map(|entry| entry.quota.objects.keys());
        for name in spec.quota.objects.keys().chain(entries) {
            look(name, tenant.doc.at(name.span));
        }
    }
}

fn classes(plan: &Plan, tier: &TierPlan, findings: &mut Findings) {
    let quota = &tier.doc.content.spec.quota;
    let known = plan.platform.doc.content.spec.storage_classes.as_ref();
    for class in quota.storage_classes.iter().flat_map(BTreeMap::keys) {
        let listed = known.is_none_or(|known| known.iter().any(|k| k == class));
        if !listed {
            let about = format!("the Platform's `storageClasses` has no `{class}`");
            findings.error("T308", tier.doc.at(class.span), about).hint("correct the name, or add the class there");
        }
    }
    let priorities = quota.priority_classes.iter().flat_map(BTreeMap::keys);
    let volumes = quota.volume_attributes_classes.iter().flat_map(BTreeMap::keys);
    let devices = quota.device_classes.keys().chain(quota.storage_classes.iter().flat_map(BTreeMap::keys));
    for class in priorities.chain(volumes).chain(devices) {
        if !is_dns_subdomain(class) || class.len() > 200 {
            findings.error("T308", tier.doc.at(class.span), format!("`{class}` is no name of a class"));
        }
    }
    for resource in quota.extended_resources.keys() {
        let bare = resource.strip_prefix("requests.");
        let qualified = is_qualified(resource) && resource.contains('/');
        if bare.is_some() || !qualified || resource.contains("kubernetes.io/") {
            findings.error("T308", tier.doc.at(resource.span), format!("`{resource}` is no extended resource")).hint(
                match bare {
                    Some(bare) => format!("write `{bare}`; `requests.` is added"),
                    None => "write a name with a domain, such as `nvidia.com/gpu`".to_owned(),
                },
            );
        }
    }
    if quota.storage_classes.is_some() && known.is_none() {
        let at = quota.storage_classes.iter().flat_map(BTreeMap::keys).next();
        let at = tier.doc.at(at.map_or(tier.doc.content.spec.span, |k| k.span));
        findings
            .error("T308", at, "the Tier lists storage classes, and the Platform does not say which there are")
            .hint("add `storageClasses` to the Platform: the others are closed by name");
    }
}

fn load_balancers(_: &Plan, tier: &TierPlan, findings: &mut Findings) {
    let hard = |key: &str| tier.hard.get(key);
    let (Some((balancers, at)), Some((ports, place))) = (hard("services.loadbalancers"), hard("services.nodeports"))
    else {
        return;
    };
    if !balancers.is_zero() && ports.is_zero() {
        findings
            .warning("T309", at.clone(), "a load balancer takes node ports, of which this tier allows none")
            .related(place.clone(), "here")
            .hint("its Services have to set `allocateLoadBalancerNodePorts: false`");
    }
}
