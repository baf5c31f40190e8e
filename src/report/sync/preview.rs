//! What a pass would do, and how the cluster is: for `mtp sync --dry-run`, `mtp diff --against-cluster` and
//! `mtp sync --status`.

use serde_json::{Value, json};

use crate::cluster::preview::{Change, Preview, UnitPreview};
use crate::report::{count, line, visible_json};
use crate::sync::Unit;
use crate::sync::difference::Difference;

/// What would change, by object and field, for people.
pub fn text(preview: &Preview, quiet: bool) -> String {
    let mut text = String::new();
    let mut put = |words: &str| {
        text.push_str(&line(words));
        text.push('\n');
    };
    for unit in &preview.units {
        if unit.paused && !unit.changes.is_empty() {
            put(&format!("{}: paused: of the following only what takes rights away would be done", unit.unit));
        }
        for (id, change) in &unit.changes {
            let about = format!("{}: {id}", unit.unit);
            match change {
                Change::Create => put(&format!("{about}: would be created")),
                Change::Delete => put(&format!("{about}: would be deleted")),
                Change::Release => put(&format!("{about}: would be given back")),
                Change::Held(why) => put(&format!("{about}: held: {why}")),
                Change::Refused(why) => put(&format!("{about}: would be refused: {why}")),
                Change::Adopt(fields) => {
                    put(&format!("{about}: would be adopted"));
                    fields.iter().for_each(|field| put(&format!("  {}", of_field(field))));
                }
                Change::Configure(fields) => {
                    put(&format!("{about}: would be changed"));
                    fields.iter().for_each(|field| put(&format!("  {}", of_field(field))));
                }
            }
        }
        for (id, note) in unit.notes.iter().filter(|_| !quiet) {
            put(&format!("{}: {id}: {note}", unit.unit));
        }
    }
    if let Some(why) = &preview.refused {
        put(&format!("nothing would be deleted: {why}"));
    }
    if !quiet {
        let changes: usize = preview.units.iter().map(|unit| unit.changes.len()).sum();
        let unchanged: usize = preview.units.iter().map(|unit| unit.unchanged).sum();
        put(&format!("{}: {} differ, {unchanged} as they should be", preview.commit, count(changes, "object")));
    }
    text
}

fn of_field(field: &Difference) -> String {
    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    let who = match field.managers.as_slice() {
        [] => String::new(),
        managers => format!(" (set by {})", managers.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", ")),
    };
    if field.before.is_none() && field.after.is_none() {
        return format!("{}: changes, and is not shown{who}", field.field);
    }
    format!("{}: {} -> {}{who}", field.field, side(&field.before), side(&field.after))
}

/// How the cluster is, for people.
pub fn status(preview: &Preview) -> String {
    let mut text = String::new();
    let mut put = |words: &str| {
        text.push_str(&line(words));
        text.push('\n');
    };
    match &preview.applied {
        Some(applied) if *applied == preview.commit => put(&format!("commit {applied}, which is the one here")),
        Some(applied) => put(&format!("commit {applied}; the one here is {}", preview.commit)),
        None => put(&format!("nothing was applied yet; the commit here is {}", preview.commit)),
    }
    if let Some(holder) = &preview.holder {
        put(&format!("`{holder}` holds the Lease"));
    }
    if let Some(why) = &preview.refused {
        put(&format!("deletions are held back: {why}"));
    }
    for unit in &preview.units {
        put(&format!("{}: {}", unit.unit, summary(unit)));
        for [kind, status, _, message] in unit.conditions.iter().filter(|c| c[1] != "True") {
            put(&format!("  {kind} is {status}: {message}"));
        }
        for (id, change) in &unit.changes {
            match change {
                Change::Held(why) | Change::Refused(why) => put(&format!("  {id}: held: {why}")),
                Change::Create => put(&format!("  {id}: missing")),
                Change::Delete | Change::Release => put(&format!("  {id}: no longer in git")),
                Change::Adopt(_) | Change::Configure(_) => put(&format!("  {id}: differs")),
            }
        }
        for (id, note) in &unit.notes {
            put(&format!("  {id}: {note}"));
        }
    }
    text
}

fn summary(unit: &UnitPreview) -> String {
    let held = unit.changes.iter().filter(|(_, change)| is_held(change)).count();
    let differ = unit.changes.len() - held;
    let mut parts = vec![format!("{} as they should be", count(unit.unchanged, "object"))];
    if differ > 0 {
        parts.push(format!("{differ} to do"));
    }
    if held > 0 {
        parts.push(format!("{held} held"));
    }
    if unit.paused {
        parts.push("paused".to_owned());
    }
    parts.join(", ")
}

/// Whether somebody has to see to it.
pub fn is_held(change: &Change) -> bool {
    matches!(change, Change::Held(_) | Change::Refused(_))
}

/// For programs. `formatVersion` grows when a field changes its meaning or goes; new fields may come.
pub fn json(command: &str, preview: &Preview) -> String {
    let units: Vec<Value> = preview.units.iter().map(unit).collect();
    visible_json(&json!({
        "formatVersion": 1,
        "command": command,
        "commit": preview.commit,
        "appliedCommit": preview.applied,
        "leaseHolder": preview.holder,
        "deletionsRefused": preview.refused,
        "units": units,
    }))
}

fn unit(unit: &UnitPreview) -> Value {
    let (scope, tenant) = match &unit.unit {
        Unit::Platform => ("platform", None),
        Unit::Tenant(name) => ("tenant", Some(name.to_string())),
    };
    let changes = unit.changes.iter().map(|(id, change)| {
        let (what, why, fields): (&str, Option<&String>, &[Difference]) = match change {
            Change::Create => ("create", None, &[]),
            Change::Adopt(fields) => ("adopt", None, fields),
            Change::Configure(fields) => ("configure", None, fields),
            Change::Delete => ("delete", None, &[]),
            Change::Release => ("release", None, &[]),
            Change::Held(why) => ("held", Some(why), &[]),
            Change::Refused(why) => ("refused", Some(why), &[]),
        };
        let fields: Vec<Value> = fields
            .iter()
            .map(|f| json!({"field": f.field, "before": f.before, "after": f.after, "managers": f.managers}))
            .collect();
        json!({"object": id.to_string(), "change": what, "message": why, "fields": fields})
    });
    let notes = unit.notes.iter().map(|(id, note)| json!({"object": id.to_string(), "message": note}));
    let conditions = unit.conditions.iter().map(
        |[kind, status, reason, message]| json!({"type": kind, "status": status, "reason": reason, "message": message}),
    );
    json!({
        "scope": scope,
        "tenant": tenant,
        "paused": unit.paused,
        "unchanged": unit.unchanged,
        "changes": changes.collect::<Vec<_>>(),
        "notes": notes.collect::<Vec<_>>(),
        "conditions": conditions.collect::<Vec<_>>(),
    })
}
