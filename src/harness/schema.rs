//! The JSON Schema of test files, for editors: made from the tables that the reader reads them by.
//!
//! Invariant: what the schema refuses the reader refuses, but for a key whose value is null, which the reader takes
//! for absent where it is no expectation.

use serde_json::{Value as Json, json};

use super::{capture, expect, given, payload, read};
use crate::profile::Profile;
use crate::rule::schema::{any, object, titled};

/// The schema of test files.
pub fn schema() -> Json {
    let mut file = object(read::FILE, &["tests"], |name| match name {
        "$schema" => any(),
        "tests" => json!({ "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/test" } }),
        _ => common(name),
    });
    file["$defs"] = json!({
        "test": test(),
        "given": or_filled(given()),
        "expect": or_filled(expect_of_step()),
        "rule": or_filled(expect_of_rule(expect::RULE)),
        "action": action(),
    });
    titled("Tests of EMQX rules, as rulemill reads them", file)
}

fn text() -> Json {
    json!({ "type": "string" })
}

/// Words as keys of a map.
fn map_of(value: Json) -> Json {
    json!({ "type": "object", "additionalProperties": value })
}

/// What a row of `each` may fill in: any value may be written `$(name)`.
fn or_filled(value: Json) -> Json {
    json!({ "anyOf": [value, { "type": "string", "pattern": "\\$\\(" }] })
}

/// Milliseconds, or a time as RFC 3339 writes it.
fn time() -> Json {
    let written = "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}";
    or_filled(json!({ "anyOf": [{ "type": "integer" }, { "type": "string", "pattern": written }] }))
}

/// `$file`, `$hex`, `$base64`. Digits without quotes are a number in YAML; their text is what was meant.
fn bytes_words() -> Json {
    let words =
        payload::WORDS.iter().map(|word| ((*word).to_owned(), json!({ "type": ["string", "number"] })));
    Json::Object(words.collect())
}

/// The keys that files and tests share.
fn common(name: &str) -> Json {
    match name {
        "rule" => json!({ "anyOf": [text(), { "type": "array", "minItems": 1, "items": text() }] }),
        "emqx" => {
            // Without quotes 5.8 is a number in YAML; its text is what was meant.
            let names = Profile::ALL.iter().map(|p| p.name());
            let numbers = names.clone().filter_map(|name| name.parse::<f64>().ok()).map(|n| json!(n));
            let words: Vec<Json> = names.map(|name| json!(name)).chain(numbers).collect();
            let one = or_filled(json!({ "enum": words }));
            json!({ "anyOf": [one, { "type": "array", "minItems": 1, "items": one }] })
        }
        "clock" => time(),
        "zone" => text(),
        "seed" => or_filled(json!({ "type": "integer", "minimum": 0 })),
        "env" => map_of(text()),
        "kv" => map_of(any()),
        _ => Json::Bool(true),
    }
}

fn test() -> Json {
    let mut test = object(read::TEST, &["name"], |name| match name {
        "name" => json!({ "type": "string", "minLength": 1 }),
        "given" => json!({ "$ref": "#/$defs/given" }),
        "expect" => {
            json!({ "anyOf": [{ "$ref": "#/$defs/expect" }, object(capture::TOTALS, &[], |_| any())] })
        }
        "steps" => json!({ "type": "array", "minItems": 1, "items": step() }),
        "chain" => or_filled(json!({ "type": "boolean" })),
        "each" => json!({ "type": "array", "minItems": 1, "items": { "type": "object" } }),
        "each_line" => object(&["$ndjson"], &["$ndjson"], |_| text()),
        "snapshot" => text(),
        "faults" => faults(),
        _ => common(name),
    });
    test["anyOf"] = json!([
        { "required": ["given", "expect"] },
        { "required": ["steps"] },
        { "required": ["each_line", "expect"] },
        { "required": ["each_line", "snapshot"] },
    ]);
    test
}

fn step() -> Json {
    object(read::STEP, &[], |name| match name {
        "at" | "advance" => json!({ "type": ["string", "integer"] }),
        "given" => json!({ "$ref": "#/$defs/given" }),
        "expect" => json!({ "$ref": "#/$defs/expect" }),
        "faults" => faults(),
        _ => Json::Bool(true),
    })
}

/// How each sink fails, attempt by attempt.
fn faults() -> Json {
    map_of(json!({ "type": ["array", "string", "integer", "object"] }))
}

/// A message, an event, or columns.
fn given() -> Json {
    let message = object(given::MESSAGE, &["topic"], |name| match name {
        "payload" => json!({ "properties": bytes_words() }),
        "client_attrs" => any(),
        "qos" => or_filled(json!({ "enum": [0, 1, 2] })),
        "retain" | "dup" => or_filled(json!({ "type": "boolean" })),
        "timestamp" | "publish_received_at" => time(),
        "properties" => or_filled(object(given::PROPERTIES, &[], |_| any())),
        "user_properties" => or_filled(json!({
            "anyOf": [
                { "type": "array", "items": { "type": "array", "items": text(), "minItems": 2, "maxItems": 2 } },
                map_of(text()),
            ]
        })),
        "topic" | "clientid" | "username" | "peerhost" | "peername" | "id" | "node" => text(),
        _ => Json::Bool(true),
    });
    let event = object(given::EVENT, &["event"], |name| match name {
        "event" => text(),
        "columns" => map_of(any()),
        _ => Json::Bool(true),
    });
    let columns = object(&["columns"], &["columns"], |_| map_of(any()));
    json!({ "anyOf": [message, event, columns] })
}

fn expect_of_step() -> Json {
    let profiles: Vec<&str> = Profile::ALL.iter().map(|profile| profile.name()).collect();
    let by_profile = object(&["$by_profile"], &["$by_profile"], |_| {
        object(&profiles, &[], |_| json!({ "$ref": "#/$defs/expect" }))
    });
    json!({ "anyOf": [expect_of_rule(expect::EXPECT), by_profile] })
}

/// A word, or a map that says something.
fn expect_of_rule(keys: &[&str]) -> Json {
    let mut map = object(keys, &[], |name| match name {
        "output" | "kv" => any(),
        "outputs" => or_filled(json!({ "anyOf": [{ "type": "array" }, { "const": "$any" }, matcher()] })),
        "error" => error(),
        "actions" => json!({
            "anyOf": [{ "const": "$any" }, or_filled(json!({ "type": "array", "items": { "$ref": "#/$defs/action" } }))],
        }),
        "warns" => json!({ "type": "array", "items": text() }),
        "rules" => map_of(json!({ "$ref": "#/$defs/rule" })),
        _ => Json::Bool(true),
    });
    map["minProperties"] = json!(1);
    json!({ "anyOf": [{ "enum": expect::WORDS }, map] })
}

/// A map with a word; which words there are, `any` says.
fn matcher() -> Json {
    json!({ "type": "object", "patternProperties": { "^\\$": true }, "additionalProperties": false, "minProperties": 1 })
}

fn error() -> Json {
    let names = expect::CLAUSES.iter().flat_map(|clause| [clause.name(), clause.class()]);
    let clause = or_filled(json!({ "enum": names.collect::<Vec<_>>() }));
    let mut map = object(&["clause", "code", "message"], &[], |name| match name {
        "clause" => clause.clone(),
        _ => any(),
    });
    map["minProperties"] = json!(1);
    json!({ "anyOf": [clause, map] })
}

/// The id of an action and the one thing that it does.
fn action() -> Json {
    let kinds = expect::KINDS.iter().map(|row| row.0);
    let names: Vec<&str> = std::iter::once("id").chain(kinds).chain(expect::DELIVERY).collect();
    let mut action = object(&names, &["id"], |name| match expect::KINDS.iter().find(|row| row.0 == name) {
        None if expect::DELIVERY.contains(&name) => any(),
        None => text(),
        Some((_, [], _)) => any(),
        Some((_, keys, must)) => {
            json!({ "anyOf": [{ "const": "$any" }, object(keys, must, |_| any())] })
        }
    });
    // What a delivery came to may be stated without what was sent.
    let kinds = expect::KINDS.iter().map(|row| row.0);
    action["anyOf"] = kinds.chain(expect::DELIVERY).map(|name| json!({ "required": [name] })).collect();
    action
}
