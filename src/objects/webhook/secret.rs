//! `Secret` of the webhook: copied from git as it stands there, encrypted. It is written by `mtp certs` alone.

use std::sync::Arc;

use serde_json::Value;

use super::scope;
use crate::certs::SECRET;
use crate::diagnostic::Findings;
use crate::emit::EmitError;
use crate::objects::{Build, Kind, Manifest, Object};
use crate::place::Place;
use crate::plan::Plan;
use crate::plan::admission::CertificatesPlan;
use crate::rendered::ObjectId;
use crate::yaml;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "Secret", build: Build::Platform(build) };

/// A document that is copied: re-encrypting it, or another order of its keys, would break its MAC.
struct Copied {
    file: Arc<str>,
    text: Arc<str>,
}

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let CertificatesPlan::Sops { secret, .. } = &scope.webhook.certificates else { return Vec::new() };
    let id = ObjectId {
        group: "".into(),
        kind: KIND.kind.into(),
        namespace: Some(Arc::clone(&scope.platform.namespace)),
        name: SECRET.into(),
    };
    let manifest = Copied { file: Arc::clone(&secret.file), text: Arc::clone(&secret.content) };
    // Its header names its file, and is the file's own first line.
    let at = Place::file(Arc::clone(&secret.file));
    vec![Object { id, manifest: Box::new(manifest), at, origins: Vec::new() }]
}

impl Manifest for Copied {
    fn emit(&self, out: &mut Vec<u8>) -> Result<(), EmitError> {
        let body = self.text.split_once('\n').map_or("", |(_, body)| body);
        out.extend_from_slice(body.as_bytes());
        Ok(())
    }

    fn value(&self) -> Value {
        // It was read when the plan was made.
        let documents = yaml::read(&self.text).unwrap_or_default();
        documents.first().map(|d| yaml::json(&self.file, d, &mut Findings::default())).unwrap_or_default()
    }
}
