//! Events about Tenants: what `kubectl describe tenant` shows of passes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use time::format_description::well_known::Rfc3339;

use crate::cluster::Settings;
use crate::cluster::ask::Ask;
use crate::cluster::gateway::Gateway;
use crate::contract::API_VERSION;
use crate::sync::Unit;
use crate::sync::answer::Meaning;
use crate::sync::outcome::{Outcome, State, UnitOutcome};

/// Events about what is in no namespace have to stand in this one.
///
/// Source: <https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/>
const NAMESPACE: &str = "default";

/// The longest note of an Event.
const LONGEST: usize = 1000;

/// Remembers how each tenant was, since only a change is an event.
#[derive(Default)]
pub struct Reporter(BTreeMap<Arc<str>, (State, String)>);

impl Reporter {
    /// Writes an Event for each tenant that is not as it was. One that cannot be written is not missed by anybody.
    pub async fn report(&mut self, gateway: &Gateway, settings: &Settings, outcome: &Outcome) {
        for unit in &outcome.units {
            let Unit::Tenant(name) = &unit.unit else { continue };
            let (reason, note) = said(unit, &outcome.commit);
            let now = (unit.state, if unit.state == State::Applied { String::new() } else { note.clone() });
            let before = self.0.insert(Arc::clone(name), now.clone());
            let changed = before.as_ref().is_none_or(|before| *before != now) || !unit.done.is_empty();
            // That a tenant is well, and was when this process began, is no event.
            let quiet = before.is_none() && unit.state == State::Applied && unit.done.is_empty();
            if changed && !quiet {
                write(gateway, settings, name, unit.state, reason, &note).await;
            }
        }
    }
}

fn said(unit: &UnitOutcome, commit: &str) -> (&'static str, String) {
    let problems = || {
        let all = unit.problems.iter().map(|problem| match &problem.id {
            Some(id) => format!("{id}: {}", problem.message),
            None => problem.message.clone(),
        });
        all.collect::<Vec<_>>().join("; ").chars().take(LONGEST).collect::<String>()
    };
    match unit.state {
        State::Applied => ("Applied", format!("{} objects changed; as in {commit}", unit.done.len())),
        State::Paused => ("Paused", "only what takes rights away is done".to_owned()),
        State::Held => ("Held", problems()),
        State::Degraded => ("Failed", problems()),
    }
}

async fn write(gateway: &Gateway, settings: &Settings, tenant: &str, state: State, reason: &str, note: &str) {
    let answer = gateway.read(&Ask::get(&format!("/apis/{API_VERSION}/tenants/{tenant}"))).await;
    if answer.meaning() != Meaning::Done {
        return;
    }
    let now = (settings.clock)();
    let second = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    let event = json!({
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"generateName": format!("{tenant}-"), "namespace": NAMESPACE},
        "eventTime": format!("{}.{:06}Z", second.trim_end_matches('Z'), now.microsecond()),
        "reportingController": "k8s-mtp.io/sync",
        "reportingInstance": settings.identity,
        "action": "Sync",
        "reason": reason,
        "note": note,
        "type": if state == State::Applied { "Normal" } else { "Warning" },
        "regarding": {
            "apiVersion": API_VERSION, "kind": "Tenant", "name": tenant, "uid": answer.body["metadata"]["uid"],
        },
    });
    let collection = format!("/apis/events.k8s.io/v1/namespaces/{NAMESPACE}/events");
    let _ = gateway.write(&Ask::create(&collection, &event, false)).await;
}
