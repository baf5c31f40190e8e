//! What cannot be read is not known: it is neither gone nor created anew, and half of a list is none.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::installation::{inventory, told, two};
use crate::server::{Answer, Fault};
use crate::site::Site;

const POLICIES: &str = "networkpolicies.networking.k8s.io";

/// Of a kind whose server is down nothing is known: that it is gone, least of all.
#[tokio::test(start_paused = true)]
async fn a_kind_that_cannot_be_asked_about_is_not_gone() {
    let peers = two().tenant("a", "  tier: free\n  egress: {allow: [{cidr: 203.0.113.0/24}]}\n");
    let site = Site::of(&[&peers]).await;
    let before = inventory(&site.server);
    site.server.set(|s| _ = s.lost_groups.insert("networking.k8s.io".to_owned()));
    let outcome = site.outcome(&two().fresh()).await;
    assert!(told(&outcome).contains("group `networking.k8s.io` does not answer"), "{}", told(&outcome));
    let policies = |all: &BTreeSet<(String, String)>| {
        all.iter().filter(|(id, _)| id.starts_with("NetworkPolicy")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(policies(&inventory(&site.server)), policies(&before));
    assert!(site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"));
    site.server.set(|s| s.lost_groups.clear());
    site.clean(&two().fresh()).await;
    assert!(!site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"));
}

/// Namespaces that cannot be read are there: what is in them is not created anew, and nothing of theirs is forgotten.
#[tokio::test(start_paused = true)]
async fn a_list_that_fails_removes_nothing() {
    for part in ["/api/v1/namespaces", "/networkpolicies", "/rolebindings", "/resourcequotas", "/tenants"] {
        let retired = two().tenant("b", "  tier: pro\n  state: retired\n");
        let site = Site::of(&[&two(), &retired]).await;
        let after = retired.without("b").fresh();
        let before = inventory(&site.server);
        site.server.on_request(move |_, asked| match asked.path.ends_with(part) && asked.query.contains_key("limit") {
            true => Fault::FailBefore(Answer::refusal(403, "Forbidden", "no", Value::Null).into()),
            false => Fault::Proceed,
        });
        let outcome = site.outcome(&after).await;
        assert!(!outcome.is_clean(), "{part}");
        let (now, kind) = (
            inventory(&site.server),
            match part {
                "/api/v1/namespaces" => "Namespace ",
                "/networkpolicies" => "NetworkPolicy ",
                "/rolebindings" => "RoleBinding ",
                "/resourcequotas" => "ResourceQuota ",
                _ => "Tenant ",
            },
        );
        let of_kind = |all: &BTreeSet<(String, String)>| {
            all.iter().filter(|(id, _)| id.starts_with(kind)).cloned().collect::<Vec<_>>()
        };
        let gone_with_namespace = !site.has("namespaces", "", "tenant-b-main");
        if !gone_with_namespace {
            assert_eq!(of_kind(&now), of_kind(&before), "{part}");
        }
        site.server.without_faults();
        site.clean(&after).await;
    }
}

/// A list that expires half-way is begun anew, and of one that always does nothing is concluded.
#[tokio::test(start_paused = true)]
async fn a_list_that_expires_is_begun_anew() {
    let peers = two().tenant("a", "  tier: free\n  egress: {allow: [{cidr: 203.0.113.0/24}]}\n");
    for (times, known) in [(1, true), (3, true), (usize::MAX, false)] {
        let site = Site::of(&[&peers]).await;
        for index in 0..600 {
            let name = format!("a-{index}");
            let labels = json!({"app.kubernetes.io/managed-by": "k8s-mtp"});
            let policy = json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {
                "name": name, "namespace": "default", "uid": name, "labels": labels, "resourceVersion": "1"}, "spec": {}});
            site.server.put_raw(POLICIES, "default", &name, Some(policy));
        }
        let mut left = times;
        site.server.on_request(move |_, asked| {
            if asked.path.ends_with("/networkpolicies") && asked.query.contains_key("continue") && left > 0 {
                left -= 1;
                return Fault::FailBefore(Answer::refusal(410, "Expired", "it is too old", Value::Null).into());
            }
            Fault::Proceed
        });
        let outcome = site.outcome(&two().fresh()).await;
        site.server.without_faults();
        assert_eq!(site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"), !known, "{times}: {}", told(&outcome));
        assert_eq!(outcome.is_clean(), known, "{times}: {}", told(&outcome));
        site.clean(&two().fresh()).await;
        assert!(!site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"));
    }
}
