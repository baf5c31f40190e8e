//! Readers of YAML that are not ours: what each of them makes of a folder of manifests.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::tools::{kubectl, python};

/// Objects by kind, namespace and name.
pub type Objects = BTreeMap<String, Value>;

/// What a reader makes of a folder of manifests, and what it complains of.
pub type Reader = fn(&Path) -> (Objects, String);

/// Each way of reading: that of clusters, of Flux, of scripts around them, of Rust.
pub const READERS: [(&str, Reader); 6] = [
    ("kubectl", through_kubectl),
    ("kubectl kustomize", through_kustomize),
    ("PyYAML, in Python", |folder| through_pyyaml("SafeLoader", folder)),
    ("PyYAML, in C", |folder| through_pyyaml("CSafeLoader", folder)),
    ("serde_yaml", |folder| through_rust(serde_yaml_reads, folder)),
    ("serde-saphyr", |folder| through_rust(serde_saphyr_reads, folder)),
];

/// The objects that serde_yaml reads.
pub fn serde_yaml_reads(text: &str) -> Result<Vec<Value>, String> {
    serde_yaml::Deserializer::from_str(text)
        .map(|d| serde_yaml::Value::deserialize(d).map(json_of).map_err(|e| e.to_string()))
        .collect()
}

/// The same as JSON; a key that is no text becomes one that equals nothing that was meant.
fn json_of(value: serde_yaml::Value) -> Value {
    match value {
        serde_yaml::Value::Sequence(items) => items.into_iter().map(json_of).collect(),
        serde_yaml::Value::Mapping(entries) => {
            let key = |key: serde_yaml::Value| key.as_str().map_or_else(|| format!("<{key:?}>"), str::to_owned);
            entries.into_iter().map(|(k, v)| (key(k), json_of(v))).collect()
        }
        other => serde_json::to_value(other).expect("a scalar"),
    }
}

/// The objects that serde-saphyr reads, YAML 1.1's booleans included.
pub fn serde_saphyr_reads(text: &str) -> Result<Vec<Value>, String> {
    serde_saphyr::from_multiple(text).map_err(|e| e.to_string())
}

/// The objects by their identity.
fn named(objects: impl IntoIterator<Item = Value>) -> Objects {
    let text = |object: &Value, at: &str| object.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
    let id = |object: &Value| ["/kind", "/metadata/namespace", "/metadata/name"].map(|at| text(object, at)).join("/");
    objects.into_iter().map(|object| (id(&object), object)).collect()
}

fn through_rust(read: fn(&str) -> Result<Vec<Value>, String>, folder: &Path) -> (Objects, String) {
    let (mut objects, mut complaints) = (Objects::new(), String::new());
    for path in files(folder) {
        let text = std::fs::read_to_string(&path).expect("a readable file");
        match read(&text) {
            Ok(read) => objects.extend(named(read)),
            Err(error) => complaints.push_str(&format!("{}: {error}\n", path.display())),
        }
    }
    (objects, complaints)
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().map(|e| e.expect("a readable folder"));
    entries.filter(|e| e.file_type().is_file()).map(|e| e.into_path()).collect()
}

/// A patch that changes nothing: the one command that prints what it reads and asks no API server.
fn patch(files: &str) -> Command {
    let mut command = kubectl();
    command.args([
        "patch",
        "--local",
        "--type=merge",
        "--patch={}",
        "--output=json",
        "--recursive",
        "--filename",
        files,
    ]);
    command
}

fn through_kubectl(folder: &Path) -> (Objects, String) {
    let ran = patch(folder.to_str().expect("a path in UTF-8")).output().expect("kubectl runs");
    printed(&ran.stdout, &ran.stderr)
}

fn printed(stdout: &[u8], stderr: &[u8]) -> (Objects, String) {
    let objects = serde_json::Deserializer::from_slice(stdout).into_iter().map(|o| o.expect("kubectl prints JSON"));
    (named(objects), String::from_utf8_lossy(stderr).into_owned())
}

/// kustomize reads, and writes YAML again, which kubectl reads: a mistake of either shows.
fn through_kustomize(folder: &Path) -> (Objects, String) {
    let below = tempfile::tempdir().expect("a temporary folder");
    crate::mtp::copy(folder, below.path());
    let resources: Vec<String> = files(below.path())
        .iter()
        .map(|path| path.strip_prefix(below.path()).expect("below").to_str().expect("UTF-8").to_owned())
        .collect();
    let settings = json!({"resources": resources}).to_string();
    std::fs::write(below.path().join("kustomization.yaml"), settings).expect("a file");
    let ran = kubectl().arg("kustomize").arg(below.path()).output().expect("kubectl runs");
    if !ran.status.success() {
        return (Objects::new(), String::from_utf8_lossy(&ran.stderr).into_owned());
    }
    let mut child =
        patch("-").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("kubectl runs");
    let mut input = child.stdin.take().expect("a pipe");
    let writer = std::thread::spawn(move || input.write_all(&ran.stdout));
    let ran = child.wait_with_output().expect("kubectl ends");
    writer.join().expect("no panic").expect("kubectl reads all");
    printed(&ran.stdout, &ran.stderr)
}

/// Prints a list of objects and a text of complaints. A key that is no text, and what has no form in JSON, such as a date,
/// prints as Python shows it, which equals nothing that was meant.
const PYTHON: &str = r#"
import json, pathlib, sys, yaml
loader = getattr(yaml, sys.argv[1])
def json_of(value):
    if isinstance(value, list):
        return [json_of(item) for item in value]
    if isinstance(value, dict):
        return {key if isinstance(key, str) else f"<{key!r}>": json_of(item) for key, item in value.items()}
    return value if value is None or isinstance(value, (str, int, float)) else f"<{value!r}>"
objects, complaints = [], []
for path in sorted(pathlib.Path(sys.argv[2]).rglob("*.yaml")):
    try:
        objects += [json_of(document) for document in yaml.load_all(path.read_bytes(), loader)]
    except Exception as error:
        complaints.append(f"{path}: {error!r}\n")
print(json.dumps([objects, "".join(complaints)]))
"#;

fn through_pyyaml(loader: &str, folder: &Path) -> (Objects, String) {
    let ran = python().args(["-c", PYTHON, loader]).arg(folder).output().expect("Python runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let (objects, complaints): (Vec<Value>, String) = serde_json::from_slice(&ran.stdout).expect("Python prints JSON");
    (named(objects), complaints)
}
