//! `~w`: terms on one line, strings as bytes.
//!
//! Invariant: a depth of 1 shows no inside of anything, one of 0 nothing at all, a negative one everything.

use super::field::Codes;
use super::number::shortest;
use crate::value::{Bits, Value};

/// A value to a depth.
pub(super) fn write(value: &Value, depth: i64) -> Codes {
    let mut out = String::new();
    put(&mut out, value, depth);
    out.chars().map(u32::from).collect()
}

fn put(out: &mut String, value: &Value, depth: i64) {
    if depth == 0 {
        return out.push_str("...");
    }
    let inner = depth.saturating_sub(1);
    match value {
        Value::Str(bytes) => binary(out, bytes, None, depth),
        Value::Bits(Bits { bytes, bits }) => binary(out, bytes, Some(bits % 8), depth),
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(_) if depth == 1 => out.push_str("[...]"),
        Value::List(items) => items_of(out, items, inner, ['[', ']'], "|..."),
        Value::Tuple(items) if items.is_empty() => out.push_str("{}"),
        Value::Tuple(_) if depth == 1 => out.push_str("{...}"),
        Value::Tuple(items) => items_of(out, items, inner, ['{', '}'], ",..."),
        Value::Map(_) if depth == 1 => out.push_str("#{...}"),
        Value::Map(map) => {
            out.push_str("#{");
            for (at, (key, value)) in map.entries().iter().enumerate() {
                if at > 0 && inner - at as i64 == 0 {
                    out.push_str(",...");
                    break;
                }
                if at > 0 {
                    out.push(',');
                }
                put(out, key, inner);
                out.push_str(" => ");
                put(out, value, inner);
            }
            out.push('}');
        }
        other => out.push_str(&plain(other)),
    }
}

/// Each item is shown to a depth one less than the item before it.
fn items_of(out: &mut String, items: &[Value], depth: i64, brackets: [char; 2], more: &str) {
    out.push(brackets[0]);
    let mut depth = depth;
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            if depth == 1 {
                out.push_str(more);
                break;
            }
            out.push(',');
            depth -= 1;
        }
        put(out, item, depth);
    }
    out.push(brackets[1]);
}

fn binary(out: &mut String, bytes: &[u8], bits: Option<usize>, depth: i64) {
    out.push_str("<<");
    out.push_str(&segments(bytes, bits, depth).join(","));
    out.push_str(">>");
}

/// The numbers of a binary, as many as the depth allows; the last may have fewer bits than a byte.
pub(super) fn segments(bytes: &[u8], bits: Option<usize>, depth: i64) -> Vec<String> {
    let mut out = Vec::new();
    let mut depth = depth;
    for (at, byte) in bytes.iter().enumerate() {
        if depth == 1 {
            out.push("...".to_owned());
            break;
        }
        depth -= 1;
        match bits.filter(|_| at + 1 == bytes.len()) {
            Some(bits) if bits > 0 => out.push(format!("{}:{bits}", byte >> (8 - bits))),
            _ => out.push(byte.to_string()),
        }
    }
    out
}

/// A number or an atom.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Float(f) => shortest(*f),
        other => match other.atom_name() {
            Some(name) => atom(&String::from_utf8_lossy(name)),
            None => other.to_bigint().unwrap_or_default().to_string(),
        },
    }
}

/// Words that an atom can only be in quotes.
const RESERVED: [&str; 27] = [
    "after", "and", "andalso", "band", "begin", "bnot", "bor", "bsl", "bsr", "bxor", "case", "catch", "cond",
    "div", "else", "end", "fun", "if", "let", "maybe", "not", "of", "or", "orelse", "receive", "rem", "when",
];

fn atom(name: &str) -> String {
    let bare = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, '_' | '@') || matches!(c, 'À'..='ÿ' if c != '×' && c != '÷')
    };
    let lower = |c: char| c.is_ascii_lowercase() || matches!(c, 'ß'..='ÿ' if c != '÷');
    let reserved =
        RESERVED.contains(&name) && !matches!(name, "else" | "maybe") || matches!(name, "try" | "xor");
    if name.starts_with(lower) && name.chars().all(bare) && !reserved {
        return name.to_owned();
    }
    format!("'{}'", escaped(name, '\''))
}

/// The inside of a quoted text.
pub(super) fn escaped(text: &str, quote: char) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{7f}' => out.push_str("\\d"),
            '\\' => out.push_str("\\\\"),
            c if c == quote => out.extend(['\\', c]),
            '\0'..='\u{1f}' | '\u{80}'..='\u{9f}' => out.push_str(&format!("\\{:03o}", u32::from(c))),
            c if u32::from(c) > 255 => out.push_str(&format!("\\x{{{:X}}}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Bytes, Map};

    #[test]
    fn terms() {
        let of = |value: &Value, depth| {
            String::from_iter(write(value, depth).iter().filter_map(|c| char::from_u32(*c)))
        };
        let map = Value::Map(Map::of([("a", Value::Int(1)), ("b", Value::str("cd"))]));
        assert_eq!(of(&map, -1), "#{<<97>> => 1,<<98>> => <<99,100>>}");
        assert_eq!(of(&map, 2), "#{<<...>> => 1,...}");
        assert_eq!(of(&Value::list(vec![Value::Null, map]), 2), "[null|...]");
        assert_eq!(
            of(&Value::Bits(Bits { bytes: Bytes::from_static(&[1, 0xa0]), bits: 11 }), -1),
            "<<1,5:3>>"
        );
        assert_eq!(of(&Value::atom("message.publish"), -1), "'message.publish'");
        assert_eq!(of(&Value::atom("end"), -1), "'end'");
        assert_eq!(of(&Value::tuple(vec![Value::Float(1e22)]), -1), "{1.0e22}");
        assert_eq!(of(&Value::Int(1), 0), "...");
    }
}
