//! `TierPlan`: what a namespace of a tier may use, resolved to the keys of ResourceQuota and LimitRange.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::contract::admission::Mode;
use crate::contract::platform::Egress;
use crate::contract::tenant::QuotaValues;
use crate::contract::tier::{LimitRangeSpec, Resources, Storage, TierQuota, TierSpec};
use crate::contract::{Amount, At, TierFile};
use crate::diagnostic::Findings;
use crate::parse::{Document, TenantDocument};
use crate::place::Place;
use crate::plan::admission::{self, ExemptionPlan};
use crate::plan::platform::{PlatformPlan, PodSecurityPlan, pod_security};
use crate::plan::{Placed, quantity};
use crate::policy::restrictions::{Allowed, Lists, OwnLists};
use crate::policy::standing::Modes;

/// Ceilings by key of ResourceQuota.
pub type Hard = BTreeMap<String, Placed>;

/// What a namespace of this tier may use.
#[derive(Debug)]
pub struct TierPlan {
    /// What was written.
    pub doc: Document<TierFile>,
    /// Its name.
    pub name: Arc<str>,
    /// The ceilings by key of ResourceQuota, such as `requests.cpu`.
    pub hard: Arc<Hard>,
    /// Ceilings that hold for some objects only, each a ResourceQuota of its own.
    pub scoped: Vec<QuotaPlan>,
    /// How far tenants may raise a ceiling, by key of ResourceQuota.
    pub max: Hard,
    /// Defaults and bounds of single objects.
    pub limits: LimitsPlan,
    /// What is reached outside of the cluster.
    pub egress: Egress,
    /// Pod Security.
    pub pod_security: PodSecurityPlan,
    /// What a breach of each policy leads to.
    pub modes: Modes,
    /// What its tenants may name.
    pub lists: Lists,
    /// What naming something leads to that no list lets, by the id of the list.
    pub list_modes: BTreeMap<&'static str, Mode>,
    /// Who is let off which policies.
    pub exemptions: Vec<ExemptionPlan>,
    /// How many namespaces a tenant may have.
    pub namespaces: u32,
}

/// A ResourceQuota for some objects only.
#[derive(Debug)]
pub struct QuotaPlan {
    /// Its name.
    pub name: String,
    /// What it selects by: `PriorityClass`, `VolumeAttributesClass`.
    pub scope: &'static str,
    /// The classes that it holds for; `None`: every class but `except`.
    pub only: Option<String>,
    /// With `only` absent: the classes that have quotas of their own.
    pub except: Vec<String>,
    /// Its ceilings.
    pub hard: Hard,
}

/// Defaults and bounds by resource.
#[derive(Debug, Default)]
pub struct LimitsPlan {
    /// Limit of a container that states none.
    pub default: BTreeMap<&'static str, Placed>,
    /// Request of a container that states none.
    pub default_request: BTreeMap<&'static str, Placed>,
    /// Highest limit of a container.
    pub max: BTreeMap<&'static str, Placed>,
    /// Lowest request of a container.
    pub min: BTreeMap<&'static str, Placed>,
    /// How many times its request a container's limit may be.
    pub ratio: BTreeMap<&'static str, Placed>,
    /// Highest sum of a pod.
    pub pod_max: BTreeMap<&'static str, Placed>,
    /// Smallest volume claim.
    pub claim_min: BTreeMap<&'static str, Placed>,
    /// Largest volume claim.
    pub claim_max: BTreeMap<&'static str, Placed>,
    /// [`Self::default`] with what the API server adds to it.
    pub stored_default: BTreeMap<&'static str, Placed>,
    /// [`Self::default_request`] with what the API server adds to it.
    pub stored_default_request: BTreeMap<&'static str, Placed>,
}

impl LimitsPlan {
    /// Fills in what the API server would: it takes the maximum for a default limit, and the default limit, or else the
    /// minimum, for a default request. Said in `rendered/`, it is seen in a review, and git shows what the cluster has.
    ///
    /// Source: `SetDefaults_LimitRangeItem` of Kubernetes' `pkg/apis/core/v1/defaults.go`.
    fn with_stored(mut self) -> Self {
        let filled = |typed: &BTreeMap<&'static str, Placed>, others: [&BTreeMap<&'static str, Placed>; 2]| {
            let mut all = typed.clone();
            for (resource, placed) in others.into_iter().flatten() {
                all.entry(*resource).or_insert_with(|| placed.clone());
            }
            all
        };
        self.stored_default = filled(&self.default, [&self.max, &BTreeMap::new()]);
        self.stored_default_request = filled(&self.default_request, [&self.stored_default, &self.min]);
        self
    }
}

impl TierPlan {
    /// A tenant's own lists, with what naming something else leads to here; without those that nobody asks by.
    pub fn own_lists(&self, own: &OwnLists) -> Lists {
        let all = own.iter().filter_map(|(id, list)| Some((*id, list, *self.list_modes.get(id)?)));
        let asked = all.filter(|(.., mode)| *mode != Mode::Off);
        asked.map(|(id, list, mode)| (id, Allowed { list: list.clone(), mode })).collect()
    }
}

/// Resolves a Tier.
pub fn resolve(doc: Document<TierFile>, platform: &PlatformPlan, findings: &mut Findings) -> TierPlan {
    let spec = &doc.content.spec.value;
    let of_platform = &platform.doc.content.spec.admission;
    let said = [(&of_platform.restrict, &of_platform.policies), (&spec.admission.restrict, &spec.admission.policies)];
    let mut quota = Reader { file: &doc.file, findings };
    let hard = quota.tier(&spec.quota, platform);
    let scoped = quota.scoped(&spec.quota);
    let max = quota.values(&spec.quota_max);
    let limits = quota.limits(&spec.limit_range);
    TierPlan {
        name: doc.content.metadata.name.value.as_str().into(),
        hard: Arc::new(hard),
        scoped,
        max,
        limits,
        egress: spec.egress.map_or(platform.network.egress, |e| e.value),
        pod_security: pod_security(&spec.pod_security, &platform.pod_security),
        modes: admission::modes(&spec.admission.policies, platform.admission.modes),
        lists: admission::lists(&said),
        list_modes: admission::list_modes(&said),
        exemptions: admission::exemptions(&spec.admission.exemptions, &doc.file),
        namespaces: spec.namespaces.map_or(1, |n| n.value),
        doc,
    }
}

/// Stands in for a Tier that does not exist, which has been reported.
pub fn unknown(tenant: &TenantDocument, platform: &PlatformPlan) -> TierPlan {
    let metadata = tenant.content.metadata.clone();
    let spec = At::new(TierSpec::default(), tenant.content.spec.span);
    let file = TierFile { api_version: String::new(), kind: String::new(), metadata, spec };
    let doc = Document { file: Arc::clone(&tenant.file), content: file };
    TierPlan { namespaces: u32::MAX, ..resolve(doc, platform, &mut Findings::default()) }
}

/// Reads a tenant's or an entry's own ceilings, by key of ResourceQuota.
pub fn values(values: &QuotaValues, file: &Arc<str>, findings: &mut Findings) -> Hard {
    Reader { file, findings }.values(values)
}

/// Reads quantities of one file.
struct Reader<'a> {
    file: &'a Arc<str>,
    findings: &'a mut Findings,
}

impl Reader<'_> {
    /// Puts `typed` under each of `keys`.
    fn put(&mut self, hard: &mut Hard, name: &str, typed: Option<&At<Amount>>, keys: &[&str]) {
        let Some(placed) = typed.and_then(|typed| quantity(name, typed, self.file, self.findings)) else { return };
        for key in keys {
            hard.insert((*key).to_owned(), placed.clone());
        }
    }

    fn values(&mut self, values: &QuotaValues) -> Hard {
        let mut hard = Hard::new();
        self.put(&mut hard, "cpu", values.cpu.as_ref(), &["requests.cpu", "limits.cpu"]);
        self.put(&mut hard, "memory", values.memory.as_ref(), &["requests.memory", "limits.memory"]);
        let ephemeral = ["requests.ephemeral-storage", "limits.ephemeral-storage"];
        self.put(&mut hard, "ephemeralStorage", values.ephemeral_storage.as_ref(), &ephemeral);
        self.put(&mut hard, "storage", values.storage.as_ref(), &["requests.storage"]);
        self.put(&mut hard, "pods", values.pods.as_ref(), &["pods"]);
        self.put(&mut hard, "loadBalancers", values.load_balancers.as_ref(), &["services.loadbalancers"]);
        for (name, amount) in &values.objects {
            self.put(&mut hard, name, Some(amount), &[name]);
        }
        hard
    }

    fn tier(&mut self, quota: &TierQuota, platform: &PlatformPlan) -> Hard {
        let mut hard = self.values(&QuotaValues {
            cpu: quota.cpu.clone(),
            memory: quota.memory.clone(),
            ephemeral_storage: quota.ephemeral_storage.clone(),
            storage: quota.storage.clone(),
            pods: quota.pods.clone(),
            load_balancers: quota.load_balancers.clone(),
            objects: quota.objects.clone(),
        });
        self.put(&mut hard, "nodePorts", quota.node_ports.as_ref(), &["services.nodeports"]);
        for (name, amount) in &quota.extended_resources {
            self.put(&mut hard, name, Some(amount), &[&format!("requests.{name}")]);
        }
        for (class, amount) in &quota.device_classes {
            self.put(&mut hard, class, Some(amount), &[&format!("{class}.deviceclass.resource.k8s.io/devices")]);
        }
        let Some(classes) = &quota.storage_classes else { return hard };
        let key = |class: &str, of: &str| format!("{class}.storageclass.storage.k8s.io/{of}");
        for (class, bounds) in classes {
            self.put(&mut hard, "storage", bounds.storage.as_ref(), &[&key(class, "requests.storage")]);
            self.put(&mut hard, "claims", bounds.claims.as_ref(), &[&key(class, "persistentvolumeclaims")]);
        }
        // A class that the tier does not list allows no claim at all. Place: the list that leaves it out.
        let known = platform.doc.content.spec.storage_classes.iter().flatten();
        for class in known.filter(|class| !classes.contains_key(*class)) {
            let first = classes.keys().next().map_or(self.name_span(quota), |k| k.span);
            let nothing = (crate::quantity::Quantity::ZERO, Place::new(self.file, first));
            hard.insert(key(class, "requests.storage"), nothing.clone());
            hard.insert(key(class, "persistentvolumeclaims"), nothing);
        }
        hard
    }

    /// A place inside of the quota where the list itself has none.
    fn name_span(&self, quota: &TierQuota) -> crate::place::Span {
        quota.storage.as_ref().map(|s| s.span).unwrap_or_default()
    }

    /// Classes that the tier governs: each listed one has its quota, and all others one that allows nothing.
    fn scoped(&mut self, quota: &TierQuota) -> Vec<QuotaPlan> {
        let mut all = Vec::new();
        if let Some(amount) = &quota.cross_namespace_affinity {
            let mut hard = Hard::new();
            self.put(&mut hard, "crossNamespaceAffinity", Some(amount), &["pods"]);
            let name = "tenant-quota-cross-namespace-affinity".to_owned();
            all.push(QuotaPlan { name, scope: "CrossNamespacePodAffinity", only: None, except: Vec::new(), hard });
        }
        if let Some(classes) = &quota.priority_classes {
            for (class, bounds) in classes {
                let mut hard = Hard::new();
                self.put(&mut hard, "pods", bounds.pods.as_ref(), &["pods"]);
                self.put(&mut hard, "cpu", bounds.cpu.as_ref(), &["requests.cpu", "limits.cpu"]);
                self.put(&mut hard, "memory", bounds.memory.as_ref(), &["requests.memory", "limits.memory"]);
                all.extend(only("tenant-quota-priority", "PriorityClass", class, hard));
            }
            let names = classes.keys().map(|k| k.value.clone()).collect();
            all.push(self.others(
                "tenant-quota-other-priorities",
                "PriorityClass",
                names,
                "pods",
                classes.keys().next(),
            ));
        }
        if let Some(classes) = &quota.volume_attributes_classes {
            for (class, bounds) in classes {
                let mut hard = Hard::new();
                self.put(&mut hard, "claims", bounds.claims.as_ref(), &["persistentvolumeclaims"]);
                self.put(&mut hard, "storage", bounds.storage.as_ref(), &["requests.storage"]);
                all.extend(only("tenant-quota-volume", "VolumeAttributesClass", class, hard));
            }
            let names = classes.keys().map(|k| k.value.clone()).collect();
            let (name, scope) = ("tenant-quota-other-volumes", "VolumeAttributesClass");
            all.push(self.others(name, scope, names, "persistentvolumeclaims", classes.keys().next()));
        }
        all
    }

    fn others(
        &self,
        name: &str,
        scope: &'static str,
        except: Vec<String>,
        counted: &str,
        first: Option<&At<String>>,
    ) -> QuotaPlan {
        let at = Place::new(self.file, first.map(|k| k.span).unwrap_or_default());
        let hard = Hard::from([(counted.to_owned(), (crate::quantity::Quantity::ZERO, at))]);
        QuotaPlan { name: name.to_owned(), scope, only: None, except, hard }
    }

    fn limits(&mut self, spec: &LimitRangeSpec) -> LimitsPlan {
        LimitsPlan {
            default: self.resources(&spec.container.default),
            default_request: self.resources(&spec.container.default_request),
            max: self.resources(&spec.container.max),
            min: self.resources(&spec.container.min),
            ratio: self.resources(&spec.container.max_limit_request_ratio),
            pod_max: self.resources(&spec.pod.max),
            claim_min: self.storage(&spec.persistent_volume_claim.min),
            claim_max: self.storage(&spec.persistent_volume_claim.max),
            ..LimitsPlan::default()
        }
        .with_stored()
    }

    fn resources(&mut self, typed: &Resources) -> BTreeMap<&'static str, Placed> {
        let each = [
            ("cpu", "cpu", &typed.cpu),
            ("memory", "memory", &typed.memory),
            ("ephemeralStorage", "ephemeral-storage", &typed.ephemeral_storage),
        ];
        each.into_iter()
            .filter_map(|(name, key, typed)| Some((key, quantity(name, typed.as_ref()?, self.file, self.findings)?)))
            .collect()
    }

    fn storage(&mut self, typed: &Storage) -> BTreeMap<&'static str, Placed> {
        let placed = typed.storage.as_ref().and_then(|typed| quantity("storage", typed, self.file, self.findings));
        placed.map(|placed| ("storage", placed)).into_iter().collect()
    }
}

/// The quota of one class; none where the tier lists the class without a ceiling.
fn only(name: &str, scope: &'static str, class: &At<String>, hard: Hard) -> Option<QuotaPlan> {
    let name = format!("{name}-{class}");
    (!hard.is_empty()).then(|| QuotaPlan { name, scope, only: Some(class.value.clone()), except: Vec::new(), hard })
}
