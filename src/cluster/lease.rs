//! The Lease: one process writes at a time.
//!
//! Another's Lease is over once it was seen not to change for as long as it says, by our own clock: clocks of two
//! machines need not agree. All the same nothing depends on it alone: every write names what it is about by UID or version.
//!
//! Source: <https://kubernetes.io/docs/concepts/architecture/leases/>

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Settings;
use super::ask::Ask;
use super::gateway::{Gateway, Stop};
use crate::sync::answer::Meaning;

/// Its name.
const NAME: &str = crate::sync::actions::OWN;

/// A Lease that is held.
pub struct Lease {
    object: Value,
}

fn collection(settings: &Settings) -> String {
    format!("/apis/coordination.k8s.io/v1/namespaces/{}/leases", settings.namespace)
}

fn path(settings: &Settings) -> String {
    format!("{}/{NAME}", collection(settings))
}

/// What somebody else's Lease looked like, and since when.
struct Seen {
    version: String,
    since: Instant,
}

/// Takes the Lease; waits at most `patience` for whoever holds it. `told` hears who that is, once.
pub async fn take(
    gateway: &Gateway,
    settings: &Settings,
    patience: Duration,
    told: &mut dyn FnMut(&str),
) -> Result<Lease> {
    let start = Instant::now();
    let mut seen: Option<Seen> = None;
    loop {
        let asked = Instant::now();
        let answer = gateway.read(&Ask::get(&path(settings))).await;
        let written = match answer.meaning() {
            Meaning::Missing(_) => {
                let object = renewed(settings, &json!({}), true);
                write(gateway, &Ask::create(&collection(settings), &object, false)).await?
            }
            Meaning::Done => {
                let live = answer.body;
                let holder = live["spec"]["holderIdentity"].as_str().unwrap_or_default().to_owned();
                let version = live["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned();
                if seen.as_ref().is_none_or(|seen| seen.version != version) {
                    if seen.is_none() && !holder.is_empty() && holder != settings.identity {
                        told(&holder);
                    }
                    seen = Some(Seen { version, since: asked });
                }
                let seconds = live["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(15);
                let over = seen.as_ref().is_some_and(|seen| seen.since.elapsed() >= Duration::from_secs(seconds));
                if holder.is_empty() || holder == settings.identity || over {
                    let object = renewed(settings, &live, holder != settings.identity);
                    write(gateway, &Ask::replace(&path(settings), &object)).await?
                } else if start.elapsed() >= patience {
                    bail!("`{holder}` holds Lease `{}/{NAME}`: another sync is at work", settings.namespace);
                } else {
                    None
                }
            }
            Meaning::Forbidden(why) => bail!("cannot read the Lease: a right is missing: {why}"),
            _ => bail!("cannot read the Lease: {}", answer.message_or_loss()),
        };
        if let Some(object) = written {
            gateway.trouble(None);
            gateway.hold(Some(asked + margin(settings)));
            return Ok(Lease { object });
        }
        sleep((settings.lease / 5).min(Duration::from_secs(2))).await;
    }
}

/// Until when it is certain that nobody else takes it, from the moment before it was written.
fn margin(settings: &Settings) -> Duration {
    settings.lease * 2 / 3
}

fn renewed(settings: &Settings, live: &Value, taken: bool) -> Value {
    let now = (settings.clock)();
    let second = now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
    // An API server wants six digits, the last ones too when they are zeros.
    let now = format!("{}.{:06}Z", second.trim_end_matches('Z'), now.microsecond());
    let mut object = live.clone();
    object["apiVersion"] = json!("coordination.k8s.io/v1");
    object["kind"] = json!("Lease");
    object["metadata"]["name"] = json!(NAME);
    object["metadata"]["namespace"] = json!(settings.namespace);
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    let spec = &mut object["spec"];
    if taken {
        spec["acquireTime"] = json!(now);
        spec["leaseTransitions"] = json!(spec["leaseTransitions"].as_u64().map_or(0, |n| n + 1));
    }
    spec["holderIdentity"] = json!(settings.identity);
    spec["leaseDurationSeconds"] = json!(settings.lease.as_secs().max(1));
    spec["renewTime"] = json!(now);
    object
}

/// Writes it; `None`: somebody else was faster, or it is not known.
async fn write(gateway: &Gateway, ask: &Ask) -> Result<Option<Value>> {
    // Nothing is held yet that could have been lost.
    gateway.hold(None);
    let answer = match gateway.write(ask).await {
        Ok(answer) => answer,
        Err(stop) => bail!("told to stop: {stop:?}"),
    };
    match answer.meaning() {
        Meaning::Done => Ok(Some(answer.body)),
        Meaning::Stale | Meaning::Unknown(_) => Ok(None),
        Meaning::Forbidden(why) => Err(anyhow!("cannot take the Lease: a right is missing: {why}")),
        _ => Err(anyhow!("cannot take the Lease: {}", answer.message_or_loss())),
    }
}

/// Who holds the Lease, as far as it says.
pub async fn holder(gateway: &Gateway, settings: &Settings) -> Option<String> {
    let answer = gateway.read(&Ask::get(&path(settings))).await;
    let holder = answer.body["spec"]["holderIdentity"].as_str().unwrap_or_default();
    (!holder.is_empty()).then(|| holder.to_owned())
}

impl Lease {
    /// Renews it for as long as this runs; ends once it is lost.
    pub async fn keep(&mut self, gateway: &Gateway, settings: &Settings) {
        let interval = settings.lease / 5;
        let mut held_until = Instant::now() + margin(settings);
        let mut next = Instant::now() + interval;
        // A renewal of which nobody knows whether it was carried out: when it says that it was, and when it was sent.
        let mut unsure: Option<(Value, Instant)> = None;
        loop {
            sleep_until(next).await;
            let asked = Instant::now();
            next = asked + interval;
            let object = renewed(settings, &self.object, false);
            gateway.trouble(Some("it could not be renewed in time".to_owned()));
            let renewal = Ask::replace(&path(settings), &object).ahead();
            // One that hangs must not be the last one: there is time for another.
            let Ok(renewal) = timeout(interval, gateway.write(&renewal)).await else {
                unsure = Some((object["spec"]["renewTime"].clone(), asked));
                continue;
            };
            match renewal {
                Err(_) => return,
                Ok(answer) => match answer.meaning() {
                    Meaning::Done => {
                        self.object = answer.body;
                        held_until = asked + margin(settings);
                        gateway.hold(Some(held_until));
                        gateway.trouble(None);
                    }
                    // Somebody has it, or it is gone.
                    Meaning::Stale | Meaning::Missing(_) => {
                        // Our own write, whose answer was lost, may be what changed it.
                        let live = gateway.read(&Ask::get(&path(settings)).ahead()).await;
                        let holder = live.body["spec"]["holderIdentity"].as_str().unwrap_or_default();
                        if live.meaning() == Meaning::Done && holder == settings.identity {
                            self.object = live.body;
                            let ours = unsure.take().filter(|(time, _)| self.object["spec"]["renewTime"] == *time);
                            if let Some((_, sent)) = ours {
                                held_until = sent + margin(settings);
                                gateway.hold(Some(held_until));
                            }
                            next = Instant::now();
                            continue;
                        }
                        gateway.trouble(Some(match live.meaning() {
                            Meaning::Done if !holder.is_empty() => format!("`{holder}` has it"),
                            Meaning::Done => "somebody gave it back".to_owned(),
                            Meaning::Missing(_) => "somebody deleted it".to_owned(),
                            _ => live.message_or_loss(),
                        }));
                        gateway.stop(Stop::LeaseLost);
                        return;
                    }
                    // Nothing is certain: it may be renewed in time.
                    _ => {
                        gateway.trouble(Some(answer.message_or_loss()));
                        if Instant::now() >= held_until {
                            gateway.stop(Stop::LeaseLost);
                            return;
                        }
                    }
                },
            }
        }
    }

    /// Gives it back, so that nobody has to wait for it to be over.
    pub async fn release(self, gateway: &Gateway, settings: &Settings) {
        let mut object = renewed(settings, &self.object, false);
        object["spec"]["holderIdentity"] = json!("");
        object["spec"]["leaseDurationSeconds"] = json!(1);
        // Whether it succeeds or not: it is over in a moment anyway.
        let _ = gateway.write(&Ask::replace(&path(settings), &object).ahead()).await;
        gateway.hold(None);
    }
}
