//! JSON text to values, and to only those parts of a document that a rule reads.
//!
//! It accepts what EMQX's decoder accepts: a fork of jiffy that lets raw line feeds and carriage returns stand in
//! strings, keeps integers exact, refuses floats out of range, lone surrogates and anything after the value, and
//! lets the last of several equal keys win.
//!
//! Strings without escapes share the document's bytes.

use std::str::FromStr;

use num_bigint::BigInt;
use thiserror::Error;

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

/// The parts of a document that are asked for, as a tree of keys and list positions.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// Where the whole value at this place goes.
    pub slot: Option<usize>,
    /// The members asked for.
    pub keys: Vec<(Bytes, Want)>,
    /// The list items asked for, counted from 1.
    pub items: Vec<(usize, Want)>,
}

impl Want {
    /// Empties every slot at and below this place.
    fn clear(&self, slots: &mut [Value]) {
        if let Some(slot) = self.slot {
            slots[slot] = Value::Undefined;
        }
        self.keys.iter().for_each(|(_, want)| want.clear(slots));
        self.items.iter().for_each(|(_, want)| want.clear(slots));
    }

    fn is_leaf(&self) -> bool {
        self.keys.is_empty() && self.items.is_empty()
    }

    /// Fills the slots from a value at hand, looking into JSON text in strings as EMQX does at each step.
    pub fn fill(&self, value: &Value, slots: &mut [Value]) {
        for (key, want) in &self.keys {
            if let Some(inner) = super::path::find_key(value, key) {
                want.fill(&inner, slots);
            }
        }
        for (at, want) in &self.items {
            if let Some(inner) = super::path::find_item(value, *at as i64) {
                want.fill(&inner, slots);
            }
        }
        if let Some(slot) = self.slot {
            slots[slot] = value.clone();
        }
    }
}

/// Decodes a whole document.
pub fn decode(text: &Bytes) -> Result<Value> {
    let mut reader = Reader::new(text)?;
    let value = reader.value()?;
    reader.finish()?;
    Ok(value)
}

/// Decodes only what is wanted into `slots` (which the caller has set to undefined); the rest is checked all the
/// same.
pub fn decode_wanted(text: &Bytes, want: &Want, slots: &mut [Value]) -> Result<()> {
    let mut reader = Reader::new(text)?;
    reader.pick(want, slots)?;
    reader.finish()
}

struct Reader<'a> {
    origin: &'a Bytes,
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn new(origin: &'a Bytes) -> Result<Reader<'a>> {
        if let Err(e) = std::str::from_utf8(origin) {
            return Err(JsonError { at: e.valid_up_to(), what: "bytes that are not UTF-8" });
        }
        Ok(Reader { origin, bytes: origin, at: 0, depth: limits::JSON_DEPTH_MAX })
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

    fn value(&mut self) -> Result<Value> {
        self.blanks();
        match self.peek() {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => Ok(Value::Str(self.string()?)),
            b'-' | b'0'..=b'9' => self.number(),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Result<Value> {
        let words: [(&[u8], Value); 3] =
            [(b"true", Value::Bool(true)), (b"false", Value::Bool(false)), (b"null", Value::Null)];
        for (word, value) in words {
            if self.bytes[self.at..].starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        if self.at >= self.bytes.len() {
            self.fail("end of text where a value was due")
        } else {
            self.fail("no value")
        }
    }

    fn object(&mut self) -> Result<Value> {
        let mut entries = Vec::with_capacity(8);
        self.members(|reader, key| {
            let key = Value::Str(reader.key(key)?);
            entries.push((key, reader.value()?));
            Ok(())
        })?;
        Ok(Value::Map(Map::from_entries(entries)))
    }

    /// Walks an object; `each` gets the raw key and must read the value.
    fn members(&mut self, mut each: impl FnMut(&mut Self, Raw) -> Result<()>) -> Result<()> {
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
        let mut items = Vec::new();
        self.items(|reader, _| {
            items.push(reader.value()?);
            Ok(())
        })?;
        Ok(Value::list(items))
    }

    /// Walks a list; `each` gets the position from 1 and must read the value.
    fn items(&mut self, mut each: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
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
        self.blanks();
        match self.peek() {
            b'{' => self.members(|reader, key| {
                if key.escaped {
                    reader.unescape(key)?;
                }
                reader.skip()
            }),
            b'[' => self.items(|reader, _| reader.skip()),
            b'"' => {
                let raw = self.raw_string()?;
                if raw.escaped { self.unescape(raw).map(drop) } else { Ok(()) }
            }
            b'-' | b'0'..=b'9' => {
                let number = self.number_text()?;
                // Only a long or exponent-bearing float can be out of range.
                if number.exponent || number.end - number.start > 300 {
                    self.number_value(number)?;
                }
                Ok(())
            }
            _ => self.word().map(drop),
        }
    }

    fn pick(&mut self, want: &Want, slots: &mut [Value]) -> Result<()> {
        self.blanks();
        if want.slot.is_some() {
            let value = self.value()?;
            want.fill(&value, slots);
            return Ok(());
        }
        match self.peek() {
            b'{' if !want.keys.is_empty() => self.members(|reader, key| reader.pick_member(key, want, slots)),
            b'[' if !want.items.is_empty() => {
                self.items(|reader, position| match want.items.iter().find(|(at, _)| *at == position) {
                    Some((_, inner)) => reader.pick(inner, slots),
                    None => reader.skip(),
                })
            }
            b'"' if !want.is_leaf() => {
                let text = Value::Str(self.string()?);
                want.fill(&text, slots);
                Ok(())
            }
            _ => self.skip(),
        }
    }

    fn pick_member(&mut self, key: Raw, want: &Want, slots: &mut [Value]) -> Result<()> {
        let found = if key.escaped {
            let key = self.unescape(key)?;
            want.keys.iter().find(|(k, _)| *k == key)
        } else {
            let key = &self.bytes[key.start..key.end];
            want.keys.iter().find(|(k, _)| k.as_ref() == key)
        };
        match found {
            Some((_, inner)) => {
                inner.clear(slots);
                self.pick(inner, slots)
            }
            None => self.skip(),
        }
    }

    fn key(&self, raw: Raw) -> Result<Bytes> {
        if raw.escaped { self.unescape(raw) } else { Ok(self.share(raw)) }
    }

    fn share(&self, raw: Raw) -> Bytes {
        self.origin.slice(raw.start..raw.end)
    }

    fn string(&mut self) -> Result<Bytes> {
        let raw = self.raw_string()?;
        self.key(raw)
    }

    /// Finds the end of a string and whether it has escapes.
    fn raw_string(&mut self) -> Result<Raw> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(b'\n' | b'\r') => at += 1,
                Some(0..=31) => return Err(JsonError { at, what: "a control character in a string" }),
                Some(_) => at += 1,
                None => return Err(JsonError { at: start - 1, what: "a string without end" }),
            }
        }
        self.at = at + 1;
        Ok(Raw { start, end: at, escaped })
    }

    fn unescape(&self, raw: Raw) -> Result<Bytes> {
        let mut out = Vec::with_capacity(raw.end - raw.start);
        let mut at = raw.start;
        while at < raw.end {
            let byte = self.bytes[at];
            if byte != b'\\' {
                out.push(byte);
                at += 1;
                continue;
            }
            let plain = match self.bytes[at + 1] {
                c @ (b'"' | b'\\' | b'/') => c,
                b'b' => 8,
                b'f' => 12,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'u' => {
                    at = self.unescape_unicode(at, &mut out)?;
                    continue;
                }
                _ => return Err(JsonError { at, what: "an unknown escape in a string" }),
            };
            out.push(plain);
            at += 2;
        }
        Ok(Bytes::from(out))
    }

    fn hex4(&self, at: usize) -> Result<u32> {
        let digits = self.bytes.get(at + 2..at + 6).filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let text = digits.and_then(|d| std::str::from_utf8(d).ok());
        text.and_then(|t| u32::from_str_radix(t, 16).ok())
            .ok_or(JsonError { at, what: "a broken \\u escape" })
    }

    fn unescape_unicode(&self, at: usize, out: &mut Vec<u8>) -> Result<usize> {
        let unit = self.hex4(at)?;
        let (code, next) = match unit {
            0xD800..=0xDBFF if self.bytes.get(at + 6..at + 8) == Some(b"\\u") => {
                let low = self.hex4(at + 6)?;
                if !(0xDC00..=0xDFFF).contains(&low) {
                    return Err(JsonError { at, what: "half of a surrogate pair" });
                }
                (0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00), at + 12)
            }
            _ => (unit, at + 6),
        };
        let c = char::from_u32(code).ok_or(JsonError { at, what: "half of a surrogate pair" })?;
        out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(next)
    }

    fn number(&mut self) -> Result<Value> {
        let number = self.number_text()?;
        self.number_value(number)
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_ascii_digit() {
            self.at += 1;
        }
        self.at - start
    }

    fn number_text(&mut self) -> Result<Number> {
        let start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let zero = self.peek() == b'0';
        let count = self.digits();
        if count == 0 || (zero && count > 1) {
            return self.fail("a malformed number");
        }
        let mut number = Number { start, end: self.at, float: false, exponent: false };
        if self.peek() == b'.' {
            self.at += 1;
            number.float = true;
            if self.digits() == 0 {
                return self.fail("a malformed number");
            }
        }
        if matches!(self.peek(), b'e' | b'E') {
            self.at += 1;
            number.float = true;
            number.exponent = true;
            if matches!(self.peek(), b'+' | b'-') {
                self.at += 1;
            }
            if self.digits() == 0 {
                return self.fail("a malformed number");
            }
        }
        number.end = self.at;
        Ok(number)
    }

    fn number_value(&self, number: Number) -> Result<Value> {
        let text = std::str::from_utf8(&self.bytes[number.start..number.end]).unwrap_or("");
        let broken = |what| JsonError { at: number.start, what };
        if number.float {
            let f = f64::from_str(text).map_err(|_| broken("a malformed number"))?;
            return if f.is_finite() { Ok(Value::Float(f)) } else { Err(broken("a float out of range")) };
        }
        if text.len() < 19 {
            // Eighteen digits and a sign always fit.
            let digits = text.strip_prefix('-').unwrap_or(text);
            let n = digits.bytes().fold(0i64, |n, digit| n * 10 + i64::from(digit - b'0'));
            return Ok(Value::Int(if digits.len() < text.len() { -n } else { n }));
        }
        text.parse::<BigInt>().map(Value::integer).map_err(|_| broken("a malformed number"))
    }
}

#[derive(Clone, Copy)]
struct Raw {
    start: usize,
    end: usize,
    escaped: bool,
}

#[derive(Clone, Copy)]
struct Number {
    start: usize,
    end: usize,
    float: bool,
    exponent: bool,
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
            ("-0.0", "-0.0"),
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
            assert!(decode_wanted(&bytes, &Want::default(), &mut []).is_err(), "{text:?} unwanted");
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
            items: vec![],
        };
        let mut slots = vec![Value::Undefined, Value::Undefined];
        let text = Bytes::from_static(b"{\"z\":[1,{\"q\":2}],\"a\":1,\"l\":\"[7,8]\",\"a\":{\"b\":2}}");
        decode_wanted(&text, &want, &mut slots).unwrap();
        assert_eq!(to_json(&slots[0]).unwrap(), b"{\"b\":2}");
        assert_eq!(slots[1], Value::Int(8), "a string that holds JSON is looked into");
    }
}
