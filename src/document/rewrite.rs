//! Strings written anew in the file that they stand in; everything else of the file stays as it is, byte for byte.
//!
//! Invariant: an edit touches the value of its entry only, never the key, a comment or another value.

use std::collections::BTreeMap;

use super::{Data, Document, Entry, Node, Style, write};
use crate::text::Span;

/// A text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What it replaces in the file.
    pub span: Span,
    /// What stands there then.
    pub text: String,
}

/// The form of a string that is written anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is written; a text of many lines becomes a block where a block may stand.
    Natural,
    /// In double quotes, which hold anything, unless it is a block.
    Quoted,
}

impl Document {
    /// The edits that make `text` the value of an entry; none where rulemill cannot write the form that it has.
    pub fn rewrite(&self, entry: &Entry, text: &str, form: Form) -> Option<Vec<Edit>> {
        let node = &entry.value;
        let many_lines = text.contains('\n');
        match node.style {
            Style::Escaped | Style::Triple => Some(self.hocon(entry, text, form)),
            Style::Literal | Style::Folded => self.block(entry, text),
            Style::Double if !many_lines || self.in_flow(entry.key_span) => Some(self.quoted(node, text)),
            _ if form == Form::Quoted => Some(self.quoted(node, text)),
            _ if many_lines && !self.in_flow(entry.key_span) && text.chars().all(stands_in_block) => {
                Some(self.new_block(entry, text))
            }
            _ if many_lines => Some(self.quoted(node, text)),
            Style::Plain => Some(vec![Edit { span: node.span, text: text.to_owned() }]),
            Style::Single => {
                Some(vec![Edit { span: node.span, text: format!("'{}'", text.replace('\'', "''")) }])
            }
            Style::Double => Some(self.quoted(node, text)),
        }
    }

    /// The file's text with the edits made. Edits do not overlap.
    pub fn edited(&self, mut edits: Vec<Edit>) -> String {
        edits.sort_by_key(|edit| edit.span);
        let text = self.source.text();
        let (mut out, mut at) = (String::with_capacity(text.len()), 0);
        for edit in &edits {
            out.push_str(text.get(at..edit.span.start as usize).unwrap_or_default());
            out.push_str(&edit.text);
            at = edit.span.end as usize;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// HOCON's forms: in quotes, or between three of them, two deeper than the line of the key.
    fn hocon(&self, entry: &Entry, text: &str, form: Form) -> Vec<Edit> {
        let file = self.source.text();
        let line = file[..entry.key_span.start as usize].rfind('\n').map_or(0, |at| at + 1);
        let indent = file[line..].len() - file[line..].trim_start_matches([' ', '\t']).len();
        let raw = entry.value.style == Style::Triple && !text.ends_with('"') && !text.contains("\"\"\"");
        let text = match form {
            Form::Natural if text.contains('\n') => write::hocon::string(text, indent),
            Form::Natural if raw => format!("\"\"\"{text}\"\"\""),
            _ => write::hocon::quoted(text),
        };
        vec![Edit { span: entry.value.span, text }]
    }

    /// In double quotes, by the escapes that JSON and YAML share.
    fn quoted(&self, node: &Node, text: &str) -> Vec<Edit> {
        let text = serde_json::Value::from(text).to_string();
        vec![Edit { span: node.span, text }]
    }

    /// The end of this file's lines.
    pub(super) fn line_end(&self) -> &'static str {
        if self.source.text().contains("\r\n") { "\r\n" } else { "\n" }
    }

    /// A block gets other lines; `>` becomes `|`, since folding would join them.
    fn block(&self, entry: &Entry, text: &str) -> Option<Vec<Edit>> {
        let file = self.source.text();
        let content = entry.value.span;
        let header = header(file, entry.key_span.end as usize, content.start as usize)?;
        let rest = &file[header..];
        let signs =
            rest.find(|c: char| !matches!(c, '|' | '>' | '+' | '-' | '0'..='9')).unwrap_or(rest.len());
        let chomping: String = rest[..signs].chars().filter(|c| matches!(c, '+' | '-')).collect();
        let first_line = header + rest.find('\n')? + 1;
        let line_start = file[..content.start as usize].rfind('\n')? + 1;
        let indent = content.start as usize - line_start;
        let span = Span::new(first_line, content.end as usize);
        Some(vec![
            Edit { span: Span::new(header, header + signs), text: format!("|{chomping}") },
            Edit { span, text: self.indented(text, indent) },
        ])
    }

    /// A string becomes a block; a comment behind it stays on its line.
    fn new_block(&self, entry: &Entry, text: &str) -> Vec<Edit> {
        let file = self.source.text();
        let span = entry.value.span;
        let end = span.end as usize;
        let line = file[end..].find(['\r', '\n']).map_or(file.len(), |at| end + at);
        let comment = file[end..line].trim_end();
        let key = entry.key_span.start as usize;
        let column = key - file[..key].rfind('\n').map_or(0, |at| at + 1);
        let lines = self.indented(text, column + 2);
        let text = format!("|{comment}{}{lines}", self.line_end());
        vec![Edit { span: Span::new(span.start as usize, line), text }]
    }

    fn indented(&self, text: &str, indent: usize) -> String {
        let margin = " ".repeat(indent);
        let line = |line: &str| if line.is_empty() { String::new() } else { format!("{margin}{line}") };
        text.split('\n').map(line).collect::<Vec<_>>().join(self.line_end())
    }

    /// Does the place lie between the braces or brackets of a collection?
    pub fn in_flow(&self, place: Span) -> bool {
        let mut node = &self.root;
        loop {
            let text = self.source.slice(node.span);
            let children: Vec<&Node> = match &node.data {
                Data::Map(entries) if !text.starts_with('{') => entries.iter().map(|e| &e.value).collect(),
                Data::List(items) if !text.starts_with('[') => items.iter().collect(),
                Data::Map(_) | Data::List(_) => return true,
                _ => return false,
            };
            let holds = |n: &&&Node| n.span.start <= place.start && place.end <= n.span.end;
            match children.iter().find(holds) {
                Some(child) => node = child,
                None => return false,
            }
        }
    }
}

/// Where the `|` or `>` of a block stands, behind its key.
fn header(file: &str, key_end: usize, content: usize) -> Option<usize> {
    let mut at = key_end;
    while at < content {
        let rest = file.get(at..content)?;
        let length = match rest.chars().next()? {
            '|' | '>' => return Some(at),
            // A comment, an anchor and a tag may hold the sign.
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '&' | '!' => rest.find(char::is_whitespace).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
        at += length;
    }
    None
}

/// May the character stand in a block as it is?
fn stands_in_block(c: char) -> bool {
    c == '\n' || c == '\t' || !(c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}'))
}

/// Are two trees the same, but for the strings of the entries with these keys in the first one, which have become
/// others? Line ends behind such a string do not count.
pub fn same_but(before: &Node, after: &Node, changed: &BTreeMap<Span, String>) -> bool {
    match (&before.data, &after.data) {
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(a, _), Data::Int(b, _)) | (Data::Float(a, _), Data::Float(b, _)) => a == b,
        (Data::Text(a), Data::Text(b)) => a == b,
        (Data::List(a), Data::List(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_but(a, b, changed))
        }
        (Data::Map(a), Data::Map(b)) => {
            let value = |a: &Entry, b: &Entry| match changed.get(&a.key_span) {
                Some(text) => b.value.as_text().is_some_and(|b| b.trim_end_matches('\n') == text),
                None => same_but(&a.value, &b.value, changed),
            };
            a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| a.key == b.key && value(a, b))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Format;
    use super::*;

    /// Gives the entry `k`, wherever it is, another text; says how the file looks then.
    #[track_caller]
    fn rewritten(name: &str, file: &str, text: &str) -> String {
        let read = |file: &str| Document::read(name, file.as_bytes(), Format::of(name.as_ref()).unwrap());
        let document = read(file).unwrap();
        let entry = find(&document.root).unwrap();
        let edits = document.rewrite(entry, text, Form::Natural).unwrap();
        let edited = document.edited(edits);
        let again = read(&edited).unwrap_or_else(|e| panic!("{edited}\n{e:?}"));
        let changed = BTreeMap::from([(entry.key_span, text.to_owned())]);
        assert!(same_but(&document.root, &again.root, &changed), "{edited}");
        edited
    }

    fn find(node: &Node) -> Option<&Entry> {
        match &node.data {
            Data::Map(entries) => entries
                .iter()
                .find_map(|entry| if &*entry.key == "k" { Some(entry) } else { find(&entry.value) }),
            Data::List(items) => items.iter().find_map(find),
            _ => None,
        }
    }

    #[test]
    fn each_form_stays_what_it_is() {
        let cases = [
            ("k: |\n  a\n   b\nx: 1\n", "A\n  B", "k: |\n  A\n    B\nx: 1\n"),
            ("- k: |- # c | d\n\n\n    a\n\n\n  x: 1", "A\nB", "- k: |- # c | d\n    A\n    B\n\n\n  x: 1"),
            ("k: >2+\n    a\n  b\n\n\nx: 1\n", "A", "k: |+\n  A\n\n\nx: 1\n"),
            ("k: &a|b !!str |1\n  a\nx: 1\n", "A\n\nB", "k: &a|b !!str |\n A\n\n B\nx: 1\n"),
            ("k:\n  # | c\n  |\n    a", "A", "k:\n  # | c\n  |\n    A"),
            ("k: |\r\n  a\r\nx: 1\r\n", "A\nB", "k: |\r\n  A\r\n  B\r\nx: 1\r\n"),
            ("k: a b # c\n", "A B", "k: A B # c\n"),
            ("k: a\n  b\nx: 1\n", "A", "k: A\nx: 1\n"),
            ("k: 'a ''b''' # c\n", "A 'b'", "k: 'A ''b''' # c\n"),
            ("k: \"a \\u0062\"\n", "A \"b\"", "k: \"A \\\"b\\\"\"\n"),
            ("x: { k: a b, y: 1 }\n", "A\nB", "x: { k: \"A\\nB\", y: 1 }\n"),
            ("[{ k: 'a' }]\n", "A\nB", "[{ k: \"A\\nB\" }]\n"),
            ("x:\n  k: a b # c\n  y: 1\n", "A\nB", "x:\n  k: | # c\n    A\n    B\n  y: 1\n"),
            ("x:\n- k: \"a\"\n  y: 1\n", "A\nB", "x:\n- k: |\n    A\n    B\n  y: 1\n"),
            ("k:\n  'a'\n", "A\nB", "k:\n  |\n  A\n  B\n"),
            ("k: \"a\\a\"\n", "A\u{7}\nB", "k: \"A\\u0007\\nB\"\n"),
        ];
        for (file, text, expected) in cases {
            assert_eq!(rewritten("t.yaml", file, text), expected, "{file:?}");
        }
        assert_eq!(
            rewritten("t.json", "{\"k\": \"a\\/\",\n \"x\": 1}", "A\n\t\u{1}é"),
            "{\"k\": \"A\\n\\t\\u0001é\",\n \"x\": 1}"
        );
    }

    #[test]
    fn another_change_is_seen() {
        let read = |text: &str| Document::read("t.yaml", text.as_bytes(), Format::Yaml).unwrap();
        let before = read("k: a\nl: [1, 1.0, null, true, {x: y}]\n");
        let changed = BTreeMap::from([(before.root.entry("k").unwrap().key_span, "A".to_owned())]);
        let same = |text: &str| same_but(&before.root, &read(text).root, &changed);
        assert!(same("k: |\n  A\nl: [1, 1.0, ~, true, {x: 'y'}]\n"));
        for other in [
            "k: a\nl: [1, 1.0, null, true, {x: y}]\n",
            "k: A\nl: [2, 1.0, null, true, {x: y}]\n",
            "k: A\nl: [1, 1, null, true, {x: y}]\n",
            "k: A\nl: [1, 1.0, null, true, {x: z}]\n",
            "k: A\nl: [1, 1.0, null, true, {y: y}]\n",
            "k: A\nl: [1, 1.0, null, true]\n",
            "k: A\n",
        ] {
            assert!(!same(other), "{other}");
        }
    }
}
