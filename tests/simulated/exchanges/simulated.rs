//! Exchanges with the simulated server.

use std::time::Duration;

use serde_json::Value;

use super::transcript::Wire;
use crate::server::Server;

impl Wire for Server {
    fn send(&self, method: &str, path: &str, content_type: &str, body: Vec<u8>) -> (u16, Value) {
        let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).expect("JSON") };
        let answer = self.request(method, path, content_type, &body);
        (answer.status, answer.body)
    }

    fn wait(&self) {
        self.advance(Duration::from_millis(100));
    }
}
