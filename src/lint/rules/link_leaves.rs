//! L121: a link that leads out.

use std::sync::Arc;

use super::{Check, Consumer, Rule};
use crate::diagnostic::Severity;
use crate::inputs::Input;
use crate::lint::found::Found;
use crate::place::Place;

/// The row of [`super::RULES`].
pub const RULE: Rule = Rule {
    id: "L121",
    severity: Severity::Error,
    title: "a link that leads out",
    why: "Argo CD refuses the whole repository for one symbolic link that leaves it or is absolute, wherever it \
          stands; Flux leaves links out, and kubectl reads whatever lies there.",
    fix: "Put the file itself there.",
    source: "CheckOutOfBoundsSymlinks in util/app/path/path.go of argoproj/argo-cd",
    consumers: &[Consumer::Argo, Consumer::Flux, Consumer::Kubectl],
    example: "values.yaml -> /etc/passwd",
    in_units: false,
    check: Check::Input(check),
};

fn check(path: &Arc<str>, input: &Input, found: &mut Found) {
    let what = match input {
        Input::LinkLeaves => "the link leads out of the repository, or nowhere",
        Input::Special => "expected a file, found a device, socket or pipe",
        Input::Bytes(_) | Input::Oversized(_) => return,
    };
    found.add(&RULE, Place::file(Arc::clone(path)), what);
}
