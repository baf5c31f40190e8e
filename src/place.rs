//! Places in files: what every parsed value remembers, so that a message can point at it.

use std::sync::Arc;

/// A stretch of one file. `line` and `column` count from 1, columns in characters; `start` and `end` are byte offsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Line of the first character, from 1; 0 where the file as a whole is meant.
    pub line: u32,
    /// Column of the first character, from 1.
    pub column: u32,
    /// Byte offset of the first character.
    pub start: u32,
    /// Byte offset behind the last character.
    pub end: u32,
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

impl Span {
    /// The place of one byte, in a file that may be no text.
    pub fn at(bytes: &[u8], offset: usize) -> Self {
        let before = &bytes[..offset];
        // The byte order mark is no character of the text.
        let text = if before.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        let start = before.iter().rposition(|b| *b == b'\n').map_or(text, |i| i + 1);
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        let number = |n| u32::try_from(n).unwrap_or(u32::MAX);
        Span { line: number(line), column: number(column), start: number(offset), end: number(offset) }
    }
}

/// A stretch of a named file; the path is relative to the root.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Path relative to the root, with `/`.
    pub path: Arc<str>,
    /// Where in that file.
    pub span: Span,
}

impl Place {
    /// A place in `path`.
    pub fn new(path: &Arc<str>, span: Span) -> Self {
        Place { path: Arc::clone(path), span }
    }

    /// The file as a whole: printed as the path alone.
    pub fn file(path: impl Into<Arc<str>>) -> Self {
        Place { path: path.into(), span: Span::default() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.span.line == 0 {
            return f.write_str(&self.path);
        }
        write!(f, "{}:{}:{}", self.path, self.span.line, self.span.column)
    }
}
