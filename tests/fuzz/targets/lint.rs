//! Any bytes as files of manifests: linted, and put right.
#![no_main]

#[path = "../lint.rs"]
mod lint;

libfuzzer_sys::fuzz_target!(|data: &[u8]| lint::looked_at(data));
