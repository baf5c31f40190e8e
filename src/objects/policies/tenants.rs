//! What tenants may write themselves, since these policies look at it: NetworkPolicies, and bindings of Roles.
//!
//! NetworkPolicies add up: one that a tenant writes opens what the rendered ones keep closed, the address of the node's
//! metadata included. So its peers are its own namespaces, whole peers that its tenant file allows, and addresses of the internet
//! where that is open. Bindings hand out rights: to people of its tenant file, and to ServiceAccounts of its namespaces.
//!
//! What a tenant may name stands in annotations of its Namespaces.

use std::collections::BTreeSet;
use std::fmt::Display;

use k8s_openapi::api::admissionregistration::v1::NamedRuleWithOperations;

use super::managed::is_managed as managed;
use super::namespaces::in_group;
use super::{Judge, identities, in_tenants, quoted_list, rule, validation};
use crate::contract::tenant::State;
use crate::objects::meta::{NAMESPACE_NAME, TENANT};
use crate::objects::{InNamespace, Kind, network_policy, role_binding};
use crate::plan::admission::PoliciesPlan;
use crate::plan::{PeerPlan, Plan, WherePlan};

/// Annotations of a Namespace, each a list with spaces between: whom NetworkPolicies may name as the other end of what goes
/// out and of what comes in, and whom bindings may name.
pub const EGRESS: &str = "tenant.k8s-mtp.io/egress-peers";
/// See [`EGRESS`].
pub const INGRESS: &str = "tenant.k8s-mtp.io/ingress-peers";
/// See [`EGRESS`].
pub const SUBJECTS: &str = "tenant.k8s-mtp.io/subjects";

/// In [`EGRESS`]: the internet.
pub const INTERNET: &str = "internet";

/// The annotations of a tenant's Namespace.
pub fn annotations(scope: &InNamespace<'_>) -> [(String, String); 3] {
    // What is not active is opened to nobody, nor handed on.
    if scope.namespace.state != State::Active {
        return [EGRESS, INGRESS, SUBJECTS].map(|key| (key.to_owned(), String::new()));
    }
    let tenant = scope.tenant;
    let namespaces = || tenant.namespaces.iter().map(|namespace| format!("namespace/{}", namespace.name));
    let own = || namespaces().chain([format!("tenant/{}", tenant.name)]);
    // A peer with ports or labels is opened by what is rendered, and only that far.
    let whole = |peers: &[PeerPlan]| -> Vec<String> {
        let whole = peers.iter().filter(|peer| peer.ports.is_empty() && peer.pod_labels.is_empty());
        whole.filter_map(|peer| token(&peer.whom)).collect()
    };
    let internet = scope.namespace.internet.then(|| INTERNET.to_owned());
    let people = tenant.subjects.iter().flat_map(|who| {
        let users = who.users.keys().map(|name| encoded("User", name));
        users.chain(who.groups.keys().map(|name| encoded("Group", name)))
    });
    let programs = tenant.namespaces.iter().map(|namespace| format!("ServiceAccounts/{}", namespace.name));
    [
        (EGRESS.to_owned(), list(own().chain(whole(&tenant.egress)).chain(internet))),
        (INGRESS.to_owned(), list(own().chain(whole(&tenant.ingress)))),
        (SUBJECTS.to_owned(), list(people.chain(programs))),
    ]
}

fn token(whom: &WherePlan) -> Option<String> {
    match whom {
        WherePlan::Namespace(name) => Some(format!("namespace/{name}")),
        WherePlan::Tenant(name) => Some(format!("tenant/{name}")),
        WherePlan::Cidr(net, except) => except.is_empty().then(|| format!("cidr/{net}")),
    }
}

/// A person as [`SUBJECTS`] lists him: a name may have spaces.
pub fn encoded(kind: &str, name: impl Display) -> String {
    format!("{kind}/{}", name.to_string().replace('%', "%25").replace(' ', "%20"))
}

fn list(all: impl Iterator<Item = String>) -> String {
    all.collect::<BTreeSet<String>>().into_iter().collect::<Vec<String>>().join(" ")
}

/// The policies about what tenants write.
pub fn judges(plan: &Plan, policies: &PoliciesPlan) -> Vec<Judge> {
    vec![network_policies(plan, policies), role_bindings(plan, policies)]
}

fn about(kind: &Kind, resource: &str) -> Vec<NamedRuleWithOperations> {
    vec![rule("Namespaced", &["CREATE", "UPDATE"], kind.group, &[resource])]
}

/// Who is not asked: who applies what is rendered, and what he renders is judged by [`super::managed`].
fn of_tenants(plan: &Plan, policies: &PoliciesPlan) -> Vec<(&'static str, String)> {
    let managed = format!("{}\n|| {}", managed("object"), managed("oldObject"));
    let identities = quoted_list(identities(plan));
    let others = format!("!(request.userInfo.username in {identities} || {})", in_group(&policies.break_glass));
    vec![("of-tenants", format!("!({managed})")), ("others", others)]
}

/// That something is said anew: what was written while it might be stays as it is, and has to go when somebody wants it to, which
/// takes a finalizer out.
fn changed(field: &str) -> (&'static str, String) {
    ("changed", format!("request.operation == 'CREATE' || object.?{field} != oldObject.?{field}"))
}

/// What an annotation lists.
fn listed(name: &str, annotation: &str) -> (String, String) {
    let expression = format!("namespaceObject.metadata.?annotations[?'{annotation}'].orValue('').split(' ')");
    (name.to_owned(), expression)
}

/// The other end `p` of a rule, which is to be among `peers`; `blocks` says which addresses may be.
fn peer(peers: &str, blocks: &str) -> String {
    let labels = "p.namespaceSelector.?matchLabels";
    let by = |key: &str, kind: &str| {
        let among = |value: &str| format!("'{kind}/' + {value} in variables.{peers}");
        format!(
            "({labels}[?'{key}'].hasValue() && {one})\n\
             || p.namespaceSelector.?matchExpressions.orValue([]).exists(e, e.operator == 'In' && e.key == '{key}'\n\
             && e.?values.orValue([]).all(v, {each}))",
            one = among(&format!("p.namespaceSelector.matchLabels['{key}']")),
            each = among("v"),
        )
    };
    format!(
        "has(p.ipBlock) ? ({blocks}) :\n\
         !has(p.namespaceSelector) ? 'namespace/' + request.namespace in variables.{peers} :\n{}\n|| {}",
        by(NAMESPACE_NAME, "namespace"),
        by(TENANT, "tenant")
    )
}

/// Addresses that the tenant file allows.
fn blocks(peers: &str) -> String {
    format!("variables.{peers}.exists(t, t.startsWith('cidr/') && cidr(t.substring(5)).containsCIDR(p.ipBlock.cidr))")
}

/// The same, and those of the internet where it is open, but for what stays closed in it.
fn public(plan: &Plan, peers: &str) -> String {
    let internet = &plan.platform.network.internet;
    if internet.is_empty() {
        return blocks(peers);
    }
    let open = quoted_list(internet.iter().map(|(net, _)| net.to_string()));
    let closed = quoted_list(internet.iter().flat_map(|(_, except)| except).map(ToString::to_string));
    format!(
        "{}\n\
         || '{INTERNET}' in variables.{peers} && {open}.exists(n, cidr(n).containsCIDR(p.ipBlock.cidr))\n\
         && {closed}.all(b, !cidr(b).containsCIDR(p.ipBlock.cidr) && (!cidr(p.ipBlock.cidr).containsCIDR(b)\n\
         || p.ipBlock.?except.orValue([]).exists(e, cidr(e).containsCIDR(b))))",
        blocks(peers)
    )
}

/// What is said of a NetworkPolicy, of its rules of one direction: `egress`, `ingress`.
pub fn network_message(direction: &str) -> String {
    let annotation = if direction == "egress" { EGRESS } else { INGRESS };
    format!("{direction} of a tenant's NetworkPolicy names whom {annotation} of its Namespace lists, and nobody else")
}

/// What is said of a RoleBinding.
pub fn binding_message() -> String {
    format!("a tenant's RoleBinding names whom {SUBJECTS} of its Namespace lists, and nobody else")
}

fn network_policies(plan: &Plan, policies: &PoliciesPlan) -> Judge {
    // A rule without the other end is about everybody.
    let rules = |field: &str, side: &str, peer: &str| {
        let rules = format!("object.spec.?{field}.orValue([])");
        format!("{rules}.all(r, r.?{side}.orValue([]).size() > 0 && r.{side}.all(p,\n{peer}))")
    };
    Judge {
        name: "k8s-mtp-network-policies".to_owned(),
        about: in_tenants(Vec::new(), about(&network_policy::KIND, "networkpolicies")),
        when: of_tenants(plan, policies).into_iter().chain([changed("spec")]).collect(),
        variables: vec![listed("egressPeers", EGRESS), listed("ingressPeers", INGRESS)],
        validations: vec![
            validation(
                rules("egress", "to", &peer("egressPeers", &public(plan, "egressPeers"))),
                &network_message("egress"),
                None,
            ),
            validation(
                rules("ingress", "from", &peer("ingressPeers", &blocks("ingressPeers"))),
                &network_message("ingress"),
                None,
            ),
        ],
        notes: Vec::new(),
        actions: &["Deny"],
    }
}

fn role_bindings(plan: &Plan, policies: &PoliciesPlan) -> Judge {
    let subjects = "object.?subjects.orValue([]).all(s,\n\
                    s.kind == 'ServiceAccount' ? 'ServiceAccounts/' + s.?namespace.orValue('') in variables.subjects :\n\
                    s.kind + '/' + s.name.replace('%', '%25').replace(' ', '%20') in variables.subjects\n\
                    || s.kind == 'Group' && s.name.startsWith('system:serviceaccounts:')\n\
                    && 'ServiceAccounts/' + s.name.substring(23) in variables.subjects)";
    Judge {
        name: "k8s-mtp-role-bindings".to_owned(),
        about: in_tenants(Vec::new(), about(&role_binding::KIND, "rolebindings")),
        when: of_tenants(plan, policies).into_iter().chain([changed("subjects")]).collect(),
        variables: vec![listed("subjects", SUBJECTS)],
        validations: vec![validation(subjects, &binding_message(), None)],
        notes: Vec::new(),
        actions: &["Deny"],
    }
}
