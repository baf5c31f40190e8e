//! Addresses and ranges of addresses, as API servers read them in CEL.

use std::net::IpAddr;

use ipnet::IpNet;

/// Of [`super::Restriction::entry`]: an address, or a range by its first address.
pub fn entry(entry: &str) -> Result<(), String> {
    match range(entry) {
        Some(range) if range.trunc() == range => Ok(()),
        Some(range) => Err(format!("expected a range by its first address: `{}`", range.trunc())),
        None => Err("expected an address, or a range such as `192.0.2.0/24`".to_owned()),
    }
}

/// An entry as a range.
fn range(text: &str) -> Option<IpNet> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    is_plain(range.addr()).then_some(range)
}

/// IPv4 that dresses up as IPv6 is no address for CEL.
fn is_plain(address: IpAddr) -> bool {
    !matches!(address, IpAddr::V6(address) if address.to_ipv4_mapped().is_some())
}

/// Whether an entry holds an address.
pub fn holds_address(entry: &str, item: &str) -> bool {
    let address = item.parse::<IpAddr>().ok().filter(|address| is_plain(*address));
    range(entry).zip(address).is_some_and(|(range, address)| range.contains(&address))
}

/// Whether an entry holds a whole range.
pub fn holds_range(entry: &str, item: &str) -> bool {
    let inner = item.parse::<IpNet>().ok().filter(|range| is_plain(range.addr()));
    range(entry).zip(inner).is_some_and(|(range, inner)| range.contains(&inner))
}

/// [`holds_address`] in CEL.
pub const HOLDS_ADDRESS: &str = "isIP(i) && (isIP(e) ? ip(e) == ip(i) : isCIDR(e) && cidr(e).containsIP(i))";

/// [`holds_range`] in CEL.
pub const HOLDS_RANGE: &str =
    "isCIDR(i) && (isIP(e) || isCIDR(e)) && cidr(isIP(e) ? e + (e.contains(':') ? '/128' : '/32') : e).containsCIDR(i)";
