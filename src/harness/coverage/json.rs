//! Coverage for programs.

use serde_json::{Value, json};

use super::summary::{Count, Coverage, Covered, RuleCoverage};

/// All rules, their places, and how often each way of each was gone.
pub fn json(coverage: &Coverage) -> Value {
    json!({
        "total": count(coverage.count()),
        "advisory": count(coverage.advisory()),
        "rules": coverage.rules.iter().map(rule).collect::<Vec<_>>(),
    })
}

fn count(count: Count) -> Value {
    json!({ "points": count.points, "reached": count.reached, "percent": count.percent() })
}

fn rule(coverage: &RuleCoverage) -> Value {
    let place = &coverage.rule.place;
    json!({
        "id": &*coverage.rule.id,
        "file": place.file(),
        "line": place.line(),
        "runs": coverage.runs,
        "total": count(coverage.count()),
        "advisory": count(coverage.advisory()),
        "places": coverage.places.iter().map(covered).collect::<Vec<_>>(),
    })
}

fn covered(covered: &Covered) -> Value {
    let at = covered.place.source.position(covered.place.span.start as usize);
    let mut object = json!({
        "kind": covered.spot.name(),
        "file": covered.place.file(),
        "line": at.line,
        "column": at.column,
        "text": covered.text,
        "ways": covered.ways.iter().map(|way| json!({
            "way": way.way.name(), "count": way.count, "advisory": way.advisory,
        })).collect::<Vec<_>>(),
    });
    for (key, advisory) in [("gap", false), ("advice", true)] {
        if let Some(sentence) = covered.gap(advisory) {
            object[key] = json!(sentence);
        }
    }
    object
}
