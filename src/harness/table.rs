//! `each:`: one test for each row of a table, `$(name)` filled in.
//!
//! A whole value `$(name)` becomes the row's value and keeps its kind; inside a text it is the value's text. EMQX's
//! own `${name}` is left alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Entry, Node, Problems};

/// A copy of a node with the row filled in.
pub(super) fn filled(node: &Node, row: &[Entry], problems: &mut Problems) -> Node {
    let data = match &node.data {
        Data::Text(text) => return filled_text(text, node, row, problems),
        Data::List(items) => {
            Data::List(Arc::new(items.iter().map(|item| filled(item, row, problems)).collect()))
        }
        Data::Map(entries) => {
            let entry = |entry: &Entry| Entry {
                key: Arc::from(inside(&entry.key, node, row, problems)),
                key_span: entry.key_span,
                value: filled(&entry.value, row, problems),
            };
            Data::Map(Arc::new(entries.iter().map(entry).collect()))
        }
        other => other.clone(),
    };
    Node { data, ..node.clone() }
}

fn filled_text(text: &Arc<str>, node: &Node, row: &[Entry], problems: &mut Problems) -> Node {
    let whole =
        text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')')).filter(|name| !name.contains(')'));
    if let Some(name) = whole {
        return match find(name, node, row, problems) {
            // The place stays the row's: that is where a wrong value is put right.
            Some(value) => value.clone(),
            None => node.clone(),
        };
    }
    Node { data: Data::Text(Arc::from(inside(text, node, row, problems))), ..node.clone() }
}

/// A text with the values' texts filled in.
pub(super) fn inside(text: &str, node: &Node, row: &[Entry], problems: &mut Problems) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("$(") {
        out.push_str(before);
        let Some((name, after)) = after.split_once(')') else {
            out.push_str("$(");
            rest = after;
            continue;
        };
        if let Some(value) = find(name, node, row, problems) {
            out.push_str(&plain_text(value));
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

fn find<'r>(name: &str, node: &Node, row: &'r [Entry], problems: &mut Problems) -> Option<&'r Node> {
    let found = row.iter().find(|entry| &*entry.key == name);
    if found.is_none() {
        let problem =
            Diagnostic::error(codes::UNKNOWN_WORD, format!("the row has no '{name}'")).at(node.span, "");
        problems.push(match nearest(name, row.iter().map(|entry| &*entry.key)) {
            Some(near) => problem.help(format!("did you mean '$({near})'?")),
            None => problem,
        });
    }
    found.map(|entry| &entry.value)
}

/// A test without `each` has no row that could fill `$(name)`.
pub(super) fn check_none(test: &Node, problems: &mut Problems) {
    let mut check = |name: &str, node: &Node| {
        let problem = Diagnostic::error(codes::UNKNOWN_WORD, format!("nothing fills '$({name})'"));
        problems.push(
            problem.at(node.span, "").help("`each: [{ … }]` beside it has the values, a test for each row"),
        );
    };
    places(test, &mut check);
}

/// A column that fills nothing is a slip: the test says less than its table.
pub(super) fn check_used(test: &Node, rows: &[Node], problems: &mut Problems) {
    let mut used = BTreeSet::new();
    places(test, &mut |name, _| _ = used.insert(name.to_owned()));
    let mut told = BTreeSet::new();
    for entry in rows.iter().filter_map(Node::as_map).flatten() {
        if !used.contains(&*entry.key) && told.insert(entry.key.clone()) {
            let message = format!("'{}' of the row fills nothing", entry.key);
            let problem = Diagnostic::error(codes::UNKNOWN_WORD, message).at(entry.key_span, "");
            problems.push(problem.help(format!("write $({}) in the test, or leave it out", entry.key)));
        }
    }
}

/// Calls for each `$(name)` of a test.
fn places(node: &Node, found: &mut dyn FnMut(&str, &Node)) {
    match &node.data {
        Data::Text(text) => names(text, node, found),
        Data::List(items) => items.iter().for_each(|item| places(item, found)),
        Data::Map(entries) => {
            for entry in entries.iter().filter(|entry| &*entry.key != "each") {
                names(&entry.key, node, found);
                places(&entry.value, found);
            }
        }
        _ => {}
    }
}

fn names(text: &str, node: &Node, found: &mut dyn FnMut(&str, &Node)) {
    for piece in text.split("$(").skip(1) {
        if let Some((name, _)) = piece.split_once(')') {
            found(name, node);
        }
    }
}

/// A value inside a text or a test's name.
pub(super) fn plain_text(node: &Node) -> String {
    match &node.data {
        Data::Null => "null".to_owned(),
        Data::Bool(b) => b.to_string(),
        Data::Int(raw, _) | Data::Float(raw, _) | Data::Text(raw) => raw.to_string(),
        Data::List(items) => format!("[{}]", items.iter().map(plain_text).collect::<Vec<_>>().join(", ")),
        Data::Map(entries) => {
            let pairs = entries.iter().map(|e| format!("{}: {}", e.key, plain_text(&e.value)));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}
