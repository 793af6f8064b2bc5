//! SELECT and DO lists.

use super::expr::{certain, eval};
use super::scope::{Layers, Payload, Scope};
use super::{Clause, EvalError, Evaluated, Fail, Verdict, cond};
use crate::ctx::Ctx;
use crate::profile::Profile;
use crate::program::{Alias, General, Kind, Node, Output, Program, SelectList};
use crate::text::Span;
use crate::value::path::{self, Step};
use crate::value::{Bytes, Map, Value};

/// Runs a SELECT statement.
pub(super) fn run(
    program: &Program,
    list: &SelectList,
    filter: &Node,
    columns: &Map,
    ctx: &mut Ctx,
) -> Result<Verdict, EvalError> {
    let compiled = &*program.inner;
    let payload = Payload::new(compiled, columns, Vec::new());
    let layers = Layers::of(columns);
    let base = Scope {
        program: compiled,
        layers,
        columns,
        payload: &payload,
        selected: &[],
        output: None,
        is_map: true,
    };
    let failed = |fail: Fail, clause| fail.in_clause(clause, program);
    match list {
        SelectList::Plain { fields, output } => {
            let values = plain(&base, fields, ctx).map_err(|e| failed(e, Clause::Select))?;
            let map;
            // Only a condition that looks names up at run time needs the output made before it.
            let mut scope = Scope { selected: &values, ..base };
            if needs_map(filter) {
                map = assemble(output, values.clone());
                scope.layers.over = Some(&map);
            }
            let holds = cond::holds(&scope, filter, ctx).map_err(|e| failed(e, Clause::Where))?;
            Ok(if holds { Verdict::Outputs(vec![assemble(output, values)]) } else { Verdict::NoMatch })
        }
        SelectList::General(fields) => {
            let map = general(&base, fields, ctx).map_err(|e| failed(e, Clause::Select))?;
            let scope = Scope { layers: Layers { over: Some(&map), ..layers }, ..base };
            let holds = cond::holds(&scope, filter, ctx).map_err(|e| failed(e, Clause::Where))?;
            Ok(if holds { Verdict::Outputs(vec![map]) } else { Verdict::NoMatch })
        }
    }
}

/// The output of a SELECT or DO list over what `base` sees.
pub(super) fn transform(base: &Scope<'_>, list: &SelectList, ctx: &mut Ctx) -> Evaluated<Map> {
    match list {
        SelectList::Plain { fields, output } => {
            plain(base, fields, ctx).map(|values| assemble(output, values))
        }
        SelectList::General(fields) => general(base, fields, ctx),
    }
}

fn plain(base: &Scope<'_>, fields: &[Node], ctx: &mut Ctx) -> Evaluated<Vec<Value>> {
    let mut values = Vec::with_capacity(fields.len());
    for field in fields {
        let scope = Scope { selected: &values, is_map: !base.program.profile.is_5_8(), ..*base };
        let value = eval(&scope, field, ctx)?.into_owned();
        values.push(value);
    }
    Ok(values)
}

fn assemble(output: &[Output], mut values: Vec<Value>) -> Map {
    let entries = output.iter().map(|out| {
        let value = std::mem::replace(&mut values[out.field], Value::Undefined);
        let value =
            out.below.iter().rev().fold(value, |value, key| {
                Value::Map(Map::from_sorted(vec![(Value::Str(key.clone()), value)]))
            });
        (out.key.clone(), value)
    });
    Map::from_sorted(entries.collect())
}

/// Does a condition look at the output as a map: by names settled at run time, or by column functions?
fn needs_map(node: &Node) -> bool {
    match &node.kind {
        Kind::Var(_) | Kind::Path(..) => true,
        Kind::Call { builtin, args } => {
            builtin.purity == crate::func::Purity::ReadsMessage || args.iter().any(needs_map)
        }
        Kind::OrElse(a, b)
        | Kind::And(a, b)
        | Kind::Or(a, b)
        | Kind::Arith(_, a, b)
        | Kind::Compare(_, a, b) => needs_map(a) || needs_map(b),
        Kind::Walk(a, _) | Kind::Slice(a, ..) | Kind::Negate(a) | Kind::Not(a) => needs_map(a),
        Kind::In(a, list) => needs_map(a) || list.iter().any(needs_map),
        Kind::List(list) => list.iter().any(needs_map),
        Kind::Case { arms, otherwise } => arms_need_map(arms, otherwise.as_deref()),
        Kind::Switch { on, arms, otherwise } => needs_map(on) || arms_need_map(arms, otherwise.as_deref()),
        _ => false,
    }
}

fn arms_need_map(arms: &[(Node, Node)], otherwise: Option<&Node>) -> bool {
    arms.iter().any(|(when, then)| needs_map(when) || needs_map(then)) || otherwise.is_some_and(needs_map)
}

/// Field by field, as EMQX does: 5.8 reads each from the output so far and then from the columns; 4.3 writes each
/// into the columns as well.
fn general(base: &Scope<'_>, fields: &[General], ctx: &mut Ctx) -> Evaluated<Map> {
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
