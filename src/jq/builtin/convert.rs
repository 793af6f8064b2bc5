//! Types, JSON text, numbers and texts.

use super::super::number;
use super::super::reader::{self, until_nul};
use super::super::throw::{Answer, unfit};
use super::super::value::Val;
use super::super::writer;
use super::{Row, format, row};

pub(super) const ROWS: &[Row] = &[
    row("type", 0, |_, v| Ok(Val::str(v[0].kind()))),
    row("tojson", 0, |_, v| Ok(Val::str(writer::text(&v[0])?))),
    row("fromjson", 0, |_, v| from_json(&v[0])),
    row("tostring", 0, |_, v| to_string(&v[0])),
    row("tonumber", 0, |_, v| to_number(&v[0])),
    row("format", 1, |_, v| format::format(&v[0], &v[1])),
    row("isinfinite", 0, |_, v| is(&v[0], f64::is_infinite)),
    row("isnan", 0, |_, v| is(&v[0], f64::is_nan)),
    row("isnormal", 0, |_, v| is(&v[0], f64::is_normal)),
    row("infinite", 0, |_, _| Ok(Val::Num(f64::INFINITY))),
    row("nan", 0, |_, _| Ok(Val::Num(f64::NAN))),
];

fn is(value: &Val, what: fn(f64) -> bool) -> Answer {
    Ok(Val::Bool(matches!(value, Val::Num(n) if what(*n))))
}

/// A text as it is, anything else as JSON.
pub(super) fn to_string(value: &Val) -> Answer {
    match value {
        Val::Str(_) => Ok(value.clone()),
        _ => Ok(Val::str(writer::text(value)?)),
    }
}

fn from_json(value: &Val) -> Answer {
    match value {
        Val::Str(text) => reader::read(text.as_str().as_bytes()),
        _ => Err(unfit(value, "only strings can be parsed")),
    }
}

/// A text is read as JSON that must be a number.
fn to_number(value: &Val) -> Answer {
    match value {
        Val::Num(_) => Ok(value.clone()),
        Val::Str(text) => {
            if let Some(n) = number::parse(text.as_str()) {
                return Ok(Val::Num(n));
            }
            match reader::read(until_nul(text.as_str().as_bytes()))? {
                number @ Val::Num(_) => Ok(number),
                _ => Err(unfit(value, "cannot be parsed as a number")),
            }
        }
        _ => Err(unfit(value, "cannot be parsed as a number")),
    }
}
