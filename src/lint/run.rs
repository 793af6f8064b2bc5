//! All lints over a loaded set.

use super::finding::{Finding, Report};
use super::levels::{Allowed, Levels};
use super::subject::Subject;
use super::table::{self, Check};
use super::{syntax, texts, unfrozen};
use crate::diag::Diagnostic;
use crate::document::Document;
use crate::limits::LINT_FINDINGS_MAX;
use crate::rule::{Loaded, Rule};

/// What came of linting.
#[derive(Debug, Default)]
pub struct Checked {
    /// The findings that nobody allowed, each with the severity of its level.
    pub findings: Vec<Finding>,
    /// What is wrong with the levels that files and comments set.
    pub problems: Vec<Diagnostic>,
}

/// Lints every rule that compiles, and test files against them. What `rulemill.lints` of the files says is added to
/// the levels.
pub fn check(loaded: &Loaded, tests: &[Document], levels: &mut Levels) -> Checked {
    let mut checked = Checked { problems: levels.read_files(&loaded.documents), findings: Vec::new() };
    loaded.set.rules.values().for_each(|rule| check_rule(loaded, rule, levels, &mut checked));
    for document in tests {
        let found = unfrozen::check(document, loaded);
        checked.findings.extend(found.into_iter().filter_map(|finding| levelled(finding, levels)));
    }
    checked
}

/// Lints one rule of a loaded set, at the levels that its files set.
pub fn of_rule(loaded: &Loaded, rule: &Rule) -> Vec<Finding> {
    let mut levels = Levels::default();
    levels.read_files(&loaded.documents);
    let mut checked = Checked::default();
    check_rule(loaded, rule, &levels, &mut checked);
    checked.findings
}

fn check_rule(loaded: &Loaded, rule: &Rule, levels: &Levels, checked: &mut Checked) {
    let (allowed, problems) = Allowed::read(&rule.sql, rule.program.profile());
    checked.problems.extend(problems);
    for finding in raw(loaded, rule) {
        let here = |span| allowed.holds(&rule.sql.text, finding.lint, span);
        if !finding.sql_span.is_some_and(here) {
            checked.findings.extend(levelled(finding, levels));
        }
    }
}

/// Everything that the checks find in one rule.
fn raw(loaded: &Loaded, rule: &Rule) -> Vec<Finding> {
    let profile = rule.program.profile();
    let actions = rule
        .actions
        .iter()
        .map(|action| (&**action, texts::of(action, &loaded.documents, profile)))
        .collect();
    let subject = Subject::new(rule, loaded.set.settings, actions);
    let mut findings = Vec::new();
    for lint in table::all() {
        let mut report = Report { lint, sql: Some(&rule.sql), found: Vec::new() };
        match lint.check {
            Check::Rule(check) => check(&subject, &mut report),
            Check::Lexer => syntax::from_lexer(&subject, &mut report),
            Check::Tests => {}
        }
        report.found.truncate(LINT_FINDINGS_MAX);
        findings.extend(report.done());
    }
    findings
}

/// The finding with the severity of its level, unless that is none.
fn levelled(mut finding: Finding, levels: &Levels) -> Option<Finding> {
    let file = finding.diagnostic.source.as_ref().map_or("", |source| source.name());
    let severity = levels.of(finding.lint, file).severity()?;
    finding.diagnostic.severity =
        if finding.only_note { severity.min(finding.diagnostic.severity) } else { severity };
    Some(finding)
}
