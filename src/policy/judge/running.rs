//! Pods that run already: what would be said of each if it were made anew today, and of how many of one making. And what tenants
//! wrote themselves, which stays when its tenant file no longer says it.
//!
//! Policies and Pod Security are asked, and the quotas of pods of some kind, such as a priority class: whether there may be any.
//! Core validation has taken the pod, the other quotas count it already, and what the LimitRange fills in for the next one is not
//! what it filled in for this one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::case::Case;
use super::{Layer, Objection, managed, objections_by, quota};
use crate::identity::group_of;
use crate::policy::manifests::Surroundings;

/// The layers that are asked.
const LAYERS: [Layer; 2] = [Layer::PodSecurity, Layer::Policies];

/// What makes pods, and where: `Deployment web` in a namespace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The namespace.
    pub namespace: String,
    /// Its kind and name; of a pod that nothing makes anew, its own.
    pub owner: String,
}

/// What a layer would say of a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Whether it refuses; else it warns.
    pub refuses: bool,
    /// The layer.
    pub layer: Layer,
    /// Id of a policy or control.
    pub rule: &'static str,
    /// In the layer's words.
    pub message: String,
}

impl Complaint {
    fn of(objection: Objection) -> Complaint {
        let Objection { refuses, layer, rule, message, .. } = objection;
        Complaint { refuses, layer, rule, message }
    }
}

/// Pods of one making of which the same would be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pods {
    /// How many.
    pub count: usize,
    /// The name of one of them, the first by name.
    pub one: String,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Running {
    /// By what makes them, and by what would be said.
    pub found: BTreeMap<(Origin, Vec<Complaint>), Pods>,
    /// NetworkPolicies and RoleBindings of tenants' own that would be refused: by the namespace, with kind and name.
    pub own: BTreeMap<Origin, Vec<Complaint>>,
    /// How many of those were looked at.
    pub own_judged: usize,
    /// Those that say that they are rendered, and are not.
    pub left: BTreeSet<Origin>,
    /// How many pods of tenants were looked at.
    pub judged: usize,
    /// How many pods of tenants have ended, or are being deleted: nobody asks about them any more.
    pub ended: usize,
    /// How many are in namespaces that are no tenant's in `tenants/`.
    pub elsewhere: usize,
}

impl Running {
    /// Takes a pod as the API server has it; `around` is what is known of its namespace.
    pub fn take(&mut self, pod: &Value, around: Option<Surroundings<'_>>) {
        let Some(Surroundings { standing, guardrails }) = around else {
            self.elsewhere += 1;
            return;
        };
        let has_ended = pod["status"]["phase"].as_str().is_some_and(|phase| ["Succeeded", "Failed"].contains(&phase));
        if has_ended || pod["metadata"]["deletionTimestamp"].is_string() {
            self.ended += 1;
            return;
        }
        self.judged += 1;
        let mut made = pod.clone();
        // Items of a list do not say what they are.
        (made["apiVersion"], made["kind"]) = ("v1".into(), "Pod".into());
        // Debuggers are gone with the pod, and on which node it is, others have said.
        if let Some(spec) = made["spec"].as_object_mut() {
            spec.remove("ephemeralContainers");
            spec.remove("nodeName");
        }
        if is_of_daemon_set(&made) {
            unpin(&mut made["spec"]);
        }
        let case = Case::new(&made, guardrails, standing);
        let mut objections = objections_by(&case, &LAYERS);
        objections.extend(quota::ask_of_scopes(&case));
        if objections.is_empty() {
            return;
        }
        let complaints = objections.into_iter().map(Complaint::of);
        let name = pod["metadata"]["name"].as_str().unwrap_or_default();
        let pods = self
            .found
            .entry((origin(pod, name), complaints.collect()))
            .or_insert(Pods { count: 0, one: name.to_owned() });
        pods.count += 1;
        if name < pods.one.as_str() {
            name.clone_into(&mut pods.one);
        }
    }

    /// Takes a NetworkPolicy or a RoleBinding that is not rendered, as if a tenant wrote it anew: of a list, that does not say
    /// its kind.
    pub fn take_own(&mut self, object: &Value, api_version: &str, kind: &str, around: Option<Surroundings<'_>>) {
        let Some(Surroundings { standing, guardrails }) = around else { return };
        let is_marked = managed::is_marked(object);
        let is_known = guardrails.is_some_and(|around| managed::is_known(group_of(api_version), kind, object, around));
        // In the place of what is rendered, with its mark or without, who applies that has the last word: nobody is to delete it.
        if object["metadata"]["deletionTimestamp"].is_string() || is_known {
            return;
        }
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let origin = Origin { namespace: text("namespace").to_owned(), owner: format!("{kind} {}", text("name")) };
        if is_marked {
            self.left.insert(origin);
            return;
        }
        self.own_judged += 1;
        let mut object = object.clone();
        (object["apiVersion"], object["kind"]) = (api_version.into(), kind.into());
        let objections = objections_by(&Case::new(&object, guardrails, standing), &[Layer::Policies]);
        if objections.is_empty() {
            return;
        }
        // People look for who it is: the place stands with the words.
        let told = objections.into_iter().map(|objection| {
            let message = format!("{}: {}", objection.path, objection.message);
            Complaint { message, ..Complaint::of(objection) }
        });
        self.own.insert(origin, told.collect());
    }

    /// Takes what was found in other namespaces.
    pub fn add(&mut self, other: Running) {
        self.found.extend(other.found);
        self.own.extend(other.own);
        self.own_judged += other.own_judged;
        self.left.extend(other.left);
        self.judged += other.judged;
        self.ended += other.ended;
        self.elsewhere += other.elsewhere;
    }

    /// How many pods would be refused.
    pub fn refused(&self) -> usize {
        let refused = self.found.iter().filter(|((_, complaints), _)| complaints.iter().any(|c| c.refuses));
        refused.map(|(_, pods)| pods.count).sum()
    }

    /// How many pods would be warned of, and made.
    pub fn warned(&self) -> usize {
        self.found.values().map(|pods| pods.count).sum::<usize>() - self.refused()
    }
}

/// Whether a DaemonSet controls a pod.
pub fn is_of_daemon_set(pod: &Value) -> bool {
    let owners = pod["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    let mut sets = owners.filter(|owner| owner["controller"] == true && owner["kind"] == "DaemonSet");
    sets.any(|owner| owner["apiVersion"].as_str().is_some_and(|version| version.starts_with("apps/")))
}

/// Takes out what the controller of DaemonSets put into a pod to bind it to its node.
///
/// Source: `ReplaceDaemonSetPodNodeNameNodeAffinity` in `pkg/controller/daemon/util/daemonset_util.go` of kubernetes/kubernetes
pub fn unpin(spec: &mut Value) {
    let required = "/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution/nodeSelectorTerms";
    for term in spec.pointer_mut(required).and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(fields) = term.as_object_mut() {
            fields.remove("matchFields");
        }
    }
}

/// What makes a pod anew. A ReplicaSet whose name ends with the hash that it gives its pods is a Deployment's: so Deployments
/// name theirs.
fn origin(pod: &Value, name: &str) -> Origin {
    let metadata = &pod["metadata"];
    let owners = metadata["ownerReferences"].as_array().map_or(&[][..], Vec::as_slice);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let owner = match owners.iter().find(|owner| owner["controller"] == true) {
        None => format!("Pod {name}"),
        Some(owner) => {
            let (kind, name) = (text(&owner["kind"]), text(&owner["name"]));
            let hash = metadata["labels"]["pod-template-hash"].as_str().filter(|_| kind == "ReplicaSet");
            match hash.and_then(|hash| name.strip_suffix(hash)?.strip_suffix('-')) {
                Some(deployment) => format!("Deployment {deployment}"),
                None => format!("{kind} {name}"),
            }
        }
    };
    Origin { namespace: text(&metadata["namespace"]), owner }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Running;
    use crate::contract::admission::Mode;
    use crate::policy::judge::guardrails::Guardrails;
    use crate::policy::manifests::Surroundings;
    use crate::policy::restrictions::{Allowed, Lists};
    use crate::policy::standing::Standing;

    fn pod(name: &str, more: Value) -> Value {
        let mut pod = json!({
            "metadata": {
                "name": name, "namespace": "tenant-acme-x", "labels": {"pod-template-hash": "5d8"},
                "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d8", "controller": true}],
            },
            "spec": {"containers": [{"name": "a", "image": "a:1"}], "ephemeralContainers": [{"name": "debugger"}]},
            "status": {"phase": "Running"},
        });
        for (pointer, value) in more.as_object().into_iter().flatten() {
            *pod.pointer_mut(pointer).expect("a place") = value.clone();
        }
        pod
    }

    const AROUND: Option<Surroundings<'static>> =
        Some(Surroundings { standing: Standing::UNLESS_SAID, guardrails: None });

    #[test]
    fn pods_of_one_making_are_told_once() {
        let mut running = Running::default();
        let good = json!({"/spec/containers": [{
            "name": "a", "image": "a:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            "securityContext": {"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false},
        }]});
        for pod in [
            pod("web-5d8-b", json!({})),
            pod("web-5d8-a", json!({})),
            pod("web-5d8-good", good),
            pod("lone", json!({"/metadata/ownerReferences": []})),
            pod("over", json!({"/status/phase": "Succeeded"})),
        ] {
            running.take(&pod, AROUND);
        }
        running.take(&pod("elsewhere", json!({})), None);
        assert_eq!(
            [running.judged, running.ended, running.elsewhere, running.refused(), running.warned()],
            [4, 1, 1, 3, 0]
        );
        let all: Vec<String> = running
            .found
            .iter()
            .map(|((origin, complaints), pods)| {
                assert!(complaints.iter().all(|c| c.message.starts_with("Container a ")), "{complaints:?}");
                format!("{}: {} {} ({})", origin.namespace, pods.count, origin.owner, pods.one)
            })
            .collect();
        assert_eq!(all, ["tenant-acme-x: 2 Deployment web (web-5d8-a)", "tenant-acme-x: 1 Pod lone (lone)"]);
    }

    /// A quota of some pods alone says that there are to be none; that there are no more than so many, is of the whole namespace.
    #[test]
    fn quotas_of_some_pods_are_asked() {
        let quota = |name: &str, more: Value| json!({"kind": "ResourceQuota", "metadata": {"name": name}, "spec": {"hard": {"pods": "0"}, "scopeSelector": more}});
        let scope = json!({"matchExpressions": [{"scopeName": "CrossNamespacePodAffinity", "operator": "Exists"}]});
        let guardrails = Guardrails::of([quota("all", Value::Null), quota("some", scope)].iter(), true);
        let term = json!({"topologyKey": "zone", "namespaceSelector": {}});
        let affinity = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
        let of_quotas = |spec: Value| -> Vec<String> {
            let mut running = Running::default();
            let around = Surroundings { standing: Standing::UNLESS_SAID, guardrails: Some(&guardrails) };
            running.take(&pod("a", json!({"/spec": spec})), Some(around));
            let all = running.found.into_keys().flat_map(|(_, complaints)| complaints);
            all.filter(|complaint| complaint.rule == "A501").map(|complaint| complaint.message).collect()
        };
        let containers = json!([{"name": "a", "image": "a:1"}]);
        assert_eq!(of_quotas(json!({"containers": containers})), [""; 0]);
        let told = of_quotas(json!({"containers": containers, "affinity": affinity}));
        assert_eq!(told, ["exceeded quota: some, requested: pods=1, limited: pods=0"]);
    }

    /// On which node a pod is, the scheduler has said, or the controller of DaemonSets; what else it asks for, it asks for anew.
    #[test]
    fn where_a_pod_is_nobody_asked_for() {
        let none = || Allowed { list: Vec::new(), mode: Mode::Deny };
        let lists: Lists = [("node-names", none()), ("node-selectors", none())].into();
        let around =
            || Some(Surroundings { standing: Standing { lists: &lists, ..Standing::UNLESS_SAID }, guardrails: None });
        let by_name = json!({"key": "metadata.name", "operator": "In", "values": ["node-7"]});
        let spec = json!({
            "nodeName": "node-7", "containers": [{"name": "a", "image": "a:1"}],
            "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution":
                {"nodeSelectorTerms": [{"matchFields": [by_name]}]}}},
        });
        let owners = |kind: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": "x", "controller": true}]);
        for (kind, expected) in
            [("DaemonSet", &[][..]), ("ReplicaSet", &["node selector 'metadata.name=node-7' is not allowed"])]
        {
            let mut running = Running::default();
            running.take(&pod("a", json!({"/spec": spec, "/metadata/ownerReferences": owners(kind)})), around());
            let of_lists =
                running.found.keys().flat_map(|(_, complaints)| complaints).filter(|c| lists.contains_key(c.rule));
            let words: Vec<&str> = of_lists.map(|complaint| complaint.message.as_str()).collect();
            assert_eq!(words, expected, "{kind}");
        }
    }
}
