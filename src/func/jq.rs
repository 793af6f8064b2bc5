//! jq programs over JSON text.
//!
//! A program can ask for the time (`now`), so no call of it is folded.
//!
//! Invariant: what is no text is first made JSON as EMQX does it; the rest is [`crate::jq`]'s.

use num_traits::ToPrimitive;

use super::encode::json_encode;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::jq::World;
use crate::value::Value;

builtins! { pub(super) ROWS, "jq":
    "jq"(program: STR, input: ANY) -> LIST, ReadsClock, Only5 =>
        |call, a| { let limit = call.ctx.jq_timeout_ms; run(call, a, limit) },
        "All that a jq program gives for JSON text, or for a value as JSON, as a list. It may take \
         rule_engine.jq_function_default_timeout.",
        ["jq('.a', '{\"a\":1}')" => Ok("[1]"), "jq(1, '{}')" => Err("a string")];
    "jq"(program: STR, input: ANY, timeout: INT) -> LIST, ReadsClock, Only5 => with_timeout,
        "All that a jq program gives for JSON text, or for a value as JSON, as a list; it may take so many \
         milliseconds.",
        ["jq('.a', '{\"a\":1}', 1000)" => Ok("[1]"), "jq('.', '1', -1)" => Err("milliseconds")];
}

fn with_timeout(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    // Erlang's timers count milliseconds in 32 bits.
    let limit = args::integer(args, 2)?.to_u32();
    let limit = limit.ok_or_else(|| FnError::argument(3, "milliseconds, 0 to 4294967295", &args[2]))?;
    run(call, args, u64::from(limit))
}

fn run(call: &mut Call<'_>, args: &[Value], timeout_ms: u64) -> Result<Value, FnError> {
    let program = args::utf8(args, 0)?;
    let input = match &args[1] {
        text @ Value::Str(_) => text.clone(),
        other => json_encode(other)?,
    };
    let input = input.as_bytes().cloned().unwrap_or_default();
    let world = World { now_ns: call.ctx.now_ns(), zone_offset_seconds: call.ctx.zone_offset_seconds };
    call.ctx.jq.run(program, &input, timeout_ms, world).map(Value::list).map_err(FnError::Failed)
}
