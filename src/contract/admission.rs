//! `Admission`: who judges tenants' pods, by which policies, and who is let off.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::restrict::Restrict;
use super::values::At;

/// An image by its digest: host and port, words, and a tag, which says nothing beside the digest.
///
/// Source: <https://github.com/distribution/reference/blob/main/reference.go>
pub const IMAGE: &str = concat!(
    r"^((([a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)*|\[[a-fA-F0-9:]+\])(:[0-9]+)?/)?",
    r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*",
    r"(:[a-zA-Z0-9_][-a-zA-Z0-9_.]{0,127})?@sha256:[0-9a-f]{64}$"
);

/// Who judges tenants' pods, and by which policies.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Admission {
    /// What carries the policies out. `policies`: the API server itself, by policies that are rendered, which also guard what is
    /// rendered against tenants. `webhook`: a server that is rendered too, in the platform's namespace. Default: nothing does,
    /// and `mtp policy review` alone knows them.
    #[serde(default)]
    pub engines: Vec<At<Engine>>,
    /// With `policies`: who applies `rendered/`, as the API server calls him, such as
    /// `system:serviceaccount:argocd:argocd-application-controller`. Nobody else may change what is rendered, but for
    /// `breakGlassGroup`. The accounts that `gitops` and `sync` render are among them anyway.
    #[serde(default)]
    pub apply_identities: Vec<At<String>>,
    /// With `policies`: the group whose members may change what is rendered, in an emergency; the audit log says so. Default:
    /// `system:masters`.
    #[serde(default)]
    pub break_glass_group: Option<At<String>>,
    /// What happens where a pod breaks a policy, by the policy's id (`mtp policy list`), or something is named that
    /// `restrict` does not list. Default: `deny`, and `off` for `image-pull-policy`.
    #[serde(default)]
    pub policies: BTreeMap<At<String>, At<Mode>>,
    /// What tenants may name: registries, classes, host names and the like. Carried out by the engine `policies`.
    #[serde(default)]
    pub restrict: Restrict,
    /// Who is let off which policies.
    #[serde(default)]
    pub exemptions: Vec<At<Exemption>>,
    /// The server of `engines: [webhook]`.
    #[serde(default)]
    pub webhook: Option<At<Webhook>>,
}

/// What carries policies out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Engine {
    /// Policies in the API server, which need nothing that runs.
    Policies,
    /// `mtp webhook serve`, called by the API server.
    Webhook,
}

/// What happens where a pod breaks a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing.
    Off,
    /// The API server's audit log says so.
    Audit,
    /// Whoever creates the pod is warned.
    Warn,
    /// The pod is refused.
    Deny,
}

/// Who is let off which policies: breaches are noted in the audit log instead.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Exemption {
    /// Ids of the policies (`mtp policy list`).
    #[schemars(length(min = 1))]
    pub policies: Vec<At<String>>,
    /// Names of the tenants. In a Tier, absent: all tenants of the tier.
    #[serde(default)]
    pub tenants: Vec<At<String>>,
    /// Full names of namespaces of tenants, besides all of `tenants`.
    #[serde(default)]
    pub namespaces: Vec<At<String>>,
    /// Who answers for it: an e-mail address.
    pub owner: At<String>,
    /// Why there is no other way.
    pub reason: At<String>,
    /// The day after which `mtp render --check --at` refuses it: `"2027-01-31"`, in quotes.
    #[schemars(regex(pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"))]
    pub expires: At<String>,
}

/// The server of `engines: [webhook]`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Webhook {
    /// The image of `mtp`, by digest: `registry.example.com/mtp@sha256:…`.
    #[schemars(regex(pattern = IMAGE))]
    pub image: At<String>,
    /// Names of Secrets in the platform's namespace that the image is pulled with.
    #[serde(default)]
    pub image_pull_secrets: Vec<At<String>>,
    /// Addresses that API servers call from. Default: any, since managed control planes call from anywhere; only the one
    /// port is open.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub clients: Option<At<Vec<At<String>>>>,
    /// Pods that may read the metrics. Default: none.
    #[serde(default)]
    pub metrics_from: Vec<At<Pods>>,
    /// Where its certificate comes from. Default: `sops`.
    #[serde(default)]
    pub certificates: Option<At<Certificates>>,
}

/// Pods of a namespace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Pods {
    /// Their namespace, by name.
    pub namespace: At<String>,
    /// Their labels. Absent: every pod of that namespace.
    #[serde(default)]
    pub pod_labels: BTreeMap<At<String>, At<String>>,
}

/// Where the webhook's certificate comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Certificates {
    /// `mtp certs`: a key in git, encrypted by SOPS with age.
    #[default]
    Sops,
    /// cert-manager, in the cluster.
    CertManager,
    /// A Secret `webhook-tls` that others keep; `mtp certs issue --ca FILE` tells whom to trust.
    External,
    /// A Secret `webhook-tls` that others keep, signed by somebody whom the API server trusts anyway.
    None,
}

impl Mode {
    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Mode::Off => "off",
            Mode::Audit => "audit",
            Mode::Warn => "warn",
            Mode::Deny => "deny",
        }
    }
}
