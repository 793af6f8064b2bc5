//! Rows as text: numbers as HStreamDB's command line prints them, or as its HTTP server does.
//!
//! All numbers of a row have passed through doubles (`google.protobuf.Struct`). The command line then reads the
//! double's Haskell `show` as an exact decimal and prints that (`HStream/Utils/Converter.hs`, `valueToJsonValue`),
//! which is why 9001 prints as `9001.0`, and 1563268202, whose `show` is `1.563268202e9`, without a point.
//!
//! Invariant: the text is one line of valid JSON.

use serde_json::Value;

use super::Decimal;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberText {
    /// As `hstream-client` shows a row.
    CommandLine,
    /// As the HTTP server's protojson sends it, with `<`, `>` and `&` escaped as Go does.
    Http,
}

/// A row as one line of JSON, keys in their order.
pub fn row_text(row: &Value, numbers: NumberText) -> String {
    let mut out = String::new();
    write(row, numbers, &mut out);
    out
}

fn write(value: &Value, numbers: NumberText, out: &mut String) {
    match value {
        Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            out.push_str(&match numbers {
                NumberText::CommandLine => command_line_number(number),
                NumberText::Http => http_number(number),
            });
        }
        Value::String(text) => write_string(text, numbers, out),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                out.push(if i == 0 { '[' } else { ',' });
                write(item, numbers, out);
            }
            out.push_str(if items.is_empty() { "[]" } else { "]" });
        }
        Value::Object(members) => {
            for (i, (key, member)) in members.iter().enumerate() {
                out.push(if i == 0 { '{' } else { ',' });
                write_string(key, numbers, out);
                out.push(':');
                write(member, numbers, out);
            }
            out.push_str(if members.is_empty() { "{}" } else { "}" });
        }
        Value::Null | Value::Bool(_) => out.push_str(&value.to_string()),
    }
}

fn write_string(text: &str, numbers: NumberText, out: &mut String) {
    let quoted = Value::from(text).to_string();
    match numbers {
        NumberText::CommandLine => out.push_str(&quoted),
        NumberText::Http => {
            for character in quoted.chars() {
                match character {
                    '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                        out.push_str(&format!("\\u{:04x}", u32::from(character)));
                    }
                    _ => out.push(character),
                }
            }
        }
    }
}

/// `read . show` and then aeson's printing, all in one.
pub(super) fn command_line_number(number: f64) -> String {
    // `{:e}` gives the shortest digits: `1.563268202e9`, `5e-2`.
    let shown = format!("{:e}", number.abs());
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let mut digits = mantissa.replace('.', "");
    if number == 0.0 {
        return "0.0".to_owned();
    }
    // Haskell shows at least one digit behind the point, and the whole ones where it uses no exponent.
    let places = if (-1..7).contains(&exponent) { exponent + 2 } else { 2 };
    while (digits.len() as i64) < places {
        digits.push('0');
    }
    let last = exponent + 1 - digits.len() as i64;
    scientific_text(&digits, last, number < 0.0)
}

/// A number of `INSERT … VALUES (…)` as aeson writes it into the payload.
pub(super) fn payload_number(number: &Decimal) -> String {
    let (digits, last, negative) = number.digits();
    scientific_text(&digits, last, negative)
}

/// Aeson's text of a `Scientific`: digits, and the exponent of the last one.
fn scientific_text(digits: &str, last: i64, negative: bool) -> String {
    let sign = if negative { "-" } else { "" };
    if (0..=1024).contains(&last) {
        return format!("{sign}{digits}{}", "0".repeat(last as usize));
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    let point = digits.len() as i64 + last;
    match point {
        ..0 | 8.. => {
            let rest = if rest.is_empty() { "0" } else { rest };
            format!("{sign}{first}.{rest}e{}", point - 1)
        }
        0 => format!("{sign}0.{digits}"),
        _ => {
            let (whole, fraction) = digits.split_at_checked(point as usize).unwrap_or((digits, "0"));
            format!("{sign}{whole}.{fraction}")
        }
    }
}

/// Go's `strconv` with format `g` as `encoding/json` uses it.
fn http_number(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) {
        let text = format!("{number:e}");
        return if size >= 1e21 { text.replace('e', "e+") } else { text };
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_print_as_the_command_line_prints_them() {
        let cases = [
            (9001.0, "9001.0"),
            (22.0, "22.0"),
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (1.0, "1.0"),
            (-1.5, "-1.5"),
            (0.1, "0.1"),
            (0.05, "5.0e-2"),
            (0.0123, "1.23e-2"),
            (116.296011, "116.296011"),
            (9_999_999.0, "9999999.0"),
            (9_999_999.5, "9999999.5"),
            (1e7, "10000000"),
            (1_563_268_202.0, "1563268202"),
            (12_345_678.5, "1.23456785e7"),
            (1e21, "1000000000000000000000"),
            (1.5e-300, "1.5e-300"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ];
        for (number, text) in cases {
            assert_eq!(command_line_number(number), text);
            assert_eq!(text.parse::<f64>().unwrap(), number);
        }
    }

    #[test]
    fn numbers_print_as_go_prints_them() {
        let cases = [
            (22.0, "22"),
            (80.5, "80.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1e-6, "0.000001"),
            (1.5e-7, "1.5e-7"),
        ];
        for (number, text) in cases {
            assert_eq!(http_number(number), text);
        }
    }

    #[test]
    fn rows_are_one_line_with_keys_in_their_order() {
        let row: Value =
            serde_json::from_str(r#"{"z":[1,[],{}],"a":{"t":"<\n>","n":null},"b":true}"#).unwrap();
        assert_eq!(
            row_text(&row, NumberText::CommandLine),
            r#"{"z":[1.0,[],{}],"a":{"t":"<\n>","n":null},"b":true}"#
        );
        assert_eq!(
            row_text(&row, NumberText::Http),
            r#"{"z":[1,[],{}],"a":{"t":"\u003c\n\u003e","n":null},"b":true}"#
        );
        let payload = |text| payload_number(&Decimal::parse(text).unwrap());
        assert_eq!(
            (payload("22.0"), payload("-1.5"), payload("0.05")),
            ("22".into(), "-1.5".into(), "5.0e-2".into())
        );
    }
}
