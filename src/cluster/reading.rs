//! What the cluster has: its kinds, our inventory, and the objects that matter to either.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use futures::future::join_all;
use serde_json::Value;

use super::ask::{Ask, METADATA};
use super::gateway::Gateway;
use crate::objects::meta::{K8S_MTP, MANAGED_BY};
use crate::objects::{ANY, KINDS};
use crate::rendered::ObjectId;
use crate::report::line;
use crate::sync::actions::Cluster;
use crate::sync::answer::Meaning;
use crate::sync::discovery::{Found, Kinds, Resource, group_versions};
use crate::sync::grants;
use crate::sync::inventory::{self, Entry, Inventory, Unusable};
use crate::sync::live::Live;
use crate::sync::want::Wanted;

/// How many objects a page holds.
const PAGE: usize = 500;

/// How many ConfigMaps of the inventory a page holds; most are small.
const INVENTORY_PAGE: usize = 1000;

/// Group and kind.
type GroupKind = (String, String);

/// How a kind is read: in which version, and the namespaces in which it matters; `None` for what is cluster-scoped.
type Reach = (Arc<str>, BTreeSet<Option<Arc<str>>>);

/// Objects of a kind, each with the version that it is wanted in.
type Sought = Vec<(ObjectId, Arc<str>)>;

/// From how many missing objects of a cluster-scoped kind on all of it is listed, instead of asking for each.
const MANY: usize = 8;

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

/// Asks which kinds there are.
pub async fn kinds(gateway: &Gateway) -> Result<Kinds> {
    let mut kinds = Kinds::default();
    let roots = ["/api", "/apis"].map(|root| Ask::get(root).accepting(AGGREGATED));
    let answers = join_all(roots.iter().map(|ask| gateway.read(ask))).await;
    if let Some(failed) = answers.iter().find(|answer| answer.meaning() != Meaning::Done) {
        return Err(refusal("ask the API server for its kinds", failed));
    }
    if answers.iter().all(|answer| answer.body["kind"] == "APIGroupDiscoveryList") {
        answers.iter().for_each(|answer| kinds.aggregated(&answer.body));
        return Ok(kinds);
    }
    let mut versions = vec![(String::new(), "v1".to_owned())];
    versions.extend(group_versions(&answers[1].body));
    for (group, version) in versions {
        let root = if group.is_empty() { "/api" } else { "/apis" };
        let answer = gateway.read(&Ask::get(&format!("{root}/{version}"))).await;
        match answer.meaning() {
            Meaning::Done => kinds.resources(&group, &answer.body),
            _ => kinds.silent.push(group),
        }
    }
    Ok(kinds)
}

fn refusal(what: &str, answer: &crate::sync::answer::Answer) -> anyhow::Error {
    let why = match answer.meaning() {
        Meaning::Unauthorized => "the API server does not know who this is (401)".to_owned(),
        Meaning::Unknown(why) => why,
        Meaning::Forbidden(why) => format!("a right is missing: {why}"),
        _ => answer.message(),
    };
    anyhow!("cannot {what}: {}", line(&why))
}

/// Reads a list, page by page, and says its version; hands each item to `each`. If the list expires half-way it is begun anew, after
/// `anew` was told so.
pub async fn list(
    gateway: &Gateway,
    collection: &str,
    selector: &str,
    accept: Option<&'static str>,
    page: usize,
    each: &mut dyn FnMut(Option<&Value>),
) -> Result<String, String> {
    let mut after: Option<String> = None;
    let mut again = 0;
    loop {
        let ask = Ask::list(collection, selector, page, after.as_deref());
        let ask = if let Some(accept) = accept { ask.accepting(accept) } else { ask };
        let answer = gateway.read(&ask).await;
        match answer.meaning() {
            Meaning::Done => {}
            Meaning::Expired if again < 3 => {
                again += 1;
                after = None;
                each(None);
                continue;
            }
            Meaning::Forbidden(why) => return Err(format!("a right is missing: {why}")),
            _ => return Err(answer.message_or_loss()),
        }
        match &answer.body["items"] {
            Value::Array(items) => items.iter().for_each(|item| each(Some(item))),
            // A list of metadata of which there is none has `items: null` (seen with 1.34 to 1.37).
            Value::Null if answer.body["kind"].as_str().is_some_and(|kind| kind.ends_with("List")) => {}
            _ => return Err(format!("GET {collection} did not answer with a list")),
        }
        match answer.body["metadata"]["continue"].as_str().filter(|token| !token.is_empty()) {
            Some(token) => after = Some(token.to_owned()),
            None => return Ok(answer.body["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned()),
        }
    }
}

/// Reads the inventory.
pub async fn inventory(gateway: &Gateway, namespace: &str, installation: &str) -> Result<Inventory> {
    let collection = format!("/api/v1/namespaces/{namespace}/configmaps");
    let mut maps: Vec<Value> = Vec::new();
    let mut keep = |item: Option<&Value>| match item {
        Some(item) => maps.push(item.clone()),
        None => maps.clear(),
    };
    let read = list(gateway, &collection, inventory::LABEL, None, INVENTORY_PAGE, &mut keep).await;
    read.map_err(|why| anyhow!("cannot read the inventory in Namespace `{namespace}`: {why}"))?;
    match inventory::read(installation, &maps) {
        Ok(inventory) => Ok(inventory),
        Err(Unusable::Other(other)) => bail!(
            "Namespace `{namespace}` holds the inventory of installation `{other}`, expected `{installation}`: two installations need two namespaces, and no object in common"
        ),
        Err(Unusable::Unreadable(why)) => bail!(
            "the inventory cannot be read: {why}; once that ConfigMap is deleted, the next pass makes it anew from the labels of what is there"
        ),
    }
}

/// What the cluster is asked about: what is wanted, and what the inventory holds.
pub struct Question<'q> {
    /// What git holds.
    pub wanted: &'q BTreeMap<&'q ObjectId, &'q Wanted>,
    /// What is ours.
    pub entries: &'q BTreeMap<&'q ObjectId, &'q Entry>,
    /// Whether the inventory is lost: then everything that says it is ours is of interest.
    pub rebuilding: bool,
}

/// A list that was read, and how far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Its path.
    pub collection: String,
    /// Of which group.
    pub group: String,
    /// Of which kind.
    pub kind: String,
    /// The version of the list.
    pub version: String,
}

/// Reads the objects that matter; and which lists that took.
pub async fn cluster(gateway: &Gateway, kinds: &Kinds, question: &Question<'_>) -> (Cluster, Vec<Watched>) {
    let mut cluster = Cluster::default();
    let mut read: BTreeMap<GroupKind, Reach> = BTreeMap::new();
    let wanted = question.wanted.values().map(|w| (&w.id, &w.api_version));
    let tracked = question.entries.iter().map(|(id, entry)| (*id, &entry.api_version));
    for (id, api_version) in wanted.chain(tracked) {
        let key = (id.group.to_string(), id.kind.to_string());
        let reach = read.entry(key).or_insert_with(|| (Arc::clone(api_version), BTreeSet::new()));
        reach.1.insert(id.namespace.clone());
    }
    let mut sources: Vec<(Resource, &str, &str, Option<Arc<str>>)> = Vec::new();
    for ((group, kind), (api_version, namespaces)) in &read {
        match kinds.find(group, kind, api_version, true) {
            Found::Here(resource) => {
                // Of what is only in one namespace, rights may be there alone.
                let secret = (group.as_str(), kind.as_str()) == ("", "Secret");
                let scopes: Vec<Option<Arc<str>>> = if namespaces.len() == 1 || secret && resource.namespaced {
                    namespaces.iter().cloned().collect()
                } else {
                    vec![None]
                };
                sources
                    .extend(scopes.into_iter().map(|scope| (resource.clone(), group.as_str(), kind.as_str(), scope)));
            }
            Found::Nowhere => {}
            Found::Silent => {
                let why = format!("group `{group}` does not answer");
                cluster.unread.insert((group.clone(), kind.clone()), why);
            }
        }
    }
    let selector = format!("{MANAGED_BY}={K8S_MTP}");
    let reads = sources.iter().map(|(resource, group, kind, scope)| {
        let selector = &selector;
        async move {
            let (mut objects, mut strays): (Vec<(ObjectId, Live)>, Vec<ObjectId>) = Default::default();
            let mut keep = |item: Option<&Value>| match item {
                Some(item) => match remembered(group, kind, &resource.api_version, item, question) {
                    Some(kept) => objects.push(kept),
                    None => strays.extend(stray(group, kind, item, question)),
                },
                None => {
                    objects.clear();
                    strays.clear();
                }
            };
            let collection = resource.collection(scope.as_deref());
            let read = list(gateway, &collection, selector, None, PAGE, &mut keep).await;
            let (group, kind) = ((*group).to_owned(), (*kind).to_owned());
            let watched = |version| Watched { collection, group: group.clone(), kind: kind.clone(), version };
            read.map(|version| (watched(version), objects, strays)).map_err(|why| ((group, kind), why))
        }
    });
    let mut watched = Vec::new();
    for read in join_all(reads).await {
        match read {
            Ok((list, objects, strays)) => {
                cluster.objects.extend(objects);
                for id in strays {
                    let namespace = id.namespace.clone().unwrap_or_default();
                    cluster.strays.entry(namespace).or_default().push(id);
                }
                watched.push(list);
            }
            Err((kind, why)) => drop(cluster.unread.insert(kind, why)),
        }
    }
    if question.rebuilding {
        forgotten(gateway, kinds, question, &read, &mut cluster).await;
    }
    unlabelled(gateway, kinds, question, &mut cluster).await;
    (cluster, watched)
}

/// With the inventory lost, objects of kinds that git no longer holds any of: they may still be ours. What may not be read
/// is not looked for.
async fn forgotten(
    gateway: &Gateway,
    kinds: &Kinds,
    question: &Question<'_>,
    read: &BTreeMap<GroupKind, Reach>,
    cluster: &mut Cluster,
) {
    let selector = format!("{MANAGED_BY}={K8S_MTP}");
    let mut seen: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in KINDS.iter().filter(|row| row.group != ANY && row.kind != "Secret") {
        let known = read.contains_key(&(row.group.to_owned(), row.kind.to_owned()));
        let api_version =
            if row.group.is_empty() { row.version.to_owned() } else { format!("{}/{}", row.group, row.version) };
        if known || !seen.insert((row.group, row.kind)) {
            continue;
        }
        let Found::Here(resource) = kinds.find(row.group, row.kind, &api_version, true) else { continue };
        let mut objects: Vec<(ObjectId, Live)> = Vec::new();
        let mut keep = |item: Option<&Value>| match item {
            Some(item) => objects.extend(remembered(row.group, row.kind, &resource.api_version, item, question)),
            None => objects.clear(),
        };
        if list(gateway, &resource.collection(None), &selector, None, PAGE, &mut keep).await.is_ok() {
            cluster.objects.extend(objects);
        }
    }
}

/// What is kept of an item of a list: little, and of what is as it should be even less.
fn remembered(
    group: &str,
    kind: &str,
    api_version: &str,
    item: &Value,
    question: &Question<'_>,
) -> Option<(ObjectId, Live)> {
    let id = id(group, kind, item)?;
    let (wanted, entry) = (question.wanted.get(&id), question.entries.get(&id));
    if wanted.is_none() && entry.is_none() && !question.rebuilding {
        return None;
    }
    let mut live = Live::of(&id, item);
    // Items of a list do not repeat what the list is of.
    api_version.clone_into(&mut live.api_version);
    if wanted.zip(entry).is_some_and(|(wanted, entry)| entry.stands(wanted.digest, &live)) {
        live.grants = None;
    }
    Some((id, live))
}

/// What is not remembered of an item of a list of what says that it is rendered, and grants or opens something all the same.
fn stray(group: &str, kind: &str, item: &Value, question: &Question<'_>) -> Option<ObjectId> {
    let id = id(group, kind, item).filter(grants::opens)?;
    question.wanted.contains_key(&namespace_of(&id)?).then_some(id)
}

fn id(group: &str, kind: &str, item: &Value) -> Option<ObjectId> {
    Some(ObjectId {
        group: group.to_owned().into(),
        kind: kind.to_owned().into(),
        namespace: item["metadata"]["namespace"].as_str().map(Arc::from),
        name: item["metadata"]["name"].as_str()?.into(),
    })
}

/// The Namespace that an object stands in.
fn namespace_of(id: &ObjectId) -> Option<ObjectId> {
    let name = Arc::clone(id.namespace.as_ref()?);
    Some(ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name })
}

/// Looks for objects without our label: existing ones that nobody gave us, and ours that somebody took it from.
async fn unlabelled(gateway: &Gateway, kinds: &Kinds, question: &Question<'_>, cluster: &mut Cluster) {
    // Namespaces first: in one that is not there, nothing is.
    for namespaces in [true, false] {
        let mut missing: BTreeMap<GroupKind, Sought> = BTreeMap::new();
        let wanted = question.wanted.values().map(|w| (&w.id, &w.api_version));
        let tracked = question.entries.iter().map(|(id, entry)| (*id, &entry.api_version));
        let all: BTreeMap<&ObjectId, &Arc<str>> = wanted.chain(tracked).collect();
        for (id, api_version) in all {
            let known_namespace = |n: ObjectId| {
                let ours = question.wanted.contains_key(&n) || question.entries.contains_key(&n);
                !ours || cluster.objects.contains_key(&n)
            };
            let unread = cluster.unread.contains_key(&(id.group.to_string(), id.kind.to_string()));
            if id.is_namespace() == namespaces
                && !cluster.objects.contains_key(id)
                && !unread
                && namespace_of(id).is_none_or(known_namespace)
            {
                let key = (id.group.to_string(), id.kind.to_string());
                missing.entry(key).or_default().push((id.clone(), Arc::clone(api_version)));
            }
        }
        for ((group, kind), mut ids) in missing {
            let Found::Here(resource) = kinds.find(&group, &kind, &ids[0].1, true) else { continue };
            if ids.len() > MANY && !resource.namespaced {
                match names(gateway, resource).await {
                    Ok(there) => ids.retain(|(id, _)| there.contains(&*id.name)),
                    Err(why) => {
                        cluster.unread.insert((group.clone(), kind.clone()), why);
                        continue;
                    }
                }
            }
            let asks: Vec<Ask> = ids.iter().map(|(id, _)| Ask::get(&resource.object(id))).collect();
            let answers = join_all(asks.iter().map(|ask| gateway.read(ask))).await;
            for ((id, _), answer) in ids.into_iter().zip(answers) {
                match answer.meaning() {
                    Meaning::Done => {
                        let live = Live::of(&id, &answer.body);
                        cluster.objects.insert(id, live);
                    }
                    Meaning::Missing(_) => {}
                    _ => {
                        let why = answer.message_or_loss();
                        cluster.unread.insert((group.clone(), kind.clone()), why);
                    }
                }
            }
        }
    }
}

/// The names of all objects of a kind.
async fn names(gateway: &Gateway, resource: &Resource) -> Result<BTreeSet<String>, String> {
    let mut names = BTreeSet::new();
    let mut keep = |item: Option<&Value>| match item.map(|item| item["metadata"]["name"].as_str()) {
        Some(Some(name)) => drop(names.insert(name.to_owned())),
        Some(None) => {}
        None => names.clear(),
    };
    list(gateway, &resource.collection(None), "", Some(METADATA), PAGE, &mut keep).await?;
    Ok(names)
}
