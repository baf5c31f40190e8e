//! The harness itself: what it starts lives as it should, and never longer than the tests.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::control_plane::{ControlPlane, MINORS, NEWEST, wait};
use crate::pods::deployment;

/// How `ci/cluster/up` says which version it wants, and whether pods are to live.
const MINOR: &str = "MTP_CLUSTER_MINOR";
const NODES: &str = "MTP_CLUSTER_NODES";

/// Not a test: a control plane that stays until the standard input ends. For `ci/cluster/up`, and for the test of what
/// happens when its keeper is killed.
#[test]
#[ignore = "started by ci/cluster/up and by another test"]
fn held() {
    let minor = std::env::var(MINOR).unwrap_or_else(|_| NEWEST.to_owned());
    assert!(MINORS.contains(&minor.as_str()), "expected one of {MINORS:?}, found {minor}");
    let mut plane = ControlPlane::start(&minor);
    if std::env::var_os(NODES).is_some() {
        plane.start_nodes();
    }
    println!("\n{} {}", plane.url, plane.admin_kubeconfig().display());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn nothing_outlives_a_killed_keeper() {
    let mut keeper = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "harness::held", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("this program can be started");
    let lines = BufReader::new(keeper.stdout.take().expect("a pipe")).lines();
    let line = lines.map_while(Result::ok).find(|line| line.starts_with("https://")).expect("it starts");
    let (url, kubeconfig) = line.split_once(' ').expect("two words");
    let address: SocketAddr = url.trim_start_matches("https://").parse().expect("an address");
    let folder = std::path::Path::new(kubeconfig).parent().expect("a folder").to_owned();
    assert!(TcpStream::connect(address).is_ok() && folder.is_dir(), "it runs");
    // SIGKILL: nothing of the keeper runs any more.
    keeper.kill().expect("killed");
    keeper.wait().expect("gone");
    let start = Instant::now();
    while TcpStream::connect(address).is_ok() || folder.exists() {
        assert!(start.elapsed() < Duration::from_secs(20), "the control plane outlives its keeper");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn an_api_server_can_be_paused_and_restarted() {
    let mut plane = ControlPlane::start(NEWEST);
    let client = plane.client();
    let path = "/api/v1/namespaces/default/configmaps";
    client.post(path, &json!({"metadata": {"name": "kept"}})).created();

    plane.pause();
    let (sender, answered) = std::sync::mpsc::channel();
    let waiting = client.clone();
    let request = std::thread::spawn(move || sender.send(waiting.get("/api/v1/namespaces/default/configmaps/kept")));
    assert!(answered.recv_timeout(Duration::from_millis(500)).is_err(), "a paused server answers");
    plane.resume();
    let answer = answered.recv_timeout(Duration::from_secs(20)).expect("it goes on");
    assert_eq!(answer.status, 200);
    request.join().expect("no panic").expect("received");

    plane.restart();
    assert_eq!(plane.client().get(&format!("{path}/kept")).status, 200, "etcd has kept it");
}

#[test]
fn pods_live_and_fail() {
    let mut plane = ControlPlane::start(NEWEST);
    plane.start_nodes();
    let client = plane.client();
    let path = "/apis/apps/v1/namespaces/default/deployments";
    client.post(path, &deployment("good", &json!({"app": "good"}))).created();
    client.post(path, &deployment("bad", &json!({"app": "bad", "tests/fails": "yes"}))).created();
    let available = |name: &str| client.get(&format!("{path}/{name}")).ok()["status"]["availableReplicas"].clone();
    wait("a Deployment is available", &plane, || available("good") == 1);
    let bad = "/api/v1/namespaces/default/pods?labelSelector=app=bad";
    let waiting = "/items/0/status/containerStatuses/0/state/waiting/reason";
    wait("a pod fails", &plane, || {
        client.get(bad).ok().pointer(waiting).and_then(Value::as_str) == Some("CrashLoopBackOff")
    });
    assert_eq!(available("bad"), Value::Null);
    // A node that plays dead would take its pods with it.
    client.delete(&format!("{path}/good")).ok();
    let left = "/api/v1/namespaces/default/pods?labelSelector=app=good";
    wait("its pods are gone", &plane, || client.get(left).ok()["items"].as_array().is_some_and(Vec::is_empty));
}
