//! Any bytes as a file of tenants/ beside a valid platform.
#![no_main]

#[path = "../oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let inputs = oracle::beside_a_platform(data);
    let rendered = oracle::rendered(&inputs);
    // Files take longer than the rest together.
    if data.iter().fold(0u8, |sum, b| sum.wrapping_mul(31).wrapping_add(*b)) == 0 {
        oracle::command_line(&inputs);
    }
    drop(rendered);
});
