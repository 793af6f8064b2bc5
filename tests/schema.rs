//! The schema registry: what erlavro 2.10, gpb 4.21 and jesse 1.8 answered, findings in rule files, bounds, and
//! damaged bytes.

#![cfg(all(feature = "cli", feature = "schema"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::sync::LazyLock;

use proptest::prelude::*;
use rulemill::limits;
use rulemill::schema::{Failure, Kind, Schemas};
use rulemill::text::Source;
use rulemill::value::encode::to_display;
use rulemill::value::{Bytes, Map, Value, compare, decode};
use support::{findings, folder, rulemill};

/// Schemas with calls and what the libraries answered, a schema a line. Data that JSON has no form for is
/// `{"$hex": …}` or `{"$atom": …}`.
const RECORDED: &str = include_str!("data/schemas.ndjson");

fn json(text: &str) -> Value {
    decode::decode(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn field<'v>(value: &'v Value, name: &str) -> &'v Value {
    value.as_map().unwrap().get_str(name.as_bytes()).unwrap_or(&Value::Undefined)
}

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    field(value, name).as_text().unwrap()
}

fn hex(digits: &str) -> Value {
    let byte = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
    Value::bytes((0..digits.len()).step_by(2).map(byte).collect())
}

/// The value that `{"$hex": …}` and `{"$atom": …}` stand for, at any depth.
fn plain(value: &Value) -> Value {
    match value {
        Value::Map(map) => match (map.get_str(b"$hex"), map.get_str(b"$atom")) {
            (Some(digits), _) => hex(digits.as_text().unwrap()),
            (_, Some(name)) => Value::atom(name.as_text().unwrap()),
            _ => Value::Map(Map::from_entries(
                map.entries().iter().map(|(k, v)| (k.clone(), plain(v))).collect(),
            )),
        },
        Value::List(items) => Value::list(items.iter().map(plain).collect()),
        other => other.clone(),
    }
}

fn schemas(kind: &str, source: &str) -> Option<Schemas> {
    let mut schemas = Schemas::default();
    let added = schemas.add("s", Kind::of(kind).unwrap(), &Source::new("s", source));
    added.is_ok().then_some(schemas)
}

fn call(schemas: &Schemas, op: &str, data: &Value, extra: &[Value]) -> Result<Value, Failure> {
    let name = Value::str("s");
    match op {
        "encode" => schemas.encode(&name, data, extra),
        "decode" => schemas.decode(&name, data, extra),
        // The function's own kinds keep out what is neither.
        _ if !matches!(data, Value::Str(_) | Value::Map(_)) => Err(Failure::Error("of no kind".to_owned())),
        _ => schemas.check(&name, data, extra).map(Value::Bool),
    }
}

#[test]
fn recorded_answers_hold() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for line in RECORDED.lines() {
        let group = json(line);
        let made = schemas(text(&group, "type"), text(&group, "source"));
        if made.is_some() != (text(&group, "made") == "ok") {
            wrong.push(format!("{}: compiles {}", text(&group, "name"), made.is_some()));
        }
        let Some(schemas) = made else { continue };
        for recorded in field(&group, "calls").as_list().unwrap() {
            count += 1;
            let extra = plain(field(recorded, "args"));
            let extra = extra.as_list().unwrap_or_default();
            let op = text(recorded, "op");
            let given = call(&schemas, op, &plain(field(recorded, "data")), extra);
            let holds = match (&given, field(recorded, "gives")) {
                (Ok(value), Value::Map(gives)) => {
                    compare::exactly_equal(value, &plain(gives.get_str(b"value").unwrap()))
                }
                (Err(Failure::Throw(_)), gives) => gives.as_text() == Some("throw"),
                (Err(Failure::Error(_)), gives) => gives.as_text() == Some("err"),
                _ => false,
            };
            if !holds {
                wrong.push(format!("{}: {} gives {given:?}", text(&group, "name"), to_display(recorded)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 450, "only {count} calls");
}

/// The sources of a rule file, and what `check` finds.
const FILES: &[(&str, i32, &[&str])] = &[
    (
        "schema_registry:\n  schemas:\n    car:\n      type: protobuf\n      source: |\n        message Car {\n          required int33 id = 1;\n        }\n",
        3,
        &["E417 r.yaml:7:20 name 'int33' is not defined"],
    ),
    (
        "schema_registry: { schemas: { car: { type: avro, source: '{\"type\": \"record\", \"name\": \"Car\"}' } } }\n",
        3,
        &["E417 r.yaml:1:59 the type has no 'fields'"],
    ),
    (
        "schema_registry: { schemas: { car: { type: avro, source: '{\"type\" \"int\"}' } } }\n",
        2,
        &["E402 r.yaml:1:67 not valid JSON: a colon must follow the key"],
    ),
    (
        "schema_registry: { schemas: { Car: { type: avro, source: '{\"type\": \"record\", \"name\": \"Car\", \"fields\": []}' } } }\n",
        3,
        &["E417 r.yaml:1:59 the schema is registered as 'Car' and defines a type of the same name"],
    ),
    (
        "schema_registry: { schemas: { car: { type: json, source: '[]' } } }\n",
        3,
        &["E417 r.yaml:1:59 a JSON schema is an object here, not a list"],
    ),
    (
        "schema_registry: { schemas: { car: { type: json, source: '{\"$schema\": \"http://json-schema.org/draft-07/schema#\"}' } } }\n",
        0,
        &[
            "E417 r.yaml:1:71 EMQX checks nothing by 'http://json-schema.org/draft-07/schema#': every value fails",
        ],
    ),
    (
        "schema_registry: { schemas: { car: { type: protobuf, source: 'import \"x.proto\";' } } }\n",
        3,
        &["E417 r.yaml:1:63 import 'x.proto' not found"],
    ),
    (
        "schema_registry: { schemas: { car: { type: external_http, source: '' } }, external: { c: { url: u, typ: confluent } } }\n",
        3,
        &[
            "E409 r.yaml:1:44 'type' is 'external_http'; it must be avro or protobuf or json",
            "E406 r.yaml:1:100 schema_registry.external.c has no key 'typ'",
        ],
    ),
    (
        "schema_registry: { schemas: { car: { type: protobuf, source: 'message Car { optional int32 id = 1; }' } } }\n\
         rule_engine: { rules: { r: { sql: \"SELECT schema_decode('cra', payload, 'Car') AS a, schema_check('car', payload, 'Cra') AS b, spb_decode(payload, 'Payloda') AS c, schema_decode(topic, payload) AS d FROM t\" } } }\n",
        3,
        &[
            "E418 r.yaml:2:57 there is no schema 'cra'",
            "E418 r.yaml:2:115 the schema has no message 'Cra'",
            "E418 r.yaml:2:148 the schema has no message 'Payloda'",
        ],
    ),
    (
        "rule_engine: { rules: { r: { sql: \"SELECT schema_encode_and_tag('a', 'b', payload) AS a FROM t\" } } }\n",
        3,
        &[
            "E104 r.yaml:1:43 `schema_encode_and_tag` needs an outside schema registry, and rulemill asks none",
        ],
    ),
];

#[test]
fn findings_stand_where_the_schema_is_wrong() {
    for (file, exit, wanted) in FILES {
        let here = folder(&[("r.yaml", file.as_bytes())]);
        let ran = rulemill(here.path(), &["check", "r.yaml"]);
        assert_eq!(findings(&format!("{}{}", ran.out, ran.err)), *wanted, "{file}");
        assert_eq!(ran.exit, *exit, "{file}");
    }
}

#[test]
fn tests_and_eval_know_the_schemas_of_a_rule_file() {
    let rules = "schema_registry: { schemas: { reading: { type: json, source: '{\"required\": [\"t\"]}' } } }\n\
                 rule_engine: { rules: { r: { sql: \"SELECT schema_check('reading', payload) AS ok FROM t\" } } }\n";
    let tests = "rule: r\ntests:\n  - { name: a, given: { topic: t, payload: { t: 1 } }, expect: { output: { ok: true } } }\n  \
                 - { name: b, given: { topic: t, payload: { u: 1 } }, expect: { output: { ok: false } } }\n";
    let here =
        folder(&[("r.yaml", rules.as_bytes()), ("r.test.yaml", tests.as_bytes()), ("p", b"{\"t\":1}")]);
    let ran = rulemill(here.path(), &["test", "."]);
    assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);
    let sql = "SELECT schema_decode('reading', payload) AS d FROM t";
    let ran = rulemill(here.path(), &["eval", sql, "p", "--schemas", "r.yaml"]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "{\"d\":{\"t\":1}}\n"), "{}", ran.err);
    let ran =
        rulemill(here.path(), &["eval", &sql.replace("reading", "raeding"), "p", "--schemas", "r.yaml"]);
    assert_eq!(ran.exit, 1);
    assert!(ran.err.contains("did you mean 'reading'?"), "{}", ran.err);
}

/// Both sides of a bound: how much is made, and what a use of it gives.
fn bound(max: usize, uses: impl Fn(usize) -> Result<(), String>) {
    assert_eq!(uses(max), Ok(()), "at the bound");
    let error = uses(max + 1).unwrap_err();
    assert!(error.contains("limit") || error.contains("up to") || error.contains("deeper"), "{error}");
}

fn added(kind: Kind, source: &str) -> Result<(), String> {
    let added = Schemas::default().add("s", kind, &Source::new("s", source));
    added.map(|_| ()).map_err(|problems| problems[0].message.clone())
}

#[test]
fn schemas_stop_at_their_bounds() {
    bound(limits::SCHEMA_BYTES_MAX, |size| added(Kind::Json, &format!("{{}}{}", " ".repeat(size - 2))));
    bound(limits::SCHEMA_NESTING_MAX, |depth| {
        added(Kind::Protobuf, &format!("{}{}", "message M {".repeat(depth), "}".repeat(depth)))
    });
}

#[test]
fn data_stops_at_its_bounds() {
    let list = schemas("avro", "{\"type\": \"array\", \"items\": \"null\"}").unwrap();
    let nulls = |count: usize| {
        // One value is the list itself.
        let mut data = Vec::new();
        let mut zigzag = 2 * (count as u64 - 2);
        while zigzag > 0x7F {
            data.push((zigzag & 0x7F) as u8 | 0x80);
            zigzag >>= 7;
        }
        data.extend([zigzag as u8, 0]);
        call(&list, "decode", &Value::bytes(data), &[]).map(|_| ()).map_err(|e| e.to_string())
    };
    bound(limits::SCHEMA_VALUES_MAX, nulls);

    let chain = schemas("protobuf", "message M { optional M m = 1; }").unwrap();
    let message = Value::str("M");
    let nested = |depth: usize| {
        let value = (1..depth)
            .fold(Map::new(), |inner, _| Map::from_entries(vec![(Value::str("m"), Value::Map(inner))]));
        let bytes = (1..depth).fold(Vec::new(), |inner: Vec<u8>, _| {
            let mut outer = vec![0x0A];
            let mut size = inner.len();
            while size > 0x7F {
                outer.push((size & 0x7F) as u8 | 0x80);
                size >>= 7;
            }
            outer.push(size as u8);
            outer.extend(inner);
            outer
        });
        let decoded = call(&chain, "decode", &Value::bytes(bytes.clone()), std::slice::from_ref(&message));
        let decoded = decoded.map_err(|e| e.to_string())?;
        assert_eq!(decoded, Value::Map(value));
        Ok(())
    };
    bound(limits::SCHEMA_DEPTH_MAX, nested);

    let tree = schemas("json", "{\"items\": {\"$ref\": \"#\"}}").unwrap();
    let lists = |depth: usize| {
        let text = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        call(&tree, "decode", &Value::str(&text), &[]).map(|_| ()).map_err(|e| e.to_string())
    };
    // Each level takes two schemas: the list's, and the reference.
    assert_eq!(lists(limits::SCHEMA_DEPTH_MAX / 2), Ok(()));
    assert!(lists(limits::SCHEMA_DEPTH_MAX / 2 + 2).unwrap_err().contains("deeper"));

    let doubling: Vec<String> = (0..30)
        .map(|n| {
            format!(
                "\"d{n}\": {{\"allOf\": [{{\"$ref\": \"#/d/d{0}\"}}, {{\"$ref\": \"#/d/d{0}\"}}]}}",
                n + 1
            )
        })
        .collect();
    let doubling = format!("{{\"$ref\": \"#/d/d0\", \"d\": {{{}, \"d30\": {{}}}}}}", doubling.join(", "));
    let doubling = schemas("json", &doubling).unwrap();
    let error = call(&doubling, "decode", &Value::str("1"), &[]).unwrap_err();
    assert!(error.to_string().contains(&format!("limit of {} steps", limits::SCHEMA_STEPS_MAX)), "{error}");
    let itself = schemas("json", "{\"$ref\": \"#\"}").unwrap();
    assert!(call(&itself, "decode", &Value::str("1"), &[]).is_err());
    let endless = schemas(
        "avro",
        "{\"type\": \"record\", \"name\": \"R\", \"fields\": [{\"name\": \"r\", \"type\": \"R\"}]}",
    )
    .unwrap();
    assert!(call(&endless, "decode", &Value::str(""), &[]).is_err());
}

/// The recorded schemas, each with the further arguments of its calls.
static COMPILED: LazyLock<Vec<(Schemas, Vec<Value>)>> = LazyLock::new(|| {
    let compiled = RECORDED.lines().filter_map(|line| {
        let group = json(line);
        let extra = if text(&group, "type") == "protobuf" { vec![Value::str("M")] } else { Vec::new() };
        Some((schemas(text(&group, "type"), text(&group, "source"))?, extra))
    });
    compiled.collect()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever the bytes, each codec answers; what it decodes it encodes again.
    #[test]
    fn damaged_bytes_are_answered(
        bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0u8..24], 0..60),
        base in 0usize..4,
    ) {
        let payloads = ["", "08b0da90dd8e33122d0a04626c6f62", "120b0a016120022d000000", "0204027a00"];
        let Value::Str(start) = hex(payloads[base]) else { unreachable!() };
        let data = Value::bytes(start.iter().copied().chain(bytes).collect());
        let sparkplug = Value::str(rulemill::schema::SPARKPLUG);
        let message = [Value::str("Payload")];
        let _ = Schemas::default().decode(&sparkplug, &data, &message);
        let _ = Schemas::default().check(&sparkplug, &data, &message);
        for (schemas, extra) in COMPILED.iter() {
            let _ = call(schemas, "decode", &data, extra);
            let _ = call(schemas, "check", &data, extra);
        }
    }
}
