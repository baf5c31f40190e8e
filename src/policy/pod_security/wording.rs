//! The API server's words: names in quotes, one or more of them, and who has set what is not allowed.

/// Each in quotes, `, ` between them. What stands in the quotes is not escaped.
pub fn quoted<T: AsRef<str>>(items: impl IntoIterator<Item = T>) -> String {
    let items: Vec<String> = items.into_iter().map(|item| format!("\"{}\"", item.as_ref())).collect();
    items.join(", ")
}

/// The word for so many.
pub fn counted(one: &'static str, more: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { more }
}

/// `container "a"`, `containers "a", "b"`.
pub fn containers(names: &[&str]) -> String {
    format!("{} {}", counted("container", "containers", names.len()), quoted(names))
}

/// Who set it: `pod`, `container "a"`, `pod and containers "a", "b"`; nobody is none.
pub fn setters(is_pod: bool, names: &[&str]) -> Option<String> {
    match (is_pod, names.is_empty()) {
        (false, true) => None,
        (true, true) => Some("pod".to_owned()),
        (false, false) => Some(containers(names)),
        (true, false) => Some(format!("pod and {}", containers(names))),
    }
}

/// A string as Go's `%q` writes it.
///
/// Source: <https://pkg.go.dev/strconv#Quote>
pub fn go_quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for char in text.chars() {
        match char {
            '"' => quoted += "\\\"",
            '\\' => quoted += "\\\\",
            '\u{07}' => quoted += "\\a",
            '\u{08}' => quoted += "\\b",
            '\u{0c}' => quoted += "\\f",
            '\n' => quoted += "\\n",
            '\r' => quoted += "\\r",
            '\t' => quoted += "\\t",
            '\u{0b}' => quoted += "\\v",
            _ if char == '\'' || is_printable(char) => quoted.push(char),
            _ => match u32::from(char) {
                code @ ..0x80 => quoted += &format!("\\x{code:02x}"),
                code @ ..0x1_0000 => quoted += &format!("\\u{code:04x}"),
                code => quoted += &format!("\\U{code:08x}"),
            },
        }
    }
    quoted + "\""
}

/// Letters, marks, numbers, punctuation, symbols and the space of ASCII: those that Rust does not escape within a text.
/// (At the start of one it escapes marks as well.)
fn is_printable(char: char) -> bool {
    format!("a{char}").escape_debug().skip(1).eq([char])
}

#[cfg(test)]
mod tests {
    use super::{go_quoted, setters};

    #[test]
    fn are_as_the_api_server_has_them() {
        assert_eq!(setters(false, &[]), None);
        assert_eq!(setters(true, &[]).as_deref(), Some("pod"));
        assert_eq!(setters(false, &["a"]).as_deref(), Some("container \"a\""));
        assert_eq!(setters(true, &["a", "b"]).as_deref(), Some("pod and containers \"a\", \"b\""));
    }

    /// What Go 1.26 wrote.
    #[test]
    fn are_quoted_as_go_does() {
        for (text, quoted) in [
            ("unconfined", r#""unconfined""#),
            ("a\"b\\c'd", r#""a\"b\\c'd""#),
            ("\u{0}\u{7}\u{8}\u{c}\n\r\t\u{b}\u{7f}", r#""\x00\a\b\f\n\r\t\v\x7f""#),
            ("é e\u{301} 世 \u{1f600}", "\"é e\u{301} 世 \u{1f600}\""),
            ("\u{80}\u{a0}\u{ad}\u{200b}\u{202e}\u{feff}", r#""\u0080\u00a0\u00ad\u200b\u202e\ufeff""#),
            ("\u{e0001}\u{10ffff}", r#""\U000e0001\U0010ffff""#),
            ("\u{301}", "\"\u{301}\""),
        ] {
            assert_eq!(go_quoted(text), quoted);
        }
    }
}
