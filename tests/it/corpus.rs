//! What fuzzing has found so far (`ci/fuzz`), looked at with the same eyes by every `cargo test`.

use std::fs;
use std::panic::catch_unwind;

use rayon::prelude::*;

use crate::mtp::repository;

#[path = "../fuzz/lint.rs"]
mod lint;
#[path = "../fuzz/model.rs"]
mod model;
#[path = "../fuzz/oracle.rs"]
mod oracle;
#[path = "../fuzz/verdict.rs"]
mod verdict;

/// Looks at every input of a corpus; all that fail are named.
fn replay(corpus: &str, look: impl Fn(&[u8]) + Sync + std::panic::RefUnwindSafe) {
    let folder = repository().join("tests/fuzz/corpus").join(corpus);
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no input in the corpus {corpus}");
    let fails = |path: &&std::path::PathBuf| {
        let data = fs::read(path).expect("an input");
        catch_unwind(|| look(&data)).is_err()
    };
    let failed: Vec<_> = paths.par_iter().filter(fails).collect();
    assert!(failed.is_empty(), "see above for why: {failed:#?}");
}

#[test]
fn any_bytes_are_read_or_refused() {
    replay("parse", |data| drop(oracle::rendered(&oracle::beside_a_platform(data))));
}

#[test]
fn any_text_is_rendered_or_refused() {
    replay("render", |data| {
        let model = model::Model::of(data);
        oracle::in_any_order(|turn| model.inputs(turn));
    });
}

#[test]
fn any_body_is_judged_or_refused() {
    replay("review", verdict::judged);
}

#[test]
fn any_state_of_certificates_is_read_or_refused() {
    replay("certs", |data| drop(oracle::rendered(&oracle::with_certificates(data))));
}

#[test]
fn any_manifest_is_linted() {
    replay("lint", lint::looked_at);
}

#[test]
fn a_report_of_hostile_text_steers_no_terminal() {
    for data in ["a: \"\\u009b31m\\u202e\"\n", "\u{feff}\u{85}a: b: c\n", "a: \"\\0\\e[31m\"\n", "a\u{202e}: [\n"] {
        oracle::command_line(&oracle::beside_a_platform(data.as_bytes()));
    }
}
