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
