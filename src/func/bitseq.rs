//! `subbits`: numbers and bits cut out of a string, as Erlang's bit syntax cuts them.
//!
//! Invariant: a start outside the bits gives undefined; a length that does not fit stands for all bits from the
//! start on.

use num_traits::ToPrimitive;

use super::table::builtins;
use super::{FnError, args};
use crate::value::{BigInt, Bits, Bytes, Value};

builtins! { pub(super) ROWS, "bits":
    "subbits"(bits: BITSTRING, len: INT) -> INT|UNDEFINED, Pure, Both =>
        |_, a| cut(&a[0], &Value::Int(1), &a[1], How::default()),
        "The unsigned integer in the first bits of a string.",
        ["subbits('abc', 8)" => Ok("97"), "subbits(1, 8)" => Err("a bit string")];
    "subbits"(bits: BITSTRING, start: INT, len: INT) -> INT|UNDEFINED, Pure, Both =>
        |_, a| cut(&a[0], &a[1], &a[2], How::default()),
        "The unsigned integer in so many bits of a string from a bit on, counted from 1.",
        [
            "subbits('abc', 9, 8)" => Ok("98"),
            "subbits('abc', 25, 8)" => Ok("\"undefined\""),
            "subbits('abc', '9', 8)" => Err("an integer"),
        ];
    "subbits"(bits: BITSTRING, start: INT, len: INT, type: ANY) -> NUM|BITSTRING|UNDEFINED, Pure, Only5 =>
        |_, a| cut(&a[0], &a[1], &a[2], How::of(&a[3..])),
        "What stands in so many bits of a string from a bit on: type 'integer', 'float' or 'bits'.",
        [
            "subbits('abc', 1, 16, 'bits')" => Ok("\"ab\""),
            "subbits('abc', 1, 8, 'text')" => Err("'integer', 'float' or 'bits'"),
        ];
    "subbits"(bits: BITSTRING, start: INT, len: INT, type: ANY, sign: ANY)
        -> NUM|BITSTRING|UNDEFINED, Pure, Only5 =>
        |_, a| cut(&a[0], &a[1], &a[2], How::of(&a[3..])),
        "As with a type; the sign is 'signed' or 'unsigned'.",
        [
            "subbits(hexstr2bin('ff'), 1, 8, 'integer', 'signed')" => Ok("-1"),
            "subbits('abc', 1, 8, 'integer', 'no')" => Err("'signed' or 'unsigned'"),
        ];
    "subbits"(bits: BITSTRING, start: INT, len: INT, type: ANY, sign: ANY, order: ANY)
        -> NUM|BITSTRING|UNDEFINED, Pure, Both =>
        |_, a| cut(&a[0], &a[1], &a[2], How::of(&a[3..])),
        "As with type and sign; the order of bytes is 'big' or 'little'.",
        [
            "subbits(hexstr2bin('0100'), 1, 16, 'integer', 'unsigned', 'little')" => Ok("1"),
            "subbits('abc', 1, 8, 'integer', 'unsigned', 'odd')" => Err("'big' or 'little'"),
        ];
}

/// Type, sign and byte order, as given; what is not given is an unsigned integer of high byte first.
#[derive(Default)]
struct How<'a> {
    words: &'a [Value],
}

/// How bits are read.
struct Reading {
    kind: Kind,
    signed: bool,
    little: bool,
}

enum Kind {
    Integer,
    Float,
    Bits,
}

impl<'a> How<'a> {
    fn of(words: &'a [Value]) -> How<'a> {
        How { words }
    }

    fn word(&self, at: usize, known: &[&str], wanted: &str) -> Result<usize, FnError> {
        let Some(word) = self.words.get(at) else { return Ok(0) };
        let found = word.as_bytes().and_then(|word| known.iter().position(|k| k.as_bytes() == word));
        found.ok_or_else(|| FnError::argument(4 + at, wanted, word))
    }

    fn reading(&self) -> Result<Reading, FnError> {
        let kind = match self.word(0, &["integer", "float", "bits"], "'integer', 'float' or 'bits'")? {
            0 => Kind::Integer,
            1 => Kind::Float,
            _ => Kind::Bits,
        };
        let signed = self.word(1, &["unsigned", "signed"], "'signed' or 'unsigned'")? == 1;
        let little = self.word(2, &["big", "little"], "'big' or 'little'")? == 1;
        Ok(Reading { kind, signed, little })
    }
}

/// The words are looked at only once there are bits at the start (emqx_rule_funcs:get_subbits/6).
fn cut(bits: &Value, start: &Value, len: &Value, how: How<'_>) -> Result<Value, FnError> {
    let all = match bits {
        Value::Bits(bits) => bits.clone(),
        other => {
            let bytes = args::bytes(std::slice::from_ref(other), 0)?.clone();
            Bits { bits: bytes.len() * 8, bytes }
        }
    };
    let from = match start {
        Value::Int(n) => n.checked_sub(1).and_then(|n| usize::try_from(n).ok()).filter(|n| *n < all.bits),
        _ => None,
    };
    let Some(from) = from else { return Ok(Value::Undefined) };
    let reading = how.reading()?;
    let rest = all.bits - from;
    let wanted = len.to_bigint().and_then(|n| n.to_usize()).filter(|n| *n <= rest);
    let found = match wanted.map(|len| read(&all, from, len, &reading)).transpose()?.flatten() {
        None => read(&all, from, rest, &reading)?,
        found => found,
    };
    found.ok_or_else(|| {
        FnError::failed(format!("no float of 16, 32 or 64 bits stands in the {rest} bits from the start on"))
    })
}

/// `None` where no float of this length can be read.
fn read(all: &Bits, from: usize, len: usize, reading: &Reading) -> Result<Option<Value>, FnError> {
    if let Kind::Integer = reading.kind {
        args::within_bits(len as u64)?;
    }
    let bytes = slice(all, from, len);
    Ok(match reading.kind {
        Kind::Bits if len.is_multiple_of(8) => Some(Value::bytes(bytes)),
        Kind::Bits => Some(Value::Bits(Bits { bytes: Bytes::from(bytes), bits: len })),
        Kind::Integer => Some(integer(bytes, len, reading)),
        Kind::Float => float(bytes, len, reading.little).map(Value::Float),
    })
}

/// `len` bits from bit `from` on, the first in the highest bit of the first byte.
fn slice(all: &Bits, from: usize, len: usize) -> Vec<u8> {
    let (skip, shift) = (from / 8, from % 8);
    let byte = |at: usize| u16::from(all.bytes.get(at).copied().unwrap_or(0));
    let mut out: Vec<u8> = (0..len.div_ceil(8))
        .map(|i| ((byte(skip + i) << 8 | byte(skip + i + 1)) << shift >> 8) as u8)
        .collect();
    if let (Some(last), used @ 1..) = (out.last_mut(), len % 8) {
        *last &= 0xff << (8 - used);
    }
    out
}

/// In low byte first order, bits that fill no byte are the highest of the number.
fn integer(mut bytes: Vec<u8>, len: usize, reading: &Reading) -> Value {
    let spare = (8 - len % 8) % 8;
    let mut n = if reading.little {
        if let Some(last) = bytes.last_mut() {
            *last >>= spare;
        }
        BigInt::from_bytes_le(num_bigint::Sign::Plus, &bytes)
    } else {
        BigInt::from_bytes_be(num_bigint::Sign::Plus, &bytes) >> spare
    };
    if reading.signed && len > 0 && n.bit(len as u64 - 1) {
        n -= BigInt::from(1) << len;
    }
    Value::integer(n)
}

/// A finite float of 16, 32 or 64 bits; no bits at all are 0.0 (erts `erts_bs_get_float_2`).
fn float(mut bytes: Vec<u8>, len: usize, little: bool) -> Option<f64> {
    if little {
        bytes.reverse();
    }
    let f = match len {
        0 => 0.0,
        16 => half(u16::from_be_bytes(bytes.try_into().ok()?)),
        32 => f64::from(f32::from_be_bytes(bytes.try_into().ok()?)),
        64 => f64::from_be_bytes(bytes.try_into().ok()?),
        _ => return None,
    };
    f.is_finite().then_some(f)
}

/// A float of 16 bits: sign, 5 bits of exponent, 10 of fraction.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 => f64::INFINITY,
        _ => sign * (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves() {
        let cases = [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0001, 5.960464477539063e-8),
            (0x3555, 0.333251953125),
        ];
        for (bits, f) in cases {
            assert_eq!(half(bits), f);
        }
        assert!(!half(0x7c00).is_finite());
    }
}
