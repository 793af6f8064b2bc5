//! `rulemill eval` through the real binary: arguments and input, exit code, what is printed where.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, Write};
use std::process::{Command, Stdio};

/// Arguments, standard input, exit code, standard output, a part of standard error.
type Case<'a> = (&'a [&'a str], &'a str, i32, &'a str, &'a str);

const CASES: &[Case<'_>] = &[
    (&["SELECT payload.a + 1 AS b FROM \"#\""], "{\"a\": 1}", 0, "{\"b\":2}\n", ""),
    // A document over several lines is one payload; lines that are documents each are several.
    (&["SELECT payload.a AS a FROM \"#\""], "{\n \"a\":\n 1}\n", 0, "{\"a\":1}\n", ""),
    (&["SELECT payload.a AS a FROM \"#\""], "{\"a\":1}\r\n{\"a\":2}", 0, "{\"a\":1}\n{\"a\":2}\n", ""),
    (
        &["SELECT payload.a AS a, '{\\\"' AS \"k:,\" FROM t", "--pretty"],
        "{\"a\": [1, {}, [], {\"b\": 123456789012345678901}]}",
        0,
        "{\n  \"k:,\": \"{\\\\\\\"\",\n  \"a\": [\n    1,\n    {},\n    [],\n    {\n      \"b\": 123456789012345678901\n    }\n  ]\n}\n",
        "",
    ),
    (&["SELECT payload FROM \"#\""], "no json", 0, "{\"payload\":\"no json\"}\n", ""),
    (&["SELECT topic FROM \"a/+/#\""], "1", 0, "{\"topic\":\"a/x/x\"}\n", ""),
    (
        &["SELECT qos, clientid FROM t", "--qos", "1", "--clientid", "c9"],
        "1",
        0,
        "{\"qos\":1,\"clientid\":\"c9\"}\n",
        "",
    ),
    (&["SELECT x FROM t", "--column", "x={\"y\":[1]}"], "1", 0, "{\"x\":{\"y\":[1]}}\n", ""),
    (&["FOREACH payload AS p FROM t WHERE false"], "[1]", 0, "", ""),
    (&["FOREACH json_decode(payload) AS p DO p FROM t"], "[1,2]", 0, "{\"p\":1}\n{\"p\":2}\n", ""),
    (
        &["SELECT event, reason FROM \"$events/client_disconnected\"", "--column", "reason=\"normal\""],
        "",
        0,
        "{\"reason\":\"normal\",\"event\":\"client.disconnected\"}\n",
        "",
    ),
    (
        &["SELECT username FROM \"$events/client_connected\"", "--fill-samples"],
        "",
        0,
        "{\"username\":\"u_emqx\"}\n",
        "",
    ),
    (&["SELECT 'a' + 1 AS x FROM t", "--emqx", "4.3"], "1", 1, "", "error[E310]"),
    (&["SELECT 'a' + 1 AS x FROM t"], "1", 0, "{\"x\":\"a1\"}\n", ""),
    (&["SELECT payload.a FROM t"], "no json", 1, "", "the payload is no JSON"),
    (
        &["SELECT payload.a AS a FROM t"],
        "{\"a\":1}\n\n{\"a\":\n",
        1,
        "{\"a\":1}\n",
        "this happened at line 3",
    ),
    // One bad message does not stop the others.
    (&["SELECT payload.a AS a FROM t"], "x\n{\"a\":1}", 1, "{\"a\":1}\n", "the payload is no JSON"),
    (&["SELECT a FROM t", "--topic", "u"], "1", 1, "", "the topic 'u' matches none of FROM t"),
    (&["SELECT FROM t"], "1", 3, "", "expected an expression"),
    (&["SELECT 1 AS a FROM t", "--column", "a"], "1", 2, "", "--column a is not NAME=JSON"),
    (&["SELECT 1 AS a FROM t", "--column", "a=b"], "1", 2, "", "'b' is no JSON"),
    (&["SELECT 1 AS a FROM t", "--qos", "3"], "1", 2, "", "3 is not in 0..=2"),
    (&["SELECT 1 AS a FROM t", "--emqx", "5.9"], "1", 2, "", "unknown EMQX profile '5.9'"),
    (&["SELECT 1 AS a FROM t", "missing.json"], "", 2, "", "cannot read 'missing.json'"),
    (&["@missing.sql"], "", 2, "", "cannot read 'missing.sql'"),
];

/// Exit code, standard output, standard error.
fn eval(args: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .arg("eval")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that fails early reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn statements_over_messages() {
    for (args, input, exit, out, err) in CASES {
        let (code, stdout, stderr) = eval(args, input);
        assert_eq!(code, *exit, "{args:?}: {stdout}{stderr}");
        assert_eq!(stdout, *out, "{args:?}");
        assert!(stderr.contains(err), "{args:?}: {stderr}");
        assert!(!err.is_empty() || stderr.is_empty(), "{args:?}: {stderr}");
    }
}

/// The table is `data/run_time.txt`; `UPDATE_TABLES=1 cargo test --test eval` writes its answers anew.
#[test]
fn failures_say_what_was_wrong_with_which_value() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/run_time.txt");
    let table = std::fs::read_to_string(&path).unwrap();
    let (mut got, mut payload) = (String::new(), "");
    let mut lines = table.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            got += &format!("{line}\n");
        }
        if let Some(text) = line.strip_prefix('<') {
            got += &format!("\n{line}\n");
            payload = text.trim_start();
        }
        let Some(text) = line.strip_prefix("> ") else { continue };
        let mut sql = text.to_owned();
        got += &format!("\n{line}\n");
        while let Some(next) = lines.next_if(|next| next.starts_with("> ")) {
            sql += &format!("\n{}", &next[2..]);
            got += &format!("{next}\n");
        }
        let (exit, out, err) = eval(&[&sql], payload);
        assert_eq!(out, "", "{sql}");
        assert!((1..=3).contains(&exit), "{sql}");
        got += &err.trim_end().replace("\n --> <sql>:", "\n at ");
        got += "\n";
    }
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&path, &got).unwrap();
        return;
    }
    let other = got.lines().zip(table.lines()).enumerate().find(|(_, (got, expected))| got != expected);
    if let Some((line, (got, expected))) = other {
        panic!("line {}:\n     got {got}\nexpected {expected}", line + 1);
    }
    assert_eq!(got, table);
}

#[test]
fn input_is_read_as_it_comes() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .args(["eval", "SELECT payload.a AS a FROM t"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    for n in 1..4 {
        input.write_all(format!("{{\"a\": {n}}}\n").as_bytes()).unwrap();
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line, format!("{{\"a\":{n}}}\n"));
    }
    drop(input);
    assert!(child.wait().unwrap().success());
}

#[test]
fn colours_come_when_asked_for() {
    for (color, escapes) in [("always", true), ("never", false), ("auto", false)] {
        let (_, _, err) = eval(&["SELECT 'a' * 2 AS x FROM t", "--color", color], "1");
        assert_eq!(err.contains("\u{1b}["), escapes, "{color}: {err}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let script = "yes '{\"a\":1}' | head -n 20000 | \"$0\" eval 'SELECT payload.a AS a FROM t' 2>err | head -n 1 >out; \
                  test ! -s err && cat out";
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_rulemill")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "{\"a\":1}\n");
}
