//! `ValidatingWebhookConfiguration` and `MutatingWebhookConfiguration`: what the API server asks the webhook about.
//!
//! Source: <https://kubernetes.io/docs/concepts/cluster-administration/admission-webhooks-good-practices/>

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MatchCondition, MutatingWebhook, MutatingWebhookConfiguration, RuleWithOperations, ServiceReference,
    ValidatingWebhook, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};

use super::{Scope, cert_manager, scope, service};
use crate::certs::SERVICE;
use crate::objects::meta::{ObjectMeta, TENANT, TIER, global};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;
use crate::plan::admission::CertificatesPlan;

/// The row of [`crate::objects::KINDS`] of what judges.
pub const VALIDATING: Kind = Kind {
    group: "admissionregistration.k8s.io",
    version: "v1",
    kind: "ValidatingWebhookConfiguration",
    build: Build::Platform(validating),
};

/// The row of [`crate::objects::KINDS`] of what labels.
pub const MUTATING: Kind =
    Kind { kind: "MutatingWebhookConfiguration", build: Build::Platform(mutating), ..VALIDATING };

/// The names of the two.
pub const NAMES: [&str; 2] = ["k8s-mtp-webhook", "k8s-mtp-mutating-webhook"];

/// The name of the webhook in what people are told; part of the interface.
const WEBHOOK: &str = "k8s-mtp-webhook.k8s-mtp.io";

/// How long the API server waits, in seconds. An answer takes less than a thousandth of that.
const TIMEOUT: i32 = 3;

/// Refuses what it cannot ask about, since tenants could otherwise wait for a quiet moment; in tenants' namespaces alone.
fn validating(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let webhook = ValidatingWebhook {
        admission_review_versions: vec!["v1".to_owned()],
        client_config: client(&scope, "/validate-pod"),
        failure_policy: Some("Fail".to_owned()),
        match_conditions: Some(vec![changed()]),
        match_policy: Some("Equivalent".to_owned()),
        name: WEBHOOK.to_owned(),
        namespace_selector: Some(tenants()),
        object_selector: None,
        rules: Some(vec![rule(&["CREATE", "UPDATE"], &["pods", "pods/ephemeralcontainers", "pods/resize"])]),
        side_effects: "None".to_owned(),
        timeout_seconds: Some(TIMEOUT),
    };
    let metadata = metadata(&scope, NAMES[0]);
    let configuration = ValidatingWebhookConfiguration { metadata, webhooks: Some(vec![webhook]) };
    vec![Object::new(configuration, scope.webhook.at.clone())]
}

/// Lets pods be without our labels where it cannot be asked. At creation alone: a pod cannot be changed afterwards.
fn mutating(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let webhook = MutatingWebhook {
        admission_review_versions: vec!["v1".to_owned()],
        client_config: client(&scope, "/mutate-pod"),
        failure_policy: Some("Ignore".to_owned()),
        match_conditions: None,
        match_policy: Some("Equivalent".to_owned()),
        name: WEBHOOK.to_owned(),
        namespace_selector: Some(tenants()),
        object_selector: None,
        reinvocation_policy: Some("IfNeeded".to_owned()),
        rules: Some(vec![rule(&["CREATE"], &["pods"])]),
        side_effects: "None".to_owned(),
        timeout_seconds: Some(TIMEOUT),
    };
    let metadata = metadata(&scope, NAMES[1]);
    let configuration = MutatingWebhookConfiguration { metadata, webhooks: Some(vec![webhook]) };
    vec![Object::new(configuration, scope.webhook.at.clone())]
}

fn metadata(scope: &Scope<'_>, name: &str) -> ObjectMeta {
    let injected = matches!(scope.webhook.certificates, CertificatesPlan::CertManager);
    let injected = injected.then(|| cert_manager::injection(&scope.platform.namespace));
    let argocd = scope.platform.gitops.as_ref().is_some_and(|gitops| gitops.argocd.is_some());
    let last = argocd.then(|| (SYNC_WAVE.0.to_owned(), SYNC_WAVE.1.to_owned()));
    let annotations: BTreeMap<String, String> = injected.into_iter().chain(last).collect();
    ObjectMeta { annotations: (!annotations.is_empty()).then_some(annotations), ..global(name) }
}

/// For Argo CD: after everything else, once that is healthy. Flux applies these kinds last by itself.
///
/// Source: <https://argo-cd.readthedocs.io/en/stable/user-guide/sync-waves/>
const SYNC_WAVE: (&str, &str) = ("argocd.argoproj.io/sync-wave", "1");

/// Without a `caBundle` where somebody else says whom to trust: even an empty one would be taken from its owner.
fn client(scope: &Scope<'_>, path: &str) -> WebhookClientConfig {
    let ca_bundle = match &scope.webhook.certificates {
        CertificatesPlan::Sops { lock, .. } | CertificatesPlan::External { lock } => {
            Some(ByteString(lock.content.bundle().into_bytes()))
        }
        CertificatesPlan::CertManager | CertificatesPlan::None => None,
    };
    let service = ServiceReference {
        name: SERVICE.to_owned(),
        namespace: scope.platform.namespace.to_string(),
        path: Some(path.to_owned()),
        port: Some(service::PORT),
    };
    WebhookClientConfig { ca_bundle, service: Some(service), url: None }
}

/// Namespaces of tenants: never the webhook's own, which has to come back without it, nor Kubernetes' own.
fn tenants() -> LabelSelector {
    let exists = LabelSelectorRequirement { key: TENANT.to_owned(), operator: "Exists".to_owned(), values: None };
    LabelSelector { match_labels: None, match_expressions: Some(vec![exists]) }
}

fn rule(operations: &[&str], resources: &[&str]) -> RuleWithOperations {
    let list = |words: &[&str]| Some(words.iter().map(|word| (*word).to_owned()).collect());
    RuleWithOperations {
        api_groups: list(&[""]),
        api_versions: list(&["v1"]),
        operations: list(operations),
        resources: list(resources),
        scope: Some("Namespaced".to_owned()),
    }
}

/// A change of what no policy looks at is not asked about: most updates of pods are by controllers that add and remove
/// finalizers, and those must get through without the webhook, or pods stay Terminating.
fn changed() -> MatchCondition {
    let label = |key: &str| {
        let of = |object: &str| format!("{object}.metadata.?labels[?'{key}'].orValue('')");
        format!("{} != {}", of("object"), of("oldObject"))
    };
    let expression = format!(
        "request.operation == 'CREATE' || object.spec != oldObject.spec || {} || {}",
        label(TENANT),
        label(TIER)
    );
    MatchCondition { name: "judged".to_owned(), expression }
}
