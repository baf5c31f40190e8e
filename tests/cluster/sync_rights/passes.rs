//! Passes as the ServiceAccount of `mtp sync`, after one of an admin: each change of git is carried out with the rights that are
//! rendered, also a change of those.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::hash::{Hash as _, Hasher as _};
use std::time::Duration;

use k8s_mtp::engine::{Budget, Done, Fresh, Gateway, Held, Outcome, Progress, Settings, State, pass};
use k8s_mtp::{Input, Inputs};
use serde_json::json;
use time::OffsetDateTime;

use crate::client::{Client, finished};
use crate::control_plane::{ControlPlane, NEWEST};
use crate::manifests::inputs;
use crate::programs::repository;

const PLATFORM: &str = "mtp-system";
const RBAC: &str = "/apis/rbac.authorization.k8s.io/v1";
const TEMPLATE: &str = "tenants/templates/more.yaml";

/// What git holds, by path.
type Git = BTreeMap<String, String>;

fn fresh(git: &Git) -> Fresh {
    let mut inputs = Inputs::default();
    for (path, text) in git {
        inputs.insert(path.as_str(), Input::Bytes(text.as_bytes().into()));
    }
    let (rendered, diagnostics) = k8s_mtp::render(&inputs);
    assert!(!rendered.files.is_empty(), "{diagnostics:?}");
    let mut hasher = std::hash::DefaultHasher::new();
    git.hash(&mut hasher);
    Fresh { rendered, commit: format!("{:016x}", hasher.finish()) }
}

fn settings(inside: bool) -> Settings {
    Settings {
        installation: "platform".to_owned(),
        namespace: PLATFORM.to_owned(),
        tenants: Vec::new(),
        budget: Budget { allowed: Some(1000), ..Budget::default() },
        deletes: true,
        inside,
        wait: Duration::from_secs(60),
        identity: if inside { "pod" } else { "laptop" }.to_owned(),
        lease: Duration::from_secs(15),
        clock: || OffsetDateTime::UNIX_EPOCH,
    }
}

/// Runs a pass; what came of it, and how many requests might have changed something.
fn run(client: &Client, git: &Git, inside: bool) -> (Outcome, usize) {
    let (fresh, settings) = (fresh(git), settings(inside));
    let gateway = Gateway::new(client.as_whom(), 7);
    let held = Held::of(&fresh).expect("objects");
    let told = RefCell::new(|_: Progress<'_>| {});
    let outcome = finished(pass(&gateway, &settings, &fresh, &held, &told)).expect("a pass");
    (outcome, gateway.counts().writes)
}

fn problems(outcome: &Outcome) -> Vec<String> {
    let units = outcome.units.iter().filter(|unit| unit.state != State::Applied);
    units.flat_map(|unit| unit.problems.iter().map(|p| format!("{}: {:?}: {}", unit.unit, p.id, p.message))).collect()
}

/// Passes until one is clean: what is new in its own rights is there for the next one.
#[track_caller]
fn settle(client: &Client, git: &Git) -> BTreeMap<Done, usize> {
    let mut all: BTreeMap<Done, usize> = BTreeMap::new();
    for last in [false, false, true] {
        let (outcome, _) = run(client, git, true);
        outcome.counts().into_iter().for_each(|(done, count)| *all.entry(done).or_default() += count);
        if outcome.is_clean() {
            return all;
        }
        assert!(!last, "{:#?}", problems(&outcome));
    }
    all
}

fn template(kind: &str, more: &str) -> String {
    format!("apiVersion: v1\nkind: {kind}\nmetadata:\n  name: more\n{more}\n")
}

#[test]
fn every_change_is_carried_out_with_what_is_rendered() {
    let mut plane = ControlPlane::start(NEWEST);
    plane.start_nodes();
    let admin = plane.client();
    let groups = ["system:serviceaccounts", &format!("system:serviceaccounts:{PLATFORM}"), "system:authenticated"];
    let sync = admin.as_user(&format!("system:serviceaccount:{PLATFORM}:{}", super::NAME), &groups);
    let mut git = inputs(&repository().join("tests/cases/sync-ssh"));
    git.insert(TEMPLATE.to_owned(), template("ConfigMap", "data: {a: b}"));
    let (outcome, _) = run(&admin, &git, false);
    assert!(outcome.is_clean(), "{:#?}", problems(&outcome));

    // What an admin installed is left alone.
    let (outcome, writes) = run(&sync, &git, true);
    assert!(outcome.is_clean(), "{:#?}", problems(&outcome));
    assert_eq!(writes, 0);

    // A tenant comes.
    let tenant = git["tenants/tenant.yaml"].replace("acme", "globex");
    git.insert("tenants/globex.yaml".to_owned(), tenant.clone());
    let done = settle(&sync, &git);
    assert!(done[&Done::Created] > 8, "{done:?}");
    let there = |path: &str| admin.get(path).status == 200;
    assert!(there("/api/v1/namespaces/tenant-globex-web/configmaps/more"));

    // A kind of a template goes and another one comes: rights go first, and come before they are needed.
    git.insert(TEMPLATE.to_owned(), template("Service", "spec: {ports: [{port: 80}]}"));
    let done = settle(&sync, &git);
    assert!(done[&Done::Created] >= 2 && done[&Done::Deleted] >= 2, "{done:?}");
    for tenant in ["acme", "globex"] {
        assert!(there(&format!("/api/v1/namespaces/tenant-{tenant}-web/services/more")));
        assert!(!there(&format!("/api/v1/namespaces/tenant-{tenant}-web/configmaps/more")));
    }

    // The last template goes, and with it the right to remove what it made: that goes last.
    git.remove(TEMPLATE);
    let right = |resource: &str| {
        let rules = admin.get(&format!("{RBAC}/clusterroles/{}", super::NAME)).ok()["rules"].clone();
        let rules = rules.as_array().cloned().unwrap_or_default();
        rules.iter().any(|rule| rule["resources"] == json!([resource]) && rule["verbs"].to_string().contains("delete"))
    };
    assert!(right("services"));
    let (outcome, _) = run(&sync, &git, true);
    assert!(outcome.is_clean(), "{:#?}", problems(&outcome));
    assert!(!there("/api/v1/namespaces/tenant-acme-web/services/more"));
    assert!(!right("services"));
    assert_eq!(run(&sync, &git, true).1, 0);

    // So it is with the policies, which come with their engine and go with it.
    let platform = git["tenants/platform.yaml"].clone();
    let policies = format!("{platform}  admission:\n    engines: [policies]\n    applyIdentities: [admin]\n");
    git.insert("tenants/platform.yaml".to_owned(), policies);
    let done = settle(&sync, &git);
    let of_pods = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/k8s-mtp-pods-deny";
    assert!(there(of_pods), "{done:?}");
    assert!(right("validatingadmissionpolicies"));
    git.insert("tenants/platform.yaml".to_owned(), platform);
    let (outcome, _) = run(&sync, &git, true);
    assert!(outcome.is_clean(), "{:#?}", problems(&outcome));
    assert!(!there(of_pods));
    assert!(!right("validatingadmissionpolicies"));
    assert_eq!(run(&sync, &git, true).1, 0);

    // What somebody else took away comes back, of its own rights those that it can do without for a while.
    let lost = [
        "/api/v1/namespaces/tenant-acme-web/resourcequotas/tenant-quota".to_owned(),
        format!("{RBAC}/namespaces/default/roles/{}-events", super::NAME),
        format!("/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/{}", super::NAME),
    ];
    lost.iter().for_each(|path| drop(admin.delete(path).ok()));
    let wider = json!({"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]});
    let role = format!("{RBAC}/clusterroles/{}", super::NAME);
    let rules = admin.get(&role).ok()["rules"].clone();
    admin.merge(&role, &wider).ok();
    settle(&sync, &git);
    assert!(lost.iter().all(|path| there(path)));
    assert_eq!(admin.get(&role).ok()["rules"], rules);

    // A tenant leaves, in two steps.
    git.insert("tenants/globex.yaml".to_owned(), format!("{tenant}  state: retired\n"));
    settle(&sync, &git);
    git.remove("tenants/globex.yaml");
    settle(&sync, &git);
    assert!(!there("/api/v1/namespaces/tenant-globex-web"));
    assert!(!there("/apis/multitenant.k8s-mtp.io/v1/tenants/globex"));
    let (_, writes) = run(&sync, &git, true);
    assert_eq!(writes, 0);
}
