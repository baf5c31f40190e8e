//! What Kubernetes accepts as a name, a label, an address of a person.
//!
//! Source: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/> and `labels/`, `annotations/` there.

/// Longest name of a namespace, a label value, a DNS label.
pub const MAX_LABEL: usize = 63;

/// Whether `text` is a DNS label of RFC 1123: what namespaces and tenants are named.
pub fn is_dns_label(text: &str) -> bool {
    text.len() <= MAX_LABEL && is_label_part(text)
}

/// Whether `text` is a DNS subdomain of RFC 1123: what most objects are named.
pub fn is_dns_subdomain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label_part)
}

fn is_label_part(text: &str) -> bool {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

/// Whether `text` is a key of a label or annotation: a name, or a DNS subdomain, a slash and a name.
pub fn is_qualified(text: &str) -> bool {
    let name = match text.split_once('/') {
        Some((prefix, name)) if is_dns_subdomain(prefix) => name,
        Some(_) => return false,
        None => text,
    };
    !name.is_empty() && is_label_value(name)
}

/// Whether `text` is the value of a label.
pub fn is_label_value(text: &str) -> bool {
    let edge = |b: &u8| b.is_ascii_alphanumeric();
    let bytes = text.as_bytes();
    bytes.len() <= MAX_LABEL
        && bytes.iter().all(|b| edge(b) || matches!(b, b'-' | b'_' | b'.'))
        && bytes.first().is_none_or(edge)
        && bytes.last().is_none_or(edge)
}

/// Whether `text` is a kind: a word in capitals and small letters.
pub fn is_kind(text: &str) -> bool {
    text.len() <= MAX_LABEL
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether `text` is an address that mail can be sent to: `someone@example.org`, without quotes, comments or addresses of
/// machines, which no owner has.
pub fn is_email(text: &str) -> bool {
    let Some((person, host)) = text.rsplit_once('@') else { return false };
    let letter = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&b);
    let dots = !person.starts_with('.') && !person.ends_with('.') && !person.contains("..");
    let person = (1..=64).contains(&person.len()) && person.bytes().all(letter) && dots;
    person && text.len() <= 254 && host.contains('.') && is_dns_subdomain(&host.to_ascii_lowercase())
}

/// Whether `text` can be the name of a user or group: something visible, without blanks at its ends and without
/// characters that nobody sees.
pub fn is_subject(text: &str) -> bool {
    !text.is_empty() && text.len() <= 512 && text.trim() == text && crate::emit::is_visible(text)
}

/// Whether a domain is `parent`, or lies below it.
pub fn is_in_domain(domain: &str, parent: &str) -> bool {
    domain.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// Where a text holds passwords of addresses, `scheme://user:password@host`.
pub fn passwords(text: &str) -> Vec<std::ops::Range<usize>> {
    let each = text.match_indices("://").filter_map(|(scheme, mark)| {
        let begin = scheme + mark.len();
        let rest = &text[begin..];
        let end = rest.find(|c: char| c.is_whitespace() || "\"'`".contains(c)).unwrap_or(rest.len());
        let at = rest[..end].rfind('@')?;
        // A name alone may be a token, but for SSH.
        let first = match rest[..at].find(':') {
            Some(colon) => colon + 1,
            None if text[..scheme].ends_with("ssh") => return None,
            None => 0,
        };
        Some(begin + first..begin + at)
    });
    each.collect()
}

/// The text with three stars for each of its [`passwords`].
pub fn without_passwords(text: &str) -> std::borrow::Cow<'_, str> {
    let hidden = passwords(text);
    if hidden.is_empty() {
        return text.into();
    }
    let mut plain = text.to_owned();
    hidden.into_iter().rev().for_each(|range| plain.replace_range(range, "***"));
    plain.into()
}
