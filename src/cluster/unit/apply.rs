//! An object, applied: gently, then taken back from others, then closed to what they added.

use serde_json::{Value, json};

use super::problem::{failed, held, refused, told};
use super::prune::Went;
use super::{Running, TRIES};
use crate::cluster::ask::Ask;
use crate::cluster::gateway::Stop;
use crate::cluster::reading;
use crate::objects;
use crate::rendered::ObjectId;
use crate::report::causes;
use crate::sync::actions::{Action, Step};
use crate::sync::answer::{Conflict, Meaning};
use crate::sync::discovery::{Found, Resource};
use crate::sync::fields::{is_preceded, owners};
use crate::sync::grants;
use crate::sync::live::{Live, removal};
use crate::sync::outcome::{Done, Problem};
use crate::sync::ownership::gives_way;
use crate::sync::reason::Reason;

/// What came of one object.
pub enum Came {
    /// It is as it should be: the object, and what was done.
    Well(Box<Value>, Done, Vec<Conflict>),
    /// It is not.
    Ill(Problem),
    /// Somebody else made it a moment ago: it was given back to him.
    Theirs(Problem),
    /// Nothing is to be written any more.
    Stopped(Stop),
}

impl Running<'_> {
    /// Applies an object: gently first, to learn whose fields it would take.
    pub(super) async fn apply(&self, step: &Step, object: Value) -> Came {
        let gateway = self.around.gateway;
        let id = &step.id;
        let Some(resource) = self.resource(id, &step.api_version).await else {
            return Came::Ill(failed(
                id,
                format!("the cluster has no kind `{}` in {}", id.kind, step.api_version),
                true,
            ));
        };
        let path = resource.object(id);
        let mut body = match self.around.source.opened(object) {
            Ok(body) => body,
            Err(error) => return Came::Ill(failed(id, causes(&error), false)),
        };
        let live = self.around.cluster.objects.get(id);
        let creates = step.action == Action::Create;
        if let Some(live) = live.filter(|_| !creates) {
            // What has been deleted meanwhile is not made anew by a change.
            body["metadata"]["uid"] = json!(live.uid);
        }
        let done = match step.action {
            Action::Create => Done::Created,
            Action::Adopt => Done::Adopted,
            _ => Done::Configured,
        };
        let mut taken: Vec<Conflict> = Vec::new();
        let mut force = false;
        let mut tries = 0;
        // Whether a request went out whose answer never came: then what is there may well be ours.
        let mut unsure = false;
        if is_policy(id) {
            self.around.policies_changed.set(true);
        }
        loop {
            tries += 1;
            let answer = match gateway.write(&Ask::apply(&path, &body, force, false)).await {
                Ok(answer) => answer,
                Err(stop) => return Came::Stopped(stop),
            };
            match answer.meaning() {
                Meaning::Done => {
                    if creates && answer.status == 200 && is_foreign(id, &answer.body, unsure) {
                        let reason = Reason::Foreign { installation: self.around.settings.installation.clone() };
                        // Whether that succeeds or not: what is no longer in the inventory is not ours.
                        let uid = answer.body["metadata"]["uid"].as_str().unwrap_or_default();
                        let _ = gateway.write(&Ask::apply(&path, &bare(&resource, id, uid), false, false)).await;
                        return Came::Theirs(held(id, &reason));
                    }
                    return self.strip(id, &path, answer.body, done, taken).await;
                }
                Meaning::Conflicts(conflicts) if !force => {
                    for conflict in conflicts {
                        if !gives_way(&id.group, &id.kind, &conflict.field, &conflict.subresource, &mut body) {
                            taken.push(conflict);
                        }
                    }
                    force = !taken.is_empty();
                }
                Meaning::Unknown(_) | Meaning::Webhook(_) | Meaning::Later { .. } if tries < TRIES => {
                    unsure = true;
                    gateway.moment(tries).await;
                }
                // The rights of a Role reach whoever judges bindings a moment after the Role.
                Meaning::Forbidden(_) if tries < 3 && (grants::is_binding(id) || grants::is_role(id)) => {
                    gateway.moment(tries).await;
                }
                Meaning::Forbidden(_) if tries < TRIES && self.around.rights_changed.get() => {
                    gateway.moment(tries).await
                }
                // The API server learns of a policy up to a second after it has it: what somebody made of ours judges until then.
                Meaning::Denied(_) if tries < TRIES && self.around.policies_changed.get() => {
                    gateway.moment(tries).await
                }
                Meaning::Invalid(_) if is_replaceable(id, &body) && live.is_some() => {
                    return self.recreate(step, &resource, body).await;
                }
                _ => return Came::Ill(refused(id, &answer)),
            }
        }
    }

    /// Removes what others added where they may not. What is wanted stands by now: at no moment is less there than that.
    pub(super) async fn strip(
        &self,
        id: &ObjectId,
        path: &str,
        object: Value,
        done: Done,
        taken: Vec<Conflict>,
    ) -> Came {
        let (mut object, mut done) = (object, done);
        for tries in 1..=TRIES {
            let live = Live::of(id, &object);
            if live.additions.is_empty() {
                return Came::Well(Box::new(object), done, taken);
            }
            let answer = match self.around.gateway.write(&Ask::patch(path, &removal(&live), false)).await {
                Ok(answer) => answer,
                Err(stop) => return Came::Stopped(stop),
            };
            if answer.meaning() == Meaning::Done {
                (object, done) = (answer.body, Done::Stripped);
                continue;
            }
            // It changed since, or it is not known whether it was done: what there is now says what is left to do.
            self.around.gateway.moment(tries).await;
            let now = self.around.gateway.read(&Ask::get(path)).await;
            if now.meaning() != Meaning::Done || tries == TRIES {
                let (message, passing) = told(&answer);
                return Came::Ill(failed(id, format!("what others added cannot be removed: {message}"), passing));
            }
            object = now.body;
        }
        Came::Ill(failed(id, "others add to it as fast as it is removed".to_owned(), true))
    }

    /// Replaces an object of a kind that nobody can change, once the API server has taken its successor as a trial.
    pub(super) async fn recreate(&self, step: &Step, resource: &Resource, mut body: Value) -> Came {
        let (gateway, id) = (self.around.gateway, &step.id);
        if let Some(metadata) = body["metadata"].as_object_mut() {
            metadata.remove("uid");
        }
        let mut trial = body.clone();
        let name: String = id.name.chars().take(200).collect();
        trial["metadata"]["name"] = json!(format!("{name}-{}", step.digest.to_string().get(..8).unwrap_or_default()));
        match gateway.write(&Ask::create(&resource.collection(id.namespace.as_deref()), &trial, true)).await {
            Err(stop) => return Came::Stopped(stop),
            Ok(answer) if answer.meaning() == Meaning::Done => {}
            Ok(answer) => return Came::Ill(refused(id, &answer)),
        }
        let Some(live) = self.around.cluster.objects.get(id) else {
            return Came::Ill(failed(id, "it changed meanwhile".to_owned(), true));
        };
        match self.delete(resource, id, &live.uid, &live.resource_version).await {
            Went::Gone => {}
            Went::Going(waits) => return Came::Ill(held(id, &Reason::Deleting(waits))),
            Went::Refused(problem) => return Came::Ill(problem),
            Went::Stopped(stop) => return Came::Stopped(stop),
        }
        match gateway.write(&Ask::apply(&resource.object(id), &body, false, false)).await {
            Err(stop) => Came::Stopped(stop),
            Ok(answer) if answer.meaning() == Meaning::Done => {
                Came::Well(Box::new(answer.body), Done::Recreated, vec![])
            }
            Ok(answer) => Came::Ill(refused(id, &answer)),
        }
    }

    /// Where objects of a kind are; the cluster is asked again once, since definitions may just have come.
    pub(super) async fn resource(&self, id: &ObjectId, api_version: &str) -> Option<Resource> {
        for again in [true, false] {
            if let Found::Here(resource) = self.around.kinds.borrow().find(&id.group, &id.kind, api_version, false) {
                return Some(resource.clone());
            }
            if again && let Ok(kinds) = reading::kinds(self.around.gateway).await {
                self.around.kinds.replace(kinds);
            }
        }
        None
    }
}

/// An object of which nothing is said: once it is applied, we own nothing of it.
pub(super) fn bare(resource: &Resource, id: &ObjectId, uid: &str) -> Value {
    let mut body = json!({
        "apiVersion": resource.api_version, "kind": id.kind, "metadata": {"name": &*id.name, "uid": uid},
    });
    if let Some(namespace) = &id.namespace {
        body["metadata"]["namespace"] = json!(&**namespace);
    }
    body
}

/// Whether the API server judges by objects of that kind.
fn is_policy(id: &ObjectId) -> bool {
    *id.group == *objects::policies::KIND.group && id.kind.contains("AdmissionPolicy")
}

/// Whether an object that was to be created had been there: somebody else owns fields of it. Where an earlier request may have
/// made it, he may also have come later.
fn is_foreign(id: &ObjectId, object: &Value, unsure: bool) -> bool {
    let lent = id.is("", "ServiceAccount") && &*id.name == "default";
    let theirs = if unsure { is_preceded(object) } else { owners(object).any(|owner| owner.is_somebodys()) };
    !lent && theirs
}

/// Kinds whose objects nobody can change and that hold nothing of anybody else's.
fn is_replaceable(id: &ObjectId, object: &Value) -> bool {
    match (&*id.group, &*id.kind) {
        ("batch", "Job") => true,
        ("", "ConfigMap" | "Secret") => object["immutable"] == true,
        _ => false,
    }
}
