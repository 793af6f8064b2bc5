//! What stands in the message: column functions, subscriptions, and choosing a value that is there.
//!
//! EMQX 5.8 hands column functions a list in SELECT, FOREACH and DO, which none of them knows, so they answer
//! undefined there (emqx_rule_runtime:do_apply_func); in conditions, and always under 4.3, they see the columns.
//!
//! Invariant: a column function never fails for a column that is missing.

use num_traits::ToPrimitive;

use super::map;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{Map, Value, compare};

builtins! { pub(super) ROWS, "message":
    "msgid"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"id"),
        "The id of the message. Under EMQX 5.8 it is undefined but in conditions; write id.",
        ["msgid()" => Ok("\"undefined\"")];
    "qos"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"qos"),
        "The QoS of the message. Under EMQX 5.8 it is undefined but in conditions; write qos.",
        ["qos()" => Ok("\"undefined\"")];
    "flags"() -> ANY, ReadsMessage, Both => flags,
        "The flags of the message, an empty map where there are none. Under EMQX 5.8 it is empty but in \
         conditions; write flags.",
        ["flags()" => Ok("{}")];
    "flag"(name: ANY) -> ANY, ReadsMessage, Both => flag,
        "One flag of the message. Under EMQX 5.8 it is undefined but in conditions; write flags.retain.",
        ["flag('retain')" => Ok("\"undefined\"")];
    "topic"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"topic"),
        "The topic of the message. Under EMQX 5.8 it is undefined but in conditions; write topic.",
        ["topic()" => Ok("\"undefined\"")];
    "topic"(n: INT) -> STR|UNDEFINED, ReadsMessage, Both => topic_level,
        "One level of the topic, from 1. Under EMQX 5.8 it is undefined but in conditions; write nth(1, \
         tokens(topic, '/')).",
        ["topic(1)" => Ok("\"undefined\""), "topic('1')" => Err("an integer")];
    "clientid"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"from"),
        "The client id, which EMQX looks for in a column that events lack. Under EMQX 5.8 it is undefined \
         but in conditions; write clientid.",
        ["clientid()" => Ok("\"undefined\"")];
    "username"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"username"),
        "The user name. Under EMQX 5.8 it is undefined but in conditions; write username.",
        ["username()" => Ok("\"undefined\"")];
    "clientip"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"peerhost"),
        "The client's address. Under EMQX 5.8 it is undefined but in conditions; write peerhost.",
        ["clientip()" => Ok("\"undefined\"")];
    "peerhost"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"peerhost"),
        "The client's address. Under EMQX 5.8 it is undefined but in conditions; write peerhost.",
        ["peerhost()" => Ok("\"undefined\"")];
    "payload"() -> ANY, ReadsMessage, Both => |call, _| column(call, b"payload"),
        "The payload. Under EMQX 5.8 it is undefined but in conditions; write payload.",
        ["payload()" => Ok("\"undefined\"")];
    "payload"(path: ANY) -> ANY, ReadsMessage, Both => payload_at,
        "A member of a payload that is a map already (payload.x decodes it first). Under EMQX 5.8 it is \
         undefined but in conditions; write payload.x.",
        ["payload('x')" => Ok("\"undefined\"")];
    "contains_topic"(filters: LIST, topic: ANY) -> BOOL, Pure, Both => |_, a| contains(a, same),
        "Is the topic among the topics of a list of subscriptions, such as the column topic_filters?",
        ["contains_topic([], 't/1')" => Ok("false"), "contains_topic('t/1', 't/1')" => Err("a list")];
    "contains_topic"(filters: LIST, topic: ANY, qos: ANY) -> BOOL, Pure, Both =>
        |_, _| Ok(Value::Bool(false)),
        "Always false: EMQX looks for the QoS in a form that subscriptions do not have.",
        ["contains_topic([], 't/1', 1)" => Ok("false"), "contains_topic('t/1', 't/1', 1)" => Err("a list")];
    "contains_topic_match"(filters: LIST, topic: ANY) -> BOOL, Pure, Both => |_, a| contains(a, matches),
        "Does the topic, taken as a filter, match a topic of a list of subscriptions?",
        [
            "contains_topic_match([], 't/#')" => Ok("false"),
            "contains_topic_match('t/1', 't/#')" => Err("a list"),
        ];
    "contains_topic_match"(filters: LIST, topic: ANY, qos: ANY) -> BOOL, Pure, Both =>
        |_, _| Ok(Value::Bool(false)),
        "Always false: EMQX looks for the QoS in a form that subscriptions do not have.",
        [
            "contains_topic_match([], 't/#', 1)" => Ok("false"),
            "contains_topic_match('t/1', 't/#', 1)" => Err("a list"),
        ];
    "null"() -> UNDEFINED, Pure, Both => |_, _| Ok(Value::Undefined),
        "undefined, which is not the null of JSON.",
        ["null()" => Ok("\"undefined\"")];
    "coalesce"(list: LIST) -> ANY, Pure, Only5 => |_, a| Ok(first(args::list(a, 0)?, Value::is_undefined)),
        "The first item of a list that is not undefined. A JSON null is taken.",
        ["coalesce([no_such_variable, 1])" => Ok("1"), "coalesce(1)" => Err("a list")];
    "coalesce"(a: ANY, b: ANY) -> ANY, Pure, Only5 => |_, a| Ok(first(a, Value::is_undefined)),
        "The first of two values that is not undefined. A JSON null is taken.",
        ["coalesce(no_such_variable, 1)" => Ok("1")];
    "coalesce_ne"(list: LIST) -> ANY, Pure, Only5 => |_, a| Ok(first(args::list(a, 0)?, is_nothing)),
        "The first item of a list that is neither undefined nor an empty string or list.",
        ["coalesce_ne(['', 1])" => Ok("1"), "coalesce_ne('')" => Err("a list")];
    "coalesce_ne"(a: ANY, b: ANY) -> ANY, Pure, Only5 => |_, a| Ok(first(a, is_nothing)),
        "The first of two values that is neither undefined nor an empty string or list.",
        ["coalesce_ne('', 1)" => Ok("1")];
}

fn column(call: &Call<'_>, name: &[u8]) -> Result<Value, FnError> {
    Ok(call.columns.and_then(|columns| columns.get_atom(name)).cloned().unwrap_or(Value::Undefined))
}

fn flags(call: &mut Call<'_>, _: &[Value]) -> Result<Value, FnError> {
    let flags = call.columns.and_then(|columns| columns.get_atom(b"flags"));
    Ok(flags.cloned().unwrap_or(Value::Map(Map::new())))
}

fn flag(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let flags = column(call, b"flags")?;
    Ok(map::member(&flags, &args[0]).unwrap_or(Value::Undefined))
}

fn topic_level(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let Value::Str(topic) = column(call, b"topic")? else { return Ok(Value::Undefined) };
    let at = args::integer(args, 0)?.to_usize().and_then(|n| n.checked_sub(1));
    let level = at.and_then(|at| topic.split(|b| *b == b'/').nth(at));
    level.map(Value::str).ok_or_else(|| FnError::argument(1, "a level that the topic has, from 1", &args[0]))
}

fn payload_at(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    match column(call, b"payload")? {
        payload @ Value::Map(_) => {
            Ok(map::get_path(&payload, &map::path(&args[0], 1)?).unwrap_or(Value::Undefined))
        }
        _ => Ok(Value::Undefined),
    }
}

fn same(subscribed: &Value, topic: &Value) -> bool {
    compare::equal(subscribed, topic)
}

/// EMQX hands the subscription as the name and the searched topic as the filter.
fn matches(subscribed: &Value, topic: &Value) -> bool {
    match (subscribed, topic) {
        (Value::Str(name), Value::Str(filter)) => crate::topic::matches(name, filter),
        _ => false,
    }
}

fn contains(args: &[Value], found: fn(&Value, &Value) -> bool) -> Result<Value, FnError> {
    let mut subscribed = args::list(args, 0)?.iter().filter_map(|item| item.as_map()?.get_atom(b"topic"));
    Ok(Value::Bool(subscribed.any(|topic| found(topic, &args[1]))))
}

fn first(values: &[Value], skip: impl Fn(&Value) -> bool) -> Value {
    values.iter().find(|value| !skip(value)).cloned().unwrap_or(Value::Undefined)
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Undefined => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        _ => false,
    }
}
