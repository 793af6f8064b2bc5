//! How long to wait before trying again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::rule::retry::Doubling;

/// Doubles from `first` to `last`, each wait between half and the whole of its step, so that many who failed
/// together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    steps: Doubling,
}

impl Backoff {
    /// Starts at `first`.
    pub fn new(first: Duration, last: Duration) -> Backoff {
        Backoff { steps: Doubling::new(first, last) }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        spread(self.steps.next())
    }
}

/// Between half and the whole of a wait.
pub fn spread(wait: Duration) -> Duration {
    if wait.is_zero() {
        return wait;
    }
    let half = wait / 2;
    let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
    // The keys of a new state are random; no better randomness is needed here.
    half + Duration::from_micros(RandomState::new().build_hasher().finish() % spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_bound_and_are_never_nothing() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let waits: Vec<_> = (0..8).map(|_| backoff.wait().as_millis()).collect();
        for (wait, step) in waits.iter().zip([100, 200, 400, 800, 1000, 1000, 1000, 1000]) {
            assert!((step / 2..=step).contains(wait), "{waits:?}");
        }
    }
}
