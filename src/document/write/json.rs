//! JSON, indented, each entry on a line of its own.
//!
//! EMQX reads it as well, for it is HOCON: numbers have their dot before an exponent, and no escape is written that
//! EMQX would not take, but for control characters, which JSON has no other writing for.

use std::fmt::Write;

use super::{LINE_CHARS, bare, is_collection};
use crate::diag::Diagnostic;
use crate::document::{Data, Format, Node};

/// The text of a tree.
pub(super) fn write(root: &Node) -> Result<String, Diagnostic> {
    let mut out = String::new();
    node(root, 0, &mut out)?;
    out.push('\n');
    Ok(out)
}

fn node(node: &Node, indent: usize, out: &mut String) -> Result<(), Diagnostic> {
    match &node.data {
        Data::Text(text) => out.push_str(&quoted(text)),
        Data::List(items) => {
            if let Some(line) = line(items)? {
                out.push_str(&line);
                return Ok(());
            }
            block(items.iter(), ['[', ']'], indent, out, |item, out| self::node(item, indent + 2, out))?;
        }
        Data::Map(entries) if entries.is_empty() => out.push_str("{}"),
        Data::Map(entries) => block(entries.iter(), ['{', '}'], indent, out, |entry, out| {
            _ = write!(out, "{}:", quoted(&entry.key));
            // EMQX would look for the key's end behind the next quote of its line.
            match entry.key.ends_with('\\') {
                true => _ = write!(out, "\n{:indent$}    ", ""),
                false => out.push(' '),
            }
            self::node(&entry.value, indent + 2, out)
        })?,
        _ => out.push_str(&bare(node, Format::Json)?.unwrap_or_default()),
    }
    Ok(())
}

fn block<T>(
    items: impl Iterator<Item = T>,
    [open, close]: [char; 2],
    indent: usize,
    out: &mut String,
    mut each: impl FnMut(T, &mut String) -> Result<(), Diagnostic>,
) -> Result<(), Diagnostic> {
    out.push(open);
    for (at, item) in items.enumerate() {
        out.push_str(if at > 0 { ",\n" } else { "\n" });
        out.push_str(&" ".repeat(indent + 2));
        each(item, out)?;
    }
    _ = write!(out, "\n{}{close}", " ".repeat(indent));
    Ok(())
}

/// A list of scalars that fits a line. A string that ends in a backslash has a line of its own: EMQX would look for
/// its end behind the next quote of the line.
fn line(items: &[Node]) -> Result<Option<String>, Diagnostic> {
    let mut words = Vec::new();
    for item in items {
        match &item.data {
            Data::Text(text) if text.ends_with('\\') => return Ok(None),
            Data::Text(text) => words.push(quoted(text)),
            _ if is_collection(item) => return Ok(None),
            Data::List(_) => words.push("[]".to_owned()),
            Data::Map(_) => words.push("{}".to_owned()),
            _ => words.extend(bare(item, Format::Json)?),
        }
    }
    let line = format!("[{}]", words.join(", "));
    Ok((line.chars().count() <= LINE_CHARS).then_some(line))
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
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
