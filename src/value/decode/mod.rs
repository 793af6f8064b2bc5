//! JSON text to values, and to only those parts of a document that a rule reads.
//!
//! It accepts what EMQX's decoder accepts: a fork of jiffy that lets raw line feeds and carriage returns stand in
//! strings, keeps integers exact, refuses floats out of range, lone surrogates and anything after the value, and
//! lets the last of several equal keys win.
//!
//! Strings without escapes share the document's bytes.

mod scan;
mod want;

use thiserror::Error;

use scan::{Number, Raw};
pub use want::{Each, Rows, Taken, Want};

use super::{Bytes, Map, Value};
use crate::limits;

/// Why a text is no JSON, and where.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("{what} at byte {at}")]
pub struct JsonError {
    /// Byte offset.
    pub at: usize,
    /// What was wrong there.
    pub what: &'static str,
}

type Result<T> = std::result::Result<T, JsonError>;

/// Decodes a whole document.
pub fn decode(text: &Bytes) -> Result<Value> {
    let mut reader = Reader::new(text)?;
    reader.blanks();
    let value = reader.value()?;
    reader.finish()?;
    Ok(value)
}

/// Decodes only what is wanted; the rest is checked all the same.
pub fn decode_wanted(text: &Bytes, want: &Want, taken: &mut Taken<'_>) -> Result<()> {
    let mut reader = Reader::new(text)?;
    reader.blanks();
    reader.pick(want, taken)?;
    reader.finish()
}

struct Reader<'a> {
    origin: &'a Bytes,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
    /// Members and items of the containers being read, so that each gets one block of the right size.
    members: Vec<(Value, Value)>,
    items: Vec<Value>,
}

impl<'a> Reader<'a> {
    fn new(origin: &'a Bytes) -> Result<Reader<'a>> {
        if let Err(e) = std::str::from_utf8(origin) {
            return Err(JsonError { at: e.valid_up_to(), what: "bytes that are not UTF-8" });
        }
        Ok(Reader {
            origin,
            bytes: origin,
            at: 0,
            depth: limits::JSON_DEPTH_MAX,
            members: Vec::new(),
            items: Vec::new(),
        })
    }

    fn fail<T>(&self, what: &'static str) -> Result<T> {
        Err(JsonError { at: self.at, what })
    }

    #[inline]
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    #[inline]
    fn blanks(&mut self) {
        // Compact documents have none.
        if self.peek() > b' ' {
            return;
        }
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
    }

    fn finish(&mut self) -> Result<()> {
        self.blanks();
        if self.at < self.bytes.len() { self.fail("text after the value") } else { Ok(()) }
    }

    fn enter(&mut self) -> Result<()> {
        match self.depth.checked_sub(1) {
            Some(depth) => self.depth = depth,
            None => return self.fail("nesting deeper than rulemill's limit"),
        }
        self.at += 1;
        self.blanks();
        Ok(())
    }

    /// Reads a value; like `skip` and `pick` it starts at the value itself, behind the blanks.
    fn value(&mut self) -> Result<Value> {
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Ok(Value::Str(self.string()?)),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value> {
        let rest = &self.bytes[self.at..];
        let (value, len) = match rest {
            [b't', b'r', b'u', b'e', ..] => (Value::Bool(true), 4),
            [b'f', b'a', b'l', b's', b'e', ..] => (Value::Bool(false), 5),
            [b'n', b'u', b'l', b'l', ..] => (Value::Null, 4),
            _ => (Value::Undefined, 0),
        };
        if len > 0 {
            self.at += len;
            return Ok(value);
        }
        if self.at >= self.bytes.len() {
            self.fail("end of text where a value was due")
        } else {
            self.fail("no value")
        }
    }

    fn object(&mut self) -> Result<Value> {
        let start = self.members.len();
        self.each_member(|reader, key| {
            let key = Value::Str(reader.key(key)?);
            let value = reader.value()?;
            reader.members.push((key, value));
            Ok(())
        })?;
        Ok(Value::Map(Map::from_stack(&mut self.members, start)))
    }

    /// Walks an object; `each` gets the raw key and must read the value.
    #[inline]
    fn each_member(&mut self, mut each: impl FnMut(&mut Self, Raw) -> Result<()>) -> Result<()> {
        self.enter()?;
        if self.peek() == b'}' {
            self.at += 1;
            self.depth += 1;
            return Ok(());
        }
        loop {
            if self.peek() != b'"' {
                return self.fail("no quoted key");
            }
            let key = self.raw_string()?;
            self.blanks();
            if self.peek() != b':' {
                return self.fail("no colon after a key");
            }
            self.at += 1;
            self.blanks();
            each(self, key)?;
            self.blanks();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.blanks();
                }
                b'}' => break,
                _ => return self.fail("no comma or closing brace after a member"),
            }
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    fn array(&mut self) -> Result<Value> {
        let start = self.items.len();
        self.each_item(|reader, _| {
            let item = reader.value()?;
            reader.items.push(item);
            Ok(())
        })?;
        Ok(Value::List(self.items.drain(start..).collect()))
    }

    /// Walks a list; `each` gets the position from 1 and must read the value.
    #[inline]
    fn each_item(&mut self, mut each: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        self.enter()?;
        if self.peek() == b']' {
            self.at += 1;
            self.depth += 1;
            return Ok(());
        }
        for position in 1.. {
            each(self, position)?;
            self.blanks();
            match self.peek() {
                b',' => {
                    self.at += 1;
                    self.blanks();
                }
                b']' => break,
                _ => return self.fail("no comma or closing bracket after an item"),
            }
        }
        self.at += 1;
        self.depth += 1;
        Ok(())
    }

    /// Checks a value without keeping it.
    fn skip(&mut self) -> Result<()> {
        match self.peek() {
            b'{' => self.each_member(|reader, key| {
                if key.escaped {
                    reader.unescape(key)?;
                }
                reader.skip()
            }),
            b'[' => self.each_item(|reader, _| reader.skip()),
            b'"' => {
                let raw = self.raw_string()?;
                if raw.escaped { self.unescape(raw).map(drop) } else { Ok(()) }
            }
            b'-' | b'0'..=b'9' => {
                let mut number = Number::default();
                self.scan_number(&mut number)?;
                // Only a long or exponent-bearing float can be out of range.
                if number.exponent || number.end - number.start > 300 {
                    self.number_value(&number)?;
                }
                Ok(())
            }
            _ => self.word().map(drop),
        }
    }

    fn pick(&mut self, want: &Want, taken: &mut Taken<'_>) -> Result<()> {
        if want.slot.is_some() {
            let value = self.value()?;
            if want.is_leaf() {
                taken.slots[want.slot.unwrap_or_default()] = value;
            } else {
                want.fill(&value, taken);
            }
            return Ok(());
        }
        match self.peek() {
            b'{' if !want.keys.is_empty() => {
                self.each_member(|reader, key| reader.pick_member(key, want, taken))
            }
            b'[' if want.each.is_some() => self.pick_each(want, taken),
            b'[' if !want.items.is_empty() => {
                self.each_item(|reader, position| match want.items.iter().find(|(at, _)| *at == position) {
                    Some((_, inner)) => reader.pick(inner, taken),
                    None => reader.skip(),
                })
            }
            b'"' if !want.is_leaf() => {
                let text = Value::Str(self.string()?);
                want.fill(&text, taken);
                Ok(())
            }
            _ => self.skip(),
        }
    }

    fn pick_member(&mut self, key: Raw, want: &Want, taken: &mut Taken<'_>) -> Result<()> {
        let found = if key.escaped {
            let key = self.unescape(key)?;
            want.keys.iter().find(|(k, _)| *k == key)
        } else {
            let key = &self.bytes[key.start..key.end];
            want.keys.iter().find(|(k, _)| k.as_ref() == key)
        };
        match found {
            Some((_, inner)) => {
                inner.clear(taken);
                self.pick(inner, taken)
            }
            None => self.skip(),
        }
    }

    fn pick_each(&mut self, want: &Want, taken: &mut Taken<'_>) -> Result<()> {
        let Some(each) = &want.each else { return self.skip() };
        taken.rows.restart(each.width);
        let rows = &mut *taken.rows;
        let mut none = Rows::default();
        self.each_item(|reader, _| {
            let slots = rows.push();
            reader.pick(&each.want, &mut Taken { slots, rows: &mut none })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::encode::to_json;
    use super::*;

    fn round(text: &str) -> std::result::Result<String, JsonError> {
        decode(&Bytes::copy_from_slice(text.as_bytes()))
            .map(|v| String::from_utf8(to_json(&v).unwrap()).unwrap())
    }

    #[test]
    fn documents() {
        let cases = [
            ("0", "0"),
            ("-0", "0"),
            ("-0.0", "0.0"),
            ("1E3", "1000.0"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("-9223372036854775809", "-9223372036854775809"),
            (" [1 , \"a\\u4f60\\ud83d\\ude00\" ] ", "[1,\"a你😀\"]"),
            ("{\"x\":1,\"x\":2}", "{\"x\":2}"),
            ("\"a\nb\"", "\"a\\nb\""),
            ("{}", "{}"),
            ("[]", "[]"),
        ];
        for (text, json) in cases {
            assert_eq!(round(text).as_deref(), Ok(json), "{text}");
        }
    }

    #[test]
    fn refusals() {
        let texts = [
            "",
            "01",
            "+1",
            "1.",
            ".5",
            "1e",
            "1e309",
            "nul",
            "{",
            "[1,",
            "[1,]",
            "{\"a\":1,}",
            "{a:1}",
            "1 x",
            "\"\t\"",
            "\"\\x\"",
            "\"\\ud83d\"",
            "\"\\ude00\"",
            "\"",
            "\u{feff}1",
            "\"\\u12\"",
            "{\"a\"}",
            "\"\\",
        ];
        for text in texts {
            assert!(round(text).is_err(), "{text:?}");
            let bytes = Bytes::copy_from_slice(text.as_bytes());
            let mut taken = Taken { slots: &mut [], rows: &mut Rows::default() };
            assert!(decode_wanted(&bytes, &Want::default(), &mut taken).is_err(), "{text:?} unwanted");
        }
        let nest = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(round(&nest(limits::JSON_DEPTH_MAX)).is_ok());
        assert!(round(&nest(limits::JSON_DEPTH_MAX + 1)).is_err());
    }

    #[test]
    fn picks_only_what_is_wanted() {
        let want = Want {
            slot: None,
            keys: vec![
                (Bytes::from_static(b"a"), Want { slot: Some(0), ..Want::default() }),
                (
                    Bytes::from_static(b"l"),
                    Want { items: vec![(2, Want { slot: Some(1), ..Want::default() })], ..Want::default() },
                ),
            ],
            ..Want::default()
        };
        let mut slots = vec![Value::Undefined, Value::Undefined];
        let text = Bytes::from_static(b"{\"z\":[1,{\"q\":2}],\"a\":1,\"l\":\"[7,8]\",\"a\":{\"b\":2}}");
        let mut rows = Rows::default();
        decode_wanted(&text, &want, &mut Taken { slots: &mut slots, rows: &mut rows }).unwrap();
        assert_eq!(to_json(&slots[0]).unwrap(), b"{\"b\":2}");
        assert_eq!(slots[1], Value::Int(8), "a string that holds JSON is looked into");
    }
}
