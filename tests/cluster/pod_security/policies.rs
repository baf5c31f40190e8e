//! The CEL texts of the controls in a real API server: accepted without a warning, and of the verdict of the checks.

use std::collections::BTreeSet;

use k8s_mtp::standards::{CONTROLS, Control, Json, Minor, Subject};
use rayon::prelude::*;
use serde_json::{Value, json};

use super::{count, mended::mended, namespace};
use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST, shared, wait};
use crate::generated_pods;

/// So that each text that a control has ever had stands in one of them.
const VERSIONS: [&str; 6] = ["v1.0", "v1.24", "v1.27", "v1.30", "v1.34", "latest"];

const POLICIES: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";

const BINDINGS: &str = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";

fn controls(version: Minor) -> impl Iterator<Item = &'static Control> {
    CONTROLS.into_iter().filter(move |control| Minor::new(control.versions[0]) <= version)
}

/// A Namespace, and a policy that warns there of each control that a pod breaks, by its id.
fn install(plane: &ControlPlane, client: &Client, name: &str, version: Minor) {
    let label = json!({"tests/cel": name});
    namespace(plane, client, name, &label);
    let validations: Vec<Value> =
        controls(version).map(|control| json!({"expression": (control.cel)(version), "message": control.id})).collect();
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": label},
                "resourceRules": [
                    {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]},
                ],
            },
            "validations": validations,
        },
    });
    client.post(POLICIES, &policy).created();
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "validationActions": ["Warn"]},
    });
    client.post(BINDINGS, &binding).created();
    wait("the API server has checked the policy's types", plane, || {
        client.get(&format!("{POLICIES}/{name}")).body["status"]["typeChecking"].is_object()
    });
    let warnings = client.get(&format!("{POLICIES}/{name}")).ok();
    let warnings = &warnings["status"]["typeChecking"]["expressionWarnings"];
    assert!(warnings.is_null(), "{name}: {warnings:#}");
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "probe"}, "spec": {
        "hostPID": true, "containers": [{"name": "a", "image": "a"}],
    }});
    wait("the policy is in force", plane, || {
        warned(client, name, &pod).is_some_and(|ids| ids.contains("host-namespaces"))
    });
}

/// What a policy warns of; of a pod that is refused, none.
fn warned(client: &Client, name: &str, pod: &Value) -> Option<BTreeSet<String>> {
    let client = client.apart();
    let answer = client.post(&format!("/api/v1/namespaces/{name}/pods?dryRun=All"), pod);
    let said = format!("Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{name}': ");
    let warnings = client.warnings();
    let of_policy = warnings.iter().filter_map(|warning| warning.split_once(&said));
    let ids = of_policy.map(|(_, id)| id.trim_end_matches('"').to_owned()).collect();
    (answer.status == 201).then_some(ids)
}

#[test]
fn say_in_an_api_server_what_checks_say() {
    let plane = shared(NEWEST);
    let client = plane.client();
    let all: Vec<(String, Minor)> = VERSIONS
        .iter()
        .map(|version| (format!("cel-{}", version.replace('.', "-")), Minor::parse(version).expect("a version")))
        .collect();
    all.iter().for_each(|(name, version)| install(&plane, &client, name, *version));
    let compared: usize = (0..count(60))
        .into_par_iter()
        .map(|seed| {
            let (pod, _) = mended(generated_pods::pod(seed));
            let compare = |(name, version): &(String, Minor)| {
                let Some(theirs) = warned(&client, name, &pod) else { return 0 };
                let json = Json::from(&pod);
                let subject = Subject::new(&json);
                let broken = controls(*version).filter(|control| (control.check)(&subject, *version).is_some());
                let ours: BTreeSet<String> = broken.map(|control| control.id.to_owned()).collect();
                assert_eq!(theirs, ours, "{name}: {pod}");
                controls(*version).count()
            };
            all.iter().map(compare).sum::<usize>()
        })
        .sum();
    println!("{compared} verdicts of policies compared");
    assert!(compared > 1_000, "{compared} verdicts are few");
}
