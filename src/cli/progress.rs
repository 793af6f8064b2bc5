//! One line on the terminal that tells of progress.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

/// How often the line is written anew.
const EVERY: Duration = Duration::from_millis(200);

/// Progress of something that counts messages; silent where nobody watches.
pub(super) struct Progress {
    shows: bool,
    started: Instant,
    said: Instant,
}

impl Progress {
    /// It begins now.
    pub fn new(quiet: bool) -> Progress {
        let now = Instant::now();
        Progress { shows: !quiet && io::stderr().is_terminal(), started: now, said: now }
    }

    /// So many so far.
    pub fn show(&mut self, messages: u64, what: &str) {
        if self.shows && self.said.elapsed() > EVERY {
            self.said = Instant::now();
            let rate = messages as f64 / self.started.elapsed().as_secs_f64();
            // A terminal that cannot be written to needs no progress.
            let _ = write!(anstream::stderr(), "\r\x1b[K{messages} messages {what}, {rate:.0}/s");
        }
    }

    /// Takes the line away before something else is written.
    pub fn clear(&self) {
        if self.shows {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }

    /// The time since it began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }
}
