//! The quotas: what an object takes of each ceiling, what they make mandatory, and what all objects take together.
//!
//! What a namespace uses already is not known here: an object is held against an empty one. Source: `CheckRequest` of
//! Kubernetes' `plugin/pkg/admission/resourcequota/controller.go`, evaluators of its `pkg/quota/v1/evaluator/core`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::amounts::{Amounts, add, amounts, listed, of_pod};
use super::case::{Case, PodCase, containers};
use super::guardrails::{Guardrails, Quota, Scope};
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom};
use crate::quantity::Quantity;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "A501",
        title: "one object that takes more than there is",
        why: "The quota of a namespace bounds what all its objects take together; this one alone takes more, or is of a kind \
              that it allows none of.",
        fix: "Lower what it asks for, or have the tier's or tenant's `quota` raised.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A502",
        title: "a container without what the quota counts",
        why: "Where a quota bounds cpu or memory, every container has to say how much it takes.",
        fix: "State it, or have the tier's `limitRange` give a default.",
        check: ByLayer,
        refused: &[],
    },
    Rule {
        id: "A503",
        title: "objects that together take more than there is",
        why: "Each of them fits, but not all of them at a time: the last ones are refused. CronJobs are not counted, and of \
              a DaemonSet one pod is.",
        fix: "Lower replicas or what each asks for, or have the quota raised.",
        check: ByLayer,
        refused: &[],
    },
];

/// What the quotas have against an object: what is mandatory comes before what is too much.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    asked(case, |_| true)
}

/// The same, by the quotas of some objects alone: those of a priority class, or whose affinity looks at other namespaces.
pub fn ask_of_scopes(case: &Case<'_>) -> Vec<Objection> {
    asked(case, |quota| !quota.scopes.is_empty())
}

fn asked(case: &Case<'_>, is_asked: fn(&Quota) -> bool) -> Vec<Objection> {
    let Some(around) = case.around else { return Vec::new() };
    let quotas: Vec<&Quota> = around.quotas.iter().filter(|quota| is_asked(quota)).collect();
    let mut all = Vec::new();
    for item in items(case).iter().filter(|item| item.is_one) {
        for quota in quotas.iter().filter(|quota| item.matches(quota)) {
            all.extend(item.pod.and_then(|pod| missing(quota, pod)));
        }
        for quota in quotas.iter().filter(|quota| item.matches(quota)) {
            let taken = taken(&item.amounts, quota);
            let exceeded: BTreeSet<&String> = over(&taken, quota).collect();
            if !exceeded.is_empty() {
                let of = |amounts: &Amounts| listed(amounts.iter().filter(|(key, _)| exceeded.contains(key)));
                let message =
                    format!("exceeded quota: {}, requested: {}, limited: {}", quota.name, of(&taken), of(&quota.hard));
                let mut told = objection("A501", true, item.whom, item.path.clone(), message);
                if quota.scopes.iter().any(|scope| scope.name == ELSEWHERE) {
                    told.path.push_str(".affinity");
                    told.fix = "Take `namespaces` and `namespaceSelector` out of the terms of its affinity, or have the tier's \
                                `quota.crossNamespaceAffinity` raised.".to_owned();
                }
                all.push(told);
            }
        }
    }
    all
}

/// What objects of one namespace take together: a warning for each quota that has not enough, though each of them alone fits.
pub fn together(cases: &[Case<'_>], around: &Guardrails) -> Vec<String> {
    let mut said = Vec::new();
    for quota in &around.quotas {
        let (mut sum, mut alone) = (Amounts::new(), BTreeSet::new());
        for case in cases {
            for item in items(case).iter().filter(|item| item.matches(quota)) {
                let taken = taken(&item.amounts, quota);
                if item.is_one {
                    alone.extend(over(&taken, quota).cloned());
                }
                if item.times == 0 {
                    continue;
                }
                let times = |amount: &Quantity| amount.with_nanos(amount.nanos().saturating_mul(item.times.into()));
                add(&mut sum, &taken.iter().map(|(key, amount)| (key.clone(), times(amount))).collect());
            }
        }
        let exceeded: BTreeSet<&String> = over(&sum, quota).filter(|key| !alone.contains(*key)).collect();
        if !exceeded.is_empty() {
            let of = |amounts: &Amounts| listed(amounts.iter().filter(|(key, _)| exceeded.contains(key)));
            said.push(format!(
                "together, these objects exceed quota {}: requested: {}, limited: {}",
                quota.name,
                of(&sum),
                of(&quota.hard)
            ));
        }
    }
    said
}

/// Something that quotas count: an object, or one of those that come of it.
struct Item<'c> {
    /// What it takes of each key.
    amounts: Amounts,
    /// The pod.
    pod: Option<&'c PodCase>,
    /// The claim.
    claim: Option<&'c Value>,
    whom: Whom,
    path: String,
    /// How many of it there are at a time.
    times: u32,
    /// Whether it is judged alone too.
    is_one: bool,
}

/// The most of one thing that is added up, which is more than any namespace has.
const MOST: u64 = 100_000;

fn items<'c>(case: &'c Case<'_>) -> Vec<Item<'c>> {
    let one = Quantity::parse("1").unwrap_or(Quantity::ZERO);
    let mut all = Vec::new();
    let spec = &case.value["spec"];
    let count = |field: &str| spec[field].as_u64().unwrap_or(1).min(MOST);
    let times = u32::try_from(match case.kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController" => count("replicas"),
        "Job" => count("parallelism").min(spec["completions"].as_u64().unwrap_or(MOST)),
        "Pod" | "DaemonSet" => 1,
        _ => 0,
    })
    .unwrap_or_default();
    let own_name = if case.group().is_empty() {
        format!("count/{}", case.resource())
    } else {
        format!("count/{}.{}", case.resource(), case.group())
    };
    if case.pod.as_ref().is_none_or(|pod| pod.whom == Whom::Pods) {
        let mut amounts = Amounts::from([(own_name, one)]);
        let core = case.group().is_empty();
        if core && matches!(case.kind, "ConfigMap" | "Secret" | "ResourceQuota" | "ReplicationController") {
            amounts.insert(case.resource(), one);
        }
        let is_claim = core && case.kind == "PersistentVolumeClaim";
        if core && case.kind == "Service" {
            service(spec, one, &mut amounts);
        } else if is_claim {
            claim(case.value, one, &mut amounts);
        }
        let claim = is_claim.then_some(case.value);
        let path = "metadata.name".to_owned();
        all.push(Item { amounts, pod: None, claim, whom: Whom::Object, path, times: 1, is_one: true });
    }
    let Some(pod) = &case.pod else { return all };
    let path = pod.at("spec");
    let amounts = of_one_pod(&pod.value["spec"], one);
    // No replicas, no pod that could be refused.
    let is_one = times > 0 || case.kind == "CronJob" || case.kind == "PodTemplate";
    all.push(Item { amounts, pod: Some(pod), claim: None, whom: pod.whom, path, times, is_one });
    for (index, template) in spec["volumeClaimTemplates"].as_array().into_iter().flatten().enumerate() {
        let mut amounts = Amounts::from([("count/persistentvolumeclaims".to_owned(), one)]);
        claim(template, one, &mut amounts);
        let path = format!("spec.volumeClaimTemplates[{index}]");
        all.push(Item { amounts, pod: None, claim: Some(template), whom: Whom::Claims, path, times, is_one });
    }
    all
}

fn of_one_pod(spec: &Value, one: Quantity) -> Amounts {
    let mut all = Amounts::from([("pods".to_owned(), one), ("count/pods".to_owned(), one)]);
    for (resource, amount) in of_pod(spec, "requests") {
        if matches!(resource.as_str(), "cpu" | "memory" | "ephemeral-storage") || resource.starts_with("hugepages-") {
            all.insert(resource.clone(), amount);
        }
        all.insert(format!("requests.{resource}"), amount);
    }
    for (resource, amount) in of_pod(spec, "limits") {
        if matches!(resource.as_str(), "cpu" | "memory" | "ephemeral-storage") {
            all.insert(format!("limits.{resource}"), amount);
        }
    }
    all
}

fn service(spec: &Value, one: Quantity, amounts: &mut Amounts) {
    let ports = spec["ports"].as_array().map_or(&[][..], Vec::as_slice);
    let of = spec["type"].as_str().unwrap_or_default();
    let node_ports = match of {
        "LoadBalancer" if spec["allocateLoadBalancerNodePorts"] == false => {
            ports.iter().filter(|port| port["nodePort"].as_u64().is_some_and(|port| port != 0)).count()
        }
        "LoadBalancer" | "NodePort" => ports.len(),
        _ => 0,
    };
    amounts.insert("services".to_owned(), one);
    if of == "LoadBalancer" {
        amounts.insert("services.loadbalancers".to_owned(), one);
    }
    if let Ok(node_ports) = Quantity::parse(&node_ports.to_string()) {
        amounts.insert("services.nodeports".to_owned(), node_ports);
    }
}

fn claim(claim: &Value, one: Quantity, amounts: &mut Amounts) {
    amounts.insert("persistentvolumeclaims".to_owned(), one);
    let spec = &claim["spec"];
    let class = claim["metadata"]["annotations"]["volume.beta.kubernetes.io/storage-class"].as_str();
    let class = class.or_else(|| spec["storageClassName"].as_str()).filter(|class| !class.is_empty());
    if let Some(class) = class {
        amounts.insert(format!("{class}.storageclass.storage.k8s.io/persistentvolumeclaims"), one);
    }
    if let Some(storage) = self::amounts(&spec["resources"]["requests"]).get("storage").copied() {
        amounts.insert("requests.storage".to_owned(), storage);
        if let Some(class) = class {
            amounts.insert(format!("{class}.storageclass.storage.k8s.io/requests.storage"), storage);
        }
    }
}

impl Item<'_> {
    fn matches(&self, quota: &Quota) -> bool {
        quota.scopes.iter().all(|scope| self.is_in(scope))
    }

    fn is_in(&self, scope: &Scope) -> bool {
        let class = match (scope.name.as_str(), self.pod, self.claim) {
            (ELSEWHERE, Some(pod), _) => return looks_elsewhere(&pod.value["spec"]["affinity"]),
            ("PriorityClass", Some(pod), _) => pod.value["spec"]["priorityClassName"].as_str(),
            ("VolumeAttributesClass", _, Some(claim)) => claim["spec"]["volumeAttributesClassName"].as_str(),
            // Of other scopes, and of other objects, nothing of ours is bounded.
            _ => return false,
        };
        let class = class.filter(|class| !class.is_empty());
        match scope.operator.as_str() {
            "Exists" => class.is_some(),
            "DoesNotExist" => class.is_none(),
            "NotIn" => class.is_none_or(|class| !scope.values.iter().any(|value| value == class)),
            _ => class.is_some_and(|class| scope.values.iter().any(|value| value == class)),
        }
    }
}

/// The scope of pods whose affinity looks at other namespaces.
const ELSEWHERE: &str = "CrossNamespacePodAffinity";

/// Whether a pod wants to be near, or not to be near, pods of namespaces that it names or selects. An empty selector selects all.
///
/// Source: `usesCrossNamespacePodAffinity` of Kubernetes' `pkg/quota/v1/evaluator/core/pods.go`
fn looks_elsewhere(affinity: &Value) -> bool {
    let is_elsewhere = |term: &Value| {
        term["namespaces"].as_array().is_some_and(|names| !names.is_empty()) || term["namespaceSelector"].is_object()
    };
    let each = |list: &'static str, of: &'static str| affinity[of][list].as_array().into_iter().flatten();
    ["podAffinity", "podAntiAffinity"].into_iter().any(|of| {
        each("requiredDuringSchedulingIgnoredDuringExecution", of).any(is_elsewhere)
            || each("preferredDuringSchedulingIgnoredDuringExecution", of)
                .any(|weighted| is_elsewhere(&weighted["podAffinityTerm"]))
    })
}

/// What of it a quota counts; nothing of what is none.
fn taken(amounts: &Amounts, quota: &Quota) -> Amounts {
    let counted = amounts.iter().filter(|(key, amount)| !amount.is_zero() && quota.hard.contains_key(*key));
    counted.map(|(key, amount)| (key.clone(), *amount)).collect()
}

/// Keys of which more is taken than there is.
fn over<'a>(taken: &'a Amounts, quota: &'a Quota) -> impl Iterator<Item = &'a String> {
    taken.iter().filter(|(key, amount)| quota.hard.get(*key).is_some_and(|hard| *amount > hard)).map(|(key, _)| key)
}

/// What has to be said wherever it is counted.
const MANDATORY: [(&str, &str, &str); 6] = [
    ("cpu", "requests", "cpu"),
    ("limits.cpu", "limits", "cpu"),
    ("limits.memory", "limits", "memory"),
    ("memory", "requests", "memory"),
    ("requests.cpu", "requests", "cpu"),
    ("requests.memory", "requests", "memory"),
];

fn missing(quota: &Quota, pod: &PodCase) -> Option<Objection> {
    let spec = &pod.value["spec"];
    // A pod that says it as a whole has said it.
    let whole = &spec["resources"];
    if [&whole["limits"], &whole["requests"]].iter().any(|map| !amounts(map).is_empty()) {
        return None;
    }
    let mut missing: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, field, resource) in MANDATORY.into_iter().filter(|(key, ..)| quota.hard.contains_key(*key)) {
        for container in containers(spec).filter(|c| c["resources"][field][resource].is_null()) {
            missing.entry(key).or_default().insert(container["name"].as_str().unwrap_or_default());
        }
    }
    if missing.is_empty() {
        return None;
    }
    let each = missing.iter().map(|(key, names)| {
        let names: Vec<&str> = names.iter().copied().collect();
        format!("{key} for: {}", names.join(","))
    });
    let message = format!("failed quota: {}: must specify {}", quota.name, each.collect::<Vec<_>>().join("; "));
    let path = pod.at("spec");
    Some(objection("A502", true, pod.whom, format!("{path}.containers"), message))
}

fn objection(rule: &'static str, refuses: bool, whom: Whom, path: String, message: String) -> Objection {
    let fix = super::find(rule).map_or("", |rule| rule.fix).to_owned();
    Objection { layer: Layer::Quota, rule, refuses, whom, path, message, fix }
}
