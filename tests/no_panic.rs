//! No file makes rulemill panic: rule files, test files and JSON, damaged at random.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rulemill::ctx::Ctx;
use rulemill::diag::{human, json};
use rulemill::document::{Document, Format};
use rulemill::harness::{self, Fixtures};
use rulemill::profile::Profile;
use rulemill::rule::{Input, load};
use rulemill::value::Bytes;

const RULES: [&str; 4] = [
    include_str!("rules/http.yaml"),
    include_str!("rules/republish.yaml"),
    include_str!("rules/sinks.yaml"),
    include_str!("rules/flow.yaml"),
];
const TESTS: [&str; 5] = [
    include_str!("rules/http.test.yaml"),
    include_str!("rules/republish.test.yaml"),
    include_str!("rules/sinks.test.yaml"),
    include_str!("rules/flow.test.yaml"),
    include_str!("rules/matchers.test.yaml"),
];
const SNIPPETS: [&str; 22] = [
    "\"",
    "'",
    ": ",
    "\n",
    "  ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "$",
    "$contains: ",
    "&a ",
    "*a",
    "|\n",
    ">-\n",
    "\t",
    "é",
    "\r\n",
    "1e999",
    "\u{feff}",
    "!!str ",
];

struct Nowhere;

impl Fixtures for Nowhere {
    fn read(&mut self, _: &str) -> Result<Bytes, String> {
        Ok(Bytes::from_static(b"{\"topic\": \"t\"}\n"))
    }
}

/// A text with pieces cut out, doubled and put in.
fn damaged(base: &str, edits: &[(prop::sample::Index, usize, usize)]) -> Vec<u8> {
    let mut text = base.as_bytes().to_vec();
    for (at, kind, length) in edits {
        let at = at.index(text.len() + 1);
        let end = (at + length).min(text.len());
        match kind % 4 {
            0 => drop(text.drain(at..end)),
            1 => {
                let piece = text[at..end].to_vec();
                text.splice(at..at, piece);
            }
            2 => drop(text.splice(at..at, SNIPPETS[length % SNIPPETS.len()].bytes())),
            _ => drop(text.splice(at..end, [*length as u8])),
        }
    }
    text
}

fn edits() -> impl Strategy<Value = Vec<(prop::sample::Index, usize, usize)>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0usize..8, 0usize..40), 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_end_with_sentences(rules in 0..RULES.len(), tests in 0..TESTS.len(), a in edits(), b in edits()) {
        let rules = Input { path: "r.yaml".to_owned(), bytes: damaged(RULES[rules], &a) };
        let tests = damaged(TESTS[tests], &b);
        for profile in Profile::ALL {
            let loaded = load(std::slice::from_ref(&rules), profile);
            for problem in &loaded.problems {
                prop_assert!(!human::to_text(problem, false).is_empty() && json::to_json(problem).is_object());
            }
            match harness::parse("r.test.yaml", &tests, &mut Nowhere) {
                Ok(file) => {
                    for test in &file.tests {
                        let new_ctx = |now, seed| Ctx::frozen(now, seed);
                        let result = harness::run_case(&file, test, profile, &loaded, &new_ctx);
                        prop_assert!(!harness::report::failure_block(&file, test, &result, "x", harness::Look::plain(80)).is_empty());
                    }
                }
                Err(problems) => prop_assert!(problems.iter().all(|p| !human::to_text(p, true).is_empty())),
            }
        }
    }

    #[test]
    fn damaged_json_ends_with_sentences(edits in edits()) {
        let base = "{\"rule_engine\": {\"rules\": {\"a\": {\"sql\": \"SELECT \\u00e9 FROM t\", \"n\": [1, -2.5e3, null, true]}}}}";
        let _ = Document::read("r.json", &damaged(base, &edits), Format::Json);
    }

    #[test]
    fn any_bytes_end_with_sentences(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[\\-:{}\\[\\]'\"|>&*!#%@, a1\n\t$]{0,80}") {
        for format in [Format::Yaml, Format::Json] {
            let _ = Document::read("r", &bytes, format);
            let _ = Document::read("r", text.as_bytes(), format);
        }
        let _ = harness::parse("r.test.yaml", text.as_bytes(), &mut Nowhere);
    }

    #[test]
    fn every_character_of_a_block_scalar_is_found(lines in prop::collection::vec("[ a-zé]{0,8}", 1..6), style in 0..4usize) {
        let header = ["|", ">", "|-", ">+"][style];
        let mut file = format!("k: {header}\n");
        lines.iter().for_each(|line| file.push_str(&format!("  {line}\n")));
        let Ok(document) = Document::read("r.yaml", file.as_bytes(), Format::Yaml) else { return Ok(()) };
        let Some(node) = document.root.get("k") else { return Ok(()) };
        let Some(value) = node.as_text() else { return Ok(()) };
        let embedded = document.embedded(node);
        for (at, c) in value.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let place = embedded.place(rulemill::text::Span::new(at, at + c.len_utf8()));
            prop_assert_eq!(document.source.slice(place), c.to_string());
        }
    }
}
