//! `ConfigMap`s of the webhook: what it knows of tiers and tenants, mounted into it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ConfigMap;

use super::{NAME, Scope, scope};
use crate::objects::{Build, Kind, Object};
use crate::plan::{NamespacePlan, Plan, TenantPlan, admission};
use crate::webhook::view::{self, NamespaceView, SHARDS, TIERS};

/// The row of [`crate::objects::KINDS`].
pub const KIND: Kind = Kind { group: "", version: "v1", kind: "ConfigMap", build: Build::Platform(build) };

/// The name of the one of the tiers.
pub fn tiers_name() -> String {
    format!("{NAME}-tiers")
}

/// The name of the one of a shard.
pub fn shard_name(shard: usize) -> String {
    format!("{NAME}-namespaces-{shard:x}")
}

fn build(plan: &Plan) -> Vec<Object> {
    let Some(scope) = scope(plan) else { return Vec::new() };
    let mut maps = vec![(tiers_name(), TIERS.to_owned(), view::write(tiers(plan)))];
    // A namespace has its shard by its name alone: a tenant who comes or goes changes one file.
    let mut shards: [BTreeMap<&str, NamespaceView>; SHARDS] = Default::default();
    for tenant in &plan.tenants {
        for namespace in &tenant.namespaces {
            shards[view::shard(&namespace.name)].insert(&namespace.name, viewed(&scope, tenant, namespace));
        }
    }
    for (shard, entries) in shards.into_iter().enumerate() {
        maps.push((shard_name(shard), view::shard_file(shard), view::write(entries)));
    }
    maps.into_iter().map(|(name, file, text)| object(&scope, name, file, text)).collect()
}

fn object(scope: &Scope<'_>, name: String, file: String, text: String) -> Object {
    let map = ConfigMap { data: Some([(file, text)].into()), metadata: scope.metadata(name), ..ConfigMap::default() };
    Object::new(map, scope.webhook.at.clone())
}

fn tiers(plan: &Plan) -> impl Iterator<Item = (&str, BTreeMap<&'static str, &'static str>)> {
    let modes = |tier: &crate::plan::TierPlan| tier.modes.iter().map(|(id, mode)| (id, mode.as_str())).collect();
    plan.tiers.iter().map(move |(name, tier)| (name.as_str(), modes(tier)))
}

fn viewed(scope: &Scope<'_>, tenant: &TenantPlan, namespace: &NamespacePlan) -> NamespaceView {
    let exempt = admission::exempt(&scope.platform.admission, &namespace.tier, &tenant.name, &namespace.name);
    NamespaceView { tenant: (*tenant.name).into(), tier: (*namespace.tier.name).into(), exempt }
}
