//! The webhook on a real control plane, called through its Service: what is refused, by whom, and what happens without it.
//!
//! The predecessor's defects that concern its webhook, and what fails here if one of them comes back:
//!
//! | defect | where |
//! | --- | --- |
//! | ephemeral containers unseen, or none of them admissible | `debuggers` |
//! | a root image passes; the pod's own security context is ignored | `published_pods` (root-not-said), `policy::non_root` |
//! | a published example that no API server takes | `layers` (privileged-published) |
//! | limits judged where a LimitRange has given them | `layers` |
//! | resizes unseen | `resizes` |
//! | init containers unseen; a patch that fails without labels; tenants with `-` in their names | `other_ways`, `it`: `webhook` |
//! | updates of metadata refused, pods stuck in Terminating | `old_pods` |
//! | a certificate that is made once and never again | `rotation` |
//! | 400 for a refusal, the webhook's name missing | `published_pods`, `it`: `webhook` |

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use k8s_mtp::cli::Exit;
use serde_json::{Value, json};

use crate::client::{Answer, Client};
use crate::control_plane::{ControlPlane, NEWEST, wait};
use crate::fixture::{established, install, policies_in_force};
use crate::kubectl::kubectl_reading;
use crate::manifests::{Document, Resources, apply_all, documents, in_order};
use crate::programs::{cert_manager, repository};
use crate::serving::{Mount, Server};
use crate::world::{SERVED, World, bundle, pair, view};

/// A tier in which nothing but the webhook looks at pods, and one that bounds them.
pub const TIERS: &str = "
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: open}
spec:
  podSecurity: {level: privileged}
  namespaces: 2
---
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tier
metadata: {name: bounded}
spec:
  podSecurity: {level: privileged}
  quota: {cpu: 2, memory: 2Gi, pods: 10}
  limitRange:
    container:
      default: {cpu: 100m, memory: 64Mi}
      max: {cpu: 1, memory: 1Gi}
";

fn tenant(name: &str, tier: &str) -> String {
    format!(
        "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: {name}}}\n\
         spec: {{name: x, tier: {tier}, ownerEmail: owner@example.org, admins: [alice@example.org]}}\n"
    )
}

/// What stands for kube-proxy: whoever connects to the Service's address reaches one of these.
struct Relay {
    targets: Arc<Mutex<Vec<String>>>,
}

impl Relay {
    /// Listens where the Service is, on a loopback address.
    fn at(address: &str) -> Relay {
        let listener = TcpListener::bind((address, port())).unwrap_or_else(|error| {
            panic!("cannot listen at {address}:{}: {error}", port());
        });
        let targets: Arc<Mutex<Vec<String>>> = Arc::default();
        let relay = Relay { targets: Arc::clone(&targets) };
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().map_while(Result::ok).enumerate() {
                let targets = targets.lock().expect("a lock").clone();
                // Without an endpoint, the connection is refused, as kube-proxy would have it.
                if let Some(target) = (!targets.is_empty()).then(|| targets[number % targets.len()].clone())
                    && let Ok(other) = TcpStream::connect(target)
                {
                    // Or each answer waits for the acknowledgement of what came before it.
                    [&stream, &other].into_iter().for_each(|stream| stream.set_nodelay(true).expect("an option"));
                    for (mut from, mut to) in
                        [(stream.try_clone().expect("a stream"), other.try_clone().expect("a stream")), (other, stream)]
                    {
                        std::thread::spawn(move || {
                            let mut bytes = [0; 16 * 1024];
                            while let Ok(count @ 1..) = from.read(&mut bytes)
                                && to.write_all(&bytes[..count]).is_ok()
                            {}
                            let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
                        });
                    }
                }
            }
        });
        relay
    }

    fn to(&self, servers: &[Server]) {
        *self.targets.lock().expect("a lock") = servers.iter().map(|server| server.address.clone()).collect();
    }
}

/// The port of the Service: the one that is rendered, or another one where only root may listen there.
fn port() -> u16 {
    static PORT: LazyLock<u16> = LazyLock::new(|| match TcpListener::bind("127.111.255.254:443") {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => 18443,
        _ => 443,
    });
    *PORT
}

/// A platform whose webhook runs.
pub struct Live {
    /// Where it is applied.
    pub plane: Arc<ControlPlane>,
    /// Who may do everything there.
    pub admin: Client,
    /// What the server has.
    pub resources: Resources,
    /// The input, and what it was rendered to.
    pub world: World,
    certs: Mount,
    tenants: Mount,
    servers: Vec<Server>,
    relay: Relay,
}

impl Live {
    fn start() -> Live {
        let tenants =
            [("open", "open"), ("bounded", "bounded"), ("free", "free"), ("pro", "pro"), ("enterprise", "enterprise")];
        Live::with(TIERS, &tenants)
    }

    /// With tiers besides the scaffold's, and tenants by name and tier; one of them is `open`.
    pub fn with(tiers: &str, tenants: &[(&str, &str)]) -> Live {
        let world = World::new();
        world.folder.write("tenants/tiers/tests.yaml", tiers);
        for (name, tier) in tenants {
            world.folder.write(&format!("tenants/{name}.yaml"), tenant(name, tier));
        }
        Live::of(world)
    }

    /// Of what `tenants/` of a world says; one of the tenants is `open`.
    pub fn of(world: World) -> Live {
        let plane = Arc::new(ControlPlane::start(NEWEST));
        let admin = plane.client();
        world.clean(&["certs", "issue", "--age", &world.recipient]);
        world.clean(&["render"]);
        let mut resources = Resources::of(&admin);
        let all = rendered(&world);
        install(&plane, &admin, &all, &mut resources);
        apply_all(&admin, &resources, &all);
        let service = admin.get("/api/v1/namespaces/k8s-mtp/services/webhook-svc").ok();
        assert_eq!(service["spec"]["ports"][0]["port"], port());
        let relay = Relay::at(service["spec"]["clusterIP"].as_str().expect("an address"));
        let [certificate, key] = pair(&world, SERVED);
        let certs = Mount::with_pair(&world.keys.join("mounted/certs"), &certificate, &key);
        let tenants = view(&world.folder, &world.keys.join("mounted/tenants"));
        let mut live = Live { plane, admin, resources, world, certs, tenants, servers: Vec::new(), relay };
        live.serve();
        live.wait_for_verdicts();
        live
    }

    /// Two servers, behind the Service.
    pub fn serve(&mut self) {
        let server = || Server::start(self.certs.folder(), self.tenants.folder(), &["--drain=0"]);
        self.servers = vec![server(), server()];
        self.relay.to(&self.servers);
    }

    /// None.
    pub fn stop(&mut self) {
        self.relay.to(&[]);
        self.servers.clear();
    }

    /// Until the API server asks: it learns of a configuration a moment after it was stored.
    fn wait_for_verdicts(&self) {
        policies_in_force(&self.plane, &self.admin);
        let mut bad = good("probe");
        bad["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
        let pods = format!("{}?dryRun=All", pods("open"));
        wait("the webhook is asked", &self.plane, || {
            self.admin.post(&pods, &bad).message().contains("failed privilege check")
        });
    }

    fn create(&self, tenant: &str, pod: &Value) -> Answer {
        self.admin.post(&pods(tenant), pod)
    }

    fn try_create(&self, tenant: &str, pod: &Value) -> Answer {
        self.admin.post(&format!("{}?dryRun=All", pods(tenant)), pod)
    }

    /// kubectl with something on its standard input: whether it succeeded, and what it said.
    fn kubectl(&self, args: &[&str], input: &str) -> (bool, String) {
        kubectl_reading(&self.plane, args, input)
    }

    /// Applies what is rendered now.
    fn apply(&self) {
        apply_all(&self.admin, &self.resources, &rendered(&self.world));
    }
}

fn pods(tenant: &str) -> String {
    format!("/api/v1/namespaces/tenant-{tenant}-x/pods")
}

/// What a world renders to, its Secret decrypted by the program that whoever applies it would use.
pub fn rendered(world: &World) -> Vec<Document> {
    let files = world.folder.files("rendered").into_iter().filter(|path| path.ends_with(".yaml"));
    let texts = files.map(|path| {
        let text = world.folder.read(&path);
        let text = if text.contains("\nsops:") { world.sops(&["decrypt", &path]) } else { text };
        text.replace("port: 443\n", &format!("port: {}\n", port()))
    });
    in_order(texts.flat_map(|text| documents(&text)).collect())
}

/// A pod that breaks no policy of ours, as it was published.
pub fn good(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [{
        "name": "nginx", "image": "nginx",
        "resources": {"limits": {"cpu": "100m", "memory": "64Mi"}, "requests": {"cpu": "50m", "memory": "32Mi"}},
        "securityContext": {"runAsNonRoot": true, "readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false},
    }]}})
}

/// The published pods: what is changed in the good one, and what is said of it.
pub fn published() -> Vec<(&'static str, Value, &'static str)> {
    let mut all = Vec::new();
    let mut add = |name, change: &dyn Fn(&mut Value), said| {
        let mut pod = good(name);
        change(&mut pod["spec"]["containers"][0]);
        all.push((name, pod, said));
    };
    let none = Value::Null;
    add("no-resources", &|c| c["resources"] = none.clone(), "Container nginx must have resource limits");
    add("no-cpu", &|c| c["resources"] = json!({"limits": {"memory": "64Mi"}}), "Container nginx must have CPU limits");
    add(
        "no-memory",
        &|c| c["resources"] = json!({"limits": {"cpu": "100m"}}),
        "Container nginx must have Memory limits",
    );
    add("no-context", &|c| c["securityContext"] = none.clone(), "Container nginx must have SecurityContext defined");
    add(
        "privileged",
        &|c| c["securityContext"] = json!({"privileged": true, "runAsNonRoot": true, "readOnlyRootFilesystem": true}),
        "Container nginx failed privilege check",
    );
    // As it was published: no API server takes it, whatever webhooks say.
    add(
        "privileged-published",
        &|c| c["securityContext"]["privileged"] = json!(true),
        "cannot set `allowPrivilegeEscalation` to false and `privileged` to true",
    );
    add("root", &|c| c["securityContext"]["runAsNonRoot"] = json!(false), "Container nginx failed privilege check");
    add(
        "root-not-said",
        &|c| c["securityContext"]["runAsNonRoot"] = none.clone(),
        "Container nginx failed privilege check",
    );
    add(
        "writable-root",
        &|c| c["securityContext"]["readOnlyRootFilesystem"] = json!(false),
        "Container nginx must have read only root filesystem",
    );
    add(
        "escalating",
        &|c| c["securityContext"]["allowPrivilegeEscalation"] = json!(true),
        "Container nginx must not be allowed to escalate privileges",
    );
    all
}

/// Which layer spoke, by its own words.
fn layer(answer: &Answer) -> &'static str {
    let message = answer.message();
    let layers = [
        ("admission webhook \"k8s-mtp-webhook.k8s-mtp.io\" denied the request", "webhook"),
        ("violates PodSecurity", "Pod Security"),
        ("maximum cpu usage per Container", "LimitRange"),
        ("exceeded quota", "ResourceQuota"),
        ("failed quota", "ResourceQuota"),
        ("is invalid", "core validation"),
    ];
    match layers.into_iter().find(|(words, _)| message.contains(words)) {
        _ if answer.status < 300 => "admitted",
        Some((_, layer)) => layer,
        None => panic!("nobody is known to say this: {message}"),
    }
}

#[test]
fn pods_are_refused_repaired_and_labelled() {
    let mut live = Live::start();
    published_pods(&live);
    layers(&live);
    debuggers(&live);
    resizes(&live);
    other_ways(&live);
    old_pods(&live);
    without_it(&mut live);
    rotation(&mut live);
}

/// Through kubectl, in a tenant where nobody else has anything to say.
fn published_pods(live: &Live) {
    let namespace = "--namespace=tenant-open-x";
    for (name, pod, said) in published() {
        let (done, told) = live.kubectl(&["apply", namespace, "--filename=-"], &pod.to_string());
        assert!(!done && told.contains(said), "{name}: {told}");
        let by_us = told.contains("admission webhook \"k8s-mtp-webhook.k8s-mtp.io\" denied the request: ");
        assert_eq!(by_us, name != "privileged-published", "{name}: {told}");
        let (done, told) = live.kubectl(&["apply", namespace, "--filename=-"], &good(name).to_string());
        assert!(done && !told.contains("Warning"), "{name}: {told}");
        let stored = live.admin.get(&format!("{}/{name}", pods("open"))).ok();
        let labels = &stored["metadata"]["labels"];
        assert_eq!(*labels, json!({"tenant.k8s-mtp.io/name": "open", "tenant.k8s-mtp.io/tier": "open"}), "{name}");
    }
    let (done, told) = live.kubectl(&["delete", "pods", "--all", "--now", namespace], "");
    assert!(done, "{told}");
}

/// Who refuses each published pod, tier by tier: a change of this table is a change of what tenants are told.
fn layers(live: &Live) {
    let mut table = String::new();
    let tiers = ["open", "free", "pro", "enterprise"];
    for restricted in [false, true] {
        for (name, mut pod, _) in published().into_iter().chain([("good", good("good"), "")]) {
            if restricted {
                // What Pod Security wants besides, so that it leaves the word to others.
                pod["spec"]["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}});
                let context = &mut pod["spec"]["containers"][0]["securityContext"];
                if context.is_object() {
                    context["capabilities"] = json!({"drop": ["ALL"]});
                }
            }
            let each = tiers.map(|tier| format!("{tier}: {}", layer(&live.try_create(tier, &pod))));
            let form = if restricted { ", with seccomp and without capabilities" } else { "" };
            table.push_str(&format!("{name}{form}: {}\n", each.join(", ")));
        }
    }
    let file = repository().join("tests/cluster/layers.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &table).expect("written");
    }
    assert_eq!(std::fs::read_to_string(file).unwrap_or_default(), table);
}

/// Ephemeral containers: whoever looks at a pod may, whoever takes it over may not.
fn debuggers(live: &Live) {
    live.create("open", &good("debugged")).created();
    let debug = |profile: &str| {
        let args = ["debug", "--namespace=tenant-open-x", "debugged", "--image=busybox", "--attach=false"];
        live.kubectl(&[&args[..], &[profile]].concat(), "")
    };
    let (done, told) = debug("--profile=restricted");
    assert!(done, "{told}");
    let (done, told) = debug("--profile=sysadmin");
    assert!(!done && told.contains("denied the request: ") && told.contains("failed privilege check"), "{told}");
    let stored = live.admin.get(&format!("{}/debugged", pods("open"))).ok();
    assert_eq!(stored["spec"]["ephemeralContainers"].as_array().map(Vec::len), Some(1));
}

/// A resize bypasses what looks at pods alone.
fn resizes(live: &Live) {
    let resize = |tenant: &str, limits: Value, requests: Value| {
        let patch =
            json!({"spec": {"containers": [{"name": "nginx", "resources": {"limits": limits, "requests": requests}}]}});
        let args = ["patch", "pod", "resized", "--subresource=resize", "--patch", &patch.to_string(), "--namespace"];
        live.kubectl(&[&args[..], &[&format!("tenant-{tenant}-x")]].concat(), "")
    };
    for tenant in ["open", "bounded"] {
        live.create(tenant, &good("resized")).created();
    }
    let (done, told) =
        resize("bounded", json!({"cpu": "2", "memory": "64Mi"}), json!({"cpu": "50m", "memory": "32Mi"}));
    assert!(!done && told.contains("maximum cpu usage per Container is 1, but limit is 2"), "the LimitRange: {told}");
    let (done, told) = resize("bounded", json!({"cpu": "1", "memory": "1Gi"}), json!({"cpu": "50m", "memory": "32Mi"}));
    assert!(done, "{told}");
    live.create("bounded", &good("another")).created();
    // Within the bounds of a container, and over those of the namespace.
    for name in ["second", "third"] {
        let mut pod = good(name);
        pod["spec"]["containers"][0]["resources"] = json!({"limits": {"cpu": "800m", "memory": "64Mi"}});
        let answer = live.try_create("bounded", &pod);
        if name == "second" {
            live.create("bounded", &pod).created();
        } else {
            assert_eq!(layer(&answer), "ResourceQuota", "{}", answer.message());
        }
    }
    // Nothing but the webhook minds a limit of zero, which is no limit.
    let (done, told) = resize("open", json!({"cpu": "0", "memory": "64Mi"}), json!({"cpu": "0", "memory": "32Mi"}));
    assert!(!done && told.contains("k8s-mtp-webhook.k8s-mtp.io") && told.contains("must have CPU limits"), "{told}");
    let (done, told) =
        resize("open", json!({"cpu": "200m", "memory": "64Mi"}), json!({"cpu": "50m", "memory": "32Mi"}));
    assert!(done, "{told}");
}

/// Pods that others make, in other lists of containers, with labels of others.
fn other_ways(live: &Live) {
    let mut pod = good("init");
    pod["spec"]["initContainers"] = json!([{"name": "setup", "image": "busybox", "restartPolicy": "Always"}]);
    live.try_create("open", &pod).refused(403, &["Container setup must have resource limits"]);
    let mut pod = good("forged");
    pod["metadata"]["labels"] = json!({"tenant.k8s-mtp.io/name": "free", "app": "x"});
    live.try_create("open", &pod)
        .refused(403, &["label tenant.k8s-mtp.io/name of a pod is that of its namespace, open"]);
    let stored = live.create("open", &good("labelled")).created();
    let path = format!("{}/labelled", pods("open"));
    let forged = json!({"metadata": {"labels": {"tenant.k8s-mtp.io/name": "free"}}});
    live.admin
        .merge(&path, &forged)
        .refused(403, &["label tenant.k8s-mtp.io/name of a pod is that of its namespace, open"]);
    live.admin.merge(&path, &json!({"metadata": {"labels": {"app": "x"}}})).ok();
    assert!(stored["metadata"]["uid"].is_string());
    // Elsewhere nobody asks: not in the platform's own namespace, nor in Kubernetes'.
    let mut pod = good("elsewhere");
    pod["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    for namespace in ["default", "kube-system"] {
        live.admin.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod).created();
    }
}

/// What was there before the policies can be changed elsewhere, finished and deleted; not made worse.
fn old_pods(live: &Live) {
    let configuration =
        live.resources.collection("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", "");
    live.admin.delete(&format!("{configuration}/k8s-mtp-webhook")).ok();
    let mut old = good("old");
    old["metadata"]["finalizers"] = json!(["example.org/wait"]);
    old["spec"]["containers"][0]["securityContext"] = json!({"privileged": true});
    wait("the webhook is forgotten", &live.plane, || live.try_create("open", &old).status == 201);
    live.create("open", &old).created();
    live.apply();
    live.wait_for_verdicts();
    let path = format!("{}/old", pods("open"));
    live.admin.merge(&path, &json!({"metadata": {"labels": {"app": "old"}, "annotations": {"a": "b"}}})).ok();
    let image = json!([{"op": "replace", "path": "/spec/containers/0/image", "value": "nginx:2"}]);
    let (done, told) = live.kubectl(
        &["patch", "pod", "old", "--namespace=tenant-open-x", "--type=json", "--patch", &image.to_string()],
        "",
    );
    assert!(!done && told.contains("failed privilege check"), "{told}");
    live.admin.delete(&format!("{path}?gracePeriodSeconds=0")).ok();
    assert!(live.admin.get(&path).ok()["metadata"]["deletionTimestamp"].is_string());
    live.admin.merge(&path, &json!({"metadata": {"finalizers": null}})).ok();
    wait("the pod is gone", &live.plane, || live.admin.get(&path).status == 404);
}

/// Stopped: tenants' pods wait, everything else goes on, and the webhook comes back by itself.
fn without_it(live: &mut Live) {
    live.create("open", &good("before")).created();
    live.stop();
    wait("the webhook is gone", &live.plane, || live.try_create("open", &good("probe")).status != 201);
    live.try_create("open", &good("x")).refused(500, &["failed calling webhook \"k8s-mtp-webhook.k8s-mtp.io\""]);
    // What no policy looks at needs no webhook.
    live.admin.merge(&format!("{}/before", pods("open")), &json!({"metadata": {"labels": {"app": "x"}}})).ok();
    live.admin.delete(&format!("{}/before?gracePeriodSeconds=0", pods("open"))).ok();
    for namespace in ["k8s-mtp", "kube-system", "default"] {
        let mut pod = good("x");
        pod["spec"]["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}});
        pod["spec"]["containers"][0]["securityContext"]["capabilities"] = json!({"drop": ["ALL"]});
        live.admin.post(&format!("/api/v1/namespaces/{namespace}/pods?dryRun=All"), &pod).created();
    }
    // Its own pods: killed, and made anew, with the webhook gone.
    let own = "/api/v1/namespaces/k8s-mtp/pods?labelSelector=app.kubernetes.io/name=k8s-mtp-webhook";
    let uids = || -> Vec<String> {
        let list = live.admin.get(own).ok();
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let alive = items.iter().filter(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        alive.map(|pod| pod["metadata"]["uid"].as_str().expect("a uid").to_owned()).collect()
    };
    wait("both replicas are made", &live.plane, || uids().len() == 2);
    let before = uids();
    live.admin.delete(&format!("{own}&gracePeriodSeconds=0")).ok();
    wait("both replicas are made anew", &live.plane, || {
        let now = uids();
        now.len() == 2 && now.iter().all(|uid| !before.contains(uid))
    });
    live.serve();
    live.wait_for_verdicts();
}

/// A rotation on the living cluster, its gates kept: no request fails meanwhile.
fn rotation(live: &mut Live) {
    let (over, done, wrong) = (AtomicBool::new(false), AtomicUsize::new(0), Mutex::new(Vec::new()));
    let client = live.admin.apart();
    let mut bad = good("bad");
    bad["spec"]["containers"][0]["securityContext"]["privileged"] = json!(true);
    bad["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"].take();
    let path = format!("{}?dryRun=All", pods("open"));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                let (fine, refused) = (client.post(&path, &good("fine")), client.post(&path, &bad));
                if fine.status != 201 || !refused.message().contains("failed privilege check") {
                    wrong.lock().expect("a lock").push(format!("{} {}", fine.message(), refused.message()));
                }
                done.fetch_add(2, Ordering::Relaxed);
            }
        });
        let recipient = live.world.recipient.clone();
        for args in [&["certs", "rotate", "--age", &recipient][..], &["certs", "rotate"], &["certs", "retire"]] {
            for args in [args, &["render"]] {
                let ran = live.world.folder.mtp(args);
                assert_eq!(ran.exit, Exit::Clean, "{ran}");
            }
            live.apply();
            let [certificate, key] = pair(&live.world, SERVED);
            live.certs.write(&[("tls.crt", &certificate), ("tls.key", &key)]);
            // What the gate of a step waits for: API servers have what is rendered, replicas what is mounted.
            std::thread::sleep(Duration::from_secs(3));
        }
        over.store(true, Ordering::Relaxed);
    });
    let wrong = wrong.into_inner().expect("a lock");
    assert!(wrong.is_empty(), "{} of {done:?}: {}", wrong.len(), wrong[0]);
    assert!(done.load(Ordering::Relaxed) > 100);
    for server in &live.servers {
        assert!(server.metric("mtp_webhook_reloads_total{what=\"certificate\"}") >= 3.0);
        assert!(server.metric("mtp_webhook_reviews_total") > 10.0, "both replicas are asked");
    }
    // What API servers trust now is what was rendered last, and nothing else.
    assert_eq!(bundle(&live.world.folder).matches("BEGIN CERTIFICATE").count(), 1);
}

/// cert-manager's own definitions take what is rendered for it, and what it injects stays.
#[test]
fn cert_manager_keeps_what_it_injects() {
    let plane = ControlPlane::start(NEWEST);
    let admin = plane.client();
    let mut resources = Resources::of(&admin);
    let mut names = Vec::new();
    for entry in std::fs::read_dir(cert_manager()).expect("the definitions") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            let text = std::fs::read_to_string(path).expect("a file");
            let definition = documents(text.trim_start_matches("---\n")).remove(0);
            admin.apply(&definition.path(&resources), &definition.text, false).ok();
            names.push(definition.name().to_owned());
        }
    }
    assert!(names.len() >= 4, "{names:?}");
    names.iter().for_each(|name| established(&plane, &admin, name));
    // Whatever the definitions are warned of is their authors' business.
    let before = admin.warnings().len();
    resources = Resources::of(&admin);

    let world = World::new();
    world.folder.edit("tenants/platform.yaml", "    webhook:\n", "    webhook:\n      certificates: cert-manager\n");
    world.clean(&["render"]);
    let all = rendered(&world);
    assert_eq!(all.iter().filter(|d| d.api_version() == "cert-manager.io/v1").count(), 4);
    install(&plane, &admin, &all, &mut resources);
    apply_all(&admin, &resources, &all);
    assert_eq!(&admin.warnings()[before..], &[] as &[String]);

    // As cert-manager's cainjector does it.
    for (kind, name) in [
        ("ValidatingWebhookConfiguration", "k8s-mtp-webhook"),
        ("MutatingWebhookConfiguration", "k8s-mtp-mutating-webhook"),
    ] {
        let path = format!("{}/{name}", resources.collection("admissionregistration.k8s.io/v1", kind, ""));
        let injected = json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, "metadata": {"name": name},
            "webhooks": [{"name": "k8s-mtp-webhook.k8s-mtp.io", "clientConfig": {"caBundle": "aW5qZWN0ZWQ="}}],
        });
        let content = "application/apply-patch+yaml";
        let inject = format!("{path}?fieldManager=cert-manager-cainjector");
        let pem = rcgen::generate_simple_self_signed(vec!["x".to_owned()]).expect("a certificate").cert.pem();
        use base64::Engine;
        let bundle = base64::prelude::BASE64_STANDARD.encode(pem);
        let injected = injected.to_string().replace("aW5qZWN0ZWQ=", &bundle);
        admin.send(http::Method::PATCH, &inject, content, injected.into_bytes()).ok();
        // Applied again, it stays.
        apply_all(&admin, &resources, &all);
        let stored = admin.get(&path).ok();
        assert_eq!(stored["webhooks"][0]["clientConfig"]["caBundle"], bundle.as_str());
    }
}
