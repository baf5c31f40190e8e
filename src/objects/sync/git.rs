//! git-sync, the container beside `mtp sync` that fetches the repository; it has credentials of git, and no token of the cluster.
//!
//! It is a sidecar that starts first: the other container begins with a whole checkout. Each commit is a folder of its own, and a
//! link is turned to it.
//!
//! Sources: <https://github.com/kubernetes/git-sync#manual>, `docs/ssh.md` there,
//! <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>

use k8s_openapi::api::core::v1::{
    Container, EmptyDirVolumeSource, HTTPGetAction, KeyToPath, Probe, SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::objects::hardened::{self, READABLE, mount, port};
use crate::plan::SyncPlan;
use crate::plan::sync::CredentialsKind;

/// The user of git-sync's image. SSH insists on one that `/etc/passwd` has; the pod as a whole is his, so that git takes the
/// checkout for its own.
pub const USER: i64 = 65533;

/// The name of the volume of the checkout.
pub const VOLUME: &str = "git";

/// Where the volume is mounted.
pub const FOLDER: &str = "/git";

/// The link to the commit that is checked out.
const LINK: &str = "root";

const TEMPORARY: &str = "git-tmp";
const CREDENTIALS: &str = "git-credentials";
const CREDENTIALS_FOLDER: &str = "/etc/git-secret";

/// The port at which it says that there is a checkout.
const PORT: i32 = 8081;

/// The folder that holds `tenants/`.
pub fn root(sync: &SyncPlan) -> String {
    let path = &sync.source.path;
    if path.is_empty() { format!("{FOLDER}/{LINK}") } else { format!("{FOLDER}/{LINK}/{path}") }
}

/// The container.
pub fn container(sync: &SyncPlan) -> Container {
    let mut mounts = vec![writable(VOLUME, FOLDER), writable(TEMPORARY, "/tmp")];
    if sync.credentials.is_some() {
        mounts.push(mount(CREDENTIALS, CREDENTIALS_FOLDER));
    }
    Container {
        args: Some(args(sync)),
        image: Some(sync.git_image.clone()),
        image_pull_policy: Some("IfNotPresent".to_owned()),
        name: "git-sync".to_owned(),
        ports: Some(vec![port("git-sync", PORT)]),
        resources: Some(hardened::resources(["50m", "64Mi"], ["1", "512Mi"])),
        restart_policy: Some("Always".to_owned()),
        security_context: Some(hardened::container()),
        startup_probe: Some(Probe {
            // A first clone may take its time: ten minutes.
            failure_threshold: Some(120),
            http_get: Some(HTTPGetAction {
                path: Some("/".to_owned()),
                port: IntOrString::String("git-sync".to_owned()),
                scheme: Some("HTTP".to_owned()),
                ..HTTPGetAction::default()
            }),
            period_seconds: Some(5),
            timeout_seconds: Some(2),
            ..Probe::default()
        }),
        volume_mounts: Some(mounts),
        ..Container::default()
    }
}

fn args(sync: &SyncPlan) -> Vec<String> {
    let mut args = vec![
        format!("--repo={}", sync.source.repo),
        format!("--ref={}", sync.source.revision.as_str()),
        format!("--root={FOLDER}"),
        format!("--link={LINK}"),
        "--depth=1".to_owned(),
        "--period=60s".to_owned(),
        // They would lead to repositories that nobody has named.
        "--submodules=off".to_owned(),
        // What a pass began with is there until it ends.
        "--stale-worktree-timeout=10m".to_owned(),
        // What is in the cluster is kept as the last checkout has it; a password that was changed is read at the next start.
        "--max-failures=10".to_owned(),
        format!("--http-bind=:{PORT}"),
    ];
    match sync.credentials.as_ref().map(|credentials| &credentials.kind) {
        Some(CredentialsKind::Password { user }) => {
            args.extend([format!("--username={user}"), format!("--password-file={CREDENTIALS_FOLDER}/password")]);
        }
        Some(CredentialsKind::Key) => args.extend([
            // Later versions of git-sync 4 know it from the address, and take the flag all the same.
            "--ssh".to_owned(),
            format!("--ssh-key-file={CREDENTIALS_FOLDER}/ssh"),
            format!("--ssh-known-hosts-file={CREDENTIALS_FOLDER}/known_hosts"),
        ]),
        None => {}
    }
    args
}

/// What it needs: the checkout, a folder for git itself, its credentials.
pub fn volumes(sync: &SyncPlan) -> Vec<Volume> {
    let mut volumes = vec![scratch(VOLUME, "2Gi"), scratch(TEMPORARY, "64Mi")];
    if let Some(credentials) = &sync.credentials {
        let keys: &[&str] = match credentials.kind {
            CredentialsKind::Password { .. } => &["password"],
            CredentialsKind::Key => &["ssh", "known_hosts"],
        };
        let item = |key: &&str| KeyToPath { key: (*key).to_owned(), path: (*key).to_owned(), ..KeyToPath::default() };
        let secret = SecretVolumeSource {
            default_mode: Some(READABLE),
            items: Some(keys.iter().map(item).collect()),
            secret_name: Some(credentials.secret.clone()),
            ..SecretVolumeSource::default()
        };
        volumes.push(Volume { name: CREDENTIALS.to_owned(), secret: Some(secret), ..Volume::default() });
    }
    volumes
}

fn scratch(name: &str, limit: &str) -> Volume {
    let source =
        EmptyDirVolumeSource { size_limit: Some(Quantity(limit.to_owned())), ..EmptyDirVolumeSource::default() };
    Volume { empty_dir: Some(source), name: name.to_owned(), ..Volume::default() }
}

fn writable(name: &str, path: &str) -> VolumeMount {
    VolumeMount { mount_path: path.to_owned(), name: name.to_owned(), ..VolumeMount::default() }
}
