//! The lint of test files.

use super::finding::{Finding, Report};
use super::levels::Level;
use super::table::{self, Check, Example, Lint, Repair};
use super::walk;
use crate::document::{Document, Node};
use crate::func::Purity;
use crate::rule::{Loaded, Rule};
use crate::sql::ast::ExprKind;
use crate::text::Span;

const CODE: &str = "W25";

pub(super) const ROWS: &[Lint] = &[Lint {
    code: CODE,
    name: "unfrozen-test",
    level: Level::Note,
    summary: "a test of a rule that reads the clock, chance or environment, and says nothing of them",
    what: "Looks at test files for rules that call `now_timestamp`, `now_rfc3339`, `random`, `uuid_v4`, `getenv` and the like while \
           neither the file nor the test has `clock`, `seed` or `env`.",
    why: "rulemill freezes all three for a test, so it passes again tomorrow; but the time it expects is a default of rulemill's, which \
          no reader of the file sees.",
    quiet: Some("the test is repeatable all the same"),
    bad: Example::Tested(
        "rule_engine: { rules: { stamp: { sql: \"SELECT now_timestamp() AS at FROM \\\"t/1\\\"\" } } }\n",
        "tests:\n  - name: the time is added\n    given: { topic: t/1, payload: x }\n    expect: { output: { at: 1767225600 }, actions: $any }\n",
    ),
    good: Example::Tested(
        "rule_engine: { rules: { stamp: { sql: \"SELECT now_timestamp() AS at FROM \\\"t/1\\\"\" } } }\n",
        "clock: 2022-05-05T10:00:00Z\ntests:\n  - name: the time is added\n    given: { topic: t/1, payload: x }\n    expect: { output: { at: 1651744800 }, actions: $any }\n",
    ),
    repair: Repair::ByHand,
    check: Check::Tests,
}];

/// What a function reads, and the key of a test file that freezes it.
const WORLD: [(Purity, &str, &str); 3] = [
    (Purity::ReadsClock, "clock", "the clock"),
    (Purity::ReadsRandom, "seed", "random numbers"),
    (Purity::ReadsEnvironment, "env", "the environment"),
];

/// The findings of one test file.
pub(super) fn check(document: &Document, loaded: &Loaded) -> Vec<Finding> {
    let Some(lint) = table::find(CODE) else { return Vec::new() };
    let mut report = Report { lint, sql: None, found: Vec::new() };
    let root = &document.root;
    let tests = root.get("tests").and_then(Node::as_list).unwrap_or_default();
    for (purity, key, what) in WORLD {
        if root.get(key).is_some() {
            continue;
        }
        // One finding for a file: what its first test needs, the others mostly need as well.
        let found = tests.iter().filter(|test| test.get(key).is_none()).find_map(|test| {
            let rules = rules(test, document, loaded);
            rules.into_iter().find_map(|rule| Some((test, rule, reader(rule, purity)?)))
        });
        if let Some((test, rule, function)) = found {
            let at = test.get("name").map_or(test.span, |name| name.span);
            let first_line = document.source.slice(at).lines().next().map_or(0, str::len);
            let at = Span::new(at.start as usize, at.start as usize + first_line);
            report
                .place(
                    &document.source,
                    at,
                    format!(
                        "rule '{}' reads {what} with `{function}`, and the test does not say which",
                        rule.id
                    ),
                )
                .help(format!("write `{key}:` at the top of the file, or in the test"));
        }
    }
    report.done()
}

/// The rules that a test runs.
fn rules<'l>(test: &Node, document: &Document, loaded: &'l Loaded) -> Vec<&'l Rule> {
    let named = test.get("rule").or_else(|| document.root.get("rule"));
    let ids: Vec<String> = match named {
        Some(node) => {
            let items = node.as_list().unwrap_or(std::slice::from_ref(node));
            items.iter().filter_map(Node::as_text).map(str::to_owned).collect()
        }
        None => {
            let stem = stem(document.source.name());
            let beside = |file: &&String| stem_of_rules(file) == stem;
            loaded
                .by_file
                .keys()
                .find(beside)
                .and_then(|file| loaded.by_file.get(file))
                .cloned()
                .unwrap_or_default()
        }
    };
    ids.iter().filter_map(|id| loaded.set.rules.get(id.as_str())).map(|rule| &**rule).collect()
}

/// `rules/a` of `rules/a.test.yaml`.
fn stem(name: &str) -> &str {
    name.rsplit_once(".test.").map_or(name, |(stem, _)| stem)
}

fn stem_of_rules(name: &str) -> &str {
    let folder = name.rfind('/').map_or(0, |at| at + 1);
    name[folder..].rfind('.').map_or(name, |at| &name[..folder + at])
}

/// The function by which a rule reads this part of the world.
fn reader(rule: &Rule, purity: Purity) -> Option<String> {
    let profile = rule.program.profile();
    let mut found = None;
    for root in walk::roots(rule.program.statement()) {
        root.expr.each(&mut |expr| {
            let ExprKind::Call(name, args) = &expr.kind else { return };
            let Some(builtin) = crate::func::find(&name.head.text, args.len(), profile) else { return };
            if builtin.purity == purity
                && (purity != Purity::ReadsClock || tells_now(builtin.name, args.len()))
            {
                found = found.take().or_else(|| Some(format!("{}()", builtin.name)));
            }
        });
    }
    found
}

/// Does it tell the present time? Others that read the clock read only the zone.
fn tells_now(name: &str, arity: usize) -> bool {
    matches!((name, arity), ("now_rfc3339" | "now_timestamp", _) | ("format_date", 3) | ("mongo_date", 0))
}
