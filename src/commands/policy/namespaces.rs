//! Namespaces of tenants, as `tenants/` of the root renders them: what stands in each, and how the policies stand there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::commands::{Shell, Stream};
use crate::disk;
use crate::inputs::Inputs;
use crate::objects::kinds::Stands;
use crate::objects::policies::managed;
use crate::plan::admission::exempt;
use crate::plan::{NamespacePlan, TenantPlan};
use crate::policy::judge::guardrails::{Guarded, Guardrails};
use crate::policy::judge::own::Internet;
use crate::policy::manifests::Surroundings;
use crate::policy::restrictions::Lists;
use crate::policy::standing::{Modes, Standing};
use crate::rendered::Rendered;
use crate::report::Report;

/// A namespace of a tenant.
pub struct Namespace {
    /// Its tier.
    pub tier: Arc<str>,
    /// What a breach of each policy leads to.
    pub modes: Modes,
    /// What may be named.
    pub lists: Lists,
    /// What the tenant may name within that.
    pub own_lists: Lists,
    /// Who is let off what.
    pub exempt: BTreeMap<String, String>,
    /// What stands in it.
    pub guardrails: Guardrails,
}

/// What was read of `tenants/`.
pub struct Platform {
    rendered: Rendered,
    internet: Internet,
    guarded: Guarded,
}

/// Reads the root; `None`: errors in it were reported, and nothing can be decided.
pub fn read(command: &'static str, shell: &mut Shell<'_>) -> Result<Option<Platform>> {
    let inputs = disk::read(&shell.root()?)?;
    // What is rendered is made again where it is asked for; a fleet's files need not be kept.
    let drop_bytes =
        |_: &str, files: &mut [crate::rendered::File]| files.iter_mut().for_each(|file| file.content = None);
    let (rendered, diagnostics) = crate::render_each(&inputs, &drop_bytes);
    if !rendered.plan_is_there() {
        report_errors(command, diagnostics, &inputs, shell)?;
        return Ok(None);
    }
    let internet = rendered.plan().map(|plan| plan.platform.network.internet.as_slice().into());
    let guarded = rendered.plan().filter(|plan| plan.platform.admission.policies.is_some()).map(|plan| {
        let rows = managed::guarded(plan).filter(|row| row.stands != Stands::Global);
        Arc::new(rows.map(|row| (row.group.to_owned(), row.kind.to_owned())).collect())
    });
    let (internet, guarded) = (internet.unwrap_or_default(), guarded.unwrap_or_default());
    Ok(Some(Platform { internet, guarded, rendered }))
}

fn report_errors(
    command: &'static str,
    diagnostics: Vec<crate::diagnostic::Diagnostic>,
    inputs: &Inputs,
    shell: &mut Shell<'_>,
) -> Result<()> {
    let report = Report { command, diagnostics, ..Report::default() };
    shell.report(&report, inputs, Stream::Err)
}

impl Platform {
    /// The tenant of that name, or why there is none.
    pub fn tenant(&self, name: &str) -> Result<&TenantPlan> {
        let found = self.rendered.plan().and_then(|plan| plan.tenants.iter().find(|tenant| *tenant.name == *name));
        match found {
            Some(tenant) => Ok(tenant),
            None => bail!("there is no tenant `{name}` in tenants/"),
        }
    }

    /// Whether somebody carries the policies out.
    pub fn has_engine(&self) -> bool {
        self.rendered.plan().is_some_and(|plan| !plan.platform.doc.content.spec.admission.engines.is_empty())
    }

    /// Whether somebody looks at what tenants write themselves.
    pub fn judges_own(&self) -> bool {
        self.rendered.plan().is_some_and(|plan| plan.platform.admission.policies.is_some())
    }

    /// The tenants of namespaces, by the names of these.
    fn owners(&self) -> BTreeMap<&str, (&TenantPlan, &NamespacePlan)> {
        let tenants = self.rendered.plan().into_iter().flat_map(|plan| &plan.tenants);
        tenants.flat_map(|tenant| tenant.namespaces.iter().map(move |ns| (&*ns.name, (tenant, ns)))).collect()
    }

    /// All namespaces of tenants.
    pub fn every_namespace(&self) -> BTreeMap<String, Namespace> {
        let known = self.owners().into_iter();
        known.map(|(name, (tenant, namespace))| (name.to_owned(), self.namespace(tenant, namespace))).collect()
    }

    /// Those of some namespaces that are tenants'.
    pub fn namespaces<'n>(&self, names: impl Iterator<Item = &'n str>) -> BTreeMap<String, Namespace> {
        let owners = self.owners();
        let names: BTreeSet<&str> = names.collect();
        let found = names.into_iter().filter_map(|name| Some((name, owners.get(name)?)));
        found.map(|(name, (tenant, namespace))| (name.to_owned(), self.namespace(tenant, namespace))).collect()
    }

    fn namespace(&self, tenant: &TenantPlan, namespace: &NamespacePlan) -> Namespace {
        let objects = self.rendered.of_tenant(&tenant.name);
        let here = objects.iter().filter(|object| {
            let id = &object.id;
            id.namespace.as_deref() == Some(&*namespace.name)
                || (&*id.kind, &*id.name) == ("Namespace", &*namespace.name)
        });
        let values: Vec<serde_json::Value> = here.map(|object| object.manifest.value()).collect();
        let mut guardrails = Guardrails::of(values.iter(), self.has_engine());
        guardrails.kubernetes = self.rendered.plan().map(|plan| plan.platform.kubernetes);
        if let Some(nameable) = &mut guardrails.nameable {
            nameable.internet = Arc::clone(&self.internet);
        }
        guardrails.guarded = Arc::clone(&self.guarded);
        guardrails.tenant = Some(tenant.name.to_string());
        let exempt = self.rendered.plan().map_or_else(BTreeMap::new, |plan| {
            exempt(&plan.platform.admission, &namespace.tier, &tenant.name, &namespace.name)
        });
        let NamespacePlan { tier, .. } = namespace;
        Namespace {
            tier: Arc::clone(&tier.name),
            modes: tier.modes,
            lists: tier.lists.clone(),
            own_lists: tier.own_lists(&tenant.lists),
            exempt,
            guardrails,
        }
    }
}

/// The namespace of a tenant for manifests that name none: its own.
pub fn own(tenant: &TenantPlan) -> String {
    format!("tenant-{}-{}", tenant.name, tenant.doc.content.spec.name.value)
}

impl Namespace {
    /// What a manifest meets there.
    pub fn surroundings(&self) -> Surroundings<'_> {
        let standing =
            Standing { modes: self.modes, lists: &self.lists, own_lists: &self.own_lists, exempt: &self.exempt };
        Surroundings { standing, guardrails: Some(&self.guardrails) }
    }
}
