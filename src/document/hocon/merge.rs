//! Fields of the same name: the last one wins, objects merge deeply, and an object whose keys are numbers changes
//! the elements of a list (hocon_maps:deep_merge/2).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::join::{Part, Solid};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Entry, Node, Style};
use crate::limits;
use crate::text::{Source, Span};

type Result<T> = std::result::Result<T, Diagnostic>;

/// A value in which merging goes on.
enum Built {
    One(Node),
    List(Vec<Built>, Span),
    Map(Map),
}

/// A map that knows where its keys are.
struct Map {
    fields: Vec<Place>,
    index: BTreeMap<Arc<str>, usize>,
    span: Span,
}

struct Place {
    key: Arc<str>,
    key_span: Span,
    value: Built,
    substituted: bool,
}

/// The tree of the root's fields, and warnings about values that are overwritten.
pub(super) fn merge(parts: Vec<Part>, span: Span, source: &Source) -> Result<(Node, Vec<Diagnostic>)> {
    let mut merging = Merging { source, warnings: Vec::new(), quiet: 0 };
    let root = merging.map(parts, span, 1)?;
    Ok((finish(Built::Map(root)), merging.warnings))
}

struct Merging<'a> {
    source: &'a Source,
    warnings: Vec<Diagnostic>,
    /// Elements of lists that are being changed: that is what their keys are written for.
    quiet: usize,
}

impl Merging<'_> {
    fn map(&mut self, parts: Vec<Part>, span: Span, depth: usize) -> Result<Map> {
        let mut map = Map { fields: Vec::new(), index: BTreeMap::new(), span };
        for Part { key, key_span, value, substituted } in parts {
            let Some(value) = value else { continue };
            let value = self.built(value, depth + 1)?;
            self.put(&mut map, Place { key, key_span, value, substituted })?;
        }
        Ok(map)
    }

    fn built(&mut self, solid: Solid, depth: usize) -> Result<Built> {
        let span = match &solid {
            Solid::One(node) => return Ok(Built::One(node.clone())),
            Solid::List(_, span) | Solid::Fields(_, span) => *span,
        };
        if depth > limits::DOCUMENT_DEPTH_MAX {
            return Err(super::too_deep(span));
        }
        match solid {
            Solid::One(node) => Ok(Built::One(node)),
            Solid::List(items, span) => {
                let items = items.into_iter().map(|item| self.built(item, depth + 1));
                Ok(Built::List(items.collect::<Result<_>>()?, span))
            }
            Solid::Fields(parts, span) => Ok(Built::Map(self.map(parts, span, depth)?)),
        }
    }

    fn put(&mut self, map: &mut Map, new: Place) -> Result<()> {
        let Some(at) = map.index.get(&new.key).copied() else {
            map.index.insert(new.key.clone(), map.fields.len());
            map.fields.push(new);
            return Ok(());
        };
        let old = &mut map.fields[at];
        match new.value {
            Built::Map(top) => self.over(old, top, new.key_span),
            value => {
                let new = Place { value, ..new };
                self.overwritten(old, &new);
                *old = new;
                Ok(())
            }
        }
    }

    /// Merges a map over the value of a field.
    fn over(&mut self, old: &mut Place, top: Map, key_span: Span) -> Result<()> {
        match &mut old.value {
            Built::Map(base) => top.fields.into_iter().try_for_each(|field| self.put(base, field)),
            Built::List(items, _) if top.fields.iter().all(|field| index_of(&field.key).is_some()) => {
                self.elements(items, top)
            }
            _ => {
                let new =
                    Place { value: Built::Map(top), key_span, key: old.key.clone(), substituted: false };
                self.overwritten(old, &new);
                *old = new;
                Ok(())
            }
        }
    }

    /// Changes elements of a list; the first one is 1, and the one behind the last is a new one.
    fn elements(&mut self, items: &mut Vec<Built>, top: Map) -> Result<()> {
        let mut changes: Vec<(i64, Place)> =
            top.fields.into_iter().map(|field| (index_of(&field.key).unwrap_or_default(), field)).collect();
        changes.sort_by_key(|(index, _)| *index);
        for (index, field) in changes {
            let last = items.len() + 1;
            let at = usize::try_from(index).ok().filter(|at| (1..=last).contains(at));
            let Some(at) = at else {
                let message = format!("the list has no element {index}; it could be 1 to {last}");
                return Err(Diagnostic::error(codes::SYNTAX, message).at(field.key_span, ""));
            };
            match (items.get_mut(at - 1), field.value) {
                (None, value) => items.push(value),
                (Some(item), Built::Map(map)) => {
                    let value = std::mem::replace(item, Built::List(Vec::new(), field.key_span));
                    let mut old = Place { value, substituted: true, ..empty(&field.key, field.key_span) };
                    self.quiet += 1;
                    self.over(&mut old, map, field.key_span)?;
                    self.quiet -= 1;
                    *item = old.value;
                }
                (Some(item), value) => *item = value,
            }
        }
        Ok(())
    }

    /// One file that says two things about one key most often means only one of them.
    fn overwritten(&mut self, old: &Place, new: &Place) {
        let file = |span: Span| self.source.file_of(span).0.name();
        let meant =
            self.quiet > 0 || old.substituted || new.substituted || file(old.key_span) != file(new.key_span);
        if meant || self.warnings.len() >= limits::LABELS_MAX {
            return;
        }
        let message = format!("key '{}' is here twice; EMQX takes the last one", new.key);
        let warning = Diagnostic::warning(codes::DUPLICATE_KEY, message).at(new.key_span, "this counts");
        self.warnings.push(warning.at(old.key_span, "this does not"));
    }
}

fn empty(key: &Arc<str>, key_span: Span) -> Place {
    Place { key: key.clone(), key_span, value: Built::List(Vec::new(), key_span), substituted: false }
}

/// The number that a key is, if it is one.
fn index_of(key: &str) -> Option<i64> {
    let digits = key.strip_prefix(['+', '-']).unwrap_or(key);
    let number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    number.then(|| key.parse().unwrap_or(i64::MAX))
}

fn finish(built: Built) -> Node {
    match built {
        Built::One(node) => node,
        Built::List(items, span) => {
            let data = Data::List(Arc::new(items.into_iter().map(finish).collect()));
            Node { span, style: Style::Plain, data }
        }
        Built::Map(map) => {
            let entries = map.fields.into_iter().map(|field| Entry {
                key: field.key,
                key_span: field.key_span,
                value: finish(field.value),
            });
            Node { span: map.span, style: Style::Plain, data: Data::Map(Arc::new(entries.collect())) }
        }
    }
}
