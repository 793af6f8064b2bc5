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

use super::path::Step;
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
    /// Parts of every list item, as rows; at one place of a tree at most, with nothing else there.
    pub each: Option<Box<Each>>,
}

/// The parts asked for of every item of a list.
#[derive(Clone, Debug, Default)]
pub struct Each {
    want: Want,
    width: usize,
}

impl Each {
    /// The place in a row of the part at this path of keys.
    pub fn part(&mut self, steps: &[Step]) -> usize {
        let mut at = &mut self.want;
        for step in steps {
            let Step::Key(key) = step else { continue };
            let found = at.keys.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                at.keys.push((key.clone(), Want::default()));
                at.keys.len() - 1
            });
            at = &mut at.keys[found].1;
        }
        *at.slot.get_or_insert_with(|| {
            self.width += 1;
            self.width - 1
        })
    }
}

/// Rows of parts, one a list item.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    values: Vec<Value>,
    width: usize,
    count: usize,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows, in the list's order.
    pub fn iter(&self) -> impl Iterator<Item = &[Value]> {
        (0..self.count).map(|at| &self.values[at * self.width..(at + 1) * self.width])
    }

    /// Adds a row of undefined parts and gives it to be filled.
    fn push(&mut self) -> &mut [Value] {
        let start = self.values.len();
        self.values.resize(start + self.width, Value::Undefined);
        self.count += 1;
        &mut self.values[start..]
    }

    fn restart(&mut self, width: usize) {
        *self = Rows { width, ..Rows::default() };
    }
}

/// Where wanted parts go.
pub struct Taken<'t> {
    /// As many as the tree has slots, undefined at first.
    pub slots: &'t mut [Value],
    /// The rows of the one list that is asked for by parts of its items.
    pub rows: &'t mut Rows,
}

impl Want {
    /// Empties every slot at and below this place.
    fn clear(&self, taken: &mut Taken<'_>) {
        if let Some(slot) = self.slot {
            taken.slots[slot] = Value::Undefined;
        }
        self.keys.iter().for_each(|(_, want)| want.clear(taken));
        self.items.iter().for_each(|(_, want)| want.clear(taken));
        if let Some(each) = &self.each {
            taken.rows.restart(each.width);
        }
    }

    fn is_leaf(&self) -> bool {
        self.keys.is_empty() && self.items.is_empty()
    }

    /// Fills the slots from a value at hand, looking into JSON text in strings as EMQX does at each step.
    pub fn fill(&self, value: &Value, taken: &mut Taken<'_>) {
        for (key, want) in &self.keys {
            if let Some(inner) = super::path::find_key(value, key) {
                want.fill(&inner, taken);
            }
        }
        for (at, want) in &self.items {
            if let Some(inner) = super::path::find_item(value, *at as i64) {
                want.fill(&inner, taken);
            }
        }
        if let (Some(each), Value::List(items)) = (&self.each, value) {
            taken.rows.restart(each.width);
            for item in items.iter() {
                let slots = taken.rows.push();
                each.want.fill(item, &mut Taken { slots, rows: &mut Rows::default() });
            }
        }
        if let Some(slot) = self.slot {
            taken.slots[slot] = value.clone();
        }
    }
}

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
    #[inline]
    fn raw_string(&mut self) -> Result<Raw> {
        let start = self.at + 1;
        let mut at = start;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            at += rest.iter().position(|byte| !PLAIN[*byte as usize]).unwrap_or(rest.len());
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    at += 2;
                }
                Some(_) => return Err(JsonError { at, what: "a control character in a string" }),
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
        let mut number = Number::default();
        self.scan_number(&mut number)?;
        self.number_value(&number)
    }

    /// Reads digits onto `value`, which wraps where there are too many to matter.
    #[inline]
    fn digits(&mut self, value: &mut u64) -> usize {
        let start = self.at;
        while let digit @ b'0'..=b'9' = self.peek() {
            *value = value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        self.at - start
    }

    /// Reads a number's text. (Handed in: returned by value, it would be copied in pieces that stall the processor.)
    #[inline]
    fn scan_number(&mut self, number: &mut Number) -> Result<()> {
        number.start = self.at;
        if self.peek() == b'-' {
            self.at += 1;
        }
        let zero = self.peek() == b'0';
        number.count = self.digits(&mut number.digits);
        if number.count == 0 || (zero && number.count > 1) {
            return self.fail("a malformed number");
        }
        if self.peek() == b'.' {
            self.at += 1;
            number.float = true;
            number.decimals = self.digits(&mut number.digits);
            number.count += number.decimals;
            if number.decimals == 0 {
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
            if self.digits(&mut 0) == 0 {
                return self.fail("a malformed number");
            }
        }
        number.end = self.at;
        Ok(())
    }

    fn number_value(&self, number: &Number) -> Result<Value> {
        let negative = self.bytes[number.start] == b'-';
        if number.float && !number.exponent && number.count <= 15 {
            // Both are exact in a double, and so the quotient is the nearest double.
            let f = number.digits as f64 / POWERS_OF_TEN[number.decimals];
            return Ok(Value::Float(if negative { -f } else { f }));
        }
        if !number.float && number.count <= 18 {
            let n = number.digits as i64;
            return Ok(Value::Int(if negative { -n } else { n }));
        }
        let text = std::str::from_utf8(&self.bytes[number.start..number.end]).unwrap_or("");
        let broken = |what| JsonError { at: number.start, what };
        if number.float {
            let f = f64::from_str(text).map_err(|_| broken("a malformed number"))?;
            return if f.is_finite() { Ok(Value::Float(f)) } else { Err(broken("a float out of range")) };
        }
        text.parse::<BigInt>().map(Value::integer).map_err(|_| broken("a malformed number"))
    }
}

/// Exact as doubles.
const POWERS_OF_TEN: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The bytes that stand for themselves in a string; raw line ends are among them in EMQX.
const PLAIN: [bool; 256] = {
    let mut table = [true; 256];
    let mut at = 0;
    while at < 32 {
        table[at] = at == b'\n' as usize || at == b'\r' as usize;
        at += 1;
    }
    table[b'"' as usize] = false;
    table[b'\\' as usize] = false;
    table
};

#[derive(Clone, Copy)]
struct Raw {
    start: usize,
    end: usize,
    escaped: bool,
}

#[derive(Default)]
struct Number {
    start: usize,
    end: usize,
    float: bool,
    exponent: bool,
    /// All digits as one integer, while there are few of them.
    digits: u64,
    /// How many digits there are, and how many stand behind the dot.
    count: usize,
    decimals: usize,
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
