//! Test files: read strictly, run without a broker, compared value by value.
//!
//! Invariant: nothing here reads a file, a clock or chance; fixtures come through [`Fixtures`], the world through the
//! [`crate::ctx::Ctx`] that each case gets.

mod capture;
mod case;
mod check;
pub mod clock;
pub mod compare;
pub mod coverage;
pub mod excerpt;
mod expect;
pub mod explain;
pub mod faults;
mod given;
pub mod line;
pub mod look;
mod model;
pub mod pattern;
mod payload;
mod read;
pub mod redact;
pub mod report;
mod run;
pub mod schema;
pub mod show;
mod table;
pub mod update;
pub mod verdict;

pub use capture::{Capture, Replayed, Snapshot};
pub use compare::{Difference, DifferenceKind};
pub use expect::{ActionExpect, ActionsExpect, Expect, RuleExpect, Said};
pub use explain::Explanation;
pub use faults::{Delivery, End, Fault, Faults};
pub use given::{EventGiven, Given, MessageGiven};
pub use line::{Line, Lines};
pub use look::Look;
pub use model::{Name, Step, Test, TestFile, When, World};
pub use read::parse;
pub use run::{CaseResult, NewCtx, Runner, rule_stem, rules_of, run_case};

use std::io::{self, BufRead, Cursor};
use std::sync::Arc;

use crate::document::Problems;
use crate::value::Bytes;

/// Where `$file` reads from: paths are relative to one test file.
pub trait Fixtures {
    /// The bytes of a fixture, or a sentence.
    fn read(&mut self, path: &str) -> Result<Bytes, String>;

    /// A fixture to be read piece by piece, however large.
    fn stream(&mut self, path: &str) -> Result<Stream, String> {
        let bytes = self.read(path)?;
        Ok(Stream::new(move || Ok(Box::new(Cursor::new(bytes.clone())))))
    }
}

type Open = dyn Fn() -> io::Result<Box<dyn BufRead>> + Send + Sync;

/// A fixture that is opened anew each time it is read.
#[derive(Clone)]
pub struct Stream {
    open: Arc<Open>,
    /// How long it is, where that is known.
    pub bytes: Option<u64>,
}

impl Stream {
    /// A fixture that is opened by a function.
    pub fn new(open: impl Fn() -> io::Result<Box<dyn BufRead>> + Send + Sync + 'static) -> Stream {
        Stream { open: Arc::new(open), bytes: None }
    }

    /// Its start.
    pub fn open(&self) -> io::Result<Box<dyn BufRead>> {
        (self.open)()
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stream")
    }
}

/// A test file being read.
pub struct Reading<'a> {
    pub(crate) problems: &'a mut Problems,
    pub(crate) fixtures: &'a mut dyn Fixtures,
}
