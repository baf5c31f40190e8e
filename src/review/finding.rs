//! `Finding`: what a change means, said once for all whom it concerns.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Cause;
use super::rules::Rule;
use crate::certs::x509::hex;
use crate::place::Place;
use crate::plan::review::ApprovalPlan;
use crate::rendered::ObjectId;

/// How much it matters. Ordered: an error weighs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Good to know; never refused.
    Notice,
    /// To be looked at; refused where its class is.
    Warning,
    /// It weakens the platform; refused where its class is.
    Error,
}

/// What becomes of a finding.
#[derive(Debug, Clone)]
pub enum Decision {
    /// It is told.
    Noted,
    /// It is refused, for these tenants; empty: it concerns none.
    Denied(BTreeSet<Arc<str>>),
    /// It would be refused, and somebody answers for it.
    Approved(Vec<ApprovalPlan>),
}

/// What a change means.
#[derive(Debug)]
pub struct Finding {
    /// The rule that found it.
    pub rule: &'static Rule,
    /// How much it matters.
    pub severity: Severity,
    /// Its id: the rule's name and a digest of all that is said. An approval names it, so that a change that later does more, or
    /// something else, is not approved.
    pub id: String,
    /// What it is, as a fact.
    pub message: String,
    /// What was.
    pub before: Vec<String>,
    /// What is.
    pub after: Vec<String>,
    /// What brought it about.
    pub cause: Cause,
    /// The tenants that it concerns; empty: the platform.
    pub tenants: BTreeSet<Arc<str>>,
    /// The namespaces.
    pub namespaces: BTreeSet<Arc<str>>,
    /// Who has a part in it: people, mostly.
    pub who: BTreeSet<String>,
    /// The objects.
    pub objects: BTreeSet<ObjectId>,
    /// The lines of `tenants/` that bring it about.
    pub places: BTreeSet<Place>,
    /// What becomes of it.
    pub decision: Decision,
    /// Whether an approval could let it pass: its rule allows that, and there is a Platform to write it into.
    pub is_approvable: bool,
}

/// What is the same for all whom a finding concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    rule: &'static str,
    severity: Severity,
    message: String,
    before: Vec<String>,
    after: Vec<String>,
    cause: Cause,
}

/// Whom it concerns.
#[derive(Debug, Default)]
struct Whom {
    rule: Option<&'static Rule>,
    tenants: BTreeSet<Arc<str>>,
    namespaces: BTreeSet<Arc<str>>,
    who: BTreeSet<String>,
    objects: BTreeSet<ObjectId>,
    places: BTreeSet<Place>,
}

/// What was found so far.
#[derive(Debug, Default)]
pub struct Findings(BTreeMap<Key, Whom>);

/// One finding as a rule tells it, of one namespace or object.
#[derive(Debug)]
pub struct Told {
    key: Key,
    whom: Whom,
}

impl Told {
    /// What `rule` has found.
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Told {
        let key = Key {
            rule: rule.id,
            severity: rule.severity,
            message: message.into(),
            before: Vec::new(),
            after: Vec::new(),
            cause: Cause::Author,
        };
        Told { key, whom: Whom { rule: Some(rule), ..Whom::default() } }
    }

    /// Weighs less or more than the rule's findings do.
    pub fn severity(mut self, severity: Severity) -> Told {
        self.key.severity = severity;
        self
    }

    /// What was and what is.
    pub fn sides(mut self, before: Vec<String>, after: Vec<String>) -> Told {
        (self.key.before, self.key.after) = (before, after);
        self
    }

    /// What brought it about.
    pub fn cause(mut self, cause: Cause) -> Told {
        self.key.cause = cause;
        self
    }

    /// The tenant that it concerns.
    pub fn tenant(mut self, tenant: Option<&str>) -> Told {
        self.whom.tenants.extend(tenant.map(Arc::from));
        self
    }

    /// The namespace.
    pub fn namespace(mut self, namespace: &Arc<str>) -> Told {
        if !namespace.is_empty() {
            self.whom.namespaces.insert(Arc::clone(namespace));
        }
        self
    }

    /// Who has a part in it.
    pub fn who(mut self, who: impl Into<String>) -> Told {
        self.whom.who.insert(who.into());
        self
    }

    /// An object of it.
    pub fn object(mut self, id: &ObjectId) -> Told {
        self.whom.objects.insert(id.clone());
        self
    }

    /// A line of `tenants/` that brings it about.
    pub fn at(mut self, at: Place) -> Told {
        self.whom.places.insert(at);
        self
    }
}

impl Findings {
    /// Adds one; what is said of somebody else already is said of both.
    pub fn add(&mut self, told: Told) {
        let whom = self.0.entry(told.key).or_default();
        whom.join(told.whom);
    }

    /// Takes over what was found elsewhere.
    pub fn merge(&mut self, more: Findings) {
        for (key, whom) in more.0 {
            self.0.entry(key).or_default().join(whom);
        }
    }

    /// The findings, each with its id, and each id once.
    pub fn into_findings(self) -> Vec<Finding> {
        let mut all: Vec<Finding> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for finding in self.each() {
            match known.get(&finding.id) {
                Some(index) => all[*index].join(finding),
                None => {
                    known.insert(finding.id.clone(), all.len());
                    all.push(finding);
                }
            }
        }
        all
    }

    fn each(self) -> impl Iterator<Item = Finding> {
        self.0.into_iter().filter_map(|(key, whom)| {
            let rule = whom.rule?;
            Some(Finding {
                id: id(rule, &key, &whom),
                rule,
                severity: key.severity,
                message: key.message,
                before: key.before,
                after: key.after,
                cause: key.cause,
                tenants: whom.tenants,
                namespaces: whom.namespaces,
                who: whom.who,
                objects: whom.objects,
                places: whom.places,
                decision: Decision::Noted,
                is_approvable: false,
            })
        })
    }
}

impl Whom {
    fn join(&mut self, mut more: Whom) {
        self.rule = self.rule.or(more.rule);
        self.tenants.append(&mut more.tenants);
        self.namespaces.append(&mut more.namespaces);
        self.who.append(&mut more.who);
        self.objects.append(&mut more.objects);
        self.places.append(&mut more.places);
    }
}

/// Up to so many tenants, the id is of their namespaces and people as well. Of a fleet it is of the change alone: it would be
/// another one with every tenant that comes meanwhile.
const FEW: usize = 10;

fn id(rule: &Rule, key: &Key, whom: &Whom) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(rule.id);
    add(&key.message);
    for lines in [&key.before, &key.after] {
        add(&lines.len().to_string());
        lines.iter().for_each(|line| add(line));
    }
    if whom.tenants.len() <= FEW {
        add(&whom.namespaces.len().to_string());
        whom.namespaces.iter().for_each(|name| add(name));
        whom.who.iter().for_each(|who| add(who));
    }
    let digest = hex(&hash.finalize());
    format!("{}-{}", rule.name, digest.get(..12).unwrap_or_default())
}

impl Finding {
    /// Takes over whom the same finding concerns by another cause.
    fn join(&mut self, mut more: Finding) {
        if self.cause != more.cause {
            self.cause = Cause::Both;
        }
        self.severity = self.severity.max(more.severity);
        self.tenants.append(&mut more.tenants);
        self.namespaces.append(&mut more.namespaces);
        self.who.append(&mut more.who);
        self.objects.append(&mut more.objects);
        self.places.append(&mut more.places);
    }

    /// What is to be written into the Platform to let it pass; `None` where it cannot be.
    pub fn approval(&self) -> Option<String> {
        let Decision::Denied(missing) = &self.decision else { return None };
        if !self.is_approvable {
            return None;
        }
        let tenants = match missing.len() {
            0 => String::new(),
            1..=10 => {
                let names: Vec<&str> = missing.iter().map(|name| &**name).collect();
                format!("  tenants: [{}]\n", names.join(", "))
            }
            _ => "  tenants: [\"*\"]\n".to_owned(),
        };
        Some(format!(
            "- finding: {}\n{tenants}  reason: why this is right\n  who: you@example.com\n  until: \"YYYY-MM-DD\"\n",
            self.id
        ))
    }
}
