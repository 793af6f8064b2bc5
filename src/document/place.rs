//! Places inside a string's value, as places in the file.
//!
//! A block scalar is cut from its indentation, a quoted string has escapes, a plain one is folded: the value's
//! offsets are not the file's. The map is rebuilt from the source text and held against the value that the reader
//! gave; where the two differ, every place is the whole string's.

use super::{Data, Node, Style, hocon};
use crate::text::{Source, Span};

/// The map from offsets in a value to offsets in its file.
#[derive(Clone, Debug)]
pub struct Embedded {
    segments: Vec<Segment>,
    whole: Span,
}

/// A stretch that stands in the file as it stands in the value.
#[derive(Clone, Copy, Debug)]
struct Segment {
    value: usize,
    file: usize,
    /// Bytes in the value.
    length: usize,
    /// Bytes in the file; other than `length` only for escapes.
    written: usize,
}

/// A value in the making, and where each piece of it is written.
#[derive(Debug, Default)]
pub(super) struct Trail {
    /// The value.
    pub(super) out: String,
    segments: Vec<Segment>,
}

impl Trail {
    /// Adds a piece of the value that is `written` bytes at `file`.
    pub(super) fn push(&mut self, file: usize, piece: &str, written: usize) {
        let value = self.out.len();
        self.out.push_str(piece);
        if let Some(last) = self.segments.last_mut() {
            let verbatim = last.length == last.written && piece.len() == written;
            if verbatim && last.value + last.length == value && last.file + last.written == file {
                last.length += piece.len();
                last.written += written;
                return;
            }
        }
        self.segments.push(Segment { value, file, length: piece.len(), written });
    }

    fn verified(self, value: &str) -> Option<Vec<Segment>> {
        (self.out == value).then_some(self.segments)
    }
}

impl Embedded {
    pub(super) fn of(source: &Source, node: &Node) -> Embedded {
        let segments = match &node.data {
            Data::Text(value) => match node.style {
                Style::Single | Style::Double => quoted(source, node, value),
                Style::Escaped | Style::Triple => {
                    hocon::decoded(source, node, value).and_then(|trail| trail.verified(value))
                }
                _ => lines(source, node, value),
            },
            _ => None,
        };
        Embedded { segments: segments.unwrap_or_default(), whole: node.span }
    }

    /// A text that is its whole file.
    pub fn identity(source: &Source) -> Embedded {
        let length = source.text().len();
        let whole = Span::new(0, length);
        Embedded { segments: vec![Segment { value: 0, file: 0, length, written: length }], whole }
    }

    /// The place in the file of a place in the value.
    pub fn place(&self, inner: Span) -> Span {
        let (start, end) = (inner.start as usize, inner.end as usize);
        match (self.start(start), self.end(end)) {
            (Some(start), Some(last)) if end > inner.start as usize => Span::new(start, last.max(start)),
            (Some(start), _) => Span::new(start, start),
            _ => self.whole,
        }
    }

    /// Where the character at this offset begins.
    fn start(&self, offset: usize) -> Option<usize> {
        let next = self.segments.partition_point(|s| s.value <= offset);
        let segment = self.segments.get(next.saturating_sub(1))?;
        let inside = offset.saturating_sub(segment.value);
        // Behind the end of a line: the place is the line's end, which a reader sees.
        Some(
            segment.file
                + if inside < segment.length { inside.min(segment.written) } else { segment.written },
        )
    }

    /// Where the character before this offset ends.
    fn end(&self, offset: usize) -> Option<usize> {
        let next = self.segments.partition_point(|s| s.value < offset);
        let segment = self.segments.get(next.checked_sub(1)?)?;
        let inside = offset - segment.value;
        Some(
            segment.file
                + if inside >= segment.length { segment.written } else { inside.min(segment.written) },
        )
    }
}

/// Block and plain scalars: each line, its indentation cut, stands in the value; between lines stand only blanks.
fn lines(source: &Source, node: &Node, value: &str) -> Option<Vec<Segment>> {
    let text = source.text();
    let start = node.span.start as usize;
    let line_start = text[..start].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let indent = start - line_start;
    let block = node.style != Style::Plain;
    let mut segments = Vec::new();
    let (mut file, mut cursor, mut first) = (start, 0, true);
    let end = node.span.end as usize;
    while file < end {
        let rest = &text[file..end];
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = &rest[..length];
        let cut = match (first, block) {
            (true, _) => 0,
            (false, true) => line.bytes().take_while(|b| *b == b' ').count().min(indent),
            (false, false) => line.len() - line.trim_start_matches([' ', '\t']).len(),
        };
        let content = if block { &line[cut..] } else { line[cut..].trim_end_matches([' ', '\t']) };
        if !content.trim_matches([' ', '\t']).is_empty() {
            while !value.get(cursor..)?.starts_with(content) {
                value.get(cursor..)?.starts_with([' ', '\n', '\t']).then_some(())?;
                cursor += 1;
            }
            let length = content.len();
            segments.push(Segment { value: cursor, file: file + cut, length, written: length });
            cursor += length;
        }
        first = false;
        file += length;
        file += if text[file..].starts_with("\r\n") { 2 } else { usize::from(file < end) };
    }
    value.get(cursor..)?.trim_matches([' ', '\n', '\t']).is_empty().then_some(segments)
}

/// Quoted strings: unescaped once more, with the place of each character.
fn quoted(source: &Source, node: &Node, value: &str) -> Option<Vec<Segment>> {
    let text = source.slice(node.span);
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    let mut walk = Walk { text: inner, at: 0, base: node.span.start as usize + 1, trail: Trail::default() };
    while walk.at < inner.len() {
        walk.step(node.style == Style::Double)?;
    }
    walk.trail.verified(value)
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    base: usize,
    trail: Trail,
}

impl Walk<'_> {
    fn push(&mut self, c: &str, written: usize) {
        self.trail.push(self.base + self.at, c, written);
        self.at += written;
    }

    fn step(&mut self, double: bool) -> Option<()> {
        let rest = &self.text[self.at..];
        let c = rest.chars().next()?;
        match c {
            '\'' if !double => self.push("'", 2),
            '\\' if double => self.escape()?,
            ' ' | '\t' | '\n' | '\r' => self.blanks(),
            _ => self.push(c.encode_utf8(&mut [0; 4]), c.len_utf8()),
        }
        Some(())
    }

    /// Blanks stand for themselves inside a line; around line breaks they fold.
    fn blanks(&mut self) {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')).unwrap_or(rest.len());
        let blanks = &rest[..length];
        let breaks = blanks.replace("\r\n", "\n").matches(['\n', '\r']).count();
        match breaks {
            0 => self.push(blanks, length),
            1 => self.push(" ", length),
            n => self.push(&"\n".repeat(n - 1), length),
        }
    }

    fn escape(&mut self) -> Option<()> {
        let rest = &self.text[self.at + 1..];
        let c = rest.chars().next()?;
        let simple = match c {
            '0' => "\0",
            'a' => "\u{7}",
            'b' => "\u{8}",
            't' | '\t' => "\t",
            'n' => "\n",
            'v' => "\u{b}",
            'f' => "\u{c}",
            'r' => "\r",
            'e' => "\u{1b}",
            ' ' => " ",
            '"' => "\"",
            '/' => "/",
            '\\' => "\\",
            'N' => "\u{85}",
            '_' => "\u{a0}",
            'L' => "\u{2028}",
            'P' => "\u{2029}",
            'x' => return self.code(2),
            'u' => return self.code(4),
            'U' => return self.code(8),
            '\n' | '\r' => {
                // A line break behind a backslash vanishes with the blanks around it.
                let length = rest.find(|c| !matches!(c, ' ' | '\t' | '\n' | '\r')).unwrap_or(rest.len());
                self.at += 1 + length;
                return Some(());
            }
            _ => return None,
        };
        self.push(simple, 1 + c.len_utf8());
        Some(())
    }

    fn code(&mut self, digits: usize) -> Option<()> {
        let unit = |at: usize| u32::from_str_radix(self.text.get(at..at + digits)?, 16).ok();
        let first = unit(self.at + 2)?;
        let second = self.text[self.at + 2 + digits..]
            .starts_with("\\u")
            .then(|| unit(self.at + 4 + digits))
            .flatten();
        let (code, written) = match (first, second) {
            (0xD800..=0xDBFF, Some(second @ 0xDC00..=0xDFFF)) => {
                (0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00), 4 + 2 * digits)
            }
            _ => (first, 2 + digits),
        };
        let c = char::from_u32(code)?;
        self.push(c.encode_utf8(&mut [0; 4]), written);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Document, Format};
    use super::*;

    /// Every character of the value must be found in the file where it was written.
    #[track_caller]
    fn exact(name: &str, file: &str) {
        let document = Document::read(name, file.as_bytes(), Format::of(name.as_ref()).unwrap()).unwrap();
        let node = document.root.get("k").unwrap();
        let Data::Text(value) = &node.data else { panic!("{file:?} holds no string") };
        let embedded = document.embedded(node);
        for (at, c) in value.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let place = embedded.place(Span::new(at, at + c.len_utf8()));
            let written = document.source.slice(place);
            let escaped = written.starts_with('\\') || written == "''";
            assert!(written == c.to_string() || escaped, "{file:?}: {c:?} at {at} is shown as {written:?}");
            assert!(embedded.segments.len() <= value.len());
        }
    }

    #[test]
    fn every_character_is_found() {
        let files = [
            "k: |\n  SELECT\n    a\n  FROM \"t/#\"\n",
            "k: |\r\n  SELECT\r\n    a\r\n  FROM \"t/#\"\r\n",
            "k: |\n\n\n  lead\n\n  two\n\nx: 1\n",
            "k: |1\n  more\n  x\n",
            "k: |2\n    more\n  x\n",
            "k: |-\n  one\n   two\n  three",
            "k: >-\n  folded\n  lines\n\n    more\n    indented\n\n  end\n",
            "k: >+\n  keep\n\n\n",
            "k: plain text over\n  two lines\n\n  and a third\n",
            "k: 'single ''quoted'' text\n  folded\n\n  twice'\n",
            "k: \"a\\tb \\u00b0 \\\"q\\\" \\\n  joined\n  folded é \\U0001F600 \\x41\"\n",
            "k: !!str |\n  tagged\n",
            "k: &anchor |\n  anchored\n  中文 ünï\n",
            "{k: \"in flow \\u00e9 x\"}\n",
            "k: 'x'",
            "\n\n# c\nk: |  # comment\n  a -- SQL comment\n  b\n",
            "k: | \n  tab\there\n   \n  after a blank of blanks\n",
        ];
        files.iter().for_each(|file| exact("t.yaml", file));
        let hocon = [
            "k = plain",
            "k = 1h30m",
            "k = one\n  two",
            "k = \"a\\tb \\u00e9 \\\"q\\\" \\q é中\"",
            "k = \"\"\"raw \\n \"q\"\n  two\n\"\"\"",
            "k = \"\"\"~\n    SELECT\n      a\n\n    FROM \\\"t/#\\\"\n    ~\"\"\"",
            "k = \"\"\"~\r\n    SELECT\r\n\r\n      中文 ünï\r\n  ~\"\"\"\r\n",
            "k = \"\"\"~\n\tx\n  y~\"\"\"",
            "k = \"\"\"~\n  x\n    ~~\"\"\"",
            "\n# c\nk = ${v}\nv = \"\"\"~\n  deep\n   er~\"\"\"",
        ];
        hocon.iter().for_each(|file| exact("t.hocon", file));
        exact("t.json", "{\"k\": \"a\\nb \\ud83d\\ude00 \\\"x\\\" \\/ é\"}");
    }

    #[test]
    fn places_have_file_lines() {
        let file = "rule_engine:\n  sql: |\n    SELECT\n      nmae\n    FROM \"t\"\n";
        let document = Document::read("r.yaml", file.as_bytes(), Format::Yaml).unwrap();
        let node = document.root.get("rule_engine").unwrap().get("sql").unwrap();
        let embedded = document.embedded(node);
        let value = node.as_text().unwrap();
        let at = value.find("nmae").unwrap();
        assert_eq!(document.source.locate(embedded.place(Span::new(at, at + 4))), "r.yaml:4:7");
        // The end of the text lies at the end of its last line.
        let end = Span::new(value.len(), value.len());
        assert_eq!(document.source.locate(embedded.place(end)), "r.yaml:5:13");
        // A span over a line's end covers the indentation of the next one.
        let over = embedded.place(Span::new(0, at + 4));
        assert_eq!(document.source.slice(over), "SELECT\n      nmae");
    }
}
