//! `mtp explain`: what a rule is for, or what a field of a tenant file means.

use anyhow::{Result, bail};
use clap::Args;
use serde_json::Value;

use super::Shell;
use crate::cli::Exit;
use crate::contract::KINDS;
use crate::contract::admission::Mode;
use crate::lint;
use crate::policy::judge::{self, Check};
use crate::policy::pod_security::{CONTROLS, Control};
use crate::policy::restrictions::{self, Restriction, written};
use crate::policy::{self, Policy};
use crate::review::{self, rules::Rule};
use crate::rules;
use crate::schema::{self, SCHEMAS};
use crate::yaml::shape::{closest, list};

/// Options of the command.
#[derive(Debug, Args)]
pub struct Options {
    /// Id of a rule (T007, R101, L101, A111) or of a policy (read-only-root), a field (Tenant.spec.egress.allow), or nothing for a list of rules
    #[arg(value_name = "RULE|POLICY|KIND.FIELD")]
    what: Option<String>,
}

/// Runs the command.
pub fn run(options: &Options, shell: &mut Shell<'_>) -> Result<Exit> {
    let text = match &options.what {
        None => {
            let input = rules::all().map(|rule| (rule.id, rule.title));
            let review = review::rules::RULES.iter().map(|rule| (rule.id, rule.title));
            let lint = lint::rules::RULES.iter().map(|rule| (rule.id, rule.title));
            let judged = judge::all().map(|rule| (rule.id, rule.title));
            judged.chain(lint).chain(review).chain(input).map(|(id, title)| format!("{id}  {title}\n")).collect()
        }
        Some(what) => match (rules::find(what), policy::find(what), review::rules::find(what)) {
            (Some(rule), ..) => described(rule.id, rule.title, rule.why, rule.fix),
            (None, Some(policy), _) => described(policy.id, policy.title, policy.why, policy.fix) + &examples(policy),
            (None, None, Some(rule)) => reviewed(rule),
            (None, None, None) => match lint::rules::find(what) {
                Some(rule) => linted(rule),
                None => match judge::find(what) {
                    Some(rule) => judged(rule),
                    None => match CONTROLS.into_iter().find(|control| control.id.eq_ignore_ascii_case(what)) {
                        Some(control) => standard(control),
                        None => match restrictions::find(what) {
                            Some(restriction) => restricted(restriction),
                            None => field(what)?,
                        },
                    },
                },
            },
        },
    };
    shell.answer(&text)?;
    Ok(Exit::Clean)
}

fn described(id: &str, title: &str, why: &str, fix: &str) -> String {
    format!("{id}: {title}\n\nWhy: {why}\n\nFix: {fix}\n")
}

/// What a layer of the cluster refuses.
fn judged(rule: &judge::Rule) -> String {
    let mut text = described(rule.id, rule.title, rule.why, rule.fix);
    if !rule.refused.is_empty() {
        let of = match rule.check {
            Check::Pod(_) | Check::Layer => "the `spec` of a pod, or a whole object",
            Check::Object(..) => "a whole object",
        };
        text.push_str(&format!("\nRefused ({of}):\n"));
        rule.refused.iter().for_each(|example| text.push_str(&format!("  {example}\n")));
    }
    text
}

/// What a control of the Pod Security Standards refuses.
fn standard(control: &Control) -> String {
    let versions: Vec<String> = control.versions.iter().map(|minor| format!("v1.{minor}")).collect();
    let mut text = described(control.id, control.title, control.why, control.fix);
    text.push_str(&format!("\nLevel: {}, in {}\n", control.level.as_str(), versions.join(", ")));
    for (title, is_refused) in [("Admitted", false), ("Refused", true)] {
        text.push_str(&format!("\n{title}:\n"));
        for example in control.examples.iter().filter(|example| example.refused.is_some() == is_refused) {
            let pod: String = example.pod.trim().lines().map(|line| format!("  {line}\n")).collect();
            text.push_str(&format!("  # {} ({})\n{pod}", example.about, example.version));
        }
    }
    text
}

/// What a lint rule finds.
fn linted(rule: &lint::rules::Rule) -> String {
    let consumers: Vec<&str> = rule.consumers.iter().map(|c| c.as_str()).collect();
    let example: String = rule.example.lines().map(|line| format!("  {line}\n")).collect();
    format!(
        "{}Concerns: {}\n\nExample:\n{example}\nSource: {}\n",
        described(rule.id, rule.title, rule.why, rule.fix) + "\n",
        consumers.join(", "),
        rule.source
    )
}

/// What a review rule finds.
fn reviewed(rule: &Rule) -> String {
    let lifted = if rule.approvable { "" } else { "\n\nNo approval lifts it." };
    format!(
        "{}: {} ({})\n\nWhy: {}\n\nExample: {}\n\nClass: {}{lifted}\n",
        rule.id,
        rule.title,
        rule.name,
        rule.why,
        rule.example,
        rule.class.as_str()
    )
}

/// What a policy says of pods, as far as their `spec` goes.
fn examples(policy: &Policy) -> String {
    let mut text = format!("\nSays: Container NAME {}\n", policy.breach);
    if policy.unless_said == Mode::Off {
        text.push_str(&format!(
            "\nOff, unless a Platform or a Tier asks for it: admission: {{policies: {{{}: deny}}}}\n",
            policy.id
        ));
    }
    for (title, holds) in [("Admitted", true), ("Refused", false)] {
        text.push_str(&format!("\n{title}:\n"));
        for example in policy.examples.iter().filter(|example| example.holds == holds) {
            text.push_str(&format!("  # {}\n  {}\n", example.about, example.spec));
        }
    }
    text
}

/// What a list bounds, and what it says of objects.
fn restricted(of: &Restriction) -> String {
    let mut text = described(of.id, of.title, of.why, of.fix);
    text.push_str(&format!(
        "\nBounded by: admission.restrict.{0} of a Platform or Tier; within that, restrict.{0} of a Tenant\n",
        of.field
    ));
    let whose = if of.is_of_pods() { "the `spec` of a pod" } else { "a whole object" };
    for (title, is_let) in [("Admitted", true), ("Refused", false)] {
        text.push_str(&format!("\n{title} ({whose}):\n"));
        for example in of.examples.iter().filter(|example| example.refused.is_empty() == is_let) {
            let object = example.object.split_whitespace().collect::<Vec<_>>().join(" ");
            let entries = written(example.list, ", ");
            text.push_str(&format!("  # {}; the list is [{entries}]\n  {object}\n", example.about));
            for item in example.refused {
                text.push_str(&format!("  # says: {}\n", of.message(item)));
            }
        }
    }
    text
}

fn field(path: &str) -> Result<String> {
    let mut steps = path.split('.');
    let kind = steps.next().unwrap_or_default();
    let Some((kind, root)) = SCHEMAS.iter().find(|(known, _)| known.eq_ignore_ascii_case(kind)) else {
        bail!("there is no rule and no kind `{kind}`; the kinds are {}", list(KINDS.into_iter()));
    };
    let mut name = (*kind).to_owned();
    let (mut own, mut schema) = (root, root);
    for step in steps.map(|step| step.trim_end_matches("[]")) {
        let inner = inner(root, schema);
        let Value::Object(fields) = &inner["properties"] else { bail!("`{name}` has no fields") };
        let Some(next) = fields.get(step) else {
            let close = closest(step, fields.keys().map(String::as_str));
            match close {
                Some(close) => bail!("`{name}` has no field `{step}`; did you mean `{close}`?"),
                None => bail!("`{name}` has no field `{step}`; it has {}", list(fields.keys().map(String::as_str))),
            }
        };
        name = format!("{name}.{step}");
        (own, schema) = (next, next);
    }
    let target = schema::resolve(root, schema);
    let about =
        own.get("description").or_else(|| target.get("description")).and_then(Value::as_str).unwrap_or_default();
    let mut text = format!("{name} <{}>\n\n{}\n", type_name(root, schema), about.replace('\n', " "));
    if let Some(words) = schema::words(target) {
        text.push_str(&format!("\nOne of {}.\n", list(words.into_iter())));
    }
    if let Value::Object(fields) = &inner(root, schema)["properties"] {
        text.push_str("\nFields:\n");
        let required = inner(root, schema)["required"].as_array();
        for (field, schema) in fields {
            let needed = required.is_some_and(|r| r.iter().any(|n| n == field));
            let mark = if needed { ", required" } else { "" };
            let target = schema::resolve(root, schema);
            let about = schema.get("description").or_else(|| target.get("description")).and_then(Value::as_str);
            let about = about.unwrap_or_default().replace('\n', " ");
            text.push_str(&format!("  {field} <{}{mark}>\n      {about}\n", type_name(root, schema)));
        }
    }
    Ok(text)
}

/// The map that a field is or consists of: through references, lists and maps of maps.
fn inner<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema::resolve(root, schema);
    match (&target["items"], &target["additionalProperties"]) {
        (Value::Null, values @ Value::Object(_)) => inner(root, values),
        (Value::Null, _) => target,
        (items, _) => inner(root, items),
    }
}

fn type_name(root: &Value, schema: &Value) -> String {
    let target = schema::resolve(root, schema);
    if target.get("x-kubernetes-int-or-string").is_some() {
        return "quantity".to_owned();
    }
    match (target["type"].as_str(), &target["items"], &target["additionalProperties"]) {
        (Some("array"), items, _) => format!("list of {}", type_name(root, items)),
        (Some("object"), _, values @ Value::Object(_)) => format!("map of {}", type_name(root, values)),
        (Some("object"), ..) => "map".to_owned(),
        (Some("string") | None, ..) => "text".to_owned(),
        (Some(other), ..) => other.to_owned(),
    }
}
