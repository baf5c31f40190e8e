//! What came of a pass of `mtp sync`: for people one line a problem and a summary, for programs all of it.

pub mod preview;

use serde_json::{Value, json};

use super::{count, line};
use crate::sync::Unit;
use crate::sync::outcome::{Outcome, State, UnitOutcome};

/// For people. Told to be quiet, problems alone.
pub fn text(outcome: &Outcome, quiet: bool) -> String {
    let mut text = String::new();
    let mut put = |words: &str| {
        text.push_str(&line(words));
        text.push('\n');
    };
    for unit in &outcome.units {
        for (id, conflict) in unit.taken.iter().filter(|_| !quiet) {
            put(&format!("{}: {id}: took {} back from `{}`", unit.unit, conflict.field, conflict.manager));
        }
        for (id, note) in unit.notes.iter().filter(|_| !quiet) {
            put(&format!("{}: {id}: {note}", unit.unit));
        }
        for problem in &unit.problems {
            let about = problem.id.as_ref().map(|id| format!("{id}: ")).unwrap_or_default();
            put(&format!("{}: {}: {about}{}", unit.unit, unit.state.as_str(), problem.message));
        }
        if unit.state == State::Paused {
            put(&format!("{}: paused: only what takes rights away is done", unit.unit));
        }
    }
    if let Some(why) = &outcome.refused {
        put(&format!("nothing was deleted: {why}"));
    }
    if outcome.superseded {
        put("stopped half-way: there is something newer to apply");
    }
    if !quiet {
        put(&summary(outcome));
    }
    text
}

fn summary(outcome: &Outcome) -> String {
    let unchanged: usize = outcome.units.iter().map(|unit| unit.unchanged).sum();
    let mut parts: Vec<String> =
        outcome.counts().into_iter().map(|(done, many)| format!("{many} {}", done.as_str())).collect();
    parts.push(format!("{unchanged} unchanged"));
    let tenants = || outcome.units.iter().filter(|unit| unit.unit != Unit::Platform);
    let mut states: Vec<String> = Vec::new();
    for state in [State::Applied, State::Paused, State::Held, State::Degraded] {
        let many = tenants().filter(|unit| unit.state == state).count();
        if many > 0 {
            states.push(format!("{many} {}", state.as_str()));
        }
    }
    let tenants = if states.is_empty() {
        String::new()
    } else {
        format!("; {}: {}", count(tenants().count(), "tenant"), states.join(", "))
    };
    format!("{}: {}{tenants}", outcome.commit, parts.join(", "))
}

/// For programs. `formatVersion` grows when a field changes its meaning or goes; new fields may come.
pub fn json(outcome: &Outcome) -> String {
    let units: Vec<Value> = outcome.units.iter().map(unit).collect();
    let verdict = if outcome.is_clean() { "applied" } else { "findings" };
    super::visible_json(&json!({
        "formatVersion": 1,
        "command": "sync",
        "verdict": verdict,
        "commit": outcome.commit,
        "deletionsRefused": outcome.refused,
        "superseded": outcome.superseded,
        "units": units,
    }))
}

fn unit(unit: &UnitOutcome) -> Value {
    let (scope, tenant) = match &unit.unit {
        Unit::Platform => ("platform", None),
        Unit::Tenant(name) => ("tenant", Some(name.to_string())),
    };
    let done: Vec<Value> =
        unit.done.iter().map(|(id, done)| json!({"object": id.to_string(), "done": done.as_str()})).collect();
    let taken = unit
        .taken
        .iter()
        .map(|(id, conflict)| json!({"object": id.to_string(), "field": conflict.field, "manager": conflict.manager}));
    let problems = unit.problems.iter().map(|problem| {
        json!({
            "object": problem.id.as_ref().map(ToString::to_string),
            "message": problem.message,
            "failed": problem.failed,
            "passing": problem.passing,
        })
    });
    let notes = unit.notes.iter().map(|(id, note)| json!({"object": id.to_string(), "message": note}));
    json!({
        "scope": scope,
        "tenant": tenant,
        "state": unit.state.as_str(),
        "unchanged": unit.unchanged,
        "done": done,
        "takenBack": taken.collect::<Vec<_>>(),
        "problems": problems.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
    })
}
