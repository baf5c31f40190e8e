//! `Deployment` of the webhook: two replicas apart from each other, with no more rights than a tenant's pod has.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, HTTPGetAction, PodSpec, PodTemplateSpec, Probe, ProjectedVolumeSource,
    SecretVolumeSource, Volume, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{METRICS_PORT, NAME, PORT, Scope, config_map, pod_labels, scope, selector};
use crate::certs::SECRET;
use crate::objects::hardened::{self, READABLE, mount, port};
use crate::objects::meta::ObjectMeta;
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;
use crate::webhook::view::SHARDS;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "apps", version: "v1", kind: "Deployment", build: Build::Platform(build) };

/// Where the certificate is mounted: the whole folder, since a file that is mounted alone is never renewed.
///
/// Source: <https://kubernetes.io/docs/concepts/configuration/secret/#using-secrets-as-files-from-a-pod>
const CERTS: &str = "/etc/k8s-mtp/certs";

/// Where the view of tenants is mounted.
const TENANTS: &str = "/etc/k8s-mtp/tenants";

/// The priority of its pods; Kubernetes' own.
pub const PRIORITY: &str = "system-cluster-critical";

/// The user of the process: nobody in particular, and not root.
const USER: i64 = 65532;

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(pod_labels()), ..ObjectMeta::default() }),
        spec: Some(pod(&scope)),
    };
    let spec = DeploymentSpec {
        replicas: Some(2),
        revision_history_limit: Some(3),
        selector: selector(),
        strategy: Some(hardened::replaced_one_by_one()),
        template,
        ..DeploymentSpec::default()
    };
    let deployment = Deployment { metadata: scope.metadata(NAME), spec, status: None };
    vec![Object::new(deployment, scope.webhook.at.clone())]
}

fn pod(scope: &Scope<'_>) -> PodSpec {
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container(scope)],
        enable_service_links: Some(false),
        image_pull_secrets: hardened::pulled_with(&scope.webhook.pull_secrets),
        node_selector: Some(hardened::on_linux()),
        // Tenants' pods wait for it.
        priority_class_name: Some(PRIORITY.to_owned()),
        security_context: Some(hardened::pod(USER)),
        service_account_name: Some(NAME.to_owned()),
        // Longer than the server takes to let go of the API servers that call it.
        termination_grace_period_seconds: Some(30),
        topology_spread_constraints: Some(hardened::apart(&selector())),
        volumes: Some(vec![certs(), tenants()]),
        ..PodSpec::default()
    }
}

fn container(scope: &Scope<'_>) -> Container {
    let args = [
        "webhook".to_owned(),
        "serve".to_owned(),
        format!("--certs={CERTS}"),
        format!("--tenants={TENANTS}"),
        format!("--namespace={}", scope.platform.namespace),
        format!("--listen=:{PORT}"),
        format!("--metrics-listen=:{METRICS_PORT}"),
    ];
    Container {
        args: Some(args.into()),
        image: Some(scope.webhook.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        liveness_probe: Some(probe("/healthz", 10, 3)),
        name: "webhook".to_owned(),
        ports: Some(vec![port("https", PORT), port("metrics", METRICS_PORT)]),
        readiness_probe: Some(probe("/readyz", 5, 2)),
        resources: Some(hardened::resources(["100m", "64Mi"], ["1", "256Mi"])),
        security_context: Some(hardened::container()),
        volume_mounts: Some(vec![mount("certs", CERTS), mount("tenants", TENANTS)]),
        ..Container::default()
    }
}

/// Through TLS, as the API server comes: what it cannot reach is not ready.
fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        failure_threshold: Some(failures),
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("https".to_owned()),
            scheme: Some("HTTPS".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

fn certs() -> Volume {
    let secret = SecretVolumeSource {
        default_mode: Some(READABLE),
        secret_name: Some(SECRET.to_owned()),
        ..SecretVolumeSource::default()
    };
    Volume { name: "certs".to_owned(), secret: Some(secret), ..Volume::default() }
}

fn tenants() -> Volume {
    let names = std::iter::once(config_map::tiers_name()).chain((0..SHARDS).map(config_map::shard_name));
    let source = |name| VolumeProjection {
        config_map: Some(ConfigMapProjection { name, ..ConfigMapProjection::default() }),
        ..VolumeProjection::default()
    };
    let projected = ProjectedVolumeSource {
        default_mode: Some(READABLE),
        default_user: None,
        sources: Some(names.map(source).collect()),
    };
    Volume { name: "tenants".to_owned(), projected: Some(projected), ..Volume::default() }
}
