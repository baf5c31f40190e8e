//! Text that some reader of YAML takes for something else: refused, or every reader gets what was meant.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use k8s_mtp::cli::Exit;
use serde_json::{Value, json};

use crate::mtp::{Folder, Ran};
use crate::readers::{Objects, READERS};

/// The strings, each with a short name for where it is a value.
fn strings() -> Vec<(String, String)> {
    let lines = include_str!("../hostile.txt").lines().filter(|line| line.starts_with('"'));
    let listed = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")));
    let long = ["x", "no ", "é", "\"", "a: b #c\n", "\u{202e}", "0"].map(|part| part.repeat(5_000 / part.len()));
    // As long as a key may be once its escapes are written.
    let keys = ["x", "y ", "0", "\u{7f}", "\u{1f600}"].map(|part| part.repeat(890 / part.len()));
    let all: BTreeSet<String> = listed.chain(long).chain(keys).collect();
    assert!(all.len() > 250, "{} strings", all.len());
    all.into_iter().enumerate().map(|(index, text)| (format!("s{index:03}"), text)).collect()
}

/// The text in double quotes with every character escaped: no reader differs on it, and no writer of ours had a part.
fn escaped(text: &str) -> String {
    let escapes: String = text.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    format!("\"{escapes}\"")
}

/// The same for the string literals of templates, which have the escapes of JSON.
fn literal(text: &str) -> String {
    let escapes: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    format!("\"{escapes}\"")
}

/// An input file whose lines can each be refused: what stands before them, and the lines by the name of their string.
struct Batch {
    path: String,
    head: String,
    lines: Vec<(String, String)>,
}

/// A platform of the published tiers with batches of hostile lines.
fn platform(batches: &[Batch], keys: &[String]) -> Folder {
    let folder = Folder::published();
    folder.edit(
        "tenants/platform.yaml",
        "spec:\n",
        &format!(
            "spec:\n  tenantMetadata:\n    labels: {keys:?}\n    annotations: {keys:?}\n  templates:\n    kinds:\n      \
             - {{group: example.org, kind: Sheet, resource: sheets}}\n"
        ),
    );
    write(&folder, batches);
    folder
}

fn write(folder: &Folder, batches: &[Batch]) {
    for batch in batches {
        let lines: String = batch.lines.iter().map(|(_, line)| format!("{line}\n")).collect();
        folder.write(&batch.path, format!("{}{lines}", batch.head));
    }
}

/// Takes out each line that is refused until nothing is, and renders; the names of the strings that are left.
fn render(folder: &Folder, batches: &mut [Batch]) -> BTreeSet<(String, String)> {
    loop {
        let ran: Ran = folder.mtp(&["validate", "--output", "json"]);
        if ran.exit == Exit::Clean {
            break;
        }
        assert_eq!(ran.exit, Exit::Failed, "{ran}");
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {ran}"));
        let refused = report["problems"].as_array().expect("problems").iter().filter(|p| p["severity"] == "error");
        let mut any = false;
        for problem in refused {
            let line = problem["line"].as_u64().unwrap_or_default() as usize;
            let batch = batches.iter_mut().find(|batch| problem["path"] == batch.path.as_str());
            let batch = batch.unwrap_or_else(|| panic!("not in a file of ours: {problem}"));
            let above = batch.head.lines().count();
            let (name, text) = batch
                .lines
                .get_mut((line - 1).checked_sub(above).unwrap_or_else(|| panic!("not at a line of ours: {problem}")))
                .expect("a line");
            any |= !name.is_empty();
            name.clear();
            *text = "#".to_owned();
        }
        assert!(any, "{ran}");
        write(folder, batches);
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    let left = batches.iter().flat_map(|b| b.lines.iter().map(|(name, _)| (b.path.clone(), name.clone())));
    left.filter(|(_, name)| !name.is_empty()).collect()
}

/// What every reader makes of the rendered files whose name begins with `kind`; they must not differ.
fn read_by_all(rendered: &Path, kind: &str) -> Objects {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (index, entry) in walkdir::WalkDir::new(rendered).into_iter().enumerate() {
        let entry = entry.expect("a readable folder");
        if entry.file_type().is_file() && entry.file_name().to_string_lossy().starts_with(kind) {
            std::fs::copy(entry.path(), folder.path().join(format!("{index}.yaml"))).expect("a copy");
        }
    }
    let mut first: Option<Objects> = None;
    for (name, read) in READERS {
        let (objects, complaints) = read(folder.path());
        assert!(complaints.is_empty(), "{name}: {complaints}");
        let Some(first) = &first else {
            first = Some(objects);
            continue;
        };
        assert_eq!(first.keys().collect::<Vec<_>>(), objects.keys().collect::<Vec<_>>(), "{name}");
        for (id, object) in objects {
            let mut differences = Vec::new();
            differ(&first[&id], &object, &id, &mut differences);
            assert!(differences.is_empty(), "{name} and {} differ:\n{}", READERS[0].0, differences.join("\n"));
        }
    }
    first.expect("a reader")
}

/// The innermost values that differ.
fn differ(a: &Value, b: &Value, at: &str, differences: &mut Vec<String>) {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
                let value = |map: &serde_json::Map<String, Value>| map.get(key).cloned().unwrap_or(json!("(missing)"));
                differ(&value(a), &value(b), &format!("{at}/{key:?}"), differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().for_each(|(i, (a, b))| differ(a, b, &format!("{at}/{i}"), differences));
        }
        _ if a == b || (a.is_number() && a.as_f64() == b.as_f64()) => {}
        _ => differences.push(format!("{at}: {a} / {b}")),
    }
}

/// A kind whose content nobody knows; kustomize refuses a ConfigMap that holds more than text.
const SHEET: &str = "apiVersion: example.org/v1\nkind: Sheet\nmetadata:\n";

/// How many strings one input file holds.
const BATCH: usize = 40;

/// Tenants with a line of `field` for each string.
fn tenants(strings: &[(String, String)], prefix: &str, field: &str, line: impl Fn(&str, &str) -> String) -> Vec<Batch> {
    // A list or map from which every line is taken out would be empty, which is refused as well.
    let first = line("first", "first");
    let batch = |(index, strings): (usize, &[(String, String)])| Batch {
        path: format!("tenants/{prefix}{index}.yaml"),
        head: format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: {prefix}{index}\nspec:\n  \
             name: main\n  tier: free\n  ownerEmail: admin@acme.org\n  admins: [alice]\n  {field}:\n{first}\n"
        ),
        lines: strings.iter().map(|(name, text)| (name.clone(), line(name, text))).collect(),
    };
    strings.chunks(BATCH).enumerate().map(batch).collect()
}

#[test]
fn labels_annotations_and_people_of_tenants() {
    let strings = strings();
    let keys: Vec<String> = strings.iter().map(|(name, _)| name.clone()).chain(["first".to_owned()]).collect();
    let named = |name: &str, text: &str| format!("    {name}: {}", escaped(text));
    let mut batches = tenants(&strings, "label", "labels", named);
    batches.extend(tenants(&strings, "note", "annotations", named));
    batches.extend(tenants(&strings, "people", "viewers", |_, text| format!("    - {}", escaped(text))));
    let folder = platform(&batches, &keys);
    let left = render(&folder, &mut batches);
    let texts: BTreeMap<String, String> = strings.into_iter().collect();
    let namespaces = read_by_all(&folder.join("rendered/tenants"), "namespace-");
    let bindings = read_by_all(&folder.join("rendered/tenants"), "rolebinding-");
    let mut people: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    let mut counts = [0; 3];
    for (path, name) in &left {
        let tenant = path.trim_start_matches("tenants/").trim_end_matches(".yaml");
        let metadata = &namespaces[&format!("Namespace//tenant-{tenant}-main")]["metadata"];
        let text = texts[name].as_str();
        if tenant.starts_with("people") {
            people.entry(tenant.to_owned()).or_default().insert(text);
            counts[2] += 1;
        } else if tenant.starts_with("label") {
            assert_eq!(metadata["labels"][name], text, "label {name}");
            counts[0] += 1;
        } else {
            assert_eq!(metadata["annotations"][name], text, "annotation {name}");
            counts[1] += 1;
        }
    }
    for (tenant, people) in people {
        let subjects = bindings
            .iter()
            .filter(|(id, _)| id.starts_with(&format!("RoleBinding/tenant-{tenant}-main/")))
            .flat_map(|(_, binding)| binding["subjects"].as_array().into_iter().flatten())
            .map(|subject| subject["name"].as_str().expect("text"));
        let missing: Vec<&str> = people.difference(&subjects.collect()).copied().collect();
        assert!(missing.is_empty(), "{missing:?}");
    }
    // What is refused proves nothing, so that most must not be.
    assert!(counts[0] > 100 && counts[1] > 600 && counts[2] > 300, "{counts:?}");
}

#[test]
fn names_of_tenants_and_namespaces() {
    let folder = Folder::published();
    let reserved = ["default", "kube-system"];
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (_, text) in strings() {
        let file = format!("tenants/name-{text}.yaml");
        if text.is_empty() || text.len() > 20 || !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            continue;
        }
        let name = escaped(&text);
        folder.write(
            &file,
            format!(
                "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata:\n  name: {name}\nspec:\n  \
             name: {name}\n  tier: free\n  ownerEmail: admin@acme.org\n  admins: [alice]\n"
            ),
        );
        let ran = folder.mtp(&["validate"]);
        if ran.exit == Exit::Clean {
            names.insert(text);
        } else {
            assert_eq!(ran.exit, Exit::Failed, "{ran}");
            folder.remove(&file);
        }
    }
    assert!(reserved.iter().all(|name| !names.contains(*name)));
    for name in ["no", "on", "y", "1e3", "0x1f", "007", "2001-01-01", "null"] {
        assert!(names.contains(name), "{name} is a name");
    }
    let ran = folder.mtp(&["render"]);
    assert_eq!(ran.exit, Exit::Clean, "{ran}");
    let objects = read_by_all(&folder.join("rendered/tenants"), "namespace-");
    for name in names {
        let object = &objects[&format!("Namespace//tenant-{name}-{name}")];
        assert!(object["metadata"]["labels"].as_object().expect("labels").values().any(|v| *v == name), "{name}");
    }
}

#[test]
fn keys_and_values_of_templates() {
    let strings = strings();
    let mut batches = Vec::new();
    for (index, strings) in strings.chunks(BATCH).enumerate() {
        let batch = |kind: &str, head: &str, line: &dyn Fn(&str, &str) -> String| Batch {
            path: format!("tenants/templates/{kind}{index}.yaml"),
            head: format!("{SHEET}  name: {kind}{index}\n{head}"),
            lines: strings.iter().map(|(name, text)| (name.clone(), line(name, text))).collect(),
        };
        let quoted = |text: &str| format!("{{{{ {} | quote }}}}", literal(text));
        batches.push(batch("value", "spec:\n", &|name, text| format!("  {name}: {}", quoted(text))));
        batches.push(batch("item", "spec:\n  in:\n", &|_, text| format!("  - {}", quoted(text))));
        batches.push(batch("deep", "spec:\n  in:\n", &|_, text| {
            format!("  - [[{0}, {{\"in\": {0}}}], {{\"a\": [{0}], \"b\": {{\"c\": {0}, \"d\": 1}}}}]", quoted(text))
        }));
    }
    let keys: Vec<(String, String)> = strings.iter().filter(|(_, text)| text.len() < 900).cloned().collect();
    for (index, strings) in keys.chunks(BATCH).enumerate() {
        let line = |name: &str, text: &str| format!("  {{{{ {} | quote }}}}: {name}", literal(text));
        batches.push(Batch {
            path: format!("tenants/templates/key{index}.yaml"),
            head: format!("{SHEET}  name: key{index}\nspec:\n"),
            lines: strings.iter().map(|(name, text)| (name.clone(), line(name, text))).collect(),
        });
    }
    let folder = platform(&batches, &[]);
    let left = render(&folder, &mut batches);
    // What is refused proves nothing: that is for the few that kustomize itself does not carry, and Argo CD's mark.
    let all = keys.len() + 3 * strings.len();
    let refused = all - left.len();
    assert!(refused * 25 < all, "{refused} of {all} refused");
    let texts: BTreeMap<String, String> = strings.into_iter().collect();
    let objects = read_by_all(&folder.join("rendered/tenants"), "sheet.");
    for batch in &batches {
        let name = batch.path.trim_start_matches("tenants/templates/").trim_end_matches(".yaml");
        let data = &objects[&format!("Sheet/tenant-test-acme-acme/{name}")]["spec"];
        let lines: Vec<(&str, &str)> = batch
            .lines
            .iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, _)| (name.as_str(), texts[name].as_str()))
            .collect();
        let meant: Value = match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "value" => lines.into_iter().collect(),
            "key" => lines.into_iter().map(|(name, text)| (text, name)).collect(),
            "item" => json!({"in": lines.into_iter().map(|(_, text)| text).collect::<Vec<_>>()}),
            _ => {
                let deep = |text| json!([[text, {"in": text}], {"a": [text], "b": {"c": text, "d": 1}}]);
                json!({"in": lines.into_iter().map(|(_, text)| deep(text)).collect::<Vec<_>>()})
            }
        };
        let mut differences = Vec::new();
        differ(&meant, data, name, &mut differences);
        assert!(differences.is_empty(), "meant / read:\n{}", differences.join("\n"));
    }
}
