//! What a test gives: payloads and column values, with the words `$file`, `$hex`, `$base64`, `$undefined`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Reading;
use super::pattern::{BARE_WORDS, literal_key, word_of};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Entry, Node};
use crate::rule::plain;
use crate::value::{Bytes, Map, Value, encode};

pub(super) const WORDS: &[&str] = &["$file", "$hex", "$base64"];

/// The bytes of a payload: a string is its text, a map or list its compact JSON, numbers as written.
pub(super) fn payload(node: &Node, reading: &mut Reading<'_>) -> Option<Bytes> {
    match &node.data {
        Data::Text(text) => Some(Bytes::copy_from_slice(text.as_bytes())),
        Data::Map(entries) => match word_of(entries, WORDS, reading) {
            Ok(Some(entry)) => bytes_word(entry, reading),
            Ok(None) => json(node, reading),
            Err(()) => None,
        },
        _ => json(node, reading),
    }
}

/// The bytes of `$file`, `$hex` or `$base64`.
pub(super) fn bytes_word(entry: &Entry, reading: &mut Reading<'_>) -> Option<Bytes> {
    let Some(text) = entry.value.as_text().map(str::to_owned).or_else(|| digits(&entry.value)) else {
        reading.problems.wrong_kind(&entry.key, "a string", &entry.value);
        return None;
    };
    let bytes = match &*entry.key {
        "$file" => match reading.fixtures.read(&text) {
            Ok(bytes) => return Some(bytes),
            Err(why) => {
                reading.problems.error(codes::FIXTURE, entry.value.span, why);
                return None;
            }
        },
        "$hex" => unhex(&text),
        _ => STANDARD.decode(text.split_ascii_whitespace().collect::<String>()).ok(),
    };
    if bytes.is_none() {
        let what = if &*entry.key == "$hex" { "pairs of hexadecimal digits" } else { "base64" };
        reading.problems.error(codes::BAD_GIVEN, entry.value.span, format!("'{text}' is not {what}"));
    }
    bytes.map(Bytes::from)
}

/// `$hex: 00` without quotes is a number in YAML; its text is what was meant.
fn digits(node: &Node) -> Option<String> {
    match &node.data {
        Data::Int(raw, _) | Data::Float(raw, _) => Some(raw.to_string()),
        _ => None,
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| {
        let text = std::str::from_utf8(pair).ok().filter(|t| t.len() == 2 && !t.starts_with('+'))?;
        u8::from_str_radix(text, 16).ok()
    };
    digits.chunks(2).map(pair).collect()
}

/// Compact JSON with keys in written order.
fn json(node: &Node, reading: &mut Reading<'_>) -> Option<Bytes> {
    let mut out = Vec::new();
    match write_json(&mut out, node) {
        Ok(()) => Some(Bytes::from(out)),
        Err(problem) => {
            reading.problems.push(*problem);
            None
        }
    }
}

fn write_json(out: &mut Vec<u8>, node: &Node) -> Result<(), Box<Diagnostic>> {
    match &node.data {
        Data::Null => out.extend_from_slice(b"null"),
        Data::Bool(b) => out.extend_from_slice(if *b { b"true" } else { b"false" }),
        Data::Int(raw, n) => {
            // `0x1F` and `+1` are YAML's; JSON knows digits only.
            let is_json = raw.strip_prefix('-').unwrap_or(raw).bytes().all(|b| b.is_ascii_digit())
                && !(raw.trim_start_matches('-').len() > 1 && raw.trim_start_matches('-').starts_with('0'));
            out.extend_from_slice(if is_json { raw.to_string() } else { n.to_string() }.as_bytes());
        }
        Data::Float(raw, f) => {
            let whole = raw.trim_start_matches('-').split(['.', 'e', 'E']).next().unwrap_or_default();
            let fraction_ok = !raw.ends_with('.') && !raw.contains(".e") && !raw.contains(".E");
            let leading_zero = whole.len() > 1 && whole.starts_with('0');
            if !whole.is_empty() && fraction_ok && !leading_zero && whole.bytes().all(|b| b.is_ascii_digit())
            {
                out.extend_from_slice(raw.as_bytes());
            } else {
                let value = plain::finite(raw, *f, node)?;
                encode::write(out, &value).unwrap_or_default();
            }
        }
        Data::Text(text) => {
            meaningless(text, node)?;
            encode::write_string(out, text.as_bytes()).unwrap_or_default();
        }
        Data::List(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                out.extend_from_slice(if at > 0 { b"," } else { b"" });
                write_json(out, item)?;
            }
            out.push(b']');
        }
        Data::Map(entries) => {
            if let Some(entry) = entries.iter().find(|e| e.key.starts_with('$') && !e.key.starts_with("$$")) {
                let message = format!("'{}' has no meaning inside a payload", entry.key);
                let problem = Diagnostic::error(codes::UNKNOWN_WORD, message).at(entry.key_span, "");
                return Err(Box::new(problem.help("a literal leading $ in a key is written $$")));
            }
            out.push(b'{');
            for (at, entry) in entries.iter().enumerate() {
                out.extend_from_slice(if at > 0 { b"," } else { b"" });
                encode::write_string(out, literal_key(&entry.key).as_bytes()).unwrap_or_default();
                out.push(b':');
                write_json(out, &entry.value)?;
            }
            out.push(b'}');
        }
    }
    Ok(())
}

/// What is given is a value: a matcher's word there is a slip.
fn meaningless(text: &str, node: &Node) -> Result<(), Box<Diagnostic>> {
    if !BARE_WORDS.contains(&text) {
        return Ok(());
    }
    let message = format!("'{text}' has no meaning in what is given");
    let problem = Diagnostic::error(codes::UNKNOWN_WORD, message).at(node.span, "");
    Err(Box::new(problem.help("write the value; a key that is not there is left out")))
}

/// The value of a column.
pub(super) fn value(node: &Node, reading: &mut Reading<'_>) -> Option<Value> {
    match &node.data {
        Data::Text(text) if &**text == "$undefined" => Some(Value::Undefined),
        Data::Text(text) if meaningless(text, node).is_err() => {
            reading.problems.push(*meaningless(text, node).err()?);
            None
        }
        Data::List(items) => {
            let values: Vec<Value> = items.iter().filter_map(|item| value(item, reading)).collect();
            (values.len() == items.len()).then(|| Value::list(values))
        }
        Data::Map(entries) => match word_of(entries, WORDS, reading) {
            Ok(Some(entry)) => bytes_word(entry, reading).map(Value::Str),
            Ok(None) => {
                let pair = |entry: &Entry| {
                    Some((Value::str(&*literal_key(&entry.key)), value(&entry.value, reading)?))
                };
                let pairs: Vec<(Value, Value)> = entries.iter().filter_map(pair).collect();
                (pairs.len() == entries.len()).then(|| Value::Map(Map::from_entries(pairs)))
            }
            Err(()) => None,
        },
        _ => plain::value(node).map_err(|problem| reading.problems.push(*problem)).ok(),
    }
}
