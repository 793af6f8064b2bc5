//! How often and how long a delivery is tried: one policy for the sinks of `rulemill run` and for tests with faults.
//!
//! Invariant: nothing here waits, draws or looks at a clock. Whoever delivers says how old the delivery is, and
//! spreads the waits where many deliveries would otherwise come back together.

use std::time::Duration;

use super::action::{Action, ActionKind};
use crate::profile::Profile;

/// The first wait after the immediate retries, and the longest.
const WAITS: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Time for one attempt where nothing else limits it.
const ATTEMPT_TIME: Duration = Duration::from_secs(60);
/// EMQX 4.3's `request_timeout`.
const ATTEMPT_TIME_4_3: Duration = Duration::from_secs(5);

/// How long and how often a delivery is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// Is it tried again at all? EMQX 4.3 does not.
    pub enabled: bool,
    /// Retries without a wait (`max_retries`).
    pub at_once: u32,
    /// A delivery that is this old is given up (`resource_opts.request_ttl`); `None` is `infinity`.
    pub time_to_live: Option<Duration>,
    /// Time for one attempt.
    pub attempt_time: Duration,
}

impl Default for Retry {
    /// EMQX 5.8's.
    fn default() -> Retry {
        Retry {
            enabled: true,
            at_once: 2,
            time_to_live: Some(Duration::from_secs(45)),
            attempt_time: ATTEMPT_TIME,
        }
    }
}

impl Retry {
    /// How an action is retried: as its options say, in the way of its EMQX.
    pub fn of(action: &Action, profile: Profile) -> Retry {
        if profile == Profile::V4_3 {
            // No buffer and no second attempt (emqx_web_hook_actions).
            return Retry { enabled: false, at_once: 0, time_to_live: None, attempt_time: ATTEMPT_TIME_4_3 };
        }
        let options = &action.options;
        let name = if options.is_written("request_timeout") { "request_timeout" } else { "request_ttl" };
        let time_to_live = options.duration_ms(name).map(Duration::from_millis);
        let at_once = match &action.kind {
            ActionKind::Http(http) => http.options.int("max_retries").and_then(|n| u32::try_from(n).ok()),
            _ => None,
        };
        Retry { time_to_live, at_once: at_once.unwrap_or(0), ..Retry::default() }
    }
}

/// What an answer means for a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The other side has it.
    Delivered,
    /// It may work later. So does no answer mean.
    Later,
    /// It never will.
    Never,
}

/// What a webhook's status means: 2xx is success, 429 and 503 are tried again, all else is for good
/// (emqx_bridge_http_connector:transform_result/1).
pub fn http(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Delivered,
        429 | 503 => Answer::Later,
        _ => Answer::Never,
    }
}

/// What HStreamDB's REST answer means. The gateway of v0.6.1 answers 400 to everything that went wrong, so what can
/// be tried again is told by the text; a record counts as delivered only with its id.
pub fn hstreamdb(status: u16, text: &str, has_record_id: bool) -> Answer {
    let passing = ["Internal", "Unavailable", "DeadlineExceeded", "Aborted", "ResourceExhausted"];
    match status {
        200..=299 if has_record_id => Answer::Delivered,
        200..=299 | 429 => Answer::Later,
        501 => Answer::Never,
        500..=599 => Answer::Later,
        404 | 405 => Answer::Never,
        _ if text.contains("Invalid append payload") => Answer::Never,
        // `code = Internal` is also what v0.6.1 says when the stream is missing, and someone may create it yet.
        _ if passing.iter().any(|code| text.contains(&format!("code = {code}"))) => Answer::Later,
        _ => Answer::Never,
    }
}

/// A delivery on its way: attempts and the waits between them.
#[derive(Clone, Debug)]
pub struct Course {
    retry: Retry,
    tried: u32,
    waits: Doubling,
}

impl Course {
    /// Before the first attempt.
    pub fn new(retry: Retry) -> Course {
        Course { retry, tried: 0, waits: Doubling::new(WAITS.0, WAITS.1) }
    }

    /// Attempts so far.
    pub fn tried(&self) -> u32 {
        self.tried
    }

    /// The time for the next attempt of a delivery of this age; `None` when it is to be given up.
    pub fn next(&mut self, age: Duration) -> Option<Duration> {
        let left = self.left(age);
        if left.is_zero() {
            return None;
        }
        self.tried += 1;
        Some(left.min(self.retry.attempt_time))
    }

    /// The wait after an attempt that may be repeated; `None` when this EMQX does not repeat.
    pub fn wait(&mut self) -> Option<Duration> {
        let at_once = self.tried <= self.retry.at_once;
        self.retry.enabled.then(|| if at_once { Duration::ZERO } else { self.waits.next() })
    }

    /// What is left to a delivery of this age.
    pub fn left(&self, age: Duration) -> Duration {
        self.retry.time_to_live.map_or(Duration::MAX, |time| time.saturating_sub(age))
    }
}

/// Waits that double up to a bound.
#[derive(Clone, Debug)]
pub struct Doubling {
    next: Duration,
    last: Duration,
}

impl Doubling {
    /// From `first` to `last`.
    pub fn new(first: Duration, last: Duration) -> Doubling {
        Doubling { next: first, last }
    }

    /// The next wait.
    #[expect(clippy::should_implement_trait, reason = "it has no end, and is no iterator to its users")]
    pub fn next(&mut self) -> Duration {
        let step = self.next;
        self.next = (step * 2).min(self.last);
        step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_after_the_immediate_ones() {
        let mut course = Course::new(Retry::default());
        let waits: Vec<u128> = (0..9)
            .map(|_| {
                course.next(Duration::ZERO).unwrap();
                course.wait().unwrap().as_millis()
            })
            .collect();
        assert_eq!(waits, [0, 0, 200, 400, 800, 1600, 3200, 5000, 5000]);
        assert_eq!(course.tried(), 9);
    }

    #[test]
    fn age_ends_a_delivery() {
        let mut course = Course::new(Retry::default());
        let second = Duration::from_secs(1);
        assert_eq!(course.next(second * 44), Some(second));
        assert_eq!((course.next(second * 45), course.tried()), (None, 1));
        let mut endless = Course::new(Retry { time_to_live: None, ..Retry::default() });
        assert_eq!(endless.next(second * 1_000_000), Some(ATTEMPT_TIME));
        let mut once = Course::new(Retry { enabled: false, ..Retry::default() });
        once.next(Duration::ZERO);
        assert_eq!(once.wait(), None);
    }

    #[test]
    fn statuses_are_judged() {
        use Answer::{Delivered, Later, Never};
        let kinds = [200, 204, 301, 400, 404, 429, 500, 502, 503].map(http);
        assert_eq!(kinds, [Delivered, Delivered, Never, Never, Never, Later, Never, Never, Later]);
        let kinds = [200, 301, 400, 404, 429, 500, 501, 503].map(|status| hstreamdb(status, "", true));
        assert_eq!(kinds, [Delivered, Never, Never, Never, Later, Later, Never, Later]);
        assert_eq!(hstreamdb(200, "", false), Later);
        assert_eq!(hstreamdb(400, "rpc error: code = Unavailable", false), Later);
        assert_eq!(hstreamdb(400, "Invalid append payload. code = Internal", false), Never);
    }
}
