//! One pass: from what git holds and what the cluster has to a cluster that is as git has it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, anyhow, bail};
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;

use super::gateway::{Ask, Gateway, Stop};
use super::reading::{self, Question};
use super::unit::{Around, Running};
use super::{Settings, lease};
use crate::rendered::ObjectId;
use crate::sync::actions::{Cluster, Context, Plan, plan};
use crate::sync::answer::Meaning;
use crate::sync::discovery::Kinds;
use crate::sync::gates;
use crate::sync::inventory::{Entry, Inventory, Shard};
use crate::sync::outcome::{Outcome, UnitOutcome};
use crate::sync::tenant_status;
use crate::sync::want::{Source, Stage, Wanted};
use crate::sync::{Unit, outcome};

/// How many tenants are at work at a time; the gateway limits their requests.
const AT_WORK: usize = 16;

/// What a pass tells while it runs.
pub enum Progress<'p> {
    /// What is being done, for all units together.
    Doing(&'p str),
    /// A unit is done; how many of how many.
    Unit(&'p UnitOutcome, usize, usize),
}

/// Hears what a pass tells.
pub type Told<'t> = &'t RefCell<dyn FnMut(Progress<'_>) + 't>;

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

/// Runs a pass, and more of them while something changed under its hands.
pub async fn pass(
    gateway: &Gateway,
    settings: &Settings,
    source: &dyn Source,
    held: &Held,
    told: Told<'_>,
) -> Result<Outcome> {
    let tell = |what: &str| (told.borrow_mut())(Progress::Doing(what));
    tell("read the cluster");
    let situation = look(gateway, settings, held, source.commit()).await?;
    if situation.plans.iter().all(Plan::is_idle) {
        return Ok(finish(gateway, settings, source, situation, Vec::new()).await);
    }
    ground(gateway, settings, source, &situation).await?;
    let patience = settings.lease * 3;
    let mut waits = |holder: &str| tell(&format!("wait for `{holder}`, which is at work"));
    let mut lease = lease::take(gateway, settings, patience, &mut waits).await?;
    let outcome = {
        let work = async {
            // What was seen before the Lease was taken may be another's work half done.
            tell("read the cluster");
            let situation = look(gateway, settings, held, source.commit()).await?;
            work(gateway, settings, source, situation, told).await
        };
        let keep = lease.keep(gateway, settings);
        futures::pin_mut!(work, keep);
        match futures::future::select(work, keep).await {
            futures::future::Either::Left((outcome, _)) => outcome,
            // What is under way still ends, and nothing is begun.
            futures::future::Either::Right(((), work)) => work.await,
        }
    };
    if gateway.stopped() == Some(Stop::LeaseLost) {
        bail!("the Lease was lost: another sync may be at work; nothing more was written");
    }
    lease.release(gateway, settings).await;
    outcome
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
    let cluster = {
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
    Ok(Situation { kinds, inventory, cluster, plans, refused })
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
    let platform: BTreeSet<&ObjectId> = held.units.get(&Unit::Platform).into_iter().flatten().map(|w| &w.id).collect();
    for (id, live) in &cluster.objects {
        let unit = live.tenant.as_deref().map_or(Unit::Platform, |name| Unit::Tenant(name.into()));
        let ours = match &unit {
            Unit::Platform => all && platform.contains(id),
            Unit::Tenant(name) => {
                listed.contains(&unit) || all && !inventory.shards.contains_key(&unit) && vouched.contains(name)
            }
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

fn namespace_id(name: &str) -> ObjectId {
    ObjectId { group: "".into(), kind: "Namespace".into(), namespace: None, name: name.into() }
}

/// Makes the platform's Namespace where there is none: Lease and inventory stand in it.
async fn ground(gateway: &Gateway, settings: &Settings, source: &dyn Source, situation: &Situation) -> Result<()> {
    let id = namespace_id(&settings.namespace);
    if situation.cluster.objects.contains_key(&id) {
        return Ok(());
    }
    let namespace =
        source.objects(&Unit::Platform)?.into_iter().find(|o| crate::sync::want::id(o).as_ref() == Some(&id));
    let Some(namespace) = namespace.filter(|_| settings.tenants.is_empty()) else {
        bail!(
            "there is no Namespace `{}` in the cluster, and it is not among what is to be applied",
            settings.namespace
        );
    };
    let path = format!("/api/v1/namespaces/{}", settings.namespace);
    for tries in 1..=5 {
        let answer = match gateway.write(&Ask::apply(&path, &namespace, false, false)).await {
            Ok(answer) => answer,
            Err(stop) => bail!("told to stop: {stop:?}"),
        };
        match answer.meaning() {
            Meaning::Done => return Ok(()),
            Meaning::Unknown(_) if tries < 5 => gateway.moment(tries).await,
            Meaning::Forbidden(why) => {
                bail!("cannot create Namespace `{}`: a right is missing: {why}", settings.namespace)
            }
            _ => bail!("cannot create Namespace `{}`: {}", settings.namespace, answer.message_or_loss()),
        }
    }
    Err(anyhow!("cannot create Namespace `{}`", settings.namespace))
}

async fn work(
    gateway: &Gateway,
    settings: &Settings,
    source: &dyn Source,
    mut situation: Situation,
    told: Told<'_>,
) -> Result<Outcome> {
    let tell = |what: &str| (told.borrow_mut())(Progress::Doing(what));
    let plans = std::mem::take(&mut situation.plans);
    let (idle, busy): (Vec<Plan>, Vec<Plan>) = plans.into_iter().partition(Plan::is_idle);
    let mut done: Vec<UnitOutcome> = idle.iter().map(untouched).collect();
    let inventory = &situation.inventory;
    // The platform's shard lists the others, and does so before they are there.
    let mut tenants: BTreeSet<String> = inventory.listed.clone();
    tenants.extend(inventory.shards.keys().filter_map(tenant_name));
    tenants.extend(busy.iter().filter(|plan| !plan.entries.is_empty()).filter_map(|plan| tenant_name(&plan.unit)));
    let around = Around {
        gateway,
        settings,
        source,
        kinds: RefCell::new(std::mem::take(&mut situation.kinds)),
        cluster: &situation.cluster,
    };
    let mut running: Vec<Running<'_>> = busy
        .into_iter()
        .map(|plan| {
            let shard = inventory.shards.get(&plan.unit).cloned().unwrap_or_default();
            let platform = plan.unit == Unit::Platform;
            let mut unit = Running::new(&around, plan, shard, inventory.listed.iter().cloned().collect());
            if platform {
                unit.list(tenants.iter().cloned().collect());
            }
            unit
        })
        .collect();

    tell("take away what is no longer granted");
    for group in chunks(&mut running) {
        join_all(group.iter_mut().map(async |unit| {
            if unit.touches_grants() {
                unit.load()?;
                unit.revoke().await;
                unit.unload();
            }
            anyhow::Ok(())
        }))
        .await
        .into_iter()
        .collect::<Result<()>>()?;
    }

    tell("write down what is about to change");
    let (mut platform, others): (Vec<_>, Vec<_>) = running.into_iter().partition(|unit| *unit.unit() == Unit::Platform);
    let mut platform = platform.pop();
    if let Some(platform) = &mut platform {
        platform.announce().await;
        tell("apply the platform's foundations");
        platform.load()?;
        platform.apply_stages(&[Stage::Definitions, Stage::Namespaces, Stage::Guardrails]).await;
    }

    tell("apply tenants");
    let count = others.len();
    let finished = RefCell::new(0);
    let each = stream::iter(others).map(async |mut unit| {
        unit.announce().await;
        unit.load()?;
        unit.apply_stages(&Stage::ALL).await;
        unit.unload();
        unit.prune().await;
        unit.commit().await;
        let left = unit.is_left();
        let outcome = unit.finish();
        *finished.borrow_mut() += 1;
        (told.borrow_mut())(Progress::Unit(&outcome, *finished.borrow(), count));
        anyhow::Ok((outcome, left))
    });
    let apply = async { each.buffer_unordered(AT_WORK).collect::<Vec<Result<(UnitOutcome, bool)>>>().await };
    let others = async {
        let mut unit = platform?;
        unit.apply_stages(&[Stage::Identity, Stage::Roles, Stage::Bindings, Stage::Workloads, Stage::Admission]).await;
        unit.unload();
        Some(unit)
    };
    let (tenants_done, platform) = futures::future::join(apply, others).await;
    for tenant in tenants_done {
        let (outcome, left) = tenant?;
        if let Some(name) = tenant_name(&outcome.unit).filter(|_| !left) {
            tenants.remove(&name);
        }
        done.push(outcome);
    }
    if let Some(mut platform) = platform {
        platform.list(tenants.into_iter().collect());
        platform.prune().await;
        platform.commit().await;
        let outcome = platform.finish();
        (told.borrow_mut())(Progress::Unit(&outcome, count, count));
        done.push(outcome);
    }
    Ok(finish(gateway, settings, source, situation, done).await)
}

/// Units of which a few are at work at a time.
fn chunks<'r, 'a>(running: &'r mut [Running<'a>]) -> impl Iterator<Item = &'r mut [Running<'a>]> {
    running.chunks_mut(AT_WORK)
}

fn tenant_name(unit: &Unit) -> Option<String> {
    match unit {
        Unit::Platform => None,
        Unit::Tenant(name) => Some(name.to_string()),
    }
}

fn untouched(plan: &Plan) -> UnitOutcome {
    let mut outcome = UnitOutcome::new(plan.unit.clone());
    outcome.unchanged = plan.unchanged;
    outcome.judge(plan.paused);
    outcome
}

/// Tells the Tenants what came of them, and everybody else too.
async fn finish(
    gateway: &Gateway,
    settings: &Settings,
    source: &dyn Source,
    situation: Situation,
    mut done: Vec<UnitOutcome>,
) -> Outcome {
    done.extend(situation.plans.iter().map(untouched));
    done.sort_by(|a, b| a.unit.cmp(&b.unit));
    let superseded = gateway.stopped() == Some(Stop::Superseded);
    let commit = source.commit().to_owned();
    if gateway.stopped().is_none() {
        report_to_tenants(gateway, settings, &situation, &commit, &done).await;
    }
    Outcome { commit, units: done, refused: situation.refused, superseded }
}

async fn report_to_tenants(
    gateway: &Gateway,
    settings: &Settings,
    situation: &Situation,
    commit: &str,
    done: &[UnitOutcome],
) {
    let now = (settings.clock)();
    let now = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    let none = Value::Null;
    let writes = done.iter().filter_map(|outcome| {
        let name = match &outcome.unit {
            Unit::Tenant(name) => Arc::clone(name),
            Unit::Platform => return None,
        };
        let (group, version) = (crate::contract::GROUP, crate::contract::API_VERSION);
        let id = ObjectId { group: group.into(), kind: "Tenant".into(), namespace: None, name };
        let live = situation.cluster.objects.get(&id);
        let created = outcome.done.iter().any(|(done, what)| *done == id && *what == outcome::Done::Created);
        let deleted = outcome.done.iter().any(|(done, what)| *done == id && *what == outcome::Done::Deleted);
        if deleted || live.is_none() && !created {
            return None;
        }
        let status = live.and_then(|live| live.status.as_ref()).unwrap_or(&none);
        let status = tenant_status::status(outcome, &settings.installation, commit, Ok(()), status, &now)?;
        let path = format!("/apis/{version}/tenants/{}/status", id.name);
        let object = json!({
            "apiVersion": version, "kind": "Tenant", "metadata": {"name": &*id.name}, "status": status,
        });
        Some((path, object))
    });
    let asks: Vec<Ask> = writes.map(|(path, object)| Ask::apply(&path, &object, true, false)).collect();
    // A status that could not be written is written by the next pass.
    for some in asks.chunks(AT_WORK) {
        join_all(some.iter().map(|ask| gateway.write(ask))).await;
    }
}
