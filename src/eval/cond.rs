//! Conditions: WHERE, INCASE, WHEN (emqx_rule_runtime:match_conditions).

use super::expr::{compare_nodes, eval};
use super::scope::Scope;
use super::{Evaluated, Fail};
use crate::ctx::Ctx;
use crate::program::{Kind, Node};
use crate::text::Span;
use crate::value::Value;

/// The answer of a condition; a function may answer something that is no boolean.
pub(super) fn evaluate(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<Value> {
    if ctx.trace.is_none() {
        return untraced(scope, node, ctx);
    }
    let result = untraced(scope, node, ctx);
    if let (Some(trace), Ok(value)) = (&mut ctx.trace, &result)
        && matches!(node.kind, Kind::And(..) | Kind::Or(..) | Kind::Not(_) | Kind::In(..))
    {
        trace.record(node.span, value);
    }
    result
}

fn untraced(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<Value> {
    match &node.kind {
        Kind::And(left, right) => match evaluate(scope, left, ctx)? {
            Value::Bool(true) => evaluate(scope, right, ctx),
            Value::Bool(false) => Ok(Value::Bool(false)),
            other => Err(no_boolean("AND", left.span, &other)),
        },
        Kind::Or(left, right) => match evaluate(scope, left, ctx)? {
            Value::Bool(false) => evaluate(scope, right, ctx),
            Value::Bool(true) => Ok(Value::Bool(true)),
            other => Err(no_boolean("OR", left.span, &other)),
        },
        Kind::Not(inner) => Ok(Value::Bool(match eval(scope, inner, ctx)?.as_ref() {
            Value::Bool(b) => !b,
            _ => false,
        })),
        Kind::In(value, list) => {
            let value = eval(scope, value, ctx)?;
            let mut found = false;
            for item in list {
                found |= *eval(scope, item, ctx)? == *value;
            }
            Ok(Value::Bool(found))
        }
        _ => Ok(eval(scope, node, ctx)?.into_owned()),
    }
}

/// The answer of a whole clause, which must be a boolean.
pub(super) fn holds(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<bool> {
    match &node.kind {
        // A shorter way for the plain ones, when nobody watches.
        Kind::Const(Value::Bool(answer)) if ctx.trace.is_none() => return Ok(*answer),
        Kind::Compare(op, left, right) if ctx.trace.is_none() => {
            return compare_nodes(scope, *op, left, right, ctx);
        }
        Kind::And(left, right) if ctx.trace.is_none() => {
            // What is no boolean on the right is the clause's failure all the same.
            return Ok(holds(scope, left, ctx)? && holds(scope, right, ctx)?);
        }
        _ => {}
    }
    match evaluate(scope, node, ctx)? {
        Value::Bool(answer) => Ok(answer),
        other => Err(no_boolean("a condition", node.span, &other)),
    }
}

fn no_boolean(whose: &str, span: Span, value: &Value) -> Fail {
    let message = format!("{whose} needs true or false, got {}", value.kind_name());
    Fail::new("E309", message, span).showing(span, value)
}
