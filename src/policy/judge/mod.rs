//! Who refuses an object: the layers of a cluster, asked in the order in which an API server asks them; a file a layer.
//!
//! A row of [`RULES`] is something that a layer refuses. All layers are asked, though a cluster stops at the first that
//! refuses: whoever repairs one thing wants to know of the next. Source of the order: `AllOrderedPlugins` of Kubernetes'
//! `pkg/kubeapiserver/options/plugins.go`; objects are validated once they are mutated, and before admission validates.

pub mod amounts;
pub mod case;
pub mod decoding;
pub mod expectations;
pub mod guardrails;
pub mod limit_range;
pub mod managed;
pub mod outcome;
pub mod own;
pub mod pod_security;
pub mod policies;
pub mod quota;
pub mod running;
pub mod validation;
pub mod verdict;

use case::Case;

/// A layer of the cluster. Ordered as they are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// What Kubernetes itself takes for an object of that kind.
    Validation,
    /// Bounds of single containers, pods and claims.
    LimitRange,
    /// The Pod Security level of the namespace.
    PodSecurity,
    /// The platform's policies.
    Policies,
    /// The ceilings of the namespace; asked last of all.
    Quota,
}

impl Layer {
    /// All of them, in their order.
    pub const ALL: [Layer; 5] =
        [Layer::Validation, Layer::LimitRange, Layer::PodSecurity, Layer::Policies, Layer::Quota];

    /// Its id in reports and expectations.
    pub fn id(self) -> &'static str {
        match self {
            Layer::Validation => "core-validation",
            Layer::LimitRange => "limit-range",
            Layer::PodSecurity => "pod-security",
            Layer::Policies => "policies",
            Layer::Quota => "resource-quota",
        }
    }

    /// Its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Validation => "core validation",
            Layer::LimitRange => "the LimitRange",
            Layer::PodSecurity => "Pod Security",
            Layer::Policies => "the policies",
            Layer::Quota => "the quota",
        }
    }

    /// Whether it has nothing to go by until the namespace is known.
    pub fn needs_namespace(self) -> bool {
        matches!(self, Layer::LimitRange | Layer::PodSecurity | Layer::Quota)
    }

    /// What it says of an object.
    fn ask(self) -> fn(&Case<'_>) -> Vec<Objection> {
        match self {
            Layer::Validation => validation::ask,
            Layer::LimitRange => limit_range::ask,
            Layer::PodSecurity => pod_security::ask,
            Layer::Policies => policies::ask,
            Layer::Quota => quota::ask,
        }
    }
}

/// What is refused: the object, or the pods or claims that it is to have. Ordered: whoever applies an object hears of itself first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Whom {
    /// The object.
    Object,
    /// Its pods: the object is taken, and waits for them in vain.
    Pods,
    /// Its volume claims, which its pods wait for in vain.
    Claims,
}

impl Whom {
    /// What of an object it is; `None`: itself.
    pub fn part(self) -> Option<&'static str> {
        match self {
            Whom::Object => None,
            Whom::Pods => Some("pods"),
            Whom::Claims => Some("claims"),
        }
    }
}

/// What a layer has against an object.
#[derive(Debug, Clone)]
pub struct Objection {
    /// The layer.
    pub layer: Layer,
    /// Id of a rule, a policy or a control.
    pub rule: &'static str,
    /// Whether it refuses; else it warns.
    pub refuses: bool,
    /// Whom.
    pub whom: Whom,
    /// Where in the object, as Kubernetes writes it: `spec.containers[0].image`.
    pub path: String,
    /// In the layer's words.
    pub message: String,
    /// How to put it right.
    pub fix: String,
}

/// Something that a layer refuses. Its id stands in every report and never changes its meaning.
pub struct Rule {
    /// `A` and three digits; the first of them is the layer's.
    pub id: &'static str,
    /// What is refused, in a few words.
    pub title: &'static str,
    /// What would happen otherwise.
    pub why: &'static str,
    /// How to put it right.
    pub fix: &'static str,
    /// What finds it.
    pub check: Check,
    /// What breaks it: YAML of a pod's `spec`, or of a whole object; of rules that depend on a namespace none.
    pub refused: &'static [&'static str],
}

/// What finds the breach of a rule.
#[derive(Clone, Copy)]
pub enum Check {
    /// The layer itself.
    Layer,
    /// A look at a pod, and at the pods that workloads are to have.
    Pod(fn(&validation::PodSpec<'_>, &mut validation::Faults)),
    /// A look at an object of these kinds.
    Object(&'static [&'static str], fn(&validation::Whole<'_>, &mut validation::Faults)),
}

/// All rules, by id.
pub const RULES: &[&[Rule]] = &[
    decoding::RULES,
    validation::containers::RULES,
    validation::amounts::RULES,
    validation::security::RULES,
    validation::volumes::RULES,
    validation::pods::RULES,
    validation::workloads::RULES,
    validation::services::RULES,
    limit_range::RULES,
    policies::RULES,
    own::RULES,
    managed::RULES,
    quota::RULES,
    expectations::RULES,
];

/// Every rule.
pub fn all() -> impl Iterator<Item = &'static Rule> {
    RULES.iter().copied().flatten()
}

/// The rule of that id.
pub fn find(id: &str) -> Option<&'static Rule> {
    all().find(|rule| rule.id.eq_ignore_ascii_case(id))
}

/// What all layers have against an object, in the order in which it is heard.
pub fn objections(case: &Case<'_>) -> Vec<Objection> {
    objections_by(case, &Layer::ALL)
}

/// The same, of some layers.
pub fn objections_by(case: &Case<'_>, layers: &[Layer]) -> Vec<Objection> {
    let mut all: Vec<Objection> = layers.iter().flat_map(|layer| layer.ask()(case)).collect();
    // Stable: within a layer, the order of its own words.
    all.sort_by_key(|objection| (objection.whom, objection.layer));
    all
}

#[cfg(test)]
mod tests;
