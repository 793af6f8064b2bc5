//! Stores that outlive a message, and the environment.
//!
//! Invariant: a call never brings a store above the bounds of [`Store`].

use super::table::builtins;
use super::{Call, FnError, args};
use crate::limits;
use crate::value::{Full, Store, Value};

builtins! { pub(super) ROWS, "kv":
    "kv_store_put"(key: ANY, value: ANY) -> BOOL, KeepsState, Both =>
        |call, a| put(&mut call.ctx.kv_store, a).map(|_| Value::Bool(true)),
        "Stores a value under a key, for all rules.",
        ["kv_store_put('a', 1)" => Ok("true")];
    "kv_store_get"(key: ANY) -> ANY, KeepsState, Both =>
        |call, a| Ok(get(&call.ctx.kv_store, &a[0], Value::Undefined)),
        "What is stored under a key, or undefined.",
        ["kv_store_get('never stored')" => Ok("\"undefined\"")];
    "kv_store_get"(key: ANY, default: ANY) -> ANY, KeepsState, Both =>
        |call, a| Ok(get(&call.ctx.kv_store, &a[0], a[1].clone())),
        "What is stored under a key, or else a default.",
        ["kv_store_get('never stored', 7)" => Ok("7")];
    "kv_store_del"(key: ANY) -> BOOL, KeepsState, Both => kv_store_del,
        "Forgets what is stored under a key.",
        ["kv_store_del('a')" => Ok("true")];
    "proc_dict_put"(key: ANY, value: ANY) -> ANY, KeepsState, Both =>
        |call, a| put(&mut call.ctx.proc_dict, a),
        "Stores a value under a key for the process that runs the rule, and gives what stood there before.",
        ["proc_dict_put('a', 1)" => Ok("\"undefined\"")];
    "proc_dict_get"(key: ANY) -> ANY, KeepsState, Both =>
        |call, a| Ok(get(&call.ctx.proc_dict, &a[0], Value::Undefined)),
        "What the process has stored under a key, or undefined.",
        ["proc_dict_get('never stored')" => Ok("\"undefined\"")];
    "proc_dict_del"(key: ANY) -> ANY, KeepsState, Both =>
        |call, a| Ok(call.ctx.proc_dict.remove(&a[0]).unwrap_or(Value::Undefined)),
        "Forgets what the process has stored under a key, and gives what it was.",
        ["proc_dict_del('never stored')" => Ok("\"undefined\"")];
    "getenv"(name: STR) -> STR, ReadsEnvironment, Only5 => getenv,
        "The environment variable EMQXVAR_NAME, empty where there is none.",
        ["getenv('NO_SUCH_NAME')" => Ok("\"\""), "getenv(1)" => Err("a string")];
}

fn get(store: &Store, key: &Value, default: Value) -> Value {
    store.get(key).cloned().unwrap_or(default)
}

/// Stores and gives what stood there before.
fn put(store: &mut Store, given: &[Value]) -> Result<Value, FnError> {
    let (entries, bytes) = (limits::STORE_ENTRIES_MAX, limits::STORE_BYTES_MAX);
    match store.put(&given[0], &given[1]) {
        Ok(before) => Ok(before.unwrap_or(Value::Undefined)),
        Err(Full::Entries) => Err(FnError::failed(format!(
            "the store has reached rulemill's limit of {entries} entries; delete some, or store under fewer keys"
        ))),
        Err(Full::Bytes) => Err(FnError::failed(format!(
            "the store would be larger than rulemill's limit of {bytes} bytes; delete some, or store less"
        ))),
        Err(Full::Depth) => Err(FnError::failed(format!(
            "the value would be nested deeper than rulemill's limit of {} levels",
            limits::JSON_DEPTH_MAX
        ))),
    }
}

fn kv_store_del(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    call.ctx.kv_store.remove(&args[0]);
    Ok(Value::Bool(true))
}

/// Only names with the prefix are seen, so that no rule reads the broker's secrets (emqx_variform_bif:getenv/1).
fn getenv(call: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let name = args::bytes(args, 0)?;
    if name.iter().any(|b| matches!(b, 0 | b'=')) {
        return Err(FnError::argument(1, "the name of a variable", &args[0]));
    }
    let name = format!("EMQXVAR_{}", String::from_utf8_lossy(name));
    Ok(Value::str(call.ctx.env.get(&name).map_or("", String::as_str)))
}
