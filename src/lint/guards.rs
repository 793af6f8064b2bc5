//! Lints of rules that fail for messages their author thought were kept out.

use super::finding::Report;
use super::kinds;
use super::levels::Level;
use super::subject::Subject;
use super::table::{Check, Example, Lint, Repair};
use super::walk::{self, Clause};
use crate::func::Kinds;
use crate::sql::ast::{ArithOp, Expr, ExprKind, Path};

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W09",
        name: "payload-not-json",
        level: Level::Note,
        summary: "`payload.x` of every topic: one message that is no JSON fails the rule",
        what: "Looks for `payload.x` in rules whose FROM begins with a wildcard, so that messages of all publishers come in. EMQX decodes \
               the payload on the way to `x`; a payload that is no JSON fails the clause. No condition can prevent that.",
        why: "Text, images and the empty messages that clear retained ones count as `failed` for this rule, and hide real failures.",
        quiet: Some("whether all publishers of a broker send JSON is not to be seen in the rule"),
        bad: Example::Sql("SELECT payload.temp AS temp FROM \"#\""),
        good: Example::Sql("SELECT payload.temp AS temp FROM \"sensors/#\""),
        repair: Repair::ByHand,
        check: Check::Rule(payload_not_json),
    },
    Lint {
        code: "W10",
        name: "where-guards-select",
        level: Level::Warn,
        summary: "WHERE asks for what SELECT needs, and SELECT runs first",
        what: "Looks for a value that WHERE tests (`is_num(x)`, `is_not_null(x)`, …) and that SELECT or FOREACH hands to arithmetic or to a \
               function that fails for other kinds. EMQX evaluates SELECT before WHERE.",
        why: "The rule fails in SELECT before WHERE can say no.",
        quiet: None,
        bad: Example::Sql("SELECT payload.t * 1.8 + 32 AS f FROM \"sensors/+\" WHERE is_num(payload.t)"),
        good: Example::Sql(
            "SELECT CASE WHEN is_num(payload.t) THEN payload.t * 1.8 + 32 END AS f FROM \"sensors/+\" WHERE is_num(payload.t)",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(where_guards_select),
    },
];

fn payload_not_json(subject: &Subject<'_>, report: &mut Report<'_>) {
    let from = &subject.statement.from;
    let Some(topic) = from.iter().find(|topic| topic.name.starts_with(['#', '+'])) else { return };
    let mut first = None;
    for root in &subject.roots {
        walk::paths(root.expr, &mut |path| {
            if !path.steps.is_empty() && subject.is_raw_payload(root.clause, path) {
                first = first.or(Some(path.at.0));
            }
        });
    }
    if let Some(at) = first {
        report
            .sql(at, "the rule fails for every message whose payload is no JSON")
            .label("decodes the payload")
            .also(topic.at.0, "takes the messages of all publishers")
            .help("name the topics whose publishers send JSON");
    }
}

/// Functions that tell what a value is.
const TESTS: [&str; 12] = [
    "is_null",
    "is_not_null",
    "is_null_var",
    "is_not_null_var",
    "is_empty",
    "is_str",
    "is_bool",
    "is_int",
    "is_float",
    "is_num",
    "is_map",
    "is_array",
];

fn where_guards_select(subject: &Subject<'_>, report: &mut Report<'_>) {
    let Some(filter) = &subject.statement.filter else { return };
    let mut guarded: Vec<(&Path, &Expr)> = Vec::new();
    filter.each(&mut |expr| {
        if let ExprKind::Call(name, args) = &expr.kind
            && TESTS.contains(&name.head.text.as_str())
            && let Some(path) = args.first().and_then(walk::as_path)
        {
            guarded.push((path, expr));
        }
    });
    for root in subject.roots.iter().filter(|root| matches!(root.clause, Clause::Fields(_))) {
        let mut needs = Vec::new();
        demands(subject, root.clause, root.expr, &mut needs);
        for (path, user) in needs {
            if let Some((_, test)) = guarded.iter().find(|(known, _)| *known == path) {
                report
                    .sql(user.span(), format!("this fails before WHERE has a look at `{path}`"))
                    .label("evaluated first")
                    .also(test.span(), "evaluated after it")
                    .help(format!("guard the value itself: `CASE WHEN {test} THEN {user} END`"));
                return;
            }
        }
    }
}

/// The paths whose value must be of some kind for the expression not to fail. What stands in CASE is guarded there.
fn demands<'a>(subject: &Subject<'_>, clause: Clause, expr: &'a Expr, needs: &mut Vec<(&'a Path, &'a Expr)>) {
    match &expr.kind {
        ExprKind::Case { .. } => return,
        ExprKind::Arith(op, left, right) => {
            let text = |side: &Expr| kinds::of(subject, clause, side) == Kinds::STR;
            let joins = *op == ArithOp::Add && (text(left) || text(right));
            if !joins {
                needs.extend(
                    [left, right].into_iter().filter_map(|side| walk::as_path(side)).map(|path| (path, expr)),
                );
            }
        }
        ExprKind::Unary(_, inner) => needs.extend(walk::as_path(inner).map(|path| (path, expr))),
        ExprKind::Call(name, args) => {
            if let Some(builtin) = kinds::called(name, args, subject) {
                let strict = args.iter().zip(builtin.params).filter(|(_, param)| param.kinds != Kinds::ANY);
                needs.extend(strict.filter_map(|(arg, _)| walk::as_path(arg)).map(|path| (path, expr)));
            }
        }
        _ => {}
    }
    expr.children().into_iter().for_each(|child| demands(subject, clause, child, needs));
}
