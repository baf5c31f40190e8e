//! `mtp policy list`: the policies, and how they stand for a tenant.

use anyhow::Result;
use serde_json::{Value, json};

use super::namespaces;
use crate::cli::Exit;
use crate::commands::Shell;
use crate::contract::admission::Mode;
use crate::policy::restrictions::{Lists, RESTRICTIONS, Restriction};
use crate::policy::{POLICIES, Policy};

/// What the command calls itself in reports.
const COMMAND: &str = "policy list";

/// How policies stand in one namespace.
struct Standings {
    namespace: String,
    tier: String,
    /// In the order of [`POLICIES`]: the mode, and who answers for whoever is let off.
    each: Vec<(Mode, Option<String>)>,
    /// The lists that bound what is named, the tier's and the tenant's own.
    lists: [Lists; 2],
}

/// Runs the command.
pub fn run(tenant: Option<&str>, shell: &mut Shell<'_>) -> Result<Exit> {
    let Some(name) = tenant else {
        let line = |policy: &&Policy| {
            let off = if policy.unless_said == Mode::Off { " (off unless asked for)" } else { "" };
            format!("{:<22}{}{off}\n", policy.id, policy.title)
        };
        let bounded = |list: &&Restriction| format!("{:<28}{} (restrict.{})\n", list.id, list.title, list.field);
        let lists: String = RESTRICTIONS.iter().map(bounded).collect();
        let text = format!(
            "{}\nWhere `restrict` says what may be named:\n{lists}",
            POLICIES.iter().map(line).collect::<String>()
        );
        shell.answer_as(COMMAND, &text, &|| written(&[], None, true))?;
        return Ok(Exit::Clean);
    };
    let Some(platform) = namespaces::read(COMMAND, shell)? else { return Ok(Exit::Failed) };
    let found = platform.tenant(name)?;
    let all = platform.namespaces(found.namespaces.iter().map(|namespace| &*namespace.name));
    let all: Vec<Standings> = all
        .into_iter()
        .map(|(namespace, known)| {
            let each = POLICIES
                .iter()
                .enumerate()
                .map(|(index, policy)| (known.modes.get(index), known.exempt.get(policy.id).cloned()));
            let each = each.collect();
            Standings { namespace, tier: known.tier.to_string(), each, lists: [known.lists, known.own_lists] }
        })
        .collect();
    let has_engine = platform.has_engine();
    let mut text = String::new();
    for of in &all {
        text.push_str(&format!("{} (tier {}):\n", of.namespace, of.tier));
        for (policy, (mode, exempt)) in POLICIES.iter().zip(&of.each) {
            let exempt = exempt.as_ref().map(|why| format!("  let off by {}", crate::report::line(why)));
            text.push_str(&format!(
                "  {:<22}{:<7}{}{}\n",
                policy.id,
                word(*mode),
                policy.title,
                exempt.unwrap_or_default()
            ));
        }
        for (whose, lists) in ["tier", "tenant"].iter().zip(&of.lists) {
            for (id, allowed) in lists {
                let list = if allowed.list.is_empty() { "nothing".to_owned() } else { allowed.list.join(", ") };
                let list = crate::report::line(&list);
                text.push_str(&format!("  {id:<28}{:<7}by the {whose}: {list}\n", word(allowed.mode)));
            }
        }
    }
    if !has_engine {
        text.push_str("nobody carries them out: the Platform's `admission.engines` is empty\n");
    }
    shell.answer_as(COMMAND, &text, &|| written(&all, Some(name), has_engine))?;
    Ok(Exit::Clean)
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Off => "off",
        Mode::Audit => "audit",
        Mode::Warn => "warn",
        Mode::Deny => "deny",
    }
}

fn written(all: &[Standings], tenant: Option<&str>, has_engine: bool) -> String {
    let policies: Vec<Value> = POLICIES
        .iter()
        .map(|policy| json!({"id": policy.id, "title": policy.title, "default": word(policy.unless_said)}))
        .collect();
    let lists: Vec<Value> =
        RESTRICTIONS.iter().map(|l| json!({"id": l.id, "title": l.title, "field": l.field})).collect();
    let mut whole = json!({"formatVersion": 1, "command": COMMAND, "policies": policies, "lists": lists});
    if let Some(tenant) = tenant {
        whole["tenant"] = json!(tenant);
        whole["carriedOut"] = json!(has_engine);
        let namespaces = all.iter().map(|of| {
            let each = POLICIES.iter().zip(&of.each).map(|(policy, (mode, exempt))| {
                let mut value = json!({"id": policy.id, "mode": word(*mode)});
                if let Some(why) = exempt {
                    value["exempt"] = json!(why);
                }
                value
            });
            let [of_tier, own] = of.lists.each_ref().map(|lists| {
                let each = lists.iter().map(|(id, allowed)| json!({"id": id, "mode": word(allowed.mode), "list": allowed.list}));
                each.collect::<Vec<_>>()
            });
            json!({
                "name": of.namespace, "tier": of.tier, "policies": each.collect::<Vec<_>>(), "lists": of_tier, "ownLists": own,
            })
        });
        whole["namespaces"] = namespaces.collect();
    }
    crate::report::visible_json(&whole)
}
