//! NetworkPolicies as values: whom each isolates, and what it lets through.

use std::collections::BTreeMap;

use ipnet::IpNet;
use serde_json::Value;

use super::selector::Selector;
use crate::contract::platform::Protocol;
use crate::objects::meta;

/// Which way a connection is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// To the pods that a policy selects.
    Ingress,
    /// From them.
    Egress,
}

/// A NetworkPolicy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Policy {
    /// The pods that it is for.
    pub pods: Selector,
    /// What may come in; `None`: it does not say.
    pub ingress: Option<Vec<Opening>>,
    /// What may go out; `None`: it does not say.
    pub egress: Option<Vec<Opening>>,
}

/// What a rule of a policy lets through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Opening {
    /// The other ends; `None`: everybody.
    pub peers: Option<Vec<Peer>>,
    /// The ports; `None`: all.
    pub ports: Option<Vec<Ports>>,
}

/// The other end of a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// Addresses, without some of them.
    Block(IpNet, Vec<IpNet>),
    /// Pods: of the policy's own namespace, or of those that are selected.
    Pods(Option<Selector>, Selector),
}

/// Ports of one protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ports {
    /// The protocol.
    pub protocol: Protocol,
    /// Which ports.
    pub which: Which,
}

/// Which ports of a protocol.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// All.
    All,
    /// From the first to the last.
    Range(u16, u16),
    /// The one of that name, whichever number a pod gives it.
    Named(String),
}

impl Policy {
    /// Reads the manifest of one; `None` where the API server would take none of that.
    pub fn read(manifest: &Value) -> Option<Policy> {
        let spec = manifest.get("spec")?;
        let rules = |field: &str, peers: &str| -> Option<Vec<Opening>> {
            match spec.get(field) {
                None | Some(Value::Null) => Some(Vec::new()),
                Some(list) => list.as_array()?.iter().map(|rule| opening(rule, peers)).collect(),
            }
        };
        let (ingress, egress) = (rules("ingress", "from")?, rules("egress", "to")?);
        let types = match spec.get("policyTypes").and_then(Value::as_array).filter(|types| !types.is_empty()) {
            Some(types) => [types.iter().any(|t| t == "Ingress"), types.iter().any(|t| t == "Egress")],
            None => [true, !egress.is_empty()],
        };
        let pods = spec.get("podSelector").filter(|v| !v.is_null());
        let pods = pods.map_or_else(|| Some(Selector::default()), Selector::read)?;
        Some(Policy { pods, ingress: types[0].then_some(ingress), egress: types[1].then_some(egress) })
    }

    /// What it lets through that way; `None`: it does not say.
    pub fn openings(&self, direction: Direction) -> Option<&[Opening]> {
        match direction {
            Direction::Ingress => self.ingress.as_deref(),
            Direction::Egress => self.egress.as_deref(),
        }
    }
}

fn opening(rule: &Value, peers: &str) -> Option<Opening> {
    let list = |field: &str| rule.get(field).and_then(Value::as_array).filter(|list| !list.is_empty());
    let peers = list(peers).map(|all| all.iter().map(peer).collect::<Option<Vec<_>>>());
    let ports = list("ports").map(|all| all.iter().map(ports).collect::<Option<Vec<_>>>());
    Some(Opening {
        peers: match peers {
            Some(peers) => Some(peers?),
            None => None,
        },
        ports: match ports {
            Some(ports) => Some(ports?),
            None => None,
        },
    })
}

fn peer(value: &Value) -> Option<Peer> {
    let part = |field: &str| value.get(field).filter(|v| !v.is_null());
    if let Some(block) = part("ipBlock") {
        let net = |value: &Value| Some(value.as_str()?.parse::<IpNet>().ok()?.trunc());
        let except = match block.get("except").and_then(Value::as_array) {
            Some(list) => list.iter().map(net).collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        return Some(Peer::Block(net(block.get("cidr")?)?, except));
    }
    let namespace = match part("namespaceSelector") {
        Some(selector) => Some(Selector::read(selector)?),
        None => None,
    };
    let pods = match part("podSelector") {
        Some(selector) => Selector::read(selector)?,
        None if namespace.is_some() => Selector::default(),
        // Neither: the API server refuses it.
        None => return None,
    };
    Some(Peer::Pods(namespace, pods))
}

fn ports(value: &Value) -> Option<Ports> {
    let protocol = match value.get("protocol").and_then(Value::as_str) {
        None | Some("TCP") => Protocol::Tcp,
        Some("UDP") => Protocol::Udp,
        Some("SCTP") => Protocol::Sctp,
        Some(_) => return None,
    };
    let number = |value: &Value| u16::try_from(value.as_u64()?).ok();
    let which = match value.get("port") {
        None | Some(Value::Null) => Which::All,
        Some(Value::String(name)) => Which::Named(name.clone()),
        Some(port) => {
            let first = number(port)?;
            let last = value.get("endPort").filter(|v| !v.is_null());
            Which::Range(first, last.map_or(Some(first), number)?)
        }
    };
    Some(Ports { protocol, which })
}

impl Peer {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            Peer::Block(net, except) if except.is_empty() => net.to_string(),
            Peer::Block(net, except) => {
                let list: Vec<String> = except.iter().map(ToString::to_string).collect();
                format!("{net} without {}", list.join(", "))
            }
            Peer::Pods(namespace, pods) => {
                let whose = match namespace {
                    None => "the same namespace".to_owned(),
                    Some(all) if all.is_everything() => "every namespace".to_owned(),
                    Some(one) => match (one.only(meta::NAMESPACE_NAME), one.only(meta::TENANT)) {
                        (Some(name), _) => format!("namespace `{name}`"),
                        (None, Some(tenant)) => format!("tenant `{tenant}`"),
                        (None, None) => format!("namespaces with {}", one.text()),
                    },
                };
                match pods.is_everything() {
                    true => format!("pods of {whose}"),
                    false => format!("pods with {} of {whose}", pods.text()),
                }
            }
        }
    }
}

impl Opening {
    /// In words, a line a peer.
    pub fn lines(&self) -> Vec<String> {
        let ports = self.ports.as_ref().map_or_else(|| "every port".to_owned(), |ports| ports_text(ports));
        match &self.peers {
            None => vec![format!("everybody, {ports}")],
            Some(peers) => peers.iter().map(|peer| format!("{}, {ports}", peer.text())).collect(),
        }
    }
}

/// Ports in words, by protocol: `TCP 80, 443; UDP 53`.
pub fn ports_text(ports: &[Ports]) -> String {
    let mut by: BTreeMap<Protocol, Vec<String>> = BTreeMap::new();
    let mut sorted: Vec<&Ports> = ports.iter().collect();
    sorted.sort();
    sorted.dedup();
    for Ports { protocol, which } in sorted {
        by.entry(*protocol).or_default().push(match which {
            Which::All => "every port".to_owned(),
            Which::Range(first, last) if first == last => first.to_string(),
            Which::Range(first, last) => format!("{first}-{last}"),
            Which::Named(name) => format!("`{name}`"),
        });
    }
    let each = by.iter().map(|(protocol, which)| format!("{} {}", protocol.as_str(), which.join(", ")));
    each.collect::<Vec<_>>().join("; ")
}
