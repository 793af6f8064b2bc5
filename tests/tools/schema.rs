//! `rulemill schema`: the schemas take what the loaders take, and refuse what they refuse.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulemill::diag::{Diagnostic, Severity, codes};
use rulemill::document::{Data, Document, Format, Node};
use rulemill::harness::{self, Fixtures};
use rulemill::profile::Profile;
use rulemill::rule::{self, Input};
use rulemill::value::Bytes;
use serde_json::{Map, Value as Json, json};

use super::support::{folder, rulemill};
use super::transcript;

fn schema(of: &str) -> Json {
    let ran = rulemill(folder(&[]).path(), &["schema", of]);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    serde_json::from_str(&ran.out).unwrap()
}

fn validator(of: &str) -> Validator {
    let schema = schema(of);
    jsonschema::meta::validate(&schema).unwrap_or_else(|e| panic!("{of}: {e}"));
    jsonschema::validator_for(&schema).unwrap()
}

fn plain(node: &Node) -> Json {
    match &node.data {
        Data::Null => Json::Null,
        Data::Bool(b) => json!(b),
        Data::Int(raw, _) => {
            raw.parse::<i64>().map_or_else(|_| json!(raw.parse::<f64>().unwrap()), |n| json!(n))
        }
        Data::Float(_, f) => json!(f),
        Data::Text(text) => json!(&**text),
        Data::List(items) => items.iter().map(plain).collect(),
        Data::Map(entries) => {
            Json::Object(entries.iter().map(|e| (e.key.to_string(), plain(&e.value))).collect::<Map<_, _>>())
        }
    }
}

/// Files with their paths.
type Documents = Vec<(PathBuf, Json)>;

/// The rule files and the test files of the repository.
fn examples() -> (Documents, Documents) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["rules", "tests/rules", "src/cli/init/project"];
    let mut paths: Vec<PathBuf> =
        folders.iter().flat_map(|f| fs::read_dir(root.join(f)).unwrap()).map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "yaml"));
    paths.sort();
    let read = |path: PathBuf| {
        let document = Document::read("x.yaml", &fs::read(&path).unwrap(), Format::Yaml).unwrap();
        let json = plain(&document.root);
        (path, json)
    };
    let (tests, rules): (Vec<_>, Vec<_>) =
        paths.into_iter().partition(|path| path.to_str().unwrap().ends_with(".test.yaml"));
    assert!(rules.len() > 6 && tests.len() > 6);
    (rules.into_iter().map(read).collect(), tests.into_iter().map(read).collect())
}

/// Everything that a schema knows about rule files, in one.
fn every_rule_key() -> Json {
    json!({
        "rule_engine": {
            "ignore_sys_message": true,
            "jq_function_default_timeout": "10s",
            "jq_implementation_module": "jq_nif",
            "rules": { "a": {
                "name": "a", "sql": "SELECT * FROM t", "enable": "false", "description": "d", "metadata": { "x": 1 },
                "actions": [
                    "http:h", "bridge:webhook:h", { "function": "console" }, { "function": "m:f", "args": { "x": 1 } },
                    { "function": "republish", "args": {
                        "topic": "x", "qos": 1, "retain": "${flags.retain}", "payload": "${.}", "direct_dispatch": false,
                        "mqtt_properties": { "Response-Topic": "r" }, "user_properties": "${user_properties}"
                    } }
                ]
            } }
        },
        "actions": {
            "webhook": { "h": {
                "enable": true, "connector": "c", "tags": ["a"], "description": "d", "created_at": 0,
                "parameters": { "path": "/x", "method": "put", "headers": { "a": "b" }, "body": "${.}", "max_retries": 2 },
                "resource_opts": { "request_ttl": "infinity", "batch_size": 1, "query_mode": "sync", "max_buffer_bytes": "256MB" }
            } },
            "hstreamdb": { "s": { "connector": "c", "parameters": { "stream": "s", "partition_key": "${x}", "batch_interval": "500ms" } } },
            "kafka_producer": { "k": { "connector": "c", "parameters": { "topic": "x", "kafka": { "a": [1, "${x}"] } } } }
        },
        "connectors": {
            "http": { "c": {
                "url": "http://127.0.0.1:1", "headers": { "a": "b" }, "connect_timeout": "15s", "pool_type": "random", "pool_size": 8,
                "ssl": { "enable": false, "verify": "verify_none", "depth": 1 },
                "resource_opts": { "health_check_interval": "15s", "start_after_created": true }
            } },
            "hstreamdb": { "c": { "url": "http://127.0.0.1:1", "grpc_timeout": 30 } },
            "kafka_producer": { "c": { "bootstrap_hosts": "x" } }
        },
        "schema_registry": { "schemas": { "s": { "type": "json", "source": "{}" } } },
        "rulemill": { "hstreamdb": { "c": { "api": "rest" } } },
        "listeners": { "tcp": { "default": { "bind": 1883 } } }
    })
}

/// Everything that a schema knows about test files, in one.
fn every_test_key() -> Json {
    json!({
        "$schema": "x", "rule": ["a", "b"], "emqx": ["5.8", 4.3], "clock": "2022-05-05T10:00:00Z", "zone": "UTC",
        "seed": 1, "env": { "A": "b" }, "kv": { "k": [1] },
        "tests": [
            { "name": "message", "given": {
                "topic": "t", "payload": { "$hex": "00" }, "qos": 1, "retain": true, "dup": false, "clientid": "c",
                "username": "u", "peerhost": "1.2.3.4", "properties": { "Content-Type": "x" },
                "user_properties": [["a", "b"]], "id": "x", "node": "n", "timestamp": 1, "client_attrs": { "a": "b" }
            }, "expect": { "output": { "a": { "$regex": "x" } }, "actions": "$any", "warns": ["E101"], "kv": { "a": 1 } } },
            { "name": "event", "given": { "event": "client_connected", "columns": { "clientid": "c" } }, "expect": "no_match", "rule": "a", "emqx": "5.8", "clock": 5 },
            { "name": "columns $(n)", "each": [{ "n": 1 }], "chain": false,
                "given": { "columns": { "x": "$(n)" } }, "expect": { "error": "select" } },
            { "name": "filled", "each": [{ "q": 2 }], "given": { "topic": "t", "qos": "$(q)" }, "expect": { "outputs": [{ "$contains": {} }] } },
            { "name": "steps", "steps": [
                { "at": "0s", "given": { "topic": "t", "user_properties": { "a": "b" } }, "expect": { "error": { "clause": "where", "message": "$any" } } },
                { "advance": 10, "expect": { "rules": { "a": "disabled", "b": { "output": null } } } }
            ] },
            { "name": "profiles", "given": { "topic": "t" }, "expect": { "$by_profile": { "5.8": "not_selected", "4.3": { "outputs": [] } } } },
            { "name": "actions", "given": { "topic": "t" }, "expect": { "actions": [
                { "id": "http:a", "http": { "method": "POST", "url": "$any", "headers": {}, "body": "$any" } },
                { "id": "republish", "republish": { "topic": "a", "payload": "b", "qos": 1 } },
                { "id": "hstreamdb:a", "hstreamdb": "$any" },
                { "id": "console", "console": { "a": 1 } }
            ] } },
            { "name": "capture", "each_line": { "$ndjson": "c.ndjson" }, "expect": { "outputs_total": 1 }, "snapshot": "s" },
            { "name": "snapshot", "each_line": { "$ndjson": "c.ndjson" }, "snapshot": "s" }
        ]
    })
}

#[test]
fn every_example_is_taken() {
    let (rules, tests) = examples();
    for (of, documents) in [("rule", rules), ("test", tests)] {
        let validator = validator(of);
        for (path, json) in documents {
            let errors: Vec<String> =
                validator.iter_errors(&json).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        }
    }
}

#[test]
fn every_key_says_what_it_holds() {
    for of in ["rule", "test"] {
        let mut open = Vec::new();
        undescribed(&schema(of), "", &mut open);
        assert!(open.is_empty(), "{of}: {open:?}");
    }
}

/// Keys whose schema is the bare `true` of a table entry that nobody described.
fn undescribed(schema: &Json, path: &str, open: &mut Vec<String>) {
    match schema {
        Json::Object(map) => {
            for (key, value) in map {
                if key == "properties" {
                    let properties = value.as_object().unwrap().iter();
                    open.extend(
                        properties.filter(|(_, v)| v.is_boolean()).map(|(k, _)| format!("{path}/{k}")),
                    );
                }
                undescribed(value, &format!("{path}/{key}"), open);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| undescribed(item, path, open)),
        _ => {}
    }
}

/// The document with one thing changed, for each thing and change; what was changed.
fn mutations(document: &Json) -> Vec<(String, Json)> {
    let mut out = Vec::new();
    let mut paths = Vec::new();
    keys(document, "", &mut paths);
    for path in paths {
        let (parent, key) = path.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        let mut change = |what: &str, new: Option<(String, Json)>| {
            let mut changed = document.clone();
            let map = changed.pointer_mut(parent).unwrap().as_object_mut().unwrap();
            let old = map.remove(&key).unwrap();
            if let Some((key, value)) = new {
                map.insert(key, if value.is_null() { old } else { value });
            }
            out.push((format!("{path} {what}"), changed));
        };
        change("removed", None);
        change("misspelt", Some((format!("zz{key}"), Json::Null)));
        for value in [json!(true), json!(7), json!("zz text"), json!([]), json!({ "zz": 1 }), json!([[1]])] {
            change(&format!("= {value}"), Some((key.clone(), value)));
        }
    }
    out
}

/// The JSON pointers of all keys of maps.
fn keys(document: &Json, path: &str, out: &mut Vec<String>) {
    match document {
        Json::Object(map) => {
            for (key, value) in map {
                let path = format!("{path}/{}", key.replace('~', "~0").replace('/', "~1"));
                keys(value, &path, out);
                out.push(path);
            }
        }
        Json::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| keys(item, &format!("{path}/{at}"), out));
        }
        _ => {}
    }
}

/// A capture and nothing else.
struct NoFiles;

impl Fixtures for NoFiles {
    fn read(&mut self, path: &str) -> Result<Bytes, String> {
        match path {
            "c.ndjson" => Ok(Bytes::from_static(b"{\"topic\":\"t\",\"payload\":\"x\"}\n")),
            _ => Err("there is no such file".to_owned()),
        }
    }
}

fn loaded(document: &Json) -> Vec<Diagnostic> {
    let input = Input { path: "x.json".to_owned(), bytes: document.to_string().into_bytes() };
    rule::load(&[input], Profile::V5_8).problems
}

fn parsed(document: &Json) -> Vec<Diagnostic> {
    harness::parse("x.json", document.to_string().as_bytes(), &mut NoFiles).err().unwrap_or_default()
}

/// Schema and loader agree on a document with one thing changed, but for paths and changes that only the loader can
/// judge.
#[track_caller]
fn agree(of: &str, document: &Json, load: fn(&Json) -> Vec<Diagnostic>, only_the_loader: &[(&str, &str)]) {
    let validator = validator(of);
    let errors = |document: &Json| {
        let errors = load(document).into_iter().filter(|p| p.severity == Severity::Error);
        errors.map(|p| p.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(errors(document), Vec::<String>::new());
    assert!(
        validator.is_valid(document),
        "{:?}",
        validator.iter_errors(document).map(|e| e.to_string()).collect::<Vec<_>>()
    );
    let mut wrong = Vec::new();
    let mut refused = 0;
    for (what, changed) in mutations(document) {
        let errors = errors(&changed);
        let by_form = [codes::UNKNOWN_KEY, codes::WRONG_KIND, codes::MISSING_KEY]
            .iter()
            .any(|code| errors.iter().any(|e| e.contains(code)));
        let taken = validator.is_valid(&changed);
        refused += usize::from(!taken);
        if !taken && errors.is_empty() {
            wrong.push(format!("{what}: only the schema refuses it"));
        }
        if taken
            && by_form
            && !only_the_loader.iter().any(|(path, change)| what.contains(path) && what.ends_with(change))
        {
            wrong.push(format!("{what}: only the loader refuses it: {errors:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(refused > 300, "{refused}");
}

#[test]
fn rule_files_are_judged_as_the_loader_judges_them() {
    // A root key may be a broker's, unless it is nearly one of ours.
    let roots = ["/rule_engine ", "/actions ", "/connectors ", "/schema_registry ", "/rulemill "];
    agree("rule", &every_rule_key(), loaded, &roots.map(|root| (root, "misspelt")));
}

#[test]
fn test_files_are_judged_as_the_reader_judges_them() {
    // What a row fills in is known only once it is filled in.
    agree("test", &every_test_key(), parsed, &[("/each", "")]);
}

#[test]
fn the_command_line() {
    transcript::check("schema.txt", folder(&[]).path());
}
