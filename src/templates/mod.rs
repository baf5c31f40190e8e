//! Further objects from the platform team's templates: `tenants/templates/*.yaml`, once for each namespace of a tenant.
//!
//! Whatever a template makes goes through the choke point of [`admit`]: known kinds only, in that tenant's namespace, with
//! our labels, never a right, a quota, a policy or a Secret in plain text.

pub mod admit;
mod fits;
mod lines;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, State, UndefinedBehavior, Value, context};
use rayon::prelude::*;

use crate::diagnostic::Findings;
use crate::emit::is_plain;
use crate::objects::shared::Specs;
use crate::objects::{self, InNamespace};
use crate::parse::Document;
use crate::place::{Place, Span};
use crate::plan::{NamespacePlan, Plan, PlatformPlan, TenantPlan};
use crate::rendered::ObjectId;

/// How much one template may make for one namespace, in bytes.
pub const MAX_OUTPUT: usize = 1024 * 1024;

/// How many steps one template may take for one namespace.
const FUEL: u64 = 1_000_000;

/// An object that a template made, checked and labelled.
#[derive(Debug, Clone)]
pub struct Extra {
    /// Which object.
    pub id: ObjectId,
    /// Its content.
    pub content: Arc<serde_json::Value>,
    /// Line of the template that it begins at.
    pub at: Place,
}

/// Renders every template for every namespace that is not retired.
pub fn expand(plan: &mut Plan, findings: &mut Findings) {
    if plan.templates.is_empty() {
        return;
    }
    let templates = std::mem::take(&mut plan.templates);
    if let Some(environment) = environment(&templates, findings) {
        let platform = &plan.platform;
        let specs = Specs::default();
        let found: Vec<Vec<Findings>> = plan
            .tenants
            .par_iter_mut()
            .map(|tenant| {
                let (made, found): (Vec<Vec<Extra>>, Vec<Findings>) = tenant
                    .namespaces
                    .iter()
                    .map(|namespace| {
                        let mut findings = Findings::default();
                        let scope = InNamespace { platform, tenant, namespace, specs: &specs, origins: false };
                        let made = of_namespace(&environment, &templates, &scope, &mut findings);
                        (made, findings)
                    })
                    .unzip();
                for (namespace, extras) in tenant.namespaces.iter_mut().zip(made) {
                    namespace.extras = extras;
                }
                found
            })
            .collect();
        // The same mistake shows for every namespace; it is told once, with the first of them.
        let mut told: BTreeSet<(Place, &str)> = BTreeSet::new();
        for found in found.into_iter().flatten() {
            let found = found.into_sorted();
            findings.extend(found.iter().filter(|d| !told.contains(&(d.at.clone(), d.rule))).cloned());
            told.extend(found.into_iter().map(|d| (d.at, d.rule)));
        }
    }
    plan.templates = templates;
}

fn environment<'t>(templates: &'t [Document<Arc<str>>], findings: &mut Findings) -> Option<Environment<'t>> {
    let mut environment = bare();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(one_value);
    let mut fine = true;
    for template in templates {
        if let Err(error) = environment.add_template(&template.file, &template.content) {
            report(template, &error, "", findings);
            fine = false;
        }
    }
    fine.then_some(environment)
}

/// What every template is rendered with: tags on lines of their own leave no trace, and no loop runs for ever.
pub(crate) fn bare<'t>() -> Environment<'t> {
    let mut environment = Environment::new();
    let syntax = minijinja::syntax::SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    // Delimiters are the usual ones, which cannot clash.
    if let Ok(syntax) = syntax {
        environment.set_syntax(syntax);
    }
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("quote", quote);
    // They would mark text as fit for HTML, which says nothing about YAML.
    for filter in ["e", "escape", "safe"] {
        environment.remove_filter(filter);
    }
    environment
}

/// Writes a value into the text. What people typed could be more than one value there: only words that YAML takes for
/// themselves go in as they are.
fn one_value(out: &mut minijinja::Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if let Some(text) = value.as_str().filter(|_| !value.is_safe())
        && (!is_plain(text) || text.contains(['{', '}', '[', ']', ',', ' ', '"', '\'']))
    {
        let about = format!("the text {text:?} has to be written as `{{{{ … | quote }}}}`");
        return Err(Error::new(ErrorKind::InvalidOperation, about));
    }
    if let Ok(answer) = bool::try_from(value.clone())
        && value.kind() == ValueKind::Bool
    {
        // As YAML and Kubernetes spell it, not as Python does.
        return Ok(write!(out, "{answer}")?);
    }
    // Lists and maps would come out as Python spells them.
    if !matches!(value.kind(), ValueKind::Number | ValueKind::String | ValueKind::Undefined) {
        let about =
            format!("a {} has to be written by a loop over it, each value as `{{{{ … | quote }}}}`", value.kind());
        return Err(Error::new(ErrorKind::InvalidOperation, about));
    }
    minijinja::escape_formatter(out, state, value)
}

/// `{{ tenant.ownerEmail | quote }}`: text as one YAML value, whatever is in it.
fn quote(value: Value) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return Ok(value) };
    let mut bytes = Vec::new();
    crate::emit::quoted(text, &mut bytes);
    let text = String::from_utf8(bytes).map_err(|_| Error::new(ErrorKind::InvalidOperation, "not text"))?;
    Ok(Value::from_safe_string(text))
}

fn of_namespace(
    environment: &Environment<'_>,
    templates: &[Document<Arc<str>>],
    scope: &InNamespace<'_>,
    findings: &mut Findings,
) -> Vec<Extra> {
    let InNamespace { platform, tenant, namespace, .. } = *scope;
    if namespace.state == crate::contract::tenant::State::Retired {
        return Vec::new();
    }
    let values = values(platform, tenant, namespace);
    let ours: BTreeSet<ObjectId> = objects::of_namespace(scope).into_iter().map(|object| object.id).collect();
    let mut extras: BTreeMap<ObjectId, Extra> = BTreeMap::new();
    for template in templates {
        let made = environment.get_template(&template.file).and_then(|t| t.render(&values));
        let text = match made {
            Ok(text) => text,
            Err(error) => {
                report(template, &error, &namespace.name, findings);
                continue;
            }
        };
        let scope = admit::Scope { platform, tenant, namespace, ours: &ours, template, values: &values };
        for extra in admit::admit(&text, &scope, findings) {
            if let Some(first) = extras.get(&extra.id) {
                findings
                    .error("T705", extra.at.clone(), format!("{} is made twice", extra.id))
                    .related(first.at.clone(), "first here")
                    .hint("rename one of them");
                continue;
            }
            extras.insert(extra.id.clone(), extra);
        }
    }
    let extras: Vec<Extra> = extras.into_values().collect();
    fits::check(&extras, namespace, platform, findings);
    extras
}

/// What a template knows, under the names of the tenant file.
fn values(platform: &PlatformPlan, tenant: &TenantPlan, namespace: &NamespacePlan) -> Value {
    let people = |who: &BTreeMap<String, Span>| who.keys().cloned().collect::<Vec<_>>();
    let [admins, operators, viewers] = &tenant.subjects;
    context! {
        tenant => context! {
            name => &*tenant.name,
            tier => &*tenant.tier.name,
            state => tenant.state.as_str(),
            ownerEmail => tenant.doc.content.spec.owner_email.value.clone(),
            admins => people(&admins.users),
            operators => people(&operators.users),
            viewers => people(&viewers.users),
            groups => context! {
                admins => people(&admins.groups),
                operators => people(&operators.groups),
                viewers => people(&viewers.groups),
            },
            labels => tenant.labels.clone(),
            annotations => tenant.annotations.clone(),
            namespaces => tenant.namespaces.iter().map(|n| n.name.to_string()).collect::<Vec<_>>(),
        },
        namespace => context! {
            name => &*namespace.name,
            part => &*namespace.part,
            tier => &*namespace.tier.name,
            state => namespace.state.as_str(),
            internet => namespace.internet,
            quota => namespace.hard.iter().map(|(k, (q, _))| (k.clone(), q.to_string()))
                .collect::<BTreeMap<_, _>>(),
        },
        platform => context! {
            namespace => &*platform.namespace,
            kubernetesVersion => format!("1.{}", platform.kubernetes),
        },
    }
}

/// An error of the template itself, at its line.
fn report(template: &Document<Arc<str>>, error: &Error, namespace: &str, findings: &mut Findings) {
    let line = error.line().unwrap_or_default();
    let about = match error.kind() {
        ErrorKind::OutOfFuel => format!("the template takes more than {FUEL} steps"),
        kind => error.detail().map_or_else(|| kind.to_string(), str::to_owned),
    };
    let about = if namespace.is_empty() { about } else { format!("{about}, for `{namespace}`") };
    let at = lines::place(template, u32::try_from(line).unwrap_or_default());
    let unrendered = findings.error("T701", at, about);
    match error.kind() {
        ErrorKind::UndefinedError => unrendered.hint("a template knows `tenant`, `namespace` and `platform`"),
        ErrorKind::OutOfFuel => unrendered.hint("loop over less"),
        _ => unrendered,
    };
}
