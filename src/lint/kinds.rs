//! What kind of value an expression can give, as far as its text tells.
//!
//! Invariant: the set holds every kind that can come; where nothing is known it is [`Kinds::ANY`].

use super::subject::{Given, Subject};
use super::walk::Clause;
use crate::event::{COLUMNS, Sample};
use crate::func::{self, Kinds};
use crate::limits::LINT_ALIASES_MAX;
use crate::sql::ast::{ArithOp, Expr, ExprKind, Path, PathStep};
use crate::value::{Bytes, decode};

/// The kinds of an expression at a place.
pub(super) fn of(subject: &Subject<'_>, clause: Clause, expr: &Expr) -> Kinds {
    Reader { subject, hops: 0 }.expr(clause, expr)
}

struct Reader<'s, 'a> {
    subject: &'s Subject<'a>,
    /// Aliases looked through so far.
    hops: usize,
}

impl Reader<'_, '_> {
    fn expr(&self, clause: Clause, expr: &Expr) -> Kinds {
        match &expr.kind {
            ExprKind::Const(value) => Kinds::of(value),
            ExprKind::Path(path) => self.path(clause, path),
            ExprKind::Range(..) | ExprKind::Slice(..) | ExprKind::List(_) => Kinds::LIST,
            ExprKind::Unary(..) => Kinds::NUM,
            ExprKind::Arith(op, left, right) => self.arith(clause, *op, left, right),
            ExprKind::Compare(..)
            | ExprKind::And(..)
            | ExprKind::Or(..)
            | ExprKind::Not(_)
            | ExprKind::In { .. } => Kinds::BOOL,
            ExprKind::Case { arms, otherwise, .. } => {
                let last = otherwise.as_ref().map_or(Kinds::UNDEFINED, |expr| self.expr(clause, expr));
                arms.iter().fold(last, |all, (_, then)| all.or(self.expr(clause, then)))
            }
            ExprKind::Call(name, args) => called(name, args, self.subject).map_or(Kinds::ANY, |f| f.ret),
            ExprKind::Aliased(inner, _) => self.expr(clause, inner),
        }
    }

    fn arith(&self, clause: Clause, op: ArithOp, left: &Expr, right: &Expr) -> Kinds {
        let text = |expr| self.expr(clause, expr).0 & Kinds::STR.0 != 0;
        match op {
            ArithOp::Add if text(left) || text(right) => Kinds::NUM.or(Kinds::STR),
            ArithOp::IntDivide | ArithOp::Modulo => Kinds::INT,
            _ => Kinds::NUM,
        }
    }

    fn path(&self, clause: Clause, path: &Path) -> Kinds {
        match self.subject.lookup(clause, &path.head.text) {
            Some(Given::Column) if path.steps.is_empty() => column(&path.head.text),
            Some(Given::Column) => match (path.head.text.as_str(), path.steps.as_slice()) {
                ("flags", [PathStep::Key(key)]) if matches!(key.text.as_str(), "retain" | "dup") => {
                    Kinds::BOOL.or(Kinds::UNDEFINED)
                }
                _ => Kinds::ANY,
            },
            Some(Given::Field(expr, alias)) if path.steps.is_empty() && alias.steps.is_empty() => {
                self.aliased(clause, expr)
            }
            _ => Kinds::ANY,
        }
    }

    /// An alias is looked through; what it stands for was evaluated before, where fewer names were seen.
    fn aliased(&self, clause: Clause, expr: &Expr) -> Kinds {
        if self.hops >= LINT_ALIASES_MAX {
            return Kinds::ANY;
        }
        let home = self.subject.roots.iter().find(|root| std::ptr::eq(root.expr, expr));
        let clause = home.map_or(clause, |root| root.clause);
        Reader { subject: self.subject, hops: self.hops + 1 }.expr(clause, expr)
    }
}

/// The function that is called.
pub(super) fn called(name: &Path, args: &[Expr], subject: &Subject<'_>) -> Option<&'static func::Builtin> {
    name.steps.is_empty().then(|| func::find(&name.head.text, args.len(), subject.profile)).flatten()
}

/// What a column of any event holds.
fn column(name: &str) -> Kinds {
    let Some(column) = COLUMNS.iter().find(|column| column.name == name) else { return Kinds::ANY };
    let kinds = match column.sample {
        Sample::Undefined => Kinds::ANY,
        Sample::Atom(_) if matches!(name, "event" | "node") => Kinds::OTHER_ATOM,
        Sample::Atom(_) => Kinds::OTHER_ATOM.or(Kinds::STR),
        Sample::Text(_) | Sample::Id => Kinds::STR,
        Sample::Now => Kinds::INT,
        Sample::Json(text) => match decode::decode(&Bytes::from_static(text.as_bytes())) {
            Ok(value) => Kinds::of(&value),
            Err(_) => Kinds::ANY,
        },
    };
    // Some events leave some columns out.
    kinds.or(Kinds::UNDEFINED)
}
