//! What tenants name is in their tier's lists: the API server says what `mtp policy review` says, of every example of every list.

use std::collections::{BTreeMap, BTreeSet};

use k8s_mtp::engine::POLICIES;
use k8s_mtp::engine::restrictions::RESTRICTIONS;
use serde_json::{Value, json};

use super::{is_applied, types_are_right_of};
use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::fixture::{define, install, policies_in_force};
use crate::manifests::{Resources, apply_all, in_order, rendered};
use crate::mtp::Folder;

/// A tier for the first list of each restriction, one for the second, and so on.
const ROUNDS: usize = 4;

/// The lists of a restriction, each once.
fn lists(of: usize) -> Vec<&'static [&'static str]> {
    let mut all: Vec<&[&str]> = Vec::new();
    for example in RESTRICTIONS[of].examples {
        if !all.contains(&example.list) {
            all.push(example.list);
        }
    }
    assert!(all.len() <= ROUNDS, "{}", RESTRICTIONS[of].id);
    all
}

/// A tenant for each round; one that is let off two lists; and two that have lists of their own, beside the tier's and alone.
fn tenants() -> impl Iterator<Item = String> {
    (0..ROUNDS).map(|round| format!("round{round}")).chain(["lifted", "narrow", "own"].map(str::to_owned))
}

/// Lists of a tenant.
const OWN: &str = ", restrict: {hostNames: [web.apps.example.org, \"*.example.net\"], storageClasses: [\"\"], tolerations: [], \
                   registries: [registry.example.org/team, docker.io], externalIPs: [192.0.2.0/24, \"2001:db8::1\"], \
                   loadBalancerSourceRanges: [10.1.0.0/16, 192.0.2.1], serviceTypes: [ClusterIP, LoadBalancer], \
                   nodeSelectors: [example.org/pool=web, metadata.name], tokenAudiences: [vault]}";

/// What `tenants/` holds.
fn files() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let off: String = POLICIES.iter().map(|policy| format!("{}: \"off\", ", policy.id)).collect();
    files.insert(
        "tenants/platform.yaml".to_owned(),
        "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Platform\nmetadata: {name: platform}\nspec:\n  \
         kubernetesVersion: \"1.37\"\n  podSecurity: {level: privileged}\n  templates: {kinds: []}\n  admission:\n    \
         engines: [policies]\n    applyIdentities: [admin]\n    exemptions:\n    \
         - {policies: [registries, service-types], tenants: [lifted], owner: o@example.org, reason: a node agent, expires: \"2027-01-31\"}\n"
            .to_owned(),
    );
    for round in 0..ROUNDS {
        let mut restrict = String::new();
        for (index, restriction) in RESTRICTIONS.iter().enumerate() {
            let Some(list) = lists(index).get(round).copied() else { continue };
            let field = restriction.field;
            if field == "hostUsers" {
                restrict.push_str(&format!("      {field}: false\n"));
            } else {
                restrict.push_str(&format!("      {field}: {}\n", json!(list)));
            }
        }
        let mode = if round == 1 { "service-types: warn, " } else { "" };
        files.insert(
            format!("tenants/tiers/round{round}.yaml"),
            format!(
                "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tier\nmetadata: {{name: round{round}}}\nspec:\n  quota: {{pods: 50}}\n  \
                 admission:\n    policies: {{{mode}{off}}}\n    restrict:\n{restrict}"
            ),
        );
    }
    for name in tenants() {
        let (round, own) = match name.as_str() {
            "lifted" => (0, ""),
            "narrow" => (0, OWN),
            "own" => (3, OWN),
            round => (round.trim_start_matches("round").parse().expect("a number"), ""),
        };
        files.insert(
            format!("tenants/{name}.yaml"),
            format!(
                "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: {name}}}\n\
                 spec: {{name: x, tier: round{round}, ownerEmail: owner@example.org, admins: [alice@{name}.example]{own}}}\n"
            ),
        );
    }
    files
}

/// Every example as an object that an API server takes; those for debuggers alone are left out.
fn objects() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    for restriction in RESTRICTIONS {
        for example in restriction.examples {
            let value: Value = serde_yaml::from_str(example.object).expect("YAML");
            let about = format!("{}: {}", restriction.id, example.about);
            if !restriction.is_of_pods() {
                all.push((about, value));
                continue;
            }
            let mut spec = value;
            spec.as_object_mut().expect("a spec").remove("ephemeralContainers");
            if spec["containers"].is_null() {
                spec["containers"] = json!([{"name": "main"}]);
            }
            for list in ["initContainers", "containers"] {
                for container in spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                    if container["image"].is_null() {
                        container["image"] = json!("registry.example.org/team/app:1.0");
                    }
                }
            }
            let metadata = json!({"name": format!("pod-{}", all.len())});
            all.push((about, json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})));
        }
    }
    for of in ["kubernetes.io/service-account-token", "Opaque"] {
        let metadata = json!({"name": "token", "annotations": {"kubernetes.io/service-account.name": "default"}});
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": of});
        all.push((format!("Secret of type {of}"), secret));
    }
    all
}

/// What is said of an object: whether it is refused, and the words with their ids.
type Said = (bool, BTreeSet<String>);

fn by_server(client: &Client, path: &str, object: &Value) -> Said {
    let client = client.apart();
    let answer = client.post(&format!("{path}?dryRun=All"), object);
    let split = |text: &str| text.split("; ").map(str::to_owned).collect::<BTreeSet<String>>();
    if answer.status == 403 {
        let message = answer.message();
        let (_, words) = message.split_once(" denied request: ").unwrap_or_else(|| panic!("{message}: {object}"));
        return (true, split(words));
    }
    assert_eq!(answer.status, 201, "{}: {object}", answer.message());
    let warnings = client.warnings().into_iter().filter_map(|warning| {
        let (_, words) = warning.split_once("ValidatingAdmissionPolicy 'k8s-mtp-named-warn")?;
        Some(split(words.split_once(": ")?.1.trim_end_matches('"')))
    });
    (false, warnings.flatten().collect())
}

fn by_review(folder: &Folder, tenant: &str, object: &Value) -> Said {
    folder.write("object.yaml", object.to_string());
    let path = folder.join("object.yaml").display().to_string();
    let ran = folder.mtp(&["policy", "review", "--tenant", tenant, "--output", "json", &path]);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
    let problems = said["problems"].as_array().expect("problems");
    let of_lists =
        problems.iter().filter(|problem| RESTRICTIONS.iter().any(|restriction| problem["rule"] == restriction.id));
    let refused = of_lists.clone().any(|problem| problem["severity"] == "error");
    // An API server shows warnings where nothing is refused.
    let told = of_lists.filter(|problem| !refused || problem["severity"] == "error");
    let words =
        told.map(|p| format!("{} ({})", p["message"].as_str().expect("words"), p["rule"].as_str().expect("an id")));
    (refused, words.collect())
}

#[test]
fn what_is_named_is_judged_alike() {
    let mut plane = ControlPlane::start(NEWEST);
    plane.start_nodes();
    let admin = plane.client();
    for (kind, group, resource) in [
        ("PriorityClass", "scheduling.k8s.io/v1", "priorityclasses"),
        ("RuntimeClass", "node.k8s.io/v1", "runtimeclasses"),
    ] {
        for name in if kind == "PriorityClass" { ["batch", "other"] } else { ["gvisor", "kata"] } {
            let mut object = json!({"apiVersion": group, "kind": kind, "metadata": {"name": name}});
            object[if kind == "PriorityClass" { "value" } else { "handler" }] =
                if kind == "PriorityClass" { json!(1) } else { json!(name) };
            admin.post(&format!("/apis/{group}/{resource}"), &object).created();
        }
    }
    for kind in ["HTTPRoute", "Gateway", "ListenerSet"] {
        define(&plane, &admin, "gateway.networking.k8s.io/v1", kind);
    }
    let files = files();
    let folder = Folder::empty();
    files.iter().for_each(|(path, text)| folder.write(path, text));
    let ran = folder.mtp(&["validate"]);
    assert_eq!(ran.exit, k8s_mtp::cli::Exit::Clean, "{ran}");
    let documents: Vec<_> = in_order(rendered(&files).into_iter().filter(is_applied).collect());
    let mut resources = Resources::of(&admin);
    install(&plane, &admin, &documents, &mut resources);
    apply_all(&admin, &resources, &documents);
    policies_in_force(&plane, &admin);
    types_are_right_of(&plane, &admin, &resources, &documents);

    let (mut refused, mut warned, mut admitted) = (0, 0, 0);
    for (about, object) in objects() {
        let text = |field: &str| object[field].as_str().expect("text").to_owned();
        for tenant in tenants() {
            let namespace = format!("tenant-{tenant}-x");
            let path = resources.collection(&text("apiVersion"), &text("kind"), &namespace);
            let said = by_server(&admin, &path, &object);
            assert_eq!(said, by_review(&folder, &tenant, &object), "{about}, in {tenant}: {object}");
            *if said.0 {
                &mut refused
            } else if said.1.is_empty() {
                &mut admitted
            } else {
                &mut warned
            } += 1;
            if tenant == "lifted" {
                assert!(said.1.iter().all(|words| !words.contains("(registries)")), "{said:?}");
            }
        }
    }
    println!("{refused} refused, {warned} warned of, {admitted} admitted");
    assert!(refused > 150 && warned > 1 && admitted > 40, "{refused} {warned} {admitted}");
    changes(&admin);
    debuggers(&admin);
    daemon_sets(&plane, &admin);
    templates_of_claims(&admin, &folder);
    claims(&admin);
}

/// What makes claims is told of their classes, by the API server as by the review: of each that is stated.
fn templates_of_claims(admin: &Client, folder: &Folder) {
    let claim = |class: Value| {
        let resources = json!({"requests": {"storage": "1Gi"}});
        let mut claim =
            json!({"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": resources}});
        if class.is_string() {
            claim["spec"]["storageClassName"] = class;
        }
        claim
    };
    let labels = json!({"app": "db"});
    let template = |volumes: Value| {
        json!({"metadata": {"labels": labels}, "spec": {"volumes": volumes, "hostUsers": false, "runtimeClassName": "gvisor",
            "automountServiceAccountToken": false, "containers": [{"name": "a", "image": "registry.example.org/team/a:1"}]}})
    };
    let ephemeral = |class: &str| {
        let mut claim = claim(json!(class));
        claim["metadata"] = json!({});
        json!([{"name": "scratch", "ephemeral": {"volumeClaimTemplate": claim}}, {"name": "plain", "emptyDir": {}}])
    };
    let set = |classes: &[Value], volumes: Value| {
        let claims: Vec<Value> = classes.iter().map(|class| claim(class.clone())).collect();
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"serviceName": "db",
            "selector": {"matchLabels": labels}, "template": template(volumes), "volumeClaimTemplates": claims}})
    };
    let deployment = |volumes: Value| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "db"}, "spec": {
            "selector": {"matchLabels": labels}, "template": template(volumes)}})
    };
    let [fast, slow, none, unsaid] = [json!("fast"), json!("slow"), json!(""), Value::Null];
    for (resource, object, classes) in [
        ("statefulsets", set(&[fast.clone(), unsaid], json!([])), &[][..]),
        ("statefulsets", set(&[slow.clone(), fast, none], ephemeral("odd")), &["slow", "", "odd"]),
        ("statefulsets", set(&[slow], ephemeral("fast")), &["slow"]),
        ("deployments", deployment(ephemeral("odd")), &["odd"]),
    ] {
        let client = admin.apart();
        client.post(&format!("/apis/apps/v1/namespaces/tenant-round0-x/{resource}?dryRun=All"), &object).created();
        let warned = client.warnings().join("\n");
        let (refused, told) = by_review(folder, "round0", &object);
        assert_eq!(refused, !classes.is_empty(), "{object}");
        let words = |class: &str| format!("storage class '{class}' is not allowed (storage-classes)");
        assert_eq!(told, classes.iter().map(|class| words(class)).collect(), "{object}");
        for class in ["fast", "slow", "", "odd"] {
            assert_eq!(warned.contains(&words(class)), classes.contains(&class), "{class}: {warned}");
        }
    }
}

/// Their controller names the node of each pod, which nobody asked for; what the template requires never reaches a pod, so that the
/// DaemonSet itself is refused.
fn daemon_sets(plane: &ControlPlane, admin: &Client) {
    let sets = "/apis/apps/v1/namespaces/tenant-round0-x/daemonsets";
    let labels = json!({"app": "agent"});
    let set = |affinity: Value| {
        json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}, "spec": {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {
                "hostUsers": false, "runtimeClassName": "gvisor", "affinity": affinity,
                "containers": [{"name": "a", "image": "registry.example.org/team/a:1"}],
            }},
        }})
    };
    let term = json!({"matchExpressions": [{"key": "example.org/pool", "operator": "In", "values": ["bank"]}]});
    let required =
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}});
    let refusal = "node selector 'example.org/pool=bank' is not allowed (node-selectors)";
    admin.post(sets, &set(required)).refused(403, &[refusal]);
    admin.post(sets, &set(json!({}))).created();
    let pods = "/api/v1/namespaces/tenant-round0-x/pods?labelSelector=app=agent";
    let made = || admin.get(pods).ok()["items"].as_array().cloned().unwrap_or_default();
    wait("the DaemonSet has its pod", plane, || !made().is_empty());
    let pod = &made()[0];
    assert!(pod["spec"]["affinity"].to_string().contains("matchFields"), "{pod}");
    // Whoever says so himself is not the controller.
    let spec = json!({"hostUsers": false, "runtimeClassName": "gvisor", "affinity": pod["spec"]["affinity"],
        "containers": [{"name": "a", "image": "registry.example.org/team/a:1"}]});
    let metadata = json!({"name": "same", "ownerReferences": pod["metadata"]["ownerReferences"]});
    let same = json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec});
    admin.post("/api/v1/namespaces/tenant-round0-x/pods", &same).refused(403, &["node selector 'metadata.name="]);
}

/// A claim that names no class is of none where the cluster has no default.
fn claims(admin: &Client) {
    let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}});
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "a"}, "spec": spec});
    let claims = "/api/v1/namespaces/tenant-round0-x/persistentvolumeclaims";
    admin.post(claims, &claim).refused(403, &["storage class '' is not allowed (storage-classes)"]);
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "example.org/disks",
        "metadata": {"name": "fast", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}}});
    admin.post("/apis/storage.k8s.io/v1/storageclasses", &class).created();
    // The API server hears of its default a moment later.
    for _ in 0..100 {
        if admin.post(&format!("{claims}?dryRun=All"), &claim).status == 201 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the default class is not named");
}

/// Of a change, what was named before is let be; of a template, whoever applies it is told.
fn changes(admin: &Client) {
    let service = |ips: Value, port: u16| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "old"},
            "spec": {"type": "ClusterIP", "ports": [{"port": port}], "externalIPs": ips}})
    };
    let services = "/api/v1/namespaces/tenant-round0-x/services";
    // As if it had been there before the list: made without the label by which the policy is found.
    let label = |value: Value| {
        let change = json!({"metadata": {"labels": {"tenant.k8s-mtp.io/name": value}}});
        admin.merge("/api/v1/namespaces/tenant-round0-x", &change).ok();
    };
    let ips = json!(["198.51.100.1"]);
    let refusal = "external address '198.51.100.1' is not allowed (external-ips)";
    let wait = |is_refused: bool| {
        for _ in 0..100 {
            let status = admin.post(&format!("{services}?dryRun=All"), &service(ips.clone(), 80)).status;
            if (status == 403) == is_refused {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("the label is not seen");
    };
    label(Value::Null);
    wait(false);
    admin.post(services, &service(ips.clone(), 80)).created();
    label(json!("round0"));
    wait(true);
    let one = format!("{services}/old?dryRun=All");
    admin.merge(&one, &json!({"metadata": {"labels": {"a": "b"}}})).ok();
    admin.merge(&one, &json!({"spec": {"ports": [{"port": 81}]}})).ok();
    let more = admin.merge(&one, &json!({"spec": {"externalIPs": ["198.51.100.1", "198.51.100.2"]}}));
    more.refused(403, &["external address '198.51.100.2' is not allowed (external-ips)"]);
    admin.post(&format!("{services}?dryRun=All"), &service(ips.clone(), 80)).refused(403, &[refusal]);

    let client = admin.apart();
    let labels = json!({"app": "web"});
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "selector": {"matchLabels": labels},
        "template": {"metadata": {"labels": labels}, "spec": {
            "tolerations": [{"operator": "Exists"}], "containers": [{"name": "a", "image": "evil.example.org/a"}],
        }},
    }});
    client.post("/apis/apps/v1/namespaces/tenant-round0-x/deployments?dryRun=All", &deployment).created();
    let warnings = client.warnings().join("\n");
    for words in
        ["its pods would name what is not allowed: ", "image 'evil.example.org/a' is not allowed", "toleration of '*'"]
    {
        assert!(warnings.contains(words), "{words}: {warnings}");
    }
}

/// A debugger's image comes from a registry of the list, too.
fn debuggers(admin: &Client) {
    let pods = "/api/v1/namespaces/tenant-round1-x/pods";
    let spec =
        json!({"runtimeClassName": "gvisor", "containers": [{"name": "a", "image": "registry.example.org/team/a:1"}]});
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec});
    admin.post(pods, &pod).created();
    let path = format!("{pods}/a/ephemeralcontainers?dryRun=All");
    let send = |image: &str| {
        let debugger = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": image}]}});
        let kind = "application/strategic-merge-patch+json";
        admin.send(http::Method::PATCH, &path, kind, debugger.to_string().into_bytes())
    };
    send("registry.example.org/team/tools:1").ok();
    send("busybox").refused(403, &["image 'busybox' is not allowed (registries)"]);
}
