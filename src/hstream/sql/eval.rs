//! Evaluating a query over one record.
//!
//! Invariant: either a row, or nothing because the condition is false, or the reason why the record is passed by.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::decimal::Decimal;
use super::function::Function;

/// A push query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// The stream it reads.
    pub stream: String,
    /// Names and expressions; nothing for `*`.
    pub columns: Option<Vec<(String, Expr)>>,
    /// WHERE.
    pub filter: Option<Expr>,
}

/// Why a record is passed by, as HStreamDB would log it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Passed {
    /// The payload is no JSON object.
    #[error("the payload is no JSON object")]
    NoObject,
    /// A column the query names is not in the object.
    #[error("key {0:?} is not found in object")]
    Missing(String),
    /// Values of types that do not compare.
    #[error("value does not support comparison")]
    Incomparable,
    /// An operator or a function that does not take such values.
    #[error("operation {0} is not supported on these values")]
    Unsupported(&'static str),
    /// A result outside of the numbers.
    #[error("mathematical error")]
    Mathematical,
}

/// A value on the way.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// null
    Null,
    /// true, false
    Bool(bool),
    /// A number.
    Number(Decimal),
    /// A string.
    Text(String),
    /// An array.
    Array(Vec<Scalar>),
    /// An object, which no function takes apart.
    Object(Map<String, Value>),
}

/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// A field of the record.
    Column(String),
    /// A constant.
    Constant(Scalar),
    /// Two values to one.
    Operation(Operator, Box<Expr>, Box<Expr>),
    /// A scalar function.
    Call(&'static Function, Vec<Expr>),
    /// A comparison.
    Compare(Compare, Box<Expr>, Box<Expr>),
    /// `value BETWEEN low AND high`
    Between(Box<Expr>, Box<Expr>, Box<Expr>),
    /// AND
    All(Box<Expr>, Box<Expr>),
    /// OR
    Any(Box<Expr>, Box<Expr>),
    /// NOT
    Not(Box<Expr>),
}

/// Operators of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// +
    Add,
    /// -
    Sub,
    /// *
    Mul,
    /// &&
    And,
    /// ||
    Or,
}

impl Operator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Operator::Add => "+",
            Operator::Sub => "-",
            Operator::Mul => "*",
            Operator::And => "&&",
            Operator::Or => "||",
        }
    }

    pub(super) fn strength(self) -> u8 {
        match self {
            Operator::Or => 0,
            Operator::And => 1,
            Operator::Add | Operator::Sub => 2,
            Operator::Mul => 3,
        }
    }
}

/// Comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compare {
    /// =
    Equal,
    /// <>
    NotEqual,
    /// <
    Less,
    /// <=
    LessOrEqual,
    /// >
    Greater,
    /// >=
    GreaterOrEqual,
}

impl Query {
    /// The row that a record's payload gives; nothing when the condition is false.
    pub fn row(&self, payload: &[u8]) -> Result<Option<Value>, Passed> {
        let Ok(Value::Object(record)) = serde_json::from_slice(payload) else { return Err(Passed::NoObject) };
        if let Some(filter) = &self.filter
            && !filter.holds(&record)?
        {
            return Ok(None);
        }
        let Some(columns) = &self.columns else { return Ok(Some(Value::Object(record))) };
        let mut row = Map::new();
        for (name, expr) in columns {
            row.insert(name.clone(), expr.value(&record)?.into_json().ok_or(Passed::Mathematical)?);
        }
        Ok(Some(Value::Object(row)))
    }
}

impl Expr {
    fn holds(&self, record: &Map<String, Value>) -> Result<bool, Passed> {
        match self {
            Expr::All(left, right) => Ok(left.holds(record)? && right.holds(record)?),
            Expr::Any(left, right) => Ok(left.holds(record)? || right.holds(record)?),
            Expr::Not(inner) => Ok(!inner.holds(record)?),
            Expr::Between(value, low, high) => {
                let (value, low) = (value.value(record)?, low.value(record)?);
                Ok(low.compare(&value)?.is_le() && value.compare(&high.value(record)?)?.is_le())
            }
            Expr::Compare(compare, left, right) => {
                let (left, right) = (left.value(record)?, right.value(record)?);
                Ok(match compare {
                    Compare::Equal => left == right,
                    Compare::NotEqual => left != right,
                    Compare::Less => left.compare(&right)?.is_lt(),
                    Compare::LessOrEqual => left.compare(&right)?.is_le(),
                    Compare::Greater => left.compare(&right)?.is_gt(),
                    Compare::GreaterOrEqual => left.compare(&right)?.is_ge(),
                })
            }
            value => match value.value(record)? {
                Scalar::Bool(truth) => Ok(truth),
                _ => Err(Passed::Incomparable),
            },
        }
    }

    fn value(&self, record: &Map<String, Value>) -> Result<Scalar, Passed> {
        match self {
            Expr::Column(name) => {
                record.get(name).map(Scalar::from_json).ok_or_else(|| Passed::Missing(name.clone()))
            }
            Expr::Constant(value) => Ok(value.clone()),
            Expr::Operation(operator, left, right) => {
                operate(*operator, &left.value(record)?, &right.value(record)?)
            }
            Expr::Call(function, arguments) => {
                let arguments: Result<Vec<_>, _> = arguments.iter().map(|a| a.value(record)).collect();
                (function.call)(&arguments?)
            }
            condition => condition.holds(record).map(Scalar::Bool),
        }
    }
}

fn operate(operator: Operator, left: &Scalar, right: &Scalar) -> Result<Scalar, Passed> {
    match (operator, left, right) {
        (Operator::Add, Scalar::Number(a), Scalar::Number(b)) => number(a.add(b)),
        (Operator::Sub, Scalar::Number(a), Scalar::Number(b)) => number(a.sub(b)),
        (Operator::Mul, Scalar::Number(a), Scalar::Number(b)) => number(a.mul(b)),
        (Operator::And, Scalar::Bool(a), Scalar::Bool(b)) => Ok(Scalar::Bool(*a && *b)),
        (Operator::Or, Scalar::Bool(a), Scalar::Bool(b)) => Ok(Scalar::Bool(*a || *b)),
        _ => Err(Passed::Unsupported(operator.text())),
    }
}

/// A number, if there is one.
pub(super) fn number(number: Option<Decimal>) -> Result<Scalar, Passed> {
    number.map(Scalar::Number).ok_or(Passed::Mathematical)
}

impl Scalar {
    pub(super) fn from_json(value: &Value) -> Scalar {
        match value {
            Value::Null => Scalar::Null,
            Value::Bool(truth) => Scalar::Bool(*truth),
            Value::Number(n) => Decimal::from_json(n).map_or(Scalar::Null, Scalar::Number),
            Value::String(text) => Scalar::Text(text.clone()),
            Value::Array(items) => Scalar::Array(items.iter().map(Scalar::from_json).collect()),
            Value::Object(members) => Scalar::Object(members.clone()),
        }
    }

    /// As JSON, its numbers as doubles; nothing for a number beyond them.
    pub(super) fn into_json(self) -> Option<Value> {
        Some(match self {
            Scalar::Null => Value::Null,
            Scalar::Bool(truth) => Value::Bool(truth),
            Scalar::Number(n) => Value::Number(serde_json::Number::from_f64(n.to_f64())?),
            Scalar::Text(text) => Value::String(text),
            Scalar::Array(items) => {
                Value::Array(items.into_iter().map(Scalar::into_json).collect::<Option<_>>()?)
            }
            Scalar::Object(members) => Value::Object(members),
        })
    }

    fn compare(&self, other: &Scalar) -> Result<Ordering, Passed> {
        match (self, other) {
            (Scalar::Number(a), Scalar::Number(b)) => Ok(a.cmp(b)),
            (Scalar::Text(a), Scalar::Text(b)) => Ok(a.cmp(b)),
            _ => Err(Passed::Incomparable),
        }
    }
}
