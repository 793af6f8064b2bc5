//! The writing end of a log: one thread, batches that form by themselves, and what readers may see.
//!
//! Invariant: `committed` moves only after a sync, and never past bytes that were not written whole.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use bytes::Bytes;

use super::segment::{self, Segment, file_name, sync_folder};
use super::{LogError, Options, Reader, Repair, frame};
use crate::limits::{LOG_BATCH_BYTES_MAX, LOG_BATCH_RECORDS_MAX, LOG_QUEUE_BYTES_MAX, LOG_RECORD_BYTES_MAX};

/// Called once with the position of a durable record, or with why there is none.
pub type Completion = Box<dyn FnOnce(Result<u64, LogError>) + Send>;

/// What a log does with a segment file.
pub trait Medium: Send {
    /// Appends all bytes.
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()>;
    /// Makes them durable.
    fn sync(&mut self) -> std::io::Result<()>;
    /// Shortens the file.
    fn cut(&mut self, bytes: u64) -> std::io::Result<()>;
}

impl Medium for File {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.write_all(bytes)
    }

    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
        self.set_len(bytes)?;
        self.sync_data()
    }
}

/// A log open for appending; dropping it writes what still waits.
pub struct Log {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the writing thread, appenders and readers share.
pub(super) struct Shared {
    folder: PathBuf,
    queue: Mutex<Queue>,
    ready: Condvar,
    segments: RwLock<Vec<Segment>>,
    committed: AtomicU64,
}

#[derive(Default)]
struct Queue {
    pending: VecDeque<(Bytes, Completion)>,
    bytes: usize,
    closing: bool,
    failed: Option<Arc<str>>,
}

impl Log {
    /// Opens the log in a folder, checks all of it, and cuts what a crash tore.
    pub fn open(folder: &Path, options: Options) -> Result<(Log, Vec<Repair>), LogError> {
        let (segments, repairs) = load(folder, &options)?;
        let next = segments.last().map_or(options.first, |s| s.next);
        let active = Active::open(folder, &options, segments.last())?;
        let shared = Arc::new(Shared {
            folder: folder.to_owned(),
            queue: Mutex::default(),
            ready: Condvar::new(),
            segments: RwLock::new(segments),
            committed: AtomicU64::new(next),
        });
        let writer = Writer { shared: Arc::clone(&shared), active, next, options, buffer: Vec::new() };
        let thread = std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || writer.run())
            .map_err(|source| LogError::io("start the writing thread of", folder, source))?;
        Ok((Log { shared, thread: Mutex::new(Some(thread)) }, repairs))
    }

    /// Hands a record over. `done` is called once it is durable, or with the reason why it is not; when this
    /// itself fails, `done` is not called.
    pub fn append(&self, record: Bytes, done: Completion) -> Result<(), LogError> {
        if record.len() > LOG_RECORD_BYTES_MAX {
            return Err(LogError::TooLarge { size: record.len(), max: LOG_RECORD_BYTES_MAX });
        }
        let mut queue = self.shared.queue();
        if let Some(reason) = &queue.failed {
            return Err(LogError::Failed { reason: Arc::clone(reason) });
        }
        if queue.closing {
            return Err(LogError::Closed);
        }
        if queue.bytes + record.len() > LOG_QUEUE_BYTES_MAX {
            return Err(LogError::Full { waiting: queue.bytes, max: LOG_QUEUE_BYTES_MAX });
        }
        queue.bytes += record.len();
        queue.pending.push_back((record, done));
        drop(queue);
        self.shared.ready.notify_one();
        Ok(())
    }

    /// Appends and waits until the record is durable.
    pub fn append_wait(&self, record: Bytes) -> Result<u64, LogError> {
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        self.append(record, Box::new(move |outcome| drop(send.send(outcome))))?;
        receive.recv().unwrap_or(Err(LogError::Closed))
    }

    /// The first position that is kept.
    pub fn first(&self) -> u64 {
        self.shared.segments().first().map_or(0, |s| s.first)
    }

    /// The position after the last durable record.
    pub fn next(&self) -> u64 {
        self.shared.committed()
    }

    /// Reads from a position on; one beyond the end waits there for what comes.
    pub fn reader(&self, from: u64) -> Reader {
        Reader::new(Arc::clone(&self.shared), from)
    }

    /// Deletes whole segments below a position, but never the one that is written.
    pub fn trim(&self, below: u64) -> Result<(), LogError> {
        loop {
            let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
            if segments.len() < 2 || segments[0].next > below {
                return Ok(());
            }
            let gone = segments.remove(0);
            drop(segments);
            fs::remove_file(&*gone.path).map_err(|source| LogError::io("delete", &gone.path, source))?;
        }
    }

    /// Writes what waits, marks the end, and takes no more. Reading goes on.
    pub fn close(&self) {
        self.shared.queue().closing = true;
        self.shared.ready.notify_one();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A panic of the writer has dropped all completions, and their callers saw that.
            let _ = thread.join();
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn segments(&self) -> std::sync::RwLockReadGuard<'_, Vec<Segment>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn committed(&self) -> u64 {
        self.committed.load(Ordering::Acquire)
    }

    /// Where to begin reading for a committed position.
    pub(super) fn place_of(&self, position: u64) -> Result<Place, LogError> {
        let segments = self.segments();
        let first = segments.first().map_or(0, |s| s.first);
        let after = segments.partition_point(|s| s.next <= position);
        let found = segments.get(after).filter(|s| s.first <= position);
        let segment = found.ok_or(LogError::Trimmed { position, first })?;
        let offset = segment.offset_before(position);
        Ok(Place { path: Arc::clone(&segment.path), offset, committed_bytes: segment.bytes })
    }
}

/// Where a position is found.
pub(super) struct Place {
    pub(super) path: Arc<Path>,
    /// Start of a batch at or before it.
    pub(super) offset: u64,
    /// How far the file may be read.
    pub(super) committed_bytes: u64,
}

/// Scans what is there. A log that is made anew gets its folder.
fn load(folder: &Path, options: &Options) -> Result<(Vec<Segment>, Vec<Repair>), LogError> {
    if options.create {
        super::create_durably(folder, 0o700).map_err(|source| LogError::io("make", folder, source))?;
    }
    let files = segment::list(folder)?;
    if files.is_empty() && !options.create {
        return Err(LogError::Missing { path: folder.to_owned() });
    }
    let (mut segments, mut repairs) = (Vec::<Segment>::new(), Vec::new());
    for (i, (first, path)) in files.iter().enumerate() {
        if let Some(before) = segments.last().filter(|s| s.next != *first) {
            let why =
                format!("position {first} follows, where {} should: a segment file is missing", before.next);
            return Err(segment::corrupt(path, 0, &why));
        }
        let (segment, repair) = segment::scan(path, *first, i + 1 == files.len())?;
        segments.push(segment);
        repairs.extend(repair);
    }
    Ok((segments, repairs))
}

/// The segment file that is written.
struct Active {
    path: PathBuf,
    medium: Box<dyn Medium>,
    bytes: u64,
    /// Whether batches came since the last end mark.
    dirty: bool,
}

impl Active {
    /// Goes on with the last segment after cutting what does not belong, or begins the first.
    fn open(folder: &Path, options: &Options, last: Option<&Segment>) -> Result<Active, LogError> {
        let Some(last) = last else { return Active::create(folder, options, options.first) };
        if last.bytes == 0 {
            fs::remove_file(&*last.path).map_err(|source| LogError::io("delete", &last.path, source))?;
            return Active::create(folder, options, last.first);
        }
        let fail = |source| LogError::io("open", &last.path, source);
        let file = File::options().append(true).open(&*last.path).map_err(fail)?;
        let torn = file.metadata().map_err(fail)?.len() > last.bytes;
        let mut medium = options.medium(file);
        if torn {
            medium.cut(last.bytes).map_err(|source| LogError::io("cut", &last.path, source))?;
        }
        Ok(Active { path: last.path.to_path_buf(), medium, bytes: last.bytes, dirty: !last.ended })
    }

    fn create(folder: &Path, options: &Options, first: u64) -> Result<Active, LogError> {
        let path = folder.join(file_name(first));
        let fail = |source| LogError::io("make", &path, source);
        let file = File::options().append(true).create_new(true).open(&path).map_err(fail)?;
        let mut medium = options.medium(file);
        let head = frame::encode_segment_head(first);
        medium.append(&head).and_then(|()| medium.sync()).map_err(fail)?;
        sync_folder(folder)?;
        Ok(Active { path, medium, bytes: head.len() as u64, dirty: true })
    }

    /// Writes one batch and makes it durable. After an error the file is cut back, as far as the disk lets us.
    fn write(&mut self, batch: &[u8]) -> Result<(), LogError> {
        let outcome = match self.medium.append(batch) {
            Ok(()) => self.medium.sync().map_err(|source| LogError::io("sync", &self.path, source)),
            Err(source) => Err(LogError::io("write", &self.path, source)),
        };
        match outcome {
            Ok(()) => self.bytes += batch.len() as u64,
            Err(_) => drop(self.medium.cut(self.bytes)),
        }
        outcome
    }
}

impl Options {
    fn medium(&self, file: File) -> Box<dyn Medium> {
        match &self.medium {
            Some(wrap) => wrap(file),
            None => Box::new(file),
        }
    }
}

/// The thread that writes.
struct Writer {
    shared: Arc<Shared>,
    active: Active,
    next: u64,
    options: Options,
    buffer: Vec<u8>,
}

impl Writer {
    fn run(mut self) {
        self.announce();
        while let Some((records, completions)) = self.take() {
            let first = self.next;
            match self.commit(&records) {
                Ok(()) => (first..).zip(completions).for_each(|(position, done)| done(Ok(position))),
                Err(error) => return self.fail(&error, completions),
            }
        }
        self.end();
    }

    /// A log that begins, or whose first segment was torn at birth, has a segment that is not listed yet.
    fn announce(&mut self) {
        let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
        match segments.last_mut() {
            Some(last) if *last.path == *self.active.path => last.bytes = self.active.bytes,
            _ => segments.push(Segment::new(&self.active.path, self.next)),
        }
    }

    /// Waits for records and takes what one batch may hold; nothing when the log is closing.
    fn take(&self) -> Option<(Vec<Bytes>, Vec<Completion>)> {
        let idle = |queue: &mut Queue| queue.pending.is_empty() && !queue.closing;
        let queue = self.shared.ready.wait_while(self.shared.queue(), idle);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        let (mut records, mut completions, mut bytes) = (Vec::new(), Vec::new(), 0);
        while bytes < LOG_BATCH_BYTES_MAX && records.len() < LOG_BATCH_RECORDS_MAX {
            let Some((record, done)) = queue.pending.pop_front() else { break };
            bytes += record.len();
            records.push(record);
            completions.push(done);
        }
        queue.bytes -= bytes;
        (!records.is_empty()).then_some((records, completions))
    }

    fn commit(&mut self, records: &[Bytes]) -> Result<(), LogError> {
        self.buffer.clear();
        frame::encode_batch(self.next, records, &mut self.buffer);
        if self.active.bytes > frame::SEGMENT_HEAD as u64
            && self.active.bytes + self.buffer.len() as u64 > self.options.segment_bytes
        {
            self.active = Active::create(&self.shared.folder, &self.options, self.next)?;
            self.announce();
        }
        self.active.write(&self.buffer)?;
        self.active.dirty = true;
        self.next += records.len() as u64;
        {
            let mut segments = self.shared.segments.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(last) = segments.last_mut() {
                last.push(self.next, self.buffer.len() as u64);
            }
        }
        self.shared.committed.store(self.next, Ordering::Release);
        if let Some(tell) = &self.options.on_commit {
            tell(self.next);
        }
        if self.buffer.capacity() > 2 * LOG_BATCH_BYTES_MAX {
            self.buffer = Vec::new();
        }
        Ok(())
    }

    /// Refuses everything from now on: after a failed write or sync nobody knows what the disk holds.
    fn fail(&self, error: &LogError, completions: Vec<Completion>) {
        let waiting = {
            let mut queue = self.shared.queue();
            queue.failed = Some(error.to_string().into());
            queue.bytes = 0;
            std::mem::take(&mut queue.pending)
        };
        completions.into_iter().chain(waiting.into_iter().map(|(_, done)| done)).for_each(|done| {
            done(Err(error.clone()));
        });
    }

    /// The end mark, by which the next start tells damage to the last records from a torn write.
    fn end(&mut self) {
        if self.active.dirty {
            self.buffer.clear();
            frame::encode_batch(self.next, &[], &mut self.buffer);
            // Without the mark the log is as good, only less able to tell.
            let _ = self.active.write(&self.buffer);
        }
    }
}
