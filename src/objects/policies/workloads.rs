//! What makes pods is warned of early: whoever applies a Deployment hears that its pods would be refused, and why.
//!
//! Pods alone are refused: a template may be older than a policy, and controllers would be told, whom nobody asks.

use super::pods::{Group, exemptible, none_told, running};
use super::{Judge, Whose, in_tenants, rule};
use crate::contract::admission::Mode;
use crate::plan::Plan;
use crate::plan::admission::PoliciesPlan;
use crate::policy::standing::index;
use crate::policy::{POLICIES, Policy, RUNNING};

/// The policies about what makes pods.
pub fn judges(plan: &Plan, _: &PoliciesPlan) -> Vec<Judge> {
    Whose::each(plan)
        .filter_map(|whose| {
            let modes = whose.modes(plan);
            let group = Group { exempt: exemptible(plan, whose), loud: &|mode| mode >= Mode::Warn, modes };
            let policies: Vec<&Policy> = POLICIES
                .into_iter()
                .filter(|policy| index(policy.id).is_some_and(|at| modes.get(at) >= Mode::Warn))
                .filter(|policy| !is_defaulted(policy, whose))
                .collect();
            (!policies.is_empty()).then(|| {
                let mut variables = vec![("spec".to_owned(), SPEC.to_owned())];
                for list in RUNNING {
                    let field = list.field();
                    variables.push((field.to_owned(), format!("variables.spec.?{field}.orValue([])")));
                }
                variables.push(running());
                variables.extend(group.told(&policies, "variables.spec", RUNNING, false, |_| ""));
                Judge {
                    name: whose.name("workloads"),
                    about: in_tenants(whose.selected(plan), rules()),
                    when: vec![("changed", CHANGED.to_owned()), ("ordered", ORDERED.to_owned())],
                    variables,
                    validations: vec![none_told(
                        "its pods would be refused: see `mtp policy review`",
                        "its pods would break policies: ",
                    )],
                    notes: Vec::new(),
                    actions: &["Warn"],
                }
            })
        })
        .collect()
}

pub(super) fn rules() -> Vec<k8s_openapi::api::admissionregistration::v1::NamedRuleWithOperations> {
    let operations = ["CREATE", "UPDATE"];
    vec![
        rule("Namespaced", &operations, "", &["podtemplates", "replicationcontrollers"]),
        rule("Namespaced", &operations, "apps", &["daemonsets", "deployments", "replicasets", "statefulsets"]),
        rule("Namespaced", &operations, "batch", &["cronjobs", "jobs"]),
    ]
}

/// The spec of its pods. Of no type: each kind has it elsewhere.
pub(super) const SPEC: &str = "request.kind.kind == 'CronJob' ? dyn(object).?spec.?jobTemplate.?spec.?template.?spec.orValue({}) :\n\
                    request.kind.kind == 'PodTemplate' ? dyn(object).?template.?spec.orValue({}) :\n\
                    dyn(object).?spec.?template.?spec.orValue({})";

/// A request that changes the template.
pub(super) const CHANGED: &str = "request.operation == 'CREATE' || dyn(object).?spec != dyn(oldObject).?spec\n\
                       || dyn(object).?template != dyn(oldObject).?template";

/// By a person, and not by a controller that makes it out of something that was judged before.
pub(super) const ORDERED: &str =
    "!object.metadata.?ownerReferences.orValue([]).exists(o, o.?controller.orValue(false))";

/// Whether pods get what the policy asks for from the LimitRange, which comes before it.
fn is_defaulted(policy: &Policy, whose: Whose<'_>) -> bool {
    let Whose::Tier(tier) = whose else { return false };
    let gives = |resource: &str| tier.limits.stored_default.get(resource).is_some_and(|(q, _)| q.nanos() > 0);
    match policy.id {
        "resource-limits" => !tier.limits.stored_default.is_empty(),
        "cpu-limits" => gives("cpu"),
        "memory-limits" => gives("memory"),
        _ => false,
    }
}
