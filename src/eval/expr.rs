//! Expressions (emqx_rule_runtime:eval).

use std::borrow::Cow;

use num_bigint::BigInt;
use num_traits::ToPrimitive;

use super::scope::Scope;
use super::{Evaluated, Fail, advice, compare, cond};
use crate::ctx::Ctx;
use crate::func::{Call, Purity, arith};
use crate::limits;
use crate::program::{Failure, Kind, Node};
use crate::sql::ast::{ArithOp, CompareOp};
use crate::text::Span;
use crate::value::weight::{self, TooMuch};
use crate::value::{Value, path};

/// The value of an expression.
#[inline]
pub(super) fn eval<'a>(scope: &Scope<'a>, node: &'a Node, ctx: &mut Ctx) -> Evaluated<Cow<'a, Value>> {
    if ctx.trace.is_none() {
        return untraced(scope, node, ctx);
    }
    let result = untraced(scope, node, ctx);
    if let (Some(trace), Ok(value)) = (&mut ctx.trace, &result) {
        trace.record(node.span, value);
    }
    result
}

fn untraced<'a>(scope: &Scope<'a>, node: &'a Node, ctx: &mut Ctx) -> Evaluated<Cow<'a, Value>> {
    match &node.kind {
        Kind::Const(value) => Ok(Cow::Borrowed(value)),
        Kind::Column(slot) => Ok(scope.column(*slot)),
        Kind::Payload(slot) => scope.payload.part(*slot, node.span).map(Cow::Borrowed),
        Kind::Selected(field) => Ok(Cow::Borrowed(&scope.selected[*field])),
        Kind::Item => {
            Ok(scope.layers.item.map_or(Cow::Owned(Value::Undefined), |(_, item)| Cow::Borrowed(item)))
        }
        Kind::ItemPart(part) => Ok(Cow::Borrowed(&scope.item_parts[*part])),
        Kind::OrElse(first, second) => match eval(scope, first, ctx)? {
            value if value.is_undefined() => eval(scope, second, ctx),
            value => Ok(value),
        },
        Kind::Walk(base, steps) => Ok(match eval(scope, base, ctx)? {
            Cow::Borrowed(value) => path::get_rooted(value, steps),
            Cow::Owned(value) => Cow::Owned(path::get_rooted(&value, steps).into_owned()),
        }),
        Kind::Var(name) => Ok(scope.variable(name)),
        Kind::Path(head, steps) => scope.path(head, steps, node.span),
        Kind::Case { arms, otherwise } => {
            for (when, then) in arms {
                if matches!(cond::evaluate(scope, when, ctx)?, Value::Bool(true)) {
                    return eval(scope, then, ctx);
                }
            }
            or_undefined(scope, otherwise.as_deref(), ctx)
        }
        Kind::Switch { on, arms, otherwise } => {
            for (when, then) in arms {
                let wanted = eval(scope, when, ctx)?;
                if *eval(scope, on, ctx)? == *wanted {
                    return eval(scope, then, ctx);
                }
            }
            or_undefined(scope, otherwise.as_deref(), ctx)
        }
        Kind::Compare(op, left, right) => {
            compare_nodes(scope, *op, left, right, ctx).map(|answer| Cow::Owned(Value::Bool(answer)))
        }
        Kind::Fails(failure) => Err(certain(failure, node.span)),
        _ => computed(scope, node, ctx).map(Cow::Owned),
    }
}

/// The answer of a comparison.
pub(super) fn compare_nodes(
    scope: &Scope<'_>,
    op: CompareOp,
    left: &Node,
    right: &Node,
    ctx: &mut Ctx,
) -> Evaluated<bool> {
    let l = eval(scope, left, ctx)?;
    let r = eval(scope, right, ctx)?;
    compare::compare(op, (&l, left.span), (&r, right.span), scope.program.profile)
}

fn or_undefined<'a>(scope: &Scope<'a>, node: Option<&'a Node>, ctx: &mut Ctx) -> Evaluated<Cow<'a, Value>> {
    node.map_or(Ok(Cow::Owned(Value::Undefined)), |node| eval(scope, node, ctx))
}

/// A failure that the statement's form makes certain.
pub(super) fn certain(failure: &Failure, span: Span) -> Fail {
    let fail = Fail::new(failure.code, failure.message.clone(), span);
    match &failure.help {
        Some(help) => fail.help(help.clone()),
        None => fail,
    }
}

/// Expressions that make a new value.
fn computed(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<Value> {
    let value = made(scope, node, ctx)?;
    within_room(&value, node.span, ctx)?;
    Ok(value)
}

/// Refuses a value for which the rule has no room left.
#[inline]
pub(super) fn within_room(value: &Value, span: Span, ctx: &mut Ctx) -> Evaluated<()> {
    weight::spend(&mut ctx.room, value).map_err(|why| {
        let (bytes, levels) = (limits::MADE_BYTES_MAX, limits::JSON_DEPTH_MAX);
        let message = match why {
            TooMuch::Bytes => {
                format!("with this value the rule has made more than {bytes} bytes for one message")
            }
            TooMuch::Depth => format!("the value would be nested deeper than {levels} levels"),
        };
        Fail::new("E313", message, span)
    })
}

fn made(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<Value> {
    match &node.kind {
        Kind::Range(first, last) => range(first, last, node.span),
        Kind::Slice(base, first, last) => slice(eval(scope, base, ctx)?.as_ref(), first, last, node.span),
        Kind::List(items) => {
            let items: Evaluated<Vec<Value>> =
                items.iter().map(|item| eval(scope, item, ctx).map(Cow::into_owned)).collect();
            items.map(Value::list)
        }
        Kind::Negate(inner) => {
            let value = eval(scope, inner, ctx)?;
            arith::negate(&value)
                .map_err(|e| advice::operator("-", &e, &[&value], node.span).showing(inner.span, &value))
        }
        Kind::Arith(op, left, right) => {
            let l = eval(scope, left, ctx)?;
            let r = eval(scope, right, ctx)?;
            let answer = match op {
                ArithOp::Add => arith::add(&l, &r, scope.program.profile),
                ArithOp::Subtract => arith::subtract(&l, &r),
                ArithOp::Multiply => arith::multiply(&l, &r),
                ArithOp::Divide => arith::divide(&l, &r),
                ArithOp::IntDivide => arith::int_divide(&l, &r),
                ArithOp::Modulo => arith::modulo(&l, &r),
            };
            answer.map_err(|e| {
                let fail = advice::operator(op.text(), &e, &[&l, &r], node.span);
                fail.showing(left.span, &l).showing(right.span, &r)
            })
        }
        Kind::Call { .. } => call(scope, node, ctx),
        // Conditions where a value stands were made `Fails` when the program was compiled.
        _ => cond::evaluate(scope, node, ctx),
    }
}

fn call(scope: &Scope<'_>, node: &Node, ctx: &mut Ctx) -> Evaluated<Value> {
    let Kind::Call { builtin, args } = &node.kind else { return Ok(Value::Undefined) };
    let mut few: [Value; 4] = [const { Value::Undefined }; 4];
    let many: Vec<Value>;
    let values: &[Value] = if args.len() <= few.len() {
        for (value, arg) in few.iter_mut().zip(args) {
            *value = eval(scope, arg, ctx)?.into_owned();
        }
        &few[..args.len()]
    } else {
        let all: Evaluated<Vec<Value>> =
            args.iter().map(|arg| eval(scope, arg, ctx).map(Cow::into_owned)).collect();
        many = all?;
        &many
    };
    // Only column functions look at the columns; merging them costs.
    let merged = (scope.is_map && builtin.purity == Purity::ReadsMessage).then(|| scope.layers.merged());
    let mut call = Call { ctx, columns: merged.as_ref(), profile: scope.program.profile };
    builtin.run(&mut call, values).map_err(|e| {
        let fail = Fail::new("E311", format!("{}(): {e}", builtin.name), node.span);
        let fail = args.iter().zip(values).fold(fail, |fail, (arg, value)| {
            if matches!(arg.kind, Kind::Const(_)) { fail } else { fail.showing(arg.span, value) }
        });
        let fail = match advice::way_out(&e, &values.iter().collect::<Vec<_>>()) {
            Some(help) => fail.help(help),
            None => fail,
        };
        fail.help(format!("it is {}", builtin.signature()))
    })
}

/// `[1..3]` (lists:seq/2).
fn range(first: &Value, last: &Value, span: Span) -> Evaluated<Value> {
    let (Some(first), Some(last)) = (first.to_bigint(), last.to_bigint()) else {
        return Ok(Value::Undefined);
    };
    let count: BigInt = last - &first + 1;
    let count = match count.to_i64() {
        Some(count) if count < 0 => {
            return Err(Fail::new("E312", "the range ends before it begins", span));
        }
        Some(count) if count as usize <= limits::LIST_LENGTH_MAX => count,
        _ => {
            let message = format!("the range has more than {} numbers", limits::LIST_LENGTH_MAX);
            return Err(Fail::new("E313", message, span));
        }
    };
    Ok(Value::list((0..count).map(|n| Value::integer(&first + n)).collect()))
}

/// `a[1..3]` (emqx_rule_maps:range_get and lists:sublist/3).
fn slice(value: &Value, first: &Value, last: &Value, span: Span) -> Evaluated<Value> {
    let Value::List(items) = value else {
        let message = format!("a slice wants a list, got {}", value.kind_name());
        return Err(Fail::new("E314", message, span).showing(span, value));
    };
    let position = |bound: &Value| -> Evaluated<i64> {
        match bound {
            Value::Int(0) => {
                Err(Fail::new("E314", "positions count from 1, or from -1 at the end: 0 is none", span))
            }
            Value::Int(n) if *n < 0 => Ok(items.len() as i64 + n + 1),
            Value::Int(n) => Ok(*n),
            _ => Ok(i64::MAX / 4),
        }
    };
    let (first, last) = (position(first)?, position(last)?);
    let count = last - first + 1;
    let start = usize::try_from(first - 1).ok().filter(|_| first >= 1);
    match (start, usize::try_from(count)) {
        (Some(start), _) if start > 0 && start > items.len() => Ok(Value::list(Vec::new())),
        (Some(start), Ok(count)) => Ok(Value::list(items.iter().skip(start).take(count).cloned().collect())),
        _ => Err(Fail::new("E314", "the slice ends before it begins, or begins before the list", span)),
    }
}
