//! Lints through the real binary: what is found, how it is shown, by whom it is allowed, how it is repaired.
//!
//! `tests/data/lints` holds rules that are wrong on purpose, a file for each lint, and what `rulemill check` says of
//! it. `UPDATE=1 cargo test --test lint_check` writes that anew; `git diff` shows what changed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rulemill::lint::{self, Level};
use serde_json::Value;
use support::{findings, folder, rulemill};

fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/lints")
}

/// The rule files that are wrong on purpose, with their lints.
fn wrong_rules() -> Vec<(String, &'static lint::Lint)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(data()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.ends_with(".txt") && !name.contains(".test.") {
            let lint = lint::find(&name[..3]).unwrap();
            assert_eq!(name[4..name.rfind('.').unwrap()].replace('_', "-"), lint.name, "{name}");
            files.push((name, lint));
        }
    }
    files.sort_by(|a, b| a.0.cmp(&b.0));
    files
}

#[test]
fn every_lint_has_a_wrong_rule_and_says_what_is_written_down() {
    let files = wrong_rules();
    let covered: BTreeSet<&str> = files.iter().map(|(_, lint)| lint.code).collect();
    let all: BTreeSet<&str> = lint::all().iter().map(|lint| lint.code).collect();
    assert_eq!(covered, all);
    let mut differences = String::new();
    for (name, lint) in files {
        let stem = &name[..name.rfind('.').unwrap()];
        let tests = format!("{stem}.test.yaml");
        let mut args = vec!["check", name.as_str()];
        if data().join(&tests).exists() {
            args.push(&tests);
        }
        if lint.level == Level::Allow {
            args.extend(["--warn", lint.code]);
        }
        let ran = rulemill(&data(), &args);
        assert_eq!(ran.err, "", "{name}");
        assert!(findings(&ran.out).iter().any(|line| line.starts_with(lint.code)), "{name}: {}", ran.out);
        let snapshot = data().join(format!("{stem}.txt"));
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&snapshot, &ran.out).unwrap();
        }
        let expected = fs::read_to_string(&snapshot).unwrap_or_default();
        if ran.out != expected {
            differences += &format!("{name} says\n{}\nand was expected to say\n{expected}\n", ran.out);
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

const WRONG: &str = "rule_engine:\n  rules:\n    one:\n      sql: |\n        SELECT upper(clientid), 1 + 1\n        FROM \"t/1\"\n";

#[test]
fn what_is_closest_to_a_finding_says_its_level() {
    let with = |text: &str| format!("{WRONG}rulemill: {{ lints: {{ {text} }} }}\n");
    let cases: Vec<(String, &[&str], &str, i32)> = vec![
        (WRONG.to_owned(), &[], "warning warning", 0),
        (WRONG.to_owned(), &["--deny", "warnings"], "warning warning", 1),
        (WRONG.to_owned(), &["--deny", "W13"], "error error", 1),
        (WRONG.to_owned(), &["--deny", "all"], "error error", 1),
        (WRONG.to_owned(), &["--allow", "RANDOM-KEY"], "", 0),
        (with("W13: allow"), &[], "", 0),
        (with("random-key: note"), &["--deny", "warnings"], "note note", 0),
        (with("random-key: deny"), &[], "error error", 1),
        (with("random-key: deny"), &["--warn", "W13,W01"], "warning warning", 0),
        (WRONG.replace("1 + 1", "1 + 1 -- rulemill: allow(W13)"), &["--deny", "W13"], "", 0),
        (
            WRONG.replace(
                "SELECT upper",
                "-- rulemill: allow(W01, random-key)\n        -- why\n\n        SELECT upper",
            ),
            &[],
            "",
            0,
        ),
        (
            WRONG.replace(", 1 + 1", "\n        , -- rulemill: allow(W13)\n        1 + 1"),
            &[],
            "warning warning",
            0,
        ),
        (WRONG.replace(", 1 + 1", ", -- rulemill: allow(W13)\n        1 + 1"), &[], "warning", 0),
        (WRONG.replace(", 1 + 1", ",\n        -- rulemill: allow(W13)\n        1 + 1"), &[], "warning", 0),
    ];
    for (text, more, severities, exit) in cases {
        let folder = folder(&[("r.yaml", text.as_bytes())]);
        let ran = rulemill(folder.path(), &[&["check", "r.yaml"], more].concat());
        let found: Vec<&str> =
            ran.out.lines().filter_map(|line| line.split_once("[W13]")).map(|(word, _)| word).collect();
        assert_eq!((found.join(" ").as_str(), ran.exit), (severities, exit), "{more:?} {text}\n{}", ran.out);
    }
}

#[test]
fn unknown_lints_are_errors_with_the_nearest_one() {
    let file = format!(
        "{}rulemill: {{ lints: {{ random-kye: warn, W13: alow, W01: 5, nothing-like-it: deny }} }}\n",
        WRONG.replace("1 + 1", "1 + 1 -- rulemill: allow(W99)\n        -- rulemill: alow(W13)")
    );
    let dir = folder(&[("r.yaml", file.as_bytes())]);
    let ran = rulemill(dir.path(), &["check", "r.yaml"]);
    let expected = [
        "W13 r.yaml:5:16 a function without a name: EMQX makes one up, another each time",
        "W13 r.yaml:5:33 an operator without a name: EMQX makes one up, another each time",
        "E420 r.yaml:5:39 there is no lint 'W99'; did you mean 'W09'?",
        "E420 r.yaml:6:9 a comment of rulemill's is written `-- rulemill: allow(W13)`",
        "E420 r.yaml:8:22 there is no lint 'random-kye'; did you mean 'random-key'?",
        "E409 r.yaml:8:45 the level of 'W13' must be allow, note, warn or deny",
        "E409 r.yaml:8:56 the level of 'W01' must be allow, note, warn or deny",
        "E420 r.yaml:8:59 there is no lint 'nothing-like-it'; `rulemill explain` lists all",
    ];
    assert_eq!((findings(&ran.out), ran.exit), (expected.map(str::to_owned).to_vec(), 3), "{}", ran.out);
    assert!(ran.out.contains("did you mean 'allow'?"), "{}", ran.out);
    let cases: [(&[&str], &str); 3] = [
        (&["--deny", "random-kye"], "there is no lint 'random-kye'; did you mean 'random-key'?"),
        (&["--allow", "W13", "--deny", "random-key"], "W13 is given two levels: deny and allow"),
        (&["--warn", "warnings"], "there is no lint 'warnings'"),
    ];
    for (args, sentence) in cases {
        let ran = rulemill(dir.path(), &[&["check", "r.yaml"], args].concat());
        assert!(ran.err.contains(sentence), "{args:?}: {}", ran.err);
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{args:?}");
    }
}

#[test]
fn findings_for_programs() {
    let ran = rulemill(&data(), &["check", "--format", "json", "w01_double_quoted_string.sql"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let finding = &document["diagnostics"][0];
    assert_eq!((&finding["code"], &finding["lint"]), (&"W01".into(), &"double-quoted-string".into()));
    assert_eq!(finding["fix"]["title"], "write the string in single quotes: '/'");
    assert_eq!((&document["errors"], &document["warnings"], ran.exit), (&4.into(), &0.into(), 1));

    let ran = rulemill(
        &data(),
        &["check", "--format", "github", "w01_double_quoted_string.sql", "w11_shadowing_alias.sql"],
    );
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(
        lines[0],
        "::error file=w01_double_quoted_string.sql,line=3,endLine=3,col=24,endColumn=27,title=W01::`\"/\"` is a name here, \
         and nothing has that name%0Aundefined%0Afor a string write '/'"
    );
    assert!(
        lines.iter().all(|line| line.starts_with("::"))
            && lines.iter().any(|line| line.starts_with("::notice "))
    );
}

/// What SARIF 2.1.0 requires of a log (schemata/sarif-schema-2.1.0.json), as far as rulemill writes it.
fn check_sarif(log: &Value) {
    assert_eq!(log["version"], "2.1.0");
    assert!(log["$schema"].as_str().unwrap().contains("sarif-2.1.0"));
    for run in log["runs"].as_array().unwrap() {
        let driver = &run["tool"]["driver"];
        assert_eq!(driver["name"], "rulemill");
        assert!(driver["informationUri"].as_str().unwrap().starts_with("https://"));
        assert_eq!(run["columnKind"], "unicodeCodePoints");
        let rules = driver["rules"].as_array().unwrap();
        let levels = ["none", "note", "warning", "error"];
        let ids: BTreeSet<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), rules.len());
        for rule in rules {
            for text in ["shortDescription", "fullDescription", "help"] {
                assert!(!rule[text]["text"].as_str().unwrap().is_empty());
            }
            assert!(levels.contains(&rule["defaultConfiguration"]["level"].as_str().unwrap()));
        }
        for result in run["results"].as_array().unwrap() {
            assert!(!result["message"]["text"].as_str().unwrap().is_empty());
            assert!(levels.contains(&result["level"].as_str().unwrap()));
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
            let locations = result["locations"].as_array().unwrap();
            let related = result["relatedLocations"].as_array();
            for location in locations.iter().chain(related.into_iter().flatten()) {
                let physical = &location["physicalLocation"];
                let uri = physical["artifactLocation"]["uri"].as_str().unwrap();
                assert!(!uri.contains([' ', '\\']) && !uri.is_empty());
                let region = &physical["region"];
                let at = |name: &str| region[name].as_u64().unwrap();
                assert!(at("startLine") >= 1 && at("startColumn") >= 1);
                assert!((at("startLine"), at("startColumn")) <= (at("endLine"), at("endColumn")));
            }
            assert!(related.into_iter().flatten().all(|place| place["message"]["text"].is_string()));
        }
    }
}

#[test]
fn sarif_has_what_its_schema_requires() {
    let ran = rulemill(&data(), &["check", "--format", "sarif", "--warn", "all", "."]);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    check_sarif(&log);
    let results = log["runs"][0]["results"].as_array().unwrap();
    let codes: BTreeSet<&str> = results.iter().map(|result| result["ruleId"].as_str().unwrap()).collect();
    assert!(lint::all().iter().all(|lint| codes.contains(lint.code)), "{codes:?}");
    let empty = folder(&[("r.sql", b"SELECT clientid FROM \"t/1\"")]);
    let ran = rulemill(empty.path(), &["check", "--format", "sarif", "r.sql"]);
    let log: Value = serde_json::from_str(&ran.out).unwrap();
    check_sarif(&log);
    assert_eq!((log["runs"][0]["results"].as_array().unwrap().len(), ran.exit), (0, 0));
}

/// A file, and the same after `check --fix`.
struct Repair {
    why: &'static str,
    file: &'static str,
    before: &'static str,
    after: &'static str,
}

const REPAIRS: &[Repair] = &[
    Repair {
        why: "a bare SQL file",
        file: "r.sql",
        before: "SELECT topic() AS t, TRUE AS x\r\nFROM \"t/1\" WHERE payload.a = \"on\"\r\n",
        after: "SELECT topic AS t, true AS x\r\nFROM \"t/1\" WHERE payload.a = 'on'\r\n",
    },
    Repair {
        why: "a block of YAML, with a comment moved up",
        file: "r.yaml",
        before: "# kept\nrule_engine:\n  rules:\n    one:   # kept too\n      sql: |\n        SELECT payload.a\n        /2 AS half # note\n        FROM \"t/1\"\n        -- the end\n\n      enable: true\n",
        after: "# kept\nrule_engine:\n  rules:\n    one:   # kept too\n      sql: |\n        SELECT payload.a\n         /2 AS half -- note\n        -- the end\n        FROM \"t/1\"\n\n      enable: true\n",
    },
    Repair {
        why: "quotes of YAML",
        file: "r.yaml",
        before: "rule_engine: { rules: { a: { sql: 'SELECT qos FROM \"t/1\" WHERE payload.x = \"a\"' }, b: { sql: \"SELECT qos # q\\nFROM 't/1' WHERE payload.x = \\\"ü\\\" -- z\" } } }\n",
        after: "rule_engine: { rules: { a: { sql: 'SELECT qos FROM \"t/1\" WHERE payload.x = ''a''' }, b: { sql: \"SELECT qos -- q\\n-- z\\nFROM 't/1' WHERE payload.x = 'ü'\" } } }\n",
    },
    Repair {
        why: "JSON, with escapes and a byte-order mark",
        file: "r.json",
        before: "\u{feff}{\"rule_engine\": {\"rules\": {\"a\": {\"sql\":\n  \"SELECT qos FROM \\\"t/1\\\" WHERE payload.x = \\\"\\u00e9\\\"\"}}}}",
        after: "\u{feff}{\"rule_engine\": {\"rules\": {\"a\": {\"sql\":\n  \"SELECT qos FROM \\\"t/1\\\" WHERE payload.x = 'é'\"}}}}",
    },
    Repair {
        why: "a plain scalar over two lines",
        file: "r.yaml",
        before: "rule_engine:\n  rules:\n    one:\n      sql: SELECT qos() AS q\n        FROM t WHERE payload.x = \"y\"\n",
        after: "rule_engine:\n  rules:\n    one:\n      sql: SELECT qos AS q\n        FROM t WHERE payload.x = 'y'\n",
    },
    Repair {
        why: "a folded block takes what keeps its lines, and nothing else",
        file: "r.yaml",
        before: "rule_engine:\n  rules:\n    one:\n      sql: >\n        SELECT qos() AS q\n        FROM t -- z\n",
        after: "rule_engine:\n  rules:\n    one:\n      sql: >\n        SELECT qos() AS q\n        FROM t -- z\n",
    },
    Repair {
        why: "what is allowed stays",
        file: "r.yaml",
        before: "rule_engine: { rules: { a: { sql: 'SELECT topic() AS t FROM t' } } }\nrulemill: { lints: { W12: allow } }\n",
        after: "rule_engine: { rules: { a: { sql: 'SELECT topic() AS t FROM t' } } }\nrulemill: { lints: { W12: allow } }\n",
    },
    Repair {
        why: "a text with a single quote is left to its author",
        file: "r.sql",
        before: "SELECT qos FROM \"t/1\" WHERE payload.x = \"it's\"\n",
        after: "SELECT qos FROM \"t/1\" WHERE payload.x = \"it's\"\n",
    },
];

#[test]
fn repairs_change_what_they_should_and_no_other_byte() {
    for repair in REPAIRS {
        let folder = folder(&[(repair.file, repair.before.as_bytes())]);
        let path = folder.path().join(repair.file);
        let dry = rulemill(folder.path(), &["check", "--fix", "--dry-run", repair.file]);
        assert_eq!(fs::read(&path).unwrap(), repair.before.as_bytes(), "{}", repair.why);
        let changes = repair.before != repair.after;
        assert_eq!(
            (dry.out.contains("@@ -"), dry.exit),
            (changes, i32::from(changes)),
            "{}: {}",
            repair.why,
            dry.out
        );
        let ran = rulemill(folder.path(), &["check", "--fix", repair.file]);
        assert_eq!(ran.err, "");
        assert_eq!(fs::read_to_string(&path).unwrap(), repair.after, "{}: {}", repair.why, ran.out);
        assert_eq!(ran.out.contains("repaired "), changes, "{}: {}", repair.why, ran.out);
        // A second time there is nothing left to do.
        let again = rulemill(folder.path(), &["check", "--fix", "--quiet", repair.file]);
        assert_eq!(fs::read_to_string(&path).unwrap(), repair.after, "{}: {}", repair.why, again.out);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{}", repair.why);
    }
}

#[test]
fn a_dry_run_shows_a_diff() {
    let folder = folder(&[("r.sql", REPAIRS[0].before.replace("\r\n", "\n").as_bytes())]);
    let ran = rulemill(folder.path(), &["check", "--fix", "--dry-run", "r.sql"]);
    assert_eq!(
        ran.out,
        "--- r.sql\n+++ r.sql\n@@ -1,2 +1,2 @@\n-SELECT topic() AS t, TRUE AS x\n-FROM \"t/1\" WHERE payload.a = \"on\"\n\
         +SELECT topic AS t, true AS x\n+FROM \"t/1\" WHERE payload.a = 'on'\nwould make 3 repairs in 1 file\n"
    );
    let ran = rulemill(folder.path(), &["check", "--dry-run", "r.sql"]);
    assert_eq!(ran.exit, 2, "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_repaired_file_keeps_its_mode_and_its_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = folder(&[("real/r.sql", b"SELECT topic() AS t FROM \"t/1\"\n")]);
    let real = folder.path().join("real/r.sql");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&real, folder.path().join("r.sql")).unwrap();
    assert_eq!(rulemill(folder.path(), &["check", "--fix", "r.sql"]).exit, 0);
    assert_eq!(fs::read_to_string(&real).unwrap(), "SELECT topic AS t FROM \"t/1\"\n");
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
    assert!(fs::symlink_metadata(folder.path().join("r.sql")).unwrap().is_symlink());
}

#[test]
fn pages_are_shown_and_listed() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ran = rulemill(here, &["explain", "w05", "E301"]);
    assert!(
        ran.out.starts_with("W05 leading-slash\n") && ran.out.contains("\nE301 the payload is no JSON\n"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("Found:\n    SELECT payload.sum\n    /payload.count AS mean\n"), "{}", ran.out);
    assert_eq!(rulemill(here, &["explain", "leading-slash"]).out, rulemill(here, &["explain", "W05"]).out);
    let list = rulemill(here, &["explain"]).out;
    let json: Value = serde_json::from_str(&rulemill(here, &["explain", "--format", "json"]).out).unwrap();
    for page in json["pages"].as_array().unwrap() {
        let code = page["code"].as_str().unwrap();
        assert!(list.contains(&format!("  {code} ")), "{code}");
        let ran = rulemill(here, &["explain", code]);
        assert!(ran.exit == 0 && ran.out.lines().all(|line| line.chars().count() < 300), "{}", ran.out);
        assert!(["E105", "E400"].contains(&code) || page["bad"][0]["text"].is_string(), "{page}");
    }
    let ran = rulemill(here, &["explain", "W5"]);
    assert_eq!((ran.exit, ran.err.as_str()), (2, "error: there is no code 'W5'; did you mean 'W05'?\n"));
    let ran = rulemill(here, &["explain", "what is this"]);
    assert_eq!(ran.err, "error: there is no code 'what is this'; `rulemill explain` lists all\n");
}

#[test]
fn help_fits_what_was_written() {
    let sql = b"SELECT zip(payload.a, payload.b) as z FROM \"t\" WHERE payload.val != null";
    let folder = folder(&[("r.sql", sql)]);
    let says = |profile: &str| rulemill(folder.path(), &["check", "--emqx", profile, "r.sql"]).out;
    for (profile, help) in [
        ("5.8", "this never holds under EMQX 5.8; write `is_not_null(payload.val)`"),
        ("4.3", "for a value that is there write `is_not_null(payload.val)`"),
    ] {
        let said = says(profile);
        assert!(said.contains(help) && said.contains("`zip` takes 1 argument, not 2"), "{said}");
    }
}
