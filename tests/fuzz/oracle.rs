//! What must hold whatever is put in. The fuzz targets and `cargo test` look with the same eyes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use k8s_mtp::cli::{Exit, Streams, run};
use k8s_mtp::{Diagnostic, Input, Inputs, Place, Rendered, Severity, render};
use serde::Deserialize;
use serde_json::Value;

/// Text that would make Argo CD skip a rendered file.
const SKIP_MARKER: &str = "+argocd:skip-file-rendering";

/// The annotation that keeps Flux from replacing `${…}`.
const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const PART_OF: &str = "app.kubernetes.io/part-of";
const TENANT: &str = "tenant.k8s-mtp.io/name";

/// The most bytes that an object may have: etcd takes a request of 1.5 MiB, in which JSON is often larger than YAML.
const MAX_OBJECT: usize = 1024 * 1024;

/// The longest name of a file, less the prefix that it has while it is being written.
const MAX_NAME: usize = 255 - ".k8s-mtp-new-".len();

/// The inputs of the parse target: `data` as a file beside a platform and tiers.
pub fn beside_a_platform(data: &[u8]) -> Inputs {
    let mut inputs: Inputs = [
        ("tenants/platform.yaml", include_str!("fixed/platform.yaml")),
        ("tenants/tiers/free.yaml", include_str!("fixed/tiers/free.yaml")),
        ("tenants/tiers/pro.yaml", include_str!("fixed/tiers/pro.yaml")),
    ]
    .into_iter()
    .collect();
    inputs.insert("tenants/x.yaml", Input::Bytes(data.into()));
    inputs
}

/// The inputs of the certs target: `data` as the lock or as the Secret of a platform with a webhook, whichever it looks like.
#[allow(dead_code, reason = "not every target uses it")]
pub fn with_certificates(data: &[u8]) -> Inputs {
    let mut inputs = beside_a_platform(b"");
    let platform = include_str!("fixed/platform.yaml").trim_end().to_owned()
        + "\n  admission:\n    engines: [webhook]\n    webhook:\n      image: x/mtp@sha256:"
        + &"1".repeat(64)
        + "\n";
    inputs.insert("tenants/platform.yaml", Input::Bytes(platform.into_bytes().into()));
    let is_lock = data.windows(6).any(|window| window == b"phase:");
    let fixed = [
        ("tenants/certs/webhook.lock.yaml", include_str!("fixed/certs/webhook.lock.yaml"), is_lock),
        ("tenants/certs/webhook-tls.sops.yaml", include_str!("fixed/certs/webhook-tls.sops.yaml"), !is_lock),
    ];
    for (path, text, is_data) in fixed {
        let bytes = if is_data { data } else { text.as_bytes() };
        inputs.insert(path, Input::Bytes(bytes.into()));
    }
    inputs
}

/// Renders twice and looks at all that came of it; what was rendered, where something was.
pub fn rendered(inputs: &Inputs) -> Option<Rendered> {
    let (rendered, diagnostics) = render(inputs);
    let (again, diagnostics_again) = render(inputs);
    assert_eq!(diagnostics, diagnostics_again, "the second run says something else");
    assert_eq!(bytes(&rendered), bytes(&again), "the second run renders something else");
    assert!(diagnostics.is_sorted(), "diagnostics are out of order");
    diagnostics.iter().for_each(|diagnostic| places(diagnostic, inputs));
    if diagnostics.iter().any(|d| d.severity == Severity::Error) {
        assert!(rendered.files.is_empty(), "rendered in spite of errors");
        return None;
    }
    files(&rendered, inputs);
    Some(rendered)
}

/// Renders what says the same in another order: the bytes are the same too. `turned` turns its lists by so many places.
pub fn in_any_order(turned: impl Fn(usize) -> Inputs) {
    let Some(first) = rendered(&turned(0)) else { return };
    for turn in [1, 2] {
        let (other, diagnostics) = render(&turned(turn));
        let error = diagnostics.iter().find(|d| d.severity == Severity::Error);
        assert!(error.is_none(), "refused in another order: {error:?}");
        for (a, b) in bytes(&first).into_iter().zip(bytes(&other)) {
            assert_eq!(a, b, "another order gives another file");
        }
        assert_eq!(first.files.len(), other.files.len(), "another order gives more or fewer files");
    }
}

/// All files by path.
fn bytes(rendered: &Rendered) -> Vec<(&str, &str)> {
    let text = |bytes| std::str::from_utf8(bytes).expect("a rendered file is UTF-8");
    rendered.tree().map(|(path, bytes)| (path, text(bytes))).collect()
}

fn places(diagnostic: &Diagnostic, inputs: &Inputs) {
    assert!(!diagnostic.message.is_empty(), "{} says nothing", diagnostic.rule);
    let related = diagnostic.related.iter().map(|(place, _)| place);
    for place in std::iter::once(&diagnostic.at).chain(related) {
        if let Err(why) = place_fits(place, inputs) {
            panic!("{} at {place} ({:?}): {why}\n{}", diagnostic.rule, place.span, diagnostic.message);
        }
    }
}

fn place_fits(place: &Place, inputs: &Inputs) -> Result<(), String> {
    let span = place.span;
    if span.line == 0 {
        return if (span.column, span.start, span.end) == (0, 0, 0) { Ok(()) } else { Err("half a place".to_owned()) };
    }
    let (_, input) = inputs.iter().find(|(path, _)| **path == place.path).ok_or("no such file")?;
    let Input::Bytes(bytes) = input else { return Err("a line of what is no file".to_owned()) };
    let (start, end) = (span.start as usize, span.end as usize);
    if start > end || end > bytes.len() {
        return Err(format!("bytes {start} to {end} of {}", bytes.len()));
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return Ok(()) };
    if !text.is_char_boundary(start) || !text.is_char_boundary(end) {
        return Err("inside of a character".to_owned());
    }
    let before = &text[..start];
    let line = before.matches('\n').count() + 1;
    let before = before.rsplit('\n').next().unwrap_or_default();
    let column = before.chars().count() + 1;
    // A byte order mark counts for some readers, and at some places, and people do not see it.
    let columns = column - before.matches('\u{feff}').count()..=column;
    if line != span.line as usize || !columns.contains(&(span.column as usize)) {
        return Err(format!("byte {start} is {line}:{column}"));
    }
    Ok(())
}

fn files(rendered: &Rendered, inputs: &Inputs) {
    let made = Mutex::new(BTreeMap::new());
    rendered.objects(|objects| {
        let mut made = made.lock().expect("no panic before");
        for object in objects {
            let twice = made.insert(object.id.clone(), object.manifest.value());
            assert!(twice.is_none(), "{} is made twice", object.id);
        }
    });
    let made = made.into_inner().expect("no panic before");
    assert!(rendered.files.is_sorted_by(|a, b| a.path < b.path), "paths are out of order");
    let mut paths = BTreeSet::new();
    let mut count = 0;
    for file in &rendered.files {
        let (path, content) = (&file.path, file.content.as_ref().expect("nobody took it"));
        assert!(paths.insert(path.to_ascii_lowercase()), "{path} stands there twice, case ignored");
        let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-');
        assert!(path.starts_with("rendered/") && path.chars().all(legal), "{path} is no path of ours");
        assert!(path.split('/').all(|part| part.len() <= MAX_NAME), "{path} is too long for a disk");
        let text = std::str::from_utf8(&content.bytes).expect("a rendered file is UTF-8");
        let source = text.strip_prefix("# Rendered by k8s-mtp from ").and_then(|rest| rest.lines().next());
        let source = source.unwrap_or_else(|| panic!("{path} has no header"));
        assert!(inputs.iter().any(|(path, _)| **path == *source), "{path} is made from {source}, which is not there");
        assert!(
            text.ends_with('\n') && !text.chars().any(|c| c.is_control() && c != '\n'),
            "{path}: control characters"
        );
        assert!(!text.contains(SKIP_MARKER), "{path} holds the text that makes Argo CD skip it");
        let values = documents(text, path);
        assert_eq!(values.len(), content.objects.len(), "{path} has another number of documents");
        for part in text.split("\n---\n") {
            assert!(part.len() <= MAX_OBJECT, "{path}: an object of {} bytes", part.len());
        }
        for (value, entry) in values.iter().zip(&content.objects) {
            let id = &entry.id;
            assert_eq!(Some(value), made.get(id), "{path}: {id} reads as something else than it is");
            place_fits(&entry.at, inputs).unwrap_or_else(|why| panic!("{id} at {}: {why}", entry.at));
            object(value, path);
            let metadata = &value["metadata"];
            let text = |v: &Value| v.as_str().map(str::to_owned);
            assert_eq!(text(&metadata["name"]).as_deref(), Some(&*id.name), "{path}");
            assert_eq!(text(&metadata["namespace"]).as_deref(), id.namespace.as_deref(), "{path}");
            assert_eq!(text(&value["kind"]).as_deref(), Some(&*id.kind), "{path}");
            let cluster = ["Namespace", "CustomResourceDefinition", "Tenant"].contains(&&*id.kind)
                || id.kind.ends_with("WebhookConfiguration");
            assert_eq!(id.namespace.is_none(), cluster, "{path}: {id} has a namespace, or none");
            count += 1;
        }
    }
    assert_eq!(count, made.len(), "not every object stands in a file");
}

/// What two independent readers of YAML make of a file.
fn documents(text: &str, path: &str) -> Arc<Vec<Value>> {
    // Most files are those of the last input: reading them again would take longer than all the rest.
    static READ: Mutex<BTreeMap<String, Arc<Vec<Value>>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = READ.lock().expect("no panic before").get(text) {
        return Arc::clone(known);
    }
    let one: Vec<Value> = serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap_or_else(|e| panic!("{path}: {e}\n{text}")))
        .collect();
    let other: Vec<Value> = serde_saphyr::from_multiple(text).unwrap_or_else(|e| panic!("{path}: {e}\n{text}"));
    assert_eq!(one, other, "{path}: two readers differ");
    let mut read = READ.lock().expect("no panic before");
    if read.len() > 500 {
        read.clear();
    }
    let one = Arc::new(one);
    read.insert(text.to_owned(), Arc::clone(&one));
    one
}

fn object(value: &Value, path: &str) {
    let metadata = &value["metadata"];
    let name = metadata["name"].as_str().unwrap_or_else(|| panic!("{path}: the name is no text"));
    let part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    assert!(name.len() <= 253 && name.split('.').all(part), "{path}: {name:?} is no name");
    let namespace = if value["kind"] == "Namespace" { Some(name) } else { metadata["namespace"].as_str() };
    assert!(namespace.is_none_or(|n| n.len() <= 63 && part(n)), "{path}: {namespace:?} is no namespace");
    let labels = metadata["labels"].as_object().unwrap_or_else(|| panic!("{path} has no labels"));
    assert_eq!(labels.get(MANAGED_BY), Some(&Value::from("k8s-mtp")), "{path}");
    assert_eq!(labels.get(PART_OF), Some(&Value::from("k8s-mtp")), "{path}");
    let tenant = path.strip_prefix("rendered/tenants/").and_then(|rest| rest.split('/').next());
    assert_eq!(labels.get(TENANT).and_then(Value::as_str), tenant, "{path}: whose is it?");
    let no_annotations = serde_json::Map::new();
    let annotations = match &metadata["annotations"] {
        Value::Null => &no_annotations,
        annotations => annotations.as_object().unwrap_or_else(|| panic!("{path}: annotations are no map")),
    };
    for (key, value) in labels.iter().chain(annotations) {
        assert!(value.is_string(), "{path}: `{key}` is no text");
    }
    for (key, value) in labels {
        let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let legal =
            |text: &str| text.len() <= 63 && text.chars().all(inner) && text.trim_matches(['-', '_', '.']) == text;
        let name = key.rsplit_once('/').map_or(key.as_str(), |(_, name)| name);
        let value = value.as_str().unwrap_or_default();
        assert!(!name.is_empty() && legal(name) && legal(value), "{path}: {key:?}: {value:?} is no label");
    }
    if holds(value, &|text| text.contains("${")) {
        assert_eq!(annotations.get(SUBSTITUTE), Some(&Value::from("disabled")), "{path}: Flux replaces text in it");
    }
    assert_eq!(marks(value), 1, "{path}: the mark of ownership stands in a template too");
}

fn holds(value: &Value, what: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => what(text),
        Value::Array(items) => items.iter().any(|item| holds(item, what)),
        Value::Object(map) => map.iter().any(|(key, value)| what(key) || holds(value, what)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// How often `metadata.labels` with the mark of ownership stands in it.
fn marks(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(marks).sum(),
        Value::Object(map) => {
            let own = map.get("metadata").is_some_and(|m| m["labels"][MANAGED_BY] == "k8s-mtp");
            usize::from(own) + map.values().map(marks).sum::<usize>()
        }
        _ => 0,
    }
}

/// Runs the command line on a folder with these files: whatever the author typed, a report steers no terminal, and what
/// renders is up to date afterwards.
pub fn command_line(inputs: &Inputs) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (path, input) in inputs.iter() {
        let Input::Bytes(bytes) = input else { continue };
        let path = folder.path().join(&**path);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, bytes).expect("a file");
    }
    let root = folder.path().as_os_str();
    let mtp = |args: &[&str]| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let streams =
            Streams { out: &mut out, err: &mut err, out_is_terminal: false, err_is_terminal: false, no_color: true };
        let args = std::iter::once("mtp").chain(args.iter().copied()).map(OsString::from);
        let exit = run(args.chain([OsString::from("--root"), root.to_owned()]), streams);
        let text = |bytes| String::from_utf8(bytes).expect("a report is UTF-8");
        let (out, err) = (text(out), text(err));
        let steers =
            |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if let Some(c) = out.chars().chain(err.chars()).find(|c| steers(*c)) {
            panic!("the report holds {c:?}:\n{out:?}\n{err:?}");
        }
        (exit, out, err)
    };
    let (exit, ..) = mtp(&["validate"]);
    for form in ["github", "markdown", "json", "sarif"] {
        let (other, out, _) = mtp(&["validate", "--output", form]);
        assert_eq!(exit, other, "--output {form} ends otherwise");
        if matches!(form, "json" | "sarif") {
            let read: Result<Value, _> = serde_json::from_str(&out);
            assert!(read.is_ok(), "--output {form}: {read:?}");
        }
    }
    let (rendered, _, err) = mtp(&["render", "--quiet"]);
    assert_eq!(exit, rendered, "render ends otherwise than validate: {err}");
    if rendered == Exit::Clean {
        let (check, out, err) = mtp(&["render", "--check"]);
        assert_eq!(check, Exit::Clean, "stale at once: {out}{err}");
    }
}
