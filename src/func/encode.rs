//! Base64, JSON and Erlang's external term format.
//!
//! Invariant: decoding takes what the engines take and nothing else: base64 may hold blanks but must be padded.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::table::builtins;
use super::{Call, FnError, args, term};
use crate::value::{Bytes, Value, decode, encode};

builtins! { pub(super) ROWS, "encode":
    "base64_encode"(bytes: STR) -> STR, Pure, Both =>
        |_, a| to_base64(a),
        "The bytes in base64, padded.",
        ["base64_encode('abc!')" => Ok("\"YWJjIQ==\""), "base64_encode(1)" => Err("a string")];
    "base64_decode"(text: STR) -> STR, Pure, Both => |_, a| from_base64(a),
        "The bytes that base64 text stands for. Blanks are skipped; the padding must be there.",
        ["base64_decode('YWJjIQ==')" => Ok("\"abc!\""), "base64_decode('YWJjIQ')" => Err("base64")];
    "json_encode"(value: ANY) -> STR, Pure, Both => |_, a| json_encode(&a[0]),
        "The value as JSON text.",
        ["json_encode([1, 'a'])" => Ok("\"[1,\\\"a\\\"]\""), "json_encode(mongo_date(0))" => Err("no JSON")];
    "json_decode"(text: STR|LIST) -> ANY, Pure, Both => json_decode,
        "The value that JSON text stands for.",
        ["json_decode('[1, 2.0]')" => Ok("[1,2.0]"), "json_decode('{')" => Err("JSON")];
    "term_encode"(value: ANY) -> STR, Pure, Both => |_, a| Ok(Value::bytes(term::encode(&a[0])?)),
        "The value in Erlang's external term format.",
        [
            "bin2hexstr(term_encode(1))" => Ok("\"836101\""),
            "bin2hexstr(term_encode('ab'))" => Ok("\"836D000000026162\""),
        ];
    "term_decode"(bytes: STR) -> ANY, Pure, Both => |_, a| term::decode(args::bytes(a, 0)?),
        "The value that stands in Erlang's external term format.",
        ["term_decode(hexstr2bin('836101'))" => Ok("1"), "term_decode('x')" => Err("external term")];
}

/// The bytes of the first argument in base64.
pub(super) fn to_base64(args: &[Value]) -> Result<Value, FnError> {
    Ok(Value::from(STANDARD.encode(args::bytes(args, 0)?)))
}

/// As Erlang's `base64:decode/1`: blanks anywhere, padding demanded, bits past the last byte not looked at.
pub(super) fn from_base64(args: &[Value]) -> Result<Value, FnError> {
    let wrong = || FnError::argument(1, "base64 text with its padding", &args[0]);
    let text = args::bytes(args, 0)?.iter().copied().filter(|b| !matches!(b, b' ' | b'\t' | b'\r' | b'\n'));
    let mut out = Vec::new();
    let (mut group, mut ended) = (Vec::with_capacity(4), false);
    for byte in text {
        if ended {
            return Err(wrong());
        }
        group.push(byte);
        if group.len() < 4 {
            continue;
        }
        let padding = group.iter().filter(|b| **b == b'=').count();
        let bits = sextets(&group[..4 - padding]).ok_or_else(wrong)?;
        if padding > 2 {
            return Err(wrong());
        }
        out.extend_from_slice(&(bits << (6 * padding)).to_be_bytes()[1..4 - padding]);
        ended = padding > 0;
        group.clear();
    }
    if group.is_empty() { Ok(Value::bytes(out)) } else { Err(wrong()) }
}

fn sextets(group: &[u8]) -> Option<u32> {
    group.iter().try_fold(0u32, |bits, digit| {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        Some(bits << 6 | u32::from(value))
    })
}

/// The JSON text of a value.
pub(super) fn json_encode(value: &Value) -> Result<Value, FnError> {
    encode::to_json(value).map(Value::bytes).map_err(|e| FnError::failed(e.to_string()))
}

/// The value of JSON text, which may come in pieces.
fn json_decode(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let text = match &args[0] {
        Value::Str(text) => Some(text.clone()),
        other => args::iodata(other).map(Bytes::from),
    };
    let text = text.ok_or_else(|| FnError::argument(1, "JSON text", &args[0]))?;
    decode::decode(&text).map_err(|e| FnError::argument(1, format!("JSON text ({e})"), &args[0]))
}
