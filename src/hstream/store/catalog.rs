//! Which streams there are: a log of creations and deletions, in JSON.
//!
//! Invariant: ids of a deleted stream are never given again, also not by a new stream of its name.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

/// The first batch id of a stream whose name is new: what HStreamDB's store, LogDevice, gives first. The upper
/// half counts epochs, the lower one batches.
pub const FIRST_BATCH_ID: u64 = (2 << 32) | 1;

/// A stream as the catalog knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    /// Name of its folder: the number of its creation.
    pub(super) folder: u64,
    pub(super) first: u64,
    pub(super) replication_factor: u32,
    pub(super) created_ms: u64,
}

/// All streams, and where the ids of deleted ones ended.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    pub(super) streams: BTreeMap<String, Listed>,
    pub(super) floors: BTreeMap<String, u64>,
}

impl Catalog {
    /// Applies one entry of the log; nothing when it is of a kind that is not known here.
    pub(super) fn apply(&mut self, folder: u64, entry: &[u8]) -> Option<()> {
        let entry: Value = serde_json::from_slice(entry).ok()?;
        let name = entry.get("name")?.as_str()?.to_owned();
        match entry.get("op")?.as_str()? {
            "create" => {
                let replication_factor = entry.get("replicationFactor")?.as_u64()?.try_into().ok()?;
                let first = entry.get("first")?.as_u64()?;
                let created_ms = entry.get("createdTime")?.as_u64()?;
                self.streams.insert(name, Listed { folder, first, replication_factor, created_ms });
            }
            "delete" => {
                self.streams.remove(&name);
                self.floors.insert(name, entry.get("next")?.as_u64()?);
            }
            _ => return None,
        }
        Some(())
    }

    /// Where the ids of a new stream begin: in the epoch after those that its name ever had.
    pub(super) fn first_id(&self, name: &str) -> u64 {
        self.floors.get(name).map_or(FIRST_BATCH_ID, |next| (((next - 1) >> 32) + 1) << 32 | 1)
    }
}

pub(super) fn create_entry(name: &str, listed: &Listed) -> Bytes {
    let Listed { first, replication_factor, created_ms, .. } = listed;
    let (first, replication, time) = (*first, *replication_factor, *created_ms);
    let entry = json!({"op": "create", "name": name, "first": first, "replicationFactor": replication, "createdTime": time});
    entry.to_string().into()
}

pub(super) fn delete_entry(name: &str, next: u64) -> Bytes {
    json!({"op": "delete", "name": name, "next": next}).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_comes_back_begins_in_the_next_epoch() {
        let mut catalog = Catalog::default();
        assert_eq!(catalog.first_id("s"), 8_589_934_593);
        let listed = Listed { folder: 5, first: FIRST_BATCH_ID, replication_factor: 3, created_ms: 9 };
        catalog.apply(5, &create_entry("s", &listed)).unwrap();
        assert_eq!(catalog.streams.get("s"), Some(&listed));
        catalog.apply(6, &delete_entry("s", FIRST_BATCH_ID)).unwrap();
        assert!(catalog.streams.is_empty());
        assert_eq!(catalog.first_id("s"), (3 << 32) | 1);
        catalog.apply(7, &delete_entry("s", (4 << 32) + 1)).unwrap();
        assert_eq!(catalog.first_id("s"), (5 << 32) | 1);
        assert_eq!(catalog.first_id("t"), FIRST_BATCH_ID);
        assert_eq!(catalog.apply(8, b"{\"op\":\"rename\",\"name\":\"s\"}"), None);
        assert_eq!(catalog.apply(8, b"?"), None);
    }
}
