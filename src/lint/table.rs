//! What a row of the lint table is, and how rows are found.

use std::sync::LazyLock;

use super::finding::Report;
use super::levels::Level;
use super::subject::Subject;
use super::{actions, conditions, functions, guards, json, mixed, names, syntax, topics, unfrozen};
use crate::diag;

/// One lint.
pub struct Lint {
    /// `W01`; never reused.
    pub code: &'static str,
    /// Its name, in kebab case.
    pub name: &'static str,
    /// What a finding does where nobody says otherwise.
    pub level: Level,
    /// One line.
    pub summary: &'static str,
    /// What it looks for, and what EMQX does there.
    pub what: &'static str,
    /// Why that is bad.
    pub why: &'static str,
    /// Why it only notes, or says nothing, unless asked.
    pub quiet: Option<&'static str>,
    /// Something that it finds.
    pub bad: Example,
    /// The same, put right.
    pub good: Example,
    /// Whether `check --fix` repairs it.
    pub repair: Repair,
    pub(super) check: Check,
}

/// An example of a page; the tests run all of them.
#[derive(Clone, Copy, Debug)]
pub enum Example {
    /// A rule's SQL.
    Sql(&'static str),
    /// A rule file.
    Rules(&'static str),
    /// A rule file and its test file.
    Tested(&'static str, &'static str),
}

/// Whether a lint's findings are repaired by `check --fix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// They are, where the page says so.
    Certain(&'static str),
    /// The author has to choose.
    ByHand,
}

/// Who looks.
pub(super) enum Check {
    /// A function, at each rule.
    Rule(fn(&Subject<'_>, &mut Report<'_>)),
    /// The lexer: the finding comes with the compiled statement.
    Lexer,
    /// A function at each test file.
    Tests,
}

static LINTS: LazyLock<Vec<&'static Lint>> = LazyLock::new(|| {
    let families: [&'static [Lint]; 10] = [
        syntax::ROWS,
        conditions::ROWS,
        mixed::ROWS,
        guards::ROWS,
        names::ROWS,
        functions::ROWS,
        topics::ROWS,
        actions::ROWS,
        json::ROWS,
        unfrozen::ROWS,
    ];
    let mut lints: Vec<&'static Lint> = families.into_iter().flatten().collect();
    lints.sort_by_key(|lint| lint.code);
    lints
});

/// All lints, by code.
pub fn all() -> &'static [&'static Lint] {
    &LINTS
}

/// The lint of a code or name, in any letter case.
pub fn find(code_or_name: &str) -> Option<&'static Lint> {
    let same = |word: &str| word.eq_ignore_ascii_case(code_or_name);
    all().iter().copied().find(|lint| same(lint.code) || same(lint.name))
}

/// The code or name that was probably meant.
pub fn nearest_name(written: &str) -> Option<&'static str> {
    let by_name = diag::nearest(written, all().iter().map(|lint| lint.name));
    by_name.or_else(|| diag::nearest(written, all().iter().map(|lint| lint.code)))
}

impl Lint {
    /// Its heading: `W01 double-quoted-string`.
    pub fn heading(&self) -> String {
        format!("{} {}", self.code, self.name)
    }
}

impl std::fmt::Debug for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.heading())
    }
}

impl PartialEq for Lint {
    fn eq(&self, other: &Lint) -> bool {
        self.code == other.code
    }
}
