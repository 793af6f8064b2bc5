//! Values in reports: JSON, but undefined, null and the text "undefined" are three things, and bytes that are no
//! text are hexadecimal.

use std::fmt::Write;

use crate::limits;
use crate::value::{Value, encode, float};

/// A value on one line.
pub fn value(value: &Value) -> String {
    let mut out = String::new();
    write(&mut out, value, limits::JSON_DEPTH_MAX);
    out
}

fn write(out: &mut String, value: &Value, depth: usize) {
    let Some(depth) = depth.checked_sub(1) else {
        out.push('…');
        return;
    };
    match value {
        Value::Undefined => out.push_str("undefined"),
        Value::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(_) => push_quoted(out, bytes),
            Err(_) => {
                out.push_str("$hex \"");
                bytes.iter().for_each(|byte| {
                    let _ = write!(out, "{byte:02x}");
                });
                out.push('"');
            }
        },
        Value::Atom(name) => push_quoted(out, name),
        Value::Float(f) => {
            let mut text = Vec::new();
            float::write_json(&mut text, *f);
            out.push_str(&String::from_utf8_lossy(&text));
        }
        Value::List(items) | Value::Tuple(items) => {
            let (open, close) = if matches!(value, Value::List(_)) { ('[', ']') } else { ('(', ')') };
            out.push(open);
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                write(out, item, depth);
            }
            out.push(close);
        }
        Value::Map(map) => {
            out.push('{');
            for (at, (key, item)) in map.entries().iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                match key.atom_name() {
                    Some(name) => push_quoted(out, name),
                    None => write(out, key, depth),
                }
                out.push_str(": ");
                write(out, item, depth);
            }
            out.push('}');
        }
        Value::Bits(bits) => {
            let _ = write!(out, "<{} bits>", bits.bits);
        }
        other => out.push_str(&encode::to_display(other)),
    }
}

fn push_quoted(out: &mut String, bytes: &[u8]) {
    let mut quoted = Vec::new();
    match encode::write_string(&mut quoted, bytes) {
        Ok(()) => out.push_str(&String::from_utf8_lossy(&quoted)),
        Err(_) => out.push_str("\"…\""),
    }
}

/// A text of at most so many characters, the last one `…` where more follow.
pub fn cut_to(text: &str, chars: usize) -> String {
    match (text.char_indices().nth(chars), text.char_indices().nth(chars.saturating_sub(1))) {
        (Some(_), Some((at, _))) => format!("{}…", &text[..at]),
        _ => text.to_owned(),
    }
}

/// A text cut to what a report shows.
pub fn cut(text: &str) -> String {
    let limit = limits::REPORT_VALUE_CHARS_MAX;
    match text.char_indices().nth(limit) {
        Some((at, _)) => format!("{}… ({} characters)", &text[..at], text.chars().count()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    #[test]
    fn kinds_can_be_told_apart() {
        let map = Map::of([
            ("a", Value::Undefined),
            ("b", Value::Null),
            ("c", Value::str("undefined")),
            ("d", Value::bytes(vec![255, 0])),
            ("e", Value::list(vec![Value::Int(1), Value::Float(1.0), Value::static_atom("x")])),
        ]);
        assert_eq!(
            value(&Value::Map(map)),
            r#"{"a": undefined, "b": null, "c": "undefined", "d": $hex "ff00", "e": [1, 1.0, "x"]}"#
        );
    }

    #[test]
    fn long_values_are_cut_at_the_bound() {
        let limit = limits::REPORT_VALUE_CHARS_MAX;
        assert_eq!(cut(&"é".repeat(limit)), "é".repeat(limit));
        assert_eq!(cut(&"é".repeat(limit + 1)), format!("{}… ({} characters)", "é".repeat(limit), limit + 1));
    }
}
