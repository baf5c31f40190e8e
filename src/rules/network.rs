//! Rules about the network: nothing is opened that the platform keeps closed, and nothing by a name that anyone can take.

use super::{Check, Check::Stage, Rule};
use crate::contract::At;
use crate::contract::platform::Port;
use crate::diagnostic::Findings;
use crate::place::Place;
use crate::plan::{Plan, TenantPlan};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T401",
        title: "no range of addresses",
        why: "The API server refuses a range that does not parse, and since 1.37 one with bits behind its prefix.",
        fix: "Write an address, a slash and a length: `203.0.113.0/24`.",
        check: Stage,
    },
    Rule {
        id: "T402",
        title: "a range outside of its family",
        why: "IPv4 in the form of IPv6 matches nothing, and `::/0` reaches metadata services that no exception covers.",
        fix: "Write IPv4 as IPv4, and `2000::/3` for the internet's IPv6.",
        check: Stage,
    },
    Rule {
        id: "T403",
        title: "a range that no tenant reaches",
        why: "Metadata services hand out the node's credentials; nodes, Services and pods of others are not a tenant's to open. \
              Of a private range nobody can tell what it holds unless the Platform states its own.",
        fix: "Have the platform team list it in `network.allowedCidrs`, or state `clusterCidrs`, `serviceCidrs` and `nodeCidrs`.",
        check: Stage,
    },
    Rule {
        id: "T404",
        title: "no port",
        why: "Ports go from 1 to 65535, and a range ends where it begins or later.",
        fix: "Correct the number; `endPort` is the last port of the range.",
        check: Check::Plan(ports),
    },
    Rule {
        id: "T405",
        title: "a peer that is not one thing",
        why: "NetworkPolicy would take several selectors in one peer as \"all of these\", which is rarely meant.",
        fix: "Write one entry for each `cidr`, `namespace` or `tenant`.",
        check: Stage,
    },
    Rule {
        id: "T406",
        title: "unknown tenant",
        why: "A peer that does not exist opens nothing, until somebody takes its name.",
        fix: "Correct the name.",
        check: Stage,
    },
    Rule {
        id: "T407",
        title: "the other side does not agree",
        why: "A connection between two tenants opens when both have written it down, so that neither can open itself into the \
              other.",
        fix: "Have the other tenant add the entry, or take this one out.",
        check: Stage,
    },
    Rule {
        id: "T408",
        title: "the API server's address is not known",
        why: "Nothing could be opened for the tenant, which asked for it.",
        fix: "State `network.apiServer.cidrs` in the Platform.",
        check: Check::Tenant(api_server),
    },
    Rule {
        id: "T409",
        title: "a namespace that is not open to tenants",
        why: "Namespaces of Kubernetes and of the platform are not a tenant's to reach, and those of another tenant open by \
              `tenant`, which needs both sides.",
        fix: "Name a shared namespace, or use `tenant`.",
        check: Check::Tenant(namespaces),
    },
    Rule {
        id: "T410",
        title: "a server at every address",
        why: "An API server or a DNS without addresses, or with all of them, would open its port to everybody.",
        fix: "State the addresses of the servers.",
        check: Check::Plan(empty),
    },
];

fn ports(plan: &Plan, findings: &mut Findings) {
    let mut look = |port: &At<Port>, at: &dyn Fn(crate::place::Span) -> Place| {
        if port.port.value == 0 {
            findings.error("T404", at(port.port.span), "expected a port from 1 to 65535, found 0");
        }
        if let Some(end) = port.end_port.filter(|end| end.value < port.port.value) {
            let about = format!("the range ends at {end}, before it begins at {}", port.port);
            findings.error("T404", at(end.span), about);
        }
    };
    let platform = &plan.platform.doc;
    let network = &platform.content.spec.network;
    for port in network.ingress_from.iter().flat_map(|from| &from.ports) {
        look(port, &|span| platform.at(span));
    }
    for tenant in &plan.tenants {
        let spec = &tenant.doc.content.spec;
        for port in spec.egress.allow.iter().chain(&spec.ingress.allow).flat_map(|peer| &peer.ports) {
            look(port, &|span| tenant.doc.at(span));
        }
    }
    let dns = network.dns.iter().flat_map(|dns| &dns.ports);
    for port in dns.chain(network.api_server.iter().flat_map(|api| &api.ports)).filter(|port| port.value == 0) {
        findings.error("T404", platform.at(port.span), "expected a port from 1 to 65535, found 0");
    }
}

fn api_server(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let asked = tenant.doc.content.spec.egress.api_server.filter(|asked| asked.value);
    if let (Some(asked), None) = (asked, &plan.platform.network.api_server) {
        findings
            .error("T408", tenant.doc.at(asked.span), "the Platform does not say where the API server is")
            .hint("the platform team can add `network.apiServer.cidrs`");
    }
}

fn namespaces(plan: &Plan, tenant: &TenantPlan, findings: &mut Findings) {
    let spec = &tenant.doc.content.spec;
    let own = &plan.platform.doc.content.spec.reserved_names;
    for (peer, egress) in
        spec.egress.allow.iter().map(|p| (p, true)).chain(spec.ingress.allow.iter().map(|p| (p, false)))
    {
        let Some(namespace) = &peer.namespace else { continue };
        let mut refuse = |why: String, hint: &str| {
            findings.error("T409", tenant.doc.at(namespace.span), why).hint(hint);
        };
        if namespace.starts_with("tenant-") {
            refuse(format!("`{namespace}` is a tenant's namespace"), "write `tenant: NAME`; both sides have to agree");
        } else if namespace.starts_with("kube-")
            || namespace.value == "default"
            || namespace.value == *plan.platform.namespace
            || namespace.value == *plan.platform.network.dns_namespace
            || plan.platform.gitops.as_ref().is_some_and(|gitops| gitops.runs_in(namespace))
            || own.iter().any(|reserved| reserved == namespace)
        {
            let way = if egress { "to" } else { "from" };
            refuse(format!("no tenant opens itself {way} `{namespace}`"), "DNS and the platform are open already");
        } else if !crate::names::is_dns_label(namespace) {
            refuse(format!("`{namespace}` is no name of a namespace"), "use lower-case letters, digits and `-`");
        }
    }
}

fn empty(plan: &Plan, findings: &mut Findings) {
    let platform = &plan.platform.doc;
    let network = &platform.content.spec.network;
    if let Some(api) = network.api_server.as_ref().filter(|api| api.cidrs.is_empty()) {
        findings
            .error("T410", platform.at(api.span), "`network.apiServer.cidrs` is empty")
            .hint("state the addresses, or take `apiServer` out");
    }
    let named = network.api_server.iter().flat_map(|api| &api.cidrs);
    let servers = network.dns.iter().flat_map(|dns| &dns.cidrs);
    for text in named.chain(servers) {
        if crate::cidr::parse(text).is_ok_and(|net| net.prefix_len() < 8) {
            findings
                .error("T410", platform.at(text.span), format!("`{text}` is no address of a server"))
                .hint("state the addresses of the servers, such as `10.0.0.10/32`");
        }
    }
    if let Some(name) = network.dns.as_ref().and_then(|dns| dns.namespace.as_ref()).filter(|n| n.starts_with("tenant-"))
    {
        let about = format!("`{name}` is a tenant's namespace, not the DNS servers'");
        findings
            .error("T409", platform.at(name.span), about)
            .hint("the cluster's DNS is in `kube-system` nearly everywhere");
    }
    for from in &network.ingress_from {
        let name = &from.namespace;
        if !crate::names::is_dns_label(name) || name.starts_with("tenant-") {
            let about = format!("`{name}` is no namespace of an ingress controller or of monitoring");
            findings.error("T409", platform.at(name.span), about);
        }
    }
}
