//! What `mtp init` and `mtp new` write: text for people, made from templates. From then on it is theirs.

use anyhow::{Context, Result};
use minijinja::context;

const PLATFORM: &str = include_str!("platform.yaml");
const TIER: &str = include_str!("tier.yaml");
const TENANT: &str = include_str!("tenant.yaml");

/// A tier of `mtp init`: name, cpu, memory, pods, storage, cpu and memory of a container that states none, namespaces.
type Tier = (&'static str, &'static str, &'static str, u32, &'static str, &'static str, &'static str, u32);

/// The published tiers.
const TIERS: [Tier; 3] = [
    ("free", "500m", "1Gi", 20, "10Gi", "100m", "128Mi", 1),
    ("pro", "4", "8Gi", 100, "100Gi", "250m", "256Mi", 3),
    ("enterprise", "8", "16Gi", 200, "200Gi", "500m", "512Mi", 10),
];

/// The platform and its tiers: paths relative to the root, and texts.
pub fn platform(kubernetes_version: &str) -> Result<Vec<(String, String)>> {
    let version = env!("CARGO_PKG_VERSION");
    let values = context! { kubernetes_version, version };
    let mut files = vec![("tenants/platform.yaml".to_owned(), fill(PLATFORM, values)?)];
    for (name, cpu, memory, pods, storage, container_cpu, container_memory, namespaces) in TIERS {
        let values = context! { name, cpu, memory, pods, storage, container_cpu, container_memory, namespaces };
        files.push((format!("tenants/tiers/{name}.yaml"), fill(TIER, values)?));
    }
    Ok(files)
}

/// A tenant file.
pub fn tenant(name: &str, tier: &str, owner_email: &str, admins: &[String]) -> Result<String> {
    fill(TENANT, context! { name, tier, owner_email, admins => admins.to_vec() })
}

fn fill(template: &str, values: minijinja::Value) -> Result<String> {
    let mut environment = crate::templates::bare();
    environment.add_filter("yaml", yaml);
    environment
        .render_str(template, values)
        .map(|text| text.trim_end().to_owned() + "\n")
        .context("cannot fill a scaffold")
}

/// Text as YAML: plain where that is safe, else in quotes.
fn yaml(text: String) -> String {
    if crate::emit::is_plain(&text) {
        return text;
    }
    let mut bytes = Vec::new();
    crate::emit::quoted(&text, &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
