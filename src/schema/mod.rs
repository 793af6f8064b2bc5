//! The schema registry: Avro, Protobuf and JSON Schema under names, and Sparkplug B, as emqx_schema_registry_serde
//! uses erlavro, gpb and jesse.
//!
//! Values have the shapes that those libraries give them: enums of Protobuf are atoms, a required field that is
//! missing is the atom `$undef`, a union of Avro is the bare value. Where the libraries fail, so does this, with a
//! reason. Without the feature `schema` a registry holds nothing and every use of it fails with one sentence.
//!
//! It may import `value`, `limits`, `text`, `diag` and `document`.
//!
//! Invariant: decoding never makes more than [`crate::limits::SCHEMA_VALUES_MAX`] values, whatever the bytes say.

#[cfg(feature = "schema")]
mod avro;
#[cfg(feature = "schema")]
mod budget;
#[cfg(feature = "schema")]
mod json;
#[cfg(feature = "schema")]
mod protobuf;
#[cfg(feature = "schema")]
mod sparkplug;

use std::collections::BTreeMap;

use thiserror::Error;

use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::{Source, Span};
use crate::value::Value;

/// The name of the built-in Sparkplug B schema (EMQX_SCHEMA_REGISTRY_SPARKPLUGB_SCHEMA_NAME).
pub const SPARKPLUG: &str = "__CiYAWBja87PleCyKZ58h__SparkPlug_B_BUILT-IN";

/// Does this build have the codecs?
pub const BUILT: bool = cfg!(feature = "schema");

/// What is said where it has not.
pub const NOT_BUILT: &str =
    "this build of rulemill has no schema registry; build it with the feature `schema`";

/// The kinds of schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Avro's binary encoding.
    Avro,
    /// Protobuf, whose message type is an argument of each call.
    Protobuf,
    /// JSON that a JSON Schema holds for.
    Json,
}

impl Kind {
    /// The kind that `type` names.
    pub fn of(name: &str) -> Option<Kind> {
        match name {
            "avro" => Some(Kind::Avro),
            "protobuf" => Some(Kind::Protobuf),
            "json" => Some(Kind::Json),
            _ => None,
        }
    }
}

/// Why a value cannot be encoded or decoded.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum Failure {
    /// Erlang's class `error`, which `schema_check` answers with false.
    #[error("{0}")]
    Error(String),
    /// Erlang's class `throw`: it goes through `schema_check` (emqx_schema_registry_serde, macro BOOL).
    #[error("{0}")]
    Throw(String),
}

impl Failure {
    pub(crate) fn error(reason: impl Into<String>) -> Failure {
        Failure::Error(reason.into())
    }
}

/// The schemas of a set of rule files, compiled once.
#[derive(Clone, Debug, Default)]
pub struct Schemas {
    #[cfg_attr(not(feature = "schema"), expect(dead_code, reason = "nothing is compiled"))]
    by_name: BTreeMap<String, Codec>,
}

/// One compiled schema.
#[derive(Clone, Debug)]
enum Codec {
    #[cfg(feature = "schema")]
    Avro(avro::Avro),
    #[cfg(feature = "schema")]
    Protobuf(protobuf::Protobuf),
    #[cfg(feature = "schema")]
    Json(json::JsonSchema),
}

impl Schemas {
    /// Compiles a schema under a name; what is wrong with it is said about `source`.
    /// What EMQX takes and will trip over comes back as warnings.
    pub fn add(
        &mut self,
        name: &str,
        kind: Kind,
        source: &Source,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let size = source.text().len();
        if size > limits::SCHEMA_BYTES_MAX {
            let message =
                format!("the schema has {size} bytes; rulemill takes up to {}", limits::SCHEMA_BYTES_MAX);
            return Err(vec![bad(source, Span::new(0, 0), message)]);
        }
        self.compile(name, kind, source)
    }

    #[cfg(feature = "schema")]
    fn compile(
        &mut self,
        name: &str,
        kind: Kind,
        source: &Source,
    ) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        let (codec, notes) = match kind {
            Kind::Avro => (Codec::Avro(avro::Avro::compile(name, source)?), Vec::new()),
            Kind::Protobuf => (Codec::Protobuf(protobuf::Protobuf::compile(source)?), Vec::new()),
            Kind::Json => {
                let (schema, notes) = json::JsonSchema::compile(source)?;
                (Codec::Json(schema), notes)
            }
        };
        self.by_name.insert(name.to_owned(), codec);
        Ok(notes)
    }

    #[cfg(not(feature = "schema"))]
    #[expect(clippy::unnecessary_wraps, reason = "as with the feature")]
    fn compile(&mut self, _: &str, _: Kind, _: &Source) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
        Ok(Vec::new())
    }

    /// The message types of a Protobuf schema; none where the name is of another schema or of none.
    pub fn message_types(&self, name: &str) -> Option<Vec<&str>> {
        #[cfg(feature = "schema")]
        {
            let named = if name == SPARKPLUG { sparkplug::codec().ok() } else { self.by_name.get(name) };
            if let Some(Codec::Protobuf(protobuf)) = named {
                return Some(protobuf.message_types().collect());
            }
        }
        let _ = name;
        None
    }

    /// Bytes to a value.
    pub fn decode(&self, name: &Value, data: &Value, extra: &[Value]) -> Result<Value, Failure> {
        self.codec(name, |codec| codec.decode(data, extra))
    }

    /// A value to bytes.
    pub fn encode(&self, name: &Value, value: &Value, extra: &[Value]) -> Result<Value, Failure> {
        self.codec(name, |codec| codec.encode(value, extra).map(Value::bytes))
    }

    /// Would a string decode, a map encode?
    pub fn check(&self, name: &Value, data: &Value, extra: &[Value]) -> Result<bool, Failure> {
        self.codec(name, |codec| {
            let done = match data {
                Value::Map(_) => codec.encode(data, extra).map(|_| ()),
                _ => codec.decode(data, extra).map(|_| ()),
            };
            match done {
                Ok(()) => Ok(true),
                Err(Failure::Error(_)) => Ok(false),
                Err(throw) => Err(throw),
            }
        })
    }

    #[cfg(feature = "schema")]
    fn codec<T>(
        &self,
        name: &Value,
        use_it: impl FnOnce(&Codec) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        // A name may be an atom as well (emqx_schema_registry:get_serde/1).
        let text = name.as_bytes().map(|bytes| &**bytes).or_else(|| name.atom_name());
        let text = String::from_utf8_lossy(text.unwrap_or_default());
        if text == SPARKPLUG {
            return use_it(sparkplug::codec()?);
        }
        match self.by_name.get(&*text) {
            Some(codec) => use_it(codec),
            None => {
                let near = crate::diag::nearest(&text, self.by_name.keys().map(String::as_str));
                let hint = near.map(|near| format!("; did you mean '{near}'?")).unwrap_or_default();
                Err(Failure::Error(format!("the registry has no schema '{text}'{hint}")))
            }
        }
    }

    #[cfg(not(feature = "schema"))]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn codec<T>(&self, _: &Value, _: impl FnOnce(&Codec) -> Result<T, Failure>) -> Result<T, Failure> {
        Err(Failure::error(NOT_BUILT))
    }
}

impl Codec {
    fn decode(&self, data: &Value, extra: &[Value]) -> Result<Value, Failure> {
        match self {
            #[cfg(feature = "schema")]
            Codec::Avro(avro) => avro.decode(data, none(extra)?),
            #[cfg(feature = "schema")]
            Codec::Protobuf(protobuf) => protobuf.decode(data, message_type(extra)?),
            #[cfg(feature = "schema")]
            Codec::Json(json) => json.decode(data, none(extra)?),
            #[cfg(not(feature = "schema"))]
            _ => not_built(data, extra),
        }
    }

    fn encode(&self, value: &Value, extra: &[Value]) -> Result<Vec<u8>, Failure> {
        match self {
            #[cfg(feature = "schema")]
            Codec::Avro(avro) => avro.encode(value, none(extra)?),
            #[cfg(feature = "schema")]
            Codec::Protobuf(protobuf) => protobuf.encode(value, message_type(extra)?),
            #[cfg(feature = "schema")]
            Codec::Json(json) => json.encode(value, none(extra)?),
            #[cfg(not(feature = "schema"))]
            _ => not_built(value, extra),
        }
    }
}

#[cfg(not(feature = "schema"))]
fn not_built<T>(_: &Value, _: &[Value]) -> Result<T, Failure> {
    Err(Failure::error(NOT_BUILT))
}

/// Avro and JSON schemas take no further argument.
#[cfg(feature = "schema")]
fn none(extra: &[Value]) -> Result<(), Failure> {
    match extra {
        [] => Ok(()),
        _ => Err(Failure::error("Avro and JSON schemas take no message type")),
    }
}

/// Protobuf schemas take the name of a message.
#[cfg(feature = "schema")]
fn message_type(extra: &[Value]) -> Result<&str, Failure> {
    match extra {
        [name] => name
            .as_text()
            .ok_or_else(|| Failure::error("the message type of a Protobuf schema must be a string")),
        _ => Err(Failure::error("a Protobuf schema needs the message type as third argument")),
    }
}

/// A finding about a schema's text.
fn bad(source: &Source, at: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::BAD_SCHEMA, message).at(at, "").in_source(source)
}
