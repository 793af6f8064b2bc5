//! Numbers as jq 1.6 reads and writes them (David Gay's `strtod` and `g_fmt`).

use std::fmt::Write;

/// A number of JSON text or of a program, `None` when it is none: leading zeros, a sign, `1.` and `.5` are read.
pub(super) fn parse(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let mut at = whole;
    let mut fraction = 0;
    if unsigned.as_bytes().get(at) == Some(&b'.') {
        fraction = digits(&unsigned[at + 1..]);
        at += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if let Some(b'e' | b'E') = unsigned.as_bytes().get(at) {
        let signed = &unsigned[at + 1..];
        let exponent = signed.strip_prefix(['-', '+']).unwrap_or(signed);
        let count = digits(exponent);
        if count == 0 {
            return None;
        }
        at = unsigned.len() - exponent.len() + count;
    }
    if at != unsigned.len() {
        return None;
    }
    text.parse().ok()
}

/// Writes a number: the shortest digits that read back, with an exponent below 1e-5 and where more than 15 zeros
/// would follow the digits. What is no number is null, an infinity the largest double.
pub(super) fn write(out: &mut String, number: f64) {
    if number.is_nan() {
        out.push_str("null");
        return;
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    if number == number.trunc() && number.abs() < 1e15 && (number != 0.0 || number.is_sign_positive()) {
        let _ = write!(out, "{}", number as i64);
        return;
    }
    // `{:e}` gives the shortest digits: d[.ddd]e[-]x.
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |m| ("-", m));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    out.push_str(sign);
    place(out, &digits, exponent + 1);
}

/// Writes digits with the point behind the `point`th.
fn place(out: &mut String, digits: &str, point: i32) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or(0));
    if digits == "0" {
        out.push('0');
    } else if point <= -4 || point > count + 15 {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let sign = if point < 1 { '-' } else { '+' };
        let _ = write!(out, "{first}{dot}{rest}e{sign}{:02}", (point - 1).abs());
    } else if point <= 0 {
        let _ = write!(out, "0.{}{digits}", zeros(-point));
    } else if point >= count {
        let _ = write!(out, "{digits}{}", zeros(point - count));
    } else {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or(0));
        let _ = write!(out, "{whole}.{fraction}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads() {
        for (text, number) in [
            ("0", Some(0.0)),
            ("-12", Some(-12.0)),
            ("+1", Some(1.0)),
            ("007", Some(7.0)),
            ("1.", Some(1.0)),
            (".5", Some(0.5)),
            ("1.5e3", Some(1500.0)),
            ("1e1000", Some(f64::INFINITY)),
            ("1E-2", Some(0.01)),
            ("", None),
            (".", None),
            ("-", None),
            ("1e", None),
            ("1e+", None),
            ("1.2.3", None),
            ("--1", None),
            ("nan", None),
            ("inf", None),
            ("0x10", None),
            ("1 ", None),
        ] {
            assert_eq!(parse(text), number, "{text}");
        }
    }

    #[test]
    fn writes() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (1e15, "1000000000000000"),
            (1e16, "1e+16"),
            (123_456_789_012_345_680.0, "123456789012345680"),
            (12_345_678_901_234_567_890.0, "12345678901234567000"),
            (1e19, "1e+19"),
            (0.001, "0.001"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1.0 / 3.0, "0.3333333333333333"),
            (f64::INFINITY, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-1.7976931348623157e+308"),
            (f64::NAN, "null"),
            (5e-324, "5e-324"),
            (41.677_999_973_297_12, "41.67799997329712"),
        ] {
            let mut out = String::new();
            write(&mut out, number);
            assert_eq!(out, text);
        }
    }
}
