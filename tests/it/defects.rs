//! The predecessor's defects, as far as they show in what is rendered: each has a case and, here, the property that
//! counts, so that a golden file which blesses the defect again still fails.
//!
//! The numbers are those of the published list; what is missing from it here is about the webhook.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use ipnet::IpNet;
use serde_yaml::Value;

use crate::mtp::{Folder, copy, repository};
use k8s_mtp::cli::Exit;

fn case(name: &str) -> PathBuf {
    repository().join("tests/cases").join(name)
}

/// The case, rendered; where it has a step before, that is rendered first.
fn rendered(name: &str) -> Folder {
    let folder = Folder::empty();
    let before = case(name).join("before");
    if before.is_dir() {
        copy(&before, folder.path());
        run(&folder);
        std::fs::remove_dir_all(folder.join("tenants")).expect("removed");
    }
    copy(&case(name).join("tenants"), &folder.join("tenants"));
    run(&folder);
    folder
}

fn run(folder: &Folder) {
    let ran = folder.mtp(&["render", "--quiet"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
}

/// All objects below `rendered/`, in the order of the files.
fn objects(folder: &Folder) -> Vec<Value> {
    let files = folder.files("rendered");
    let texts = files.iter().filter(|path| path.ends_with(".yaml")).map(|path| folder.read(path));
    texts.flat_map(|text| text.split("\n---\n").map(parsed).collect::<Vec<_>>()).collect()
}

fn parsed(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn of_kind(folder: &Folder, kind: &str) -> Vec<Value> {
    let all: Vec<Value> = objects(folder).into_iter().filter(|o| o["kind"] == kind).collect();
    assert!(!all.is_empty(), "no {kind}");
    all
}

/// Every value of that key, however deep.
fn all<'v>(value: &'v Value, key: &str, found: &mut Vec<&'v Value>) {
    match value {
        Value::Mapping(entries) => {
            for (k, v) in entries {
                if k == key {
                    found.push(v);
                }
                all(v, key, found);
            }
        }
        Value::Sequence(items) => items.iter().for_each(|item| all(item, key, found)),
        _ => {}
    }
}

fn texts(value: &Value) -> Vec<&str> {
    let items = value.as_sequence().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|item| item.as_str().expect("text")).collect()
}

/// 1: policies selected namespaces by `name: kube-system`, a label that Kubernetes does not set and anyone may.
#[test]
fn namespaces_are_selected_by_labels_that_nobody_else_sets() {
    let folder = rendered("defect-01-selector");
    let mut named = BTreeSet::new();
    for policy in of_kind(&folder, "NetworkPolicy") {
        let mut selectors = Vec::new();
        all(&policy, "namespaceSelector", &mut selectors);
        for selector in selectors {
            let labels = selector["matchLabels"].as_mapping().expect("labels");
            assert_eq!((selector.as_mapping().expect("a map").len(), labels.len()), (1, 1), "{selector:?}");
            let (key, value) = labels.iter().next().expect("one");
            let key = key.as_str().expect("text");
            assert!(["kubernetes.io/metadata.name", "tenant.k8s-mtp.io/name"].contains(&key), "selects by {key}");
            named.insert(value.as_str().expect("text").to_owned());
        }
    }
    let expected = ["acme", "ingress-nginx", "k8s-mtp", "kube-system", "shared"];
    assert_eq!(named.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// 2: internet egress was `0.0.0.0/0` without exceptions, which opened metadata, nodes, the API server and other tenants.
#[test]
fn no_range_opens_metadata_nodes_or_the_cluster() {
    let folder = rendered("defect-02-metadata-address");
    let closed = [
        "169.254.169.254",
        "168.63.129.16",
        "100.100.100.200",
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "203.0.113.1",
        "198.51.100.1",
        "192.0.2.1",
        "fd00:ec2::254",
        "fe80::1",
        "fc00::1",
        "2001:db8:1::1",
        "2002:a9fe:a9fe::1",
        "::1",
    ];
    let mut families = BTreeSet::new();
    for policy in of_kind(&folder, "NetworkPolicy") {
        let mut blocks = Vec::new();
        all(&policy, "ipBlock", &mut blocks);
        for block in blocks {
            let net: IpNet = block["cidr"].as_str().expect("text").parse().expect("a range");
            let except: Vec<IpNet> = texts(&block["except"]).iter().map(|e| e.parse().expect("a range")).collect();
            for inner in &except {
                assert!(net.contains(inner) && net != *inner, "{inner} is not within {net}");
            }
            for address in closed {
                let address: IpAddr = address.parse().expect("an address");
                let open = net.contains(&address) && !except.iter().any(|e| e.contains(&address));
                assert!(!open, "{net} opens {address}");
            }
            families.insert(net.addr().is_ipv6());
        }
    }
    assert_eq!(families.len(), 2, "one family alone is open");
}

/// 3: the quota's key was `storage`, which the API server refuses.
#[test]
fn quotas_have_keys_that_the_api_server_knows() {
    let folder = rendered("defect-03-storage-key");
    for quota in of_kind(&folder, "ResourceQuota") {
        let hard = quota["spec"]["hard"].as_mapping().expect("a map");
        assert!(!hard.contains_key("storage"), "{hard:?}");
        assert_eq!(hard["requests.storage"], "5Gi");
        let known = ["limits.cpu", "limits.memory", "pods", "requests.cpu", "requests.memory", "requests.storage"];
        assert!(hard.keys().all(|key| known.contains(&key.as_str().expect("text"))), "{hard:?}");
    }
}

/// The rules of the case's Roles: name of the Role, and a rule.
fn rules(name: &str) -> Vec<(String, Value)> {
    let roles = of_kind(&rendered(name), "Role");
    assert_eq!(roles.len(), 3);
    let each = roles.iter().flat_map(|role| {
        let name = role["metadata"]["name"].as_str().expect("a name").to_owned();
        role["rules"].as_sequence().expect("rules").iter().map(move |rule| (name.clone(), rule.clone()))
    });
    each.collect()
}

/// 4: the Role had `pods/logs`, which does not exist, so that nobody could read logs.
#[test]
fn everybody_reads_logs() {
    let rules = rules("defect-04-log-resource");
    assert!(rules.iter().all(|(_, rule)| !texts(&rule["resources"]).contains(&"pods/logs")));
    for role in ["admin", "operator", "viewer"] {
        let reads = |(name, rule): &(String, Value)| {
            *name == format!("tenant-acme-{role}")
                && texts(&rule["apiGroups"]) == [""]
                && texts(&rule["resources"]).contains(&"pods/log")
                && texts(&rule["verbs"]).contains(&"get")
        };
        assert!(rules.iter().any(reads), "the {role} reads no logs");
    }
}

/// 5: a rule had `apiGroups: []`, which matches no group: it granted nothing, and looked as if it did.
#[test]
fn every_rule_grants_something() {
    for (role, rule) in rules("defect-05-dead-rule") {
        for field in ["apiGroups", "resources", "verbs"] {
            assert!(!texts(&rule[field]).is_empty(), "{role} has a rule without {field}: {rule:?}");
        }
        assert_eq!(rule.as_mapping().expect("a map").len(), 3, "{rule:?}");
    }
}

/// 6: the admin Role could write `limitranges`, `endpoints` (CVE-2021-25740) and `pods/status`.
#[test]
fn nobody_writes_what_bounds_the_tenant() {
    let guarded = [
        "bindings",
        "endpoints",
        "endpointslices",
        "limitranges",
        "namespaces",
        "networkpolicies",
        "nodes",
        "pods/binding",
        "pods/status",
        "resourcequotas",
        "resourcequotas/status",
        "rolebindings",
        "roles",
        "serviceaccounts/token",
    ];
    for (role, rule) in rules("defect-06-guardrail-rights") {
        let verbs = texts(&rule["verbs"]);
        let every = [&rule["apiGroups"], &rule["resources"], &rule["verbs"]].map(texts).concat();
        assert!(!every.contains(&"*"), "{role} has a wildcard: {rule:?}");
        for verb in ["bind", "escalate", "impersonate"] {
            assert!(!verbs.contains(&verb), "{role} may {verb}");
        }
        if verbs.iter().any(|verb| !["get", "list", "watch"].contains(verb)) {
            for resource in texts(&rule["resources"]) {
                assert!(!guarded.contains(&resource), "{role} writes {resource}");
                assert!(!resource.ends_with("/status"), "{role} writes {resource}");
            }
        }
    }
}

/// 9: what existed was never updated. A render over an older one gives what a first one gives.
#[test]
fn what_exists_is_rendered_anew() {
    let name = "defect-09-object-that-exists";
    let (again, fresh) = (rendered(name), Folder::empty());
    copy(&case(name).join("tenants"), &fresh.join("tenants"));
    run(&fresh);
    let read = |folder: &Folder| -> Vec<(String, String)> {
        folder.files("rendered").into_iter().map(|path| (path.clone(), folder.read(&path))).collect()
    };
    assert_eq!(read(&again), read(&fresh));
    let binding = again.read("rendered/tenants/acme/tenant-acme-web/rolebinding-tenant-acme-admin-binding.yaml");
    assert!(binding.contains("bob@acme.example") && !binding.contains("alice@acme.example"), "{binding}");
}

/// 10: only numbers of rules and of labels were compared, so that a changed rule was no change.
#[test]
fn a_change_of_equal_length_is_a_change() {
    let name = "defect-10-change-of-equal-length";
    let folder = Folder::empty();
    copy(&case(name).join("before"), folder.path());
    run(&folder);
    copy(&case(name).join("tenants"), &folder.join("tenants"));
    let checked = folder.mtp(&["render", "--check", "--list"]);
    assert_eq!(checked.exit, Exit::Findings, "{checked}");
    let stale: Vec<&str> = checked.out.lines().filter_map(|path| path.rsplit('/').next()).collect();
    let expected = [
        "namespace-tenant-acme-web.yaml",
        "networkpolicy-tenant-allow-peers.yaml",
        "tenant.multitenant.k8s-mtp.io-acme.yaml",
    ];
    assert_eq!(stale, expected);
}

/// 11: owner references pointed from a namespace to cluster-scoped objects and to other namespaces.
#[test]
fn nothing_has_an_owner_reference() {
    let folder = rendered("defect-11-owner-reference");
    for object in objects(&folder) {
        let metadata = object["metadata"].as_mapping().expect("metadata");
        assert!(!metadata.contains_key("ownerReferences"), "{metadata:?}");
        assert_eq!(metadata["labels"]["app.kubernetes.io/managed-by"], "k8s-mtp", "{metadata:?}");
    }
}

/// 13: a tenant was active before its network policy and its limits existed.
#[test]
fn guardrails_stand_before_grants_and_workloads() {
    let folder = rendered("defect-13-order");
    let file = folder.read("rendered/tenants/acme/tenant-acme-web.yaml");
    let mut kinds: Vec<&str> = file.lines().filter_map(|line| line.strip_prefix("kind: ")).collect();
    kinds.dedup();
    let order =
        ["Namespace", "ResourceQuota", "LimitRange", "NetworkPolicy", "ServiceAccount", "Role", "RoleBinding", "Pod"];
    assert_eq!(kinds, order);
}

/// 14: a quota was named after its tier, and a change of tier left the old one behind.
#[test]
fn a_change_of_tier_leaves_nothing_behind() {
    let name = "defect-14-tier-change";
    let folder = rendered(name);
    let files = folder.files("rendered/tenants");
    assert!(files.iter().all(|path| !path.contains("free") && !path.contains("pro.")), "{files:?}");
    let quotas = of_kind(&folder, "ResourceQuota");
    let names: Vec<&str> = quotas.iter().filter_map(|quota| quota["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["tenant-quota"]);
    assert_eq!(quotas[0]["spec"]["hard"]["pods"], "100");
}
