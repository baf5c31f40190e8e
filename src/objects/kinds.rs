//! What may be rendered, kind by kind, with its resource and where its objects stand: for the rights of whoever applies it.

use std::borrow::Cow;

use super::{ANY, Build, KINDS};
use crate::identity::group_of;
use crate::plan::Plan;
use crate::templates::admit;

/// A kind that may be rendered.
pub struct Rendered<'a> {
    /// API group; empty for the core group.
    pub group: &'a str,
    /// Kind.
    pub kind: &'a str,
    /// Its resource in the plural.
    pub resource: Cow<'a, str>,
    /// Where its objects stand.
    pub stands: Stands,
}

/// Where objects stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// In no namespace.
    Global,
    /// In the platform's namespace, or beside it in `default`.
    Platform,
    /// In namespaces of tenants.
    Tenants,
}

/// Kinds of [`KINDS`] that stand in no namespace.
const GLOBAL: [&str; 11] = [
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Tenant",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
];

/// Whether a kind of [`KINDS`] stands in no namespace.
pub fn is_global(kind: &str) -> bool {
    GLOBAL.contains(&kind)
}

/// The kinds of [`KINDS`], a row each; what is no longer wanted included: it has to be pruned.
pub fn rows<'a>() -> impl Iterator<Item = Rendered<'a>> {
    KINDS.iter().filter(|row| row.kind != ANY).map(|row| {
        let stands = match row.build {
            _ if is_global(row.kind) => Stands::Global,
            Build::Platform(_) | Build::Tenant(_) => Stands::Platform,
            Build::Namespace(_) => Stands::Tenants,
        };
        Rendered { group: row.group, kind: row.kind, resource: plural(row.kind).into(), stands }
    })
}

/// The kinds that templates may make, where there are templates; what they make always stands in a namespace.
pub fn of_templates(plan: &Plan) -> impl Iterator<Item = Rendered<'_>> {
    let own = admit::KINDS.iter().map(|(version, kind)| Rendered {
        group: group_of(version),
        kind,
        resource: plural(kind).into(),
        stands: Stands::Tenants,
    });
    let custom = plan.platform.doc.content.spec.templates.kinds.iter().map(|kind| Rendered {
        group: &kind.group.value,
        kind: &kind.kind.value,
        resource: kind.resource.value.as_str().into(),
        stands: Stands::Tenants,
    });
    own.chain(custom).filter(|_| !plan.templates.is_empty())
}

/// The resource of a kind of [`KINDS`] or of templates: all of them have regular plurals.
fn plural(kind: &str) -> String {
    let lower = kind.to_ascii_lowercase();
    match lower.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if lower.ends_with('s') => format!("{lower}es"),
        None => format!("{lower}s"),
    }
}
