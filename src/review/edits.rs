//! `Edits`: which lines of `tenants/` a change touches, so that a finding points at one that a pull request shows.

use std::collections::BTreeMap;
use std::sync::Arc;

use similar::{ChangeTag, TextDiff};

use super::manifest::Manifest;
use crate::place::{Place, Span};
use crate::plan::{Plan, folder_order};

/// The files of `tenants/` that differ, each with the lines that are new or changed, or stand where some were taken out.
#[derive(Debug, Default, Clone)]
pub struct Edits(BTreeMap<Arc<str>, Vec<u32>>);

/// Beyond that a file is compared as a whole: line by line would take longer than anybody waits.
const MOST_BYTES: usize = 256 * 1024;

impl Edits {
    /// Notes a file that differs; without text on a side, it is not there or is no text.
    pub fn add(&mut self, path: &Arc<str>, before: Option<&str>, after: Option<&str>) {
        let lines = match (before, after) {
            (Some(before), Some(after)) if before.len() + after.len() <= MOST_BYTES => lines(before, after),
            _ => vec![1],
        };
        self.0.insert(Arc::clone(path), lines);
    }

    /// Whether no file differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first of some places whose file was changed, at its changed line; the first one where none was.
    pub fn first(&self, places: &[Place]) -> Place {
        let changed = places.iter().find_map(|at| self.nearest(at));
        changed.or_else(|| places.first().cloned()).unwrap_or_else(|| Place::file(crate::inputs::TENANTS))
    }

    /// The changed line that is nearest to a place in the same file: from it downwards first. `None` where the file is the
    /// same on both sides.
    pub fn nearest(&self, at: &Place) -> Option<Place> {
        let (path, lines) = self.0.get_key_value(&at.path)?;
        let below = lines.iter().find(|line| **line >= at.span.line);
        let line = *below.or(lines.last())?;
        Some(Place::new(path, Span { line, column: 1, start: 0, end: 0 }))
    }

    /// The place in `tenants/` that brought the value at a pointer about: where its author wrote it, if that file was
    /// changed; else the line that was changed of what it comes from: its tenant, its tier, the Platform.
    pub fn cause(&self, manifest: &Manifest, pointer: &str, plan: Option<&Plan>) -> Place {
        let origin = manifest.origin(pointer);
        if let Some(lines) = self.0.get(&origin.path) {
            let near = if lines.contains(&origin.span.line) { None } else { self.nearest(origin) };
            return near.unwrap_or_else(|| origin.clone());
        }
        let Some(plan) = plan.filter(|_| !self.0.is_empty()) else { return origin.clone() };
        let found =
            manifest.tenant().and_then(|name| plan.tenants.binary_search_by(|t| folder_order(&t.name, name)).ok());
        let tenant = found.map(|index| &plan.tenants[index]);
        let platform = &plan.platform.doc;
        let candidates = [
            tenant.map(|t| t.name_at()),
            tenant.map(|t| t.tier.doc.at(t.tier.doc.content.metadata.name.span)),
            Some(platform.at(platform.content.metadata.name.span)),
        ];
        let changed = candidates.iter().flatten().find_map(|at| self.nearest(at));
        let template = || {
            let name = self.0.keys().find(|path| path.starts_with(crate::inputs::TEMPLATES))?;
            self.nearest(&Place::file(Arc::clone(name)))
        };
        changed.or_else(template).unwrap_or_else(|| origin.clone())
    }
}

fn lines(before: &str, after: &str) -> Vec<u32> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines = Vec::new();
    let mut next = 1_u32;
    for change in diff.iter_all_changes() {
        match change.tag() {
            ChangeTag::Equal => next += 1,
            ChangeTag::Insert => {
                lines.push(next);
                next += 1;
            }
            ChangeTag::Delete => lines.push(next),
        }
    }
    lines.dedup();
    // What was taken out at the end stands behind the last line.
    let last = u32::try_from(after.lines().count()).unwrap_or(u32::MAX).max(1);
    lines.iter_mut().for_each(|line| *line = (*line).min(last));
    lines.dedup();
    lines
}
