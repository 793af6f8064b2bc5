//! Comments on their way from one format to another.
//!
//! A comment goes with what stands behind it, or, when it ends a line, with what stands before it.

use super::super::{Document, hocon, yaml};
use crate::document::{Format, Node};
use crate::text::{Source, Span};

/// The comments of a file, in order, each given out once.
pub(super) struct Comments<'a> {
    source: &'a Source,
    spans: Vec<Span>,
    next: usize,
}

impl<'a> Comments<'a> {
    /// The comments of a document's own file; those of included files stay there.
    pub(super) fn of(document: &'a Document) -> Comments<'a> {
        let (source, _) = document.source.file_of(Span::new(0, 0));
        let spans = match Format::of(source.name().as_ref()) {
            Some(Format::Yaml) => yaml::comments(source),
            Some(Format::Hocon) => hocon::comments(source),
            Some(Format::Json) | None => Vec::new(),
        };
        Comments { source, spans, next: 0 }
    }

    /// No comments.
    pub(super) fn none(source: &'a Source) -> Comments<'a> {
        Comments { source, spans: Vec::new(), next: 0 }
    }

    /// The comments that stand before a place.
    pub(super) fn before(&mut self, at: u32) -> Vec<String> {
        let mut found = Vec::new();
        // What lies behind the file is included or made.
        if at as usize > self.source.text().len() {
            return found;
        }
        while let Some(span) = self.spans.get(self.next).filter(|span| span.start < at) {
            found.push(self.text(*span));
            self.next += 1;
        }
        found
    }

    /// All that are left.
    pub(super) fn rest(&mut self) -> Vec<String> {
        let end = self.source.text().len();
        self.before(u32::try_from(end).unwrap_or(u32::MAX))
    }

    /// Does a comment that is still to be given out stand inside a value?
    pub(super) fn inside(&self, value: &Node) -> bool {
        self.spans
            .get(self.next)
            .is_some_and(|span| value.span.start < span.start && span.end <= value.span.end)
    }

    /// The comment that ends the line on which a value ends.
    pub(super) fn behind(&mut self, value: &Node) -> Option<String> {
        let span = *self.spans.get(self.next)?;
        let between = self.source.text().get(value.span.end as usize..span.start as usize)?;
        let same_line = between.chars().all(|c| matches!(c, ' ' | '\t' | ',')) && !is_made(value);
        same_line.then(|| {
            self.next += 1;
            self.text(span)
        })
    }

    /// A comment as YAML and HOCON write it.
    fn text(&self, span: Span) -> String {
        let text = self.source.slice(span).trim_end();
        let text = text.strip_prefix("//").or_else(|| text.strip_prefix('#')).unwrap_or_default();
        // What ends a comment in one format, or is refused in it, may be fine in the other.
        let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
        format!("#{}", text.replace(odd, " "))
    }
}

/// A missing value, or one that no file holds.
fn is_made(value: &Node) -> bool {
    value.span.start == value.span.end
}
