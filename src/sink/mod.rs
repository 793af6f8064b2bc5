//! Where outcomes go: HTTP, HStreamDB, republished messages, the console.
//!
//! ```text
//! message ── Dispatcher ── rules ── console, republish           (at once, in the publisher's turn)
//!                              └── lanes of the action ── Sink   (later, in order for each client)
//! ```
//!
//! Invariant: every delivery that enters ends in exactly one of three counters, `delivered`, `failed` or
//! `abandoned`, and in a log line when it is one of the last two. Nothing is dropped in silence.

pub mod console;
pub mod dispatch;
pub mod hstreamdb;
pub mod http;
pub mod job;
pub mod lane;
pub mod republish;
pub mod tally;

use std::time::Duration;

use async_trait::async_trait;

pub use dispatch::{Dispatcher, Route, Rules};
pub use job::Job;
pub use lane::Lanes;
pub use tally::Tally;

use crate::rule::Request;
pub use crate::rule::Retry;

/// What came of one attempt to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// The other side has it; the text is for the log.
    Delivered(String),
    /// It may work later.
    Retry(String),
    /// It never will.
    Failed(String),
}

/// Something that takes deliveries from lanes.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Tries once, for at most this long.
    async fn attempt(&self, job: &Job, time: Duration) -> Attempt;
}

/// The attempt of a sink that was handed the wrong kind of request: a mistake of ours.
fn unexpected(request: &Request) -> Attempt {
    Attempt::Failed(format!(
        "a request of kind '{}' came to the wrong sink; please report this bug",
        request.kind()
    ))
}
