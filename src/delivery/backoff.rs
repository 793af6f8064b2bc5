//! How long to wait before trying again.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Doubles from `first` to `last`, each wait between half and the whole of its step, so that many who failed
/// together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    next: Duration,
    last: Duration,
    random: RandomState,
    step: u64,
}

impl Backoff {
    /// Starts at `first`.
    pub fn new(first: Duration, last: Duration) -> Backoff {
        Backoff { next: first, last, random: RandomState::new(), step: 0 }
    }

    /// The next wait.
    pub fn wait(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.last);
        self.step += 1;
        let half = step / 2;
        let spread = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(self.random.hash_one(self.step) % spread)
    }
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
