//! Lints and error codes: every page's examples do what the page says.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use rulemill::ctx::Ctx;
use rulemill::document::{Document, Format};
use rulemill::event::Message;
use rulemill::harness::{self, Fixtures};
use rulemill::lint::{self, Example, Level, Levels, Lint};
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::rule::{self, Input};
use rulemill::text::Source;
use rulemill::value::Bytes;
use rulemill::{diag, eval};

mod support;

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

/// No fixture is there.
struct NoFixtures;

impl Fixtures for NoFixtures {
    fn read(&mut self, path: &str) -> Result<Bytes, String> {
        Err(format!("cannot read the fixture {path}"))
    }
}

/// The codes that a command says of a rule file.
fn said(args: &[&str], text: &str) -> Vec<&'static str> {
    let folder = support::folder(&[("r.yaml", text.as_bytes())]);
    let ran = support::rulemill(folder.path(), args);
    assert_eq!(ran.exit == 0, ran.err.is_empty(), "{}{}", ran.out, ran.err);
    let said = |page: &&diag::codes::Code| ran.err.contains(&format!("[{}]", page.code));
    diag::codes::CODES.iter().filter(said).map(|page| page.code).collect()
}

/// The codes that an example raises.
fn raised(example: &diag::examples::Example) -> Vec<&'static str> {
    use diag::examples::Example;
    let load = |name: &str, bytes: &[u8], profile| {
        let loaded = rule::load(&[Input { path: name.to_owned(), bytes: bytes.to_vec() }], profile);
        let mut problems = loaded.problems.clone();
        let programs = loaded.set.rules.values().map(|rule| &rule.program);
        problems.extend(programs.flat_map(|program| program.problems().to_vec()));
        problems.extend(lint::check(&loaded, &[], &mut Levels::default()).problems);
        (loaded, problems)
    };
    let problems = match *example {
        Example::Sql(text) => load("r.sql", text.as_bytes(), Profile::V5_8).1,
        Example::OldSql(text) => load("r.sql", text.as_bytes(), Profile::V4_3).1,
        Example::Rules(text) => load("r.yaml", text.as_bytes(), Profile::V5_8).1,
        Example::Bytes(bytes) => load("r.yaml", bytes, Profile::V5_8).1,
        Example::Named(name, text) => load(name, text.as_bytes(), Profile::V5_8).1,
        Example::Run(text, payload) => {
            let program = Program::compile(&Source::new("r.sql", text), Profile::V5_8).unwrap();
            let columns = Message::new("t/1", Bytes::from(payload)).columns(Profile::V5_8);
            match eval::run(&program, &columns, &mut Ctx::frozen(0, 0)) {
                Ok(_) => Vec::new(),
                Err(e) => vec![*e.diagnostic],
            }
        }
        Example::Formatted(text) => return said(&["fmt", "--check", "r.yaml"], text),
        Example::ToJson(text) => return said(&["convert", "r.yaml", "--to", "json"], text),
        Example::Tests(text) => {
            let (loaded, _) = load("r.sql", b"SELECT payload FROM \"t/1\"", Profile::V5_8);
            match harness::parse("r.test.yaml", text.as_bytes(), &mut NoFixtures) {
                Err(problems) => problems,
                Ok(file) => {
                    let run = |test| {
                        let result = harness::run_case(&file, test, Profile::V5_8, &loaded, &Ctx::frozen);
                        assert!(
                            result.passed() || !result.problems.is_empty(),
                            "{text}{:?}",
                            result.differences
                        );
                        result.problems
                    };
                    file.tests.iter().flat_map(run).collect()
                }
            }
        }
    };
    problems.iter().map(|problem| problem.code).collect()
}

#[test]
fn every_error_shows_what_raises_it() {
    let mut wrong = String::new();
    for page in diag::codes::CODES {
        let Some((bad, good)) = diag::examples::find(page.code) else { continue };
        let (bad, good) = (raised(&bad), raised(&good));
        if !bad.contains(&page.code) || !good.is_empty() {
            wrong += &format!("{}: the bad one raises {bad:?}, the good one {good:?}\n", page.code);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
