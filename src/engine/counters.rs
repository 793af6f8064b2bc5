//! What a rule has done, under the names that EMQX gives its counters (`rule_metrics`).

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters of one rule. They are shared: the engine counts as it runs, sinks when a delivery is decided.
#[derive(Debug, Default)]
pub struct Counters([AtomicU64; NAMES.len()]);

/// A counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counter {
    /// A message or event of the rule's FROM came.
    Matched,
    /// There was at least one output.
    Passed,
    /// There was none; the sum of the next two.
    Failed,
    /// A clause failed.
    FailedException,
    /// WHERE was false, or INCASE left nothing.
    FailedNoResult,
    /// Actions that were started.
    ActionsTotal,
    /// Actions that succeeded.
    ActionsSuccess,
    /// Actions that failed; the sum of the next two.
    ActionsFailed,
    /// Their connector was down.
    ActionsFailedOutOfService,
    /// For another reason.
    ActionsFailedUnknown,
    /// Their action was disabled or missing.
    ActionsDiscarded,
}

const NAMES: [&str; 11] = [
    "matched",
    "passed",
    "failed",
    "failed.exception",
    "failed.no_result",
    "actions.total",
    "actions.success",
    "actions.failed",
    "actions.failed.out_of_service",
    "actions.failed.unknown",
    "actions.discarded",
];

impl Counters {
    /// Adds one.
    pub fn add(&self, counter: Counter) {
        let add = |counter: Counter| self.0[counter as usize].fetch_add(1, Ordering::Relaxed);
        add(counter);
        // emqx_metrics_worker counts causes beside their sums.
        match counter {
            Counter::FailedException | Counter::FailedNoResult => _ = add(Counter::Failed),
            Counter::ActionsFailedOutOfService | Counter::ActionsFailedUnknown => {
                add(Counter::ActionsFailed);
            }
            _ => {}
        }
    }

    /// One counter.
    pub fn get(&self, counter: Counter) -> u64 {
        self.0[counter as usize].load(Ordering::Relaxed)
    }

    /// All counters under their names.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        NAMES.into_iter().zip(&self.0).map(|(name, n)| (name, n.load(Ordering::Relaxed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_add_to_their_sum() {
        let counters = Counters::default();
        [Counter::Matched, Counter::FailedException, Counter::FailedNoResult, Counter::ActionsFailedUnknown]
            .into_iter()
            .for_each(|counter| counters.add(counter));
        let written: Vec<_> = counters.entries().filter(|(_, n)| *n > 0).collect();
        assert_eq!(
            written,
            [
                ("matched", 1),
                ("failed", 2),
                ("failed.exception", 1),
                ("failed.no_result", 1),
                ("actions.failed", 1),
                ("actions.failed.unknown", 1)
            ]
        );
        assert_eq!(counters.get(Counter::ActionsDiscarded), 0);
    }
}
