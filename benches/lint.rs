//! How long the lint rules take beside the reading of the same files.
//!
//! `ci/bench lint` builds this program and asks it for what it measures:
//! ```text
//! lint DIR RUNS    prints seconds to read the files of DIR, seconds to lint them, their bytes and their objects
//! ```
#![expect(clippy::disallowed_methods, reason = "files, arguments and clock are the business of a bench")]

use std::error::Error;
use std::time::Instant;

use k8s_mtp::lint::{Options, is_manifest, lint, objects};
use k8s_mtp::{Input, Inputs};

fn main() -> Result<(), Box<dyn Error>> {
    // `cargo bench` adds a flag of its own.
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let [dir, runs] = args.as_slice() else { return Err("expected DIR RUNS".into()) };
    let runs: usize = runs.parse()?;
    let mut inputs = Inputs::default();
    let mut bytes = 0;
    for entry in walkdir::WalkDir::new(dir) {
        let entry = entry?;
        let path = entry.path().strip_prefix(dir)?.to_string_lossy().into_owned();
        if entry.file_type().is_file() && (is_manifest(&path) || path == ".k8s-mtp") {
            let text = std::fs::read(entry.path())?;
            bytes += text.len();
            inputs.insert(path, Input::Bytes(text.into()));
        }
    }
    let options = Options::default();
    let (mut reads, mut lints, mut seen) = (Vec::new(), Vec::new(), 0);
    // In turns, and once for nothing: the first touch of memory is nobody's.
    for _ in 0..=runs.max(1) {
        let start = Instant::now();
        seen = objects(&inputs);
        reads.push(start.elapsed().as_secs_f64());
        let start = Instant::now();
        let linted = lint(&inputs, &options);
        lints.push(start.elapsed().as_secs_f64());
        // In folders of kustomize, not every file is a manifest.
        if linted.objects == 0 || linted.objects > seen {
            return Err(format!("{} objects were linted, and {seen} read", linted.objects).into());
        }
    }
    println!("{} {} {bytes} {seen}", median(reads.split_off(1)), median(lints.split_off(1)));
    Ok(())
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}
