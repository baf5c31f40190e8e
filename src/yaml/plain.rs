//! What YAML readers make of a scalar without quotes; the reader refuses what they disagree on, the emitter quotes it.
//!
//! The readers are those of a manifest's way into a cluster and of the people around it: sigs.k8s.io/yaml (kubectl, Argo
//! CD, the API server; YAML 1.1 booleans), kustomize and Flux (go-yaml v3), PyYAML (YAML 1.1 with base 60 and dates) and
//! readers of YAML 1.2.

use serde_json::Value;

/// Whether no reader takes `text`, written without quotes, for anything but text.
pub fn is_text(text: &str) -> bool {
    !(text.is_empty() || is_keyword(text) || is_number_like(text))
}

/// Whether every reader takes it for nothing.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What some reader takes `text` for, in words; `None` where all take it for text. More exact than [`is_text`], which may
/// quote too much: an author who wrote `--verbose` or `203.0.113.5` is not told that it is a number.
pub fn reading(text: &str) -> Option<&'static str> {
    if is_null(text) {
        Some("nothing")
    } else if matches!(text, "=" | "<<") {
        Some("a value or merge key")
    } else if is_keyword(text) {
        Some("a boolean")
    } else if is_number(text) {
        Some("a number")
    } else if is_date(text) {
        Some("a date")
    } else {
        None
    }
}

/// What is said where readers disagree: `reading` is what some take `text` for.
pub fn disagreement(text: &str, reading: &str) -> String {
    format!("`{text}` without quotes is {reading} to some readers of YAML")
}

/// The value that all readers take `text` for, written without quotes; or else what some of them take it for, in words.
pub fn value(text: &str) -> Result<Value, &'static str> {
    let reading = match (text, reading(text)) {
        ("true", _) => return Ok(Value::Bool(true)),
        ("false", _) => return Ok(Value::Bool(false)),
        _ if is_null(text) => return Ok(Value::Null),
        (_, None) => return Ok(Value::String(text.to_owned())),
        (_, Some(reading)) => reading,
    };
    if is_integer(text)
        && let Ok(number) = text.parse::<i64>()
    {
        return Ok(number.into());
    }
    if is_decimal(text)
        && let Ok(number) = text.parse::<f64>()
    {
        return Ok(number.into());
    }
    Err(reading)
}

/// Whether some reader takes it for a number: integers to base 2, 8, 10, 16 and 60, fractions, infinities. Go's reader
/// drops every `_`, also the one behind a sign.
fn is_number(text: &str) -> bool {
    let text = text.replace('_', "");
    let text = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if [".inf", ".nan"].iter().any(|word| word.eq_ignore_ascii_case(text)) {
        return true;
    }
    let (prefix, rest) = text.split_at_checked(2).unwrap_or((text, ""));
    if matches!(prefix, "0x" | "0X" | "0o" | "0O" | "0b" | "0B") {
        return rest.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let base_60 = text.contains(':') && text.split(':').all(|part| !part.is_empty());
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, ""));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let digits = |text: &str, extra: &[u8]| text.bytes().all(|b| b.is_ascii_digit() || extra.contains(&b));
    let one_dot = number.matches('.').count() <= 1;
    let begins = text.starts_with(|c: char| c == '.' || c.is_ascii_digit()) || text.is_empty();
    begins && one_dot && digits(exponent, b"") && digits(number, if base_60 { b".:" } else { b"." })
}

/// Whether some reader takes it for a date or a time of a day: `2024-01-31` and whatever follows.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut digits = |least: usize| parts.next().is_some_and(|p| p.len() >= least && all_digits(p));
    digits(4) && digits(1) && parts.next().is_some_and(|day| day.starts_with(|c: char| c.is_ascii_digit()))
}

/// The length of the longest word with a meaning.
pub const LONGEST_WORD: usize = 5;

/// Words with a meaning in some reader, in any capitals: YAML 1.1's booleans and nulls, and what Go's ParseBool knows.
fn is_keyword(text: &str) -> bool {
    const WORDS: [&str; 13] = ["y", "n", "t", "f", "on", "no", "yes", "off", "true", "null", "false", "=", "<<"];
    text.len() <= LONGEST_WORD && (text == "~" || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// Whether some reader may take it for a number, a time or a date: it begins as one and holds nothing else. `.inf` and
/// `-.nan` are covered by their first character.
fn is_number_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'+' | b'-' | b'.') => true,
        Some(b'0'..=b'9') => bytes.iter().all(|b| b.is_ascii_hexdigit() || b"xXoO_.:+-TtZz \t".contains(b)),
        _ => false,
    }
}

/// Whether it is an integer that every reader takes for the same one.
pub fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    text == "0" || (!digits.is_empty() && !digits.starts_with('0') && digits.len() < 19 && all_digits(digits))
}

/// Whether it is an integer or a decimal fraction that every reader takes for the same number.
pub fn is_decimal(text: &str) -> bool {
    match text.split_once('.') {
        None => is_integer(text),
        Some((whole, part)) => {
            (whole == "-0" || is_integer(whole)) && !part.is_empty() && part.len() < 10 && all_digits(part)
        }
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{is_text, reading};

    /// Left what authors type without quotes, right whether some reader takes it for a number or a date.
    #[test]
    fn numbers_and_dates() {
        for (typed, other) in [
            ("0644", true),
            ("1_000", true),
            ("-_1", true),
            ("0x1F", true),
            ("-0b1", true),
            ("0o17", true),
            ("1e3", true),
            ("1.e+3", true),
            (".5", true),
            ("+.inf", true),
            ("-.NaN", true),
            ("12:30:45", true),
            ("190:20:30.15", true),
            ("2024-01-31", true),
            ("2024-1-3T10:00:00Z", true),
            ("2024-01-31 10:00:00 +1", true),
            ("--verbose", false),
            ("-api", false),
            ("-500m", false),
            (".example.org", false),
            ("203.0.113.5", false),
            ("203.0.113.0/24", false),
            ("1.2.3", false),
            ("10Gi", false),
            ("500m", false),
            ("12ab", false),
            ("2001:db8::1", false),
            ("+argocd", false),
            ("2024-01", false),
        ] {
            assert_eq!(reading(typed).is_some(), other, "{typed}");
            assert!(!other || !is_text(typed), "{typed} has to be quoted");
        }
    }
}
