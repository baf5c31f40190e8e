//! `Reason`: why something stays as it is.

use std::fmt;
use std::sync::Arc;

/// Why something stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There is one that we did not make.
    Foreign { installation: String },
    /// It is being deleted, and that waits for something.
    Deleting(Vec<String>),
    /// Its Namespace is held.
    Namespace(Arc<str>),
    /// The cluster cannot be asked about its kind.
    Unread(String),
    /// A Namespace that no earlier pass saw retired.
    NotRetired,
    /// A Namespace that somebody else made.
    Adopted,
    /// A kind whose removal takes more with it than can be seen.
    NeverDeleted,
    /// It says that it is rendered, and is neither in git nor ours.
    Stray,
    /// It is a child of another object.
    Controlled,
    /// The inventory was lost, and is being made anew.
    Rebuilding,
    /// More would be deleted than is plausible.
    Budget(String),
    /// No commit vouches for the folder that is applied.
    Unpinned,
    /// Something of the unit did not succeed.
    Unfinished,
    /// Namespaces of the tenant are still there.
    NamespacesLeft,
    /// It is what this very process lives from.
    Own,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Foreign { installation } => write!(
                f,
                "it exists and was not made by installation `{installation}`; to hand it over: kubectl annotate it with {}={installation}",
                super::live::ADOPT
            ),
            Reason::Deleting(waits) if waits.is_empty() => f.write_str("it is being deleted"),
            Reason::Deleting(waits) => write!(f, "it is being deleted, which waits for {}", waits.join("; ")),
            Reason::Namespace(name) => write!(f, "its Namespace `{name}` is held"),
            Reason::Unread(why) => write!(f, "the cluster cannot be asked about its kind: {why}"),
            Reason::NotRetired => f.write_str(
                "a Namespace leaves in two steps: no earlier pass saw it with `state: retired`, so it stays; put it back into git and retire it first",
            ),
            Reason::Adopted => f.write_str("it existed before it was handed over: it is let go of, and stays"),
            Reason::NeverDeleted => f.write_str("objects of its kind are never deleted: it is let go of, and stays"),
            Reason::Stray => f.write_str(
                "it says that it is rendered, and is neither in git nor in the inventory: it stays, with all that it grants or opens, until somebody deletes it",
            ),
            Reason::Controlled => f.write_str("another object controls it: it is let go of, and stays"),
            Reason::Rebuilding => {
                f.write_str("the inventory was lost and is being made anew; nothing is deleted in that pass")
            }
            Reason::Budget(why) => f.write_str(why),
            Reason::Unpinned => f.write_str(
                "nothing is deleted by --rendered-only unless the folder is what its git commit holds: it may be half of one",
            ),
            Reason::Unfinished => f.write_str("it goes once all else has been applied"),
            Reason::NamespacesLeft => f.write_str("it goes once the tenant's Namespaces are gone"),
            Reason::Own => f.write_str("it is what `mtp sync` itself runs as; run `mtp sync --once` as somebody else"),
        }
    }
}
