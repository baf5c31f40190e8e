//! What people and ServiceAccounts may do, as the API server sees it: every verb on everything that discovery lists.
//!
//! `rights/<who>.txt` holds the answers. `UPDATE=1 cargo test --test cluster rights` writes them anew; review the diff as
//! what it is, a change of rights.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use rayon::prelude::*;
use serde_json::json;

use crate::client::Client;
use crate::fixture::{Platform, platform};
use crate::manifests::Resources;
use crate::programs::repository;

const VERBS: [&str; 8] = ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];

/// Verbs that a request does not have by itself, and what they are asked of.
const SPECIAL: [(&str, &str, &str); 16] = [
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
    ("", "serviceaccounts", "impersonate"),
    ("authentication.k8s.io", "userextras", "impersonate"),
    ("authentication.k8s.io", "uids", "impersonate"),
    ("rbac.authorization.k8s.io", "roles", "bind"),
    ("rbac.authorization.k8s.io", "roles", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate"),
    ("certificates.k8s.io", "signers", "approve"),
    ("certificates.k8s.io", "signers", "sign"),
    ("certificates.k8s.io", "signers", "attest"),
    ("policy", "podsecuritypolicies", "use"),
    ("networking.k8s.io", "ingressclasses", "use"),
    ("resource.k8s.io", "deviceclasses", "use"),
    ("*", "*", "*"),
];

const OWN: &str = "tenant-aurora-prod";
const RETIRED: &str = "tenant-aurora-trial";
const OTHER: &str = "tenant-test-acme-acme";

/// Where rights are asked for; the last one is the cluster as a whole.
const PLACES: [&str; 6] = [OWN, RETIRED, OTHER, "k8s-mtp", "kube-system", ""];

/// Something that rights are about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Target {
    group: String,
    resource: String,
    subresource: String,
    namespaced: bool,
}

/// Verbs by target.
type Rights = BTreeMap<Target, Vec<&'static str>>;

/// Who is looked at: people and ServiceAccounts, the first of each nobody in particular, who may what everybody may.
fn everybody(platform: &Platform) -> [Vec<(&'static str, Client)>; 2] {
    let people = vec![
        ("outsider", platform.person("nobody@example.org", &["other-company"])),
        ("admin", platform.person("ines@aurora.example", &[])),
        ("admin-by-group", platform.person("somebody@aurora.example", &["aurora-admins"])),
        ("operator", platform.person("oncall@aurora.example", &[])),
        ("viewer", platform.person("audit@aurora.example", &[])),
        ("another-tenants-admin", platform.person("shop-lead@retail.example", &[])),
    ];
    let accounts = vec![
        ("outside-account", platform.account("kube-system", "default")),
        ("service-account", platform.account(OWN, "default")),
    ];
    [people, accounts]
}

#[test]
fn are_what_was_reviewed() {
    let platform = platform();
    let targets = targets(&platform.resources);
    assert!(targets.len() > 100 && targets.iter().any(|t| t.resource == "tenants"), "{targets:?}");
    let update = std::env::var_os("UPDATE").is_some();
    let mut differ = Vec::new();
    let mut outsiders: BTreeMap<&str, Rights> = BTreeMap::new();
    for (index, (who, client)) in everybody(platform).into_iter().flat_map(|kind| kind.into_iter().enumerate()) {
        let all: BTreeMap<&str, Rights> =
            PLACES.iter().map(|place| (*place, rights(&client, place, &targets))).collect();
        if index == 0 {
            outsiders.clone_from(&all);
        }
        check(who, &all, &outsiders);
        let file = repository().join(format!("tests/cluster/rights/{who}.txt"));
        let text = described(&all);
        if fs::read_to_string(&file).unwrap_or_default() != text {
            if update {
                fs::create_dir_all(file.parent().expect("a folder")).expect("made");
                fs::write(&file, text).expect("written");
            } else {
                differ.push(format!("{}:\n{text}", file.display()));
            }
        }
    }
    let remedy = "UPDATE=1 cargo test --test cluster rights";
    assert!(differ.is_empty(), "rights changed; if that is meant: {remedy}\n\n{}", differ.join("\n"));
}

/// What the platform rendered, nobody else changes or removes.
#[test]
fn leave_alone_what_the_platform_rendered() {
    let platform = platform();
    let people = everybody(platform).into_iter().flatten();
    let mut may: BTreeSet<String> = BTreeSet::new();
    for (who, client) in people {
        for document in platform.documents.iter().filter(|d| [OWN, RETIRED, OTHER, ""].contains(&d.namespace())) {
            let path = format!("{}?dryRun=All", document.path(&platform.resources));
            let change = client.merge(&path, &json!({"metadata": {"labels": {"mine": "yes"}}}));
            let removal = client.delete(&path);
            if change.status != 403 || removal.status != 403 {
                may.insert(format!("{who}: {} {}/{}", document.kind(), document.namespace(), document.name()));
            }
        }
    }
    assert_eq!(may, BTreeSet::new());
}

/// What holds whatever the files say.
fn check(who: &str, all: &BTreeMap<&str, Rights>, outsiders: &BTreeMap<&str, Rights>) {
    for (place, rights) in all {
        // Another tenant, the platform, the cluster: nothing that not everybody has.
        let own = [OWN, RETIRED].contains(place) && who != "another-tenants-admin" && who != "service-account";
        assert!(own || rights == &outsiders[place], "{who} may do more in `{place}` than everybody: {rights:?}");
        for (target, verbs) in rights {
            let changes = verbs.iter().any(|verb| !["get", "list", "watch"].contains(verb));
            let named = format!("{} {}/{}", target.group, target.resource, target.subresource);
            let bounds =
                ["limitranges", "namespaces", "networkpolicies", "resourcequotas", "rolebindings", "roles", "tenants"];
            // What policies look at: whom he names, and what is ours of it.
            let guarded = ["networkpolicies", "rolebindings", "roles"].contains(&target.resource.as_str());
            let guarded = guarded && target.subresource.is_empty() && who.starts_with("admin") && *place == OWN;
            let bounding = bounds.contains(&target.resource.as_str()) && !guarded;
            assert!(!(bounding && changes), "{who} may change what bounds him in `{place}`: {named} {verbs:?}");
            let grants = ["bind", "escalate", "impersonate", "approve", "sign", "attest", "use", "*"];
            assert!(!verbs.iter().any(|v| grants.contains(v)), "{who} in `{place}`: {named} {verbs:?}");
            let tokens = target.resource == "serviceaccounts" && target.subresource == "token";
            assert!(!tokens, "{who} in `{place}` may make tokens");
            let secrets = target.resource == "secrets";
            let may = who.starts_with("admin") && *place == OWN;
            assert!(!secrets || may, "{who} in `{place}`: secrets {verbs:?}");
            assert!(*place != RETIRED || !changes || outsiders[place].contains_key(target), "{who}: {named} {verbs:?}");
        }
    }
}

/// All that discovery lists, subresources included, in whatever version.
fn targets(resources: &Resources) -> BTreeSet<Target> {
    let each = resources.all.iter().map(|resource| {
        let (name, subresource) = resource.name.split_once('/').unwrap_or((&resource.name, ""));
        Target {
            group: resource.group().to_owned(),
            resource: name.to_owned(),
            subresource: subresource.to_owned(),
            namespaced: resource.namespaced,
        }
    });
    each.collect()
}

fn rights(client: &Client, place: &str, targets: &BTreeSet<Target>) -> Rights {
    // A Namespace is a cluster-scoped object that a Role in it may speak of.
    let here: Vec<&Target> =
        targets.iter().filter(|t| place.is_empty() || t.namespaced || t.resource == "namespaces").collect();
    let special = SPECIAL.iter().map(|(group, resource, verb)| {
        let target = Target {
            group: (*group).to_owned(),
            resource: (*resource).to_owned(),
            subresource: String::new(),
            namespaced: false,
        };
        (target, *verb)
    });
    let asked: Vec<(Target, &'static str)> =
        here.iter().flat_map(|t| VERBS.map(|verb| ((*t).clone(), verb))).chain(special).collect();
    let allowed: Vec<bool> = asked.par_iter().map(|(target, verb)| may(client, place, target, verb)).collect();
    let mut rights = Rights::new();
    for ((target, verb), _) in asked.into_iter().zip(allowed).filter(|(_, allowed)| *allowed) {
        rights.entry(target).or_default().push(verb);
    }
    rights
}

fn may(client: &Client, place: &str, target: &Target, verb: &str) -> bool {
    let name = if target.resource == "namespaces" && !["list", "watch", "create"].contains(&verb) { place } else { "" };
    client.may(&json!({
        "namespace": place,
        "verb": verb,
        "group": target.group,
        "resource": target.resource,
        "subresource": target.subresource,
        "name": name,
    }))
}

/// By place, resources with the same verbs in one paragraph.
fn described(all: &BTreeMap<&str, Rights>) -> String {
    let mut text = String::new();
    for place in PLACES {
        let title = if place.is_empty() { "in the whole cluster".to_owned() } else { format!("in {place}") };
        let _ = writeln!(text, "{title}");
        let mut by_verbs: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (target, verbs) in &all[place] {
            let group = if target.group.is_empty() { String::new() } else { format!(".{}", target.group) };
            let subresource =
                if target.subresource.is_empty() { String::new() } else { format!("/{}", target.subresource) };
            let named = format!("{}{group}{subresource}", target.resource);
            by_verbs.entry(verbs.join(", ")).or_default().push(named);
        }
        if by_verbs.is_empty() {
            text.push_str("  nothing\n");
        }
        for (verbs, resources) in by_verbs {
            let _ = writeln!(text, "  {verbs}");
            for resource in resources {
                let _ = writeln!(text, "    {resource}");
            }
        }
        text.push('\n');
    }
    text
}
