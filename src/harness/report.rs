//! Results for people and programs.

use std::fmt::Write;

use serde_json::{Value, json};

use super::compare::{Difference, DifferenceKind};
use super::model::{Test, TestFile};
use super::run::CaseResult;
use super::show;
use crate::diag::json as diag_json;
use crate::limits;
use crate::rule::Rule;

/// What a whole run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
}

impl Totals {
    /// Counts a case.
    pub fn add(&mut self, passed: bool) {
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
    }

    /// The line that ends a report.
    pub fn line(&self) -> String {
        let all = self.passed + self.failed;
        let noun = if all == 1 { "test" } else { "tests" };
        match self.failed {
            0 => format!("{all} {noun}, all passed"),
            failed => format!("{all} {noun}, {} passed, {failed} failed", self.passed),
        }
    }
}

/// `file:line` of a test.
pub fn place(file: &TestFile, test: &Test) -> String {
    format!("{}:{}", file.source.name(), line(file, test))
}

/// The line at which a test begins.
pub fn line(file: &TestFile, test: &Test) -> usize {
    file.source.position(test.span.start as usize).line
}

/// One line for one case: `PASS rules/a.test.yaml:3 a name`.
pub fn case_line(file: &TestFile, test: &Test, result: &CaseResult, name_profile: bool) -> String {
    let word = if result.passed() { "PASS" } else { "FAIL" };
    let profile = if name_profile { format!(" (EMQX {})", result.profile) } else { String::new() };
    format!("{word} {} {}{profile}", place(file, test), test.name)
}

/// What stands below the line of a failing case: differences, the rule, and how to run it again. Problems are
/// diagnostics and shown by their own renderer.
pub fn failure_block(file: &TestFile, test: &Test, result: &CaseResult, command: &str) -> String {
    let mut out = String::new();
    for difference in &result.differences {
        write_difference(&mut out, file, difference);
    }
    if result.left_out > 0 {
        let _ = writeln!(out, "  … and {} more", result.left_out);
    }
    result.rules.iter().for_each(|rule| write_rule(&mut out, rule));
    let _ = writeln!(out, "  run again: {command} {}", place(file, test));
    out
}

fn write_difference(out: &mut String, file: &TestFile, difference: &Difference) {
    let _ = writeln!(
        out,
        "  {}: {} {}",
        file.source.locate(difference.span),
        if difference.path.is_empty() { "the result" } else { &difference.path },
        match difference.kind {
            DifferenceKind::Missing => "is missing",
            DifferenceKind::Unexpected => "is not expected",
            DifferenceKind::Different => "is different",
        }
    );
    if difference.kind != DifferenceKind::Unexpected {
        let _ = writeln!(out, "    expected  {}", show::cut(&difference.expected));
    }
    if difference.kind != DifferenceKind::Missing {
        let _ = writeln!(out, "    actual    {}", show::cut(&difference.actual));
    }
    if let Some(hint) = &difference.hint {
        let _ = writeln!(out, "    hint      {hint}");
    }
}

/// The rule's SQL with the lines of its file.
fn write_rule(out: &mut String, rule: &Rule) {
    let _ = writeln!(out, "  rule {} ({}:{})", rule.id, rule.place.file(), rule.place.line());
    let text = rule.sql.file.text();
    let start = rule.sql.file.position(rule.sql.span.start as usize).line;
    let end = rule.sql.file.position(rule.sql.span.end as usize).line;
    let width = end.to_string().len();
    let shown = end.min(start + limits::REPORT_SQL_LINES_MAX - 1);
    for (number, line) in text.lines().enumerate().skip(start - 1).take(shown + 1 - start) {
        let _ = writeln!(out, "  {:>width$} | {}", number + 1, line.trim_end());
    }
    if shown < end {
        let _ = writeln!(out, "  {:>width$} | … {} more lines", "", end - shown);
    }
}

/// One case for programs.
pub fn case_json(file: &TestFile, test: &Test, result: &CaseResult) -> Value {
    json!({
        "name": test.name,
        "file": file.source.name(),
        "line": line(file, test),
        "emqx": result.profile.name(),
        "passed": result.passed(),
        "differences": result.differences.iter().map(|d| difference_json(file, d)).collect::<Vec<_>>(),
        "problems": result.problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
        "rules": result.rules.iter().map(|rule| json!({
            "id": &*rule.id, "file": rule.place.file(), "line": rule.place.line(),
        })).collect::<Vec<_>>(),
    })
}

fn difference_json(file: &TestFile, difference: &Difference) -> Value {
    let at = file.source.position(difference.span.start as usize);
    let mut object = json!({
        "path": difference.path, "kind": difference.kind.name(), "line": at.line, "column": at.column,
    });
    if difference.kind != DifferenceKind::Unexpected {
        object["expected"] = json!(difference.expected);
    }
    if difference.kind != DifferenceKind::Missing {
        object["actual"] = json!(difference.actual);
    }
    if let Some(hint) = &difference.hint {
        object["hint"] = json!(hint);
    }
    object
}
