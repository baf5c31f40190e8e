//! Any bytes as files of manifests: the first byte of each part names it, a zero byte ends it.
use k8s_mtp::lint::{Linted, Options, by_file, edited, lint};
use k8s_mtp::{Input, Inputs};

const NAMES: [&str; 8] = [
    "a.yaml",
    "b.json",
    "kustomization.yaml",
    "apps/a.yml",
    "apps/kustomization.yaml",
    "clusters/flux.yaml",
    "ours/platform/role.yaml",
    "ours/gitops/argocd/application.yaml",
];

/// Lints and puts right, and holds the outcome against what is promised.
pub fn looked_at(data: &[u8]) {
    let mut inputs = Inputs::default();
    inputs.insert("ours/.k8s-mtp", Input::Bytes((*b"").into()));
    for part in data.split(|byte| *byte == 0) {
        let Some((name, bytes)) = part.split_first() else { continue };
        inputs.insert(NAMES[usize::from(*name) % NAMES.len()], Input::Bytes(bytes.into()));
    }
    let options = Options::default();
    let mut linted = lint(&inputs, &options);
    for diagnostic in &linted.diagnostics {
        let text = inputs.text(&diagnostic.at.path).unwrap_or_default();
        let (start, end) = (diagnostic.at.span.start as usize, diagnostic.at.span.end as usize);
        assert!(start <= text.len() || text.is_empty(), "{diagnostic:?}");
        assert!(end <= text.len() || text.is_empty(), "{diagnostic:?}");
    }
    let unreadable = |linted: &Linted| linted.diagnostics.iter().filter(|d| d.rule == "L102").count();
    let before = unreadable(&linted);
    // What is put right stays right: a few rounds, and there is nothing left to do.
    for _ in 0..8 {
        if linted.edits.is_empty() {
            return;
        }
        for (path, edits) in by_file(&linted.edits) {
            let text = inputs.text(path).expect("a file with edits is text").to_owned();
            let text = edited(&text, edits);
            inputs.insert(std::sync::Arc::clone(path), Input::Bytes(text.into_bytes().into()));
        }
        linted = lint(&inputs, &options);
        assert!(unreadable(&linted) <= before, "an edit broke a file: {:?}", linted.diagnostics);
    }
    panic!("there is no end to what is to be put right: {:?}", linted.edits);
}
