//! Walking over a statement. Recursion is bounded by the parser's bound on nesting.

use crate::sql::ast::{Expr, ExprKind, Field, Path, PathIndex, PathStep, Statement};

/// Where an expression stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clause {
    /// The list after SELECT or FOREACH; which item.
    Fields(usize),
    /// The list after DO; which item.
    Do(usize),
    /// The condition after INCASE.
    Incase,
    /// The condition after WHERE.
    Where,
}

/// An expression that a clause begins with, and the name it gets.
#[derive(Clone, Copy)]
pub(super) struct Root<'a> {
    pub clause: Clause,
    pub expr: &'a Expr,
    pub alias: Option<&'a Path>,
}

/// Every expression that a clause begins with.
pub(super) fn roots(statement: &Statement) -> Vec<Root<'_>> {
    let mut roots = list(&statement.fields, Clause::Fields);
    roots.extend(statement.doeach.iter().flat_map(|fields| list(fields, Clause::Do)));
    let condition = |clause, expr| Root { clause, expr, alias: None };
    roots.extend(statement.incase.iter().map(|expr| condition(Clause::Incase, expr)));
    roots.extend(statement.filter.iter().map(|expr| condition(Clause::Where, expr)));
    roots
}

fn list(fields: &[Field], clause: fn(usize) -> Clause) -> Vec<Root<'_>> {
    let item = |(at, field)| match field {
        &Field::Star(_) => None,
        Field::Expr(expr, alias) => Some(Root { clause: clause(at), expr, alias: alias.as_ref() }),
    };
    fields.iter().enumerate().filter_map(item).collect()
}

/// Is there such an expression at or below this one?
pub(super) fn any(expr: &Expr, is: &dyn Fn(&Expr) -> bool) -> bool {
    is(expr) || expr.children().into_iter().any(|child| any(child, is))
}

/// Calls `see` with every path that is read, those in brackets included.
pub(super) fn paths<'a>(expr: &'a Expr, see: &mut dyn FnMut(&'a Path)) {
    expr.each(&mut |inner| {
        if let ExprKind::Path(path) | ExprKind::Slice(path, ..) = &inner.kind {
            with_indexes(path, see);
        }
    });
}

fn with_indexes<'a>(path: &'a Path, see: &mut dyn FnMut(&'a Path)) {
    see(path);
    for step in &path.steps {
        if let PathStep::Index(PathIndex::Path(inner), _) = step {
            with_indexes(inner, see);
        }
    }
}

/// The path that an expression is, when it is nothing but a path.
pub(super) fn as_path(expr: &Expr) -> Option<&Path> {
    match &expr.kind {
        ExprKind::Path(path) => Some(path),
        _ => None,
    }
}
