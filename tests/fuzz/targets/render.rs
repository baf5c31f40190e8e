//! A platform, tiers, tenants and templates with anything in their texts.
#![no_main]

#[path = "../model.rs"]
mod model;
#[path = "../oracle.rs"]
mod oracle;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let model = model::Model::of(data);
    oracle::in_any_order(|turn| model.inputs(turn));
    // Files take longer than the rest together.
    if data.iter().fold(0u8, |sum, b| sum.wrapping_mul(31).wrapping_add(*b)) == 0 {
        oracle::command_line(&model.inputs(0));
    }
});
