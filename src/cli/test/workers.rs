//! Work on all cores, answers in order.
//!
//! Invariant: `take` sees the answers of 0, 1, 2, … without gaps, on the caller's thread, whatever order they come in.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::limits;

/// How often `wait` is called while nothing comes.
const WAIT: Duration = Duration::from_millis(100);

/// Threads for so many pieces of work.
pub(super) fn threads(asked: Option<usize>, pieces: usize) -> usize {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(cores).clamp(1, limits::TEST_THREADS_MAX).min(pieces.max(1))
}

/// Does `work` for 0 to `count`, and hands each answer to `take` in order until it breaks; `wait` is called now and
/// then while nothing comes.
pub(super) fn ordered<T: Send, E: From<io::Error>>(
    count: usize,
    threads: usize,
    work: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<ControlFlow<()>, E>,
    mut wait: impl FnMut(),
) -> Result<(), E> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let worker = |sender: mpsc::Sender<(usize, T)>| {
        while !stop.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count || sender.send((at, work(at))).is_err() {
                return;
            }
        }
    };
    thread::scope(|scope| {
        let (sender, answers) = mpsc::channel();
        for _ in 0..threads {
            let sender = sender.clone();
            // Readers and evaluator recurse within their bounds, which fit the stack of a main thread.
            let builder = thread::Builder::new().stack_size(limits::TEST_STACK_BYTES);
            builder.spawn_scoped(scope, || worker(sender))?;
        }
        drop(sender);
        let mut early = BTreeMap::new();
        let mut due = 0;
        let result = loop {
            match answers.recv_timeout(WAIT) {
                Ok((at, answer)) => {
                    early.insert(at, answer);
                }
                Err(RecvTimeoutError::Timeout) => wait(),
                Err(RecvTimeoutError::Disconnected) => break Ok(()),
            }
            let mut taken = Ok(ControlFlow::Continue(()));
            while let Some(answer) = early.remove(&due) {
                taken = take(due, answer);
                due += 1;
                if !matches!(taken, Ok(ControlFlow::Continue(()))) {
                    break;
                }
            }
            match taken {
                Ok(ControlFlow::Continue(())) => {}
                Ok(ControlFlow::Break(())) => break Ok(()),
                Err(e) => break Err(e),
            }
        };
        stop.store(true, Ordering::Relaxed);
        result
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(count: usize, threads: usize, end: usize) -> Vec<usize> {
        let mut taken = Vec::new();
        let take = |at: usize, answer: usize| -> io::Result<ControlFlow<()>> {
            assert_eq!(at * 3, answer);
            taken.push(at);
            Ok(if at == end { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        };
        ordered(count, threads, |at| at * 3, take, || {}).unwrap();
        taken
    }

    #[test]
    fn answers_come_in_order_and_end_when_told() {
        for threads in [1, 2, 7] {
            assert_eq!(run(1000, threads, usize::MAX), (0..1000).collect::<Vec<_>>());
            assert_eq!(run(1000, threads, 10), (0..=10).collect::<Vec<_>>());
            assert_eq!(run(0, threads, 0), Vec::<usize>::new());
        }
    }

    #[test]
    fn threads_are_bounded() {
        assert_eq!((threads(Some(0), 9), threads(Some(4), 2), threads(Some(4), 0)), (1, 2, 1));
        assert_eq!(threads(Some(100_000), 100_000), limits::TEST_THREADS_MAX);
    }
}
