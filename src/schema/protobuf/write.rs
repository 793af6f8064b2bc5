//! Values to Protobuf's wire format, verified as gpb's option `verify` does and encoded as its code does.

use num_traits::ToPrimitive;

use super::{END_GROUP, Field, Kind, Label, Message, Protobuf, SIZED, START_GROUP, Scalar};
use crate::limits;
use crate::schema::Failure;
use crate::value::iodata::{chardata, iodata};
use crate::value::{Map, Value};

pub(super) fn encode(protobuf: &Protobuf, message: usize, value: &Value) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    Encoder { protobuf }.message(message, value, &mut out, 0)?;
    Ok(out)
}

struct Encoder<'a> {
    protobuf: &'a Protobuf,
}

impl Encoder<'_> {
    fn message(&self, at: usize, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        let message = &self.protobuf.messages[at];
        if depth > limits::SCHEMA_DEPTH_MAX {
            return Err(Failure::error(format!(
                "the value is nested deeper than rulemill's limit of {} levels",
                limits::SCHEMA_DEPTH_MAX
            )));
        }
        let Value::Map(map) = value else {
            return Err(wanted(&format!("a map for the message {}", message.name), value));
        };
        verify_keys(message, map)?;
        for field in &message.fields {
            match map.get_named(field.name.as_bytes()) {
                Some(value) => {
                    self.field(field, value, out, depth).map_err(|e| within(&field.name, e))?;
                }
                None if field.label == Label::Required => {
                    let message = &message.name;
                    return Err(Failure::error(format!("the message {message} needs '{}'", field.name)));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn field(&self, field: &Field, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        if let Kind::Map(key, kind) = &field.kind {
            let Value::Map(map) = value else { return Err(wanted("a map", value)) };
            for (name, item) in map.entries() {
                let mut entry = Vec::new();
                self.key(*key, name, &mut entry)?;
                self.tagged(2, kind, item, &mut entry, depth + 1)?;
                tag(field.number, SIZED, out);
                sized(&entry, out);
            }
            return Ok(());
        }
        let Label::Repeated { packed } = field.label else {
            if field.label == Label::Implicit && field.oneof.is_none() && self.is_default(&field.kind, value)
            {
                // Verified all the same.
                return self.plain(&field.kind, value, &mut Vec::new(), depth + 1);
            }
            return self.tagged(field.number, &field.kind, value, out, depth);
        };
        let Value::List(items) = value else { return Err(wanted("a list", value)) };
        if !packed {
            return items
                .iter()
                .try_for_each(|item| self.tagged(field.number, &field.kind, item, out, depth));
        }
        let mut block = Vec::new();
        items.iter().try_for_each(|item| self.plain(&field.kind, item, &mut block, depth))?;
        if !items.is_empty() {
            tag(field.number, SIZED, out);
            sized(&block, out);
        }
        Ok(())
    }

    /// EMQX makes atoms of all keys of the value (emqx_utils_maps:safe_atom_key_map/1), those of maps as well, and
    /// only booleans are atoms to gpb.
    fn key(&self, key: Scalar, name: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
        let word = name.as_bytes().map(|bytes| &**bytes).or_else(|| name.atom_name());
        match (key, word) {
            (Scalar::Bool, Some(b"true")) => self.tagged(1, &Kind::Scalar(key), &Value::Bool(true), out, 0),
            (Scalar::Bool, Some(b"false")) => self.tagged(1, &Kind::Scalar(key), &Value::Bool(false), out, 0),
            _ => Err(Failure::error(
                "EMQX makes atoms of the keys of a map, and cannot encode it unless it is empty or its keys are bool",
            )),
        }
    }

    fn tagged(
        &self,
        number: u32,
        kind: &Kind,
        value: &Value,
        out: &mut Vec<u8>,
        depth: usize,
    ) -> Result<(), Failure> {
        tag(number, kind.wire_type(), out);
        self.plain(kind, value, out, depth)?;
        if kind.wire_type() == START_GROUP {
            tag(number, END_GROUP, out);
        }
        Ok(())
    }

    fn plain(&self, kind: &Kind, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
        match kind {
            Kind::Scalar(scalar) => scalar.write(value, out),
            Kind::Enum(at) => self.symbol(*at, value, out),
            Kind::Group(message) => self.message(*message, value, out, depth + 1),
            Kind::Message(message) => {
                let mut inner = Vec::new();
                self.message(*message, value, &mut inner, depth + 1)?;
                sized(&inner, out);
                Ok(())
            }
            Kind::Map(..) => Err(wanted("no map inside a list", value)),
        }
    }

    fn symbol(&self, at: usize, value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
        let described = &self.protobuf.enums[at];
        let number = match value {
            Value::Int(n) if i32::try_from(*n).is_ok() => {
                // gpb writes a negative number that it was given as such into one byte, which nobody can read.
                match u64::try_from(*n) {
                    Ok(n) => varint(n, out),
                    Err(_) => out.push(*n as u8),
                }
                return Ok(());
            }
            other => other.atom_name().and_then(|name| {
                let known = described.symbols.iter().find(|(symbol, _)| symbol.as_ref() == name);
                known.map(|(_, number)| *number)
            }),
        };
        let Some(number) = number else {
            let name = &described.name;
            let problem = format!("a symbol (an atom) or number of the enum {name}");
            return Err(match value {
                Value::Str(_) => Failure::error(format!(
                    "{problem} is wanted, and a string is none: EMQX takes the number of the symbol here"
                )),
                other => wanted(&problem, other),
            });
        };
        varint(i64::from(number).cast_unsigned(), out);
        Ok(())
    }

    /// What proto3 leaves out.
    fn is_default(&self, kind: &Kind, value: &Value) -> bool {
        match kind {
            Kind::Scalar(Scalar::Bool) => matches!(value, Value::Bool(false)),
            Kind::Scalar(Scalar::Float | Scalar::Double) => match value {
                Value::Int(n) => *n == 0,
                Value::Float(f) => *f == 0.0,
                _ => false,
            },
            Kind::Scalar(Scalar::String | Scalar::Bytes) => match value {
                Value::Str(bytes) => bytes.is_empty(),
                Value::List(_) => characters(value).is_some_and(|text| text.is_empty()),
                _ => false,
            },
            Kind::Scalar(_) => matches!(value, Value::Int(0)),
            Kind::Enum(at) => {
                let first = self.protobuf.enums[*at].symbols.first();
                matches!(value, Value::Int(0))
                    || first.is_some_and(|(name, _)| value.atom_name() == Some(name.as_ref()))
            }
            _ => false,
        }
    }
}

/// Every key must be a field, and of a `oneof` one only.
fn verify_keys(message: &Message, map: &Map) -> Result<(), Failure> {
    let mut chosen = vec![None; message.oneofs.len()];
    for (key, _) in map.entries() {
        let name = key.as_bytes().map(|bytes| &**bytes).or_else(|| key.atom_name());
        let name = String::from_utf8_lossy(name.unwrap_or_default());
        let Some(at) = message.by_field.get(&*name) else {
            let known = message.fields.iter().map(|field| field.name.as_str());
            let hint = crate::diag::nearest(&name, known).map(|near| format!("; did you mean '{near}'?"));
            let hint = hint.unwrap_or_default();
            return Err(Failure::error(format!("the message {} has no field '{name}'{hint}", message.name)));
        };
        if let Some(oneof) = message.fields[*at].oneof {
            if let Some(other) = &chosen[oneof] {
                let oneof = &message.oneofs[oneof];
                return Err(Failure::error(format!(
                    "'{other}' and '{name}' are both of the oneof '{oneof}'"
                )));
            }
            chosen[oneof] = Some(name.into_owned());
        }
    }
    Ok(())
}

fn within(step: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Error(reason) => Failure::Error(format!("{step}: {reason}")),
        Failure::Throw(reason) => Failure::Throw(format!("{step}: {reason}")),
    }
}

fn wanted(what: &str, value: &Value) -> Failure {
    let kind = value.kind_name();
    Failure::error(format!("{what} is wanted, the value is of kind {kind}"))
}

impl Scalar {
    fn write(self, value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
        match self {
            Scalar::Int32 => varint(i64::from(int::<i32>(value)?).cast_unsigned(), out),
            Scalar::Int64 => varint(int::<i64>(value)?.cast_unsigned(), out),
            Scalar::Uint32 => varint(int::<u32>(value)?.into(), out),
            Scalar::Uint64 => varint(int::<u64>(value)?, out),
            Scalar::Sint32 => {
                let n = int::<i32>(value)?;
                varint(u64::from(((n << 1) ^ (n >> 31)).cast_unsigned()), out);
            }
            Scalar::Sint64 => {
                let n = int::<i64>(value)?;
                varint(((n << 1) ^ (n >> 63)).cast_unsigned(), out);
            }
            Scalar::Fixed32 => out.extend_from_slice(&int::<u32>(value)?.to_le_bytes()),
            Scalar::Fixed64 => out.extend_from_slice(&int::<u64>(value)?.to_le_bytes()),
            Scalar::Sfixed32 => out.extend_from_slice(&int::<i32>(value)?.to_le_bytes()),
            Scalar::Sfixed64 => out.extend_from_slice(&int::<i64>(value)?.to_le_bytes()),
            Scalar::Float => out.extend_from_slice(&(float(value)? as f32).to_le_bytes()),
            Scalar::Double => out.extend_from_slice(&float(value)?.to_le_bytes()),
            Scalar::Bool => match value {
                Value::Bool(b) => out.push(u8::from(*b)),
                Value::Int(n @ 0..=1) => out.push(*n as u8),
                other => return Err(wanted("a boolean", other)),
            },
            Scalar::String => {
                let text = characters(value).ok_or_else(|| wanted("a string of UTF-8", value))?;
                sized(text.as_bytes(), out);
            }
            Scalar::Bytes => {
                let bytes = iodata(value).ok_or_else(|| wanted("a string", value))?;
                sized(&bytes, out);
            }
        }
        Ok(())
    }
}

/// Erlang's chardata as UTF-8.
fn characters(value: &Value) -> Option<String> {
    chardata(value).and_then(|bytes| String::from_utf8(bytes).ok())
}

fn int<T: TryFrom<i64> + TryFrom<u64> + std::fmt::Display>(value: &Value) -> Result<T, Failure> {
    let number = match value {
        Value::Int(n) => T::try_from(*n).ok(),
        Value::Big(n) => n.to_u64().and_then(|n| T::try_from(n).ok()),
        other => return Err(wanted("an integer", other)),
    };
    number.ok_or_else(|| {
        let bits = 8 * size_of::<T>();
        Failure::error(format!("the integer does not fit the field's {bits} bits"))
    })
}

fn float(value: &Value) -> Result<f64, Failure> {
    Ok(match value {
        Value::Int(n) => *n as f64,
        Value::Big(n) => n.to_f64().filter(|f| f.is_finite()).ok_or_else(|| wanted("a number", value))?,
        Value::Float(f) => *f,
        Value::Atom(name) => match name.as_ref() {
            b"infinity" => f64::INFINITY,
            b"-infinity" => f64::NEG_INFINITY,
            b"nan" => f64::NAN,
            _ => return Err(wanted("a number", value)),
        },
        other => return Err(wanted("a number", other)),
    })
}

fn tag(number: u32, wire_type: u64, out: &mut Vec<u8>) {
    varint(u64::from(number) << 3 | wire_type, out);
}

fn sized(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u64, out);
    out.extend_from_slice(bytes);
}

fn varint(mut n: u64, out: &mut Vec<u8>) {
    while n > 0x7F {
        out.push((n & 0x7F) as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}
