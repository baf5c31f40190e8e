//! What others do at random to objects of ours, and what people see to in the end.

use serde_json::{Value, json};

use super::random::Run;
use crate::server::Key;

/// The key of labels and annotations that are somebody else's.
pub const MARK: &str = "example.org/theirs";

/// The annotation by which people hand over what the inventory has lost sight of.
pub const ADOPT: &str = "k8s-mtp.io/adopt";

const HOLD: &str = "example.org/hold";

impl Run {
    /// Objects of ours that others get their hands on: not what everything stands on.
    fn some_object(&mut self) -> Option<(Key, Value)> {
        let all: Vec<_> = self
            .server
            .all()
            .into_iter()
            .filter(|(key, object)| {
                object["metadata"]["labels"]["tenant.k8s-mtp.io/name"].is_string()
                    && object["metadata"]["deletionTimestamp"].is_null()
                    && !key.name.starts_with("k8s-mtp")
            })
            .collect();
        (!all.is_empty()).then(|| {
            let (key, object) = all[self.random.below(all.len())].clone();
            (key, (*object).clone())
        })
    }

    fn edit(&mut self, key: &Key, change: impl FnOnce(&mut Value)) {
        let Some(object) = self.server.get(&key.resource, &key.namespace, &key.name) else { return };
        let mut object = (*object).clone();
        change(&mut object);
        let path = format!("{}?fieldManager=kubectl-edit", self.server.path(&key.resource, &key.namespace, &key.name));
        // Whether the server lets him or not.
        let _ = self.server.request("PUT", &path, "application/json", &object);
    }

    /// Something that somebody else does.
    pub fn drift(&mut self) {
        let Some((key, object)) = self.some_object() else { return };
        let number = self.random.below(100);
        let (kind, uid) = (object["kind"].clone(), object["metadata"]["uid"].clone());
        let what = match self.random.below(9) {
            0 => {
                self.edit(&key, |object| match kind.as_str().unwrap_or_default() {
                    "ResourceQuota" => object["spec"]["hard"]["pods"] = json!(number.to_string()),
                    "RoleBinding" => {
                        let subject = json!({"kind": "User", "name": "mallory@example.org", "apiGroup": "rbac.authorization.k8s.io"});
                        object["subjects"] = json!([subject]);
                    }
                    "Role" => object["rules"] = json!([]),
                    "NetworkPolicy" => object["spec"]["ingress"] = json!([{}]),
                    "Namespace" => object["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] = json!("privileged"),
                    "ServiceAccount" => object["automountServiceAccountToken"] = json!(true),
                    _ => object["spec"] = json!({}),
                });
                "edits"
            }
            1 => {
                let _ = self.server.delete(&key.resource, &key.namespace, &key.name);
                "deletes"
            }
            2 => {
                self.edit(&key, |object| drop(object["metadata"].as_object_mut().and_then(|m| m.remove("labels"))));
                "takes the labels from"
            }
            3 => {
                self.edit(&key, |object| {
                    object["metadata"]["labels"][MARK] = json!(number.to_string());
                    object["metadata"]["annotations"][MARK] = json!("yes");
                });
                "marks"
            }
            4 => {
                let mut theirs = json!({"apiVersion": object["apiVersion"], "kind": kind, "metadata": {
                    "name": key.name, "labels": {"app.kubernetes.io/part-of": "theirs"}, "annotations": {MARK: "applied"}}});
                if !key.namespace.is_empty() {
                    theirs["metadata"]["namespace"] = json!(key.namespace);
                }
                if kind == "RoleBinding" {
                    theirs["roleRef"] = object["roleRef"].clone();
                }
                let path = self.server.path(&key.resource, &key.namespace, &key.name);
                let path = format!("{path}?fieldManager=another&force=true");
                let _ = self.server.request("PATCH", &path, "application/apply-patch+yaml", &theirs);
                "applies"
            }
            5 if key.resource != "namespaces" => {
                self.edit(&key, |object| object["metadata"]["finalizers"] = json!([HOLD]));
                "holds"
            }
            6 if !key.namespace.is_empty() && key.name != "default" => {
                let _ = self.server.delete(&key.resource, &key.namespace, &key.name);
                let mut theirs = object.clone();
                for field in ["uid", "resourceVersion", "managedFields", "creationTimestamp", "finalizers"] {
                    drop(theirs["metadata"].as_object_mut().and_then(|m| m.remove(field)));
                }
                let path = format!("{}?fieldManager=another", self.server.path(&key.resource, &key.namespace, ""));
                let answer = self.server.request("POST", &path, "application/json", &theirs);
                if answer.is_success() {
                    self.foreign.insert(answer.body["metadata"]["uid"].as_str().unwrap_or_default().to_owned());
                }
                "makes anew"
            }
            _ => {
                self.release();
                "lets go of what he held, not"
            }
        };
        self.story.push(format!("somebody {what} {} {}/{} ({uid})", key.resource, key.namespace, key.name));
    }

    fn held(&self) -> Vec<Key> {
        let held = |object: &Value| object["metadata"]["finalizers"].to_string().contains(HOLD);
        self.server.all().into_iter().filter(|(_, object)| held(object)).map(|(key, _)| key).collect()
    }

    /// Lets go of all that is held, and only then lets time pass: a Namespace that goes never ends while one object is held.
    fn release(&mut self) {
        for key in self.held() {
            self.edit(&key, |object| object["metadata"]["finalizers"] = json!([]));
        }
        while self.server.step() {}
    }

    /// What people see to: finalizers, objects in the way, and Namespaces that left git without being retired.
    pub fn repair(&mut self) {
        self.release();
        for (key, object) in self.server.all() {
            let uid = object["metadata"]["uid"].as_str().unwrap_or_default();
            let stray = key.resource == "namespaces" && key.name.starts_with("tenant-") && !self.tenants.has(&key.name);
            if self.foreign.contains(uid) || stray {
                let _ = self.server.delete(&key.resource, &key.namespace, &key.name);
                self.story.push(format!("repair: {} {}/{} is deleted", key.resource, key.namespace, key.name));
            }
        }
        while self.server.step() {}
        self.release();
        // What we made and somebody took the labels from, before the inventory knew that it was made; if he edited all of the
        // rest as well, nothing says any longer that we applied it.
        for (key, object) in self.server.all() {
            let labels = &object["metadata"]["labels"];
            let applied = object["metadata"]["managedFields"].to_string().contains("\"k8s-mtp\"");
            let may_be = applied || key.namespace.starts_with("tenant-") && key.resource != "serviceaccounts";
            if may_be && labels["app.kubernetes.io/managed-by"].is_null() && key.resource != "configmaps" {
                self.edit(&key, |object| object["metadata"]["annotations"][ADOPT] = json!("sim"));
            }
        }
    }
}
