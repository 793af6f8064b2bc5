//! HOCON as EMQX writes and reads it: objects in braces, SQL between `"""~` and `~"""`, every string in quotes.

use std::fmt::Write;

use super::comments::Comments;
use super::{LINE_CHARS, bare, is_collection};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Entry, Format, Node, hocon};

/// The text of a tree.
pub(super) fn write(root: &Node, comments: Comments<'_>) -> Result<String, Diagnostic> {
    let Data::Map(entries) = &root.data else {
        let message = format!("the root of HOCON is an object, not {}", root.kind_name());
        return Err(Diagnostic::error(codes::UNWRITABLE, message).at(root.span, ""));
    };
    if entries.is_empty() {
        return Ok("{}\n".to_owned());
    }
    let mut writer = Writer { out: String::new(), comments };
    writer.entries(entries, 0)?;
    let rest = writer.comments.rest();
    writer.comment_lines(rest, 0);
    Ok(writer.out)
}

struct Writer<'a> {
    out: String,
    comments: Comments<'a>,
}

impl Writer<'_> {
    fn comment_lines(&mut self, comments: Vec<String>, indent: usize) {
        for comment in comments {
            _ = writeln!(self.out, "{:indent$}{comment}", "");
        }
    }

    fn entries(&mut self, entries: &[Entry], indent: usize) -> Result<(), Diagnostic> {
        for entry in entries {
            let comments = self.comments.before(entry.key_span.start);
            self.comment_lines(comments, indent);
            let key = key(&entry.key).ok_or_else(|| {
                let message = "HOCON has no writing for this key";
                Diagnostic::error(codes::UNWRITABLE, message).at(entry.key_span, "")
            })?;
            _ = write!(self.out, "{:indent$}{key}", "");
            match &entry.value.data {
                Data::Map(inner) if !inner.is_empty() => {
                    self.out.push_str(" {\n");
                    self.entries(inner, indent + 2)?;
                    self.close(&entry.value, indent, '}');
                }
                _ => {
                    // Behind a backslash and a quote, EMQX would look for the string's end on the rest of the line.
                    let broken = key.ends_with("\\\"");
                    self.out.push_str(" =");
                    match broken {
                        true => _ = write!(self.out, "\n{:indent$}  ", ""),
                        false => self.out.push(' '),
                    }
                    self.value(&entry.value, indent)?;
                }
            }
            self.end(&entry.value, indent);
        }
        Ok(())
    }

    fn value(&mut self, node: &Node, indent: usize) -> Result<(), Diagnostic> {
        match &node.data {
            Data::Text(text) => self.out.push_str(&string(text, indent)),
            Data::Map(entries) if entries.is_empty() => self.out.push_str("{}"),
            Data::Map(entries) => {
                self.out.push_str("{\n");
                self.entries(entries, indent + 2)?;
                self.close(node, indent, '}');
            }
            Data::List(items) => match line(items)? {
                Some(line) if !self.comments.inside(node) => self.out.push_str(&line),
                _ => {
                    self.out.push_str("[\n");
                    self.items(items, indent + 2)?;
                    self.close(node, indent, ']');
                }
            },
            _ => self.out.push_str(&bare(node, Format::Hocon)?.unwrap_or_default()),
        }
        Ok(())
    }

    fn items(&mut self, items: &[Node], indent: usize) -> Result<(), Diagnostic> {
        for (at, item) in items.iter().enumerate() {
            let comments = self.comments.before(item.span.start);
            self.comment_lines(comments, indent);
            _ = write!(self.out, "{:indent$}", "");
            self.value(item, indent)?;
            self.out.push_str(if at + 1 < items.len() { "," } else { "" });
            self.end(item, indent);
        }
        Ok(())
    }

    /// The sign that ends a collection, behind the comments that stand in front of it.
    fn close(&mut self, node: &Node, indent: usize, sign: char) {
        let comments = self.comments.before(node.span.end);
        self.comment_lines(comments, indent + 2);
        _ = write!(self.out, "{:indent$}{sign}", "");
    }

    /// The end of a line that a value ends on.
    fn end(&mut self, node: &Node, indent: usize) {
        match self.comments.behind(node) {
            // A quote in the comment would count as the string's.
            Some(comment) if self.out.ends_with("\\\"") || self.out.ends_with("\\\",") => {
                self.out.push('\n');
                self.comment_lines(vec![comment], indent);
            }
            Some(comment) => _ = writeln!(self.out, " {comment}"),
            None => self.out.push('\n'),
        }
    }
}

/// A list of scalars that fits a line, in which no string could be taken to go on.
fn line(items: &[Node]) -> Result<Option<String>, Diagnostic> {
    let mut words = Vec::new();
    for item in items {
        match &item.data {
            Data::Text(text) if text.ends_with('\\') || text.contains(['\n', '\u{2028}', '\u{2029}']) => {
                return Ok(None);
            }
            Data::Text(text) => words.push(quoted(text)),
            _ if is_collection(item) => return Ok(None),
            Data::List(_) => words.push("[]".to_owned()),
            Data::Map(_) => words.push("{}".to_owned()),
            _ => words.extend(bare(item, Format::Hocon)?),
        }
    }
    let line = format!("[{}]", words.join(", "));
    Ok((line.chars().count() <= LINE_CHARS).then_some(line))
}

/// A key without quotes, or in them; `None` for one that has no writing.
fn key(key: &str) -> Option<String> {
    const WORDS: [&str; 5] = ["true", "false", "null", "include", "required"];
    let starts = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    if starts && key.bytes().all(inner) && !WORDS.contains(&key) {
        return Some(key.to_owned());
    }
    match key.contains(['\u{2028}', '\u{2029}']) {
        false => Some(quoted(key)),
        true => {
            hocon::is_one_string(&format!("\"\"\"{key}\"\"\""), key).then(|| format!("\"\"\"{key}\"\"\""))
        }
    }
}

/// A string: as a block when it has several lines or would be full of backslashes, else in quotes, and in pieces when it has a line break that
/// quotes cannot hold.
pub(in crate::document) fn string(text: &str, indent: usize) -> String {
    let mut quotes = text.matches('"');
    let many_quotes = quotes.next().is_some() && quotes.next().is_some();
    if text.contains('\n') || many_quotes {
        let raw = format!("\"\"\"{text}\"\"\"");
        let candidates = [block(text, indent), raw];
        if let Some(found) = candidates.into_iter().find(|candidate| hocon::is_one_string(candidate, text)) {
            return found;
        }
    }
    if !text.contains(['\u{2028}', '\u{2029}']) {
        return quoted(text);
    }
    // Values one behind the other are joined, also over line breaks.
    let mut out = String::new();
    for piece in text.split_inclusive(['\u{2028}', '\u{2029}']) {
        let plain = piece.trim_end_matches(['\u{2028}', '\u{2029}']);
        let separator = format!("\n{:indent$}  ", "");
        for word in [quoted(plain), format!("\"\"\"{}\"\"\"", &piece[plain.len()..])] {
            if word != "\"\"" && word != "\"\"\"\"\"\"" {
                out.push_str(if out.is_empty() { "" } else { &separator });
                out.push_str(&word);
            }
        }
    }
    out
}

/// `"""~`, the lines two deeper than the key, `~"""`.
fn block(text: &str, indent: usize) -> String {
    let mut out = "\"\"\"~".to_owned();
    let lines: Vec<&str> = text.split('\n').collect();
    for (at, line) in lines.iter().enumerate() {
        out.push('\n');
        let last = at + 1 == lines.len();
        match (line.is_empty(), last) {
            (true, true) => _ = write!(out, "{:indent$}", ""),
            (true, false) => {}
            _ => _ = write!(out, "{:indent$}  {line}", ""),
        }
    }
    out.push_str("~\"\"\"");
    out
}

pub(in crate::document) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
