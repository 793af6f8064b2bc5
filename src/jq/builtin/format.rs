//! `@csv`, `@uri` and the other formats.

use super::super::meter;
use super::super::number;
use super::super::throw::{Answer, error, unfit};
use super::super::value::{Val, lossy};
use super::super::writer;
use super::convert::to_string;

/// The value in the format of this name.
pub(super) fn format(value: &Val, name: &Val) -> Answer {
    let Some(format) = name.as_str() else { return Err(unfit(name, "is not a valid format")) };
    match format {
        "json" => Ok(Val::str(writer::text(value)?)),
        "text" => to_string(value),
        "csv" => line(value, "cannot be csv-formatted, only array", ",", |out, text| {
            out.push('"');
            out.push_str(&text.replace('"', "\"\""));
            out.push('"');
        }),
        "tsv" => line(value, "cannot be tsv-formatted, only array", "\t", |out, text| {
            for c in text.chars() {
                match c {
                    '\t' => out.push_str("\\t"),
                    '\r' => out.push_str("\\r"),
                    '\n' => out.push_str("\\n"),
                    '\\' => out.push_str("\\\\"),
                    c => out.push(c),
                }
            }
        }),
        "html" => escaped(value, |out, c| match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&apos;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }),
        "uri" => escaped(value, |out, c| match c {
            c if c.is_ascii_alphanumeric() || "-_.!~*'()".contains(c) => out.push(c),
            c => {
                use std::fmt::Write;
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(out, "%{byte:02X}");
                }
            }
        }),
        "sh" => shell(value),
        "base64" => {
            use base64::Engine;
            let text = text_of(value)?;
            Ok(Val::str(base64::engine::general_purpose::STANDARD.encode(text)))
        }
        "base64d" => decode_base64(value),
        _ => Err(error(format!("{format} is not a valid format"))),
    }
}

fn text_of(value: &Val) -> Result<String, super::super::throw::Throw> {
    let text = to_string(value)?;
    let text = text.as_str().unwrap_or_default();
    meter::read(text.len())?;
    Ok(text.to_owned())
}

fn escaped(value: &Val, escape: impl Fn(&mut String, char)) -> Answer {
    let text = text_of(value)?;
    let mut out = String::with_capacity(text.len());
    text.chars().for_each(|c| escape(&mut out, c));
    Ok(Val::str(out))
}

/// A line of values, texts written by `quote`.
fn line(value: &Val, problem: &str, separator: &str, quote: impl Fn(&mut String, &str)) -> Answer {
    let Some(items) = value.as_list() else { return Err(unfit(value, problem)) };
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        meter::spend(1)?;
        if at > 0 {
            out.push_str(separator);
        }
        match item {
            Val::Null => {}
            Val::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Val::Num(n) if n.is_nan() => {}
            Val::Num(n) => number::write(&mut out, *n),
            Val::Str(text) => {
                meter::read(text.as_str().len())?;
                quote(&mut out, text.as_str());
            }
            Val::Arr(_) | Val::Obj(_) => return Err(unfit(item, "is not valid in a csv row")),
        }
    }
    Ok(Val::str(out))
}

fn shell(value: &Val) -> Answer {
    let items = value.as_list().unwrap_or(std::slice::from_ref(value));
    let mut out = String::new();
    for (at, item) in items.iter().enumerate() {
        meter::spend(1)?;
        if at > 0 {
            out.push(' ');
        }
        match item {
            Val::Str(text) => {
                meter::read(text.as_str().len())?;
                out.push('\'');
                out.push_str(&text.as_str().replace('\'', "'\\''"));
                out.push('\'');
            }
            Val::Arr(_) | Val::Obj(_) => return Err(unfit(item, "can not be escaped for shell")),
            _ => writer::write(&mut out, item)?,
        }
    }
    Ok(Val::str(out))
}

/// Up to the first `=`; bits that make no whole byte are dropped.
fn decode_base64(value: &Val) -> Answer {
    let text = to_string(value)?;
    let data = text.as_str().unwrap_or_default().as_bytes();
    meter::read(data.len())?;
    let mut out = Vec::with_capacity(data.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0u32, 0usize);
    for byte in data.iter().take_while(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return Err(unfit(&text, "is not valid base64 data")),
        };
        bits = bits << 6 | u32::from(digit);
        count += 1;
        if count == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        3 => out.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        2 => out.extend_from_slice(&(bits >> 4).to_be_bytes()[3..]),
        1 => return Err(unfit(&text, "trailing base64 byte found")),
        _ => {}
    }
    Ok(Val::str(lossy(out)))
}
