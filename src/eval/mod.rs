//! The evaluator: a program and columns in, outputs out.
//!
//! It follows emqx_rule_runtime clause by clause; where 4.3 and 5.8 differ, the comment says so.
//!
//! Invariant: what a program answers depends on the columns and the [`Ctx`] alone.

mod advice;
mod compare;
mod cond;
mod expr;
mod foreach;
mod outputs;
mod phases;
mod scope;
mod select;
mod topic_match;

pub use outputs::Outputs;
pub use phases::{Phase, Phases};

use crate::ctx::Ctx;
use crate::diag::Diagnostic;
use crate::limits;
use crate::program::{Body, Program};
use crate::text::Span;
use crate::value::encode::to_display;
use crate::value::{Map, Value};

/// What a statement answers when nothing fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// WHERE was false.
    NoMatch,
    /// SELECT: exactly one; FOREACH: any number, after INCASE.
    Outputs(Outputs),
}

/// The clause that failed, under EMQX's class names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clause {
    /// `select_and_transform_error`.
    Select,
    /// `match_conditions_error`.
    Where,
    /// `select_and_collect_error`.
    Foreach,
    /// `match_incase_error`.
    Incase,
    /// `doeach_error`.
    Do,
}

impl Clause {
    /// The word in test files.
    pub fn name(self) -> &'static str {
        match self {
            Clause::Select => "select",
            Clause::Where => "where",
            Clause::Foreach => "foreach",
            Clause::Incase => "incase",
            Clause::Do => "do",
        }
    }

    /// The class that EMQX logs.
    pub fn class(self) -> &'static str {
        match self {
            Clause::Select => "select_and_transform_error",
            Clause::Where => "match_conditions_error",
            Clause::Foreach => "select_and_collect_error",
            Clause::Incase => "match_incase_error",
            Clause::Do => "doeach_error",
        }
    }
}

/// A statement that failed on a message.
#[derive(Clone, Debug)]
pub struct EvalError {
    /// Where.
    pub clause: Clause,
    /// What, with the place in the SQL and the values that led to it.
    pub diagnostic: Box<Diagnostic>,
}

/// A failure on its way out of an expression.
#[derive(Clone, Debug)]
struct Fail(Box<Diagnostic>);

type Evaluated<T> = Result<T, Fail>;

impl Fail {
    fn new(code: &'static str, message: impl Into<String>, span: Span) -> Fail {
        Fail(Box::new(Diagnostic::error(code, message).at(span, "")))
    }

    fn help(mut self, help: impl Into<String>) -> Fail {
        self.0.help.push(help.into());
        self
    }

    /// Says what value an operand had.
    fn showing(mut self, span: Span, value: &Value) -> Fail {
        let mut text = to_display(value);
        if text.chars().count() > 60 {
            text = text.chars().take(59).chain(['…']).collect();
        }
        let label = if matches!(value, Value::Undefined) { "undefined".to_owned() } else { text };
        if !self.0.labels.iter().any(|l| l.span == span && !l.message.is_empty()) {
            self.0.labels.push(crate::diag::Label { span, message: format!("= {label}") });
        }
        self
    }

    fn in_clause(self, clause: Clause, program: &Program) -> EvalError {
        let diagnostic = self.0.in_source(program.source());
        EvalError { clause, diagnostic: Box::new(diagnostic) }
    }
}

/// Runs a program over columns; `metadata` is among them where the engine adds it.
pub fn run(program: &Program, columns: &Map, ctx: &mut Ctx) -> Result<Verdict, EvalError> {
    ctx.room = limits::MADE_BYTES_MAX as u64;
    match &program.inner.body {
        Body::Select { list, filter, filter_reads_output } => {
            let filter = select::Filter { condition: filter, reads_output: *filter_reads_output };
            select::run(program, list, filter, columns, ctx)
        }
        Body::Foreach { .. } => foreach::run(program, columns, ctx),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::Trace;
    use crate::profile::Profile;
    use crate::text::Source;
    use crate::value::Bytes;

    #[test]
    fn a_trace_has_every_value_with_its_place_and_item() {
        let sql = "FOREACH payload.l AS e DO e.k + 1 AS k INCASE e.k > 1 FROM \"t\" WHERE qos = 1 AND true";
        let program = Program::compile(&Source::new("t", sql), Profile::V5_8).unwrap();
        let payload = Value::Str(Bytes::from_static(b"{\"l\":[{\"k\":1},{\"k\":2}]}"));
        let columns = Map::of_columns([("payload", payload), ("qos", Value::Int(1))]);
        let mut ctx = Ctx::frozen(0, 1);
        ctx.trace = Some(Trace::default());
        run(&program, &columns, &mut ctx).unwrap();
        let trace = ctx.trace.unwrap();
        let steps: Vec<(&str, Option<usize>, String)> =
            trace.steps().iter().map(|s| (&sql[s.span.range()], s.item, to_display(&s.value))).collect();
        let has = |text, item, value: &str| {
            assert!(steps.contains(&(text, item, value.to_owned())), "{text}: {steps:?}")
        };
        has("qos", None, "1");
        has("qos = 1 AND true", None, "true");
        has("e.k > 1", Some(0), "false");
        has("e.k > 1", Some(1), "true");
        has("e.k + 1", Some(1), "3");
        assert!(!steps.iter().any(|(text, item, _)| *text == "e.k + 1" && *item == Some(0)));
    }
}
