//! Values joined into texts.
//!
//! Invariant: every item is turned into text as `str()` turns it, but where SQL literals or Redis want otherwise.

use crate::func::encode::json_encode;
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::{Map, Value, decode, float};

builtins! { pub(in crate::func) ROWS, "string":
    "concat"(a: ANY, b: ANY) -> STR|TUPLE, Pure, Only5 => |call, a| args::join(&[&a[0], &a[1]], call.profile),
        "Two values as text, joined.",
        ["concat('a', 1)" => Ok("\"a1\""), "concat('a', mongo_date(0))" => Err("a tuple has no text")];
    "concat"(a: STR, b: STR) -> STR|TUPLE, Pure, Only4 => |call, a| args::join(&[&a[0], &a[1]], call.profile),
        "Two strings joined.",
        ["concat('a', 'b')" => Ok("\"ab\""), "concat('a', 1)" => Err("a string")];
    "concat"(list: LIST) -> STR|TUPLE, Pure, Only5 =>
        |call, a| args::join(&args::list(a, 0)?.iter().collect::<Vec<_>>(), call.profile),
        "The items of a list as text, joined.",
        ["concat(['a', 1, 0.5])" => Ok("\"a10.5\""), "concat('a')" => Err("a list")];
    "join_to_string"(list: LIST) -> STR, Pure, Only5 => |call, a| join(call, b", ", args::list(a, 0)?),
        "The items of a list as text with a comma and a blank between them.",
        ["join_to_string([1, 'a'])" => Ok("\"1, a\""), "join_to_string('a')" => Err("a list")];
    "join_to_string"(separator: STR, list: LIST) -> STR, Pure, Only5 =>
        |call, a| join(call, args::bytes(a, 0)?, args::list(a, 1)?),
        "The items of a list as text with a separator between them.",
        ["join_to_string('-', [1, 'a'])" => Ok("\"1-a\""), "join_to_string(['a'], '-')" => Err("a string")];
    "join_to_sql_values_string"(list: LIST) -> STR, Pure, Only5 => sql_values,
        "The items of a list as SQL literals with commas between them: strings, maps and lists quoted, \
         undefined as NULL.",
        [
            "join_to_sql_values_string([1, 'a', [2]])" => Ok("\"1, 'a', '[2]'\""),
            "join_to_sql_values_string('a')" => Err("a list"),
        ];
    "map_to_redis_hset_args"(map: ANY) -> LIST, Pure, Only5 => |_, a| Ok(redis(&a[0])),
        "The entries of a map, or of the map that a string holds as JSON, as the arguments of Redis' HSET. \
         What is no string, number or boolean is left out.",
        [
            "map_to_redis_hset_args('{\"a\":1}')" => Ok("[\"map_to_redis_hset_args\",\"a\",\"1\"]"),
            "map_to_redis_hset_args(1)" => Ok("[\"map_to_redis_hset_args\"]"),
        ];
}

fn join(call: &Call<'_>, separator: &[u8], items: &[Value]) -> Result<Value, FnError> {
    let mut out = Vec::new();
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(&args::to_text(item, call.profile)?);
        args::within_text(out.len())?;
    }
    Ok(Value::bytes(out))
}

/// emqx_utils_sql:to_sql_string/2 with the escapes of `sql`: a backslash before quotes and backslashes.
fn sql_values(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut literals = Vec::new();
    for item in args::list(args, 0)? {
        let text = match item {
            Value::List(_) => json_encode(item)?.as_bytes().cloned().unwrap_or_default(),
            _ => args::to_text(item, call.profile)?,
        };
        literals.push(match item {
            Value::Undefined => Value::str("NULL"),
            number if args::is_number(number) => Value::Str(text),
            _ => {
                let escape = |b: &u8| if matches!(b, b'\\' | b'\'') { vec![b'\\', *b] } else { vec![*b] };
                Value::bytes([b"'".to_vec(), text.iter().flat_map(escape).collect(), b"'".to_vec()].concat())
            }
        });
    }
    join(call, b", ", &literals)
}

/// Entries come out last key first, as EMQX gathers them (emqx_rule_funcs:map_to_redis_hset_args/1).
fn redis(value: &Value) -> Value {
    let map = match value {
        Value::Map(map) => map.clone(),
        Value::Str(text) => match decode::decode(text) {
            Ok(Value::Map(map)) => map,
            // JSON text of JSON text is decoded once more.
            Ok(inner @ Value::Str(_)) => return redis(&inner),
            _ => Map::new(),
        },
        _ => Map::new(),
    };
    let mut out = vec![Value::static_atom("map_to_redis_hset_args")];
    for (key, value) in map.entries().iter().rev() {
        let text = match value {
            Value::Str(_) => Some(value.clone()),
            Value::Float(f) => float::to_decimals(*f, 6).map(Value::from),
            Value::Int(_) | Value::Big(_) | Value::Bool(_) => json_encode(value).ok(),
            _ => None,
        };
        if let (Value::Str(_), Some(text)) = (key, text) {
            out.extend([key.clone(), text]);
        }
    }
    Value::list(out)
}
