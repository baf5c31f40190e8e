//! Namespaces of tenants, and the platform's own, are changed by who applies what is rendered: their labels say whose they
//! are and how strict Pod Security is there.
//!
//! A Role in a namespace can give a right to its Namespace, to `namespaces/status` and to `namespaces/finalize`, and each of
//! them changes labels. Judged by the old and by the new form: a selector would read the new labels alone.
//!
//! Sources: CVE-2022-46167, CVE-2026-30963 and CVE-2026-55636 of Capsule, <https://github.com/projectcapsule/capsule>

use super::{Judge, everywhere, identities, managed, quoted, quoted_list, rule, validation};
use crate::objects::meta::{K8S_MTP, MANAGED_BY, TENANT};
use crate::plan::Plan;
use crate::plan::admission::PoliciesPlan;

/// The guard of Namespaces.
pub fn judges(plan: &Plan, policies: &PoliciesPlan) -> Vec<Judge> {
    let labels = |of: &str| format!("{of}.metadata.?labels");
    let ours = |of: &str| {
        let labels = labels(of);
        format!(
            "{of} != null && ({labels}[?'{TENANT}'].hasValue() || {labels}[?'{MANAGED_BY}'].orValue('') == '{K8S_MTP}')"
        )
    };
    // Finalizers and conditions of a Namespace that goes; never what it says about itself.
    let controller = format!(
        "request.operation == 'UPDATE' && request.?subResource.orValue('') in ['finalize', 'status']\n\
         && request.userInfo.username in {}\n\
         && object.metadata.?labels == oldObject.metadata.?labels\n\
         && object.metadata.?annotations == oldObject.metadata.?annotations",
        quoted_list([NAMESPACE_CONTROLLER, managed::CONTROLLER_MANAGER])
    );
    let words = "'Namespaces of tenants are managed by the platform: ' + request.userInfo.username + ' may not '\n\
                 + request.operation.lowerAscii() + ' ' + request.resource.resource\n\
                 + (request.?subResource.orValue('') == '' ? '' : '/' + request.subResource)";
    vec![Judge {
        name: "k8s-mtp-namespaces".to_owned(),
        about: everywhere(vec![rule(
            "Cluster",
            &["CREATE", "UPDATE", "DELETE"],
            "",
            &["namespaces", "namespaces/finalize", "namespaces/status"],
        )]),
        when: vec![
            ("ours", format!("{}\n|| {}", ours("object"), ours("oldObject"))),
            ("others", format!("!(request.userInfo.username in {})", quoted_list(identities(plan)))),
        ],
        variables: vec![managed::break_glass(policies), ("controller".to_owned(), controller)],
        validations: vec![validation(
            "variables.breakGlass || variables.controller",
            "Namespaces of tenants are managed by the platform",
            Some(words.to_owned()),
        )],
        notes: vec![managed::broken_glass()],
        actions: &["Deny", "Audit"],
    }]
}

const NAMESPACE_CONTROLLER: &str = "system:serviceaccount:kube-system:namespace-controller";

/// A group's name, for an expression.
pub(super) fn in_group(group: &str) -> String {
    format!("{} in request.userInfo.?groups.orValue([])", quoted(group))
}
