//! Text to numbers, as Erlang reads them.

use num_bigint::BigInt;

use super::Value;

/// `binary_to_integer/1`: a sign and digits, nothing else.
pub fn parse_integer(text: &[u8]) -> Option<Value> {
    let digits = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    if digits.len() < 19 {
        let n = digits.iter().fold(0i64, |n, digit| n * 10 + i64::from(digit - b'0'));
        return Some(Value::Int(if text[0] == b'-' { -n } else { n }));
    }
    let text = text.strip_prefix(b"+").unwrap_or(text);
    BigInt::parse_bytes(text, 10).map(Value::integer)
}

/// `binary_to_float/1`: digits on both sides of a dot, an exponent if wanted, within range.
pub fn parse_float(text: &[u8]) -> Option<f64> {
    let unsigned = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    let digits = |from: &[u8]| from.iter().take_while(|b| b.is_ascii_digit()).count();
    let whole = digits(unsigned);
    let fraction = unsigned.get(whole..)?.strip_prefix(b".")?;
    let decimals = digits(fraction);
    let exponent = fraction.get(decimals..)?;
    let exponent_ok = match exponent {
        [] => true,
        [b'e' | b'E', rest @ ..] => {
            let rest = rest.strip_prefix(b"+").or_else(|| rest.strip_prefix(b"-")).unwrap_or(rest);
            !rest.is_empty() && digits(rest) == rest.len()
        }
        _ => false,
    };
    if whole == 0 || decimals == 0 || !exponent_ok {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse::<f64>().ok().filter(|f| f.is_finite())
}

/// An integer or else a float: how a comparison reads a string beside a number (emqx_rule_runtime:number).
pub fn parse_number(text: &[u8]) -> Option<Value> {
    parse_integer(text).or_else(|| parse_float(text).map(Value::Float))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (text, number) in [
            ("0", Some(Value::Int(0))),
            ("+12", Some(Value::Int(12))),
            ("-007", Some(Value::Int(-7))),
            ("9223372036854775807", Some(Value::Int(i64::MAX))),
            ("1.5", Some(Value::Float(1.5))),
            ("-1.0e3", Some(Value::Float(-1000.0))),
            ("1.0E+3", Some(Value::Float(1000.0))),
            ("1e3", None),
            ("1.", None),
            (".5", None),
            ("", None),
            ("+", None),
            (" 1", None),
            ("1.0e", None),
            ("1.0e999", None),
            ("0x1", None),
        ] {
            assert_eq!(parse_number(text.as_bytes()), number, "{text}");
        }
    }
}
