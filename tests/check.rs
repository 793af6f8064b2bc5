//! `rulemill check` through the real binary: every bad rule file has its sentence, its place and its exit code.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use support::{findings, folder, rulemill};

/// A rule file, what is said about it, and how the command ends.
struct Case {
    why: &'static str,
    file: &'static str,
    text: &'static str,
    findings: &'static [&'static str],
    exit: i32,
}

const CASES: &[Case] = &[
    Case {
        why: "SQL in a block scalar is shown at its place in the file",
        file: "r.yaml",
        text: "rule_engine:\n  rules:\n    one:\n      sql: |\n        SELECT\n          payload.a b c\n        FROM \"t/#\"\n",
        findings: &["E004 r.yaml:6:23 expected `,` or `FROM`, found `c`"],
        exit: 3,
    },
    Case {
        why: "so is SQL in a folded scalar",
        file: "r.yaml",
        text: "rule_engine:\n  rules:\n    one:\n      sql: >-\n        SELECT *\n        FROM \"t\"\n\n        WHERE a >\n",
        findings: &["E004 r.yaml:8:18 expected an expression, found the end of the statement"],
        exit: 3,
    },
    Case {
        why: "and in a quoted string with escapes",
        file: "r.yaml",
        text: "rule_engine: { rules: { one: { sql: \"SELECT \\u0061, b c d FROM \\\"t\\\"\" } } }\n",
        findings: &["E004 r.yaml:1:57 expected `,` or `FROM`, found `d`"],
        exit: 3,
    },
    Case {
        why: "JSON is read to the letter, and SQL in it is found too",
        file: "r.json",
        text: "{ \"rule_engine\": { \"rules\": { \"one\": {\n  \"sql\": \"SELECT *\\nFROM\" } } } }\n",
        findings: &[
            "E004 r.json:2:25 expected a topic filter in double quotes, found the end of the statement",
        ],
        exit: 3,
    },
    Case {
        why: "a bare SQL file is a rule",
        file: "r.sql",
        text: "SELECT *\nFROM \"t\"\nWHERE",
        findings: &["E004 r.sql:3:6 expected an expression, found the end of the statement"],
        exit: 3,
    },
    Case {
        why: "CRLF is fine, and lines are counted right",
        file: "r.yaml",
        text: "rule_engine:\r\n  rules:\r\n    one:\r\n      sql: |\r\n        SELECT a b c\r\n        FROM \"t\"\r\n",
        findings: &["E004 r.yaml:5:20 expected `,` or `FROM`, found `c`"],
        exit: 3,
    },
    Case {
        why: "a byte-order mark is fine",
        file: "r.yaml",
        text: "\u{feff}rule_engine: { rules: { one: { sql: 'SELECT * FROM \"t\"' } } }\n",
        findings: &[],
        exit: 0,
    },
    Case {
        why: "an unknown function",
        file: "r.yaml",
        text: "rule_engine: { rules: { one: { sql: 'SELECT uper(clientid) as c FROM \"t\"' } } }\n",
        findings: &["E101 r.yaml:1:45 there is no function `uper`"],
        exit: 3,
    },
    Case {
        why: "broken YAML",
        file: "r.yaml",
        text: "rule_engine:\n  rules: [\n",
        findings: &["E402 r.yaml:2:10 not valid YAML: unclosed bracket '['"],
        exit: 2,
    },
    Case {
        why: "broken JSON",
        file: "r.json",
        text: "{\"rule_engine\": {},}",
        findings: &["E402 r.json:1:20 not valid JSON: no comma may stand before this"],
        exit: 2,
    },
    Case {
        why: "an empty file",
        file: "r.yaml",
        text: "",
        findings: &["E403 r.yaml the file is empty"],
        exit: 2,
    },
    Case {
        why: "a file of comments",
        file: "r.yaml",
        text: "# nothing yet\n",
        findings: &["E403 r.yaml:1:1 the file is empty"],
        exit: 2,
    },
    Case {
        why: "an empty SQL file",
        file: "r.sql",
        text: " \n",
        findings: &["E403 r.sql:1:1 the file is empty"],
        exit: 2,
    },
    Case {
        why: "a key twice, with both places",
        file: "r.yaml",
        text: "rule_engine:\n  rules:\n    one: { sql: 'SELECT * FROM t' }\n    one: { sql: 'SELECT * FROM u' }\n",
        findings: &["E404 r.yaml:4:5 key 'one' is here twice"],
        exit: 2,
    },
    Case {
        why: "an unknown key, with the nearest known one",
        file: "r.yaml",
        text: "rule_engine: { rules: { one: { sql: 'SELECT * FROM t', desciption: x } } }\n",
        findings: &["E406 r.yaml:1:56 rule one has no key 'desciption'"],
        exit: 2,
    },
    Case {
        why: "a root key that is nearly ours",
        file: "r.yaml",
        text: "rule_engin: { rules: {} }\n",
        findings: &["E406 r.yaml:1:1 the file has no key 'rule_engin'"],
        exit: 2,
    },
    Case {
        why: "a broker's other settings are skipped with one line",
        file: "r.yaml",
        text: "node: { name: x }\ncluster: {}\nrule_engine: { rules: { one: { sql: 'SELECT * FROM t' } } }\n",
        findings: &["E415 r.yaml:1:1 skipped, since they are no rules, actions or connectors: node, cluster"],
        exit: 0,
    },
    Case {
        why: "a file without anything of ours",
        file: "r.yaml",
        text: "node: { name: x }\n",
        findings: &["E414 r.yaml:1:1 the file holds no rules"],
        exit: 2,
    },
    Case {
        why: "another kind of file",
        file: "r.txt",
        text: "SELECT * FROM t",
        findings: &["E416 r.txt not a rule file"],
        exit: 2,
    },
    Case {
        why: "an action that is not defined",
        file: "r.yaml",
        text: "rule_engine: { rules: { one: { sql: 'SELECT * FROM t', actions: ['http:nope', console] } } }\n",
        findings: &[
            "E411 r.yaml:1:66 there is no action 'http:nope'",
            "E411 r.yaml:1:79 the action 'console' is not written as type:name",
        ],
        exit: 3,
    },
    Case {
        why: "functions, and what they need",
        file: "r.yaml",
        text: "rule_engine:\n  rules:\n    one:\n      sql: SELECT * FROM t\n      actions:\n        - { function: republsh }\n        - { function: republish, args: { qos: 3 } }\n        - 5\n",
        findings: &[
            "E411 r.yaml:6:23 there is no action function 'republsh'",
            "E408 r.yaml:7:40 republish.args has no 'topic'",
            "E409 r.yaml:7:47 'qos' must be 0, 1, 2 or one variable such as ${qos}",
            "E407 r.yaml:8:11 an action must be \"type:name\" or {function: …}, not an integer",
        ],
        exit: 3,
    },
    Case {
        why: "actions and connectors: types, names, values",
        file: "r.yaml",
        text: concat!(
            "actions:\n",
            "  http:\n",
            "    a: { connector: main, parameters: { method: POST, body: 5, headers: { x: 1 } } }\n",
            "    b: { connector: mian, parameters: {} }\n",
            "    c.d: { connector: main, parameters: {} }\n",
            "    e: { parameters: {} }\n",
            "    f: { connector: main }\n",
            "    g: { connector: main, parameters: {}, resource_opts: { request_ttl: soon, batch_sise: 1 } }\n",
            "  hstreamdb: { h: { connector: main, parameters: { record_template: x } } }\n",
            "  htpp: {}\n",
            "connectors:\n",
            "  http:\n",
            "    main: { url: \"http://127.0.0.1:80\", ssl: { enabled: true }, pool_size: 0, connect_timeout: 5 sec }\n",
            "    bad: { url: \"127.0.0.1:80\" }\n",
            "    none: {}\n",
            "rulemill: { hstreamdb: { nope: { api: rest } } }\n",
        ),
        findings: &[
            "E412 r.yaml:4:21 there is no connector 'http:mian'",
            "E409 r.yaml:5:5 'c.d' cannot be the id of an action",
            "E408 r.yaml:6:8 actions.http.e has no 'connector'",
            "E409 r.yaml:8:73 'request_ttl' is 'soon'; it must be a duration such as 5s or 100ms, or infinity",
            "E406 r.yaml:8:79 actions.http.g.resource_opts has no key 'batch_sise'",
            "E412 r.yaml:9:32 there is no connector 'hstreamdb:main'",
            "E413 r.yaml:10:3 EMQX has no action type 'htpp'",
            "E406 r.yaml:13:48 connectors.http.main.ssl has no key 'enabled'",
            "E409 r.yaml:13:76 'pool_size' is '0'; it must be an integer of at least 1",
            "E409 r.yaml:13:96 'connect_timeout' is '5 sec'; it must be a duration such as 5s or 100ms",
            "E409 r.yaml:14:17 the URL '127.0.0.1:80' has no scheme; write http://…",
            "E408 r.yaml:15:11 connectors.http.none has no 'url'",
            "E412 r.yaml:16:26 there is no connector 'hstreamdb:nope'",
        ],
        exit: 3,
    },
    Case {
        why: "parameters of a http action",
        file: "r.yaml",
        text: concat!(
            "actions: { http: { a: { connector: main, parameters: {\n",
            "  method: POST, body: 5, headers: { x: 1 }, pth: /x } } } }\n",
            "connectors: { http: { main: { url: \"http://h\" } } }\n",
        ),
        findings: &[
            "E409 r.yaml:2:11 'method' is 'POST'; it must be post or put or get or delete",
            "E407 r.yaml:2:23 'body' must be a string, not an integer",
            "E407 r.yaml:2:40 the header 'x' must be a string, not an integer",
            "E406 r.yaml:2:45 actions.http.a.parameters has no key 'pth'",
        ],
        exit: 3,
    },
];

#[test]
fn every_bad_file_has_its_sentence() {
    let mut wrong = String::new();
    for case in CASES {
        let folder = folder(&[(case.file, case.text.as_bytes())]);
        let ran = rulemill(folder.path(), &["check", case.file]);
        if findings(&ran.out) != case.findings || ran.exit != case.exit || !ran.err.is_empty() {
            wrong += &format!("{}: exit {}\n{:#?}\n{}\n", case.why, ran.exit, findings(&ran.out), ran.err);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn bytes_that_are_no_text() {
    let folder = folder(&[
        ("r.yaml", b"rule_engine:\n  x: \xff\n"),
        ("u.yaml", b"\xff\xfer\0"),
        ("s.sql", b"SELECT \xc3\x28"),
    ]);
    let ran = rulemill(folder.path(), &["check", "r.yaml", "u.yaml", "s.sql"]);
    let expected = [
        "E401 r.yaml:2:6 the file is not UTF-8 text: byte 0xFF at offset 18",
        "E401 s.sql:1:8 the file is not UTF-8 text: byte 0xC3 at offset 7",
        "E401 u.yaml the file is UTF-16",
    ];
    assert_eq!(findings(&ran.out), expected);
    assert_eq!(ran.exit, 2);
}

#[test]
fn files_are_one_set() {
    let rule = b"rule_engine: { rules: { a: { sql: 'SELECT * FROM t', actions: ['http:x'] } } }\n";
    let action = b"actions: { http: { x: { connector: c, parameters: {} } } }\nconnectors: { http: { c: { url: 'http://h' } } }\n";
    let twice = b"rule_engine: { rules: { a: { sql: 'SELECT * FROM u' } } }\n";
    let folder =
        folder(&[("rules/a.yaml", rule), ("rules/sub/actions.yaml", action), ("rules/z.yaml", twice)]);
    let ran = rulemill(folder.path(), &["check", "rules/a.yaml", "rules/sub"]);
    assert_eq!((ran.exit, ran.out.as_str()), (0, "1 rule in 2 files: no problems\n"));
    let ran = rulemill(folder.path(), &["check"]);
    assert_eq!(findings(&ran.out), ["E410 rules/z.yaml:1:25 rule a is defined twice"]);
    assert!(ran.out.contains("it is defined first at rules/a.yaml:1:25"), "{}", ran.out);
    assert_eq!(ran.exit, 2);
}

#[test]
fn a_folder_may_hold_other_files() {
    let rule = b"SELECT * FROM \"t\"\n";
    let test = b"tests: [{ name: x, given: { topic: t }, expect: no_match }]\n";
    let folder = folder(&[
        ("a.sql", rule),
        ("package.json", b"{\"name\": \"x\"}"),
        ("a.test.yaml", test),
        ("b.txt", b""),
    ]);
    let ran = rulemill(folder.path(), &["check", "."]);
    assert_eq!(findings(&ran.out), ["E414 package.json:1:1 the file holds no rules"]);
    assert!(ran.out.starts_with("note[E414]"), "{}", ran.out);
    assert_eq!(ran.exit, 0);
}

#[test]
fn what_cannot_be_read_ends_the_command() {
    let folder = folder(&[("empty/x.txt", b"")]);
    let cases: &[(&[&str], &str)] = &[
        (&["check", "no.yaml"], "cannot read no.yaml"),
        (&["check"], "there is no folder 'rules' here"),
        (&["check", "empty"], "no rule files found"),
        (&["check", "--emqx", "6.0", "empty"], "unknown EMQX profile '6.0'; write 5.8 or 4.3"),
        (&["check", "--nope"], "unexpected argument '--nope'"),
    ];
    for (args, sentence) in cases {
        let ran = rulemill(folder.path(), args);
        assert!(ran.err.contains(sentence), "{args:?}: {}", ran.err);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn findings_for_programs() {
    let folder = folder(&[("r.sql", b"SELECT uper(a) as b FROM \"t\"\n")]);
    let ran = rulemill(folder.path(), &["check", "--format", "json", "r.sql"]);
    let document: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&document["errors"], &document["rules"], &document["files"]),
        (&1.into(), &1.into(), &1.into())
    );
    let finding = &document["diagnostics"][0];
    assert_eq!(
        (&finding["code"], &finding["line"], &finding["column"]),
        (&"E101".into(), &1.into(), &8.into())
    );
    assert_eq!(ran.exit, 3);
}

#[test]
fn profiles_have_their_own_language() {
    let folder = folder(&[("r.sql", b"SELECT 5 mod 3 as m FROM \"t\"\n")]);
    assert_eq!(rulemill(folder.path(), &["check", "r.sql"]).exit, 0);
    let old = rulemill(folder.path(), &["check", "--emqx", "4.3", "r.sql"]);
    assert_eq!(old.exit, 3, "{}", old.out);
}

#[test]
fn the_examples_are_right() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = rulemill(root, &["check"]);
    assert_eq!((ran.exit, ran.out.lines().count()), (0, 1), "{}", ran.out);
    // EMQX 4.3 has no Sparkplug; all other examples hold there as well.
    let ran = rulemill(root, &["check", "--emqx", "4.3"]);
    let errors: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!(errors, ["error[E103]: EMQX 4.3 has no function `spb_decode`"], "{}", ran.out);
}
