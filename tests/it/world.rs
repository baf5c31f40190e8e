//! A platform with a webhook and its certificate, and what is asked of it; for all tests that need one.

use std::path::Path;

use age::secrecy::ExposeSecret;
use k8s_mtp::cli::Exit;
use serde_json::{Value, json};

use crate::mtp::{Folder, Ran};
use crate::serving::Mount;
use crate::tools;

pub const LOCK: &str = "tenants/certs/webhook.lock.yaml";
pub const SERVED: &str = "tenants/certs/webhook-tls.sops.yaml";
pub const NEXT: &str = "tenants/certs/webhook-tls.next.sops.yaml";
pub const RENDERED: &str = "rendered/platform/secret-webhook-tls.yaml";
pub const CONFIGURATION: &str = "rendered/platform/validatingwebhookconfiguration-k8s-mtp-webhook.yaml";

/// What a Platform says of its webhook.
pub const WEBHOOK: &str = "
  admission:
    engines: [webhook]
    webhook:
      image: registry.example.com/mtp@sha256:1111111111111111111111111111111111111111111111111111111111111111
";

/// A platform with a webhook, and an identity of age in a file outside of what git holds.
pub struct World {
    pub folder: Folder,
    pub keys: Folder,
    pub recipient: String,
    /// The identity: nothing that is written may hold it.
    pub identity: String,
}

impl World {
    pub fn new() -> World {
        let world = World { folder: Folder::published(), ..World::empty() };
        world.folder.admission(WEBHOOK);
        world
    }

    /// A key, and nothing that it encrypts.
    pub fn empty() -> World {
        let (folder, keys) = (Folder::empty(), Folder::empty());
        let identity = age::x25519::Identity::generate();
        let (recipient, identity) = (identity.to_public().to_string(), identity.to_string());
        let identity = identity.expose_secret().to_owned();
        keys.write("keys.txt", &identity);
        World { folder, keys, recipient, identity }
    }

    /// One that has its first certificate, rendered.
    pub fn issued() -> World {
        let world = World::new();
        world.clean(&["certs", "issue", "--age", &world.recipient]);
        world.clean(&["render"]);
        world
    }

    /// Runs what must succeed; what it noted.
    pub fn clean(&self, args: &[&str]) -> String {
        let ran = self.folder.mtp(args);
        assert_eq!(ran.exit, Exit::Clean, "{args:?}: {ran}");
        ran.err
    }

    /// Lets the published tenant off one policy, until the end of January 2027.
    pub fn exempt(&self) {
        let exemption = "    exemptions:
      - policies: [privileged]
        tenants: [test-acme]
        owner: ops@example.org
        reason: a node agent
        expires: \"2027-01-31\"
    webhook:
";
        self.folder.edit("tenants/platform.yaml", "    webhook:\n", exemption);
    }

    pub fn key_file(&self) -> String {
        self.keys.join("keys.txt").display().to_string()
    }

    pub fn verify(&self) -> Ran {
        self.folder.mtp(&["certs", "verify", "--age-key", &self.key_file()])
    }

    pub fn sops(&self, args: &[&str]) -> String {
        let done = tools::sops()
            .args(args)
            .current_dir(self.folder.path())
            .env("SOPS_AGE_KEY_FILE", self.key_file())
            .output()
            .expect("sops starts");
        assert!(done.status.success(), "sops {args:?}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).expect("UTF-8")
    }
}

/// What API servers of a rendered platform trust, as PEM.
pub fn bundle(folder: &Folder) -> String {
    let text = folder.read("rendered/platform/validatingwebhookconfiguration-k8s-mtp-webhook.yaml");
    let configuration: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
    base64(configuration["webhooks"][0]["clientConfig"]["caBundle"].as_str().expect("a caBundle"))
}

pub fn base64(text: &str) -> String {
    use ::base64::Engine;
    String::from_utf8(::base64::prelude::BASE64_STANDARD.decode(text).expect("base64")).expect("text")
}

/// Certificate and key of a file that SOPS encrypted, by real sops.
pub fn pair(world: &World, path: &str) -> [String; 2] {
    let mut sops = tools::sops();
    sops.args(["decrypt", path]).current_dir(world.folder.path()).env("SOPS_AGE_KEY_FILE", world.key_file());
    let done = sops.output().expect("sops starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let secret: serde_yaml::Value = serde_yaml::from_slice(&done.stdout).expect("YAML");
    ["tls.crt", "tls.key"].map(|key| base64(secret["data"][key].as_str().expect("a value")))
}

/// The rendered view of tenants, mounted.
pub fn view(folder: &Folder, to: &Path) -> Mount {
    let mut mount = Mount::new(to);
    remount(folder, &mut mount);
    mount
}

pub fn remount(folder: &Folder, mount: &mut Mount) {
    let maps = folder.files("rendered/platform").into_iter().filter(|path| path.contains("configmap-"));
    let maps = maps.map(|path| serde_yaml::from_str::<Value>(&folder.read(&path)).expect("YAML"));
    let files: Vec<(String, String)> = maps
        .flat_map(|map| map["data"].as_object().expect("data").clone())
        .map(|(name, text)| (name, text.as_str().expect("text").to_owned()))
        .collect();
    assert_eq!(files.len(), 17);
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    mount.write(&files);
}

/// An AdmissionReview of a new pod in the published tenant's namespace.
pub fn create(pod: Value) -> Value {
    review("CREATE", "", pod, Value::Null)
}

pub fn review(operation: &str, subresource: &str, new: Value, old: Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "b1e6ed05-6b3f-4a0c-9a3b-4d8ad1f0ad3a",
        "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"},
        "subResource": subresource, "namespace": "tenant-test-acme-acme", "operation": operation,
        "userInfo": {"username": "alice@acme.com"}, "object": new, "oldObject": old,
    }})
}

/// A pod that breaks nothing.
pub fn good() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": {
        "securityContext": {"runAsNonRoot": true},
        "containers": [{"name": "nginx", "image": "nginx", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
            "securityContext": {"readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false}}]}})
}

/// The published one.
pub fn bad() -> Value {
    let mut pod = good();
    pod["spec"]["containers"][0]["securityContext"]["privileged"] = json!(true);
    pod
}
