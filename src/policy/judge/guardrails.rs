//! `Guardrails`: what stands in a namespace that bounds what comes into it, read from the objects that are rendered there.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::amounts::{Amounts, amounts};
use super::own::Nameable;
use crate::contract::platform::PodSecurityLevel;
use crate::identity::group_of;

/// What bounds a namespace.
#[derive(Debug, Default)]
pub struct Guardrails {
    /// Its LimitRanges, as one.
    pub limits: Limits,
    /// Its ResourceQuotas.
    pub quotas: Vec<Quota>,
    /// Its Pod Security level, and the version that it is of: `v1.36`, `latest`.
    pub pod_security: Option<(PodSecurityLevel, String)>,
    /// The minor version of the cluster.
    pub kubernetes: Option<u32>,
    /// Whose namespace it is.
    pub tenant: Option<String>,
    /// Whether somebody carries the policies out.
    pub has_engine: bool,
    /// The Namespace's name.
    pub namespace: String,
    /// Whom the tenant may name in what it writes itself; `None`: nobody asks.
    pub nameable: Option<Nameable>,
    /// What is rendered there: group, kind and name.
    pub rendered: BTreeSet<(String, String, String)>,
    /// Groups and kinds whose objects nobody changes but who applies what is rendered; none where nobody looks.
    pub guarded: Guarded,
}

/// What LimitRanges say.
#[derive(Debug, Default)]
pub struct Limits {
    /// Limits of containers that state none.
    pub default: Amounts,
    /// Requests of containers that state none.
    pub default_request: Amounts,
    /// Bounds.
    pub bounds: Vec<Bounds>,
}

/// Bounds of what is of a type: `Container`, `Pod`, `PersistentVolumeClaim`.
#[derive(Debug)]
pub struct Bounds {
    /// The type.
    pub of: String,
    /// The least.
    pub min: Amounts,
    /// The most.
    pub max: Amounts,
    /// How many times its request a limit may be.
    pub ratio: Amounts,
}

/// A ResourceQuota.
#[derive(Debug)]
pub struct Quota {
    /// Its name.
    pub name: String,
    /// Its ceilings.
    pub hard: Amounts,
    /// Which objects it holds for: all of these; none: every object.
    pub scopes: Vec<Scope>,
}

/// A condition of a quota's scope.
#[derive(Debug)]
pub struct Scope {
    /// `PriorityClass`, `VolumeAttributesClass`, and others that we do not render.
    pub name: String,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`
    pub operator: String,
    /// The classes.
    pub values: Vec<String>,
}

/// Groups and kinds.
pub type Guarded = Arc<BTreeSet<(String, String)>>;

impl Guardrails {
    /// What the objects of a namespace say, its Namespace included.
    pub fn of<'v>(objects: impl Iterator<Item = &'v Value>, has_engine: bool) -> Guardrails {
        let mut all = Guardrails { has_engine, ..Guardrails::default() };
        for object in objects {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let group = group_of(object["apiVersion"].as_str().unwrap_or_default()).to_owned();
            all.rendered.insert((group, text(&object["kind"]), text(&object["metadata"]["name"])));
            match object["kind"].as_str() {
                Some("Namespace") => {
                    all.pod_security = pod_security(&object["metadata"]["labels"]);
                    all.namespace = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
                    all.nameable = Nameable::of(object);
                }
                Some("LimitRange") => {
                    object["spec"]["limits"].as_array().into_iter().flatten().for_each(|item| all.limits.take(item));
                }
                Some("ResourceQuota") => all.quotas.push(quota(object)),
                _ => {}
            }
        }
        // As the API server lists them, which is the order in which it asks.
        all.quotas.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

impl Limits {
    fn take(&mut self, item: &Value) {
        let of = item["type"].as_str().unwrap_or_default().to_owned();
        if of == "Container" {
            self.default.extend(amounts(&item["default"]));
            self.default_request.extend(amounts(&item["defaultRequest"]));
        }
        let [min, max, ratio] = ["min", "max", "maxLimitRequestRatio"].map(|field| amounts(&item[field]));
        self.bounds.push(Bounds { of, min, max, ratio });
    }
}

fn quota(object: &Value) -> Quota {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>();
    let selected = object["spec"]["scopeSelector"]["matchExpressions"].as_array().into_iter().flatten();
    let scopes = selected.map(|requirement| Scope {
        name: text(&requirement["scopeName"]),
        operator: text(&requirement["operator"]),
        values: list(&requirement["values"]),
    });
    let plain = list(&object["spec"]["scopes"]);
    let plain = plain.into_iter().map(|name| Scope { name, operator: "Exists".to_owned(), values: Vec::new() });
    Quota {
        name: text(&object["metadata"]["name"]),
        hard: amounts(&object["spec"]["hard"]),
        scopes: scopes.chain(plain).collect(),
    }
}

fn pod_security(labels: &Value) -> Option<(PodSecurityLevel, String)> {
    let text = |key: &str| labels[format!("pod-security.kubernetes.io/{key}")].as_str();
    let levels = [PodSecurityLevel::Privileged, PodSecurityLevel::Baseline, PodSecurityLevel::Restricted];
    let level = levels.into_iter().find(|level| Some(level.as_str()) == text("enforce"))?;
    Some((level, text("enforce-version").unwrap_or("latest").to_owned()))
}
