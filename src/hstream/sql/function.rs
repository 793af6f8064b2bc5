//! Scalar functions of SQL on streams, as a table; behaviour as in `HStream/SQL/Internal/Codegen.hs`.
//!
//! Invariant: a function never panics; what it does not take is [`Passed::Unsupported`].

use super::decimal::Decimal;
use super::eval::{Passed, Scalar, number};

/// A row of the table.
pub struct Function {
    /// Upper case.
    pub name: &'static str,
    /// How many values it takes.
    pub arity: usize,
    pub(super) call: fn(&[Scalar]) -> Result<Scalar, Passed>,
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    fn eq(&self, other: &Function) -> bool {
        self.name == other.name
    }
}

pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|f| f.name == name)
}

/// Names of all functions, for help texts.
pub fn function_names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().map(|f| f.name)
}

const fn one(name: &'static str, call: fn(&[Scalar]) -> Result<Scalar, Passed>) -> Function {
    Function { name, arity: 1, call }
}

const fn two(name: &'static str, call: fn(&[Scalar]) -> Result<Scalar, Passed>) -> Function {
    Function { name, arity: 2, call }
}

static FUNCTIONS: &[Function] = &[
    one("ABS", |a| exact(a, "ABS", |n| Some(n.abs()))),
    one("ACOS", |a| real(a, "ACOS", |n| within(n, -1.0, 1.0).map(f64::acos))),
    one("ACOSH", |a| real(a, "ACOSH", |n| (n >= 1.0).then(|| n.acosh()))),
    one("ARRAY_LENGTH", |a| array(a, "ARRAY_LENGTH", |items| Some(count(items.len())))),
    two("ARRAY_CONTAIN", |a| match a {
        [Scalar::Array(items), wanted] => Ok(Scalar::Bool(items.contains(wanted))),
        _ => Err(Passed::Unsupported("ARRAY_CONTAIN")),
    }),
    one("ASIN", |a| real(a, "ASIN", |n| within(n, -1.0, 1.0).map(f64::asin))),
    one("ASINH", |a| real(a, "ASINH", |n| Some(n.asinh()))),
    one("ATAN", |a| real(a, "ATAN", |n| Some(n.atan()))),
    one("ATANH", |a| real(a, "ATANH", |n| (n > -1.0 && n < 1.0).then(|| n.atanh()))),
    one("CEIL", |a| exact(a, "CEIL", |n| Some(n.neg().floor().neg()))),
    one("COS", |a| real(a, "COS", |n| Some(n.cos()))),
    one("COSH", |a| real(a, "COSH", |n| Some(n.cosh()))),
    two("DROP", |a| pieces(a, "DROP", |all, n| all.into_iter().skip(n).collect())),
    two("DROPEND", |a| {
        pieces(a, "DROPEND", |all, n| {
            let kept = all.len().saturating_sub(n);
            all.into_iter().take(kept).collect()
        })
    }),
    one("EXP", |a| real(a, "EXP", |n| Some(n.exp()))),
    one("FLOOR", |a| exact(a, "FLOOR", |n| Some(n.floor()))),
    two("IFNULL", |a| match a {
        [Scalar::Null, other] => Ok(other.clone()),
        [value, _] => Ok(value.clone()),
        _ => Err(Passed::Unsupported("IFNULL")),
    }),
    one("IS_ARRAY", |a| is(a, |v| matches!(v, Scalar::Array(_)))),
    one("IS_BOOL", |a| is(a, |v| matches!(v, Scalar::Bool(_)))),
    // Every number is both there.
    one("IS_FLOAT", |a| is(a, |v| matches!(v, Scalar::Number(_)))),
    one("IS_INT", |a| is(a, |v| matches!(v, Scalar::Number(_)))),
    one("IS_MAP", |a| is(a, |v| matches!(v, Scalar::Object(_)))),
    one("IS_NUM", |a| is(a, |v| matches!(v, Scalar::Number(_)))),
    one("IS_STR", |a| is(a, |v| matches!(v, Scalar::Text(_)))),
    one("LEFT_TRIM", |a| text(a, "LEFT_TRIM", |t| Scalar::Text(t.trim_start().to_owned()))),
    one("LOG", |a| real(a, "LOG", |n| (n > 0.0).then(|| n.ln()))),
    // The quotient of logarithms, not log10 and log2 themselves: the last digit differs.
    one("LOG10", |a| real(a, "LOG10", |n| (n > 0.0).then(|| n.ln() / 10f64.ln()))),
    one("LOG2", |a| real(a, "LOG2", |n| (n > 0.0).then(|| n.ln() / 2f64.ln()))),
    two("NULLIF", |a| match a {
        [left, right] if left == right => Ok(Scalar::Null),
        [left, _] => Ok(left.clone()),
        _ => Err(Passed::Unsupported("NULLIF")),
    }),
    one("REVERSE", |a| text(a, "REVERSE", |t| Scalar::Text(t.chars().rev().collect()))),
    one("RIGHT_TRIM", |a| text(a, "RIGHT_TRIM", |t| Scalar::Text(t.trim_end().to_owned()))),
    one("ROUND", |a| exact(a, "ROUND", |n| Some(n.round_even()))),
    one("SIGN", |a| match a {
        [Scalar::Null] => Ok(Scalar::Null),
        _ => exact(a, "SIGN", |n| Some(Decimal::from(n.sign()))),
    }),
    one("SIN", |a| real(a, "SIN", |n| Some(n.sin()))),
    one("SINH", |a| real(a, "SINH", |n| Some(n.sinh()))),
    one("SQRT", |a| real(a, "SQRT", |n| Some(n.sqrt()))),
    one("STRLEN", |a| text(a, "STRLEN", |t| count(t.chars().count()))),
    two("TAKE", |a| pieces(a, "TAKE", |all, n| all.into_iter().take(n).collect())),
    two("TAKEEND", |a| {
        pieces(a, "TAKEEND", |all, n| {
            let gone = all.len().saturating_sub(n);
            all.into_iter().skip(gone).collect()
        })
    }),
    one("TAN", |a| real(a, "TAN", |n| Some(n.tan()))),
    one("TANH", |a| real(a, "TANH", |n| Some(n.tanh()))),
    one("TO_LOWER", |a| text(a, "TO_LOWER", |t| Scalar::Text(t.to_lowercase()))),
    one("TO_UPPER", |a| text(a, "TO_UPPER", |t| Scalar::Text(t.to_uppercase()))),
    one("TRIM", |a| text(a, "TRIM", |t| Scalar::Text(t.trim().to_owned()))),
];

fn exact(
    arguments: &[Scalar],
    name: &'static str,
    of: impl Fn(&Decimal) -> Option<Decimal>,
) -> Result<Scalar, Passed> {
    match arguments {
        [Scalar::Number(n)] => number(of(n)),
        _ => Err(Passed::Unsupported(name)),
    }
}

fn real(arguments: &[Scalar], name: &'static str, of: impl Fn(f64) -> Option<f64>) -> Result<Scalar, Passed> {
    exact(arguments, name, |n| of(n.to_f64()).and_then(Decimal::from_f64))
}

fn within(n: f64, low: f64, high: f64) -> Option<f64> {
    (low..=high).contains(&n).then_some(n)
}

fn text(arguments: &[Scalar], name: &'static str, of: impl Fn(&str) -> Scalar) -> Result<Scalar, Passed> {
    match arguments {
        [Scalar::Text(t)] => Ok(of(t)),
        _ => Err(Passed::Unsupported(name)),
    }
}

fn array(
    arguments: &[Scalar],
    name: &'static str,
    of: impl Fn(&[Scalar]) -> Option<Scalar>,
) -> Result<Scalar, Passed> {
    match arguments {
        [Scalar::Null] => Ok(Scalar::Null),
        [Scalar::Array(items)] => of(items).ok_or(Passed::Unsupported(name)),
        _ => Err(Passed::Unsupported(name)),
    }
}

/// `TAKE(n, text)` and its like.
fn pieces(
    arguments: &[Scalar],
    name: &'static str,
    of: impl Fn(Vec<char>, usize) -> String,
) -> Result<Scalar, Passed> {
    match arguments {
        [_, Scalar::Null] => Ok(Scalar::Null),
        [Scalar::Number(n), Scalar::Text(t)] => {
            let n = n.to_i64().ok_or(Passed::Unsupported(name))?;
            Ok(Scalar::Text(of(t.chars().collect(), usize::try_from(n).unwrap_or(0))))
        }
        _ => Err(Passed::Unsupported(name)),
    }
}

fn is(arguments: &[Scalar], of: impl Fn(&Scalar) -> bool) -> Result<Scalar, Passed> {
    Ok(Scalar::Bool(arguments.iter().all(of)))
}

fn count(n: usize) -> Scalar {
    Scalar::Number(Decimal::from(i64::try_from(n).unwrap_or(i64::MAX)))
}
