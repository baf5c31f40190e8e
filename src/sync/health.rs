//! Whether an object has become what it says: the rules that the tools of Kubernetes share (kstatus).
//!
//! Source: <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>

use serde_json::Value;

/// How an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Current,
    /// On its way, and what is missing.
    Waiting(String),
    /// It will not get there by itself.
    Failed(String),
}

/// How a live object is.
pub fn health(object: &Value) -> Health {
    let metadata = &object["metadata"];
    let status = &object["status"];
    if metadata["deletionTimestamp"].is_string() {
        return Health::Waiting("it is being deleted".to_owned());
    }
    let generation = metadata["generation"].as_i64().unwrap_or_default();
    if status["observedGeneration"].as_i64().is_some_and(|observed| observed < generation) {
        return Health::Waiting("its controller has not seen it yet".to_owned());
    }
    let api_version = object["apiVersion"].as_str().unwrap_or_default();
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (group, object["kind"].as_str().unwrap_or_default()) {
        ("apps", "Deployment") => deployment(object),
        ("apps", "StatefulSet") => replicas(object, "readyReplicas"),
        ("apps", "DaemonSet") => {
            let wanted = status["desiredNumberScheduled"].as_u64();
            enough(wanted.filter(|_| status["observedGeneration"].is_i64()), &status["numberAvailable"])
        }
        ("batch", "Job") => match (condition(object, "Failed"), condition(object, "Complete")) {
            (Some((true, why)), _) => Health::Failed(why),
            (_, Some((true, _))) => Health::Current,
            // A Job is applied once it runs.
            _ if status["startTime"].is_string() => Health::Current,
            _ => Health::Waiting("it has not started".to_owned()),
        },
        ("apiextensions.k8s.io", "CustomResourceDefinition") => match condition(object, "Established") {
            Some((true, _)) => Health::Current,
            _ => match condition(object, "NamesAccepted") {
                Some((false, why)) => Health::Failed(why),
                _ => Health::Waiting("it is not established".to_owned()),
            },
        },
        _ => others(object),
    }
}

fn deployment(object: &Value) -> Health {
    if let Some((false, why)) = condition(object, "Progressing") {
        return Health::Failed(why);
    }
    if !object["status"]["observedGeneration"].is_i64() {
        return Health::Waiting("its controller has not seen it yet".to_owned());
    }
    match replicas(object, "updatedReplicas") {
        Health::Current => replicas(object, "availableReplicas"),
        waiting => waiting,
    }
}

fn replicas(object: &Value, counted: &str) -> Health {
    enough(object["spec"]["replicas"].as_u64().or(Some(1)), &object["status"][counted])
}

fn enough(wanted: Option<u64>, have: &Value) -> Health {
    let have = have.as_u64().unwrap_or_default();
    match wanted {
        None => Health::Waiting("its controller has not seen it yet".to_owned()),
        Some(wanted) if have < wanted => Health::Waiting(format!("{have} of {wanted} are there")),
        Some(_) => Health::Current,
    }
}

/// What is agreed for all kinds: `Stalled`, `Reconciling` and `Ready` mean what they say.
fn others(object: &Value) -> Health {
    if let Some((true, why)) = condition(object, "Stalled") {
        return Health::Failed(why);
    }
    if let Some((true, why)) = condition(object, "Reconciling") {
        return Health::Waiting(why);
    }
    match condition(object, "Ready") {
        Some((false, why)) => Health::Waiting(why),
        _ => Health::Current,
    }
}

/// Whether a condition holds, and why; `None` where it is not stated or not known.
fn condition(object: &Value, kind: &str) -> Option<(bool, String)> {
    let conditions = object["status"]["conditions"].as_array()?;
    let found = conditions.iter().find(|c| c["type"] == kind)?;
    let text = |field: &str| found[field].as_str().unwrap_or_default();
    let why = if text("message").is_empty() { text("reason") } else { text("message") };
    match found["status"].as_str()? {
        "True" => Some((true, why.to_owned())),
        "False" => Some((false, why.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_kind_has_its_rule() {
        let is = |object: Value| match health(&object) {
            Health::Current => "current".to_owned(),
            Health::Waiting(why) | Health::Failed(why) => why,
        };
        let deployment = |status: Value| {
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"generation": 2},
                "spec": {"replicas": 2}, "status": status})
        };
        assert_eq!(is(deployment(json!({}))), "its controller has not seen it yet");
        assert_eq!(is(deployment(json!({"observedGeneration": 1}))), "its controller has not seen it yet");
        let counts = |updated: u32, available: u32| json!({"observedGeneration": 2, "updatedReplicas": updated, "availableReplicas": available});
        assert_eq!(is(deployment(counts(1, 2))), "1 of 2 are there");
        assert_eq!(is(deployment(counts(2, 1))), "1 of 2 are there");
        assert_eq!(is(deployment(counts(2, 2))), "current");
        let mut stuck = deployment(counts(1, 1));
        stuck["status"]["conditions"] = json!([{"type": "Progressing", "status": "False", "message": "no progress"}]);
        assert_eq!(health(&stuck), Health::Failed("no progress".to_owned()));
        let definition = |kind: &str, status: &str| {
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
                "status": {"conditions": [{"type": kind, "status": status, "reason": "Because"}]}})
        };
        assert_eq!(is(definition("Established", "True")), "current");
        assert_eq!(is(definition("Established", "False")), "it is not established");
        assert_eq!(health(&definition("NamesAccepted", "False")), Health::Failed("Because".to_owned()));
        let any = |kind: &str, status: &str| {
            json!({"apiVersion": "example.org/v1", "kind": "Thing",
                "status": {"conditions": [{"type": kind, "status": status, "reason": "Because"}]}})
        };
        assert_eq!(is(any("Ready", "False")), "Because");
        assert_eq!(is(any("Ready", "Unknown")), "current");
        assert_eq!(health(&any("Stalled", "True")), Health::Failed("Because".to_owned()));
        assert_eq!(is(json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "t"}})), "it is being deleted");
    }
}
