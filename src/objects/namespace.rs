//! `Namespace`: the platform's own and those of tenants, with Pod Security, state and protection against removal.

use k8s_openapi::api::core::v1::Namespace;

use super::meta::{self, ObjectMeta};
use super::policies::pods::EXEMPT;
use super::{InNamespace, Object};
use crate::contract::platform::PodSecurityLevel;
use crate::contract::tenant::State;
use crate::plan::admission::exempt;
use crate::plan::{Plan, PodSecurityPlan};
use crate::policy::restrictions::{OWN, annotation};

/// The platform's own Namespace.
pub fn platform(plan: &Plan) -> Vec<Object> {
    let platform = &plan.platform;
    let strict =
        PodSecurityPlan { level: PodSecurityLevel::Restricted, version: platform.pod_security.version.clone() };
    let mut labels = meta::platform_labels();
    labels.extend(pod_security(&strict));
    let metadata = ObjectMeta {
        name: Some(platform.namespace.to_string()),
        labels: Some(labels),
        annotations: Some(meta::protection()),
        ..ObjectMeta::default()
    };
    let at = platform.doc.at(platform.doc.content.metadata.name.span);
    vec![Object::new(Namespace { metadata, ..Namespace::default() }, at)]
}

/// A tenant's Namespace.
pub fn build(scope: &InNamespace<'_>) -> Vec<Object> {
    let InNamespace { tenant, namespace, .. } = scope;
    let mut labels = tenant.labels.clone();
    labels.extend(meta::tenant_labels(&tenant.name));
    labels.extend(pod_security(&namespace.tier.pod_security));
    labels.insert(meta::TIER.to_owned(), namespace.tier.name.to_string());
    if namespace.state != State::Active {
        labels.insert(meta::STATE.to_owned(), namespace.state.as_str().to_owned());
    }
    let spec = &tenant.doc.content.spec;
    let mut annotations = tenant.annotations.clone();
    annotations.insert(meta::OWNER_EMAIL.to_owned(), spec.owner_email.value.clone());
    if scope.platform.admission.policies.is_some() {
        let exempt = exempt(&scope.platform.admission, &namespace.tier, &tenant.name, &namespace.name);
        annotations.extend(super::policies::tenants::annotations(scope));
        annotations.extend(exempt.into_iter().map(|(policy, why)| (format!("{EXEMPT}{policy}"), why)));
        let own = namespace.tier.own_lists(&tenant.lists);
        annotations.extend(own.iter().map(|(id, own)| (format!("{OWN}{id}"), annotation(&own.list))));
    }
    if namespace.state != State::Retired {
        annotations.extend(meta::protection());
    }
    let metadata = ObjectMeta {
        name: Some(namespace.name.to_string()),
        labels: Some(labels),
        annotations: Some(annotations),
        ..ObjectMeta::default()
    };
    let at = tenant.doc.at(namespace.span);
    let object = Object::new(Namespace { metadata, ..Namespace::default() }, at)
        .from("/metadata/annotations/tenant.k8s-mtp.io~1owner-email", tenant.doc.at(spec.owner_email.span));
    let tier = &namespace.tier.doc;
    let levels = ["enforce", "audit", "warn"];
    let stated = tier.content.spec.pod_security.level.map(|l| tier.at(l.span));
    let stated = stated.or_else(|| {
        let doc = &scope.platform.doc;
        doc.content.spec.pod_security.level.map(|l| doc.at(l.span))
    });
    let Some(stated) = stated else { return vec![object] };
    let each = levels.into_iter().fold(object, |object, mode| {
        object.from(format!("/metadata/labels/pod-security.kubernetes.io~1{mode}"), stated.clone())
    });
    vec![each]
}

/// Pinned to a version, so that an upgrade of the cluster refuses no pod that ran before.
///
/// Source: <https://kubernetes.io/docs/concepts/security/pod-security-admission/#pod-security-admission-labels-for-namespaces>
fn pod_security(plan: &PodSecurityPlan) -> impl Iterator<Item = (String, String)> {
    ["enforce", "audit", "warn"].into_iter().flat_map(|mode| {
        [
            (format!("pod-security.kubernetes.io/{mode}"), plan.level.as_str().to_owned()),
            (format!("pod-security.kubernetes.io/{mode}-version"), plan.version.clone()),
        ]
    })
}
