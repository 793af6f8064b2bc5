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
        for field in action.templates() {
            let written = Written::find(action, &field, documents);
            for (index, (range, keys)) in field.template.places().into_iter().enumerate() {
                let mut ways = vec![(Way::Value, false)];
                if names.in_output(keys) {
                    ways.push((Way::Undefined, true));
                }
                entries.push(Entry {
                    spot: Spot::Placeholder(position, field.path.clone(), index),
                    text: field.template.source().get(range.clone()).unwrap_or_default().to_owned(),
                    place: written.place(&field, range),
                    operands: Vec::new(),
                    ways,
                });
            }
        }
    }
    entries
}

/// Where a template was written.
struct Written<'d> {
    /// The definition that it belongs to: the action's, or its connector's.
    definition: &'d Place,
    node: Option<(&'d Document, &'d Node)>,
}

impl<'d> Written<'d> {
    fn find(action: &'d Action, field: &Field<'_>, documents: &'d [Document]) -> Written<'d> {
        let (definition, path) = match (field.path.split_first(), action.connector()) {
            (Some((first, rest)), Some(connector)) if first == "connector" => (&connector.place, rest),
            _ => (&action.place, field.path.as_slice()),
        };
        let parent = &path[..path.len().saturating_sub(1)];
        let document = documents.iter().find(|d| d.source.name() == definition.source.name());
        let node = document.and_then(|document| {
            let root = standing_at(&document.root, definition.span)?;
            // The name of a header stands where its value does: the readers keep keys and values together.
            below(root, path).or_else(|| below(root, parent)).map(|node| (document, node))
        });
        Written { definition, node }
    }

    /// The place of a part of the template, as close as it can be told.
    fn place(&self, field: &Field<'_>, range: Range<usize>) -> Place {
        let span = match self.node {
            Some((document, node)) if node.as_text() == Some(field.template.source()) => {
                document.embedded(node).place(Span::new(range.start, range.end))
            }
            // The name of a header, or a text that was completed from elsewhere.
            Some((_, node)) => node.span,
            None => self.definition.span,
        };
        Place { source: self.definition.source.clone(), span }
    }
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
