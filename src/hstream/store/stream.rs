//! One stream: its log, and the bell that wakes those who follow it.
//!
//! Invariant: followers are woken only for what is durable, and once more when the stream ends.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::{oneshot, watch};

use super::catalog::Listed;
use super::reader::{Reader, Start};
use super::record::{self, Record};
use super::{StoreError, StreamInfo, now_ms};
use crate::limits::{APPEND_RECORDS_MAX, RECORD_BYTES_MAX};
use crate::log::{Log, LogError, Options, Repair};

/// How far a stream is, and whether it goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Progress {
    pub(super) next: u64,
    pub(super) ended: bool,
}

/// A stream that is open.
pub struct Stream {
    info: StreamInfo,
    pub(super) log: Log,
    progress: watch::Sender<Progress>,
}

impl Stream {
    pub(super) fn open(
        name: &str,
        path: &Path,
        listed: &Listed,
        create: bool,
    ) -> Result<(Stream, Vec<Repair>), StoreError> {
        let (progress, _) = watch::channel(Progress { next: listed.first, ended: false });
        let bell = progress.clone();
        let on_commit = move |next| bell.send_modify(|progress| progress.next = next);
        let on_commit: Option<Arc<dyn Fn(u64) + Send + Sync>> = Some(Arc::new(on_commit));
        let options = Options { first: listed.first, create, on_commit, ..Options::default() };
        let (log, repairs) = Log::open(path, options)?;
        progress.send_modify(|progress| progress.next = log.next());
        let (replication_factor, created_ms) = (listed.replication_factor, listed.created_ms);
        let info = StreamInfo { name: name.to_owned(), replication_factor, created_ms };
        Ok((Stream { info, log, progress }, repairs))
    }

    /// What is listed of it.
    pub fn info(&self) -> &StreamInfo {
        &self.info
    }

    /// The id that the next batch gets.
    pub fn next_batch_id(&self) -> u64 {
        self.log.next()
    }

    /// Appends records as one batch, with the time of now, and answers with its id once it is durable.
    pub async fn append(&self, records: &[Record]) -> Result<u64, StoreError> {
        if records.is_empty() || records.len() > APPEND_RECORDS_MAX {
            return Err(StoreError::BatchCount { count: records.len() });
        }
        if let Some(large) = records.iter().map(|r| r.payload.len()).find(|n| *n > RECORD_BYTES_MAX) {
            return Err(StoreError::RecordSize(large));
        }
        let (answer, outcome) = oneshot::channel();
        // A caller that went away does not take the record back.
        let done = move |outcome: Result<u64, LogError>| drop(answer.send(outcome));
        self.log.append(record::encode(now_ms(), records), Box::new(done))?;
        Ok(outcome.await.unwrap_or(Err(LogError::Closed))?)
    }

    /// Reads from a place on, and can wait for what comes.
    pub fn reader(self: &Arc<Stream>, start: Start) -> Reader {
        Reader::new(Arc::clone(self), self.progress.subscribe(), start)
    }

    /// Writes what waits; further appends are refused.
    pub(super) fn close(&self) {
        self.log.close();
    }

    /// Tells followers that nothing more comes.
    pub(super) fn end(&self) {
        self.progress.send_modify(|progress| progress.ended = true);
    }
}
