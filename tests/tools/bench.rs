//! `rulemill bench`.

use regex::Regex;
use serde_json::Value;
use tempfile::TempDir;

use super::support::{folder, rulemill};
use super::transcript;

const SPEEDING: &str = "rule_engine:
  rules:
    speeding:
      sql: SELECT payload.id AS car FROM \"car/+\" WHERE payload.speed > 120
      actions: [\"http:elsewhere\", { function: console }]
    hot:
      sql: FOREACH payload.l AS e DO e.k AS k INCASE e.k > 1 FROM \"$share\", \"t/#\"
    online:
      sql: SELECT clientid FROM \"$events/client_connected\"
    no_payload:
      sql: SELECT topic FROM \"a/b\"
    no_json:
      sql: SELECT mongo_date() AS d FROM \"a/b\"
";

fn project() -> TempDir {
    let elsewhere =
        "actions: { http: { elsewhere: { connector: c, parameters: { path: /x, body: '${.}' } } } }
connectors: { http: { c: { url: 'http://127.0.0.1:1' } } }
";
    let broken =
        "rule_engine:\n  rules:\n    broken: { sql: SELECT a FROM }\n    fine: { sql: 'SELECT a FROM t' }\n";
    folder(&[
        ("rules/speeding.yaml", SPEEDING.as_bytes()),
        ("rules/elsewhere.yaml", elsewhere.as_bytes()),
        ("rules/broken.yaml", broken.as_bytes()),
        ("rules/a:b.sql", b"SELECT 1 AS one FROM \"t\""),
        ("other.yaml", b"a: 1\n"),
        ("fast.json", br#"{"id": "B", "speed": 131.5}"#),
        ("slow.json", br#"{"id": "B", "speed": 1}"#),
        ("list.json", br#"{"l": [{"k": 1}, {"k": 2}]}"#),
        ("bad.json", b"{"),
    ])
}

fn json(folder: &TempDir, args: &[&str]) -> Value {
    let ran = rulemill(folder.path(), args);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn each_clause_has_its_share() {
    let project = project();
    let cases: [(&str, &str, &[&str], u64, bool); 5] = [
        ("speeding", "fast.json", &["decode", "SELECT", "WHERE", "JSON out"], 1, true),
        ("speeding", "slow.json", &["decode", "SELECT", "WHERE", "JSON out"], 0, true),
        ("hot", "list.json", &["decode", "FOREACH", "INCASE", "DO", "JSON out"], 1, false),
        ("online", "fast.json", &["SELECT", "JSON out"], 1, false),
        ("no_payload", "fast.json", &["SELECT", "JSON out"], 1, false),
    ];
    for (id, payload, clauses, outputs, acts) in cases {
        let rule = format!("rules/speeding.yaml:{id}");
        let args = ["bench", &rule, "--payload", payload, "--n", "100", "--format", "json"];
        let document = json(&project, &args);
        let result = &document["rules"][0];
        assert_eq!(document["rules"].as_array().unwrap().len(), 1);
        assert_eq!((&result["rule"], &result["outputs"]), (&Value::from(id), &Value::from(outputs)));
        let names: Vec<&str> =
            result["clauses"].as_array().unwrap().iter().map(|c| c["name"].as_str().unwrap()).collect();
        assert_eq!(names, clauses, "{id}");
        let share: f64 =
            result["clauses"].as_array().unwrap().iter().map(|c| c["share"].as_f64().unwrap()).sum();
        assert!((share - 1.0).abs() < 1e-9, "{result}");
        let time = &result["ns_per_message"];
        let [low, median, high] =
            ["low_quartile", "median", "high_quartile"].map(|k| time[k].as_f64().unwrap());
        assert!(0.0 < low && low <= median && median <= high, "{time}");
        assert!((1e9 / median - result["messages_per_second"].as_f64().unwrap()).abs() < 1.0);
        assert_eq!(result["ns_per_message_with_actions"].is_number(), acts, "{id}");
        // 100 messages in rounds of the same length.
        assert_eq!((&result["rounds"], &result["messages"]), (&Value::from(31), &Value::from(124)));
    }
}

#[test]
fn a_single_message_is_a_round() {
    let project = project();
    let args = ["bench", "rules/a:b.sql", "--payload", "fast.json", "--n", "1", "--format", "json"];
    let result = &json(&project, &args)["rules"][0];
    assert_eq!((&result["rounds"], &result["messages"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(result["rule"], "a:b");
}

#[test]
fn people_get_a_table() {
    let project = project();
    let args = ["bench", "rules/speeding.yaml:speeding", "--payload", "fast.json", "--n", "310"];
    let ran = rulemill(project.path(), &args);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
    let out = Regex::new(r"[\d.]+ [nµm]s").unwrap().replace_all(&ran.out, "TIME").into_owned();
    let out = Regex::new(r" +[\d.]+ % +").unwrap().replace_all(&out, " SHARE ").into_owned();
    let out =
        Regex::new(r"[\d,.]+( million)? messages a second").unwrap().replace_all(&out, "RATE").into_owned();
    let out = out.replace("This is a debug build: a release build takes a fraction of this.\n", "");
    assert_eq!(
        out,
        "speeding (rules/speeding.yaml): 1 output, 11 bytes for a payload of 27 bytes on car/x

  TIME a message, RATE on one core
  TIME with 2 actions rendered

  decode SHARE TIME
  SELECT SHARE TIME
  WHERE SHARE TIME
  JSON out SHARE TIME

  median of 31 rounds, 310 messages; the middle half lies within TIME and TIME

The clauses are measured apart, by running the statement up to each of them.
"
    );
}

#[test]
fn what_cannot_be_measured_has_its_sentence() {
    transcript::check("bench.txt", project().path());
}
