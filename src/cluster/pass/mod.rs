//! One pass: from what git holds and what the cluster has to a cluster that is as git has it.

mod look;
mod tenants;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use anyhow::{Result, anyhow, bail};
use futures::StreamExt as _;
use futures::future::join_all;
use futures::stream;

pub use self::look::{Held, Situation, look};
use self::look::{namespace_id, tenant_name};
use self::tenants::report_to_tenants;
use super::ask::Ask;
use super::gateway::{Gateway, Stop};
use super::reading::Watched;
use super::unit::{Around, Running, removing};
use super::{Settings, lease};
use crate::sync::Unit;
use crate::sync::actions::Plan;
use crate::sync::answer::Meaning;
use crate::sync::outcome::{Outcome, UnitOutcome};
use crate::sync::want::{Source, Stage};

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
        let why = gateway.why_lost();
        bail!("the Lease was lost{why}; nothing more was written, since another sync may be at work");
    }
    // Whoever has something newer to apply is not to wait for this Lease to be over.
    let stopped = gateway.stopped();
    gateway.go_on();
    lease.release(gateway, settings).await;
    if let Some(why) = stopped {
        gateway.stop(why);
    }
    outcome
}

/// Makes the platform's Namespace where there is none: Lease and inventory stand in it.
async fn ground(gateway: &Gateway, settings: &Settings, source: &dyn Source, situation: &Situation) -> Result<()> {
    let id = namespace_id(&settings.namespace);
    if situation.cluster.objects.contains_key(&id) {
        return Ok(());
    }
    let path = format!("/api/v1/namespaces/{}", settings.namespace);
    // Where only some tenants are meant, nothing of the platform was looked at.
    if !settings.tenants.is_empty() && gateway.read(&Ask::get(&path)).await.meaning() == Meaning::Done {
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

/// The same, for whoever holds the Lease already; also says which lists it read.
pub async fn pass_as_holder(
    gateway: &Gateway,
    settings: &Settings,
    source: &dyn Source,
    held: &Held,
    told: Told<'_>,
) -> Result<(Outcome, Vec<Watched>)> {
    let mut situation = look(gateway, settings, held, source.commit()).await?;
    let watched = std::mem::take(&mut situation.watched);
    let outcome = if situation.plans.iter().all(Plan::is_idle) {
        finish(gateway, settings, source, situation, Vec::new()).await
    } else {
        work(gateway, settings, source, situation, told).await?
    };
    Ok((outcome, watched))
}

/// Makes the platform's Namespace where there is none, for whoever wants the Lease before there is anything else.
pub async fn ground_if_missing(gateway: &Gateway, settings: &Settings, source: &dyn Source, held: &Held) -> Result<()> {
    let namespace = gateway.read(&Ask::get(&format!("/api/v1/namespaces/{}", settings.namespace))).await;
    match namespace.meaning() {
        Meaning::Missing(_) => {
            ground(gateway, settings, source, &look(gateway, settings, held, source.commit()).await?).await
        }
        _ => Ok(()),
    }
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
    // The platform's shard lists the tenants: with one of them it may change, too.
    let (idle, busy): (Vec<Plan>, Vec<Plan>) =
        plans.into_iter().partition(|plan| plan.is_idle() && plan.unit != Unit::Platform);
    let mut done: Vec<UnitOutcome> = idle.iter().map(untouched).collect();
    let inventory = &situation.inventory;
    // The platform's shard lists the others, and does so before they are there.
    // One whose shard was lost stays in that list until it is certain that nothing of it is there.
    let certain = situation.cluster.unread.is_empty() && settings.tenants.is_empty();
    let mut tenants: BTreeSet<String> = if certain { BTreeSet::new() } else { inventory.listed.clone() };
    tenants.extend(inventory.shards.keys().filter_map(tenant_name));
    tenants.extend(busy.iter().filter(|plan| !plan.entries.is_empty()).filter_map(|plan| tenant_name(&plan.unit)));
    let removing = removing(busy.iter(), &situation.kinds);
    let around = Around {
        gateway,
        settings,
        source,
        kinds: RefCell::new(std::mem::take(&mut situation.kinds)),
        cluster: &situation.cluster,
        policies_changed: Cell::new(false),
        rights_changed: Cell::new(false),
        removing,
        left: RefCell::default(),
    };
    let mut running: Vec<Running<'_>> = busy
        .into_iter()
        .map(|plan| {
            let shard = inventory.shards.get(&plan.unit).cloned().unwrap_or_default();
            if plan.unit != Unit::Platform {
                return Running::new(&around, plan, shard, Vec::new());
            }
            let mut unit = Running::new(&around, plan, shard, inventory.listed.iter().cloned().collect());
            unit.list(tenants.iter().cloned().collect());
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
        platform.widen().await;
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
        platform.let_go().await;
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

fn untouched(plan: &Plan) -> UnitOutcome {
    let mut outcome = UnitOutcome::new(plan.unit.clone());
    outcome.unchanged = plan.unchanged;
    outcome.notes = plan.notes();
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
