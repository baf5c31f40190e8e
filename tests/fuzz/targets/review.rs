//! Any bytes as what somebody posts to the webhook.
#![no_main]

#[path = "../verdict.rs"]
mod verdict;

libfuzzer_sys::fuzz_target!(|data: &[u8]| verdict::judged(data));
