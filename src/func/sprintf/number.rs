//! Floats: `~e`, `~f`, `~g`, and the shortest form that `~w` and `~p` print.
//!
//! Invariant: digits come from 21 significant ones, as `float_to_list/1` gives them, and halves are rounded up.

use super::field::{Codes, Field};
use crate::func::{FnError, args};

/// Digits, and the exponent of a number written as `0.DIGITS`.
struct Digits {
    digits: Vec<u8>,
    exponent: i64,
}

fn digits(f: f64) -> Digits {
    let text = format!("{:.20e}", f.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).collect();
    Digits { digits, exponent: exponent.parse().unwrap_or(0) + 1 }
}

/// `~e`, `~f` or `~g`.
pub(super) fn float(letter: u8, f: f64, field: &Field) -> Result<Codes, FnError> {
    let precision = field.precision.unwrap_or(6);
    let bad = |wanted| FnError::failed(format!("~{} takes a precision of {wanted}", char::from(letter)));
    match letter {
        b'f' if precision >= 1 => shown(fixed(f, precision)?, f, field),
        b'f' => Err(bad("1 or more")),
        b'e' if precision >= 2 => shown(scientific(f, precision)?, f, field),
        b'e' => Err(bad("2 or more")),
        _ if precision < 1 => Err(bad("1 or more")),
        _ => general(f, precision, field),
    }
}

fn shown(text: String, f: f64, field: &Field) -> Result<Codes, FnError> {
    let sign = if f < 0.0 { "-" } else { "" };
    let codes = format!("{sign}{text}").chars().map(u32::from).collect();
    Field { precision: None, ..field.clone() }.term_if_wide(codes)
}

impl Field {
    /// Only a width makes a float into a field; the precision has been used up.
    fn term_if_wide(&self, text: Codes) -> Result<Codes, FnError> {
        if self.width.is_some() { self.term(text) } else { Ok(text) }
    }
}

/// `~f` from 0.1 to below 10000 where the digits suffice, or else `~e`.
fn general(f: f64, precision: i64, field: &Field) -> Result<Codes, FnError> {
    let bounds = [0.1, 1.0, 10.0, 100.0, 1000.0, 10_000.0];
    let exponent = bounds.iter().position(|bound| f.abs() < *bound).map(|at| at as i64 - 2);
    match exponent {
        Some(e) if (precision <= 1 && e == -1) || (precision - 1 > e && e >= -1) => {
            shown(fixed(f, precision - 1 - e)?, f, field)
        }
        _ => shown(scientific(f, precision.max(2))?, f, field),
    }
}

/// So many digits before the point and after it; true if the first of them has been carried over.
fn mantissa(digits: &[u8], before: usize, after: usize) -> (String, bool) {
    let count = before + after;
    let mut kept: Vec<u8> = digits.iter().copied().chain(std::iter::repeat(b'0')).take(count).collect();
    let mut carry = digits.get(count).is_some_and(|digit| *digit >= b'5');
    for digit in kept.iter_mut().rev() {
        if !carry {
            break;
        }
        carry = *digit == b'9';
        *digit = if carry { b'0' } else { *digit + 1 };
    }
    kept.insert(before, b'.');
    (String::from_utf8(kept).unwrap_or_default(), carry)
}

fn within(count: i64) -> Result<usize, FnError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    args::within_text(count)?;
    Ok(count)
}

fn fixed(f: f64, precision: i64) -> Result<String, FnError> {
    let Digits { mut digits, mut exponent } = digits(f);
    if exponent <= 0 {
        // Zeros in front, so that one digit stands before the point.
        let zeros = usize::try_from(1 - exponent).unwrap_or(0);
        digits.splice(0..0, std::iter::repeat_n(b'0', zeros));
        exponent = 1;
    }
    let (text, carried) = mantissa(&digits, within(exponent)?, within(precision)?);
    Ok(if carried { format!("1{text}") } else { text })
}

fn scientific(f: f64, precision: i64) -> Result<String, FnError> {
    let Digits { digits, exponent } = digits(f);
    let (text, carried) = mantissa(&digits, 1, within(precision - 1)?);
    let (text, exponent) =
        if carried { (format!("1{}", &text[1..]), exponent) } else { (text, exponent - 1) };
    let sign = if exponent < 0 { "" } else { "+" };
    Ok(format!("{text}e{sign}{exponent}"))
}

/// The shortest digits that read back, plain or with an exponent, whichever is shorter; always with an exponent from
/// 2^53 on, where plain digits would pretend to be exact.
pub(super) fn shortest(f: f64) -> String {
    let sign = if f.is_sign_negative() { "-" } else { "" };
    let text = format!("{:e}", f.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let exponent: i64 = exponent.parse().unwrap_or(0);
    if f == 0.0 {
        return format!("{sign}0.0");
    }
    let (place, len) = (exponent + 1, digits.len() as i64);
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    let cost = exponent.to_string().len() as i64 + 1 + if len == 1 { 2 } else { 1 };
    let body = if f.abs() >= 9_007_199_254_740_992.0 {
        None
    } else if place == 0 {
        Some(format!("0.{digits}"))
    } else if place < 0 {
        (2 - place <= cost).then(|| format!("0.{}{digits}", zeros(-place)))
    } else if place >= len {
        (place - len + 2 <= cost).then(|| format!("{digits}{}.0", zeros(place - len)))
    } else {
        let (whole, part) = digits.split_at(usize::try_from(place).unwrap_or(0));
        Some(format!("{whole}.{part}"))
    };
    body.map_or_else(
        || {
            let (first, rest) = digits.split_at(1);
            format!("{sign}{first}.{}e{exponent}", if rest.is_empty() { "0" } else { rest })
        },
        |body| format!("{sign}{body}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortest_forms() {
        let cases = [
            (1.0, "1.0"),
            (100.0, "100.0"),
            (1000.0, "1.0e3"),
            (123456.0, "123456.0"),
            (0.1, "0.1"),
            (0.001, "0.001"),
            (1e-7, "1.0e-7"),
            (1.5e-7, "1.5e-7"),
            (1e22, "1.0e22"),
            (9007199254740992.0, "9.007199254740992e15"),
            (123456789.125, "123456789.125"),
            (-2.25, "-2.25"),
            (1e15, "1.0e15"),
            (5e-324, "5.0e-324"),
            (-0.0, "-0.0"),
            (1.7976931348623157e308, "1.7976931348623157e308"),
        ];
        for (f, text) in cases {
            assert_eq!(shortest(f), text);
        }
    }

    #[test]
    fn fixed_and_scientific() {
        assert_eq!(fixed(1.5, 6).unwrap(), "1.500000");
        assert_eq!(fixed(0.999, 2).unwrap(), "1.00");
        assert_eq!(fixed(99.999, 1).unwrap(), "100.0");
        assert_eq!(fixed(0.001, 2).unwrap(), "0.00");
        assert_eq!(fixed(1e22, 1).unwrap(), "10000000000000000000000.0");
        assert_eq!(scientific(1.5, 6).unwrap(), "1.50000e+0");
        assert_eq!(scientific(9.99, 2).unwrap(), "1.0e+1");
        assert_eq!(scientific(1e-7, 3).unwrap(), "1.00e-7");
        assert_eq!(scientific(0.0, 2).unwrap(), "0.0e+0");
    }
}
