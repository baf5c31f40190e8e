//! `Deployment` of `mtp sync --watch`: replicas of which one works, with a token that nothing else in the pod gets.

use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec};
use k8s_openapi::api::core::v1::{
    ConfigMapProjection, Container, DownwardAPIProjection, DownwardAPIVolumeFile, EnvVar, EnvVarSource, HTTPGetAction,
    KeyToPath, ObjectFieldSelector, PodSpec, PodTemplateSpec, Probe, ProjectedVolumeSource, SecretVolumeSource,
    ServiceAccountTokenProjection, Volume, VolumeProjection,
};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{NAME, PORT, Scope, git, scope};
use crate::objects::hardened::{self, READABLE, mount, port};
use crate::objects::meta::{self, ObjectMeta};
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "apps", version: "v1", kind: "Deployment", build: Build::Platform(build) };

const TOKEN: &str = "token";

/// Where clients of the API server look for a token.
///
/// Source: <https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/>
const TOKEN_FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

const AGE: &str = "age";
const AGE_FOLDER: &str = "/etc/k8s-mtp/age";

/// The key of the Secret, as Flux knows it.
const AGE_KEY: &str = "age.agekey";

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta { labels: Some(meta::pod_labels(NAME)), ..ObjectMeta::default() }),
        spec: Some(pod(&scope)),
    };
    let spec = DeploymentSpec {
        replicas: Some(scope.sync.replicas),
        revision_history_limit: Some(3),
        selector: meta::pods(NAME),
        strategy: Some(hardened::replaced_one_by_one()),
        template,
        ..DeploymentSpec::default()
    };
    let deployment = Deployment { metadata: scope.metadata(), spec, status: None };
    vec![Object::new(deployment, scope.sync.at.clone())]
}

fn pod(scope: &Scope<'_>) -> PodSpec {
    let mut volumes = git::volumes(scope.sync);
    volumes.push(token());
    volumes.extend(age(scope));
    PodSpec {
        // Of all containers; the one that needs a token mounts it by itself.
        automount_service_account_token: Some(false),
        containers: vec![container(scope)],
        enable_service_links: Some(false),
        image_pull_secrets: hardened::pulled_with(&scope.sync.pull_secrets),
        init_containers: Some(vec![git::container(scope.sync)]),
        node_selector: Some(hardened::on_linux()),
        security_context: Some(hardened::pod(git::USER)),
        service_account_name: Some(NAME.to_owned()),
        // Long enough to end the request that is under way and to give the Lease back.
        termination_grace_period_seconds: Some(60),
        topology_spread_constraints: Some(hardened::apart(&meta::pods(NAME))),
        volumes: Some(volumes),
        ..PodSpec::default()
    }
}

fn container(scope: &Scope<'_>) -> Container {
    let args = [
        "sync".to_owned(),
        "--watch".to_owned(),
        format!("--root={}", git::root(scope.sync)),
        format!("--listen=0.0.0.0:{PORT}"),
    ];
    let mut mounts = vec![mount(git::VOLUME, git::FOLDER), mount(TOKEN, TOKEN_FOLDER)];
    let mut env = vec![field("POD_NAME", "metadata.name"), field("POD_NAMESPACE", "metadata.namespace")];
    if scope.sync.decryption_secret.is_some() {
        mounts.push(mount(AGE, AGE_FOLDER));
        env.push(EnvVar {
            name: "SOPS_AGE_KEY_FILE".to_owned(),
            value: Some(format!("{AGE_FOLDER}/{AGE_KEY}")),
            value_from: None,
        });
    }
    Container {
        args: Some(args.into()),
        env: Some(env),
        image: Some(scope.sync.image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        liveness_probe: Some(probe("/healthz", 10, 6)),
        name: "sync".to_owned(),
        ports: Some(vec![port("http", PORT)]),
        readiness_probe: Some(probe("/readyz", 5, 2)),
        resources: Some(hardened::resources(["100m", "128Mi"], ["1", "1Gi"])),
        security_context: Some(hardened::container()),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

/// Who it is among the replicas, for the Lease.
fn field(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector { api_version: Some("v1".to_owned()), field_path: path.to_owned() };
    let source = EnvVarSource { field_ref: Some(field), ..EnvVarSource::default() };
    EnvVar { name: name.to_owned(), value: None, value_from: Some(source) }
}

fn probe(path: &str, period: i32, failures: i32) -> Probe {
    Probe {
        failure_threshold: Some(failures),
        http_get: Some(HTTPGetAction {
            path: Some(path.to_owned()),
            port: IntOrString::String("http".to_owned()),
            scheme: Some("HTTP".to_owned()),
            ..HTTPGetAction::default()
        }),
        period_seconds: Some(period),
        timeout_seconds: Some(2),
        ..Probe::default()
    }
}

/// What the API server would mount into every container: a token that ends, whom to trust, the namespace.
fn token() -> Volume {
    let authority = ConfigMapProjection {
        items: Some(vec![KeyToPath { key: "ca.crt".to_owned(), path: "ca.crt".to_owned(), ..KeyToPath::default() }]),
        name: "kube-root-ca.crt".to_owned(),
        ..ConfigMapProjection::default()
    };
    let namespace = DownwardAPIVolumeFile {
        field_ref: Some(ObjectFieldSelector {
            api_version: Some("v1".to_owned()),
            field_path: "metadata.namespace".to_owned(),
        }),
        path: "namespace".to_owned(),
        ..DownwardAPIVolumeFile::default()
    };
    let token = ServiceAccountTokenProjection {
        expiration_seconds: Some(3600),
        path: "token".to_owned(),
        ..ServiceAccountTokenProjection::default()
    };
    let sources = vec![
        VolumeProjection { service_account_token: Some(token), ..VolumeProjection::default() },
        VolumeProjection { config_map: Some(authority), ..VolumeProjection::default() },
        VolumeProjection {
            downward_api: Some(DownwardAPIProjection { items: Some(vec![namespace]) }),
            ..VolumeProjection::default()
        },
    ];
    let projected = ProjectedVolumeSource { default_mode: Some(READABLE), default_user: None, sources: Some(sources) };
    Volume { name: TOKEN.to_owned(), projected: Some(projected), ..Volume::default() }
}

/// The age key, where the Platform says that there is one.
fn age(scope: &Scope<'_>) -> Option<Volume> {
    let name = scope.sync.decryption_secret.clone()?;
    let secret = SecretVolumeSource {
        default_mode: Some(READABLE),
        items: Some(vec![KeyToPath { key: AGE_KEY.to_owned(), path: AGE_KEY.to_owned(), ..KeyToPath::default() }]),
        secret_name: Some(name),
        ..SecretVolumeSource::default()
    };
    Some(Volume { name: AGE.to_owned(), secret: Some(secret), ..Volume::default() })
}
