//! Streams on disk: a catalog, and one [`crate::log`] a stream.
//!
//! ```text
//! FOLDER/catalog/…        creations and deletions
//! FOLDER/streams/NUMBER/… the log of one stream, named after the number of its creation
//! ```
//!
//! Invariant: whatever was answered (a created or deleted stream, a record id) is still so after a crash; record
//! ids of one stream strictly grow, and no id that was answered is ever given again.

mod catalog;
mod reader;
mod record;
mod stream;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

pub use catalog::FIRST_BATCH_ID;
pub use reader::{Reader, Start};
pub use record::{FLAG_JSON, FLAG_RAW, Record, RecordId, Stored};
pub use stream::Stream;

use catalog::{Catalog, Listed};

use crate::limits::{
    LOG_READ_BYTES_MAX, RECORD_BYTES_MAX, STREAM_NAME_CHARS_MAX, STREAM_NAMES_MAX, STREAMS_MAX,
};
use crate::log::{Log, LogError, Options, Repair, create_durably};

/// Why the store does not do what it was asked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// A stream of that name is there. The words are HStreamDB's.
    #[error("Stream already exists")]
    Exists,
    /// No stream of that name is there, and it was to be deleted. The words are HStreamDB's.
    #[error("Object does not exist")]
    Missing,
    /// No stream of that name is there.
    #[error("stream {0:?} does not exist: create it first with `CREATE STREAM {0};`")]
    NoStream(String),
    /// Such a name cannot be.
    #[error("{0:?} is no stream name: {1}")]
    Name(String, &'static str),
    /// A record above the bound.
    #[error("a payload of {0} bytes is above the bound of {RECORD_BYTES_MAX}")]
    RecordSize(usize),
    /// An append of nothing, or of too many records.
    #[error("an append holds 1 to {max} records, and this one {count}", max = crate::limits::APPEND_RECORDS_MAX)]
    BatchCount {
        /// How many it held.
        count: usize,
    },
    /// The bound on streams, or on names that are remembered, is reached.
    #[error("{what} (at most {max}): delete streams that are no longer needed")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// The bound.
        max: usize,
    },
    /// Bytes whose checksums are right say what this version does not know.
    #[error("{0}: written by a newer rulemill: use that one")]
    Newer(String),
    /// The log below.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A stream as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamInfo {
    /// Its name.
    pub name: String,
    /// What its creator asked for. The stand-in keeps one copy whatever it says.
    pub replication_factor: u32,
    /// When it was created, in ms since 1970.
    pub created_ms: u64,
}

/// All streams of a folder. Clones share them.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    /// Held over a whole creation or deletion, which happen one after the other.
    catalog: Mutex<(Catalog, Log)>,
    streams: RwLock<BTreeMap<String, Arc<Stream>>>,
}

impl Store {
    /// Opens all streams of a folder, and tells what a crash had torn there.
    pub fn open(folder: &Path) -> Result<(Store, Vec<Repair>), StoreError> {
        let (log, mut repairs) = Log::open(&folder.join("catalog"), Options::default())?;
        let mut catalog = Catalog::default();
        let mut reader = log.reader(log.first());
        loop {
            let entries = reader.read(LOG_READ_BYTES_MAX)?;
            if entries.is_empty() {
                break;
            }
            for entry in entries {
                let known = catalog.apply(entry.position, &entry.record);
                known.ok_or_else(|| StoreError::Newer(folder.join("catalog").display().to_string()))?;
            }
        }
        let root = folder.join("streams");
        remove_orphans(&root, &catalog)?;
        let mut streams = BTreeMap::new();
        for (name, listed) in &catalog.streams {
            let path = root.join(listed.folder.to_string());
            let (stream, cut) = Stream::open(name, &path, listed, false)?;
            repairs.extend(cut);
            streams.insert(name.clone(), Arc::new(stream));
        }
        let inner =
            Inner { folder: root, catalog: Mutex::new((catalog, log)), streams: RwLock::new(streams) };
        Ok((Store { inner: Arc::new(inner) }, repairs))
    }

    /// Makes a stream; durable when this returns, which takes some syncs of the disk.
    pub fn create(&self, name: &str, replication_factor: u32) -> Result<StreamInfo, StoreError> {
        check_name(name)?;
        let mut guard = self.catalog();
        let (catalog, log) = &mut *guard;
        if catalog.streams.contains_key(name) {
            return Err(StoreError::Exists);
        }
        let new_name = usize::from(!catalog.floors.contains_key(name));
        check_room(catalog.streams.len(), catalog.floors.len() + catalog.streams.len() + new_name)?;
        let (folder, first, created_ms) = (log.next(), catalog.first_id(name), now_ms());
        let listed = Listed { folder, first, replication_factor, created_ms };
        let path = self.inner.folder.join(folder.to_string());
        // What an earlier failed creation left would be taken for this stream's own.
        remove_folder(&path)?;
        let (stream, _) = Stream::open(name, &path, &listed, true)?;
        sync_folder(&self.inner.folder)?;
        let entry = catalog::create_entry(name, &listed);
        log.append_wait(entry.clone())?;
        let _ = catalog.apply(folder, &entry);
        let info = stream.info().clone();
        self.write().insert(name.to_owned(), Arc::new(stream));
        Ok(info)
    }

    /// Deletes a stream and its records; durable when this returns.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        let mut guard = self.catalog();
        let (catalog, log) = &mut *guard;
        let folder = catalog.streams.get(name).ok_or(StoreError::Missing)?.folder;
        let stream = self.stream(name)?;
        // From here on nothing is appended, so the next id is final.
        stream.close();
        let entry = catalog::delete_entry(name, stream.next_batch_id());
        let position = log.append_wait(entry.clone())?;
        let _ = catalog.apply(position, &entry);
        self.write().remove(name);
        stream.end();
        // What cannot be removed now goes at the next start: the catalog knows it no longer.
        let _ = fs::remove_dir_all(self.inner.folder.join(folder.to_string()));
        Ok(())
    }

    /// All streams by name.
    pub fn streams(&self) -> Vec<StreamInfo> {
        self.read().values().map(|s| s.info().clone()).collect()
    }

    /// A stream by name.
    pub fn stream(&self, name: &str) -> Result<Arc<Stream>, StoreError> {
        self.read().get(name).cloned().ok_or_else(|| StoreError::NoStream(name.to_owned()))
    }

    /// Appends one record and waits until it is durable.
    pub async fn append(&self, stream: &str, record: Record) -> Result<RecordId, StoreError> {
        let batch_id = self.stream(stream)?.append(&[record]).await?;
        Ok(RecordId { batch_id, batch_index: 0 })
    }

    /// Writes what waits and takes no more appends.
    pub fn close(&self) {
        let streams: Vec<_> = self.read().values().cloned().collect();
        for stream in streams {
            stream.close();
            stream.end();
        }
        self.catalog().1.close();
    }

    fn catalog(&self) -> MutexGuard<'_, (Catalog, Log)> {
        self.inner.catalog.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, BTreeMap<String, Arc<Stream>>> {
        self.inner.streams.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, BTreeMap<String, Arc<Stream>>> {
        self.inner.streams.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether one more stream fits, with so many names of deleted ones to remember.
fn check_room(streams: usize, names: usize) -> Result<(), StoreError> {
    if streams >= STREAMS_MAX {
        return Err(StoreError::TooMany { what: "too many streams", max: STREAMS_MAX });
    }
    if names > STREAM_NAMES_MAX {
        return Err(StoreError::TooMany {
            what: "too many stream names were ever used",
            max: STREAM_NAMES_MAX,
        });
    }
    Ok(())
}

/// HStreamDB v0.6.1 takes any name, the empty one too. Here a name can at least be written in a path and a line.
fn check_name(name: &str) -> Result<(), StoreError> {
    let why = if name.is_empty() {
        "it is empty"
    } else if name.chars().count() > STREAM_NAME_CHARS_MAX {
        "it has more than 255 characters"
    } else if name.contains('/') {
        "a path such as /streams/NAME:publish cannot hold a slash"
    } else if name.chars().any(char::is_control) {
        "it holds a control character"
    } else {
        return Ok(());
    };
    Err(StoreError::Name(name.to_owned(), why))
}

/// Milliseconds since 1970.
pub(crate) fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A crash between two steps leaves folders of streams that never were, or are no longer.
fn remove_orphans(root: &Path, catalog: &Catalog) -> Result<(), LogError> {
    create_durably(root, 0o700).map_err(|source| LogError::io("make", root, source))?;
    let fail = |source| LogError::io("list", root, source);
    for entry in fs::read_dir(root).map_err(fail)? {
        let path = entry.map_err(fail)?.path();
        let number = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u64>().ok());
        if number.is_some_and(|n| catalog.streams.values().all(|listed| listed.folder != n)) {
            remove_folder(&path)?;
        }
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), LogError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(LogError::io("delete", path, error))
        }
        _ => Ok(()),
    }
}

fn sync_folder(path: &Path) -> Result<(), LogError> {
    let synced = fs::File::open(path).and_then(|f| f.sync_all());
    synced.map_err(|source| LogError::io("sync", path, source))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::APPEND_RECORDS_MAX;

    #[test]
    fn names_and_numbers_of_streams_have_bounds() {
        let name = |chars: usize| check_name(&"é".repeat(chars)).is_ok();
        assert!(name(1) && name(STREAM_NAME_CHARS_MAX) && !name(0) && !name(STREAM_NAME_CHARS_MAX + 1));
        assert!(check_name("a\nb").is_err() && check_name("a/b").is_err() && check_name("a:b c").is_ok());
        let room = |streams, names| check_room(streams, names).map_err(|error| error.to_string());
        assert_eq!(room(STREAMS_MAX - 1, STREAM_NAMES_MAX), Ok(()));
        assert!(room(STREAMS_MAX, 0).unwrap_err().starts_with("too many streams (at most 256)"));
        assert!(
            room(0, STREAM_NAMES_MAX + 1).unwrap_err().starts_with("too many stream names were ever used")
        );
    }

    #[tokio::test]
    async fn batches_share_an_id_and_have_bounds() {
        let temp = tempfile::tempdir().unwrap();
        let (store, repairs) = Store::open(temp.path()).unwrap();
        assert_eq!(repairs, []);
        store.create("s", 1).unwrap();
        let stream = store.stream("s").unwrap();
        let append = async |n: usize| stream.append(&vec![Record::default(); n]).await;
        assert_eq!(append(2).await.unwrap(), FIRST_BATCH_ID);
        assert_eq!(append(APPEND_RECORDS_MAX).await.unwrap(), FIRST_BATCH_ID + 1);
        for bad in [0, APPEND_RECORDS_MAX + 1] {
            let error = append(bad).await.unwrap_err().to_string();
            assert_eq!(error, format!("an append holds 1 to 65536 records, and this one {bad}"));
        }
        let second = RecordId { batch_id: FIRST_BATCH_ID, batch_index: 1 };
        let read = stream.reader(Start::Id(second)).read().await.unwrap();
        assert_eq!((read[0].id, read[1].id.batch_index, read.len()), (second, 0, APPEND_RECORDS_MAX + 1));
    }

    #[tokio::test]
    async fn a_follower_sees_what_comes_and_the_end() {
        let temp = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(temp.path()).unwrap();
        store.create("s", 1).unwrap();
        let record = |payload: &'static str| Record { payload: payload.into(), ..Record::default() };
        store.append("s", record("before")).await.unwrap();
        let mut follower = store.reader("s", Start::Latest).unwrap();
        let (told, seen) = tokio::sync::oneshot::channel();
        let following = tokio::spawn(async move {
            told.send(follower.next().await.unwrap().unwrap()).unwrap();
            follower.next().await.unwrap()
        });
        store.append("s", record("after")).await.unwrap();
        let seen = seen.await.unwrap();
        assert_eq!((seen[0].record.payload.as_ref(), seen.len()), (&b"after"[..], 1));
        let deleting = store.clone();
        tokio::task::spawn_blocking(move || deleting.delete("s")).await.unwrap().unwrap();
        assert_eq!(following.await.unwrap(), None);
        assert!(matches!(store.append("s", record("late")).await, Err(StoreError::NoStream(_))));
    }
}
