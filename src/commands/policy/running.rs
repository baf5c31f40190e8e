//! `mtp policy review --cluster`: what would be refused of the pods that run, before it is; and what tenants wrote themselves that
//! their tenant files no longer let.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::namespaces::{self, Namespace};
use super::review::COMMAND;
use crate::cli::Exit;
use crate::cluster::gateway::Gateway;
use crate::cluster::running::{OWN, PODS, read};
use crate::commands::Shell;
use crate::commands::connection::{client, runtime, seed};
use crate::policy::judge::running::{Complaint, Origin, Running};
use crate::report::{count, line, visible_json};

/// Runs the command.
pub fn run(tenant: Option<&str>, context: Option<&str>, shell: &mut Shell<'_>) -> Result<Exit> {
    let Some(platform) = namespaces::read(COMMAND, shell)? else { return Ok(Exit::Failed) };
    let known: BTreeMap<String, Namespace> = match tenant {
        Some(tenant) => {
            let tenant = platform.tenant(tenant)?;
            platform.namespaces(tenant.namespaces.iter().map(|namespace| &*namespace.name))
        }
        None => platform.every_namespace(),
    };
    // One tenant's are listed one by one: whoever asks may have rights there alone.
    let asked: Vec<Option<&str>> =
        if tenant.is_some() { known.keys().map(|name| Some(name.as_str())).collect() } else { vec![None] };
    let mut all = Running::default();
    runtime()?.block_on(async {
        let gateway = Gateway::new(client(context).await?, seed()?);
        for namespace in asked {
            for collection in [PODS].into_iter().chain(OWN) {
                if collection.is_own && !platform.judges_own() {
                    continue;
                }
                let mut here = Running::default();
                let mut take = |object: Option<&Value>| match object {
                    Some(object) => {
                        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
                        let around = known.get(namespace).map(Namespace::surroundings);
                        if collection.is_own {
                            here.take_own(object, collection.api_version, collection.kind, around);
                        } else {
                            here.take(object, around);
                        }
                    }
                    None => here = Running::default(),
                };
                read(&gateway, collection, namespace, &mut take).await?;
                all.add(here);
            }
        }
        anyhow::Ok(())
    })?;
    let text = text(&all, &known, platform.has_engine(), shell.is_quiet());
    shell.answer_as(COMMAND, &text, &|| written(&all, &known, tenant, platform.has_engine()))?;
    Ok(if all.refused() + all.own.len() > 0 { Exit::Findings } else { Exit::Clean })
}

/// For people.
fn text(all: &Running, known: &BTreeMap<String, Namespace>, has_engine: bool, is_quiet: bool) -> String {
    let mut text = String::new();
    let mut put = |words: &str| {
        text.push_str(&line(words));
        text.push('\n');
    };
    for ((origin, complaints), pods) in &all.found {
        let tier = known.get(&origin.namespace).map_or("", |namespace| &namespace.tier);
        let how_many = count(pods.count, "pod");
        let such = if pods.count == 1 { "" } else { "such as " };
        put(&format!("{} (tier {tier}): {}: {how_many}, {such}{}", origin.namespace, origin.owner, pods.one));
        complaints.iter().for_each(|complaint| put(&told(complaint)));
    }
    for (origin, complaints) in &all.own {
        let tier = known.get(&origin.namespace).map_or("", |namespace| &namespace.tier);
        put(&format!("{} (tier {tier}): {}", origin.namespace, origin.owner));
        complaints.iter().for_each(|complaint| put(&told(complaint)));
    }
    for Origin { namespace, owner } in &all.left {
        let tier = known.get(namespace).map_or("", |namespace| &namespace.tier);
        put(&format!("{namespace} (tier {tier}): {owner}"));
        put(
            "  says that it is rendered, and is not: it goes where who applies `rendered/` prunes it, and else stays (A404)",
        );
    }
    if is_quiet {
        return text;
    }
    put(&format!(
        "{} of tenants: if they were made anew, {} would be refused and {} warned of",
        count(all.judged, "running pod"),
        all.refused(),
        all.warned()
    ));
    if all.own_judged > 0 {
        let of_own = count(all.own_judged, "object");
        let refused = all.own.len();
        let left = if refused > 0 { ", and stay until somebody deletes them" } else { "" };
        put(&format!("{of_own} of tenants' own, NetworkPolicies and RoleBindings: {refused} would be refused{left}"));
    }
    if all.ended > 0 {
        put(&format!("not looked at: {} that ended, or will in a moment", count(all.ended, "pod")));
    }
    if all.elsewhere > 0 {
        put(&format!("not looked at: {} in namespaces that are no tenant's in tenants/", count(all.elsewhere, "pod")));
    }
    if !has_engine {
        put("nobody carries the policies out: the Platform's `admission.engines` is empty");
    }
    text
}

fn told(Complaint { refuses, layer, rule, message }: &Complaint) -> String {
    let verb = if *refuses { "would refuse" } else { "would warn" };
    format!("  {} {verb}: {message} ({rule})", layer.name())
}

fn in_json(complaints: &[Complaint]) -> Value {
    let each = complaints.iter().map(|complaint| {
        json!({
            "layer": complaint.layer.id(), "rule": complaint.rule, "message": complaint.message,
            "verdict": if complaint.refuses { "refused" } else { "warned" },
        })
    });
    each.collect()
}

/// For programs.
fn written(all: &Running, known: &BTreeMap<String, Namespace>, tenant: Option<&str>, has_engine: bool) -> String {
    let found = all.found.iter().map(|((origin, complaints), pods)| {
        json!({
            "namespace": origin.namespace,
            "tier": known.get(&origin.namespace).map(|namespace| &*namespace.tier),
            "owner": origin.owner,
            "pods": pods.count,
            "example": pods.one,
            "complaints": in_json(complaints),
        })
    });
    let own = all.own.iter().map(|(origin, complaints)| {
        let (kind, name) = origin.owner.split_once(' ').unwrap_or_default();
        json!({
            "namespace": origin.namespace, "kind": kind, "name": name,
            "tier": known.get(&origin.namespace).map(|namespace| &*namespace.tier),
            "complaints": in_json(complaints),
        })
    });
    let left = all.left.iter().map(|Origin { namespace, owner }| {
        let (kind, name) = owner.split_once(' ').unwrap_or_default();
        json!({"namespace": namespace, "kind": kind, "name": name})
    });
    let mut whole = json!({
        "formatVersion": 1,
        "command": COMMAND,
        "running": {
            "judged": all.judged, "refused": all.refused(), "warned": all.warned(), "ended": all.ended,
            "elsewhere": all.elsewhere, "carriedOut": has_engine, "found": found.collect::<Vec<_>>(),
        },
        "own": {"judged": all.own_judged, "refused": all.own.len(), "found": own.collect::<Vec<_>>()},
        "left": left.collect::<Vec<_>>(),
    });
    if let Some(tenant) = tenant {
        whole["tenant"] = json!(tenant);
    }
    visible_json(&whole)
}
