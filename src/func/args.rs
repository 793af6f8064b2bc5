//! Arguments taken apart, and values shown in messages.
//!
//! Invariant: nothing here panics on a kind that a row's parameters should have kept out; it answers an error.

use num_traits::ToPrimitive;

use super::FnError;
use crate::limits;
use crate::profile::Profile;
pub(super) use crate::value::iodata::{chardata, iodata};
use crate::value::{BigInt, Bytes, Map, Value, encode, text};

/// Longest value text in a message, in characters.
const SHOWN_MAX: usize = 60;

/// A value with its kind, shortened: `the string 'abc'`, `the integer 5`, `undefined`.
pub(super) fn show(value: &Value) -> String {
    match value {
        Value::Undefined => "undefined (a variable that is missing)".to_owned(),
        Value::Null | Value::Bool(_) => show_bare(value),
        other => format!("the {} {}", other.kind_name(), show_bare(other)),
    }
}

/// A value as a rule would write it, shortened.
pub(super) fn show_bare(value: &Value) -> String {
    let whole = match value {
        Value::Str(bytes) => format!("'{}'", String::from_utf8_lossy(bytes)),
        Value::Atom(name) => String::from_utf8_lossy(name).into_owned(),
        Value::Undefined => "undefined".to_owned(),
        other => encode::to_display(other),
    };
    if whole.chars().count() <= SHOWN_MAX {
        return whole;
    }
    let mut short: String = whole.chars().take(SHOWN_MAX - 1).collect();
    short.push('…');
    short
}

/// Is it an integer or a float?
pub(super) fn is_number(value: &Value) -> bool {
    matches!(value, Value::Int(_) | Value::Big(_) | Value::Float(_))
}

/// A number as a float; an integer past the largest float is an error, as in Erlang.
pub(super) fn float(args: &[Value], at: usize) -> Result<f64, FnError> {
    to_float(&args[at], at + 1)
}

/// A number as a float; `index` counts from 1.
pub(super) fn to_float(value: &Value, index: usize) -> Result<f64, FnError> {
    let f = match value {
        Value::Float(f) => Some(*f),
        Value::Int(n) => Some(*n as f64),
        Value::Big(n) => n.to_f64().filter(|f| f.is_finite()),
        other => return Err(FnError::argument(index, "a number", other)),
    };
    f.ok_or_else(|| FnError::argument(index, "a number that a float can hold", value))
}

/// A string's bytes.
pub(super) fn bytes(args: &[Value], at: usize) -> Result<&Bytes, FnError> {
    args[at].as_bytes().ok_or_else(|| FnError::argument(at + 1, "a string", &args[at]))
}

/// A string that is UTF-8.
pub(super) fn utf8(args: &[Value], at: usize) -> Result<&str, FnError> {
    let raw = bytes(args, at)?;
    std::str::from_utf8(raw).map_err(|_| FnError::argument(at + 1, "text in UTF-8", &args[at]))
}

/// An integer of any size.
pub(super) fn integer(args: &[Value], at: usize) -> Result<BigInt, FnError> {
    args[at].to_bigint().ok_or_else(|| FnError::argument(at + 1, "an integer", &args[at]))
}

/// A list's items.
pub(super) fn list(args: &[Value], at: usize) -> Result<&[Value], FnError> {
    args[at].as_list().ok_or_else(|| FnError::argument(at + 1, "a list", &args[at]))
}

/// A map.
pub(super) fn map(args: &[Value], at: usize) -> Result<&Map, FnError> {
    args[at].as_map().ok_or_else(|| FnError::argument(at + 1, "a map", &args[at]))
}

/// Decimals of a float turned into text.
pub(super) fn decimals(profile: Profile) -> i64 {
    if profile.is_5_8() { text::DECIMALS_5_8 } else { text::DECIMALS_4_3 }
}

/// A value as text, as `str()` and joining turn it.
pub(super) fn to_text(value: &Value, profile: Profile) -> Result<Bytes, FnError> {
    text::to_text(value, decimals(profile)).map_err(|e| FnError::failed(e.to_string()))
}

/// The texts of values joined, which must be UTF-8: where they are not, the answer is the tuple that Erlang's
/// `unicode:characters_to_binary/1` gives.
pub(super) fn join(values: &[&Value], profile: Profile) -> Result<Value, FnError> {
    let mut out = Vec::new();
    for value in values {
        text::write_text(&mut out, value, decimals(profile)).map_err(|e| FnError::failed(e.to_string()))?;
        within_text(out.len())?;
    }
    Ok(checked_utf8(out))
}

/// A text of UTF-8, or the tuple `{error | incomplete, Good, Rest}`.
pub(super) fn checked_utf8(bytes: Vec<u8>) -> Value {
    match std::str::from_utf8(&bytes) {
        Ok(_) => Value::bytes(bytes),
        Err(e) => {
            // `error_len` is none where the text ends inside a character.
            let word = if e.error_len().is_some() { "error" } else { "incomplete" };
            let (good, rest) = bytes.split_at(e.valid_up_to());
            Value::tuple(vec![Value::static_atom(word), Value::str(good), Value::str(rest)])
        }
    }
}

/// Refuses a text longer than the bound.
pub(super) fn within_text(len: usize) -> Result<(), FnError> {
    if len > limits::TEXT_BYTES_MAX {
        return Err(FnError::failed(format!(
            "the text would be longer than rulemill's limit of {} bytes",
            limits::TEXT_BYTES_MAX
        )));
    }
    Ok(())
}

/// Refuses a list longer than the bound.
pub(super) fn within_list(len: usize) -> Result<(), FnError> {
    if len > limits::LIST_LENGTH_MAX {
        return Err(FnError::failed(format!(
            "the list would be longer than rulemill's limit of {} items",
            limits::LIST_LENGTH_MAX
        )));
    }
    Ok(())
}

/// Refuses a value that is nested deeper than a document may be, under so many levels more: what a rule stores or
/// puts again and again must not grow until a stack ends.
pub(super) fn within_depth(value: &Value, above: usize) -> Result<(), FnError> {
    if limits::JSON_DEPTH_MAX.checked_sub(above).is_some_and(|left| is_shallow(value, left)) {
        return Ok(());
    }
    let limit = limits::JSON_DEPTH_MAX;
    Err(FnError::failed(format!("the value would be nested deeper than rulemill's limit of {limit} levels")))
}

fn is_shallow(value: &Value, left: usize) -> bool {
    let inner = |value: &Value| left.checked_sub(1).is_some_and(|left| is_shallow(value, left));
    match value {
        Value::List(items) | Value::Tuple(items) => items.iter().all(inner),
        Value::Map(map) => map.entries().iter().all(|(key, value)| inner(key) && inner(value)),
        _ => true,
    }
}

/// Refuses an integer of more bits than the bound.
pub(super) fn within_bits(bits: u64) -> Result<(), FnError> {
    if bits > limits::INTEGER_BITS_MAX {
        return Err(FnError::failed(format!(
            "the integer would have more bits than rulemill's limit of {}",
            limits::INTEGER_BITS_MAX
        )));
    }
    Ok(())
}

/// The bytes that a flat list of characters spells.
pub(super) fn characters(list: &Value) -> Option<Vec<u8>> {
    let byte = |item: &Value| match item {
        Value::Int(n) => u8::try_from(*n).ok(),
        _ => None,
    };
    list.as_list()?.iter().map(byte).collect()
}
