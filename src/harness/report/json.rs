//! Results as JSON.

use serde_json::{Value, json};

use super::line;
use crate::diag::json as diag_json;
use crate::harness::compare::{Difference, DifferenceKind};
use crate::harness::excerpt::Mark;
use crate::harness::explain::Explanation;
use crate::harness::{CaseResult, Test, TestFile};
use crate::rule::Rule;

/// One case for programs.
pub fn case(file: &TestFile, test: &Test, result: &CaseResult) -> Value {
    json!({
        "name": test.name,
        "file": file.source.name(),
        "line": line(file, test),
        "emqx": result.profile.name(),
        "passed": result.passed(),
        "differences": result.differences.iter().map(|d| difference_json(file, d)).collect::<Vec<_>>(),
        "problems": result.problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
        "lints": result.suspicions.iter().map(diag_json::to_json).collect::<Vec<_>>(),
        "rules": result.rules.iter().map(|rule| json!({
            "id": &*rule.id, "file": rule.place.file(), "line": rule.place.line(),
        })).collect::<Vec<_>>(),
        "explained": result.explained.iter().map(|(rule, e)| explained(rule, e)).collect::<Vec<_>>(),
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

/// The values of one run, each with its place in the rule file.
fn explained(rule: &Rule, explanation: &Explanation) -> Value {
    let value = |item: Option<usize>, mark: &Mark| {
        let place = rule.sql.place(mark.span);
        let at = rule.sql.file.position(place.start as usize);
        json!({
            "expression": rule.program.source().slice(mark.span), "line": at.line, "column": at.column,
            "item": item, "value": mark.text,
        })
    };
    let items = explanation.items.iter();
    let items = items.flat_map(|(item, marks)| marks.iter().map(|mark| value(Some(*item), mark)));
    let values = explanation.marks.iter().map(|mark| value(None, mark)).chain(items);
    json!({
        "rule": &*rule.id, "of": explanation.label, "values": values.collect::<Vec<_>>(),
        "notes": explanation.misses,
    })
}
