//! Offsets from UTC as arguments: seconds, `local`, `Z`, `+HH:MM`.
//!
//! Behaviour of emqx_utils_calendar:offset_second/1 (5.8) and emqx_calendar:offset_second/1 (4.3), which agree.
//!
//! Invariant: hours end at 23, minutes and seconds at 59; a sign inside a field is Erlang's reading of integers.

use num_traits::ToPrimitive;

use crate::ctx::Ctx;
use crate::func::{FnError, args, number};
use crate::value::{BigInt, Value};

/// The offset that an argument names, in seconds east of UTC.
pub(super) fn seconds(args: &[Value], at: usize, ctx: &Ctx) -> Result<BigInt, FnError> {
    let value = &args[at];
    let text = match value {
        Value::Int(_) | Value::Big(_) => return args::integer(args, at),
        Value::Undefined => return Ok(BigInt::ZERO),
        Value::Str(text) => Some(text.to_vec()),
        Value::List(_) => args::characters(value),
        other => other.atom_name().filter(|name| *name == b"local").map(<[u8]>::to_vec),
    };
    let found = text.and_then(|text| of_text(&text, ctx));
    found.map(BigInt::from).ok_or_else(|| {
        FnError::argument(at + 1, "an offset from UTC: 'local', 'Z', '+08:00', '+0800' or seconds", value)
    })
}

/// The offset that a text names.
pub(super) fn of_text(text: &[u8], ctx: &Ctx) -> Option<i64> {
    match text {
        b"local" => return Some(i64::from(ctx.zone_offset_seconds)),
        b"Z" | b"z" => return Some(0),
        _ => {}
    }
    let (sign, fields) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let fields: Vec<&[u8]> = fields.split(|b| *b == b':').filter(|field| !field.is_empty()).collect();
    let (hours, minutes, seconds) = match fields[..] {
        [hours, minutes] => (hours, minutes, &b"0"[..]),
        [hours, minutes, seconds] => (hours, minutes, seconds),
        [both] if both.len() == 4 => (&both[..2], &both[2..], &b"0"[..]),
        _ => return None,
    };
    let field = |text, max| number::integer(text)?.to_bigint()?.to_i64().filter(|n| *n <= max);
    let (hours, minutes, seconds) = (field(hours, 23)?, field(minutes, 59)?, field(seconds, 59)?);
    let sum = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?.checked_add(seconds)?;
    sum.checked_mul(sign)
}

/// An offset as `+08:00`.
pub(super) fn shown(seconds: i64) -> String {
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets() {
        let mut ctx = Ctx::frozen(0, 0);
        ctx.zone_offset_seconds = 3600;
        let cases = [
            ("local", Some(3600)),
            ("Z", Some(0)),
            ("+08:00", Some(28_800)),
            ("-0530", Some(-19_800)),
            ("+8:0:7", Some(28_807)),
            ("+23:59:59", Some(86_399)),
            ("+24:00", None),
            ("+00:60", None),
            ("08:00", None),
            ("+8", None),
            ("UTC", None),
            ("", None),
            ("+", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(of_text(text.as_bytes(), &ctx), seconds, "{text}");
        }
    }
}
