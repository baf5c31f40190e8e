//! What tenants write themselves: NetworkPolicies and bindings, within what their tenant file says.

use serde_json::{Value, json};

use super::{Policed, files};
use crate::client::Client;
use crate::control_plane::wait;
use crate::mtp::Folder;

const NAMESPACE: &str = "tenant-net-x";

/// The tenant's admin, with what is rendered for him and nothing else.
fn admin(policed: &Policed) -> Client {
    policed.admin.as_user("alice@net.example", &["system:authenticated"])
}

/// Whether `mtp policy review` refuses what that tenant writes, in the words of the policy.
fn is_refused_offline(folder: &Folder, tenant: &str, object: &Value, rule: &str, words: &str) -> bool {
    folder.write("object.yaml", object.to_string());
    let path = folder.join("object.yaml").display().to_string();
    let ran = folder.mtp(&["policy", "review", "--tenant", tenant, "--output", "json", &path]);
    let said: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {ran}"));
    let of_rule = |problem: &&Value| problem["rule"] == rule;
    let problems: Vec<&Value> = said["problems"].as_array().expect("problems").iter().filter(of_rule).collect();
    let are_told = problems.iter().all(|problem| problem["message"].as_str().is_some_and(|said| said.contains(words)));
    assert!(are_told && (problems.is_empty() || said["objects"][0]["verdict"] == "refused"), "{words}: {ran}");
    !problems.is_empty()
}

fn platform() -> Folder {
    let folder = Folder::empty();
    files().iter().for_each(|(path, text)| folder.write(path, text));
    folder
}

/// NetworkPolicies: whom they may name, and whom not.
pub fn network_policies(policed: &Policed) {
    let alice = admin(policed);
    let path = format!("/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies");
    wait("alice may", &policed.plane, || alice.get(&path).status == 200);
    let policy = |spec: &Value| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "own"},
            "spec": {"podSelector": {}, "egress": spec["egress"], "ingress": spec["ingress"]}})
    };
    let by = |key: &str, value: &str| json!({"namespaceSelector": {"matchLabels": {key: value}}});
    let name = |name: &str| by("kubernetes.io/metadata.name", name);
    let among = |names: &[&str]| {
        let expression = json!({"key": "kubernetes.io/metadata.name", "operator": "In", "values": names});
        json!({"namespaceSelector": {"matchExpressions": [expression]}})
    };
    let to = |peer: Value| json!({"egress": [{"to": [peer]}]});
    let from = |peer: Value| json!({"ingress": [{"from": [peer]}]});
    let block = |cidr: &str, except: &[&str]| json!({"ipBlock": {"cidr": cidr, "except": except}});
    let rendered = policed.documents.iter().find(|d| d.namespace() == NAMESPACE && d.name() == "tenant-allow-internet");
    let rendered = rendered.expect("the internet is open").value["spec"].clone();
    let allowed = [
        to(json!({"podSelector": {"matchLabels": {"app": "db"}}})),
        from(json!({"podSelector": {}})),
        to(name(NAMESPACE)),
        from(name("tenant-net-other")),
        to(among(&[NAMESPACE, "tenant-net-other"])),
        to(by("tenant.k8s-mtp.io/name", "net")),
        to(name("shared-database")),
        to(json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shared-database"}},
            "podSelector": {"matchLabels": {"app": "postgres"}}})),
        from(name("monitoring")),
        to(block("192.168.7.0/24", &[])),
        to(block("192.168.7.128/25", &[])),
        to(block("1.1.1.1/32", &[])),
        to(block("8.8.8.0/24", &["8.8.8.8/32"])),
        to(block("2606:4700::/32", &[])),
        json!({"egress": rendered["egress"]}),
        json!({"egress": [], "ingress": []}),
        json!({}),
    ];
    let folder = platform();
    let offline = |spec: &Value| {
        is_refused_offline(&folder, "net", &policy(spec), "A402", "of a tenant's NetworkPolicy names whom")
    };
    for spec in &allowed {
        let answer = alice.post(&format!("{path}?dryRun=All"), &policy(spec));
        assert_eq!(answer.status, 201, "{spec}: {}", answer.message());
        assert!(!offline(spec), "{spec}");
    }
    let refused = [
        json!({"egress": [{}]}),
        json!({"ingress": [{}]}),
        json!({"egress": [{"ports": [{"port": 53}]}]}),
        json!({"egress": [{"to": [name(NAMESPACE)]}, {"to": []}]}),
        to(json!({"namespaceSelector": {}})),
        from(json!({"namespaceSelector": {}})),
        to(name("kube-system")),
        to(name("tenant-open-x")),
        // Allowed the other way alone, or with a port alone.
        from(name("shared-database")),
        to(name("monitoring")),
        to(name("cache")),
        to(among(&[NAMESPACE, "kube-system"])),
        to(json!({"namespaceSelector": {"matchExpressions": [
            {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]}})),
        to(
            json!({"namespaceSelector": {"matchExpressions": [{"key": "tenant.k8s-mtp.io/name", "operator": "Exists"}]}}),
        ),
        to(by("tenant.k8s-mtp.io/name", "open")),
        to(by("tenant.k8s-mtp.io/tier", "open")),
        to(by("name", NAMESPACE)),
        // The metadata address, by itself, within a range, and left open by an exception beside it.
        to(block("169.254.169.254/32", &[])),
        to(block("169.254.0.0/16", &[])),
        to(block("0.0.0.0/0", &[])),
        to(block("0.0.0.0/0", &["169.254.169.254/32"])),
        to(block("168.0.0.0/6", &["169.254.0.0/17"])),
        to(block("::/0", &[])),
        to(block("10.0.0.0/8", &[])),
        to(block("fd00:ec2::254/128", &[])),
        to(block("192.168.0.0/16", &[])),
        from(block("1.1.1.1/32", &[])),
        json!({"egress": [{"to": [block("1.1.1.1/32", &[]), block("10.1.1.1/32", &[])]}]}),
    ];
    for spec in &refused {
        let answer = alice.post(&format!("{path}?dryRun=All"), &policy(spec));
        // What validation refuses is refused as well, but says nothing about us.
        assert!(
            answer.status == 403 && answer.message().contains("k8s-mtp-network-policies"),
            "{spec}: {} {}",
            answer.status,
            answer.message()
        );
        assert!(offline(spec), "{spec}");
    }
    // A change is judged as a whole, and what is his own goes when he wants it to.
    alice.post(&path, &policy(&allowed[0])).created();
    let wider = json!({"spec": {"egress": [{"to": [name("kube-system")]}]}});
    alice.merge(&format!("{path}/own"), &wider).refused(403, &["k8s-mtp-network-policies"]);
    alice.delete(&path).refused(403, &["is managed by the platform"]);
    let _ = alice.delete(&format!("{path}/own"));
    // A tenant without the internet has no address at all.
    let other = policed.admin.as_user("alice@open.example", &["system:authenticated"]);
    let path = path.replace(NAMESPACE, "tenant-open-x");
    let open = policy(&to(block("1.1.1.1/32", &[])));
    other.post(&path, &open).refused(403, &["egress of a tenant's NetworkPolicy names whom"]);
    assert!(is_refused_offline(&folder, "open", &open, "A402", "egress of a tenant's NetworkPolicy names whom"));
}

/// Bindings: of whom, and of nothing that he does not have himself.
pub fn role_bindings(policed: &Policed) {
    let alice = admin(policed);
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    let role = |resource: &str, verb: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": format!("own-{resource}")},
            "rules": [{"apiGroups": [""], "resources": [resource], "verbs": [verb]}]})
    };
    alice.post(&format!("{rbac}/roles"), &role("configmaps", "get")).created();
    for (resource, verb) in [("namespaces", "patch"), ("resourcequotas", "update"), ("serviceaccounts/token", "create")]
    {
        alice
            .post(&format!("{rbac}/roles"), &role(resource, verb))
            .refused(403, &["attempting to grant RBAC permissions"]);
    }
    let user = |kind: &str, name: &str| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name});
    let account = |namespace: &str| json!({"kind": "ServiceAccount", "name": "builder", "namespace": namespace});
    let binding = |subjects: Value, role: &str| {
        let kind = if role == "cluster-admin" { "ClusterRole" } else { "Role" };
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "own"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role}, "subjects": subjects})
    };
    let folder = platform();
    let offline =
        |binding: &Value| is_refused_offline(&folder, "net", binding, "A403", "a tenant's RoleBinding names whom");
    let bind =
        |subjects: Value, role: &str| alice.post(&format!("{rbac}/rolebindings?dryRun=All"), &binding(subjects, role));
    for subjects in [
        json!([user("User", "alice@net.example"), user("User", "bob@net.example")]),
        json!([user("Group", "net operators")]),
        json!([account(NAMESPACE), account("tenant-net-other")]),
        json!([user("Group", "system:serviceaccounts:tenant-net-x")]),
        json!([]),
    ] {
        let answer = bind(subjects.clone(), "own-configmaps");
        assert_eq!(answer.status, 201, "{subjects}: {}", answer.message());
        assert!(!offline(&binding(subjects.clone(), "own-configmaps")), "{subjects}");
    }
    for subject in [
        user("User", "mallory"),
        user("User", "net operators"),
        user("Group", "net"),
        user("Group", "system:authenticated"),
        user("Group", "system:serviceaccounts"),
        user("Group", "system:serviceaccounts:tenant-open-x"),
        user("User", "system:serviceaccount:tenant-open-x:default"),
        account("tenant-open-x"),
        account("kube-system"),
    ] {
        for subjects in [json!([subject]), json!([user("User", "bob@net.example"), subject])] {
            bind(subjects.clone(), "own-configmaps").refused(403, &["k8s-mtp-role-bindings"]);
            assert!(offline(&binding(subjects.clone(), "own-configmaps")), "{subjects}");
        }
    }
    bind(json!([user("User", "bob@net.example")]), "cluster-admin")
        .refused(403, &["attempting to grant RBAC permissions"]);
}

/// What is the platform's: what says that it is rendered and is not, and somebody's own in the place of what is.
pub fn what_is_the_platforms(policed: &Policed) {
    let alice = admin(policed);
    let folder = platform();
    let namespace = format!("namespaces/{NAMESPACE}");
    let networking = format!("/apis/networking.k8s.io/v1/{namespace}/networkpolicies");
    let marked = |mut object: Value, is_marked: bool| {
        let label = if is_marked { "k8s-mtp" } else { "alice" };
        object["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": label});
        object
    };
    let policy = |name: &str| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name},
            "spec": {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}})
    };
    let map = |name: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let offline = |object: &Value, resource: &str| {
        let words = format!(
            "{resource} {} is managed by the platform",
            object["metadata"]["name"].as_str().unwrap_or_default()
        );
        (is_refused_offline(&folder, "net", object, "A404", &words), words)
    };
    for (object, resource, collection) in [
        (policy("forged"), "networkpolicies", networking.clone()),
        (map("forged"), "configmaps", format!("/api/v1/{namespace}/configmaps")),
    ] {
        let (forged, plain) = (marked(object.clone(), true), marked(object, false));
        let (is_refused, words) = offline(&forged, resource);
        assert!(is_refused, "{forged}");
        alice.post(&format!("{collection}?dryRun=All"), &forged).refused(403, &[&words]);
        assert!(!offline(&plain, resource).0, "{plain}");
        alice.post(&format!("{collection}?dryRun=All"), &plain).created();
    }
    // In the place of what is rendered, whether it opens something or not.
    let object = marked(policy("tenant-isolation"), false);
    let (is_refused, words) = offline(&object, "networkpolicies");
    assert!(is_refused, "{object}");
    let path = format!("{networking}/tenant-isolation?dryRun=All");
    alice.send(http::Method::PUT, &path, "application/json", object.to_string().into_bytes()).refused(403, &[&words]);
    // What is rendered, as it is: who applies it is let.
    let rendered = policed.documents.iter().filter(|d| d.namespace() == NAMESPACE);
    for document in rendered {
        assert!(!is_refused_offline(&folder, "net", &document.value, "A404", "nothing"), "{}", document.name());
    }
    // A kind of which nothing is rendered is nobody's business.
    let lease = json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "forged"}});
    assert!(!offline(&marked(lease, true), "leases").0);
}
