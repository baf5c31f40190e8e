//! What YAML readers make of a scalar without quotes; the reader refuses what they disagree on, the emitter quotes it.
//!
//! The readers are those of a manifest's way into a cluster and of the people around it: sigs.k8s.io/yaml (kubectl, Argo
//! CD, the API server; YAML 1.1 booleans), kustomize and Flux (go-yaml v3), PyYAML (YAML 1.1 with base 60 and dates) and
//! readers of YAML 1.2.

/// Whether no reader takes `text`, written without quotes, for anything but text.
pub fn is_text(text: &str) -> bool {
    !(text.is_empty() || is_keyword(text) || is_number_like(text))
}

/// Whether every reader takes it for nothing.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// What some reader takes `text` for, in words; `None` where all take it for text.
pub fn reading(text: &str) -> Option<&'static str> {
    if is_text(text) {
        None
    } else if is_null(text) {
        Some("nothing")
    } else if !is_keyword(text) {
        Some("a number or a date")
    } else if matches!(text, "=" | "<<") {
        Some("a value or merge key")
    } else {
        Some("a boolean")
    }
}

/// Words with a meaning in some reader, in any capitals: YAML 1.1's booleans and nulls, and what Go's ParseBool knows.
fn is_keyword(text: &str) -> bool {
    const WORDS: [&str; 13] = ["y", "n", "t", "f", "on", "no", "yes", "off", "true", "null", "false", "=", "<<"];
    text.len() <= 5 && (text == "~" || WORDS.iter().any(|word| word.eq_ignore_ascii_case(text)))
}

/// Whether some reader may take it for a number, a time or a date: it begins as one and holds nothing else. `.inf` and
/// `-.nan` are covered by their first character.
fn is_number_like(text: &str) -> bool {
    let bytes = text.as_bytes();
    match bytes.first() {
        Some(b'+' | b'-' | b'.') => true,
        Some(b'0'..=b'9') => bytes.iter().all(|b| {
            matches!(b, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F')
                || matches!(
                    b,
                    b'x' | b'X' | b'o' | b'O' | b'_' | b'.' | b':' | b'+' | b'-' | b'T' | b't' | b'Z' | b'z' | b' '
                )
        }),
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
        Some((whole, part)) => is_integer(whole) && !part.is_empty() && part.len() < 10 && all_digits(part),
    }
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}
