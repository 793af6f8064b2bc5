//! The EMQX value: what a rule reads, computes and hands to its actions.
//!
//! It follows Erlang's terms, since that is what EMQX's rules compute with: `undefined` is not `null`, integers
//! have no bound, `1` is not `1.0`, strings are bytes, and atoms and strings are two kinds. Clones are cheap:
//! bytes and containers are shared.
//!
//! Invariants: an [`Value::Int`] is never held as [`Value::Big`]; a [`Map`] is sorted by key in term order and
//! has no key twice; floats are finite.

pub mod compare;
pub mod decode;
pub mod encode;
pub mod float;
pub mod iodata;
mod map;
pub mod number;
pub mod path;
mod store;
pub mod text;
pub mod weight;

use std::sync::Arc;

pub use bytes::Bytes;
pub use encode::NotJson;
pub use map::Map;
pub use num_bigint::BigInt;
use num_traits::ToPrimitive;
pub use store::{Full, Store};

/// One EMQX value.
#[derive(Clone, Debug)]
pub enum Value {
    /// The atom `undefined`: a missing variable, or a function's "no answer".
    Undefined,
    /// The atom `null`: a JSON null.
    Null,
    /// The atoms `true` and `false`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// An integer that does not.
    Big(Arc<BigInt>),
    /// A finite float.
    Float(f64),
    /// Any other atom.
    Atom(Bytes),
    /// A binary: bytes that are mostly, but not always, UTF-8 text.
    Str(Bytes),
    /// A bit string whose length is no multiple of 8.
    Bits(Bits),
    /// A tuple; no JSON, and only `mongo_date` and `term_decode` make one.
    Tuple(Arc<[Value]>),
    /// A list.
    List(Arc<[Value]>),
    /// A map.
    Map(Map),
}

/// A bit string: `bits` bits, the first in the highest bit of the first byte, the rest of the last byte zero.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bits {
    /// The bytes, the last one only partly used.
    pub bytes: Bytes,
    /// How many bits there are.
    pub bits: usize,
}

impl Value {
    /// A string.
    pub fn str(text: impl AsRef<[u8]>) -> Value {
        Value::Str(Bytes::copy_from_slice(text.as_ref()))
    }

    /// A string of bytes already made.
    pub fn bytes(bytes: Vec<u8>) -> Value {
        Value::Str(Bytes::from(bytes))
    }

    /// The atom of this name; `undefined`, `null`, `true` and `false` are their own variants.
    pub fn atom(name: &str) -> Value {
        match name {
            "undefined" => Value::Undefined,
            "null" => Value::Null,
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            other => Value::Atom(Bytes::copy_from_slice(other.as_bytes())),
        }
    }

    /// An atom whose name is known at compile time and is none of the four special ones.
    pub const fn static_atom(name: &'static str) -> Value {
        Value::Atom(Bytes::from_static(name.as_bytes()))
    }

    /// An integer of any size, in its one form.
    pub fn integer(n: BigInt) -> Value {
        match n.to_i64() {
            Some(small) => Value::Int(small),
            None => Value::Big(Arc::new(n)),
        }
    }

    /// A list.
    pub fn list(items: Vec<Value>) -> Value {
        Value::List(items.into())
    }

    /// A tuple.
    pub fn tuple(items: Vec<Value>) -> Value {
        Value::Tuple(items.into())
    }

    /// Is it the atom `undefined`?
    pub fn is_undefined(&self) -> bool {
        matches!(self, Value::Undefined)
    }

    /// The name of an atom, of any of the atom variants.
    pub fn atom_name(&self) -> Option<&[u8]> {
        match self {
            Value::Undefined => Some(b"undefined"),
            Value::Null => Some(b"null"),
            Value::Bool(true) => Some(b"true"),
            Value::Bool(false) => Some(b"false"),
            Value::Atom(name) => Some(name),
            _ => None,
        }
    }

    /// The bytes of a string.
    pub fn as_bytes(&self) -> Option<&Bytes> {
        match self {
            Value::Str(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a string that is UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        self.as_bytes().and_then(|bytes| std::str::from_utf8(bytes).ok())
    }

    /// The items of a list.
    pub fn as_list(&self) -> Option<&[Value]> {
        match self {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// An integer as a big one.
    pub fn to_bigint(&self) -> Option<BigInt> {
        match self {
            Value::Int(n) => Some(BigInt::from(*n)),
            Value::Big(n) => Some((**n).clone()),
            _ => None,
        }
    }

    /// The word for its kind in messages.
    pub fn kind_name(&self) -> &'static str {
        match self {
            Value::Undefined => "undefined",
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Int(_) | Value::Big(_) => "integer",
            Value::Float(_) => "float",
            Value::Atom(_) => "atom",
            Value::Str(_) => "string",
            Value::Bits(_) => "bit string",
            Value::Tuple(_) => "tuple",
            Value::List(_) => "list",
            Value::Map(_) => "map",
        }
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Value {
        Value::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Value {
        Value::Int(n)
    }
}

impl From<f64> for Value {
    fn from(f: f64) -> Value {
        Value::Float(f)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::str(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::bytes(text.into_bytes())
    }
}

impl From<BigInt> for Value {
    fn from(n: BigInt) -> Value {
        Value::integer(n)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Value {
        Value::Map(map)
    }
}

/// Exact equality (Erlang's `=:=`): kinds differ, values differ.
impl PartialEq for Value {
    fn eq(&self, other: &Value) -> bool {
        compare::exactly_equal(self, other)
    }
}
