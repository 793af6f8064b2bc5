//! A file as written, before substitutions are made and values joined.

use std::sync::Arc;

use crate::document::Node;
use crate::text::Span;

/// A value.
#[derive(Debug)]
pub(super) enum Value {
    /// Null, a boolean, a number or a string.
    Leaf(Node),
    /// `{…}`.
    Object(Vec<Field>, Span),
    /// `[…]`.
    Array(Vec<Value>, Span),
    /// Values one behind the other.
    Joined(Vec<Value>, Span),
    /// What a key of several names holds: the field of its next name.
    Path(Box<Field>),
    /// `${…}`, by its number.
    Variable(usize),
    /// A value of another place.
    Shared(Arc<Value>),
}

/// A key and its value.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) key: Arc<str>,
    pub(super) key_span: Span,
    /// Written in quotes or with a unit, where EMQX's substitutions do not find it.
    pub(super) quoted: bool,
    pub(super) value: Arc<Value>,
    /// Is its value, or a part of it, a substitution?
    pub(super) substituted: bool,
}

/// A substitution.
#[derive(Debug)]
pub(super) struct Variable {
    /// The path from the root.
    pub(super) path: Vec<String>,
    /// As written.
    pub(super) name: String,
    pub(super) optional: bool,
    pub(super) span: Span,
    pub(super) state: State,
}

/// What is known about a substitution.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// Nothing yet.
    Open,
    /// An optional one, of nothing.
    Gone,
    /// Its value, and how it counts.
    Is(Arc<Value>, Weight),
}

/// How a value counts with everything in it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Weight {
    /// Its values.
    pub(super) nodes: usize,
    /// Its levels, joined values and substitutions counted.
    pub(super) levels: usize,
    /// Does EMQX take it for an object?
    pub(super) object: bool,
}
