//! One rule file, formatted in memory and read again before anyone writes it.
//!
//! Invariant: bytes that are given back hold the same tree as those that came, but for the SQL, and that SQL parses to
//! the same statements.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diag::{Diagnostic, codes};
use crate::document::{self, Document, Embedded, Entry, Form, Format, Node, same_but};
use crate::profile::Profile;
use crate::rule::Input;
use crate::sql::format::{Lines, Unformatted, format as format_sql};
use crate::text::{Source, Span};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What came of a file.
pub(super) enum Formatted {
    /// It holds no rule's SQL.
    NoSql,
    /// It is as it should be.
    Same,
    /// These bytes should be there.
    Changed(Vec<u8>),
    /// It cannot be read, or its SQL is wrong; it stays as it is.
    Wrong(Vec<Diagnostic>),
}

/// Formats the SQL of a file.
pub(super) fn format(input: &Input, profile: Profile) -> Formatted {
    let path = Path::new(&input.path);
    let text = match path.extension().is_some_and(|e| e == "sql") {
        true => sql_file(input, profile),
        false => match Format::of(path) {
            Some(format) => document_file(input, format, profile),
            None => {
                let problem = Diagnostic::error(codes::UNKNOWN_FORMAT, "not a rule file")
                    .help("rule files end in .yaml, .yml, .json, .hocon, .conf or .sql");
                Err(vec![problem.in_source(&Source::new(input.path.as_str(), ""))])
            }
        },
    };
    let text = match text {
        Ok(Some(text)) => text,
        Ok(None) => return Formatted::NoSql,
        Err(problems) => return Formatted::Wrong(problems),
    };
    let mark = if input.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK } else { b"" };
    let bytes = [mark, text.as_bytes()].concat();
    if bytes == input.bytes { Formatted::Same } else { Formatted::Changed(bytes) }
}

type Text = Result<Option<String>, Vec<Diagnostic>>;

fn sql_file(input: &Input, profile: Profile) -> Text {
    let source = document::decode(&input.path, &input.bytes).map_err(|problem| vec![problem])?;
    let text = source.text();
    if text.trim().is_empty() {
        return Err(vec![document::empty(&source)]);
    }
    let formatted = format_sql(text, profile, Lines::Clauses)
        .map_err(|why| problems(why, &source, &Embedded::identity(&source)))?;
    let mut whole = format!("{formatted}\n");
    if text.contains("\r\n") {
        whole = whole.replace("\r\n", "\n").replace('\n', "\r\n");
        let again = format_sql(&whole, profile, Lines::Clauses);
        if !again.is_ok_and(|again| again == formatted) {
            return Err(vec![fragile(&source, Span::new(0, text.len()))]);
        }
    }
    Ok(Some(whole))
}

fn document_file(input: &Input, format: Format, profile: Profile) -> Text {
    let document = Document::read(&input.path, &input.bytes, format)?;
    let entries = sql_entries(&document.root);
    if entries.is_empty() {
        return Ok(None);
    }
    let mut wrong = Vec::new();
    let mut changed: Vec<(&Entry, String)> = Vec::new();
    for entry in entries {
        let Some(text) = entry.value.as_text() else { continue };
        match format_sql(text, profile, lines(&document, &entry.value)) {
            Ok(formatted) if formatted == text.trim_end_matches('\n') => {}
            Ok(formatted) => changed.push((entry, formatted)),
            Err(why) => wrong.extend(problems(why, &document.source, &document.embedded(&entry.value))),
        }
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    if changed.is_empty() {
        return Ok(Some(document.source.text().to_owned()));
    }
    let texts: BTreeMap<Span, String> =
        changed.iter().map(|(entry, text)| (entry.key_span, text.clone())).collect();
    // Two rules may share one text by an anchor: it is written once.
    changed.sort_by_key(|(entry, _)| entry.value.span);
    changed.dedup_by_key(|(entry, _)| entry.value.span);
    for form in [Form::Natural, Form::Quoted] {
        let edits: Option<Vec<_>> =
            changed.iter().map(|(entry, text)| document.rewrite(entry, text, form)).collect();
        let Some(edits) = edits else { continue };
        let edited = document.edited(edits.into_iter().flatten().collect());
        let again = Document::read(&input.path, edited.as_bytes(), format);
        if again.is_ok_and(|again| same_but(&document.root, &again.root, &texts)) {
            return Ok(Some(edited));
        }
    }
    let at = changed.first().map_or(Span::default(), |(entry, _)| entry.value.span);
    let message = "this SQL cannot be written in another form without changing something else";
    let problem = Diagnostic::error(codes::NOT_FORMATTED, message).at(at, "");
    Err(vec![problem.help("is its text shared by an anchor (`&`)? write it out").in_source(&document.source)])
}

/// The SQL of the rules.
fn sql_entries(root: &Node) -> Vec<&Entry> {
    let rules = root.get("rule_engine").and_then(|engine| engine.get("rules")).and_then(Node::as_map);
    let entries = rules.unwrap_or_default().iter().filter_map(|rule| rule.value.entry("sql"));
    entries.filter(|entry| entry.value.as_text().is_some()).collect()
}

/// A string that was written on one line stays on it: where only `\n` could break it always, else where it fits.
fn lines(document: &Document, node: &Node) -> Lines {
    let block = matches!(node.style, document::Style::Literal | document::Style::Folded);
    if block || node.as_text().is_some_and(|text| text.contains('\n')) {
        Lines::Clauses
    } else if matches!(node.style, document::Style::Escaped | document::Style::Triple) {
        // Braces say nothing about lines in HOCON.
        Lines::OneIfFits
    } else if document.in_flow(node.span) {
        Lines::One
    } else {
        Lines::OneIfFits
    }
}

fn problems(why: Unformatted, source: &Source, embedded: &Embedded) -> Vec<Diagnostic> {
    match why {
        Unformatted::Wrong(problems) => {
            let relocated = |problem: Diagnostic| problem.relocated(source, |span| embedded.place(span));
            problems.into_iter().map(relocated).collect()
        }
        Unformatted::Fragile => vec![fragile(source, embedded.place(Span::new(0, 1)))],
    }
}

fn fragile(source: &Source, at: Span) -> Diagnostic {
    let message = "this SQL means something else when its blanks change";
    Diagnostic::error(codes::NOT_FORMATTED, message)
        .at(at, "")
        .help("EMQX deletes a `/` at the start of a line together with the line's end, even inside a string")
        .in_source(source)
}
