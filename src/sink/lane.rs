//! Lanes: deliveries of one client in order, those of others beside them.
//!
//! A client belongs to one lane, by the hash of its key; a lane does one delivery at a time, and a retry holds back
//! only its lane. Lanes are short: when one is full, or the action has too many bytes waiting, whoever delivers must
//! wait. The embedded broker waits in the publisher's turn, so a slow sink slows its publishers and nobody else, and
//! no lane ever waits for a publisher.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::tally::Tally;
use super::{Attempt, Job, Sink};
use crate::delivery::backoff;
use crate::limits;
use crate::rule::retry::Course;
use crate::rule::{Request, Retry};

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
        let mut course = Course::new(self.retry);
        let mut last = String::new();
        loop {
            let Some(time) = course.next(job.since.elapsed()) else {
                let age = super::job::shown(job.since.elapsed());
                let why = match course.tried() {
                    0 => format!("it waited {age} in the queue, longer than its request_ttl"),
                    1 => format!("{last} (given up after {age})"),
                    tried => format!("{last} (given up after {tried} attempts in {age})"),
                };
                return job.failed(&why);
            };
            let tried = course.tried();
            match self.sink.attempt(&job, time).await {
                Attempt::Delivered(how) if tried == 1 => return job.delivered(&how),
                Attempt::Delivered(how) => return job.delivered(&format!("{how}, attempt {tried}")),
                Attempt::Failed(why) => return job.failed(&why),
                Attempt::Retry(why) => last = why,
            }
            let Some(wait) = course.wait() else { return job.failed(&last) };
            self.tally.retries.add();
            let wait = backoff::spread(wait);
            tracing::warn!(
                topic = %job.topic, rule = %job.rule, action = %job.action,
                "not delivered: {last}; attempt {} follows in {}", tried + 1, super::job::shown(wait)
            );
            // Nothing can come of a wait beyond the deadline, so it ends there.
            tokio::time::sleep(wait.min(course.left(job.since.elapsed()))).await;
        }
    }
}
