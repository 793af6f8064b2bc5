//! What an expression sees: columns, aliases, the FOREACH item, the decoded payload.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};

use super::{Evaluated, Fail};
use crate::ctx::Ctx;
use crate::program::Compiled;
use crate::text::Span;
use crate::value::path::{self, Step};
use crate::value::{Bytes, Map, Value, decode};

/// Maps laid over each other: the merge of them, without making it.
#[derive(Clone, Copy)]
pub(super) struct Layers<'a> {
    pub base: &'a Map,
    pub over: Option<&'a Map>,
    pub item: Option<(&'a Value, &'a Value)>,
}

impl<'a> Layers<'a> {
    pub fn of(base: &'a Map) -> Layers<'a> {
        Layers { base, over: None, item: None }
    }

    /// The value of a string key, or else of the atom of that name (emqx_rule_maps:general_find on the merged map).
    pub fn named(&self, name: &[u8]) -> Option<&'a Value> {
        let item = |atom: bool| {
            self.item.filter(|(key, _)| match key {
                Value::Str(text) => !atom && text.as_ref() == name,
                key => atom && key.atom_name() == Some(name),
            })
        };
        if let Some((_, value)) = item(false) {
            return Some(value);
        }
        let maps = [self.over, Some(self.base)];
        let maps = || maps.into_iter().flatten();
        maps()
            .find_map(|map| map.get_str(name))
            .or_else(|| item(true).map(|(_, value)| value))
            .or_else(|| maps().find_map(|map| map.get_atom(name)))
            .or_else(|| maps().find_map(|map| map.get_named(name)))
    }

    /// The payload that paths start from: the atom key first (emqx_rule_runtime:eval).
    fn payload(&self) -> Option<&'a Value> {
        let maps = [self.over, Some(self.base)];
        let mut maps = maps.into_iter().flatten();
        maps.find_map(|map| map.get_atom(b"payload")).or_else(|| self.named(b"payload"))
    }

    /// The merged map.
    pub fn merged(&self) -> Map {
        let mut merged = match self.over {
            Some(over) => self.base.merged(over),
            None => self.base.clone(),
        };
        if let Some((key, value)) = self.item {
            merged.insert(key.clone(), value.clone());
        }
        merged
    }
}

/// The parts of a payload that a program reads by known paths.
#[derive(Default)]
struct Parts {
    slots: Vec<Value>,
    rows: decode::Rows,
}

/// The payload of one run, decoded at most once.
pub(super) struct Payload<'a> {
    program: &'a Compiled,
    column: Option<&'a Value>,
    spare: Cell<Vec<Value>>,
    parts: OnceCell<Result<Parts, decode::JsonError>>,
    whole: OnceCell<Value>,
}

impl<'a> Payload<'a> {
    pub fn new(program: &'a Compiled, columns: &'a Map, ctx: &mut Ctx) -> Payload<'a> {
        let column = if program.payload_slots > 0 { columns.get_column(b"payload") } else { None };
        let spare = Cell::new(std::mem::take(&mut ctx.scratch.parts));
        Payload { program, column, spare, parts: OnceCell::new(), whole: OnceCell::new() }
    }

    /// Gives the buffer back.
    pub fn finish(self, ctx: &mut Ctx) {
        let mut parts = match self.parts.into_inner() {
            Some(Ok(parts)) => parts.slots,
            _ => self.spare.into_inner(),
        };
        parts.clear();
        ctx.scratch.parts = parts;
    }

    /// A part that the program reads by a known path.
    pub fn part(&self, slot: usize, span: Span) -> Evaluated<&Value> {
        match self.parts.get_or_init(|| self.decode()) {
            Ok(parts) => Ok(&parts.slots[slot]),
            Err(e) => Err(not_json(*e, self.column, span)),
        }
    }

    /// The rows of the list that a FOREACH walks, where only parts of the items are made.
    pub fn rows(&self, span: Span) -> Evaluated<&decode::Rows> {
        match self.parts.get_or_init(|| self.decode()) {
            Ok(parts) => Ok(&parts.rows),
            Err(e) => Err(not_json(*e, self.column, span)),
        }
    }

    fn decode(&self) -> Result<Parts, decode::JsonError> {
        let mut parts = Parts { slots: self.spare.take(), ..Parts::default() };
        parts.slots.resize(self.program.payload_slots, Value::Undefined);
        let mut taken = decode::Taken { slots: &mut parts.slots, rows: &mut parts.rows };
        match self.column {
            Some(Value::Str(text)) => decode::decode_wanted(text, &self.program.want, &mut taken)?,
            Some(value) => self.program.want.fill(value, &mut taken),
            None => {}
        }
        Ok(parts)
    }

    /// Was the whole payload asked for?
    pub fn is_decoded_whole(&self) -> bool {
        self.whole.get().is_some()
    }

    /// The whole payload as a value. Text is decoded once a run: whatever text a path starts from, it gets what the
    /// first one decoded to (emqx_rule_runtime:maybe_decode_payload caches without looking).
    pub fn whole<'v>(&'v self, payload: &'v Value, span: Span) -> Evaluated<&'v Value> {
        let Value::Str(text) = payload else { return Ok(payload) };
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let value = decode::decode(text).map_err(|e| not_json(e, Some(payload), span))?;
        Ok(self.whole.get_or_init(|| value))
    }
}

fn not_json(e: decode::JsonError, payload: Option<&Value>, span: Span) -> Fail {
    let fail = Fail::new("E301", format!("the payload is no JSON: {e}"), span);
    let fail = match payload {
        Some(Value::Str(text)) if text.is_empty() => fail.help("the payload is empty"),
        Some(Value::Str(text)) => fail.help(around(text, e.at)),
        _ => fail,
    };
    fail.help(
        "a path into the payload needs JSON; guard it with a topic filter that only JSON messages match",
    )
}

/// The payload, or its part around a place.
fn around(payload: &[u8], at: usize) -> String {
    const SHOWN: usize = 60;
    let (before, after) = payload.split_at(at.min(payload.len()));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).escape_debug().to_string().replace("\\\"", "\"");
    if at == 0 {
        let (start, more) =
            (&payload[..payload.len().min(SHOWN)], if payload.len() > SHOWN { "…" } else { "" });
        return format!("the payload is: {}{more}", text(start));
    }
    let from = before.len().saturating_sub(SHOWN / 2);
    let to = after.len().min(SHOWN / 2);
    if after.is_empty() {
        return format!(
            "the payload ends too early: {}{}",
            if from > 0 { "…" } else { "" },
            text(&before[from..])
        );
    }
    let (less, more) = (if from > 0 { "…" } else { "" }, if to < after.len() { "…" } else { "" });
    format!(
        "the payload is good up to here: {less}{} and goes on: {}{more}",
        text(&before[from..]),
        text(&after[..to])
    )
}

/// Everything an expression sees.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub program: &'a Compiled,
    pub layers: Layers<'a>,
    /// The columns that the program reads by slot, from the message itself.
    pub columns: &'a Map,
    pub payload: &'a Payload<'a>,
    /// Values of the plain fields so far.
    pub selected: &'a [Value],
    /// The parts of the FOREACH item, where only parts are made.
    pub item_parts: &'a [Value],
    /// 5.8 looks into the output made so far before the columns; so do column functions get a list, and say
    /// undefined.
    pub output: Option<&'a Map>,
    /// Column functions get the columns.
    pub is_map: bool,
}

impl<'a> Scope<'a> {
    /// A name, looked up in everything.
    pub fn variable(&self, name: &[u8]) -> Cow<'a, Value> {
        let in_output = self.output.and_then(|map| map.get_named(name)).filter(|v| !v.is_undefined());
        match in_output.or_else(|| self.layers.named(name)) {
            Some(value) => Cow::Borrowed(value),
            None => Cow::Owned(Value::Undefined),
        }
    }

    /// A path, looked up in everything.
    pub fn path(&self, head: &Bytes, steps: &[Step], span: Span) -> Evaluated<Cow<'a, Value>> {
        if let Some(output) = self.output {
            let found = self.path_in(Layers::of(output), head, steps, span)?;
            if !found.is_undefined() {
                return Ok(found);
            }
        }
        self.path_in(self.layers, head, steps, span)
    }

    fn path_in(
        &self,
        layers: Layers<'a>,
        head: &Bytes,
        steps: &[Step],
        span: Span,
    ) -> Evaluated<Cow<'a, Value>> {
        if head.as_ref() == b"payload"
            && let Some(column) = layers.payload()
        {
            return Ok(path::get_rooted(self.payload.whole(column, span)?, steps));
        }
        match layers.named(head) {
            Some(value) => Ok(path::get(value, steps, &|variable| in_layers(layers, variable))),
            None => Ok(Cow::Owned(Value::Undefined)),
        }
    }
}

/// The value of a path in an index, looked up in the map that the path itself is looked up in.
fn in_layers(layers: Layers<'_>, steps: &[Step]) -> Value {
    let Some((Step::Key(head), rest)) = steps.split_first() else { return Value::Undefined };
    match layers.named(head) {
        Some(value) => path::get(value, rest, &|variable| in_layers(layers, variable)).into_owned(),
        None => Value::Undefined,
    }
}

impl<'a> Scope<'a> {
    /// A column that nothing shadows.
    pub fn column(&self, slot: usize) -> Cow<'a, Value> {
        match self.columns.get_column(&self.program.columns[slot]) {
            Some(value) => Cow::Borrowed(value),
            None => Cow::Owned(Value::Undefined),
        }
    }
}
