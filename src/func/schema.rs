//! Schema registry: values to bytes and back by the schemas that the rule files name (emqx_schema_registry_serde).
//!
//! In the examples `reading` is the JSON Schema [`EXAMPLE`].

use super::table::builtins;
use super::{Call, FnError, encode};
use crate::schema::Failure;
pub use crate::schema::{BUILT, NOT_BUILT, SPARKPLUG};
use crate::value::{Map, Value};

/// The schema of the examples, `type: json` under the name `reading`.
pub const EXAMPLE: &str = r#"{"type": "object", "properties": {"t": {"type": "number"}}, "required": ["t"]}"#;

/// Functions of EMQX that ask a Confluent schema registry (emqx_schema_registry_external), which nothing here does.
pub const OUTSIDE: &[&str] = &["avro_encode", "avro_decode", "schema_encode_and_tag", "schema_decode_tagged"];

builtins! { pub(super) ROWS, "schema":
    "schema_encode"(schema: STR|ATOM, value: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.encode(&a[0], &a[1], &[]).map_err(failed),
        "A value as bytes by an Avro schema, or as JSON that a JSON Schema holds for. The schema stands under \
         schema_registry.schemas in a rule file.",
        ["schema_encode('reading', json_decode('{\"t\":21.5}'))" => Ok("\"{\\\"t\\\":21.5}\""),
         "schema_encode('reading', json_decode('{}'))" => Err("missing")];
    "schema_encode"(schema: STR|ATOM, value: ANY, message: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.encode(&a[0], &a[1], &a[2..]).map_err(failed),
        "A value as bytes by a message of a Protobuf schema. Enums are given by their numbers.",
        ["bin2hexstr(schema_encode('__CiYAWBja87PleCyKZ58h__SparkPlug_B_BUILT-IN', json_decode('{\"seq\":1}'), 'Payload'))" => Ok("\"1801\""),
         "schema_encode('reading', '{}', 'Reading')" => Err("no message type")];
    "schema_decode"(schema: STR|ATOM, data: ANY) -> ANY, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.decode(&a[0], &a[1], &[]).map_err(failed),
        "The value that bytes of an Avro schema hold, or of JSON that a JSON Schema holds for.",
        ["schema_decode('reading', '{\"t\":21.5}')" => Ok("{\"t\":21.5}"),
         "schema_decode('reading', '{\"t\":\"warm\"}')" => Err("at /t")];
    "schema_decode"(schema: STR|ATOM, data: ANY, message: ANY) -> ANY, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.decode(&a[0], &a[1], &a[2..]).map_err(failed),
        "The value that bytes of a message of a Protobuf schema hold. Optional fields that are not there are left out, \
         a required one is \"$undef\", enums are their symbols.",
        ["schema_decode('__CiYAWBja87PleCyKZ58h__SparkPlug_B_BUILT-IN', hexstr2bin('1801'), 'Payload')" => Ok("{\"seq\":1,\"metrics\":[]}"),
         "schema_decode('reading', '{}', 'Reading')" => Err("no message type")];
    "schema_check"(schema: STR|ATOM, data: STR|MAP) -> BOOL, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.check(&a[0], &a[1], &[]).map(Value::Bool).map_err(failed),
        "Would bytes decode, or a map encode, by an Avro or JSON schema?",
        ["schema_check('reading', '{\"t\":21.5}')" => Ok("true"), "schema_check('reading', '{}')" => Ok("false"),
         "schema_check('reading', 5)" => Err("a map")];
    "schema_check"(schema: STR|ATOM, data: STR|MAP, message: ANY) -> BOOL, ReadsSchemas, Only5 =>
        |call, a| call.ctx.schemas.check(&a[0], &a[1], &a[2..]).map(Value::Bool).map_err(failed),
        "Would bytes decode, or a map encode, by a message of a Protobuf schema? Bytes that end inside a number fail \
         instead, as in EMQX.",
        ["schema_check('__CiYAWBja87PleCyKZ58h__SparkPlug_B_BUILT-IN', hexstr2bin('1801'), 'Payload')" => Ok("true"),
         "schema_check('__CiYAWBja87PleCyKZ58h__SparkPlug_B_BUILT-IN', hexstr2bin('18'), 'Payload')" => Err("cut off")];
    "sparkplug_encode"(value: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| sparkplug_encode(call, &a[0], &Value::str("Payload")),
        "A value as a Sparkplug B payload.",
        ["bin2hexstr(sparkplug_encode(json_decode('{\"seq\":1}')))" => Ok("\"1801\""),
         "sparkplug_encode(json_decode('{\"seq\":1.5}'))" => Err("an integer")];
    "sparkplug_encode"(value: ANY, message: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| sparkplug_encode(call, &a[0], &a[1]),
        "A value as a message of Sparkplug B, such as Payload.Metric.",
        ["bin2hexstr(sparkplug_encode(json_decode('{\"alias\":1}'), 'Payload.Metric'))" => Ok("\"1001\""),
         "sparkplug_encode(json_decode('{}'), 'Payloat')" => Err("Payload")];
    "sparkplug_decode"(data: ANY) -> MAP, ReadsSchemas, Only5 =>
        |call, a| sparkplug_decode(call, &a[0], &Value::str("Payload")),
        "The value that a Sparkplug B payload holds.",
        ["sparkplug_decode(hexstr2bin('1801'))" => Ok("{\"seq\":1,\"metrics\":[]}"), "sparkplug_decode(hexstr2bin('18'))" => Err("cut off")];
    "sparkplug_decode"(data: ANY, message: ANY) -> MAP, ReadsSchemas, Only5 =>
        |call, a| sparkplug_decode(call, &a[0], &a[1]),
        "The value that a message of Sparkplug B holds, such as Payload.Metric.",
        ["sparkplug_decode(hexstr2bin('1001'), 'Payload.Metric')" => Ok("{\"alias\":1}"),
         "sparkplug_decode(hexstr2bin('10'), 'Payload.Metric')" => Err("cut off")];
    "spb_encode"(value: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| { let raw = bytes_values(&a[0], encode::from_base64)?; sparkplug_encode(call, &raw, &Value::str("Payload")) },
        "As sparkplug_encode, with each bytes_value of the metrics in base64.",
        ["bin2hexstr(spb_encode(json_decode('{\"metrics\":[{\"bytes_value\":\"/w==\"}]}')))" => Ok("\"1204820101FF\""),
         "spb_encode(json_decode('{\"metrics\":[{\"bytes_value\":\"?\"}]}'))" => Err("base64")];
    "spb_encode"(value: ANY, message: ANY) -> STR, ReadsSchemas, Only5 =>
        |call, a| { let raw = bytes_values(&a[0], encode::from_base64)?; sparkplug_encode(call, &raw, &a[1]) },
        "As sparkplug_encode with a message, with each bytes_value of the metrics in base64.",
        ["bin2hexstr(spb_encode(json_decode('{\"seq\":1}'), 'Payload'))" => Ok("\"1801\""),
         "spb_encode(json_decode('{\"seq\":\"1\"}'), 'Payload')" => Err("an integer")];
    "spb_decode"(data: ANY) -> MAP, ReadsSchemas, Only5 =>
        |call, a| bytes_values(&sparkplug_decode(call, &a[0], &Value::str("Payload"))?, encode::to_base64),
        "As sparkplug_decode, with each bytes_value of the metrics in base64.",
        ["spb_decode(hexstr2bin('1204820101FF'))" => Ok("{\"metrics\":[{\"bytes_value\":\"/w==\"}]}"),
         "spb_decode(hexstr2bin('18'))" => Err("cut off")];
    "spb_decode"(data: ANY, message: ANY) -> MAP, ReadsSchemas, Only5 =>
        |call, a| bytes_values(&sparkplug_decode(call, &a[0], &a[1])?, encode::to_base64),
        "As sparkplug_decode with a message, with each bytes_value of the metrics in base64.",
        ["spb_decode(hexstr2bin('1801'), 'Payload')" => Ok("{\"seq\":1,\"metrics\":[]}"),
         "spb_decode(hexstr2bin('18'), 'Payload')" => Err("cut off")];
}

fn failed(failure: Failure) -> FnError {
    FnError::failed(failure.to_string())
}

fn sparkplug_encode(call: &mut Call<'_>, value: &Value, message: &Value) -> Result<Value, FnError> {
    let schema = Value::str(SPARKPLUG);
    call.ctx.schemas.encode(&schema, value, std::slice::from_ref(message)).map_err(failed)
}

fn sparkplug_decode(call: &mut Call<'_>, data: &Value, message: &Value) -> Result<Value, FnError> {
    let schema = Value::str(SPARKPLUG);
    call.ctx.schemas.decode(&schema, data, std::slice::from_ref(message)).map_err(failed)
}

/// Changes the `bytes_value` of each metric; what has no metrics stays as it is.
fn bytes_values(value: &Value, change: fn(&[Value]) -> Result<Value, FnError>) -> Result<Value, FnError> {
    let Value::Map(map) = value else { return Ok(value.clone()) };
    let Some(metrics) = map.get_str(b"metrics") else { return Ok(value.clone()) };
    let metrics = metrics.as_list().ok_or_else(|| FnError::failed("'metrics' is no list"))?;
    let changed = metrics.iter().map(|metric| match metric {
        Value::Map(fields) => match fields.get_str(b"bytes_value") {
            Some(bytes) => Ok(Value::Map(with(fields, "bytes_value", change(std::slice::from_ref(bytes))?))),
            None => Ok(metric.clone()),
        },
        _ => Ok(metric.clone()),
    });
    let changed: Result<Vec<Value>, FnError> = changed.collect();
    Ok(Value::Map(with(map, "metrics", Value::list(changed?))))
}

fn with(map: &Map, key: &'static str, value: Value) -> Map {
    let mut map = map.clone();
    map.insert(Value::str(key), value);
    map
}
