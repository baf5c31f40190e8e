//! What is rendered is changed by who applies it: tenants' quotas, limits, policies, Roles and bindings stay as they were
//! reviewed, whatever rights somebody has in their namespaces.
//!
//! By the mark of ownership of the old and of the new form, never by labels that pods of tenants carry. Only the kinds that
//! are rendered, and only themselves, without subresources: controllers of Kubernetes keep the rest.
//!
//! Policies and their bindings are not among them: the API server asks no policy about policies. RBAC has to keep them.
//!
//! Source: `isPolicyResource` in `staging/src/k8s.io/apiserver/pkg/admission/plugin/policy/generic` of kubernetes/kubernetes

use std::collections::{BTreeMap, BTreeSet};

use super::{Judge, everywhere, identities, namespaces, quoted_list, rule, validation};
use crate::objects::kinds::{self, Rendered, Stands};
use crate::objects::meta::{K8S_MTP, MANAGED_BY};
use crate::plan::Plan;
use crate::plan::admission::{CertificatesPlan, PoliciesPlan};

/// Kubernetes' controllers where they do not have accounts of their own.
pub const CONTROLLER_MANAGER: &str = "system:kube-controller-manager";

/// Kubernetes' controllers that delete what belongs to something that is gone.
const DELETING: [&str; 3] = [
    "system:serviceaccount:kube-system:generic-garbage-collector",
    "system:serviceaccount:kube-system:namespace-controller",
    CONTROLLER_MANAGER,
];

/// What an object says, as opposed to what is noted on it.
const CONTENT: [&str; 13] = [
    "aggregationRule",
    "automountServiceAccountToken",
    "binaryData",
    "data",
    "imagePullSecrets",
    "immutable",
    "roleRef",
    "rules",
    "secrets",
    "spec",
    "subjects",
    "type",
    "webhooks",
];

/// The guard of what is rendered.
pub fn judges(plan: &Plan, policies: &PoliciesPlan) -> Vec<Judge> {
    let same: Vec<String> = CONTENT.map(|field| format!("dyn(object).?{field} == dyn(oldObject).?{field}")).into();
    // Finalizers, owners and notes of controllers, Kubernetes' own and others; not of tenants, all of whose accounts are in
    // namespaces with such names.
    let noting = format!(
        "request.operation == 'UPDATE'\n\
         && (request.userInfo.username == '{CONTROLLER_MANAGER}'\n\
         || {} && !request.userInfo.groups.exists(g, g.startsWith('system:serviceaccounts:tenant-')))\n\
         && object.metadata.?labels == oldObject.metadata.?labels\n&& {}",
        namespaces::in_group("system:serviceaccounts"),
        same.join("\n&& "),
    );
    let deleting = format!("request.operation == 'DELETE' && request.userInfo.username in {}", quoted_list(DELETING));
    let words = "request.resource.resource + ' ' + request.?name.orValue('') + ' is managed by the platform: '\n\
                 + request.userInfo.username + ' may not ' + request.operation.lowerAscii() + ' it'";
    vec![Judge {
        name: "k8s-mtp-managed-objects".to_owned(),
        about: everywhere(rules(plan)),
        when: vec![
            ("managed", format!("{}\n|| {}", is_managed("object"), is_managed("oldObject"))),
            ("others", format!("!(request.userInfo.username in {})", quoted_list(identities(plan)))),
        ],
        variables: vec![break_glass(policies), ("noting".to_owned(), noting), ("deleting".to_owned(), deleting)],
        validations: vec![validation(
            "variables.breakGlass || variables.noting || variables.deleting",
            "what the platform renders is managed by the platform",
            Some(words.to_owned()),
        )],
        notes: vec![broken_glass()],
        actions: &["Deny", "Audit"],
    }]
}

/// Whether a form of an object carries the mark of ownership.
pub(super) fn is_managed(of: &str) -> String {
    format!("{of} != null && {of}.metadata.?labels[?'{MANAGED_BY}'].orValue('') == '{K8S_MTP}'")
}

/// Whether somebody acts in an emergency.
pub(super) fn break_glass(policies: &PoliciesPlan) -> (String, String) {
    ("breakGlass".to_owned(), namespaces::in_group(&policies.break_glass))
}

/// The audit log says who broke the glass.
pub(super) fn broken_glass() -> (&'static str, String) {
    ("break-glass", "variables.breakGlass ? request.userInfo.username : ''".to_owned())
}

/// The kinds of which the guard is asked.
pub fn guarded(plan: &Plan) -> impl Iterator<Item = Rendered<'_>> {
    let injected = plan.platform.admission.webhook.as_ref().is_some_and(|webhook| {
        // cert-manager says there whom to trust, as whoever it runs as.
        matches!(webhook.certificates, CertificatesPlan::CertManager)
    });
    kinds::rows().chain(kinds::of_templates(plan)).filter(move |row| match row.kind {
        "Namespace" => false,
        kind if kind.ends_with("WebhookConfiguration") => !injected,
        kind => !kind.contains("AdmissionPolicy"),
    })
}

/// They, by where they stand and their group.
fn rules(plan: &Plan) -> Vec<k8s_openapi::api::admissionregistration::v1::NamedRuleWithOperations> {
    let mut resources: BTreeMap<(&str, String), BTreeSet<String>> = BTreeMap::new();
    for row in guarded(plan) {
        let scope = if row.stands == Stands::Global { "Cluster" } else { "Namespaced" };
        resources.entry((scope, row.group.to_owned())).or_default().insert(row.resource.into_owned());
    }
    let operations = ["CREATE", "UPDATE", "DELETE"];
    let each = resources.into_iter().map(|((scope, group), resources)| {
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        rule(scope, &operations, &group, &resources)
    });
    each.collect()
}
