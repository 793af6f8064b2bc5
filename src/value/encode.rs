//! Values as JSON text, as EMQX's encoder (jiffy) writes it.
//!
//! Object keys come out in reverse term order: what the engines do for maps of up to 32 keys, and as good an
//! order as any for larger ones, whose order is unstable there.

use std::io::Write;

use thiserror::Error;

use super::{Map, Value, float};
use crate::limits;

/// Why a value has no JSON.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum NotJson {
    /// A tuple or bit string.
    #[error("a {0} has no JSON")]
    Kind(&'static str),
    /// A key that is neither string nor atom.
    #[error("a map with a key that is no string has no JSON")]
    Key,
    /// Deeper than [`limits::JSON_DEPTH_MAX`].
    #[error("a value nested deeper than {} levels has no JSON", limits::JSON_DEPTH_MAX)]
    Depth,
    /// Longer than [`limits::MADE_BYTES_MAX`].
    #[error("the JSON has more than {} bytes", limits::MADE_BYTES_MAX)]
    Long,
}

/// The JSON text of a value.
pub fn to_json(value: &Value) -> Result<Vec<u8>, NotJson> {
    let mut out = Vec::with_capacity(64);
    write(&mut out, value)?;
    Ok(out)
}

/// The JSON text for people: what cannot be JSON is shown as a quoted note instead of failing.
pub fn to_display(value: &Value) -> String {
    match to_json(value) {
        Ok(json) => String::from_utf8_lossy(&json).into_owned(),
        Err(e @ NotJson::Long) => e.to_string(),
        Err(_) => format!("{value:?}"),
    }
}

/// Appends the JSON text of a value.
pub fn write(out: &mut Vec<u8>, value: &Value) -> Result<(), NotJson> {
    write_nested(out, value, limits::JSON_DEPTH_MAX)
}

fn write_nested(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), NotJson> {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Undefined => out.extend_from_slice(b"\"undefined\""),
        Value::Int(n) => write_i64(out, *n),
        Value::Big(n) => {
            let _ = write!(out, "{n}");
        }
        Value::Float(f) => float::write_json(out, *f),
        Value::Atom(text) | Value::Str(text) => write_string(out, text)?,
        Value::Bits(_) | Value::Tuple(_) => return Err(NotJson::Kind(value.kind_name())),
        Value::List(items) => {
            let depth = depth.checked_sub(1).ok_or(NotJson::Depth)?;
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_nested(out, item, depth)?;
                within_length(out)?;
            }
            out.push(b']');
        }
        Value::Map(map) => write_map(out, map, depth.checked_sub(1).ok_or(NotJson::Depth)?)?,
    }
    Ok(())
}

/// Appends the JSON text of a map.
pub fn write_object(out: &mut Vec<u8>, map: &Map) -> Result<(), NotJson> {
    write_map(out, map, limits::JSON_DEPTH_MAX - 1)
}

fn write_map(out: &mut Vec<u8>, map: &Map, depth: usize) -> Result<(), NotJson> {
    out.push(b'{');
    for (at, (key, value)) in map.entries().iter().rev().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        let name = match key {
            Value::Str(text) => text.as_ref(),
            other => other.atom_name().ok_or(NotJson::Key)?,
        };
        write_string(out, name)?;
        out.push(b':');
        write_nested(out, value, depth)?;
        within_length(out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Parts that are shared are written wherever they stand.
#[inline]
pub(crate) fn within_length(out: &[u8]) -> Result<(), NotJson> {
    if out.len() > limits::MADE_BYTES_MAX { Err(NotJson::Long) } else { Ok(()) }
}

/// Appends a quoted JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &[u8]) -> Result<(), NotJson> {
    if std::str::from_utf8(text).is_err() {
        return write_string(out, &repaired(text));
    }
    out.push(b'"');
    // Without table or exit, so that it runs over many bytes at once.
    let special =
        text.iter().fold(false, |any, byte| any | (*byte < 32) | (*byte == b'"') | (*byte == b'\\'));
    if special {
        escape(text, out);
    } else {
        out.extend_from_slice(text);
    }
    out.push(b'"');
    Ok(())
}

/// Bytes that are no UTF-8, made so: EMQX encodes with jiffy's `force_utf8` (emqx_utils_json:encode), which puts one
/// replacement character for a byte that starts nothing together with the continuation bytes behind it
/// (jiffy_utf8:loose_decode), and so for an unfinished sequence.
fn repaired(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 8);
    let mut rest = text;
    while !rest.is_empty() {
        match std::str::from_utf8(rest) {
            Ok(valid) => {
                out.extend_from_slice(valid.as_bytes());
                break;
            }
            Err(e) => {
                let (valid, broken) = rest.split_at(e.valid_up_to());
                out.extend_from_slice(valid);
                out.extend_from_slice("\u{fffd}".as_bytes());
                let continued = broken.iter().skip(1).take_while(|byte| **byte & 0xC0 == 0x80).count();
                rest = &broken[1 + continued..];
            }
        }
    }
    out
}

/// JSON in a string has a quote every few bytes: copying what lies between them piece by piece costs more than
/// writing byte by byte into a place that is large enough for anything.
fn escape(text: &[u8], out: &mut Vec<u8>) {
    let mut at = out.len();
    for chunk in text.chunks(256) {
        out.resize(at + 6 * chunk.len(), 0);
        // A slice of its own: through the vector each write would read the vector's place anew.
        let place = &mut out[at..];
        let mut end = 0;
        for &byte in chunk {
            match ESCAPED[byte as usize] {
                0 => {
                    place[end] = byte;
                    end += 1;
                }
                b'u' => {
                    end += control(byte, &mut place[end..end + 6]);
                }
                letter => {
                    place[end] = b'\\';
                    place[end + 1] = letter;
                    end += 2;
                }
            }
        }
        at += end;
    }
    out.truncate(at);
}

/// Writes the long escape of a control character; returns its length.
fn control(byte: u8, place: &mut [u8]) -> usize {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let long = [b'\\', b'u', b'0', b'0', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]];
    place.copy_from_slice(&long);
    long.len()
}

/// What stands behind the backslash of a byte's escape; 0 for a byte that stands for itself.
const ESCAPED: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < 32 {
        table[at] = b'u';
        at += 1;
    }
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[8] = b'b';
    table[12] = b'f';
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table
};

/// Appends an integer.
pub fn write_i64(out: &mut Vec<u8>, n: i64) {
    if n < 0 {
        out.push(b'-');
    }
    write_u64(out, n.unsigned_abs());
}

/// Appends an unsigned integer.
pub fn write_u64(out: &mut Vec<u8>, mut n: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_as_the_engine() {
        let map =
            Map::of([("a", Value::Undefined), ("b", Value::list(vec![Value::Null, Value::Float(1.0)]))]);
        assert_eq!(to_json(&Value::Map(map)).unwrap(), br#"{"b":[null,1.0],"a":"undefined"}"#);
        assert_eq!(to_json(&Value::str("\u{1}\"\\\n/é")).unwrap(), "\"\\u0001\\\"\\\\\\n/é\"".as_bytes());
        assert_eq!(to_json(&Value::Int(i64::MIN)).unwrap(), b"-9223372036854775808");
    }

    #[test]
    fn broken_text_is_repaired() {
        let json = |bytes: &[u8]| String::from_utf8(to_json(&Value::str(bytes)).unwrap()).unwrap();
        assert_eq!(json(b"a\xffb"), "\"a\u{fffd}b\"");
        assert_eq!(json(b"\xe4\xbd"), "\"\u{fffd}\"");
        assert_eq!(json(b"\x80\x80x\xff\xff"), "\"\u{fffd}x\u{fffd}\u{fffd}\"");
    }

    #[test]
    fn refuses_what_is_no_json() {
        assert_eq!(to_json(&Value::tuple(vec![])), Err(NotJson::Kind("tuple")));
        let key = Map::from_entries(vec![(Value::Int(1), Value::Int(2))]);
        assert_eq!(to_json(&Value::Map(key)), Err(NotJson::Key));
        let nest = |n| (0..n).fold(Value::Int(1), |v, _| Value::list(vec![v]));
        assert!(to_json(&nest(limits::JSON_DEPTH_MAX)).is_ok());
        assert_eq!(to_json(&nest(limits::JSON_DEPTH_MAX + 1)), Err(NotJson::Depth));
    }
}
