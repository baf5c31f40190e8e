//! `PlatformPlan`: what holds for every tenant, resolved.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::{IpNet, Ipv6Net};

use crate::cidr::{self, Blocked, NoCidr};
use crate::contract::platform::{
    Dns, Egress, ExtraRule, IngressFrom, Layout, Network, PlatformSpec, PodSecurity, PodSecurityLevel, Port,
};
use crate::contract::{At, PlatformFile};
use crate::diagnostic::Findings;
use crate::parse::Document;
use crate::place::Place;
use crate::plan::admission::{self, AdmissionPlan, CertificateFiles};
use crate::plan::gitops::{self, GitopsPlan};
use crate::plan::review::{self, ReviewPlan};
use crate::plan::sync::{self, SyncPlan};
use crate::plan::tenant::PortPlan;

/// The oldest and the newest minor version of Kubernetes that is rendered for.
pub const KUBERNETES: std::ops::RangeInclusive<u32> = 34..=37;

/// What holds for every tenant.
#[derive(Debug)]
pub struct PlatformPlan {
    /// What was written.
    pub doc: Document<PlatformFile>,
    /// The platform's own namespace.
    pub namespace: Arc<str>,
    /// Minor version of the cluster: 36 for 1.36.
    pub kubernetes: u32,
    /// Put before user names.
    pub user_prefix: String,
    /// Put before group names.
    pub group_prefix: String,
    /// The network.
    pub network: NetworkPlan,
    /// Pod Security of tenant namespaces whose tier states none.
    pub pod_security: PodSecurityPlan,
    /// Rights of custom resources for admins, operators and viewers.
    pub extra_rules: [Vec<At<ExtraRule>>; 3],
    /// Secrets that default ServiceAccounts pull images with.
    pub pull_secrets: Vec<String>,
    /// Who judges tenants' pods.
    pub admission: AdmissionPlan,
    /// What a change may not do unless somebody answers for it.
    pub review: ReviewPlan,
    /// Who applies `rendered/` from git; `None`: nobody does.
    pub gitops: Option<GitopsPlan>,
    /// What applies `rendered/` from within the cluster; `None`: nothing of ours does.
    pub sync: Option<SyncPlan>,
    /// How many objects a file holds.
    pub layout: Layout,
}

/// Pod Security of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodSecurityPlan {
    /// The level.
    pub level: PodSecurityLevel,
    /// `v1.36` or `latest`.
    pub version: String,
}

/// The network, resolved.
#[derive(Debug)]
pub struct NetworkPlan {
    /// What tenants reach when neither they nor their tier say otherwise.
    pub egress: Egress,
    /// Namespace of the DNS pods.
    pub dns_namespace: String,
    /// Labels of the DNS pods.
    pub dns_labels: BTreeMap<String, String>,
    /// Ports of the DNS.
    pub dns_ports: Vec<u16>,
    /// DNS servers that are no pods.
    pub dns_cidrs: Vec<IpNet>,
    /// Labels of pods of the platform that reach every tenant; empty: none does.
    pub platform_labels: BTreeMap<String, String>,
    /// Further pods that reach tenants.
    pub ingress_from: Vec<IngressFromPlan>,
    /// The API server's addresses and ports; `None` where the Platform does not say.
    pub api_server: Option<(Vec<IpNet>, Vec<u16>)>,
    /// What stays closed.
    pub blocked: Blocked,
    /// What tenants may open although it is blocked.
    pub allowed: Vec<IpNet>,
    /// Whether nodes, Services and pods are all stated for IPv4, and for IPv6: only then it is known what a private range
    /// holds.
    pub stated: [bool; 2],
    /// What the internet is: ranges and what is taken out of each.
    pub internet: Vec<(IpNet, Vec<IpNet>)>,
}

/// Pods of another namespace that reach tenants' pods.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IngressFromPlan {
    /// Their namespace.
    pub namespace: String,
    /// Their labels; empty: all of them.
    pub pod_labels: BTreeMap<String, String>,
    /// Ports of the tenants; empty: all.
    pub ports: Vec<PortPlan>,
}

/// Resolves the Platform.
pub fn resolve(doc: Document<PlatformFile>, certs: &CertificateFiles, findings: &mut Findings) -> PlatformPlan {
    let spec = &doc.content.spec.value;
    let kubernetes = minor(&spec.kubernetes_version, &doc, findings);
    let text = |value: &Option<At<String>>| value.as_ref().map(|v| v.value.clone()).unwrap_or_default();
    let namespace = namespace(spec);
    let base = PodSecurityPlan { level: PodSecurityLevel::Restricted, version: format!("v1.{kubernetes}") };
    let network = network(&spec.network, &doc.file, findings);
    let admission = admission::resolve(&spec.admission, namespace, &doc.file, certs, findings);
    let review = review::resolve(&spec.review, &doc.file, doc.content.spec.span, findings);
    let PlatformSpec { roles, output, .. } = spec;
    PlatformPlan {
        namespace: namespace.into(),
        kubernetes,
        user_prefix: text(&spec.identity.user_prefix),
        group_prefix: text(&spec.identity.group_prefix),
        network,
        pod_security: pod_security(&spec.pod_security, &base),
        extra_rules: [&roles.admin, &roles.operator, &roles.viewer].map(|r| r.extra_rules.clone()),
        pull_secrets: spec.image_pull_secrets.iter().map(|s| s.value.clone()).collect(),
        admission,
        review,
        gitops: gitops::resolve(&spec.gitops, doc.at(doc.content.spec.span)),
        sync: spec.sync.as_ref().map(|sync| sync::resolve(sync, &doc)),
        layout: output.layout.map_or(Layout::Object, |l| l.value),
        doc,
    }
}

/// The platform's own namespace.
pub fn namespace(spec: &PlatformSpec) -> &str {
    spec.namespace.as_ref().map_or("k8s-mtp", |n| n.value.as_str())
}

/// What `own` states, and `base` where it does not.
pub fn pod_security(own: &PodSecurity, base: &PodSecurityPlan) -> PodSecurityPlan {
    PodSecurityPlan {
        level: own.level.map_or(base.level, |l| l.value),
        version: own.version.as_ref().map_or_else(|| base.version.clone(), |v| v.value.clone()),
    }
}

fn minor(version: &At<String>, doc: &Document<PlatformFile>, findings: &mut Findings) -> u32 {
    let minor = version.strip_prefix("1.").and_then(|m| m.parse().ok()).filter(|m| KUBERNETES.contains(m));
    minor.unwrap_or_else(|| {
        let (low, high) = (KUBERNETES.start(), KUBERNETES.end());
        let found = format!("expected a kubernetesVersion from \"1.{low}\" to \"1.{high}\", found `{version}`");
        findings.error("T602", doc.at(version.span), found);
        *high
    })
}

fn network(network: &Network, file: &Arc<str>, findings: &mut Findings) -> NetworkPlan {
    // Sorted, each once: the order in which an author lists ranges changes no byte.
    let mut nets = |list: &[At<String>]| -> Vec<IpNet> {
        let mut nets: Vec<IpNet> = list.iter().filter_map(|text| cidr(text, file, findings)).collect();
        nets.sort();
        nets.dedup();
        nets
    };
    let own = [&network.cluster_cidrs, &network.service_cidrs, &network.node_cidrs].map(|list| nets(list));
    let extra = nets(&network.blocked_cidrs);
    let allowed = nets(&network.allowed_cidrs);
    let dns_cidrs = network.dns.as_ref().map(|dns| nets(&dns.cidrs)).unwrap_or_default();
    let api_server =
        network.api_server.as_ref().map(|api| (nets(&api.cidrs), numbers(&api.ports).unwrap_or_else(|| vec![6443])));
    let has = |v6: bool| own.iter().all(|list| list.iter().any(|net| matches!(net, IpNet::V6(_)) == v6));
    let stated = [has(false), has(true)];
    let nat64 = nat64(&network.nat64_prefixes, file, findings);
    let blocked = Blocked::new(own.into_iter().flatten().chain(extra), &nat64);
    let whole = [cidr::internet4(), cidr::internet6()].into_iter().chain(nat64.into_iter().map(IpNet::V6));
    // A family that is blocked as a whole has no exceptions: nothing of it is opened.
    let open = whole.filter(|whole| blocked.holding(whole).is_empty());
    let internet = open.map(|whole| (whole, blocked.except(&whole))).collect();
    let mut ingress_from: Vec<IngressFromPlan> = network.ingress_from.iter().map(|from| ingress_from(from)).collect();
    ingress_from.sort();
    ingress_from.dedup();
    NetworkPlan {
        egress: network.egress.map_or(Egress::None, |e| e.value),
        dns_namespace: dns(network, |d| d.namespace.as_ref().map(|n| n.value.clone()))
            .unwrap_or_else(|| "kube-system".to_owned()),
        dns_labels: dns(network, |d| Some(plain(&d.pod_labels)).filter(|l| !l.is_empty()))
            .unwrap_or_else(|| BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())])),
        dns_ports: dns(network, |d| numbers(&d.ports)).unwrap_or_else(|| vec![53]),
        dns_cidrs,
        platform_labels: plain(&network.platform_access_labels),
        ingress_from,
        api_server,
        blocked,
        allowed,
        stated,
        internet,
    }
}

fn nat64(prefixes: &[At<String>], file: &Arc<str>, findings: &mut Findings) -> Vec<Ipv6Net> {
    let mut prefixes: Vec<Ipv6Net> = prefixes
        .iter()
        .filter_map(|text| match cidr(text, file, findings)? {
            IpNet::V6(v6) if v6.prefix_len() == 96 => Some(v6),
            _ => {
                let found = format!("expected an IPv6 prefix of length 96 in `nat64Prefixes`, found `{text}`");
                findings.error("T402", Place::new(file, text.span), found);
                None
            }
        })
        .collect();
    prefixes.sort();
    prefixes.dedup();
    prefixes
}

fn dns<T>(network: &Network, get: impl Fn(&Dns) -> Option<T>) -> Option<T> {
    network.dns.as_ref().and_then(get)
}

/// Port numbers, sorted, each once; `None` where there are none.
fn numbers(ports: &[At<u16>]) -> Option<Vec<u16>> {
    let ports: std::collections::BTreeSet<u16> = ports.iter().map(|p| p.value).collect();
    (!ports.is_empty()).then(|| ports.into_iter().collect())
}

fn ingress_from(from: &IngressFrom) -> IngressFromPlan {
    IngressFromPlan {
        namespace: from.namespace.value.clone(),
        pod_labels: plain(&from.pod_labels),
        ports: ports(&from.ports),
    }
}

/// Ports, sorted, each once.
pub fn ports(ports: &[At<Port>]) -> Vec<PortPlan> {
    let mut ports: Vec<PortPlan> = ports
        .iter()
        .map(|p| PortPlan { protocol: p.protocol, port: p.port.value, end: p.end_port.map(|e| e.value) })
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

/// Labels without their places.
pub fn plain(labels: &BTreeMap<At<String>, At<String>>) -> BTreeMap<String, String> {
    labels.iter().map(|(k, v)| (k.value.clone(), v.value.clone())).collect()
}

/// Reads a range of addresses, or reports what is wrong with it.
pub fn cidr(text: &At<String>, file: &Arc<str>, findings: &mut Findings) -> Option<IpNet> {
    let at = || Place::new(file, text.span);
    match cidr::parse(text) {
        Ok(net) => Some(net),
        Err(NoCidr::Form) => {
            findings
                .error("T401", at(), format!("expected a range of addresses, found `{text}`"))
                .hint("write `203.0.113.0/24`, `203.0.113.7/32` or `2001:db8::/32`");
            None
        }
        Err(NoCidr::HostBits(net)) => {
            findings
                .error("T401", at(), format!("`{text}` has bits set behind its prefix"))
                .hint(format!("write `{net}`, or a longer prefix"));
            None
        }
        Err(NoCidr::Mapped) => {
            findings
                .error("T402", at(), format!("`{text}` is an IPv4 address in the form of IPv6"))
                .hint("write it as IPv4");
            None
        }
    }
}
