//! A platform with as many tenants as wanted, always the same ones, and how long `render` takes for it in memory.
//!
//! `ci/bench` builds this program and asks it for what it measures:
//! ```text
//! fleet generate TENANTS DIR LAYOUT   writes DIR/tenants/
//! fleet change TENANTS DIR REVISION   writes one tenant in a hundred of DIR/tenants/ anew
//! fleet values TENANTS                prints the same tenants as values of helm-chart/
//! fleet memory TENANTS LAYOUT         renders in memory; prints seconds, bytes of input and bytes of output
//! ```
#![expect(clippy::disallowed_methods, reason = "files, arguments and clock are the business of a bench")]

use std::error::Error;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use k8s_mtp::Inputs;
use k8s_mtp::cli::{Exit, Streams};
use rayon::prelude::*;
use serde_json::{Value, json};

const USAGE: &str =
    "expected generate TENANTS DIR LAYOUT, change TENANTS DIR REVISION, values TENANTS or memory TENANTS LAYOUT";

/// A platform that opens what tenants of a fleet use; tiers are those of `mtp init`.
const PLATFORM: &str = "\
apiVersion: multitenant.k8s-mtp.io/v1
kind: Platform
metadata:
  name: platform
spec:
  kubernetesVersion: \"1.36\"
  network:
    egress: none
    clusterCidrs: [10.244.0.0/16]
    serviceCidrs: [10.96.0.0/12]
    nodeCidrs: [192.168.0.0/16]
    apiServer:
      cidrs: [192.168.10.2/32]
    ingressFrom:
      - namespace: ingress-nginx
        podLabels:
          app.kubernetes.io/name: ingress-nginx
      - namespace: monitoring
        ports:
          - port: 9090
  podSecurity:
    level: restricted
  tenantMetadata:
    labels: [example.org/team]
";

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds a flag of its own.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["generate", tenants, dir, layout] => generate(tenants.parse()?, Path::new(dir), layout),
        ["change", tenants, dir, revision] => change(tenants.parse()?, Path::new(dir), revision.parse()?),
        ["values", tenants] => values(tenants.parse()?),
        ["memory", tenants, layout] => memory(tenants.parse()?, layout),
        // So that a plain `cargo bench` says what there is.
        [] => {
            println!("{USAGE}; ci/bench runs it");
            Ok(())
        }
        _ => Err(USAGE.into()),
    }
}

fn generate(tenants: u32, dir: &Path, layout: &str) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(dir)?;
    init(dir)?;
    fs::write(dir.join("tenants/platform.yaml"), platform(layout))?;
    let folders = tenants.div_ceil(FOLDER);
    (0..folders).try_for_each(|folder| fs::create_dir_all(dir.join(format!("tenants/{folder:03}"))))?;
    (0..tenants).into_par_iter().try_for_each(|i| fs::write(dir.join(path(i)), text(i, tenants, 0)))?;
    Ok(())
}

fn change(tenants: u32, dir: &Path, revision: u32) -> Result<(), Box<dyn Error>> {
    (0..tenants).step_by(100).try_for_each(|i| fs::write(dir.join(path(i)), text(i, tenants, revision)))?;
    Ok(())
}

fn values(tenants: u32) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    init(dir.path())?;
    let mut tiers = serde_json::Map::new();
    for entry in fs::read_dir(dir.path().join("tenants/tiers"))? {
        let tier: Value = serde_yaml::from_str(&fs::read_to_string(entry?.path())?)?;
        tiers.insert(tier["metadata"]["name"].as_str().unwrap_or_default().to_owned(), tier["spec"].clone());
    }
    let tenants: Vec<Value> = (0..tenants).map(|i| document(i, tenants, 0)).collect();
    serde_json::to_writer(io::BufWriter::new(io::stdout()), &json!({ "tiers": tiers, "tenants": tenants }))?;
    Ok(())
}

fn memory(tenants: u32, layout: &str) -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    init(dir.path())?;
    let mut files = vec![("tenants/platform.yaml".to_owned(), platform(layout).into_bytes())];
    for entry in fs::read_dir(dir.path().join("tenants/tiers"))? {
        let file: PathBuf = entry?.path();
        files.push((format!("tenants/tiers/{}", file.file_name().unwrap_or_default().display()), fs::read(&file)?));
    }
    files.extend((0..tenants).map(|i| (path(i), text(i, tenants, 0).into_bytes())));
    let read: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let inputs: Inputs = files.into_iter().collect();
    let start = Instant::now();
    let (rendered, diagnostics) = k8s_mtp::render(&inputs);
    let seconds = start.elapsed().as_secs_f64();
    let written: usize = rendered.tree().map(|(_, bytes)| bytes.len()).sum();
    if let Some(first) = diagnostics.first() {
        return Err(format!("{}: {}", first.at, first.message).into());
    }
    println!("{seconds:.6} {read} {written}");
    Ok(())
}

/// What `mtp init` writes, without its tenant.
fn init(dir: &Path) -> Result<(), Box<dyn Error>> {
    let (mut out, mut err) = (io::sink(), io::sink());
    let streams =
        Streams { out: &mut out, err: &mut err, out_is_terminal: false, err_is_terminal: false, no_color: true };
    let dir = dir.as_os_str();
    let args = ["mtp".as_ref(), "--root".as_ref(), dir, "init".as_ref(), "--no-tenant".as_ref()];
    match k8s_mtp::cli::run(args.map(ToOwned::to_owned), streams) {
        Exit::Clean => Ok(()),
        exit => Err(format!("mtp init ended with {exit:?}").into()),
    }
}

fn platform(layout: &str) -> String {
    format!("{PLATFORM}  output:\n    layout: {layout}\n")
}

/// How many tenants share a folder.
const FOLDER: u32 = 1000;

fn path(i: u32) -> String {
    format!("tenants/{:03}/{}.yaml", i / FOLDER, name(i))
}

fn name(i: u32) -> String {
    const WORDS: [&str; 8] =
        ["acme", "borealis", "cobalt", "delta-labs", "ember", "fjord-data", "garnet", "heliotrope"];
    format!("{}-{i:06}", pick(&WORDS, i, 0))
}

fn text(i: u32, tenants: u32, revision: u32) -> String {
    serde_yaml::to_string(&document(i, tenants, revision)).unwrap_or_default()
}

/// Tenant `i`: most are about as large as the published one, some use more of the platform. A revision has an operator
/// of its own.
fn document(i: u32, tenants: u32, revision: u32) -> Value {
    let name = name(i);
    let tier = *pick(&["free", "free", "free", "free", "free", "free", "pro", "pro", "pro", "enterprise"], i, 1);
    let person = |who: &str| format!("{who}@{name}.example.org");
    let mut spec = json!({
        "name": *pick(&["main", "app", "prod"], i, 2),
        "tier": tier,
        "ownerEmail": person("owner"),
        "admins": [person("alice")],
        "operators": [person(&if revision == 0 { "bob".to_owned() } else { format!("bob{revision}") })],
    });
    if one_in(4, i, 3) {
        spec["admins"] = json!([person("alice"), person("carol")]);
        spec["viewers"] = json!([person("dave"), person("erin")]);
    }
    if one_in(5, i, 4) {
        spec["groups"] = json!({ "admins": [format!("{name}-admins")], "viewers": [format!("{name}-viewers")] });
    }
    if tier != "free" && one_in(3, i, 5) {
        spec["namespaces"] = json!([{ "name": "staging" }, { "name": "sandbox", "tier": "free" }]);
    }
    if one_in(7, i, 6) {
        spec["egress"] = json!({ "internet": true });
    }
    if one_in(12, i, 7) {
        spec["egress"]["allow"] = json!([{
            "cidr": format!("151.101.{}.0/24", i % 256),
            "ports": [{ "port": 443, "protocol": "TCP" }, { "port": 8080, "endPort": 8089, "protocol": "TCP" }],
        }]);
    }
    if one_in(30, i, 8) {
        spec["egress"]["apiServer"] = json!(true);
    }
    // Pairs of neighbours: the even one calls the odd one, and both say so.
    if i / 2 * 2 + 1 < tenants && one_in(15, i / 2, 9) {
        let (field, other) = if i.is_multiple_of(2) { ("egress", i + 1) } else { ("ingress", i - 1) };
        let peer = json!({ "tenant": self::name(other), "podLabels": { "app": "api" }, "ports": [{ "port": 8443, "protocol": "TCP" }] });
        match spec[field]["allow"].as_array_mut() {
            Some(allow) => allow.push(peer),
            None => spec[field]["allow"] = json!([peer]),
        }
    }
    if one_in(10, i, 10) {
        spec["quota"] = json!({ "cpu": "500m", "pods": 15 });
    }
    if one_in(6, i, 11) {
        spec["labels"] = json!({ "example.org/team": format!("team-{}", i % 40) });
    }
    if one_in(20, i, 12) {
        spec["pullSecrets"] = json!(["registry-credentials"]);
    }
    if one_in(100, i, 13) {
        spec["state"] = json!("suspended");
    }
    json!({ "apiVersion": "multitenant.k8s-mtp.io/v1", "kind": "Tenant", "metadata": { "name": name }, "spec": spec })
}

fn pick<T>(choices: &[T], i: u32, salt: u32) -> &T {
    &choices[dice(i, salt) as usize % choices.len()]
}

fn one_in(n: u32, i: u32, salt: u32) -> bool {
    dice(i, salt).is_multiple_of(n)
}

/// A number for tenant `i` that looks random and never changes.
fn dice(i: u32, salt: u32) -> u32 {
    let mut z = (u64::from(salt) << 32 | u64::from(i)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z >> 33) as u32
}
