//! Values that stand one behind the other, as one (hocon:concat/1): strings to a string, arrays to an array, objects
//! to the fields of an object. Nothing else can be joined.
//!
//! Invariant: all substitutions are settled.

use std::sync::Arc;

use super::tree::{Field, State, Value, Variable};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Node, Style};
use crate::text::Span;

/// A value without substitutions, whose objects may still have fields of the same name.
pub(super) enum Solid {
    One(Node),
    List(Vec<Solid>, Span),
    Fields(Vec<Part>, Span),
}

/// A field.
pub(super) struct Part {
    pub(super) key: Arc<str>,
    pub(super) key_span: Span,
    /// `None` for a substitution of nothing: the field is not there.
    pub(super) value: Option<Solid>,
    pub(super) substituted: bool,
}

enum Piece {
    Field(Part),
    Solid(Solid),
    Gone,
}

/// The fields of the root.
pub(super) fn join(fields: &[Field], variables: &[Variable]) -> Result<Vec<Part>, Diagnostic> {
    fields.iter().map(|field| part(field, variables)).collect()
}

fn part(field: &Field, variables: &[Variable]) -> Result<Part, Diagnostic> {
    let value = solid(&field.value, variables)?;
    let (key, key_span) = (field.key.clone(), field.key_span);
    Ok(Part { key, key_span, value, substituted: field.substituted })
}

fn solid(value: &Value, variables: &[Variable]) -> Result<Option<Solid>, Diagnostic> {
    match value {
        Value::Leaf(node) => Ok(Some(Solid::One(node.clone()))),
        Value::Joined(values, span) => joined(values.iter(), *span, variables),
        Value::Shared(value) => solid(value, variables),
        Value::Variable(number) => match &variables[*number].state {
            State::Is(value, _) => solid(value, variables),
            State::Open | State::Gone => Ok(None),
        },
        Value::Object(_, span) | Value::Array(_, span) => joined(std::iter::once(value), *span, variables),
        Value::Path(field) => joined(std::iter::once(value), field.key_span, variables),
    }
}

fn is_gone(value: &Value, variables: &[Variable]) -> bool {
    matches!(value, Value::Variable(number) if matches!(variables[*number].state, State::Gone))
}

fn joined<'v>(
    values: impl Iterator<Item = &'v Value> + Clone,
    span: Span,
    variables: &[Variable],
) -> Result<Option<Solid>, Diagnostic> {
    if values.clone().all(|value| is_gone(value, variables)) {
        return Ok(None);
    }
    let mut pieces = Vec::new();
    for value in values.filter(|value| !is_gone(value, variables)) {
        match value {
            Value::Object(fields, _) => {
                for field in fields {
                    pieces.push(Piece::Field(part(field, variables)?));
                }
            }
            Value::Path(field) => pieces.push(Piece::Field(part(field, variables)?)),
            Value::Array(items, span) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| solid(item, variables)).collect();
                pieces.push(Piece::Solid(Solid::List(items?.into_iter().flatten().collect(), *span)));
            }
            _ => match solid(value, variables)? {
                // What stands beside a substitution is there to change what it brings.
                Some(Solid::Fields(parts, _)) => {
                    pieces.extend(
                        parts.into_iter().map(|part| Piece::Field(Part { substituted: true, ..part })),
                    );
                }
                Some(solid) => pieces.push(Piece::Solid(solid)),
                None => pieces.push(Piece::Gone),
            },
        }
    }
    one(pieces, span)
}

fn is_text(piece: &Piece) -> bool {
    matches!(piece, Piece::Solid(Solid::One(Node { data: Data::Text(_), .. })))
}

/// The pieces as one value.
fn one(mut pieces: Vec<Piece>, span: Span) -> Result<Option<Solid>, Diagnostic> {
    if pieces.len() == 1 && !matches!(pieces.first(), Some(Piece::Field(_))) {
        return Ok(match pieces.pop() {
            Some(Piece::Solid(solid)) => Some(solid),
            _ => None,
        });
    }
    if pieces.iter().all(|piece| matches!(piece, Piece::Field(_))) {
        let parts = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Field(part) => Some(part),
            _ => None,
        });
        return Ok(Some(Solid::Fields(parts.collect(), span)));
    }
    if pieces.iter().all(is_text) {
        let texts = pieces.iter().filter_map(|piece| match piece {
            Piece::Solid(Solid::One(node)) => node.as_text(),
            _ => None,
        });
        let data = Data::Text(Arc::from(texts.collect::<String>()));
        return Ok(Some(Solid::One(Node { span, style: Style::Plain, data })));
    }
    if pieces.iter().all(|piece| matches!(piece, Piece::Solid(Solid::List(..)))) {
        let lists = pieces.into_iter().filter_map(|piece| match piece {
            Piece::Solid(Solid::List(items, _)) => Some(items),
            _ => None,
        });
        return Ok(Some(Solid::List(lists.flatten().collect(), span)));
    }
    Err(mixed(&pieces, span))
}

fn mixed(pieces: &[Piece], span: Span) -> Diagnostic {
    let mut names: Vec<&str> = Vec::new();
    for piece in pieces {
        let name = match piece {
            Piece::Field(_) => "an object",
            Piece::Solid(Solid::One(node)) => node.kind_name(),
            Piece::Solid(Solid::List(..)) => "a list",
            Piece::Solid(Solid::Fields(..)) => "an object",
            Piece::Gone => "nothing",
        };
        // The fields of one object are pieces of their own.
        if !(name == "an object" && names.last() == Some(&name)) {
            names.push(name);
        }
    }
    let message = format!("{} cannot be joined", names.join(" and "));
    let problem = Diagnostic::error(codes::SYNTAX, message).at(span, "");
    let numbers = names.iter().any(|name| ["an integer", "a float", "a boolean"].contains(name));
    match numbers {
        true => problem.help("a number that is a piece of a string stands in quotes where it is defined"),
        false => {
            problem.help("a line break does not end a value in HOCON: put a comma or a key between them")
        }
    }
}
