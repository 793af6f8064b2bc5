//! Dates for MongoDB actions: Erlang's timestamps, tuples of megaseconds, seconds and microseconds.
//!
//! They are no JSON; only EMQX's SQL tester shows them as text.
//!
//! Invariant: three integers, by division toward zero, also before 1970.

use super::date::unit::Unit;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "mongo":
    "mongo_date"() -> TUPLE, ReadsClock, Both => now,
        "The present time as a date of MongoDB.",
        ["is_null(mongo_date())" => Ok("false")];
    "mongo_date"(milliseconds: INT) -> TUPLE, Pure, Both => |_, a| Ok(timestamp(args::integer(a, 0)?)),
        "The date of MongoDB so many milliseconds after 1970.",
        ["is_null(mongo_date(0))" => Ok("false"), "mongo_date(1.5)" => Err("an integer")];
    "mongo_date"(time: INT, unit: STR|LIST|OTHER_ATOM) -> TUPLE, Pure, Both => of_unit,
        "The date of MongoDB a time after 1970, in 'second', 'millisecond', 'microsecond' or 'nanosecond'.",
        ["is_null(mongo_date(0, 'second'))" => Ok("false"), "mongo_date(0, 'day')" => Err("'second'")];
}

fn now(call: &mut Call<'_>, _: &[Value]) -> Result<Value, FnError> {
    Ok(of_microseconds(BigInt::from(call.ctx.now_ns().div_euclid(1000))))
}

fn of_unit(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unit = Unit::of(args, 1, call.profile)?;
    Ok(timestamp(unit.convert(args::integer(args, 0)?, Unit::Millisecond)))
}

fn timestamp(milliseconds: BigInt) -> Value {
    of_microseconds(milliseconds * 1000)
}

fn of_microseconds(micro: BigInt) -> Value {
    let mega = &micro / 1_000_000_000_000i64;
    let seconds = &micro / 1_000_000 - &mega * 1_000_000;
    Value::tuple([mega, seconds, micro % 1_000_000].map(Value::integer).to_vec())
}
