//! Diagnostics on the terminal, in colour where one is watching.

use std::io::{self, Write};

use clap::ValueEnum;

use super::Exit;
use crate::diag::{Diagnostic, Severity, codes, human};

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// For people.
    Human,
    /// One JSON document.
    Json,
}

/// Writes blocks for people; `anstream` takes the colours out where nobody wants them.
pub(super) fn blocks(out: &mut dyn Write, problems: &[Diagnostic]) -> io::Result<()> {
    let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
    let text = |problem| human::to_text_within(problem, true, width.unwrap_or(human::WIDTH));
    problems.iter().try_for_each(|problem| writeln!(out, "{}\n", text(problem)))
}

/// Does this stream get colours?
#[cfg(feature = "live")]
pub(super) fn has_colour(stream: &impl anstream::stream::RawStream) -> bool {
    anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never
}

/// How a command ends that met these while it read rule files.
pub(super) fn exit_of<'d>(problems: impl IntoIterator<Item = &'d Diagnostic>) -> Exit {
    problems.into_iter().map(exit_of_one).max().unwrap_or(Exit::Ok)
}

/// How a command ends that met these while it read test files.
pub(super) fn exit_of_tests(problems: &[Diagnostic]) -> Exit {
    let exit = |problem: &Diagnostic| match problem.code {
        codes::NO_TESTS => Exit::Failed,
        _ => Exit::Usage,
    };
    problems.iter().filter(|p| p.severity == Severity::Error).map(exit).max().unwrap_or(Exit::Ok)
}

fn exit_of_one(problem: &Diagnostic) -> Exit {
    if problem.severity != Severity::Error {
        return Exit::Ok;
    }
    match problem.code {
        codes::UNREADABLE
        | codes::NOT_TEXT
        | codes::SYNTAX
        | codes::EMPTY_FILE
        | codes::DUPLICATE_KEY
        | codes::TOO_LARGE
        | codes::UNKNOWN_KEY
        | codes::DUPLICATE_ID
        | codes::NO_RULES
        | codes::UNKNOWN_FORMAT
        | codes::UNKNOWN_LINT
        | codes::INCLUDE
        | codes::SUBSTITUTION => Exit::Usage,
        codes::NOT_FORMATTED => Exit::Failed,
        // A lint whose findings are denied.
        code if code.starts_with('W') => Exit::Failed,
        _ => Exit::Compile,
    }
}

/// `1 rule`, `2 rules`.
pub(super) fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}
