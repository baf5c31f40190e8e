//! `Tenant`: what a cluster shows of a tenant, with every default resolved. Nothing in the cluster acts on it.

use serde::Serialize;

use super::{Build, InTenant, Kind, Object, Plain, meta};
use crate::contract::gitops::Deploy;
use crate::contract::platform::Port;
use crate::contract::tenant::{NamespaceEntry, Peer, QuotaValues, TenantSpec};
use crate::contract::{API_VERSION, Amount, At, GROUP, VERSION};
use crate::place::Span;
use crate::plan::{SourcePlan, gitops};
use crate::quantity::Quantity;
use crate::rendered::ObjectId;

/// The row of [`super::KINDS`].
pub const KIND: Kind = Kind { group: GROUP, version: VERSION, kind: "Tenant", build: Build::Tenant(build) };

/// A Tenant as the cluster stores it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tenant {
    api_version: &'static str,
    kind: &'static str,
    metadata: meta::ObjectMeta,
    spec: TenantSpec,
}

fn build(scope: &InTenant<'_>) -> Vec<Object> {
    let tenant = scope.tenant;
    let mut labels = meta::tenant_labels(&tenant.name);
    labels.insert(meta::TIER.to_owned(), tenant.tier.name.to_string());
    if tenant.state != crate::contract::tenant::State::Active {
        labels.insert(meta::STATE.to_owned(), tenant.state.as_str().to_owned());
    }
    let namespaces: Vec<&str> = tenant.namespaces.iter().map(|n| &*n.name).collect();
    let metadata = meta::ObjectMeta {
        name: Some(tenant.name.to_string()),
        labels: Some(labels),
        annotations: Some([(meta::NAMESPACES.to_owned(), namespaces.join(","))].into()),
        ..meta::ObjectMeta::default()
    };
    let id = ObjectId { group: GROUP.into(), kind: "Tenant".into(), namespace: None, name: tenant.name.clone() };
    let manifest = Tenant { api_version: API_VERSION, kind: "Tenant", metadata, spec: resolved(scope) };
    vec![Object { id, manifest: Box::new(Plain(manifest)), at: tenant.name_at(), origins: Vec::new() }]
}

/// The spec with its defaults, sets in order.
fn resolved(scope: &InTenant<'_>) -> TenantSpec {
    let tenant = scope.tenant;
    let mut spec = tenant.doc.content.spec.value.clone();
    let at = |span: Span| move |value| At::new(value, span);
    spec.state = Some(at(Span::default())(tenant.state));
    let lists = [
        &mut spec.admins,
        &mut spec.operators,
        &mut spec.viewers,
        &mut spec.groups.admins,
        &mut spec.groups.operators,
        &mut spec.groups.viewers,
        &mut spec.pull_secrets,
    ];
    for list in lists {
        list.sort();
        list.dedup();
    }
    let first = tenant.namespaces.iter().find(|n| n.part.as_ref() == spec.name.value);
    spec.egress.internet = first.map(|n| At::new(n.internet, n.span));
    spec.egress.api_server = Some(At::new(tenant.api_server, Span::default()));
    for list in [&mut spec.egress.allow, &mut spec.ingress.allow] {
        list.iter_mut().for_each(peer);
        list.sort();
        list.dedup();
    }
    quota(&mut spec.quota);
    for entry in &mut spec.namespaces {
        resolve_entry(entry, scope);
    }
    // What every entry leaves out is known now; those of one name are the same, or an error.
    let own = &tenant.doc.content.spec;
    for entry in &mut spec.deploy {
        resolve_deploy(entry, own);
    }
    spec.restrict.sort();
    spec.deploy.sort_by(|a, b| a.name.cmp(&b.name));
    spec.namespaces.sort_by(|a, b| a.name.cmp(&b.name));
    spec
}

fn resolve_entry(entry: &mut At<NamespaceEntry>, scope: &InTenant<'_>) {
    let plan = scope.tenant.namespaces.iter().find(|n| n.part.as_ref() == entry.name.value);
    let entry = &mut entry.value;
    if let Some(plan) = plan {
        entry.tier = Some(At::new(plan.tier.name.to_string(), plan.span));
        entry.state = Some(At::new(plan.state, plan.span));
    }
    quota(&mut entry.quota);
}

fn resolve_deploy(entry: &mut At<Deploy>, spec: &TenantSpec) {
    let [name, part] = [gitops::name(entry, spec), gitops::part(entry, spec)].map(str::to_owned);
    let source = SourcePlan::of(entry);
    let span = entry.span;
    let at = |text: String| Some(At::new(text, span));
    let entry = &mut entry.value;
    (entry.name, entry.namespace) = (at(name), at(part));
    entry.revision = at(source.revision.as_str().to_owned());
    entry.path = at(if source.path.is_empty() { ".".to_owned() } else { source.path });
}

fn peer(peer: &mut At<Peer>) {
    let ports: &mut Vec<At<Port>> = &mut peer.value.ports;
    ports.sort();
    ports.dedup();
}

/// As the API server would write them.
fn quota(values: &mut QuotaValues) {
    let each = [
        &mut values.cpu,
        &mut values.memory,
        &mut values.ephemeral_storage,
        &mut values.storage,
        &mut values.pods,
        &mut values.load_balancers,
    ];
    let stored = |amount: &mut At<Amount>| {
        if let Ok(quantity) = Quantity::parse(&amount.value.0) {
            amount.value = Amount(quantity.to_string());
        }
    };
    each.into_iter().flatten().chain(values.objects.values_mut()).for_each(stored);
}
