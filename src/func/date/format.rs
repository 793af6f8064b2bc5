//! `format_date`: a time written by a pattern.
//!
//! Behaviour of emqx_utils_calendar:format/4 (5.8) and emqx_calendar:format/4 (4.3), which agree.
//!
//! Invariant: parts of a second come from the time before the offset is added, with its sign, as EMQX takes them.

use num_traits::ToPrimitive;

use super::calendar::{DAY, moment};
use super::pattern::{Piece, pieces};
use super::unit::Unit;
use crate::func::{Call, FnError, args};
use crate::value::{BigInt, Value};

/// The time in a unit, shifted by an offset in seconds, by the pattern in `args[at]`.
pub(super) fn format(
    call: &Call<'_>,
    args: &[Value],
    at: usize,
    unit: Unit,
    offset: &BigInt,
    time: &BigInt,
) -> Result<Value, FnError> {
    let far = || FnError::failed("the time is before the year 0, or too far ahead");
    let shifted = time + Unit::Second.convert(offset.clone(), unit);
    // Toward zero: one second of 1969 is lost, in EMQX as well.
    let seconds = (shifted / unit.per_second()).to_i128().ok_or_else(far)?;
    let moment = moment(seconds).ok_or_else(far)?;
    let part = |piece: &Piece| -> Result<String, FnError> {
        let second = moment.second;
        Ok(match piece {
            Piece::Year => format!("{:04}", moment.year),
            Piece::Month => format!("{:02}", moment.month),
            Piece::Day => format!("{:02}", moment.day),
            Piece::Hour => format!("{:02}", second / 3600),
            Piece::Minute => format!("{:02}", second / 60 % 60),
            Piece::Second => format!("{:02}", second % 60),
            Piece::Millisecond => fraction(time, unit, Unit::Millisecond),
            Piece::Microsecond => fraction(time, unit, Unit::Microsecond),
            Piece::Nanosecond => fraction(time, unit, Unit::Nanosecond),
            Piece::Zone | Piece::ZoneColon | Piece::ZoneSeconds => zone(offset, piece)?,
            Piece::Text(_) => String::new(),
        })
    };
    let mut codes: Vec<Value> = Vec::new();
    let mut push = |bytes: &[u8]| codes.extend(bytes.iter().map(|b| Value::Int(i64::from(*b))));
    match &args[at] {
        Value::Str(pattern) => {
            for piece in pieces(pattern) {
                match &piece {
                    Piece::Text(text) => push(text),
                    directive => push(part(directive)?.as_bytes()),
                }
            }
        }
        // A list stands for itself, item by item (`lists:concat/1`).
        other => codes = concat(other).ok_or_else(|| FnError::argument(at + 1, "a date pattern", other))?,
    }
    // The bytes come to EMQX as a list of characters, which it turns into text like any other list.
    Ok(Value::Str(args::to_text(&Value::list(codes), call.profile)?))
}

/// Part of a second in a unit: with zeros in front, which stand before a minus sign as well.
fn fraction(time: &BigInt, unit: Unit, to: Unit) -> String {
    let factor = to.per_second();
    let part = if unit >= to {
        time / (unit.per_second() / factor) % factor
    } else {
        time % unit.per_second() * (factor / unit.per_second())
    };
    format!(
        "{:0>width$}",
        if unit == Unit::Second { "0".to_owned() } else { part.to_string() },
        width = to.digits()
    )
}

fn zone(offset: &BigInt, piece: &Piece) -> Result<String, FnError> {
    let seconds = offset.to_i64().filter(|s| s.unsigned_abs() < DAY as u64);
    let seconds = seconds.ok_or_else(|| FnError::failed("an offset of a day or more has no text"))?;
    let sign = if seconds < 0 { '-' } else { '+' };
    let (hours, minutes, rest) = (seconds.abs() / 3600, seconds.abs() / 60 % 60, seconds.abs() % 60);
    Ok(match piece {
        Piece::Zone => format!("{sign}{hours:02}{minutes:02}"),
        Piece::ZoneColon => format!("{sign}{hours:02}:{minutes:02}"),
        _ => format!("{sign}{hours:02}:{minutes:02}:{rest:02}"),
    })
}

fn concat(list: &Value) -> Option<Vec<Value>> {
    let mut codes = Vec::new();
    for item in list.as_list()? {
        let text = match item {
            Value::List(items) => {
                codes.extend(items.iter().cloned());
                continue;
            }
            Value::Int(_) | Value::Big(_) => item.to_bigint()?.to_string(),
            Value::Float(f) => scientific(*f),
            other => String::from_utf8(other.atom_name()?.to_vec()).ok()?,
        };
        codes.extend(text.chars().map(|c| Value::Int(i64::from(u32::from(c)))));
    }
    Some(codes)
}

/// Erlang's `float_to_list/1`: 20 decimals and an exponent of at least two digits.
fn scientific(f: f64) -> String {
    let text = format!("{f:.20e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |e| ('-', e));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions() {
        let of = |n: i64, unit, to| fraction(&BigInt::from(n), unit, to);
        assert_eq!(of(1234, Unit::Millisecond, Unit::Millisecond), "234");
        assert_eq!(of(1234, Unit::Millisecond, Unit::Nanosecond), "234000000");
        assert_eq!(of(1_234_567, Unit::Microsecond, Unit::Millisecond), "234");
        assert_eq!(of(-5, Unit::Millisecond, Unit::Millisecond), "0-5");
        assert_eq!(of(5, Unit::Second, Unit::Microsecond), "000000");
        assert_eq!(scientific(1.5), "1.50000000000000000000e+00");
    }
}
