//! FOREACH statements.

use std::borrow::Cow;
use std::sync::Arc;

use super::expr::eval;
use super::scope::{Layers, Payload, Scope};
use super::{Clause, EvalError, Evaluated, Fail, Outputs, Verdict, cond, select};
use crate::ctx::Ctx;
use crate::program::{Alias, Body, Collection, Node, PlainList, Program, SelectList};
use crate::value::{Map, Value};

/// Runs a FOREACH statement.
pub(super) fn run(program: &Program, columns: &Map, ctx: &mut Ctx) -> Result<Verdict, EvalError> {
    let compiled = &*program.inner;
    let Body::Foreach { fields, collection, doeach, incase, filter, lean } = &compiled.body else {
        return Ok(Verdict::NoMatch);
    };
    let failed = |fail: Fail, clause| fail.in_clause(clause, program);
    let payload = Payload::new(compiled, columns, ctx);
    let layers = Layers::of(columns);
    let base = Scope {
        program: compiled,
        layers,
        columns,
        payload: &payload,
        selected: &[],
        item_parts: &[],
        output: None,
        is_map: true,
    };
    if *lean
        && let [(node, _)] = fields.as_slice()
        && let Some(SelectList::Plain(list)) = doeach
    {
        let result = run_lean(&base, node, filter, incase, list, ctx);
        payload.finish(ctx);
        return result.map_err(|(fail, clause)| failed(fail, clause));
    }
    let (selected, items) = collect(&base, fields, ctx).map_err(|e| failed(e, Clause::Foreach))?;
    let with_selected = Layers { over: Some(&selected), ..layers };
    let scope = Scope { layers: with_selected, ..base };
    if !cond::holds(&scope, filter, ctx).map_err(|e| failed(e, Clause::Where))? {
        return Ok(Verdict::NoMatch);
    }
    let items: &[Value] = items.as_list().unwrap_or(&[]);
    let key = item_key(collection);
    // 4.3 hands DO and INCASE the columns only; 5.8 also what FOREACH selected.
    let outer = if compiled.profile.is_5_8() { with_selected } else { layers };
    let mut values = Vec::new();
    let mut maps = Vec::new();
    for (at, item) in items.iter().enumerate() {
        watch_item(ctx, Some(at));
        let scope = Scope { layers: Layers { item: Some((&key, item)), ..outer }, ..base };
        if !cond::holds(&scope, incase, ctx).map_err(|e| failed(e, Clause::Incase))? {
            continue;
        }
        match doeach {
            Some(SelectList::Plain(list)) => {
                select::plain(&scope, &list.fields, &mut values, ctx).map_err(|e| failed(e, Clause::Do))?;
            }
            Some(SelectList::General(fields)) => {
                maps.push(select::general(&scope, fields, ctx).map_err(|e| failed(e, Clause::Do))?);
            }
            None => maps.push(scope.layers.merged()),
        }
    }
    watch_item(ctx, None);
    payload.finish(ctx);
    Ok(Verdict::Outputs(match doeach {
        Some(SelectList::Plain(list)) => Outputs::of_rows(list, values),
        _ => Outputs::of_maps(maps),
    }))
}

/// Over rows of the parts that INCASE and DO read.
fn run_lean(
    base: &Scope<'_>,
    collection: &Node,
    filter: &Node,
    incase: &Node,
    list: &Arc<PlainList>,
    ctx: &mut Ctx,
) -> Result<Verdict, (Fail, Clause)> {
    let rows = base.payload.rows(collection.span).map_err(|e| (e, Clause::Foreach))?;
    if !cond::holds(base, filter, ctx).map_err(|e| (e, Clause::Where))? {
        return Ok(Verdict::NoMatch);
    }
    let mut values = Vec::with_capacity(rows.len() * list.fields.len());
    for (at, item_parts) in rows.iter().enumerate() {
        watch_item(ctx, Some(at));
        let scope = Scope { item_parts, ..*base };
        if cond::holds(&scope, incase, ctx).map_err(|e| (e, Clause::Incase))? {
            select::plain(&scope, &list.fields, &mut values, ctx).map_err(|e| (e, Clause::Do))?;
        }
    }
    watch_item(ctx, None);
    Ok(Verdict::Outputs(Outputs::of_rows(list, values)))
}

/// The key under which items stand in DO and INCASE.
pub(super) fn item_key(collection: &Collection) -> Value {
    match collection {
        Collection::Item => Value::static_atom("item"),
        Collection::Named(name) => Value::Str(name.clone()),
        Collection::Unreachable => Value::tuple(Vec::new()),
    }
}

fn watch_item(ctx: &mut Ctx, item: Option<usize>) {
    if let Some(trace) = &mut ctx.trace {
        trace.at_item(item);
    }
}

/// What the fields select, and the value of the last (emqx_rule_runtime:select_and_collect). A named field but the
/// last is written into the columns as well; 4.3 does so with unnamed ones too.
pub(super) fn collect(base: &Scope<'_>, fields: &[(Node, Alias)], ctx: &mut Ctx) -> Evaluated<(Map, Value)> {
    let is_5_8 = base.program.profile.is_5_8();
    let mut output = Map::new();
    let mut columns = Cow::Borrowed(base.columns);
    let mut last = Value::Undefined;
    for (at, (node, alias)) in fields.iter().enumerate() {
        let scope = Scope {
            layers: Layers::of(&columns),
            output: if is_5_8 { Some(&output) } else { None },
            is_map: !is_5_8,
            ..*base
        };
        let value = eval(&scope, node, ctx)?.into_owned();
        if at + 1 < fields.len() {
            let into = columns.into_owned();
            columns = Cow::Owned(select::put(base, into, alias, value.clone(), node.span, ctx)?);
        }
        output = select::put(base, output, alias, value.clone(), node.span, ctx)?;
        last = value;
    }
    Ok((output, last))
}
