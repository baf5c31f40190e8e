//! `TenantPlan`: who a tenant is and what each of its namespaces gets, resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::cidr;
use crate::contract::At;
use crate::contract::platform::{Egress, Protocol};
use crate::contract::tenant::{Peer, State};
use crate::diagnostic::Findings;
use crate::parse::{Missing, TenantDocument, forbidden_text};
use crate::place::{Place, Span};
use crate::plan::admission;
use crate::plan::gitops::{self, DeployPlan};
use crate::plan::platform::{PlatformPlan, cidr as read_cidr, plain, ports};
use crate::plan::tier::{self, TierPlan};
use crate::plan::{Hard, Links};
use crate::policy::restrictions::OwnLists;
use crate::templates::Extra;
use crate::yaml::shape::closest;

/// A tenant.
#[derive(Debug)]
pub struct TenantPlan {
    /// What was written.
    pub doc: TenantDocument,
    /// `metadata.name`.
    pub name: Arc<str>,
    /// The tenant's own state.
    pub state: State,
    /// Its tier.
    pub tier: Arc<TierPlan>,
    /// Its namespaces, in the order of their names.
    pub namespaces: Vec<NamespacePlan>,
    /// Names of users and of groups, prefix included, sorted, each once; admins, operators, viewers.
    pub subjects: [Subjects; 3],
    /// Labels of its Namespaces.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its Namespaces.
    pub annotations: BTreeMap<String, String>,
    /// Secrets that its default ServiceAccounts pull images with.
    pub pull_secrets: Vec<String>,
    /// What it deploys from repositories of its own, in the order of namespaces and names.
    pub deploy: Vec<DeployPlan>,
    /// What it may name, within what its tiers let.
    pub lists: OwnLists,
    /// Whether its pods reach the API server.
    pub api_server: bool,
    /// What its pods may connect to.
    pub egress: Vec<PeerPlan>,
    /// Who may connect to its pods.
    pub ingress: Vec<PeerPlan>,
}

/// Who has one of the three roles.
#[derive(Debug, Default)]
pub struct Subjects {
    /// Users, and where each is written.
    pub users: BTreeMap<String, Span>,
    /// Groups, and where each is written.
    pub groups: BTreeMap<String, Span>,
}

/// A namespace of a tenant.
#[derive(Debug)]
pub struct NamespacePlan {
    /// Its full name: `tenant-test-acme-acme`.
    pub name: Arc<str>,
    /// The last part of its name.
    pub part: Arc<str>,
    /// Where the author names it.
    pub span: Span,
    /// Its tier.
    pub tier: Arc<TierPlan>,
    /// The stricter of the tenant's state and its own.
    pub state: State,
    /// Its ceilings: the tier's, lowered or raised by the tenant.
    pub hard: Arc<Hard>,
    /// Whether its pods reach the internet.
    pub internet: bool,
    /// What the platform team's templates make here.
    pub extras: Vec<Extra>,
    /// What the tenant itself asks for; the rules hold it against the tier.
    pub own: Hard,
}

/// The other end of a connection.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PeerPlan {
    /// Where it is.
    pub whom: WherePlan,
    /// Labels of its pods; empty: all.
    pub pod_labels: BTreeMap<String, String>,
    /// Ports; empty: all.
    pub ports: Vec<PortPlan>,
    /// Where the author names it.
    pub span: Span,
}

/// Where the other end of a connection is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum WherePlan {
    /// At these addresses, without those.
    Cidr(IpNet, Vec<IpNet>),
    /// In this namespace.
    Namespace(String),
    /// In any namespace of this tenant.
    Tenant(String),
}

/// A port or a range of ports.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PortPlan {
    /// The protocol.
    pub protocol: Protocol,
    /// The first port.
    pub port: u16,
    /// The last port, of a range.
    pub end: Option<u16>,
}

impl TenantPlan {
    /// Where its name is written.
    pub fn name_at(&self) -> Place {
        self.doc.at(self.doc.content.metadata.name.span)
    }
}

/// What a tenant is resolved against.
pub struct Known<'a> {
    /// The Platform.
    pub platform: &'a PlatformPlan,
    /// The tiers by name.
    pub tiers: &'a BTreeMap<String, Arc<TierPlan>>,
    /// Who names whom.
    pub links: &'a Links,
    /// What could not be read.
    pub missing: &'a Missing,
}

/// Resolves a Tenant.
pub fn resolve(doc: TenantDocument, known: &Known<'_>, findings: &mut Findings) -> TenantPlan {
    let spec = &doc.content.spec.value;
    let name = &doc.content.metadata.name;
    let state = spec.state.map_or(State::Active, |s| s.value);
    let tier = tier(&spec.tier, &doc, known, findings);
    let mut namespaces = vec![NamespacePlan {
        name: full_name(name, &spec.name),
        part: spec.name.value.as_str().into(),
        span: spec.name.span,
        state,
        own: tier::values(&spec.quota, &doc.file, findings),
        hard: Arc::default(),
        internet: false,
        extras: Vec::new(),
        tier: Arc::clone(&tier),
    }];
    for entry in &spec.namespaces {
        let own_tier = entry.tier.as_ref().filter(|t| t.value != spec.tier.value);
        // The tenant's ceilings are meant for the tenant's tier; an entry with another tier states its own.
        let quota = if entry.quota.is_empty() && own_tier.is_none() { &spec.quota } else { &entry.quota };
        // What is wrong with the tenant's own has been said above; `into_sorted` keeps each problem once.
        namespaces.push(NamespacePlan {
            name: full_name(name, &entry.name),
            part: entry.name.value.as_str().into(),
            span: entry.name.span,
            state: entry.state.map_or(state, |s| s.value.max(state)),
            own: tier::values(quota, &doc.file, findings),
            hard: Arc::default(),
            internet: false,
            extras: Vec::new(),
            tier: own_tier.map_or_else(|| Arc::clone(&tier), |t| self::tier(t, &doc, known, findings)),
        });
    }
    namespaces.sort_by(|a, b| super::folder_order(&a.name, &b.name));
    for namespace in &mut namespaces {
        namespace.internet = spec.egress.internet.map_or(namespace.tier.egress == Egress::Internet, |i| i.value);
        namespace.hard = Arc::clone(&namespace.tier.hard);
        if !namespace.own.is_empty() {
            Arc::make_mut(&mut namespace.hard).extend(namespace.own.iter().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    let egress = peers(&spec.egress.allow, Direction::Egress, &doc, known, findings);
    let ingress = peers(&spec.ingress.allow, Direction::Ingress, &doc, known, findings);
    TenantPlan {
        name: name.value.as_str().into(),
        state,
        deploy: gitops::deploy(spec, &namespaces),
        namespaces,
        subjects: subjects(&doc, known.platform, findings),
        labels: plain(&spec.labels),
        annotations: plain(&spec.annotations),
        pull_secrets: spec.pull_secrets.iter().map(|s| s.value.clone()).collect(),
        lists: admission::own_lists(&spec.restrict),
        api_server: spec.egress.api_server.is_some_and(|a| a.value),
        egress,
        ingress,
        tier,
        doc,
    }
}

/// `tenant-<metadata.name>-<part>`.
pub fn full_name(tenant: &str, part: &str) -> Arc<str> {
    format!("tenant-{tenant}-{part}").into()
}

fn tier(name: &At<String>, doc: &TenantDocument, known: &Known<'_>, findings: &mut Findings) -> Arc<TierPlan> {
    if let Some(tier) = known.tiers.get(&name.value) {
        return Arc::clone(tier);
    }
    if !known.missing.may_hold("Tier", name) {
        let unknown = findings.error("T110", doc.at(name.span), format!("there is no Tier `{name}`"));
        let names = || known.tiers.keys().map(String::as_str);
        match closest(name, names()) {
            Some(close) => unknown.hint(format!("did you mean `{close}`?")),
            None => unknown.hint(format!("the tiers are {}", crate::yaml::shape::list(names().take(20)))),
        };
    }
    Arc::new(tier::unknown(doc, known.platform))
}

fn subjects(doc: &TenantDocument, platform: &PlatformPlan, findings: &mut Findings) -> [Subjects; 3] {
    let spec = &doc.content.spec.value;
    let mut named = |prefix: &str, names: &[At<String>]| -> BTreeMap<String, Span> {
        let whole = |name: &At<String>| {
            let whole = format!("{prefix}{name}");
            // A prefix that ends in `$` and a name that begins with a brace were both fine on their own.
            forbidden_text(&doc.file, &whole, name.span, findings);
            (whole, name.span)
        };
        names.iter().map(whole).collect()
    };
    let each = [
        (&spec.admins, &spec.groups.admins),
        (&spec.operators, &spec.groups.operators),
        (&spec.viewers, &spec.groups.viewers),
    ];
    each.map(|(users, groups)| Subjects {
        users: named(&platform.user_prefix, users),
        groups: named(&platform.group_prefix, groups),
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Egress,
    Ingress,
}

fn peers(
    allow: &[At<Peer>],
    direction: Direction,
    doc: &TenantDocument,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Vec<PeerPlan> {
    let mut all: Vec<PeerPlan> = allow
        .iter()
        .filter_map(|peer| {
            let whom = whom(peer, direction, doc, known, findings)?;
            Some(PeerPlan { whom, pod_labels: plain(&peer.pod_labels), ports: ports(&peer.ports), span: peer.span })
        })
        .collect();
    all.sort();
    all.dedup_by(|a, b| (&a.whom, &a.pod_labels, &a.ports) == (&b.whom, &b.pod_labels, &b.ports));
    all
}

fn whom(
    peer: &At<Peer>,
    direction: Direction,
    doc: &TenantDocument,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<WherePlan> {
    match (&peer.cidr, &peer.namespace, &peer.tenant) {
        (Some(text), None, None) => {
            let net = read_cidr(text, &doc.file, findings)?;
            if !peer.pod_labels.is_empty() {
                findings
                    .error("T405", doc.at(peer.span), "`podLabels` says nothing about a `cidr`")
                    .hint("take it out");
            }
            open_cidr(net, text, doc, known, findings)
        }
        (None, Some(namespace), None) => Some(WherePlan::Namespace(namespace.value.clone())),
        (None, None, Some(tenant)) => agreed(tenant, direction, doc, known, findings),
        _ => {
            findings
                .error("T405", doc.at(peer.span), "expected exactly one of `cidr`, `namespace` and `tenant` in a peer")
                .hint("write one entry for each");
            None
        }
    }
}

/// A tenant's range of addresses: never inside of what the platform keeps closed, never without its exceptions.
fn open_cidr(
    net: IpNet,
    text: &At<String>,
    doc: &TenantDocument,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<WherePlan> {
    let network = &known.platform.network;
    let at = || doc.at(text.span);
    let allowed: Vec<&IpNet> = network.allowed.iter().filter(|allowed| allowed.contains(&net)).collect();
    // A wide range that is allowed leaves out what is blocked in it, however narrowly a tenant names that.
    let meant = |blocked: &IpNet| allowed.iter().any(|allowed| blocked.contains(*allowed));
    if let Some(blocked) = network.blocked.holding(&net).into_iter().find(|blocked| !meant(blocked)) {
        findings
            .error("T403", at(), format!("`{text}` lies in `{blocked}`, which no tenant reaches"))
            .hint("the platform team can list it in the Platform's network.allowedCidrs");
        return None;
    }
    if !allowed.is_empty() {
        return Some(WherePlan::Cidr(net, network.blocked.except(&net)));
    }
    let v6 = matches!(net, IpNet::V6(_));
    let private = network.blocked.private_holding(&net);
    // What is private behind a prefix of NAT64 is so by its IPv4 address; no other private range of IPv6 is that small.
    let own_v6 = v6 && private.is_none_or(|net| net.prefix_len() < 96);
    if private.is_some() && !network.stated[usize::from(own_v6)] {
        let family = if own_v6 { "IPv6" } else { "IPv4" };
        findings
            .error("T403", at(), format!("nobody can tell whether the private range `{text}` holds nodes or pods"))
            .hint(format!(
                "the Platform's network has to state clusterCidrs, serviceCidrs and nodeCidrs for {family}, or to list it \
                 in allowedCidrs"
            ));
        return None;
    }
    if v6 && private.is_none() && !cidr::internet6().contains(&net) {
        findings
            .error("T402", at(), format!("`{text}` reaches beyond the internet's addresses `2000::/3`"))
            .hint("write `2000::/3` for all of the internet");
        return None;
    }
    Some(WherePlan::Cidr(net, network.blocked.except(&net)))
}

/// A connection between two tenants opens when both have written it down.
fn agreed(
    peer: &At<String>,
    direction: Direction,
    doc: &TenantDocument,
    known: &Known<'_>,
    findings: &mut Findings,
) -> Option<WherePlan> {
    let own = &doc.content.metadata.name.value;
    let at = doc.at(peer.span);
    if *own == peer.value {
        return Some(WherePlan::Tenant(peer.value.clone()));
    }
    if !known.links.names.contains(&peer.value) {
        if !known.missing.may_hold("Tenant", peer) {
            let unknown = findings.error("T406", at, format!("there is no Tenant `{peer}`"));
            if let Some(close) = closest(peer, known.links.names.iter().map(String::as_str)) {
                unknown.hint(format!("did you mean `{close}`?"));
            }
        }
        return None;
    }
    let (pair, theirs, field) = match direction {
        Direction::Egress => ((own.clone(), peer.value.clone()), &known.links.ingress, "ingress.allow"),
        Direction::Ingress => ((peer.value.clone(), own.clone()), &known.links.egress, "egress.allow"),
    };
    if theirs.contains(&pair) {
        return Some(WherePlan::Tenant(peer.value.clone()));
    }
    findings
        .warning("T407", at, format!("tenant `{peer}` does not name `{own}` in its {field}, so that this stays closed"))
        .hint("both sides have to agree");
    None
}
