//! Policies in the API server: pods are judged as the webhook judges them, and what is rendered stays as it was reviewed.

mod both;
mod guards;
mod named;
mod pods;
mod running;
mod tenants;

pub use both::{fitting, percentiles};

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_mtp::View;
use serde_json::Value;

use crate::client::Client;
use crate::control_plane::{ControlPlane, wait};
use crate::fixture::{install, policies_in_force};
use crate::manifests::{Document, Resources, apply_all, in_order, rendered};

/// Who applies what is rendered.
pub const APPLIES: &str = "system:serviceaccount:argocd:argocd-application-controller";

const PLATFORM: &str = "
apiVersion: multitenant.k8s-mtp.io/v1
kind: Platform
metadata: {name: platform}
spec:
  kubernetesVersion: \"1.37\"
  podSecurity: {level: privileged}
  network: {allowedCidrs: [192.168.7.0/24]}
  templates:
    kinds: []
  admission:
    engines: [policies, webhook]
    applyIdentities: [\"system:serviceaccount:argocd:argocd-application-controller\"]
    webhook:
      image: registry.example.com/mtp@sha256:1111111111111111111111111111111111111111111111111111111111111111
      certificates: none
    exemptions:
      - policies: [privileged, privilege-escalation]
        tenants: [exempt]
        owner: ops@example.org
        reason: a node agent
        expires: \"2027-01-31\"
";

/// A tier in which everything is refused that nobody has to ask for, and one for each other thing that breaches lead to.
const TIERS: [(&str, &str); 5] = [
    ("open", ""),
    ("warned", "deny: warn"),
    ("noted", "deny: audit"),
    ("mixed", "deny: mixed"),
    ("pulled", "deny: pulled"),
];

const POLICIES: [&str; 9] = [
    "resource-limits",
    "cpu-limits",
    "memory-limits",
    "security-context",
    "privileged",
    "non-root",
    "read-only-root",
    "privilege-escalation",
    "image-pull-policy",
];

fn tier(name: &str, how: &str) -> String {
    let modes: String = POLICIES
        .iter()
        .enumerate()
        .filter_map(|(index, id)| {
            let mode = match how.strip_prefix("deny: ")? {
                // The last alone.
                "pulled" => ["off", "deny"][index / 8],
                "mixed" => ["audit", "deny", "warn", "off"][index % 4],
                mode => mode,
            };
            Some(format!("{id}: \"{mode}\", "))
        })
        .collect();
    format!(
        "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tier\nmetadata: {{name: {name}}}\n\
         spec: {{namespaces: 3, quota: {{pods: 50, objects: {{configmaps: 20}}}}, admission: {{policies: {{{modes}}}}}}}\n"
    )
}

/// The tenants: one a tier, and one that is let off something.
const TENANTS: [(&str, &str); 6] = [
    ("open", "open"),
    ("warned", "warned"),
    ("noted", "noted"),
    ("mixed", "mixed"),
    ("pulled", "pulled"),
    ("exempt", "open"),
];

/// What `tenants/` holds.
fn files() -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = [("tenants/platform.yaml".to_owned(), PLATFORM.to_owned())].into();
    for (name, how) in TIERS {
        files.insert(format!("tenants/tiers/{name}.yaml"), tier(name, how));
    }
    for (name, tier) in TENANTS {
        let tenant = format!(
            "apiVersion: multitenant.k8s-mtp.io/v1\nkind: Tenant\nmetadata: {{name: {name}}}\n\
             spec: {{name: x, tier: {tier}, ownerEmail: owner@example.org, admins: [alice@{name}.example]}}\n"
        );
        files.insert(format!("tenants/{name}.yaml"), tenant);
    }
    files.insert("tenants/net.yaml".to_owned(), NET.to_owned());
    files
}

/// A tenant that reaches something.
const NET: &str = "
apiVersion: multitenant.k8s-mtp.io/v1
kind: Tenant
metadata: {name: net}
spec:
  name: x
  tier: noted
  ownerEmail: owner@example.org
  admins: [alice@net.example]
  operators: [bob@net.example]
  groups: {viewers: [net operators]}
  namespaces: [{name: other}]
  egress:
    internet: true
    allow:
      - namespace: shared-database
      - namespace: cache
        ports: [{port: 6379}]
      - cidr: 192.168.7.0/24
  ingress:
    allow:
      - namespace: monitoring
";

/// A platform whose policies are in effect, and what its webhook would know.
pub struct Policed {
    pub plane: Arc<ControlPlane>,
    pub admin: Client,
    pub resources: Resources,
    /// What is applied: all but the webhook.
    pub documents: Vec<Document>,
    pub view: View,
}

impl Policed {
    pub fn on(plane: ControlPlane) -> Policed {
        let plane = Arc::new(plane);
        let admin = plane.client();
        let all = rendered(&files());
        let view = view(&all);
        let documents: Vec<Document> = in_order(all.into_iter().filter(is_applied).collect());
        let mut resources = Resources::of(&admin);
        install(&plane, &admin, &documents, &mut resources);
        apply_all(&admin, &resources, &documents);
        policies_in_force(&plane, &admin);
        Policed { plane, admin, resources, documents, view }
    }
}

/// All but what asks the webhook, and what runs it.
fn is_applied(document: &Document) -> bool {
    !document.kind().ends_with("WebhookConfiguration") && document.kind() != "Deployment"
}

/// What a webhook knows that was given what is rendered.
fn view(all: &[Document]) -> View {
    let data = |d: &Document| d.value["data"].as_object().cloned().unwrap_or_default();
    let files: BTreeMap<String, Value> = all.iter().filter(|d| d.kind() == "ConfigMap").flat_map(data).collect();
    let read = |name: &str| {
        let text = files.get(name).and_then(Value::as_str).ok_or_else(|| format!("no file {name}"))?;
        Ok(text.as_bytes().to_vec())
    };
    View::read(read).expect("a view")
}

#[test]
fn pods_are_judged_as_by_the_webhook_and_what_is_rendered_stays() {
    let policed = Policed::on(ControlPlane::audited(crate::control_plane::NEWEST));
    types_are_right(&policed);
    pods::examples(&policed);
    pods::generated(&policed);
    pods::changes(&policed);
    pods::workloads(&policed);
    pods::labels(&policed);
    pods::audit(&policed);
    pods::through_kubectl(&policed);
    tenants::network_policies(&policed);
    tenants::role_bindings(&policed);
    tenants::what_is_the_platforms(&policed);
    guards::tenants_change_nothing(&policed);
    guards::whoever_may_can(&policed);
    guards::controllers_go_on(&policed);
    running::is_found_before_it_is_refused(&policed);
    running::and_what_tenants_wrote(&policed);
}

/// What the API server says of the types of the expressions: nothing.
fn types_are_right(policed: &Policed) {
    types_are_right_of(&policed.plane, &policed.admin, &policed.resources, &policed.documents);
}

fn types_are_right_of(plane: &ControlPlane, admin: &Client, resources: &Resources, documents: &[Document]) {
    for policy in documents.iter().filter(|d| d.kind() == "ValidatingAdmissionPolicy") {
        let path = policy.path(resources);
        let status = || admin.get(&path).ok()["status"].clone();
        wait("types are checked", plane, || {
            status()["typeChecking"].is_object() || status()["observedGeneration"].is_u64()
        });
        let status = status();
        assert_eq!(status["typeChecking"]["expressionWarnings"], Value::Null, "{}", policy.name());
    }
}
