//! What cannot be done for now: it is said, it holds up nobody else, and it is done once it can be.

use std::time::Duration;

use k8s_mtp::engine::{Done, Outcome, State, Unit};
use serde_json::{Value, json};

use crate::installation::{inventory, ours, told, two};
use crate::server::access::Grant;
use crate::server::webhooks::Backend;
use crate::server::{Answer, Failure, Fault};
use crate::site::{Edited, Site, maps, of_a, state_of};

const POLICIES: &str = "networkpolicies.networking.k8s.io";
const BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
const TENANTS: &str = "tenants.multitenant.k8s-mtp.io";

fn says(outcome: &Outcome, parts: &[&str]) {
    let text = told(outcome);
    assert!(parts.iter().all(|part| text.contains(part)), "not all of {parts:?} in\n{text}");
}

/// It stays in the inventory until it is gone, and everybody hears what it waits for.
#[tokio::test(start_paused = true)]
async fn a_finalizer_holds_up_its_object_alone() {
    let site = Site::of(&[&two()]).await;
    site.clean(&Edited::with(&two(), maps(2))).await;
    let finalizers = |value: Value| {
        site.server.edit("operator", "configmaps", "tenant-a-main", "map-00", |map| {
            map["metadata"]["finalizers"] = value;
        });
    };
    finalizers(json!(["example.org/wait"]));
    for _ in 0..2 {
        let outcome = site.outcome(&two().fresh()).await;
        assert_eq!((state_of(&outcome, "a"), state_of(&outcome, "b")), (State::Held, State::Applied));
        says(&outcome, &["map-00", "example.org/wait"]);
        assert!(!site.has("configmaps", "tenant-a-main", "map-01"));
        assert!(inventory(&site.server).iter().any(|(id, _)| id.contains("map-00")));
    }
    // Wanted again while it goes: it comes once it is gone.
    let outcome = site.outcome(&Edited::with(&two(), maps(1))).await;
    says(&outcome, &["map-00", "example.org/wait"]);
    finalizers(json!([]));
    site.clean(&Edited::with(&two(), maps(1))).await;
    site.clean(&two().fresh()).await;
}

/// A Namespace that goes and does not end says what is left in it; its tenant waits, and comes back after it.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_does_not_end_holds_up_its_tenant_alone() {
    let site = Site::of(&[&two()]).await;
    let mut pod = of_a("v1", "ConfigMap", "stuck");
    pod["metadata"]["finalizers"] = json!(["example.org/wait"]);
    site.server.create("operator", &pod);
    assert!(site.server.delete("namespaces", "", "tenant-a-main").is_success());
    let changed = two().tenant("b", "  tier: free\n").fresh();
    let outcome = site.outcome(&changed).await;
    assert_eq!((state_of(&outcome, "a"), state_of(&outcome, "b")), (State::Held, State::Applied));
    says(&outcome, &["Namespace", "tenant-a-main", "it is being deleted"]);
    site.server.edit("operator", "configmaps", "tenant-a-main", "stuck", |map| {
        map["metadata"]["finalizers"] = json!([]);
    });
    while site.server.step() {}
    site.clean(&changed).await;
    assert!(site.has(POLICIES, "tenant-a-main", "tenant-isolation"));
}

/// Rights, a webhook, a quota: refusals that belong to one tenant are that tenant's.
#[tokio::test(start_paused = true)]
async fn a_refusal_of_one_tenant_is_not_another_s() {
    let right: fn(&mut Site) = |site| {
        site.user = "mtp".to_owned();
        let all = |verbs: &str, resource: &str, namespace: Option<&str>| Grant::new(verbs, resource, namespace);
        let grants = vec![
            all("get,list,watch", "*.*", None),
            all("*", "*.*", Some("k8s-mtp")),
            all("*", "*.*", Some("tenant-b-main")),
            all("*", "tenants.multitenant.k8s-mtp.io", None),
            all("*", "tenants/status.multitenant.k8s-mtp.io", None),
        ];
        site.server.set(|s| drop(s.grants.insert("mtp".to_owned(), grants)));
    };
    let webhook: fn(&mut Site) = |site| {
        site.server.create("operator", &json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "theirs"},
            "webhooks": [{
                "name": "no.example.org", "admissionReviewVersions": ["v1"], "sideEffects": "None",
                "clientConfig": {"service": {"name": "w", "namespace": "w", "path": "/"}},
                "namespaceSelector": {"matchLabels": {"tenant.k8s-mtp.io/name": "a"}},
                "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["configmaps"]}],
            }],
        }));
        site.server
            .set(|s| drop(s.backends.insert("no.example.org".to_owned(), Backend::Denies("not today".to_owned()))));
    };
    let quota: fn(&mut Site) = |site| {
        let mut quota = of_a("v1", "ResourceQuota", "theirs");
        quota["metadata"]["labels"] = json!({});
        quota["spec"] = json!({"hard": {"count/configmaps": "0"}});
        site.server.create("operator", &quota);
    };
    for (what, prevent, words) in
        [("right", right, "a right is missing"), ("webhook", webhook, "not today"), ("quota", quota, "exceeded quota")]
    {
        let mut site = Site::of(&[&two()]).await;
        prevent(&mut site);
        let next = two().tenant("b", "  tier: free\n  operators: [bea@example.org]\n");
        let outcome = site.outcome(&Edited::with(&next, maps(1))).await;
        assert_eq!(state_of(&outcome, "a"), State::Degraded, "{what}");
        assert_eq!(state_of(&outcome, "b"), State::Applied, "{what}: {}", told(&outcome));
        says(&outcome, &[words, "map-00"]);
        assert!(!site.has("configmaps", "tenant-a-main", "map-00"));
    }
}

/// Somebody who looks into an incident is not disturbed. All the same nobody keeps a right that git took from him.
#[tokio::test(start_paused = true)]
async fn a_paused_tenant_loses_rights_and_nothing_else() {
    let site = Site::of(&[&two()]).await;
    site.clean(&Edited::with(&two(), maps(1))).await;
    site.annotate(TENANTS, "", "a", "k8s-mtp.io/paused", json!("true"));
    site.server.edit("kubectl-edit", "resourcequotas", "tenant-a-main", "tenant-quota", |quota| {
        quota["spec"]["hard"]["pods"] = json!("99");
    });
    let after = two().tenant("a", "  tier: pro\n  admins: [carol@example.org]\n").tenant("c", "  tier: free\n");
    let without_binding = Edited::of(&after, |_, objects| {
        objects.retain(|object| object["metadata"]["name"] != "tenant-a-viewer-binding");
    });
    let outcome = site.outcome(&without_binding).await;
    assert_eq!(state_of(&outcome, "c"), State::Applied);
    assert_eq!(state_of(&outcome, "a"), State::Paused, "{}", told(&outcome));
    let unit = outcome.units.iter().find(|unit| unit.unit == Unit::Tenant("a".into())).expect("it is there");
    assert!(unit.done.iter().all(|(_, done)| *done == Done::Revoked), "{:?}", unit.done);
    assert_eq!(unit.done.len(), 2, "{:?}", unit.done);
    let binding = site.server.get(BINDINGS, "tenant-a-main", "tenant-a-admin-binding").expect("a binding");
    assert!(!binding.to_string().contains("example.org"), "{binding}");
    let quota = site.server.get("resourcequotas", "tenant-a-main", "tenant-quota").expect("a quota");
    assert_eq!(quota["spec"]["hard"]["pods"], "99");
    assert!(site.has("configmaps", "tenant-a-main", "map-00"));
    assert!(!site.has(BINDINGS, "tenant-a-main", "tenant-a-viewer-binding"));
    // A second pass finds nothing more to take away.
    site.outcome(&without_binding).await;
    assert_eq!(site.did(), Vec::<String>::new());
    site.annotate(TENANTS, "", "a", "k8s-mtp.io/paused", Value::Null);
    site.clean(&without_binding).await;
    assert!(!site.has("configmaps", "tenant-a-main", "map-00"));
    // One that leaves git waits as well.
    let retired = after.tenant("a", "  tier: pro\n  state: retired\n");
    site.clean(&retired.fresh()).await;
    site.annotate(TENANTS, "", "a", "k8s-mtp.io/paused", json!("true"));
    let gone = retired.without("a").fresh();
    let outcome = site.outcome(&gone).await;
    assert_eq!(state_of(&outcome, "a"), State::Paused, "{}", told(&outcome));
    assert!(site.has("namespaces", "", "tenant-a-main") && site.has(TENANTS, "", "a"));
    site.annotate(TENANTS, "", "a", "k8s-mtp.io/paused", Value::Null);
    site.outcome(&gone).await;
    assert!(!site.has("namespaces", "", "tenant-a-main"));
}

/// Only some tenants: the others are neither looked after nor forgotten, and so is the platform.
#[tokio::test(start_paused = true)]
async fn only_the_tenants_that_are_named() {
    let mut site = Site::of(&[&two()]).await;
    let after = two()
        .tenant("a", "  tier: pro\n  admins: [carol@example.org]\n")
        .tenant("b", "  tier: free\n")
        .tenant("c", "  tier: free\n")
        .fresh();
    let before = site.server.list(BINDINGS, Some("tenant-b-main"));
    site.settings.tenants = vec!["a".to_owned()];
    let outcome = site.clean(&after).await;
    let units: Vec<String> = outcome.units.iter().map(|unit| unit.unit.to_string()).collect();
    assert_eq!(units, ["tenant `a`"]);
    assert_eq!(site.server.list(BINDINGS, Some("tenant-b-main")), before);
    assert!(!site.has("namespaces", "", "tenant-c-main"));
    for (_, effect) in site.effects() {
        let key = effect.key();
        let is_a = key.namespace == "tenant-a-main" || ["a", "tenant-a-main"].contains(&&*key.name);
        assert!(is_a, "{key:?}");
    }
    site.idle(&after).await;
    // One that is new may be named too, and is not forgotten by the pass over all.
    site.settings.tenants = vec!["c".to_owned()];
    site.clean(&after).await;
    site.settings.tenants.clear();
    site.clean(&after).await;
    site.idle(&after).await;
}

/// Without its guardrails nobody gets into a Namespace, whichever of them it is that is refused.
#[tokio::test(start_paused = true)]
async fn nobody_gets_into_a_namespace_without_guardrails() {
    for guardrail in
        ["/resourcequotas/", "/limitranges/", "/networkpolicies/tenant-isolation", "/namespaces/tenant-c-main"]
    {
        let site = Site::of(&[&two()]).await;
        let refusal = Answer::refusal(422, "Invalid", "is invalid", json!({}));
        site.server.on_request(move |_, asked| {
            let is_it = asked.path.contains(guardrail)
                && (asked.path.contains("/tenant-c-main/") || asked.path.ends_with(guardrail));
            if asked.method == "PATCH" && is_it { Fault::FailBefore(refusal.clone().into()) } else { Fault::Proceed }
        });
        let next = two().tenant("c", "  tier: pro\n  admins: [carol@example.org]\n").fresh();
        let outcome = site.outcome(&next).await;
        assert_eq!(state_of(&outcome, "c"), State::Degraded, "{guardrail}");
        assert!(site.server.list(BINDINGS, Some("tenant-c-main")).is_empty(), "{guardrail}: {:#?}", site.did());
        site.server.without_faults();
        site.clean(&next).await;
    }
}

/// A deletion whose answer is lost may have happened or not: what is there says which, and the inventory follows it.
#[tokio::test(start_paused = true)]
async fn a_deletion_whose_answer_is_lost_is_looked_at() {
    for (done, times) in [(false, 1), (true, 1), (false, usize::MAX), (true, usize::MAX)] {
        let site = Site::of(&[&two()]).await;
        site.clean(&Edited::with(&two(), maps(1))).await;
        let mut left = times;
        site.server.on_request(move |_, asked| {
            if asked.method != "DELETE" || left == 0 {
                return Fault::Proceed;
            }
            left -= 1;
            if done { Fault::FailAfter(Failure::Connection) } else { Fault::FailBefore(Failure::Connection) }
        });
        let outcome = site.outcome(&two().fresh()).await;
        site.server.without_faults();
        let goes = done || times == 1;
        assert_eq!(site.has("configmaps", "tenant-a-main", "map-00"), !goes, "{}", told(&outcome));
        assert_eq!(outcome.is_clean(), goes, "{}", told(&outcome));
        assert_eq!(inventory(&site.server), ours(&site.server), "what is there stays in the inventory");
        site.clean(&two().fresh()).await;
    }
}

/// A Deployment that never becomes ready is its tenant's trouble, after as long as was said.
#[tokio::test(start_paused = true)]
async fn what_does_not_become_ready_is_waited_for_as_long_as_was_said() {
    let site = Site::of(&[&two()]).await;
    site.server.set(|s| s.available_after = None);
    let mut deployment = of_a("apps/v1", "Deployment", "web");
    deployment["spec"] = json!({"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": {
        "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}});
    let start = tokio::time::Instant::now();
    let outcome = site.outcome(&Edited::with(&two(), vec![deployment])).await;
    assert_eq!((state_of(&outcome, "a"), state_of(&outcome, "b")), (State::Degraded, State::Applied));
    says(&outcome, &["not ready after 60 s"]);
    assert!(start.elapsed() >= Duration::from_secs(60) && start.elapsed() < Duration::from_secs(75));
}
