//! SELECT and DO lists.

use std::sync::Arc;

use super::expr::{certain, eval, within_room};
use super::outputs::assemble;
use super::phases::Phase;
use super::scope::{Layers, Payload, Scope};
use super::{Clause, EvalError, Evaluated, Fail, Outputs, Verdict, cond};
use crate::ctx::Ctx;
use crate::profile::Profile;
use crate::program::{Alias, General, Node, PlainList, Program, SelectList};
use crate::text::Span;
use crate::value::path::{self, Step};
use crate::value::{Bytes, Map, Value};

/// WHERE.
#[derive(Clone, Copy)]
pub(super) struct Filter<'p> {
    pub condition: &'p Node,
    /// It looks at the output as a map.
    pub reads_output: bool,
}

/// Runs a SELECT statement.
pub(super) fn run(
    program: &Program,
    list: &SelectList,
    filter: Filter<'_>,
    columns: &Map,
    ctx: &mut Ctx,
) -> Result<Verdict, EvalError> {
    let compiled = &*program.inner;
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
    let result = match list {
        SelectList::Plain(list) => {
            let mut values = std::mem::take(&mut ctx.scratch.values);
            let result = select_plain(&base, list, filter, &mut values, ctx);
            values.clear();
            ctx.scratch.values = values;
            result
        }
        SelectList::General(fields) => select_general(&base, fields, filter, ctx),
    };
    payload.finish(ctx);
    result.map_err(|(fail, clause)| fail.in_clause(clause, program))
}

/// Runs up to the end of a phase, the list or WHERE.
pub(super) fn run_to(
    base: &Scope<'_>,
    list: &SelectList,
    filter: Filter<'_>,
    to: Phase,
    ctx: &mut Ctx,
) -> Result<(), (Fail, Clause)> {
    let condition = filter.condition;
    match list {
        SelectList::Plain(list) => {
            let mut values = std::mem::take(&mut ctx.scratch.values);
            let mut result = plain(base, &list.fields, &mut values, ctx).map_err(|e| (e, Clause::Select));
            if result.is_ok() && to > Phase::List {
                let map;
                let mut scope = Scope { selected: &values, ..*base };
                if filter.reads_output {
                    map = assemble(&list.output, &values);
                    scope.layers.over = Some(&map);
                }
                result = cond::holds(&scope, condition, ctx).map(|_| ()).map_err(|e| (e, Clause::Where));
            }
            values.clear();
            ctx.scratch.values = values;
            result
        }
        SelectList::General(fields) => {
            let map = general(base, fields, ctx).map_err(|e| (e, Clause::Select))?;
            if to > Phase::List {
                let scope = Scope { layers: Layers { over: Some(&map), ..base.layers }, ..*base };
                cond::holds(&scope, condition, ctx).map_err(|e| (e, Clause::Where))?;
            }
            Ok(())
        }
    }
}

type Selected = Result<Verdict, (Fail, Clause)>;

fn select_plain(
    base: &Scope<'_>,
    list: &Arc<PlainList>,
    filter: Filter<'_>,
    values: &mut Vec<Value>,
    ctx: &mut Ctx,
) -> Selected {
    plain(base, &list.fields, values, ctx).map_err(|e| (e, Clause::Select))?;
    let map;
    // Only a condition that looks names up at run time needs the output made before it.
    let mut scope = Scope { selected: values, ..*base };
    if filter.reads_output {
        map = assemble(&list.output, values);
        scope.layers.over = Some(&map);
    }
    let holds = cond::holds(&scope, filter.condition, ctx).map_err(|e| (e, Clause::Where))?;
    // The row gets a block of its own size; the buffer stays.
    Ok(if holds { Verdict::Outputs(Outputs::of_rows(list, values.split_off(0))) } else { Verdict::NoMatch })
}

fn select_general(base: &Scope<'_>, fields: &[General], filter: Filter<'_>, ctx: &mut Ctx) -> Selected {
    let map = general(base, fields, ctx).map_err(|e| (e, Clause::Select))?;
    let scope = Scope { layers: Layers { over: Some(&map), ..base.layers }, ..*base };
    let holds = cond::holds(&scope, filter.condition, ctx).map_err(|e| (e, Clause::Where))?;
    Ok(if holds { Verdict::Outputs(Outputs::of_maps(vec![map])) } else { Verdict::NoMatch })
}

/// The values of a plain list, appended.
pub(super) fn plain(
    base: &Scope<'_>,
    fields: &[Node],
    values: &mut Vec<Value>,
    ctx: &mut Ctx,
) -> Evaluated<()> {
    let start = values.len();
    values.reserve(fields.len());
    for field in fields {
        let scope = Scope { selected: &values[start..], is_map: !base.program.profile.is_5_8(), ..*base };
        let value = eval(&scope, field, ctx)?.into_owned();
        values.push(value);
    }
    Ok(())
}

/// Field by field, as EMQX does: 5.8 reads each from the output so far and then from the columns; 4.3 writes each
/// into the columns as well.
pub(super) fn general(base: &Scope<'_>, fields: &[General], ctx: &mut Ctx) -> Evaluated<Map> {
    let is_5_8 = base.program.profile.is_5_8();
    let mut output = Map::new();
    let mut input = if is_5_8 { Map::new() } else { base.layers.merged() };
    for field in fields {
        let (node, alias) = match field {
            General::Star if is_5_8 => {
                output = output.merged(&base.layers.merged());
                continue;
            }
            General::Star => {
                output = output.merged(&input);
                continue;
            }
            General::Field(node, alias) => (node, alias),
        };
        let scope = match is_5_8 {
            true => Scope { output: Some(&output), is_map: false, ..*base },
            false => Scope { layers: Layers::of(&input), ..*base },
        };
        let value = eval(&scope, node, ctx)?.into_owned();
        if !is_5_8 {
            input = put(base, input, alias, value.clone(), node.span, ctx)?;
        }
        output = put(base, output, alias, value, node.span, ctx)?;
    }
    Ok(output)
}

/// Puts a field's value under its name (emqx_rule_runtime:nested_put). A path into `payload` decodes the payload that
/// stands there first.
pub(super) fn put(
    base: &Scope<'_>,
    map: Map,
    alias: &Alias,
    value: Value,
    span: Span,
    ctx: &mut Ctx,
) -> Evaluated<Map> {
    let (head, steps, atom) = match alias {
        Alias::Path { head, steps } => (head.clone(), steps, false),
        Alias::PayloadPath { steps } => {
            (Bytes::from_static(b"payload"), steps, base.layers.merged().get_atom(b"payload").is_some())
        }
        Alias::Ephemeral { kind, detail } => {
            let mut map = map;
            map.insert(Value::from(format!("_v_{kind}_{detail}_{}", ctx.now_ns())), value);
            return Ok(map);
        }
        Alias::Fails(failure) => return Err(certain(failure, span)),
    };
    if steps.is_empty() {
        return Ok(put_name(map, head, value));
    }
    let map = if head.as_ref() == b"payload" { decode_payload(base, map, atom, span)? } else { map };
    if atom && map.get_named(b"payload").is_none() {
        let inner = path::put(Value::Undefined, steps, value);
        let mut map = map;
        map.insert_column("payload", inner);
        return Ok(map);
    }
    within_room(&value, span, ctx)?;
    let path: Vec<Step> = std::iter::once(Step::Key(head)).chain(steps.iter().cloned()).collect();
    match path::put(Value::Map(map), &path, value) {
        Value::Map(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

fn put_name(mut map: Map, name: Bytes, value: Value) -> Map {
    let key = match map.find_named(&name) {
        Some((key, _)) => key.clone(),
        None => Value::Str(name),
    };
    map.insert(key, value);
    map
}

/// Decodes the payload that a path is put into: 5.8 looks for the key of the alias's own kind
/// (emqx_rule_runtime:ensure_decoded_payload), 4.3 for the column and then the name (handle_alias).
fn decode_payload(base: &Scope<'_>, mut map: Map, atom: bool, span: Span) -> Evaluated<Map> {
    let (column, name) = (Value::static_atom("payload"), Value::str("payload"));
    let keys = match (base.program.profile, atom) {
        (Profile::V4_3, _) => vec![column, name],
        (Profile::V5_8, true) => vec![column],
        (Profile::V5_8, false) => vec![name],
    };
    let found = keys.into_iter().find_map(|key| map.get(&key).cloned().map(|payload| (key, payload)));
    if let Some((key, payload)) = found {
        let decoded = base.payload.whole(&payload, span)?.clone();
        map.insert(key, decoded);
    }
    Ok(map)
}
