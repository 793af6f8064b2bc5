//! Lints and error codes: every page's examples do what the page says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use rulemill::document::{Document, Format};
use rulemill::lint::{self, Example, Level, Levels, Lint};
use rulemill::profile::Profile;
use rulemill::rule::{self, Input};

fn input(path: &str, text: &str) -> Input {
    Input { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// The codes of what is found in an example while this lint is on.
fn found(lint: &'static Lint, example: &Example) -> Vec<&'static str> {
    let (inputs, tests) = match *example {
        Example::Sql(text) => (vec![input("r.sql", text)], Vec::new()),
        Example::Rules(text) => (vec![input("r.yaml", text)], Vec::new()),
        Example::Tested(rules, tests) => {
            let tests = Document::read("r.test.yaml", tests.as_bytes(), Format::Yaml).unwrap();
            (vec![input("r.yaml", rules)], vec![tests])
        }
    };
    let loaded = rule::load(&inputs, Profile::V5_8);
    assert!(loaded.problems.is_empty(), "{}: {:?}", lint.code, loaded.problems);
    let mut levels = Levels::default();
    if lint.level == Level::Allow {
        levels.set(lint.code, Level::Warn).unwrap();
    }
    let checked = lint::check(&loaded, &tests, &mut levels);
    assert!(checked.problems.is_empty(), "{}: {:?}", lint.code, checked.problems);
    checked.findings.iter().map(|finding| finding.lint.code).collect()
}

#[test]
fn every_page_shows_what_it_says() {
    for lint in lint::all() {
        let bad = found(lint, &lint.bad);
        assert!(!bad.is_empty() && bad.iter().all(|code| *code == lint.code), "{}: {bad:?}", lint.heading());
        assert_eq!(found(lint, &lint.good), Vec::<&str>::new(), "{}", lint.heading());
    }
}
