//! WHERE and INCASE, taken apart into atoms.

use super::presence::Names;
use crate::func::{self, Purity};
use crate::profile::Profile;
use crate::sql::ast::{Expr, ExprKind, Path, Statement};
use crate::text::Span;

/// What an expression is and under which place the trace has it: EMQX knows no unary plus, so what follows one is
/// evaluated in the plus's place.
pub(super) fn traced(expr: &Expr) -> (&Expr, Span) {
    let mut inner = expr;
    while let ExprKind::Unary(false, next) = &inner.kind {
        inner = next;
    }
    (inner, expr.span())
}

/// The expressions directly inside one.
pub(super) fn children(expr: &Expr) -> Vec<&Expr> {
    match &expr.kind {
        ExprKind::Const(_) | ExprKind::Path(_) | ExprKind::Range(..) | ExprKind::Slice(..) => Vec::new(),
        ExprKind::List(items) | ExprKind::Call(_, items) => items.iter().collect(),
        ExprKind::Unary(_, inner) | ExprKind::Not(inner) | ExprKind::Aliased(inner, _) => vec![inner],
        ExprKind::Arith(_, left, right)
        | ExprKind::Compare(_, left, right)
        | ExprKind::And(left, right)
        | ExprKind::Or(left, right) => vec![left, right],
        ExprKind::In { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
        ExprKind::Case { on, arms, otherwise } => {
            let arms = arms.iter().flat_map(|(when, then)| [when, then]);
            on.as_deref().into_iter().chain(arms).chain(otherwise.as_deref()).collect()
        }
    }
}

/// The atoms of a statement's conditions.
pub(super) struct Conditions<'a> {
    /// All atoms that are not the same for every message.
    pub atoms: Vec<Atom<'a>>,
    /// WHERE and INCASE, where they are more than one atom.
    pub clauses: Vec<Span>,
}

/// One atom.
pub(super) struct Atom<'a> {
    /// Where it stands.
    pub span: Span,
    /// It stands in INCASE.
    pub incase: bool,
    /// The variables in it, with the places under which the trace has them.
    pub leaves: Vec<(&'a Path, Span)>,
}

impl<'a> Conditions<'a> {
    /// Those of a statement.
    pub fn of(statement: &'a Statement) -> Conditions<'a> {
        let mut conditions = Conditions { atoms: Vec::new(), clauses: Vec::new() };
        for (clause, incase) in [(&statement.filter, false), (&statement.incase, true)] {
            let Some(expr) = clause else { continue };
            let before = conditions.atoms.len();
            conditions.add(expr, incase);
            let found = conditions.atoms.len() > before;
            if found && !conditions.atoms.iter().any(|atom| atom.span == expr.span()) {
                conditions.clauses.push(expr.span());
            }
        }
        conditions
    }

    fn add(&mut self, expr: &'a Expr, incase: bool) {
        match &expr.kind {
            ExprKind::And(left, right) | ExprKind::Or(left, right) => {
                self.add(left, incase);
                self.add(right, incase);
            }
            ExprKind::Not(inner) => self.add(inner, incase),
            _ if is_constant(expr) => {}
            _ => {
                let mut leaves = Vec::new();
                add_leaves(expr, &mut leaves);
                self.atoms.push(Atom { span: expr.span(), incase, leaves });
            }
        }
    }
}

impl<'a> Atom<'a> {
    /// Its variables that may be undefined, each once.
    pub fn undefinable(&self, names: &Names<'_>) -> impl Iterator<Item = &'a Path> {
        let mut paths: Vec<&'a Path> = Vec::new();
        for (path, _) in &self.leaves {
            let may = if self.incase { names.in_item(path) } else { names.in_where(path) };
            if may && !paths.contains(path) {
                paths.push(path);
            }
        }
        paths.into_iter()
    }
}

fn add_leaves<'a>(expr: &'a Expr, leaves: &mut Vec<(&'a Path, Span)>) {
    let (expr, span) = traced(expr);
    match &expr.kind {
        ExprKind::Path(path) => leaves.push((path, span)),
        ExprKind::Slice(path, ..) => leaves.push((path, path.at.0)),
        _ => children(expr).into_iter().for_each(|child| add_leaves(child, leaves)),
    }
}

/// Is it the same for every message?
fn is_constant(expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Path(_) | ExprKind::Slice(..) => false,
        ExprKind::Call(path, args) => {
            let pure = |profile| {
                let builtin = func::find(&path.head.text, args.len(), profile);
                builtin.is_some_and(|f| path.steps.is_empty() && f.purity == Purity::Pure)
            };
            Profile::ALL.into_iter().any(pure) && args.iter().all(is_constant)
        }
        _ => children(expr).into_iter().all(is_constant),
    }
}
