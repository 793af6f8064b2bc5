//! The places of a rule where it can go one way or another.

use super::action;
use super::condition::{self, Conditions};
use super::presence::Names;
use crate::document::Document;
use crate::rule::{Place, Rule};
use crate::sql::ast::{Expr, ExprKind, Field, Statement};
use crate::text::Span;

/// One place of a rule. Spans lie in the rule's SQL, numbers count the rule's actions from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spot {
    /// An item of FROM.
    From(Span),
    /// The list that FOREACH walks.
    Items(Span),
    /// A comparison, call, IN or value in WHERE or INCASE.
    Atom(Span),
    /// The whole of WHERE or INCASE, where it is more than one atom.
    Clause(Span),
    /// What follows THEN or ELSE.
    Arm(Span),
    /// A CASE without ELSE: none of its arms.
    NoArm(Span),
    /// An action.
    Action(usize),
    /// The placeholder so many of the template under these keys.
    Placeholder(usize, Vec<String>, usize),
}

impl Spot {
    /// The kind of place, in reports for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Spot::From(_) => "from",
            Spot::Items(_) => "foreach",
            Spot::Atom(_) => "condition",
            Spot::Clause(_) => "clause",
            Spot::Arm(_) => "arm",
            Spot::NoArm(_) => "no arm",
            Spot::Action(_) => "action",
            Spot::Placeholder(..) => "placeholder",
        }
    }
}

/// A way to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A FROM matched, an arm was taken, an action was rendered.
    Taken,
    /// It was true.
    True,
    /// It was false.
    False,
    /// A placeholder had a value.
    Value,
    /// What it looks at was undefined.
    Undefined,
    /// No item.
    NoItem,
    /// One item.
    OneItem,
    /// More items.
    Items,
    /// An action failed.
    Failed,
}

impl Way {
    /// Its name in reports for programs.
    pub fn name(self) -> &'static str {
        match self {
            Way::Taken => "taken",
            Way::True => "true",
            Way::False => "false",
            Way::Value => "value",
            Way::Undefined => "undefined",
            Way::NoItem => "no item",
            Way::OneItem => "one item",
            Way::Items => "more items",
            Way::Failed => "failed",
        }
    }
}

/// A place with its ways.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which.
    pub spot: Spot,
    /// Where it stands in its file.
    pub place: Place,
    /// Its text, shortened to a line.
    pub text: String,
    /// What may be undefined, for the sentence.
    pub operands: Vec<String>,
    /// The ways, and whether each is good to know only and counts for nothing.
    pub ways: Vec<(Way, bool)>,
}

/// The places of a rule in the order of its clauses; none of a disabled one. `documents` are the files it was read
/// from: the places of placeholders are looked up there.
pub fn entries(rule: &Rule, documents: &[Document]) -> Vec<Entry> {
    if !rule.enabled {
        return Vec::new();
    }
    let mut entries = of_statement(rule);
    entries.extend(action::entries(rule, documents));
    entries
}

fn of_statement(rule: &Rule) -> Vec<Entry> {
    let statement = rule.program.statement();
    let entry = |spot: Spot, span: Span, operands: Vec<String>, ways: &[Way]| Entry {
        spot,
        place: Place { source: rule.sql.file.clone(), span: rule.sql.place(span) },
        text: one_line(rule.program.source().slice(span)),
        operands,
        ways: ways.iter().map(|way| (*way, false)).collect(),
    };
    let mut entries = Vec::new();
    if let Some(span) = items(statement) {
        let ways = [Way::NoItem, Way::OneItem, Way::Items];
        entries.push(entry(Spot::Items(span), span, Vec::new(), &ways));
    }
    for case in cases(statement) {
        for arm in &case.arms {
            entries.push(entry(Spot::Arm(*arm), *arm, Vec::new(), &[Way::Taken]));
        }
        match case.otherwise {
            Some(span) => entries.push(entry(Spot::Arm(span), span, Vec::new(), &[Way::Taken])),
            None => entries.push(entry(Spot::NoArm(case.span), case.span, Vec::new(), &[Way::Taken])),
        }
    }
    for topic in &statement.from {
        entries.push(entry(Spot::From(topic.at.0), topic.at.0, Vec::new(), &[Way::Taken]));
    }
    let names = Names::new(statement, rule.program.profile());
    let conditions = Conditions::of(statement);
    for atom in &conditions.atoms {
        let operands: Vec<String> = atom.undefinable(&names).map(|path| path.to_string()).collect();
        let ways = [Way::True, Way::False, Way::Undefined];
        let ways = if operands.is_empty() { &ways[..2] } else { &ways };
        entries.push(entry(Spot::Atom(atom.span), atom.span, operands, ways));
    }
    for span in &conditions.clauses {
        entries.push(entry(Spot::Clause(*span), *span, Vec::new(), &[Way::True, Way::False]));
    }
    entries
}

/// A text on one line, its blanks single.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The list that FOREACH walks.
pub(super) fn items(statement: &Statement) -> Option<Span> {
    match statement.fields.last() {
        Some(Field::Expr(expr, _)) if statement.foreach => Some(condition::traced(expr).1),
        _ => None,
    }
}

/// A CASE, by the places of what it may answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    /// The whole.
    pub span: Span,
    /// After each THEN.
    pub arms: Vec<Span>,
    /// After ELSE.
    pub otherwise: Option<Span>,
}

/// Every CASE of a statement, outer ones first.
pub(super) fn cases(statement: &Statement) -> Vec<Case> {
    let mut found = Vec::new();
    let lists = [Some(&statement.fields), statement.doeach.as_ref()];
    for field in lists.into_iter().flatten().flatten() {
        if let Field::Expr(expr, _) = field {
            add_cases(expr, &mut found);
        }
    }
    let conditions = [statement.filter.as_ref(), statement.incase.as_ref()];
    conditions.into_iter().flatten().for_each(|expr| add_cases(expr, &mut found));
    found
}

/// The parser bounds the nesting (`SQL_DEPTH_MAX`).
fn add_cases(expr: &Expr, found: &mut Vec<Case>) {
    let (expr, span) = condition::traced(expr);
    if let ExprKind::Case { arms, otherwise, .. } = &expr.kind {
        found.push(Case {
            span,
            arms: arms.iter().map(|(_, then)| condition::traced(then).1).collect(),
            otherwise: otherwise.as_deref().map(|expr| condition::traced(expr).1),
        });
    }
    condition::children(expr).into_iter().for_each(|child| add_cases(child, found));
}
