//! What tenants' pods may not be: the shelf of policies in CEL, a policy for each tier and each thing that breaches lead to.
//!
//! All that is wrong with a pod is said at once, in the words of the webhook. A change is judged by what it changes: see
//! [`crate::policy::review::request`], which these expressions repeat.

use k8s_openapi::api::admissionregistration::v1::Validation;

use super::{Judge, Whose, in_tenants, quoted, rule, validation};
use crate::contract::admission::Mode;
use crate::plan::Plan;
use crate::plan::admission::PoliciesPlan;
use crate::policy::pod::List;
use crate::policy::standing::{Modes, index};
use crate::policy::{EVERY, POLICIES, Policy, RUNNING, SPEC};

/// Begins the annotations of a Namespace that say who is let off a policy, and why; the policy's id follows.
pub const EXEMPT: &str = "exempt.tenant.k8s-mtp.io/";

/// How many breaches a message names; the API server takes one of up to 5 KiB.
const MOST_NAMED: usize = 16;

/// What breaches lead to: what a policy is called for it, and what its binding says.
pub(super) const MODES: [(Mode, &str, &[&str]); 3] = [
    (Mode::Deny, "pods-deny", &["Deny"]),
    (Mode::Warn, "pods-warn", &["Warn"]),
    (Mode::Audit, "pods-audit", &["Audit"]),
];

/// The policies about pods.
pub fn judges(plan: &Plan, _: &PoliciesPlan) -> Vec<Judge> {
    Whose::each(plan)
        .flat_map(|whose| {
            let modes = whose.modes(plan);
            MODES.into_iter().filter_map(move |(mode, name, actions)| {
                let group = Group { exempt: exemptible(plan, whose), loud: &|m| m >= mode, modes };
                let judged = |policy: &&'static Policy| index(policy.id).is_some_and(|at| modes.get(at) == mode);
                let policies: Vec<&Policy> = POLICIES.into_iter().filter(judged).collect();
                if policies.is_empty() {
                    return None;
                }
                let mut variables = group.variables(&policies, mode);
                // What is noted anyway is not noted twice.
                let let_off = group.let_off(&policies).filter(|_| mode != Mode::Audit);
                let note = let_off.as_ref().map(|(name, _)| ("exempt", format!("variables.{name}.join('; ')")));
                variables.extend(let_off);
                Some(Judge {
                    name: whose.name(name),
                    about: in_tenants(
                        whose.selected(plan),
                        vec![rule("Namespaced", &["CREATE", "UPDATE"], "", &RESOURCES)],
                    ),
                    // Most updates of pods are by controllers that add and remove finalizers.
                    when: vec![("judged", "request.operation == 'CREATE' || object.spec != oldObject.spec".to_owned())],
                    variables,
                    validations: vec![none_told(
                        "the pod breaks policies of the platform: see `mtp policy review`",
                        "",
                    )],
                    notes: note.into_iter().collect(),
                    actions,
                })
            })
        })
        .collect()
}

/// What shows pods, and what changes what they may do.
const RESOURCES: [&str; 3] = ["pods", "pods/ephemeralcontainers", "pods/resize"];

/// The containers of a list that a request adds or changes. By their place: Kubernetes lets none go and none move.
fn judged(list: List) -> (String, String) {
    let field = list.field();
    let of = |object: &str| format!("{object}.spec.?{field}.orValue([])");
    let (new, old) = (of("object"), of("oldObject"));
    let expression = format!(
        "oldObject == null || variables.whole ? {new} :\n\
         {new}.transformList(i, c,\ni >= {old}.size() || {old}[i] != c, c)"
    );
    (field.to_owned(), expression)
}

/// Where containers of a type are found.
const TYPES: [(&[List], &str); 2] = [(RUNNING, "running"), (&[List::Ephemeral], "ephemeralContainers")];

/// Containers that run, of one type: an expression about them is written once.
pub(super) fn running() -> (String, String) {
    let [init, main] = [List::Init, List::Main].map(|list| format!("variables.{}", list.field()));
    ("running".to_owned(), format!("{init} + {main}"))
}

/// Policies that are judged together.
pub(super) struct Group<'a> {
    /// Ids of the policies that somebody is let off.
    pub exempt: Vec<&'static str>,
    /// Whether what a breach leads to is told here.
    pub loud: &'a dyn Fn(Mode) -> bool,
    /// What breaches lead to.
    pub modes: Modes,
}

impl Group<'_> {
    fn variables(&self, policies: &[&'static Policy], mode: Mode) -> Vec<(String, String)> {
        let resize = "request.?subResource.orValue('') == 'resize'";
        // The resources of a pod as a whole are those of all its containers.
        let whole = "variables.resize && object.spec.?resources != oldObject.spec.?resources";
        let mut all = vec![
            ("resize".to_owned(), resize.to_owned()),
            ("whole".to_owned(), format!("oldObject != null && {whole}")),
        ];
        all.extend(EVERY.iter().filter(|list| policies.iter().any(|p| p.about.contains(list))).copied().map(judged));
        all.push(running());
        let unless_resized = |policy: &Policy| if policy.resources { "" } else { "variables.resize ? [] :\n" };
        all.extend(self.told(policies, "object.spec", EVERY, mode == Mode::Audit, unless_resized));
        all
    }

    /// Variables that say what is broken in these lists of containers, and `told`, which is all that is said of it. `when`
    /// begins the expression of a policy. Where `all` is to be told, who is let off is told as well.
    pub(super) fn told(
        &self,
        policies: &[&'static Policy],
        spec: &str,
        lists: &[List],
        all: bool,
        when: impl Fn(&Policy) -> &'static str,
    ) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        let mut told = Vec::new();
        for policy in policies {
            let name = variable(policy);
            let found = TYPES.iter().filter(|(of, _)| of.iter().any(|l| lists.contains(l) && policy.about.contains(l)));
            let found: Vec<String> = found.map(|(_, containers)| self.found(policy, containers, spec, all)).collect();
            variables.push((name.clone(), format!("{}{}", when(policy), found.join(" +\n"))));
            told.push(match self.exemption(policy.id).filter(|_| !all) {
                Some(exempt) => format!("({exempt} ? [] : variables.{name})"),
                None => format!("variables.{name}"),
            });
        }
        variables.push(("told".to_owned(), told.join(" +\n")));
        variables
    }

    /// The breaches of containers, as texts.
    fn found(&self, policy: &Policy, containers: &str, spec: &str, all: bool) -> String {
        let mut breach = format!("!({})", holds(policy, spec));
        // Whoever has no limits at all hears of that alone.
        let within = policy.within.and_then(|id| Some((POLICIES[index(id)?], index(id)?)));
        if let Some((other, at)) = within.filter(|(_, at)| (self.loud)(self.modes.get(*at))) {
            debug_assert_eq!(POLICIES[at].id, other.id);
            let said = holds(other, spec);
            breach = match self.exemption(other.id).filter(|_| !all) {
                Some(exempt) => format!("{breach}\n&& ({exempt} || {said})"),
                None => format!("{breach}\n&& ({said})"),
            };
        }
        format!(
            "variables.{containers}.filter(c,\n{breach}\n).map(c, 'Container ' + c.name + {})",
            quoted(&format!(" {} ({})", policy.breach, policy.id))
        )
    }

    /// Whether a namespace is let off, where any is.
    fn exemption(&self, id: &str) -> Option<String> {
        self.exempt.contains(&id).then(|| is_exempt(id))
    }

    /// Who is let off, and why, as the variable `exempt`; nothing where nobody is.
    fn let_off(&self, policies: &[&'static Policy]) -> Option<(String, String)> {
        let texts = policies.iter().filter_map(|policy| {
            let exempt = self.exemption(policy.id)?;
            Some(format!("({exempt} ? {} : [])", noted(&variable(policy), policy.id)))
        });
        let texts: Vec<String> = texts.collect();
        (!texts.is_empty()).then(|| ("exempt".to_owned(), texts.join(" +\n")))
    }
}

impl Whose<'_> {
    /// What breaches lead to.
    pub(super) fn modes(self, plan: &Plan) -> Modes {
        match self {
            Whose::Tier(tier) => tier.modes,
            Whose::Others => Modes::strictest(plan.tiers.values().map(|tier| &tier.modes)),
        }
    }
}

/// Whether a namespace is let off what has that id.
pub(super) fn is_exempt(id: &str) -> String {
    format!("namespaceObject.metadata.?annotations[?{}].hasValue()", quoted(&format!("{EXEMPT}{id}")))
}

/// The texts of a variable with why a namespace is let off, where it is.
pub(super) fn noted(variable: &str, id: &str) -> String {
    let why = format!("namespaceObject.metadata.annotations[{}]", quoted(&format!("{EXEMPT}{id}")));
    format!("variables.{variable}.map(t, t + ': exempt, ' + {why})")
}

/// Ids of the policies that some namespace of these is let off.
pub(super) fn exemptible(plan: &Plan, whose: Whose<'_>) -> Vec<&'static str> {
    let Whose::Tier(tier) = whose else { return Vec::new() };
    let all = || plan.platform.admission.exemptions.iter().chain(&tier.exemptions);
    POLICIES.iter().map(|policy| policy.id).filter(|id| all().any(|e| e.policies.contains(*id))).collect()
}

/// That nothing is told.
pub(super) fn none_told(message: &str, before: &str) -> Validation {
    let words = format!(
        "variables.told.size() <= {MOST_NAMED} ? variables.told.join('; ') :\n\
         variables.told.transformList(i, t, i < {MOST_NAMED}, t).join('; ')\n\
         + '; and ' + string(variables.told.size() - {MOST_NAMED}) + ' more'"
    );
    let words = if before.is_empty() { words } else { format!("{} +\n({words})", quoted(before)) };
    validation("variables.told.size() == 0", message, Some(words))
}

fn variable(policy: &Policy) -> String {
    policy.id.replace('-', "_")
}

fn holds(policy: &Policy, spec: &str) -> String {
    policy.cel.replace(SPEC, spec)
}
