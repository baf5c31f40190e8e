//! `Move`: a ceiling or a default that is another one, in words.

use crate::quantity::Quantity;

/// A quantity that moved.
pub struct Move {
    /// What it is of: `limits.cpu`, `max memory of a Container`.
    pub name: String,
    was: String,
    is: String,
}

impl Move {
    /// Between two quantities; told with how far that is.
    pub fn new(name: impl Into<String>, before: &Quantity, after: &Quantity) -> Move {
        let percent =
            (after.nanos() - before.nanos()).saturating_mul(100).checked_div(before.nanos()).unwrap_or_default();
        let sign = if percent > 0 { "+" } else { "" };
        let far = if percent == 0 { String::new() } else { format!(" ({sign}{percent} %)") };
        Move { name: name.into(), was: before.to_string(), is: format!("{after}{far}") }
    }

    /// To a quantity where there was none.
    pub fn from_none(name: impl Into<String>, after: &Quantity) -> Move {
        Move { name: name.into(), was: "none".to_owned(), is: after.to_string() }
    }
}

impl std::fmt::Display for Move {
    /// `limits.cpu 4 → 8 (+100 %)`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} → {}", self.name, self.was, self.is)
    }
}

/// The first three, and how many more there are.
pub fn summed(moves: &[Move]) -> String {
    let mut parts: Vec<String> = moves.iter().take(3).map(ToString::to_string).collect();
    if moves.len() > 3 {
        parts.push(format!("and {} more", moves.len() - 3));
    }
    parts.join(", ")
}

/// What was and what is, a line each.
pub fn sides(moves: &[Move]) -> (Vec<String>, Vec<String>) {
    let line = |name: &str, value: &str| format!("{name}: {value}");
    moves.iter().map(|m| (line(&m.name, &m.was), line(&m.name, &m.is))).unzip()
}
