//! What a pass tells the Tenants of a cluster.

use std::sync::Arc;

use futures::{StreamExt as _, stream};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::AT_WORK;
use super::look::Situation;
use crate::cluster::Settings;
use crate::cluster::ask::Ask;
use crate::cluster::gateway::Gateway;
use crate::rendered::ObjectId;
use crate::sync::outcome::UnitOutcome;
use crate::sync::{Unit, outcome, tenant_status};

/// Writes the status of each Tenant that does not say so already.
pub async fn report_to_tenants(
    gateway: &Gateway,
    settings: &Settings,
    situation: &Situation,
    commit: &str,
    done: &[UnitOutcome],
) {
    let now = (settings.clock)();
    let now = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    let none = Value::Null;
    let writes = done.iter().filter_map(|outcome| {
        let name = match &outcome.unit {
            Unit::Tenant(name) => Arc::clone(name),
            Unit::Platform => return None,
        };
        let (group, version) = (crate::contract::GROUP, crate::contract::API_VERSION);
        let id = ObjectId { group: group.into(), kind: "Tenant".into(), namespace: None, name };
        let live = situation.cluster.objects.get(&id);
        let created = outcome.done.iter().any(|(done, what)| *done == id && *what == outcome::Done::Created);
        let deleted = outcome.done.iter().any(|(done, what)| *done == id && *what == outcome::Done::Deleted);
        if deleted || live.is_none() && !created {
            return None;
        }
        let status = live.and_then(|live| live.status.as_ref()).unwrap_or(&none);
        let status = tenant_status::status(outcome, &settings.installation, commit, Ok(()), status, &now)?;
        let path = format!("/apis/{version}/tenants/{}/status", id.name);
        let object = json!({
            "apiVersion": version, "kind": "Tenant", "metadata": {"name": &*id.name}, "status": status,
        });
        Some((path, object))
    });
    let asks: Vec<Ask> = writes.map(|(path, object)| Ask::apply(&path, &object, true, false)).collect();
    // A status that could not be written is written by the next pass.
    stream::iter(&asks).for_each_concurrent(AT_WORK, async |ask| drop(gateway.write(ask).await)).await;
}
