//! The defects of the platform that this one follows, each with the property that its return would break.
//!
//! The frozen files of `tests/cases/defect-*` would change as well; these tests hold even where somebody blesses them.

use serde::Deserialize;
use serde_yaml::Value;

use crate::mtp::repository;

/// The objects that a case renders, in the order of files and documents.
fn rendered(case: &str) -> Vec<Value> {
    let folder = repository().join("tests/cases").join(case).join("rendered");
    let mut objects = Vec::new();
    for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.unwrap_or_else(|e| panic!("{case}: {e}"));
        if entry.path().extension().is_some_and(|e| e == "yaml") {
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            objects.extend(serde_yaml::Deserializer::from_str(&text).map(|d| Value::deserialize(d).expect("YAML")));
        }
    }
    assert!(!objects.is_empty(), "{case} renders nothing");
    objects
}

/// Every value under a key of that name, at any depth.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Mapping(map) => {
            for (k, v) in map {
                if k.as_str() == Some(key) {
                    found.push(v);
                }
                all(v, key, found);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| all(item, key, found)),
        _ => {}
    }
}

fn under<'v>(objects: &'v [Value], key: &str) -> Vec<&'v Value> {
    let mut found = Vec::new();
    objects.iter().for_each(|object| all(object, key, &mut found));
    found
}

/// The rules of all Roles: (API groups, resources, verbs).
fn rules(objects: &[Value]) -> Vec<[Vec<String>; 3]> {
    let texts = |rule: &Value, key: &str| -> Vec<String> {
        let list = rule[key].as_sequence().unwrap_or_else(|| panic!("{key} of {rule:?}"));
        list.iter().map(|v| v.as_str().expect("text").to_owned()).collect()
    };
    let rules = under(objects, "rules").into_iter().flat_map(|rules| rules.as_sequence().expect("a list"));
    rules.map(|rule| ["apiGroups", "resources", "verbs"].map(|key| texts(rule, key))).collect()
}

fn grants(rules: &[[Vec<String>; 3]], group: &str, resource: &str, verb: &str) -> bool {
    let has = |list: &[String], word: &str| list.iter().any(|w| w == word);
    rules.iter().any(|[groups, resources, verbs]| has(groups, group) && has(resources, resource) && has(verbs, verb))
}

/// 1: namespaces were selected by a label `name`, which Kubernetes does not set and anyone may.
#[test]
fn namespaces_are_selected_by_what_the_api_server_sets() {
    let objects = rendered("defect-01-namespaces-by-their-own-name");
    let selectors = under(&objects, "namespaceSelector");
    assert!(selectors.len() >= 2, "{selectors:?}");
    for selector in selectors {
        let labels = selector["matchLabels"].as_mapping().expect("labels");
        let keys: Vec<&str> = labels.keys().filter_map(Value::as_str).collect();
        assert!(keys == ["kubernetes.io/metadata.name"] || keys == ["tenant.k8s-mtp.io/name"], "{keys:?}");
    }
}

/// 2: the internet was `0.0.0.0/0` without exceptions, and without IPv6.
#[test]
fn the_internet_has_no_metadata_service() {
    let objects = rendered("defect-02-metadata-behind-the-internet");
    let blocks = under(&objects, "ipBlock");
    let cidrs: Vec<&str> = blocks.iter().filter_map(|b| b["cidr"].as_str()).collect();
    assert_eq!(cidrs, ["0.0.0.0/0", "2000::/3"]);
    for block in blocks {
        let net: ipnet::IpNet = block["cidr"].as_str().and_then(|c| c.parse().ok()).expect("a range");
        let except: Vec<ipnet::IpNet> = block["except"]
            .as_sequence()
            .expect("exceptions")
            .iter()
            .filter_map(|e| e.as_str()?.parse().ok())
            .collect();
        // The API server refuses an exception that is not inside.
        assert!(except.iter().all(|e| net.contains(e) && *e != net));
        for address in ["169.254.169.254", "168.63.129.16", "100.100.100.200", "10.0.0.1", "fd00:ec2::254", "fe80::1"] {
            let address: std::net::IpAddr = address.parse().expect("an address");
            assert!(
                !net.contains(&address) || except.iter().any(|e| e.contains(&address)),
                "{address} is open in {net}"
            );
        }
    }
}

/// 3: the quota had a key `storage`, which the API server refuses.
#[test]
fn storage_is_bounded_by_a_key_that_exists() {
    let objects = rendered("defect-03-storage-in-the-quota");
    let hard = under(&objects, "hard");
    assert!(hard.iter().all(|hard| hard["storage"].is_null()));
    assert!(hard.iter().any(|hard| hard["requests.storage"] == "10Gi"));
}

/// 4: admins had `pods/logs`, which does not exist, and so no logs.
#[test]
fn admins_read_logs() {
    let rules = rules(&rendered("defect-04-logs-of-pods"));
    assert!(grants(&rules, "", "pods/log", "get"));
    assert!(!rules.iter().any(|[_, resources, _]| resources.iter().any(|r| r == "pods/logs")));
}

/// 5: rules with an empty list of API groups match nothing. Resources are plural words in lower case.
#[test]
fn every_rule_can_match() {
    for [groups, resources, verbs] in rules(&rendered("defect-05-rules-that-match-nothing")) {
        assert!(!groups.is_empty() && !resources.is_empty() && !verbs.is_empty());
        for resource in &resources {
            let base = resource.split('/').next().unwrap_or_default();
            assert!(base.ends_with('s') && *resource == resource.to_lowercase(), "{resource}");
        }
        assert!(!groups.iter().chain(&resources).chain(&verbs).any(|word| word.contains('*')));
    }
}

/// 6: admins could write the limits that bound them, and endpoints (CVE-2021-25740).
#[test]
fn admins_write_no_guardrail() {
    let rules = rules(&rendered("defect-06-guardrails-in-the-role"));
    let closed = [
        ("", "limitranges"),
        ("", "resourcequotas"),
        ("", "endpoints"),
        ("", "namespaces"),
        ("", "namespaces/status"),
        ("", "namespaces/finalize"),
        ("", "pods/status"),
        ("", "pods/binding"),
        ("", "serviceaccounts/token"),
        ("discovery.k8s.io", "endpointslices"),
        ("networking.k8s.io", "networkpolicies"),
        ("rbac.authorization.k8s.io", "roles"),
        ("rbac.authorization.k8s.io", "rolebindings"),
    ];
    for (group, resource) in closed {
        for verb in ["create", "update", "patch", "delete", "deletecollection", "bind", "escalate", "impersonate"] {
            assert!(!grants(&rules, group, resource, verb), "{verb} {resource}");
        }
    }
    assert!(grants(&rules, "", "namespaces", "get") && !grants(&rules, "", "namespaces", "list"));
}

/// 8: pods were checked by a weaker webhook of the platform's own. Pod Security is built in, and pinned.
#[test]
fn pod_security_is_enforced_and_pinned() {
    for object in rendered("defect-08-pod-security-left-out") {
        let labels = &object["metadata"]["labels"];
        for mode in ["enforce", "audit", "warn"] {
            assert_eq!(labels[format!("pod-security.kubernetes.io/{mode}").as_str()], "restricted");
            assert_eq!(labels[format!("pod-security.kubernetes.io/{mode}-version").as_str()], "v1.36");
        }
    }
}

/// 9: what was there already was never updated.
#[test]
fn a_changed_tier_changes_the_quota_that_is_there() {
    assert!(
        under(&rendered("defect-09-objects-that-are-never-updated"), "hard").iter().all(|hard| hard["pods"] == "11")
    );
}

/// 10: rules were compared by their number, so that another peer changed nothing.
#[test]
fn a_changed_peer_changes_the_policy_that_is_there() {
    let objects = rendered("defect-10-rules-compared-by-their-number");
    let cidrs: Vec<&Value> = under(&objects, "cidr");
    assert_eq!(cidrs, ["203.0.113.0/24"]);
}

/// 11: namespaced owners of cluster-scoped objects. We render none: ownership is a label, and the namespace is always said.
#[test]
fn there_are_no_owner_references() {
    let objects = rendered("defect-11-owner-references");
    assert!(under(&objects, "ownerReferences").is_empty());
    for object in objects {
        let cluster_scoped =
            ["Namespace", "CustomResourceDefinition", "Tenant"].contains(&object["kind"].as_str().expect("kind"));
        assert_eq!(object["metadata"]["namespace"].is_null(), cluster_scoped, "{object:?}");
        assert_eq!(object["metadata"]["labels"]["app.kubernetes.io/managed-by"], "k8s-mtp");
    }
}

/// 13: workloads could start before isolation and limits stood.
#[test]
fn guardrails_come_before_grants_and_workloads() {
    let objects = rendered("defect-13-isolation-after-workloads");
    let kinds: Vec<&str> = objects.iter().map(|o| o["kind"].as_str().expect("kind")).collect();
    let order = [
        "Namespace",
        "ResourceQuota",
        "LimitRange",
        "NetworkPolicy",
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "ConfigMap",
    ];
    let places: Vec<usize> =
        kinds.iter().map(|kind| order.iter().position(|k| k == kind).unwrap_or_else(|| panic!("{kind}"))).collect();
    assert!(places.is_sorted(), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"ConfigMap"));
}

/// 14: the quota was named for its tier, and the old one stayed behind.
#[test]
fn a_tier_change_leaves_one_quota() {
    let objects = rendered("defect-14-quota-named-for-its-tier");
    let names: Vec<&Value> = objects.iter().map(|o| &o["metadata"]["name"]).collect();
    assert_eq!(names, ["tenant-quota"]);
    assert_eq!(objects[0]["spec"]["hard"]["pods"], "99");
}
