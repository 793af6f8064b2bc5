//! Conversions between kinds.
//!
//! EMQX 5.8 converts by emqx_utils_conv, EMQX 4.3 by emqx_rule_utils.
//!
//! Invariant: a conversion that EMQX refuses fails here, even where an answer would be obvious (`float(true)`).

use num_traits::FromPrimitive;

use super::table::builtins;
use super::{Call, FnError, args, number};
use crate::value::{BigInt, Bits, Bytes, Map, Value, compare, decode, float as float_text};

builtins! { pub(super) ROWS, "convert":
    "str"(x: ANY) -> STR, Pure, Both => |call, a| Ok(Value::Str(args::to_text(&a[0], call.profile)?)),
        "The value as text: maps and lists as JSON, floats with at most 10 decimals (EMQX 4.3: 17). A list \
         of printable character codes is the text they spell.",
        [
            "str(1.5)" => Ok("\"1.5\""),
            "str(['a'])" => Ok("\"[\\\"a\\\"]\""),
            "str([104, 105])" => Ok("\"hi\""),
            "str(mongo_date(0))" => Err("a tuple has no text"),
        ];
    "str_utf8"(x: ANY) -> STR|TUPLE, Pure, Both => str_utf8,
        "The value as text in UTF-8. Bytes that are none give Erlang's error tuple instead of failing.",
        [
            "str_utf8('é')" => Ok("\"é\""),
            "str_utf8(1.5)" => Ok("\"1.5\""),
            "str_utf8(mongo_date(0))" => Err("a tuple has no text"),
        ];
    "str_utf16_le"(x: ANY) -> STR|TUPLE, Pure, Only5 => str_utf16_le,
        "The value as text in UTF-16 of low byte first, as Microsoft SQL Server wants it.",
        [
            "bin2hexstr(str_utf16_le('hé'))" => Ok("\"6800E900\""),
            "str_utf16_le(mongo_date(0))" => Err("a tuple has no text"),
        ];
    "bool"(x: ANY) -> BOOL, Pure, Both => bool,
        "true, 'true' and 1 are true; false, 'false' and 0 are false; anything else is refused.",
        ["bool('true')" => Ok("true"), "bool(0)" => Ok("false"), "bool(2)" => Err("true, false, 1 or 0")];
    "int"(x: NUM|BOOL|STR|LIST) -> INT, Pure, Both => int,
        "The value as an integer. Floats, also those written in strings, go down to the next one.",
        [
            "int('12')" => Ok("12"),
            "int(-3.14)" => Ok("-4"),
            "int(true)" => Ok("1"),
            "int('1e3')" => Err("a number written"),
        ];
    "float"(x: NUM|STR|LIST) -> FLOAT, Pure, Both => float,
        "The value as a float.",
        ["float('1.5')" => Ok("1.5"), "float(2)" => Ok("2.0"), "float('')" => Err("a number written")];
    "float"(x: NUM|STR|LIST, decimals: ANY) -> FLOAT, Pure, Only5 => float_rounded,
        "The value as a float, rounded to so many decimals (1 to 253).",
        ["float(3.14159, 2)" => Ok("3.14"), "float(1.5, 0)" => Err("1 to 253")];
    "float2str"(x: FLOAT, decimals: INT) -> STR, Pure, Both => float2str,
        "A float as text with at most so many decimals; trailing zeros are cut.",
        [
            "float2str(3.14159, 2)" => Ok("\"3.14\""),
            "float2str(0.5, 4)" => Ok("\"0.5\""),
            "float2str(1, 2)" => Err("a float"),
        ];
    "map"(x: STR|LIST|MAP) -> MAP, Pure, Both => |_, a| Ok(Value::Map(to_map(&a[0], 1)?)),
        "The map that a string holds as JSON. A map stays as it is; a list must be empty or hold pairs.",
        ["map('{\"a\":1}')" => Ok("{\"a\":1}"), "map('[1]')" => Err("a JSON object")];
    "bin2hexstr"(bytes: BITSTRING) -> STR, Pure, Only5 => |_, a| Ok(Value::bytes(hex(&a[0], UPPER))),
        "The bytes as upper-case hexadecimal digits. A bit string gets zero bits in front.",
        ["bin2hexstr('ab')" => Ok("\"6162\""), "bin2hexstr(1)" => Err("a bit string")];
    "bin2hexstr"(bytes: STR) -> STR, Pure, Only4 => |_, a| Ok(Value::bytes(hex(&a[0], UPPER))),
        "The bytes as upper-case hexadecimal digits.",
        ["bin2hexstr('ab')" => Ok("\"6162\""), "bin2hexstr(1)" => Err("a string")];
    "bin2hexstr"(bytes: BITSTRING, prefix: STR|UNDEFINED) -> STR, Pure, Only5 => bin2hexstr,
        "The bytes as upper-case hexadecimal digits behind a prefix.",
        ["bin2hexstr('ab', '0x')" => Ok("\"0x6162\""), "bin2hexstr('ab', 0)" => Err("a string")];
    "hexstr2bin"(digits: STR) -> STR, Pure, Both => |_, a| unhex(args::bytes(a, 0)?, &a[0]),
        "The bytes that hexadecimal digits spell; an odd number of digits gets a 0 in front.",
        ["hexstr2bin('6162')" => Ok("\"ab\""), "hexstr2bin('xy')" => Err("hexadecimal digits")];
    "hexstr2bin"(digits: STR, prefix: STR|UNDEFINED) -> STR, Pure, Only5 => hexstr2bin,
        "The bytes that hexadecimal digits spell behind a prefix, which must be there.",
        ["hexstr2bin('0x6162', '0x')" => Ok("\"ab\""), "hexstr2bin('6162', '0x')" => Err("starts with '0x'")];
    "sqlserver_bin2hexstr"(bytes: BITSTRING) -> STR, Pure, Only5 =>
        |_, a| Ok(Value::bytes([b"0x".to_vec(), hex(&a[0], UPPER)].concat())),
        "The bytes as Microsoft SQL Server writes them: 0x and upper-case hexadecimal digits.",
        ["sqlserver_bin2hexstr('ab')" => Ok("\"0x6162\""), "sqlserver_bin2hexstr(1)" => Err("a bit string")];
}

/// Digits of `bin2hexstr`.
pub(super) const UPPER: &[u8; 16] = b"0123456789ABCDEF";
/// Digits of the hash functions.
pub(super) const LOWER: &[u8; 16] = b"0123456789abcdef";

/// EMQX 4.3 takes a list as character data; 5.8 turns it into text first, as any other value.
fn str_utf8(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    match &args[0] {
        Value::Str(bytes) => Ok(args::checked_utf8(bytes.to_vec())),
        Value::List(_) if !call.profile.is_5_8() => {
            let text = args::chardata(&args[0])
                .ok_or_else(|| FnError::argument(1, "a list of characters and strings", &args[0]))?;
            Ok(args::checked_utf8(text))
        }
        other => Ok(args::checked_utf8(args::to_text(other, call.profile)?.to_vec())),
    }
}

fn str_utf16_le(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let text = args::to_text(&args[0], call.profile)?;
    let encode = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    match args::checked_utf8(text.to_vec()) {
        Value::Tuple(parts) => {
            let mut parts = parts.to_vec();
            parts[1] = Value::bytes(parts[1].as_text().map(encode).unwrap_or_default());
            Ok(Value::tuple(parts))
        }
        text => Ok(Value::bytes(text.as_text().map(encode).unwrap_or_default())),
    }
}

fn bool(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let x = &args[0];
    let is =
        |word: &str, n: i64| x.as_bytes().is_some_and(|b| b == word) || compare::equal(x, &Value::Int(n));
    match x {
        Value::Bool(_) => Ok(x.clone()),
        _ if is("true", 1) => Ok(Value::Bool(true)),
        _ if is("false", 0) => Ok(Value::Bool(false)),
        _ => Err(FnError::argument(1, "true, false, 1 or 0, or 'true' or 'false'", x)),
    }
}

/// The digits that a string holds, or that a list spells.
fn digits(value: &Value) -> Result<Bytes, FnError> {
    let spelled = match value {
        Value::Str(bytes) => Some(bytes.clone()),
        Value::List(_) => args::characters(value).map(Bytes::from),
        _ => None,
    };
    spelled.ok_or_else(|| not_written(value))
}

fn not_written(value: &Value) -> FnError {
    FnError::argument(1, "a number written as 12 or 1.5", value)
}

fn int(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let floor = |f: f64| BigInt::from_f64(f.floor()).map(Value::integer).ok_or_else(|| not_written(&args[0]));
    match &args[0] {
        Value::Bool(b) => Ok(Value::Int(i64::from(*b))),
        Value::Float(f) => floor(*f),
        Value::Str(_) | Value::List(_) => match number::number(&digits(&args[0])?) {
            Some(Value::Float(f)) => floor(f),
            Some(n) => Ok(n),
            None => Err(not_written(&args[0])),
        },
        n => Ok(n.clone()),
    }
}

fn float(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    to_float(&args[0]).map(Value::Float)
}

fn to_float(value: &Value) -> Result<f64, FnError> {
    match value {
        Value::Str(_) | Value::List(_) => {
            let number = number::number(&digits(value)?).ok_or_else(|| not_written(value))?;
            args::to_float(&number, 1)
        }
        n => args::to_float(n, 1),
    }
}

/// Decimals as the runtime takes them: a small integer, cut to 32 bits (erts `do_float_to_charbuf`).
fn decimals(value: &Value) -> Option<i64> {
    const SMALL: i64 = 1 << 59;
    match value {
        Value::Int(n) if (-SMALL..SMALL).contains(n) => Some(i64::from(*n as i32)),
        _ => None,
    }
}

fn float_rounded(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let f = to_float(&args[0])?;
    let positive = matches!(&args[1], Value::Int(n) if *n > 0);
    let text = decimals(&args[1]).filter(|_| positive).and_then(|n| float_text::to_decimals(f, n));
    // Without decimals the text is no float, which Erlang refuses to read back.
    let rounded = text.as_deref().and_then(|text| number::float(text.as_bytes()));
    rounded.map(Value::Float).ok_or_else(|| FnError::argument(2, "a number of decimals, 1 to 253", &args[1]))
}

fn float2str(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let f = args::float(args, 0)?;
    let text = decimals(&args[1]).and_then(|n| float_text::to_decimals(f, n));
    text.map(Value::from).ok_or_else(|| {
        FnError::argument(2, "a number of decimals, 0 to 253, that gives less than 256 characters", &args[1])
    })
}

/// The map that `map()` makes of a value.
pub(super) fn to_map(value: &Value, index: usize) -> Result<Map, FnError> {
    match value {
        Value::Map(map) => Ok(map.clone()),
        Value::Str(text) => match decode::decode(text) {
            Ok(Value::Map(map)) => Ok(map),
            Ok(_) => Err(FnError::argument(index, "text of a JSON object", value)),
            Err(e) => Err(FnError::argument(index, format!("text of a JSON object ({e})"), value)),
        },
        Value::List(items) => {
            let pairs = items.iter().map(|item| match item {
                Value::Tuple(pair) if pair.len() == 2 => Some((pair[0].clone(), pair[1].clone())),
                _ => None,
            });
            let pairs: Option<Vec<_>> = pairs.collect();
            pairs
                .map(Map::from_entries)
                .ok_or_else(|| FnError::argument(index, "a list of pairs, or empty", value))
        }
        other => Err(FnError::argument(index, "a map, or text of a JSON object", other)),
    }
}

/// The hexadecimal digits of bytes or bits.
fn hex(value: &Value, digits: &[u8; 16]) -> Vec<u8> {
    match value {
        Value::Str(bytes) => hex_bytes(bytes, digits),
        Value::Bits(bits) => hex_bits(bits, digits),
        _ => Vec::new(),
    }
}

/// Two digits a byte.
pub(super) fn hex_bytes(bytes: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    bytes.iter().flat_map(|b| [digits[usize::from(b >> 4)], digits[usize::from(b & 15)]]).collect()
}

/// As many digits as the bits need, the first filled up with zero bits.
fn hex_bits(bits: &Bits, digits: &[u8; 16]) -> Vec<u8> {
    let bit = |at: usize| usize::from(bits.bytes[at / 8] >> (7 - at % 8) & 1);
    let pad = bits.bits.next_multiple_of(4) - bits.bits;
    let nibble =
        |n: usize| (0..4).fold(0, |value, i| value << 1 | (n * 4 + i).checked_sub(pad).map_or(0, bit));
    (0..bits.bits.div_ceil(4)).map(|n| digits[nibble(n)]).collect()
}

fn bin2hexstr(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let prefix = args[1].as_bytes().map(|p| p.to_vec()).unwrap_or_default();
    Ok(Value::bytes([prefix, hex(&args[0], UPPER)].concat()))
}

fn unhex(digits: &[u8], shown: &Value) -> Result<Value, FnError> {
    let values: Option<Vec<u8>> =
        digits.iter().map(|d| char::from(*d).to_digit(16).and_then(|n| u8::try_from(n).ok())).collect();
    let Some(mut values) = values else { return Err(FnError::argument(1, "hexadecimal digits", shown)) };
    if values.len() % 2 == 1 {
        values.insert(0, 0);
    }
    Ok(Value::bytes(values.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
}

fn hexstr2bin(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let digits = args::bytes(args, 0)?;
    let Some(prefix) = args[1].as_bytes() else { return unhex(digits, &args[0]) };
    match digits.strip_prefix(prefix.as_ref()) {
        Some(rest) => unhex(rest, &args[0]),
        None => Err(FnError::argument(
            1,
            format!("a string that starts with {}", args::show_bare(&args[1])),
            &args[0],
        )),
    }
}
