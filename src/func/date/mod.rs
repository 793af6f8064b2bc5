//! Dates and times.
//!
//! Invariant: the time and the zone `local` come from the context alone.

mod calendar;
mod format;
mod offset;
mod parse;
mod pattern;
pub(super) mod rfc3339;
pub(super) mod unit;

use self::unit::Unit;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "date":
    "now_rfc3339"() -> STR, ReadsClock, Both =>
        |call, _| { let now = now(call, Unit::Second); rfc3339::write(&now, Unit::Second, call.ctx) },
        "The present time in RFC 3339, in seconds.",
        ["strlen(now_rfc3339())" => Ok("25")];
    "now_rfc3339"(unit: ANY) -> STR, ReadsClock, Both => now_rfc3339,
        "The present time in RFC 3339, in 'second', 'millisecond', 'microsecond' or 'nanosecond'.",
        ["strlen(now_rfc3339('millisecond'))" => Ok("29"), "now_rfc3339('day')" => Err("'second'")];
    "now_timestamp"() -> INT, ReadsClock, Both => |call, _| Ok(Value::integer(now(call, Unit::Second))),
        "The present time in seconds after 1970.",
        ["is_int(now_timestamp())" => Ok("true")];
    "now_timestamp"(unit: ANY) -> INT, ReadsClock, Both => now_timestamp,
        "The present time after 1970 in 'second', 'millisecond', 'microsecond' or 'nanosecond'.",
        ["is_int(now_timestamp('millisecond'))" => Ok("true"), "now_timestamp('day')" => Err("'second'")];
    "unix_ts_to_rfc3339"(time: INT) -> STR, ReadsClock, Both =>
        |call, a| rfc3339::write(&args::integer(a, 0)?, Unit::Second, call.ctx),
        "A time in seconds after 1970 in RFC 3339.",
        [
            "unix_ts_to_rfc3339(0)" => Ok("\"1970-01-01T00:00:00+00:00\""),
            "unix_ts_to_rfc3339(1.5)" => Err("an integer"),
        ];
    "unix_ts_to_rfc3339"(time: INT, unit: ANY) -> STR, ReadsClock, Both => unix_ts_to_rfc3339,
        "A time after 1970, in 'second', 'millisecond', 'microsecond' or 'nanosecond', in RFC 3339.",
        [
            "unix_ts_to_rfc3339(1, 'millisecond')" => Ok("\"1970-01-01T00:00:00.001+00:00\""),
            "unix_ts_to_rfc3339(1, 'day')" => Err("'second'"),
        ];
    "rfc3339_to_unix_ts"(time: STR) -> INT, ReadsClock, Both =>
        |call, a| rfc3339::read(a, Unit::Second, call.ctx),
        "The seconds after 1970 of a time in RFC 3339.",
        [
            "rfc3339_to_unix_ts('1970-01-01T01:00:00+01:00')" => Ok("0"),
            "rfc3339_to_unix_ts('noon')" => Err("a time such as"),
        ];
    "rfc3339_to_unix_ts"(time: STR, unit: ANY) -> INT, ReadsClock, Both => rfc3339_to_unix_ts,
        "The time after 1970 of a time in RFC 3339, in 'second', 'millisecond', 'microsecond' or \
         'nanosecond'.",
        [
            "rfc3339_to_unix_ts('1970-01-01T00:00:00.5Z', 'millisecond')" => Ok("500"),
            "rfc3339_to_unix_ts('noon', 'second')" => Err("a time such as"),
        ];
    "format_date"(unit: ANY, offset: ANY, pattern: ANY) -> STR, ReadsClock, Both => format_date,
        "The present time by a pattern of %Y %m %d %H %M %S, %N %3N %6N for parts of a second and %z %:z \
         %::z for the offset.",
        [
            "strlen(format_date('second', 'Z', '%Y-%m-%d'))" => Ok("10"),
            "format_date('day', 'Z', '%Y')" => Err("'second'"),
        ];
    "format_date"(unit: ANY, offset: ANY, pattern: ANY, time: INT) -> STR, ReadsClock, Both => format_date,
        "A time after 1970 by a pattern of %Y %m %d %H %M %S, %N %3N %6N for parts of a second and %z %:z \
         %::z for the offset.",
        [
            "format_date('second', '+08:00', '%Y-%m-%d %H:%M:%S%:z', 0)" =>
                Ok("\"1970-01-01 08:00:00+08:00\""),
            "format_date('second', 'UTC', '%Y', 0)" => Err("offset from UTC"),
        ];
    "date_to_unix_ts"(unit: ANY, pattern: ANY, text: ANY) -> INT, ReadsClock, Both =>
        |call, a| Ok(Value::integer(date_to_unix_ts(call, a, 1)?)),
        "The time after 1970 that a text tells by a pattern as format_date has them. Other text in the \
         pattern is skipped, not compared.",
        [
            "date_to_unix_ts('second', '%Y-%m-%d %H:%M:%S', '1970-01-02 00:00:01')" => Ok("86401"),
            "date_to_unix_ts('second', '%Y-%m-%d', '20')" => Err("a date that its pattern fits"),
        ];
    "date_to_unix_ts"(unit: ANY, offset: ANY, pattern: ANY, text: ANY) -> INT, ReadsClock, Both =>
        date_to_unix_ts_offset,
        "The time after 1970 that a text tells by a pattern, at an offset from UTC.",
        [
            "date_to_unix_ts('second', '+01:00', '%Y-%m-%d %H:%M:%S', '1970-01-01 01:00:01')" => Ok("1"),
            "date_to_unix_ts('second', 'UTC', '%Y', '1970')" => Err("offset from UTC"),
        ];
    "timezone_to_second"(offset: ANY) -> INT, ReadsClock, Both =>
        |call, a| Ok(Value::integer(offset::seconds(a, 0, call.ctx)?)),
        "The seconds of an offset from UTC: '+08:00', '+0800', 'Z', 'local' or seconds.",
        ["timezone_to_second('+01:30')" => Ok("5400"), "timezone_to_second('UTC')" => Err("offset from UTC")];
    "timezone_to_offset_seconds"(offset: ANY) -> INT, ReadsClock, Only5 =>
        |call, a| Ok(Value::integer(offset::seconds(a, 0, call.ctx)?)),
        "The seconds of an offset from UTC: '+08:00', '+0800', 'Z', 'local' or seconds.",
        [
            "timezone_to_offset_seconds('-0530')" => Ok("-19800"),
            "timezone_to_offset_seconds('UTC')" => Err("offset from UTC"),
        ];
}

fn now(call: &mut Call<'_>, unit: Unit) -> BigInt {
    Unit::Nanosecond.convert(BigInt::from(call.ctx.now_ns()), unit)
}

fn now_rfc3339(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 0, call.profile)?;
    let now = now(call, unit);
    rfc3339::write(&now, unit, call.ctx)
}

fn now_timestamp(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 0, call.profile)?;
    Ok(Value::integer(now(call, unit)))
}

fn unix_ts_to_rfc3339(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 1, call.profile)?;
    rfc3339::write(&args::integer(args, 0)?, unit, call.ctx)
}

fn rfc3339_to_unix_ts(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 1, call.profile)?;
    rfc3339::read(args, unit, call.ctx)
}

fn format_date(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 0, call.profile)?;
    let offset = offset::seconds(args, 1, call.ctx)?;
    let time = if args.len() > 3 { args::integer(args, 3)? } else { now(call, unit) };
    format::format(call, args, 2, unit, &offset, &time)
}

fn date_to_unix_ts(call: &mut Call<'_>, args: &[Value], pattern: usize) -> Result<BigInt, FnError> {
    let unit = Unit::of(args, 0, call.profile)?;
    parse::parse(args, pattern, unit, call.ctx, call.profile)
}

fn date_to_unix_ts_offset(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 0, call.profile)?;
    let offset = Unit::Second.convert(offset::seconds(args, 1, call.ctx)?, unit);
    Ok(Value::integer(date_to_unix_ts(call, args, 2)? - offset))
}
