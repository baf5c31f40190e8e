//! What others change in objects of ours: what git says is taken back, what it does not say stays, but in closed parts.

use k8s_mtp::engine::{Done, Source};
use serde_json::{Value, json};

use crate::installation::{inventory, ours, picture, two};
use crate::server::{Key, Server};
use crate::site::{Edited, Site, maps, of_a};

/// The objects of a commit, with where they are stored.
fn wanted(site: &Site, source: &dyn Source) -> Vec<(Key, Value)> {
    let objects = source.units().into_iter().flat_map(|unit| source.objects(&unit).expect("objects"));
    let stored = site.server.all();
    let place = |object: &Value| {
        let same = |live: &Value| {
            ["apiVersion", "kind"].iter().all(|field| live[*field] == object[*field])
                && ["name", "namespace"].iter().all(|field| live["metadata"][*field] == object["metadata"][*field])
        };
        stored.iter().find(|(_, live)| same(live)).map(|(key, _)| key.clone())
    };
    objects.map(|object| (place(&object).expect("it is there"), object)).collect()
}

/// Pointers to the scalars of an object, but to those that say which object it is.
fn leaves(value: &Value, at: &str, all: &mut Vec<String>) {
    let fixed = ["/apiVersion", "/kind", "/metadata/name", "/metadata/namespace"];
    match value {
        Value::Object(map) => map.iter().for_each(|(key, value)| {
            leaves(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), all);
        }),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| leaves(item, &format!("{at}/{index}"), all));
        }
        _ if fixed.contains(&at) => {}
        _ => all.push(at.to_owned()),
    }
}

fn altered(value: &Value) -> Value {
    match value {
        Value::Bool(is) => json!(!is),
        Value::Number(number) => json!(number.as_u64().unwrap_or_default() + 1),
        Value::String(text) if text.parse::<u64>().is_ok() => json!("77"),
        _ => json!("other"),
    }
}

fn removed(object: &mut Value, pointer: &str) {
    let (outer, last) = pointer.rsplit_once('/').expect("a pointer");
    match object.pointer_mut(outer) {
        Some(Value::Object(map)) => drop(map.remove(&last.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => drop(items.remove(last.parse().expect("an index"))),
        _ => {}
    }
}

/// Edits an object as somebody would; whether the server lets him, and whether anything came of it.
fn edited(server: &Server, key: &Key, change: &dyn Fn(&mut Value)) -> bool {
    let Some(before) = server.get(&key.resource, &key.namespace, &key.name) else { return false };
    let mut object = (*before).clone();
    change(&mut object);
    let path = format!("{}?fieldManager=kubectl-edit", server.path(&key.resource, &key.namespace, &key.name));
    let answer = server.request("PUT", &path, "application/json", &object);
    let after = server.get(&key.resource, &key.namespace, &key.name);
    answer.is_success() && after.as_ref() != Some(&before)
}

/// Each field that git holds, changed and taken away, one of each object at a time.
#[tokio::test(start_paused = true)]
async fn each_field_that_git_holds_comes_back() {
    let git = two().tenant("a", "  tier: pro\n  admins: [alice@example.org]\n  egress: {allow: [{cidr: 203.0.113.0/24, ports: [{port: 443}]}]}\n");
    let source = Edited::with(&git, {
        let mut map = of_a("v1", "ConfigMap", "map");
        map["data"] = json!({"a": "b"});
        vec![map]
    });
    let site = Site::new();
    site.clean(&source).await;
    let expected = picture(&site.server);
    let all: Vec<(Key, Value, Vec<String>)> = wanted(&site, &source)
        .into_iter()
        // What a definition says decides how its objects are stored: it has a test of its own.
        .filter(|(key, _)| !key.resource.starts_with("customresourcedefinitions"))
        .map(|(key, object)| {
            let mut pointers = Vec::new();
            leaves(&object, "", &mut pointers);
            (key, object, pointers)
        })
        .collect();
    let most = all.iter().map(|(_, _, pointers)| pointers.len()).max().expect("objects");
    let mut count = 0;
    // By itself the test tries some, as others do.
    let (step, enough) = if std::env::var_os("MTP_ALL").is_some() { (1, 300) } else { (4, 60) };
    for index in (0..most).step_by(step) {
        for remove in [false, true] {
            let mut which = Vec::new();
            for (key, object, pointers) in &all {
                let Some(pointer) = pointers.get(index) else { continue };
                let other = altered(object.pointer(pointer).expect("a value"));
                let change = |live: &mut Value| match live.pointer_mut(pointer) {
                    Some(_) if remove => removed(live, pointer),
                    Some(value) => *value = other.clone(),
                    None => {}
                };
                if edited(&site.server, key, &change) {
                    which.push(format!("{} {}{pointer}", key.resource, key.name));
                }
            }
            count += which.len();
            site.clean(&source).await;
            let now = picture(&site.server);
            for (key, object) in &expected {
                assert_eq!(stripped(&now[key]), stripped(object), "{which:#?}");
            }
            site.idle(&source).await;
        }
    }
    assert!(count > enough, "{count} fields were changed");
}

/// Without who owned what in between.
fn stripped(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

/// Each object, deleted by somebody: it comes back, and is ours again.
#[tokio::test(start_paused = true)]
async fn each_object_that_git_holds_comes_back() {
    let source = two().fresh();
    let site = Site::of(&[&two()]).await;
    let expected = picture(&site.server);
    for (key, _) in wanted(&site, &source) {
        // What is deleted with a definition or a Namespace of all is more than one pass brings back in order.
        if key.resource.starts_with("customresourcedefinitions") || key.name == "k8s-mtp" {
            continue;
        }
        assert!(site.server.delete(&key.resource, &key.namespace, &key.name).is_success(), "{key:?}");
        while site.server.step() {}
        site.clean(&source).await;
        assert_eq!(picture(&site.server), expected, "{key:?}");
        site.idle(&source).await;
    }
    assert_eq!(inventory(&site.server), ours(&site.server));
}

/// Labels, annotations and finalizers of others stay, on everything.
#[tokio::test(start_paused = true)]
async fn what_others_add_stays() {
    let source = two().fresh();
    let site = Site::of(&[&two()]).await;
    let keys: Vec<Key> = wanted(&site, &source).into_iter().map(|(key, _)| key).collect();
    for key in &keys {
        let added = edited(&site.server, key, &|object| {
            object["metadata"]["labels"]["example.org/theirs"] = json!("yes");
            object["metadata"]["annotations"]["example.org/theirs"] = json!("yes");
        });
        assert!(added, "{key:?}");
    }
    site.idle(&source).await;
    // And while what is next to them changes.
    let next = two()
        .tenant("a", "  tier: pro\n  admins: [carol@example.org]\n  viewers: [alice@example.org]\n")
        .tenant("b", "  tier: free\n  operators: [carol@example.org]\n")
        .fresh();
    site.clean(&next).await;
    for key in keys {
        let object = site.server.get(&key.resource, &key.namespace, &key.name).expect("it is there");
        assert_eq!(object["metadata"]["labels"]["example.org/theirs"], "yes", "{key:?}");
        assert_eq!(object["metadata"]["annotations"]["example.org/theirs"], "yes", "{key:?}");
    }
}

/// Where what is *not* said matters, what others say is removed: by whichever way they said it.
#[tokio::test(start_paused = true)]
async fn what_others_add_to_closed_parts_goes() {
    let rules = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    let subjects = json!([{"kind": "User", "name": "mallory", "apiGroup": "rbac.authorization.k8s.io"}]);
    let rbac = "rbac.authorization.k8s.io";
    let rows: [(String, &str, &str, Value); 8] = [
        ("networkpolicies.networking.k8s.io".to_owned(), "tenant-allow-dns", "/spec/ingress", json!([{}])),
        ("resourcequotas".to_owned(), "tenant-quota", "/spec/hard/services", json!("99")),
        (format!("rolebindings.{rbac}"), "tenant-a-admin-binding", "/subjects", subjects.clone()),
        (format!("rolebindings.{rbac}"), "tenant-a-operator-binding", "/subjects", subjects),
        (format!("roles.{rbac}"), "tenant-a-viewer", "/rules", rules),
        ("configmaps".to_owned(), "map-00", "/data/theirs", json!("yes")),
        (
            "namespaces".to_owned(),
            "tenant-a-main",
            "/metadata/labels/pod-security.kubernetes.io~1x",
            json!("privileged"),
        ),
        ("namespaces".to_owned(), "tenant-a-main", "/metadata/labels/tenant.k8s-mtp.io~1state", json!("retired")),
    ];
    let mut more = maps(1);
    more[0]["data"] = json!({"ours": "yes"});
    let source = Edited::with(&two(), more);
    for (resource, name, pointer, value) in rows {
        let site = Site::of(&[&two()]).await;
        site.clean(&source).await;
        let namespace = if resource == "namespaces" { "" } else { "tenant-a-main" };
        let get = || site.server.get(&resource, namespace, name).expect("it is there");
        let before = get();
        for applied in [false, true] {
            if applied {
                let mut theirs =
                    json!({"apiVersion": before["apiVersion"], "kind": before["kind"], "metadata": {"name": name}});
                if !namespace.is_empty() {
                    theirs["metadata"]["namespace"] = json!(namespace);
                }
                if before["kind"] == "RoleBinding" {
                    theirs["roleRef"] = before["roleRef"].clone();
                }
                set(&mut theirs, pointer, &value);
                site.server.apply("another", &theirs);
            } else {
                site.server.edit("kubectl-edit", &resource, namespace, name, |object| set(object, pointer, &value));
            }
            assert_eq!(get().pointer(pointer), Some(&value), "{resource} {pointer}");
            let outcome = site.clean(&source).await;
            let mut now = stripped(&get());
            let mut then = stripped(&before);
            for object in [&mut now, &mut then] {
                for field in ["resourceVersion", "generation"] {
                    object["metadata"][field] = Value::Null;
                }
                object["status"] = Value::Null;
            }
            // An empty map and none mean the same.
            assert_eq!(now.pointer(pointer), then.pointer(pointer), "{resource} {name}, applied: {applied}");
            let done = outcome
                .units
                .iter()
                .flat_map(|unit| &unit.done)
                .any(|(_, done)| matches!(done, Done::Stripped | Done::Configured | Done::Revoked));
            assert!(done, "{outcome:?}");
            site.idle(&source).await;
        }
    }
}

fn set(object: &mut Value, pointer: &str, value: &Value) {
    let mut at = object;
    for part in pointer.split('/').skip(1) {
        at = &mut at[part.replace("~1", "/")];
    }
    *at = value.clone();
}

/// Whoever scales through the subresource for that keeps what he set; whoever edits the object does not.
#[tokio::test(start_paused = true)]
async fn an_autoscaler_keeps_its_replicas() {
    let deployment = |image: &str| {
        let mut deployment = of_a("apps/v1", "Deployment", "web");
        deployment["spec"] = json!({"replicas": 2, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": image}]}}});
        Edited::with(&two(), vec![deployment])
    };
    for scaled in [true, false] {
        let site = Site::of(&[&two()]).await;
        site.clean(&deployment("one")).await;
        let get = || site.server.get("deployments.apps", "tenant-a-main", "web").expect("it is there");
        site.server.edit("autoscaler", "deployments.apps", "tenant-a-main", "web", |object| {
            object["spec"]["replicas"] = json!(5);
        });
        if scaled {
            // The API server writes down through which subresource it was.
            let mut object = (*get()).clone();
            for manager in object["metadata"]["managedFields"].as_array_mut().expect("managers") {
                if manager["manager"] == "autoscaler" {
                    manager["subresource"] = json!("scale");
                }
            }
            site.server.put_raw("deployments.apps", "tenant-a-main", "web", Some(object));
        }
        for image in ["one", "two"] {
            site.clean(&deployment(image)).await;
            assert_eq!(get()["spec"]["replicas"], if scaled { 5 } else { 2 }, "{image}");
            assert_eq!(get()["spec"]["template"]["spec"]["containers"][0]["image"], image);
            site.idle(&deployment(image)).await;
        }
    }
}
