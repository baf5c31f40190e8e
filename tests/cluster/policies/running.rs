//! `mtp policy review --cluster`: what a rule would refuse of the pods that run is known before it refuses it.

use std::process::Command;

use serde_json::{Value, json};

use super::pods::pod;
use super::{Policed, files, tier};
use crate::control_plane::wait;
use crate::fixture::policies_in_force;
use crate::manifests::{apply_all, in_order, rendered};
use crate::mtp::Folder;

/// A tier that warned refuses from now on: `review` says whose pods that would be, and in which words; then it is so.
pub fn is_found_before_it_is_refused(policed: &Policed) {
    let pods = "/api/v1/namespaces/tenant-warned-x/pods";
    let bad = pod("bad", json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0"}]}));
    let limits = json!({"cpu": "100m", "memory": "64Mi"});
    let context = json!({"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false});
    let good = json!({"containers": [{"name": "main", "image": "registry.example.org/app:1.0", "imagePullPolicy": "Always",
        "resources": {"limits": limits, "requests": limits}, "securityContext": context}]});
    policed.admin.post(pods, &bad).created();
    policed.admin.post(pods, &pod("good", good)).created();

    let mut all = files();
    let folder = Folder::empty();
    all.iter().for_each(|(path, text)| folder.write(path, text));
    let (code, said) = review(policed, &folder, &["--tenant", "warned"]);
    assert_eq!((code, said.contains("the policies would warn")), (0, true), "{said}");
    all.insert("tenants/tiers/warned.yaml".to_owned(), tier("warned", ""));
    folder.write("tenants/tiers/warned.yaml", &all["tenants/tiers/warned.yaml"]);
    // Of all tenants, and of this one, it is the same.
    for args in [&["--tenant", "warned"][..], &[]] {
        let (code, said) = review(policed, &folder, args);
        let header = "tenant-warned-x (tier warned): Pod bad: 1 pod, bad\n";
        assert_eq!((code, said.matches(header).count()), (1, 1), "{said}");
        assert!(!said.contains("good") && said.contains("1 would be refused"), "{said}");
    }
    let (_, said) = review(policed, &folder, &["--tenant", "warned", "--output", "json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    let complaints = said["running"]["found"][0]["complaints"].as_array().expect("a list").clone();
    assert!(complaints.len() > 4, "{said}");

    apply_all(
        &policed.admin,
        &policed.resources,
        &in_order(rendered(&all).into_iter().filter(super::is_applied).collect()),
    );
    policies_in_force(&policed.plane, &policed.admin);
    let answer = policed.admin.post(&format!("{pods}?dryRun=All"), &pod("again", bad["spec"].clone()));
    let words: Vec<&str> = complaints.iter().map(|complaint| complaint["message"].as_str().expect("words")).collect();
    answer.refused(403, &words);
}

/// What a tenant wrote while it might stays when it may no longer: `review` finds it, and there is nothing new of the kind.
pub fn and_what_tenants_wrote(policed: &Policed) {
    const NAMESPACE: &str = "tenant-net-other";
    let alice = policed.admin.as_user("alice@net.example", &["system:authenticated"]);
    let networking = format!("/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies");
    let rbac = format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{NAMESPACE}");
    let policy = |name: &str, peer: Value| {
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": name},
            "spec": {"podSelector": {}, "egress": [{"to": [peer]}]}})
    };
    let near = json!({"podSelector": {}});
    alice.post(&networking, &policy("near", near.clone())).created();
    alice.post(&networking, &policy("far", json!({"ipBlock": {"cidr": "1.1.1.1/32"}}))).created();
    alice
        .post(
            &networking,
            &json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
        "metadata": {"name": "closed"}, "spec": {"podSelector": {}}}),
        )
        .created();
    let role = json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "nets"}, "rules": [
        {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"], "verbs": ["create"]}]});
    alice.post(&format!("{rbac}/roles"), &role).created();
    let group = "rbac.authorization.k8s.io";
    let binding = |name: &str, users: &[&str]| {
        let subjects: Vec<Value> =
            users.iter().map(|name| json!({"apiGroup": group, "kind": "User", "name": name})).collect();
        json!({"apiVersion": format!("{group}/v1"), "kind": "RoleBinding", "metadata": {"name": name},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": "nets"}, "subjects": subjects})
    };
    alice.post(&format!("{rbac}/rolebindings"), &binding("both", &["alice@net.example", "bob@net.example"])).created();

    // What somebody of the platform forgot to take away says that it is rendered.
    let mut left = policy("left", near.clone());
    left["metadata"]["labels"] = json!({"app.kubernetes.io/managed-by": "k8s-mtp"});
    policed.admin.post(&networking, &left).created();

    let folder = Folder::empty();
    let mut all = files();
    all.iter().for_each(|(path, text)| folder.write(path, text));
    let (code, said) = review(policed, &folder, &["--tenant", "net"]);
    assert_eq!((code, said.contains("4 objects of tenants' own")), (0, true), "{said}");
    let words = "tenant-net-other (tier noted): NetworkPolicy left\n  says that it is rendered, and is not";
    assert!(said.contains(words) && said.matches("(A404)").count() == 1, "{said}");
    // Bob leaves, and the internet is closed.
    let net = all["tenants/net.yaml"]
        .replace("  operators: [bob@net.example]\n", "")
        .replace("internet: true", "internet: false");
    all.insert("tenants/net.yaml".to_owned(), net);
    folder.write("tenants/net.yaml", &all["tenants/net.yaml"]);
    for args in [&["--tenant", "net"][..], &[]] {
        let (code, said) = review(policed, &folder, args);
        assert_eq!(code, 1, "{said}");
        for words in [
            "tenant-net-other (tier noted): NetworkPolicy far\n  the policies would refuse: spec.egress[0].to[0]: egress of",
            "tenant-net-other (tier noted): RoleBinding both\n  the policies would refuse: subjects[1]: a tenant's RoleBinding",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        // Elsewhere, others have bound somebody.
        let is_all = said.contains("RoleBindings: 2 would be refused, and stay until somebody deletes them");
        assert!(is_all || args.is_empty(), "{said}");
    }
    let (_, said) = review(policed, &folder, &["--tenant", "net", "--output", "json"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((&said["own"]["judged"], &said["own"]["found"][0]["name"]), (&json!(4), &json!("far")), "{said}");
    // With what the change leaves for whoever applies it to take away.
    let left = |namespace: &str, name: &str| json!({"namespace": namespace, "kind": "NetworkPolicy", "name": name});
    let internet = |namespace: &str| left(namespace, "tenant-allow-internet");
    let all_left = json!([left(NAMESPACE, "left"), internet(NAMESPACE), internet("tenant-net-x")]);
    assert_eq!(said["left"], all_left, "{said}");

    // Suspended, nothing of the kind is let; alice still has the right that she gave herself, and it is of no use.
    let net = format!("{}  state: suspended\n", all["tenants/net.yaml"]);
    all.insert("tenants/net.yaml".to_owned(), net);
    folder.write("tenants/net.yaml", &all["tenants/net.yaml"]);
    let (_, said) = review(policed, &folder, &["--tenant", "net"]);
    assert!(said.contains("RoleBindings: 3 would be refused") && !said.contains("closed"), "{said}");
    apply_all(
        &policed.admin,
        &policed.resources,
        &in_order(rendered(&all).into_iter().filter(super::is_applied).collect()),
    );
    wait("the policies see what the Namespace says", &policed.plane, || {
        alice.post(&format!("{networking}?dryRun=All"), &policy("more", near.clone())).status == 403
    });
    let more = alice.post(&networking, &policy("more", near.clone()));
    more.refused(403, &["egress of a tenant's NetworkPolicy names whom"]);
    // What is there goes when somebody wants it to, and controllers may take their finalizers out of it.
    let options = json!({"propagationPolicy": "Foreground"}).to_string().into_bytes();
    let far = format!("{networking}/far");
    policed.admin.send(http::Method::DELETE, &far, "application/json", options).ok();
    wait("the garbage collector lets it go", &policed.plane, || policed.admin.get(&far).status == 404);
    // A Role of her own binds nobody any more, as the API server's own rule has it or as the policy does.
    alice.post(&format!("{rbac}/rolebindings"), &binding("more", &["alice@net.example"])).refused(403, &["forbidden"]);
}

fn review(policed: &Policed, folder: &Folder, args: &[&str]) -> (i32, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_mtp"))
        .args(["policy", "review", "--cluster"])
        .args(args)
        .current_dir(folder.path())
        .env("KUBECONFIG", policed.plane.admin_kubeconfig())
        .output()
        .expect("mtp");
    assert!(ran.stderr.is_empty(), "{}", String::from_utf8_lossy(&ran.stderr));
    (ran.status.code().unwrap_or(-1), String::from_utf8(ran.stdout).expect("text"))
}
