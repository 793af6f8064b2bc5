//! The evaluator: a program and columns in, outputs out.

use crate::ctx::Ctx;
use crate::diag::Diagnostic;
use crate::program::Program;
use crate::value::{Map, Value};

/// What a statement answers when nothing fails.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// WHERE was false.
    NoMatch,
    /// SELECT: exactly one; FOREACH: any number, after INCASE.
    Outputs(Vec<Map>),
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

/// Runs a program over columns; `metadata` is among them where the engine adds it.
pub fn run(program: &Program, columns: &Map, ctx: &mut Ctx) -> Result<Verdict, EvalError> {
    let _ = (program, columns, ctx, Value::Undefined);
    Ok(Verdict::NoMatch)
}
