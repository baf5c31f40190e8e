//! R503: the API server asks less, or goes on without an answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::compare::{Difference, differences, normal};
use crate::review::finding::{Findings, Severity};
use crate::review::manifest::{items, texts};
use crate::review::reach::selector::{Selector, representatives};
use crate::review::unit::Unit;
use crate::review::{Change, Pair};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "R503",
    name: "webhook-weakened",
    title: "admission weakened",
    class: Class::Admission,
    severity: Severity::Error,
    why: "What the API server does not ask about is admitted; with `failurePolicy: Ignore`, so is everything while nobody answers.",
    example: "`failurePolicy: Ignore`, a resource less in `rules`, a namespace less in `namespaceSelector`.",
    approvable: true,
    check: Check::Pair(check),
};

/// API group of everything that admits.
pub const GROUP: &str = "admissionregistration.k8s.io";

fn check(pair: &Pair, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if pair.id.group != GROUP || follows_from_plan(pair, change) {
        return;
    }
    let Some(after) = &pair.after else { return };
    let mutates = pair.id.kind.starts_with("Mutating");
    let Some(before) = &pair.before else {
        // What we render ourselves is known.
        if mutates && change.plans[1].is_none() {
            let message =
                format!("{} `{}` is new and may change whatever it is asked about", pair.id.kind, pair.id.name);
            let spec = after.value.get("webhooks").or(after.value.get("spec")).map(ToString::to_string);
            found.add(unit.tell_of(&RULE, message, pair, "", change).sides(Vec::new(), spec.into_iter().collect()));
        }
        return;
    };
    let mut weaker: BTreeSet<String> = BTreeSet::new();
    let (was, is) = (&before.value, &after.value);
    match &*pair.id.kind {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => webhooks(was, is, &mut weaker),
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => policy(&was["spec"], &is["spec"], &mut weaker),
        _ => binding(&was["spec"], &is["spec"], &mut weaker),
    }
    if has_anchor(was) && !has_anchor(is) {
        weaker.insert("any authority that the API server knows is trusted, instead of one".to_owned());
    }
    // Whatever else differs may weaken it too, and nobody has said how.
    let [was, is] = [was, is].map(|value| normal(&pair.id.kind, rest(value.clone())));
    let others = differences(&pair.id.kind, &was, &is);
    weaker.extend(others.iter().map(|d| format!("{} is another one", d.path)));
    // All that differs is said with each, so that an approval is for that and for nothing else.
    let [was, is] = [before, after].map(|manifest| normal(&pair.id.kind, without_bundles(manifest.value.clone())));
    let all = differences(&pair.id.kind, &was, &is);
    let side = |pick: fn(&Difference) -> &Option<String>| -> Vec<String> {
        all.iter().filter_map(|d| Some(format!("{}: {}", d.path, pick(d).as_ref()?))).collect()
    };
    let (old, new) = (side(|d| &d.before), side(|d| &d.after));
    for message in weaker {
        let message = format!("{} `{}`: {message}", pair.id.kind, pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "/webhooks", change).sides(old.clone(), new.clone()));
    }
}

/// Whether it is a policy that we render of what is stated by mode, list and exemption: both sides were rendered by this version,
/// and what became weaker is told in the words of `tenants/`, by R501, R502 and R507.
fn follows_from_plan(pair: &Pair, change: &Change<'_>) -> bool {
    const OURS: [&str; 3] = ["k8s-mtp-pods-", "k8s-mtp-workloads", "k8s-mtp-named-"];
    change.plans.iter().all(Option::is_some)
        && &*pair.id.kind == "ValidatingAdmissionPolicy"
        && OURS.iter().any(|name| pair.id.name.starts_with(name))
}

/// Whether a certificate has to be signed by somebody in particular.
fn has_anchor(value: &Value) -> bool {
    let injected = value.pointer("/metadata/annotations").and_then(|all| all.get("cert-manager.io/inject-ca-from"));
    injected.is_some() || items(value, "webhooks").any(|webhook| webhook.pointer("/clientConfig/caBundle").is_some())
}

/// What the checks below look at; of it, they know what is more and what is less.
const KNOWN: [&str; 9] = [
    "metadata",
    "failurePolicy",
    "rules",
    "resourceRules",
    "namespaceSelector",
    "objectSelector",
    "matchConditions",
    "validations",
    "validationActions",
];

/// The object without what the checks know, and without certificates, which are another rule's.
fn rest(value: Value) -> Value {
    strip(value, &|name| KNOWN.contains(&name) || name == "caBundle")
}

fn without_bundles(value: Value) -> Value {
    strip(value, &|name| name == "caBundle" || name == "metadata")
}

fn strip(value: Value, drops: &dyn Fn(&str) -> bool) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.into_iter().filter(|(name, _)| !drops(name));
            Value::Object(kept.map(|(name, value)| (name, strip(value, drops))).collect())
        }
        Value::Array(items) => items.into_iter().map(|item| strip(item, drops)).collect(),
        scalar => scalar,
    }
}

fn webhooks(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let by_name = |value: &'_ Value| -> BTreeMap<String, Value> {
        items(value, "webhooks")
            .map(|w| (w.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(), w.clone()))
            .collect()
    };
    let after = by_name(is);
    for (name, was) in by_name(was) {
        let Some(is) = after.get(&name) else {
            weaker.insert(format!("webhook `{name}` is gone"));
            continue;
        };
        fails_open(&was, is, weaker);
        asks_less(was.get("rules"), is.get("rules"), weaker);
        selects_less(&was, is, weaker);
        conditions(&was, is, weaker);
    }
}

fn policy(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    fails_open(was, is, weaker);
    let constraints = |value: &Value| value.get("matchConstraints").cloned().unwrap_or_default();
    let (old, new) = (constraints(was), constraints(is));
    asks_less(old.get("resourceRules"), new.get("resourceRules"), weaker);
    selects_less(&old, &new, weaker);
    conditions(was, is, weaker);
    let expressions = |value: &Value, field: &str| -> BTreeSet<String> {
        items(value, field).map(|item| item.get("expression").unwrap_or(item).to_string()).collect()
    };
    for (field, what) in [("validations", "validation"), ("mutations", "mutation")] {
        let (old, new) = (expressions(was, field), expressions(is, field));
        if !old.is_subset(&new) {
            weaker.insert(format!("a {what} is gone or another one"));
        }
    }
}

fn binding(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let actions = |value: &Value| -> BTreeSet<String> { texts(value, "validationActions").into_iter().collect() };
    for lost in actions(was).difference(&actions(is)) {
        weaker.insert(format!("action {lost} is gone"));
    }
    let resources = |value: &Value| value.get("matchResources").cloned().unwrap_or_default();
    let (old, new) = (resources(was), resources(is));
    selects_less(&old, &new, weaker);
    if old.get("resourceRules") != new.get("resourceRules") && new.get("resourceRules").is_some() {
        asks_less(old.get("resourceRules"), new.get("resourceRules"), weaker);
        if old.get("resourceRules").is_none() {
            weaker.insert("it is bound for some resources only".to_owned());
        }
    }
}

/// `Fail` is what the API server takes where nothing is said.
fn fails_open(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let ignores = |value: &Value| value.get("failurePolicy").and_then(Value::as_str) == Some("Ignore");
    if !ignores(was) && ignores(is) {
        weaker.insert("failurePolicy is Ignore instead of Fail".to_owned());
    }
}

/// A condition more, or another one, may take anything out.
fn conditions(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let all = |value: &Value| -> BTreeSet<String> {
        items(value, "matchConditions")
            .filter_map(|c| c.get("expression").and_then(Value::as_str))
            .map(str::to_owned)
            .collect()
    };
    if !all(is).is_subset(&all(was)) {
        weaker.insert("it is asked on further conditions only".to_owned());
    }
}

/// Namespaces and objects that were selected and are not any more.
fn selects_less(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    for (field, what) in [("namespaceSelector", "namespaces"), ("objectSelector", "objects")] {
        let read = |value: &Value| match value.get(field).filter(|v| !v.is_null()) {
            Some(selector) => Selector::read(selector),
            None => Some(Selector::default()),
        };
        let (Some(old), Some(new)) = (read(was), read(is)) else {
            weaker.insert(format!("{field} cannot be read"));
            continue;
        };
        if old == new {
            continue;
        }
        let lost = representatives([&old, &new].into_iter())
            .is_none_or(|all| all.iter().any(|labels| old.selects(labels) && !new.selects(labels)));
        if lost {
            let text = |s: &Selector| if s.is_everything() { "all".to_owned() } else { s.text() };
            weaker.insert(format!("fewer {what} are looked at: {} instead of {}", text(&new), text(&old)));
        }
    }
}

/// One kind of request: operation, group, version, resource, scope.
type Request = [String; 5];

/// Requests that were asked about and are not any more.
fn asks_less(was: Option<&Value>, is: Option<&Value>, weaker: &mut BTreeSet<String>) {
    let new = requests(is);
    for lost in requests(was).iter().filter(|old| !new.iter().any(|new| covers(new, old))) {
        let [operation, group, version, resource, _] = lost;
        let group = if group.is_empty() { version.clone() } else { format!("{group}/{version}") };
        weaker.insert(format!("it is not asked any more on {operation} of {resource} in {group}"));
    }
}

fn requests(rules: Option<&Value>) -> Vec<Request> {
    let mut all = Vec::new();
    for rule in rules.and_then(Value::as_array).into_iter().flatten() {
        let list = |field: &str| texts(rule, field);
        let scope = rule.get("scope").and_then(Value::as_str).unwrap_or("*");
        for operation in list("operations") {
            for group in list("apiGroups") {
                for version in list("apiVersions") {
                    for resource in list("resources") {
                        let [operation, group, version] = [&operation, &group, &version].map(Clone::clone);
                        all.push([operation, group, version, resource, scope.to_owned()]);
                    }
                }
            }
        }
    }
    all
}

fn covers(own: &Request, other: &Request) -> bool {
    let word = |index: usize| own[index] == "*" || own[index] == other[index];
    word(0) && word(1) && word(2) && word(4) && covers_resource(&own[3], &other[3])
}

/// `*` is all resources, and no subresource of any.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#matching-requests-rules>
fn covers_resource(own: &str, other: &str) -> bool {
    if own == other || own == "*/*" {
        return true;
    }
    match (own.split_once('/'), other.split_once('/')) {
        (None, None) => own == "*",
        (Some((resource, "*")), Some((of, _))) => resource == of,
        (Some((resource, "*")), None) => resource == other,
        (Some(("*", below)), Some((_, of))) => below == of,
        _ => false,
    }
}
