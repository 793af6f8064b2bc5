//! Reading a stream: from its beginning, from now on, or from a record id; once, or following what comes.
//!
//! Invariant: records come in the order of their ids, each once.

use std::sync::Arc;

use tokio::sync::watch;

use super::record::{self, RecordId, Stored};
use super::stream::{Progress, Stream};
use super::{Store, StoreError};
use crate::limits::LOG_READ_BYTES_MAX;
use crate::log;

/// Where reading begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first record that is kept.
    Earliest,
    /// With the first record after now.
    Latest,
    /// With this record, or the first one after it.
    Id(RecordId),
}

impl std::str::FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Start, String> {
        match text {
            "earliest" => Ok(Start::Earliest),
            "latest" => Ok(Start::Latest),
            id => id.parse().map(Start::Id).map_err(|_| {
                format!("{id:?} is neither earliest nor latest nor a record id such as 8589934593-0")
            }),
        }
    }
}

/// A place in a stream that moves on.
pub struct Reader {
    stream: Arc<Stream>,
    progress: watch::Receiver<Progress>,
    /// Away while a blocking read has it.
    log: Option<log::Reader>,
    from: RecordId,
}

impl Reader {
    pub(super) fn new(stream: Arc<Stream>, progress: watch::Receiver<Progress>, start: Start) -> Reader {
        let first = |batch_id| RecordId { batch_id, batch_index: 0 };
        let from = match start {
            Start::Earliest => first(stream.log.first()),
            Start::Latest => first(stream.log.next()),
            Start::Id(id) => id.max(first(stream.log.first())),
        };
        let log = Some(stream.log.reader(from.batch_id));
        Reader { stream, progress, log, from }
    }

    /// The records that are there, as many as fit one step; none at the end.
    pub async fn read(&mut self) -> Result<Vec<Stored>, StoreError> {
        let Some(mut log) = self.log.take() else { return Ok(Vec::new()) };
        let step = move || {
            let entries = log.read(LOG_READ_BYTES_MAX);
            (log, entries)
        };
        let Ok((log, entries)) = tokio::task::spawn_blocking(step).await else { return Ok(Vec::new()) };
        self.log = Some(log);
        let mut records = Vec::new();
        for entry in entries? {
            let batch = record::decode(entry.position, entry.record);
            let newer = || StoreError::Newer(format!("stream {:?}", self.stream.info().name));
            records.extend(batch.ok_or_else(newer)?.into_iter().filter(|r| r.id >= self.from));
        }
        Ok(records)
    }

    /// The next records, waited for; nothing once the stream was deleted or the store closed.
    pub async fn next(&mut self) -> Result<Option<Vec<Stored>>, StoreError> {
        loop {
            let progress = *self.progress.borrow_and_update();
            let position = self.log.as_ref().map_or(u64::MAX, log::Reader::position);
            if position < progress.next {
                match self.read().await {
                    Ok(records) if records.is_empty() => {}
                    Ok(records) => return Ok(Some(records)),
                    // The files of a deleted stream go while it is read.
                    Err(_) if self.progress.borrow().ended => return Ok(None),
                    Err(error) => return Err(error),
                }
            } else if progress.ended || self.progress.changed().await.is_err() {
                return Ok(None);
            }
        }
    }
}

impl Store {
    /// Reads a stream from a place on.
    pub fn reader(&self, stream: &str, start: Start) -> Result<Reader, StoreError> {
        Ok(self.stream(stream)?.reader(start))
    }
}
