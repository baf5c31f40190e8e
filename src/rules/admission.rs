//! Rules about admission: policies, who is let off them, the webhook and its certificate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::{Check, Check::Stage, Rule};
use crate::certs::due::{self, Due};
use crate::certs::lock::Phase;
use crate::contract::At;
use crate::contract::admission::{Exemption, IMAGE, Mode};
use crate::contract::restrict::Stated;
use crate::diagnostic::{Diagnostic, Findings};
use crate::names::{is_dns_label, is_dns_subdomain, is_email};
use crate::objects::policies::identities;
use crate::parse::Document;
use crate::place::{Place, Span};
use crate::plan::admission::CertificatesPlan;
use crate::plan::{Plan, TenantPlan, TierPlan};
use crate::policy::POLICIES;
use crate::policy::restrictions::{self, Lists, RESTRICTIONS};
use crate::yaml::shape;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T901",
        title: "no such policy",
        why: "A mode or an exemption of a policy that does not exist changes nothing, and somebody believes that it does.",
        fix: "Write an id that `mtp policy list` knows.",
        check: Check::Plan(policies),
    },
    Rule {
        id: "T902",
        title: "an exemption of nobody, or of everybody",
        why: "An exemption of a tenant that is gone holds for the next one of that name; one of everybody is a mode, and is to be seen as one.",
        fix: "Name tenants or namespaces that exist, or set the mode of the policy.",
        check: Check::Plan(exempted),
    },
    Rule {
        id: "T903",
        title: "an exemption that nobody answers for",
        why: "An exemption without an owner, a reason and an end stays for ever, and nobody knows why.",
        fix: "State an e-mail address as `owner`, a `reason`, and a day of the calendar as `expires`.",
        check: Check::Plan(answered),
    },
    Rule {
        id: "T904",
        title: "a webhook that cannot be rendered",
        why: "Without an image that is pinned by its digest, nobody knows which program decides on tenants' pods.",
        fix: "State `admission.webhook.image` by digest; `mtp init` writes the section as a comment.",
        check: Check::Plan(webhook),
    },
    Rule {
        id: "T905",
        title: "no usable certificate",
        why: "A webhook whose certificate is missing, foreign or changed by hand refuses every pod of every tenant.",
        fix: "Run `mtp certs issue`, or take the files below tenants/certs/ back from git.",
        check: Stage,
    },
    Rule {
        id: "T906",
        title: "a certificate that ends",
        why: "With the last day of the certificate, the API server refuses every pod of every tenant.",
        fix: "Begin a rotation with `mtp certs rotate`; `mtp certs status` says the next step.",
        check: Stage,
    },
    Rule {
        id: "T907",
        title: "an exemption that has ended",
        why: "What was granted for a while is taken for granted afterwards.",
        fix: "Take the exemption out, or have its owner extend it.",
        check: Stage,
    },
    Rule {
        id: "T908",
        title: "guards that nobody gets past, or the wrong one",
        why: "Whoever applies `rendered/` has to be let through by the guards of what is rendered, or nothing can be changed any more.",
        fix: "State in `applyIdentities` who applies `rendered/`, as the API server calls him: `system:serviceaccount:argocd:argocd-application-controller`.",
        check: Check::Plan(guards),
    },
    Rule {
        id: "T909",
        title: "a list that bounds nothing, or everything",
        why: "What is restricted in a file and not in the cluster is believed to be restricted; what is no name of anything refuses it all.",
        fix: "Write entries as `mtp explain registries` (or the id of another list) shows them, beside `engines: [policies]`.",
        check: Check::Plan(lists),
    },
];

/// Every exemption, the file that it stands in, and the tier whose it is.
fn all(plan: &Plan) -> impl Iterator<Item = (&At<Exemption>, &Arc<str>, Option<&TierPlan>)> {
    let platform = &plan.platform.doc;
    let of_platform = platform.content.spec.admission.exemptions.iter().map(|e| (e, &platform.file, None));
    let of_tiers = plan
        .tiers
        .values()
        .flat_map(|tier| tier.doc.content.spec.admission.exemptions.iter().map(|e| (e, &tier.doc.file, Some(&**tier))));
    of_platform.chain(of_tiers)
}

fn policies(plan: &Plan, findings: &mut Findings) {
    let mut look = |id: &At<String>, file: &Arc<str>| {
        if crate::policy::standing::index(id).is_none() && !RESTRICTIONS.iter().any(|known| known.id == id.value) {
            let wrong = findings.error("T901", Place::new(file, id.span), format!("there is no policy `{id}`"));
            let known = || POLICIES.iter().map(|policy| policy.id).chain(RESTRICTIONS.iter().map(|list| list.id));
            match shape::closest(id, known()) {
                Some(close) => wrong.hint(format!("did you mean `{close}`?")),
                None => wrong.hint(format!("there is {}", shape::list(known()))),
            };
        }
    };
    let platform: &Document<_> = &plan.platform.doc;
    platform.content.spec.admission.policies.keys().for_each(|id| look(id, &platform.file));
    for tier in plan.tiers.values() {
        tier.doc.content.spec.admission.policies.keys().for_each(|id| look(id, &tier.doc.file));
    }
    for (exemption, file, _) in all(plan) {
        exemption.policies.iter().for_each(|id| look(id, file));
    }
}

fn exempted(plan: &Plan, findings: &mut Findings) {
    let mut exemptions = all(plan).peekable();
    if exemptions.peek().is_none() {
        return;
    }
    // Namespaces and their tiers; tenants, and whether a tier is one of theirs.
    let namespaces: BTreeMap<&str, &str> =
        plan.tenants.iter().flat_map(|t| t.namespaces.iter().map(|n| (&*n.name, &*n.tier.name))).collect();
    let tenants: BTreeMap<&str, &TenantPlan> = plan.tenants.iter().map(|t| (&*t.name, t)).collect();
    for (exemption, file, tier) in exemptions {
        let at = |span: Span| Place::new(file, span);
        if exemption.policies.is_empty() {
            findings.error("T902", at(exemption.span), "expected `policies`: this lets nobody off anything");
        }
        if tier.is_none() && exemption.tenants.is_empty() && exemption.namespaces.is_empty() {
            findings
                .error(
                    "T902",
                    at(exemption.span),
                    "expected `tenants` or `namespaces`: in the Platform, this lets everybody off",
                )
                .hint("set the mode of the policy in `admission.policies`");
        }
        for name in &exemption.tenants {
            if let Some(tenant) = tenants.get(&*name.value) {
                if tier.is_some_and(|tier| tenant.namespaces.iter().all(|n| n.tier.name != tier.name)) {
                    let about = format!("no namespace of tenant `{name}` is of this tier");
                    findings.error("T902", at(name.span), about).hint("exemptions of a tier are for its namespaces");
                }
            } else if !plan.missing.may_hold("Tenant", name) {
                let wrong = findings.error("T902", at(name.span), format!("there is no tenant `{name}`"));
                if let Some(close) = shape::closest(name, tenants.keys().copied()) {
                    wrong.hint(format!("did you mean `{close}`?"));
                }
            }
        }
        for name in &exemption.namespaces {
            if let Some(of) = namespaces.get(&*name.value) {
                if tier.is_some_and(|tier| *tier.name != **of) {
                    let about = format!("namespace `{name}` is of tier `{of}`");
                    findings.error("T902", at(name.span), about).hint("exemptions of a tier are for its namespaces");
                }
            } else if !plan.missing.may_hold_kind("Tenant") {
                let wrong = findings.error("T902", at(name.span), format!("no tenant has a namespace `{name}`"));
                match shape::closest(name, namespaces.keys().copied()) {
                    Some(close) => wrong.hint(format!("did you mean `{close}`?")),
                    None => wrong.hint("write its full name: `tenant-<tenant>-<name>`"),
                };
            }
        }
    }
}

fn answered(plan: &Plan, findings: &mut Findings) {
    for (exemption, file, _) in all(plan) {
        let at = |span: Span| Place::new(file, span);
        if !is_email(&exemption.owner) {
            let about = format!("expected an e-mail address as owner, found `{}`", exemption.owner);
            findings.error("T903", at(exemption.owner.span), about);
        }
        if exemption.reason.trim().is_empty() || exemption.reason.chars().any(char::is_control) {
            findings.error("T903", at(exemption.reason.span), "expected a reason, in one line");
        } else if exemption.reason.chars().count() > 200 {
            findings.error("T903", at(exemption.reason.span), "expected a reason of at most 200 characters");
        }
        if last_day(&exemption.expires).is_none() {
            let about = format!("expected a day of the calendar, found `{}`", exemption.expires);
            findings.error("T903", at(exemption.expires.span), about).hint("write \"2027-01-31\"");
        }
    }
}

/// Whether an image is named by what it is: a tag can be given to another one at any time.
pub fn is_pinned(image: &str) -> bool {
    static FORM: LazyLock<Option<regex_lite::Regex>> = LazyLock::new(|| regex_lite::Regex::new(IMAGE).ok());
    image.len() <= 512 && FORM.as_ref().is_some_and(|form| form.is_match(image))
}

/// The moment after the last day of an exemption, anywhere on earth.
pub fn last_day(text: &str) -> Option<time::OffsetDateTime> {
    let start = crate::certs::due::read(&format!("{text}T00:00:00Z")).ok()?;
    (text.len() == 10).then(|| start.checked_add(time::Duration::hours(36)).unwrap_or(start))
}

/// How long before the end of an exemption its owner is reminded.
const REMIND: time::Duration = time::Duration::days(30);

/// What ends, or has ended, at that time: the one rule that depends on one.
pub fn at(plan: &Plan, at: time::OffsetDateTime) -> Vec<Diagnostic> {
    let mut findings = Findings::default();
    for (exemption, file, _) in all(plan) {
        let Some(end) = last_day(&exemption.expires) else { continue };
        let (whose, day) = (&exemption.owner, &exemption.expires);
        let place = Place::new(file, exemption.expires.span);
        if at >= end {
            findings.error("T907", place, format!("the exemption of {whose} has ended on {day}"));
        } else if end - at <= REMIND {
            findings.warning("T907", place, format!("the exemption of {whose} ends on {day}"));
        }
    }
    let certificates = plan.platform.admission.webhook.as_ref().map(|webhook| &webhook.certificates);
    if let Some(CertificatesPlan::Sops { lock, .. } | CertificatesPlan::External { lock }) = certificates
        && let Some((due, end)) = due::of_lock(&lock.content, at)
    {
        let (place, end) = (Place::file(Arc::clone(&lock.file)), due::written(end));
        let hint = match lock.content.phase {
            Phase::Serving => "begin a rotation: `mtp certs rotate`",
            Phase::Staged | Phase::Switched => "end the rotation: `mtp certs status` says the next step",
            Phase::External => "whoever keeps the Secret renews it; then `mtp certs issue --ca FILE --force`",
        };
        match due {
            Due::Later => {}
            Due::Soon => drop(findings.warning("T906", place, format!("the certificate ends at {end}")).hint(hint)),
            Due::Now => drop(findings.error("T906", place, format!("the certificate ends at {end}")).hint(hint)),
            Due::Over => {
                findings.error("T906", place, format!("the certificate does not hold; its end is {end}")).hint(hint);
            }
        }
    }
    findings.into_sorted()
}

/// Users of Kubernetes whom everybody can be, or whom tenants can be.
fn is_nobody(identity: &str) -> bool {
    identity == "system:anonymous" || identity.starts_with("system:serviceaccount:tenant-")
}

fn guards(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let admission = &doc.content.spec.admission;
    let mut seen = BTreeSet::new();
    for name in &admission.apply_identities {
        let at = doc.at(name.span);
        if name.trim() != name.value || name.is_empty() || name.chars().any(char::is_control) {
            findings.error("T908", at, format!("expected a user as the API server calls him, found `{name}`"));
        } else if is_nobody(name) {
            findings.error(
                "T908",
                at,
                format!("`{name}` may be a tenant, or anybody: the guards would hold nobody back"),
            );
        } else if !seen.insert(&name.value) {
            findings.error("T908", at, format!("`{name}` stands here again"));
        }
    }
    if let Some(group) = &admission.break_glass_group
        && (group.trim().is_empty() || ANYBODY.contains(&group.value.as_str()) || group.starts_with(TENANTS))
    {
        let about = format!("expected a group of a few people, found `{group}`");
        findings.error("T908", doc.at(group.span), about).hint("leave it out for `system:masters`");
    }
    let Some(policies) = &plan.platform.admission.policies else {
        let stated = admission.apply_identities.first().map(|name| name.span);
        if let Some(span) = stated.or(admission.break_glass_group.as_ref().map(|group| group.span)) {
            findings
                .warning("T908", doc.at(span), "nothing is guarded without the engine `policies`")
                .hint("state `engines: [policies]`");
        }
        return;
    };
    if identities(plan).is_empty() {
        findings
            .error("T908", policies.at.clone(), "expected `applyIdentities` beside the engine `policies`")
            .hint("state who applies rendered/, such as `system:serviceaccount:argocd:argocd-application-controller`");
    }
}

/// How long a list may be. Each is text of a policy, or of an annotation, of which Kubernetes lets an object have 256 KiB; and it is
/// gone through for each container of a pod, of which the API server computes so much and no more.
///
/// Source: `TotalAnnotationSizeLimitB` in `pkg/api/validation/objectmeta.go` of k8s.io/apimachinery, `PerCallLimit` in
/// `pkg/apis/cel/config.go` of k8s.io/apiserver
const MOST_ENTRIES: usize = 250;
const MOST_BYTES: usize = 10 * 1024;

fn lists(plan: &Plan, findings: &mut Findings) {
    // A tenant has no say in what a breach leads to.
    let no_modes: BTreeMap<At<String>, At<Mode>> = BTreeMap::new();
    let platform = &plan.platform.doc;
    let of_platform = &platform.content.spec.admission;
    let of_tiers = plan.tiers.values().map(|tier| (&tier.doc.content.spec.admission, &tier.doc.file));
    let all = [(&of_platform.restrict, &of_platform.policies, &platform.file)].into_iter();
    let all = all.chain(of_tiers.map(|(admission, file)| (&admission.restrict, &admission.policies, file)));
    let of_tenants = plan.tenants.iter().map(|tenant| &tenant.doc);
    let of_tenants = of_tenants.map(|doc| (&doc.content.spec.restrict, &no_modes, &doc.file));
    let mut first = None;
    for (restrict, modes, file) in all.chain(of_tenants) {
        for Stated { id, list, span } in restrict.stated() {
            first.get_or_insert((file, span));
            let Some(restriction) = restrictions::find(id) else { continue };
            if list.is_none() && std::ptr::eq(modes, &no_modes) {
                findings
                    .error(
                        "T909",
                        Place::new(file, span),
                        "expected `false`: a tenant does not lift what its tier says",
                    )
                    .hint("leave it out");
            }
            let list = list.unwrap_or_default();
            let long = list.iter().map(|entry| entry.value.len() + 1).sum::<usize>();
            if list.len() > MOST_ENTRIES || long > MOST_BYTES {
                let found = format!("found {} of {long} bytes", list.len());
                let most = format!("expected at most {MOST_ENTRIES} entries of {MOST_BYTES} bytes in all, {found}");
                findings
                    .error("T909", Place::new(file, span), most)
                    .hint("name what holds many: a path, a domain, a range");
            }
            let mut seen = BTreeSet::new();
            for entry in &list {
                let at = Place::new(file, entry.span);
                if let Err(why) = (restriction.entry)(entry) {
                    findings.error("T909", at, format!("{why}, found `{}`", entry.value));
                } else if !seen.insert(&entry.value) {
                    findings.error("T909", at, format!("`{}` stands here again", entry.value));
                }
            }
            if id == "runtime-classes" && list.is_empty() {
                findings
                    .error("T909", Place::new(file, span), "expected names: of an empty list, not a single pod can be")
                    .hint("write `\"\"` for pods that name no class");
            }
        }
        for (id, mode) in modes.iter().filter(|(id, _)| restrictions::find(id).is_some()) {
            let is_stated = |lists: &Lists| lists.contains_key(id.value.as_str());
            let is_own = |tenant: &TenantPlan| tenant.lists.contains_key(id.value.as_str());
            let is_used = plan.tiers.values().any(|tier| is_stated(&tier.lists))
                || is_stated(&plan.platform.admission.lists)
                || plan.tenants.iter().any(is_own);
            if !is_used && mode.value != Mode::Off {
                findings
                    .warning("T909", Place::new(file, id.span), format!("there is no list `{id}`: nothing is asked"))
                    .hint("state it in `admission.restrict`");
            }
        }
    }
    if let Some((file, span)) = first
        && plan.platform.admission.policies.is_none()
    {
        findings
            .warning("T909", Place::new(file, span), "no list bounds anything without the engine `policies`")
            .hint("state `engines: [policies]`");
    }
}

/// Groups that everybody, or every program, is in.
const ANYBODY: [&str; 3] = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];

/// Begins the groups of tenants' programs.
const TENANTS: &str = "system:serviceaccounts:tenant-";

fn webhook(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    let admission = &doc.content.spec.admission;
    let mut seen = BTreeSet::new();
    for engine in admission.engines.iter().filter(|engine| !seen.insert(engine.value)) {
        findings.error("T904", doc.at(engine.span), "the engine stands here again");
    }
    let Some(webhook) = &admission.webhook else { return };
    if !is_pinned(&webhook.image) {
        let about = format!("expected an image by its digest, found `{}`", webhook.image);
        findings
            .error("T904", doc.at(webhook.image.span), about)
            .hint("write `registry.example.com/mtp@sha256:` and 64 hexadecimal digits");
    }
    if let Some(clients) = webhook.clients.as_ref().filter(|clients| clients.is_empty()) {
        findings
            .error("T904", doc.at(clients.span), "expected addresses: an empty list would let everybody in")
            .hint("leave `clients` out where API servers call from anywhere");
    }
    for name in webhook.image_pull_secrets.iter().filter(|name| !is_dns_subdomain(name)) {
        findings.error("T904", doc.at(name.span), format!("expected the name of a Secret, found `{name}`"));
    }
    for from in webhook.metrics_from.iter().filter(|from| !is_dns_label(&from.namespace)) {
        let about = format!("expected the name of a namespace, found `{}`", from.namespace);
        findings.error("T904", doc.at(from.namespace.span), about);
    }
}
