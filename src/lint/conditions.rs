//! Lints of conditions: those that always fail, that hold for too much, that are never reached.

use super::finding::Report;
use super::kinds;
use super::levels::Level;
use super::subject::{Given, Subject};
use super::table::{Check, Example, Lint, Repair};
use super::walk::{self, Clause};
use crate::func::{Kinds, Purity};
use crate::program::{Alias, Body, Failure, General, Kind, Node, SelectList};
use crate::sql::ast::{CompareOp, Expr, ExprKind, Path};
use crate::text::Span;
use crate::value::Value;
use crate::value::compare::term_order;

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W02",
        name: "certain-failure",
        level: Level::Deny,
        summary: "`NOT IN`, `NOT (… AND …)`, a bare variable: EMQX takes it, and fails each time",
        what: "Looks for expressions that EMQX's parser takes and its evaluator has no clause for: `x NOT IN (…)`, `NOT` before AND, OR \
               or IN, a variable alone as a condition (and, under 4.3, `WHERE true`), the operator `~=`, a function as a condition that \
               never answers true or false, a value for which EMQX has no name.",
        why: "The rule is created without complaint, and counts `failed` for every message.",
        quiet: None,
        bad: Example::Sql("SELECT clientid FROM \"cmd/+\" WHERE qos NOT IN (0, 1)"),
        good: Example::Sql("SELECT clientid FROM \"cmd/+\" WHERE qos != 0 AND qos != 1"),
        repair: Repair::ByHand,
        check: Check::Rule(certain_failure),
    },
    Lint {
        code: "W07",
        name: "ordered-comparison",
        level: Level::Allow,
        summary: "`payload.x > 5` also holds when x is null, true, a list or a map",
        what: "Looks for `>` and `>=` between a value from the payload and a number, where nothing says that the value is a number. EMQX \
               compares different kinds by Erlang's order of terms: number < atom (null, true, false) < map < list < string.",
        why: "`{\"temp\": null}` passes `payload.temp > 30`.",
        quiet: Some(
            "nearly every rule compares like this, and most publishers send numbers; `--warn W07` shows where a null would pass",
        ),
        bad: Example::Sql("SELECT payload.temp AS temp FROM \"sensors/+\" WHERE payload.temp > 30"),
        good: Example::Sql(
            "SELECT payload.temp AS temp FROM \"sensors/+\" WHERE is_num(payload.temp) AND payload.temp > 30",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(ordered_comparison),
    },
    Lint {
        code: "W17",
        name: "unreachable-arm",
        level: Level::Warn,
        summary: "a WHEN that an earlier WHEN always takes first",
        what: "Looks for an arm of CASE whose condition holds only where that of an arm before it holds: the same condition again, a \
               narrower range behind a wider one, anything behind `WHEN true`.",
        why: "EMQX takes the first arm that holds. The later one never answers.",
        quiet: None,
        bad: Example::Sql(
            "SELECT CASE WHEN payload.temp > 20 THEN 'warm' WHEN payload.temp > 30 THEN 'hot' ELSE 'cold' END AS how FROM \"sensors/+\"",
        ),
        good: Example::Sql(
            "SELECT CASE WHEN payload.temp > 30 THEN 'hot' WHEN payload.temp > 20 THEN 'warm' ELSE 'cold' END AS how FROM \"sensors/+\"",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(unreachable_arm),
    },
];

fn certain_failure(subject: &Subject<'_>, report: &mut Report<'_>) {
    let mut tell = |span: Span, failure: &Failure| {
        // Names that are no functions are errors already.
        if !failure.code.starts_with("E1") {
            let mut draft = report.sql(span, &failure.message).label("fails whenever it is reached");
            if let Some(help) = &failure.help {
                draft = draft.help(help);
            }
            let _ = draft;
        }
    };
    let body = &subject.rule.program.inner.body;
    for (node, alias) in nodes(body) {
        each_node(node, &mut |node| match &node.kind {
            Kind::Fails(failure) => tell(node.span, failure),
            Kind::Compare(CompareOp::Unsupported, ..) => {
                let failure = Failure::new("E308", "EMQX parses `~=`, and cannot evaluate it");
                tell(node.span, &failure.help("topics are compared by `topic =~ 'a/+'`"));
            }
            Kind::Case { arms, .. } => arms.iter().for_each(|(when, _)| no_boolean(when, &mut tell)),
            _ => {}
        });
        if let Some(Alias::Fails(failure)) = alias
            && !matches!(node.kind, Kind::Fails(_))
        {
            tell(node.span, failure);
        }
    }
    match body {
        Body::Select { filter, .. } => no_boolean(filter, &mut tell),
        Body::Foreach { incase, filter, .. } => {
            no_boolean(incase, &mut tell);
            no_boolean(filter, &mut tell);
        }
    }
}

/// Functions as conditions that never answer true or false.
fn no_boolean(node: &Node, tell: &mut dyn FnMut(Span, &Failure)) {
    match &node.kind {
        Kind::And(left, right) | Kind::Or(left, right) => {
            no_boolean(left, tell);
            no_boolean(right, tell);
        }
        Kind::Call { builtin, .. } if builtin.ret.0 & Kinds::BOOL.0 == 0 => {
            let message = format!(
                "`{}` gives {}, and a condition must be true or false",
                builtin.name,
                builtin.ret.describe()
            );
            tell(node.span, &Failure::new("E309", message).help("compare what it gives with something"));
        }
        _ => {}
    }
}

/// The nodes that the clauses begin with, and the names they get.
fn nodes(body: &Body) -> Vec<(&Node, Option<&Alias>)> {
    match body {
        Body::Select { list: fields, filter, .. } => {
            let mut all = list(fields);
            all.push((filter, None));
            all
        }
        Body::Foreach { fields, doeach, incase, filter, .. } => {
            let mut all: Vec<_> = fields.iter().map(|(node, alias)| (node, Some(alias))).collect();
            all.extend(doeach.iter().flat_map(list));
            all.extend([(incase, None), (filter, None)]);
            all
        }
    }
}

fn list(list: &SelectList) -> Vec<(&Node, Option<&Alias>)> {
    let field = |field| match field {
        &General::Star => None,
        General::Field(node, alias) => Some((node, Some(alias))),
    };
    match list {
        SelectList::Plain(plain) => plain.fields.iter().map(|node| (node, None)).collect(),
        SelectList::General(fields) => fields.iter().filter_map(field).collect(),
    }
}

fn each_node<'n>(node: &'n Node, see: &mut dyn FnMut(&'n Node)) {
    see(node);
    node.children().for_each(|child| each_node(child, see));
}

fn ordered_comparison(subject: &Subject<'_>, report: &mut Report<'_>) {
    for root in &subject.roots {
        root.expr.each(&mut |expr| {
            let Some((path, op, number)) = with_number(expr) else { return };
            let above = matches!(op, CompareOp::Greater | CompareOp::GreaterOrEqual);
            if !above || !from_payload(subject, root.clause, path) || is_guarded(root.expr, path) {
                return;
            }
            let message = format!("this also holds when `{path}` is null, true, false, a list or a map");
            report.sql(expr.span(), message).help(format!(
                "add `is_num({path}) AND` before it, or an upper bound: `{path} < …`; {number} is below all of them in Erlang's order"
            ));
        });
    }
}

/// A comparison of a path with a number, the path on the left.
fn with_number(expr: &Expr) -> Option<(&Path, CompareOp, &Expr)> {
    let ExprKind::Compare(op, left, right) = &expr.kind else { return None };
    match (walk::as_path(left), number(right), number(left), walk::as_path(right)) {
        (Some(path), Some(_), _, _) => Some((path, *op, right)),
        (_, _, Some(_), Some(path)) => Some((path, flipped(*op), left)),
        _ => None,
    }
}

fn flipped(op: CompareOp) -> CompareOp {
    match op {
        CompareOp::Less => CompareOp::Greater,
        CompareOp::Greater => CompareOp::Less,
        CompareOp::LessOrEqual => CompareOp::GreaterOrEqual,
        CompareOp::GreaterOrEqual => CompareOp::LessOrEqual,
        other => other,
    }
}

/// A number as a constant, its sign included.
fn number(expr: &Expr) -> Option<Value> {
    match &expr.kind {
        ExprKind::Const(value) if Kinds::NUM.holds(value) => Some(value.clone()),
        ExprKind::Unary(false, inner) => number(inner),
        ExprKind::Unary(true, inner) => match number(inner)? {
            Value::Int(n) => n.checked_neg().map(Value::Int),
            Value::Float(f) => Some(Value::Float(-f)),
            _ => None,
        },
        _ => None,
    }
}

/// Does the value come out of a publisher's JSON?
fn from_payload(subject: &Subject<'_>, clause: Clause, path: &Path) -> bool {
    match subject.lookup(clause, &path.head.text) {
        Some(Given::Column) => path.head.text == "payload" && !path.steps.is_empty(),
        Some(Given::Item) => true,
        Some(Given::Field(expr, _)) => {
            kinds::of(subject, clause, expr) == Kinds::ANY
                && walk::as_path(expr).is_some_and(|path| path.head.text == "payload")
        }
        None => false,
    }
}

/// Does the same clause ask what kind of value it is, or bound it from above?
fn is_guarded(clause: &Expr, path: &Path) -> bool {
    walk::any(clause, &|expr| match &expr.kind {
        ExprKind::Call(name, args) => {
            matches!(name.head.text.as_str(), "is_num" | "is_int" | "is_float")
                && args.first().and_then(walk::as_path) == Some(path)
        }
        _ => with_number(expr).is_some_and(|(other, op, _)| {
            other == path && matches!(op, CompareOp::Less | CompareOp::LessOrEqual | CompareOp::Equal)
        }),
    })
}

fn unreachable_arm(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |_, expr| {
        let ExprKind::Case { on, arms, .. } = &expr.kind else { return };
        for (at, (when, _)) in arms.iter().enumerate() {
            let taken = |(earlier, _): &&(Expr, Expr)| match on {
                Some(_) => earlier == when && is_settled(when, subject),
                None => implies(when, earlier) && is_settled(when, subject),
            };
            if let Some((earlier, _)) = arms[..at].iter().find(taken) {
                report
                    .sql(when.span(), "this arm is never taken")
                    .label("holds only where the other one holds")
                    .also(earlier.span(), "this one comes first")
                    .help("put the narrower condition first, or remove the arm");
            }
        }
    });
}

/// Does it answer the same each time within one message?
fn is_settled(expr: &Expr, subject: &Subject<'_>) -> bool {
    !walk::any(expr, &|inner| match &inner.kind {
        ExprKind::Call(name, args) => !kinds::called(name, args, subject)
            .is_some_and(|f| matches!(f.purity, Purity::Pure | Purity::ReadsMessage)),
        _ => false,
    })
}

/// Does the second condition hold wherever the first one does?
fn implies(first: &Expr, second: &Expr) -> bool {
    match (&first.kind, &second.kind) {
        _ if first == second => true,
        (_, ExprKind::Const(Value::Bool(true))) => true,
        (_, ExprKind::And(left, right)) => implies(first, left) && implies(first, right),
        (ExprKind::Or(left, right), _) => implies(left, second) && implies(right, second),
        (_, ExprKind::Or(left, right)) => implies(first, left) || implies(first, right),
        (ExprKind::And(left, right), _) => implies(left, second) || implies(right, second),
        _ => range_implies(first, second),
    }
}

/// `x > 30` lies within `x > 20`.
fn range_implies(first: &Expr, second: &Expr) -> bool {
    use CompareOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual};
    let (Some((path, op, bound)), Some((wide, wide_op, wide_bound))) =
        (with_number(first), with_number(second))
    else {
        return false;
    };
    let (Some(bound), Some(wide_bound)) = (number(bound), number(wide_bound)) else { return false };
    let order = term_order(&bound, &wide_bound);
    path == wide
        && match (op, wide_op) {
            (Greater, Greater | GreaterOrEqual) | (GreaterOrEqual, GreaterOrEqual) => order.is_ge(),
            (GreaterOrEqual | Equal, Greater) => order.is_gt(),
            (Equal, GreaterOrEqual) => order.is_ge(),
            (Less, Less | LessOrEqual) | (LessOrEqual, LessOrEqual) => order.is_le(),
            (LessOrEqual | Equal, Less) => order.is_lt(),
            (Equal, LessOrEqual) => order.is_le(),
            (Equal, Equal) => order.is_eq(),
            _ => false,
        }
}
