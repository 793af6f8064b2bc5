//! `rulemill test` through the real binary: its reports, its selection, its speed.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use support::{Ran, findings, folder, rulemill, untimed};
use tempfile::TempDir;

const RULE: &[u8] = b"SELECT payload.t as t FROM \"s/#\" WHERE payload.t > 30";
const TESTS: &[u8] = b"tests:
  - { name: hot, given: { topic: s/1, payload: { t: 31 } }, expect: { output: { t: 31 } } }
  - { name: cold, given: { topic: s/1, payload: { t: 3 } }, expect: { output: { t: 3 } } }
  - { name: elsewhere, given: { topic: x }, expect: not_selected }
";

fn project() -> TempDir {
    folder(&[("rules/r.sql", RULE), ("rules/r.test.yaml", TESTS)])
}

fn run(folder: &TempDir, args: &[&str]) -> Ran {
    let mut all = vec!["test"];
    all.extend(args);
    let mut ran = rulemill(folder.path(), &all);
    ran.out = untimed(&ran.out);
    ran
}

/// The names of the tests that ran, in the order they are told.
fn ran(out: &str) -> Vec<&str> {
    out.lines().filter(|l| l.starts_with(['P', 'F'])).map(|l| l.rsplit(' ').next().unwrap()).collect()
}

#[test]
fn failures_are_shown_as_recorded() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/failures");
    let files = ["rules.yaml", "rules.test.yaml"].map(|name| (name, std::fs::read(data.join(name)).unwrap()));
    let folder = folder(&[(files[0].0, &files[0].1), (files[1].0, &files[1].1)]);
    let ran = run(&folder, &["rules.test.yaml"]);
    assert_eq!((ran.exit, ran.err.as_str()), (1, ""));
    let path = data.join("report.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &ran.out).unwrap();
    }
    let expected = std::fs::read_to_string(path).unwrap();
    assert_eq!(ran.out, expected, "UPDATE=1 records it anew:\n{}", ran.out);
}

#[test]
fn the_command_that_runs_it_again_can_be_pasted() {
    let tests = "tests:
  - name: it's \"$HOME\" & $(n)/h
    each: [{ n: 1 }, { n: 11 }]
    given: { topic: s/1, payload: { t: $(n) } }
    expect: { output: $any }
  - { name: other, given: { topic: s/1, payload: { t: 1 } }, expect: { output: $any } }
";
    let folder = folder(&[("my rules/it's.sql", RULE), ("my rules/it's.test.yaml", tests.as_bytes())]);
    let out = run(&folder, &["my rules", "--emqx", "4.3"]).out;
    let again: Vec<&str> =
        out.lines().filter_map(|line| line.strip_prefix("  run again: rulemill ")).collect();
    assert_eq!(
        again,
        [
            r#"test 'my rules/it'\''s.test.yaml:2' '/^it'\''s "\$HOME" \& 1/h$/' --emqx 4.3"#,
            r#"test 'my rules/it'\''s.test.yaml:2' '/^it'\''s "\$HOME" \& 11/h$/' --emqx 4.3"#,
            r#"test 'my rules/it'\''s.test.yaml:6' --emqx 4.3"#,
        ]
    );
    let cases = out.split("\n\n");
    for (words, case) in again.into_iter().zip(cases) {
        let command = format!("'{}' {words}", env!("CARGO_BIN_EXE_rulemill"));
        let mut shell = Command::new("sh");
        let ran =
            shell.args(["-c", &command]).current_dir(folder.path()).env("NO_COLOR", "1").output().unwrap();
        let printed = String::from_utf8(ran.stdout).unwrap();
        assert_eq!(untimed(&printed), format!("{case}\n\n1 test, 0 passed, 1 failed\n"), "{words}");
    }
}

#[test]
fn a_trace_shows_what_passes() {
    let folder = project();
    let out = run(&folder, &["--trace", "hot"]).out;
    let values = concat!(
        "PASS rules/r.test.yaml:2 hot\n",
        "  rule r (rules/r.sql:1)\n",
        "  1 | SELECT payload.t as t FROM \"s/#\" WHERE payload.t > 30\n",
        "    |        └ 31                            └ 31      └ true\n",
        "1 test, all passed\n",
    );
    assert_eq!(out, values);
}

#[test]
fn what_failed_is_remembered() {
    let folder = project();
    let nothing = "no run is remembered in .rulemill/failed-tests; `rulemill test` remembers what fails\n";
    let first = run(&folder, &["--failed"]);
    assert_eq!((first.exit, first.out.as_str()), (1, nothing));
    assert_eq!(run(&folder, &["hot"]).exit, 0);
    assert!(!folder.path().join(".rulemill").exists(), "nothing to remember makes no folder");
    assert_eq!(ran(&run(&folder, &[]).out), ["hot", "cold", "elsewhere"]);
    assert_eq!(ran(&run(&folder, &["--failed"]).out), ["cold"]);
    assert_eq!(ran(&run(&folder, &["--failed-first"]).out), ["cold", "hot", "elsewhere"]);
    // Another selection leaves it remembered.
    assert_eq!(run(&folder, &["hot"]).exit, 0);
    let none = run(&folder, &["--failed", "hot"]).out;
    assert_eq!(
        none,
        "none of the 1 tests that failed the last time is selected, says .rulemill/failed-tests\n"
    );
    let mended = String::from_utf8(TESTS.to_vec()).unwrap().replace("{ output: { t: 3 } }", "no_match");
    std::fs::write(folder.path().join("rules/r.test.yaml"), mended).unwrap();
    let ran = run(&folder, &["--failed"]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "PASS rules/r.test.yaml:3 cold\n1 test, all passed\n"));
    let ran = run(&folder, &["--failed"]);
    assert_eq!(
        (ran.exit, ran.out.as_str()),
        (1, "no test failed the last time, says .rulemill/failed-tests\n")
    );
}

#[test]
fn names_are_selected_by_pattern() {
    let folder = project();
    assert_eq!(ran(&run(&folder, &["/^(hot|cold)$/"]).out), ["hot", "cold"]);
    // The tests of a rule stand in the file of its name.
    assert_eq!(ran(&run(&folder, &["/^r$/"]).out), ["hot", "cold", "elsewhere"]);
    assert_eq!(run(&folder, &["/x$/"]).out, "none of 3 tests matches /x$/\n");
    let bad = run(&folder, &["/(/"]);
    assert_eq!((bad.exit, bad.err.as_str()), (2, "error: /(/ cannot be read: unclosed group\n"));
    let line = run(&folder, &["rules/r.test.yaml:1"]);
    assert_eq!((line.exit, line.out.as_str()), (1, "none of 3 tests matches rules/r.test.yaml:1\n"));
}

#[test]
fn a_seed_gives_its_order_again() {
    let mut tests = String::from("tests:\n");
    for n in 0..40 {
        let _ = writeln!(tests, "  - {{ name: n{n}, given: {{ topic: x }}, expect: not_selected }}");
    }
    let folder = folder(&[("rules/r.sql", RULE), ("rules/r.test.yaml", tests.as_bytes())]);
    let shuffled = run(&folder, &["--shuffle"]).out;
    let (first, rest) = shuffled.split_once('\n').unwrap();
    let seed = first.strip_prefix("shuffled; ").unwrap().split(' ').next().unwrap().to_owned();
    for jobs in ["1", "3"] {
        assert_eq!(run(&folder, &[&seed, "--jobs", jobs]).out, shuffled);
    }
    let in_order = run(&folder, &[]).out;
    assert_ne!(rest, in_order);
    let (mut one, mut other) = (ran(rest), ran(&in_order));
    assert_eq!((one.len(), other[39]), (40, "n39"));
    one.sort_unstable();
    other.sort_unstable();
    assert_eq!(one, other);
    assert_eq!(run(&folder, &["--shuffle=x"]).exit, 2);
}

#[test]
fn github_shows_failures_at_their_lines() {
    let folder = project();
    std::fs::write(folder.path().join("rules/bad.test.yaml"), "tests: []\n").unwrap();
    let ran = run(&folder, &["--format", "github"]);
    let commands: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("::")).collect();
    let expected = [
        "::error file=rules/r.test.yaml,line=3,col=69,title=cold (EMQX 5.8)::result: expected one output: {\"t\": 3}, got no_match",
        "::error file=rules/bad.test.yaml,line=1,col=8,title=E501::the file has no tests%0Aadd one under `tests:`, or remove the file",
    ];
    assert_eq!((ran.exit, commands), (1, expected.to_vec()));
}

/// Names and attributes of all elements, when the text is well-formed as far as reports go.
fn elements(xml: &str) -> Vec<(String, Vec<(String, String)>)> {
    let tag = regex::Regex::new(r#"<(/?)([a-z?]+)((?: [a-z]+="[^"<]*")*)\s*([/?]?)>"#).unwrap();
    let attribute = regex::Regex::new(r#"([a-z]+)="([^"]*)""#).unwrap();
    let (mut open, mut found, mut end) = (Vec::new(), Vec::new(), 0);
    let entity = regex::Regex::new("&(?:amp|lt|gt|quot|#[0-9]+);").unwrap();
    for tag in tag.captures_iter(xml) {
        let whole = tag.get(0).unwrap();
        let between = &xml[end..whole.start()];
        assert!(!between.contains(['<', '>']), "{between}");
        assert_eq!(between.matches('&').count(), entity.find_iter(between).count(), "{between}");
        end = whole.end();
        if &tag[1] == "/" {
            assert_eq!(open.pop().as_deref(), Some(&tag[2]));
            continue;
        }
        let attributes = attribute.captures_iter(&tag[3]).map(|a| (a[1].to_owned(), a[2].to_owned()));
        found.push((tag[2].to_owned(), attributes.collect()));
        if tag[4].is_empty() {
            open.push(tag[2].to_owned());
        }
    }
    assert!(open.is_empty() && xml[end..].trim().is_empty(), "{open:?} {}", &xml[end..]);
    found
}

#[test]
fn junit_is_well_formed() {
    let folder = project();
    let odd = b"tests: [{ name: \"<a> & \\\"b\\\" \\x01\", given: { topic: s/1, payload: { t: 31 } }, expect: { output: { t: \"<&>\" } } }]\n";
    std::fs::write(folder.path().join("rules/odd.test.yaml"), odd).unwrap();
    std::fs::write(folder.path().join("rules/odd.sql"), "SELECT payload.t as t FROM \"s/#\"").unwrap();
    std::fs::write(folder.path().join("rules/bad.test.yaml"), "tests: 5\n").unwrap();
    let ran = run(&folder, &["--format", "junit"]);
    assert_eq!((ran.exit, ran.err.as_str()), (2, ""));
    let elements = elements(&ran.out);
    let get = |element: &(String, Vec<(String, String)>), name: &str| {
        element.1.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let suites = &elements[1];
    assert_eq!(["tests", "failures", "errors"].map(|key| get(suites, key)), ["5", "2", "1"]);
    let cases: Vec<String> = elements
        .iter()
        .filter(|(name, _)| name == "testcase")
        .map(|case| {
            assert!(get(case, "time").parse::<f64>().is_ok());
            ["name", "file", "line"].map(|key| get(case, key)).join("|")
        })
        .collect();
    let expected = [
        "&lt;a&gt; &amp; &quot;b&quot; \u{fffd} (EMQX 5.8)|rules/odd.test.yaml|1",
        "hot (EMQX 5.8)|rules/r.test.yaml|2",
        "cold (EMQX 5.8)|rules/r.test.yaml|3",
        "elsewhere (EMQX 5.8)|rules/r.test.yaml|4",
        "E407|rules/bad.test.yaml|1",
    ];
    assert_eq!(cases, expected);
    let kinds: Vec<&str> = elements.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!((kinds.iter().filter(|k| **k == "failure").count(), kinds.last()), (2, Some(&"error")));
}

#[test]
fn wrong_faults_have_their_sentence() {
    let file = |faults: &str, expect: &str| {
        format!("tests: [{{ name: x, given: {{ topic: s/1 }}, faults: {faults}, expect: {expect} }}]\n")
    };
    let cases = [
        (file("{ a: [] }", "no_match"), "E409 r.test.yaml:1:56 'a' has from 1 to 1000 answers"),
        (file("{ a: tiemout }", "no_match"), "E506 r.test.yaml:1:56 'tiemout' is no answer of a server"),
        (file("{ a: 100 }", "no_match"), "E506 r.test.yaml:1:56 '100' is no answer of a server"),
        (
            file("{ a: 200 }", "{ actions: [{ id: a, result: sucess }] }"),
            "E505 r.test.yaml:1:100 'sucess' is no result of a delivery",
        ),
        (
            "tests: [{ name: x, steps: [{ advance: 1s, faults: { a: 200 } }] }]\n".to_owned(),
            "E505 r.test.yaml:1:43 'faults' does not stand without 'given'",
        ),
    ];
    for (test, sentence) in cases {
        let folder = folder(&[("r.sql", RULE), ("r.test.yaml", test.as_bytes())]);
        let ran = run(&folder, &["r.test.yaml"]);
        assert_eq!((ran.exit, findings(&ran.err)), (2, vec![sentence.to_owned()]), "{test}");
    }
    let list = |n: usize| file(&format!("{{ 'http:a': [{}] }}", vec!["503"; n].join(",")), "not_selected");
    for (n, exit) in [(1000, 1), (1001, 2)] {
        let folder = folder(&[("r.sql", RULE), ("r.test.yaml", list(n).as_bytes())]);
        assert_eq!(run(&folder, &["r.test.yaml"]).exit, exit, "{n}");
    }
}

#[test]
fn an_endless_delivery_ends_at_the_bound() {
    let rule = b"rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t\"', actions: ['http:a'] } } }\nactions: { http: { a: { connector: c, parameters: {}, resource_opts: { request_ttl: infinity } } } }\nconnectors: { http: { c: { url: 'http://h' } } }\n";
    let test = b"tests: [{ name: x, given: { topic: t }, faults: { 'http:a': 503 }, expect: { actions: [{ id: 'http:a', attempts: 10001, result: dropped }] } }]\n";
    let folder = folder(&[("r.yaml", rule), ("r.test.yaml", test)]);
    let ran = run(&folder, &["r.test.yaml"]);
    assert!(
        ran.out
            .contains("actions[0].result is different\n    expected  \"dropped\"\n    actual    \"endless\""),
        "{}",
        ran.out
    );
    assert!(!ran.out.contains("attempts is different"), "{}", ran.out);
}

#[test]
fn a_damaged_capture_is_told_where_it_is_damaged() {
    let mut capture = "{\"topic\": \"s/1\", \"payload\": \"{\\\"t\\\": 31}\"}\n".repeat(5000);
    let test = "tests: [{ name: x, each_line: { $ndjson: c.ndjson }, expect: { outputs_total: 5000 } }]\n";
    let folder =
        folder(&[("r.sql", RULE), ("r.test.yaml", test.as_bytes()), ("c.ndjson", capture.as_bytes())]);
    let ran = run(&folder, &["r.test.yaml"]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "PASS r.test.yaml:1 x\n1 test, all passed\n"));
    capture.push_str("{\"topic\"\n");
    std::fs::write(folder.path().join("c.ndjson"), capture).unwrap();
    let ran = run(&folder, &["r.test.yaml"]);
    let found = findings(&ran.out);
    assert_eq!(ran.exit, 2, "{}", ran.out);
    assert!(
        found.len() == 1 && found[0].starts_with("E507 r.test.yaml:1:42 line 5001 of the capture c.ndjson: "),
        "{found:?}"
    );
}

/// 100 files of 100 cases, each with a fixture of its own.
#[test]
fn ten_thousand_cases_take_seconds_even_here() {
    let mut files = vec![("rules/r.sql".to_owned(), RULE.to_vec())];
    for file in 0..100 {
        let mut tests = String::from("rule: r\ntests:\n");
        for case in 0..100 {
            let n = 31 + file * 100 + case;
            let _ = writeln!(
                tests,
                "  - name: case {n}\n    given: {{ topic: s/{n}, payload: {{ $file: ../fixtures/{n}.json }} }}\n    expect: {{ output: {{ t: {n} }} }}"
            );
            files.push((
                format!("fixtures/{n}.json"),
                format!("{{\"t\": {n}, \"site\": \"p\"}}").into_bytes(),
            ));
        }
        files.push((format!("rules/t{file:02}.test.yaml"), tests.into_bytes()));
    }
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    let folder = folder(&files);
    let started = Instant::now();
    let ran = run(&folder, &[]);
    let took = started.elapsed();
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!((lines.len(), lines[10_000]), (10_001, "10000 tests, all passed"));
    assert_eq!(lines[0], "PASS rules/t00.test.yaml:3 case 31");
    assert_eq!(lines[9_999], "PASS rules/t99.test.yaml:300 case 10030");
    // Below a second when built for release on two cores; a debug build on a busy machine gets a lot more.
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[test]
fn long_texts_are_shown_where_they_differ() {
    let text = |end: &str| format!("{}{end}{}", "0123456789".repeat(150), " and more".repeat(40));
    let tests = format!(
        "tests:\n  - {{ name: long, given: {{ topic: t, payload: {{ x: {} }} }}, expect: {{ output: {{ x: {} }} }} }}\n  - {{ name: short, given: {{ topic: t, payload: {{ x: the quick brown fox jumps }} }}, expect: {{ output: {{ x: the quick brown cat jumps }} }} }}\n",
        text("this"),
        text("that")
    );
    let folder = folder(&[("r.sql", b"SELECT payload.x as x FROM \"t\""), ("r.test.yaml", tests.as_bytes())]);
    let shown = |args: &[&str]| {
        let out = run(&folder, args).out;
        let kept = |line: &&str| ["expected", "actual", "differs"].iter().any(|w| line.trim().starts_with(w));
        out.lines().filter(kept).map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    };
    let around = "123456789".to_owned() + &"0123456789".repeat(2);
    let rest = " and more".repeat(6);
    assert_eq!(
        shown(&["r.test.yaml", "long"]),
        [
            format!("expected  …{around}that{rest} and mo…"),
            format!("actual    …{around}this{rest} and mo…"),
            "differs   from character 1503 on".to_owned(),
        ]
    );
    assert_eq!(
        shown(&["r.test.yaml", "short", "--color", "always"]),
        [
            "expected  \u{1b}[32m\"the quick brown \u{1b}[0m\u{1b}[32;7mcat\u{1b}[0m\u{1b}[32m jumps\"\u{1b}[0m",
            "actual    \u{1b}[31m\"the quick brown \u{1b}[0m\u{1b}[31;7mfox\u{1b}[0m\u{1b}[31m jumps\"\u{1b}[0m",
        ]
    );
}
