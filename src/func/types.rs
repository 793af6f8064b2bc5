//! What kind of value is it?
//!
//! Invariant: every row here answers a boolean and, but for `is_empty`, none can fail.

use super::convert::to_map;
use super::table::builtins;
use super::{Call, FnError, Kinds};
use crate::value::Value;

builtins! { pub(super) ROWS, "types":
    "is_null"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::UNDEFINED),
        "Is the value undefined, as a missing variable is? A JSON null is not.",
        ["is_null(no_such_variable)" => Ok("true"), "is_null('')" => Ok("false")];
    "is_null_var"(x: ANY) -> BOOL, Pure, Only5 => |_, a| is(a, Kinds::UNDEFINED.or(Kinds::NULL)),
        "Is the value undefined or a JSON null?",
        ["is_null_var(json_decode('null'))" => Ok("true"), "is_null_var(0)" => Ok("false")];
    "is_not_null"(x: ANY) -> BOOL, Pure, Both => |_, a| is_not(a, Kinds::UNDEFINED),
        "Is the value anything but undefined? A JSON null is.",
        ["is_not_null('')" => Ok("true"), "is_not_null(no_such_variable)" => Ok("false")];
    "is_not_null_var"(x: ANY) -> BOOL, Pure, Only5 => |_, a| is_not(a, Kinds::UNDEFINED.or(Kinds::NULL)),
        "Is the value neither undefined nor a JSON null?",
        ["is_not_null_var(0)" => Ok("true"), "is_not_null_var(json_decode('null'))" => Ok("false")];
    "is_str"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::STR),
        "Is the value a string?",
        ["is_str('a')" => Ok("true"), "is_str(1)" => Ok("false")];
    "is_bool"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::BOOL),
        "Is the value true or false? The strings 'true' and 'false' are not.",
        ["is_bool(true)" => Ok("true"), "is_bool('true')" => Ok("false")];
    "is_int"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::INT),
        "Is the value an integer?",
        ["is_int(1)" => Ok("true"), "is_int(1.0)" => Ok("false")];
    "is_float"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::FLOAT),
        "Is the value a float?",
        ["is_float(1.0)" => Ok("true"), "is_float(1)" => Ok("false")];
    "is_num"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::NUM),
        "Is the value an integer or a float?",
        ["is_num(1.5)" => Ok("true"), "is_num('1.5')" => Ok("false")];
    "is_map"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::MAP),
        "Is the value a map? A string that holds a JSON object is not.",
        ["is_map(map_new())" => Ok("true"), "is_map('{}')" => Ok("false")];
    "is_array"(x: ANY) -> BOOL, Pure, Both => |_, a| is(a, Kinds::LIST),
        "Is the value a list?",
        ["is_array([1])" => Ok("true"), "is_array('[1]')" => Ok("false")];
    "is_empty"(x: STR|LIST|MAP) -> BOOL, Pure, Only5 => is_empty,
        "Is the string, list or map empty? A string that is not empty must hold a JSON object, and that is \
         looked at.",
        [
            "is_empty('')" => Ok("true"),
            "is_empty('{\"a\":1}')" => Ok("false"),
            "is_empty('a')" => Err("JSON"),
        ];
}

fn is(args: &[Value], kinds: Kinds) -> Result<Value, FnError> {
    Ok(Value::Bool(kinds.holds(&args[0])))
}

fn is_not(args: &[Value], kinds: Kinds) -> Result<Value, FnError> {
    Ok(Value::Bool(!kinds.holds(&args[0])))
}

fn is_empty(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let empty = match &args[0] {
        Value::Str(text) if text.is_empty() => true,
        Value::List(items) => items.is_empty(),
        other => to_map(other, 1)?.is_empty(),
    };
    Ok(Value::Bool(empty))
}
