//! RFC 3339 times, as Erlang's `calendar` writes and reads them.
//!
//! Invariant: years 0000 to 9999; the offset of the zone `local` is always written as `+hh:mm`, never as `Z`.

use num_traits::ToPrimitive;

use super::calendar::{DAY, END_SECOND, FIRST_SECOND, days_of, moment};
use super::offset;
use super::unit::Unit;
use crate::ctx::Ctx;
use crate::func::{FnError, args, number};
use crate::value::{BigInt, Value};

/// A time in the zone `local`.
pub(super) fn write(time: &BigInt, unit: Unit, ctx: &Ctx) -> Result<Value, FnError> {
    let shift = i64::from(ctx.zone_offset_seconds);
    Ok(Value::from(shifted(time, unit, shift)? + &offset::shown(shift)))
}

/// A time in UTC, with a `Z`.
pub(in crate::func) fn utc(time: &BigInt, unit: Unit) -> Result<String, FnError> {
    Ok(shifted(time, unit, 0)? + "Z")
}

fn shifted(time: &BigInt, unit: Unit, shift: i64) -> Result<String, FnError> {
    let far = || FnError::failed("the time is not in the years 0000 to 9999");
    let shifted = time + shift * unit.per_second();
    let seconds = (&shifted / unit.per_second()).to_i64().filter(|s| (FIRST_SECOND..END_SECOND).contains(s));
    let at = seconds.and_then(|seconds| moment(seconds.into())).ok_or_else(far)?;
    let fraction = match unit {
        Unit::Second => String::new(),
        unit => {
            let part = (shifted % unit.per_second()).magnitude().to_string();
            format!(".{part:0>width$}", width = unit.digits())
        }
    };
    let (hour, minute, second) = (at.second / 3600, at.second / 60 % 60, at.second % 60);
    let (year, month, day) = (at.year, at.month, at.day);
    Ok(format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{fraction}"))
}

/// The time that a text tells: 19 characters, maybe a fraction, maybe an offset. The parts may be written as Erlang's
/// `io_lib:fread/2` reads numbers, with blanks and signs.
pub(super) fn read(args: &[Value], unit: Unit, ctx: &Ctx) -> Result<Value, FnError> {
    let text = args::bytes(args, 0)?;
    parse(text, unit, ctx)
        .map(Value::integer)
        .ok_or_else(|| FnError::argument(1, "a time such as 2022-05-05T10:00:00+08:00", &args[0]))
}

fn parse(text: &[u8], unit: Unit, ctx: &Ctx) -> Option<BigInt> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.get(1..)?.split_at_checked(8)?;
    let [hour, minute, second] = fields(time, b':')?;
    let [year, month, day] = fields(date, b'-')?;
    let end = rest.iter().position(|b| !b.is_ascii_digit() && *b != b'.').unwrap_or(rest.len());
    let (fraction, zone) = rest.split_at(end);
    let offset = match zone {
        b"" => i64::from(ctx.zone_offset_seconds),
        b"Z" | b"z" => 0,
        [sign, fields_of @ ..] => {
            let [hours, minutes] = fields(fields_of, b':')?;
            let seconds = hours.checked_mul(3600)?.checked_add(minutes.checked_mul(60)?)?;
            match sign {
                b'+' => seconds,
                b'-' => -seconds,
                _ => return None,
            }
        }
    };
    let days = i64::try_from(days_of(year.into(), month.into(), day.into())?).ok()?;
    let seconds = (days * DAY).checked_add(hour * 3600 + minute * 60 + second)?.checked_sub(offset)?;
    if !(FIRST_SECOND..END_SECOND).contains(&seconds) {
        return None;
    }
    let time = Unit::Second.convert(seconds.into(), unit);
    let part = part(fraction, unit)?;
    Some(if seconds < 0 { time - part } else { time + part })
}

/// A fraction rounded to a unit; seconds do not look at it.
fn part(fraction: &[u8], unit: Unit) -> Option<i64> {
    if unit == Unit::Second || fraction.is_empty() {
        return Some(0);
    }
    let f = number::float(&[b"0", fraction].concat())?;
    (f * unit.per_second() as f64).round().to_i64()
}

/// Numbers with a separator between them.
fn fields<const N: usize>(text: &[u8], separator: u8) -> Option<[i64; N]> {
    let mut out = [0; N];
    let mut rest = text;
    for (at, field) in out.iter_mut().enumerate() {
        if at > 0 {
            rest = rest.strip_prefix(&[separator])?;
        }
        rest = rest.trim_ascii_start();
        let signs = usize::from(matches!(rest.first(), Some(b'+' | b'-')));
        let digits = rest[signs..].iter().take_while(|b| b.is_ascii_digit()).count();
        let (number, after) = rest.split_at(signs + digits);
        *field = number::integer(number)?.to_bigint()?.to_i64().filter(|n| n.unsigned_abs() < 1 << 40)?;
        rest = after;
    }
    rest.is_empty().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        let ctx = Ctx::frozen(0, 0);
        let read = |text: &str, unit| parse(text.as_bytes(), unit, &ctx).map(|n| n.to_string());
        let cases = [
            ("1970-01-01T00:00:00Z", Unit::Second, Some("0")),
            ("2022-05-05T10:00:00.123456789+08:00", Unit::Microsecond, Some("1651716000123457")),
            ("2022-05-05 24:00:60z", Unit::Second, Some("1651795260")),
            ("1969-12-31T23:59:59.5Z", Unit::Millisecond, Some("-1500")),
            ("2022-05-05T10:00:00", Unit::Second, Some("1651744800")),
            ("2022-02-30T10:00:00Z", Unit::Second, None),
            ("2022-05-05T10:00:00.Z", Unit::Millisecond, None),
            ("2022-05-05T10:00", Unit::Second, None),
            ("", Unit::Second, None),
        ];
        for (text, unit, time) in cases {
            assert_eq!(read(text, unit).as_deref(), time, "{text}");
        }
    }
}
