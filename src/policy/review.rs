//! The verdict on an admission request: what the API server sends in, breaches out. Raw JSON, so that no field of a newer
//! Kubernetes is lost, and nothing is taken for less than it is.

use std::collections::BTreeMap;

use super::json::Json;
use super::pod::{Container, List, Pod};
use super::{POLICIES, Policy};

/// A container that breaks a policy.
pub struct Breach {
    /// The policy.
    pub policy: &'static Policy,
    /// Where it stands in [`POLICIES`].
    pub index: usize,
    /// In which list the container stands.
    pub list: List,
    /// The container's name.
    pub container: String,
}

impl Breach {
    /// In the words that are published.
    pub fn message(&self) -> String {
        format!("Container {} {}", self.container, self.policy.breach)
    }
}

/// Subresources of pods that change nothing that a policy is about. One that is not known is not admitted unseen.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>
const OF_NO_INTEREST: [&str; 9] =
    ["attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status", "token"];

/// Looks at the `request` of an AdmissionReview. The error says why it cannot be judged: it is then to be refused.
///
/// A new pod is judged as a whole. Of a change, only those containers are judged that it adds or changes: whatever is done
/// to the labels or finalizers of a pod that was there before the policies goes through, or it could never be deleted.
///
/// Source: <https://kubernetes.io/docs/reference/config-api/apiserver-admission.v1/#admission-k8s-io-v1-AdmissionRequest>
pub fn request<'a>(request: &'a Json<'a>) -> Result<Vec<Breach>, String> {
    let text = |value: &'a Json<'a>| value.as_str().unwrap_or_default();
    let resource = &request["resource"];
    if (text(&resource["group"]), text(&resource["resource"])) != ("", "pods") {
        return Err(format!("expected a request about pods, found `{}`", text(&resource["resource"])));
    }
    let subresource = text(&request["subResource"]);
    let resources_only = match subresource {
        "" | "ephemeralcontainers" => false,
        "resize" => true,
        known if OF_NO_INTEREST.contains(&known) => return Ok(Vec::new()),
        unknown => return Err(format!("pods/{unknown} is not known to this version")),
    };
    let old = match text(&request["operation"]) {
        "CREATE" => &Json::Null,
        "UPDATE" => &request["oldObject"]["spec"],
        "DELETE" | "CONNECT" => return Ok(Vec::new()),
        other => return Err(format!("expected an operation, found `{other}`")),
    };
    if !request["object"].is_map() {
        return Err("the request has no object".to_owned());
    }
    let (new, old) = (&request["object"]["spec"], Pod::new(old));
    // The resources of a pod as a whole are those of all its containers.
    let whole_resized = resources_only && new["resources"] != request["oldObject"]["spec"]["resources"];
    // By name, which is unique in a pod: one that has thousands of containers is compared in one pass.
    let before: BTreeMap<(List, &str), &Json<'_>> = old.containers().map(|c| ((c.list, c.name()), c.value)).collect();
    let is_old = |container: &Container<'_>| {
        !whole_resized && before.get(&(container.list, container.name())).is_some_and(|old| *old == container.value)
    };
    readable(new)?;
    Ok(breaches(Pod::new(new), |policy, container| (policy.resources || !resources_only) && !is_old(container)))
}

/// The breaches of a pod that is to be. The error says why it cannot be judged.
pub fn spec(spec: &Json<'_>) -> Result<Vec<Breach>, String> {
    readable(spec)?;
    Ok(breaches(Pod::new(spec), |_, _| true))
}

/// How many containers of a kind a pod may have to be looked at; a node runs a few hundred.
const MOST_CONTAINERS: usize = 20_000;

/// Nothing is taken for less than it is: where containers are to stand, there are containers.
fn readable(spec: &Json<'_>) -> Result<(), String> {
    if !spec.is_map() {
        return Err("expected a pod with a spec".to_owned());
    }
    for list in [List::Init, List::Main, List::Ephemeral] {
        match &spec[list.field()] {
            Json::Null if list != List::Main => {}
            Json::List(items) if items.len() <= MOST_CONTAINERS && items.iter().all(Json::is_map) => {}
            // Each of them may break each policy, and all breaches are kept for a moment.
            Json::List(items) if items.len() > MOST_CONTAINERS => {
                return Err(format!("expected at most {MOST_CONTAINERS} entries in `{}`", list.field()));
            }
            _ => return Err(format!("expected a list of containers in `{}`", list.field())),
        }
    }
    Ok(())
}

fn breaches(pod: Pod<'_>, is_judged: impl Fn(&Policy, &Container<'_>) -> bool) -> Vec<Breach> {
    let mut found = Vec::new();
    for (index, policy) in POLICIES.into_iter().enumerate() {
        let about = pod.containers().filter(|c| policy.about.contains(&c.list) && is_judged(policy, c));
        found.extend(about.filter(|c| !(policy.holds)(&pod, c)).map(|container| Breach {
            policy,
            index,
            list: container.list,
            container: container.name().to_owned(),
        }));
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::json::Json;

    /// A pod that breaks all that can be broken.
    fn bad() -> Value {
        json!({"metadata": {"name": "bad"}, "spec": {"containers": [
            {"name": "nginx", "image": "nginx", "securityContext": {"privileged": true}},
        ]}})
    }

    fn asked(operation: &str, subresource: &str, old: &Value, new: &Value) -> Value {
        json!({
            "uid": "1", "operation": operation, "resource": {"group": "", "version": "v1", "resource": "pods"},
            "subResource": subresource, "object": new, "oldObject": old,
        })
    }

    /// Ids of what is broken.
    fn ids(request: &Value) -> Vec<&'static str> {
        super::request(&Json::from(request)).expect("a request about pods").iter().map(|b| b.policy.id).collect()
    }

    #[test]
    fn a_new_pod_is_judged_as_a_whole() {
        let found = super::request(&Json::from(&asked("CREATE", "", &Value::Null, &bad()))).expect("a request");
        let messages: Vec<String> = found.iter().map(super::Breach::message).collect();
        assert_eq!(
            messages,
            [
                "Container nginx must have resource limits",
                "Container nginx must have CPU limits",
                "Container nginx must have Memory limits",
                "Container nginx failed privilege check",
                "Container nginx failed privilege check",
                "Container nginx must have read only root filesystem",
                "Container nginx must not be allowed to escalate privileges",
            ]
        );
    }

    #[test]
    fn metadata_of_an_old_pod_may_change_and_it_may_go() {
        let mut labelled = bad();
        labelled["metadata"]["labels"] = json!({"app": "x"});
        assert!(ids(&asked("UPDATE", "", &bad(), &labelled)).is_empty());
        assert!(ids(&asked("UPDATE", "status", &bad(), &labelled)).is_empty());
        assert!(ids(&asked("DELETE", "", &bad(), &Value::Null)).is_empty());
    }

    #[test]
    fn what_changes_is_judged() {
        let mut other_image = bad();
        other_image["spec"]["containers"][0]["image"] = json!("nginx:2");
        assert!(ids(&asked("UPDATE", "", &bad(), &other_image)).contains(&"privileged"));
    }

    #[test]
    fn a_debugger_is_judged_alone() {
        let mut debugged = bad();
        let restricted = json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false});
        debugged["spec"]["ephemeralContainers"] = json!([
            {"name": "debugger", "image": "busybox", "securityContext": restricted},
        ]);
        assert!(ids(&asked("UPDATE", "ephemeralcontainers", &bad(), &debugged)).is_empty());
        debugged["spec"]["ephemeralContainers"][0]["securityContext"]["privileged"] = json!(true);
        assert_eq!(ids(&asked("UPDATE", "ephemeralcontainers", &bad(), &debugged)), ["privileged"]);
    }

    #[test]
    fn a_resize_is_judged_by_its_resources() {
        let mut sized = bad();
        sized["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "1", "memory": "1Gi"}});
        let mut resized = sized.clone();
        resized["spec"]["containers"][0]["resources"]["limits"]["cpu"] = json!("2");
        assert!(ids(&asked("UPDATE", "resize", &sized, &resized)).is_empty());
        resized["spec"]["containers"][0]["resources"]["limits"]["cpu"] = json!("0");
        assert_eq!(ids(&asked("UPDATE", "resize", &sized, &resized)), ["cpu-limits"]);
    }

    #[test]
    fn what_is_not_known_is_not_admitted_unseen() {
        let mut secrets = asked("CREATE", "", &Value::Null, &bad());
        secrets["resource"]["resource"] = json!("secrets");
        let rubbish = [json!(null), json!([]), json!({"operation": "CREATE"}), secrets];
        let unknown = [asked("UPDATE", "new", &bad(), &bad()), asked("RENAME", "", &bad(), &bad())];
        for request_ in rubbish.into_iter().chain(unknown).chain([asked("CREATE", "", &Value::Null, &Value::Null)]) {
            assert!(super::request(&Json::from(&request_)).is_err(), "{request_}");
        }
    }
}
