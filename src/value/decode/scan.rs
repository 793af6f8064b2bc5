//! Strings and numbers of a document.

use std::str::FromStr;

use num_bigint::BigInt;

use super::{JsonError, Reader, Result};
use crate::limits;
use crate::value::{Bytes, Value};

impl Reader<'_> {
    pub(super) fn key(&self, raw: Raw) -> Result<Bytes> {
        if raw.escaped { self.unescape(raw) } else { Ok(self.share(raw)) }
    }

    fn share(&self, raw: Raw) -> Bytes {
        self.origin.slice(raw.start..raw.end)
    }

    pub(super) fn string(&mut self) -> Result<Bytes> {
        let raw = self.raw_string()?;
        self.key(raw)
    }

    /// Finds the end of a string and whether it has escapes.
    #[inline]
    pub(super) fn raw_string(&mut self) -> Result<Raw> {
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

    pub(super) fn unescape(&self, raw: Raw) -> Result<Bytes> {
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

    pub(super) fn number(&mut self) -> Result<Value> {
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
    pub(super) fn scan_number(&mut self, number: &mut Number) -> Result<()> {
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

    pub(super) fn number_value(&self, number: &Number) -> Result<Value> {
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
        // Turning digits into an integer takes time that grows with their square.
        if text.len() as u64 > limits::INTEGER_BITS_MAX / 4 {
            return Err(broken("an integer longer than rulemill's limit"));
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

/// The range of a string's text, and whether it has escapes.
#[derive(Clone, Copy)]
pub(super) struct Raw {
    pub start: usize,
    pub end: usize,
    pub escaped: bool,
}

/// The text of a number.
#[derive(Default)]
pub(super) struct Number {
    pub start: usize,
    pub end: usize,
    float: bool,
    pub exponent: bool,
    /// All digits as one integer, while there are few of them.
    digits: u64,
    /// How many digits there are, and how many stand behind the dot.
    count: usize,
    decimals: usize,
}
