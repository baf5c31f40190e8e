//! `Universe`: all that two sides of a change could tell apart, in pieces.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, IpSubnets, Ipv4Subnets, Ipv6Subnets};

use super::Side;
use super::policy::{Direction, Opening, Peer, Policy, Ports, Which, ports_text};
use super::selector::{Labels, Selector, representatives};
use crate::cidr::{internet4, internet6};
use crate::contract::platform::Protocol;

/// The pieces.
pub struct Universe {
    /// Pods of the namespace itself, by their labels.
    pub pods: Vec<Labels>,
    peers: Vec<Piece>,
    /// How many of the peers are addresses; they come first.
    addresses: usize,
    ports: Vec<Ports>,
}

/// One piece of the other ends.
enum Piece {
    /// Addresses from the first to the last.
    Addresses(IpAddr, IpAddr),
    /// A pod of the namespace itself.
    Own(Labels),
    /// A pod of a namespace with these labels.
    Other(Labels, Labels),
}

/// What is allowed to a pod: a row a piece of the other ends, a column a piece of the ports.
pub struct Allowed {
    /// Whether a policy isolates the pod at all.
    pub isolated: bool,
    cells: Vec<bool>,
}

/// The most cells that are looked at.
const MOST: usize = 1 << 22;

impl Universe {
    /// The pieces that both sides need; `None` where they are too many.
    pub fn of(sides: [&Side; 2], direction: Direction) -> Option<Universe> {
        let policies: Vec<&Policy> = sides.iter().flat_map(|side| &side.policies).collect();
        let speaking = || policies.iter().filter(|policy| policy.openings(direction).is_some());
        let openings: Vec<&Opening> = speaking().filter_map(|policy| policy.openings(direction)).flatten().collect();
        let all_peers: Vec<&Peer> = openings.iter().filter_map(|o| o.peers.as_ref()).flatten().collect();

        let pods = representatives(speaking().map(|policy| &policy.pods))?;
        let (mut of_namespaces, mut of_pods): (Vec<&Selector>, Vec<&Selector>) = (Vec::new(), Vec::new());
        for peer in &all_peers {
            if let Peer::Pods(namespace, pods) = peer {
                of_namespaces.extend(namespace);
                of_pods.push(pods);
            }
        }
        let namespaces = representatives(of_namespaces.into_iter())?;
        let labels = representatives(of_pods.into_iter())?;
        let ports = port_pieces(openings.iter().filter_map(|o| o.ports.as_ref()).flatten());
        let mut peers = address_pieces(&all_peers);
        let addresses = peers.len();
        if (labels.len() * (namespaces.len() + 1) + addresses) * ports.len() * pods.len() > MOST {
            return None;
        }
        peers.extend(labels.iter().cloned().map(Piece::Own));
        for namespace in &namespaces {
            peers.extend(labels.iter().map(|pod| Piece::Other(namespace.clone(), pod.clone())));
        }
        Some(Universe { pods, peers, addresses, ports })
    }

    /// Nothing at all.
    pub fn nothing(&self) -> Allowed {
        Allowed { isolated: true, cells: vec![false; self.peers.len() * self.ports.len()] }
    }

    /// What a side allows to a pod of the namespace.
    pub fn allowed(&self, side: &Side, direction: Direction, pod: &Labels) -> Allowed {
        let mine = side.policies.iter().filter(|policy| policy.pods.selects(pod));
        let openings: Vec<&[Opening]> = mine.filter_map(|policy| policy.openings(direction)).collect();
        if openings.is_empty() {
            return Allowed { isolated: false, cells: vec![true; self.peers.len() * self.ports.len()] };
        }
        let mut allowed = self.nothing();
        for opening in openings.into_iter().flatten() {
            let columns: Vec<usize> = (0..self.ports.len()).filter(|at| lets(opening, &self.ports[*at])).collect();
            let peers: Vec<Option<&Peer>> = match &opening.peers {
                None => vec![None],
                Some(peers) => peers.iter().map(Some).collect(),
            };
            for row in peers.into_iter().flat_map(|peer| self.rows(peer, &side.labels)) {
                columns.iter().for_each(|column| allowed.cells[row * self.ports.len() + column] = true);
            }
        }
        allowed
    }

    /// How many IPv4 addresses something has changed for, each once.
    pub fn addresses(&self, changed: &Allowed) -> u64 {
        let rows = changed.cells.chunks(self.ports.len().max(1)).zip(&self.peers);
        let each = rows.filter(|(cells, _)| cells.contains(&true)).map(|(_, piece)| match piece {
            Piece::Addresses(first, last) => count(*first, *last),
            Piece::Own(_) | Piece::Other(..) => 0,
        });
        each.sum()
    }

    /// The pieces that a peer covers; `None`: everybody. Pieces of addresses stand in their order, so that a range is found and
    /// not searched.
    fn rows(&self, peer: Option<&Peer>, own: &Labels) -> Vec<usize> {
        match peer {
            None => (0..self.peers.len()).collect(),
            Some(Peer::Block(net, except)) => {
                let (start, end) = self.range(net);
                let mut holes: Vec<(usize, usize)> = except.iter().map(|net| self.range(net)).collect();
                holes.sort_unstable();
                let (mut rows, mut at) = (Vec::with_capacity(end - start), start);
                for (from, to) in holes {
                    rows.extend(at..from.clamp(at, end));
                    at = at.max(to);
                }
                rows.extend(at..end.max(at));
                rows
            }
            Some(peer) => {
                (self.addresses..self.peers.len()).filter(|row| covers(peer, &self.peers[*row], own)).collect()
            }
        }
    }

    /// The pieces of addresses within a range.
    fn range(&self, net: &IpNet) -> (usize, usize) {
        let before = |address: &IpAddr, or_equal: bool| {
            self.peers[..self.addresses].partition_point(|piece| match piece {
                Piece::Addresses(first, _) => first < address || (or_equal && first == address),
                Piece::Own(_) | Piece::Other(..) => false,
            })
        };
        (before(&net.network(), false), before(&net.broadcast(), true))
    }

    /// What of `changed` an opening covers with one of its peers, in words, and how many IPv4 addresses that are.
    pub fn told(
        &self,
        changed: &Allowed,
        own: &Labels,
        peer: Option<&Peer>,
        opening: &Opening,
    ) -> Option<(String, u64)> {
        let columns: Vec<usize> = (0..self.ports.len()).filter(|at| lets(opening, &self.ports[*at])).collect();
        let covered = self.rows(peer, own).into_iter().map(|row| (row, &self.peers[row]));
        let (mut rows, mut seen) = (Vec::new(), BTreeSet::new());
        let mut whole = true;
        for (row, piece) in covered {
            let is_changed = |column: &usize| changed.cells[row * self.ports.len() + column];
            let changed: Vec<usize> = columns.iter().copied().filter(is_changed).collect();
            if changed.is_empty() {
                whole = false;
            } else {
                rows.push(piece);
                seen.extend(changed);
            }
        }
        if rows.is_empty() {
            return None;
        }
        let every_port = seen.len() == self.ports.len();
        let ports: Vec<Ports> = seen.iter().map(|column| self.ports[*column].clone()).collect();
        let ports = if every_port { "every port".to_owned() } else { ports_text(&merged(ports)) };
        let ranges: Vec<(IpAddr, IpAddr)> = rows
            .iter()
            .filter_map(|piece| match piece {
                Piece::Addresses(first, last) => Some((*first, *last)),
                Piece::Own(_) | Piece::Other(..) => None,
            })
            .collect();
        let addresses = ranges.iter().map(|(first, last)| count(*first, *last)).sum();
        let whom = match peer {
            None if whole => "everybody".to_owned(),
            None => "everybody else".to_owned(),
            Some(Peer::Block(net, _)) if whole && *net == internet4() => "the IPv4 internet".to_owned(),
            Some(Peer::Block(net, _)) if whole && *net == internet6() => "the IPv6 internet".to_owned(),
            Some(peer @ Peer::Block(..)) if whole => peer.text(),
            Some(Peer::Block(..)) => subnets(&ranges),
            Some(peer @ Peer::Pods(..)) => peer.text(),
        };
        Some((format!("{whom}, {ports}"), addresses))
    }
}

impl Allowed {
    /// Adds what `a` allows and `b` does not.
    pub fn add_difference(&mut self, a: &Allowed, b: &Allowed) {
        for ((cell, a), b) in self.cells.iter_mut().zip(&a.cells).zip(&b.cells) {
            *cell |= *a && !*b;
        }
    }

    /// Whether it is nothing.
    pub fn is_nothing(&self) -> bool {
        !self.cells.contains(&true)
    }
}

fn lets(opening: &Opening, piece: &Ports) -> bool {
    opening.ports.as_ref().is_none_or(|ports| {
        ports.iter().filter(|ports| ports.protocol == piece.protocol).any(|ports| match (&ports.which, &piece.which) {
            (Which::All, _) => true,
            (Which::Range(first, last), Which::Range(low, high)) => first <= low && high <= last,
            (Which::Named(name), Which::Named(piece)) => name == piece,
            _ => false,
        })
    })
}

/// Whether a peer that is pods covers a pod.
fn covers(peer: &Peer, piece: &Piece, own: &Labels) -> bool {
    match (peer, piece) {
        (Peer::Pods(None, pods), Piece::Own(labels)) => pods.selects(labels),
        (Peer::Pods(Some(namespace), pods), Piece::Own(labels)) => namespace.selects(own) && pods.selects(labels),
        (Peer::Pods(Some(namespace), pods), Piece::Other(of, labels)) => namespace.selects(of) && pods.selects(labels),
        _ => false,
    }
}

const PROTOCOLS: [Protocol; 3] = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];

fn port_pieces<'p>(all: impl Iterator<Item = &'p Ports>) -> Vec<Ports> {
    let mut starts: [BTreeSet<u32>; 3] = std::array::from_fn(|_| BTreeSet::from([1]));
    let mut named: BTreeSet<(Protocol, &str)> = BTreeSet::new();
    for Ports { protocol, which } in all {
        let index = PROTOCOLS.iter().position(|p| p == protocol).unwrap_or_default();
        match which {
            Which::All => {}
            Which::Range(first, last) => starts[index].extend([u32::from(*first), u32::from(*last) + 1]),
            Which::Named(name) => drop(named.insert((*protocol, name))),
        }
    }
    let mut pieces = Vec::new();
    for (protocol, starts) in PROTOCOLS.into_iter().zip(starts) {
        let starts: Vec<u32> = starts.into_iter().filter(|s| (1..=65_535).contains(s)).chain([65_536]).collect();
        for pair in starts.windows(2) {
            let [first, last] = [pair[0], pair[1] - 1].map(|n| u16::try_from(n).unwrap_or(u16::MAX));
            pieces.push(Ports { protocol, which: Which::Range(first, last) });
        }
    }
    pieces.extend(named.into_iter().map(|(protocol, name)| Ports { protocol, which: Which::Named(name.to_owned()) }));
    pieces
}

/// Ranges that touch each other as one.
fn merged(mut ports: Vec<Ports>) -> Vec<Ports> {
    ports.sort();
    let mut all: Vec<Ports> = Vec::new();
    for next in ports {
        if let Some(Ports { protocol, which: Which::Range(_, last) }) = all.last_mut()
            && let Which::Range(first, end) = next.which
            && *protocol == next.protocol
            && u32::from(*last) + 1 == u32::from(first)
        {
            *last = end;
        } else {
            all.push(next);
        }
    }
    for ports in &mut all {
        if ports.which == Which::Range(1, u16::MAX) {
            ports.which = Which::All;
        }
    }
    all
}

fn address_pieces(peers: &[&Peer]) -> Vec<Piece> {
    let (mut four, mut six) = (BTreeSet::from([0_u128]), BTreeSet::from([0_u128]));
    let mut cut = |net: &IpNet| match net {
        IpNet::V4(net) => {
            four.insert(u32::from(net.network()).into());
            four.insert(u128::from(u32::from(net.broadcast())) + 1);
        }
        IpNet::V6(net) => {
            six.insert(net.network().into());
            // Behind the last address there is none.
            six.extend(u128::from(net.broadcast()).checked_add(1));
        }
    };
    for peer in peers {
        if let Peer::Block(net, except) = peer {
            cut(net);
            except.iter().for_each(&mut cut);
        }
    }
    let number4 = |n: u128| IpAddr::V4(Ipv4Addr::from(u32::try_from(n).unwrap_or(u32::MAX)));
    let number6 = |n: u128| IpAddr::V6(Ipv6Addr::from(n));
    let last4 = u128::from(u32::MAX);
    four.retain(|n| *n <= last4);
    let ranges = |starts: BTreeSet<u128>, last: u128| {
        let ends: Vec<u128> = starts.iter().skip(1).map(|n| n - 1).chain([last]).collect();
        starts.into_iter().zip(ends).collect::<Vec<_>>()
    };
    let four = ranges(four, last4).into_iter().map(|(a, b)| Piece::Addresses(number4(a), number4(b)));
    let six = ranges(six, u128::MAX).into_iter().map(|(a, b)| Piece::Addresses(number6(a), number6(b)));
    four.chain(six).collect()
}

/// How many IPv4 addresses; of the other family any number says nothing.
fn count(first: IpAddr, last: IpAddr) -> u64 {
    match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => u64::from(u32::from(last)) - u64::from(u32::from(first)) + 1,
        _ => 0,
    }
}

/// The most ranges that are listed.
const LISTED: usize = 6;

/// Ranges as CIDRs, each run of neighbours joined.
fn subnets(ranges: &[(IpAddr, IpAddr)]) -> String {
    let each = ranges.iter().filter_map(|(first, last)| match (first, last) {
        (IpAddr::V4(first), IpAddr::V4(last)) => Some(IpSubnets::from(Ipv4Subnets::new(*first, *last, 0))),
        (IpAddr::V6(first), IpAddr::V6(last)) => Some(IpSubnets::from(Ipv6Subnets::new(*first, *last, 0))),
        _ => None,
    });
    let nets = IpNet::aggregate(&each.flatten().collect());
    let mut list: Vec<String> = nets.iter().take(LISTED).map(ToString::to_string).collect();
    if nets.len() > LISTED {
        list.push(format!("{} more ranges", nets.len() - LISTED));
    }
    list.join(", ")
}
