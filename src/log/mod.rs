//! The segment log: an append-only, checksummed sequence of records in a folder.
//!
//! HStreamDB's streams and the disk buffer of deliveries are both such logs. A record is a run of bytes with a
//! position, a `u64` that grows by one. Files are named after their first position and hold *batches*: what
//! one write and one `fdatasync` made durable together. One thread writes; while it syncs, further appends
//! gather into the next batch, so many callers share one sync and a lone caller never waits for company.
//!
//! A crash can tear only the last batch, which nobody was told of: it is cut at the next start and reported.
//! Damage anywhere else is an error with file and offset. A clean close ends the file with an empty batch,
//! and from then on damage to the last records is told from a torn tail too.
//!
//! Invariant: an append is answered with its position only after its bytes are durable, and a position that
//! was answered once is never given to another record.

mod folder;
mod frame;
mod reader;
mod segment;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use folder::{Folder, FolderError, create_durably};
pub use reader::{Entry, Reader};
pub use writer::{Completion, Log, Medium};

use crate::limits::LOG_SEGMENT_BYTES_MAX;

/// Why a log cannot be opened, appended to or read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// The system refused a read, a write or a sync.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// What was tried, such as `write`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: Arc<std::io::Error>,
    },
    /// Bytes are not what was once written there.
    #[error(
        "{}: damaged at byte {offset}: {why}; nothing was changed. Restore the file from a copy, or move its \
         folder away to begin anew",
        path.display()
    )]
    Corrupt {
        /// The segment file.
        path: PathBuf,
        /// Where in it.
        offset: u64,
        /// What does not fit.
        why: String,
    },
    /// There is no log in the folder.
    #[error("{}: no segment file here", path.display())]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// An earlier write failed; what is on the disk since is not known.
    #[error("the log takes no more records until it is opened again, since: {reason}")]
    Failed {
        /// The error that stopped it.
        reason: Arc<str>,
    },
    /// The log was closed.
    #[error("the log is closed")]
    Closed,
    /// More bytes wait for the disk than may.
    #[error("{waiting} bytes wait for the disk already (at most {max}): slow down and try again")]
    Full {
        /// Bytes waiting.
        waiting: usize,
        /// The bound.
        max: usize,
    },
    /// A record above the bound.
    #[error("a record of {size} bytes is above the bound of {max}")]
    TooLarge {
        /// Its bytes.
        size: usize,
        /// The bound.
        max: usize,
    },
    /// The record asked for was trimmed away.
    #[error("position {position} is no longer kept; the log begins at {first}")]
    Trimmed {
        /// What was asked for.
        position: u64,
        /// The first position still there.
        first: u64,
    },
}

impl LogError {
    pub(crate) fn io(what: &'static str, path: &Path, source: std::io::Error) -> LogError {
        LogError::Io { what, path: path.to_owned(), source: Arc::new(source) }
    }
}

/// How to open a log.
#[derive(Clone)]
pub struct Options {
    /// Position of the first record, when the log is new.
    pub first: u64,
    /// Make the log when the folder holds none; else that is [`LogError::Missing`].
    pub create: bool,
    /// Bytes of a segment before the next begins.
    pub segment_bytes: u64,
    /// Called after each commit with the next free position, by the writing thread.
    pub on_commit: Option<Arc<dyn Fn(u64) + Send + Sync>>,
    /// What stands between the log and its files. Tests put faults here.
    pub medium: Option<Arc<WrapMedium>>,
}

/// Makes a medium of a segment file.
pub type WrapMedium = dyn Fn(std::fs::File) -> Box<dyn Medium> + Send + Sync;

impl Default for Options {
    fn default() -> Options {
        Options {
            first: 0,
            create: true,
            segment_bytes: LOG_SEGMENT_BYTES_MAX,
            on_commit: None,
            medium: None,
        }
    }
}

/// What a start found torn by a crash, and cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    /// The segment file.
    pub path: PathBuf,
    /// Where it was cut.
    pub offset: u64,
    /// How many bytes went. None of them was ever answered as stored.
    pub bytes: u64,
}

impl std::fmt::Display for Repair {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Repair { path, offset, bytes } = self;
        let path = path.display();
        write!(
            f,
            "{path}: cut {bytes} bytes at byte {offset}, a write that a crash had torn and nobody was told of"
        )
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Error;
    use std::sync::Mutex;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use bytes::Bytes;

    use super::*;

    fn open(folder: &Path, options: Options) -> (Log, Vec<Repair>) {
        Log::open(folder, options).unwrap()
    }

    fn options() -> Options {
        Options { first: 100, segment_bytes: 200, ..Options::default() }
    }

    fn all(log: &Log) -> Vec<(u64, String)> {
        let entries = log.reader(log.first()).read(usize::MAX).unwrap();
        entries.into_iter().map(|e| (e.position, String::from_utf8(e.record.to_vec()).unwrap())).collect()
    }

    fn fill(log: &Log, texts: std::ops::Range<u32>) -> Vec<(u64, String)> {
        let put = |i: u32| (log.append_wait(format!("record {i}").into()).unwrap(), format!("record {i}"));
        texts.map(put).collect()
    }

    fn last_segment(folder: &Path) -> PathBuf {
        segment::list(folder).unwrap().pop().unwrap().1
    }

    #[test]
    fn records_read_back_over_segments_and_starts_from_any_position() {
        let temp = tempfile::tempdir().unwrap();
        let mut written = Vec::new();
        for start in [0, 20, 40] {
            let (log, repairs) = open(temp.path(), options());
            assert_eq!(repairs, []);
            written.extend(fill(&log, start..start + 20));
            assert_eq!(all(&log), written);
            assert_eq!(log.next(), 100 + u64::from(start) + 20);
        }
        let (log, _) = open(temp.path(), options());
        assert_eq!((log.first(), log.next()), (100, 160));
        assert!(segment::list(temp.path()).unwrap().len() > 5);
        for from in 100..160 {
            let mut reader = log.reader(from);
            assert_eq!(reader.read(1).unwrap()[0].position, from);
            assert_eq!(reader.read(usize::MAX).unwrap().len() as u64, 159 - from);
            assert_eq!(reader.read(1).unwrap(), []);
        }
    }

    #[test]
    fn trimming_drops_whole_segments_below_a_position() {
        let temp = tempfile::tempdir().unwrap();
        let (log, _) = open(temp.path(), options());
        let written = fill(&log, 0..40);
        log.trim(120).unwrap();
        let first = log.first();
        assert!(first > 100 && first <= 120, "{first}");
        assert_eq!(all(&log), written[(first - 100) as usize..]);
        let gone = log.reader(100).read(1).unwrap_err().to_string();
        assert_eq!(gone, format!("position 100 is no longer kept; the log begins at {first}"));
        log.trim(u64::MAX).unwrap();
        assert_eq!(log.next(), 140);
        drop(log);
        assert_eq!(open(temp.path(), options()).0.next(), 140);
    }

    #[test]
    fn a_torn_tail_is_cut_wherever_it_tore_and_reported() {
        let temp = tempfile::tempdir().unwrap();
        let big = Options { segment_bytes: 1 << 20, ..options() };
        let (log, _) = open(temp.path(), big.clone());
        let kept = fill(&log, 0..3);
        let path = last_segment(temp.path());
        let start = fs::metadata(&path).unwrap().len();
        log.append_wait(Bytes::from_static(b"the last one")).unwrap();
        let whole = fs::read(&path).unwrap();
        drop(log);
        for end in start as usize + 1..whole.len() {
            fs::write(&path, &whole[..end]).unwrap();
            let (log, repairs) = open(temp.path(), big.clone());
            assert_eq!(repairs, [Repair { path: path.clone(), offset: start, bytes: end as u64 - start }]);
            assert_eq!(all(&log), kept);
            assert_eq!(log.append_wait(Bytes::from_static(b"x")).unwrap(), 103);
        }
    }

    #[test]
    fn a_segment_torn_at_birth_begins_anew() {
        let temp = tempfile::tempdir().unwrap();
        let (log, _) = open(temp.path(), options());
        let kept = fill(&log, 0..6);
        drop(log);
        for torn in [&b""[..], &[0; frame::SEGMENT_HEAD]] {
            fs::write(temp.path().join(segment::file_name(106)), torn).unwrap();
            let (log, repairs) = open(temp.path(), options());
            assert_eq!(repairs.len(), 1);
            assert_eq!(all(&log), kept);
            drop(log);
        }
    }

    #[test]
    fn after_a_clean_close_no_flipped_byte_loses_a_record_silently() {
        let temp = tempfile::tempdir().unwrap();
        let (log, _) = open(temp.path(), options());
        let written = fill(&log, 0..12);
        drop(log);
        for (_, path) in segment::list(temp.path()).unwrap() {
            let good = fs::read(&path).unwrap();
            for at in 0..good.len() {
                let mut bad = good.clone();
                bad[at] ^= 0x10;
                fs::write(&path, &bad).unwrap();
                match Log::open(temp.path(), options()) {
                    // Only the end mark may go: it holds no record.
                    Ok((log, repairs)) => assert_eq!((all(&log), repairs.len()), (written.clone(), 1)),
                    Err(LogError::Corrupt { path: named, offset, .. }) => {
                        assert!(named == path && offset <= at as u64, "{named:?} {offset} {at}");
                    }
                    Err(other) => panic!("{other}"),
                }
                fs::write(&path, &good).unwrap();
            }
        }
    }

    #[test]
    fn a_missing_segment_is_an_error() {
        let temp = tempfile::tempdir().unwrap();
        let (log, _) = open(temp.path(), options());
        fill(&log, 0..20);
        drop(log);
        fs::remove_file(&segment::list(temp.path()).unwrap()[1].1).unwrap();
        let error = Log::open(temp.path(), options()).err().unwrap().to_string();
        assert!(error.contains("a segment file is missing"), "{error}");
        let none = Options { create: false, ..options() };
        let empty = tempfile::tempdir().unwrap();
        assert!(matches!(Log::open(empty.path(), none), Err(LogError::Missing { .. })));
    }

    #[test]
    fn records_and_queues_have_bounds() {
        use crate::limits::{LOG_QUEUE_BYTES_MAX, LOG_RECORD_BYTES_MAX};
        let temp = tempfile::tempdir().unwrap();
        let gate = Gate::default();
        let (log, _) = open(temp.path(), gate.options());
        let largest = Bytes::from(vec![7; LOG_RECORD_BYTES_MAX]);
        let (told, outcomes) = channel();
        let ask = |record: &Bytes| {
            let told = told.clone();
            log.append(record.clone(), Box::new(move |outcome| told.send(outcome.is_ok()).unwrap()))
        };
        let larger = Bytes::from(vec![7; LOG_RECORD_BYTES_MAX + 1]);
        assert!(matches!(ask(&larger), Err(LogError::TooLarge { .. })));
        ask(&largest).unwrap();
        gate.entered();
        for _ in 0..LOG_QUEUE_BYTES_MAX / LOG_RECORD_BYTES_MAX {
            ask(&largest).unwrap();
        }
        assert!(matches!(ask(&Bytes::from_static(b"x")), Err(LogError::Full { .. })));
        gate.open_for_good();
        assert_eq!(outcomes.iter().take(9).filter(|ok| *ok).count(), 9);
    }

    /// A medium whose syncs wait until the test lets them go.
    #[derive(Default, Clone)]
    struct Gate {
        ends: Arc<Mutex<Option<GateEnds>>>,
    }

    struct GateEnds {
        entered: Receiver<()>,
        leave: Option<Sender<()>>,
    }

    struct GatedFile {
        file: File,
        entered: Sender<()>,
        leave: Receiver<()>,
        heads: u32,
    }

    impl Medium for GatedFile {
        fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            Medium::append(&mut self.file, bytes)
        }
        fn sync(&mut self) -> std::io::Result<()> {
            self.heads += 1;
            if self.heads > 1 {
                let _ = self.entered.send(());
                let _ = self.leave.recv();
            }
            Ok(())
        }
        fn cut(&mut self, bytes: u64) -> std::io::Result<()> {
            Medium::cut(&mut self.file, bytes)
        }
    }

    impl Gate {
        fn options(&self) -> Options {
            let ends = Arc::clone(&self.ends);
            let medium = move |file| -> Box<dyn Medium> {
                let ((entered, entries), (go, leave)) = (channel(), channel());
                *ends.lock().unwrap() = Some(GateEnds { entered: entries, leave: Some(go) });
                Box::new(GatedFile { file, entered, leave, heads: 0 })
            };
            Options {
                medium: Some(Arc::new(medium)),
                first: 1,
                segment_bytes: u64::MAX,
                ..Options::default()
            }
        }
        fn entered(&self) {
            self.ends.lock().unwrap().as_ref().unwrap().entered.recv().unwrap();
        }
        fn release(&self) {
            self.ends.lock().unwrap().as_ref().unwrap().leave.as_ref().unwrap().send(()).unwrap();
        }
        fn open_for_good(&self) {
            self.ends.lock().unwrap().as_mut().unwrap().leave = None;
        }
    }

    #[test]
    fn appends_that_come_during_a_sync_share_the_next_one_and_none_is_answered_before() {
        let temp = tempfile::tempdir().unwrap();
        let gate = Gate::default();
        let (log, _) = open(temp.path(), gate.options());
        let (told, outcomes) = channel();
        let ask = |text: &'static str| {
            let told = told.clone();
            let done = move |outcome: Result<u64, LogError>| told.send(outcome.unwrap()).unwrap();
            log.append(Bytes::from_static(text.as_bytes()), Box::new(done)).unwrap();
        };
        ask("first");
        gate.entered();
        for _ in 0..10 {
            ask("later");
        }
        assert!(outcomes.try_recv().is_err() && log.reader(1).read(9).unwrap().is_empty());
        gate.release();
        gate.entered();
        assert_eq!(outcomes.try_iter().collect::<Vec<_>>(), [1]);
        gate.release();
        assert_eq!(outcomes.iter().take(10).collect::<Vec<_>>(), (2..12).collect::<Vec<_>>());
        gate.open_for_good();
    }

    /// A disk with room for so many bytes.
    struct SmallDisk(File, Arc<Mutex<usize>>);

    impl Medium for SmallDisk {
        fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
            let mut room = self.1.lock().unwrap();
            let fits = bytes.len().min(*room);
            *room -= fits;
            Medium::append(&mut self.0, &bytes[..fits])?;
            if fits < bytes.len() { Err(Error::from(std::io::ErrorKind::StorageFull)) } else { Ok(()) }
        }
        fn sync(&mut self) -> std::io::Result<()> {
            Medium::sync(&mut self.0)
        }
        fn cut(&mut self, _: u64) -> std::io::Result<()> {
            Err(Error::from(std::io::ErrorKind::StorageFull))
        }
    }

    #[test]
    fn a_full_disk_fails_the_append_and_all_further_ones_and_loses_nothing_answered() {
        let temp = tempfile::tempdir().unwrap();
        let room = Arc::new(Mutex::new(500));
        let medium = move |file| -> Box<dyn Medium> { Box::new(SmallDisk(file, Arc::clone(&room))) };
        let small = Options { medium: Some(Arc::new(medium)), ..options() };
        let (log, _) = open(temp.path(), small);
        let mut stored = Vec::new();
        let error = loop {
            match log.append_wait(Bytes::from_static(b"some bytes")) {
                Ok(position) => stored.push((position, "some bytes".to_owned())),
                Err(error) => break error.to_string(),
            }
        };
        assert!(stored.len() > 3 && error.starts_with("write ") || error.starts_with("make "), "{error}");
        let again = log.append_wait(Bytes::from_static(b"x")).unwrap_err().to_string();
        assert!(
            again.starts_with("the log takes no more records until it is opened again, since: "),
            "{again}"
        );
        assert_eq!(all(&log), stored);
        drop(log);
        let (log, repairs) = open(temp.path(), options());
        assert_eq!(all(&log), stored);
        assert_eq!(repairs.len(), 1);
    }
}
