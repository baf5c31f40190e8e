//! The review as one page that needs nothing else: no request leaves it, and its policy would let none.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

use super::{ReviewReport, json};
use crate::report::visible;

const PAGE: &str = include_str!("page/page.html");
const STYLE: &str = include_str!("page/page.css");

/// One script: its files see each other, and nothing else sees them.
const SCRIPT: &str = concat!(
    "(() => {\n\"use strict\";\n",
    include_str!("page/elements.js"),
    include_str!("page/findings.js"),
    include_str!("page/networks.js"),
    include_str!("page/objects.js"),
    include_str!("page/filters.js"),
    include_str!("page/page.js"),
    "})();\n"
);

/// The whole page.
pub fn write(report: &ReviewReport) -> String {
    let source = |text: &str| format!("'sha256-{}'", BASE64_STANDARD.encode(Sha256::digest(text)));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    );
    let name = if report.name.is_empty() { String::new() } else { format!("{}: ", report.name) };
    let title = escape(&format!("{name}{}", report.verdict()));
    let summary = format!(
        "<p>{}</p>\n<ul><li>{}</li><li>{}</li></ul>",
        escape(&report.verdict()),
        escape(&report.sides()),
        report.objects()
    );
    let parts: [(&str, &str); 6] = [
        ("{{ csp }}", &policy),
        ("{{ title }}", &title),
        ("{{ style }}", STYLE),
        ("{{ script }}", SCRIPT),
        ("{{ data }}", &data(report)),
        ("{{ summary }}", &summary),
    ];
    filled(PAGE, &parts)
}

/// Puts each part where its mark stands. One pass: what a part holds is never looked at for marks.
fn filled(mut page: &str, parts: &[(&str, &str)]) -> String {
    let mut out = String::with_capacity(page.len() + parts.iter().map(|(_, part)| part.len()).sum::<usize>());
    while let Some((at, mark, part)) =
        parts.iter().filter_map(|(mark, part)| Some((page.find(mark)?, mark, part))).min_by_key(|(at, ..)| *at)
    {
        out.push_str(&page[..at]);
        out.push_str(part);
        page = &page[at + mark.len()..];
    }
    out.push_str(page);
    out
}

/// The report as JSON that ends no element and begins none.
fn data(report: &ReviewReport) -> String {
    let text = json::value(report).to_string();
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for c in text.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            // Such characters stand in strings alone. On the page they are spelt out, so that nobody is deceived.
            c if !crate::emit::is_visible(c.encode_utf8(&mut [0; 4])) => {
                out.push_str(&format!("\\\\u{{{:x}}}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out
}

fn escape(text: &str) -> String {
    visible(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
