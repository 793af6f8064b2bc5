//! Reading a log from a position on, beside its writer.
//!
//! Invariant: a reader sees records in order without a gap, and only those that are durable.

use std::collections::VecDeque;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::LogError;
use super::frame::{self, BATCH_HEAD, BatchHead};
use super::segment::{self, corrupt};
use super::writer::{Place, Shared};

/// Bytes that one read from the file asks for.
const CHUNK_BYTES: u64 = 256 * 1024;

/// A record and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its position.
    pub position: u64,
    /// Its bytes.
    pub record: Bytes,
}

/// Reads records of a [`super::Log`] in order.
pub struct Reader {
    shared: Arc<Shared>,
    next: u64,
    open: Option<Open>,
    pending: VecDeque<Entry>,
}

struct Open {
    path: Arc<Path>,
    file: File,
    offset: u64,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, next: u64) -> Reader {
        Reader { shared, next, open: None, pending: VecDeque::new() }
    }

    /// The position that comes next.
    pub fn position(&self) -> u64 {
        self.next
    }

    /// Whole records until they hold `bytes_max` or more, or the end of what is durable; none at the end.
    pub fn read(&mut self, bytes_max: usize) -> Result<Vec<Entry>, LogError> {
        let (mut entries, mut bytes) = (Vec::new(), 0);
        while bytes < bytes_max {
            let Some(entry) = self.pending.pop_front() else {
                if self.next >= self.shared.committed() {
                    break;
                }
                self.fill()?;
                continue;
            };
            self.next = entry.position + 1;
            bytes += entry.record.len().max(1);
            entries.push(entry);
        }
        Ok(entries)
    }

    /// Takes the batches of the next chunk, which brings the next position nearer or in.
    fn fill(&mut self) -> Result<(), LogError> {
        let place = self.shared.place_of(self.next)?;
        let mut open = match self.open.take() {
            Some(open) if open.path == place.path => open,
            _ => Open::new(&place)?,
        };
        let chunk = open.chunk(&place)?;
        let (mut left, mut batches) = (chunk.as_slice(), 0);
        loop {
            let before = left;
            let batch = segment::read_batch(&mut left, before.len() as u64);
            let Some((head, records)) = batch.map_err(|source| open.fail(source))? else { break };
            batches += 1;
            open.offset += head.file_bytes();
            let entries = (head.first..).zip(records).map(|(position, record)| Entry { position, record });
            self.pending.extend(entries.filter(|entry| entry.position >= self.next));
        }
        if batches == 0 {
            return Err(corrupt(&open.path, open.offset, "what was written here reads back otherwise"));
        }
        self.open = Some(open);
        Ok(())
    }
}

impl Open {
    fn new(place: &Place) -> Result<Open, LogError> {
        let fail = |source| LogError::io("read", &place.path, source);
        let file = File::open(&*place.path).map_err(fail)?;
        Ok(Open { path: Arc::clone(&place.path), file, offset: place.offset })
    }

    fn fail(&self, source: std::io::Error) -> LogError {
        LogError::io("read", &self.path, source)
    }

    /// Some committed bytes from here on: at least the whole next batch, however long it is.
    fn chunk(&self, place: &Place) -> Result<Vec<u8>, LogError> {
        let left = place.committed_bytes.saturating_sub(self.offset);
        let mut chunk = self.bytes(left.min(CHUNK_BYTES))?;
        let head = chunk.get(..BATCH_HEAD).and_then(frame::decode_batch_head);
        let whole = head.as_ref().map_or(0, BatchHead::file_bytes);
        if whole > chunk.len() as u64 && whole <= left {
            chunk = self.bytes(whole)?;
        }
        Ok(chunk)
    }

    fn bytes(&self, count: u64) -> Result<Vec<u8>, LogError> {
        let mut bytes = vec![0; count as usize];
        self.file.read_exact_at(&mut bytes, self.offset).map_err(|source| self.fail(source))?;
        Ok(bytes)
    }
}
