//! JSON text as jq 1.6 writes it.
//!
//! Invariant: recursion ends at [`JQ_PRINT_DEPTH_MAX`].

use std::fmt::Write;

use super::meter::{self, Stop};
use super::number;
use super::value::{Val, lossy};
use crate::limits::{JQ_PRINT_DEPTH_MAX, TEXT_BYTES_MAX};

/// The value as JSON in one line. Below a depth of 256 jq writes `<skipped: too deep>`, which is no JSON.
pub(super) fn text(value: &Val) -> Result<String, Stop> {
    let mut out = String::new();
    write(&mut out, value)?;
    Ok(out)
}

/// Appends the value as JSON.
pub(super) fn write(out: &mut String, value: &Val) -> Result<(), Stop> {
    Writer { out, bytes_max: TEXT_BYTES_MAX }.value(value, 0).map(|_| ())
}

/// The beginning of the value's JSON, cut to fit a C buffer of so many bytes.
pub(super) fn excerpt(value: &Val, buffer: usize) -> String {
    let mut out = String::new();
    // A longer text is cut, so no more than one byte over the buffer is looked at.
    let _ = Writer { out: &mut out, bytes_max: buffer }.value(value, 0);
    if out.len() < buffer {
        return out;
    }
    let mut bytes = out.into_bytes();
    bytes.truncate(buffer - 4);
    bytes.extend_from_slice(b"...");
    lossy(bytes)
}

struct Writer<'o> {
    out: &'o mut String,
    bytes_max: usize,
}

impl Writer<'_> {
    fn value(&mut self, value: &Val, depth: usize) -> Result<(), Stop> {
        meter::spend(1)?;
        if self.out.len() > self.bytes_max {
            return Err(Stop::Size);
        }
        if depth > JQ_PRINT_DEPTH_MAX {
            self.out.push_str("<skipped: too deep>");
            return Ok(());
        }
        match value {
            Val::Null => self.out.push_str("null"),
            Val::Bool(true) => self.out.push_str("true"),
            Val::Bool(false) => self.out.push_str("false"),
            Val::Num(n) => number::write(self.out, *n),
            Val::Str(s) => string(self.out, s.as_str()),
            Val::Arr(list) => {
                self.out.push('[');
                for (at, item) in list.items().iter().enumerate() {
                    if at > 0 {
                        self.out.push(',');
                    }
                    self.value(item, depth + 1)?;
                }
                self.out.push(']');
            }
            Val::Obj(object) => {
                self.out.push('{');
                for (at, (key, item)) in object.members().iter().enumerate() {
                    if at > 0 {
                        self.out.push(',');
                    }
                    string(self.out, key.0.as_str());
                    self.out.push(':');
                    self.value(item, depth + 1)?;
                }
                self.out.push('}');
            }
        }
        Ok(())
    }
}

fn string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            c if c < ' ' || c == '\u{7f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
