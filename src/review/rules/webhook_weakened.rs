//! R503: the API server asks less, or goes on without an answer.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Rule};
use crate::contract::review::Class;
use crate::review::finding::{Findings, Severity};
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
    let (Some(before), Some(after)) = (&pair.before, &pair.after) else { return };
    if pair.id.group != GROUP {
        return;
    }
    let mut weaker: BTreeSet<String> = BTreeSet::new();
    let (was, is) = (&before.value, &after.value);
    match &*pair.id.kind {
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => webhooks(was, is, &mut weaker),
        "ValidatingAdmissionPolicy" | "MutatingAdmissionPolicy" => policy(&was["spec"], &is["spec"], &mut weaker),
        _ => binding(&was["spec"], &is["spec"], &mut weaker),
    }
    for message in weaker {
        let message = format!("{} `{}`: {message}", pair.id.kind, pair.id.name);
        found.add(unit.tell_of(&RULE, message, pair, "/webhooks", change));
    }
}

fn webhooks(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let by_name = |value: &'_ Value| -> BTreeMap<String, Value> {
        let all = value.get("webhooks").and_then(Value::as_array).into_iter().flatten();
        all.map(|w| (w.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(), w.clone())).collect()
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
        let whom = |webhook: &Value| {
            let config = webhook.get("clientConfig").cloned().unwrap_or_default();
            (config.get("url").cloned(), config.get("service").cloned())
        };
        if whom(&was) != whom(is) {
            weaker.insert(format!("webhook `{name}` is asked elsewhere"));
        }
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
        let all = value.get(field).and_then(Value::as_array).into_iter().flatten();
        all.map(|item| item.get("expression").unwrap_or(item).to_string()).collect()
    };
    for (field, what) in [("validations", "validation"), ("mutations", "mutation")] {
        let (old, new) = (expressions(was, field), expressions(is, field));
        if !old.is_subset(&new) {
            weaker.insert(format!("a {what} is gone or another one"));
        }
    }
    if expressions(was, "variables") != expressions(is, "variables") {
        weaker.insert("variables of the expressions are others".to_owned());
    }
}

fn binding(was: &Value, is: &Value, weaker: &mut BTreeSet<String>) {
    let actions = |value: &Value| -> BTreeSet<String> {
        let all = value.get("validationActions").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    for lost in actions(was).difference(&actions(is)) {
        weaker.insert(format!("action {lost} is gone"));
    }
    if was.get("policyName") != is.get("policyName") {
        weaker.insert("another policy is bound".to_owned());
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
        let all = value.get("matchConditions").and_then(Value::as_array).into_iter().flatten();
        all.filter_map(|c| c.get("expression").and_then(Value::as_str)).map(str::to_owned).collect()
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
        let list = |field: &str| -> Vec<String> {
            let items = rule.get(field).and_then(Value::as_array).into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
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
