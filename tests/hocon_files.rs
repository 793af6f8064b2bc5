//! HOCON rule files through the real binary: what loads, what is said about the rest, and where.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::Path;

use support::{Ran, findings, folder, rulemill};

/// Checks one file of this text.
fn check(text: &str) -> Ran {
    let folder = folder(&[("rules/r.hocon", text.as_bytes())]);
    rulemill(folder.path(), &["check"])
}

/// A rule file, what is said about it, and how the command ends.
struct Case {
    why: &'static str,
    text: &'static str,
    findings: &'static [&'static str],
    exit: i32,
}

const CASES: &[Case] = &[
    Case {
        why: "SQL without its indentation is shown at its place in the file",
        text: "rule_engine.rules.one.sql = \"\"\"~\n    SELECT\n      payload.a b c\n    FROM \"t/#\"\n  ~\"\"\"\n",
        findings: &["E004 rules/r.hocon:3:19 expected `,` or `FROM`, found `c`"],
        exit: 3,
    },
    Case {
        why: "so is SQL in three quotes as it is",
        text: "rule_engine { rules { one { sql = \"\"\"SELECT *\n  FROM \"t\" WHERE a > \"\"\" } } }",
        findings: &["E004 rules/r.hocon:2:22 expected an expression, found the end of the statement"],
        exit: 3,
    },
    Case {
        why: "and SQL in a string with escapes",
        text: "rule_engine.rules.one.sql = \"SELECT \\\"a\\\", b c d\\nFROM \\\"t\\\"\"",
        findings: &["E004 rules/r.hocon:1:48 expected `,` or `FROM`, found `d`"],
        exit: 3,
    },
    Case {
        why: "and SQL that a substitution brings",
        text: "s = \"\"\"SELECT a b c\n FROM \"t\" \"\"\"\nrule_engine.rules.one.sql = ${s}",
        findings: &[
            "E415 rules/r.hocon:1:1 skipped, since they are no rules, actions or connectors: s",
            "E004 rules/r.hocon:1:20 expected `,` or `FROM`, found `c`",
        ],
        exit: 3,
    },
    Case {
        why: "CRLF is fine",
        text: "rule_engine.rules.one.sql = \"\"\"~\r\n    SELECT a\r\n    , b c d\r\n    FROM \"t\"\r\n  ~\"\"\"\r\n",
        findings: &["E004 rules/r.hocon:3:11 expected `,` or `FROM`, found `d`"],
        exit: 3,
    },
    Case {
        why: "an unknown key is at its place in a path",
        text: "rule_engine.rules.one { sql = \"SELECT * FROM t\", metadata.x = 1, enabel = true }",
        findings: &["E406 rules/r.hocon:1:66 rule one has no key 'enabel'"],
        exit: 2,
    },
    Case {
        why: "'on' is a string",
        text: "rule_engine.rules.one { sql = \"SELECT * FROM t\", enable = on }",
        findings: &["E409 rules/r.hocon:1:59 'enable' is 'on'; it must be true or false"],
        exit: 3,
    },
    Case {
        why: "an unclosed brace",
        text: "rule_engine {\n  rules {\n    one { sql = \"SELECT * FROM t\"\n  }\n}\n",
        findings: &["E402 rules/r.hocon:1:13 the '{' opened here is not closed"],
        exit: 2,
    },
    Case {
        why: "a URL without quotes",
        text: "connectors.http.c.url = http://127.0.0.1:6580\n",
        findings: &["E402 rules/r.hocon:1:25 'http://127.0.0.1:6580' must stand in quotes"],
        exit: 2,
    },
    Case {
        why: "a key that is not ASCII",
        text: "rule_engine.rules.größe.sql = \"SELECT * FROM t\"\n",
        findings: &["E402 rules/r.hocon:1:1 'rule_engine.rules.größe.sql' must stand in quotes"],
        exit: 2,
    },
    Case {
        why: "substitutions in a circle",
        text: "rule_engine.rules.one { sql = ${a}, name = ${rule_engine.rules.one.sql} }\na = ${rule_engine.rules.one.sql}\n",
        findings: &["E431 rules/r.hocon:1:31 these substitutions lead round in a circle"],
        exit: 2,
    },
    Case {
        why: "a substitution of nothing",
        text: "rule_engine.rules.one.sql = ${SQL}\n",
        findings: &["E431 rules/r.hocon:1:29 there is nothing at 'SQL'"],
        exit: 2,
    },
    Case {
        why: "a missing include is passed over, and told",
        text: "include \"other.conf\"\nrule_engine.rules.one.sql = \"SELECT * FROM t\"\n",
        findings: &[
            "E430 rules/r.hocon:1:9 there is no file 'other.conf' beside rules/r.hocon; EMQX passes over it in silence",
        ],
        exit: 0,
    },
    Case {
        why: "but not one that is required",
        text: "include required(\"other.conf\")\nrule_engine.rules.one.sql = \"SELECT * FROM t\"\n",
        findings: &["E430 rules/r.hocon:1:18 there is no file 'other.conf' beside rules/r.hocon"],
        exit: 2,
    },
    Case {
        why: "a file that includes itself",
        text: "include \"../rules/r.hocon\"\n",
        findings: &[
            "E430 rules/r.hocon:1:9 files include each other in a circle: rules/r.hocon → rules/../rules/r.hocon",
        ],
        exit: 2,
    },
    Case {
        why: "an include outside the project",
        text: "include \"../../../../../../../../../../etc/passwd\"\n",
        findings: &[
            "E430 rules/r.hocon:1:9 the included file ../../../../../../../../../../etc/passwd lies outside the project; \
             --allow-outside lets it",
        ],
        exit: 2,
    },
    Case {
        why: "an include of a folder",
        text: "include \".\"\n",
        findings: &["E430 rules/r.hocon:1:9 the included file rules/. is no file"],
        exit: 2,
    },
    Case {
        why: "a comma that a broker refuses, and a key that is there twice",
        text: "rule_engine.rules.one {\n  sql = \"SELECT * FROM t\",\n  sql = \"SELECT * FROM u\",\n}\n",
        findings: &[
            "E404 rules/r.hocon:3:3 key 'sql' is here twice; EMQX takes the last one",
            "E402 rules/r.hocon:3:26 a broker refuses a comma before a closing brace or bracket in its configuration files",
        ],
        exit: 0,
    },
    Case {
        why: "an empty file",
        text: "# nothing\n",
        findings: &["E403 rules/r.hocon:1:1 the file is empty"],
        exit: 2,
    },
    Case {
        why: "a bridge of another type than webhook",
        text: "bridges.mysql.rows { server = \"h:3306\" }\nrule_engine.rules.one { sql = \"SELECT * FROM t\", actions = [\"mysql:rows\"] }\n",
        findings: &[
            "E415 rules/r.hocon:1:15 bridges.mysql.rows is left out: it is written as before EMQX 5.3.2",
            "E411 rules/r.hocon:2:61 there is no action 'mysql:rows'",
        ],
        exit: 3,
    },
];

#[test]
fn every_file_has_its_sentences() {
    for case in CASES {
        let ran = check(case.text);
        assert_eq!(findings(&ran.out), case.findings, "{}\n{}{}", case.why, ran.out, ran.err);
        assert_eq!(ran.exit, case.exit, "{}\n{}{}", case.why, ran.out, ran.err);
    }
}

#[test]
fn a_brokers_whole_configuration_loads() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = rulemill(root, &["check", "tests/rules/cluster.hocon"]);
    let skipped = "api_key, authentication, dashboard, listeners, log, mqtt, node, retainer, sources";
    let note = format!(
        "E415 tests/rules/cluster.hocon:71:1 skipped, since they are no rules, actions or connectors: {skipped}"
    );
    assert_eq!(findings(&ran.out), [note]);
    assert!(ran.out.ends_with("3 rules in 1 file: no problems\n"), "{}", ran.out);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""));
}

#[test]
fn files_are_found_and_include_each_other() {
    let folder = folder(&[
        ("rules/broker.conf", b"rule_engine.rules { include \"parts/one.inc\" }\ninclude \"parts/sinks.inc\""),
        ("rules/parts/one.inc", b"one {\n  sql = \"SELECT a b c FROM t\"\n  actions = [\"http:x\"]\n}"),
        ("rules/parts/sinks.inc", b"actions.http.x { connector = c, parameters {} }\nconnectors.http.c.url = \"h\""),
    ]);
    let ran = rulemill(folder.path(), &["check"]);
    let expected = [
        "E004 rules/parts/one.inc:2:20 expected `,` or `FROM`, found `c`",
        "E409 rules/parts/sinks.inc:2:25 the URL 'h' has no scheme; write http://…",
    ];
    assert_eq!(findings(&ran.out), expected, "{}", ran.out);
    let json = rulemill(folder.path(), &["check", "--format", "json"]);
    let document: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let first = &document["diagnostics"][0];
    assert_eq!((&first["file"], &first["line"]), (&"rules/parts/one.inc".into(), &2.into()));
}

#[test]
fn an_include_may_leave_the_project_when_it_is_allowed() {
    let folder = folder(&[
        ("project/rules/r.conf", b"include \"../../shared/one.conf\""),
        ("shared/one.conf", b"rule_engine.rules.one.sql = \"SELECT * FROM t\""),
    ]);
    let project = folder.path().join("project");
    let ran = rulemill(&project, &["check"]);
    let sentence = "the included file ../../shared/one.conf lies outside the project; --allow-outside lets it";
    assert_eq!(findings(&ran.out), [format!("E430 rules/r.conf:1:9 {sentence}")]);
    assert_eq!(ran.exit, 2);
    let ran = rulemill(&project, &["check", "--allow-outside"]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "1 rule in 1 file: no problems\n"));
    fs::write(project.join("rules/r.test.yaml"), "tests: [{ name: x, given: { topic: t }, expect: { output: $any } }]")
        .unwrap();
    assert_eq!(rulemill(&project, &["test"]).exit, 2);
    assert_eq!(rulemill(&project, &["test", "--allow-outside"]).exit, 0);
}

#[test]
fn an_old_webhook_is_a_connector_and_an_action() {
    let file = r#"bridges.webhook.w {
  url = "http://h:1/in?q=1"
  method = put
  body = "${a}"
  headers { x-key = "k" }
  local_topic = "l/#"
  pool_size = 4
  request_timeout = 15s
  resource_opts { query_mode = sync, health_check_interval = 5s, max_buffer_bytes = 1MB }
}
rule_engine.rules.r { sql = "SELECT payload.a as a FROM t", actions = ["webhook:w"] }
"#;
    let test = r#"tests:
  - name: x
    given: { topic: t, payload: { a: 5 } }
    expect:
      output: { a: 5 }
      actions:
        - id: "http:w"
          http: { method: PUT, url: "http://h:1/in", headers: { $contains: { x-key: k } }, body: "5" }
"#;
    let folder = folder(&[("rules/r.hocon", file.as_bytes()), ("rules/r.test.yaml", test.as_bytes())]);
    let ran = rulemill(folder.path(), &["test"]);
    assert_eq!(ran.exit, 0, "{}{}", ran.out, ran.err);
    assert_eq!(rulemill(folder.path(), &["check"]).out, "1 rule in 1 file: no problems\n");
    let wrong = check(&file.replace("pool_size", "pol_size"));
    assert_eq!(findings(&wrong.out)[0], "E406 rules/r.hocon:7:3 connectors.http.w has no key 'pol_size'");
    let both = check(&format!("{file}actions.http.w {{ connector = c, parameters {{}} }}\nconnectors.http.c.url = \"http://h\""));
    assert_eq!(
        findings(&both.out),
        ["E415 rules/r.hocon:1:17 bridges.webhook.w is left out, since there is actions.http.w"]
    );
}

#[test]
fn what_is_too_much_is_told() {
    let deep = check(&"a {".repeat(1_000_000));
    assert_eq!(findings(&deep.out), ["E405 rules/r.hocon:1:191 nested deeper than 64 levels"]);
    let huge = check(&format!("a = \"{}\"", "x".repeat(9 * 1024 * 1024)));
    assert_eq!(findings(&huge.out), ["E405 rules/r.hocon the file has 9437190 bytes; rulemill reads up to 8388608"]);
    assert_eq!((deep.exit, huge.exit), (2, 2));
}
