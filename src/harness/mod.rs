//! Test files: read strictly, run without a broker, compared value by value.
//!
//! Invariant: nothing here reads a file, a clock or chance; fixtures come through [`Fixtures`], the world through the
//! [`crate::ctx::Ctx`] that each case gets.

mod capture;
pub mod clock;
pub mod compare;
mod expect;
mod given;
mod model;
pub mod pattern;
mod payload;
mod read;
pub mod report;
mod run;
pub mod schema;
pub mod show;
mod table;
pub mod verdict;

pub use capture::{Capture, Line, Snapshot};
pub use compare::{Difference, DifferenceKind};
pub use expect::{ActionExpect, ActionsExpect, Expect, RuleExpect, Said};
pub use given::{EventGiven, Given, MessageGiven};
pub use model::{Name, Step, Test, TestFile, When, World};
pub use read::parse;
pub use run::{CaseResult, NewCtx, rule_stem, run_case};

use crate::document::Problems;
use crate::value::Bytes;

/// Where `$file` reads from: paths are relative to one test file.
pub trait Fixtures {
    /// The bytes of a fixture, or a sentence.
    fn read(&mut self, path: &str) -> Result<Bytes, String>;
}

/// A test file being read.
pub struct Reading<'a> {
    pub(crate) problems: &'a mut Problems,
    pub(crate) fixtures: &'a mut dyn Fixtures,
}
