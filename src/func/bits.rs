//! Bitwise operations on integers, and the sizes of strings.
//!
//! Invariant: negative integers count as two's complement without end, as in Erlang.

use num_traits::{Signed, ToPrimitive, Zero};

use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "bits":
    "bitnot"(x: INT) -> INT, Pure, Both => |_, a| Ok(Value::integer(!args::integer(a, 0)?)),
        "All bits of an integer turned over.",
        ["bitnot(10)" => Ok("-11"), "bitnot(1.0)" => Err("an integer")];
    "bitand"(x: INT, y: INT) -> INT, Pure, Both =>
        |_, a| Ok(Value::integer(args::integer(a, 0)? & args::integer(a, 1)?)),
        "The bits that both integers have.",
        ["bitand(10, 8)" => Ok("8"), "bitand(10, '8')" => Err("an integer")];
    "bitor"(x: INT, y: INT) -> INT, Pure, Both =>
        |_, a| Ok(Value::integer(args::integer(a, 0)? | args::integer(a, 1)?)),
        "The bits that either integer has.",
        ["bitor(10, 5)" => Ok("15"), "bitor(10, '5')" => Err("an integer")];
    "bitxor"(x: INT, y: INT) -> INT, Pure, Both =>
        |_, a| Ok(Value::integer(args::integer(a, 0)? ^ args::integer(a, 1)?)),
        "The bits that only one of two integers has.",
        ["bitxor(10, 8)" => Ok("2"), "bitxor(10, '8')" => Err("an integer")];
    "bitsl"(x: INT, by: INT) -> INT, Pure, Both =>
        |_, a| shift_left(args::integer(a, 0)?, args::integer(a, 1)?, &a[1]),
        "An integer shifted left by so many bits; a negative count shifts right.",
        ["bitsl(8, 2)" => Ok("32"), "bitsl(8, -2)" => Ok("2"), "bitsl(1, 100000000)" => Err("limit")];
    "bitsr"(x: INT, by: INT) -> INT, Pure, Both =>
        |_, a| shift_left(args::integer(a, 0)?, -args::integer(a, 1)?, &a[1]),
        "An integer shifted right by so many bits; a negative count shifts left.",
        ["bitsr(8, 2)" => Ok("2"), "bitsr(-1, 10)" => Ok("-1"), "bitsr(8, '2')" => Err("an integer")];
    "bitsize"(bits: BITSTRING) -> INT, Pure, Both => bitsize,
        "How many bits a string or bit string has.",
        ["bitsize('abc')" => Ok("24"), "bitsize(1)" => Err("a bit string")];
    "bytesize"(bytes: STR|LIST) -> INT, Pure, Only5 => bytesize,
        "How many bytes a string has, or a list of strings and bytes.",
        ["bytesize('é')" => Ok("2"), "bytesize(['ab', 99])" => Ok("3"), "bytesize([256])" => Err("bytes")];
}

/// Shifts past what a machine can count give 0 or -1 to the right, and have no answer to the left.
fn shift_left(x: BigInt, by: BigInt, shown: &Value) -> Result<Value, FnError> {
    if by.is_negative() {
        let Some(by) = by.abs().to_usize() else {
            return Ok(Value::Int(if x.is_negative() { -1 } else { 0 }));
        };
        return Ok(Value::integer(x >> by));
    }
    let by = by.to_u64().filter(|by| *by < 1 << 59);
    let Some(by) = by else {
        return Err(FnError::argument(2, "a count of bits that memory could hold", shown));
    };
    if x.is_zero() {
        return Ok(Value::Int(0));
    }
    args::within_bits(x.bits().saturating_add(by))?;
    Ok(Value::integer(x << by))
}

fn bitsize(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    match &args[0] {
        Value::Bits(bits) => Ok(Value::Int(bits.bits as i64)),
        _ => Ok(Value::Int(args::bytes(args, 0)?.len() as i64 * 8)),
    }
}

fn bytesize(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let bytes = args::iodata(&args[0]);
    let bytes =
        bytes.ok_or_else(|| FnError::argument(1, "a string or a list of bytes and strings", &args[0]))?;
    Ok(Value::Int(bytes.len() as i64))
}
