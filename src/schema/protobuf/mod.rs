//! Protobuf as gpb 4.21 generates it for EMQX: maps, flat `oneof`, unset optional fields left out, everything
//! verified before encoding.
//!
//! protox parses and links the `.proto` text; reading and writing are ours, since a generic message type of a crate
//! has neither gpb's values (atoms for enums, `$undef` for what is required and missing) nor its failures.

mod descriptor;
mod read;
mod write;

use std::collections::HashMap;

use super::Failure;
use crate::diag::Diagnostic;
use crate::text::Source;
use crate::value::{Bytes, Value};

/// A compiled `.proto` text.
#[derive(Clone, Debug)]
pub(super) struct Protobuf {
    messages: Vec<Message>,
    enums: Vec<Enum>,
    /// Messages by name, without the package: EMQX compiles without gpb's option `use_packages`.
    by_name: HashMap<String, usize>,
}

#[derive(Clone, Debug)]
struct Message {
    name: String,
    /// In the order of their definition, which is the order that they are encoded in.
    fields: Vec<Field>,
    by_number: HashMap<u32, usize>,
    by_field: HashMap<String, usize>,
    oneofs: Vec<String>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    number: u32,
    kind: Kind,
    label: Label,
    oneof: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Label {
    Required,
    Optional,
    /// Without presence: the default stands for what is not there (proto3).
    Implicit,
    Repeated {
        packed: bool,
    },
}

#[derive(Clone, Debug)]
enum Kind {
    Scalar(Scalar),
    Enum(usize),
    Message(usize),
    Group(usize),
    /// `map<key, value>`.
    Map(Scalar, Box<Kind>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scalar {
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Float,
    Double,
    Bool,
    String,
    Bytes,
}

#[derive(Clone, Debug)]
struct Enum {
    name: String,
    symbols: Vec<(Bytes, i32)>,
}

/// Wire types.
const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const SIZED: u64 = 2;
const START_GROUP: u64 = 3;
const END_GROUP: u64 = 4;
const FIXED32: u64 = 5;

impl Kind {
    fn wire_type(&self) -> u64 {
        match self {
            Kind::Scalar(Scalar::Fixed32 | Scalar::Sfixed32 | Scalar::Float) => FIXED32,
            Kind::Scalar(Scalar::Fixed64 | Scalar::Sfixed64 | Scalar::Double) => FIXED64,
            Kind::Scalar(Scalar::String | Scalar::Bytes) | Kind::Message(_) | Kind::Map(..) => SIZED,
            Kind::Group(_) => START_GROUP,
            Kind::Scalar(_) | Kind::Enum(_) => VARINT,
        }
    }

    fn packs(&self) -> bool {
        matches!(self.wire_type(), VARINT | FIXED32 | FIXED64)
    }
}

impl Scalar {
    /// What a field of proto3 is when it is not there.
    fn default(self) -> Value {
        match self {
            Scalar::Bool => Value::Bool(false),
            Scalar::Float | Scalar::Double => Value::Float(0.0),
            Scalar::String | Scalar::Bytes => Value::str(""),
            _ => Value::Int(0),
        }
    }
}

impl Enum {
    fn symbol(&self, number: i32) -> Value {
        match self.symbols.iter().find(|(_, known)| *known == number) {
            Some((name, _)) => Value::atom(&String::from_utf8_lossy(name)),
            None => Value::Int(number.into()),
        }
    }
}

impl Protobuf {
    pub(super) fn compile(source: &Source) -> Result<Protobuf, Vec<Diagnostic>> {
        descriptor::compile(source)
    }

    pub(super) fn message_types(&self) -> impl Iterator<Item = &str> {
        self.messages.iter().map(|message| message.name.as_str())
    }

    pub(super) fn decode(&self, data: &Value, message: &str) -> Result<Value, Failure> {
        let data = match data {
            Value::Str(bytes) => bytes,
            // emqx_schema_registry_serde:eval_decode/2 throws for a map.
            Value::Map(_) => {
                return Err(Failure::Throw("the data is a map: it has been decoded already".to_owned()));
            }
            other => {
                let kind = other.kind_name();
                return Err(Failure::Error(format!("Protobuf data is a string, not {kind}")));
            }
        };
        match self.by_name.get(message) {
            Some(at) => read::decode(self, *at, data),
            // Where an atom of that name exists, gpb's code fails as for damaged data.
            None if self.enums.iter().any(|e| e.name == message) => {
                Err(Failure::Throw(self.unknown(message)))
            }
            None => Err(Failure::Error(self.unknown(message))),
        }
    }

    pub(super) fn encode(&self, value: &Value, message: &str) -> Result<Vec<u8>, Failure> {
        match self.by_name.get(message) {
            Some(at) => write::encode(self, *at, value),
            None => Err(Failure::Error(self.unknown(message))),
        }
    }

    fn unknown(&self, message: &str) -> String {
        let near = crate::diag::nearest(message, self.message_types());
        let hint = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
        format!("the schema has no message '{message}'{hint}")
    }
}
