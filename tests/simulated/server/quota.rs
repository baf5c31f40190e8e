//! ResourceQuota: what objects are counted, and what is over the count.

use serde_json::{Value, json};

use super::answer::Answer;
use super::kinds::Kind;
use super::request::Target;
use super::state::Key;
use super::world::World;

/// Kinds that a quota may name without `count/`.
const PLAIN: [&str; 5] = ["configmaps", "pods", "resourcequotas", "secrets", "services"];

/// Whether an entry of `hard` counts objects of a kind.
fn counts(entry: &str, kind: &Kind) -> bool {
    entry.strip_prefix("count/") == Some(&kind.resource())
        || kind.group.is_empty() && PLAIN.contains(&entry) && entry == kind.plural
}

impl World {
    /// Refuses an object that would be one too many.
    pub fn within_quota(&self, target: &Target, name: &str) -> Result<(), Answer> {
        if !target.kind.namespaced {
            return Ok(());
        }
        for (_, quota) in self.state.list("resourcequotas", Some(&target.namespace)) {
            let quota_name = quota["metadata"]["name"].as_str().unwrap_or_default();
            for (entry, hard) in quota["spec"]["hard"].as_object().into_iter().flatten() {
                if !counts(entry, &target.kind) {
                    continue;
                }
                if quota["status"]["used"].get(entry).is_none() {
                    let why = format!("status unknown for quota: {quota_name}, resources: {entry}");
                    return Err(Answer::forbidden(&target.kind, name, &why, Value::Null));
                }
                let used = self.state.list(&target.kind.resource(), Some(&target.namespace)).count();
                let limit = hard.as_str().and_then(|hard| hard.parse::<usize>().ok());
                if limit.is_some_and(|limit| used + 1 > limit) {
                    let why = format!(
                        "exceeded quota: {quota_name}, requested: {entry}=1, used: {entry}={used}, limited: {entry}={}",
                        hard.as_str().unwrap_or_default()
                    );
                    return Err(Answer::forbidden(&target.kind, name, &why, Value::Null));
                }
            }
        }
        Ok(())
    }

    /// Counts what the quotas of a namespace bound, as the controller does.
    pub fn count_quotas(&mut self, namespace: &str) {
        let quotas: Vec<(Key, Value)> = self
            .state
            .list("resourcequotas", Some(namespace))
            .map(|(key, quota)| (key.clone(), quota["spec"]["hard"].clone()))
            .collect();
        for (key, hard) in quotas {
            let mut used = json!({});
            for entry in hard.as_object().into_iter().flatten().map(|(entry, _)| entry) {
                let kind = self.kinds.iter().find(|kind| counts(entry, kind));
                let count = kind.map_or(0, |kind| self.state.list(&kind.resource(), Some(namespace)).count());
                used[entry] = json!(count.to_string());
            }
            let status = if hard.is_null() { json!({}) } else { json!({"hard": hard, "used": used}) };
            self.set_status(&key, "kube-controller-manager", status);
        }
    }
}
