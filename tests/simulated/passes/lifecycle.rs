//! What leaves git, and in which order: rights first, reach once the isolation stands, Namespaces in two steps.

use k8s_mtp::engine::{Outcome, State, Unit};
use serde_json::{Value, json};

use crate::installation::{Git, inventory, told, two};
use crate::server::{Answer, Effect, Fault};
use crate::site::{Edited, Site, maps, of_a, state_of};

const POLICIES: &str = "networkpolicies.networking.k8s.io";
const BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";

/// Tenant `a` of [`two`], with a peer that it may talk to.
fn with_peers() -> Git {
    two().tenant("a", "  tier: free\n  admins: [alice@example.org]\n  viewers: [vera@example.org]\n  egress: {allow: [{cidr: 203.0.113.0/24, ports: [{port: 443}]}]}\n")
}

/// [`two`], with the binding of tenant `a`'s admins under another name.
fn renamed(git: &Git, name: &'static str) -> Edited<'static> {
    Edited::of(git, move |_, objects| {
        for object in objects {
            if object["metadata"]["name"] == "tenant-a-admin-binding" {
                object["metadata"]["name"] = json!(name);
            }
        }
    })
}

fn is_a(unit: &Unit) -> bool {
    *unit == Unit::Tenant("a".into())
}

fn problem_of(outcome: &Outcome, part: &str) -> String {
    let text = told(outcome);
    assert!(text.contains(part), "no `{part}` in\n{text}");
    text
}

/// Whoever has rights keeps them all the time while only the name of what gives them changes.
#[tokio::test(start_paused = true)]
async fn a_binding_that_is_renamed_is_created_before_it_is_deleted() {
    let site = Site::of(&[&two()]).await;
    site.clean(&renamed(&two(), "tenant-a-admins")).await;
    let created = site.place(&format!("created {BINDINGS}/tenant-a-admins"));
    let removed = site.place(&format!("removed {BINDINGS}/tenant-a-admin-binding"));
    assert!(created < removed, "{:#?}", site.did());
    site.idle(&renamed(&two(), "tenant-a-admins")).await;
}

/// A role is part of what a binding gives: with fewer rights it is no rename, and the old one goes first.
#[tokio::test(start_paused = true)]
async fn a_binding_that_comes_back_with_less_is_deleted_first() {
    let site = Site::of(&[&two()]).await;
    let less = Edited::of(&two(), |_, objects| {
        for object in objects {
            if object["metadata"]["name"] == "tenant-a-admin-binding" {
                object["metadata"]["name"] = json!("tenant-a-admins");
                object["roleRef"]["name"] = json!("tenant-a-viewer");
            }
        }
    });
    site.clean(&less).await;
    assert_eq!(site.place(&format!("removed {BINDINGS}/tenant-a-admin-binding")), 0, "{:#?}", site.did());
}

/// Each change that takes something away, with the object that has to say so before anything else is written.
#[tokio::test(start_paused = true)]
async fn what_is_taken_away_goes_before_anything_else_is_written() {
    let tenant = |people: &str| two().tenant("a", &format!("  tier: pro\n{people}")).fresh();
    let without_binding = |git: Git| {
        Edited::of(&git, |unit, objects| {
            if is_a(unit) {
                objects.retain(|object| object["metadata"]["name"] != "tenant-a-viewer-binding");
                objects.extend(maps(3));
            }
        })
    };
    let narrower = Edited::of(&two().tenant("c", "  tier: free\n"), |_, objects| {
        for object in objects {
            if object["metadata"]["name"] == "tenant-a-admin" && object["kind"] == "Role" {
                object["rules"].as_array_mut().expect("rules").truncate(1);
            }
        }
    });
    let people = tenant("  admins: [carol@example.org]\n  viewers: [vera@example.org, alice@example.org]\n");
    let gone: [(&str, &dyn k8s_mtp::engine::Source, String); 3] = [
        ("a person", &people, format!("changed {BINDINGS}/tenant-a-admin-binding")),
        ("a binding", &without_binding(two()), format!("removed {BINDINGS}/tenant-a-viewer-binding")),
        ("a right", &narrower, "changed roles.rbac.authorization.k8s.io/tenant-a-admin".to_owned()),
    ];
    for (what, source, first) in gone {
        let site = Site::of(&[&two()]).await;
        site.clean(source).await;
        assert_eq!(site.place(&first), 0, "{what}: {:#?}", site.did());
        // Not even the inventory is written before.
        let writes = site.server.trace();
        let of_inventory = writes.iter().position(|e| e.is_write() && e.path.contains("/k8s-mtp-inventory"));
        let revoked = site.effects()[0].0.index;
        assert!(of_inventory.is_none_or(|at| at > revoked), "{what}");
        site.idle(source).await;
    }
}

/// What a change adds to a binding waits, even where the same change takes something away.
#[tokio::test(start_paused = true)]
async fn what_is_given_waits_for_what_is_taken_and_for_the_guardrails() {
    let site = Site::of(&[&two()]).await;
    let swapped = two().tenant("a", "  tier: pro\n  admins: [carol@example.org]\n").fresh();
    site.clean(&swapped).await;
    let subjects: Vec<Value> = site
        .server
        .changes()
        .iter()
        .filter(|change| change.key.name == "tenant-a-admin-binding")
        .filter_map(|change| Some(change.after.as_ref()?["subjects"].clone()))
        .collect();
    let [.., first, last] = subjects.as_slice() else { panic!("{subjects:?}") };
    assert!(first.as_array().is_none_or(Vec::is_empty), "{first}");
    assert_eq!(last[0]["name"], "carol@example.org");
    let quota = site.place("changed resourcequotas/tenant-quota");
    let did = site.did();
    let given = did.iter().rposition(|one| one.ends_with("/tenant-a-admin-binding")).expect("it is given");
    assert!(quota < given, "{did:#?}");
}

/// A policy that lets somebody through is only safe to have, or to lose, next to the one that shuts everybody out.
#[tokio::test(start_paused = true)]
async fn a_policy_that_left_goes_once_the_isolation_stands() {
    for refused in [false, true] {
        let site = Site::of(&[&with_peers()]).await;
        site.server.delete(POLICIES, "tenant-a-main", "tenant-isolation");
        let refusal = Answer::refusal(422, "Invalid", "is invalid", json!({}));
        site.server.on_request(move |_, asked| match refused && asked.path.ends_with("/tenant-isolation") {
            true if asked.method == "PATCH" => Fault::FailBefore(refusal.clone().into()),
            _ => Fault::Proceed,
        });
        let outcome = site.outcome(&two().fresh()).await;
        if refused {
            assert_eq!(state_of(&outcome, "a"), State::Degraded);
            assert!(site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"));
        } else {
            let isolated = site.place(&format!("created {POLICIES}/tenant-isolation"));
            let closed = site.place(&format!("removed {POLICIES}/tenant-allow-peers"));
            assert!(isolated < closed, "{:#?}", site.did());
        }
        site.server.without_faults();
        site.clean(&two().fresh()).await;
        assert!(!site.has(POLICIES, "tenant-a-main", "tenant-allow-peers"));
    }
}

/// A Namespace that leaves git without having been retired stays with all that is in it, and says how it goes.
#[tokio::test(start_paused = true)]
async fn a_namespace_leaves_in_two_steps() {
    let site = Site::of(&[&two()]).await;
    let retired = two().tenant("b", "  tier: pro\n  state: retired\n");
    let without = retired.without("b").fresh();
    let uid = site.uid("namespaces", "", "tenant-b-main");
    for _ in 0..2 {
        let outcome = site.outcome(&without).await;
        assert_eq!(state_of(&outcome, "b"), State::Held);
        problem_of(&outcome, "retire it first");
        assert_eq!(site.uid("namespaces", "", "tenant-b-main"), uid);
    }
    // The label alone does not do: somebody may have written it by hand.
    site.server.edit("kubectl-edit", "namespaces", "", "tenant-b-main", |namespace| {
        namespace["metadata"]["labels"]["tenant.k8s-mtp.io/state"] = json!("retired");
    });
    assert_eq!(state_of(&site.outcome(&without).await, "b"), State::Held);
    // Back into git, retired, and seen so by a pass: then it goes.
    site.clean(&retired.fresh()).await;
    assert_eq!(site.uid("namespaces", "", "tenant-b-main"), uid);
    let outcome = site.clean(&without).await;
    assert!(!site.has("namespaces", "", "tenant-b-main"), "{}", told(&outcome));
    assert!(!site.shards().contains("k8s-mtp-inventory.tenant.b"));
    site.idle(&without).await;
}

/// What runs in a Namespace that stays must not be less shielded than before: of all in it, only rights go.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_stays_keeps_what_shields_it() {
    let of_b = |site: &Site, resource: &str| site.server.list(resource, Some("tenant-b-main"));
    for what in ["removed", "unread"] {
        let site = Site::of(&[&two()]).await;
        let shields = [POLICIES, "resourcequotas", "limitranges", "serviceaccounts"];
        let before = shields.map(|resource| of_b(&site, resource));
        if what == "unread" {
            let refusal = Answer::refusal(403, "Forbidden", "no", Value::Null);
            site.server.on_request(move |_, asked| match asked.path.as_str() {
                "/api/v1/namespaces" => Fault::FailBefore(refusal.clone().into()),
                _ => Fault::Proceed,
            });
        }
        let outcome = site.outcome(&two().without("b").fresh()).await;
        assert_eq!(shields.map(|resource| of_b(&site, resource)), before, "{what}: {}", told(&outcome));
        assert!(of_b(&site, BINDINGS).is_empty(), "{what}: {}", told(&outcome));
        assert!(outcome.refused.is_none(), "{:?}", outcome.refused);
    }
}

/// Whoever takes the label of a retired Namespace off changed his mind, whatever the inventory remembers.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_is_not_retired_any_longer_stays() {
    let retired = two().tenant("b", "  tier: pro\n  state: retired\n");
    for by_git in [true, false] {
        let site = Site::of(&[&two(), &retired]).await;
        if by_git {
            site.clean(&two().fresh()).await;
        } else {
            site.server.edit("kubectl-edit", "namespaces", "", "tenant-b-main", |namespace| {
                namespace["metadata"]["labels"]["tenant.k8s-mtp.io/state"] = json!("active");
            });
        }
        let outcome = site.outcome(&two().without("b").fresh()).await;
        problem_of(&outcome, "retire it first");
        assert!(site.has("namespaces", "", "tenant-b-main"));
    }
}

/// A Namespace takes what is in it along, so that nothing in it is deleted one by one; the Tenant goes last of all.
#[tokio::test(start_paused = true)]
async fn a_tenant_goes_from_its_grants_to_its_name() {
    let retired = two().tenant("b", "  tier: pro\n  state: retired\n");
    let site = Site::of(&[&two(), &retired]).await;
    site.server.set(|s| s.terminate_after = std::time::Duration::from_secs(5));
    site.clean(&retired.without("b").fresh()).await;
    let removed: Vec<String> = site
        .effects()
        .into_iter()
        .filter(|(exchange, effect)| exchange.method == "DELETE" && !matches!(effect, Effect::Created(_)))
        .map(|(exchange, _)| exchange.path.rsplit('/').take(2).collect::<Vec<_>>().join(" in "))
        .collect();
    let place = |name: &str| removed.iter().rposition(|one| one == name).unwrap_or_else(|| panic!("{removed:#?}"));
    assert_eq!(place("b in tenants"), removed.len() - 1, "{removed:#?}");
    let binding = removed.iter().position(|one| one.ends_with(" in rolebindings"));
    assert!(binding.is_none_or(|at| at < place("tenant-b-main in namespaces")), "{removed:#?}");
    assert!(!removed.iter().any(|one| one.contains("resourcequotas")), "{removed:#?}");
}

/// A tier is the platform's: where it changes, all that have it follow, and the others hear nothing of it.
#[tokio::test(start_paused = true)]
async fn a_tier_that_changes_reaches_those_who_have_it() {
    let site = Site::of(&[&two()]).await;
    site.clean(&two().platform(|text| text.replace("cpu: 500m", "cpu: 700m")).fresh()).await;
    assert_eq!(site.did(), ["changed resourcequotas/tenant-quota"]);
    let quota = site.server.get("resourcequotas", "tenant-a-main", "tenant-quota").expect("a quota");
    assert!(quota["spec"]["hard"].to_string().contains("700m"), "{quota}");
}

/// The account that Kubernetes makes in each Namespace is used, and given back: it is never deleted.
#[tokio::test(start_paused = true)]
async fn the_default_account_is_borrowed() {
    let site = Site::of(&[&two()]).await;
    let account = || site.server.get("serviceaccounts", "tenant-a-main", "default").expect("it is there");
    let before = account();
    assert_eq!(before["automountServiceAccountToken"], false);
    let dropped = Edited::of(&two(), |unit, objects| {
        if is_a(unit) {
            objects.retain(|object| object["kind"] != "ServiceAccount");
        }
    });
    site.clean(&dropped).await;
    let after = account();
    assert_eq!(after["metadata"]["uid"], before["metadata"]["uid"]);
    assert_eq!((&after["automountServiceAccountToken"], &after["metadata"]["labels"]), (&Value::Null, &Value::Null));
    site.idle(&dropped).await;
    // And used again.
    site.clean(&two().fresh()).await;
    assert_eq!(account()["metadata"]["uid"], before["metadata"]["uid"]);
}

/// Each deletion names what it is about so that nothing else can be hit, whatever happened since it was read.
#[tokio::test(start_paused = true)]
async fn a_deletion_names_uid_and_version() {
    let mut more = maps(2);
    more.push(of_a("v1", "ServiceAccount", "robot"));
    let site = Site::of(&[&with_peers()]).await;
    site.clean(&Edited::with(&with_peers(), more)).await;
    let (sender, deletions) = std::sync::mpsc::channel();
    site.server.on_request(move |_, asked| {
        if asked.method == "DELETE" {
            let options: Value = serde_json::from_slice(&asked.body).expect("options");
            sender.send((asked.path.clone(), options["preconditions"].clone())).expect("somebody listens");
        }
        Fault::Proceed
    });
    site.clean(&renamed(&two(), "tenant-a-admins")).await;
    site.server.without_faults();
    let deletions: Vec<(String, Value)> = deletions.iter().collect();
    assert!(deletions.len() >= 5, "{deletions:?}");
    for (path, preconditions) in deletions {
        for field in ["uid", "resourceVersion"] {
            assert!(preconditions[field].as_str().is_some_and(|text| !text.is_empty()), "{path}: no {field}");
        }
    }
    assert!(inventory(&site.server).iter().all(|(_, uid)| !uid.is_empty()));
}
