//! Any bytes as one of the files of tenants/certs/, the other one being fine.
#![no_main]

#[path = "../oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| drop(oracle::rendered(&oracle::with_certificates(data))));
