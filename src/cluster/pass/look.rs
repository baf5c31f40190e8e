//! The look at the beginning of a pass: what git holds, what the cluster has, and what follows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::cluster::Settings;
use crate::cluster::gateway::Gateway;
use crate::cluster::reading::{self, Question, Watched};
use crate::rendered::ObjectId;
use crate::sync::Unit;
use crate::sync::actions::{Cluster, Context, Plan, plan};
use crate::sync::discovery::Kinds;
use crate::sync::gates;
use crate::sync::inventory::{Entry, Inventory, Shard};
use crate::sync::want::{Source, Wanted};

/// What there is, at the beginning of a pass.
pub struct Situation {
    /// The kinds of the cluster.
    pub kinds: Kinds,
    /// What is ours.
    pub inventory: Inventory,
    /// What is there.
    pub cluster: Cluster,
    /// What follows from it.
    pub plans: Vec<Plan>,
    /// Why deletions are held back.
    pub refused: Option<String>,
    /// The lists that were read.
    pub watched: Vec<Watched>,
}

/// What git holds, told apart by content.
pub struct Held {
    units: BTreeMap<Unit, Vec<Wanted>>,
}

impl Held {
    /// Reads it all once.
    pub fn of(source: &dyn Source) -> Result<Held> {
        let mut units = BTreeMap::new();
        for unit in source.units() {
            let wanted: Vec<Wanted> = source.objects(&unit)?.iter().filter_map(Wanted::of).collect();
            units.insert(unit, wanted);
        }
        let held = Held { units };
        held.check()?;
        Ok(held)
    }

    /// An empty folder is a mistake, and so is an object that two units have.
    fn check(&self) -> Result<()> {
        if self.units.get(&Unit::Platform).is_none_or(Vec::is_empty) {
            bail!(
                "there is nothing of the platform in what is to be applied: that deletes nothing, and applies nothing"
            );
        }
        let mut all: BTreeMap<&ObjectId, &Unit> = BTreeMap::new();
        for (unit, wanted) in &self.units {
            for one in wanted {
                if let Some(other) = all.insert(&one.id, unit) {
                    bail!("{} stands in {other} and in {unit}", one.id);
                }
                // Objects of tenants stand in their namespaces, or are the Tenant.
                if *unit != Unit::Platform
                    && one.id.namespace.is_none()
                    && !one.id.is_namespace()
                    && one.id.kind != "Tenant"
                {
                    bail!("{} is in no Namespace, and stands among the objects of {unit}", one.id);
                }
            }
        }
        Ok(())
    }
}

/// Looks at the cluster, and plans.
pub async fn look(gateway: &Gateway, settings: &Settings, held: &Held, commit: &str) -> Result<Situation> {
    let kinds = reading::kinds(gateway).await?;
    let mut inventory = reading::inventory(gateway, &settings.namespace, &settings.installation).await?;
    let chosen = |unit: &Unit| match unit {
        _ if settings.tenants.is_empty() => true,
        Unit::Platform => false,
        Unit::Tenant(name) => settings.tenants.iter().any(|tenant| **tenant == **name),
    };
    let first = inventory.shards.is_empty();
    let rebuilding = first || !inventory.lost.is_empty();
    let wanted: BTreeMap<&ObjectId, &Wanted> =
        held.units.iter().filter(|(unit, _)| chosen(unit)).flat_map(|(_, all)| all).map(|w| (&w.id, w)).collect();
    let (cluster, watched) = {
        let shards = inventory.shards.iter().filter(|(unit, _)| chosen(unit));
        let entries: BTreeMap<&ObjectId, &Entry> = shards.flat_map(|(_, shard)| &shard.entries).collect();
        reading::cluster(gateway, &kinds, &Question { wanted: &wanted, entries: &entries, rebuilding }).await
    };
    let vouched = vouched(&cluster, &settings.installation);
    if first && !vouched.is_empty() {
        inventory.lost.push(Unit::Platform);
    }
    claim(&mut inventory, held, &cluster, &vouched);
    let mut units: BTreeSet<&Unit> = held.units.keys().collect();
    units.extend(inventory.shards.keys());
    let none = Vec::new();
    let empty = Shard::default();
    let mut plans: Vec<Plan> = units
        .into_iter()
        .filter(|unit| chosen(unit))
        .map(|unit| {
            let context = Context {
                installation: &settings.installation,
                inside: settings.inside,
                deletes: settings.deletes,
                ground: first.then_some(&*settings.namespace),
                rebuilding: inventory.lost.contains(unit),
            };
            let wanted = held.units.get(unit).unwrap_or(&none);
            plan(unit, wanted, inventory.shards.get(unit).unwrap_or(&empty), &cluster, &context)
        })
        .collect();
    let had_tenants = inventory.shards.keys().any(|unit| *unit != Unit::Platform);
    let has_tenants = held.units.keys().any(|unit| *unit != Unit::Platform);
    if had_tenants && !has_tenants && settings.tenants.is_empty() {
        bail!(
            "there is no tenant in what is to be applied, and the inventory has some: that deletes nothing, and applies nothing"
        );
    }
    let tracked = inventory.shards.values().map(|shard| shard.entries.len()).sum();
    let refused = gates::budget(&settings.budget, &mut plans, tracked);
    // That a pass was about this commit is written down once, and so is which tenants there are.
    let present: BTreeSet<String> = inventory.shards.keys().filter_map(tenant_name).collect();
    let platform = inventory.shards.get(&Unit::Platform);
    let told = platform.is_some_and(|shard| shard.commit.as_deref() == Some(commit)) && present == inventory.listed;
    for plan in plans.iter_mut().filter(|plan| plan.unit == Unit::Platform) {
        plan.changed |= !told;
    }
    Ok(Situation { kinds, inventory, cluster, plans, refused, watched })
}

/// Tenants that say of themselves that this installation applied them, whatever the inventory holds.
fn vouched(cluster: &Cluster, installation: &str) -> BTreeSet<Arc<str>> {
    let tenants = cluster.objects.iter().filter(|(id, _)| id.is(crate::contract::GROUP, "Tenant"));
    let ours =
        tenants.filter(|(_, live)| live.status.as_ref().is_some_and(|status| status["installation"] == installation));
    ours.map(|(id, _)| Arc::clone(&id.name)).collect()
}

/// Puts what says that it is ours into shards that were lost. That a label says so is not enough: another installation's
/// objects carry the same. The platform's list of tenants vouches for them, or else what each Tenant says of itself.
fn claim(inventory: &mut Inventory, held: &Held, cluster: &Cluster, vouched: &BTreeSet<Arc<str>>) {
    if inventory.lost.is_empty() {
        return;
    }
    let all = inventory.lost.contains(&Unit::Platform);
    let listed: BTreeSet<Unit> = inventory.lost.iter().cloned().collect();
    let kept: BTreeSet<Unit> = inventory.shards.keys().cloned().collect();
    let platform: BTreeSet<&ObjectId> = held.units.get(&Unit::Platform).into_iter().flatten().map(|w| &w.id).collect();
    for (id, live) in &cluster.objects {
        let unit = live.tenant.as_deref().map_or(Unit::Platform, |name| Unit::Tenant(name.into()));
        let ours = match &unit {
            Unit::Platform => all && platform.contains(id),
            Unit::Tenant(name) => listed.contains(&unit) || all && !kept.contains(&unit) && vouched.contains(name),
        };
        if !ours || !live.is_applied() {
            continue;
        }
        if !inventory.lost.contains(&unit) {
            inventory.lost.push(unit.clone());
        }
        let shard = inventory.shards.entry(unit).or_default();
        let version = live.api_version.as_str().into();
        let entry = Entry { uid: Some(live.uid.clone()), ..Entry::pending(version) };
        shard.entries.entry(id.clone()).or_insert(entry);
    }
}

/// Which object a Namespace is.
pub fn namespace_id(name: &str) -> ObjectId {
    ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name: name.into() }
}

/// The name of a tenant.
pub fn tenant_name(unit: &Unit) -> Option<String> {
    match unit {
        Unit::Platform => None,
        Unit::Tenant(name) => Some(name.to_string()),
    }
}
