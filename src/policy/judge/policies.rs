//! The platform's policies, by the modes of the namespace and less what is exempt; and the labels that say whose a pod is.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;
use super::{Check::Layer as ByLayer, Layer, Objection, Rule, Whom, managed, own, running};
use crate::contract::admission::Mode;
use crate::objects::meta::TENANT;
use crate::policy::json::Json;
use crate::policy::pod::List;
use crate::policy::restrictions::{About, Allowed, PINNERS, RESTRICTIONS, Restriction, spec_of_secret};
use crate::policy::review::{self, Breach};
use crate::policy::standing::{Standing, told};

/// The rows; the policies themselves are rows of [`crate::policy::POLICIES`].
pub const RULES: &[Rule] = &[Rule {
    id: "A401",
    title: "a pod that says it is another tenant's",
    why: "NetworkPolicies go by the label: a pod with another tenant's name would be let in where that tenant is.",
    fix: "Take the label out: the webhook puts it there.",
    check: ByLayer,
    refused: &[],
}];

/// What the policies have against an object.
pub fn ask(case: &Case<'_>) -> Vec<Objection> {
    let mut all = named(case);
    all.extend(managed::ask(case));
    all.extend(own::ask(case));
    let Some(pod) = &case.pod else { return all };
    let base = pod.at("spec");
    let spec = Json::from(&pod.value["spec"]);
    // What cannot be judged is what validation refuses.
    let breaches = review::spec(&spec).unwrap_or_default();
    let mut broken = objections(&breaches, &case.standing, &spec);
    for objection in &mut broken {
        objection.whom = pod.whom;
        objection.path = format!("{base}.{}", objection.path);
    }
    all.splice(0..0, broken);
    if let Some(tenant) = case.around.and_then(|around| around.tenant.as_deref())
        && let Some(said) = pod.value["metadata"]["labels"][TENANT].as_str().filter(|said| *said != tenant)
    {
        all.push(Objection {
            layer: Layer::Policies,
            rule: "A401",
            refuses: true,
            whom: pod.whom,
            path: format!("{}.labels[{TENANT}]", pod.at("metadata")),
            message: format!("label {TENANT} of a pod is that of its namespace, {tenant}; found {said}"),
            fix: RULES[0].fix.to_owned(),
        });
    }
    all
}

/// What an object names, or its pods, that no list lets.
fn named(case: &Case<'_>) -> Vec<Objection> {
    let mut all = Vec::new();
    for restriction in RESTRICTIONS {
        // `object` is what names something, `within` the part of it where that is looked for, `base` the place of that.
        let mut judge = |object: &Value, within: &Value, base: &str, whom: Whom| {
            all.extend(not_let(restriction, &case.standing, object, &Value::Null).map(|(item, refuses)| Objection {
                layer: Layer::Policies,
                rule: restriction.id,
                refuses,
                whom,
                path: place(within, &item, base).unwrap_or_else(|| base.to_owned()),
                message: restriction.message(&item),
                fix: restriction.fix.to_owned(),
            }));
        };
        let is_asked = restriction.is_about(case.group(), case.kind);
        match &case.pod {
            Some(pod) if restriction.is_of_pods() => {
                let whom = if is_asked { Whom::Object } else { pod.whom };
                judge(&pod.value["spec"], &pod.value["spec"], &pod.at("spec"), whom);
            }
            _ if is_asked && restriction.about == About::Tokens => {
                judge(&spec_of_secret(case.value), &Value::Null, "type", Whom::Object);
            }
            _ if is_asked => judge(case.value, &case.value["spec"], "spec", Whom::Object),
            _ if restriction.about == About::Claims && case.pod.as_ref().is_some_and(|pod| pod.whom == Whom::Pods) => {
                for (path, claim) in case.claims() {
                    judge(claim, &claim["spec"], &format!("{path}.spec"), Whom::Claims);
                }
            }
            _ => {}
        }
    }
    all
}

/// The same of a request about a pod, as the API server sends it; paths are those within the pod's `spec`.
pub fn named_in_request(request: &Value, standing: &Standing<'_>) -> Vec<Objection> {
    let is_change = request["operation"] == "CREATE" || request["operation"] == "UPDATE";
    let is_whole = request["subResource"].as_str().is_none_or(|sub| sub.is_empty() || sub == "ephemeralcontainers");
    if !is_change || !is_whole {
        return Vec::new();
    }
    let mut spec = Cow::Borrowed(&request["object"]["spec"]);
    if is_pinned(request) {
        running::unpin(spec.to_mut());
    }
    let before = &request["oldObject"]["spec"];
    let rows = RESTRICTIONS.into_iter().filter(|restriction| restriction.is_of_pods());
    rows.flat_map(|restriction| {
        let spec = spec.as_ref();
        not_let(restriction, standing, spec, before).map(move |(item, refuses)| Objection {
            layer: Layer::Policies,
            rule: restriction.id,
            refuses,
            whom: Whom::Object,
            path: place(spec, &item, "").unwrap_or_default().trim_start_matches('.').to_owned(),
            message: restriction.message(&item),
            fix: restriction.fix.to_owned(),
        })
    })
    .collect()
}

/// Whether the controller of DaemonSets makes a pod: what it binds the pod to, nobody asked for.
fn is_pinned(request: &Value) -> bool {
    let is_controller = request["userInfo"]["username"].as_str().is_some_and(|user| PINNERS.contains(&user));
    is_controller && running::is_of_daemon_set(&request["object"])
}

/// What is named and not let, and was not named before; each with whether it is refused.
fn not_let(
    restriction: &'static Restriction,
    standing: &Standing<'_>,
    object: &Value,
    before: &Value,
) -> impl Iterator<Item = (String, bool)> {
    let both = [standing.lists, standing.own_lists].map(|lists| lists.get(restriction.id));
    let both: Vec<&Allowed> = both.into_iter().flatten().collect();
    // What naming something else leads to is one for both.
    let mode = both.first().map_or(Mode::Off, |allowed| allowed.mode);
    let is_let_off = mode < Mode::Warn || standing.exempt.contains_key(restriction.id);
    let mut items = Vec::new();
    if !is_let_off && !(restriction.is_filled_in)(object) {
        items = (restriction.items)(object);
        let old = if before.is_null() { Vec::new() } else { (restriction.items)(before) };
        items.retain(|item| !old.contains(item) && both.iter().any(|allowed| !restriction.lets(&allowed.list, item)));
    }
    items.into_iter().map(move |item| (item, mode == Mode::Deny))
}

/// Where an object says a text first, for whoever looks for it.
fn place(value: &Value, text: &str, path: &str) -> Option<String> {
    match value {
        Value::String(found) => (found == text).then(|| path.to_owned()),
        Value::Array(items) => {
            items.iter().enumerate().find_map(|(index, item)| place(item, text, &format!("{path}[{index}]")))
        }
        Value::Object(fields) => fields.iter().find_map(|(key, value)| place(value, text, &format!("{path}.{key}"))),
        _ => None,
    }
}

/// Breaches of a pod as objections; paths are those within its `spec`.
pub fn objections(breaches: &[Breach], standing: &Standing<'_>, spec: &Json<'_>) -> Vec<Objection> {
    let places = places(spec);
    let told = told(breaches, standing).into_iter().filter_map(|(breach, mode)| {
        let refuses = match mode {
            Mode::Deny => true,
            Mode::Warn => false,
            // Nobody is told, here as there.
            Mode::Audit | Mode::Off => return None,
        };
        let index = places.get(&(breach.list, breach.container.as_str())).copied().unwrap_or_default();
        Some(Objection {
            layer: Layer::Policies,
            rule: breach.policy.id,
            refuses,
            whom: Whom::Object,
            path: format!("{}[{index}].name", breach.list.field()),
            message: breach.message(),
            fix: breach.policy.fix.to_owned(),
        })
    });
    told.collect()
}

/// Where each container stands, by its list and name; of two of one name, the first.
fn places<'s>(spec: &'s Json<'_>) -> BTreeMap<(List, &'s str), usize> {
    let mut places = BTreeMap::new();
    for list in [List::Init, List::Main, List::Ephemeral] {
        for (index, container) in spec[list.field()].items().iter().enumerate() {
            places.entry((list, container["name"].as_str().unwrap_or_default())).or_insert(index);
        }
    }
    places
}
