//! Garbage: what objects owned when they go.

use serde_json::{Value, json};

use super::replace::is_free;
use super::state::Key;
use super::world::World;
use super::write::metadata;

/// The uids of an object's owners.
fn owners(object: &Value) -> Vec<String> {
    let all = object["metadata"]["ownerReferences"].as_array().into_iter().flatten();
    all.map(|owner| owner["uid"].as_str().unwrap_or_default().to_owned()).collect()
}

impl World {
    /// Lets an object go that waits for what it owns: that goes first, or is left without its owner.
    pub fn release(&mut self, key: &Key) {
        let Some((object, kind)) = self.state.get(key).cloned().zip(self.kind(&key.resource)) else { return };
        let uid = metadata(&object, "uid");
        let mut new = (*object).clone();
        let Some(finalizers) = new["metadata"]["finalizers"].as_array_mut() else { return };
        let is_left_alone = finalizers.contains(&json!("orphan"));
        finalizers.retain(|finalizer| finalizer != "orphan" && finalizer != "foregroundDeletion");
        let owned = self.state.all().filter(|(_, object)| owners(object).iter().any(|owner| owner == uid));
        let owned: Vec<Key> = owned.map(|(key, _)| key.clone()).collect();
        for key in owned {
            if !is_left_alone {
                self.remove_or_mark(&key);
            } else if let Some(object) = self.state.get(&key).cloned() {
                let mut object = (*object).clone();
                if let Some(all) = object["metadata"]["ownerReferences"].as_array_mut() {
                    all.retain(|owner| owner["uid"] != uid);
                }
                self.state.put(&key, object);
            }
        }
        if is_free(&new, &kind) {
            self.state.remove(key);
        } else {
            self.state.put(key, new);
        }
    }

    /// Removes what the owner with this uid was the last owner of.
    pub fn collect(&mut self, uid: &str) {
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
}
