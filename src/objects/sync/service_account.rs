//! `ServiceAccount` as which `mtp sync` applies: no pod gets its token but by asking for it.

use k8s_openapi::api::core::v1::ServiceAccount;

use super::scope;
use crate::objects::{Build, Kind, Object};
use crate::plan::Plan;

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ServiceAccount", build: Build::Platform(build) };

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let account = ServiceAccount {
        automount_service_account_token: Some(false),
        metadata: scope.metadata(),
        ..ServiceAccount::default()
    };
    vec![Object::new(account, scope.sync.at.clone())]
}
