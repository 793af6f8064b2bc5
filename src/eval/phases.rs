//! A statement run up to one of its clauses, so that the time of each clause can be measured as a difference.
//!
//! The hot path has no clocks in it; what runs here is made of the same parts in the same order, and stops early.
//!
//! Invariant: a run to the end of a phase does what [`super::run`] does up to there, and nothing else, except that
//! the payload is decoded first where [`super::run`] would decode it at its first use.

use super::foreach::{collect, item_key};
use super::scope::{Layers, Payload, Scope};
use super::{Clause, EvalError, Fail, cond, select};
use crate::ctx::Ctx;
use crate::limits;
use crate::program::{Body, Program};
use crate::text::Span;
use crate::value::Map;

/// How far a statement runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// The payload is decoded.
    Decode,
    /// The SELECT or FOREACH list has its values.
    List,
    /// WHERE is answered.
    Where,
    /// INCASE is answered for every item.
    Incase,
}

/// A statement and columns, ready to run up to any phase.
#[derive(Debug)]
pub struct Phases<'a> {
    program: &'a Program,
    columns: &'a Map,
    decodes_whole: bool,
}

type Stopped = Result<(), (Fail, Clause)>;

impl<'a> Phases<'a> {
    /// Runs the statement once to see how it reads the payload.
    pub fn new(program: &'a Program, columns: &'a Map, ctx: &mut Ctx) -> Result<Phases<'a>, EvalError> {
        let mut phases = Phases { program, columns, decodes_whole: false };
        let payload = Payload::new(&program.inner, columns, ctx);
        let result = phases.run_over(&payload, Phase::Incase, ctx);
        let reads_whole = payload.is_decoded_whole();
        payload.finish(ctx);
        result.map_err(|(fail, clause)| fail.in_clause(clause, program))?;
        phases.decodes_whole = reads_whole;
        Ok(phases)
    }

    /// Does the statement decode the payload?
    pub fn decodes(&self) -> bool {
        self.decodes_whole || self.program.inner.payload_slots > 0 || self.is_lean()
    }

    fn is_lean(&self) -> bool {
        matches!(self.program.inner.body, Body::Foreach { lean: true, .. })
    }

    /// Runs up to the end of a phase.
    pub fn run(&self, to: Phase, ctx: &mut Ctx) -> Result<(), EvalError> {
        ctx.room = limits::MADE_BYTES_MAX as u64;
        let payload = Payload::new(&self.program.inner, self.columns, ctx);
        let result = self.run_over(&payload, to, ctx);
        payload.finish(ctx);
        result.map_err(|(fail, clause)| fail.in_clause(clause, self.program))
    }

    fn run_over(&self, payload: &Payload<'_>, to: Phase, ctx: &mut Ctx) -> Stopped {
        let compiled = &*self.program.inner;
        let base = Scope {
            program: compiled,
            layers: Layers::of(self.columns),
            columns: self.columns,
            payload,
            selected: &[],
            item_parts: &[],
            output: None,
            is_map: true,
        };
        self.decode(payload).map_err(|e| (e, Clause::Select))?;
        if to == Phase::Decode {
            return Ok(());
        }
        match &compiled.body {
            Body::Select { list, filter, filter_reads_output } => {
                let filter = select::Filter { condition: filter, reads_output: *filter_reads_output };
                select::run_to(&base, list, filter, to, ctx)
            }
            Body::Foreach { lean: true, .. } => self.lean(&base, to, ctx),
            Body::Foreach { .. } => self.foreach(&base, to, ctx),
        }
    }

    fn decode(&self, payload: &Payload<'_>) -> Result<(), Fail> {
        if self.program.inner.payload_slots > 0 {
            payload.part(0, Span::default())?;
        } else if self.is_lean() {
            payload.rows(Span::default())?;
        } else if self.decodes_whole
            && let Some(column) = self.columns.get_column(b"payload")
        {
            payload.whole(column, Span::default())?;
        }
        Ok(())
    }

    fn lean(&self, base: &Scope<'_>, to: Phase, ctx: &mut Ctx) -> Stopped {
        let Body::Foreach { filter, incase, .. } = &self.program.inner.body else { return Ok(()) };
        let rows = base.payload.rows(Span::default()).map_err(|e| (e, Clause::Foreach))?;
        if to == Phase::List || !cond::holds(base, filter, ctx).map_err(|e| (e, Clause::Where))? {
            return Ok(());
        }
        for item_parts in rows.iter().filter(|_| to == Phase::Incase) {
            let scope = Scope { item_parts, ..*base };
            cond::holds(&scope, incase, ctx).map_err(|e| (e, Clause::Incase))?;
        }
        Ok(())
    }

    fn foreach(&self, base: &Scope<'_>, to: Phase, ctx: &mut Ctx) -> Stopped {
        let compiled = &*self.program.inner;
        let Body::Foreach { fields, collection, incase, filter, .. } = &compiled.body else { return Ok(()) };
        let (selected, items) = collect(base, fields, ctx).map_err(|e| (e, Clause::Foreach))?;
        if to == Phase::List {
            return Ok(());
        }
        let with_selected = Layers { over: Some(&selected), ..base.layers };
        let scope = Scope { layers: with_selected, ..*base };
        if !cond::holds(&scope, filter, ctx).map_err(|e| (e, Clause::Where))? || to == Phase::Where {
            return Ok(());
        }
        let key = item_key(collection);
        let outer = if compiled.profile.is_5_8() { with_selected } else { base.layers };
        for item in items.as_list().unwrap_or(&[]) {
            let scope = Scope { layers: Layers { item: Some((&key, item)), ..outer }, ..*base };
            cond::holds(&scope, incase, ctx).map_err(|e| (e, Clause::Incase))?;
        }
        Ok(())
    }
}

impl Program {
    /// The phases that a statement has, in order.
    pub fn phases(&self) -> Vec<Phase> {
        let statement = self.statement();
        let mut phases = vec![Phase::Decode, Phase::List];
        if statement.filter.is_some() {
            phases.push(Phase::Where);
        }
        if statement.incase.is_some() {
            phases.push(Phase::Incase);
        }
        phases
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Profile;
    use crate::text::Source;
    use crate::value::{Bytes, Value};

    fn phases_of(sql: &str, payload: &'static str) -> (bool, Vec<Phase>, Vec<Result<(), Clause>>) {
        let program = Program::compile(&Source::new("t", sql), Profile::V5_8).unwrap();
        let payload = Value::Str(Bytes::from_static(payload.as_bytes()));
        let columns = Map::of_columns([("payload", payload), ("qos", Value::Int(1))]);
        let mut ctx = Ctx::frozen(0, 1);
        let list = program.phases();
        let phases = Phases { program: &program, columns: &columns, decodes_whole: false };
        let ends = list.iter().map(|to| phases.run(*to, &mut ctx).map_err(|e| e.clause)).collect();
        let decodes = Phases::new(&program, &columns, &mut ctx).is_ok_and(|phases| phases.decodes());
        (decodes, list, ends)
    }

    #[test]
    fn a_run_stops_where_it_is_told_to() {
        use Phase::{Decode, Incase, List, Where};
        let (ok, fails) = (Ok(()), |clause| Err(clause));
        let cases = [
            ("SELECT payload.a FROM t", "{}", true, vec![Decode, List], vec![ok, ok]),
            ("SELECT qos FROM t WHERE 1 = 1", "x", false, vec![Decode, List, Where], vec![ok; 3]),
            (
                "SELECT qos FROM t WHERE abs(qos)",
                "x",
                false,
                vec![Decode, List, Where],
                vec![ok, ok, fails(Clause::Where)],
            ),
            (
                "SELECT abs('x') FROM t WHERE true",
                "x",
                false,
                vec![Decode, List, Where],
                vec![ok, fails(Clause::Select), fails(Clause::Select)],
            ),
            (
                "FOREACH payload.l AS e DO e.k AS k INCASE abs(e.k) > 1 FROM t WHERE qos = 1",
                r#"{"l":[{"k":"x"}]}"#,
                false,
                vec![Decode, List, Where, Incase],
                vec![ok, ok, ok, fails(Clause::Incase)],
            ),
            (
                "FOREACH payload.l AS e INCASE e.k > 1 FROM t",
                r#"{"l":[{"k":2}]}"#,
                true,
                vec![Decode, List, Incase],
                vec![ok; 3],
            ),
            ("SELECT * FROM t", "x", false, vec![Decode, List], vec![ok; 2]),
            ("SELECT *, payload.a AS b FROM t", "{}", true, vec![Decode, List], vec![ok; 2]),
        ];
        for (sql, payload, decodes, phases, ends) in cases {
            assert_eq!(phases_of(sql, payload), (decodes, phases, ends), "{sql}");
        }
    }
}
