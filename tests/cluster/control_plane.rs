//! A Kubernetes control plane on this machine: etcd, kube-apiserver and kube-controller-manager, without containers.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::client::Client;
use crate::process::Process;
use crate::programs::program;
use crate::secrets::{ADMIN, CONTROLLERS, NODES, SCHEDULER, kubeconfig, write_secrets};

/// How long a control plane may take until it answers; it takes some four seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Minor versions of Kubernetes that the product renders for. A server behaves as an older one on demand.
pub const MINORS: [&str; 4] = ["1.34", "1.35", "1.36", "1.37"];

/// The version that the programs have.
pub const NEWEST: &str = MINORS[MINORS.len() - 1];

/// What a control plane has that others do not.
#[derive(Clone, Copy, Default)]
struct Extras {
    audited: bool,
    one_controller: bool,
}

/// What is noted: who did what, without what was sent.
const AUDIT: &str =
    "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata, verbs: [create, update, patch, delete]}]\n";

const AUDIT_LOG: &str = "audit.log";

/// A running control plane; gone when it is dropped, or when this process ends in whatever way.
pub struct ControlPlane {
    /// Where the API server listens.
    pub url: String,
    /// Certificate of the authority that signed the API server's, as DER.
    pub authority: Vec<u8>,
    token: String,
    folder: PathBuf,
    arguments: Vec<String>,
    // In the order in which they are to end.
    extras: Vec<Process>,
    controllers: Option<Process>,
    api_server: Option<Process>,
    etcd: Process,
}

/// The control plane of a minor version that all tests of this process share.
pub fn shared(minor: &'static str) -> Arc<ControlPlane> {
    static ALL: LazyLock<[Mutex<Option<Arc<ControlPlane>>>; MINORS.len()]> = LazyLock::new(Default::default);
    let index = MINORS.iter().position(|m| *m == minor).expect("a minor version that is supported");
    let mut one = ALL[index].lock().unwrap_or_else(|e| e.into_inner());
    Arc::clone(one.get_or_insert_with(|| Arc::new(ControlPlane::start(minor))))
}

impl ControlPlane {
    /// Starts one that behaves as that minor version, and waits until its controllers work.
    pub fn start(minor: &str) -> ControlPlane {
        ControlPlane::start_with(minor, Extras::default())
    }

    /// The same, with an audit log of what is done in namespaces of tenants.
    pub fn audited(minor: &str) -> ControlPlane {
        ControlPlane::start_with(minor, Extras { audited: true, ..Extras::default() })
    }

    /// The same, where all of Kubernetes' controllers are one user.
    pub fn of_one_controller(minor: &str) -> ControlPlane {
        ControlPlane::start_with(minor, Extras { audited: false, one_controller: true })
    }

    fn start_with(minor: &str, extras: Extras) -> ControlPlane {
        // A port that is free now may be taken in a moment: whoever loses that race tries again.
        for _ in 0..3 {
            if let Some(started) = ControlPlane::try_start(minor, extras) {
                return started;
            }
        }
        panic!("no control plane could be started");
    }

    fn try_start(minor: &str, extras: Extras) -> Option<ControlPlane> {
        // First, so that nothing is left behind where one is missing.
        let programs =
            ["etcd", "kube-apiserver", "kube-controller-manager"].map(|name| program(name).display().to_string());
        let [etcd_program, api_server_program, controllers_program] = programs;
        // For its owner alone: it holds keys and tokens.
        let folder = tempfile::Builder::new().prefix("mtp-cluster-").tempdir().expect("a folder can be made").keep();
        let folder = folder.as_path();
        let [etcd_port, peer_port, port] = free_ports();
        let path = |name: &str| folder.join(name).display().to_string();
        let url = format!("https://127.0.0.1:{port}");
        let (authority, token) = write_secrets(folder, &url);
        let etcd_url = format!("http://127.0.0.1:{etcd_port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let etcd = Process::start(
            "etcd",
            folder,
            true,
            &strings(&[
                &etcd_program,
                // Tests need no data that outlives the machine.
                "--unsafe-no-fsync",
                // Fleets are measured, too.
                "--quota-backend-bytes=8589934592",
                "--log-level=warn",
                &format!("--data-dir={}", path("etcd")),
                &format!("--listen-client-urls={etcd_url}"),
                &format!("--advertise-client-urls={etcd_url}"),
                &format!("--listen-peer-urls={peer_url}"),
                &format!("--initial-advertise-peer-urls={peer_url}"),
                &format!("--initial-cluster=default={peer_url}"),
            ]),
        );
        let mut arguments = strings(&[
            &api_server_program,
            &format!("--etcd-servers={etcd_url}"),
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            &format!("--secure-port={port}"),
            &format!("--tls-cert-file={}", path("server.crt")),
            &format!("--tls-private-key-file={}", path("server.key")),
            &format!("--token-auth-file={}", path("tokens")),
            "--authorization-mode=RBAC",
            // Pod Security is to refuse privileged pods, not this switch.
            "--allow-privileged=true",
            "--service-cluster-ip-range=127.96.0.0/12",
            "--service-account-issuer=https://kubernetes.default.svc",
            &format!("--service-account-key-file={}", path("accounts.pub")),
            &format!("--service-account-signing-key-file={}", path("accounts.key")),
        ]);
        if minor != NEWEST {
            arguments.push(format!("--emulated-version=kube={minor}"));
        }
        if extras.audited {
            fs::write(folder.join("audit.yaml"), AUDIT).expect("written");
            arguments.push(format!("--audit-policy-file={}", path("audit.yaml")));
            arguments.push(format!("--audit-log-path={}", path(AUDIT_LOG)));
        }
        let api_server = Process::start("kube-apiserver", folder, false, &arguments);
        let mut plane = ControlPlane {
            url,
            authority,
            token,
            folder: folder.to_owned(),
            arguments,
            extras: Vec::new(),
            controllers: None,
            api_server: Some(api_server),
            etcd,
        };
        if !plane.is_ready() {
            return None;
        }
        plane.controllers = Some(Process::start(
            "kube-controller-manager",
            folder,
            false,
            &strings(&[
                &controllers_program,
                &format!("--kubeconfig={}", plane.kubeconfig(CONTROLLERS).display()),
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                "--secure-port=0",
                &format!("--use-service-account-credentials={}", !extras.one_controller),
                "--concurrent-namespace-syncs=20",
                &format!("--root-ca-file={}", path("ca.crt")),
                &format!("--service-account-private-key-file={}", path("accounts.key")),
            ]),
        ));
        let account = "/api/v1/namespaces/default/serviceaccounts/default";
        wait("the controllers work", &plane, || plane.client().get(account).status == 200);
        Some(plane)
    }

    /// Whether the API server becomes ready, in time and before it ends: it does end where its port is taken.
    fn is_ready(&self) -> bool {
        let (start, client) = (Instant::now(), self.client());
        while start.elapsed() < PATIENCE {
            if client.get("/readyz").status == 200 {
                return true;
            }
            if self.last_words().contains("address already in use") {
                return false;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the API server does not become ready:\n{}", self.last_words());
    }

    /// A client that may do everything.
    pub fn client(&self) -> Client {
        Client::new(&self.url, &self.authority, &self.token)
    }

    /// The kubeconfig of who may do everything.
    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.kubeconfig(ADMIN)
    }

    /// The certificate for 127.0.0.1 and its key, for what else serves there: their files.
    pub fn serving_pair(&self) -> [PathBuf; 2] {
        ["server.crt", "server.key"].map(|name| self.folder.join(name))
    }

    fn kubeconfig(&self, user: &str) -> PathBuf {
        kubeconfig(&self.folder, user)
    }

    /// What the audit log has, a line an event.
    pub fn audit_log(&self) -> String {
        fs::read_to_string(self.folder.join(AUDIT_LOG)).unwrap_or_default()
    }

    /// Stops the API server where it stands; requests hang.
    pub fn pause(&mut self) {
        self.api_server.as_mut().expect("it runs").signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&mut self) {
        self.api_server.as_mut().expect("it runs").signal("CONT");
    }

    /// Stops etcd where it stands; the API server hangs with it.
    pub fn pause_storage(&mut self) {
        self.etcd.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume_storage(&mut self) {
        self.etcd.signal("CONT");
    }

    /// Kills the API server and starts it again.
    pub fn restart(&mut self) {
        drop(self.api_server.take());
        self.api_server = Some(Process::start("kube-apiserver", &self.folder, false, &self.arguments));
        assert!(self.is_ready(), "the API server's port is taken:\n{}", self.last_words());
    }

    /// Lets pods live: a scheduler, and a node whose pods run at once. A pod with the label `tests/fails` fails.
    pub fn start_nodes(&mut self) {
        self.extras.push(Process::start(
            "kube-scheduler",
            &self.folder,
            false,
            &strings(&[
                &program("kube-scheduler").display().to_string(),
                &format!("--kubeconfig={}", self.kubeconfig(SCHEDULER).display()),
                "--leader-elect=false",
                "--secure-port=0",
            ]),
        ));
        self.extras.push(Process::start(
            "kwok",
            &self.folder,
            false,
            &strings(&[
                &program("kwok").display().to_string(),
                &format!("--kubeconfig={}", self.kubeconfig(NODES).display()),
                "--manage-all-nodes",
                "--node-lease-duration-seconds=40",
                &format!("--config={}", crate::programs::repository().join("tests/cluster/stages.yaml").display()),
            ]),
        ));
        let node = json!({
            "apiVersion": "v1",
            "kind": "Node",
            // As its kubelet would label it.
            "metadata": {"name": "node", "labels": {
                "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": "node", "kubernetes.io/os": "linux",
            }},
            "status": {
                "allocatable": {"cpu": "100", "memory": "1000Gi", "pods": "1000"},
                "capacity": {"cpu": "100", "memory": "1000Gi", "pods": "1000"},
            },
        });
        self.client().post("/api/v1/nodes", &node).created();
        wait("the node is ready", self, || {
            let node = self.client().get("/api/v1/nodes/node").body;
            let conditions = node.pointer("/status/conditions").and_then(|c| c.as_array().cloned()).unwrap_or_default();
            conditions.iter().any(|c| c["type"] == "Ready" && c["status"] == "True")
        });
    }

    /// What the programs said last.
    pub fn last_words(&self) -> String {
        let all = [Some(&self.etcd), self.api_server.as_ref(), self.controllers.as_ref()];
        all.into_iter().flatten().chain(&self.extras).map(Process::last_words).collect()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        self.extras.clear();
        self.controllers = None;
        self.api_server = None;
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Waits for something that a control plane does by itself.
pub fn wait(what: &str, plane: &ControlPlane, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}\n{}", plane.last_words());
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn strings(all: &[&str]) -> Vec<String> {
    all.iter().map(|s| (*s).to_owned()).collect()
}

/// Ports that were free a moment ago.
fn free_ports<const N: usize>() -> [u16; N] {
    let bound = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    bound.map(|listener| listener.local_addr().expect("an address").port())
}
