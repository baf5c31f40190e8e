//! How fast the webhook answers: in this process, and over TLS connections that are kept, next to an empty handler of the
//! same server. `ci/bench` runs it.
//!
//! ```text
//! webhook MTP DIR SECONDS    MTP is the program, DIR a folder for its files, SECONDS how long each figure is measured
//! ```
#![expect(clippy::disallowed_methods, reason = "files, arguments and clock are the business of a bench")]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_mtp::{View, validate};
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const NAME: &str = "webhook-svc.k8s-mtp.svc";

/// Namespaces that the webhook knows: those of a fleet of ten thousand tenants.
const NAMESPACES: usize = 15_000;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [mtp, dir, seconds] = args.as_slice() else {
        println!("expected MTP DIR SECONDS; ci/bench runs it");
        return Ok(());
    };
    let time = Duration::from_secs_f64(seconds.parse()?);
    let body = review().to_string();
    in_process(&body, time)?;
    let dir = Path::new(dir);
    let roots = files(dir)?;
    let server = Server::start(mtp, dir)?;
    println!("idle {} {}", server.resident()?, NAMESPACES);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    for connections in [1, 16, 256] {
        // In turns, so that both meet the same machine.
        let (mut ours, mut empty) = (Run::default(), Run::default());
        for _ in 0..5 {
            for (path, run) in [("/validate-pod", &mut ours), ("/healthz", &mut empty)] {
                let request = format!(
                    "POST {path} HTTP/1.1\r\nhost: {NAME}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                run.add(runtime.block_on(load(&server.address, &roots, &request, connections, time / 5))?);
            }
        }
        let ([ours, our_p50, our_p99], [empty, p50, p99]) = (ours.figures(), empty.figures());
        println!("tls {connections} {ours:.0} {our_p50:.0} {our_p99:.0} {empty:.0} {p50:.0} {p99:.0}");
    }
    println!("busy {} {}", server.resident()?, NAMESPACES);
    let churned = runtime.block_on(churn(&server.address, &roots, time))?;
    println!("handshakes {churned:.0}");
    Ok(())
}

/// A pod as a Deployment's controller creates it, with what the API server adds to it.
fn review() -> Value {
    let container = |name: &str| {
        json!({"name": name, "image": format!("registry.example.org/{name}:1.27.3"), "imagePullPolicy": "IfNotPresent",
            "env": (0..12).map(|n| json!({"name": format!("SETTING_{n}"), "value": "some text of usual length"})).collect::<Value>(),
            "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
            "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, "periodSeconds": 10},
            "resources": {"limits": {"cpu": "500m", "memory": "256Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
            "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "runAsNonRoot": true,
                "capabilities": {"drop": ["ALL"]}, "seccompProfile": {"type": "RuntimeDefault"}},
            "volumeMounts": [{"mountPath": "/tmp", "name": "tmp"}, {"mountPath": "/etc/app", "name": "config", "readOnly": true}]})
    };
    let object = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"generateName": "web-5d4f8c7b9-", "namespace": "tenant-7-x", "labels": {"app": "web", "pod-template-hash": "5d4f8c7b9",
            "tenant.k8s-mtp.io/name": "7", "tenant.k8s-mtp.io/tier": "free"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-5d4f8c7b9", "uid": "0", "controller": true}]},
        "spec": {"initContainers": [container("setup")], "containers": [container("web"), container("proxy")],
            "restartPolicy": "Always", "serviceAccountName": "default", "schedulerName": "default-scheduler",
            "tolerations": [{"effect": "NoExecute", "key": "node.kubernetes.io/not-ready", "operator": "Exists", "tolerationSeconds": 300}],
            "volumes": [{"emptyDir": {}, "name": "tmp"}, {"configMap": {"name": "app"}, "name": "config"}]},
        "status": {}});
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "b1e6ed05-6b3f-4a0c-9a3b-4d8ad1f0ad3a", "kind": {"group": "", "version": "v1", "kind": "Pod"},
        "resource": {"group": "", "version": "v1", "resource": "pods"}, "namespace": "tenant-7-x", "operation": "CREATE",
        "userInfo": {"username": "system:serviceaccount:kube-system:replicaset-controller", "groups": ["system:serviceaccounts"]},
        "object": object, "oldObject": null, "dryRun": false, "options": {"kind": "CreateOptions", "apiVersion": "meta.k8s.io/v1"}}})
}

/// What a file of the view holds.
fn view(name: &str) -> String {
    if name == "tiers.json" {
        return "{\"free\": {}}".to_owned();
    }
    // In which shard a namespace stands is of no interest to the reader.
    let shard = name.trim_start_matches("namespaces-").trim_end_matches(".json");
    let shard = usize::from_str_radix(shard, 16).unwrap_or_default();
    let entries = (0..NAMESPACES).filter(|n| n % 16 == shard);
    let entries: Vec<String> =
        entries.map(|n| format!("\"tenant-{n}-x\": {{\"tenant\": \"{n}\", \"tier\": \"free\"}}")).collect();
    format!("{{{}}}", entries.join(",\n"))
}

fn in_process(body: &str, time: Duration) -> Result<(), Box<dyn Error>> {
    let view = View::read(|name| Ok(view(name).into_bytes()))?;
    let (start, mut count) = (Instant::now(), 0_u64);
    while start.elapsed() < time {
        for _ in 0..100 {
            validate(body.as_bytes(), &view)?;
        }
        count += 100;
    }
    println!("process {:.0} {}", count as f64 / start.elapsed().as_secs_f64(), body.len());
    Ok(())
}

/// Writes what the server needs; whom to trust.
fn files(dir: &Path) -> Result<Arc<ClientConfig>, Box<dyn Error>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate()?;
    let signed = authority.self_signed(&key)?;
    let issuer = Issuer::new(authority, key);
    let mut params = CertificateParams::new(vec![NAME.to_owned()])?;
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let key = KeyPair::generate()?;
    let leaf = params.signed_by(&key, &issuer)?;
    let (certs, tenants) = (dir.join("certs"), dir.join("tenants"));
    std::fs::create_dir_all(&certs)?;
    std::fs::create_dir_all(&tenants)?;
    std::fs::write(certs.join("tls.crt"), leaf.pem())?;
    std::fs::write(certs.join("tls.key"), key.serialize_pem())?;
    std::fs::write(tenants.join("tiers.json"), view("tiers.json"))?;
    for shard in 0..16 {
        let name = format!("namespaces-{shard:x}.json");
        std::fs::write(tenants.join(&name), view(&name))?;
    }
    let mut roots = RootCertStore::empty();
    roots.add(signed.der().clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(mtp: &str, dir: &Path) -> Result<Server, Box<dyn Error>> {
        let mut child = Command::new(mtp)
            .args(["webhook", "serve", "--listen=127.0.0.1:0", "--certs"])
            .arg(dir.join("certs"))
            .arg("--tenants")
            .arg(dir.join("tenants"))
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or("no log")?).lines();
        let first = lines.next().ok_or("it ended")??;
        let address = serde_json::from_str::<Value>(&first).map_err(|_| first)?["address"]
            .as_str()
            .ok_or("no address")?
            .to_owned();
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Server { child, address })
    }

    /// Resident memory in KiB, a moment after the last request.
    fn resident(&self) -> Result<u64, Box<dyn Error>> {
        std::thread::sleep(Duration::from_secs(1));
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        Ok(line.trim().trim_end_matches(" kB").trim().parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Times of requests, and how long they took together.
#[derive(Default)]
struct Run {
    times: Vec<Duration>,
    seconds: f64,
}

impl Run {
    fn add(&mut self, (mut times, seconds): (Vec<Duration>, f64)) {
        self.times.append(&mut times);
        self.seconds += seconds;
    }

    /// Requests a second, median and 99th percentile in microseconds.
    fn figures(mut self) -> [f64; 3] {
        self.times.sort_unstable();
        let at = |part: f64| {
            let place = ((self.times.len() as f64 * part) as usize).min(self.times.len() - 1);
            self.times[place].as_secs_f64() * 1e6
        };
        [self.times.len() as f64 / self.seconds, at(0.5), at(0.99)]
    }
}

/// So many connections, each with one request at a time.
async fn load(
    address: &str,
    roots: &Arc<ClientConfig>,
    request: &str,
    connections: usize,
    time: Duration,
) -> Result<(Vec<Duration>, f64), Box<dyn Error>> {
    let mut tasks = Vec::new();
    let mut streams = Vec::new();
    for _ in 0..connections {
        streams.push(connect(address, roots).await?);
    }
    let start = Instant::now();
    for mut stream in streams {
        let request = request.as_bytes().to_vec();
        tasks.push(tokio::spawn(async move {
            let (mut times, mut bytes) = (Vec::new(), vec![0; 16 * 1024]);
            while start.elapsed() < time {
                let begin = Instant::now();
                stream.write_all(&request).await?;
                stream.flush().await?;
                let mut have = 0;
                loop {
                    have += stream.read(&mut bytes[have..]).await?;
                    if is_whole(&bytes[..have]) {
                        break;
                    }
                }
                times.push(begin.elapsed());
            }
            Ok::<_, std::io::Error>(times)
        }));
    }
    let mut all = Vec::new();
    for task in tasks {
        all.append(&mut task.await??);
    }
    Ok((all, start.elapsed().as_secs_f64()))
}

/// Whether an answer is there with its body; only that of code 200 counts.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { return false };
    assert!(bytes.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(bytes));
    let head = String::from_utf8_lossy(&bytes[..end]);
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    bytes.len() >= end + 4 + length.unwrap_or_default()
}

/// New connections a second, with a handshake each, four at a time.
async fn churn(address: &str, roots: &Arc<ClientConfig>, time: Duration) -> Result<f64, Box<dyn Error>> {
    let start = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (address, roots) = (address.to_owned(), Arc::clone(roots));
        tasks.push(tokio::spawn(async move {
            let mut count = 0_u32;
            while start.elapsed() < time {
                connect(&address, &roots).await?;
                count += 1;
            }
            Ok::<_, std::io::Error>(count)
        }));
    }
    let mut all = 0.0;
    for task in tasks {
        all += f64::from(task.await??);
    }
    Ok(all / start.elapsed().as_secs_f64())
}

async fn connect(
    address: &str,
    roots: &Arc<ClientConfig>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, std::io::Error> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(NAME).map_err(std::io::Error::other)?;
    TlsConnector::from(Arc::clone(roots)).connect(name, stream).await
}
