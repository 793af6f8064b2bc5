//! Values to Avro's binary encoding (avro_binary_encoder, avro:cast/2).

use num_bigint::Sign;
use num_traits::ToPrimitive;

use super::{Avro, Field, Type, kind};
use crate::limits;
use crate::schema::Failure;
use crate::value::iodata::iodata;
use crate::value::{Map, Value};

pub(super) fn encode(avro: &Avro, kind: &Type, value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
    put(avro, kind, value, out, 0)
}

fn put(avro: &Avro, ty: &Type, value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
    if depth > limits::SCHEMA_DEPTH_MAX {
        return Err(Failure::error(format!(
            "the value is nested deeper than rulemill's limit of {} levels",
            limits::SCHEMA_DEPTH_MAX
        )));
    }
    match (ty, value) {
        (Type::Named(name), _) => return put(avro, avro.named(name)?, value, out, depth + 1),
        (Type::Union(members), _) => return union(avro, members, value, out, depth),
        (Type::Record(fields), Value::Map(map)) => return record(avro, fields, map, out, depth),
        // Erlang's empty list is an empty proplist as well.
        (Type::Record(fields), Value::List(items)) if items.is_empty() => {
            return record(avro, fields, &Map::new(), out, depth);
        }
        (Type::Null, Value::Null) => {}
        (Type::Null, Value::Atom(name)) if name.as_ref() == b"nil" => {}
        (Type::Boolean, Value::Bool(b)) => out.push(u8::from(*b)),
        (Type::Int, Value::Int(n)) if i32::try_from(*n).is_ok() => long(*n, out),
        (Type::Long, Value::Int(n)) => long(*n, out),
        (Type::Float, Value::Int(_) | Value::Big(_) | Value::Float(_)) => {
            out.extend_from_slice(&(float(value)? as f32).to_le_bytes());
        }
        (Type::Double, Value::Int(_) | Value::Big(_) | Value::Float(_)) => {
            out.extend_from_slice(&float(value)?.to_le_bytes());
        }
        (Type::Bytes, Value::Str(bytes)) => sized(bytes, out),
        (Type::String, _) => sized(&text(value).ok_or_else(|| mismatch("a string", value))?, out),
        (Type::Enum(symbols), _) => {
            let name = name(value).ok_or_else(|| mismatch("a symbol of the enum", value))?;
            let at = symbols.iter().position(|symbol| symbol.as_bytes() == name.as_slice());
            let at = at.and_then(|at| i64::try_from(at).ok()).ok_or_else(|| {
                let name = String::from_utf8_lossy(&name).into_owned();
                Failure::error(format!("the enum has no symbol '{name}'; it has {}", symbols.join(", ")))
            })?;
            long(at, out);
        }
        (Type::Fixed(size), _) => fixed(*size, value, out)?,
        (Type::Array(items), Value::List(list)) => {
            let mut block = Vec::new();
            for (at, item) in list.iter().enumerate() {
                put(avro, items, item, &mut block, depth + 1).map_err(|e| within(&format!("[{at}]"), e))?;
            }
            blocks(list.len(), &block, out);
        }
        (Type::Map(_), Value::List(items)) if items.is_empty() => out.push(0),
        (Type::Map(values), Value::Map(map)) => {
            let mut block = Vec::new();
            for (key, item) in map.entries() {
                let key = text(key).or_else(|| name(key));
                let key = key.ok_or_else(|| Failure::error("a key of a map is no string"))?;
                sized(&key, &mut block);
                let step = String::from_utf8_lossy(&key).into_owned();
                put(avro, values, item, &mut block, depth + 1).map_err(|e| within(&step, e))?;
            }
            blocks(map.len(), &block, out);
        }
        (ty, value) => return Err(mismatch(word(ty), value)),
    }
    Ok(())
}

/// The first member that takes the value (avro_union:try_encode_union_loop).
fn union(
    avro: &Avro,
    members: &[Type],
    value: &Value,
    out: &mut Vec<u8>,
    depth: usize,
) -> Result<(), Failure> {
    let start = out.len();
    for (at, member) in members.iter().enumerate() {
        long(i64::try_from(at).unwrap_or_default(), out);
        if put(avro, member, value, out, depth + 1).is_ok() {
            return Ok(());
        }
        out.truncate(start);
    }
    let words: Vec<&str> = members.iter().map(word).collect();
    Err(Failure::error(format!("no member of the union ({}) takes {}", words.join("; "), kind(value))))
}

/// Fields in the order of the schema; keys that it does not know are left out.
fn record(avro: &Avro, fields: &[Field], map: &Map, out: &mut Vec<u8>, depth: usize) -> Result<(), Failure> {
    for field in fields {
        let names = std::iter::once(&field.name).chain(&field.aliases);
        let given = names.map(String::as_bytes).find_map(|name| map.get_named(name));
        // `undefined` is how erlavro marks a field without a value, so a default does not help it.
        let value = given.or(field.default.as_ref()).filter(|value| !value.is_undefined());
        let Some(value) = value else {
            let what = if given.is_some() { "is undefined" } else { "is missing and has no default" };
            return Err(Failure::error(format!("the field '{}' {what}", field.name)));
        };
        put(avro, &field.kind, value, out, depth + 1).map_err(|e| within(&field.name, e))?;
    }
    Ok(())
}

fn within(step: &str, failure: Failure) -> Failure {
    match failure {
        Failure::Error(reason) => Failure::Error(format!("{step}: {reason}")),
        Failure::Throw(reason) => Failure::Throw(format!("{step}: {reason}")),
    }
}

fn mismatch(wanted: &str, value: &Value) -> Failure {
    Failure::error(format!("{wanted} is wanted, not {}", kind(value)))
}

fn word(ty: &Type) -> &'static str {
    match ty {
        Type::Null => "null",
        Type::Boolean => "a boolean",
        Type::Int => "an integer of 32 bits",
        Type::Long => "an integer of 64 bits",
        Type::Float | Type::Double => "a number",
        Type::Bytes => "a string of bytes",
        Type::String => "a string",
        Type::Array(_) => "a list",
        Type::Map(_) => "a map",
        Type::Union(_) => "a member of a union",
        Type::Record(_) => "a record as a map",
        Type::Enum(_) => "a symbol of an enum",
        Type::Fixed(_) => "a string of a fixed size",
        Type::Named(_) => "a value of a named type",
    }
}

fn float(value: &Value) -> Result<f64, Failure> {
    let float = match value {
        Value::Int(n) => Some(*n as f64),
        Value::Big(n) => n.to_f64(),
        Value::Float(f) => Some(*f),
        _ => None,
    };
    float.filter(|f| f.is_finite()).ok_or_else(|| Failure::error("the integer is too large for a float"))
}

/// What erlavro takes for a string: iodata, or an atom that stands for nothing else.
fn text(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Null | Value::Bool(_) => None,
        Value::Atom(name) if name.as_ref() == b"nil" => None,
        other => other.atom_name().map(<[u8]>::to_vec).or_else(|| iodata(other)),
    }
}

/// A name: any atom, or iodata.
fn name(value: &Value) -> Option<Vec<u8>> {
    value.atom_name().map(<[u8]>::to_vec).or_else(|| iodata(value))
}

fn fixed(size: usize, value: &Value, out: &mut Vec<u8>) -> Result<(), Failure> {
    match value {
        Value::Str(bytes) if bytes.len() == size => out.extend_from_slice(bytes),
        Value::Str(bytes) => {
            return Err(Failure::error(format!(
                "a string of {size} bytes is wanted, not of {}",
                bytes.len()
            )));
        }
        Value::Int(_) | Value::Big(_) => {
            let (sign, bytes) = value.to_bigint().unwrap_or_default().to_bytes_be();
            if sign == Sign::Minus || bytes.len() > size {
                return Err(Failure::error(format!("the integer does not fit {size} bytes")));
            }
            out.resize(out.len() + size - bytes.len(), 0);
            out.extend_from_slice(&bytes);
        }
        other => return Err(mismatch("a string of a fixed size", other)),
    }
    Ok(())
}

fn sized(bytes: &[u8], out: &mut Vec<u8>) {
    long(i64::try_from(bytes.len()).unwrap_or_default(), out);
    out.extend_from_slice(bytes);
}

/// One block with its size in front, as erlavro writes it.
fn blocks(count: usize, block: &[u8], out: &mut Vec<u8>) {
    if count > 0 {
        long(-i64::try_from(count).unwrap_or_default(), out);
        sized(block, out);
    }
    out.push(0);
}

fn long(n: i64, out: &mut Vec<u8>) {
    let mut zigzag = ((n << 1) ^ (n >> 63)).cast_unsigned();
    while zigzag > 0x7F {
        out.push((zigzag & 0x7F) as u8 | 0x80);
        zigzag >>= 7;
    }
    out.push(zigzag as u8);
}
