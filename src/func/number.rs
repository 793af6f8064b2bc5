//! Numbers read from text, as Erlang's `binary_to_integer/1` and `binary_to_float/1` read them.
//!
//! Invariant: no surrounding blanks, no underscores; a float has digits on both sides of its point.

use std::str::FromStr;

use crate::limits;
use crate::value::{BigInt, Value};

/// `[+-]` and digits.
pub(super) fn integer(text: &[u8]) -> Option<Value> {
    let digits = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    // A decimal digit is more than three bits.
    if digits.is_empty()
        || digits.len() as u64 > limits::INTEGER_BITS_MAX / 4
        || !digits.iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    match i64::from_str(text) {
        Ok(n) => Some(Value::Int(n)),
        Err(_) => BigInt::from_str(text).ok().map(Value::integer),
    }
}

/// `[+-]`, digits, a point, digits, and maybe an exponent. The point may be a comma: the runtime (erts
/// `sys_chars_to_double`) allows for locales.
pub(super) fn float(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"-").or_else(|| text.strip_prefix(b"+")).unwrap_or(text);
    let (_, rest) = digits(unsigned)?;
    let rest = rest.strip_prefix(b".").or_else(|| rest.strip_prefix(b","))?;
    let (_, rest) = digits(rest)?;
    if let Some(exponent) = rest.strip_prefix(b"e").or_else(|| rest.strip_prefix(b"E")) {
        let exponent =
            exponent.strip_prefix(b"-").or_else(|| exponent.strip_prefix(b"+")).unwrap_or(exponent);
        let (_, rest) = digits(exponent)?;
        if !rest.is_empty() {
            return None;
        }
    } else if !rest.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let f = f64::from_str(&text.replacen(',', ".", 1)).ok()?;
    f.is_finite().then_some(f)
}

/// At least one digit, and what follows them.
fn digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

/// An integer, or else a float.
pub(super) fn number(text: &[u8]) -> Option<Value> {
    integer(text).or_else(|| float(text).map(Value::Float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(number(b"12"), Some(Value::Int(12)));
        assert_eq!(number(b"+12"), Some(Value::Int(12)));
        assert_eq!(number(b"-007"), Some(Value::Int(-7)));
        assert_eq!(number(b"1.5e3"), Some(Value::Float(1500.0)));
        assert_eq!(number(b"-1,5"), Some(Value::Float(-1.5)));
        assert_eq!(number(b"1.0e-400"), Some(Value::Float(0.0)));
        for text in
            ["", "-", " 1", "1 ", "1e3", ".5", "5.", "1.5f", "1_000", "0x1F", "1.0e400", "1.5e", "NaN", "inf"]
        {
            assert_eq!(number(text.as_bytes()), None, "{text:?}");
        }
        let long = "9".repeat((limits::INTEGER_BITS_MAX / 4) as usize);
        assert!(integer(long.as_bytes()).is_some());
        assert_eq!(integer(format!("{long}9").as_bytes()), None);
    }
}
