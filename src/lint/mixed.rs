//! The lint of comparisons between values of different kinds.

use super::finding::Report;
use super::kinds;
use super::levels::Level;
use super::subject::Subject;
use super::table::{Check, Example, Lint, Repair};
use super::walk::Clause;
use crate::func::Kinds;
use crate::sql::ast::{CompareOp, Expr, ExprKind};
use crate::value::Value;
use crate::value::number::parse_number;

pub(super) const ROWS: &[Lint] = &[Lint {
    code: "W08",
    name: "mixed-comparison",
    level: Level::Warn,
    summary: "a string compared with a number, or kinds that never compare by value",
    what: "Looks for comparisons whose sides are known to be of different kinds. A string beside a number is read as a number, and the \
           rule fails when it is none. All other kinds are compared by Erlang's order of terms, so that `=` never holds and `>` holds \
           always or never. IN and `CASE x WHEN` do not even convert: '1' is not 1, and 1 is not 1.0. Values from the payload \
           can be anything and are not reported.",
    why: "`clientid > 5` fails the rule for every client whose id is not a number, and `flags.retain = 1` never holds: the flag is a boolean.",
    quiet: None,
    bad: Example::Sql("SELECT topic FROM \"cmd/+\" WHERE flags.retain = 1"),
    good: Example::Sql("SELECT topic FROM \"cmd/+\" WHERE flags.retain = true"),
    repair: Repair::ByHand,
    check: Check::Rule(mixed_comparison),
}];

fn mixed_comparison(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |clause, expr| match &expr.kind {
        ExprKind::Compare(op, left, right) => compare(subject, report, clause, expr, *op, left, right),
        ExprKind::In { value, list, negated: false } => {
            for item in list {
                strict(subject, report, clause, value, item, "IN");
            }
        }
        ExprKind::Case { on: Some(on), arms, .. } => {
            for (when, _) in arms {
                strict(subject, report, clause, on, when, "CASE");
            }
        }
        _ => {}
    });
}

/// What a value compares as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Number,
    Boolean,
    Text,
    List,
    Map,
}

impl Group {
    /// The one group that a value belongs to, if it is there at all.
    fn of(kinds: Kinds) -> Option<Group> {
        let kinds = Kinds(kinds.0 & !Kinds::UNDEFINED.0);
        let within = |all: Kinds| kinds.0 != 0 && kinds.0 & !all.0 == 0;
        let groups = [
            (Kinds::NUM, Group::Number),
            (Kinds::BOOL, Group::Boolean),
            (Kinds::STR.or(Kinds::OTHER_ATOM), Group::Text),
            (Kinds::LIST, Group::List),
            (Kinds::MAP, Group::Map),
        ];
        groups.into_iter().find(|(all, _)| within(*all)).map(|(_, group)| group)
    }

    fn describe(self) -> &'static str {
        match self {
            Group::Number => "a number",
            Group::Boolean => "a boolean",
            Group::Text => "a string",
            Group::List => "a list",
            Group::Map => "a map",
        }
    }
}

fn compare(
    subject: &Subject<'_>,
    report: &mut Report<'_>,
    clause: Clause,
    expr: &Expr,
    op: CompareOp,
    left: &Expr,
    right: &Expr,
) {
    let group = |side| Group::of(kinds::of(subject, clause, side));
    let (Some(l), Some(r)) = (group(left), group(right)) else { return };
    if matches!(op, CompareOp::TopicMatch | CompareOp::Unsupported) || l == r {
        return;
    }
    let (a, b) = (l.describe(), r.describe());
    match (l, r) {
        // An atom beside a string is compared by its text: `flags.retain = 'true'` works.
        (Group::Boolean, Group::Text) | (Group::Text, Group::Boolean) => {}
        (Group::Number, Group::Text) | (Group::Text, Group::Number) => {
            let (text, other) = if l == Group::Text { (left, right) } else { (right, left) };
            match &text.kind {
                ExprKind::Const(Value::Str(constant)) if parse_number(constant).is_some() => {}
                ExprKind::Const(_) => {
                    report
                        .sql(expr.span(), format!("this always fails: {text} is no number"))
                        .help(format!("`{other}` is a number; compare it with one"));
                }
                _ => {
                    report
                        .sql(expr.span(), format!("this fails when `{text}` is no number"))
                        .help(format!("compare strings: `{text} = '{other}'`, or guard it: `regex_match({text}, '^[0-9]+$') AND …`"));
                }
            }
        }
        _ => {
            let outcome = match op {
                CompareOp::Equal => "never holds",
                CompareOp::NotEqual => "always holds",
                _ => "is decided by their kinds, not by their values",
            };
            report
                .sql(expr.span(), format!("{a} is compared with {b}: this {outcome}"))
                .help("compare values of one kind");
        }
    }
}

/// IN and CASE compare without converting.
fn strict(
    subject: &Subject<'_>,
    report: &mut Report<'_>,
    clause: Clause,
    value: &Expr,
    item: &Expr,
    what: &str,
) {
    let there = |side| Kinds(kinds::of(subject, clause, side).0 & !Kinds::UNDEFINED.0);
    let (l, r) = (there(value), there(item));
    if l.0 == 0 || r.0 == 0 || l.0 & r.0 != 0 {
        return;
    }
    report
        .sql(
            item.span(),
            format!(
                "{what} compares without converting: `{value}` is {}, and never equal to this",
                l.describe()
            ),
        )
        .label(r.describe())
        .help(format!("write a value of the same kind, or `{value} = {item}`, which converts"));
}
