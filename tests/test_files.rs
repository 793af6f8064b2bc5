//! Every bad test file and every kind of expectation that fails, through the real binary: its exit code and each of
//! its sentences with place and way out, as recorded in tests/data/test_files.txt.
//!
//! A case is `=== NAME`, the text of `r.test.yaml`, and lines with `>`: what must be said. `UPDATE=1` records it anew.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::fs;
use std::path::Path;

use support::{folder, rulemill};

const RULES: &[u8] = br##"rule_engine:
  rules:
    hot:
      sql: |
        SELECT payload.t as temp, clientid
        FROM "s/#"
        WHERE payload.t > 30
      actions: ["http:alerts"]
    rep: { sql: 'SELECT qos FROM "s/#"', actions: [{ function: republish, args: { topic: x, payload: y } }] }
actions: { http: { alerts: { connector: c, parameters: { path: "/${temp}" } } } }
connectors: { http: { c: { url: "http://h:1" } } }
"##;
const HOT: &str = "{\"topic\":\"s/1\",\"payload\":\"{\\\"t\\\":31}\"}\n";
const COLD: &str = "{\"topic\":\"s/1\",\"payload\":\"{\\\"t\\\":1}\"}\n";

/// Exit code, findings with their helps, and differences: one a line.
fn said(text: &str) -> String {
    let files: &[(&str, String)] = &[
        ("rules/r.test.yaml", text.to_owned()),
        ("rules/c.ndjson", format!("{HOT}{COLD}")),
        ("rules/errors.ndjson", format!("{HOT}{{\"topic\":\"s/1\",\"payload\":\"no\"}}\n")),
        ("rules/broken.ndjson", format!("{HOT}{{\"topic\":\"s/1\",,\n{COLD}")),
        ("rules/f.json", "{\"t\": 31}".to_owned()),
        ("../outside.json", "{}".to_owned()),
    ];
    let mut all: Vec<(String, &[u8])> =
        files.iter().map(|(name, text)| (format!("p/{name}"), text.as_bytes())).collect();
    all.push(("p/rules/r.yaml".to_owned(), RULES));
    let all: Vec<(&str, &[u8])> = all.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    let folder = folder(&all);
    let ran = rulemill(&folder.path().join("p/rules"), &["test", "r.test.yaml"]);
    let mut said = format!("exit {}\n", ran.exit);
    let kept = |line: &&str| {
        let starts = ["error[", "  r.test", "    expected", "    actual", "    hint", "  note"];
        starts.iter().any(|start| line.starts_with(start)) || line.trim_start().starts_with("= help")
    };
    let places = |line: &&str| line.trim_start().starts_with("--> ");
    for line in ran.err.lines().chain(ran.out.lines()).filter(|line| kept(line) || places(line)) {
        let _ = writeln!(said, "{}", line.trim());
    }
    said
}

#[test]
fn each_test_file_has_its_sentences() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/test_files.txt");
    let recorded = fs::read_to_string(&path).unwrap();
    let mut now = String::new();
    for case in recorded.split("\n=== ").map(|case| case.trim_start_matches("=== ")) {
        let (name, rest) = case.split_once('\n').unwrap();
        let text: String = rest.lines().filter(|l| !l.starts_with('>')).map(|l| format!("{l}\n")).collect();
        let text = text.trim_end_matches('\n').to_owned() + "\n";
        let said: String = said(&text).lines().map(|line| format!("> {line}\n")).collect();
        let _ = write!(now, "{}=== {name}\n{text}{said}", if now.is_empty() { "" } else { "\n" });
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &now).unwrap();
    }
    for (recorded, now) in recorded.split("\n=== ").zip(now.split("\n=== ")) {
        assert_eq!(recorded, now, "UPDATE=1 records it anew");
    }
    assert_eq!(recorded.len(), now.len());
}
