//! What ends the evaluation of a part of a program without a value.

use super::meter::Stop;
use super::value::Val;
use super::writer;

/// Why there is no value.
#[derive(Clone, Debug)]
pub(super) enum Throw {
    /// An error, which `try` catches.
    Error(Val),
    /// No value and no error: `empty`.
    Empty,
    /// The run is over, whatever the program says.
    Stop(Stop),
}

/// A value or why there is none.
pub(super) type Answer = Result<Val, Throw>;

impl From<Stop> for Throw {
    fn from(stop: Stop) -> Throw {
        Throw::Stop(stop)
    }
}

/// An error with this text.
pub(super) fn error(text: impl Into<String>) -> Throw {
    Throw::Error(Val::str(text))
}

/// `string ("abc") has no keys`: the value that does not fit, and what is wrong with it.
pub(super) fn unfit(bad: &Val, problem: &str) -> Throw {
    error(format!("{} ({}) {problem}", bad.kind(), writer::excerpt(bad, SHORT)))
}

/// The same of two values.
pub(super) fn unfit_pair(a: &Val, b: &Val, problem: &str) -> Throw {
    let (left, right) = (writer::excerpt(a, SHORT), writer::excerpt(b, SHORT));
    error(format!("{} ({left}) and {} ({right}) {problem}", a.kind(), b.kind()))
}

/// jq 1.6's buffer for the value in an error, in bytes with the closing NUL.
pub(super) const SHORT: usize = 15;

/// The same where a path is wrong.
pub(super) const LONG: usize = 30;
