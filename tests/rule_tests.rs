//! `rulemill test` through the real binary: what passes, what fails and how it is shown, and every bad test file.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::path::Path;

use support::{findings, folder, rulemill, untimed};

const RULE: &str = r##"rule_engine:
  rules:
    hot:
      sql: |
        SELECT payload.t as temp, clientid
        FROM "s/#"
        WHERE payload.t > 30
      actions: ["http:alerts"]
    off: { sql: 'SELECT * FROM "s/#"', enable: false }
actions: { http: { alerts: { connector: c, parameters: { path: "/${temp}" } } } }
connectors: { http: { c: { url: "http://h:1", headers: { authorization: secret } } } }
"##;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_examples_pass() {
    let ran = rulemill(root(), &["test"]);
    let last = untimed(ran.out.lines().last().unwrap());
    assert!(
        ran.exit == 0 && last.ends_with("tests, all passed") && ran.err.is_empty(),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn the_behaviours_hold() {
    for name in ["cluster", "flow", "http", "matchers", "republish", "sinks"] {
        let ran = rulemill(root(), &["test", "-q", &format!("tests/rules/{name}.test.yaml")]);
        assert!(
            ran.exit == 0 && ran.out.contains("all passed") && ran.err.is_empty(),
            "{}{}",
            ran.out,
            ran.err
        );
    }
}

/// Runs one test of the rule `hot` and gives what is printed between its line and the rule.
fn differences(given: &str, expect: &str) -> String {
    let test = format!("rule: hot\ntests:\n  - name: x\n    given: {given}\n    expect: {expect}\n");
    let folder = folder(&[("r.yaml", RULE.as_bytes()), ("r.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
    let (line, rest) = ran.out.split_once('\n').unwrap_or_default();
    if ran.exit == 0 {
        return "passed".to_owned();
    }
    assert_eq!((ran.exit, line), (1, "FAIL r.test.yaml:3 x"), "{}{}", ran.out, ran.err);
    let end = rest.find("  rule hot (r.yaml:3)").unwrap_or_else(|| panic!("no rule is shown in {rest}"));
    let shown = untimed(&rest[end..]);
    let values = concat!(
        "  rule hot (r.yaml:3)\n",
        "  5 |         SELECT payload.t as temp, clientid\n",
        "    |                └ 31.5             └ \"c_test\"\n",
        "  6 |         FROM \"s/#\"\n",
        "  7 |         WHERE payload.t > 30\n",
        "    |               └ 31.5    └ true\n",
    );
    let last = "  run again: rulemill test r.test.yaml:3\n\n1 test, 0 passed, 1 failed\n";
    assert_eq!(shown, format!("{values}{last}"));
    rest[..end].to_owned()
}

const HOT: &str = "{ topic: s/1, payload: { t: 31.5 } }";

#[test]
fn differences_are_shown_value_by_value() {
    let cases: &[(&str, &str)] = &[
        ("{ output: { temp: 31.5, clientid: c_test }, actions: $any }", "passed"),
        (
            "{ output: { temp: 31, clientid: c_test }, actions: $any }",
            "  r.test.yaml:5:31: output.temp is different\n    expected  31\n    actual    31.5\n",
        ),
        (
            "{ output: { temp: 31.5 }, actions: $any }",
            "  r.test.yaml:5:23: output.clientid is not expected\n    actual    \"c_test\"\n",
        ),
        (
            "{ output: { temp: 31.5, clientid: c_test, x: { y: 1 } }, actions: $any }",
            "  r.test.yaml:5:58: output.x is missing\n    expected  {\"y\": 1}\n",
        ),
        (
            "{ output: { temp: \"31.5\", clientid: 7 }, actions: $any }",
            "  r.test.yaml:5:31: output.temp is different\n    expected  \"31.5\"\n    actual    31.5\n    hint      it is a number, not a string\n  r.test.yaml:5:49: output.clientid is different\n    expected  7\n    actual    \"c_test\"\n    hint      it is a string, not a number\n",
        ),
        (
            "no_match",
            "  r.test.yaml:5:13: result is different\n    expected  no_match\n    actual    one output: {\"clientid\": \"c_test\", \"temp\": 31.5}\n",
        ),
        (
            "{ outputs: [] , actions: $any}",
            "  r.test.yaml:5:24: outputs[0] is not expected\n    actual    {\"clientid\": \"c_test\", \"temp\": 31.5}\n",
        ),
        (
            "{ error: where }",
            "  r.test.yaml:5:13: result is different\n    expected  error: where\n    actual    one output: {\"clientid\": \"c_test\", \"temp\": 31.5}\n",
        ),
        (
            "{ output: $any }",
            "  r.test.yaml:5:13: actions[0] is not expected\n    actual    http:alerts {method: \"POST\", url: \"http://h:1/31.5\", body: \"{\\\"temp\\\":31.5,\\\"clientid\\\":\\\"c_test\\\"}\"}\n    hint      write what it does under `actions:`, or `actions: $any`\n",
        ),
        (
            "{ actions: [] }",
            "  r.test.yaml:5:13: actions[0] is not expected\n    actual    http:alerts {method: \"POST\", url: \"http://h:1/31.5\", body: \"{\\\"temp\\\":31.5,\\\"clientid\\\":\\\"c_test\\\"}\"}\n",
        ),
        (
            "{ actions: [{ id: 'http:alerts', http: { url: x, headers: { $contains: { authorization: no } }, body: { $json: { temp: 31.5 } } } }, { id: console, console: $any }] }",
            "  r.test.yaml:5:59: actions[0].http.url is different\n    expected  \"x\"\n    actual    \"http://h:1/31.5\"\n  r.test.yaml:5:101: actions[0].http.headers.authorization is different\n    expected  ******\n    actual    ******\n  r.test.yaml:5:124: actions[0].http.body.$json.clientid is not expected\n    actual    \"c_test\"\n  r.test.yaml:5:146: actions[1] is missing\n    expected  console console\n",
        ),
        (
            "{ actions: [{ id: 'http:other', http: $any }] }",
            "  r.test.yaml:5:25: actions[0].id is different\n    expected  http:other\n    actual    http:alerts\n",
        ),
        (
            "{ actions: [{ id: 'http:alerts', republish: $any }] }",
            "  r.test.yaml:5:25: actions[0] is different\n    expected  republish\n    actual    http\n",
        ),
        (
            "{ output: $any, actions: $any, warns: [E101] }",
            "  r.test.yaml:5:13: warns is different\n    expected  [E101]\n    actual    []\n",
        ),
    ];
    let mut wrong = String::new();
    for (expect, shown) in cases {
        let actual = differences(HOT, expect);
        if actual != *shown {
            wrong += &format!("{expect}\n{actual:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn matchers_say_what_they_wanted() {
    let cases = [
        ("{ $type: integer }", "$type integer"),
        ("{ $regex: '^3$' }", "$regex \"^3$\""),
        ("{ $approx: [31, 0.25] }", "$approx [31, 0.25]"),
        ("{ $range: [null, 31] }", "$range [null, 31]"),
        ("{ $hex: '00' }", "\"\\u0000\""),
        ("{ $contains: { a: 1 } }", "$contains {\"a\": 1}"),
        ("{ $unordered: [1, 2] }", "$unordered [1, 2]"),
        ("{ $len: 4 }", "$len 4"),
        ("{ $not: 31.5 }", "$not 31.5"),
        ("$undefined", "$undefined"),
        ("[31.5]", "[31.5]"),
    ];
    for (matcher, wanted) in cases {
        let shown =
            differences(HOT, &format!("{{ output: {{ $contains: {{ temp: {matcher} }} }}, actions: $any }}"));
        let expected = format!(
            "  r.test.yaml:5:{}: output.temp is different\n    expected  {wanted}\n    actual    31.5\n",
            "    expect: { output: { $contains: { temp: ".len() + 1
        );
        assert_eq!(shown, expected, "{matcher}");
    }
    let absent = differences(HOT, "{ output: { $contains: { temp: $absent } }, actions: $any }");
    assert!(absent.ends_with("output.temp is not expected\n    actual    31.5\n"), "{absent}");
    let json = differences(HOT, "{ output: { $contains: { clientid: { $json: 1 } } }, actions: $any }");
    assert!(json.contains("hint      it is no JSON: no value"), "{json}");
}

#[test]
fn three_kinds_of_nothing() {
    let given = "{ topic: s/1, payload: { t: 31, n: null, u: undefined } }";
    let rule = "SELECT payload.n as n, payload.u as u, payload.x as x FROM \"s/#\"\n";
    let test = format!(
        "tests:\n  - name: x\n    given: {given}\n    expect: {{ output: {{ n: $undefined, u: $undefined, x: null }} }}\n  - name: y\n    given: {given}\n    expect: {{ output: {{ n: undefined, u: null, x: undefined }} }}\n"
    );
    let folder = folder(&[("r.sql", rule.as_bytes()), ("r.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
    let actual: Vec<&str> =
        ran.out.lines().filter(|l| l.starts_with("    actual") || l.starts_with("    hint")).collect();
    assert_eq!(
        actual,
        [
            "    actual    null",
            "    hint      it is null, not undefined",
            "    actual    \"undefined\"",
            "    hint      it is the text \"undefined\"; templates and JSON write undefined so",
            "    actual    undefined",
            "    hint      it is undefined, not null: write $undefined",
            "    actual    null",
            "    actual    \"undefined\"",
            "    actual    undefined",
            "    hint      it is undefined, not the text \"undefined\": write $undefined",
        ]
    );
}

#[test]
fn a_failing_clause_is_shown_in_the_rule_file() {
    let folder = folder(&[
        ("r.yaml", RULE.as_bytes()),
        (
            "r.test.yaml",
            b"rule: hot\ntests: [{ name: x, given: { topic: s/1, payload: no }, expect: no_match }]\n",
        ),
    ]);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
    assert_eq!(ran.exit, 1);
    assert!(findings(&ran.out)[0].starts_with("E301 r.yaml:5:16 the payload is no JSON"), "{}", ran.out);
    assert!(
        ran.out.contains("    expected  no_match\n    actual    error: select (the payload is no JSON"),
        "{}",
        ran.out
    );
}

/// A test file that is wrong, what is said, and how the command ends.
const BAD: &[(&str, &[&str], i32)] = &[
    ("", &["E403 r.test.yaml the file is empty"], 2),
    ("tests: []\n", &["E501 r.test.yaml:1:8 the file has no tests"], 1),
    ("rule: hot\n", &["E501 r.test.yaml:1:1 the file has no tests"], 1),
    ("tests: [\n", &["E402 r.test.yaml:1:8 not valid YAML: unclosed bracket '['"], 2),
    ("tests: 5\n", &["E407 r.test.yaml:1:8 'tests' must be a list, not an integer"], 2),
    (
        "test: []\ntests: [{ name: x, given: { topic: t }, expect: no_match }]\n",
        &["E406 r.test.yaml:1:1 the test file has no key 'test'"],
        2,
    ),
    (
        "tests: [{ nam: x, given: { topic: t, paylod: x }, expect: no_mach }]\n",
        &[
            "E406 r.test.yaml:1:11 the test has no key 'nam'",
            "E408 r.test.yaml:1:9 the test has no 'name'",
            "E406 r.test.yaml:1:38 given has no key 'paylod'",
            "E505 r.test.yaml:1:59 'no_mach' is no expectation",
        ],
        2,
    ),
    (
        "tests: [{ name: x }]\n",
        &["E408 r.test.yaml:1:9 the test has no 'given'", "E408 r.test.yaml:1:9 the test has no 'expect'"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: a/#, qos: 3, retain: 1 }, expect: no_match }]\n",
        &[
            "E506 r.test.yaml:1:36 no message has the topic 'a/#': a topic name cannot hold the wildcards `+` and `#`",
            "E506 r.test.yaml:1:46 qos is 3; it must be 0, 1 or 2",
            "E407 r.test.yaml:1:57 'retain' must be true or false, not an integer",
        ],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t, payload: { $file: no.json } }, expect: no_match }]\n",
        &["E507 r.test.yaml:1:57 cannot read the fixture no.json: it does not exist"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t, payload: { $hex: xyz } }, expect: no_match }]\n",
        &["E506 r.test.yaml:1:56 'xyz' is not pairs of hexadecimal digits"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t, payload: { $fil: x } }, expect: no_match }]\n",
        &["E503 r.test.yaml:1:50 there is no word '$fil' here"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t, payload: { a: { $hex: '00' } } }, expect: no_match }]\n",
        &["E503 r.test.yaml:1:55 '$hex' has no meaning inside a payload"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t }, expect: { output: { a: $anny, b: { $rex: x }, c: { $range: 5 }, d: { $regex: '(' }, e: { $any: 1, x: 2 } } } }]\n",
        &[
            "E503 r.test.yaml:1:64 there is no word '$anny'",
            "E503 r.test.yaml:1:76 there is no word '$rex' here",
            "E504 r.test.yaml:1:100 $range wants [low, high], two numbers; null leaves a side open",
            "E504 r.test.yaml:1:118 $regex cannot be read: unclosed group",
            "E503 r.test.yaml:1:130 there is no word '$any' here",
        ],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t }, expect: { output: 1, error: select } }]\n",
        &["E505 r.test.yaml:1:62 'output' and 'error' contradict each other"],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t }, expect: { error: selec } }]\n",
        &[
            "E505 r.test.yaml:1:58 'selec' is no clause that can fail; write one of select, where, foreach, incase, do",
        ],
        2,
    ),
    (
        "tests: [{ name: x, given: { topic: t }, expect: { actions: [{ id: a }, { id: b, http: { url: x } }, { http: $any }] } }]\n",
        &[
            "E505 r.test.yaml:1:61 nothing is said about the action 'a'",
            "E505 r.test.yaml:1:87 'body' must be written: what is sent is what a test is for",
            "E408 r.test.yaml:1:101 action has no 'id'",
        ],
        2,
    ),
    (
        "tests: [{ name: x, given: { event: client_conected }, expect: no_match }]\n",
        &["E506 r.test.yaml:1:36 EMQX has no event 'client_conected'"],
        2,
    ),
    (
        "tests: [{ name: x, given: { event: client_connected, columns: { clientd: a } }, expect: no_match }]\n",
        &["E506 r.test.yaml:1:65 the event client.connected has no column 'clientd'"],
        2,
    ),
    (
        "emqx: 6\nclock: today\nzone: CET\nseed: -1\ntests: [{ name: x, given: { topic: t }, expect: {} }]\n",
        &[
            "E409 r.test.yaml:1:7 unknown EMQX profile '6'; write 5.8 or 4.3",
            "E409 r.test.yaml:2:8 'clock' must be a time such as 2022-05-05T10:00:00Z, or milliseconds",
            "E409 r.test.yaml:3:7 'zone' must be an offset such as UTC or \"+08:00\"",
            "E409 r.test.yaml:4:7 'seed' must be an integer from 0 to 2^64 - 1",
            "E505 r.test.yaml:5:49 the expectation says nothing",
        ],
        2,
    ),
    (
        "tests: [{ name: x, steps: [{ at: 1s, advance: 1s }, {}, { advance: soon }], expect: no_match }]\n",
        &[
            "E505 r.test.yaml:1:77 'expect' does not stand beside 'steps', but in each of them",
            "E506 r.test.yaml:1:28 a step has 'at' or 'advance', not both",
            "E505 r.test.yaml:1:53 the step does nothing",
            "E409 r.test.yaml:1:68 'soon' is no duration such as 10s or 500ms",
        ],
        2,
    ),
    (
        "tests: [{ name: \"x $(b)\", each: [{ a: 1 }], given: { topic: t }, expect: no_match }]\n",
        &["E503 r.test.yaml:1:17 the row has no 'b'"],
        2,
    ),
];

#[test]
fn every_bad_test_file_has_its_sentence() {
    let mut wrong = String::new();
    for (text, expected, exit) in BAD {
        let folder = folder(&[("r.yaml", RULE.as_bytes()), ("r.test.yaml", text.as_bytes())]);
        let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
        if findings(&ran.err) != *expected || ran.exit != *exit || !ran.out.is_empty() {
            wrong += &format!("{text}exit {}\n{:#?}\n{}\n", ran.exit, findings(&ran.err), ran.out);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn a_test_for_a_missing_rule_fails() {
    let test = "tests:\n  - { name: a, rule: hott, given: { topic: t }, expect: no_match }\n  - { name: b, rule: 'off', given: { topic: t }, expect: disabled }\n";
    let folder = folder(&[("r.yaml", RULE.as_bytes()), ("x.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "x.test.yaml"]);
    assert_eq!(ran.exit, 1, "{}", ran.err);
    assert_eq!(findings(&ran.out), ["E502 x.test.yaml:2:22 there is no rule 'hott'"]);
    assert!(
        ran.out.contains("help: did you mean 'hot'?") && ran.out.contains("2 tests, 1 passed, 1 failed"),
        "{}",
        ran.out
    );
}

#[test]
fn a_test_file_without_its_rule_file_fails() {
    let folder = folder(&[
        ("r.yaml", RULE.as_bytes()),
        ("x.test.yaml", b"tests: [{ name: a, given: { topic: t }, expect: no_match }]\n"),
    ]);
    let ran = rulemill(folder.path(), &["test", "x.test.yaml"]);
    assert_eq!(
        findings(&ran.out),
        ["E502 x.test.yaml:1:9 there is no rule file x.yaml, .yml, .json or .sql with rules"]
    );
    assert_eq!(ran.exit, 1);
}

#[test]
fn rules_that_do_not_compile_end_with_three() {
    let test = b"tests: [{ name: a, given: { topic: t }, expect: no_match }]\n";
    let folder = folder(&[
        ("r.sql", b"SELECT FROM"),
        ("r.test.yaml", test),
        ("ok.sql", b"SELECT 1 as a FROM t WHERE 1 > 2"),
        ("ok.test.yaml", test),
    ]);
    let ran = rulemill(folder.path(), &["test", "."]);
    assert_eq!(ran.exit, 3);
    assert_eq!(findings(&ran.out), ["E502 r.test.yaml:1:9 the rule 'r' does not compile"]);
    assert!(findings(&ran.err)[0].starts_with("E004 r.sql:1:8 "), "{}", ran.err);
    assert!(
        ran.out.contains("PASS ok.test.yaml:1 a\n") && ran.out.contains("2 tests, 1 passed, 1 failed"),
        "{}",
        ran.out
    );
    // A broken neighbour is none of a test's business.
    let ran = rulemill(folder.path(), &["test", "ok.test.yaml"]);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[test]
fn fixtures_stay_inside_the_project() {
    let test = b"tests: [{ name: a, given: { topic: t, payload: { $file: ../../secret.json } }, expect: { output: { a: 1 } } }]\n";
    let folder = folder(&[
        ("p/rules/r.sql", b"SELECT payload.a as a FROM t"),
        ("p/rules/r.test.yaml", test),
        ("secret.json", b"{\"a\": 1}"),
    ]);
    let project = folder.path().join("p");
    let ran = rulemill(&project, &["test"]);
    let outside = "E507 rules/r.test.yaml:1:57 the fixture ../../secret.json lies outside the project; --allow-outside lets it";
    assert_eq!((ran.exit, findings(&ran.err)), (2, vec![outside.to_owned()]));
    let ran = rulemill(&project, &["test", "--allow-outside"]);
    assert_eq!(
        (ran.exit, untimed(&ran.out)),
        (0, "PASS rules/r.test.yaml:1 a\n1 test, all passed\n".to_owned())
    );
    // From inside the folder the project is the same.
    let ran = rulemill(&project.join("rules"), &["test", "r.test.yaml"]);
    assert_eq!(ran.exit, 2);
}

#[test]
fn tests_are_selected_by_line_and_name() {
    let test = "tests:\n  - name: one cold\n    given: { topic: t, payload: 1 }\n    expect: not_selected\n  - { name: two hot, given: { topic: s, payload: 1 }, expect: not_selected }\n  - { name: three cold, emqx: '4.3', given: { topic: x }, expect: not_selected }\n";
    let folder = folder(&[("rules/r.sql", b"SELECT * FROM \"s\""), ("rules/r.test.yaml", test.as_bytes())]);
    let run = |args: &[&str]| {
        let ran = rulemill(folder.path(), args);
        (ran.exit, untimed(&ran.out).lines().map(str::to_owned).collect::<Vec<_>>())
    };
    assert_eq!(
        run(&["test", "cold"]).1,
        [
            "PASS rules/r.test.yaml:2 one cold (EMQX 5.8)",
            "PASS rules/r.test.yaml:6 three cold (EMQX 4.3)",
            "2 tests, all passed",
        ]
    );
    assert_eq!(
        run(&["test", "rules/r.test.yaml:4"]),
        (0, vec!["PASS rules/r.test.yaml:2 one cold".to_owned(), "1 test, all passed".to_owned()])
    );
    assert_eq!(run(&["test", "rules", "two", "--list"]), (0, vec!["rules/r.test.yaml:5 two hot".to_owned()]));
    assert_eq!(run(&["test", "-q", "one"]), (0, vec!["1 test, all passed".to_owned()]));
    assert_eq!(run(&["test", "nothing"]), (1, vec!["none of 3 tests matches 'nothing'".to_owned()]));
    let (exit, lines) = run(&["test", "--fail-fast"]);
    assert_eq!((exit, lines.last().map(String::as_str)), (1, Some("2 tests, 1 passed, 1 failed")));
    let (exit, lines) = run(&["test", "rules/nope.test.yaml"]);
    assert_eq!((exit, lines.len()), (2, 0));
}

#[test]
fn an_empty_selection_fails() {
    let folder = folder(&[("rules/r.sql", b"SELECT * FROM t"), ("empty/x.txt", b"")]);
    for args in [&["test"][..], &["test", "empty"]] {
        let ran = rulemill(folder.path(), args);
        assert_eq!((ran.exit, untimed(&ran.out)), (1, "no test files found\n".to_owned()), "{args:?}");
    }
}

#[test]
fn results_for_programs() {
    let test = "rule: hot\ntests:\n  - name: x\n    given: { topic: s/1, payload: { t: 40 } }\n    expect: { output: { temp: 41, clientid: c_test }, actions: $any }\n  - { name: y, given: { topic: x }, expect: not_selected }\n";
    let folder = folder(&[("r.yaml", RULE.as_bytes()), ("r.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "--format", "json", "r.test.yaml"]);
    let mut document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    for case in document["cases"].as_array_mut().unwrap() {
        assert!(case["ms"].take().as_f64().unwrap() > 0.0);
    }
    let value = |expression: &str, line: usize, column: usize, value: &str| serde_json::json!({ "expression": expression, "line": line, "column": column, "item": null, "value": value });
    let expected = serde_json::json!({
        "passed": 1, "failed": 1, "problems": [],
        "cases": [
            {
                "name": "x", "file": "r.test.yaml", "line": 3, "emqx": "5.8", "passed": false, "problems": [],
                "differences": [{
                    "path": "output.temp", "kind": "different", "line": 5, "column": 31, "expected": "41", "actual": "40",
                }],
                "lints": [], "rules": [{ "id": "hot", "file": "r.yaml", "line": 3 }],
                "explained": [{
                    "rule": "hot", "of": "", "notes": [],
                    "values": [
                        value("payload.t", 5, 16, "40"), value("clientid", 5, 35, "\"c_test\""),
                        value("payload.t", 7, 15, "40"), value("payload.t > 30", 7, 15, "true"),
                    ],
                }],
                "ms": null,
            },
            {
                "name": "y", "file": "r.test.yaml", "line": 6, "emqx": "5.8", "passed": true, "problems": [],
                "differences": [], "lints": [], "rules": [], "explained": [], "ms": null,
            },
        ],
    });
    assert_eq!((ran.exit, document), (1, expected));
}

#[test]
fn several_rules_need_names() {
    let rule = "rule_engine:\n  rules:\n    a: { sql: 'SELECT 1 as a FROM \"t\"' }\n    b: { sql: 'SELECT 2 as b FROM \"t\"' }\n    c: { sql: 'SELECT 3 as c FROM \"u\"' }\n";
    let test = "tests:\n  - { name: two reached, given: { topic: t }, expect: { output: { a: 1 } } }\n  - { name: one reached, given: { topic: u }, expect: { output: { c: 3 } } }\n  - { name: one unsaid, given: { topic: t }, expect: { rules: { a: { output: { a: 1 } } } } }\n  - { name: all said, given: { topic: t }, expect: { rules: { a: { output: { a: 1 } }, b: { output: { b: 2 } }, c: not_selected } } }\n  - { name: unknown, given: { topic: u }, expect: { rules: { d: not_selected } } }\n";
    let folder = folder(&[("r.yaml", rule.as_bytes()), ("r.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
    let kept =
        |line: &&str| line.starts_with(['P', 'F']) || line.starts_with("    ") || line.contains(" is ");
    let lines: Vec<&str> = ran.out.lines().filter(kept).collect();
    assert_eq!(
        lines,
        [
            "FAIL r.test.yaml:2 two reached",
            "  r.test.yaml:2:55: rules is different",
            "    expected  one rule that the message reaches",
            "    actual    a, b",
            "    hint      name the rule with `rule:`, or write `expect: { rules: { … } }`",
            "PASS r.test.yaml:3 one reached",
            "FAIL r.test.yaml:4 one unsaid",
            "  r.test.yaml:4:68: rules.b is not expected",
            "    actual    one output: {\"b\": 2}",
            "PASS r.test.yaml:5 all said",
            "FAIL r.test.yaml:6 unknown",
            "  r.test.yaml:6:62: rules.d is missing",
            "    expected  the rule 'd'",
            "    hint      the test runs a, b, c",
            "  r.test.yaml:6:65: rules.c is not expected",
            "    actual    one output: {\"c\": 3}",
        ]
    );
}

#[test]
fn a_chain_without_end_is_stopped() {
    let test = "tests: [{ name: x, rule: [ping, pong], chain: true, given: { topic: ping }, expect: { rules: { ping: { actions: $any }, pong: { actions: $any } } } }]\n";
    let rules = std::fs::read(root().join("tests/rules/flow.yaml")).unwrap();
    let folder = folder(&[("flow.yaml", &rules), ("flow.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test", "flow.test.yaml"]);
    assert_eq!(ran.exit, 1);
    assert!(
        ran.out.contains(
            "chain is different\n    expected  at most 1000 republished messages\n    actual    more\n"
        ),
        "{}",
        ran.out
    );
}

#[test]
fn numbers_of_payloads_go_as_written() {
    let cases = [
        (
            "{ a: 1.50, b: 1e3, c: -0, d: 100000000000000000000 }",
            r#"{"a":1.50,"b":1e3,"c":-0,"d":100000000000000000000}"#,
        ),
        ("{ a: 0x1F, b: +1, c: 017, d: .5, e: 1. }", r#"{"a":31,"b":1,"c":17,"d":0.5,"e":1.0}"#),
        ("[true, null, \"é\\n\", {}]", r#"[true,null,"é\n",{}]"#),
        ("{ z: 1, a: 2, $$x: 3 }", r#"{"z":1,"a":2,"$x":3}"#),
        ("5", "5"),
        ("text", "text"),
        ("{ $base64: aGk= }", "hi"),
        ("{ $hex: 6869 }", "hi"),
    ];
    for (payload, text) in cases {
        let quoted = text.replace('\'', "''");
        let test = format!(
            "tests: [{{ name: x, given: {{ topic: t, payload: {payload} }}, expect: {{ output: {{ payload: '{quoted}' }} }} }}]\n"
        );
        let folder = folder(&[("r.sql", b"SELECT payload FROM \"t\""), ("r.test.yaml", test.as_bytes())]);
        let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
        assert_eq!(ran.exit, 0, "{payload}\n{}{}", ran.out, ran.err);
    }
}

const CAPTURE: &str = concat!(
    "{\"ts\": 1651744800000, \"topic\": \"s/1\", \"qos\": 1, \"clientid\": \"c1\", \"username\": null, \"payload\": \"{\\\"t\\\": 31}\"}\n",
    "{\"ts\": \"2022-05-05T10:00:01Z\", \"topic\": \"s/2\", \"payload_base64\": \"eyJ0IjogNX0=\"}\n\n",
    "{\"topic\": \"other\", \"payload\": \"x\"}\n",
    "{\"topic\": \"s/3\", \"payload\": \"no json\", \"user_properties\": [[\"a\", \"b\"]]}\n",
);
const CAPTURED: &str = "SELECT payload.t as t, timestamp as ts FROM \"s/#\" WHERE payload.t > 30";

#[test]
fn captures_are_replayed() {
    let test = "tests:\n  - name: totals\n    each_line: { $ndjson: c.ndjson }\n    expect: { outputs_total: 1, no_match_total: 1, errors_total: { $range: [1, 1] } }\n    snapshot: c.out\n  - name: each\n    each_line: { $ndjson: c.ndjson }\n    expect: { output: { t: 31, ts: $any } }\n";
    let folder = folder(&[
        ("r.sql", CAPTURED.as_bytes()),
        ("r.test.yaml", test.as_bytes()),
        ("c.ndjson", CAPTURE.as_bytes()),
    ]);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml", "totals"]);
    assert!(
        ran.out.contains("r.test.yaml:5:15: snapshot is missing\n    expected  the file c.out\n"),
        "{}",
        ran.out
    );
    let ran = rulemill(folder.path(), &["test", "r.test.yaml", "totals", "--update"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);
    let written = std::fs::read_to_string(folder.path().join("c.out")).unwrap();
    let expected = "{\"line\":1,\"rule\":\"r\",\"outputs\":[{\"ts\":1651744800000,\"t\":31}]}\n{\"line\":5,\"rule\":\"r\",\"error\":\"select\"}\n";
    assert_eq!(written, expected);
    assert_eq!(rulemill(folder.path(), &["test", "r.test.yaml", "totals"]).exit, 0);
    std::fs::write(folder.path().join("c.out"), expected.replace("31}", "32}")).unwrap();
    let ran = rulemill(folder.path(), &["test", "r.test.yaml", "totals"]);
    assert!(ran.exit == 1 && ran.out.contains("snapshot line 1 is different"), "{}", ran.out);
    let ran = rulemill(folder.path(), &["test", "r.test.yaml", "each"]);
    let paths: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("  r.test")).collect();
    assert_eq!(
        paths,
        [
            "  r.test.yaml:8:13: line 2.result is different",
            "  r.test.yaml:8:13: line 4.result is different",
            "  r.test.yaml:8:13: line 5.result is different",
        ]
    );
}

#[test]
fn bad_captures_have_their_sentence() {
    let cases = [
        ("", "E501 r.test.yaml:1:40 the capture c.ndjson has no messages"),
        (
            "{\"topic\": \"t\"}\n{\"topic\": }\n",
            "E507 r.test.yaml:1:40 line 2 of the capture c.ndjson: not valid JSON: no value begins like this",
        ),
        (
            "{\"topic\": \"t/#\"}\n",
            "E507 r.test.yaml:1:40 line 1 of the capture c.ndjson: no message has the topic 't/#': a topic name cannot hold the wildcards `+` and `#`",
        ),
        (
            "{\"topic\": \"t\", \"pay\": 1}\n",
            "E507 r.test.yaml:1:40 line 1 of the capture c.ndjson: a message has no key 'pay'",
        ),
        (
            "{\"topic\": \"t\", \"payload_base64\": \"?\"}\n",
            "E507 r.test.yaml:1:40 line 1 of the capture c.ndjson: 'payload_base64' is not base64",
        ),
        (
            "{\"topic\": \"t\", \"ts\": true}\n",
            "E507 r.test.yaml:1:40 line 1 of the capture c.ndjson: 'ts' is neither milliseconds nor a time",
        ),
    ];
    let test = "tests: [{ name: x, each_line: { $ndjson: c.ndjson }, expect: { outputs_total: 1 } }]\n";
    for (capture, sentence) in cases {
        let folder = folder(&[
            ("r.sql", CAPTURED.as_bytes()),
            ("r.test.yaml", test.as_bytes()),
            ("c.ndjson", capture.as_bytes()),
        ]);
        let ran = rulemill(folder.path(), &["test", "r.test.yaml"]);
        assert_eq!(findings(&ran.err), [sentence.replace(":40 ", ":42 ")], "{capture}");
    }
}

#[test]
fn reports_end_at_their_bounds() {
    let fields: Vec<String> = (0..51).map(|n| format!("{n} as f{n}")).collect();
    let report = |shown: usize, sql_lines: usize| {
        let sql = format!("SELECT\n{}{} FROM \"t\"", "\n".repeat(sql_lines - 2), fields[..shown].join(", "));
        let folder = folder(&[
            ("r.sql", sql.as_bytes()),
            ("r.test.yaml", b"tests: [{ name: x, given: { topic: t }, expect: { output: {} } }]\n"),
        ]);
        rulemill(folder.path(), &["test", "r.test.yaml"]).out
    };
    let at = report(50, 24);
    assert_eq!((at.matches(" is not expected").count(), at.contains("more")), (50, false), "{at}");
    let beyond = report(51, 25);
    assert!(
        beyond.matches(" is not expected").count() == 50 && beyond.contains("  … and 1 more\n"),
        "{beyond}"
    );
    assert!(beyond.contains("     | … 1 more lines\n"), "{beyond}");
}

#[test]
fn a_rule_file_brings_its_tests() {
    let test = b"tests: [{ name: x, given: { topic: t }, expect: { output: { a: 1 } } }]\n";
    let folder =
        folder(&[("r.sql", b"SELECT 1 as a FROM t"), ("r.test.yaml", test), ("s.sql", b"SELECT FROM")]);
    let ran = rulemill(folder.path(), &["test", "r.sql"]);
    assert_eq!((ran.exit, untimed(&ran.out)), (0, "PASS r.test.yaml:1 x\n1 test, all passed\n".to_owned()));
}
