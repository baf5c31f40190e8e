//! What `mtp` says of a pod by the Pod Security Standards is what an API server says, word for word.
//!
//! Pods that a seed makes are sent to Namespaces of both levels and of versions in each of which something changed.
//! `MTP_PODS` is how many; what the API server refuses for another reason is not compared, and counted.

mod mended;
mod policies;

use std::collections::BTreeMap;

use k8s_mtp::standards::{Json, Minor, PodSecurityLevel, message, review};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::control_plane::{ControlPlane, NEWEST, shared, wait};
use crate::generated_pods;
use mended::mended;

/// Versions in which something changed, the ones before some of them, and one that no server has yet.
const VERSIONS: [&str; 12] =
    ["v1.0", "v1.7", "v1.18", "v1.22", "v1.24", "v1.25", "v1.29", "v1.34", "v1.35", "v1.37", "v1.99", "latest"];

const LEVELS: [PodSecurityLevel; 2] = [PodSecurityLevel::Baseline, PodSecurityLevel::Restricted];

/// How many pods are made.
fn count(otherwise: u64) -> u64 {
    std::env::var("MTP_PODS").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A level in a version.
#[derive(Clone, Copy)]
struct Standard {
    level: PodSecurityLevel,
    version: &'static str,
}

impl Standard {
    fn all() -> impl Iterator<Item = Standard> {
        VERSIONS.into_iter().flat_map(|version| LEVELS.map(|level| Standard { level, version }))
    }

    fn labels(self) -> Value {
        let key = "pod-security.kubernetes.io/enforce";
        json!({key: self.level.as_str(), format!("{key}-version"): self.version})
    }

    /// What we say of a pod.
    fn ours(self, pod: &Value) -> String {
        let version = Minor::parse(self.version).expect("a version");
        message(&review(&Json::from(pod), self.level, version))
    }

    /// What the API server says of it; of what it refuses for another reason, none.
    fn theirs(self, answer: &Answer, name: &str) -> Option<String> {
        let said = format!("violates PodSecurity \"{}:{}\": ", self.level.as_str(), self.version);
        match answer.status {
            200 | 201 => Some(String::new()),
            403 => {
                let said = format!("pods \"{name}\" is forbidden: {said}");
                answer.message().strip_prefix(&said).map(str::to_owned)
            }
            _ => None,
        }
    }
}

/// What came of so many comparisons.
#[derive(Default)]
struct Tally {
    admitted: usize,
    refused: usize,
    /// Refused for another reason: why, and how often.
    others: BTreeMap<String, usize>,
    differences: Vec<String>,
}

impl Tally {
    fn of(all: Vec<(Option<String>, String, Answer)>) -> Tally {
        let mut tally = Tally::default();
        for (theirs, ours, answer) in all {
            match theirs {
                None => *tally.others.entry(format!("{} {}", answer.status, short(&answer))).or_default() += 1,
                Some(theirs) if theirs != ours => {
                    tally.differences.push(format!("{}\n  theirs: {theirs}\n  ours:   {ours}", answer.request));
                }
                Some(theirs) if theirs.is_empty() => tally.admitted += 1,
                Some(_) => tally.refused += 1,
            }
        }
        tally
    }

    /// Fails where something differs, or where there was little to compare.
    fn judge(self, what: &str) {
        let others: usize = self.others.values().sum();
        let (compared, differ) = (self.admitted + self.refused + self.differences.len(), self.differences.len());
        println!(
            "{what}: {compared} compared, {differ} differ; {} admitted, {} refused; {others} refused for another reason",
            self.admitted, self.refused
        );
        if std::env::var_os("MTP_PODS").is_some() {
            self.others.iter().for_each(|(why, count)| println!("  {count}: {why}"));
        }
        let some = &self.differences[..differ.min(10)];
        assert!(differ == 0, "{differ} of {compared} differ:\n{}", some.join("\n"));
        assert!(others * 10 < compared, "too many pods are refused for another reason: {:?}", self.others);
        assert!(self.admitted * 50 > compared && self.refused * 50 > compared, "one verdict is hardly ever compared");
    }
}

/// Which field of a pod is refused, without names and numbers.
fn short(answer: &Answer) -> String {
    let causes = answer.body["details"]["causes"].as_array().cloned().unwrap_or_default();
    let fields: Vec<String> = causes.iter().map(|cause| format!("{} {}", cause["field"], cause["message"])).collect();
    if fields.is_empty() { answer.message() } else { fields.join("; ") }
}

/// A Namespace with these labels in which pods can be created.
fn namespace(plane: &ControlPlane, client: &Client, name: &str, labels: &Value) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}});
    client.post("/api/v1/namespaces", &namespace).created();
    let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
    wait("the default ServiceAccount is there", plane, || client.get(&account).status == 200);
}

#[test]
fn pods_are_refused_in_the_api_servers_words() {
    let plane = shared(NEWEST);
    let client = plane.client();
    let standards: Vec<(Standard, String)> = Standard::all()
        .map(|standard| {
            let name = format!("pss-{}-{}", standard.level.as_str(), standard.version.replace('.', "-"));
            namespace(&plane, &client, &name, &standard.labels());
            (standard, name)
        })
        .collect();
    let judge = |seed: u64| {
        let (pod, _) = mended(generated_pods::pod(seed));
        let client = client.apart();
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        let each = standards.iter().map(|(standard, namespace)| {
            let answer = client.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod);
            (standard.theirs(&answer, &name), standard.ours(&pod), answer)
        });
        each.collect::<Vec<_>>()
    };
    let all: Vec<_> = (0..count(150)).into_par_iter().flat_map_iter(judge).collect();
    Tally::of(all).judge("new pods");
}

/// Of a pod that gets a debugger, the whole pod is judged again.
#[test]
fn debuggers_are_refused_in_the_api_servers_words() {
    let plane = shared(NEWEST);
    let client = plane.client();
    let name = "pss-debugged";
    namespace(&plane, &client, name, &json!({}));
    let path = format!("/api/v1/namespaces/{name}/pods");
    // Twice as many seeds: not every pod has a debugger.
    let made: Vec<Value> = (0..count(150) * 2)
        .into_par_iter()
        .filter_map(|seed| {
            let (pod, ephemeral) = mended(generated_pods::pod(seed));
            let has_debuggers = ephemeral.as_array().is_some_and(|all| !all.is_empty());
            let answer = has_debuggers.then(|| client.apart().post(&path, &pod)).filter(|a| a.status == 201)?;
            let mut pod = answer.body;
            pod["spec"]["ephemeralContainers"] = ephemeral;
            Some(pod)
        })
        .collect();
    let mut all = Vec::new();
    for standard in Standard::all() {
        client.merge(&format!("/api/v1/namespaces/{name}"), &json!({"metadata": {"labels": standard.labels()}})).ok();
        let probe = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {
            "hostPID": true, "containers": [{"name": "a", "image": "a"}],
        }});
        wait("the API server knows the Namespace's labels", &plane, || {
            standard.theirs(&client.post(&format!("{path}?dryRun=All"), &probe), "probe").is_some_and(|s| !s.is_empty())
        });
        let judge = |pod: &Value| {
            let pod_name = pod["metadata"]["name"].as_str().expect("a name");
            let path = format!("{path}/{pod_name}/ephemeralcontainers?dryRun=All");
            let answer =
                client.apart().send(http::Method::PUT, &path, "application/json", pod.to_string().into_bytes());
            (standard.theirs(&answer, pod_name), standard.ours(pod), answer)
        };
        all.extend(made.par_iter().map(judge).collect::<Vec<_>>());
    }
    Tally::of(all).judge("debuggers");
}
