//! Dates for MongoDB actions: Erlang's timestamps, tuples of megaseconds, seconds and microseconds.
//!
//! They are no JSON; only EMQX 5.8's SQL tester shows them as text.
//!
//! Invariant: three integers, by division toward zero, also before 1970.

use super::date::rfc3339;
use super::date::unit::Unit;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "mongo":
    "mongo_date"() -> TUPLE|STR, ReadsClock, Both => now,
        "The present time as a date of MongoDB.",
        ["is_null(mongo_date())" => Ok("false")];
    "mongo_date"(milliseconds: INT) -> TUPLE|STR, ReadsEnvironment, Both => |call, a| timestamp(call, args::integer(a, 0)?),
        "The date of MongoDB so many milliseconds after 1970.",
        ["is_null(mongo_date(0))" => Ok("false"), "mongo_date(1.5)" => Err("an integer")];
    "mongo_date"(time: INT, unit: STR|LIST|OTHER_ATOM) -> TUPLE|STR, ReadsEnvironment, Both => of_unit,
        "The date of MongoDB a time after 1970, in 'second', 'millisecond', 'microsecond' or 'nanosecond'.",
        ["is_null(mongo_date(0, 'second'))" => Ok("false"), "mongo_date(0, 'day')" => Err("'second'")];
}

fn now(call: &mut Call<'_>, _: &[Value]) -> Result<Value, FnError> {
    let micro = BigInt::from(call.ctx.now_ns().div_euclid(1000));
    of_microseconds(call, micro)
}

fn of_unit(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 1, call.profile)?;
    timestamp(call, unit.convert(args::integer(args, 0)?, Unit::Millisecond))
}

fn timestamp(call: &Call<'_>, milliseconds: BigInt) -> Result<Value, FnError> {
    of_microseconds(call, milliseconds * 1000)
}

fn of_microseconds(call: &Call<'_>, micro: BigInt) -> Result<Value, FnError> {
    if call.ctx.sql_tester && call.profile.is_5_8() {
        let text = rfc3339::utc(&(micro / 1000), Unit::Millisecond)?;
        return Ok(Value::from(format!("ISODate({text})")));
    }
    let mega = &micro / 1_000_000_000_000i64;
    let seconds = &micro / 1_000_000 - &mega * 1_000_000;
    Ok(Value::tuple([mega, seconds, micro % 1_000_000].map(Value::integer).to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::Ctx;
    use crate::profile::Profile;

    #[test]
    fn tuples_and_the_testers_text() {
        let mut ctx = Ctx::frozen(0, 0);
        let mut of = |tester, profile, milliseconds: i64| {
            ctx.sql_tester = tester;
            timestamp(&Call { ctx: &mut ctx, columns: None, profile }, BigInt::from(milliseconds))
        };
        let tuple = |parts: [i64; 3]| Ok(Value::tuple(parts.map(Value::Int).to_vec()));
        assert_eq!(of(false, Profile::V5_8, 1_651_744_800_123), tuple([1651, 744_800, 123_000]));
        assert_eq!(of(true, Profile::V4_3, -1), tuple([0, 0, -1000]));
        assert_eq!(of(true, Profile::V5_8, 1), Ok(Value::str("ISODate(1970-01-01T00:00:00.001Z)")));
        assert!(of(true, Profile::V5_8, i64::MAX).is_err());
    }
}
