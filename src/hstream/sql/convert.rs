//! From sqlparser's expressions to ours, which are those that HStreamDB has.
//!
//! Invariant: a condition is made of comparisons only, and a value holds none; so HStreamDB's grammar has it.

use sqlparser::ast::{
    BinaryOperator, Expr as Ast, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Spanned,
    UnaryOperator, Value as AstValue,
};

use super::decimal::Decimal;
use super::error::SqlError;
use super::eval::{Compare, Expr, Operator, Scalar};
use super::function;
use super::print::payload_number;

const AGGREGATES: [&str; 7] = ["COUNT", "SUM", "AVG", "MAX", "MIN", "TOPK", "TOPKDISTINCT"];

/// A condition of WHERE.
pub(super) fn condition(ast: &Ast, stream: &str) -> Result<Expr, SqlError> {
    let both =
        |left: &Ast, right: &Ast| Ok((Box::new(value(left, stream)?), Box::new(value(right, stream)?)));
    match ast {
        Ast::Nested(inner) => condition(inner, stream),
        Ast::UnaryOp { op: UnaryOperator::Not, expr } => Ok(Expr::Not(Box::new(condition(expr, stream)?))),
        Ast::BinaryOp { left, op: BinaryOperator::And, right } => {
            Ok(Expr::All(Box::new(condition(left, stream)?), Box::new(condition(right, stream)?)))
        }
        Ast::BinaryOp { left, op: BinaryOperator::Or, right } => {
            Ok(Expr::Any(Box::new(condition(left, stream)?), Box::new(condition(right, stream)?)))
        }
        Ast::BinaryOp { left, op, right } => {
            let compare = comparison(op).ok_or_else(|| no_condition(ast))?;
            let (left, right) = both(left, right)?;
            Ok(Expr::Compare(compare, left, right))
        }
        Ast::Between { expr, negated: false, low, high } => {
            let (low, high) = both(low, high)?;
            Ok(Expr::Between(Box::new(value(expr, stream)?), low, high))
        }
        other => Err(no_condition(other)),
    }
}

fn no_condition(ast: &Ast) -> SqlError {
    let start = ast.span().start;
    let error = SqlError::syntax(start.line, start.column, &ast.to_string());
    error.hint("a condition compares values, with = <> < > <= >= or BETWEEN: write `flag = TRUE` for `flag`")
}

fn comparison(op: &BinaryOperator) -> Option<Compare> {
    Some(match op {
        BinaryOperator::Eq => Compare::Equal,
        BinaryOperator::NotEq => Compare::NotEqual,
        BinaryOperator::Lt => Compare::Less,
        BinaryOperator::LtEq => Compare::LessOrEqual,
        BinaryOperator::Gt => Compare::Greater,
        BinaryOperator::GtEq => Compare::GreaterOrEqual,
        _ => return None,
    })
}

/// A value of SELECT, or of one side of a comparison.
pub(super) fn value(ast: &Ast, stream: &str) -> Result<Expr, SqlError> {
    // Spans are found by a walk through the expression: only for an error.
    let place = || {
        let start = ast.span().start;
        (start.line, start.column)
    };
    match ast {
        Ast::Nested(inner) => value(inner, stream),
        Ast::Identifier(ident) => Ok(Expr::Column(ident.value.clone())),
        Ast::CompoundIdentifier(parts) => match parts.as_slice() {
            [of, column] if of.value == stream => {
                let text = format!(
                    "a column of one stream is written without the stream's name: `{}`",
                    column.value
                );
                Err(SqlError {
                    text,
                    hint: Some("HStreamDB v0.6.1 would find nothing under that name".to_owned()),
                })
            }
            _ => {
                let words =
                    "All stream names in SELECT clause have to be explicitly specified in FROM clause";
                let hint = "fields inside of objects cannot be named in SQL: select the whole object";
                Err(SqlError::invalid(Some(place()), words).hint(hint))
            }
        },
        Ast::CompoundFieldAccess { .. } | Ast::JsonAccess { .. } => {
            Err(SqlError::invalid(Some(place()), "Nested column name is not supported yet"))
        }
        Ast::Value(_) => constant(ast).map(Expr::Constant),
        Ast::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            constant(ast).map(Expr::Constant).map_err(|_| {
                let start = expr.span().start;
                let error = SqlError::syntax(start.line, start.column, &expr.to_string());
                error.hint(format!("a sign stands before a number only: write `0 - {expr}`"))
            })
        }
        Ast::BinaryOp { left, op, right } => {
            let operator = match op {
                BinaryOperator::Plus => Operator::Add,
                BinaryOperator::Minus => Operator::Sub,
                BinaryOperator::Multiply => Operator::Mul,
                BinaryOperator::StringConcat => Operator::Or,
                BinaryOperator::And => Operator::And,
                other => return Err(no_operator(ast, other)),
            };
            Ok(Expr::Operation(operator, Box::new(value(left, stream)?), Box::new(value(right, stream)?)))
        }
        Ast::Function(call) => function_call(ast, call, stream),
        // sqlparser has syntax of its own for these.
        Ast::Floor { expr, .. } => call_of(ast, "FLOOR", vec![value(expr, stream)?]),
        Ast::Ceil { expr, .. } => call_of(ast, "CEIL", vec![value(expr, stream)?]),
        Ast::Trim { expr, trim_where: None, trim_what: None, .. } => {
            call_of(ast, "TRIM", vec![value(expr, stream)?])
        }
        other => {
            let (line, column) = place();
            Err(SqlError::syntax(line, column, &other.to_string()))
        }
    }
}

fn no_operator(ast: &Ast, operator: &BinaryOperator) -> SqlError {
    let start = ast.span().start;
    let error = SqlError::syntax(start.line, start.column, &operator.to_string());
    if comparison(operator).is_some() {
        return error.hint("comparisons stand in WHERE only");
    }
    error.hint(format!("HStreamDB v0.6.1 has no operator `{operator}`: it has + - * || &&"))
}

fn function_call(ast: &Ast, call: &Function, stream: &str) -> Result<Expr, SqlError> {
    let name = call.name.to_string().to_uppercase();
    if AGGREGATES.contains(&name.as_str()) {
        let start = ast.span().start;
        let words = "An aggregate function has to be with an GROUP BY clause";
        let error = SqlError::invalid(Some((start.line, start.column)), words);
        return Err(error.hint("rulemill's HStreamDB stand-in answers no aggregates"));
    }
    let mut arguments = Vec::new();
    if let FunctionArguments::List(list) = &call.args {
        for argument in &list.args {
            match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => arguments.push(value(expr, stream)?),
                other => {
                    let start = ast.span().start;
                    return Err(SqlError::syntax(start.line, start.column, &other.to_string()));
                }
            }
        }
    }
    call_of(ast, &name, arguments)
}

fn call_of(ast: &Ast, name: &str, arguments: Vec<Expr>) -> Result<Expr, SqlError> {
    let start = ast.span().start;
    let Some(found) = function::find(name) else {
        let error = SqlError::syntax(start.line, start.column, &format!("{name}("));
        return Err(
            error.hint(format!("there is no function {name} here; `:help SELECT` shows those there are"))
        );
    };
    if found.arity != arguments.len() {
        let error = SqlError::syntax(start.line, start.column, &format!("{name}("));
        return Err(error.hint(format!(
            "{name} takes {} values, and here are {}",
            found.arity,
            arguments.len()
        )));
    }
    Ok(Expr::Call(found, arguments))
}

/// A constant of INSERT, or within an expression.
pub(super) fn constant(ast: &Ast) -> Result<Scalar, SqlError> {
    let start = ast.span().start;
    match ast {
        Ast::Value(value) => match &value.value {
            AstValue::Number(text, _) => {
                let range = || SqlError { text: format!("the number {text} is out of range"), hint: None };
                Decimal::parse(text).map(Scalar::Number).ok_or_else(range)
            }
            AstValue::DoubleQuotedString(text) | AstValue::SingleQuotedString(text) => {
                Ok(Scalar::Text(text.clone()))
            }
            AstValue::Boolean(truth) => Ok(Scalar::Bool(*truth)),
            AstValue::Null => Ok(Scalar::Null),
            other => Err(SqlError::syntax(start.line, start.column, &other.to_string())),
        },
        Ast::UnaryOp { op: UnaryOperator::Minus, expr } => match constant(expr)? {
            Scalar::Number(number) => Ok(Scalar::Number(number.neg())),
            _ => Err(SqlError::syntax(start.line, start.column, "-")),
        },
        Ast::UnaryOp { op: UnaryOperator::Plus, expr } => constant(expr),
        _ => Err(SqlError::invalid(None, "INSERT only supports constant values")),
    }
}

/// The name of a column without AS: its expression without blanks (`trimSpacesPrint` there).
pub(super) fn column_name(expr: &Expr) -> String {
    let text = match expr {
        Expr::Column(name) => return name.clone(),
        Expr::Constant(Scalar::Number(number)) => payload_number(number),
        Expr::Constant(Scalar::Text(text)) => serde_json::Value::from(text.as_str()).to_string(),
        Expr::Constant(Scalar::Bool(truth)) => truth.to_string().to_uppercase(),
        Expr::Constant(_) => "NULL".to_owned(),
        Expr::Operation(operator, left, right) => {
            let side = |side: &Expr| match side {
                Expr::Operation(inner, _, _) if inner.strength() < operator.strength() => {
                    format!("({})", column_name(side))
                }
                _ => column_name(side),
            };
            format!("{}{}{}", side(left), operator.text(), side(right))
        }
        Expr::Call(function, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(column_name).collect();
            format!("{}({})", function.name, arguments.join(","))
        }
        Expr::Compare(..) | Expr::Between(..) | Expr::All(..) | Expr::Any(..) | Expr::Not(..) => {
            String::new()
        }
    };
    text.chars().filter(|c| !c.is_whitespace()).collect()
}
