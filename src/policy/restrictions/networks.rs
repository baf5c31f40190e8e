//! Addresses and ranges of addresses, as API servers read them in CEL.

use std::net::IpAddr;

use ipnet::IpNet;

/// Of [`super::Restriction::entry`]: an address, or a range by its first address.
pub fn entry(entry: &str) -> Result<(), String> {
    match range(entry) {
        Some(range) if is_written(entry, range.trunc()) => Ok(()),
        Some(range) => Err(format!("expected a range by its first address, as one writes it: `{}`", range.trunc())),
        None => Err("expected an address, or a range such as `192.0.2.0/24`".to_owned()),
    }
}

/// An entry as a range.
fn range(text: &str) -> Option<IpNet> {
    let range = text.parse::<IpNet>().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))?;
    is_plain(range.addr()).then_some(range)
}

/// Whether a text is what one writes for a range, or for an address: an API server reads no zeros in front.
fn is_written(text: &str, range: IpNet) -> bool {
    text == range.to_string() || text == range.addr().to_string() && range.max_prefix_len() == range.prefix_len()
}

/// A range as an API server reads one in CEL: no zeros in front of a number, which some readers take for octal ones.
pub fn plain_range(text: &str) -> Option<IpNet> {
    let has_zeros = |part: &str| part.len() > 1 && part.starts_with('0');
    let (address, length) = text.split_once('/')?;
    // Of IPv6 the last part may be written as IPv4.
    let dotted = address.rsplit(':').next().filter(|part| part.contains('.'));
    if has_zeros(length) || dotted.is_some_and(|part| part.split('.').any(has_zeros)) {
        return None;
    }
    text.parse::<IpNet>().ok().filter(|range| is_plain(range.addr()))
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
    range(entry).zip(plain_range(item)).is_some_and(|(range, inner)| range.contains(&inner))
}

/// Whether an entry holds another one.
pub fn holds_range_of(entry: &str, other: &str) -> bool {
    range(entry).zip(range(other)).is_some_and(|(range, inner)| range.contains(&inner))
}

/// [`holds_address`] in CEL.
pub const HOLDS_ADDRESS: &str = "isIP(i) && (isIP(e) ? ip(e) == ip(i) : isCIDR(e) && cidr(e).containsIP(i))";

/// [`holds_range`] in CEL.
pub const HOLDS_RANGE: &str =
    "isCIDR(i) && (isIP(e) || isCIDR(e)) && cidr(isIP(e) ? e + (e.contains(':') ? '/128' : '/32') : e).containsCIDR(i)";

#[cfg(test)]
mod tests {
    use super::{entry, holds_range};

    /// Evaluators elsewhere read zeros in front; API servers do not, and from 1.36 on they take none in objects.
    #[test]
    fn numbers_have_no_zeros_in_front() {
        for text in ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "0.0.0.0/0", "::/0"] {
            entry(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        }
        for text in ["010.0.0.0/8", "10.0.0.0/08", "2001:0db8::/32", "192.0.2.1/24", "::ffff:192.0.2.1", "10.0.0/8"] {
            assert!(entry(text).is_err(), "{text}");
        }
        assert!(holds_range("10.0.0.0/8", "10.1.0.0/16") && holds_range("2001:db8::/32", "2001:0db8:1::/48"));
        for text in ["010.1.0.0/16", "10.01.0.0/16", "10.1.0.0/016"] {
            assert!(!holds_range("10.0.0.0/8", text), "{text}");
        }
        assert!(holds_range("2600::/12", "2600::1.2.3.4/128") && !holds_range("2600::/12", "2600::01.2.3.4/128"));
    }
}
