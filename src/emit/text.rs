//! How text, keys and numbers are written: plain, in quotes, or as a block.

use super::EmitError;
use crate::yaml::plain;

/// Whether `text` means itself to every reader when it is written without quotes.
pub fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let Some(&first) = bytes.first() else { return false };
    // Indicators begin something else; a comma or a closing bracket only in flow style, but a reader of excerpts may be in
    // either.
    if !(first.is_ascii_alphanumeric() || matches!(first, b'/' | b'_' | b'(' | b'.' | b'$')) {
        return false;
    }
    // Nearly every text has none of the characters that matter only beside another one: that is found without a branch.
    match bytes.iter().fold(0, |all, b| all | CLASS[usize::from(*b)]) {
        0 => return plain::is_text(text),
        class if class & NEVER != 0 => return false,
        _ => {}
    }
    let mut before = 0;
    for &b in bytes {
        let safe = match b {
            // `: ` ends a key, ` #` begins a comment.
            b' ' => before != b':',
            b'#' => before != b' ',
            _ => true,
        };
        if !safe {
            return false;
        }
        before = b;
    }
    !matches!(before, b' ' | b':') && plain::is_text(text)
}

/// In [`CLASS`]: a character that stands in quotes only.
const NEVER: u8 = 1;

/// In [`CLASS`]: a character whose neighbours matter.
const SOMETIMES: u8 = 2;

/// What each byte of a text without quotes may mean; 0: itself.
const CLASS: [u8; 256] = {
    let mut class = [NEVER; 256];
    let mut b = 0x20;
    while b < 0x7f {
        class[b] = if matches!(b as u8, b' ' | b':' | b'#') { SOMETIMES } else { 0 };
        b += 1;
    }
    class
};

/// Whether `text` is written as a literal block: lines of visible text that no reader folds, trims or re-indents.
pub fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    body.contains('\n')
        && !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && body.lines().all(|line| !line.ends_with([' ', '\r']))
        && body.chars().all(|c| c == '\n' || (c != '\t' && !is_escaped(c)))
}

/// Writes `text` as a literal block, its lines at `column`.
pub fn block(text: &str, column: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(if text.ends_with('\n') { b"|\n" } else { b"|-\n" });
    for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
        if !line.is_empty() {
            indent(column, out);
            out.extend_from_slice(line.as_bytes());
        }
        out.push(b'\n');
    }
}

/// Writes `text` as it is, or in quotes.
pub fn one_line(text: &str, out: &mut Vec<u8>) {
    if is_plain(text) {
        out.extend_from_slice(text.as_bytes());
    } else {
        quote(text, out);
    }
}

/// Writes `text` in double quotes, with the escapes that JSON and YAML share.
pub fn quote(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for c in text.chars() {
        match c {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            '\r' => out.extend_from_slice(b"\\r"),
            c if is_escaped(c) => {
                let code = u32::from(c);
                let escape = if code > 0xffff { format!("\\U{code:08x}") } else { format!("\\u{code:04x}") };
                out.extend_from_slice(escape.as_bytes());
            }
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// Characters that a reader of YAML may not accept as they are, or that a reviewer would not see: controls, line and
/// paragraph separators, and Unicode's format characters, direction changes among them.
fn is_escaped(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}'
        | '\u{8e2}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{fffe}' | '\u{ffff}'
        | '\u{110bd}' | '\u{110cd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// A finite number with a dot and a signed exponent, without which PyYAML reads text.
pub fn float(v: f64) -> Result<String, EmitError> {
    if !v.is_finite() {
        return Err(EmitError(format!("{v} is no number that a manifest can hold")));
    }
    let text = format!("{v:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else { return Ok(text) };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    Ok(format!("{mantissa}{dot}e{sign}{exponent}"))
}

/// Goes to `column` on a new line.
pub fn indent(column: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + column, b' ');
}

/// Whether every character of `text` is one that people see.
pub fn is_visible(text: &str) -> bool {
    !text.chars().any(is_escaped)
}

/// What kustomize, and so Flux, cannot carry in a text, however it is quoted: it reads the text, writes it as YAML of its
/// own, and does not read that again, or reads something else. One such text would stop a whole folder from being applied.
/// Tried with every control character and every beginning, kustomize of kubectl 1.37.
pub fn uncarried(text: &str) -> Option<&'static str> {
    if text.starts_with('\t') && text.contains('\n') {
        return Some("begins with a tab and has more than one line");
    }
    let control = |c: char| matches!(c, '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}');
    text.contains(control)
        .then_some("has a character that kustomize loses in it: U+007F to U+009F, U+2028, U+2029, U+FFFE or U+FFFF")
}
