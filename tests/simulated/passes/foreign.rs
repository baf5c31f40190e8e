//! What is not ours, or no longer: it is neither changed nor deleted, whatever it is called and whatever its labels say.

use std::sync::Arc;

use k8s_mtp::engine::State;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::installation::{inventory, ours, told, two};
use crate::server::{Failure, Fault, Server};
use crate::site::{Edited, Site, maps, of_a, state_of};

const POLICIES: &str = "networkpolicies.networking.k8s.io";
const TENANTS: &str = "tenants.multitenant.k8s-mtp.io";
const ADOPT: &str = "k8s-mtp.io/adopt";

/// A ConfigMap of somebody, by a name that git comes to want.
fn theirs(server: &Server) -> Value {
    let mut map = of_a("v1", "ConfigMap", "map-00");
    map["data"] = json!({"theirs": "yes"});
    server.create("kubectl-create", &map)
}

/// Its labels are those that we write: they are no proof, the inventory is.
#[tokio::test(start_paused = true)]
async fn an_object_of_somebody_else_is_refused_until_he_hands_it_over() {
    let site = Site::of(&[&two()]).await;
    let uid = theirs(&site.server)["metadata"]["uid"].clone();
    let wanted = Edited::with(&two(), maps(1));
    let get = || site.server.get("configmaps", "tenant-a-main", "map-00").expect("it is there");
    for said in [Value::Null, json!("another"), json!("")] {
        site.annotate("configmaps", "tenant-a-main", "map-00", ADOPT, said);
        let before = get();
        let outcome = site.outcome(&wanted).await;
        assert_eq!((state_of(&outcome, "a"), state_of(&outcome, "b")), (State::Held, State::Applied));
        let text = told(&outcome);
        assert!(text.contains("ConfigMap") && text.contains("k8s-mtp.io/adopt=sim"), "{text}");
        assert_eq!(get(), before);
    }
    site.annotate("configmaps", "tenant-a-main", "map-00", ADOPT, json!("sim"));
    site.clean(&wanted).await;
    assert_eq!((&get()["metadata"]["uid"], &get()["data"]["theirs"]), (&uid, &Value::Null), "data is a closed part");
    // What was handed over is ours: it goes like everything else.
    site.clean(&two().fresh()).await;
    assert!(!site.has("configmaps", "tenant-a-main", "map-00"));
}

/// Somebody creates it between the look at the cluster and the write: that is noticed, and he keeps it.
#[tokio::test(start_paused = true)]
async fn what_appears_meanwhile_is_noticed() {
    let site = Site::of(&[&two()]).await;
    let server = site.server.clone();
    site.server.on_request(move |_, asked| {
        if asked.method == "PATCH"
            && asked.path.ends_with("/map-00")
            && server.get("configmaps", "tenant-a-main", "map-00").is_none()
        {
            theirs(&server);
        }
        Fault::Proceed
    });
    let outcome = site.outcome(&Edited::with(&two(), maps(1))).await;
    site.server.without_faults();
    assert!(told(&outcome).contains("k8s-mtp.io/adopt=sim"), "{}", told(&outcome));
    // Git wants it no longer: then it is not deleted either.
    let _ = site.outcome(&two().fresh()).await;
    assert!(site.has("configmaps", "tenant-a-main", "map-00"));
}

/// The same, and nobody hears what the API server answers: the connection broke, or the process is gone as well. Who was there
/// first keeps it, whether git wants it still or no longer.
#[tokio::test(start_paused = true)]
async fn what_appears_meanwhile_is_his_whatever_becomes_of_the_answer() {
    for (crashes, still_wanted) in [(false, false), (true, false), (false, true), (true, true)] {
        let site = Site::of(&[&two()]).await;
        let server = site.server.clone();
        let gone = Arc::new(Notify::new());
        let crash = Arc::clone(&gone);
        let mut written = false;
        site.server.on_request(move |_, asked| {
            if asked.method == "PATCH" && asked.path.ends_with("/map-00") && !written {
                written = true;
                theirs(&server);
                return Fault::FailAfter(Failure::Connection);
            }
            if written && crashes {
                crash.notify_one();
                return Fault::FailBefore(Failure::Connection);
            }
            Fault::Proceed
        });
        let wanted = Edited::with(&two(), maps(1));
        tokio::select! {
            biased;
            () = gone.notified() => {}
            outcome = site.outcome(&wanted) => assert!(told(&outcome).contains("k8s-mtp.io/adopt=sim")),
        }
        site.server.without_faults();
        let outcome = if still_wanted { site.outcome(&wanted).await } else { site.outcome(&two().fresh()).await };
        assert_eq!(told(&outcome).contains("k8s-mtp.io/adopt=sim"), still_wanted, "{}", told(&outcome));
        site.outcome(&two().fresh()).await;
        let left = site.server.get("configmaps", "tenant-a-main", "map-00");
        assert_eq!(left.expect("it stays")["data"]["theirs"], "yes");
        site.idle(&two().fresh()).await;
    }
}

/// A tenant that is held because of one object loses all the same what git does not give: also in a binding of nobody, of
/// which git says no subjects at all.
#[tokio::test(start_paused = true)]
async fn a_role_of_somebody_else_keeps_nobody_in_a_binding() {
    let site = Site::of(&[&two()]).await;
    let source = two().fresh();
    site.clean(&source).await;
    let (roles, bindings) = ("roles.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io");
    let (role, binding) = ("tenant-a-operator", "tenant-a-operator-binding");
    let mut theirs = (*site.server.get(roles, "tenant-a-main", role).expect("a Role")).clone();
    for field in ["uid", "resourceVersion", "managedFields", "creationTimestamp"] {
        theirs["metadata"].as_object_mut().expect("metadata").remove(field);
    }
    let _ = site.server.delete(roles, "tenant-a-main", role);
    site.server.create("another", &theirs);
    let mut widened = (*site.server.get(bindings, "tenant-a-main", binding).expect("a binding")).clone();
    assert_eq!(widened["subjects"], Value::Null);
    widened["subjects"] = json!([{"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}]);
    let path = format!("{}?fieldManager=kubectl-edit", site.server.path(bindings, "tenant-a-main", binding));
    assert!(site.server.request("PUT", &path, "application/json", &widened).is_success());
    let outcome = site.outcome(&source).await;
    assert_eq!(state_of(&outcome, "a"), State::Held, "{}", told(&outcome));
    let now = site.server.get(bindings, "tenant-a-main", binding).expect("a binding");
    assert!(!now.to_string().contains("\"mallory\""), "{now:#}");
}

/// A Namespace holds what people put there before us: it is let go of, never deleted.
#[tokio::test(start_paused = true)]
async fn a_namespace_that_was_handed_over_is_never_deleted() {
    let site = Site::new();
    let mut namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant-b-main"}});
    namespace["metadata"]["annotations"] = json!({ADOPT: "sim"});
    let uid = site.server.create("kubectl-create", &namespace)["metadata"]["uid"].clone();
    site.clean(&two().fresh()).await;
    assert_eq!(site.uid("namespaces", "", "tenant-b-main"), uid);
    let retired = two().tenant("b", "  tier: pro\n  state: retired\n");
    site.clean(&retired.fresh()).await;
    let without = retired.without("b").fresh();
    let outcome = site.outcome(&without).await;
    assert_eq!(site.uid("namespaces", "", "tenant-b-main"), uid, "{}", told(&outcome));
    let notes: Vec<&str> = outcome.units.iter().flat_map(|unit| &unit.notes).map(|(_, note)| note.as_str()).collect();
    assert!(notes.iter().any(|note| note.contains("it is let go of, and stays")), "{notes:?}");
    site.outcome(&without).await;
    assert!(!site.shards().contains("k8s-mtp-inventory.tenant.b"), "nothing of it is ours any more");
    assert!(site.has("serviceaccounts", "tenant-b-main", "default"));
    site.idle(&without).await;
}

/// Deleted and created anew by somebody: another UID is another object.
#[tokio::test(start_paused = true)]
async fn what_somebody_recreated_is_his() {
    let wanted = Edited::with(&two(), maps(1));
    for still_wanted in [true, false] {
        let site = Site::of(&[&two()]).await;
        site.clean(&wanted).await;
        assert!(site.server.delete("configmaps", "tenant-a-main", "map-00").is_success());
        theirs(&site.server);
        let get = || site.server.get("configmaps", "tenant-a-main", "map-00").expect("it is there");
        let before = get();
        if still_wanted {
            let outcome = site.outcome(&wanted).await;
            assert!(told(&outcome).contains(ADOPT), "{}", told(&outcome));
        } else {
            site.clean(&two().fresh()).await;
        }
        assert_eq!(get(), before);
    }
}

/// The same in the moment of the deletion: it hits the version that was looked at, or nothing.
#[tokio::test(start_paused = true)]
async fn what_is_recreated_in_the_moment_of_its_deletion_stays() {
    let site = Site::of(&[&two()]).await;
    site.clean(&Edited::with(&two(), maps(1))).await;
    let server = site.server.clone();
    let mut done = false;
    site.server.on_request(move |_, asked| {
        if asked.method == "DELETE" && asked.path.ends_with("/map-00") && !std::mem::replace(&mut done, true) {
            assert!(server.delete("configmaps", "tenant-a-main", "map-00").is_success());
            theirs(&server);
        }
        Fault::Proceed
    });
    let outcome = site.outcome(&two().fresh()).await;
    site.server.without_faults();
    let left = site.server.get("configmaps", "tenant-a-main", "map-00");
    assert_eq!(left.expect("it stays")["data"]["theirs"], "yes", "{}", told(&outcome));
    site.clean(&two().fresh()).await;
    assert!(site.has("configmaps", "tenant-a-main", "map-00"));
}

/// Whoever changes an object while it is being deleted to make it his, or another's child, is heard.
#[tokio::test(start_paused = true)]
async fn what_is_taken_over_in_the_moment_of_its_deletion_stays() {
    let unmark: fn(&mut Value) = |map| map["metadata"]["labels"] = json!({});
    let child: fn(&mut Value) = |map| map["metadata"]["ownerReferences"] = json!([controller()]);
    for change in [unmark, child] {
        let site = Site::of(&[&two()]).await;
        site.clean(&Edited::with(&two(), maps(1))).await;
        let server = site.server.clone();
        let mut done = false;
        site.server.on_request(move |_, asked| {
            if asked.method == "DELETE" && asked.path.ends_with("/map-00") && !std::mem::replace(&mut done, true) {
                server.edit("operator", "configmaps", "tenant-a-main", "map-00", change);
            }
            Fault::Proceed
        });
        let _ = site.outcome(&two().fresh()).await;
        assert!(site.has("configmaps", "tenant-a-main", "map-00"));
    }
}

/// The Namespace that every cluster has controls nothing in truth, but garbage is only what has an owner that is gone.
fn controller() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "parent", "uid": "0", "controller": true})
}

/// Operators copy labels from an object to what they make of it: a child is its controller's.
#[tokio::test(start_paused = true)]
async fn a_child_of_another_object_is_never_pruned() {
    let site = Site::of(&[&two()]).await;
    site.clean(&Edited::with(&two(), maps(2))).await;
    let parent = site.server.create("operator", &of_a("v1", "ConfigMap", "parent"));
    let mut owner = controller();
    owner["uid"] = parent["metadata"]["uid"].clone();
    site.server.edit("operator", "configmaps", "tenant-a-main", "map-00", |map| {
        map["metadata"]["ownerReferences"] = json!([owner]);
    });
    let outcome = site.outcome(&two().fresh()).await;
    assert!(site.has("configmaps", "tenant-a-main", "map-00"), "{}", told(&outcome));
    assert!(!site.has("configmaps", "tenant-a-main", "map-01"));
    // Not even where all that is known of it is what it says of itself: a copy says that we applied it.
    let wanted = Edited::with(&two(), maps(3));
    site.outcome(&wanted).await;
    let mut copy = (*site.server.get("configmaps", "tenant-a-main", "map-02").expect("it is there")).clone();
    copy["metadata"]["name"] = json!("copy");
    copy["metadata"]["uid"] = json!("of-the-copy");
    copy["metadata"]["ownerReferences"] = json!([owner]);
    site.server.put_raw("configmaps", "tenant-a-main", "copy", Some(copy));
    for shard in site.shards() {
        site.server.put_raw("configmaps", "k8s-mtp", &shard, None);
    }
    for _ in 0..3 {
        site.outcome(&wanted).await;
    }
    assert!(site.has("configmaps", "tenant-a-main", "copy"));
}

/// A shard that is lost is made anew, and the pass that does so deletes nothing; the next one does.
#[tokio::test(start_paused = true)]
async fn a_lost_inventory_is_made_anew_and_deletes_nothing_meanwhile() {
    let all: fn(&str) -> bool = |_| true;
    let one: fn(&str) -> bool = |name| name.ends_with(".tenant.a");
    let platform: fn(&str) -> bool = |name| name == "k8s-mtp-inventory";
    for (what, lost) in [("all", all), ("one", one), ("the platform's", platform)] {
        let site = Site::of(&[&two()]).await;
        site.clean(&Edited::with(&two(), maps(2))).await;
        let before = inventory(&site.server);
        for shard in site.shards().into_iter().filter(|name| lost(name)) {
            site.server.put_raw("configmaps", "k8s-mtp", &shard, None);
        }
        let after = Edited::with(&two(), maps(1));
        site.outcome(&after).await;
        let removed = site.did().into_iter().filter(|did| did.starts_with("removed")).collect::<Vec<_>>();
        if what != "the platform's" {
            assert_eq!(removed, Vec::<String>::new(), "{what}");
            assert_eq!(inventory(&site.server), before, "{what}");
        }
        site.clean(&after).await;
        assert!(!site.has("configmaps", "tenant-a-main", "map-01"), "{what}");
        site.idle(&after).await;
    }
}

/// A copy of tenant `a` as another installation would have it, which says so in the Tenant's status.
fn another(server: &Server) -> Vec<crate::server::Key> {
    let mut keys = Vec::new();
    for (key, object) in server.all() {
        let of_a = object["metadata"]["labels"]["tenant.k8s-mtp.io/name"] == "a";
        if !of_a || key.resource == TENANTS && key.name != "a" {
            continue;
        }
        let text = object.to_string().replace("tenant-a-", "tenant-z-").replace("\"name\":\"a\"", "\"name\":\"z\"");
        let text = text.replace("\"tenant.k8s-mtp.io/name\":\"a\"", "\"tenant.k8s-mtp.io/name\":\"z\"");
        let mut copy: Value = serde_json::from_str(&text).expect("JSON");
        copy["metadata"]["uid"] = json!(format!("of-another-{}", keys.len()));
        if key.resource == TENANTS {
            copy["status"]["installation"] = json!("another");
        }
        let mut key = key;
        key.namespace = key.namespace.replace("tenant-a-", "tenant-z-");
        key.name = copy["metadata"]["name"].as_str().expect("a name").to_owned();
        server.put_raw(&key.resource, &key.namespace, &key.name, Some(copy));
        keys.push(key);
    }
    keys
}

/// Two installations have the same labels and the same field manager. What tells them apart is the inventory, and
/// without one what each Tenant says.
#[tokio::test(start_paused = true)]
async fn what_another_installation_made_is_never_touched() {
    let site = Site::of(&[&two()]).await;
    let theirs = another(&site.server);
    assert!(theirs.len() > 8, "{theirs:?}");
    let before: Vec<_> = theirs.iter().map(|key| site.server.get(&key.resource, &key.namespace, &key.name)).collect();
    let check = |what: &str| {
        for (key, before) in theirs.iter().zip(&before) {
            assert_eq!(&site.server.get(&key.resource, &key.namespace, &key.name), before, "{what}: {key:?}");
        }
        assert!(!inventory(&site.server).iter().any(|(id, _)| id.contains("tenant-z-")), "{what}");
    };
    site.outcome(&Edited::with(&two(), maps(1))).await;
    check("a pass");
    site.outcome(&two().tenant("b", "  tier: pro\n").fresh()).await;
    check("a pass that takes away");
    for shard in site.shards() {
        site.server.put_raw("configmaps", "k8s-mtp", &shard, None);
    }
    for _ in 0..3 {
        site.outcome(&two().fresh()).await;
        check("a pass without inventory");
    }
    assert!(site.has(POLICIES, "tenant-z-main", "tenant-isolation"));
    assert!(ours(&site.server).len() > inventory(&site.server).len());
}

/// What an earlier tool left in a tenant's Namespace, marked as ours, still opens it: nobody deletes it, and everybody hears of it.
#[tokio::test(start_paused = true)]
async fn what_only_says_that_it_is_rendered_is_told_of_and_stays() {
    let site = Site::of(&[&two()]).await;
    let mut policy = of_a("networking.k8s.io/v1", "NetworkPolicy", "left");
    policy["spec"] = json!({"podSelector": {}, "egress": [{}], "policyTypes": ["Egress"]});
    let mut binding = of_a("rbac.authorization.k8s.io/v1", "RoleBinding", "left");
    binding["roleRef"] = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "tenant-a-viewer"});
    // What opens nothing is nobody's business, and neither is what does not say that it is ours.
    let mut own = policy.clone();
    own["metadata"] = json!({"name": "own", "namespace": "tenant-a-main"});
    for object in [&policy, &binding, &own, &of_a("v1", "ConfigMap", "left")] {
        site.server.create("argocd-controller", object);
    }
    let wanted = Edited::with(&two(), maps(1));
    let left = |outcome: &k8s_mtp::engine::Outcome| -> Vec<String> {
        let of_unit = |unit: &k8s_mtp::engine::UnitOutcome| {
            let notes = unit.notes.iter().filter(|(_, note)| note.starts_with("it says that it is rendered"));
            notes.map(|(id, _)| format!("{}: {id}", unit.unit)).collect::<Vec<_>>()
        };
        outcome.units.iter().flat_map(of_unit).collect()
    };
    let expected = ["tenant `a`: NetworkPolicy `tenant-a-main/left`", "tenant `a`: RoleBinding `tenant-a-main/left`"];
    // Whether the pass has something to do or not; and it is in nobody's way.
    for _ in 0..2 {
        let outcome = site.outcome(&wanted).await;
        assert_eq!((left(&outcome), state_of(&outcome, "a")), (expected.map(str::to_owned).to_vec(), State::Applied));
    }
    site.idle(&wanted).await;
    assert!(site.has(POLICIES, "tenant-a-main", "left"));
    // Once git wants it, it is somebody's object like any other.
    let outcome = site.outcome(&Edited::with(&two(), vec![policy])).await;
    assert!(told(&outcome).contains(ADOPT) && left(&outcome).len() == 1, "{}", told(&outcome));
}

/// An inventory that is somebody else's, or that nobody can read, is no reason to begin anew.
#[tokio::test(start_paused = true)]
async fn an_inventory_that_is_not_ours_ends_the_pass() {
    let site = Site::of(&[&two()]).await;
    site.server.edit("kubectl-edit", "configmaps", "k8s-mtp", "k8s-mtp-inventory", |map| {
        map["metadata"]["labels"]["k8s-mtp.io/inventory"] = json!("another");
    });
    let error = site.error(&two().fresh()).await;
    assert!(error.contains("installation `another`, expected `sim`"), "{error}");
    let site = Site::of(&[&two()]).await;
    site.server.edit("kubectl-edit", "configmaps", "k8s-mtp", "k8s-mtp-inventory.tenant.a", |map| {
        map["data"]["objects"] = json!("half a li");
    });
    let error = site.error(&two().fresh()).await;
    assert!(error.contains("`k8s-mtp-inventory.tenant.a`, line 1"), "{error}");
}
