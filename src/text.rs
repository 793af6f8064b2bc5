//! Places in a source text: byte spans, and the line and column a reader sees.
//!
//! Invariant: spans are byte offsets that lie on character boundaries of the text they belong to.

use std::sync::Arc;

/// A half-open byte range of a source text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The span `start..end`; texts above 4 GiB are refused long before by their own limits.
    pub fn new(start: usize, end: usize) -> Span {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end.max(start)) }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The range as `usize`, for slicing.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The same span moved by `offset` bytes, for text that is embedded in another text.
    pub fn shifted(self, offset: usize) -> Span {
        Span::new(self.start as usize + offset, self.end as usize + offset)
    }
}

/// A named text, with the start of each line known. It may be the texts of several files one behind the other, of
/// which the first includes the rest; places are then told in the file that they lie in.
#[derive(Clone, Debug)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    layout: Arc<Layout>,
}

#[derive(Debug)]
struct Layout {
    /// The first byte of each line.
    lines: Vec<u32>,
    /// The files of a joined text, each with its first byte; empty where there is one.
    parts: Vec<(u32, Source)>,
}

/// A place as a person counts it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Source {
    /// A text under a name, which is its path or a word such as `<stdin>`.
    pub fn new(name: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Source {
        Source::with_parts(name.into(), text.into(), Vec::new())
    }

    fn with_parts(name: Arc<str>, text: Arc<str>, parts: Vec<(u32, Source)>) -> Source {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        let lines = starts.map(|at| u32::try_from(at).unwrap_or(u32::MAX)).collect();
        Source { name, text, layout: Arc::new(Layout { lines, parts }) }
    }

    /// The texts of several files as one, under the name of the first. Each begins on a line of its own: see
    /// [`Source::room`] for where.
    pub fn joined(files: &[Source]) -> Source {
        if let [one] = files {
            return one.clone();
        }
        let mut text = String::new();
        let mut parts = Vec::new();
        for file in files {
            parts.push((u32::try_from(text.len()).unwrap_or(u32::MAX), file.clone()));
            text.push_str(file.text());
            text.push_str(if file.room() > file.text().len() { "\n" } else { "" });
        }
        let name = files.first().map_or_else(|| Arc::from(""), |file| file.name.clone());
        Source::with_parts(name, Arc::from(text), parts)
    }

    /// The bytes that the text takes in a joined one: its own, and a line break where its last line has none.
    pub fn room(&self) -> usize {
        self.text.len() + usize::from(!self.text.is_empty() && !self.text.ends_with('\n'))
    }

    /// The file that a place lies in, and the place in it.
    pub fn file_of(&self, span: Span) -> (&Source, Span) {
        let next = self.layout.parts.partition_point(|(start, _)| *start <= span.start);
        match next.checked_sub(1).and_then(|at| self.layout.parts.get(at)) {
            Some((start, file)) => {
                let inner = |offset: u32| (offset.saturating_sub(*start) as usize).min(file.text.len());
                (file, Span::new(inner(span.start), inner(span.end)))
            }
            None => (self, span),
        }
    }

    /// The name given to [`Source::new`].
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of a span, empty when the span does not lie in the text.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// Line and column of a byte offset.
    pub fn position(&self, offset: usize) -> Position {
        let (file, inner) = self.file_of(Span::new(offset, offset));
        file.own_position(inner.start as usize)
    }

    fn own_position(&self, offset: usize) -> Position {
        let offset = offset.min(self.text.len());
        let line = self.layout.lines.partition_point(|&start| start as usize <= offset).max(1);
        let start = self.layout.lines[line - 1] as usize;
        let column = self.text.get(start..offset).map_or(offset - start, |s| s.chars().count()) + 1;
        Position { line, column }
    }

    /// `file:line:column` of the start of a span.
    pub fn locate(&self, span: Span) -> String {
        let (file, inner) = self.file_of(span);
        let at = file.own_position(inner.start as usize);
        format!("{}:{}:{}", file.name, at.line, at.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let source = Source::new("a.sql", "SELECT\n  é, x\n");
        assert_eq!(source.locate(Span::new(0, 1)), "a.sql:1:1");
        assert_eq!(source.locate(Span::new("SELECT\n  é, ".len(), 14)), "a.sql:2:6");
        assert_eq!(source.locate(Span::new(99, 100)), "a.sql:3:1");
    }

    #[test]
    fn joined_files_keep_their_places() {
        let files = ["one\ntwo", "", "three\n", "vier\nfünf"];
        let files: Vec<Source> =
            files.iter().zip(["a", "b", "c", "d"]).map(|(text, name)| Source::new(name, *text)).collect();
        let joined = Source::joined(&files);
        assert_eq!((joined.name(), joined.text()), ("a", "one\ntwo\nthree\nvier\nfünf\n"));
        let place = |word: &str| {
            let at = joined.text().find(word).unwrap();
            let span = Span::new(at, at + word.len());
            let (file, inner) = joined.file_of(span);
            assert_eq!(file.slice(inner), word);
            joined.locate(span)
        };
        assert_eq!(["two", "three", "vier", "nf"].map(place), ["a:2:1", "c:1:1", "d:1:1", "d:2:3"]);
        assert_eq!(Source::joined(&files[..1]).locate(Span::new(4, 7)), "a:2:1");
    }
}
