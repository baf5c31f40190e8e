//! Ranges of addresses: which ones tenants never reach, and what is left of the internet.
//!
//! NetworkPolicy only ever adds: what `except` does not take out of a range is open. So every range that is opened takes
//! out what lies in it of the lists below and of the Platform's own.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What no tenant reaches, even where it names the address: the metadata services of clouds (node credentials), the
/// node itself and its links.
static HARD: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    nets(&[
        "127.0.0.0/8",        // the pod's and the node's own loopback
        "169.254.0.0/16",     // link-local: metadata of AWS, Google, Azure, OpenStack, Hetzner, DigitalOcean
        "168.63.129.16/32",   // Azure: WireServer
        "100.100.100.200/32", // Alibaba Cloud: metadata
        "192.0.0.192/32",     // Oracle Cloud: metadata
        "::1/128",
        "fe80::/10",
        "fd00:ec2::/32",          // AWS: metadata, DNS and time
        "fd20:ce::254/128",       // Google Cloud: metadata
        "fd00:c1::a9fe:a9fe/128", // Oracle Cloud: metadata
        "fd00:42::42/128",        // Scaleway: metadata
    ])
});

/// What is no internet, though it is not ours to forbid where a tenant names it.
/// Source: <https://www.iana.org/assignments/iana-ipv4-special-registry/>, RFC 1918, RFC 6598.
static PRIVATE: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    nets(&[
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "2001::/32", // Teredo: carries IPv4 addresses, private ones too
        "2002::/16", // 6to4: likewise
        "fc00::/7",
        "ff00::/8",
    ])
});

/// All of IPv6 that is the internet. `::/0` is never opened: a policy engine was seen to reach `fd00:ec2::254` under
/// `::/0 except fc00::/7`.
pub fn internet6() -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3))
}

/// All of IPv4.
pub fn internet4() -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0))
}

fn nets(list: &[&str]) -> Vec<IpNet> {
    list.iter().filter_map(|text| parse(text).ok()).collect()
}

/// Why a text is no range of addresses that NetworkPolicy takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoCidr {
    /// It is not of the form `address/length`.
    Form,
    /// The address has bits behind the prefix; the range that was probably meant.
    HostBits(IpNet),
    /// An IPv4 address in IPv6 clothes: no engine matches it.
    Mapped,
}

/// Reads a range. Only full IPv4 and IPv6 forms, no leading zeros, no bits behind the prefix.
pub fn parse(text: &str) -> Result<IpNet, NoCidr> {
    let (address, length) = text.split_once('/').ok_or(NoCidr::Form)?;
    let digits = !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit());
    if !digits || (length.len() > 1 && length.starts_with('0')) {
        return Err(NoCidr::Form);
    }
    let address: IpAddr = address.parse().map_err(|_| NoCidr::Form)?;
    let length: u8 = length.parse().map_err(|_| NoCidr::Form)?;
    let net = IpNet::new(address, length).map_err(|_| NoCidr::Form)?;
    match net {
        IpNet::V6(v6) if v6.addr().to_ipv4_mapped().is_some() => Err(NoCidr::Mapped),
        net if net.trunc() != net => Err(NoCidr::HostBits(net.trunc())),
        net => Ok(net),
    }
}

/// The ranges that the platform keeps closed.
#[derive(Debug, Clone, Default)]
pub struct Blocked {
    /// Never reached: [`HARD`] and the Platform's nodes, Services, pods and `blockedCidrs`.
    hard: Vec<IpNet>,
    /// No part of the internet.
    private: Vec<IpNet>,
}

impl Blocked {
    /// The built-in ranges and the Platform's own, those of IPv4 also as they look behind each prefix of NAT64: such a
    /// prefix may lie within the internet's addresses, and leads back to private ones.
    pub fn new(own: impl IntoIterator<Item = IpNet>, nat64: &[Ipv6Net]) -> Self {
        let also = |nets: Vec<IpNet>| {
            let behind = nat64.iter().flat_map(|prefix| nets.iter().filter_map(|net| mapped(prefix, net)));
            nets.iter().copied().chain(behind).collect()
        };
        // Ranges that another one holds are kept: where the wider one is opened by `allowedCidrs`, they still count.
        Blocked { hard: also(HARD.iter().copied().chain(own).collect()), private: also(PRIVATE.clone()) }
    }

    /// The ranges that are never reached and hold all of `net`.
    pub fn holding(&self, net: &IpNet) -> Vec<IpNet> {
        self.hard.iter().filter(|blocked| blocked.contains(net)).copied().collect()
    }

    /// The private range that holds all of `net`.
    pub fn private_holding(&self, net: &IpNet) -> Option<IpNet> {
        self.private.iter().find(|private| private.contains(net)).copied()
    }

    /// What has to be taken out of `net` when it is opened: each blocked or private range that lies in it, once.
    pub fn except(&self, net: &IpNet) -> Vec<IpNet> {
        let inside = |other: &&IpNet| net.contains(*other) && *other != net;
        merged(self.hard.iter().chain(&self.private).filter(inside).copied().collect())
    }
}

/// An IPv4 range as it looks behind a /96 prefix of NAT64 (RFC 6052).
fn mapped(prefix: &Ipv6Net, net: &IpNet) -> Option<IpNet> {
    let IpNet::V4(net) = net else { return None };
    let address = u128::from(prefix.network()) | u128::from(u32::from(net.network()));
    Ipv6Net::new(Ipv6Addr::from(address), 96 + net.prefix_len()).ok().map(IpNet::V6)
}

/// Sorted, without ranges that another one holds.
pub fn merged(mut nets: Vec<IpNet>) -> Vec<IpNet> {
    // A range that holds others sorts before them: same family, same or smaller address, shorter prefix.
    nets.sort_by_key(|net| (net.network(), net.prefix_len()));
    nets.dedup();
    let mut kept: Vec<IpNet> = Vec::with_capacity(nets.len());
    for net in nets {
        if kept.last().is_none_or(|last| !last.contains(&net)) {
            kept.push(net);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use ipnet::IpNet;

    use super::{Blocked, internet4, internet6, merged, parse};

    #[test]
    fn the_internet_rule_opens_no_metadata_service() {
        let nat64 = ["2001:67c:64::/96".parse().unwrap()];
        let blocked = Blocked::new(["203.0.113.0/24", "2001:db8::/32"].map(|n| parse(n).unwrap()), &nat64);
        for (whole, address) in [
            (internet4(), "169.254.169.254"),
            (internet4(), "168.63.129.16"),
            (internet4(), "100.100.100.200"),
            (internet4(), "192.0.0.192"),
            (internet4(), "10.1.2.3"),
            (internet4(), "127.0.0.1"),
            (internet4(), "203.0.113.9"),
            (internet6(), "fd00:ec2::254"),
            (internet6(), "fe80::1"),
            (internet6(), "2001:db8::1"),
            (internet6(), "2002:a9fe:a9fe::1"),
            (internet6(), "2001:67c:64::a9fe:a9fe"),
            (internet6(), "2001:67c:64::10.1.2.3"),
            (internet6(), "2001:67c:64::203.0.113.9"),
        ] {
            let address: IpAddr = address.parse().unwrap();
            let open = whole.contains(&address) && !blocked.except(&whole).iter().any(|net| net.contains(&address));
            assert!(!open, "{address} is open");
        }
    }

    #[test]
    fn merged_keeps_the_widest() {
        let nets = ["10.1.0.0/16", "10.0.0.0/8", "::1/128", "10.0.0.0/8", "11.0.0.0/8", "::/64"];
        let kept: Vec<String> = merged(nets.iter().map(|n| n.parse::<IpNet>().unwrap()).collect())
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(kept, ["10.0.0.0/8", "11.0.0.0/8", "::/64"]);
    }
}
