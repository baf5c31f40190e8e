//! The shelf of review rules: what a change may do to tenants' isolation, rights and budgets, one file a rule.
//!
//! A row is a rule; `mtp explain ID` prints it, and each has a case under `tests/review/`.

mod admission_loosened;
mod approval_left;
mod approval_over;
mod approval_unused;
mod capacity_exceeded;
mod certificate_changed;
mod changed_by_tool;
mod deleted_with_content;
mod egress_opened;
mod engine_dropped;
mod exemption_added;
mod ingress_opened;
mod isolation_dropped;
mod leeway_widened;
mod limit_dropped;
mod limits_changed;
mod namespace_added;
mod namespace_deleted;
mod namespace_handed_over;
mod namespace_selected;
mod namespace_unprotected;
mod network_closed;
mod not_compared;
mod pod_security_lowered;
mod pod_security_raised;
mod quota_dropped;
mod quota_lowered;
mod quota_raised;
mod replaced;
mod review_loosened;
mod rights_gained;
mod rights_lost;
mod role_widened;
mod service_exposed;
mod state_changed;
mod subject_added;
mod tenant_added;
mod tenant_removed;
mod tier_changed;
mod tier_edited;
mod token_mounted;
mod webhook_replaced;
mod webhook_weakened;

pub use approval_left::RULE as APPROVAL_LEFT;
pub use approval_over::RULE as APPROVAL_OVER;
pub use approval_unused::RULE as APPROVAL_UNUSED;
pub use review_loosened::RULE as REVIEW_LOOSENED;
pub use tenant_added::tenant as tenant_of;

use super::finding::{Findings, Severity};
use super::reach::{Direction, NOBODY, lines};
use super::unit::{NETWORKING, Unit};
use super::{Change, Pair, Side};
use crate::contract::review::Class;
use crate::plan::Plan;

/// One rule. Its id and name stand in reports and approvals and never change their meaning.
#[derive(Debug)]
pub struct Rule {
    /// `R` and three digits.
    pub id: &'static str,
    /// Its name, with which the ids of its findings begin.
    pub name: &'static str,
    /// What it finds, in a few words: `egress opened`.
    pub title: &'static str,
    /// What it is refused with.
    pub class: Class,
    /// How much its findings matter, where the rule does not say otherwise.
    pub severity: Severity,
    /// Why it matters; one or more sentences.
    pub why: &'static str,
    /// A change that it finds.
    pub example: &'static str,
    /// Whether an approval in the same change lifts it.
    pub approvable: bool,
    /// What finds it.
    pub check: Check,
}

/// What finds what a rule is about.
#[derive(Debug, Clone, Copy)]
pub enum Check {
    /// A look at each namespace, and at what stands in none.
    Unit(fn(&Unit<'_>, &Change<'_>, &mut Findings)),
    /// A look at each object that differs.
    Pair(fn(&Pair, &Unit<'_>, &Change<'_>, &mut Findings)),
    /// A look at the change as a whole.
    Change(fn(&Change<'_>, &mut Findings)),
    /// The gate, which holds findings against approvals.
    Gate,
}

/// All rules, by id.
pub const RULES: &[&Rule] = &[
    &egress_opened::RULE,
    &ingress_opened::RULE,
    &isolation_dropped::RULE,
    &network_closed::RULE,
    &namespace_selected::RULE,
    &service_exposed::RULE,
    &rights_gained::RULE,
    &role_widened::RULE,
    &subject_added::RULE,
    &rights_lost::RULE,
    &token_mounted::RULE,
    &pod_security_lowered::RULE,
    &pod_security_raised::RULE,
    &quota_dropped::RULE,
    &quota_raised::RULE,
    &quota_lowered::RULE,
    &limit_dropped::RULE,
    &limits_changed::RULE,
    &capacity_exceeded::RULE,
    &admission_loosened::RULE,
    &exemption_added::RULE,
    &webhook_weakened::RULE,
    &engine_dropped::RULE,
    &certificate_changed::RULE,
    &webhook_replaced::RULE,
    &namespace_deleted::RULE,
    &namespace_unprotected::RULE,
    &deleted_with_content::RULE,
    &replaced::RULE,
    &namespace_handed_over::RULE,
    &tenant_added::RULE,
    &namespace_added::RULE,
    &state_changed::RULE,
    &tenant_removed::RULE,
    &tier_changed::RULE,
    &tier_edited::RULE,
    &review_loosened::RULE,
    &approval_unused::RULE,
    &approval_over::RULE,
    &approval_left::RULE,
    &leeway_widened::RULE,
    &changed_by_tool::RULE,
    &not_compared::RULE,
];

/// The rule of that id or name.
pub fn find(id: &str) -> Option<&'static Rule> {
    RULES.iter().copied().find(|rule| rule.id.eq_ignore_ascii_case(id) || rule.name == id)
}

/// Looks at a namespace with every rule.
pub fn of_unit(unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    for rule in RULES {
        match rule.check {
            Check::Unit(check) => check(unit, change, found),
            Check::Pair(check) => unit.pairs.iter().for_each(|pair| check(pair, unit, change, found)),
            Check::Change(_) | Check::Gate => {}
        }
    }
}

/// Looks at the whole.
pub fn of_change(change: &Change<'_>, found: &mut Findings) {
    for rule in RULES {
        if let Check::Change(check) = rule.check {
            check(change, found);
        }
    }
}

/// What is common to both directions in which a namespace may be opened.
fn opened(rule: &'static Rule, direction: Direction, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let shift = unit.shift(direction);
    if unit.is_new() {
        return new_opened(rule, direction, unit, change, found);
    }
    // What is not isolated at all is another rule's.
    if shift.dropped || shift.gained.is_empty() || unit.is_gone() {
        return;
    }
    let verb = match direction {
        Direction::Ingress => "may be reached by",
        Direction::Egress => "may connect to",
    };
    let [before, after] = moved_lines(unit, direction);
    let told =
        unit.tell(rule, format!("pods {verb} {}", summed(&shift.gained, shift.addresses[0]))).sides(before, after);
    found.add(with_objects(told, unit, direction, change));
}

/// A namespace that is new opens nothing that was closed. Held against what is known: what no other namespace of its tenant
/// had, or, of nobody's tenant, what is open to everybody.
fn new_opened(rule: &'static Rule, direction: Direction, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    let Some(pair) = unit.namespace() else { return };
    let message = match (change.plans[0].zip(unit.tenant()), change.plans[1]) {
        (Some((before, name)), Some(after)) => {
            let reaches = |plan: &Plan| tenant_of(plan, name).map(|t| t.namespaces.iter().any(|n| n.internet));
            let own = tenant_of(after, name).into_iter().flat_map(|t| &t.namespaces).find(|n| n.name == unit.name);
            let opens = own.is_some_and(|n| n.internet) && reaches(before) == Some(false);
            (direction == Direction::Egress && opens)
                .then_some("a further namespace reaches the internet, which none of the tenant's did")
        }
        (None, None) => {
            let open = lines(&unit.network(Side::After), direction);
            let everybody =
                |line: &String| line.contains("everybody,") || line.contains("0.0.0.0/0") || line.contains("::/0");
            open.iter().any(everybody).then_some("a new namespace is open to everybody")
        }
        _ => None,
    };
    if let Some(message) = message {
        let told = unit.tell_of(rule, message, pair, "", change);
        found.add(told.sides(Vec::new(), lines(&unit.network(Side::After), direction)));
    }
}

/// What is let through on one side alone, in words. What stays is not among it, so that the same opening is seen to be the
/// same for tenants who differ in what they had.
fn moved_lines(unit: &Unit<'_>, direction: Direction) -> [Vec<String>; 2] {
    let [before, after] = [Side::Before, Side::After].map(|side| lines(&unit.network(side), direction));
    let only = |lines: &[String], others: &[String]| {
        lines.iter().filter(|line| !others.contains(line) && *line != NOBODY).cloned().collect()
    };
    [only(&before, &after), only(&after, &before)]
}

/// Pieces in a sentence: the first three, and how many addresses they have together.
fn summed(pieces: &[super::reach::Change], addresses: u64) -> String {
    let mut text: Vec<&str> = pieces.iter().take(3).map(|piece| piece.text.as_str()).collect();
    let more = format!("{} more", pieces.len().saturating_sub(3));
    if pieces.len() > 3 {
        text.push(&more);
    }
    let count = if addresses > 0 { format!(" ({})", count(addresses)) } else { String::new() };
    format!("{}{count}", text.join("; "))
}

/// `16,777,216 IPv4 addresses`.
fn count(addresses: u64) -> String {
    if addresses == 1 {
        return "1 IPv4 address".to_owned();
    }
    let digits = addresses.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    format!("{out} IPv4 addresses")
}

/// The policies that differ, and the lines that brought that about.
fn with_objects(
    mut told: super::finding::Told,
    unit: &Unit<'_>,
    direction: Direction,
    change: &Change<'_>,
) -> super::finding::Told {
    let pointer = match direction {
        Direction::Ingress => "/spec/ingress",
        Direction::Egress => "/spec/egress",
    };
    told = told.cause(unit.cause(NETWORKING, &["NetworkPolicy"]));
    for pair in unit.pairs_of(NETWORKING, "NetworkPolicy") {
        let speaks = |side| pair.side(side).is_some_and(|m| m.value.pointer(pointer).is_some());
        if !speaks(Side::Before) && !speaks(Side::After) {
            continue;
        }
        told = told.object(&pair.id);
        if let Some(manifest) = pair.last() {
            let first = format!("{pointer}/0");
            told = told.at(change.edits.cause(manifest, &first, change.plans[1]));
        }
    }
    told
}
