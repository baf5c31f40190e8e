//! Rules about `tenants/templates/`: what they make passes the same checks as our own objects.

use super::{Check, Check::Stage, Rule};
use crate::diagnostic::Findings;
use crate::names::{is_dns_subdomain, is_kind};
use crate::plan::Plan;
use crate::rendered::is_kubernetes_own;
use crate::rules::roles::is_isolating;

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T701",
        title: "the template does not render",
        why: "A name that is not there, or a value that would not stay one value, would render something else for some tenant.",
        fix: "`tenant`, `namespace` and `platform` are what a template knows; pass text through `| quote`.",
        check: Stage,
    },
    Rule {
        id: "T702",
        title: "the template makes no object",
        why: "Flux fails on a file that is no Kubernetes object, and Argo CD skips it.",
        fix: "Write apiVersion, kind, and metadata with a name.",
        check: Stage,
    },
    Rule {
        id: "T703",
        title: "a kind that no template makes",
        why: "Cluster-scoped kinds are everybody's, and rights, quotas, policies and Secrets in plain text are not for templates: \
              what they make would bypass the checks on the typed ones.",
        fix: "Use a namespaced kind of Kubernetes, or list a custom one in the Platform's `templates.kinds`.",
        check: Stage,
    },
    Rule {
        id: "T704",
        title: "metadata that templates do not write",
        why: "Namespace and labels of ownership are the renderer's; owner references and what the server writes have no place \
              in git.",
        fix: "Take the field out; the namespace and our labels are added.",
        check: Stage,
    },
    Rule {
        id: "T705",
        title: "two objects of one name",
        why: "One would overwrite the other.",
        fix: "Rename the template's object.",
        check: Stage,
    },
    Rule {
        id: "T706",
        title: "an object that cannot be written",
        why: "YAML ends a key after 1,024 characters, an object has at most a megabyte, and numbers are finite.",
        fix: "Shorten it.",
        check: Stage,
    },
    Rule {
        id: "T707",
        title: "a custom kind that cannot be allowed",
        why: "Policies and rights, those of other engines too, are not for templates, and Kubernetes' own kinds are known already.",
        fix: "List namespaced custom resources only, with group, kind and plural.",
        check: Check::Plan(kinds),
    },
];

fn kinds(plan: &Plan, findings: &mut Findings) {
    let doc = &plan.platform.doc;
    for kind in &doc.content.spec.templates.kinds {
        let mut refuse = |at: &crate::contract::At<String>, about: String| {
            findings.error("T707", doc.at(at.span), about);
        };
        if is_kubernetes_own(&kind.group) || is_isolating(&kind.group) {
            refuse(&kind.group, format!("kinds of `{}` cannot be allowed", kind.group));
        } else if !is_dns_subdomain(&kind.group) || !kind.group.contains('.') {
            refuse(&kind.group, format!("`{}` is no API group of a custom resource", kind.group));
        }
        if !is_kind(&kind.kind) {
            refuse(&kind.kind, format!("`{}` is no kind", kind.kind));
        }
        if !crate::names::is_dns_label(&kind.resource) {
            refuse(&kind.resource, format!("`{}` is no resource in the plural", kind.resource));
        }
    }
}
