//! The simulated server does in each exchange what the real one did when it was recorded.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::exchanges::all;
use crate::exchanges::transcript::transcript;
use crate::server::Server;

/// Where records are.
fn record(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/simulated/recorded/{name}.json"))
}

#[test]
fn the_simulated_server_answers_as_the_real_one() {
    let mut found = Vec::new();
    for exchange in all() {
        let server = Server::new();
        server.set(|settings| settings.available_after = None);
        let have = transcript(&exchange, &server, &format!("x-{}", exchange.name));
        let text = std::fs::read_to_string(record(exchange.name)).unwrap_or_else(|_| "[]".to_owned());
        let want: Value = serde_json::from_str(&text).expect("a record");
        if have != want {
            let show = |value: &Value| serde_json::to_string_pretty(value).expect("JSON");
            let (have, want) = (show(&have), show(&want));
            let difference = similar::TextDiff::from_lines(&want, &have);
            found.push(format!("{}\n{}", exchange.name, difference.unified_diff().context_radius(12)));
        }
    }
    assert!(found.is_empty(), "{} exchanges differ:\n{}", found.len(), found.join("\n"));
}
