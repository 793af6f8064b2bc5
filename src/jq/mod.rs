//! jq 1.6, the version that EMQX 5 has: what `jq/2` and `jq/3` run.
//!
//! ```text
//! program ── lexer ── parser ── AST ── compiler ── Program ┐
//! JSON ── reader ── Val ─────────────────────────── machine ── Val ── writer ── JSON
//! ```
//!
//! It is the whole language with the meaning of that version: its grammar, its doubles, its order of evaluation,
//! its errors. `jaq` 3, the Rust jq that was tried first, answers 84 % of a set of 2653 programs and inputs as jq
//! 1.6 does (grammar and order of evaluation are others), overflows the stack of its thread, and cannot be ended.
//! Here a run is bounded in steps, memory and output, in the process and without threads, and the same program
//! over the same input always ends at the same step.
//!
//! Other than in EMQX `env` and `$ENV` are empty, `halt` and `halt_error` are errors, `now` is the clock of the
//! rule's world, and nothing can be included or imported.
//!
//! It may import `value` and `limits`.

mod ast;
mod builtin;
mod code;
mod compare;
mod compiler;
mod lexer;
mod library;
mod literal;
mod machine;
mod meter;
mod number;
mod parser;
mod path;
mod reader;
mod throw;
mod value;
mod writer;

use std::sync::Arc;

use crate::limits::{JQ_OUTPUT_BYTES_MAX, JQ_PROGRAM_BYTES_MAX, JQ_PROGRAMS_MAX, LIST_LENGTH_MAX};
use crate::value::{Bytes, Value, decode};
use builtin::Host;
use builtin::regex::Patterns;
use code::Program;
use library::Library;
use machine::Machine;
use meter::Stop;
use throw::Throw;
use value::Val;

/// The world that a program sees.
#[derive(Clone, Copy, Debug)]
pub struct World {
    /// Nanoseconds since the Unix epoch, for `now`.
    pub now_ns: i128,
    /// Seconds east of UTC, for `localtime`.
    pub zone_offset_seconds: i32,
}

/// Runs programs, and keeps the last ones compiled.
#[derive(Default)]
pub struct Jq {
    programs: Vec<(String, Result<Arc<Program>, String>)>,
    patterns: Patterns,
}

impl Jq {
    /// All outputs of a program over JSON text, or why there are none. The time limit is counted in steps.
    pub fn run(
        &mut self,
        program: &str,
        input: &[u8],
        timeout_ms: u64,
        world: World,
    ) -> Result<Vec<Value>, String> {
        let program = self.compiled(program)?;
        meter::start(meter::steps(timeout_ms));
        let host = Host::new(
            world.now_ns as f64 / 1e9,
            world.zone_offset_seconds,
            std::mem::take(&mut self.patterns),
        );
        let library = Library::shared();
        let mut machine = None;
        let outputs = outputs(&program, &library, input, host, &mut machine);
        if let Some(machine) = machine {
            self.patterns = machine.into_patterns();
        }
        let text = outputs.map_err(|throw| reason(throw, timeout_ms))?;
        match decode::decode(&Bytes::from(text)) {
            Ok(Value::List(values)) => Ok(values.to_vec()),
            Ok(_) => Ok(Vec::new()),
            Err(e) => Err(format!("an output is no JSON that EMQX reads: {e}")),
        }
    }

    fn compiled(&mut self, program: &str) -> Result<Arc<Program>, String> {
        if let Some(at) = self.programs.iter().position(|(known, _)| known == program) {
            self.programs[..=at].rotate_right(1);
        } else {
            let compiled = compile(program).map(Arc::new);
            self.programs.truncate(JQ_PROGRAMS_MAX - 1);
            self.programs.insert(0, (program.to_owned(), compiled));
        }
        self.programs.first().map_or_else(|| Err(String::new()), |(_, compiled)| compiled.clone())
    }
}

impl std::fmt::Debug for Jq {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Jq").field("programs", &self.programs.len()).finish_non_exhaustive()
    }
}

fn compile(program: &str) -> Result<Program, String> {
    if program.len() > JQ_PROGRAM_BYTES_MAX {
        return Err(format!("the program is longer than {JQ_PROGRAM_BYTES_MAX} bytes"));
    }
    // To C the text ends at a NUL.
    let text = program.split('\0').next().unwrap_or_default();
    let ast = parser::program(text).map_err(|fault| {
        let before = &text[..fault.at.min(text.len())];
        let line = 1 + before.bytes().filter(|byte| *byte == b'\n').count();
        let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
        format!("{} (line {line}, column {column} of the program)", fault.text)
    })?;
    compiler::program(&ast, &Library::shared())
}

/// The outputs as the text of a JSON array. An error after some outputs is an error.
fn outputs<'p>(
    program: &'p Program,
    library: &'p Library,
    input: &[u8],
    host: Host,
    machine: &mut Option<Machine<'p>>,
) -> Result<String, Throw> {
    let input = reader::read(reader::until_nul(input))?;
    let machine = machine.insert(Machine::new(program, library, input, host));
    let mut text = String::from("[");
    let mut count = 0;
    while let Some(output) = machine.next()? {
        if count > 0 {
            text.push(',');
        }
        writer::write(&mut text, &output)?;
        count += 1;
        if text.len() > JQ_OUTPUT_BYTES_MAX || count > LIST_LENGTH_MAX {
            return Err(Stop::Output.into());
        }
    }
    text.push(']');
    Ok(text)
}

/// Characters of an error's value that are shown.
const SHOWN: usize = 300;

fn reason(throw: Throw, timeout_ms: u64) -> String {
    let shown = |text: &str| -> String {
        match text.char_indices().nth(SHOWN) {
            Some((at, _)) => format!("{}…", &text[..at]),
            None => text.to_owned(),
        }
    };
    match throw {
        Throw::Error(Val::Str(text)) => shown(text.as_str()),
        Throw::Error(value) => format!("error: {}", shown(&writer::text(&value).unwrap_or_default())),
        Throw::Empty => "no value".into(),
        Throw::Stop(stop) => stop.text(timeout_ms),
    }
}
