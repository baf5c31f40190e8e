//! `AdmissionPlan`: who judges tenants' pods, by which policies, and who is let off, resolved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::IpNet;

use crate::certs::lock::{Lock, Phase};
use crate::certs::{LOCK, NEXT, SERVED, manifest, server_name};
use crate::contract::At;
use crate::contract::admission::{Admission, Certificates, Engine, Exemption, Mode, Pods, Webhook};
use crate::contract::restrict::Restrict;
use crate::diagnostic::Findings;
use crate::parse::Document;
use crate::place::{Place, Span};
use crate::plan::TierPlan;
use crate::plan::platform::{cidr, plain};
use crate::policy::restrictions::{Allowed, Lists, OwnLists, RESTRICTIONS};
use crate::policy::standing::Modes;

/// What the files below `tenants/certs/` hold, by path.
pub type CertificateFiles = BTreeMap<Arc<str>, Arc<str>>;

/// How the policies stand, and who carries them out.
#[derive(Debug)]
pub struct AdmissionPlan {
    /// What a breach leads to, where the tier does not say.
    pub modes: Modes,
    /// What tenants may name, where the tier does not say.
    pub lists: Lists,
    /// Who is let off.
    pub exemptions: Vec<ExemptionPlan>,
    /// What the API server judges by itself; `None`: nothing.
    pub policies: Option<PoliciesPlan>,
    /// The server that is rendered; `None`: none is.
    pub webhook: Option<WebhookPlan>,
}

/// What the API server judges by itself, and who gets past its guards.
#[derive(Debug)]
pub struct PoliciesPlan {
    /// Who applies `rendered/`, besides the accounts that are rendered for it.
    pub identities: BTreeSet<String>,
    /// Whose members may change what is rendered in an emergency.
    pub break_glass: String,
    /// Where the engine is named.
    pub at: Place,
}

/// The group whose members may do everything, whatever RBAC says.
///
/// Source: <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#user-facing-roles>
const MASTERS: &str = "system:masters";

/// Who is let off which policies.
#[derive(Debug, Clone)]
pub struct ExemptionPlan {
    /// Ids of policies.
    pub policies: BTreeSet<String>,
    /// Tenants; with `namespaces` empty too: everybody of the tier.
    pub tenants: BTreeSet<String>,
    /// Namespaces.
    pub namespaces: BTreeSet<String>,
    /// Who answers for it, and why.
    pub why: String,
    /// The last day.
    pub expires: At<String>,
    /// Where it is written.
    pub at: Place,
}

/// Pods: their namespace, and their labels; none: all of them.
pub type PodsPlan = (String, BTreeMap<String, String>);

/// The server.
#[derive(Debug)]
pub struct WebhookPlan {
    /// Its image, by digest.
    pub image: String,
    /// Secrets that the image is pulled with.
    pub pull_secrets: BTreeSet<String>,
    /// Addresses that API servers call from; empty: any.
    pub clients: Vec<IpNet>,
    /// Pods that may read the metrics.
    pub metrics_from: Vec<PodsPlan>,
    /// Where its certificate comes from.
    pub certificates: CertificatesPlan,
    /// Where it is written.
    pub at: Place,
}

/// Where the certificate comes from.
#[derive(Debug)]
pub enum CertificatesPlan {
    /// From git.
    Sops {
        /// The public half.
        lock: Document<Lock>,
        /// The file of the Secret.
        secret: Document<Arc<str>>,
    },
    /// cert-manager makes it, and says whom to trust.
    CertManager,
    /// Others keep the Secret.
    External {
        /// The public half: whom to trust.
        lock: Document<Lock>,
    },
    /// Others keep the Secret, and the API server trusts them anyway.
    None,
}

impl ExemptionPlan {
    /// Whether a namespace of a tenant is let off.
    pub fn holds_for(&self, tenant: &str, namespace: &str) -> bool {
        (self.tenants.is_empty() && self.namespaces.is_empty())
            || self.tenants.contains(tenant)
            || self.namespaces.contains(namespace)
    }
}

/// Who is let off what in a namespace: by policy, who answers for it and why. What the Platform says comes first.
pub fn exempt(platform: &AdmissionPlan, tier: &TierPlan, tenant: &str, namespace: &str) -> BTreeMap<String, String> {
    let mut exempt: BTreeMap<String, String> = BTreeMap::new();
    let all = platform.exemptions.iter().chain(&tier.exemptions);
    for exemption in all.filter(|exemption| exemption.holds_for(tenant, namespace)) {
        for policy in &exemption.policies {
            exempt.entry(policy.clone()).or_insert_with(|| exemption.why.clone());
        }
    }
    exempt
}

/// `base` with what an author says of single policies.
pub fn modes(typed: &BTreeMap<At<String>, At<Mode>>, base: Modes) -> Modes {
    typed.iter().fold(base, |modes, (id, mode)| modes.with(id, mode.value))
}

/// A tenant's own lists.
pub fn own_lists(restrict: &Restrict) -> OwnLists {
    let entries = |list: Vec<At<String>>| {
        let all: BTreeSet<String> = list.into_iter().map(|entry| entry.value).collect();
        all.into_iter().collect()
    };
    restrict.stated().filter_map(|stated| Some((stated.id, entries(stated.list?)))).collect()
}

/// What naming something leads to that a list does not let, by the list's id: as the tier says, or else the Platform.
pub fn list_modes(said: &[SaidOfLists<'_>]) -> BTreeMap<&'static str, Mode> {
    let mode = |id: &str| {
        let stated = said.iter().rev().find_map(|(_, modes)| modes.iter().find(|(known, _)| known.value == id));
        stated.map_or(Mode::Deny, |(_, mode)| mode.value)
    };
    RESTRICTIONS.into_iter().map(|restriction| (restriction.id, mode(restriction.id))).collect()
}

/// Lists, and what naming something else leads to.
pub type SaidOfLists<'a> = (&'a Restrict, &'a BTreeMap<At<String>, At<Mode>>);

/// What tenants may name: by what the Platform says, and then the tier.
pub fn lists(said: &[SaidOfLists<'_>]) -> Lists {
    let mut lists: BTreeMap<&'static str, Vec<String>> = BTreeMap::new();
    for stated in said.iter().flat_map(|(restrict, _)| restrict.stated()) {
        match stated.list {
            Some(list) => {
                let entries: BTreeSet<String> = list.into_iter().map(|entry| entry.value).collect();
                lists.insert(stated.id, entries.into_iter().collect());
            }
            None => drop(lists.remove(stated.id)),
        }
    }
    let modes = list_modes(said);
    let all = lists.into_iter().filter_map(|(id, list)| Some((id, Allowed { list, mode: *modes.get(id)? })));
    all.filter(|(_, allowed)| allowed.mode != Mode::Off).collect()
}

/// Resolves exemptions.
pub fn exemptions(typed: &[At<Exemption>], file: &Arc<str>) -> Vec<ExemptionPlan> {
    let set = |list: &[At<String>]| list.iter().map(|name| name.value.clone()).collect();
    let plan = |typed: &At<Exemption>| ExemptionPlan {
        policies: set(&typed.policies),
        tenants: set(&typed.tenants),
        namespaces: set(&typed.namespaces),
        why: format!("{}: {}", typed.owner, typed.reason),
        expires: typed.expires.clone(),
        at: Place::new(file, typed.span),
    };
    typed.iter().map(plan).collect()
}

/// Resolves what the Platform says.
pub fn resolve(
    admission: &Admission,
    namespace: &str,
    file: &Arc<str>,
    certs: &CertificateFiles,
    findings: &mut Findings,
) -> AdmissionPlan {
    let engine = |wanted: Engine| admission.engines.iter().find(|engine| engine.value == wanted);
    let policies = engine(Engine::Policies).map(|engine| PoliciesPlan {
        identities: admission.apply_identities.iter().map(|name| name.value.clone()).collect(),
        break_glass: admission.break_glass_group.as_ref().map_or(MASTERS, |group| &group.value).to_owned(),
        at: Place::new(file, engine.span),
    });
    let webhook = match (engine(Engine::Webhook), &admission.webhook) {
        (Some(_), Some(typed)) => webhook(typed, namespace, file, certs, findings),
        (Some(engine), None) => {
            findings
                .error("T904", Place::new(file, engine.span), "expected `webhook` beside the engine `webhook`")
                .hint("state at least `webhook.image`, by digest");
            None
        }
        (None, _) => None,
    };
    AdmissionPlan {
        modes: modes(&admission.policies, Modes::UNLESS_SAID),
        lists: lists(&[(&admission.restrict, &admission.policies)]),
        exemptions: exemptions(&admission.exemptions, file),
        policies,
        webhook,
    }
}

fn webhook(
    typed: &At<Webhook>,
    namespace: &str,
    file: &Arc<str>,
    certs: &CertificateFiles,
    findings: &mut Findings,
) -> Option<WebhookPlan> {
    let at = Place::new(file, typed.span);
    let mut clients: Vec<IpNet> =
        typed.clients.iter().flat_map(|list| &list.value).filter_map(|text| cidr(text, file, findings)).collect();
    clients.sort();
    clients.dedup();
    let pods = |pods: &At<Pods>| (pods.namespace.value.clone(), plain(&pods.pod_labels));
    let mut metrics_from: Vec<PodsPlan> = typed.metrics_from.iter().map(pods).collect();
    metrics_from.sort();
    metrics_from.dedup();
    let mode = typed.certificates.map(|c| c.value).unwrap_or_default();
    let stated = Place::new(file, typed.certificates.map_or(typed.span, |c| c.span));
    let mut state = State { namespace, certs, stated, findings };
    let certificates = match mode {
        Certificates::Sops => state.sops()?,
        Certificates::CertManager => CertificatesPlan::CertManager,
        Certificates::External => CertificatesPlan::External { lock: state.lock(Phase::External)? },
        Certificates::None => CertificatesPlan::None,
    };
    let pull_secrets = typed.image_pull_secrets.iter().map(|name| name.value.clone()).collect();
    Some(WebhookPlan { image: typed.image.value.clone(), pull_secrets, clients, metrics_from, certificates, at })
}

/// The state of certificates in git, which is held against what the Platform says.
struct State<'a> {
    namespace: &'a str,
    certs: &'a CertificateFiles,
    /// Where the Platform says where certificates come from.
    stated: Place,
    findings: &'a mut Findings,
}

impl State<'_> {
    fn file(&mut self, path: &'static str, hint: &str) -> Option<Document<Arc<str>>> {
        if let Some((file, text)) = self.certs.get_key_value(path) {
            return Some(Document { file: Arc::clone(file), content: Arc::clone(text) });
        }
        self.findings.error("T905", self.stated.clone(), format!("there is no {path}")).hint(hint);
        None
    }

    fn wrong(&mut self, path: &Arc<str>, span: Span, why: impl Into<String>) -> &mut crate::diagnostic::Diagnostic {
        // Without an excerpt: a line of these files may be a key that somebody put there in plain text.
        let why = why.into();
        let why = if span.line > 0 { format!("line {}: {why}", span.line) } else { why };
        self.findings.error("T905", Place::file(Arc::clone(path)), why)
    }

    /// The lock, in the phase `External` or in another.
    fn lock(&mut self, wanted: Phase) -> Option<Document<Lock>> {
        let external = wanted == Phase::External;
        let from = if external { " --ca FILE" } else { "" };
        let document = self.file(LOCK, &format!("run `mtp certs issue{from}`"))?;
        let lock = match Lock::read(&document.content) {
            Ok(lock) => lock,
            Err((span, why)) => {
                self.wrong(&document.file, span, why).hint("take it back from git, or issue anew");
                return None;
            }
        };
        if (lock.phase == Phase::External) != external {
            let about = format!("the state of certificates is that of phase `{}`", lock.phase.as_str());
            let stated = self.stated.clone();
            self.wrong(&document.file, Span::default(), about)
                .related(stated, "where they are said to come from")
                .hint(format!("run `mtp certs issue --force{from}`"));
            return None;
        }
        let name = server_name(self.namespace);
        if let Some(other) = lock.served.iter().chain(&lock.next).find(|c| !c.is_for(&name)) {
            let about =
                format!("certificate {} is not for `{name}`, which the API server asks for", &other.sha256[..16]);
            self.wrong(&document.file, Span::default(), about).hint("issue anew: `mtp certs issue --force`");
            return None;
        }
        Some(Document { file: document.file, content: lock })
    }

    fn sops(&mut self) -> Option<CertificatesPlan> {
        let lock = self.lock(Phase::Serving)?;
        // Where there is no lock either, that is said once.
        let secret = self.file(SERVED, "run `mtp certs issue`")?;
        let sealed = match manifest::check(&secret.content, self.namespace) {
            Ok(sealed) => sealed,
            Err((span, why)) => {
                self.wrong(&secret.file, span, why).hint("take it back from git, or issue anew");
                return None;
            }
        };
        if manifest::certificate(&sealed) != lock.content.served.as_ref().map(|c| c.sha256.as_str()) {
            let about = format!("the certificate in the Secret is not the one that {LOCK} says is served");
            self.wrong(&secret.file, Span::default(), about)
                .hint("take both back from git, or run `mtp certs rotate` again");
            return None;
        }
        // What is staged is trusted from now on: its key must not be lost before it is served.
        if let Some(next) = &lock.content.next {
            let text = self.certs.get(NEXT).map(|text| manifest::check(text, self.namespace));
            let holds = matches!(&text, Some(Ok(sealed)) if manifest::certificate(sealed) == Some(&next.sha256));
            if !holds {
                let about = format!("{NEXT} is not the Secret of the certificate that is staged");
                self.wrong(&lock.file, Span::default(), about)
                    .hint("take it back from git, or stage another one: `mtp certs rotate --restage`");
                return None;
            }
        }
        Some(CertificatesPlan::Sops { lock, secret })
    }
}
