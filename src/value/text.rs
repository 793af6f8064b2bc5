//! Values as plain text: what `str()`, string joining and templates insert.
//!
//! EMQX 5.8 converts by emqx_utils_conv:bin, EMQX 4.3 by emqx_rule_utils:bin; they differ in the decimals of floats.

use super::{Bytes, NotJson, Value, encode, float};

/// Decimals of a float as text under EMQX 5.8.
pub const DECIMALS_5_8: i64 = 10;
/// Decimals of a float as text under EMQX 4.3.
pub const DECIMALS_4_3: i64 = 17;

/// Why a value has no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// It would be JSON, and is none.
    #[error(transparent)]
    Json(#[from] NotJson),
    /// A float of more than 255 characters.
    #[error("a float of this size has no plain text")]
    Float,
    /// A bit string or tuple.
    #[error("a {0} has no text")]
    Kind(&'static str),
}

/// The text of a value; strings are shared, not copied.
pub fn to_text(value: &Value, decimals: i64) -> Result<Bytes, NoText> {
    if let Value::Str(bytes) | Value::Atom(bytes) = value {
        return Ok(bytes.clone());
    }
    let mut out = Vec::new();
    write_text(&mut out, value, decimals)?;
    Ok(Bytes::from(out))
}

/// Appends the text of a value.
pub fn write_text(out: &mut Vec<u8>, value: &Value, decimals: i64) -> Result<(), NoText> {
    match value {
        Value::Str(bytes) | Value::Atom(bytes) => out.extend_from_slice(bytes),
        Value::Float(f) => {
            out.extend_from_slice(float::to_decimals(*f, decimals).ok_or(NoText::Float)?.as_bytes());
        }
        Value::Undefined => out.extend_from_slice(b"undefined"),
        Value::List(items) => match printable(items) {
            // EMQX 4.3 takes the characters for bytes (list_to_binary), 5.8 writes them in UTF-8.
            Some(text) if decimals == DECIMALS_4_3 => {
                out.extend(text.chars().filter_map(|c| u8::try_from(u32::from(c)).ok()));
            }
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => encode::write(out, value)?,
        },
        Value::Bits(_) | Value::Tuple(_) => return Err(NoText::Kind(value.kind_name())),
        other => encode::write(out, other)?,
    }
    Ok(())
}

/// The text that a list of code points spells, if every item is one that Erlang prints
/// (`io_lib:printable_list/1` of a node started with the default `+pc latin1`).
pub fn printable(items: &[Value]) -> Option<String> {
    items
        .iter()
        .map(|item| match item {
            Value::Int(n @ (8..=13 | 27 | 32..=126 | 160..=255)) => u8::try_from(*n).ok().map(char::from),
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let text = |v: Value| String::from_utf8(to_text(&v, DECIMALS_5_8).unwrap().to_vec()).unwrap();
        assert_eq!(text(Value::Float(12345678.9)), "12345678.9000000004");
        assert_eq!(text(Value::Null), "null");
        assert_eq!(text(Value::Undefined), "undefined");
        assert_eq!(text(Value::list(vec![Value::Int(104), Value::Int(105)])), "hi");
        assert_eq!(text(Value::list(vec![])), "");
        assert_eq!(text(Value::list(vec![Value::Int(1)])), "[1]");
        let accents = Value::list(vec![Value::Int(0xe9)]);
        assert_eq!(text(accents.clone()), "é");
        assert_eq!(to_text(&accents, DECIMALS_4_3).unwrap().as_ref(), [0xe9]);
        assert_eq!(to_text(&Value::tuple(vec![]), 10), Err(NoText::Kind("tuple")));
    }
}
