//! Trees back to SQL, on one line, in the letters that a reader of EMQX's documentation knows.
//!
//! Invariant: what is printed parses to an equal tree.

use std::fmt::{self, Display, Formatter, Write};

use super::ast::{
    CompareOp, Expr, ExprKind, Field, Name, Path, PathIndex, PathStep, Statement, Style, Topic,
};
use crate::value::Value;

impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(if self.foreach { "FOREACH " } else { "SELECT " })?;
        list(f, &self.fields)?;
        if let Some(fields) = &self.doeach {
            f.write_str(" DO ")?;
            list(f, fields)?;
        }
        if let Some(condition) = &self.incase {
            write!(f, " INCASE {}", Condition(condition))?;
        }
        f.write_str(" FROM ")?;
        list(f, &self.from)?;
        if let Some(condition) = &self.filter {
            write!(f, " WHERE {}", Condition(condition))?;
        }
        Ok(())
    }
}

fn list<T: Display>(f: &mut Formatter<'_>, items: &[T]) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}

impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Field::Star(_) => f.write_char('*'),
            Field::Expr(expr, None) => expr.fmt(f),
            Field::Expr(expr, Some(alias)) => write!(f, "{expr} AS {alias}"),
        }
    }
}

impl Display for Topic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, &self.name, self.style)
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str, style: Style) -> fmt::Result {
    match style {
        Style::Bare => f.write_str(text),
        Style::Single => write!(f, "'{text}'"),
        Style::Double => write!(f, "\"{text}\""),
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        quoted(f, &self.text, self.style)
    }
}

impl Display for Path {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.head.fmt(f)?;
        for step in &self.steps {
            match step {
                PathStep::Key(name) => write!(f, ".{name}")?,
                PathStep::Index(PathIndex::Const(0), _) => f.write_str("[00]")?,
                PathStep::Index(PathIndex::Const(n), _) => write!(f, "[{n}]")?,
                PathStep::Index(PathIndex::Head, _) => f.write_str("[0]")?,
                PathStep::Index(PathIndex::Tail, _) => f.write_str("[-0]")?,
                PathStep::Index(PathIndex::Path(path), _) => write!(f, "[{path}]")?,
            }
        }
        Ok(())
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.kind {
            ExprKind::Const(value) => constant(f, value),
            ExprKind::Path(path) => path.fmt(f),
            ExprKind::Range(first, last) => range(f, first, last),
            ExprKind::Slice(path, first, last) => {
                path.fmt(f)?;
                range(f, first, last)
            }
            ExprKind::List(items) => {
                f.write_char('[')?;
                list(f, items)?;
                f.write_char(']')
            }
            ExprKind::Unary(negative, inner) => {
                f.write_char(if *negative { '-' } else { '+' })?;
                // Two minus signs in a row would start a comment where a line follows.
                let tight = binding(inner) >= 3 && !matches!(inner.kind, ExprKind::Unary(..));
                parens(f, inner, !tight)
            }
            ExprKind::Arith(op, left, right) => {
                let own = if op.is_additive() { 1 } else { 2 };
                parens(f, left, binding(left) < own)?;
                write!(f, " {} ", op.text())?;
                parens(f, right, binding(right) <= own)
            }
            ExprKind::Compare(op, left, right) => compare(f, *op, left, right),
            ExprKind::Call(name, args) => {
                write!(f, "{name}(")?;
                list(f, args)?;
                f.write_char(')')
            }
            ExprKind::Case { on, arms, otherwise } => case(f, on.as_deref(), arms, otherwise.as_deref()),
            ExprKind::Aliased(inner, alias) => write!(f, "{inner} AS {alias}"),
            ExprKind::And(..) | ExprKind::Or(..) | ExprKind::Not(_) | ExprKind::In { .. } => {
                Condition(self).fmt(f)
            }
        }
    }
}

/// How tight an expression holds together: 0 a comparison, 1 a sum, 2 a product, 3 a sign, 4 the rest.
fn binding(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Compare(..) => 0,
        ExprKind::Arith(op, ..) => {
            if op.is_additive() {
                1
            } else {
                2
            }
        }
        ExprKind::Unary(..) => 3,
        _ => 4,
    }
}

fn parens(f: &mut Formatter<'_>, expr: &Expr, needed: bool) -> fmt::Result {
    if needed { write!(f, "({expr})") } else { expr.fmt(f) }
}

fn compare(f: &mut Formatter<'_>, op: CompareOp, left: &Expr, right: &Expr) -> fmt::Result {
    parens(f, left, binding(left) == 0)?;
    write!(f, " {} ", op.text())?;
    parens(f, right, binding(right) == 0)
}

fn range(f: &mut Formatter<'_>, first: &Value, last: &Value) -> fmt::Result {
    f.write_char('[')?;
    constant(f, first)?;
    f.write_str("..")?;
    constant(f, last)?;
    f.write_char(']')
}

fn constant(f: &mut Formatter<'_>, value: &Value) -> fmt::Result {
    match value {
        Value::Str(text) => write!(f, "'{}'", String::from_utf8_lossy(text)),
        // `{:?}` keeps the fraction; an exponent needs one too.
        Value::Float(n) => {
            let text = format!("{n:?}");
            match text.split_once('e') {
                Some((digits, exponent)) if !digits.contains('.') => write!(f, "{digits}.0e{exponent}"),
                _ => f.write_str(&text),
            }
        }
        Value::Big(n) => write!(f, "{n}"),
        Value::Int(n) => write!(f, "{n}"),
        other => f.write_str(&String::from_utf8_lossy(other.atom_name().unwrap_or(b""))),
    }
}

fn case(
    f: &mut Formatter<'_>,
    on: Option<&Expr>,
    arms: &[(Expr, Expr)],
    otherwise: Option<&Expr>,
) -> fmt::Result {
    f.write_str("CASE")?;
    if let Some(on) = on {
        write!(f, " {on}")?;
    }
    for (when, then) in arms {
        write!(f, " WHEN {} THEN {then}", Condition(when))?;
    }
    if let Some(otherwise) = otherwise {
        write!(f, " ELSE {otherwise}")?;
    }
    f.write_str(" END")
}

/// An expression where a condition stands.
struct Condition<'a>(&'a Expr);

impl Condition<'_> {
    /// 0 OR, 1 AND, 2 NOT, 3 the rest.
    fn binding(expr: &Expr) -> u8 {
        match &expr.kind {
            ExprKind::Or(..) => 0,
            ExprKind::And(..) => 1,
            ExprKind::Not(_) => 2,
            _ => 3,
        }
    }

    fn part(f: &mut Formatter<'_>, expr: &Expr, own: u8) -> fmt::Result {
        if Condition::binding(expr) < own {
            write!(f, "({})", Condition(expr))
        } else {
            Condition(expr).fmt(f)
        }
    }
}

impl Display for Condition<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.0.kind {
            ExprKind::Or(left, right) => {
                Condition::part(f, left, 0)?;
                f.write_str(" OR ")?;
                Condition::part(f, right, 1)
            }
            ExprKind::And(left, right) => {
                Condition::part(f, left, 1)?;
                f.write_str(" AND ")?;
                Condition::part(f, right, 2)
            }
            ExprKind::Not(inner) => {
                f.write_str("NOT ")?;
                Condition::part(f, inner, 2)
            }
            ExprKind::In { value, list: items, negated } => {
                write!(f, "{value} {}IN (", if *negated { "NOT " } else { "" })?;
                list(f, items)?;
                f.write_char(')')
            }
            _ => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::profile::Profile;
    use crate::sql::generate::statement;
    use crate::sql::parse;

    proptest! {
        #[test]
        fn what_is_printed_parses_to_the_same_tree(text in statement()) {
            let (tree, problems) = parse(&text, Profile::V5_8);
            let tree = tree.unwrap_or_else(|| panic!("{text}: {problems:?}"));
            let printed = tree.to_string();
            let (again, problems) = parse(&printed, Profile::V5_8);
            let again = again.unwrap_or_else(|| panic!("{text}\nprinted {printed}: {problems:?}"));
            prop_assert_eq!(&tree, &again, "{}\nprinted {}", text, printed);
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "(SELECT |FOREACH |FROM|WHERE|CASE|WHEN|[a-c(){}\\[\\].,'\"$#=<>~+*/é\n-]| |1e3|[0-9]\\.\\.){0,40}") {
            for profile in Profile::ALL {
                let (tree, problems) = parse(&text, profile);
                prop_assert!(tree.is_some() || !problems.is_empty());
            }
        }
    }
}
