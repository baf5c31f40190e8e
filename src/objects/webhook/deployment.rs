//! `Deployment` of the webhook: two replicas apart from each other, with no more rights than a tenant's pod has.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{
    Capabilities, ConfigMapProjection, Container, ContainerPort, HTTPGetAction, LocalObjectReference,
    PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ProjectedVolumeSource, ResourceRequirements, SeccompProfile,
    SecretVolumeSource, SecurityContext, TopologySpreadConstraint, Volume, VolumeMount, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{METRICS_PORT, NAME, PORT, Scope, config_map, pod_labels, scope, selector};
use crate::certs::SECRET;
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

/// Files that the process reads and nobody else: `r--r-----`.
const READABLE: i32 = 0o440;

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
        strategy: Some(DeploymentStrategy {
            type_: Some("RollingUpdate".to_owned()),
            rolling_update: Some(RollingUpdateDeployment {
                max_surge: Some(IntOrString::Int(1)),
                max_unavailable: Some(IntOrString::Int(0)),
            }),
        }),
        template,
        ..DeploymentSpec::default()
    };
    let deployment = Deployment { metadata: scope.metadata(NAME), spec, status: None };
    vec![Object::new(deployment, scope.webhook.at.clone())]
}

fn pod(scope: &Scope<'_>) -> PodSpec {
    let secrets: Vec<_> =
        scope.webhook.pull_secrets.iter().map(|name| LocalObjectReference { name: name.clone() }).collect();
    PodSpec {
        automount_service_account_token: Some(false),
        containers: vec![container(scope)],
        enable_service_links: Some(false),
        image_pull_secrets: (!secrets.is_empty()).then_some(secrets),
        node_selector: Some([("kubernetes.io/os".to_owned(), "linux".to_owned())].into()),
        // Tenants' pods wait for it.
        priority_class_name: Some(PRIORITY.to_owned()),
        security_context: Some(PodSecurityContext {
            fs_group: Some(USER),
            run_as_group: Some(USER),
            run_as_non_root: Some(true),
            run_as_user: Some(USER),
            seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
            ..PodSecurityContext::default()
        }),
        service_account_name: Some(NAME.to_owned()),
        // Longer than the server takes to let go of the API servers that call it.
        termination_grace_period_seconds: Some(30),
        topology_spread_constraints: Some(
            ["kubernetes.io/hostname", "topology.kubernetes.io/zone"].into_iter().map(apart).collect(),
        ),
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
    let port = |name: &str, port: i32| ContainerPort {
        container_port: port,
        name: Some(name.to_owned()),
        protocol: Some("TCP".to_owned()),
        ..ContainerPort::default()
    };
    let mount = |name: &str, path: &str| VolumeMount {
        mount_path: path.to_owned(),
        name: name.to_owned(),
        read_only: Some(true),
        ..VolumeMount::default()
    };
    Container {
        args: Some(args.into()),
        image: Some(scope.webhook.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        liveness_probe: Some(probe("/healthz", 10, 3)),
        name: "webhook".to_owned(),
        ports: Some(vec![port("https", PORT), port("metrics", METRICS_PORT)]),
        readiness_probe: Some(probe("/readyz", 5, 2)),
        resources: Some(ResourceRequirements {
            requests: Some(amounts("100m", "64Mi")),
            limits: Some(amounts("1", "256Mi")),
            claims: None,
        }),
        security_context: Some(SecurityContext {
            allow_privilege_escalation: Some(false),
            capabilities: Some(Capabilities { add: None, drop: Some(vec!["ALL".to_owned()]) }),
            read_only_root_filesystem: Some(true),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(vec![mount("certs", CERTS), mount("tenants", TENANTS)]),
        ..Container::default()
    }
}

fn amounts(cpu: &str, memory: &str) -> std::collections::BTreeMap<String, Quantity> {
    [("cpu", cpu), ("memory", memory)].map(|(k, v)| (k.to_owned(), Quantity(v.to_owned()))).into()
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

/// On a cluster of one node, both replicas run there.
fn apart(key: &str) -> TopologySpreadConstraint {
    TopologySpreadConstraint {
        label_selector: Some(selector()),
        max_skew: 1,
        topology_key: key.to_owned(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        ..TopologySpreadConstraint::default()
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
