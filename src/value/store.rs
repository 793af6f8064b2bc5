//! A table that rules fill entry by entry, for as long as the process lives.
//!
//! A [`Map`] is copied by each insertion; a table of many entries would never be full.
//!
//! Invariant: [`Store::put`] never leaves more than [`limits::STORE_ENTRIES_MAX`] entries and [`limits::STORE_BYTES_MAX`] bytes.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::weight::{self, TooMuch};
use super::{Map, Value, compare};
use crate::limits;

/// A key, in the order of a map's keys.
#[derive(Clone, Debug)]
struct Key(Value);

impl Ord for Key {
    fn cmp(&self, other: &Key) -> Ordering {
        compare::key_order(&self.0, &other.0)
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Key) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Key {}

/// Why an entry is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// There are as many entries as there may be.
    Entries,
    /// There is no room for its bytes.
    Bytes,
    /// It is nested too deeply.
    Depth,
}

/// The table.
#[derive(Clone, Debug, Default)]
pub struct Store {
    /// Each value with the bytes that its entry stands for.
    entries: BTreeMap<Key, (Value, u64)>,
    bytes: u64,
}

impl Store {
    /// The value under a key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.entries.get(&Key(key.clone())).map(|(value, _)| value)
    }

    /// Stores a value and gives the one that stood there.
    pub fn put(&mut self, key: &Value, value: &Value) -> Result<Option<Value>, Full> {
        let key = Key(key.clone());
        let before = self.entries.get(&key);
        if before.is_none() && self.entries.len() >= limits::STORE_ENTRIES_MAX {
            return Err(Full::Entries);
        }
        let others = self.bytes - before.map_or(0, |(_, bytes)| *bytes);
        let room = (limits::STORE_BYTES_MAX as u64).saturating_sub(others);
        let mut left = room;
        weight::spend(&mut left, &key.0).and_then(|()| weight::spend(&mut left, value)).map_err(|why| {
            match why {
                TooMuch::Bytes => Full::Bytes,
                TooMuch::Depth => Full::Depth,
            }
        })?;
        self.bytes = others + (room - left);
        Ok(self.entries.insert(key, (value.clone(), room - left)).map(|(value, _)| value))
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let (value, bytes) = self.entries.remove(&Key(key.clone()))?;
        self.bytes -= bytes;
        Some(value)
    }

    /// All entries.
    pub fn to_map(&self) -> Map {
        Map::from_sorted(self.entries.iter().map(|(key, (value, _))| (key.0.clone(), value.clone())))
    }
}

/// What a test file describes, which has bounds of its own.
impl From<&Map> for Store {
    fn from(map: &Map) -> Store {
        let mut store = Store::default();
        for (key, value) in map.entries() {
            let mut left = u64::MAX;
            // Too deep or not: what was read from a file is there.
            let _ = weight::spend(&mut left, key).and_then(|()| weight::spend(&mut left, value));
            let bytes = u64::MAX - left;
            store.bytes += bytes;
            store.entries.insert(Key(key.clone()), (value.clone(), bytes));
        }
        store
    }
}
