//! What `mtp` says of a pod by the Pod Security Standards is what an API server says, word for word.
//!
//! Pods that a seed makes are sent to Namespaces of both levels and of all versions that there have been. `MTP_PODS` is how
//! many; what the API server refuses for another reason is not compared, and counted.

mod mended;
mod policies;

use std::collections::BTreeMap;

use k8s_mtp::standards::{CONTROLS, Json, Minor, PodSecurityLevel, message, review};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::control_plane::{ControlPlane, MINORS, NEWEST, shared, wait};
use crate::generated_pods;
pub use mended::mended;

/// Those versions, one that no server has yet, and whatever is newest.
fn versions() -> impl Iterator<Item = String> {
    (0..=37).chain([99]).map(|minor| format!("v1.{minor}")).chain(["latest".to_owned()])
}

/// Of so many standards a pod is asked by one, each by another one: there are many, and little changes from one to the next.
const SPREAD: usize = 4;

const LEVELS: [PodSecurityLevel; 2] = [PodSecurityLevel::Baseline, PodSecurityLevel::Restricted];

/// How many pods are made.
pub fn count(otherwise: u64) -> u64 {
    std::env::var("MTP_PODS").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A level in a version.
struct Standard {
    level: PodSecurityLevel,
    version: String,
}

impl Standard {
    fn all() -> impl Iterator<Item = Standard> {
        versions().flat_map(|version| LEVELS.map(|level| Standard { level, version: version.clone() }))
    }

    fn labels(&self) -> Value {
        let key = "pod-security.kubernetes.io/enforce";
        json!({key: self.level.as_str(), format!("{key}-version"): self.version})
    }

    /// What we say of a pod, and the controls that it breaks; a server knows nothing newer than itself.
    fn ours(&self, pod: &Value, server: Minor) -> (String, Vec<&'static str>) {
        let version = Minor::parse(&self.version).expect("a version").min(server);
        let violations = review(&Json::from(pod), self.level, version);
        (message(&violations), violations.iter().map(|violation| violation.control.id).collect())
    }

    /// What the API server says of it; of what it refuses for another reason, none.
    fn theirs(&self, answer: &Answer, name: &str) -> Option<String> {
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

/// What both say of a pod.
struct Compared {
    theirs: Option<String>,
    ours: String,
    broken: Vec<&'static str>,
    answer: Answer,
}

/// What came of so many comparisons.
#[derive(Default)]
struct Tally {
    admitted: usize,
    refused: usize,
    /// Refused for another reason: why, and how often.
    others: BTreeMap<String, usize>,
    differences: Vec<String>,
    /// How often each control was broken, by its id.
    broken: BTreeMap<&'static str, usize>,
}

impl Tally {
    fn of(all: Vec<Compared>) -> Tally {
        let mut tally = Tally::default();
        for Compared { theirs, ours, broken, answer } in all {
            let Some(theirs) = theirs else {
                *tally.others.entry(format!("{} {}", answer.status, short(&answer))).or_default() += 1;
                continue;
            };
            broken.iter().for_each(|id| *tally.broken.entry(id).or_default() += 1);
            if theirs != ours {
                tally.differences.push(format!("{}\n  theirs: {theirs}\n  ours:   {ours}", answer.request));
            } else if theirs.is_empty() {
                tally.admitted += 1;
            } else {
                tally.refused += 1;
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
            println!("  broken: {:?}", self.broken);
        }
        let some = &self.differences[..differ.min(10)];
        assert!(differ == 0, "{differ} of {compared} differ:\n{}", some.join("\n"));
        assert!(others * 10 < compared, "too many pods are refused for another reason: {:?}", self.others);
        assert!(self.admitted * 50 > compared && self.refused * 50 > compared, "one verdict is hardly ever compared");
        // Of a control that no pod breaks, nothing is known.
        let unbroken: Vec<_> = CONTROLS.iter().map(|c| c.id).filter(|id| !self.broken.contains_key(id)).collect();
        assert!(unbroken.is_empty() || compared < 1_500, "{what}: no pod breaks {unbroken:?}");
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

/// Asks an API server by these standards of so many pods; of each by every `spread`th one.
fn compare(plane: &ControlPlane, server: Minor, standards: Vec<Standard>, pods: u64, spread: usize) -> Tally {
    let client = plane.client();
    let standards: Vec<(Standard, String)> = standards
        .into_iter()
        .map(|standard| {
            let name = format!("pss-{}-{}", standard.level.as_str(), standard.version.replace('.', "-"));
            (standard, name)
        })
        .collect();
    standards.par_iter().for_each(|(standard, name)| namespace(plane, &client, name, &standard.labels()));
    let judge = |seed: u64| {
        let (pod, _) = mended(generated_pods::pod(seed));
        let client = client.apart();
        let name = pod["metadata"]["name"].as_str().expect("a name").to_owned();
        let first = usize::try_from(seed).unwrap_or_default() % spread;
        let each = standards.iter().skip(first).step_by(spread).map(|(standard, namespace)| {
            let answer = client.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod);
            let (ours, broken) = standard.ours(&pod, server);
            Compared { theirs: standard.theirs(&answer, &name), ours, broken, answer }
        });
        each.collect::<Vec<_>>()
    };
    Tally::of((0..pods).into_par_iter().flat_map_iter(judge).collect())
}

#[test]
fn pods_are_refused_in_the_api_servers_words() {
    compare(&shared(NEWEST), Minor::LATEST, Standard::all().collect(), count(100), SPREAD).judge("new pods");
}

/// What it does not know yet is for a server what it knows.
#[test]
fn an_older_server_is_of_its_own_version() {
    let minor = MINORS[0];
    let server = Minor::parse(&format!("v{minor}")).expect("a version");
    let newer = Standard::all().filter(|standard| Minor::parse(&standard.version).expect("a version") > server);
    let newer: Vec<Standard> = newer.collect();
    compare(&shared(minor), server, newer, count(100) / 2, 1).judge(&format!("pods of a server of {minor}"));
}

/// Of a pod that gets a debugger, the whole pod is judged again.
#[test]
fn debuggers_are_refused_in_the_api_servers_words() {
    let plane = shared(NEWEST);
    let client = plane.client();
    let name = "pss-debugged";
    namespace(&plane, &client, name, &json!({}));
    let path = format!("/api/v1/namespaces/{name}/pods");
    let made: Vec<Value> = (0..count(100))
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
    for standard in Standard::all().skip(1).step_by(SPREAD + 1) {
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
            let (ours, broken) = standard.ours(pod, Minor::LATEST);
            Compared { theirs: standard.theirs(&answer, pod_name), ours, broken, answer }
        };
        all.extend(made.par_iter().map(judge).collect::<Vec<_>>());
    }
    Tally::of(all).judge("debuggers");
}
