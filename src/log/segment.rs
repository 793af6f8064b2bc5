//! Segment files of a log: their names, their check at start, and the index into them.
//!
//! Invariant: after [`scan`] every byte of a segment below its length is a whole batch with right checksums,
//! and the positions go up by one from the segment's first.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::frame::{self, BATCH_HEAD, BATCH_MAGIC, BODY_MAX, BatchHead, SEGMENT_HEAD};
use super::{LogError, Repair};
use crate::limits::LOG_INDEX_STRIDE_BYTES;

/// What is known of a segment file.
#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) path: Arc<Path>,
    /// Position of its first record.
    pub(super) first: u64,
    /// The position after its last record.
    pub(super) next: u64,
    /// Bytes that are committed.
    pub(super) bytes: u64,
    /// Whether it ends with an empty batch, the mark of a clean close.
    pub(super) ended: bool,
    /// Positions and where their batches begin, one a stride.
    marks: Vec<(u64, u64)>,
}

impl Segment {
    pub(super) fn new(path: &Path, first: u64) -> Segment {
        let bytes = SEGMENT_HEAD as u64;
        Segment { path: path.into(), first, next: first, bytes, ended: false, marks: Vec::new() }
    }

    /// Takes note of a batch that stands at the end.
    pub(super) fn push(&mut self, next: u64, bytes: u64) {
        let due = self.marks.last().is_none_or(|(_, at)| self.bytes - at >= LOG_INDEX_STRIDE_BYTES);
        if due {
            self.marks.push((self.next, self.bytes));
        }
        self.ended = next == self.next;
        self.next = next;
        self.bytes += bytes;
    }

    /// Where to begin reading for a position.
    pub(super) fn offset_before(&self, position: u64) -> u64 {
        let after = self.marks.partition_point(|(first, _)| *first <= position);
        after.checked_sub(1).map_or(SEGMENT_HEAD as u64, |i| self.marks[i].1)
    }
}

pub(super) fn file_name(first: u64) -> String {
    // 20 digits hold every u64, so that names sort as positions do.
    format!("{first:020}.log")
}

/// Segment files of a folder in order, with the first position each name says.
pub(super) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let fail = |source| LogError::io("list", folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(fail)? {
        let name = entry.map_err(fail)?.file_name();
        let Some(digits) = name.to_str().and_then(|n| n.strip_suffix(".log")) else { continue };
        if let (20, Ok(first)) = (digits.len(), digits.parse()) {
            found.push((first, folder.join(name)));
        }
    }
    found.sort();
    Ok(found)
}

/// Checks a whole segment. Only the last one may end torn; then the repair to make is returned with it.
pub(super) fn scan(path: &Path, first: u64, last: bool) -> Result<(Segment, Option<Repair>), LogError> {
    let fail = |source| LogError::io("read", path, source);
    let mut file = File::open(path).map_err(fail)?;
    let size = file.metadata().map_err(fail)?.len();
    let mut segment = Segment::new(path, first);
    let mut reader = std::io::BufReader::with_capacity(1 << 20, &mut file);
    let mut head = [0; SEGMENT_HEAD];
    let whole = size >= SEGMENT_HEAD as u64;
    if whole {
        reader.read_exact(&mut head).map_err(fail)?;
    }
    if frame::decode_segment_head(&head) != Some(first) {
        if last && size <= SEGMENT_HEAD as u64 {
            // Made, but its head never reached the disk: it holds nothing.
            segment.bytes = 0;
            return Ok((segment, Some(Repair { path: path.to_owned(), offset: 0, bytes: size })));
        }
        return Err(corrupt(path, 0, "the segment's head does not fit its name"));
    }
    while segment.bytes < size {
        match read_batch(&mut reader, size - segment.bytes).map_err(fail)? {
            Some((head, _)) if head.first == segment.next => segment.push(head.next(), head.file_bytes()),
            Some((head, _)) => {
                let why = format!("position {} follows, where {} should", head.first, segment.next);
                return Err(corrupt(path, segment.bytes, &why));
            }
            None => return torn(&mut file, segment, size, last),
        }
    }
    Ok((segment, None))
}

/// The batch that a reader stands at; nothing where no whole one is.
pub(super) fn read_batch(
    reader: &mut impl Read,
    left: u64,
) -> std::io::Result<Option<(BatchHead, Vec<Bytes>)>> {
    let mut head = [0; BATCH_HEAD];
    if left < BATCH_HEAD as u64 {
        return Ok(None);
    }
    reader.read_exact(&mut head)?;
    let Some(head) = frame::decode_batch_head(&head) else { return Ok(None) };
    if head.file_bytes() > left {
        return Ok(None);
    }
    let mut body = vec![0; head.body_bytes as usize];
    reader.read_exact(&mut body)?;
    Ok(frame::decode_body(&head, &body.into()).map(|records| (head, records)))
}

/// Decides between a torn tail and damage: only one batch is ever under way, so behind a torn one stands nothing.
fn torn(
    file: &mut File,
    segment: Segment,
    size: u64,
    last: bool,
) -> Result<(Segment, Option<Repair>), LogError> {
    let (path, offset) = (segment.path.to_path_buf(), segment.bytes);
    let bytes = size - offset;
    if !last {
        return Err(corrupt(&path, offset, "no whole batch, and later segments exist"));
    }
    if bytes > (BATCH_HEAD + BODY_MAX) as u64 {
        return Err(corrupt(&path, offset, "no whole batch, and more follows than one write can leave"));
    }
    let fail = |source| LogError::io("read", &path, source);
    let mut rest = Vec::with_capacity(bytes as usize);
    file.seek(SeekFrom::Start(offset)).map_err(fail)?;
    file.take(bytes).read_to_end(&mut rest).map_err(fail)?;
    for at in 1..rest.len().saturating_sub(BATCH_HEAD) {
        if !rest[at..].starts_with(&BATCH_MAGIC) {
            continue;
        }
        let batch = read_batch(&mut &rest[at..], (rest.len() - at) as u64).map_err(fail)?;
        if batch.is_some_and(|(head, _)| head.first >= segment.next) {
            let why = format!("no whole batch, but one follows at byte {}", offset + at as u64);
            return Err(corrupt(&path, offset, &why));
        }
    }
    Ok((segment, Some(Repair { path, offset, bytes })))
}

pub(super) fn corrupt(path: &Path, offset: u64, why: &str) -> LogError {
    LogError::Corrupt { path: path.to_owned(), offset, why: why.to_owned() }
}

/// Makes a folder's entries durable: a new file is lost with its folder's page otherwise.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    File::open(folder).and_then(|f| f.sync_all()).map_err(|source| LogError::io("sync", folder, source))
}
