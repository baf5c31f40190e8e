//! Both engines on one server: the verdict is one, the words are the same; and what each of them costs.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Policed, files, pods, view};
use crate::fixture::policies_in_force;
use crate::manifests::Resources;
use crate::webhook::{Live, rendered};
use crate::world::World;

/// The platform of [`super::PLATFORM`] with a certificate of its own, and more tenants of tier `open`.
fn live(more: &[&str], change: impl Fn(String) -> String) -> Live {
    let world = World::empty();
    for (path, text) in files() {
        world.folder.write(&path, change(text.replace("      certificates: none\n", "")));
    }
    for name in more {
        let tenant = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: {name}}}\n\
             spec: {{name: x, tier: open, ownerEmail: owner@example.org, admins: [alice@{name}.example]}}\n"
        );
        world.folder.write(&format!("tenants/{name}.yaml"), tenant);
    }
    Live::of(world)
}

#[test]
fn both_engines_say_the_same() {
    let mut live = live(&[], |text| text);
    let documents = rendered(&live.world);
    let policed = Policed {
        plane: Arc::clone(&live.plane),
        admin: live.admin.apart(),
        resources: Resources::of(&live.admin),
        view: view(&documents),
        documents,
    };
    pods::examples(&policed);
    // Where they warn, whoever reads it hears the same words of both.
    let bad = pods::pod("bad", json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0"}]}));
    let client = policed.admin.apart();
    client.post("/api/v1/namespaces/tenant-warned-x/pods?dryRun=All", &bad).created();
    let (by_policies, by_webhook): (Vec<String>, Vec<String>) =
        client.warnings().into_iter().partition(|warning| warning.contains("ValidatingAdmissionPolicy"));
    let [by_policies] = by_policies.try_into().expect("the policies warn once");
    assert!(by_webhook.len() > 4, "{by_webhook:?}");
    for words in &by_webhook {
        let (_, words) = words.split_once("Container ").unwrap_or_else(|| panic!("{words}"));
        assert!(by_policies.contains(words.trim_end_matches('"')), "{words}: {by_policies}");
    }
    // The servers are gone: what is bad is refused as before, and nothing gets in unseen.
    live.stop();
    let path = "/api/v1/namespaces/tenant-open-x/pods?dryRun=All";
    client.post(path, &bad).refused(403, &["ValidatingAdmissionPolicy 'k8s-mtp-pods-deny.open'"]);
    client.post(path, &fitting("good")).refused(500, &["k8s-mtp-webhook"]);
}

/// A pod that every policy takes.
pub fn fitting(name: &str) -> Value {
    let limits = json!({"cpu": "10m", "memory": "16Mi"});
    let context = json!({"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false});
    pods::pod(
        name,
        json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0",
        "resources": {"limits": limits, "requests": limits}, "securityContext": context}]}),
    )
}

/// How many pods are made in each namespace.
const PODS: usize = 2_000;

/// How long a pod takes, from the request to the answer: with neither engine, with one, with both, in turns on one server.
///
/// Measured by `ci/bench policies` and by nobody else: times are no tests.
#[test]
#[ignore = "measures"]
fn measured() {
    let live = live(&["policed", "hooked"], |text| text.replace("pods: 50", "pods: 5000"));
    let admin = live.admin.apart();
    // What is asked about one of them leaves the other one alone.
    let not = |tenant: &str| json!({"key": "tenant.k8s-mtp.io/name", "operator": "NotIn", "values": [tenant]});
    let registration = "/apis/admissionregistration.k8s.io/v1";
    for kind in ["validatingwebhookconfigurations", "mutatingwebhookconfigurations"] {
        for mut configuration in items(&admin.get(&format!("{registration}/{kind}")).ok()) {
            for webhook in configuration["webhooks"].as_array_mut().into_iter().flatten() {
                extend(&mut webhook["namespaceSelector"], not("policed"));
            }
            put(&admin, &format!("{registration}/{kind}"), &configuration);
        }
    }
    for kind in ["validatingadmissionpolicybindings", "mutatingadmissionpolicybindings"] {
        for mut binding in items(&admin.get(&format!("{registration}/{kind}")).ok()) {
            extend(&mut binding["spec"]["matchResources"]["namespaceSelector"], not("hooked"));
            put(&admin, &format!("{registration}/{kind}"), &binding);
        }
    }
    // The same ceilings, and nobody who looks at pods.
    let plain = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "neither"}});
    admin.post("/api/v1/namespaces", &plain).created();
    for resource in ["resourcequotas", "limitranges"] {
        for mut object in items(&admin.get(&format!("/api/v1/namespaces/tenant-open-x/{resource}")).ok()) {
            object["metadata"] = json!({"name": object["metadata"]["name"]});
            admin.post(&format!("/api/v1/namespaces/neither/{resource}"), &object).created();
        }
    }
    policies_in_force(&live.plane, &admin);
    std::thread::sleep(Duration::from_secs(3));

    let whose = [
        ("neither", "neither"),
        ("policies", "tenant-policed-x"),
        ("webhook", "tenant-hooked-x"),
        ("both", "tenant-open-x"),
    ];
    let mut times: [Vec<Duration>; 4] = std::array::from_fn(|_| Vec::with_capacity(PODS));
    for number in 0..PODS {
        for turn in 0..whose.len() {
            let index = (number + turn) % whose.len();
            let pod = fitting(&format!("p{number}"));
            let start = Instant::now();
            admin.post(&format!("/api/v1/namespaces/{}/pods", whose[index].1), &pod).created();
            times[index].push(start.elapsed());
        }
    }
    println!("{PODS} pods each, one after the other; milliseconds:");
    for ((engines, _), times) in whose.iter().zip(&mut times) {
        println!("  {engines:<9} {}", percentiles(times));
    }
}

/// The median of times and what one of a hundred exceeds, in milliseconds.
pub fn percentiles(times: &mut [Duration]) -> String {
    times.sort();
    let at = |of: usize| times[times.len() * of / 100].as_secs_f64() * 1_000.0;
    format!("p50 {:>6.2}  p99 {:>6.2}", at(50), at(99))
}

fn items(list: &Value) -> Vec<Value> {
    list["items"].as_array().cloned().unwrap_or_default()
}

fn extend(selector: &mut Value, expression: Value) {
    let mut all = selector["matchExpressions"].as_array().cloned().unwrap_or_default();
    all.push(expression);
    selector["matchExpressions"] = Value::Array(all);
}

fn put(admin: &crate::client::Client, collection: &str, object: &Value) {
    let path = format!("{collection}/{}", object["metadata"]["name"].as_str().expect("a name"));
    admin.send(http::Method::PUT, &path, "application/json", object.to_string().into_bytes()).ok();
}
