//! A request to an API server, as data.

use http::Method;
use serde_json::{Value, json};

use crate::sync::fields::MANAGER;

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// GET, PATCH and so on.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// The form of the answer.
    pub accept: &'static str,
    /// The form of the body.
    pub content_type: &'static str,
    /// What is sent.
    pub body: Vec<u8>,
    /// Whether it is sent at once, however many others there are.
    pub ahead: bool,
}

const JSON: &str = "application/json";

/// Asks for metadata only.
pub const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json";

impl Ask {
    fn new(method: Method, path: String, content_type: &'static str, body: Vec<u8>) -> Ask {
        Ask { method, path, accept: JSON, content_type, body, ahead: false }
    }

    /// Reads an object.
    pub fn get(path: &str) -> Ask {
        Ask::new(Method::GET, path.to_owned(), JSON, Vec::new())
    }

    /// The same request, ahead of all others: for what the others depend on.
    pub fn ahead(self) -> Ask {
        Ask { ahead: true, ..self }
    }

    /// The same request, for an answer of another form.
    pub fn accepting(self, accept: &'static str) -> Ask {
        Ask { accept, ..self }
    }

    /// Reads a page of a list, from the server's newest state.
    pub fn list(collection: &str, selector: &str, limit: usize, after: Option<&str>) -> Ask {
        let mut path = format!("{collection}?limit={limit}");
        for (key, value) in [("labelSelector", Some(selector).filter(|s| !s.is_empty())), ("continue", after)] {
            if let Some(value) = value {
                path.push_str(&format!("&{key}={}", encoded(value)));
            }
        }
        Ask::new(Method::GET, path, JSON, Vec::new())
    }

    /// Applies an object, strictly validated.
    pub fn apply(path: &str, object: &Value, force: bool, dry: bool) -> Ask {
        let dry = if dry { "&dryRun=All" } else { "" };
        let path = format!("{path}?fieldManager={MANAGER}&force={force}&fieldValidation=Strict{dry}");
        Ask::new(Method::PATCH, path, "application/apply-patch+yaml", bytes(object))
    }

    /// Changes an object by a JSON patch.
    pub fn patch(path: &str, patch: &Value, dry: bool) -> Ask {
        let dry = if dry { "&dryRun=All" } else { "" };
        Ask::new(
            Method::PATCH,
            format!("{path}?fieldManager={MANAGER}{dry}"),
            "application/json-patch+json",
            bytes(patch),
        )
    }

    /// Creates an object.
    pub fn create(collection: &str, object: &Value, dry: bool) -> Ask {
        let dry = if dry { "&dryRun=All" } else { "" };
        Ask::new(Method::POST, format!("{collection}?fieldManager={MANAGER}{dry}"), JSON, bytes(object))
    }

    /// Replaces the version of an object that it names.
    pub fn replace(path: &str, object: &Value) -> Ask {
        Ask::new(Method::PUT, format!("{path}?fieldManager={MANAGER}"), JSON, bytes(object))
    }

    /// Deletes that very version of an object.
    pub fn delete(path: &str, uid: &str, resource_version: &str, dry: bool) -> Ask {
        let mut options = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid, "resourceVersion": resource_version},
            "propagationPolicy": "Background",
        });
        if dry {
            options["dryRun"] = json!(["All"]);
        }
        Ask::new(Method::DELETE, path.to_owned(), JSON, bytes(&options))
    }

    /// Whether it reads.
    pub fn is_read(&self) -> bool {
        self.method == Method::GET
    }

    /// Whether it changes nothing: it reads, or is a trial.
    pub fn is_harmless(&self) -> bool {
        self.is_read() || self.path.ends_with("dryRun=All")
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    // Values have text for keys: this does not fail.
    serde_json::to_vec(value).unwrap_or_default()
}

fn encoded(text: &str) -> String {
    let mut all = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            all.push(char::from(byte));
        } else {
            all.push_str(&format!("%{byte:02X}"));
        }
    }
    all
}
