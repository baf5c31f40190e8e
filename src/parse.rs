//! `parse`: bytes in, documents of the contract out, each value with its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Deserialize;

use crate::certs::{LOCK, NEXT, SERVED};
use crate::contract::{API_VERSION, At, GROUP, KINDS, PlatformFile, TenantFile, TierFile};
use crate::diagnostic::{Diagnostic, Findings};
use crate::inputs::{CERTS, Input, Inputs, MAX_FILE_BYTES, TEMPLATES};
use crate::place::{Place, Span};
use crate::yaml::{self, Node, Trouble, Unreadable, Value, decode, shape};

/// Text that makes Argo CD skip a file; see `argocd-repo-server`'s directory source.
pub const SKIP_MARKER: &str = "+argocd:skip-file-rendering";

/// A document and the file that it stands in.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// Path of the file, relative to the root.
    pub file: Arc<str>,
    /// What it holds.
    pub content: T,
}

impl<T> Document<T> {
    /// A place in this document's file.
    pub fn at(&self, span: Span) -> Place {
        Place::new(&self.file, span)
    }
}

/// A Tenant as it was written. In a box, because a fleet of them moves from stage to stage.
pub type TenantDocument = Document<Box<TenantFile>>;

/// Everything that could be read.
#[derive(Debug, Default)]
pub struct Parsed {
    /// The Platform documents; a plan needs exactly one.
    pub platforms: Vec<Document<PlatformFile>>,
    /// The Tiers, in the order of files and lines.
    pub tiers: Vec<Document<TierFile>>,
    /// The Tenants, in the order of files and lines.
    pub tenants: Vec<TenantDocument>,
    /// The templates of further objects, as text.
    pub templates: Vec<Document<Arc<str>>>,
    /// The state of certificates, as text, by path.
    pub certs: BTreeMap<Arc<str>, Arc<str>>,
    /// The versions of mtp that the Platform wants, read apart from the rest: another version may have other fields.
    pub mtp_version: Option<Document<At<String>>>,
    /// What could not be read, but is known to be there.
    pub missing: Missing,
}

/// Documents that have errors of their own. Who refers to one of them is not told that it does not exist.
#[derive(Debug, Default)]
pub struct Missing {
    /// Kind and name of documents that do not fit their schema.
    names: BTreeSet<(String, String)>,
    /// Whether a file could not be read at all, so that it may hold anything.
    anything: bool,
}

impl Missing {
    /// Whether a document of this kind and name may stand in what could not be read.
    pub fn may_hold(&self, kind: &str, name: &str) -> bool {
        self.anything || self.names.contains(&(kind.to_owned(), name.to_owned()))
    }

    /// Whether a document of this kind may stand in what could not be read.
    pub fn may_hold_kind(&self, kind: &str) -> bool {
        self.anything || self.names.iter().any(|(k, _)| k == kind)
    }
}

/// Reads all input files.
pub fn parse(inputs: &Inputs) -> (Parsed, Vec<Diagnostic>) {
    // A link to a folder has no ending; what lies behind it is not read, which is said.
    let wanted = |(path, input): &(&Arc<str>, &Input)| is_read(path) || **input == Input::LinkLeaves;
    let files: Vec<(&Arc<str>, &Input)> = inputs.iter().filter(wanted).collect();
    let (parsed, findings) = files
        .par_iter()
        .fold(Default::default, |(mut parsed, mut findings): (Parsed, Findings), (path, input)| {
            parse_file(path, input, &mut parsed, &mut findings);
            (parsed, findings)
        })
        .reduce(Default::default, |(mut parsed, mut findings), (more, found)| {
            parsed.append(more);
            findings.merge(found);
            (parsed, findings)
        });
    (parsed, findings.into_sorted())
}

impl Parsed {
    /// Takes over what was read of later files.
    fn append(&mut self, mut more: Parsed) {
        self.platforms.append(&mut more.platforms);
        self.tiers.append(&mut more.tiers);
        self.tenants.append(&mut more.tenants);
        self.templates.append(&mut more.templates);
        self.certs.append(&mut more.certs);
        self.mtp_version = self.mtp_version.take().or(more.mtp_version);
        self.missing.names.append(&mut more.missing.names);
        self.missing.anything |= more.missing.anything;
    }
}

/// Whether a file of the input folder is one of ours to read: YAML by its name, not hidden.
pub fn is_read(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let yaml = matches!(Path::new(path).extension().and_then(|e| e.to_str()), Some("yaml" | "yml"));
    yaml && !hidden
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// The text of a file, or a finding at its first byte that is none.
pub fn text<'b>(path: &Arc<str>, bytes: &'b [u8], findings: &mut Findings) -> Option<&'b str> {
    let error = match std::str::from_utf8(bytes) {
        Ok(text) => return Some(text),
        Err(error) => error,
    };
    let span = Span::at(bytes, error.valid_up_to());
    let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
    findings
        .error("T002", Place::new(path, span), format!("byte 0x{byte:02X} is no UTF-8"))
        .hint("save the file as UTF-8");
    None
}

fn parse_file(path: &Arc<str>, input: &Input, parsed: &mut Parsed, findings: &mut Findings) {
    let whole = || Place::file(Arc::clone(path));
    let odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-'));
    if let Some(c) = path.chars().find(|c| odd(*c)) {
        findings
            .error("T009", whole(), format!("expected `A-Z a-z 0-9 _ . / -` in the path, found `{}`", c.escape_debug()))
            .hint("rename the file");
    }
    let bytes = match input {
        Input::Bytes(bytes) => bytes,
        Input::Oversized(size) => {
            findings
                .error("T003", whole(), format!("the file has {size} bytes, expected at most {MAX_FILE_BYTES}"))
                .hint("split it; documents may stand in any file");
            parsed.missing.anything = true;
            return;
        }
        Input::LinkLeaves => {
            findings
                .error("T004", whole(), "the symbolic link leads out of the folder or nowhere")
                .hint("put the file itself here");
            parsed.missing.anything = true;
            return;
        }
        Input::Special => {
            findings.error("T004", whole(), "expected a file, found a device, socket or pipe").hint("remove it");
            parsed.missing.anything = true;
            return;
        }
    };
    let Some(text) = text(path, bytes, findings) else {
        parsed.missing.anything = true;
        return;
    };
    if is_below(path, CERTS) && ![LOCK, SERVED, NEXT].contains(&&**path) {
        let about = "the file is not read: this folder holds what `mtp certs` writes";
        findings.warning("T905", whole(), about).hint("put tenants and tiers beside it");
        return;
    }
    if is_below(path, CERTS) {
        parsed.certs.insert(Arc::clone(path), text.into());
        return;
    }
    if is_below(path, TEMPLATES) {
        parsed.templates.push(Document { file: Arc::clone(path), content: text.into() });
        return;
    }
    match yaml::read(text) {
        Ok(documents) => {
            for node in &documents {
                parse_document(path, node, parsed, findings);
            }
        }
        Err(unreadable) => {
            report_unreadable(path, unreadable, findings);
            parsed.missing.anything = true;
        }
    }
}

/// Reports why a file is no YAML that is read.
pub fn report_unreadable(path: &Arc<str>, unreadable: Unreadable, findings: &mut Findings) {
    let at = Place::new(path, unreadable.span);
    match unreadable.kind {
        Trouble::Syntax => findings.error("T001", at, unreadable.message),
        Trouble::Bomb => findings.error("T006", at, unreadable.message),
        Trouble::Folded => {
            findings.error("T015", at, unreadable.message).hint("mind the indentation, or put the text in quotes")
        }
        Trouble::Feature => {
            findings.error("T015", at, unreadable.message).hint("do without it; anchors and aliases are fine")
        }
    };
}

fn parse_document(path: &Arc<str>, node: &Node<'_>, parsed: &mut Parsed, findings: &mut Findings) {
    let errors = findings.errors();
    check_everywhere(path, node, findings);
    let text = |key: &str| node.get(key).and_then(|n| n.text());
    let name = || node.get("metadata").and_then(|m| m.get("name")).and_then(|n| n.text());
    let kind = text("kind").unwrap_or_default();
    let Some(shape) = shape::KINDS.get(kind).filter(|_| text("apiVersion") == Some(API_VERSION)) else {
        unknown_kind(path, node, findings);
        // A misspelt kind or version: whoever refers to its name need not hear of it again.
        for kind in KINDS {
            parsed.missing.names.insert((kind.to_owned(), name().unwrap_or_default().to_owned()));
        }
        return;
    };
    if kind == "Platform"
        && let Some(wanted) = node.get("spec").and_then(|spec| spec.get("mtpVersion"))
        && let Some(text) = wanted.text()
    {
        let content = At::new(text.to_owned(), wanted.span);
        parsed.mtp_version.get_or_insert(Document { file: Arc::clone(path), content });
    }
    shape.check(kind, node, path, findings);
    let fits = findings.errors() == errors
        && match kind {
            "Platform" => put(path, node, &mut parsed.platforms, findings),
            "Tier" => put(path, node, &mut parsed.tiers, findings),
            _ => put(path, node, &mut parsed.tenants, findings),
        };
    if !fits {
        parsed.missing.names.insert((kind.to_owned(), name().unwrap_or_default().to_owned()));
    }
}

fn put<T: for<'de> Deserialize<'de>>(
    path: &Arc<str>,
    node: &Node<'_>,
    documents: &mut Vec<Document<T>>,
    findings: &mut Findings,
) -> bool {
    match decode::decode(node) {
        Ok(content) => {
            documents.push(Document { file: Arc::clone(path), content });
            true
        }
        Err(mismatch) => {
            findings.error("T013", Place::new(path, mismatch.span), mismatch.message);
            false
        }
    }
}

fn unknown_kind(path: &Arc<str>, node: &Node<'_>, findings: &mut Findings) {
    let (version, kind) = (node.get("apiVersion"), node.get("kind"));
    let place = |n: Option<&Node<'_>>| Place::new(path, n.map_or(node.span, |n| n.span));
    let text = |n: Option<&Node<'_>>| n.and_then(|n| n.text().map(str::to_owned)).unwrap_or_default();
    let found = |n: Option<&Node<'_>>| {
        n.map_or("none".to_owned(), |n| n.text().map_or("no text".to_owned(), |t| format!("`{t}`")))
    };
    let expected = shape::list(KINDS.into_iter());
    if !matches!(node.value, Value::Map(_)) {
        findings.error("T010", place(None), format!("expected a document of kind {expected}, found no map"));
    } else if text(version) != API_VERSION {
        let about = format!("expected apiVersion `{API_VERSION}`, found {}", found(version));
        let wrong = findings.error("T010", place(version), about);
        if version.is_some() && !text(version).starts_with(GROUP) {
            wrong.hint("tenants/ holds the input of mtp; other manifests belong elsewhere, or into tenants/templates/");
        }
    } else {
        let about = format!("expected kind {expected}, found {}", found(kind));
        let wrong = findings.error("T010", place(kind), about);
        if let Some(close) = shape::closest(&text(kind), KINDS.into_iter()) {
            wrong.hint(format!("did you mean `{close}`?"));
        }
    }
}

/// What holds for every value of every document: keys are unique, and no text means something to Argo CD or Flux.
fn check_everywhere(path: &Arc<str>, node: &Node<'_>, findings: &mut Findings) {
    match &node.value {
        Value::Scalar { text, .. } => forbidden_text(path, text, node.span, findings),
        Value::List(items) => items.iter().for_each(|item| check_everywhere(path, item, findings)),
        Value::Map(entries) => {
            let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
            for (key, value) in entries {
                if let Some(text) = key.text()
                    && let Some(first) = seen.insert(text, key.span)
                {
                    findings
                        .error("T005", Place::new(path, key.span), format!("the key `{text}` stands here again"))
                        .related(Place::new(path, first), "first here")
                        .hint("keep one of them; readers of YAML differ on which one counts");
                }
                check_everywhere(path, key, findings);
                check_everywhere(path, value, findings);
            }
        }
    }
}

/// Refuses text that a consumer of `rendered/` would act on.
pub fn forbidden_text(path: &Arc<str>, text: &str, span: Span, findings: &mut Findings) {
    // Nearly every text is a word, in which nothing of the below can be.
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'@' | b'/' | b'_')) {
        return;
    }
    if text.contains(SKIP_MARKER) {
        findings
            .error(
                "T008",
                Place::new(path, span),
                format!("the text `{SKIP_MARKER}` makes Argo CD skip the whole file"),
            )
            .hint("take it out");
    }
    if let Some(why) = crate::emit::uncarried(text) {
        findings
            .error("T016", Place::new(path, span), format!("the text {why}"))
            .hint("take it out, or write it otherwise");
    }
    if text.contains("${") {
        findings
            .error("T008", Place::new(path, span), "Flux replaces `${…}` in what it applies")
            .hint("write the value itself");
    }
}
