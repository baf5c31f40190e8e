//! `Case`: an object with the pod that comes of it, and what is known of where it goes.

use serde_json::{Value, json};

use super::Whom;
use super::amounts::Amounts;
use super::guardrails::Guardrails;
use crate::identity::group_of;
use crate::policy::standing::Standing;

/// Kinds that have pods, and where their pods' template stands.
const WITH_PODS: [(&str, &str, &[&str]); 9] = [
    ("v1", "Pod", &[]),
    ("v1", "PodTemplate", &["template"]),
    ("v1", "ReplicationController", &["spec", "template"]),
    ("apps/v1", "ReplicaSet", &["spec", "template"]),
    ("apps/v1", "Deployment", &["spec", "template"]),
    ("apps/v1", "StatefulSet", &["spec", "template"]),
    ("apps/v1", "DaemonSet", &["spec", "template"]),
    ("batch/v1", "Job", &["spec", "template"]),
    ("batch/v1", "CronJob", &["spec", "jobTemplate", "spec", "template"]),
];

/// An object that is judged.
pub struct Case<'a> {
    /// `apps/v1`
    pub api_version: &'a str,
    /// Its kind.
    pub kind: &'a str,
    /// The object, as it was written.
    pub value: &'a Value,
    /// The pod that comes of it.
    pub pod: Option<PodCase>,
    /// What stands in its namespace; `None`: nothing is known of it.
    pub around: Option<&'a Guardrails>,
    /// How the policies stand there.
    pub standing: Standing<'a>,
}

/// A pod as the layers behind the API server's own defaults and the LimitRange's see it.
pub struct PodCase {
    /// The whole pod.
    pub value: Value,
    /// Where it stands in the object: nothing, or `spec.template`.
    pub base: String,
    /// Whether it is the object itself, or what the object is to have.
    pub whom: Whom,
}

impl PodCase {
    /// Where a part of it stands in the object: `spec`, or `spec.template.spec`.
    pub fn at(&self, part: &str) -> String {
        if self.base.is_empty() { part.to_owned() } else { format!("{}.{part}", self.base) }
    }
}

impl<'a> Case<'a> {
    /// The case of an object; `value` is all of it.
    pub fn new(value: &'a Value, around: Option<&'a Guardrails>, standing: Standing<'a>) -> Case<'a> {
        let text = |key: &str| value[key].as_str().unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let mut case = Case { api_version, kind, value, pod: None, around, standing };
        if let Some((base, template)) = case.template() {
            let whom = if base.is_empty() { Whom::Object } else { Whom::Pods };
            let mut pod = template.clone();
            pod["apiVersion"] = json!("v1");
            pod["kind"] = json!("Pod");
            if !pod["metadata"].is_object() {
                pod["metadata"] = json!({});
            }
            if pod["metadata"]["name"].is_null() {
                pod["metadata"]["name"] = value["metadata"]["name"].clone();
            }
            fill(&mut pod["spec"], around);
            case.pod = Some(PodCase { value: pod, base, whom });
        }
        case
    }

    /// The pod as it was written, with where it stands; one that has no `spec` is none.
    pub fn template(&self) -> Option<(String, &'a Value)> {
        let (_, _, path) = row(self.api_version, self.kind)?;
        let template = path.iter().try_fold(self.value, |value, step| value.get(*step))?;
        template["spec"].is_object().then(|| (path.join("."), template))
    }

    /// The volume claims that come of it and of its pods, and where each stands.
    pub fn claims(&self) -> Vec<(String, &'a Value)> {
        let mut all = Vec::new();
        let mut each = |path: String, list: &'a Value, inner: &[&str]| {
            for (index, item) in list.as_array().into_iter().flatten().enumerate() {
                if let Some(claim) = inner.iter().try_fold(item, |value, step| value.get(*step)) {
                    let steps = inner.iter().map(|step| format!(".{step}")).collect::<String>();
                    all.push((format!("{path}[{index}]{steps}"), claim));
                }
            }
        };
        if self.kind == "StatefulSet" {
            each("spec.volumeClaimTemplates".to_owned(), &self.value["spec"]["volumeClaimTemplates"], &[]);
        }
        if let Some((base, template)) = self.template() {
            let path = if base.is_empty() { "spec.volumes".to_owned() } else { format!("{base}.spec.volumes") };
            each(path, &template["spec"]["volumes"], &["ephemeral", "volumeClaimTemplate"]);
        }
        all
    }

    /// Its resource in the plural, as kinds are called by convention: `networkpolicies`.
    pub fn resource(&self) -> String {
        plural(self.kind)
    }

    /// Its API group; empty for the core group.
    pub fn group(&self) -> &'a str {
        group_of(self.api_version)
    }
}

fn row(api_version: &str, kind: &str) -> Option<(&'static str, &'static str, &'static [&'static str])> {
    WITH_PODS.into_iter().find(|(version, known, _)| (*version, *known) == (api_version, kind))
}

/// Whether objects of that kind are, or have, pods.
pub fn has_pods(api_version: &str, kind: &str) -> bool {
    row(api_version, kind).is_some()
}

/// As `kubectl` and the API server guess it too.
///
/// Source: `UnsafeGuessKindToResource` of `k8s.io/apimachinery`
pub fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.strip_suffix('y') {
        _ if lower == "endpoints" => lower,
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    }
}

/// What the API server and the LimitRange fill in: requests from limits, then what containers without get.
///
/// Source: `SetDefaults_Pod` of Kubernetes' `pkg/apis/core/v1/defaults.go`, `PodMutateLimitFunc` of its
/// `plugin/pkg/admission/limitranger/admission.go`
fn fill(spec: &mut Value, around: Option<&Guardrails>) {
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array_mut().into_iter().flatten().filter(|c| c.is_object()) {
            let resources = &mut container["resources"];
            if !(resources.is_null() || resources.is_object()) {
                continue;
            }
            let stated = resources["limits"].clone();
            each_missing(
                &mut resources["requests"],
                stated.as_object().into_iter().flatten().map(|(k, v)| (k.as_str(), v.clone())),
            );
            let Some(around) = around else { continue };
            let amounts = |amounts: &Amounts| -> Vec<(String, Value)> {
                amounts.iter().map(|(k, v)| (k.clone(), json!(v.to_string()))).collect()
            };
            for (field, values) in [("limits", &around.limits.default), ("requests", &around.limits.default_request)] {
                let values = amounts(values);
                each_missing(&mut resources[field], values.iter().map(|(k, v)| (k.as_str(), v.clone())));
            }
        }
        // What was not there before is not there now.
        if spec[list].is_null()
            && let Some(fields) = spec.as_object_mut()
        {
            fields.remove(list);
        }
    }
}

fn each_missing<'v>(map: &mut Value, values: impl Iterator<Item = (&'v str, Value)>) {
    if !(map.is_null() || map.is_object()) {
        return;
    }
    for (key, value) in values {
        if map[key].is_null() {
            map[key] = value;
        }
    }
}

/// Names of a pod's containers that run, in both lists.
pub fn containers(spec: &Value) -> impl Iterator<Item = &Value> {
    ["containers", "initContainers"].into_iter().flat_map(|list| spec[list].as_array().into_iter().flatten())
}
