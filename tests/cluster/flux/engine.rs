//! Flux's kustomize-controller on a control plane, as a platform team runs it: for several tenants, locked down.
//!
//! source-controller is not there: the test tells of the artifacts in its place, and serves them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::client::Client;
use crate::control_plane::{ControlPlane, NEWEST};
use crate::fixture::{define_foreign, established};
use crate::kubectl::kubectl;
use crate::manifests::{Document, Resources, documents};
use crate::process::Process;
use crate::programs::{definitions, module, program, repository};
use crate::world::World;

/// How long it may take until everything is applied.
const PATIENCE: Duration = Duration::from_secs(240);

/// Flux's namespace.
pub const FLUX: &str = "flux-system";

const KUSTOMIZATIONS: &str = "/apis/kustomize.toolkit.fluxcd.io/v1/kustomizations";

/// A control plane with Flux on it, and a repository that it applies.
pub struct Engine {
    // In the order in which they are to end.
    controller: Process,
    /// Where it runs.
    pub plane: ControlPlane,
    /// Who may do everything there.
    pub admin: Client,
    /// What the server has.
    pub resources: Resources,
    /// The platform's repository.
    pub world: World,
    artifacts: Artifacts,
    revision: String,
    _logs: TempDir,
}

impl Engine {
    /// Starts one with nothing on it but Flux, and does what README says an admin does once.
    pub fn start(world: World) -> Engine {
        let mut plane = ControlPlane::start(NEWEST);
        plane.start_nodes();
        let admin = plane.client();
        let flux = module("ci/flux", "github.com/fluxcd/kustomize-controller").join("config/crd/bases");
        let sources = definitions("source-controller", "github.com/fluxcd/source-controller").join("config/crd/bases");
        for folder in [flux, sources] {
            kubectl(&plane, &["apply", "--server-side", "--filename", folder.to_str().expect("a path")]);
        }
        for name in ["kustomizations.kustomize.toolkit.fluxcd.io", "gitrepositories.source.toolkit.fluxcd.io"] {
            established(&plane, &admin, name);
        }
        // Kinds that the sample's templates make; whose definitions are somebody else's.
        define_foreign(&plane, &manifests(&world, "rendered/tenants"));
        kubectl(&plane, &["create", "namespace", FLUX]);
        let key = format!("--from-file=age.agekey={}", world.key_file());
        kubectl(&plane, &["create", "secret", "generic", "sops-age", "--namespace", FLUX, &key]);
        let logs = tempfile::tempdir().expect("a folder");
        let kubeconfig = plane.admin_kubeconfig().display().to_string();
        let flags = [
            "--watch-all-namespaces=true",
            "--enable-leader-election=false",
            "--events-addr=",
            "--metrics-addr=0",
            "--health-addr=127.0.0.1:0",
            "--requeue-dependency=1s",
            // What Flux advises where there are tenants.
            "--no-cross-namespace-refs=true",
            "--no-remote-bases=true",
            "--default-service-account=default",
        ];
        let environment = [format!("RUNTIME_NAMESPACE={FLUX}"), format!("KUBECONFIG={kubeconfig}")];
        let command = ["env".to_owned()].into_iter().chain(environment);
        let command = command.chain([program("kustomize-controller").display().to_string()]);
        let command: Vec<String> = command.chain(flags.map(str::to_owned)).collect();
        let controller = Process::start("kustomize-controller", logs.path(), false, &command);
        let resources = Resources::of(&admin);
        let artifacts = Artifacts::serve();
        let mut engine =
            Engine { controller, plane, admin, resources, world, artifacts, revision: String::new(), _logs: logs };
        let root = engine.world.folder.join("rendered/gitops/flux");
        kubectl(&engine.plane, &["apply", "--server-side", "--kustomize", root.to_str().expect("a path")]);
        engine.push();
        // With the definition of Tenants, which Flux applied.
        engine.resources = Resources::of(&engine.admin);
        engine
    }

    /// Tells Flux of the repository as it is now, and waits until all of it is applied.
    pub fn push(&mut self) {
        self.revision = self.tell(FLUX, "k8s-mtp", self.world.folder.path());
        self.until("everything is applied", |engine| engine.unready());
    }

    /// Tells Flux of a repository, as source-controller does once it has fetched it; its revision.
    pub fn tell(&self, namespace: &str, name: &str, folder: &Path) -> String {
        let packed = Command::new("tar").arg("-C").arg(folder).args(["-czf", "-", "."]).output().expect("tar starts");
        assert!(packed.status.success(), "{}", String::from_utf8_lossy(&packed.stderr));
        let digest: String = Sha256::digest(&packed.stdout).iter().map(|byte| format!("{byte:02x}")).collect();
        let revision = format!("main@sha1:{}", &digest[..40]);
        let path = format!("gitrepository/{namespace}/{name}/{}.tar.gz", &digest[..40]);
        let size = packed.stdout.len();
        self.artifacts.files.lock().expect("a lock").insert(format!("/{path}"), packed.stdout);
        let repository = format!("/apis/source.toolkit.fluxcd.io/v1/namespaces/{namespace}/gitrepositories/{name}");
        let generation = self.admin.get(&repository).ok()["metadata"]["generation"].clone();
        let now = "2026-11-27T00:00:00Z";
        let ready = json!({
            "type": "Ready", "status": "True", "reason": "Succeeded", "message": "stored artifact",
            "lastTransitionTime": now, "observedGeneration": generation,
        });
        let artifact = json!({
            "url": format!("http://{}/{path}", self.artifacts.address), "path": path, "revision": revision,
            "digest": format!("sha256:{digest}"), "lastUpdateTime": now, "size": size,
        });
        let status = json!({"observedGeneration": generation, "conditions": [ready], "artifact": artifact});
        self.admin.merge(&format!("{repository}/status"), &json!({"status": status})).ok();
        revision
    }

    /// All Kustomizations of the cluster.
    pub fn kustomizations(&self) -> Vec<Value> {
        let list = self.admin.get(KUSTOMIZATIONS).ok();
        list["items"].as_array().cloned().unwrap_or_default()
    }

    /// Kustomizations of the platform's repository that have not applied what it holds now.
    fn unready(&self) -> Vec<String> {
        let ours = self.kustomizations().into_iter().filter(|k| k["spec"]["sourceRef"]["name"] == "k8s-mtp");
        let unready = ours.filter(|k| {
            let done = k["status"]["lastAppliedRevision"] == self.revision.as_str();
            !(done && condition(k)["status"] == "True" && k["metadata"].get("deletionTimestamp").is_none())
        });
        unready.map(|k| format!("{}: {}", k["metadata"]["name"], condition(&k)["message"])).collect()
    }

    /// Has every Kustomization reconciled once more, and waits until each has.
    pub fn reconcile(&self, token: &str) {
        let asked = json!({"metadata": {"annotations": {"reconcile.fluxcd.io/requestedAt": token}}});
        for kustomization in self.kustomizations() {
            if kustomization["spec"]["suspend"] != true {
                let text = |field: &str| kustomization["metadata"][field].as_str().expect("text").to_owned();
                let path = KUSTOMIZATIONS.replace("/kustomizations", &format!("/namespaces/{}", text("namespace")));
                self.admin.merge(&format!("{path}/kustomizations/{}", text("name")), &asked).ok();
            }
        }
        self.until("everything is reconciled again", |engine| {
            let ours = engine.kustomizations().into_iter().filter(|k| k["spec"]["sourceRef"]["name"] == "k8s-mtp");
            let behind = ours.filter(|k| k["status"]["lastHandledReconcileAt"] != token);
            behind.map(|k| k["metadata"]["name"].to_string()).chain(engine.unready()).collect()
        });
    }

    /// Waits until nothing is left of what is still to come.
    pub fn until(&self, what: &str, mut left: impl FnMut(&Engine) -> Vec<String>) {
        let start = Instant::now();
        loop {
            let open = left(self);
            if open.is_empty() {
                return;
            }
            if start.elapsed() > PATIENCE {
                let events = kubectl(&self.plane, &["get", "events,pods", "--namespace", "k8s-mtp"]);
                panic!("not in time: {what}: {open:#?}\n{events}\n{}", self.controller.last_words());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// The documents that are rendered now into a folder; the Secret decrypted by sops itself.
    pub fn rendered(&self) -> Vec<Document> {
        ["rendered/platform", "rendered/tenants"].iter().flat_map(|folder| manifests(&self.world, folder)).collect()
    }
}

/// The condition of a Kustomization that says whether it is ready.
pub fn condition(kustomization: &Value) -> Value {
    let conditions = kustomization["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|c| c["type"] == "Ready").cloned().unwrap_or_default()
}

/// The documents of a rendered folder; the Secret decrypted by sops itself.
pub fn manifests(world: &World, folder: &str) -> Vec<Document> {
    let files = world.folder.files(folder).into_iter();
    let texts = files.map(|path| {
        let text = world.folder.read(&path);
        if text.contains("\nsops:") { world.sops(&["decrypt", &path]) } else { text }
    });
    texts.flat_map(|text| documents(&text)).collect()
}

/// This repository's sample, for Flux, with a webhook whose Secret is encrypted.
pub fn sample() -> World {
    let world = World::empty();
    crate::mtp::copy(&repository().join("tenants"), &world.folder.join("tenants"));
    world.folder.edit("tenants/platform.yaml", "engine: both", "engine: flux");
    world.folder.edit("tenants/platform.yaml", "engines: [policies]", "engines: [policies, webhook]");
    world.clean(&["certs", "issue", "--age", &world.recipient]);
    world.clean(&["render"]);
    world
}

/// What stands for source-controller's storage.
struct Artifacts {
    address: String,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Artifacts {
    fn serve() -> Artifacts {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let files: Arc<Mutex<BTreeMap<String, Vec<u8>>>> = Arc::default();
        let served = Arc::clone(&files);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let mut lines = BufReader::new(stream.try_clone().expect("a stream")).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let body = served.lock().expect("a lock").get(&path).cloned();
                let status = if body.is_some() { "200 OK" } else { "404 Not Found" };
                let body = body.unwrap_or_default();
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
            }
        });
        Artifacts { address, files }
    }
}
