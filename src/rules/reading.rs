//! Rules about files and YAML: what could be read in two ways is read in none.

use super::{Check::Stage, Rule};

/// The rows.
pub const RULES: &[Rule] = &[
    Rule {
        id: "T001",
        title: "the file is no YAML",
        why: "A file that one YAML reader refuses and another guesses at has no certain meaning.",
        fix: "Correct the place that the message names.",
        check: Stage,
    },
    Rule {
        id: "T002",
        title: "the file is no UTF-8",
        why: "Readers would replace or drop the bytes that they do not know, each in its own way.",
        fix: "Save the file as UTF-8.",
        check: Stage,
    },
    Rule {
        id: "T003",
        title: "the file is too large",
        why: "A tenant file has one or two thousand bytes; a megabyte is a mistake or an attack on whoever reads it.",
        fix: "Split the file; documents may stand in any file below tenants/.",
        check: Stage,
    },
    Rule {
        id: "T004",
        title: "the path leads elsewhere",
        why: "A symbolic link that leaves the folder would let a pull request read files of the machine that renders it.",
        fix: "Put the file itself into tenants/.",
        check: Stage,
    },
    Rule {
        id: "T005",
        title: "duplicate key",
        why: "Some readers take the first of two equal keys, some the last, some neither: a reviewer may approve the other.",
        fix: "Keep one of them.",
        check: Stage,
    },
    Rule {
        id: "T006",
        title: "the file unfolds into too much",
        why: "Aliases of aliases and deep nesting make a small file unfold into gigabytes.",
        fix: "Write the values out, at most 64 levels deep.",
        check: Stage,
    },
    Rule {
        id: "T007",
        title: "a scalar without quotes that readers disagree on",
        why: "kubectl reads `no` as false, `0644` as 420, `1_000` as 1000 and others read text; a date becomes a timestamp in \
              kustomize. What is reviewed would not be what is applied.",
        fix: "Put the value in double quotes.",
        check: Stage,
    },
    Rule {
        id: "T008",
        title: "text that Argo CD or Flux acts on",
        why: "Argo CD skips any file that contains `+argocd:skip-file-rendering`, and then prunes what the file held: a \
              tenant's own quota could vanish by a word in an annotation. Flux replaces `${…}` in whatever it applies.",
        fix: "Write the text otherwise.",
        check: Stage,
    },
    Rule {
        id: "T009",
        title: "odd characters in a path",
        why: "Paths stand in the header of every rendered file and in messages; blanks, quotes and line feeds in them could \
              pass for something else there.",
        fix: "Rename the file: letters, digits, `_`, `.`, `-`, and `/` between folders.",
        check: Stage,
    },
    Rule {
        id: "T010",
        title: "unknown kind of document",
        why: "A document that nothing reads does nothing, and its author would not know.",
        fix: "Write `apiVersion: multitenant.k8s-mtp.io/v1` and kind `Platform`, `Tier` or `Tenant`. Other manifests belong \
              outside of tenants/, or into tenants/templates/.",
        check: Stage,
    },
    Rule {
        id: "T011",
        title: "unknown field",
        why: "A misspelt field would be ignored, and with it the limit or the grant that it was meant to be.",
        fix: "Correct its name, or put it where it belongs; `mtp explain Tenant.spec` lists the fields.",
        check: Stage,
    },
    Rule {
        id: "T012",
        title: "missing field",
        why: "Nothing sensible could stand in its place.",
        fix: "Add it; `mtp explain` says what it is for.",
        check: Stage,
    },
    Rule {
        id: "T013",
        title: "a value of the wrong type",
        why: "A list where one value is wanted, or nothing at all, is a slip that would change the meaning of the file.",
        fix: "Write the type that the message names. An empty list is `[]`; a key without a value is refused, because for some \
              fields absent and empty mean opposite things.",
        check: Stage,
    },
    Rule {
        id: "T014",
        title: "not one of the known words",
        why: "The field takes a few words only.",
        fix: "Write one of the words that the message lists.",
        check: Stage,
    },
    Rule {
        id: "T015",
        title: "a part of YAML that its readers disagree on",
        why: "Tags change the type of a value, merge keys are read by some and kept as a key by others, and directives change \
              the language of the file. Text without quotes that goes on in the next line is mostly a list item indented too far.",
        fix: "Write the values out. Anchors and aliases are fine.",
        check: Stage,
    },
    Rule {
        id: "T016",
        title: "text that kustomize cannot carry",
        why: "kustomize, and so Flux, reads a text and writes it again in a form that it does not read itself: after a tab at the \
              beginning of several lines, and with some control characters. One such text stops the whole folder.",
        fix: "Begin the text with something visible, and take control characters out.",
        check: Stage,
    },
];
