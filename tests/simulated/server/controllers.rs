//! What controllers do by themselves, each after its delay: definitions, namespaces, accounts, Deployments, quotas, garbage.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use super::state::{Change, Key};
use super::trace::Effect;
use super::world::World;
use super::write::{is_free, metadata};

/// What is to be done later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Task {
    /// A definition is established.
    Establish(Key),
    /// The objects of a definition go, and then it.
    Undefine(Key),
    /// The content of a namespace goes, and then the namespace.
    Terminate(Key),
    /// A namespace gets its account.
    Account(String),
    /// A Deployment's pods are there, as of that generation.
    Available(Key, u64),
    /// The quotas of a namespace are counted.
    Count(String),
    /// What an object owned goes.
    Collect(String),
}

const DEFINITIONS: &str = "customresourcedefinitions.apiextensions.k8s.io";

impl World {
    /// Does all that is due.
    pub fn tick(&mut self) {
        loop {
            let new: Vec<Change> = self.state.log()[self.seen..].to_vec();
            self.seen = self.state.log().len();
            for change in &new {
                self.notice(change);
            }
            let Some(first) = self.due.first_entry().filter(|entry| entry.key().0 <= self.clock) else {
                if self.seen == self.state.log().len() {
                    break;
                }
                continue;
            };
            let task = first.remove();
            self.perform(task);
        }
        if !self.settings.watches_held && self.told != Some(self.state.log().len()) {
            self.told = Some(self.state.log().len());
            self.wakers.drain(..).for_each(|waker| waker.wake());
        }
    }

    /// When the next thing is due, by the server's clock.
    pub fn next_due(&self) -> Option<Duration> {
        self.due.keys().next().map(|(at, _)| *at)
    }

    fn notice(&mut self, change: &Change) {
        let key = &change.key;
        let is_new = change.before.is_none();
        let Some(object) = &change.after else {
            if let Some(before) = &change.before {
                self.later(Duration::ZERO, Task::Collect(metadata(before, "uid").to_owned()));
            }
            if key.resource == DEFINITIONS {
                self.read_definitions();
            }
            return self.recount(&key.namespace, &key.resource);
        };
        let goes = !object["metadata"]["deletionTimestamp"].is_null();
        match key.resource.as_str() {
            "namespaces" if goes => {
                let was_going = change.before.as_ref().is_some_and(|b| !b["metadata"]["deletionTimestamp"].is_null());
                if !was_going {
                    self.later(self.settings.terminate_after, Task::Terminate(key.clone()));
                }
            }
            "namespaces" if is_new => {
                if let Some(after) = self.settings.account_after {
                    self.later(after, Task::Account(key.name.clone()));
                }
            }
            DEFINITIONS if goes => self.later(Duration::ZERO, Task::Undefine(key.clone())),
            DEFINITIONS => {
                let is_established = object["status"]["conditions"].as_array().is_some_and(|all| !all.is_empty());
                if is_established {
                    self.read_definitions();
                } else {
                    self.later(self.settings.establish_after, Task::Establish(key.clone()));
                }
            }
            "deployments.apps" => {
                let generation = object["metadata"]["generation"].as_u64().unwrap_or_default();
                let is_seen = object["status"]["observedGeneration"].as_u64() == Some(generation);
                let task = Task::Available(key.clone(), generation);
                if let Some(after) =
                    self.settings.available_after.filter(|_| !is_seen && !self.due.values().any(|t| *t == task))
                {
                    self.later(after, task);
                }
            }
            "resourcequotas" => {
                let spec = change.before.as_ref().map(|before| &before["spec"]);
                if spec != Some(&object["spec"]) {
                    self.recount(&key.namespace, "");
                }
            }
            _ => {}
        }
        if is_new {
            self.recount(&key.namespace, &key.resource);
        }
    }

    /// Has quotas counted again, where there are some that this resource matters to.
    fn recount(&mut self, namespace: &str, resource: &str) {
        let Some(after) = self.settings.count_after.filter(|_| !namespace.is_empty()) else { return };
        let task = Task::Count(namespace.to_owned());
        let matters = |quota: &Value| {
            let mut entries = quota["spec"]["hard"].as_object().into_iter().flatten();
            resource.is_empty()
                || entries.any(|(entry, _)| entry == resource || entry.strip_prefix("count/") == Some(resource))
        };
        let matters = self.state.list("resourcequotas", Some(namespace)).any(|(_, quota)| matters(quota));
        if matters && !self.due.values().any(|due| *due == task) {
            self.later(after, task);
        }
    }

    fn perform(&mut self, task: Task) {
        match task {
            Task::Establish(key) => self.establish(&key),
            Task::Undefine(key) => self.undefine(&key),
            Task::Terminate(key) => self.terminate(&key),
            Task::Account(namespace) => self.make_account(&namespace),
            Task::Available(key, generation) => self.make_available(&key, generation),
            Task::Count(namespace) => self.count_quotas(&namespace),
            Task::Collect(uid) => self.collect(&uid),
        }
    }

    fn establish(&mut self, key: &Key) {
        let Some(definition) = self.state.get(key).cloned() else { return };
        let now = self.now();
        let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
        let mut status = definition["status"].clone();
        status["acceptedNames"] = definition["spec"]["names"].clone();
        status["conditions"] = json!([
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]);
        self.set_status(key, "kube-apiserver", status);
        self.read_definitions();
    }

    fn undefine(&mut self, key: &Key) {
        let Some(definition) = self.state.get(key).cloned() else { return };
        let objects: Vec<Key> = self.state.list(&key.name, None).map(|(key, _)| key.clone()).collect();
        objects.iter().for_each(|key| self.remove_or_mark(key));
        if self.state.list(&key.name, None).next().is_some() {
            return self.later(Duration::from_secs(1), Task::Undefine(key.clone()));
        }
        let mut new = (*definition).clone();
        if let Some(finalizers) = new["metadata"]["finalizers"].as_array_mut() {
            finalizers.retain(|finalizer| finalizer != "customresourcecleanup.apiextensions.k8s.io");
        }
        if self.kind(DEFINITIONS).is_some_and(|kind| is_free(&new, &kind)) {
            self.state.remove(key);
        } else if new != *definition {
            self.state.put(key, new);
        }
    }

    fn make_account(&mut self, namespace: &str) {
        let key = Key::new("serviceaccounts", namespace, "default");
        let lives = self.state.get(&Key::new("namespaces", "", namespace));
        let lives = lives.is_some_and(|namespace| namespace["metadata"]["deletionTimestamp"].is_null());
        if lives && self.state.get(&key).is_none() {
            let account = json!({
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {
                    "name": "default",
                    "namespace": namespace,
                    "uid": self.uid(),
                    "creationTimestamp": self.now(),
                },
            });
            self.state.put(&key, account);
        }
    }

    fn make_available(&mut self, key: &Key, generation: u64) {
        let Some(deployment) = self.state.get(key).cloned() else { return };
        if deployment["metadata"]["generation"].as_u64() != Some(generation) {
            return;
        }
        let (now, replicas) = (self.now(), &deployment["spec"]["replicas"]);
        let condition = |kind: &str, reason: &str, message: &str| {
            json!({
                "type": kind, "status": "True", "reason": reason, "message": message,
                "lastTransitionTime": now, "lastUpdateTime": now,
            })
        };
        let status = json!({
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
            "conditions": [
                condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability."),
                condition("Progressing", "NewReplicaSetAvailable", "ReplicaSet has successfully progressed."),
            ],
        });
        self.set_status(key, "kube-controller-manager", status);
    }

    /// Empties a namespace that is deleted, and removes it once it is empty.
    fn terminate(&mut self, key: &Key) {
        let Some(namespace) = self.state.get(key).cloned() else { return };
        let inside: Vec<Key> =
            self.state.all().map(|(key, _)| key).filter(|inside| inside.namespace == key.name).cloned().collect();
        for inside in inside {
            self.remove_or_mark(&inside);
        }
        let left: Vec<Key> =
            self.state.all().map(|(key, _)| key).filter(|inside| inside.namespace == key.name).cloned().collect();
        if !left.is_empty() {
            self.hold(key, &left);
            return self.later(Duration::from_secs(1), Task::Terminate(key.clone()));
        }
        let mut new = (*namespace).clone();
        new["spec"] = json!({});
        let free = self.kind("namespaces").is_some_and(|kind| is_free(&new, &kind));
        if free {
            self.state.remove(key);
        } else {
            if namespace["spec"] != json!({}) {
                self.state.put(key, new);
            }
            self.later(Duration::from_secs(1), Task::Terminate(key.clone()));
        }
    }

    /// Says in a namespace's conditions what is left in it.
    fn hold(&mut self, key: &Key, left: &[Key]) {
        let (now, count) = (self.now(), left.len());
        let mut finalizers: BTreeSet<String> = BTreeSet::new();
        for key in left {
            let Some(object) = self.state.get(key) else { continue };
            let all = object["metadata"]["finalizers"].as_array().into_iter().flatten();
            finalizers.extend(all.filter_map(|finalizer| finalizer.as_str().map(str::to_owned)));
        }
        let condition = |kind: &str, reason: &str, message: String| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
        let names: Vec<String> = finalizers.into_iter().collect();
        let status = json!({"phase": "Terminating", "conditions": [
            condition("NamespaceContentRemaining", "SomeResourcesRemain",
                format!("Some resources are remaining: {count} resource instances")),
            condition("NamespaceFinalizersRemaining", "SomeFinalizersRemain",
                format!("Some content in the namespace has finalizers remaining: {}", names.join(", "))),
        ]});
        let is_said = self.state.get(key).is_some_and(|namespace| namespace["status"]["conditions"].is_array());
        if !is_said {
            self.set_status(key, "kube-controller-manager", status);
        }
    }

    fn remove_or_mark(&mut self, key: &Key) {
        let Some((object, kind)) = self.state.get(key).cloned().zip(self.kind(&key.resource)) else { return };
        if is_free(&object, &kind) {
            self.state.remove(key);
        } else if object["metadata"]["deletionTimestamp"].is_null() {
            let mut new = (*object).clone();
            new["metadata"]["deletionTimestamp"] = json!(self.now());
            new["metadata"]["deletionGracePeriodSeconds"] = json!(0);
            self.state.put(key, new);
        }
    }

    /// Removes what the owner with this uid was the last owner of.
    fn collect(&mut self, uid: &str) {
        let owners = |object: &Value| -> Vec<String> {
            let all = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
            all.map(|owner| owner["uid"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let owned: Vec<(Key, Vec<String>)> = self
            .state
            .all()
            .map(|(key, object)| (key.clone(), owners(object)))
            .filter(|(_, owners)| owners.iter().any(|owner| owner == uid))
            .collect();
        for (key, owners) in owned {
            let lives = self.state.all().any(|(_, object)| owners.iter().any(|owner| metadata(object, "uid") == owner));
            if !lives {
                self.remove_or_mark(&key);
            }
        }
    }

    /// What the log gained since it had so many entries.
    pub fn effects_since(&self, length: usize) -> Vec<Effect> {
        self.state.log()[length..].iter().map(Effect::of).collect()
    }
}
