//! EMQX's HOCON, held against what EMQX itself makes of each text (tests/data/hocon.txt), its includes, its places
//! and its bounds.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;

use proptest::prelude::*;
use rulemill::diag::Diagnostic;
use rulemill::document::{Data, Document, Format, Included, Includes, NoIncludes, Node, Release};
use rulemill::limits;
use rulemill::text::Span;

/// Files in memory.
struct Files(BTreeMap<&'static str, String>);

impl Includes for Files {
    fn open(&mut self, _: &str, name: &str) -> Result<Option<Included>, String> {
        let file = |text: &String| Included {
            name: name.to_owned(),
            identity: name.to_owned(),
            bytes: text.clone().into_bytes(),
        };
        Ok(self.0.get(name).map(file))
    }
}

fn files(files: &[(&'static str, &str)]) -> Files {
    Files(files.iter().map(|(name, text)| (*name, (*text).to_owned())).collect())
}

fn read(text: &str, release: Release) -> Result<Document, Vec<Diagnostic>> {
    Document::read_with("t.hocon", text.as_bytes(), Format::Hocon, release, &mut files(&[]))
}

/// A tree as compact JSON, its keys in the order of the file.
fn json(node: &Node, out: &mut String) {
    match &node.data {
        Data::Null => out.push_str("null"),
        Data::Bool(b) => _ = write!(out, "{b}"),
        Data::Int(_, n) => _ = write!(out, "{n}"),
        Data::Float(_, f) => _ = write!(out, "{f:?}"),
        Data::Text(text) => quoted(text, out),
        Data::List(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                json(item, out);
            }
            out.push(']');
        }
        Data::Map(entries) => {
            out.push('{');
            for (at, entry) in entries.iter().enumerate() {
                out.push_str(if at > 0 { "," } else { "" });
                quoted(&entry.key, out);
                out.push(':');
                json(&entry.value, out);
            }
            out.push('}');
        }
    }
}

fn quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c < ' ' => _ = write!(out, "\\u{:04x}", u32::from(c)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// What came of a text, in the words of the table.
fn told(text: &str, release: Release) -> Vec<String> {
    let mut lines = Vec::new();
    let mut problem = |sign: &str, problem: &Diagnostic| {
        let label = problem.labels.first().unwrap();
        let at = problem.source.as_ref().unwrap().position(label.span.start as usize);
        lines.push(format!("{sign} {}:{} {}", at.line, at.column, problem.message));
        lines.extend(problem.help.iter().map(|help| format!("? {help}")));
    };
    match read(text, release) {
        Ok(document) => {
            document.notes.iter().for_each(|note| problem("~", note));
            let mut tree = String::new();
            json(&document.root, &mut tree);
            lines.insert(0, tree);
        }
        Err(problems) => problems.iter().for_each(|p| problem("!", p)),
    }
    lines
}

#[test]
fn texts_give_what_emqx_makes_of_them() {
    let table = include_str!("data/hocon.txt");
    let (mut probes, mut wrong) = (0, Vec::new());
    for block in table.split("===\n").skip(1) {
        let mut text: Vec<&str> = Vec::new();
        let (mut expected, mut newer): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
        for line in block.lines() {
            match line.strip_prefix("--- ") {
                Some(answer) => match answer.strip_prefix("newer ") {
                    Some(answer) => newer.push(answer),
                    None => expected.push(answer),
                },
                None if expected.is_empty() => text.push(line),
                None => {}
            }
        }
        let text = text.join("\n").replace('␍', "\r").replace('␉', "\t");
        let newer = if newer.is_empty() { &expected } else { &newer };
        for (release, expected) in [(Release::V0_44, &expected), (Release::Newer, newer)] {
            let told = told(&text, release);
            if told != *expected {
                wrong.push(format!("{release:?} {text:?}\n  is       {told:#?}\n  expected {expected:#?}"));
            }
        }
        probes += 1;
    }
    assert!(probes > 250, "only {probes} probes were found");
    assert!(wrong.is_empty(), "{} of {probes}:\n{}", wrong.len(), wrong.join("\n"));
}

fn with(main: &str, included: &[(&'static str, &str)]) -> Result<Document, Vec<Diagnostic>> {
    let release = Release::default();
    Document::read_with("main.conf", main.as_bytes(), Format::Hocon, release, &mut files(included))
}

fn tree(document: &Document) -> String {
    let mut out = String::new();
    json(&document.root, &mut out);
    out
}

#[test]
fn included_fields_stand_where_the_include_stands() {
    let document = with(
        "a = 1\ninclude \"x.conf\"\no { include required(\"y.conf\"), z = ${o.y} }\nb = 3",
        &[("x.conf", "a = 2\nb = ${a}"), ("y.conf", "{ y = 5, w = ${y} }")],
    )
    .unwrap();
    // Inside an object, the names of an included file's substitutions begin at the object.
    assert_eq!(tree(&document), r#"{"a":2,"b":3,"o":{"y":5,"w":5,"z":5}}"#);
    let places = ["b", "o"].map(|key| document.source.locate(document.root.entry(key).unwrap().key_span));
    assert_eq!(places, ["main.conf:4:1", "main.conf:3:1"]);
    let y = document.root.get("o").unwrap().entry("y").unwrap();
    assert_eq!(document.source.locate(y.key_span), "y.conf:1:3");
    assert_eq!(document.source.slice(y.value.span), "5");
}

#[test]
fn bad_includes_have_their_sentences() {
    let first = |main: &str, included: &[(&'static str, &str)]| {
        with(main, included).map(|d| tree(&d)).map_err(|p| p[0].to_string()).unwrap_err()
    };
    assert_eq!(
        first("a = 1\ninclude \"main.conf\"", &[("main.conf", "a = 1")]),
        "main.conf:2:9: error[E430]: files include each other in a circle: main.conf → main.conf"
    );
    assert_eq!(
        first("include \"x.conf\"", &[("x.conf", "include \"y.conf\""), ("y.conf", "\n include \"x.conf\"")]),
        "y.conf:2:10: error[E430]: files include each other in a circle: main.conf → x.conf → y.conf → x.conf"
    );
    assert_eq!(
        first("include required(\"x.conf\")", &[]),
        "main.conf:1:18: error[E430]: there is no file 'x.conf' beside main.conf"
    );
    assert_eq!(
        first("include \"x.conf\"", &[("x.conf", "a = 1\nb = t/1")]),
        "x.conf:2:5: error[E402]: 't/1' must stand in quotes"
    );
    assert_eq!(
        first("include \"x.conf\"\n", &[("x.conf", "a = 1\nb = ${c}")]),
        "x.conf:2:5: error[E431]: there is nothing at 'c'"
    );
    let refused = Document::read("t.conf", b"include \"x\"", Format::Hocon).unwrap_err();
    assert_eq!(refused[0].to_string(), "t.conf:1:9: error[E430]: the include of 'x' cannot be followed here");
    let not_text =
        Document::read_with("t.conf", b"include \"x\"", Format::Hocon, Release::default(), &mut Latin1);
    assert_eq!(
        not_text.unwrap_err()[0].to_string(),
        "x:1:6: error[E401]: the file is not UTF-8 text: byte 0xE9 at offset 5"
    );
}

struct Latin1;

impl Includes for Latin1 {
    fn open(&mut self, _: &str, name: &str) -> Result<Option<Included>, String> {
        Ok(Some(Included {
            name: name.to_owned(),
            identity: name.to_owned(),
            bytes: b"a = \"\xe9\"".to_vec(),
        }))
    }
}

/// Includes itself under ever new names.
struct Endless;

impl Includes for Endless {
    fn open(&mut self, _: &str, name: &str) -> Result<Option<Included>, String> {
        let bytes = format!("include \"{name}x\"").into_bytes();
        Ok(Some(Included { name: name.to_owned(), identity: name.to_owned(), bytes }))
    }
}

#[test]
fn chains_of_includes_end() {
    let release = Release::default();
    let problem =
        Document::read_with("m", b"include \"x\"", Format::Hocon, release, &mut Endless).unwrap_err();
    let depth = limits::INCLUDE_DEPTH_MAX;
    assert_eq!(problem[0].message, format!("files include each other more than {depth} deep"));
    let many = |n: usize| with(&"include \"x.conf\"\n".repeat(n), &[("x.conf", "a = 1")]);
    assert!(many(limits::INCLUDES_MAX - 1).is_ok());
    let problem = many(limits::INCLUDES_MAX).unwrap_err();
    assert_eq!(problem[0].message, format!("more than {} included files", limits::INCLUDES_MAX));
    let large = format!("a = 1 {}", " ".repeat(limits::DOCUMENT_BYTES_MAX / 2));
    let problem = with("include \"x\"\ninclude \"x\"", &[("x", &large)]).unwrap_err();
    assert_eq!(
        problem[0].to_string(),
        "main.conf:2:9: error[E405]: the files together have more than 8388608 bytes"
    );
}

/// The first sentence about a text, which must be wrong.
fn sentence(text: &str) -> String {
    read(text, Release::default()).unwrap_err()[0].to_string()
}

#[test]
fn nesting_stops_at_its_bound() {
    let deep = limits::DOCUMENT_DEPTH_MAX;
    let arrays = |n: usize| format!("a = {}{}", "[".repeat(n), "]".repeat(n));
    let objects = |n: usize| format!("{}{}", "a {".repeat(n), "}".repeat(n));
    let path = |n: usize| format!("{}a = 1", "a.".repeat(n));
    for text in [arrays(deep - 1), objects(deep - 1), path(deep - 1), format!("{{{}}}", arrays(deep - 1))] {
        assert!(read(&text, Release::default()).is_ok(), "{text}");
    }
    for text in [arrays(deep), objects(deep), path(deep), arrays(100_000), objects(100_000), path(100_000)] {
        let sentence = sentence(&text);
        assert!(sentence.ends_with("error[E405]: nested deeper than 64 levels"), "{sentence}");
    }
    // A substitution may put deep things deeper.
    let half = "[".repeat(40);
    let text = format!("a = {half}{}\nb = {half}${{a}}{}", "]".repeat(40), "]".repeat(40));
    assert_eq!(sentence(&text), "t.hocon:1:28: error[E405]: nested deeper than 64 levels");
}

#[test]
fn sizes_stop_at_their_bounds() {
    let items = |n: usize| format!("a = [{}]", "1 ".repeat(n));
    assert!(read(&items(limits::DOCUMENT_NODES_MAX - 2), Release::default()).is_ok());
    assert!(
        sentence(&items(limits::DOCUMENT_NODES_MAX - 1)).ends_with("error[E405]: more than 200000 values")
    );
    let signs = ",".repeat(limits::HOCON_TOKENS_MAX + 1);
    assert!(sentence(&signs).ends_with("error[E405]: more than 800000 words and signs"));
    let digits = |n: usize| format!("a = {}", "9".repeat(n));
    assert!(read(&digits(limits::DOCUMENT_DIGITS_MAX), Release::default()).is_ok());
    assert_eq!(
        sentence(&digits(limits::DOCUMENT_DIGITS_MAX + 1)),
        "t.hocon:1:5: error[E405]: a number of more than 4096 characters"
    );
    let size = |n: usize| format!("a=1{}", " ".repeat(n - 3));
    assert!(read(&size(limits::DOCUMENT_BYTES_MAX), Release::default()).is_ok());
    let problem = read(&size(limits::DOCUMENT_BYTES_MAX + 1), Release::default()).unwrap_err();
    assert_eq!(problem[0].message, "the file has 8388609 bytes; rulemill reads up to 8388608");
}

#[test]
fn substitutions_stop_at_their_bounds() {
    let mut laughs = "a0 = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n".to_owned();
    for n in 1..12 {
        let ten = vec![format!("${{a{}}}", n - 1); 10].join(", ");
        _ = writeln!(laughs, "a{n} = [{ten}]");
    }
    let expected = "t.hocon:6:7: error[E405]: more than 200000 values, substitutions counted in full";
    assert_eq!(sentence(&laughs), expected);
    let chain =
        |n: usize| (1..n).fold("a0 = x\n".to_owned(), |text, n| format!("{text}a{n} = ${{a{}}} x\n", n - 1));
    assert!(read(&chain(100), Release::default()).is_ok());
    assert!(
        sentence(&chain(1000)).ends_with("error[E405]: substitutions in substitutions, more than 256 levels")
    );
    // Without anything to join, a chain has no levels.
    let plain = (1..1000).fold("a0 = x\n".to_owned(), |text, n| format!("{text}a{n} = ${{a{}}}\n", n - 1));
    assert!(read(&plain, Release::default()).is_ok());
    let backwards = (1..4000).fold(String::new(), |text, n| format!("{text}a{n} = ${{a{}}}\n", n + 1));
    assert!(
        sentence(&format!("{backwards}a4000 = 1")).contains("error[E405]: the substitutions take more than")
    );
}

#[test]
fn odd_line_breaks_and_blanks() {
    let document = read(
        "\u{feff}a = 1\u{2028}b\u{a0}=\u{b}2\u{c}c = \"\"\"x\u{2029}y\"\"\" # c\u{2029}d = 4",
        Release::V0_44,
    );
    assert_eq!(tree(&document.unwrap()), "{\"a\":1,\"b\":2,\"c\":\"x\u{2029}y\",\"d\":4}");
    assert_eq!(
        sentence("a = \"x\u{2028}y\""),
        "t.hocon:1:5: error[E402]: this string is not closed on its line"
    );
    assert_eq!(
        sentence("a = 1\nb = \u{feff}"),
        "t.hocon:2:5: error[E402]: a byte-order mark inside the file"
    );
    assert_eq!(sentence("a = 1\nb = \0"), "t.hocon:2:5: error[E402]: U+0000 cannot stand outside quotes");
    assert_eq!(sentence(""), "t.hocon:1:1: error[E403]: the file is empty");
    assert_eq!(sentence("// nothing\n # here"), "t.hocon:1:1: error[E403]: the file is empty");
}

#[test]
fn a_place_in_a_text_is_found_in_its_file() {
    let file = "rule_engine.rules.r.sql = \"\"\"~\n    SELECT\n      nmae\n    FROM \"t\"\n  ~\"\"\"\n";
    let document = read(file, Release::default()).unwrap();
    let node =
        ["rule_engine", "rules", "r", "sql"].iter().fold(&document.root, |node, key| node.get(key).unwrap());
    let value = node.as_text().unwrap();
    assert_eq!(value, "SELECT\n  nmae\nFROM \"t\"\n");
    let embedded = document.embedded(node);
    let at = value.find("nmae").unwrap();
    assert_eq!(document.source.locate(embedded.place(Span::new(at, at + 4))), "t.hocon:3:7");
    assert_eq!(document.source.slice(embedded.place(Span::new(at, at + 4))), "nmae");
    // A substituted text is found where it is written, one that was joined as a whole.
    let document =
        read("sql = \"\"\"SELECT *\nFROM t\"\"\"\na = ${sql}\nb = ${sql} x", Release::default()).unwrap();
    let places = ["a", "b"].map(|key| {
        let embedded = document.embedded(document.root.get(key).unwrap());
        document.source.locate(embedded.place(Span::new(14, 15)))
    });
    assert_eq!(places, ["t.hocon:2:6", "t.hocon:4:5"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// No text stops the reader in another way than with a sentence that has a place.
    #[test]
    fn no_text_panics(pieces in prop::collection::vec(prop::sample::select(PIECES), 0..24)) {
        let text = pieces.concat();
        for release in [Release::V0_44, Release::Newer] {
            let read = Document::read_with("t.hocon", text.as_bytes(), Format::Hocon, release, &mut NoIncludes);
            if let Err(problems) = read {
                for problem in problems {
                    let label = problem.labels.first().unwrap();
                    prop_assert!((label.span.end as usize) <= text.len(), "{text:?}: {problem}");
                    prop_assert!(text.is_char_boundary(label.span.start as usize), "{text:?}: {problem}");
                    prop_assert!(!problem.message.is_empty());
                }
            }
        }
    }
}

const PIECES: &[&str] = &[
    "a",
    "b.c",
    "1",
    "2.5",
    ".",
    "\"",
    "\"\"\"",
    "\\",
    "\\\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    "=",
    ":",
    " ",
    "\n",
    "$",
    "${a}",
    "${?b.c}",
    "#",
    "/",
    "-",
    "+",
    "e3",
    "5s",
    "include ",
    "required(\"f\")",
    "~",
    "\"\"\"~\n",
    "é",
    "\t",
    "\r\n",
    "true",
    "null",
    "\u{2028}",
    "\u{a0}",
    "\\u00e9",
    "😀",
    "a = ",
    "a { ",
    "\"x\" ",
    "[1, ",
];
