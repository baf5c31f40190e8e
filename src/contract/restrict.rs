//! `Restrict`: what tenants may name, by lists.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::values::At;
use crate::place::Span;

/// What tenants may name, by lists. Of each: absent, nothing is asked; empty, nothing may be named; else these alone. A Tier's
/// list stands in place of the Platform's, a Tenant's bounds further; `admission.policies` of Platform and Tier says by the id what
/// naming something else leads to.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Restrict {
    /// Where images come from: hosts of registries, or paths in them: `registry.example.org/team`. An image without a host is one
    /// of `docker.io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registries: Option<At<Vec<At<String>>>>,
    /// `false`: pods have user namespaces of their own (`hostUsers: false`). `true` lifts that for a
    /// Tier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_users: Option<At<bool>>,
    /// Audiences of ServiceAccount tokens in pods; `""` is the API server, whose token is the one by the ServiceAccount, of a
    /// projected volume that names no audience, and of a Secret that is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_audiences: Option<At<Vec<At<String>>>>,
    /// RuntimeClasses of pods; `""` is a pod that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_classes: Option<At<Vec<At<String>>>>,
    /// PriorityClasses of pods. A pod may always name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority_classes: Option<At<Vec<At<String>>>>,
    /// Keys of taints that pods tolerate, besides Kubernetes' own (`node.kubernetes.io/…`); `*` is a toleration of all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerations: Option<At<Vec<At<String>>>>,
    /// Labels of nodes that pods ask for, in `nodeSelector` and node affinity: `key=value`, or `key` for whatever is asked about it.
    /// A pod may always ask for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_selectors: Option<At<Vec<At<String>>>>,
    /// Nodes that pods name, passing by the scheduler. A pod may always name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_names: Option<At<Vec<At<String>>>>,
    /// Types of Services: `ClusterIP`, `NodePort`, `LoadBalancer`, `ExternalName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_types: Option<At<Vec<At<String>>>>,
    /// Addresses that Services ask for, in `externalIPs` and `loadBalancerIP`: addresses, and ranges of them.
    #[serde(rename = "externalIPs", default, skip_serializing_if = "Option::is_none")]
    pub external_ips: Option<At<Vec<At<String>>>>,
    /// Classes of load balancers. A Service may always name none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer_classes: Option<At<Vec<At<String>>>>,
    /// Ranges within which load balancers are open; one that names none is open to `0.0.0.0/0` and, with
    /// IPv6, `::/0`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer_source_ranges: Option<At<Vec<At<String>>>>,
    /// Host names of Ingresses, and of routes and listeners of the Gateway API: `app.example.org`, `*.example.org` for all below;
    /// `*` is one that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_names: Option<At<Vec<At<String>>>>,
    /// StorageClasses of claims; `""` is a claim of no class, also one that names none where the cluster has no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_classes: Option<At<Vec<At<String>>>>,
}

/// A list that an author states.
pub struct Stated {
    /// Id of the restriction.
    pub id: &'static str,
    /// The entries, each with its place; `None`: nothing is asked any more.
    pub list: Option<Vec<At<String>>>,
    /// Where the list stands.
    pub span: Span,
}

impl Restrict {
    /// Whether nothing is stated.
    pub fn is_empty(&self) -> bool {
        self.stated().next().is_none()
    }

    /// Puts every list in order: what may be named has none.
    pub fn sort(&mut self) {
        for list in [
            &mut self.registries,
            &mut self.token_audiences,
            &mut self.runtime_classes,
            &mut self.priority_classes,
            &mut self.tolerations,
            &mut self.node_selectors,
            &mut self.node_names,
            &mut self.service_types,
            &mut self.external_ips,
            &mut self.load_balancer_classes,
            &mut self.load_balancer_source_ranges,
            &mut self.host_names,
            &mut self.storage_classes,
        ]
        .into_iter()
        .flatten()
        {
            list.value.sort();
        }
    }

    /// Every list that is stated, in the order of [`crate::policy::restrictions::RESTRICTIONS`].
    pub fn stated(&self) -> impl Iterator<Item = Stated> {
        let list = |id: &'static str, list: &Option<At<Vec<At<String>>>>| {
            list.as_ref().map(|list| Stated { id, list: Some(list.value.clone()), span: list.span })
        };
        // What a list of `false` alone lets.
        let switch = |id: &'static str, stated: &Option<At<bool>>| {
            stated.as_ref().map(|stated| Stated {
                id,
                list: (!stated.value).then(|| vec![stated.with("false".to_owned())]),
                span: stated.span,
            })
        };
        [
            list("registries", &self.registries),
            switch("host-users", &self.host_users),
            list("token-audiences", &self.token_audiences),
            list("runtime-classes", &self.runtime_classes),
            list("priority-classes", &self.priority_classes),
            list("tolerations", &self.tolerations),
            list("node-selectors", &self.node_selectors),
            list("node-names", &self.node_names),
            list("service-types", &self.service_types),
            list("external-ips", &self.external_ips),
            list("load-balancer-classes", &self.load_balancer_classes),
            list("load-balancer-source-ranges", &self.load_balancer_source_ranges),
            list("host-names", &self.host_names),
            list("storage-classes", &self.storage_classes),
        ]
        .into_iter()
        .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::Restrict;
    use crate::policy::restrictions::RESTRICTIONS;

    #[test]
    fn every_restriction_has_its_field() {
        // As a file of tests reads it: by names of fields alone.
        let schema = schemars::schema_for!(Restrict);
        let fields: Vec<&String> =
            schema.get("properties").and_then(|p| p.as_object()).expect("fields").keys().collect();
        let mut known: Vec<&str> = RESTRICTIONS.iter().map(|restriction| restriction.field).collect();
        known.sort_unstable();
        let mut fields: Vec<&str> = fields.into_iter().map(String::as_str).collect();
        fields.sort_unstable();
        assert_eq!(fields, known);
    }
}
