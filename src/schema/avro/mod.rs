//! Avro: schemas as erlavro 2.10 takes them, and its binary encoding.
//!
//! No crate: `apache-avro` checks schemas by other rules (erlavro ignores logical types, looks up aliases, refuses
//! references before definitions), and its values and errors are not erlavro's.

mod read;
mod schema;
mod write;

use std::collections::BTreeMap;

use crate::text::Source;
use crate::value::Value;
use crate::value::iodata::iodata;

use super::Failure;
use crate::diag::Diagnostic;

/// A compiled schema.
#[derive(Clone, Debug)]
pub(super) struct Avro {
    root: Type,
    /// Named types by full name and by alias.
    named: BTreeMap<String, Type>,
}

/// A type; named types inside others are references.
#[derive(Clone, Debug)]
enum Type {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Box<Type>),
    Map(Box<Type>),
    Union(Vec<Type>),
    Record(Vec<Field>),
    Enum(Vec<String>),
    Fixed(usize),
    /// A named type by its full name.
    Named(String),
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    aliases: Vec<String>,
    kind: Type,
    default: Option<Value>,
}

impl Avro {
    pub(super) fn compile(name: &str, source: &Source) -> Result<Avro, Vec<Diagnostic>> {
        schema::compile(name, source)
    }

    /// A named type; references are checked when the schema is compiled.
    fn named(&self, name: &str) -> Result<&Type, Failure> {
        self.named.get(name).ok_or_else(|| Failure::error(format!("there is no Avro type '{name}'")))
    }

    pub(super) fn decode(&self, data: &Value, (): ()) -> Result<Value, Failure> {
        let data = iodata(data)
            .ok_or_else(|| Failure::error(format!("Avro data is a string, not {}", kind(data))))?;
        read::decode(self, data.into())
    }

    pub(super) fn encode(&self, value: &Value, (): ()) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        write::encode(self, &self.root, value, &mut out)?;
        Ok(out)
    }
}

fn kind(value: &Value) -> String {
    let name = value.kind_name();
    let article = if name.starts_with(['a', 'i', 'u']) { "an" } else { "a" };
    match value {
        Value::Null | Value::Undefined => name.to_owned(),
        _ => format!("{article} {name}"),
    }
}
