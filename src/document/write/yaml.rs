//! YAML in blocks: `|` for texts of several lines, plain strings where every reader takes them for strings.

use std::fmt::Write;

use super::comments::Comments;
use super::{Fragment, LINE_CHARS, bare, is_collection};
use crate::diag::Diagnostic;
use crate::document::{Data, Entry, Format, Node, scalar};
use crate::text::Source;

/// The text of a tree.
pub(super) fn write(root: &Node, comments: Comments<'_>) -> Result<String, Diagnostic> {
    let mut writer = Writer { out: String::new(), comments };
    match &root.data {
        Data::Map(entries) if !entries.is_empty() => writer.entries(entries, 0)?,
        Data::List(items) if !items.is_empty() => writer.items(items, 0)?,
        _ => {
            let text = match &root.data {
                Data::Text(text) => string(text),
                _ => writer.scalar(root, 0)?,
            };
            _ = writeln!(writer.out, "{text}");
        }
    }
    let rest = writer.comments.rest();
    writer.comment_lines(rest, 0);
    Ok(writer.out)
}

/// A value in braces and brackets.
pub(super) fn on_line(node: &Node, format: Format) -> Result<String, Diagnostic> {
    let inner: Vec<String> = match &node.data {
        Data::Text(text) => return Ok(flow_string(text, format)),
        Data::List(items) => items.iter().map(|item| on_line(item, format)).collect::<Result<_, _>>()?,
        Data::Map(entries) => {
            let entry = |e: &Entry| Ok(format!("{}: {}", key(&e.key, format), on_line(&e.value, format)?));
            entries.iter().map(entry).collect::<Result<_, _>>()?
        }
        _ => return Ok(bare(node, format)?.unwrap_or_default()),
    };
    let inner = inner.join(", ");
    Ok(match &node.data {
        Data::List(_) => format!("[{inner}]"),
        _ if inner.is_empty() => "{}".to_owned(),
        _ => format!("{{ {inner} }}"),
    })
}

/// A key in YAML or JSON.
pub(super) fn key(key: &str, format: Format) -> String {
    match format {
        Format::Json => quoted(key),
        _ => string(key),
    }
}

fn flow_string(text: &str, format: Format) -> String {
    match format == Format::Json || text.contains(':') && is_plain(text) {
        true => quoted(text),
        false => string(text),
    }
}

/// A value that may take lines of its own: texts of several lines, and collections that are too long for one.
pub(super) fn fragment(
    node: &Node,
    line: String,
    column: usize,
    used: usize,
) -> Result<Fragment, Diagnostic> {
    let indent = column + 2;
    let fits = used + line.chars().count() < LINE_CHARS;
    let source = Source::new("", "");
    let mut writer = Writer { out: String::new(), comments: Comments::none(&source) };
    match &node.data {
        Data::Text(text) => {
            let block = block(text, indent);
            let block = block.as_deref().and_then(|block| block.split_once('\n'));
            return Ok(match block {
                Some((head, lines)) => Fragment::Lines { head: head.to_owned(), lines: lines.to_owned() },
                None => Fragment::Line(string(text)),
            });
        }
        Data::Map(entries) if !fits && is_collection(node) => writer.entries(entries, indent)?,
        Data::List(items) if !fits && is_collection(node) => writer.items(items, indent)?,
        _ => return Ok(Fragment::Line(line)),
    }
    Ok(Fragment::Lines { head: String::new(), lines: writer.out })
}

struct Writer<'a> {
    out: String,
    comments: Comments<'a>,
}

impl Writer<'_> {
    fn indent(&mut self, indent: usize) {
        // The first entry of a list's item stands behind its dash.
        if !self.out.ends_with("- ") {
            self.out.extend(std::iter::repeat_n(' ', indent));
        }
    }

    fn comment_lines(&mut self, comments: Vec<String>, indent: usize) {
        for comment in comments {
            _ = writeln!(self.out, "{:indent$}{comment}", "");
        }
    }

    fn entries(&mut self, entries: &[Entry], indent: usize) -> Result<(), Diagnostic> {
        for entry in entries {
            if !self.out.ends_with("- ") {
                let comments = self.comments.before(entry.key_span.start);
                self.comment_lines(comments, indent);
            }
            self.indent(indent);
            self.out.push_str(&string(&entry.key));
            self.out.push(':');
            self.value(&entry.value, indent)?;
        }
        Ok(())
    }

    /// A value behind its key.
    fn value(&mut self, node: &Node, indent: usize) -> Result<(), Diagnostic> {
        let on_line = match &node.data {
            Data::List(_) if self.comments.inside(node) => None,
            Data::List(items) => line(items)?,
            _ if is_collection(node) => None,
            _ => Some(self.scalar(node, indent + 2)?),
        };
        match (on_line, &node.data) {
            (Some(text), _) => {
                self.out.push(' ');
                self.out.push_str(&text);
                self.end(node, text.contains('\n'), indent);
                Ok(())
            }
            (None, Data::List(items)) => {
                self.out.push('\n');
                self.items(items, indent + 2)?;
                self.close(node, indent + 2);
                Ok(())
            }
            (None, Data::Map(entries)) => {
                self.out.push('\n');
                self.entries(entries, indent + 2)?;
                self.close(node, indent + 2);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn items(&mut self, items: &[Node], indent: usize) -> Result<(), Diagnostic> {
        for item in items {
            let comments = self.comments.before(item.span.start);
            self.comment_lines(comments, indent);
            _ = write!(self.out, "{:indent$}-", "");
            match &item.data {
                Data::Map(entries) if !entries.is_empty() => {
                    self.out.push(' ');
                    self.entries(entries, indent + 2)?;
                    self.close(item, indent + 2);
                }
                _ => self.value(item, indent)?,
            }
        }
        Ok(())
    }

    /// The comments in front of a closing brace or bracket.
    fn close(&mut self, node: &Node, indent: usize) {
        let comments = self.comments.before(node.span.end);
        self.comment_lines(comments, indent);
    }

    /// The end of a line that a value ends on.
    fn end(&mut self, node: &Node, is_block: bool, indent: usize) {
        let comment = self.comments.behind(node);
        match comment {
            Some(comment) if !is_block => _ = writeln!(self.out, " {comment}"),
            Some(comment) => {
                if !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
                self.comment_lines(vec![comment], indent);
            }
            None if self.out.ends_with('\n') => {}
            None => self.out.push('\n'),
        }
    }

    fn scalar(&self, node: &Node, indent: usize) -> Result<String, Diagnostic> {
        match &node.data {
            Data::Text(text) => Ok(block(text, indent).unwrap_or_else(|| string(text))),
            Data::List(_) => Ok("[]".to_owned()),
            Data::Map(_) => Ok("{}".to_owned()),
            _ => Ok(bare(node, Format::Yaml)?.unwrap_or_default()),
        }
    }
}

/// A list of scalars that fits a line.
fn line(items: &[Node]) -> Result<Option<String>, Diagnostic> {
    let mut words = Vec::new();
    for item in items {
        match &item.data {
            // Some readers take a colon in a list on one line for that of a key.
            Data::Text(text) if text.contains(':') && is_plain(text) => words.push(quoted(text)),
            Data::Text(text) => words.push(string(text)),
            _ if is_collection(item) => return Ok(None),
            Data::List(_) => words.push("[]".to_owned()),
            Data::Map(_) => words.push("{}".to_owned()),
            _ => words.extend(bare(item, Format::Yaml)?),
        }
    }
    let line = format!("[{}]", words.join(", "));
    Ok((line.chars().count() <= LINE_CHARS).then_some(line))
}

/// A text of several lines as a block; `None` where a block could not hold it as it is.
fn block(text: &str, indent: usize) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let first = body.split('\n').find(|line| !line.is_empty())?;
    let odd = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{2028}' | '\u{2029}');
    // Blanks alone on the first or last line would be taken for indentation.
    let blank = |line: &str| line.trim_matches([' ', '\t']).is_empty();
    let several = text.contains('\n');
    let last = body.rsplit('\n').next().unwrap_or_default();
    if !several || text.chars().any(|c| odd(c) || is_mark(c)) || blank(first) || blank(last) {
        return None;
    }
    let ends = match text.len() - body.len() {
        0 => "-",
        1 => "",
        _ => "+",
    };
    // An indentation that is not the first line's own must be said.
    let number = if first.starts_with([' ', '\t']) { "2" } else { "" };
    let mut out = format!("|{number}{ends}\n");
    for line in body.split('\n') {
        if !line.is_empty() {
            _ = write!(out, "{:indent$}{line}", "");
        }
        out.push('\n');
    }
    out.extend(std::iter::repeat_n('\n', (text.len() - body.len()).saturating_sub(1)));
    Some(out)
}

/// A byte-order mark or no character at all.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn string(text: &str) -> String {
    let odd = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_mark(c);
    match text.contains(['"', '\\']) && !text.chars().any(odd) {
        _ if is_plain(text) => text.to_owned(),
        true => format!("'{}'", text.replace('\'', "''")),
        false => quoted(text),
    }
}

/// Is a text a string without quotes, for readers of YAML 1.1 too?
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 6] = ["y", "n", "yes", "no", "on", "off"];
    let starts = text.starts_with(|c: char| c.is_alphanumeric() || "/_$".contains(c));
    let inner = |c: char| c.is_alphanumeric() || " /_.$-+=()<>~;:".contains(c);
    let colon = text.ends_with(':') || text.contains(": ");
    // Dates, times and numbers in the writing of other countries.
    let digits = text.starts_with(|c: char| c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_digit() || " /_.-+:eExTZ".contains(c));
    let word = WORDS.iter().any(|word| text.eq_ignore_ascii_case(word));
    starts
        && text.chars().all(inner)
        && !(colon || digits || word || text.ends_with(' '))
        && matches!(scalar::core(text), Ok(Data::Text(_)))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') || is_mark(c) => {
                _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
