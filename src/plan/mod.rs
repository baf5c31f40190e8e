//! `plan`: documents in, a plan out in which nothing is "maybe the default" any more.
//!
//! What does not resolve is reported and left out, so that planning goes on and one run tells all; nothing is rendered
//! from a plan with errors.

pub mod admission;
pub mod gitops;
pub mod platform;
pub mod review;
pub mod sync;
pub mod tenant;
pub mod tier;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rayon::prelude::*;

use crate::contract::At;
use crate::diagnostic::{Diagnostic, Findings};
use crate::parse::{Document, Missing, Parsed, TenantDocument};
use crate::place::Place;
use crate::quantity::{NoQuantity, Quantity};

pub use gitops::{DeployPlan, GitopsPlan, SourcePlan};
pub use platform::{NetworkPlan, PlatformPlan, PodSecurityPlan};
pub use sync::SyncPlan;
pub use tenant::{NamespacePlan, PeerPlan, PortPlan, TenantPlan, WherePlan};
pub use tier::{Hard, LimitsPlan, QuotaPlan, TierPlan};

/// The whole platform, resolved.
#[derive(Debug)]
pub struct Plan {
    /// What holds for every tenant.
    pub platform: PlatformPlan,
    /// The tiers by name.
    pub tiers: BTreeMap<String, Arc<TierPlan>>,
    /// The tenants, ordered as their folders are.
    pub tenants: Vec<TenantPlan>,
    /// The platform team's templates of further objects.
    pub templates: Vec<Document<Arc<str>>>,
    /// What could not be read: nobody is told that it does not exist.
    pub missing: Missing,
}

/// A quantity and where the author wrote it.
pub type Placed = (Quantity, Place);

/// Resolves what was read. `None` without exactly one Platform, since everything depends on it.
pub fn plan(parsed: Parsed) -> (Option<Plan>, Vec<Diagnostic>) {
    let mut findings = Findings::default();
    let Some(platform) = one_platform(&parsed, &mut findings) else { return (None, findings.into_sorted()) };
    let platform = platform::resolve(platform, &parsed.certs, &mut findings);

    let mut tiers: BTreeMap<String, Arc<TierPlan>> = BTreeMap::new();
    for document in parsed.tiers {
        let name = document.content.metadata.name.clone();
        let at = document.at(name.span);
        let tier = tier::resolve(document, &platform, &mut findings);
        if let Some(first) = tiers.get(&name.value) {
            duplicate("Tier", &name, at, first.doc.at(first.doc.content.metadata.name.span), &mut findings);
        } else {
            tiers.insert(name.value, Arc::new(tier));
        }
    }

    let links = Links::of(&parsed.tenants);
    let resolved: Vec<(TenantPlan, Findings)> = parsed
        .tenants
        .into_par_iter()
        .map(|document| {
            let mut findings = Findings::default();
            let known = tenant::Known { platform: &platform, tiers: &tiers, links: &links, missing: &parsed.missing };
            (tenant::resolve(document, &known, &mut findings), findings)
        })
        .collect();
    let mut tenants: Vec<TenantPlan> = Vec::with_capacity(resolved.len());
    for (tenant, found) in resolved {
        findings.merge(found);
        tenants.push(tenant);
    }
    // The order of their folders in `rendered/`, where `a-b/` comes before `a/`. Stable, so that of two tenants with one
    // name the first in the order of files stays first.
    tenants.sort_by(|a, b| folder_order(&a.name, &b.name));
    tenants.dedup_by(|next, first| {
        let same = next.name == first.name;
        if same {
            let name = &next.doc.content.metadata.name;
            duplicate("Tenant", name, next.doc.at(name.span), first.name_at(), &mut findings);
        }
        same
    });
    let plan = Plan { platform, tiers, tenants, templates: parsed.templates, missing: parsed.missing };
    (Some(plan), findings.into_sorted())
}

/// Compares names as the paths `name/…` compare.
pub fn folder_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.bytes().chain([b'/']).cmp(b.bytes().chain([b'/']))
}

fn one_platform(parsed: &Parsed, findings: &mut Findings) -> Option<Document<crate::contract::PlatformFile>> {
    let mut platforms = parsed.platforms.iter();
    let Some(first) = platforms.next() else {
        if !parsed.missing.may_hold_kind("Platform") {
            findings
                .error("T101", Place::file(crate::inputs::TENANTS), "there is no document of kind `Platform`")
                .hint("`mtp init` writes one");
        }
        return None;
    };
    for second in platforms {
        let at = second.at(second.content.metadata.name.span);
        findings
            .error("T101", at, "there is a second document of kind `Platform`")
            .related(first.at(first.content.metadata.name.span), "first here")
            .hint("one folder is one cluster: keep one of them");
    }
    Some(first.clone())
}

fn duplicate(kind: &str, name: &At<String>, at: Place, first: Place, findings: &mut Findings) {
    findings
        .error("T102", at, format!("there is a second {kind} `{name}`"))
        .related(first, "first here")
        .hint("rename one of them, or take it out");
}

/// Which tenants name which other tenants as peers.
#[derive(Debug, Default)]
pub struct Links {
    /// Names of all tenants.
    pub names: BTreeSet<String>,
    /// (from, to): `from` asks to connect to `to`.
    pub egress: BTreeSet<(String, String)>,
    /// (from, to): `to` lets `from` connect.
    pub ingress: BTreeSet<(String, String)>,
}

impl Links {
    fn of(tenants: &[TenantDocument]) -> Self {
        let mut links = Links::default();
        for document in tenants {
            let name = || document.content.metadata.name.value.clone();
            let spec = &document.content.spec;
            links.names.insert(name());
            let named = |peer: &At<crate::contract::tenant::Peer>| peer.tenant.as_ref().map(|t| t.value.clone());
            links.egress.extend(spec.egress.allow.iter().filter_map(named).map(|to| (name(), to)));
            links.ingress.extend(spec.ingress.allow.iter().filter_map(named).map(|from| (from, name())));
        }
        links
    }
}

/// Reads a quantity that the author wrote, or reports what is wrong with it.
pub fn quantity(
    name: &str,
    typed: &At<crate::contract::Amount>,
    file: &Arc<str>,
    findings: &mut Findings,
) -> Option<Placed> {
    let at = Place::new(file, typed.span);
    let text = &typed.value.0;
    match Quantity::parse(text) {
        Ok(quantity) => Some((quantity, at)),
        Err(NoQuantity::Negative) => {
            findings.error("T302", at, format!("expected a quantity from 0 up for `{name}`, found `{text}`"));
            None
        }
        Err(NoQuantity::TooLarge) => {
            findings.error("T301", at, format!("the quantity `{text}` for `{name}` is larger than 64 bits hold"));
            None
        }
        Err(NoQuantity::Form) => {
            let wrong = findings.error("T301", at, format!("expected a quantity for `{name}`, found `{text}`"));
            wrong.hint(match respelled(text) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write `500m`, `2Gi` or `20`".to_owned(),
            });
            None
        }
    }
}

/// `2GB`, `2 Gi`, `2gi` as Kubernetes spells them.
fn respelled(text: &str) -> Option<String> {
    let text: String = text.split_whitespace().collect();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let (number, suffix) = text.split_at(end);
    let suffix = match suffix.to_ascii_lowercase().trim_end_matches('b') {
        "ki" => "Ki",
        "mi" => "Mi",
        "gi" => "Gi",
        "ti" => "Ti",
        "k" => "k",
        "m" if suffix != "m" => "M",
        "g" => "G",
        "t" => "T",
        "" => "",
        _ => return None,
    };
    let meant = format!("{number}{suffix}");
    Quantity::parse(&meant).ok().map(|_| meant)
}
