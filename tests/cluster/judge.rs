//! `mtp policy review` beside a control plane: of each object, who refuses it, and who speaks first.
//!
//! Objects: the examples of the policies and of the rules, as `mtp explain` prints them; the published pods of `layers.txt`;
//! and what fails each layer. Each is sent by dry run, strictly validated, into the namespace of each tenant. What differs
//! stands in `judged.txt`: of core validation alone, which is modelled as far as it is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::Answer;
use crate::mtp::{Folder, mtp};
use crate::programs::repository;
use crate::webhook::{Live, TIERS, good, published};

/// A tier in which every layer has something to say.
const JUDGED: &str = "
---
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: judged}
spec:
  podSecurity: {level: baseline}
  admission:
    policies: {read-only-root: warn, privilege-escalation: \"off\"}
  quota:
    cpu: 2
    memory: 2Gi
    storage: 10Gi
    pods: 10
    loadBalancers: 0
    nodePorts: 0
    crossNamespaceAffinity: 0
    objects: {secrets: 0, count/jobs.batch: 0, count/deployments.apps: 5, configmaps: 5}
    priorityClasses: {business: {pods: 1, cpu: 200m}}
  limitRange:
    container:
      default: {cpu: 100m, memory: 64Mi}
      defaultRequest: {cpu: 50m, memory: 64Mi}
      min: {cpu: 10m}
      max: {cpu: 1, memory: 1Gi}
      maxLimitRequestRatio: {cpu: 4}
    pod: {max: {memory: 1536Mi}}
    persistentVolumeClaim: {min: {storage: 1Gi}, max: {storage: 5Gi}}
---
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: quota}
spec:
  podSecurity: {level: privileged}
  quota: {cpu: 1, memory: 1Gi, pods: 10}
";

/// Tenants by name and tier.
const TENANTS: [(&str, &str); 5] =
    [("open", "open"), ("bounded", "bounded"), ("free", "free"), ("judged", "judged"), ("quota", "quota")];

/// All objects that are sent, by a word on each.
fn objects() -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (name, value, _) in published() {
        all.insert(format!("published {name}"), value);
    }
    all.insert("published good".to_owned(), good("good"));
    let ids = [mtp(&["policy", "list"]).out, mtp(&["explain"]).out];
    let ids = ids.iter().flat_map(|text| text.lines()).filter_map(|line| line.split_whitespace().next());
    // Lists have tests of their own: their examples name what only a list knows.
    let is_list = |id: &str| k8s_mtp::engine::restrictions::find(id).is_some();
    let is_judged = |id: &&str| !is_list(id) && id.contains('-') || (id.starts_with('A') && !id.starts_with("A9"));
    for id in ids.filter(is_judged) {
        let text = mtp(&["explain", id]).out;
        let indented = text.lines().filter_map(|line| line.strip_prefix("  "));
        for (index, example) in indented.filter(|line| !line.starts_with('#')).enumerate() {
            let value: Value = serde_yaml::from_str(example).unwrap_or_else(|error| panic!("{example}: {error}"));
            all.insert(format!("{id} {index}"), whole(value, id.contains('-')));
        }
    }
    all.extend(own());
    all
}

/// The object of an example; a policy's examples leave out what is not their business.
fn whole(mut value: Value, of_policy: bool) -> Value {
    if value.get("kind").is_some() {
        return value;
    }
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for container in value[list].as_array_mut().into_iter().flatten().filter(|_| of_policy) {
            container["image"] = json!("nginx");
        }
    }
    if value["containers"].is_null() && of_policy {
        value["containers"] = json!([{"name": "main", "image": "nginx"}]);
    }
    let fields = value.as_object_mut().expect("a spec");
    fields.retain(|_, value| !value.is_null());
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "it"}, "spec": fields})
}

/// What fails single layers, and what fails none.
fn own() -> Vec<(String, Value)> {
    let mut all = Vec::new();
    let mut pod = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut value = good("it");
        value["spec"]["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}});
        value["spec"]["containers"][0]["securityContext"]["capabilities"] = json!({"drop": ["ALL"]});
        change(&mut value["spec"]);
        all.push((format!("own {name}"), value));
    };
    let sized = |limits: Value, requests: Value| {
        move |spec: &mut Value| {
            spec["containers"][0]["resources"] = json!({"limits": limits.clone(), "requests": requests.clone()});
        }
    };
    pod("fine", &|_| {});
    pod("nothing stated", &|spec| spec["containers"][0]["resources"] = Value::Null);
    pod("limits alone", &sized(json!({"cpu": "200m", "memory": "64Mi"}), Value::Null));
    pod("requests alone", &sized(Value::Null, json!({"cpu": "200m", "memory": "64Mi"})));
    pod("small request", &sized(json!({"cpu": "20m", "memory": "64Mi"}), json!({"cpu": "5m"})));
    pod("ratio", &sized(json!({"cpu": "500m", "memory": "64Mi"}), json!({"cpu": "50m", "memory": "64Mi"})));
    pod("large cpu", &sized(json!({"cpu": "1500m", "memory": "64Mi"}), json!({"cpu": "1500m", "memory": "64Mi"})));
    pod("largest memory", &sized(json!({"cpu": "100m", "memory": "1Gi"}), json!({"cpu": "100m", "memory": "1Gi"})));
    pod("memory over all", &sized(json!({"cpu": "100m", "memory": "3Gi"}), json!({"cpu": "100m", "memory": "64Mi"})));
    pod("zero", &sized(json!({"cpu": "0", "memory": "0"}), Value::Null));
    pod("two containers over a pod's memory", &|spec| {
        let mut second = spec["containers"][0].clone();
        second["name"] = json!("second");
        second["resources"] = json!({"limits": {"cpu": "100m", "memory": "1Gi"}});
        spec["containers"][0]["resources"] = second["resources"].clone();
        spec["containers"].as_array_mut().expect("a list").push(second);
    });
    pod("init container", &|spec| {
        let mut init = spec["containers"][0].clone();
        init["name"] = json!("setup");
        init["resources"] = json!({"limits": {"cpu": "800m", "memory": "64Mi"}});
        spec["initContainers"] = json!([init]);
    });
    pod("sidecars", &|spec| {
        let mut init = spec["containers"][0].clone();
        init["restartPolicy"] = json!("Always");
        init["resources"] = json!({"limits": {"cpu": "900m", "memory": "900Mi"}});
        let mut second = init.clone();
        (init["name"], second["name"]) = (json!("a"), json!("b"));
        spec["initContainers"] = json!([init, second]);
    });
    pod("resources of the pod", &|spec| {
        spec["containers"][0]["resources"] = Value::Null;
        spec["resources"] = json!({"limits": {"cpu": "1", "memory": "512Mi"}});
    });
    pod("business", &|spec| spec["priorityClassName"] = json!("business"));
    pod("business, large", &|spec| {
        spec["priorityClassName"] = json!("business");
        spec["containers"][0]["resources"] = json!({"limits": {"cpu": "300m", "memory": "64Mi"}});
    });
    pod("urgent", &|spec| spec["priorityClassName"] = json!("urgent"));
    pod("device", &|spec| spec["containers"][0]["resources"]["limits"]["example.org/card"] = json!(1));
    for (name, of, list, term) in affinities() {
        pod(&format!("affinity, {name}"), &|spec| spec["affinity"] = json!({of: {list: [term]}}));
    }
    pod("host network", &|spec| spec["hostNetwork"] = json!(true));
    pod("host path", &|spec| spec["volumes"] = json!([{"name": "a", "hostPath": {"path": "/"}}]));
    pod("capability", &|spec| {
        spec["containers"][0]["securityContext"]["capabilities"] = json!({"drop": ["ALL"], "add": ["NET_ADMIN"]});
    });
    let base = all[0].1["spec"].clone();
    let mut object = |name: &str, value: Value| all.push((format!("own {name}"), value));
    let service =
        |spec: Value| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "it"}, "spec": spec});
    object("service", service(json!({"ports": [{"port": 80}]})));
    object("node port", service(json!({"type": "NodePort", "ports": [{"port": 80}]})));
    object("load balancer", service(json!({"type": "LoadBalancer", "ports": [{"port": 80}]})));
    object(
        "load balancer without node ports",
        service(json!({"type": "LoadBalancer", "allocateLoadBalancerNodePorts": false, "ports": [{"port": 80}]})),
    );
    object("headless", service(json!({"clusterIP": "None", "selector": {"a": "b"}})));
    for storage in ["100Mi", "1Gi", "8Gi", "20Gi"] {
        let spec = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}});
        let claim =
            json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "it"}, "spec": spec});
        object(&format!("claim of {storage}"), claim);
    }
    object("secret", json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "it"}}));
    object(
        "config map",
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "it"}, "data": {"a": "b"}}),
    );
    let workload = |api_version: &str, kind: &str, spec: &Value| {
        let template = json!({"metadata": {"labels": {"app": "it"}}, "spec": spec});
        let selector = json!({"matchLabels": {"app": "it"}});
        let spec = match kind {
            "Job" => json!({"template": template}),
            "CronJob" => json!({"schedule": "@daily", "jobTemplate": {"spec": {"template": template}}}),
            "StatefulSet" => json!({"serviceName": "it", "selector": selector, "template": template}),
            _ => json!({"selector": selector, "template": template}),
        };
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "it"}, "spec": spec})
    };
    let mut ends = base.clone();
    ends["restartPolicy"] = json!("Never");
    let mut large = base.clone();
    large["containers"][0]["resources"] = json!({"limits": {"cpu": "1500m", "memory": "64Mi"}});
    let mut bad = base.clone();
    bad["containers"][0]["securityContext"]["privileged"] = json!(true);
    bad["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = Value::Null;
    let mut asking = base.clone();
    asking["containers"][0]["resources"] = json!({"requests": {"cpu": "200m", "memory": "64Mi"}});
    for (kind, api_version) in [("Deployment", "apps/v1"), ("StatefulSet", "apps/v1"), ("DaemonSet", "apps/v1")] {
        let specs = [("fine", &base), ("large", &large), ("privileged", &bad), ("asking", &asking), ("ends", &ends)];
        for (name, spec) in specs {
            object(&format!("{kind} {name}"), workload(api_version, kind, spec));
        }
    }
    for kind in ["Job", "CronJob"] {
        for (name, spec) in [("fine", &ends), ("lasts", &base)] {
            object(&format!("{kind} {name}"), workload("batch/v1", kind, spec));
        }
    }
    all.extend(not_modelled());
    all
}

/// Pods that want to be near others, or apart from them: in namespaces of others, and in their own.
fn affinities() -> [(&'static str, &'static str, &'static str, Value); 5] {
    let [required, preferred] =
        ["requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"];
    let term = |of: Value| {
        let mut term = json!({"topologyKey": "topology.kubernetes.io/zone", "labelSelector": {}});
        term.as_object_mut().expect("a term").extend(of.as_object().expect("fields").clone());
        term
    };
    let all = term(json!({"namespaceSelector": {}}));
    [
        ("apart from all", "podAntiAffinity", required, all.clone()),
        ("rather near all", "podAffinity", preferred, json!({"weight": 1, "podAffinityTerm": all})),
        ("near one", "podAffinity", required, term(json!({"namespaces": ["default"]}))),
        ("apart from none", "podAntiAffinity", required, term(json!({"namespaces": []}))),
        ("apart from its own", "podAntiAffinity", required, term(json!({}))),
    ]
}

/// What core validation refuses and is not modelled, or what depends on the cluster: the known differences.
fn not_modelled() -> Vec<(String, Value)> {
    let pod = |name: &str, field: &str, value: Value| {
        let mut pod = good("it");
        pod["spec"][field] = value;
        (format!("not modelled {name}"), pod)
    };
    let container = |name: &str, field: &str, value: Value| {
        let mut pod = good("it");
        pod["spec"]["containers"][0][field] = value;
        (format!("not modelled {name}"), pod)
    };
    let object = |name: &str, value: Value| (format!("not modelled {name}"), value);
    let term = json!({"weight": 0, "podAffinityTerm": {"labelSelector": {}}});
    vec![
        pod(
            "affinity",
            "affinity",
            json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [term]}}),
        ),
        pod(
            "spread",
            "topologySpreadConstraints",
            json!([{"maxSkew": 0, "topologyKey": "a", "whenUnsatisfiable": "Never"}]),
        ),
        pod("aliases", "hostAliases", json!([{"ip": "none", "hostnames": ["a"]}])),
        pod("resolver", "dnsConfig", json!({"nameservers": ["none"]})),
        pod("sysctl", "securityContext", json!({"sysctls": [{"name": "A B", "value": "1"}]})),
        pod("account", "serviceAccountName", json!("nobody")),
        pod("priority", "priorityClassName", json!("nothing")),
        container("lifecycle", "lifecycle", json!({"preStop": {}})),
        container("resizing", "resizePolicy", json!([{"resourceName": "cpu", "restartPolicy": "Sometimes"}])),
        container("variables", "envFrom", json!([{}])),
        object(
            "schedule",
            json!({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "it"}, "spec": {
                "schedule": "99 * * * *",
                "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a"}]}}}},
            }}),
        ),
        object(
            "ingress",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "it"}, "spec": {}}),
        ),
        object(
            "network policy",
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "it"}, "spec": {
                "podSelector": {}, "egress": [{"to": [{"ipBlock": {"cidr": "none"}}]}],
            }}),
        ),
    ]
}

/// Which layer spoke, by its own words.
fn layer(answer: &Answer) -> &'static str {
    let message = answer.message();
    let words = [
        ("admission webhook \"k8s-mtp-webhook.k8s-mtp.io\" denied the request", "policies"),
        ("violates PodSecurity", "pod-security"),
        ("usage per ", "limit-range"),
        ("max limit to request ratio per ", "limit-range"),
        ("exceeded quota", "resource-quota"),
        ("failed quota", "resource-quota"),
        ("is invalid", "core-validation"),
        ("strict decoding error", "core-validation"),
        ("cannot be handled as a", "core-validation"),
        ("name or generateName is required", "core-validation"),
    ];
    match words.into_iter().find(|(words, _)| message.contains(words)) {
        _ if answer.status < 300 => "admitted",
        Some((_, layer)) => layer,
        None => "somebody else",
    }
}

/// The pod that a workload would make.
fn pod_of(object: &Value) -> Option<Value> {
    let path = match object["kind"].as_str()? {
        "Deployment" | "StatefulSet" | "DaemonSet" | "Job" => "/spec/template",
        "CronJob" => "/spec/jobTemplate/spec/template",
        _ => return None,
    };
    let template = object.pointer(path)?;
    let labels = template["metadata"]["labels"].clone();
    let metadata = json!({"name": "it", "labels": labels});
    Some(json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]}))
}

/// What the API server says: whom it refuses, and by which layer.
fn asked(live: &Live, tenant: &str, object: &Value) -> (&'static str, String) {
    let ask = |object: &Value| {
        let text = |key: &str| object[key].as_str().expect("text");
        let collection = live.resources.collection(text("apiVersion"), text("kind"), &format!("tenant-{tenant}-x"));
        for _ in 0..100 {
            let answer = live.admin.post(&format!("{collection}?dryRun=All&fieldValidation=Strict"), object);
            if !answer.message().contains("status unknown for quota") {
                return (layer(&answer), answer.message());
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("quotas of {tenant} are never counted");
    };
    let (own, message) = ask(object);
    match pod_of(object) {
        Some(pod) if own == "admitted" => {
            let (of_pods, message) = ask(&pod);
            (of_pods, if of_pods == "admitted" { String::new() } else { format!("pods: {message}") })
        }
        _ => (own, if own == "admitted" { String::new() } else { message }),
    }
}

/// What is said here, of the layer that speaks first, in other words than there.
fn other_words(report: &Value, path: &str, layer: &str, message: &str) -> Option<String> {
    if !matches!(layer, "limit-range" | "pod-security" | "resource-quota") {
        return None;
    }
    let problems = report["problems"].as_array().expect("problems").iter();
    let own = problems.filter(|p| p["path"] == path && p["first"] == true && p["layer"] == layer);
    let own: Vec<&str> = own.map(|problem| problem["message"].as_str().expect("a message")).collect();
    let is_said = |own: &&&str| match layer {
        // Behind the level, which is said once.
        "pod-security" => message.contains(own.split_once("\": ").map_or(**own, |(_, words)| words)),
        // Between the two, there stands what is used.
        "resource-quota" => own.split(", limited").all(|part| message.contains(part)),
        _ => message.contains(**own),
    };
    // Of several quotas, the API server names one.
    let said = own.iter().filter(is_said).count();
    let wanted = if layer == "resource-quota" { 1 } else { own.len().max(1) };
    (said < wanted).then(|| format!("{own:?} is not {message}"))
}

#[test]
fn the_review_says_what_the_api_server_says() {
    let live = Live::with(&format!("{TIERS}{JUDGED}"), &TENANTS);
    for name in ["business", "urgent"] {
        let class = json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": name}, "value": 1,
        });
        live.admin.post("/apis/scheduling.k8s.io/v1/priorityclasses", &class).created();
    }
    let objects = objects();
    assert!(objects.len() > 200, "{}", objects.len());
    let folder = Folder::empty();
    let files: BTreeMap<String, &String> = objects
        .iter()
        .enumerate()
        .map(|(index, (name, value))| {
            folder.write(&format!("{index:04}.json"), value.to_string());
            (folder.join(&format!("{index:04}.json")).display().to_string(), name)
        })
        .collect();
    let (mut differences, mut compared, mut layers) = (String::new(), 0, BTreeMap::<String, usize>::new());
    let mut wrong_words = Vec::new();
    for (tenant, _) in TENANTS {
        let paths = folder.path().display().to_string();
        let ran = live.world.folder.mtp(&["policy", "review", "--tenant", tenant, "--output", "json", &paths]);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
        for verdict in report["objects"].as_array().expect("objects") {
            let path = verdict["path"].as_str().expect("a path");
            let name = files[path];
            // What is not modelled is not modelled anywhere.
            if name.starts_with("not modelled") && tenant != "open" {
                continue;
            }
            let refused = verdict["verdict"] == "refused";
            let said = if refused { verdict["layer"].as_str().expect("a layer") } else { "admitted" };
            let (meant, message) = asked(&live, tenant, &objects[name]);
            compared += 1;
            wrong_words
                .extend(other_words(&report, path, meant, &message).map(|words| format!("{tenant}, {name}: {words}")));
            *layers.entry(format!("{tenant} {meant}")).or_default() += 1;
            let by_object = !message.starts_with("pods: ");
            if said != meant || (refused && (verdict["whom"] == "object") != by_object) {
                let message = message.replace('\n', " ");
                differences.push_str(&format!("{tenant}, {name}: the cluster: {meant}, mtp: {said}: {message}\n"));
            }
        }
    }
    assert!(compared > 200 * TENANTS.len());
    assert!(wrong_words.is_empty(), "{}", wrong_words.join("\n"));
    println!("{compared} verdicts compared, by tenant and layer: {layers:#?}");
    // Each layer has spoken first in the tier that has all of them.
    for layer in ["admitted", "core-validation", "limit-range", "pod-security", "policies", "resource-quota"] {
        assert!(layers.contains_key(&format!("judged {layer}")), "{layer}: {layers:?}");
    }
    let file = repository().join("tests/cluster/judged.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &differences).expect("written");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), differences);
    for line in differences.lines() {
        let is_known = line.contains("the cluster: core-validation") || line.contains("the cluster: somebody else");
        assert!(is_known, "not of core validation: {line}");
    }
    generated(&live);
}

/// Pods that a seed makes: nobody is refused here whom the cluster takes, and what core validation takes there, the other layers
/// judge alike.
fn generated(live: &Live) {
    const SEEDS: u64 = 300;
    let folder = Folder::empty();
    let pods: BTreeMap<String, Value> = (0..SEEDS)
        .map(|seed| {
            let mut pod = crate::generated_pods::pod(seed);
            pod["metadata"]["name"] = json!("it");
            let name = format!("{seed:04}.json");
            folder.write(&name, pod.to_string());
            (folder.join(&name).display().to_string(), pod)
        })
        .collect();
    let (mut wrong, mut layers) = (Vec::new(), BTreeMap::<String, usize>::new());
    for tenant in ["open", "free", "judged"] {
        let paths = folder.path().display().to_string();
        let ran = live.world.folder.mtp(&["policy", "review", "--tenant", tenant, "--output", "json", &paths]);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
        for verdict in report["objects"].as_array().expect("objects") {
            let path = verdict["path"].as_str().expect("a path");
            let refused = verdict["verdict"] == "refused";
            let said = if refused { verdict["layer"].as_str().expect("a layer") } else { "admitted" };
            let (meant, message) = asked(live, tenant, &pods[path]);
            *layers.entry(format!("{tenant}: the cluster {meant}, mtp {said}")).or_default() += 1;
            if said != meant && !matches!(meant, "core-validation" | "somebody else") {
                wrong.push(format!("{tenant}, {path}: the cluster: {meant}, mtp: {said}: {message}: {ran}"));
            }
        }
    }
    println!("generated pods: {layers:#?}");
    let of =
        |said: &str| layers.get(&format!("open: the cluster core-validation, mtp {said}")).copied().unwrap_or_default();
    assert!(of("core-validation") > 9 * of("policies"), "core validation is modelled for the most part: {layers:?}");
    assert!(wrong.is_empty(), "{} of {}: {}", wrong.len(), SEEDS * 3, wrong[0]);
}
