//! `rulemill convert`: the same rules in another format, through the library for all trees and through the binary for
//! what a user sees.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::sync::Arc;

use num_bigint::BigInt;
use proptest::prelude::*;
use rulemill::document::{self, Data, Document, Entry, Format, Node, Release, Style};
use rulemill::text::{Source, Span};
use support::{findings, folder, rulemill};

fn node(data: Data) -> Node {
    Node { span: Span::new(0, 0), style: Style::Plain, data }
}

fn document(root: Node) -> Document {
    Document { source: Source::new("made", ""), root, notes: Vec::new() }
}

const PIECES: &[&str] = &[
    "\n", "\n\n", " ", "  ", "\t", "\"", "\"\"\"", "\\", "~", "#", " #", ":", ": ", "- ", "a", "SELECT *",
    "é", "\u{2028}", "\r", "\r\n", "\u{1}", "${x}", "|", "'", "0x1F", "yes", "1e3", "\u{feff}", "\u{85}",
    ",", "]", "{", "}", "...", "---", "null", "5s", "0", "-", "_", ".", "%", "@", "&", "*", "!", ">", "?",
    "\u{7f}", "\u{fffe}", "\u{e000}", "😀", "\\u00e9", "\\n", "\\\"", "<<", "=", "$",
];

fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(PIECES), 0..8).prop_map(|pieces| pieces.concat())
}

/// HOCON has no writing for a key with a quote thrice and a line separator.
fn key() -> impl Strategy<Value = String> {
    text().prop_map(|key| key.replace('\u{2028}', ""))
}

fn scalar() -> impl Strategy<Value = Node> {
    prop_oneof![
        Just(node(Data::Null)),
        any::<bool>().prop_map(|b| node(Data::Bool(b))),
        any::<i128>().prop_map(|n| node(Data::Int(Arc::from(""), Arc::new(BigInt::from(n))))),
        any::<f64>()
            .prop_filter("finite", |f| f.is_finite())
            .prop_map(|f| node(Data::Float(Arc::from(format!("{f:e}")), f))),
        text().prop_map(|text| node(Data::Text(Arc::from(text)))),
        text().prop_map(|text| node(Data::Text(Arc::from(text)))),
    ]
}

fn map(entries: Vec<(String, Node)>) -> Node {
    let mut unique: Vec<Entry> = Vec::new();
    for (key, value) in entries {
        if unique.iter().all(|entry| *entry.key != *key) {
            unique.push(Entry { key: Arc::from(key), key_span: Span::new(0, 0), value });
        }
    }
    node(Data::Map(Arc::new(unique)))
}

fn tree() -> impl Strategy<Value = Node> {
    let inner = scalar().prop_recursive(4, 32, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|items| node(Data::List(Arc::new(items)))),
            prop::collection::vec((key(), inner), 0..5).prop_map(map),
        ]
    });
    prop::collection::vec((key(), inner), 1..4).prop_map(map)
}

fn read(text: &str, format: Format) -> Document {
    let name = format!("t.{}", format.name().to_lowercase());
    Document::read(&name, text.as_bytes(), format)
        .unwrap_or_else(|problems| panic!("{}\n{text}", problems[0]))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// Every tree has a writing in every format that says the same, all the way round.
    #[test]
    fn trees_go_round(root in tree()) {
        let mut last = document(root.clone());
        for format in [Format::Yaml, Format::Hocon, Format::Json, Format::Yaml, Format::Json, Format::Hocon] {
            let text = document::write(&last, format);
            let text = text.unwrap_or_else(|problem| panic!("{problem}\n{}", problem.source.as_ref().unwrap().text()));
            last = read(&text, format);
            prop_assert!(document::same(&root, &last.root), "{text}");
        }
    }

    /// What is written as JSON, EMQX reads as HOCON: but for control characters, for which JSON has only an escape
    /// that EMQX 5.8 does not know.
    #[test]
    fn json_is_hocon(root in tree()) {
        let json = document::write(&document(root.clone()), Format::Json).unwrap();
        let odd = |c: char| matches!(c, '\u{2028}' | '\u{2029}');
        if json.contains("\\u00") || json.contains(odd) {
            return Ok(());
        }
        for release in [Release::V0_44, Release::Newer] {
            let read = Document::read_with(
                "t", json.as_bytes(), Format::Hocon, release, &mut document::NoIncludes,
            );
            let read = read.unwrap_or_else(|problems| panic!("{}\n{json}", problems[0]));
            prop_assert!(document::same(&root, &read.root), "{json}");
        }
    }
}

/// Converts one file in a folder of its own; the folder is kept.
fn convert(name: &str, text: &str, args: &[&str]) -> (support::Ran, tempfile::TempDir) {
    let folder = folder(&[(name, text.as_bytes())]);
    let args: Vec<&str> = ["convert", name].iter().chain(args).copied().collect();
    (rulemill(folder.path(), &args), folder)
}

const YAML: &str = r##"# About the rule.
rule_engine:
  rules:
    hot: # the only one
      sql: |
        SELECT payload.t as temp
        FROM "s/#"
      # Where it goes.
      actions: ["http:x", { function: console }]
      enable: true # for now
# The end.
"##;

const HOCON: &str = r##"# About the rule.
rule_engine {
  rules {
    hot {
      # the only one
      sql = """~
        SELECT payload.t as temp
        FROM "s/#"
      ~"""
      # Where it goes.
      actions = [
        "http:x",
        {
          function = "console"
        }
      ]
      enable = true # for now
    }
  }
}
# The end.
"##;

#[test]
fn sql_and_comments_stay_readable() {
    let (ran, _) = convert("r.yaml", YAML, &["--to", "hocon"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.exit), (HOCON, "", 0));
    let (ran, _) = convert("r.hocon", HOCON, &["--to", "yaml"]);
    let back = YAML.replace("    hot: # the only one\n", "    hot:\n      # the only one\n");
    let back = back
        .replace("[\"http:x\", { function: console }]", "\n        - http:x\n        - function: console");
    assert_eq!((ran.out.replace("actions:\n", "actions: \n"), ran.exit), (back, 0));
    let (ran, _) = convert("r.yaml", YAML, &["--to", "json"]);
    let json = r##"{
  "rule_engine": {
    "rules": {
      "hot": {
        "sql": "SELECT payload.t as temp\nFROM \"s/#\"\n",
        "actions": [
          "http:x",
          {
            "function": "console"
          }
        ],
        "enable": true
      }
    }
  }
}
"##;
    assert_eq!((ran.out.as_str(), ran.exit), (json, 0));
    assert_eq!(ran.err, "note: 5 comments left out: JSON has none\n");
}

#[test]
fn comments_stand_where_they_stood() {
    let text = "a = 1 // one\nb = 2\nd { # in d\n  e = [1, # first\n    2]\n  # end of d\n}\n# end";
    let (ran, _) = convert("r.conf", text, &["--to", "hocon"]);
    let expected =
        "a = 1 # one\nb = 2\nd {\n  # in d\n  e = [\n    1, # first\n    2\n  ]\n  # end of d\n}\n# end\n";
    assert_eq!(ran.out, expected, "{}", ran.err);
    // EMQX would look for the string's end in the comment.
    let (ran, _) = convert("r.yaml", "c: 'x\\' # \"quoted\"\nd: 1\n", &["--to", "hocon"]);
    assert_eq!(ran.out, "c = \"x\\\\\"\n# \"quoted\"\nd = 1\n", "{}", ran.err);
}

#[test]
fn all_examples_go_round() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut seen = 0;
    for folder in ["rules", "tests/rules"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let Some(format) = Format::of(&path) else { continue };
            let text = fs::read_to_string(&path).unwrap();
            let document = Document::read(path.to_str().unwrap(), text.as_bytes(), format).unwrap();
            for format in [Format::Yaml, Format::Json, Format::Hocon] {
                let written = document::write(&document, format).unwrap();
                let again = document::write(&read(&written, format), format).unwrap();
                assert_eq!(written, again, "{}", path.display());
            }
            seen += 1;
        }
    }
    assert!(seen >= 10, "only {seen} files");
}

#[test]
fn includes_substitutions_and_sql_files_are_written_out() {
    let folder = folder(&[
        ("r.conf", b"include \"p.conf\"\nurl = \"http://h\"\nconnectors.http.c.url = ${url}\"/in\""),
        ("p.conf", b"# gone\nrulemill.hstreamdb.c.api = rest"),
        ("my_rule.sql", b"SELECT *\nFROM \"t\"\n"),
    ]);
    let ran = rulemill(folder.path(), &["convert", "r.conf", "--to", "json"]);
    let compact: String = ran.out.split_whitespace().collect();
    let expected = r#"{"rulemill":{"hstreamdb":{"c":{"api":"rest"}}},"url":"http://h","connectors":{"http":{"c":{"url":"http://h/in"}}}}"#;
    assert_eq!(compact, expected);
    assert_eq!(
        ran.err,
        "note: a broker does not know the root key `rulemill`; remove it before EMQX reads the file\n"
    );
    let ran = rulemill(folder.path(), &["convert", "my_rule.sql", "--to", "yaml"]);
    let expected = "rule_engine:\n  rules:\n    my_rule:\n      sql: |\n        SELECT *\n        FROM \"t\"\n      actions:\n        \
                    - function: console\n";
    assert_eq!(ran.out, expected);
}

#[test]
fn files_are_written_whole_and_not_over_others() {
    let (ran, folder) = convert("r.yaml", YAML, &["-o", "out/../r.hocon"]);
    assert_eq!(ran.exit, 2, "there is no folder 'out'");
    let hocon = folder.path().join("r.hocon");
    let ran = rulemill(folder.path(), &["convert", "r.yaml", "-o", "r.hocon"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.exit), ("", "", 0));
    assert_eq!(fs::read_to_string(&hocon).unwrap(), HOCON);
    fs::write(&hocon, "mine").unwrap();
    let ran = rulemill(folder.path(), &["convert", "r.yaml", "-o", "r.hocon"]);
    assert_eq!((ran.err.as_str(), ran.exit), ("error: r.hocon is there; --force writes over it\n", 2));
    assert_eq!(fs::read_to_string(&hocon).unwrap(), "mine");
    assert_eq!(rulemill(folder.path(), &["convert", "r.yaml", "-o", "r.hocon", "--force"]).exit, 0);
    assert_eq!(fs::read_to_string(&hocon).unwrap(), HOCON);
    let names = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(names, 2, "nothing else is left behind");
    let check = rulemill(folder.path(), &["check", "r.hocon"]);
    assert!(check.out.contains("there is no action 'http:x'"), "{}", check.out);
}

#[test]
fn what_cannot_be_converted_is_told() {
    let cases: &[(&str, &str, &[&str], &str)] = &[
        ("r.yaml", "a: [1", &["--to", "json"], "E402 r.yaml:1:4 not valid YAML: unclosed bracket '['"),
        ("r.hocon", "a = t/1", &["--to", "json"], "E402 r.hocon:1:5 't/1' must stand in quotes"),
        ("r.yaml", "a: .inf", &["--to", "json"], "E432 r.yaml:1:4 JSON has no number .inf"),
        ("r.yaml", "a: [1, .nan]", &["--to", "hocon"], "E432 r.yaml:1:8 HOCON has no number .nan"),
        ("r.yaml", "- 1", &["--to", "hocon"], "E432 r.yaml:1:1 the root of HOCON is an object, not a list"),
        ("r.sql", "\u{0}", &["--to", "hocon"], ""),
    ];
    for (name, text, args, expected) in cases {
        let (ran, _) = convert(name, text, args);
        let exit = if expected.is_empty() { 0 } else { 2 };
        assert_eq!(
            (findings(&ran.err).join("; "), ran.exit),
            ((*expected).to_owned(), exit),
            "{text:?} {}",
            ran.err
        );
    }
    let plain: &[(&[&str], &str)] = &[
        (&["convert", "no.yaml", "--to", "json"], "cannot read no.yaml"),
        (&["convert", "r.txt", "--to", "json"], "r.txt is no rule file"),
        (&["convert", "r.yaml"], "--to <FORMAT>"),
        (&["convert", "r.yaml", "-o", "x"], "the output's name tells no format"),
        (
            &["convert", "r.yaml", "-o", "x.json", "--to", "hocon"],
            "--to says HOCON, and the name of x.json JSON",
        ),
        (&["convert", "r.yaml", "--to", "xml"], "invalid value 'xml'"),
    ];
    let folder = folder(&[("r.yaml", b"a: 1"), ("r.txt", b"x")]);
    for (args, sentence) in plain {
        let ran = rulemill(folder.path(), args);
        assert!(ran.err.contains(sentence) && ran.exit == 2, "{args:?}: {}", ran.err);
    }
}
