//! The findings about reach against brute force: everything of a small universe is tried.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::selector::{Labels, Selector};
use super::{Direction, Policy, Side, shift};

/// Labels of pods, or of namespaces: without the key, with a value that selectors name, and with another one.
fn labels(key: &str) -> Vec<Labels> {
    let with = |value: &str| Labels::from([(key.to_owned(), value.to_owned())]);
    vec![Labels::new(), with("a"), with("b"), with("other")]
}

const POD: &str = "app";
const NAMESPACE: &str = "team";

fn selector(key: &'static str) -> impl Strategy<Value = Value> {
    let one = move |operator: &str, values: &[&str]| {
        let values = if values.is_empty() { Value::Null } else { json!(values) };
        json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]})
    };
    prop_oneof![
        Just(json!({})),
        Just(json!({"matchLabels": {key: "a"}})),
        Just(one("In", &["a", "b"])),
        Just(one("NotIn", &["a"])),
        Just(one("Exists", &[])),
        Just(one("DoesNotExist", &[])),
        // Nothing has it.
        Just(
            json!({"matchLabels": {key: "a"}, "matchExpressions": [{"key": key, "operator": "NotIn", "values": ["a"]}]})
        ),
    ]
}

fn peer() -> impl Strategy<Value = Value> {
    prop_oneof![
        selector(POD).prop_map(|pods| json!({"podSelector": pods})),
        (selector(NAMESPACE), selector(POD))
            .prop_map(|(ns, pods)| json!({"namespaceSelector": ns, "podSelector": pods})),
        Just(json!({"ipBlock": {"cidr": "10.0.0.0/30"}})),
        Just(json!({"ipBlock": {"cidr": "10.0.0.0/29", "except": ["10.0.0.2/31"]}})),
        Just(json!({"ipBlock": {"cidr": "10.0.0.4/31"}})),
        Just(json!({"ipBlock": {"cidr": "fd00::/126", "except": ["fd00::2/128"]}})),
    ]
}

fn port() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!({"port": 80})),
        Just(json!({"port": 80, "endPort": 82, "protocol": "TCP"})),
        Just(json!({"port": 81, "protocol": "UDP"})),
        Just(json!({"protocol": "UDP"})),
        Just(json!({"port": "web"})),
    ]
}

fn rule() -> impl Strategy<Value = Value> {
    (prop::collection::vec(peer(), 0..3), prop::collection::vec(port(), 0..3))
        .prop_map(|(to, ports)| json!({"to": to, "ports": ports}))
}

fn policies() -> impl Strategy<Value = Vec<Value>> {
    let policy =
        (selector(POD), prop::collection::vec(rule(), 0..3), any::<bool>()).prop_map(|(pods, egress, speaks)| {
            let types = if speaks { json!(["Egress"]) } else { json!(["Ingress"]) };
            json!({"spec": {"podSelector": pods, "policyTypes": types, "egress": egress}})
        });
    prop::collection::vec(policy, 0..3)
}

/// What the documentation of NetworkPolicy says, tried on one pod, one peer and one port; nothing of the code under test but
/// the reading of selectors.
fn allows(
    policies: &[Value],
    own: &Labels,
    pod: &Labels,
    peer: &Peer,
    port: &(&str, Option<u64>, Option<&str>),
) -> bool {
    let selects = |value: &Value, labels: &Labels| Selector::read(value).expect("a selector").selects(labels);
    let mine: Vec<&Value> = policies
        .iter()
        .map(|policy| &policy["spec"])
        .filter(|spec| spec["policyTypes"][0] == "Egress" && selects(&spec["podSelector"], pod))
        .collect();
    if mine.is_empty() {
        return true;
    }
    let rules = mine.iter().flat_map(|spec| spec["egress"].as_array().expect("rules"));
    let mut rules = rules.filter(|rule| {
        let ports = rule["ports"].as_array().expect("ports");
        ports.is_empty()
            || ports.iter().any(|p| {
                let protocol = p["protocol"].as_str().unwrap_or("TCP");
                let (number, name) = (port.1, port.2);
                protocol == port.0
                    && match &p["port"] {
                        Value::Null => true,
                        Value::String(wanted) => name == Some(wanted),
                        wanted => {
                            let first = wanted.as_u64().expect("a number");
                            let last = p["endPort"].as_u64().unwrap_or(first);
                            number.is_some_and(|n| (first..=last).contains(&n))
                        }
                    }
            })
    });
    rules.any(|rule| {
        let peers = rule["to"].as_array().expect("peers");
        peers.is_empty()
            || peers.iter().any(|p| match (&p["ipBlock"], peer) {
                (Value::Null, Peer::Pod(namespace, labels)) => {
                    let inside = match (&p["namespaceSelector"], namespace) {
                        (Value::Null, None) => true,
                        (Value::Null, Some(_)) => false,
                        (wanted, None) => selects(wanted, own),
                        (wanted, Some(namespace)) => selects(wanted, namespace),
                    };
                    inside && selects(&p["podSelector"], labels)
                }
                (block, Peer::Address(address)) if !block.is_null() => {
                    let holds = |net: &Value| {
                        net.as_str().expect("a range").parse::<ipnet::IpNet>().expect("a range").contains(address)
                    };
                    let except = block["except"].as_array().cloned().unwrap_or_default();
                    holds(&block["cidr"]) && !except.iter().any(holds)
                }
                _ => false,
            })
    })
}

enum Peer {
    Address(std::net::IpAddr),
    /// The labels of its namespace, `None` for the own one, and its own.
    Pod(Option<Labels>, Labels),
}

fn peers() -> Vec<Peer> {
    let addresses = [
        "10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.6", "10.0.0.9", "fd00::1", "fd00::2",
        "fd00::9",
    ];
    let mut all: Vec<Peer> = addresses.iter().map(|a| Peer::Address(a.parse().expect("an address"))).collect();
    for pod in labels(POD) {
        all.push(Peer::Pod(None, pod.clone()));
        all.extend(labels(NAMESPACE).into_iter().map(|namespace| Peer::Pod(Some(namespace), pod.clone())));
    }
    all
}

fn read(policies: &[Value], own: &Labels) -> Side {
    let policies = policies.iter().map(|policy| Policy::read(policy).expect("a policy")).collect();
    Side { policies, labels: own.clone() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Something is said to be gained, or lost, exactly when there is a connection that is allowed on one side alone.
    #[test]
    fn gained_is_what_brute_force_finds(before in policies(), after in policies()) {
        let own: Labels = [(NAMESPACE.to_owned(), "b".to_owned())].into();
        let ports = [("TCP", Some(80), None), ("TCP", Some(81), None), ("TCP", Some(82), None), ("TCP", Some(443), None), ("UDP", Some(81), None),
            ("UDP", Some(9), None), ("SCTP", Some(80), None), ("TCP", None, Some("web")), ("TCP", None, Some("other"))];
        let (mut gained, mut lost) = (false, false);
        for pod in labels(POD) {
            for peer in peers() {
                for port in &ports {
                    let [was, is] = [&before, &after].map(|side| allows(side, &own, &pod, &peer, port));
                    gained |= is && !was;
                    lost |= was && !is;
                }
            }
        }
        let shift = shift(&read(&before, &own), &read(&after, &own), Direction::Egress);
        prop_assert!(!shift.is_guess);
        prop_assert_eq!(!shift.gained.is_empty(), gained, "gained: {:?}", shift);
        prop_assert_eq!(!shift.lost.is_empty(), lost, "lost: {:?}", shift);
    }
}
