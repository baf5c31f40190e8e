//! Pods that a cluster has, read and nothing else.

use anyhow::{Result, anyhow};
use serde_json::Value;

use super::gateway::Gateway;
use super::reading::list;

/// How many pods a page holds.
const PAGE: usize = 500;

/// Reads the pods of a namespace, or of all, and hands each to `each`; `None` says that all of them come once more.
pub async fn pods(gateway: &Gateway, namespace: Option<&str>, each: &mut dyn FnMut(Option<&Value>)) -> Result<()> {
    let collection = match namespace {
        Some(namespace) => format!("/api/v1/namespaces/{namespace}/pods"),
        None => "/api/v1/pods".to_owned(),
    };
    let read = list(gateway, &collection, "", None, PAGE, each).await;
    let whose = namespace.map_or_else(String::new, |namespace| format!(" of Namespace `{namespace}`"));
    read.map(drop).map_err(|why| anyhow!("cannot list the pods{whose}: {why}"))
}
