//! The one place that reads YAML: text in, nodes that know their place out.
//!
//! The parser is granit-parser, the one below serde-saphyr. It is used without serde-saphyr's serde layer, because that
//! stops at the first problem and does not say whether a scalar was quoted; authors want all problems at once, and what
//! `no` means depends on the quotes.

pub mod decode;
mod foreign;
mod json;
pub mod plain;
pub mod shape;

pub use foreign::{Foreign, read_foreign, read_json};
pub use json::json;

use std::borrow::Cow;
use std::collections::BTreeMap;

use granit_parser::{Event, Parser, ScalarStyle, ScanError};

use crate::place::Span;

/// How deeply values may be nested. Kubernetes' own objects stay below 40.
pub const MAX_DEPTH: usize = 64;

/// How many values a file may hold once its aliases are followed.
pub const MAX_NODES: usize = 100_000;

/// How much text a file may hold once its aliases are followed, in bytes.
pub const MAX_TEXT: usize = 4 * 1024 * 1024;

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node<'a> {
    /// Where it stands.
    pub span: Span,
    /// What it is.
    pub value: Value<'a>,
}

/// What a [`Node`] is.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A scalar. Without quotes (`plain`), readers may take it for something else than text.
    Scalar {
        /// The text, escapes resolved.
        text: Cow<'a, str>,
        /// Whether it was written without quotes and is no block of text.
        plain: bool,
    },
    /// A list.
    List(Vec<Node<'a>>),
    /// A map, in the order of the file. Keys may occur twice.
    Map(Vec<(Node<'a>, Node<'a>)>),
}

impl<'a> Node<'a> {
    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            Value::List(_) | Value::Map(_) => None,
        }
    }

    /// The first value of `key`, in a map.
    pub fn get(&self, key: &str) -> Option<&Node<'a>> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.text() == Some(key)).map(|(_, v)| v),
            Value::Scalar { .. } | Value::List(_) => None,
        }
    }

    /// Whether nothing was written, or `null` without quotes.
    pub fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar { text, plain: true } if plain::is_null(text))
    }
}

/// Why a file cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// Where.
    pub span: Span,
    /// What kind of problem it is.
    pub kind: Trouble,
    /// What is wrong, as a fact.
    pub message: String,
}

/// The kinds of problem that end the reading of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// It is no YAML.
    Syntax,
    /// It holds more than the limits of this module allow.
    Bomb,
    /// It uses a part of YAML that its readers disagree on: tags, merge keys, directives.
    Feature,
    /// It has text without quotes over several lines.
    Folded,
}

/// All documents of `text`; empty ones (nothing, or comments alone) are left out.
pub fn read(text: &str) -> Result<Vec<Node<'_>>, Unreadable> {
    let options = granit_parser::options! { strict_indentation: true, disallow_directives: true };
    let mut reader = Reader::new(Bounds { nodes: MAX_NODES, text: MAX_TEXT, foreign: false });
    if let Some(offset) = lone_carriage_return(text) {
        let message =
            "a carriage return without a line feed ends a line for readers of YAML, and not for people".to_owned();
        return Err(Unreadable { span: Span::at(text.as_bytes(), offset), kind: Trouble::Syntax, message });
    }
    let mut documents = Vec::new();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, at) = event.map_err(|e| syntax(&e))?;
        let lines = at.end.line() - at.start.line() + 1;
        let at = span(&at);
        if let Some(document) = reader.take(event, at, lines)? {
            documents.push(document);
        }
    }
    Ok(documents)
}

/// Where a carriage return stands that no line feed follows.
fn lone_carriage_return(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let lone = |(at, byte): (usize, &u8)| *byte == b'\r' && bytes.get(at + 1) != Some(&b'\n');
    bytes.iter().enumerate().position(lone)
}

/// How much a file may hold, and whether it is one of ours to be strict about.
#[derive(Clone, Copy)]
struct Bounds {
    nodes: usize,
    text: usize,
    /// Written by others: what all readers of manifests agree on is read, though we would not write it.
    foreign: bool,
}

struct Reader<'a> {
    bounds: Bounds,
    nodes: usize,
    text: usize,
    anchors: BTreeMap<usize, Node<'a>>,
    open: Vec<Open<'a>>,
    document: Option<Node<'a>>,
}

/// A list or map whose end has not come yet.
struct Open<'a> {
    span: Span,
    anchor: usize,
    items: Items<'a>,
}

enum Items<'a> {
    List(Vec<Node<'a>>),
    Map { entries: Vec<(Node<'a>, Node<'a>)>, key: Option<Node<'a>> },
}

impl<'a> Reader<'a> {
    fn new(bounds: Bounds) -> Self {
        Reader { bounds, nodes: 0, text: 0, anchors: BTreeMap::new(), open: Vec::new(), document: None }
    }

    /// Takes the next event, which stands on so many lines; a document where one is complete.
    fn take(&mut self, event: Event<'a>, at: Span, lines: usize) -> Result<Option<Node<'a>>, Unreadable> {
        match event {
            Event::DocumentStart(..) => self.anchors.clear(),
            Event::DocumentEnd => {
                let document = self.document.take();
                return Ok(document.filter(|d| !d.is_null()));
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.no_tag(tag.as_deref(), at)?;
                let mut plain = style == ScalarStyle::Plain;
                if self.bounds.foreign {
                    plain &= lines == 1 && !foreign::is_tagged_text(tag.as_deref());
                }
                // A list item that is indented too far becomes more text of the item before it, and nobody sees that.
                if plain && lines > 1 {
                    let message = "expected text in quotes, found text without quotes over several lines".to_owned();
                    return Err(Unreadable { span: at, kind: Trouble::Folded, message });
                }
                self.count(1, text.len(), at)?;
                self.place(anchor, Node { span: at, value: Value::Scalar { text, plain } })?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.no_tag(tag.as_deref(), at)?;
                self.open(anchor, at, Items::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.no_tag(tag.as_deref(), at)?;
                self.open(anchor, at, Items::Map { entries: Vec::new(), key: None })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { mut span, anchor, items }) = self.open.pop() {
                    span.end = at.end.max(span.end);
                    let value = match items {
                        Items::List(items) => Value::List(items),
                        Items::Map { entries, .. } => Value::Map(self.merged(entries)),
                    };
                    self.place(anchor, Node { span, value })?;
                }
            }
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id) else {
                    let message = "an alias inside of its own anchor has no end".to_owned();
                    return Err(Unreadable { span: at, kind: Trouble::Bomb, message });
                };
                let (nodes, text, depth) = extent(node);
                if self.open.len() + depth > MAX_DEPTH {
                    return Err(too_deep(at));
                }
                // Counted before it is copied: a bomb must cost nothing.
                let mut node = if self.nodes + nodes > self.bounds.nodes || self.text + text > self.bounds.text {
                    return Err(too_much(at));
                } else {
                    node.clone()
                };
                self.count(nodes, text, at)?;
                node.span = at;
                self.place(0, node)?;
            }
            _ => {}
        }
        Ok(None)
    }

    fn no_tag(&self, tag: Option<&granit_parser::Tag>, at: Span) -> Result<(), Unreadable> {
        let Some(tag) = tag.filter(|_| !self.bounds.foreign) else { return Ok(()) };
        let tag = tag.to_string().replace("tag:yaml.org,2002:", "!!");
        let message = format!("expected a value without a tag, found `{tag}`");
        Err(Unreadable { span: at, kind: Trouble::Feature, message })
    }

    fn count(&mut self, nodes: usize, text: usize, at: Span) -> Result<(), Unreadable> {
        self.nodes += nodes;
        self.text += text;
        if self.nodes > self.bounds.nodes || self.text > self.bounds.text { Err(too_much(at)) } else { Ok(()) }
    }

    fn open(&mut self, anchor: usize, span: Span, items: Items<'a>) -> Result<(), Unreadable> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span));
        }
        self.count(1, 0, span)?;
        self.open.push(Open { span, anchor, items });
        Ok(())
    }

    /// Puts a finished node where it belongs.
    fn place(&mut self, anchor: usize, node: Node<'a>) -> Result<(), Unreadable> {
        if anchor != 0 {
            // The copy that is kept for its aliases counts too: anchors inside of anchors keep theirs again and again.
            let (nodes, text, _) = extent(&node);
            self.count(nodes, text, node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.document = Some(node),
            Some(Items::List(items)) => items.push(node),
            Some(Items::Map { entries, key }) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => {
                    // In quotes too: kustomize drops such a key, as if it were merged.
                    let merges = matches!(&node.value, Value::Scalar { text, .. } if text == "<<");
                    if merges && !self.bounds.foreign {
                        let message = "expected a key, found the merge key `<<`".to_owned();
                        return Err(Unreadable { span: node.span, kind: Trouble::Feature, message });
                    }
                    *key = Some(node);
                }
            },
        }
        Ok(())
    }
}

/// How many nodes, how much text and how many levels `node` holds.
fn extent(node: &Node<'_>) -> (usize, usize, usize) {
    let inner = |all: &mut dyn Iterator<Item = &Node<'_>>| {
        let (mut nodes, mut text, mut depth) = (1, 0, 0);
        for (n, t, d) in all.map(extent) {
            (nodes, text, depth) = (nodes + n, text + t, depth.max(d));
        }
        (nodes, text, depth + 1)
    };
    match &node.value {
        Value::Scalar { text, .. } => (1, text.len(), 0),
        Value::List(items) => inner(&mut items.iter()),
        Value::Map(entries) => inner(&mut entries.iter().flat_map(|(k, v)| [k, v])),
    }
}

fn too_deep(span: Span) -> Unreadable {
    let message = format!("values are nested more than {MAX_DEPTH} levels deep");
    Unreadable { span, kind: Trouble::Bomb, message }
}

fn too_much(span: Span) -> Unreadable {
    let message = format!("the file holds more than {MAX_NODES} values or {MAX_TEXT} bytes of text, aliases followed");
    Unreadable { span, kind: Trouble::Bomb, message }
}

fn syntax(error: &ScanError) -> Unreadable {
    use granit_parser::ErrorKind;
    let mark = error.marker();
    let byte = u32::try_from(mark.byte_offset().unwrap_or_default()).unwrap_or(u32::MAX);
    let span = Span { line: number(mark.line()), column: number(mark.col() + 1), start: byte, end: byte };
    let kind = match error.kind() {
        ErrorKind::RecursionLimitExceeded => Trouble::Bomb,
        ErrorKind::DirectiveDisallowed => Trouble::Feature,
        _ => Trouble::Syntax,
    };
    Unreadable { span, kind, message: error.info().trim_end_matches('.').to_owned() }
}

fn span(at: &granit_parser::Span) -> Span {
    let offset = |mark: &granit_parser::Marker| number(mark.byte_offset().unwrap_or_default());
    Span {
        line: number(at.start.line()),
        column: number(at.start.col() + 1),
        start: offset(&at.start),
        end: offset(&at.end),
    }
}

/// Files are at most a megabyte, so that every place in one fits.
fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
