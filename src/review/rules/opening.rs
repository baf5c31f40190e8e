//! What the rules about connections have in common: what is opened, in words, and by which objects.

use super::{Rule, tenant_of};
use crate::plan::Plan;
use crate::review::finding::{Findings, Told};
use crate::review::reach::{Change as Opened, Direction, NOBODY, is_open_to_everybody, lines};
use crate::review::unit::{NETWORKING, Unit};
use crate::review::{Change, Side};

/// What is common to both directions in which a namespace may be opened.
pub fn opened(rule: &'static Rule, direction: Direction, unit: &Unit<'_>, change: &Change<'_>, found: &mut Findings) {
    if unit.is_new() {
        return new_opened(rule, direction, unit, change, found);
    }
    let shift = unit.shift(direction);
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
        (None, None) => is_open_to_everybody(&unit.network(Side::After), direction)
            .then_some("a new namespace is open to everybody"),
        _ => None,
    };
    if let Some(message) = message {
        let told = unit.tell_of(rule, message, pair, "", change);
        found.add(told.sides(Vec::new(), lines(&unit.network(Side::After), direction)));
    }
}

/// What is let through on one side alone, in words. What stays is not among it, so that the same opening is seen to be the
/// same for tenants who differ in what they had.
pub fn moved_lines(unit: &Unit<'_>, direction: Direction) -> [Vec<String>; 2] {
    let [before, after] = [Side::Before, Side::After].map(|side| lines(&unit.network(side), direction));
    let only = |lines: &[String], others: &[String]| {
        lines.iter().filter(|line| !others.contains(line) && *line != NOBODY).cloned().collect()
    };
    [only(&before, &after), only(&after, &before)]
}

/// Pieces in a sentence: the first three, and how many addresses they have together.
pub fn summed(pieces: &[Opened], addresses: u64) -> String {
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
pub fn with_objects(mut told: Told, unit: &Unit<'_>, direction: Direction, change: &Change<'_>) -> Told {
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
