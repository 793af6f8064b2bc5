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
    EmptyArray,
    EmptyObject,
    /// An object of constants: `$__loc__`.
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
            Literal::EmptyArray => Val::list(Vec::new()),
            Literal::EmptyObject => Val::members([]),
            Literal::Object(members) => {
                let member = |(key, v): &(String, Literal)| (Key(Text::rc(key.clone())), v.value());
                Val::object(members.iter().map(member).collect())
            }
        }
    }
}
