//! What tenants name is in the lists that bound it: see [`crate::policy::restrictions`].
//!
//! Of a change, what was named before is let be: a list may be younger than an object.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::admissionregistration::v1::NamedRuleWithOperations;

use super::pods::{MODES, is_exempt, none_told, noted};
use super::{Judge, Whose, in_tenants, quoted, quoted_list, rule, workloads};
use crate::contract::admission::Mode;
use crate::plan::admission::PoliciesPlan;
use crate::plan::{Plan, TenantPlan, TierPlan};
use crate::policy::restrictions::{
    About, Allowed, CLASS, KIND, Lists, OF, OWN, OWN_ENTRIES, PINNED, PINNERS, RESTRICTIONS, Restriction,
};

/// The policies about objects that name something, and about what makes pods that would.
pub fn judges(plan: &Plan, _: &PoliciesPlan) -> Vec<Judge> {
    Whose::each(plan)
        .flat_map(|whose| {
            let bounds = whose.bounds(plan);
            let each =
                MODES.into_iter().filter_map(|(mode, _, actions)| of_objects(plan, whose, &bounds, mode, actions));
            each.chain(of_templates(plan, whose, &bounds)).collect::<Vec<_>>()
        })
        .collect()
}

/// A list that bounds something here: the tier's, and whether some tenant has one of its own.
struct Row<'l> {
    restriction: &'static Restriction,
    of_tier: Option<&'l Allowed>,
    is_tenants: bool,
}

/// What may be named in namespaces.
struct Bounds {
    lists: Lists,
    /// Of which lists a tenant there has one of its own, with what naming something else leads to.
    own: BTreeMap<&'static str, Mode>,
}

/// Those of the lists whose breach leads to something that `is` it.
fn rows(bounds: &Bounds, is: impl Fn(Mode) -> bool) -> Vec<Row<'_>> {
    let all = RESTRICTIONS.into_iter().filter_map(|restriction| {
        let (of_tier, own) = (bounds.lists.get(restriction.id), bounds.own.get(restriction.id));
        let mode = of_tier.map(|allowed| allowed.mode).or(own.copied())?;
        is(mode).then_some(Row { restriction, of_tier, is_tenants: own.is_some() })
    });
    all.collect()
}

fn of_objects(
    plan: &Plan,
    whose: Whose<'_>,
    bounds: &Bounds,
    mode: Mode,
    actions: &'static [&'static str],
) -> Option<Judge> {
    let rows = rows(bounds, |stated| stated == mode);
    if rows.is_empty() {
        return None;
    }
    let mut variables = vec![
        ("object".to_owned(), "dyn(object)".to_owned()),
        ("old".to_owned(), "oldObject == null ? dyn({}) : dyn(oldObject)".to_owned()),
    ];
    if rows.iter().any(|row| row.restriction.is_of_pods()) {
        let is_of = |about: About| rows.iter().any(|row| row.restriction.about == about);
        let is_placed = is_of(About::Placement);
        if is_placed {
            let users = quoted_list(PINNERS);
            variables.push(("pinned".to_owned(), format!("request.userInfo.username in {users}\n{IS_OF_SET}")));
        }
        let spec = |of: &str| {
            let mut text = String::new();
            if is_placed {
                text.push_str(&format!("{IS_SET} ? variables.{of}.?spec.template.spec.orValue(dyn({{}})) :\n"));
            }
            if is_of(About::Tokens) {
                text.push_str(&SPEC_OF_SECRET.replace(OF, &format!("variables.{of}")));
            }
            text + &format!("variables.{of}.?spec.orValue(dyn({{}}))")
        };
        variables.push(("spec".to_owned(), spec("object")));
        variables.push(("oldSpec".to_owned(), spec("old")));
    }
    let exempt = exempt(plan, whose);
    let mut told = Vec::new();
    let mut let_off = Vec::new();
    for row in &rows {
        let restriction = row.restriction;
        let name = restriction.id.replace('-', "_");
        let resources = restriction.about.asked().iter().map(|(_, resource, _)| *resource);
        let is_other = match resources.filter(|resource| !resource.contains('/')).collect::<Vec<_>>()[..] {
            [one] => format!("request.resource.resource != {}", quoted(one)),
            ref several => format!("!(request.resource.resource in {})", quoted_list(several)),
        };
        let [of, before] = if restriction.is_of_pods() {
            ["variables.spec", "variables.oldSpec"]
        } else {
            ["variables.object", "variables.old"]
        };
        let [items, old] = [of, before].map(|of| {
            restriction.items_cel.replace(OF, of).replace(KIND, "request.kind.kind").replace(PINNED, "variables.pinned")
        });
        variables.push((format!("{name}_before"), format!("oldObject == null || {is_other} ? [] :\n{old}")));
        let is_new = format!("!(i in variables.{name}_before)");
        let told_here = told_of(restriction, &items, &[is_new, refuses(row)]);
        variables.push((name.clone(), format!("{is_other} ? [] :\n{told_here}")));
        // What is noted anyway is not noted twice.
        if mode != Mode::Audit && exempt.contains(restriction.id) {
            let is_exempt = is_exempt(restriction.id);
            told.push(format!("({is_exempt} ? [] : variables.{name})"));
            let_off.push(format!("({is_exempt} ? {} : [])", noted(&name, restriction.id)));
        } else {
            told.push(format!("variables.{name}"));
        }
    }
    push_told(&mut variables, &told);
    let mut notes = Vec::new();
    if !let_off.is_empty() {
        variables.push(("exempt".to_owned(), let_off.join(" +\n")));
        notes.push(("exempt", "variables.exempt.join('; ')".to_owned()));
    }
    Some(Judge {
        name: whose.name(&format!("named-{}", mode.as_str())),
        about: in_tenants(whose.selected(plan), asked(&rows)),
        when: vec![(
            "changed",
            "request.operation == 'CREATE' || dyn(object).?spec != dyn(oldObject).?spec".to_owned(),
        )],
        variables,
        validations: vec![none_told("it names what is not allowed here: see `mtp policy review`", "")],
        notes,
        actions,
    })
}

/// Whoever applies a Deployment hears what its pods would hear.
fn of_templates(plan: &Plan, whose: Whose<'_>, bounds: &Bounds) -> Option<Judge> {
    let rows = rows(bounds, |mode| mode >= Mode::Warn);
    let is_of_claims = |row: &Row<'_>| row.restriction.about == About::Claims;
    let rows: Vec<Row<'_>> = rows.into_iter().filter(|row| row.restriction.is_of_pods() || is_of_claims(row)).collect();
    if rows.is_empty() {
        return None;
    }
    let exempt = exempt(plan, whose);
    let mut variables = vec![("spec".to_owned(), workloads::SPEC.to_owned())];
    if rows.iter().any(is_of_claims) {
        variables.push(("claims".to_owned(), CLAIMS.replace("$class", &quoted(CLASS))));
    }
    let mut told = Vec::new();
    for row in &rows {
        let restriction = row.restriction;
        let name = restriction.id.replace('-', "_");
        let told_of_one = |of: &str| {
            told_of(restriction, &restriction.items_cel.replace(OF, of).replace(PINNED, "false"), &[refuses(row)])
        };
        let text = if is_of_claims(row) {
            // Lists of lists become one: no line ends within.
            format!(
                "variables.claims.map(c, ({}).join('\\n')).join('\\n').split('\\n').filter(t, t != '')",
                told_of_one("c")
            )
        } else {
            told_of_one("variables.spec")
        };
        variables.push((name.clone(), text));
        told.push(if exempt.contains(restriction.id) {
            format!("({} ? [] : variables.{name})", is_exempt(restriction.id))
        } else {
            format!("variables.{name}")
        });
    }
    push_told(&mut variables, &told);
    Some(Judge {
        name: whose.name("named-workloads"),
        about: in_tenants(whose.selected(plan), workloads::rules()),
        when: vec![("changed", workloads::CHANGED.to_owned()), ("ordered", workloads::ORDERED.to_owned())],
        variables,
        validations: vec![none_told(
            "its pods would be refused: see `mtp policy review`",
            "its pods would name what is not allowed: ",
        )],
        notes: Vec::new(),
        actions: &["Warn"],
    })
}

/// What [`spec_of_secret`](crate::policy::restrictions::spec_of_secret) says, of what stands for [`OF`]; another case follows.
const SPEC_OF_SECRET: &str = "request.resource.resource == 'secrets' ?\n\
    ($of.?type.orValue('') == 'kubernetes.io/service-account-token' ? dyn({'automountServiceAccountToken': true}) : dyn({})) :\n";

/// The claims that come of what makes pods, and of the pods, as far as they say of which class they are.
const CLAIMS: &str = "(dyn(object).?spec.?volumeClaimTemplates.orValue([])\n\
    + variables.spec.?volumes.orValue([]).filter(v, has(v.ephemeral) && has(v.ephemeral.volumeClaimTemplate))\n\
    .map(v, v.ephemeral.volumeClaimTemplate))\n\
    .filter(c, c.?spec.?storageClassName.hasValue() || c.?metadata.?annotations[?$class].hasValue())";

/// Whether it is about a DaemonSet.
const IS_SET: &str = "request.resource.resource == 'daemonsets'";

/// What has to hold besides [`PINNERS`]: of the pods of all other controllers, which may be the same user, none has a DaemonSet for
/// its controller. That alone says nothing: whoever makes a pod may state it.
const IS_OF_SET: &str = "&& request.resource.resource == 'pods' && variables.object.?metadata.ownerReferences.orValue([])\n\
    .exists(o, o.kind == 'DaemonSet' && o.apiVersion.startsWith('apps/') && o.?controller.orValue(false))";

/// That a list does not let an item: the tier's, or the tenant's own; of an empty one, no question.
fn refuses(row: &Row<'_>) -> String {
    let whole = row.restriction.whole_cel;
    if whole.is_empty() {
        return refuses_each(row);
    }
    match refuses_each(row) {
        none if none.is_empty() => none,
        // What entries are held against is worked out once.
        refuses => format!("[{whole}].exists(i, {refuses})"),
    }
}

fn refuses_each(row: &Row<'_>) -> String {
    let let_by = row.restriction.allows_cel;
    let of_tier = match row.of_tier {
        None => None,
        Some(allowed) if allowed.list.is_empty() => return String::new(),
        Some(allowed) => Some(format!("!{}.exists(e, {let_by})", quoted_list(&allowed.list))),
    };
    let own = row.is_tenants.then(|| {
        let key = quoted(&format!("{OWN}{}", row.restriction.id));
        let entries = OWN_ENTRIES.replace("$list", &format!("namespaceObject.metadata.annotations[{key}]"));
        format!("namespaceObject.metadata.?annotations[?{key}].hasValue() && !{entries}.exists(e, {let_by})")
    });
    match (of_tier, own) {
        (Some(tier), Some(own)) => format!("({tier}\n|| {own})"),
        (one, other) => one.or(other).unwrap_or_default(),
    }
}

/// The words about each item of which all this is true: as [`Restriction::message`] says them, with the id.
fn told_of(restriction: &Restriction, items: &str, is: &[String]) -> String {
    let is: Vec<&str> = is.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let kept = if is.is_empty() { String::new() } else { format!(".filter(i,\n{}\n)", is.join("\n&& ")) };
    let before = quoted(&format!("{} '", restriction.what));
    let after = quoted(&format!("' is not allowed ({})", restriction.id));
    format!("({items}){kept}.map(i, {before} + i + {after})")
}

/// All that is told, each once: many containers have one image.
fn push_told(variables: &mut Vec<(String, String)>, told: &[String]) {
    variables.push(("all".to_owned(), told.join(" +\n")));
    let once = "variables.all.size() > 100 ? variables.all :\n\
                variables.all.transformList(n, t, variables.all.indexOf(t) == n, t)";
    variables.push(("told".to_owned(), once.to_owned()));
}

/// What is asked about: for each API group, its resources.
fn asked(rows: &[Row<'_>]) -> Vec<NamedRuleWithOperations> {
    let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for Row { restriction, .. } in rows {
        for (group, resource, _) in restriction.about.asked() {
            let resources = groups.entry(group).or_default();
            if !resources.contains(resource) {
                resources.push(resource);
            }
        }
    }
    groups.into_iter().map(|(group, resources)| rule("Namespaced", &["CREATE", "UPDATE"], group, &resources)).collect()
}

/// Ids that some namespace of these is let off.
fn exempt(plan: &Plan, whose: Whose<'_>) -> BTreeSet<&'static str> {
    let Whose::Tier(tier) = whose else { return Default::default() };
    let all = || plan.platform.admission.exemptions.iter().chain(&tier.exemptions);
    let ids = RESTRICTIONS.into_iter().map(|restriction| restriction.id);
    ids.filter(|id| all().any(|exemption| exemption.policies.contains(*id))).collect()
}

impl Whose<'_> {
    /// What may be named. Where the tier is not known, nothing of what is bounded anywhere.
    fn bounds(self, plan: &Plan) -> Bounds {
        match self {
            Whose::Tier(tier) => Bounds { lists: tier.lists.clone(), own: own(plan, tier) },
            Whose::Others => {
                let of_tiers = plan.tiers.values().flat_map(|tier| tier.lists.keys().copied());
                let known = of_tiers.chain(plan.tiers.values().flat_map(|tier| own(plan, tier).into_keys()));
                let none = |id| (id, Allowed { list: Vec::new(), mode: Mode::Deny });
                Bounds { lists: known.map(none).collect(), own: BTreeMap::new() }
            }
        }
    }
}

/// Of which lists a tenant of the tier has one of its own.
fn own(plan: &Plan, tier: &TierPlan) -> BTreeMap<&'static str, Mode> {
    let here = |tenant: &&TenantPlan| tenant.namespaces.iter().any(|namespace| namespace.tier.name == tier.name);
    let stated = plan.tenants.iter().filter(|tenant| !tenant.lists.is_empty()).filter(here);
    let ids = stated.flat_map(|tenant| tenant.lists.keys());
    let modes = ids.filter_map(|id| tier.list_modes.get_key_value(id));
    modes.filter(|(_, mode)| **mode != Mode::Off).map(|(id, mode)| (*id, *mode)).collect()
}
