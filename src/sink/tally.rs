//! Counts of what came and what became of it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one run.
#[derive(Debug, Default)]
pub struct Tally {
    /// Messages that came in, republished ones not among them.
    pub messages: Counter,
    /// Events that rules asked for.
    pub events: Counter,
    /// Outcomes whose SQL failed.
    pub rule_errors: Counter,
    /// Deliveries that the other side took.
    pub delivered: Counter,
    /// Deliveries that failed for good.
    pub failed: Counter,
    /// Deliveries that were still undecided at the end.
    pub abandoned: Counter,
    /// Attempts after the first.
    pub retries: Counter,
    /// Actions that were left out on purpose.
    pub skipped: Counter,
}

impl Tally {
    /// Deliveries that are not done.
    pub fn undelivered(&self) -> u64 {
        self.failed.get() + self.abandoned.get()
    }
}

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
