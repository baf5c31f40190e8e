//! Pods, and what makes them.

use k8s_mtp::engine::POLICIES;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{Policed, TENANTS};
use crate::control_plane::wait;
use crate::generated_pods::pod_with_resources;
use crate::kubectl::kubectl_reading;
use crate::pod_security::{count, mended};

/// A pod of that spec.
pub fn pod(name: &str, spec: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec})
}

/// What is said of a request: refused with, warned of.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    refused: Option<String>,
    warned: Vec<String>,
}

/// What the webhook says.
fn webhook(policed: &Policed, tenant: &str, operation: &str, subresource: &str, new: &Value, old: &Value) -> Said {
    let namespace = format!("tenant-{tenant}-x");
    let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "1", "operation": operation, "subResource": subresource, "namespace": namespace,
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "object": new, "oldObject": old,
    }});
    let answer = k8s_mtp::validate(review.to_string().as_bytes(), &policed.view).expect("an answer");
    let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
    let response = &answer["response"];
    let refused =
        (response["allowed"] == false).then(|| response["status"]["message"].as_str().expect("a message").to_owned());
    let warned = response["warnings"].as_array().into_iter().flatten();
    Said { refused, warned: warned.map(|w| w.as_str().expect("text").to_owned()).collect() }
}

/// What the API server says, by its policies; `None`: something else refuses it first.
fn server(policed: &Policed, send: impl FnOnce(&crate::client::Client) -> crate::client::Answer) -> Option<Said> {
    let client = policed.admin.apart();
    let answer = send(&client);
    let message = answer.message();
    let refused = match answer.status {
        200..=299 => None,
        403 if message.contains("ValidatingAdmissionPolicy 'k8s-mtp-") => {
            Some(message.split_once(" denied request: ").expect("a refusal").1.to_owned())
        }
        _ => return None,
    };
    let warned = client.warnings().into_iter().filter_map(|warning| {
        let warned = warning.split_once("Validation failed for ValidatingAdmissionPolicy 'k8s-mtp-pods-warn")?;
        // After the names of the policy and its binding; as HTTP quotes it.
        Some(warned.1.split_once(": ")?.1.trim_end_matches('"').split("; ").map(str::to_owned).collect::<Vec<_>>())
    });
    Some(Said { refused, warned: warned.flatten().collect() })
}

/// Examples of policies, as pods that an API server takes: with images, and with quantities of a kind that is known.
fn every_example() -> impl Iterator<Item = (String, Value)> {
    POLICIES.into_iter().flat_map(|policy| policy.examples.iter().map(move |example| (policy.id, example))).map(
        |(id, example)| {
            let mut spec: Value = serde_yaml::from_str(example.spec).expect("YAML");
            for list in ["initContainers", "containers", "ephemeralContainers"] {
                for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    container["image"] = json!("registry.example.org/app:1.0");
                }
            }
            (format!("{id}: {}", example.about), spec)
        },
    )
}

/// Each example in each tenant: the same words as the webhook's, by the same modes and exemptions.
pub fn examples(policed: &Policed) {
    let (mut compared, mut refused, mut warned) = (0, 0, 0);
    for (about, mut spec) in every_example() {
        // Ephemeral containers come later; they are tried as changes.
        if spec.get("ephemeralContainers").is_some() {
            continue;
        }
        if spec.get("containers").is_none() {
            spec["containers"] = json!([{"name": "main", "image": "registry.example.org/app:1.0"}]);
        }
        for (tenant, _) in TENANTS {
            let pod = pod("example", spec.clone());
            // Strictly: of a field that there is not, the API server tells nobody.
            let path = format!("/api/v1/namespaces/tenant-{tenant}-x/pods?dryRun=All&fieldValidation=Strict");
            let Some(said) = server(policed, |client| client.post(&path, &pod)) else { continue };
            let expected = webhook(policed, tenant, "CREATE", "", &pod, &Value::Null);
            compared += 1;
            refused += usize::from(said.refused.is_some());
            warned += usize::from(!said.warned.is_empty());
            assert_eq!(said, expected, "{about}, in tenant {tenant}: {pod}");
        }
    }
    assert!(compared > 150 && refused > 50 && warned > 30, "{compared} {refused} {warned}");
}

/// Pods that seeds make, each in the tenants in turn: the same words as the webhook's. `MTP_PODS` is how many.
pub fn generated(policed: &Policed) {
    // Whether it was refused and warned of; or how the two differ.
    let judge = |seed: u64| -> Option<Result<[bool; 2], String>> {
        let (pod, _) = mended(pod_with_resources(seed));
        // As the API server has it when it asks, with its defaults: what comes of it where nobody is asked.
        let completed = policed.admin.apart().post("/api/v1/namespaces/default/pods?dryRun=All", &pod);
        let completed = Some(completed.body).filter(|body| body["kind"] == "Pod")?;
        let (tenant, _) = TENANTS[usize::try_from(seed).expect("small") % TENANTS.len()];
        let path = format!("/api/v1/namespaces/tenant-{tenant}-x/pods?dryRun=All&fieldValidation=Strict");
        let said = server(policed, |client| client.post(&path, &pod))?;
        let expected = webhook(policed, tenant, "CREATE", "", &completed, &Value::Null);
        if said != expected {
            return Some(Err(format!("in tenant {tenant}: {pod}\n  policies: {said:?}\n  webhook:  {expected:?}")));
        }
        Some(Ok([said.refused.is_some(), !said.warned.is_empty()]))
    };
    let made = count(120);
    let all: Vec<Result<[bool; 2], String>> = (0..made).into_par_iter().filter_map(judge).collect();
    let differences: Vec<&str> = all.iter().filter_map(|said| said.as_ref().err()).map(String::as_str).collect();
    let some = &differences[..differences.len().min(5)];
    assert!(differences.is_empty(), "{} of {} differ:\n{}", differences.len(), all.len(), some.join("\n"));
    let of = |index: usize| all.iter().filter(|said| said.as_ref().is_ok_and(|said| said[index])).count();
    let (compared, refused, warned) = (all.len(), of(0), of(1));
    println!("{made} pods: {compared} compared; {refused} refused, {warned} warned of");
    assert!(compared as u64 * 10 > made * 7, "only {compared} of {made} are compared");
    assert!(refused * 20 > compared && warned * 20 > compared, "{compared}: {refused} {warned}");
}

/// A pod that was there before the policies is judged by what is changed of it.
pub fn changes(policed: &Policed) {
    let path = "/api/v1/namespaces/tenant-open-x/pods";
    let limits = json!({"limits": {"cpu": "100m", "memory": "64Mi"}, "requests": {"cpu": "50m", "memory": "32Mi"}});
    let good = json!({"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false});
    let container = |name: &str, context: &Value| json!({"name": name, "image": "registry.example.org/app:1.0", "resources": limits, "securityContext": context});
    // Made in a namespace of no tenant yet: as if it had been there before.
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "before"}});
    policed.admin.post("/api/v1/namespaces", &namespace).created();
    let before = "/api/v1/namespaces/before/pods";
    let account = "/api/v1/namespaces/before/serviceaccounts/default";
    wait("there is an account", &policed.plane, || policed.admin.get(account).status == 200);
    let old =
        pod("old", json!({"containers": [container("bad", &json!({"privileged": true})), container("good", &good)]}));
    policed.admin.post(before, &old).created();
    let labels = json!({"metadata": {"labels": {"tenant.k8s-mtp.io/name": "open", "tenant.k8s-mtp.io/tier": "open"}}});
    policed.admin.merge("/api/v1/namespaces/before", &labels).ok();
    wait("policies are asked there", &policed.plane, || {
        policed.admin.post(&format!("{before}?dryRun=All"), &pod("new", old["spec"].clone())).status == 403
    });
    let one = format!("{before}/old");
    policed.admin.merge(&one, &json!({"metadata": {"labels": {"app": "x"}, "finalizers": ["example.org/x"]}})).ok();
    policed.admin.merge(&one, &json!({"metadata": {"finalizers": null}})).ok();
    let strategic = |subresource: &str, patch: &Value| {
        let kind = "application/strategic-merge-patch+json";
        let path = format!("{one}{subresource}");
        policed.admin.send(hyper::Method::PATCH, &path, kind, patch.to_string().into_bytes())
    };
    let image = |name: &str| json!({"spec": {"containers": [{"name": name, "image": "registry.example.org/app:2.0"}]}});
    strategic("", &image("good")).ok();
    strategic("", &image("bad"))
        .refused(403, &["k8s-mtp-pods-deny.open", "Container bad failed privilege check (privileged)"]);
    // Debuggers are judged alone.
    let debugger = |name: &str, context: &Value| json!({"spec": {"ephemeralContainers": [{"name": name, "image": "busybox", "securityContext": context}]}});
    let debuggers = "/ephemeralcontainers";
    strategic(debuggers, &debugger("fine", &json!({"runAsNonRoot": true, "allowPrivilegeEscalation": false}))).ok();
    strategic(debuggers, &debugger("evil", &json!({"privileged": true, "runAsNonRoot": true})))
        .refused(403, &["Container evil failed privilege check (privileged)"]);
    strategic(debuggers, &debugger("plain", &json!({})))
        .refused(403, &["Container plain must have SecurityContext defined"]);
    // A resize by its resources alone, of a pod that breaks other policies.
    let resize = |name: &str, cpu: &str| {
        let resources = json!({"limits": {"cpu": cpu}, "requests": {"cpu": cpu}});
        json!({"spec": {"containers": [{"name": name, "resources": resources}]}})
    };
    strategic("/resize", &resize("bad", "90m")).ok();
    strategic("/resize", &resize("good", "0")).refused(403, &["Container good must have CPU limits (cpu-limits)"]);
    policed.admin.delete(&format!("{one}?gracePeriodSeconds=0")).ok();
    policed.admin.delete("/api/v1/namespaces/before").ok();
    // Many breaches are named up to a number, and counted.
    let many: Vec<Value> =
        (0..20).map(|n| container(&format!("c{n}"), &json!({"privileged": true, "runAsNonRoot": true}))).collect();
    let many = pod("many", json!({"containers": many}));
    let expected = webhook(policed, "open", "CREATE", "", &many, &Value::Null).refused.expect("refused");
    assert!(expected.ends_with("; and 44 more"), "{expected}");
    policed.admin.post(path, &many).refused(403, &[&expected]);
    // Within what the API server lets expressions cost; a node runs a few hundred.
    let most: Vec<Value> = (0..2_000).map(|n| json!({"name": format!("c{n}"), "image": "a"})).collect();
    let answer = policed.admin.post(path, &pod("most", json!({"containers": most})));
    answer.refused(403, &["Container c0 must have resource limits (resource-limits)", "more"]);
}

/// Whoever applies what makes pods hears of what its pods would hear.
pub fn workloads(policed: &Policed) {
    let spec = json!({"containers": [{"name": "web", "image": "a", "securityContext": {"privileged": true}}]});
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": spec});
    let selector = json!({"matchLabels": {"app": "web"}});
    let job = json!({"template": {"spec": {"restartPolicy": "Never", "containers": spec["containers"]}}});
    let kinds = [
        ("apps/v1", "Deployment", "deployments", json!({"spec": {"selector": selector, "template": template}})),
        (
            "apps/v1",
            "StatefulSet",
            "statefulsets",
            json!({"spec": {"selector": selector, "template": template, "serviceName": "x"}}),
        ),
        ("apps/v1", "DaemonSet", "daemonsets", json!({"spec": {"selector": selector, "template": template}})),
        ("apps/v1", "ReplicaSet", "replicasets", json!({"spec": {"selector": selector, "template": template}})),
        ("batch/v1", "Job", "jobs", json!({"spec": job})),
        ("batch/v1", "CronJob", "cronjobs", json!({"spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": job}}})),
        ("v1", "ReplicationController", "replicationcontrollers", json!({"spec": {"template": template}})),
        ("v1", "PodTemplate", "podtemplates", json!({"template": template})),
    ];
    for (version, kind, resource, mut object) in kinds {
        object["apiVersion"] = json!(version);
        object["kind"] = json!(kind);
        object["metadata"] = json!({"name": "web"});
        let root = if version == "v1" { "/api/v1".to_owned() } else { format!("/apis/{version}") };
        for (tenant, told) in [("open", true), ("warned", true), ("noted", false)] {
            let client = policed.admin.apart();
            let path = format!("{root}/namespaces/tenant-{tenant}-x/{resource}?dryRun=All");
            client.post(&path, &object).created();
            let warned = client.warnings().iter().any(|w| {
                w.contains("its pods would break policies: Container web must have resource limits (resource-limits)")
                    && w.contains("Container web failed privilege check (privileged)")
            });
            assert_eq!(warned, told, "{kind} in {tenant}: {:?}", client.warnings());
        }
    }
}

/// A pod says whose it is, and cannot say otherwise.
pub fn labels(policed: &Policed) {
    let path = "/api/v1/namespaces/tenant-noted-x/pods";
    let spec = json!({"containers": [{"name": "a", "image": "a"}]});
    let own = json!({"tenant.k8s-mtp.io/name": "noted", "tenant.k8s-mtp.io/tier": "noted"});
    let stored = policed.admin.post(path, &pod("labelled", spec.clone())).created();
    assert_eq!(stored["metadata"]["labels"], own);
    let mut other = pod("other", spec.clone());
    other["metadata"]["labels"] = json!({"tenant.k8s-mtp.io/name": "open"});
    let refusal = "label tenant.k8s-mtp.io/name of a pod is that of its namespace, noted";
    policed.admin.post(path, &other).refused(403, &["k8s-mtp-pod-tenant", refusal]);
    let forged = json!({"metadata": {"labels": {"tenant.k8s-mtp.io/name": "open"}}});
    for subresource in ["", "/status"] {
        policed.admin.merge(&format!("{path}/labelled{subresource}"), &forged).refused(403, &[refusal]);
    }
    let binding = json!({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": "labelled", "labels": forged["metadata"]["labels"]},
        "target": {"kind": "Node", "name": "node"}});
    policed.admin.post(&format!("{path}/labelled/binding"), &binding).refused(403, &[refusal]);
    // Of another tier: said, since a tier may change while a template stays.
    let client = policed.admin.apart();
    other["metadata"]["labels"] = json!({"tenant.k8s-mtp.io/tier": "open"});
    let stored = client.post(path, &other).created();
    assert_eq!(
        stored["metadata"]["labels"],
        json!({"tenant.k8s-mtp.io/name": "noted", "tenant.k8s-mtp.io/tier": "open"})
    );
    assert!(client.warnings().iter().any(|w| w.contains("k8s-mtp-pod-tier")), "{:?}", client.warnings());
    policed.admin.delete(&format!("{path}?gracePeriodSeconds=0")).ok();
}

/// What is not refused is noted: where the mode is `audit`, and where somebody is let off.
pub fn audit(policed: &Policed) {
    let bad = json!({"containers": [{"name": "agent", "image": "a", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
        "securityContext": {"privileged": true, "runAsNonRoot": true, "readOnlyRootFilesystem": true}}]});
    for (tenant, words) in [
        ("noted", "Container agent failed privilege check (privileged)"),
        ("exempt", "Container agent failed privilege check (privileged): exempt, ops@example.org: a node agent"),
    ] {
        let path = format!("/api/v1/namespaces/tenant-{tenant}-x/pods?dryRun=All");
        policed.admin.post(&path, &pod("audited", bad.clone())).created();
        wait("the audit log says so", &policed.plane, || {
            policed.plane.audit_log().lines().any(|line| line.contains(words))
        });
    }
}

/// As whoever applies with kubectl sees each mode: an error, a warning, nothing.
pub fn through_kubectl(policed: &Policed) {
    let resources = json!({"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}});
    let bad = json!({"containers": [{"name": "agent", "image": "a:1", "imagePullPolicy": "Always", "resources": resources,
        "securityContext": {"privileged": true, "runAsNonRoot": true, "readOnlyRootFilesystem": true}}]});
    let words = "Container agent failed privilege check (privileged)";
    let by = |mode: &str, tier: &str| format!("ValidatingAdmissionPolicy 'k8s-mtp-pods-{mode}.{tier}'");
    for (tenant, is_taken, by) in [
        ("open", false, Some(by("deny", "open"))),
        ("warned", true, Some(by("warn", "warned"))),
        // `audit`, and `off` for all but what this pod keeps to.
        ("noted", true, None),
        ("pulled", true, None),
    ] {
        let args = ["apply", "--namespace", &format!("tenant-{tenant}-x"), "--filename=-"];
        let (done, said) = kubectl_reading(&policed.plane, &args, &pod("by-kubectl", bad.clone()).to_string());
        assert_eq!(done, is_taken, "{tenant}: {said}");
        match by {
            Some(by) => {
                let warns = said.contains("Warning: ");
                assert!(said.contains(words) && said.contains(&by) && warns == is_taken, "{tenant}: {said}");
            }
            None => assert_eq!(said, "pod/by-kubectl created\n", "{tenant}"),
        }
        policed.admin.delete(&format!("/api/v1/namespaces/tenant-{tenant}-x/pods/by-kubectl?gracePeriodSeconds=0"));
    }
}
