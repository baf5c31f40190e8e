//! The Tenant kind: established, readable, and as strict as its authors' own reader.

use std::collections::BTreeSet;
use std::fs;

use k8s_mtp::{Inputs, Severity};
use serde::Deserialize as _;
use serde_json::Value;

use crate::fixture::platform;
use crate::kubectl::kubectl;
use crate::programs::repository;

const DEFINITION: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tenants.multitenant.k8s-mtp.io";

/// Rules that say what the schema says: unknown fields, missing ones, wrong types, wrong forms.
const SCHEMA_RULES: [&str; 4] = ["T011", "T012", "T013", "T014"];

#[test]
fn are_established_and_structural() {
    let definition = platform().admin.get(DEFINITION).ok();
    let conditions = definition["status"]["conditions"].as_array().cloned().expect("conditions");
    let of = |kind: &str| conditions.iter().find(|c| c["type"] == kind).map(|c| c["status"].clone());
    assert_eq!(of("Established"), Some(Value::from("True")));
    assert_eq!(of("NamesAccepted"), Some(Value::from("True")));
    assert_eq!(of("NonStructuralSchema"), None, "{conditions:?}");
}

/// `expected` is the file below `tests/cluster/`; UPDATE=1 writes it.
fn same(expected: &str, text: &str) {
    let file = repository().join("tests/cluster").join(expected);
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&file, text).expect("written");
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(there, text, "{expected}; UPDATE=1 cargo test --test cluster tenants");
}

#[test]
fn are_listed_with_tier_state_and_namespaces() {
    let platform = platform();
    let names: Vec<&str> = platform.documents.iter().filter(|d| d.kind() == "Tenant").map(|d| d.name()).collect();
    // By name: other tests have tenants of their own.
    let listed = kubectl(&platform.plane, &[&["get", "tenants"], names.as_slice()].concat());
    // The age is a matter of time.
    let lines: Vec<&str> =
        listed.lines().map(|line| line.rsplit_once("  ").map_or(line, |(rest, _)| rest.trim_end())).collect();
    same("tenants.txt", &(lines.join("\n") + "\n"));
}

#[test]
fn are_explained() {
    let explained = ["tenant", "tenant.spec", "tenant.spec.egress", "tenant.status"]
        .map(|path| kubectl(&platform().plane, &["explain", path]));
    for text in &explained {
        assert!(!text.contains("<no description>"), "{text}");
    }
    same("explained.txt", &explained.join("\n"));
}

/// A Tenant that somebody typed, and the case it is from.
struct Typed {
    case: String,
    text: String,
    value: Value,
}

/// All Tenants of all cases that are YAML at all.
fn typed() -> Vec<Typed> {
    let mut all = Vec::new();
    let cases = walkdir::WalkDir::new(repository().join("tests/cases")).sort_by_file_name();
    for entry in cases.into_iter().map(|e| e.expect("a readable folder")) {
        let path = entry.path().strip_prefix(repository().join("tests/cases")).expect("below it").to_owned();
        let is_input = path.components().any(|part| part.as_os_str() == "tenants");
        let templates = path.components().any(|part| part.as_os_str() == "templates" || part.as_os_str() == "rendered");
        let Ok(text) = fs::read_to_string(entry.path()) else { continue };
        if !entry.file_type().is_file() || !is_input || templates {
            continue;
        }
        let documents: Vec<&str> = text.split("\n---").collect();
        for document in documents {
            let read = serde_yaml::Value::deserialize(serde_yaml::Deserializer::from_str(document));
            let Ok(Ok(value)) = read.map(serde_json::to_value) else { continue };
            if value["kind"] == "Tenant" && value["apiVersion"] == "multitenant.k8s-mtp.io/v1" {
                let case = path.components().next().expect("a case").as_os_str().to_string_lossy().into_owned();
                all.push(Typed { case, text: document.to_owned(), value });
            }
        }
    }
    all
}

/// A platform that knows nothing.
const PLATFORM: &str = "\
apiVersion: multitenant.k8s-mtp.io/v1
kind: Platform
metadata:
  name: platform
spec:
  kubernetesVersion: \"1.37\"
";

/// Rules about what stands elsewhere: the tier that is named.
const ELSEWHERE: [&str; 1] = ["T110"];

/// The rules that `mtp validate` finds broken in a Tenant, on a platform that knows nothing.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let files = [("tenants/platform.yaml", PLATFORM), ("tenants/it.yaml", text)];
    let inputs: Inputs = files.into_iter().map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec())).collect();
    let (_, diagnostics) = k8s_mtp::render(&inputs);
    let errors = diagnostics.into_iter().filter(|d| d.severity == Severity::Error);
    let in_it = errors.filter(|d| &*d.at.path == "tenants/it.yaml").map(|d| d.rule);
    in_it.filter(|rule| !ELSEWHERE.contains(rule)).collect()
}

/// What the server refuses, `mtp validate` refuses; what that refuses for its schema, the server refuses. There
/// is no difference to list.
#[test]
fn are_refused_by_both_or_by_none() {
    let platform = platform();
    let mut differ: BTreeSet<String> = BTreeSet::new();
    let (mut accepted, mut refused) = (0, 0);
    for Typed { case, text, value } in typed() {
        let rules = broken(&text);
        let mut object = value;
        if let Some(metadata) = object["metadata"].as_object_mut() {
            // Cluster-scoped: mtp ignores it with a warning, the server goes by the path.
            metadata.remove("namespace");
        }
        let path = "/apis/multitenant.k8s-mtp.io/v1/tenants?dryRun=All&fieldValidation=Strict";
        let answer = platform.admin.post(path, &object);
        let name = object["metadata"]["name"].to_string();
        match answer.status {
            201 | 409 => {
                accepted += 1;
                // The rules know more than a schema can say; what the schema says, the server has to say too.
                let by_schema: Vec<&str> = rules.into_iter().filter(|rule| SCHEMA_RULES.contains(rule)).collect();
                if !by_schema.is_empty() {
                    differ.insert(format!("mtp alone refuses {name} of {case}: {}", by_schema.join(" ")));
                }
            }
            400 | 422 => {
                refused += 1;
                if rules.is_empty() {
                    differ.insert(format!("the server alone refuses {name} of {case}"));
                }
            }
            other => panic!("{case}: {other} {}", answer.message()),
        }
    }
    assert!(accepted > 50 && refused > 5, "{accepted} accepted, {refused} refused: too few to tell");
    assert!(differ.is_empty(), "{differ:#?}");
}
