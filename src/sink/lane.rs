//! Lanes: deliveries of one client in order, those of others beside them.
//!
//! A client belongs to one lane, by the hash of its key; a lane does one delivery at a time, and a retry holds back
//! only its lane. Lanes are short: when one is full, or the action has too many bytes waiting, whoever delivers must
//! wait. The embedded broker waits in the publisher's turn, so a slow sink slows its publishers and nobody else, and
//! no lane ever waits for a publisher.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::tally::Tally;
use super::{Attempt, Job, Sink};
use crate::delivery::Backoff;
use crate::limits;
use crate::rule::Request;

/// The first wait after the immediate retries, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Time for one attempt where nothing else limits it.
const ATTEMPT_TIME: Duration = Duration::from_secs(60);

/// How long and how often a delivery is tried.
#[derive(Clone, Copy, Debug)]
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

/// The lanes of one action.
pub struct Lanes {
    queues: Vec<mpsc::Sender<Job>>,
    room: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    workers: Mutex<Vec<JoinHandle<()>>>,
}

impl Lanes {
    /// Starts the lanes of a sink.
    pub fn start(sink: Arc<dyn Sink>, retry: Retry, tally: Arc<Tally>) -> Lanes {
        let (stop, stopped) = watch::channel(false);
        let mut queues = Vec::new();
        let mut workers = Vec::new();
        for _ in 0..limits::LANES {
            let (sender, queue) = mpsc::channel(limits::LANE_QUEUE_MAX);
            queues.push(sender);
            let lane = Lane { sink: Arc::clone(&sink), retry, tally: Arc::clone(&tally) };
            workers.push(tokio::spawn(lane.work(queue, stopped.clone())));
        }
        let room = Arc::new(Semaphore::new(limits::ACTION_QUEUE_KIB_MAX as usize));
        Lanes { queues, room, stop, workers: Mutex::new(workers) }
    }

    /// Hands over a delivery; waits while its lane is full.
    pub async fn push(&self, mut job: Job) {
        let room = Arc::clone(&self.room).acquire_many_owned(kibibytes(&job.request)).await;
        job.room = room.ok();
        let mut hasher = DefaultHasher::new();
        job.key.hash(&mut hasher);
        let lane = hasher.finish() % self.queues.len() as u64;
        if let Err(mpsc::error::SendError(job)) = self.queues[lane as usize].send(job).await {
            // Only after `drain` began: dropping it counts it as given up.
            drop(job);
        }
    }

    /// Takes no more, and waits until all lanes are empty, at most until `deadline`. What is left then is given up.
    pub async fn drain(&self, deadline: Instant) {
        // No receiver: all lanes ended already.
        let _ = self.stop.send(true);
        let workers = std::mem::take(&mut *self.workers.lock().unwrap_or_else(PoisonError::into_inner));
        for mut worker in workers {
            if tokio::time::timeout_at(deadline.into(), &mut worker).await.is_err() {
                worker.abort();
                let _ = worker.await;
            }
        }
    }
}

/// What a request takes of the action's room.
fn kibibytes(request: &Request) -> u32 {
    let bytes = match request {
        Request::Http { url, body, .. } => url.len() + body.as_ref().map_or(0, |body| body.len()),
        Request::Hstreamdb { record, .. } => record.len(),
        Request::Republish { topic, payload, .. } => topic.len() + payload.len(),
        Request::Console { .. } | Request::Params { .. } => 0,
    };
    u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(limits::ACTION_QUEUE_KIB_MAX)
}

struct Lane {
    sink: Arc<dyn Sink>,
    retry: Retry,
    tally: Arc<Tally>,
}

impl Lane {
    async fn work(self, mut queue: mpsc::Receiver<Job>, mut stopped: watch::Receiver<bool>) {
        loop {
            let job = tokio::select! {
                job = queue.recv() => job,
                _ = stopped.wait_for(|stopped| *stopped), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            };
            let Some(job) = job else { return };
            self.deliver(job).await;
        }
    }

    /// Tries until it is decided.
    async fn deliver(&self, job: Job) {
        let deadline = self.retry.time_to_live.map(|time| job.since + time);
        let mut backoff = Backoff::new(BACKOFF.0, BACKOFF.1);
        let mut tried = 0;
        let mut last = String::new();
        loop {
            let left = deadline.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                let age = super::job::shown(job.since.elapsed());
                let why = match tried {
                    0 => format!("it waited {age} in the queue, longer than its request_ttl"),
                    1 => format!("{last} (given up after {age})"),
                    _ => format!("{last} (given up after {tried} attempts in {age})"),
                };
                return job.failed(&why);
            }
            tried += 1;
            match self.sink.attempt(&job, left.min(self.retry.attempt_time)).await {
                Attempt::Delivered(how) if tried == 1 => return job.delivered(&how),
                Attempt::Delivered(how) => return job.delivered(&format!("{how}, attempt {tried}")),
                Attempt::Failed(why) => return job.failed(&why),
                Attempt::Retry(why) if !self.retry.enabled => return job.failed(&why),
                Attempt::Retry(why) => last = why,
            }
            self.tally.retries.add();
            let wait = if tried <= self.retry.at_once { Duration::ZERO } else { backoff.wait() };
            tracing::warn!(
                topic = %job.topic, rule = %job.rule, action = %job.action,
                "not delivered: {last}; attempt {} follows in {}", tried + 1, super::job::shown(wait)
            );
            // Nothing can come of a wait beyond the deadline, so it ends there.
            let until = Instant::now() + wait;
            tokio::time::sleep_until(deadline.map_or(until, |at| until.min(at)).into()).await;
        }
    }
}
