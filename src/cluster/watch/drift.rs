//! Whether something of ours changed: watches of metadata, which hold no content.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use http::Request;
use http_body_util::BodyExt as _;
use kube::client::Body;
use serde_json::Value;
use tokio::time::{Duration, sleep};

use crate::cluster::gateway::Gateway;
use crate::cluster::reading::Watched;
use crate::sync::digest::{Digest, Digester};
use crate::sync::heat::Heat;

/// What is watched.
#[derive(Default)]
pub struct Drift {
    lists: Vec<Watched>,
    /// What was last seen of an object, without what controllers report of it.
    seen: BTreeMap<(usize, String, String), Digest>,
}

const METADATA: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

/// How long one watch lasts; then it is begun again where it ended.
const SECONDS: u32 = 240;

/// What ends a watch.
enum End {
    /// Something changed.
    Changed,
    /// It is to be begun again.
    Again,
}

impl Drift {
    /// Goes on from what was just read.
    pub fn follow(&mut self, lists: Vec<Watched>) {
        let same = lists.len() == self.lists.len()
            && lists.iter().zip(&self.lists).all(|(new, old)| new.collection == old.collection);
        if !same {
            self.seen.clear();
        }
        self.lists = lists;
    }

    /// Ends once something of ours changed that is not fought over.
    pub async fn changed(&mut self, gateway: &Gateway, heat: &Heat) {
        if self.lists.is_empty() {
            return std::future::pending().await;
        }
        loop {
            let Drift { lists, seen } = self;
            let seen = std::cell::RefCell::new(&mut *seen);
            let mut watches: FuturesUnordered<_> = lists
                .iter_mut()
                .enumerate()
                .map(|(index, list)| {
                    let seen = &seen;
                    async move {
                        loop {
                            match watch(gateway, index, list, seen, heat).await {
                                End::Changed => return,
                                End::Again => sleep(Duration::from_secs(1)).await,
                            }
                        }
                    }
                })
                .collect();
            if watches.next().await.is_some() {
                return;
            }
        }
    }
}

type Seen<'s> = std::cell::RefCell<&'s mut BTreeMap<(usize, String, String), Digest>>;

async fn watch(gateway: &Gateway, index: usize, list: &mut Watched, seen: &Seen<'_>, heat: &Heat) -> End {
    let selector = "labelSelector=app.kubernetes.io%2Fmanaged-by%3Dk8s-mtp";
    let uri = format!(
        "{}?watch=1&{selector}&allowWatchBookmarks=true&timeoutSeconds={SECONDS}&resourceVersion={}",
        list.collection, list.version
    );
    let request = Request::builder().uri(uri).header("accept", METADATA).body(Body::empty());
    let Ok(request) = request else { return End::Again };
    let Ok(response) = gateway.stream(request).await else { return End::Again };
    if response.status() == http::StatusCode::GONE {
        return End::Changed;
    }
    if !response.status().is_success() {
        return End::Again;
    }
    let mut body = response.into_body();
    let mut buffer: Vec<u8> = Vec::new();
    while let Some(Ok(frame)) = body.frame().await {
        let Some(data) = frame.data_ref() else { continue };
        buffer.extend_from_slice(data);
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            let Ok(event) = serde_json::from_slice::<Value>(&line) else { return End::Again };
            let metadata = &event["object"]["metadata"];
            if let Some(version) = metadata["resourceVersion"].as_str() {
                version.clone_into(&mut list.version);
            }
            match event["type"].as_str() {
                Some("BOOKMARK") => {}
                // It is too late to go on from there: a pass reads everything anew.
                Some("ERROR") => return End::Changed,
                _ if matters(index, list, &event, seen, heat) => return End::Changed,
                _ => {}
            }
        }
    }
    End::Again
}

/// Whether an event is about more than what controllers report, of an object that nobody fights over.
fn matters(index: usize, list: &Watched, event: &Value, seen: &Seen<'_>, heat: &Heat) -> bool {
    let metadata = &event["object"]["metadata"];
    let text = |field: &str| metadata[field].as_str().unwrap_or_default().to_owned();
    let (namespace, name) = (text("namespace"), text("name"));
    let digest = digest(metadata, event["type"] == "DELETED");
    let before = seen.borrow_mut().insert((index, namespace.clone(), name.clone()), digest);
    let namespace = Some(&*namespace).filter(|namespace| !namespace.is_empty());
    before != Some(digest) && !heat.is_hot(&list.group, &list.kind, namespace, &name)
}

fn digest(metadata: &Value, deleted: bool) -> Digest {
    let mut digester = Digester::default();
    for field in ["uid", "generation", "labels", "annotations", "deletionTimestamp", "finalizers"] {
        digester.value(&metadata[field]);
    }
    let managers = metadata["managedFields"].as_array().into_iter().flatten();
    managers.filter(|manager| manager["subresource"] != "status").for_each(|manager| digester.value(manager));
    digester.value(&Value::Bool(deleted));
    digester.finish()
}
