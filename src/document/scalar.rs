//! What a plain scalar is: YAML 1.2's core schema.

use std::sync::Arc;

use num_bigint::BigInt;

use super::Data;
use crate::limits;

/// Too many digits.
pub(super) struct TooLong;

/// The value of a plain scalar.
pub(super) fn core(text: &str) -> Result<Data, TooLong> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Data::Null),
        "true" | "True" | "TRUE" => return Ok(Data::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Data::Bool(false)),
        _ => {}
    }
    let looks_numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'));
    match looks_numeric.then(|| number(text)).transpose()?.flatten() {
        Some(number) => Ok(number),
        None => Ok(Data::Text(Arc::from(text))),
    }
}

/// An integer or float of the core schema.
pub(super) fn number(text: &str) -> Result<Option<Data>, TooLong> {
    let (negative, digits) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    match digits {
        ".inf" | ".Inf" | ".INF" => {
            let f = if negative { f64::NEG_INFINITY } else { f64::INFINITY };
            return Ok(Some(Data::Float(Arc::from(text), f)));
        }
        ".nan" | ".NaN" | ".NAN" => return Ok(Some(Data::Float(Arc::from(text), f64::NAN))),
        _ => {}
    }
    let integer = match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(octal), _) => (octal, 8),
        (_, Some(hex)) => (hex, 16),
        _ => (digits, 10),
    };
    let is_integer = !integer.0.is_empty() && integer.0.chars().all(|c| c.is_digit(integer.1));
    if !is_integer && !is_float(digits) {
        return Ok(None);
    }
    if text.len() > limits::DOCUMENT_DIGITS_MAX {
        return Err(TooLong);
    }
    if !is_integer {
        return Ok(text.parse().ok().map(|f| Data::Float(Arc::from(text), f)));
    }
    let parsed = BigInt::parse_bytes(integer.0.as_bytes(), integer.1);
    Ok(parsed.map(|n| Data::Int(Arc::from(text), Arc::new(if negative { -n } else { n }))))
}

/// `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn is_float(text: &str) -> bool {
    let mantissa_end = text.find(['e', 'E']).unwrap_or(text.len());
    let (mantissa, exponent) = text.split_at(mantissa_end);
    let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some((whole, fraction)) => {
            all_digits(whole) && all_digits(fraction) && !(whole.is_empty() && fraction.is_empty())
        }
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    let exponent_ok = exponent.is_empty() || {
        let digits = &exponent[1..];
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        !digits.is_empty() && all_digits(digits)
    };
    mantissa_ok && exponent_ok
}
