//! Actions and the placeholders of their templates.

use std::ops::Range;

use super::presence::Names;
use super::spot::{Entry, Spot, Way};
use crate::document::{Data, Document, Node};
use crate::rule::{Action, Field, Place, Rule};
use crate::text::Span;

/// The places of a rule's actions. One that rests is not asked for anything.
pub(super) fn entries(rule: &Rule, documents: &[Document]) -> Vec<Entry> {
    let names = Names::new(rule.program.statement(), rule.program.profile());
    let mut entries = Vec::new();
    for (position, action) in rule.actions.iter().enumerate() {
        let rests = !action.enabled || action.connector().is_some_and(|connector| !connector.enabled);
        if rests {
            continue;
        }
        entries.push(Entry {
            spot: Spot::Action(position),
            place: action.place.clone(),
            text: action.id.to_string(),
            operands: Vec::new(),
            ways: vec![(Way::Taken, false), (Way::Failed, true)],
        });
        let body = body(action, documents);
        for field in action.templates() {
            let parent = &field.path[..field.path.len().saturating_sub(1)];
            let node = body.and_then(|(_, node)| below(node, &field.path).or_else(|| below(node, parent)));
            for (index, (range, keys)) in field.template.places().into_iter().enumerate() {
                let mut ways = vec![(Way::Value, false)];
                if names.in_output(keys) {
                    ways.push((Way::Undefined, true));
                }
                entries.push(Entry {
                    spot: Spot::Placeholder(position, field.path.clone(), index),
                    text: field.template.source().get(range.clone()).unwrap_or_default().to_owned(),
                    place: place(action, body.map(|(document, _)| document), node, &field, range),
                    operands: Vec::new(),
                    ways,
                });
            }
        }
    }
    entries
}

/// The file and the tree that an action was read from.
fn body<'d>(action: &Action, documents: &'d [Document]) -> Option<(&'d Document, &'d Node)> {
    let document = documents.iter().find(|d| d.source.name() == action.place.source.name())?;
    Some((document, standing_at(&document.root, action.place.span)?))
}

/// The node of this place, or the one that a key of this place leads to. Readers bound the nesting
/// (`DOCUMENT_DEPTH_MAX`).
fn standing_at(node: &Node, span: Span) -> Option<&Node> {
    match &node.data {
        Data::Map(_) if node.span == span => Some(node),
        Data::Map(entries) => entries.iter().find_map(|entry| match entry.key_span == span {
            true => Some(&entry.value),
            false => standing_at(&entry.value, span),
        }),
        Data::List(items) => items.iter().find_map(|item| standing_at(item, span)),
        _ => None,
    }
}

/// The node under these keys.
fn below<'d>(node: &'d Node, path: &[String]) -> Option<&'d Node> {
    let Some((key, rest)) = path.split_first() else { return Some(node) };
    let inner = match &node.data {
        Data::List(items) => items.get(key.parse::<usize>().ok()?)?,
        _ => node.get(key)?,
    };
    below(inner, rest)
}

/// Where a placeholder stands; the connector, or the action, where that cannot be told.
fn place(
    action: &Action,
    document: Option<&Document>,
    node: Option<&Node>,
    field: &Field<'_>,
    range: Range<usize>,
) -> Place {
    if field.path.first().is_some_and(|key| key == "connector") {
        return action.connector().map_or(&action.place, |connector| &connector.place).clone();
    }
    let (Some(document), Some(node)) = (document, node) else { return action.place.clone() };
    let source = action.place.source.clone();
    let span = match node.as_text() {
        Some(text) if text == field.template.source() => {
            document.embedded(node).place(Span::new(range.start, range.end))
        }
        // The name of a header, or a text that was completed by its connector.
        _ => node.span,
    };
    Place { source, span }
}
