//! The unit's part of the inventory: written before the first change, and after the last.

use serde_json::json;

use super::Running;
use super::problem::told;
use crate::cluster::ask::Ask;
use crate::cluster::gateway::Stop;
use crate::sync::Unit;
use crate::sync::answer::Meaning;
use crate::sync::inventory;

impl Running<'_> {
    /// Writes down what is about to be created, before it is.
    pub async fn announce(&mut self) {
        if self.plan.changed && !self.plan.paused {
            let mut entries = self.plan.entries.clone();
            // Bindings that were deleted a moment ago are no longer there.
            entries.retain(|id, _| !self.revoked.contains(id) || self.shard.entries.contains_key(id));
            self.shard.entries = entries;
            self.store().await;
        }
    }

    /// Writes the inventory as it is.
    pub(super) async fn store(&mut self) {
        let settings = self.around.settings;
        let mut tenants = self.tenants.iter().map(String::as_str);
        let maps =
            inventory::write(&settings.installation, &settings.namespace, &self.plan.unit, &self.shard, &mut tenants);
        let collection = format!("/api/v1/namespaces/{}/configmaps", settings.namespace);
        let known = std::mem::take(&mut self.shard.versions);
        let mut versions = Vec::with_capacity(maps.len());
        for (part, mut map) in maps.into_iter().enumerate() {
            let ask = match known.get(part) {
                Some(version) => {
                    map["metadata"]["resourceVersion"] = json!(version);
                    let path = format!("{collection}/{}", inventory::name(&self.plan.unit, part));
                    Ask::replace(&path, &map)
                }
                None => Ask::create(&collection, &map, false),
            };
            match self.around.gateway.write(&ask).await {
                Err(stop) => return self.stopped = Some(stop),
                Ok(answer) if answer.meaning() == Meaning::Done => {
                    versions.push(answer.body["metadata"]["resourceVersion"].as_str().unwrap_or_default().to_owned());
                }
                Ok(answer) => {
                    let (message, passing) = told(&answer);
                    return self.problem(None, format!("the inventory cannot be written: {message}"), true, passing);
                }
            }
        }
        // Parts that are no longer needed: nothing reads beyond the count that the first one holds.
        self.shard.versions = versions;
        self.stored = self.shard.entries.clone();
    }

    /// Writes down what came of it.
    pub async fn commit(&mut self) {
        if self.plan.paused && self.revoked.is_empty() || self.stopped == Some(Stop::LeaseLost) {
            return;
        }
        if self.is_well() || self.plan.unit == Unit::Platform {
            self.shard.commit = Some(self.around.source.commit().to_owned());
        }
        // That nothing was to be done for another commit is no reason to write.
        if self.shard.entries == self.stored && !self.plan.changed {
            return;
        }
        if self.shard.entries.is_empty() && self.plan.unit != Unit::Platform {
            return self.forget().await;
        }
        self.store().await;
    }

    /// Removes the shard of a tenant of which nothing is left.
    pub(super) async fn forget(&mut self) {
        let settings = self.around.settings;
        for part in 0..self.shard.versions.len() {
            let path = format!(
                "/api/v1/namespaces/{}/configmaps/{}",
                settings.namespace,
                inventory::name(&self.plan.unit, part)
            );
            let answer = self.around.gateway.read(&Ask::get(&path)).await;
            let text = |field: &str| answer.body["metadata"][field].as_str().unwrap_or_default().to_owned();
            if answer.meaning() == Meaning::Done {
                // Whether it succeeds or not: an empty shard does no harm, and the next pass tries again.
                let ask = Ask::delete(&path, &text("uid"), &text("resourceVersion"), false);
                let _ = self.around.gateway.write(&ask).await;
            }
        }
    }
}
