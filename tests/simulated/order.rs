//! T10: in which order things happened, looked at after each change of what is stored.

use std::collections::BTreeSet;

use crate::server::{Effect, Server};

/// A look at what happens from a moment on.
pub struct Order {
    revision: u64,
}

impl Order {
    /// From now on.
    pub fn of(server: &Server) -> Order {
        Order { revision: server.revision() }
    }

    /// At no time did a RoleBinding come into being in a tenant's namespace without its guardrails.
    #[track_caller]
    pub fn check(&self, server: &Server, what: &str) {
        for change in server.changes().iter().filter(|change| change.revision > self.revision) {
            let key = &change.key;
            let appears = change.before.is_none() && change.after.is_some();
            if key.resource != "rolebindings.rbac.authorization.k8s.io"
                || !key.namespace.starts_with("tenant-")
                || !appears
            {
                continue;
            }
            for guardrail in ["resourcequotas", "limitranges", "networkpolicies.networking.k8s.io"] {
                let there: BTreeSet<String> = server
                    .list_at(guardrail, change.revision)
                    .iter()
                    .filter_map(|object| object["metadata"]["namespace"].as_str().map(str::to_owned))
                    .collect();
                assert!(there.contains(&key.namespace), "{what}: {key:?} came before {guardrail}");
            }
        }
    }
}

/// How often each object was deleted by whoever asked.
pub fn deletions(server: &Server) -> Vec<String> {
    let removed = |effect: &Effect| matches!(effect, Effect::Removed(_));
    let deletes = server.trace().into_iter().filter(|exchange| exchange.method == "DELETE");
    deletes.filter(|exchange| exchange.effects.iter().any(removed)).map(|exchange| exchange.path).collect()
}
