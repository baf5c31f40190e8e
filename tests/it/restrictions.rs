//! Lists of what tenants may name: what their CEL texts say of an object is what Rust says of it.

use std::collections::{BTreeMap, BTreeSet};

use k8s_mtp::engine::restrictions::{KIND, OF, PINNED, RESTRICTIONS, Restriction};
use kube_cel::cel::{Program, Value as Cel};
use rayon::prelude::*;
use serde_json::{Value, json};

use crate::cel::{completed, count, variable};
use crate::generated_pods::{Dice, pod_with_resources};
use crate::mtp::{Folder, copy, repository};

/// A list with the programs that ask by it: one for each kind that names something.
struct Asked {
    restriction: &'static Restriction,
    list: Vec<String>,
    programs: BTreeMap<&'static str, Program>,
}

/// Every list of every example.
fn all() -> Vec<Asked> {
    let mut all: Vec<Asked> = Vec::new();
    for restriction in RESTRICTIONS {
        for example in restriction.examples {
            let list: Vec<String> = example.list.iter().map(|entry| (*entry).to_owned()).collect();
            if all.iter().any(|asked| asked.restriction.id == restriction.id && asked.list == list) {
                continue;
            }
            let kinds: Vec<&str> = if restriction.is_of_pods() {
                vec!["Pod"]
            } else {
                restriction.about.asked().iter().map(|(_, _, kind)| *kind).collect()
            };
            let programs = kinds.into_iter().map(|kind| {
                let items = restriction.items_cel.replace(OF, "object").replace(KIND, &format!("'{kind}'"));
                let items = items.replace(PINNED, "false");
                let refuses = format!("!{}.exists(e, {})", json!(list), restriction.allows_cel);
                let text = match restriction.whole_cel {
                    "" => format!("({items}).filter(i, {refuses})"),
                    whole => format!("({items}).filter(i, [{whole}].exists(i, {refuses}))"),
                };
                let program = Program::compile(&text);
                (kind, program.unwrap_or_else(|error| panic!("{}: {error}: {text}", restriction.id)))
            });
            let programs = programs.collect();
            all.push(Asked { restriction, list, programs });
        }
    }
    all
}

impl Asked {
    /// What is refused of an object or of a pod's spec, which both have to say; `None`: it is about others.
    fn refused(&self, kind: &str, of: &Value) -> Option<BTreeSet<String>> {
        let program = self.programs.get(kind)?;
        let by_check: BTreeSet<String> = self.restriction.refused(of, &self.list).into_iter().collect();
        let said = program.execute(&variable("object", of));
        let said = said.unwrap_or_else(|error| panic!("{} {:?}: {error}: {of}", self.restriction.id, self.list));
        let Cel::List(said) = said else { panic!("{}: {said:?}", self.restriction.id) };
        let text = |value: &Cel| match value {
            Cel::String(text) => text.to_string(),
            other => panic!("{}: {other:?}", self.restriction.id),
        };
        let by_cel: BTreeSet<String> = said.iter().map(text).collect();
        assert_eq!(by_check, by_cel, "{} {:?}: {of}", self.restriction.id, self.list);
        Some(by_check)
    }
}

/// A Service, claim, Ingress or route, by a seed.
fn object(seed: u64) -> Value {
    let mut dice = Dice::new(seed);
    let mut one = |all: Value| all[dice.below(all.as_array().expect("a list").len())].clone();
    let addresses = json!([null, [], ["192.0.2.3"], ["198.51.100.1", "2001:db8::1"], ["::ffff:192.0.2.3", "nowhere"]]);
    let ranges = json!([
        null,
        [],
        ["10.1.0.0/16"],
        ["10.0.0.0/7", "10.2.0.1/16"],
        ["0.0.0.0/0"],
        ["::/0", "10.0.0.0"],
        [" 10.0.0.0/8"],
        ["2001:0db8::/32"]
    ]);
    let hosts = json!([
        "a.example.org",
        "b.example.org",
        "web.apps.example.org",
        "*.apps.example.org",
        "apps.example.org",
        "evilapps.example.org",
        "A.example.org",
        "",
        null
    ]);
    let [a, b, c, d, e] = std::array::from_fn(|_| one(hosts.clone()));
    let mut object = match seed % 5 {
        0 => json!({"apiVersion": "v1", "kind": "Service", "spec": {
            "type": one(json!([null, "ClusterIP", "NodePort", "LoadBalancer", "LoadBalancer", "ExternalName"])),
            "ipFamilies": one(json!([null, [], ["IPv4"], ["IPv6", "IPv4"]])),
            "loadBalancerIP": one(json!([null, "", "198.51.100.7", "192.0.2.3", "::ffff:192.0.2.3"])),
            "externalIPs": one(addresses), "loadBalancerSourceRanges": one(ranges),
            "loadBalancerClass": one(json!([null, "", "example.org/internal", "example.org/internet"])),
        }}),
        1 => json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {
            "annotations": one(json!([null, {}, {"a": "b"}, {"volume.beta.kubernetes.io/storage-class": "slow"}])),
        }, "spec": {
            "storageClassName": one(json!([null, "", "fast", "slow"])),
        }}),
        2 => json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {
            "rules": one(json!([null, [], [{"host": a}], [{"host": b}, {"host": c}]])),
            "tls": one(json!([null, [{}], [{"hosts": []}], [{"hosts": ["a.example.org", d]}, {"hosts": [e]}]])),
            "defaultBackend": one(json!([null, null, {"service": {"name": "a"}}])),
        }}),
        3 => {
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": one(json!(["Gateway", "ListenerSet", "XListenerSet"])), "spec": {
                "listeners": one(json!([null, [], [{"hostname": a}], [{"hostname": b, "protocol": "HTTP"}, {"port": 80}, {"port": 1, "protocol": "UDP"}, {"hostname": c}]])),
            }})
        }
        _ => {
            json!({"apiVersion": "gateway.networking.k8s.io/v1", "kind": one(json!(["HTTPRoute", "GRPCRoute", "TLSRoute"])), "spec": {
                "hostnames": one(json!([null, [], ["a.example.org"], ["b.example.org", "web.apps.example.org"]])),
            }})
        }
    };
    if dice.below(20) == 0 {
        object.as_object_mut().expect("a map").remove("spec");
    }
    // As hosts they are no texts.
    for listener in object["spec"]["listeners"].as_array_mut().into_iter().flatten() {
        listener.as_object_mut().expect("a map").retain(|_, value| !value.is_null());
    }
    for tls in object["spec"]["tls"].as_array_mut().into_iter().flatten() {
        tls["hosts"].as_array_mut().into_iter().for_each(|hosts| hosts.retain(|host| !host.is_null() && host != ""));
    }
    object
}

/// The spec of a pod that names more than generated pods do.
fn spec(seed: u64) -> Value {
    let mut spec = pod_with_resources(seed)["spec"].clone();
    let mut dice = Dice::new(!seed);
    let mut some = |field: &str, all: Value| {
        let chosen = dice.below(all.as_array().expect("a list").len());
        spec[field] = all[chosen].clone();
    };
    some("runtimeClassName", json!([null, "gvisor", "kata"]));
    some("priorityClassName", json!([null, "", "batch", "system-cluster-critical"]));
    some("nodeName", json!([null, "", "lab-1", "control-plane-1"]));
    some("automountServiceAccountToken", json!([null, true, false]));
    some("nodeSelector", json!([null, {}, {"example.org/pool": "web"}, {"example.org/pool": "bank", "a": ""}]));
    let terms = |operator: &str| {
        json!([{"matchExpressions": [{"key": "example.org/pool", "operator": operator, "values": ["web", "bank", "a,b", "a\nb", ""]}]},
            {"matchFields": [{"key": "metadata.name", "operator": operator, "values": ["lab-1"]}]}, {}])
    };
    let required =
        |terms: Value| json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}});
    let preferred = json!({"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": terms("In")[1]},
        {"weight": 2, "preference": {"matchExpressions": [{"key": "a", "operator": "Exists"}]}}]});
    let both = json!({"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms("Lt")},
        "preferredDuringSchedulingIgnoredDuringExecution": preferred["preferredDuringSchedulingIgnoredDuringExecution"]});
    let all =
        [json!({}), required(json!([])), required(terms("In")), required(terms("NotIn")), required(terms("Exists"))];
    let all: Vec<Value> = all.into_iter().chain([preferred, both]).map(|of| json!({"nodeAffinity": of})).collect();
    some("affinity", json!([[Value::Null, json!({})].to_vec(), all].concat()));
    some(
        "tolerations",
        json!([null, [], [{"operator": "Exists"}], [{"key": "example.org/pool"}, {"key": "node.kubernetes.io/not-ready"}],
        [{"key": "", "operator": "Exists"}, {"key": "node-role.kubernetes.io/control-plane"}]]),
    );
    let token = |audience: Value| json!({"projected": {"sources": [{"configMap": {"name": "a"}}, {"serviceAccountToken": audience}]}});
    let mut volumes = vec![json!({"name": "model", "image": {"reference": "registry.example.org/model:1"}})];
    for (name, source) in [
        ("kube-api-access-x", json!({"path": "a"})),
        ("mine", json!({"path": "a", "audience": ""})),
        ("vault", json!({"path": "a", "audience": "vault"})),
        ("api", json!({"path": "a", "audience": "https://kubernetes.default.svc"})),
        ("odd", json!({"path": "a", "audience": "vault\n=b\nc"})),
    ] {
        let mut volume = token(source);
        volume["name"] = json!(name);
        volumes.push(volume);
    }
    volumes.retain(|_| dice.below(3) == 0);
    if spec["volumes"].is_null() && dice.below(2) == 0 {
        spec["volumes"] = Value::Array(volumes);
    }
    completed(json!({"spec": spec}))["spec"].clone()
}

#[test]
fn cel_texts_say_what_checks_say() {
    let all = all();
    for asked in &all {
        for example in asked.restriction.examples {
            let object: Value = serde_yaml::from_str(example.object).expect("YAML");
            let kind = object["kind"].as_str().unwrap_or("Pod").to_owned();
            asked.refused(&kind, &object).expect("an example is about what it is about");
        }
    }
    let judge = |seed: u64| -> Vec<Option<bool>> {
        let pod = spec(seed);
        let other = completed(object(seed));
        let kind = other["kind"].as_str().expect("a kind");
        let one = |asked: &Asked| asked.refused("Pod", &pod).or_else(|| asked.refused(kind, &other));
        all.iter().map(|asked| one(asked).map(|refused| refused.is_empty())).collect()
    };
    let verdicts: Vec<Vec<Option<bool>>> = (0..count() * 4).into_par_iter().map(judge).collect();
    // Of a list that lets everything, or nothing, nothing would be known.
    let mut seen: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for verdicts in &verdicts {
        for (asked, holds) in all.iter().zip(verdicts) {
            if let Some(holds) = holds {
                seen.entry(asked.restriction.id).or_default()[usize::from(*holds)] += 1;
            }
        }
    }
    assert_eq!(seen.len(), RESTRICTIONS.len());
    assert!(seen.values().all(|counts| counts.iter().all(|count| *count > 3)), "{seen:?}");
    println!("{} objects; of each, refused and not: {seen:?}", verdicts.len());
    // Nothing is named by nothing.
    for asked in all.iter().filter(|asked| !["host-users", "runtime-classes"].contains(&asked.restriction.id)) {
        let kind = *asked.programs.keys().next().expect("a kind");
        assert_eq!(asked.refused(kind, &json!({})), Some(BTreeSet::new()), "{}", asked.restriction.id);
    }
}

/// What an API server asks about is judged by the lists as well, less what was named before.
#[test]
fn requests_are_asked_about() {
    let folder = Folder::empty();
    copy(&repository().join("tests/cases/lists/tenants"), &folder.join("tenants"));
    folder.edit("tenants/platform.yaml", "policies: [registries]", "policies: [storage-classes]");
    let spec = |image: &str| {
        json!({"nodeSelector": {"a": "b"}, "containers": [{"name": "a", "image": "registry.example.org/team/a:1"}],
            "ephemeralContainers": [{"name": "debug", "image": image}]})
    };
    let pod = |image: &str| json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": spec(image)});
    let review = |request: Value| -> Vec<String> {
        let review = json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request});
        folder.write("request.json", review.to_string());
        let path = folder.join("request.json").display().to_string();
        let ran = folder.mtp(&["policy", "review", "--tenant", "acme", "--output", "json", &path]);
        let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
        let problems = said["problems"].as_array().expect("problems").iter();
        let ours = problems.filter(|p| RESTRICTIONS.iter().any(|restriction| p["rule"] == restriction.id));
        ours.map(|p| p["message"].as_str().expect("words").to_owned()).collect()
    };
    let resource = json!({"group": "", "version": "v1", "resource": "pods"});
    let created = json!({"uid": "u", "resource": resource, "operation": "CREATE", "object": pod("evil.example.org/a")});
    let said = review(created);
    for words in ["image 'evil.example.org/a' is not allowed", "node selector 'a=b' is not allowed"] {
        assert!(said.iter().any(|message| message == words), "{words}: {said:?}");
    }
    let changed = json!({"uid": "u", "resource": resource, "operation": "UPDATE", "subResource": "ephemeralcontainers",
        "object": pod("evil.example.org/b"), "oldObject": pod("evil.example.org/a")});
    assert_eq!(review(changed), ["image 'evil.example.org/b' is not allowed"]);
}

/// Too much for an annotation, or for what an API server computes, is said where it is written.
#[test]
fn a_list_has_an_end() {
    let folder = Folder::empty();
    copy(&repository().join("tests/cases/lists/tenants"), &folder.join("tenants"));
    let many: Vec<String> = (0..251).map(|index| format!("a{index}.shop.apps.example.org")).collect();
    folder.edit("tenants/acme.yaml", "www.example.org]", &format!("{}]", many.join(", ")));
    let ran = folder.mtp(&["validate"]);
    assert!(ran.to_string().contains("expected at most 250 entries of 10240 bytes in all, found 252 of"), "{ran}");
}
