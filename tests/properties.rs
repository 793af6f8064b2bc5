//! What holds for whatever comes: values survive JSON, templates and requests end with an answer.
//!
//! Printing and parsing, the topic index and the functions have their properties beside them, files in `no_panic.rs`.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use rulemill::ctx::Ctx;
use rulemill::eval;
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::template::{Dialect, Template};
use rulemill::text::Source;
use rulemill::value::{Bytes, Map, Value, compare, decode, encode};

/// Values that JSON has.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<i128>().prop_map(|n| Value::integer(n.into())),
        any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(Value::Float),
        ".{0,8}".prop_map(Value::str),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let key = "[a-z\u{e9}\"\\\\]{0,4}".prop_map(Value::str);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::list),
            prop::collection::vec((key, inner), 0..6)
                .prop_map(|entries| Value::Map(Map::from_entries(entries))),
        ]
    })
}

/// Bytes that are nearly JSON.
fn nearly_json() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("[".to_owned()),
        Just("]".to_owned()),
        Just(",".to_owned()),
        Just(":".to_owned()),
        Just("\"a\"".to_owned()),
        Just("\"temp\":".to_owned()),
        Just("1e5".to_owned()),
        Just("-0".to_owned()),
        Just("null".to_owned()),
        Just("\"\\ud83d".to_owned()),
        "[0-9.eE+-]{1,6}",
        ".{0,3}",
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat().into_bytes())
}

const STATEMENTS: [&str; 6] = [
    "SELECT payload.temp * 1.8 + 32 AS f, payload FROM \"t\" WHERE payload.temp > 20 AND payload.a <> 'x'",
    "SELECT payload.temp AS payload.a.b, payload.a[1].b AS c FROM \"t\"",
    "FOREACH payload.a AS e DO e.temp AS t, upper(e.a) AS u INCASE e.temp > 1 FROM \"t\"",
    "SELECT CASE WHEN payload.temp > 1 THEN 'hot' WHEN payload.a = 'x' THEN 'x' ELSE payload END AS c FROM \"t\"",
    "SELECT json_decode(payload) AS j, json_encode(payload) AS k, str(payload) AS s, * FROM \"t\"",
    "SELECT map_put('a.b', 1, payload) AS m, mget('a', payload) AS n, length(payload.a) AS l FROM \"t\"",
];

proptest! {
    #[test]
    fn what_is_encoded_is_decoded(value in json_value()) {
        let text = encode::to_json(&value).unwrap();
        let again = decode::decode(&Bytes::from(text.clone())).unwrap();
        prop_assert!(compare::exactly_equal(&value, &again), "{}", String::from_utf8_lossy(&text));
        prop_assert_eq!(encode::to_json(&again).unwrap(), text);
    }

    #[test]
    fn what_is_decoded_is_encoded(bytes in nearly_json()) {
        if let Ok(value) = decode::decode(&Bytes::from(bytes)) {
            let text = encode::to_json(&value).unwrap();
            let again = decode::decode(&Bytes::from(text)).unwrap();
            prop_assert!(compare::exactly_equal(&value, &again));
        }
    }

    #[test]
    fn statements_answer_whatever_the_payload(bytes in prop_oneof![nearly_json(), prop::collection::vec(any::<u8>(), 0..40)]) {
        let columns = Map::of_columns([("topic", "t".into()), ("payload", Value::bytes(bytes))]);
        for profile in Profile::ALL {
            for sql in STATEMENTS {
                let program = Program::compile(&Source::new("p", sql), profile).unwrap();
                // A value or a failure; it is the panic that must not come.
                let _ = eval::run(&program, &columns, &mut Ctx::frozen(0, 1));
            }
        }
    }

    #[test]
    fn templates_answer_whatever_their_text(text in "(\\$\\{[a-c.$]{0,5}\\}|\\$|\\{|\\}|[a-c\u{e9}\"\\\\ ]){0,12}", value in json_value()) {
        let data = Value::Map(Map::of([("a", value.clone()), ("b", Value::Map(Map::of([("a", value)])))]));
        for dialect in [Dialect::Rule4, Dialect::Template5, Dialect::Placeholder5] {
            let template = Template::parse(&text, dialect);
            let _ = template.render(&data);
        }
    }
}

#[test]
fn each_request_has_an_answer() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .arg("pipe")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut runner = TestRunner::deterministic();
    let op = prop_oneof![
        Just("raw"),
        Just("eval"),
        Just("parse"),
        Just("match"),
        Just("render"),
        Just("bench"),
        Just("x")
    ];
    let text = "(SELECT |FROM t|WHERE |payload|[a-c(){}.,'\"$#+/=<>0-9 -]){0,12}";
    let request = (op, text, text).prop_map(|(op, a, b)| {
        serde_json::json!({
            "id": 1, "op": op, "sql": a, "topic": b, "filter": a, "template": b, "n": 1,
            "columns": { "payload": b }, "context": { "event_type": "message_publish", "topic": "t", "payload": a },
        })
        .to_string()
    });
    let line = prop_oneof![4 => request, 1 => "[^\n\r]{0,30}"];
    let lines: Vec<String> = (0..600).map(|_| line.new_tree(&mut runner).unwrap().current()).collect();
    let mut stdin = child.stdin.take().unwrap();
    let sent = lines.clone();
    let writer = std::thread::spawn(move || sent.iter().for_each(|line| writeln!(stdin, "{line}").unwrap()));
    let answers = BufReader::new(child.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let answers: Vec<serde_json::Value> = answers.map(|line| serde_json::from_str(&line).unwrap()).collect();
    writer.join().unwrap();
    let asked = lines.iter().filter(|line| !line.trim().is_empty()).count();
    assert!(answers.len() == asked || answers.len() == lines.len(), "{} of {asked}", answers.len());
    assert!(child.wait().unwrap().success());
}
