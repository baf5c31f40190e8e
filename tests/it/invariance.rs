//! What has no meaning changes no byte: the order of files, documents, keys and lists.

use std::collections::BTreeMap;

use k8s_mtp::{Inputs, render};
use serde::Deserialize;
use serde_yaml::Value;

use crate::mtp::repository;

/// The sample of this repository: path, and its documents as values.
fn sample() -> BTreeMap<String, Vec<Value>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(repository().join("tenants")) {
        let entry = entry.expect("an entry");
        let path = entry.path().strip_prefix(repository()).expect("below").to_str().expect("UTF-8").to_owned();
        if path.ends_with(".yaml") && !path.contains("/templates/") {
            let text = std::fs::read_to_string(entry.path()).expect("a file");
            let documents = serde_yaml::Deserializer::from_str(&text);
            files.insert(path, documents.map(|d| Value::deserialize(d).expect("a document")).collect());
        }
    }
    files
}

fn templates() -> Vec<(String, Vec<u8>)> {
    let folder = repository().join("tenants/templates");
    let files = std::fs::read_dir(folder).expect("templates").map(|entry| {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(repository()).expect("below").to_str().expect("UTF-8").to_owned();
        (name, std::fs::read(path).expect("a file"))
    });
    files.collect()
}

/// Rendered files by path.
fn tree(files: &BTreeMap<String, Vec<Value>>) -> BTreeMap<String, String> {
    let texts = files.iter().map(|(path, documents)| {
        // JSON is YAML in which everything is quoted.
        let texts: Vec<String> = documents.iter().map(|d| serde_json::to_string(d).expect("JSON")).collect();
        (path.clone(), texts.join("\n---\n").into_bytes())
    });
    let inputs: Inputs = texts.chain(templates()).collect();
    let (rendered, diagnostics) = render(&inputs);
    let errors: Vec<_> = diagnostics.iter().filter(|d| d.severity == k8s_mtp::Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    rendered.tree().map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned())).collect()
}

/// Small, seeded, good enough to shuffle with.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// Shuffles keys and lists, all the way down: no list of the contract has an order.
fn shuffle(value: &mut Value, random: &mut Random) {
    match value {
        Value::Sequence(items) => {
            items.iter_mut().for_each(|item| shuffle(item, random));
            random.shuffle(items);
        }
        Value::Mapping(map) => {
            let mut entries: Vec<(Value, Value)> = std::mem::take(map).into_iter().collect();
            entries.iter_mut().for_each(|(_, value)| shuffle(value, random));
            random.shuffle(&mut entries);
            *map = entries.into_iter().collect();
        }
        _ => {}
    }
}

#[test]
fn shuffled_keys_lists_and_documents_change_no_byte() {
    let files = sample();
    let expected = tree(&files);
    for seed in 0..25 {
        let mut random = Random(seed);
        let mut shuffled = files.clone();
        for documents in shuffled.values_mut() {
            documents.iter_mut().for_each(|document| shuffle(document, &mut random));
            random.shuffle(documents);
        }
        let found = tree(&shuffled);
        assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
        for (path, text) in &expected {
            assert_eq!(text, &found[path], "{path}, seed {seed}");
        }
    }
}

#[test]
fn moving_a_document_changes_header_lines_only() {
    let files = sample();
    let expected = tree(&files);
    // Everything in one file, in the opposite order.
    let all: Vec<Value> = files.values().flatten().rev().cloned().collect();
    let found = tree(&BTreeMap::from([("tenants/all.yaml".to_owned(), all)]));
    assert_eq!(expected.keys().collect::<Vec<_>>(), found.keys().collect::<Vec<_>>());
    let body = |text: &str| text.split_once('\n').map(|(_, body)| body.to_owned());
    for (path, text) in expected.iter().filter(|(path, _)| !path.ends_with(".k8s-mtp")) {
        assert_eq!(body(text), body(&found[path]), "{path}");
    }
}

#[test]
fn rendering_twice_gives_the_same_bytes() {
    let files = sample();
    assert_eq!(tree(&files), tree(&files));
}

#[test]
fn the_sample_reads_the_same_from_its_own_text_as_from_json() {
    let paths = sample().into_keys().chain(templates().into_iter().map(|(path, _)| path));
    let inputs: Inputs =
        paths.map(|path| (path.clone(), std::fs::read(repository().join(path)).expect("a file"))).collect();
    let (rendered, _) = render(&inputs);
    let own: BTreeMap<String, String> =
        rendered.tree().map(|(path, bytes)| (path.to_owned(), String::from_utf8_lossy(bytes).into_owned())).collect();
    assert_eq!(own, tree(&sample()));
}
