//! `date_to_unix_ts`: a time read by a pattern.
//!
//! EMQX 5.8 demands a whole, real date (emqx_utils_calendar); 4.3 sums up whatever parts there are and knows no leap
//! day after February (emqx_calendar:do_parse/3).
//!
//! Invariant: literal text is skipped by its length and never compared.

use num_traits::ToPrimitive;

use super::calendar::{DAY, DAYS_BEFORE_MONTH, END_SECOND, FIRST_SECOND, days_before_year, days_of};
use super::offset;
use super::pattern::{Piece, pieces};
use super::unit::Unit;
use crate::ctx::Ctx;
use crate::func::{FnError, number};
use crate::profile::Profile;
use crate::value::{BigInt, Value};

/// The parts that a text gave; numbers have at most nine digits.
#[derive(Default)]
struct Parts {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    hour: Option<i64>,
    minute: Option<i64>,
    second: Option<i64>,
    millisecond: Option<i64>,
    microsecond: Option<i64>,
    nanosecond: Option<i64>,
    offset: Option<i64>,
}

/// The time that `args[at + 1]` tells by the pattern `args[at]`, in a unit.
pub(super) fn parse(
    args: &[Value],
    at: usize,
    unit: Unit,
    ctx: &Ctx,
    profile: Profile,
) -> Result<BigInt, FnError> {
    let parts = read(args, at, ctx)?;
    let precision = match () {
        () if parts.nanosecond.is_some() => Unit::Nanosecond,
        () if parts.microsecond.is_some() => Unit::Microsecond,
        () if parts.millisecond.is_some() => Unit::Millisecond,
        () => Unit::Second,
    };
    let time = if profile.is_5_8() { parts.checked(precision) } else { parts.summed(precision) };
    let time = time
        .map_err(|what| FnError::failed(format!("{what} in {}", crate::func::args::show(&args[at + 1]))))?;
    Ok(precision.convert(time, unit))
}

fn read(args: &[Value], at: usize, ctx: &Ctx) -> Result<Parts, FnError> {
    let (pattern, text) = (&args[at], &args[at + 1]);
    let short = || FnError::argument(at + 2, "a date that its pattern fits", text);
    let mut parts = Parts::default();
    if text.as_bytes().is_some_and(|text| text.is_empty()) {
        // Nothing to read: the pattern is not even looked at.
        return Ok(parts);
    }
    let pieces = match pattern {
        Value::Str(pattern) => pieces(pattern),
        // A list is a pattern of literal texts.
        Value::List(items) => items
            .iter()
            .map(|item| item.as_list().map(|text| Piece::Text(vec![0; text.len()])))
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| FnError::argument(at + 1, "a date pattern", pattern))?,
        other => return Err(FnError::argument(at + 1, "a date pattern", other)),
    };
    if pieces.is_empty() {
        return Ok(parts);
    }
    let mut rest: &[u8] = text.as_bytes().ok_or_else(short)?;
    for piece in &pieces {
        if rest.is_empty() {
            break;
        }
        let (field, after) = rest.split_at_checked(piece.width()).ok_or_else(short)?;
        parts.take(piece, field, ctx).ok_or_else(short)?;
        rest = after;
    }
    Ok(parts)
}

impl Parts {
    fn take(&mut self, piece: &Piece, field: &[u8], ctx: &Ctx) -> Option<()> {
        let slot = match piece {
            Piece::Year => &mut self.year,
            Piece::Month => &mut self.month,
            Piece::Day => &mut self.day,
            Piece::Hour => &mut self.hour,
            Piece::Minute => &mut self.minute,
            Piece::Second => &mut self.second,
            Piece::Millisecond => &mut self.millisecond,
            Piece::Microsecond => &mut self.microsecond,
            Piece::Nanosecond => &mut self.nanosecond,
            Piece::Zone | Piece::ZoneColon | Piece::ZoneSeconds => {
                self.offset = Some(offset::of_text(field, ctx)?);
                return Some(());
            }
            Piece::Text(_) => return Some(()),
        };
        *slot = Some(number::integer(field)?.to_bigint()?.to_i64()?);
        Some(())
    }

    /// Parts of a second in a unit at least as fine as each that is there.
    fn below_second(&self, precision: Unit) -> BigInt {
        let parts = [
            (self.millisecond, Unit::Millisecond),
            (self.microsecond, Unit::Microsecond),
            (self.nanosecond, Unit::Nanosecond),
        ];
        parts.into_iter().filter_map(|(part, unit)| Some(unit.convert(part?.into(), precision))).sum()
    }

    fn checked(&self, precision: Unit) -> Result<BigInt, &'static str> {
        let year = self.year.ok_or("no %Y")?;
        let month = self.month.ok_or("no %m")?;
        let day = self.day.ok_or("no %d")?;
        let hour = self.hour.ok_or("no %H")?;
        let minute = self.minute.ok_or("no %M")?;
        let second = self.second.ok_or("no %S")?;
        let days = days_of(year.into(), month.into(), day.into()).and_then(|days| i64::try_from(days).ok());
        let days = days.ok_or("no real date")?;
        let seconds = days * DAY + hour * 3600 + minute * 60 + second - self.offset.unwrap_or(0);
        if !(FIRST_SECOND..END_SECOND).contains(&seconds) {
            return Err("a year that is not 0 to 9999");
        }
        Ok(Unit::Second.convert(seconds.into(), precision) + self.below_second(precision))
    }

    fn summed(&self, precision: Unit) -> Result<BigInt, &'static str> {
        let year = self
            .year
            .map_or(0, |year| days_before_year(year.into()) * i128::from(DAY) + i128::from(FIRST_SECOND));
        let month = match self.month {
            None => 0,
            Some(month) => {
                let at = usize::try_from(month - 1).map_err(|_| "no real month")?;
                *DAYS_BEFORE_MONTH.get(at).ok_or("no real month")?
            }
        };
        let days = month + self.day.unwrap_or(0) - 1;
        let of_day = self.hour.unwrap_or(0) * 3600 + self.minute.unwrap_or(0) * 60 + self.second.unwrap_or(0);
        let seconds = BigInt::from(year) + days * DAY + of_day;
        // The offset is taken off as it stands, whatever the unit.
        Ok(seconds * precision.per_second() + self.below_second(precision) - self.offset.unwrap_or(0))
    }
}
