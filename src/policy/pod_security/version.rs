//! Versions of the Pod Security Standards: `v1.36`, or whatever is newest.

use std::fmt;

/// A minor version of Kubernetes, or `latest`, which is newer than all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minor(u32);

impl Minor {
    /// What is newest. An API server means by it the newest that it knows: its own version, or the one that it emulates.
    pub const LATEST: Minor = Minor(u32::MAX);

    /// The version `1.<minor>`.
    pub const fn new(minor: u32) -> Minor {
        Minor(minor)
    }

    /// The version that a Namespace's label names: `v1.36` or `latest`; of anything else none.
    ///
    /// Source: <https://kubernetes.io/docs/tasks/configure-pod-container/enforce-standards-namespace-labels/>
    pub fn parse(label: &str) -> Option<Minor> {
        if label == "latest" {
            return Some(Minor::LATEST);
        }
        let digits = label.strip_prefix("v1.")?;
        let is_plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        digits.parse().ok().filter(|minor| is_plain && *minor != u32::MAX).map(Minor)
    }
}

/// As a Namespace's label spells it.
impl fmt::Display for Minor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Minor::LATEST { f.write_str("latest") } else { write!(f, "v1.{}", self.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::Minor;

    #[test]
    fn are_read_and_written_as_labels_have_them() {
        for label in ["v1.0", "v1.9", "v1.36", "latest"] {
            assert_eq!(Minor::parse(label).map(|minor| minor.to_string()).as_deref(), Some(label));
        }
        for other in
            ["", "v1.", "v1.01", "v1.+1", "v1.-1", "1.36", "v2.0", "v1.36.1", "Latest", "v1.4294967295", " v1.2"]
        {
            assert_eq!(Minor::parse(other), None, "{other}");
        }
        assert!(Minor::new(9) < Minor::new(36) && Minor::new(36) < Minor::LATEST);
    }
}
