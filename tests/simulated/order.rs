//! T10: in which order things happened, looked at after each change of what is stored.

use std::collections::BTreeMap;

use crate::server::{Effect, Server};

const BINDINGS: &str = "rolebindings.rbac.authorization.k8s.io";
const GUARDRAILS: [&str; 3] = ["resourcequotas", "limitranges", "networkpolicies.networking.k8s.io"];

/// A look at what happens from a moment on.
pub struct Order {
    revision: u64,
}

impl Order {
    /// From now on.
    pub fn of(server: &Server) -> Order {
        Order { revision: server.revision() }
    }

    /// From the beginning on.
    pub fn of_all() -> Order {
        Order { revision: 0 }
    }

    /// At no time did a RoleBinding come into being in a tenant's namespace without its guardrails.
    #[track_caller]
    pub fn check(&self, server: &Server, what: &str) {
        // How many of each guardrail a namespace has.
        let mut there: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for change in server.changes() {
            let key = &change.key;
            let appears = change.before.is_none() && change.after.is_some();
            if let Some(guardrail) = GUARDRAILS.iter().find(|guardrail| **guardrail == key.resource) {
                let count = there.entry((guardrail, key.namespace.clone())).or_default();
                *count += usize::from(appears);
                *count -= usize::from(change.before.is_some() && change.after.is_none());
            }
            let is_tenant_s = key.resource == BINDINGS && key.namespace.starts_with("tenant-");
            if change.revision <= self.revision || !appears || !is_tenant_s {
                continue;
            }
            for guardrail in GUARDRAILS {
                let count = there.get(&(guardrail, key.namespace.clone())).copied().unwrap_or_default();
                assert!(count > 0, "{what}: {key:?} came before {guardrail}");
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
