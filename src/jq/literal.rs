//! Values that stand in a program.
//!
//! Unlike [`Val`] they can go from thread to thread, so a compiled program can.

use super::value::{Key, Text, Val};

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Bool(bool),
    Num(f64),
    Str(String),
    /// An array of constants.
    Array(Vec<Literal>),
    /// An object of constants; of a name that comes twice the last counts.
    Object(Vec<(String, Literal)>),
}

impl Literal {
    /// The value.
    pub(super) fn value(&self) -> Val {
        match self {
            Literal::Null => Val::Null,
            Literal::Bool(b) => Val::Bool(*b),
            Literal::Num(n) => Val::Num(*n),
            Literal::Str(text) => Val::str(text.as_str()),
            Literal::Array(items) => Val::list(items.iter().map(Literal::value).collect()),
            Literal::Object(members) => {
                let member = |(key, v): &(String, Literal)| (Key(Text::rc(key.clone())), v.value());
                Val::object(members.iter().map(member).collect())
            }
        }
    }
}
