//! `rulemill test --coverage` through the real binary: what it marks, what it writes, and how it ends.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;

use serde_json::Value;
use support::{folder, rulemill, untimed};
use tempfile::TempDir;

/// A rule with every construct.
const RULE: &str = r##"rule_engine:
  rules:
    all:
      sql: |
        FOREACH payload.list as e
        DO e.v as v, clientid,
           CASE WHEN e.v > 100 THEN 'much' WHEN e.v > 10 THEN 'some' ELSE 'little' END as size,
           CASE e.k WHEN 'a' THEN 1 END as kind
        INCASE e.v > 0 AND is_not_null(e.k)
        FROM "a/+", "b/#"
        WHERE (qos IN (1, 2) OR username = 'x') AND NOT (topic = 'a/no')
      actions: ["http:h", { function: console }]
    resting: { sql: 'SELECT * FROM "t"', enable: false }
actions:
  http: { h: { connector: c, parameters: { path: "/${size}", body: "${v} of <${clientid}>" } } }
connectors: { http: { c: { url: "http://h" } } }
"##;

/// One message of one item.
const FIRST: &str = r##"
  - name: one
    given: { topic: a/1, qos: 1, payload: { list: [{ v: 11, k: a }] } }
    expect: { outputs: $any, actions: $any }
"##;

/// All that the first leaves out.
const REST: &str = r##"
  - name: more
    given: { topic: b/1, username: x, payload: { list: [{ v: 101, k: b }, { v: 1, k: 1 }, { v: 0, k: 1 }, { v: 1 }, { k: 1 }] } }
    expect: { outputs: $any, actions: $any }
  - { name: none, given: { topic: a/1, qos: 1, payload: { list: [] } }, expect: { outputs: [] } }
  - { name: no user, given: { topic: a/1, payload: { list: [] } }, expect: no_match }
  - { name: no, given: { topic: a/no, qos: 1, payload: { list: [] } }, expect: no_match }
  - { name: y, given: { topic: a/1, username: y, payload: { list: [] } }, expect: no_match }
"##;

fn project(tests: &[&str]) -> TempDir {
    let tests = format!("rule: all\ntests:{}", tests.concat());
    folder(&[("r.yaml", RULE.as_bytes()), ("r.test.yaml", tests.as_bytes())])
}

#[test]
fn gaps_are_marked_where_they_are() {
    let ran = rulemill(project(&[FIRST]).path(), &["test", "--coverage", "."]);
    let expected = r##"PASS r.test.yaml:3 one
all (r.yaml:3), 15 of 32 points, ran once
!  5 |         FOREACH payload.list as e
     |                 ^^^^^^^^^^^^ never over an empty list, never over several items
   6 |         DO e.v as v, clientid,
!  7 |            CASE WHEN e.v > 100 THEN 'much' WHEN e.v > 10 THEN 'some' ELSE 'little' END as size,
     |                                     ^^^^^^ never taken
     |                                                                           ^^^^^^^^ never taken
!  8 |            CASE e.k WHEN 'a' THEN 1 END as kind
     |            ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never past all of its arms
!  9 |         INCASE e.v > 0 AND is_not_null(e.k)
     |                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never false
     |                ^^^^^^^ never false, never with `e.v` undefined
     |                            ^^^^^^^^^^^^^^^^ never false, never with `e.k` undefined
! 10 |         FROM "a/+", "b/#"
     |                     ^^^^^ no message came on a topic that it matches
! 11 |         WHERE (qos IN (1, 2) OR username = 'x') AND NOT (topic = 'a/no')
     |               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ never false
     |                ^^^^^^^^^^^^^ never false
     |                                 ^^^^^^^^^^^^^^ never true, never false, never with `username` undefined
     |                                                         ^^^^^^^^^^^^^^^^ never true
     …
~ 15 |   http: { h: { connector: c, parameters: { path: "/${size}", body: "${v} of <${clientid}>" } } }
     |                                                                     ~~~~ never rendered while undefined

rule     points  covered  advisory
all       15/32     46 %       0/1
resting     0/0        –       0/0
total     15/32     46 %       0/1

1 test, all passed
"##;
    assert_eq!((ran.exit, untimed(&ran.out).as_str()), (0, expected), "{}", ran.err);
}

#[test]
fn all_profiles_and_cases_count_together() {
    let project = project(&[FIRST, REST]);
    let ran = rulemill(project.path(), &["test", "-q", "--coverage", "--coverage-min", "100", "r.yaml"]);
    let all = "all       32/32    100 %       0/1\n";
    assert!(ran.exit == 0 && ran.out.contains(all) && ran.err.is_empty(), "{}{}", ran.out, ran.err);

    // What is missing under one profile may be there under the other.
    let (old, new) = (FIRST.replace("  - name", "  - emqx: \"4.3\"\n    name"), REST);
    let project = folder(&[
        ("r.yaml", RULE.as_bytes()),
        ("r.test.yaml", format!("rule: all\ntests:{old}{new}").as_bytes()),
    ]);
    let ran = rulemill(project.path(), &["test", "-q", "--coverage", "r.yaml"]);
    assert!(ran.exit == 0 && ran.out.contains(all), "{}{}", ran.out, ran.err);
}

#[test]
fn the_minimum_decides() {
    let project = project(&[FIRST]);
    let run = |minimum: &str| rulemill(project.path(), &["test", "-q", "--coverage-min", minimum]);
    let low = rulemill(project.path(), &["test", "-q", "--coverage-min", "47", "r.yaml"]);
    assert_eq!(
        (low.exit, low.err.as_str()),
        (1, "error: coverage is 46 %, below its minimum of 47 %: all has 46 %\n")
    );
    assert!(low.out.starts_with("rule     points"), "{}", low.out);
    let enough = rulemill(project.path(), &["test", "-q", "--coverage-min", "46", "r.yaml"]);
    assert_eq!((enough.exit, enough.err.as_str()), (0, ""));
    assert_eq!((run("101").exit, run("-1").exit, run("x").exit), (2, 2, 2));
}

#[test]
fn a_rule_that_no_test_runs_has_nothing() {
    let rules = "rule_engine:\n  rules:\n    a: { sql: 'SELECT * FROM \"a\"' }\n    b: { sql: 'SELECT * FROM \"b\"' }\n";
    let tests = "rule: a\ntests:\n  - { name: x, given: { topic: a, payload: x }, expect: { output: $any, actions: [] } }\n";
    let project = folder(&[("r.yaml", rules.as_bytes()), ("r.test.yaml", tests.as_bytes())]);
    let ran = rulemill(project.path(), &["test", "--coverage", "--coverage-min", "51", "."]);
    let block = "b (r.yaml:4), 0 of 1 point, never ran\n! 4 |     b: { sql: 'SELECT * FROM \"b\"' }\n    |                              ^^^ no message came on a topic that it matches\n";
    assert!(ran.out.contains(block), "{}", ran.out);
    assert_eq!(ran.err, "error: coverage is 50 %, below its minimum of 51 %: b has 0 %\n");
    assert_eq!(ran.exit, 1);
    // A test that fails reaches all the same, and still fails.
    let tests = tests.replace("output: $any", "output: {}");
    fs::write(project.path().join("r.test.yaml"), tests).unwrap();
    let ran = rulemill(project.path(), &["test", "-q", "--coverage", "."]);
    assert!(ran.exit == 1 && ran.out.contains("a         1/1    100 %"), "{}", ran.out);
}

#[test]
fn lcov_has_lines_and_branches_of_the_rule_file() {
    let project = project(&[FIRST]);
    let args = ["test", "-q", "--coverage-format", "lcov", "--coverage-out", "cov.info", "r.yaml"];
    let ran = rulemill(project.path(), &args);
    assert_eq!((ran.exit, untimed(&ran.out).as_str(), ran.err.as_str()), (0, "1 test, all passed\n", ""));
    let text = fs::read_to_string(project.path().join("cov.info")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[..2], ["TN:", "SF:r.yaml"]);
    assert_eq!(lines.last(), Some(&"end_of_record"));
    let of = |start: &str| lines.iter().filter(|line| line.starts_with(start)).count();
    assert_eq!((of("BRDA:"), of("DA:")), (32, 9));
    for line in [
        "BRDA:5,0,0,0",
        "BRDA:5,0,1,1",
        "DA:5,1",
        "DA:6,1",
        "DA:7,0",
        "DA:15,1",
        "BRF:32",
        "BRH:15",
        "LF:9",
        "LH:5",
    ] {
        assert!(lines.contains(&line), "{line} is not in\n{text}");
    }
}

#[test]
fn html_is_one_file_and_escapes() {
    let project = project(&[FIRST]);
    let args = ["test", "-q", "--coverage-format", "html", "--coverage-out", "cov.html", "."];
    assert_eq!(rulemill(project.path(), &args).exit, 0);
    let page = fs::read_to_string(project.path().join("cov.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"), "{page}");
    let parts = [
        "<b>46 %</b> 15 of 32 points",
        "<mark class=\"gap\" title=\"never taken\">&#39;much&#39;</mark>",
        "<mark class=\"reached\" title=\"\">&#39;some&#39;</mark>",
        "<div class=\"why gap\"><code>e.v &gt; 0</code> never false, never with <code>e.v</code> undefined</div>",
        "&lt;<mark class=\"reached\" title=\"\">${clientid}</mark>&gt;",
        "<span class=\"quiet\">disabled</span>",
    ];
    parts.iter().for_each(|part| assert!(page.contains(part), "{part} is not in\n{page}"));
    ["<script", "src=", "url(", "@import", "<link"]
        .iter()
        .for_each(|outside| assert!(!page.contains(outside), "{outside} is in the page"));
}

#[test]
fn json_has_every_place() {
    let project = project(&[FIRST]);
    let args = ["test", "--coverage-format", "json", "--coverage-out", "cov.json", "r.yaml"];
    assert_eq!(rulemill(project.path(), &args).exit, 0);
    let written: Value = serde_json::from_slice(&fs::read(project.path().join("cov.json")).unwrap()).unwrap();
    assert_eq!(written["total"], serde_json::json!({ "points": 32, "reached": 15, "percent": 46 }));
    let place = &written["rules"][0]["places"][0];
    assert_eq!(
        *place,
        serde_json::json!({
            "kind": "foreach", "file": "r.yaml", "line": 5, "column": 17, "text": "payload.list",
            "ways": [
                { "way": "no item", "count": 0, "advisory": false },
                { "way": "one item", "count": 1, "advisory": false },
                { "way": "more items", "count": 0, "advisory": false },
            ],
            "gap": "never over an empty list, never over several items",
        })
    );
    // The results as JSON have the same, and nothing else on that stream.
    let ran = rulemill(project.path(), &["test", "--format", "json", "--coverage", "r.yaml"]);
    let results: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(results["coverage"], written);
}

#[test]
fn wrong_options_are_told() {
    let project = project(&[FIRST]);
    let cases: &[(&[&str], &str)] = &[
        (&["--coverage-format", "lcov"], "--coverage-out <FILE>"),
        (&["--coverage-out", "x"], "--coverage-format <FORMAT>"),
        (&["--coverage-format", "xml", "--coverage-out", "x"], "[possible values: lcov, html, json]"),
        (
            &["--coverage-format", "json", "--coverage-out", "no/where.json"],
            "error: cannot write no/where.json: ",
        ),
    ];
    for (options, says) in cases {
        let ran = rulemill(project.path(), &[&["test", "-q", "r.yaml"], *options].concat());
        assert!(ran.exit == 2 && ran.err.contains(says), "{options:?}: {} {}", ran.exit, ran.err);
    }
    let none = rulemill(project.path(), &["test", "--coverage", "--list", "r.yaml"]);
    assert_eq!((none.exit, none.out.as_str()), (0, "r.test.yaml:3 one\n"));
}

#[test]
fn the_examples_are_covered() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = rulemill(root, &["test", "-q", "--coverage", "--coverage-min", "100"]);
    assert!(ran.exit == 0 && ran.err.is_empty(), "{}{}", ran.out, ran.err);
}

/// What is missing after these messages, whatever they were expected to do, as `text: sentence`.
fn gaps(sql: &str, given: &[&str]) -> Vec<String> {
    let rule = serde_json::json!({ "rule_engine": { "rules": { "r": { "sql": sql } } } }).to_string();
    let test =
        |(at, given): (usize, &&str)| format!("  - {{ name: '{at}', given: {given}, expect: no_match }}\n");
    let tests: String = given.iter().enumerate().map(test).collect();
    let project = folder(&[
        ("r.json", rule.as_bytes()),
        ("r.test.yaml", format!("emqx: [\"5.8\"]\ntests:\n{tests}").as_bytes()),
    ]);
    let ran = rulemill(project.path(), &["test", "--format", "json", "--coverage", "r.json"]);
    let results: Value =
        serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err));
    let places = &results["coverage"]["rules"][0]["places"];
    let places = places.as_array().unwrap_or_else(|| panic!("{sql}: {}{}", ran.out, ran.err));
    let gap = |place: &Value| {
        let sentence = place.get("gap")?.as_str()?;
        Some(format!("{}: {sentence}", place["text"].as_str().unwrap()))
    };
    places.iter().filter_map(gap).collect()
}

#[test]
fn values_are_seen_however_they_are_reached() {
    const NONE: &[&str] = &[];
    let cases: &[(&str, &[&str], &[&str])] = &[
        // WHERE sees what was selected, even where that is undefined.
        (
            "SELECT payload.x as username FROM \"t\" WHERE username = 'u'",
            &["{ topic: t, username: u, payload: {} }", "{ topic: t, payload: { x: u } }"],
            NONE,
        ),
        (
            "SELECT payload.x as y, y + 0 as z FROM \"t\" WHERE y > 0",
            &["{ topic: t, payload: { x: 1 } }", "{ topic: t, payload: { x: 0 } }"],
            &["y > 0: never with `y` undefined"],
        ),
        // What fails was looked at all the same.
        (
            "SELECT * FROM \"t\" WHERE payload.x + 1 > 1",
            &[
                "{ topic: t, payload: { x: 1 } }",
                "{ topic: t, payload: { x: 0 } }",
                "{ topic: t, payload: {} }",
            ],
            NONE,
        ),
        // Nothing at all was evaluated, and yet the message came.
        ("SELECT payload.x as x FROM \"t\"", &["{ topic: t, payload: no json }"], NONE),
        // A plus sign is nothing of its own.
        (
            "SELECT CASE WHEN qos > 0 THEN +qos ELSE 0 END as q FROM \"t\" WHERE +payload.x > 0",
            &["{ topic: t, payload: {} }", "{ topic: t, qos: 1, payload: { x: 1 } }"],
            NONE,
        ),
        // A CASE in a CASE: only the inner arms of the arm that was taken.
        (
            "SELECT CASE WHEN qos > 0 THEN str(CASE qos WHEN 1 THEN 'a' ELSE 'b' END) ELSE 'c' END as q FROM \"t\"",
            &["{ topic: t, qos: 2, payload: x }"],
            &["'a': never taken", "'c': never taken"],
        ),
        // Short circuits: what was not evaluated was neither.
        (
            "SELECT * FROM \"t\" WHERE qos = 1 AND retain = 1",
            &["{ topic: t, payload: x }"],
            &[
                "qos = 1 AND retain = 1: never true",
                "qos = 1: never true",
                "retain = 1: never true, never false, never with `retain` undefined",
            ],
        ),
        // Items that are walked whole, and as parts.
        (
            "FOREACH payload.l FROM \"t\"",
            &[
                "{ topic: t, payload: { l: [1, 2] } }",
                "{ topic: t, payload: { l: [1] } }",
                "{ topic: t, payload: {} }",
            ],
            NONE,
        ),
        (
            "FOREACH payload.l as e DO e.x as x INCASE e.x > 1 FROM \"t\" WHERE qos = 1",
            &["{ topic: t, payload: { l: [] } }", "{ topic: t, qos: 1, payload: { l: [{ x: 1 }, {}] } }"],
            &["payload.l: never over an empty list, never over one item", "e.x > 1: never true"],
        ),
        // Columns alone come past every FROM; events come on their topic.
        (
            "SELECT * FROM \"t\"",
            &["{ columns: { x: 1 } }"],
            &["\"t\": no message came on a topic that it matches"],
        ),
        (
            "SELECT * FROM \"$events/client_connected\", \"$events/client_disconnected\"",
            &["{ event: client_connected, columns: { clientid: c } }"],
            &["\"$events/client_disconnected\": no message came on a topic that it matches"],
        ),
        // A rule of which nothing depends on the message.
        ("SELECT 1 as one FROM \"t\" WHERE 1 = 1", &["{ topic: t, payload: x }"], NONE),
    ];
    for (sql, given, expected) in cases {
        assert_eq!(gaps(sql, given), *expected, "{sql}");
    }
}

#[test]
fn republished_messages_count_where_they_are_fed_back() {
    let rules = r##"rule_engine:
  rules:
    first: { sql: 'SELECT qos FROM "a"', actions: [{ function: republish, args: { topic: b, payload: x, qos: "${qos}" } }] }
    second: { sql: 'SELECT qos FROM "b"' }
"##;
    let tests = "rule: [first, second]\ntests:\n  - { name: x, CHAINgiven: { topic: a, payload: x }, expect: { rules: { first: { output: $any, actions: $any }SECOND } } }\n";
    let run = |chain: &str, second: &str| {
        let tests = tests.replace("CHAIN", chain).replace("SECOND", second);
        let project = folder(&[("r.yaml", rules.as_bytes()), ("r.test.yaml", tests.as_bytes())]);
        let ran = rulemill(project.path(), &["test", "-q", "--coverage", "r.yaml"]);
        assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);
        ran.out.lines().find(|line| line.starts_with("second  ")).unwrap().to_owned()
    };
    assert_eq!(run("", ""), "second     0/1      0 %       0/0");
    assert_eq!(
        run("chain: true, ", ", second: { output: $any, actions: [] }"),
        "second     1/1    100 %       0/0"
    );
}
