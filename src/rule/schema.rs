//! The JSON Schema of rule files, for editors: made from the tables that the loader reads them by.
//!
//! Invariant: what the schema refuses the loader refuses, but for a key whose value is null, which the loader takes
//! for absent.

use serde_json::{Map, Value as Json, json};

use super::keys::{self, Key, Kind};

/// The schema of rule files.
pub fn schema() -> Json {
    let mut root = object(keys::ROOTS, &[], |name| match name {
        "rule_engine" => table(keys::RULE_ENGINE, |name| match name {
            "rules" => Some(by_id(rule())),
            _ => None,
        }),
        "actions" => by_type(&[], "action"),
        "connectors" => by_type(keys::SOURCE_CONNECTOR_TYPES, "connector"),
        "schema_registry" => table(keys::SCHEMA_REGISTRY, |name| match name {
            "schemas" => Some(by_id(table(keys::SCHEMA, |_| None))),
            "external" => Some(by_id(table(keys::EXTERNAL_REGISTRY, |name| (name == "auth").then(any)))),
            _ => None,
        }),
        "rulemill" => table(keys::RULEMILL, |name| match name {
            "hstreamdb" => Some(by_id(table(keys::RULEMILL_HSTREAMDB, |_| None))),
            "lints" => Some(by_id(json!({ "enum": ["deny", "warn", "note", "allow"] }))),
            _ => None,
        }),
        _ => Json::Bool(true),
    });
    // A broker's configuration has other roots beside these; without one of these it holds no rules.
    root["additionalProperties"] = Json::Bool(true);
    root["anyOf"] = keys::ROOTS.iter().map(|name| json!({ "required": [name] })).collect();
    let mut definitions = Map::new();
    for kind in KINDS {
        definitions.insert(format!("action-{kind}"), action(kind));
        definitions.insert(format!("connector-{kind}"), connector(kind));
    }
    root["$defs"] = Json::Object(definitions);
    titled("Rules of EMQX 5.8, as rulemill reads them", root)
}

/// The types whose keys are known, and one for all others.
const KINDS: [&str; 3] = ["http", "hstreamdb", OTHER];
const OTHER: &str = "other";

/// The head of a whole schema.
pub(crate) fn titled(title: &str, schema: Json) -> Json {
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    whole.insert("title".to_owned(), json!(title));
    if let Json::Object(inner) = schema {
        whole.extend(inner);
    }
    Json::Object(whole)
}

/// A map of these keys and no others.
pub(crate) fn object(names: &[&str], required: &[&str], value: impl Fn(&str) -> Json) -> Json {
    let properties: Map<String, Json> = names.iter().map(|name| ((*name).to_owned(), value(name))).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// Anything.
pub(crate) fn any() -> Json {
    json!({})
}

/// A map of a table's keys. `inner` says what the maps and lists below it are.
fn table(table: &[Key], inner: impl Fn(&str) -> Option<Json>) -> Json {
    let required: Vec<&str> = table.iter().filter(|key| key.required).map(|key| key.name).collect();
    object(&keys::names(table), &required, |name| {
        let Some(key) = table.iter().find(|key| key.name == name) else { return Json::Bool(true) };
        let mut schema = inner(name).unwrap_or_else(|| scalar(key.kind));
        if let (Some(default), Json::Object(schema)) = (key.default, &mut schema) {
            schema.insert("default".to_owned(), written(key.kind, default));
        }
        schema
    })
}

/// A default in the form that a file would have it in.
fn written(kind: Kind, text: &str) -> Json {
    match (kind, text) {
        (Kind::Text, _) => json!(text),
        (_, "true") => json!(true),
        (_, "false") => json!(false),
        _ => text.parse::<i64>().map_or_else(|_| json!(text), |n| json!(n)),
    }
}

/// A value of a kind. EMQX takes strings for all scalars, since environment variables are strings.
fn scalar(kind: Kind) -> Json {
    const UNITS: &str = "(ms|MS|s|S|m|M|h|H|d|D|w|W|f|F)";
    let number = |pattern: &str| json!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "pattern": pattern }] });
    match kind {
        Kind::Bool => json!({ "enum": [true, false, "true", "false"] }),
        Kind::Int(least) => json!({
            "anyOf": [{ "type": "integer", "minimum": least }, { "type": "string", "pattern": "^[+-]?[0-9]+$" }]
        }),
        Kind::Duration => number(&format!("^([0-9]+|([0-9.]+{UNITS})+)$")),
        Kind::DurationOrInfinity => number(&format!("^(infinity|[0-9]+|([0-9.]+{UNITS})+)$")),
        Kind::Bytes => number("^\\s*[0-9]+(b|B|kb|KB|mb|MB|gb|GB)?$"),
        Kind::Text => json!({ "type": "string" }),
        Kind::Texts => json!({ "type": "array", "items": { "type": "string" } }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Any => Json::Bool(true),
    }
}

/// A map from ids.
fn by_id(value: Json) -> Json {
    json!({
        "type": "object",
        "patternProperties": { "^[A-Za-z0-9][A-Za-z0-9_-]{0,253}$": value },
        "additionalProperties": false,
    })
}

/// A map from the types of actions or connectors to maps from ids.
fn by_type(more: &[&str], what: &str) -> Json {
    let old = keys::ALIASES.iter().map(|(old, _)| *old);
    let names: Vec<&str> = keys::ACTION_TYPES.iter().chain(more).copied().chain(old).collect();
    object(&names, &[], |name| {
        let kind = keys::upgraded(name);
        let kind = if KINDS.contains(&kind) { kind } else { OTHER };
        by_id(json!({ "$ref": format!("#/$defs/{what}-{kind}") }))
    })
}

fn rule() -> Json {
    table(keys::RULE, |name| match name {
        "actions" => Some(json!({
            "type": "array",
            "items": { "anyOf": [{ "type": "string", "pattern": ":" }, function()] },
        })),
        "metadata" => Some(any()),
        _ => None,
    })
}

/// An action that is a map: a function, with its arguments.
fn function() -> Json {
    let of = |word: Json, args: Json| {
        table(keys::FUNCTION, |name| match name {
            "function" => Some(word.clone()),
            "args" => Some(args.clone()),
            _ => None,
        })
    };
    let mut republish_function = of(json!({ "const": "republish" }), republish());
    republish_function["required"] = json!(["function", "args"]);
    json!({
        "anyOf": [
            republish_function,
            of(json!({ "const": "console" }), any()),
            of(json!({ "type": "string", "pattern": "^[^:]*:[^:]*$" }), any()),
        ]
    })
}

fn republish() -> Json {
    // A constant or one variable.
    let simple = |words: Json, pattern: &str| json!({ "anyOf": [{ "enum": words }, { "type": "string", "pattern": format!("^({pattern}|\\$\\{{.*\\}})$") }] });
    table(keys::REPUBLISH, |name| match name {
        "qos" => Some(simple(json!([0, 1, 2]), "[012]")),
        "retain" | "direct_dispatch" => Some(simple(json!([true, false]), "true|false")),
        "mqtt_properties" => Some(table(keys::MQTT_PROPERTIES, |_| None)),
        _ => None,
    })
}

fn action(kind: &str) -> Json {
    let parameters = match kind {
        "http" => table(keys::HTTP_PARAMETERS, |name| (name == "headers").then(headers)),
        "hstreamdb" => table(keys::HSTREAMDB_PARAMETERS, |_| None),
        _ => any(),
    };
    let mut action = table(keys::ACTION, |name| match name {
        "parameters" => Some(parameters.clone()),
        "resource_opts" => Some(table(keys::ACTION_OPTIONS, |_| None)),
        _ => None,
    });
    if matches!(kind, "http" | "hstreamdb") {
        action["required"] = json!(["connector", "parameters"]);
    }
    action
}

fn connector(kind: &str) -> Json {
    let keys = match kind {
        "http" => keys::HTTP_CONNECTOR,
        "hstreamdb" => keys::HSTREAMDB_CONNECTOR,
        _ => return json!({ "type": "object", "properties": { "enable": { "type": "boolean" } } }),
    };
    table(keys, |name| match name {
        "headers" => Some(headers()),
        "ssl" => Some(table(keys::SSL, |name| matches!(name, "ciphers" | "partial_chain").then(any))),
        "resource_opts" => Some(table(keys::CONNECTOR_OPTIONS, |_| None)),
        "request" => Some(any()),
        _ => None,
    })
}

fn headers() -> Json {
    json!({ "type": "object", "additionalProperties": { "type": ["string", "boolean"] } })
}
