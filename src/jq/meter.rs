//! What a run may use: steps and memory.
//!
//! Counters of the thread, not of a value handed round: a container gives its memory back where it is dropped, and
//! that can be anywhere.
//!
//! Invariant: every loop of a builtin over data of any size spends steps for it, and every container counts its
//! bytes; so each run ends, and in bounded memory.

use std::cell::Cell;

use crate::limits::{JQ_MEMORY_BYTES_MAX, JQ_OUTPUT_BYTES_MAX, JQ_STEPS_MAX};

/// Why a run was ended. No `try` of the program sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The steps of the time limit are spent.
    Steps,
    /// Its values are too large together.
    Memory,
    /// The text of its answers is too long.
    Output,
    /// A value is nested too deeply for what was asked of it.
    Depth,
    /// One array or string would be too long.
    Size,
    /// A regular expression backtracked too often.
    Pattern,
    /// `halt` or `halt_error`, which would end EMQX's run without an error.
    Halt,
}

impl Stop {
    /// The reason, for people.
    pub(super) fn text(self, timeout_ms: u64) -> String {
        let mega = |bytes: usize| bytes / (1024 * 1024);
        match self {
            Stop::Steps if steps(timeout_ms) == JQ_STEPS_MAX => {
                format!("the program was cancelled: it did not end within {JQ_STEPS_MAX} steps")
            }
            Stop::Steps => format!("the program was cancelled: it did not end within {timeout_ms} ms"),
            Stop::Memory => format!(
                "the program was cancelled: its values took more than {} MiB",
                mega(JQ_MEMORY_BYTES_MAX)
            ),
            Stop::Output => format!(
                "the program was cancelled: its answers took more than {} MiB",
                mega(JQ_OUTPUT_BYTES_MAX)
            ),
            Stop::Depth => "the program was cancelled: a value is nested too deeply".into(),
            Stop::Size => "the program was cancelled: an array or a string grew too long".into(),
            Stop::Pattern => "the program was cancelled: a regular expression backtracked too often".into(),
            Stop::Halt => "`halt` and `halt_error` end the program without a result".into(),
        }
    }
}

/// How many steps a time limit is worth.
pub(super) fn steps(timeout_ms: u64) -> u64 {
    timeout_ms.max(1).saturating_mul(crate::limits::JQ_STEPS_PER_MS).min(JQ_STEPS_MAX)
}

thread_local! {
    /// Bytes of the containers that are alive on this thread.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    /// Of them, those that were alive when the run began.
    static BASE: Cell<usize> = const { Cell::new(0) };
    /// Steps left.
    static LEFT: Cell<u64> = const { Cell::new(0) };
}

/// A step per so many bytes that are made or copied.
const BYTES_PER_STEP: usize = 64;

/// Begins a run.
pub(super) fn start(steps: u64) {
    LEFT.set(steps);
    BASE.set(LIVE.get());
}

/// Spends steps.
pub(super) fn spend(steps: u64) -> Result<(), Stop> {
    match LEFT.get().checked_sub(steps) {
        Some(left) => {
            LEFT.set(left);
            Ok(())
        }
        None => {
            LEFT.set(0);
            Err(Stop::Steps)
        }
    }
}

/// Spends a step for each so many bytes that a builtin reads.
pub(super) fn read(bytes: usize) -> Result<(), Stop> {
    spend((bytes / BYTES_PER_STEP) as u64)
}

/// Is there room for so many bytes more, besides those already counted?
pub(super) fn room(more: usize) -> Result<(), Stop> {
    let live = LIVE.get().saturating_sub(BASE.get());
    if live.saturating_add(more) > JQ_MEMORY_BYTES_MAX { Err(Stop::Memory) } else { Ok(()) }
}

/// A container has come to be, or has grown.
pub(super) fn grow(bytes: usize) {
    LIVE.set(LIVE.get().saturating_add(bytes));
    LEFT.set(LEFT.get().saturating_sub((bytes / BYTES_PER_STEP) as u64));
}

/// A container is gone, or has shrunk.
pub(super) fn shrink(bytes: usize) {
    LIVE.set(LIVE.get().saturating_sub(bytes));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_end() {
        start(3);
        assert_eq!(spend(3), Ok(()));
        assert_eq!(spend(1), Err(Stop::Steps));
    }

    #[test]
    fn memory_counts_from_the_start_of_the_run() {
        start(JQ_STEPS_MAX);
        grow(1000);
        start(JQ_STEPS_MAX);
        assert_eq!(room(JQ_MEMORY_BYTES_MAX), Ok(()));
        assert_eq!(room(JQ_MEMORY_BYTES_MAX + 1), Err(Stop::Memory));
        shrink(1000);
    }

    #[test]
    fn a_time_limit_is_steps() {
        assert_eq!(steps(0), steps(1));
        assert!(steps(1) < steps(2));
        assert_eq!(steps(u64::MAX), JQ_STEPS_MAX);
    }
}
