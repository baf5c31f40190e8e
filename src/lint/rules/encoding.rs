//! L106: the file is no plain UTF-8.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::inputs::Input;
use crate::lint::found::Found;
use crate::place::{Place, Span};

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L106",
    severity: Severity::Error,
    title: "the file is no plain UTF-8",
    why: "Readers replace, drop or refuse bytes that they do not know, each in its own way; a byte order mark in \
          front of JSON is refused by some.",
    fix: "Save the file as UTF-8 without a byte order mark.",
    source: "<https://www.rfc-editor.org/rfc/rfc8259#section-8.1>; utfutil.OpenFile in \
          reposerver/repository/repository.go of argoproj/argo-cd",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "a file in UTF-16 or Latin-1",
    in_units: true,
    check: Check::Input(check),
};

fn check(path: &Arc<str>, input: &Input, found: &mut Found) {
    match input {
        Input::Bytes(bytes) if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) => {
            found.add(&RULE, Place::file(Arc::clone(path)), "expected UTF-8, found UTF-16");
        }
        Input::Bytes(bytes) => {
            if let Err(error) = std::str::from_utf8(bytes) {
                let at = Place::new(path, Span::at(bytes, error.valid_up_to()));
                found.add(&RULE, at, "expected UTF-8, found other bytes");
            } else if bytes.starts_with("\u{feff}".as_bytes()) {
                let mark = Span { line: 1, column: 1, start: 0, end: 3 };
                found.warn(&RULE, Place::new(path, mark), "the file begins with a byte order mark");
                found.edit(&RULE, path, mark, "");
            }
        }
        Input::Oversized(bytes) => {
            let message = format!("a file of {bytes} bytes is not looked at");
            found.add(&RULE, Place::file(Arc::clone(path)), message).hint("split it");
        }
        Input::LinkLeaves | Input::Special => {}
    }
}
