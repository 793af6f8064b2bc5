//! Erlang's iodata and chardata: bytes and text in pieces.

use super::Value;
use crate::limits;

/// Bytes of Erlang's iodata: a string, or a list of bytes, strings and such lists.
pub fn iodata(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    flatten(value, &mut out, limits::JSON_DEPTH_MAX, &|n| u8::try_from(n).ok().map(|b| vec![b]))?;
    Some(out)
}

/// Text of Erlang's chardata: as [`iodata`], but the numbers are code points.
pub fn chardata(value: &Value) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let encode = |n| u32::try_from(n).ok().and_then(char::from_u32).map(|c| c.to_string().into_bytes());
    flatten(value, &mut out, limits::JSON_DEPTH_MAX, &encode)?;
    Some(out)
}

fn flatten(
    value: &Value,
    out: &mut Vec<u8>,
    depth: usize,
    unit: &impl Fn(i64) -> Option<Vec<u8>>,
) -> Option<()> {
    match value {
        Value::Str(bytes) => out.extend_from_slice(bytes),
        Value::List(items) => {
            let depth = depth.checked_sub(1)?;
            for item in items.iter() {
                match item {
                    Value::Int(n) => out.extend(unit(*n)?),
                    other => flatten(other, out, depth, unit)?,
                }
            }
        }
        _ => return None,
    }
    Some(())
}
