//! Records, their ids, and their bytes in the log.
//!
//! One entry of a stream's log is one *batch*: the records of one append, which share a batch id and differ in
//! their index, as HStreamDB's record ids do.
//!
//! Invariant: `decode(encode(x)) == x`.

use std::fmt;
use std::str::FromStr;

use bytes::{Buf, BufMut, Bytes};

/// Layout of an entry.
const VERSION: u8 = 1;

/// `HStreamRecordHeader.Flag` JSON: the payload is JSON text, and SQL sees it.
pub const FLAG_JSON: i32 = 0;
/// `HStreamRecordHeader.Flag` RAW: the payload is any bytes, and SQL passes it by.
pub const FLAG_RAW: i32 = 1;

/// Where a record stands in its stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId {
    /// Grows from batch to batch.
    pub batch_id: u64,
    /// Index within the batch.
    pub batch_index: u32,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.batch_id, self.batch_index)
    }
}

impl FromStr for RecordId {
    type Err = String;

    /// `8589934593-0`, or a batch id alone, which means its first record.
    fn from_str(text: &str) -> Result<RecordId, String> {
        let (batch_id, batch_index) = text.split_once('-').unwrap_or((text, "0"));
        match (batch_id.parse(), batch_index.parse()) {
            (Ok(batch_id), Ok(batch_index)) => Ok(RecordId { batch_id, batch_index }),
            _ => Err(format!("{text:?} is no record id: write it as it is shown, such as 8589934593-0")),
        }
    }
}

/// What a client appends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// [`FLAG_JSON`], [`FLAG_RAW`], or whatever number the client sent.
    pub flag: i32,
    /// Ordering (later: partition) key; REST of v0.6.1 leaves it empty.
    pub key: String,
    /// Names and values beside the payload, which only gRPC can set.
    pub attributes: Vec<(String, String)>,
    /// The payload.
    pub payload: Bytes,
}

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub id: RecordId,
    /// When the server took it, in ms since 1970.
    pub publish_time_ms: u64,
    /// What the client sent.
    pub record: Record,
}

pub(super) fn encode(publish_time_ms: u64, records: &[Record]) -> Bytes {
    let mut out =
        Vec::with_capacity(records.iter().map(|r| r.payload.len() + r.key.len() + 32).sum::<usize>() + 16);
    out.put_u8(VERSION);
    out.put_u64_le(publish_time_ms);
    out.put_u32_le(records.len() as u32);
    for record in records {
        out.put_i32_le(record.flag);
        put_bytes(&mut out, record.key.as_bytes());
        out.put_u32_le(record.attributes.len() as u32);
        for (name, value) in &record.attributes {
            put_bytes(&mut out, name.as_bytes());
            put_bytes(&mut out, value.as_bytes());
        }
        put_bytes(&mut out, &record.payload);
    }
    out.into()
}

/// Nothing when the bytes, whose checksum was right, are of a layout that is not known here.
pub(super) fn decode(batch_id: u64, mut bytes: Bytes) -> Option<Vec<Stored>> {
    if bytes.try_get_u8().ok()? != VERSION {
        return None;
    }
    let publish_time_ms = bytes.try_get_u64_le().ok()?;
    let count = bytes.try_get_u32_le().ok()?;
    let mut records = Vec::new();
    for batch_index in 0..count {
        let flag = bytes.try_get_i32_le().ok()?;
        let key = get_text(&mut bytes)?;
        let mut attributes = Vec::new();
        for _ in 0..bytes.try_get_u32_le().ok()? {
            attributes.push((get_text(&mut bytes)?, get_text(&mut bytes)?));
        }
        let payload = get_bytes(&mut bytes)?;
        let record = Record { flag, key, attributes, payload };
        records.push(Stored { id: RecordId { batch_id, batch_index }, publish_time_ms, record });
    }
    bytes.is_empty().then_some(records)
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    out.put_u32_le(bytes.len() as u32);
    out.put_slice(bytes);
}

fn get_bytes(bytes: &mut Bytes) -> Option<Bytes> {
    let length = bytes.try_get_u32_le().ok()? as usize;
    (length <= bytes.len()).then(|| bytes.split_to(length))
}

fn get_text(bytes: &mut Bytes) -> Option<String> {
    String::from_utf8(get_bytes(bytes)?.into()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_with_its_flags_keys_and_attributes() {
        let one = Record {
            flag: 7,
            key: "k".into(),
            payload: Bytes::from_static(b"\xff\x00"),
            ..Record::default()
        };
        let attributes = vec![("a".to_owned(), "é".to_owned())];
        let two = Record { flag: -1, attributes, ..Record::default() };
        let bytes = encode(12, &[one.clone(), two.clone()]);
        let read = decode(9, bytes.clone()).unwrap();
        assert_eq!(read.iter().map(|s| s.id.to_string()).collect::<Vec<_>>(), ["9-0", "9-1"]);
        assert_eq!((&read[0].record, &read[1].record, read[1].publish_time_ms), (&one, &two, 12));
        for end in 0..bytes.len() {
            assert_eq!(decode(9, bytes.slice(..end)), None);
        }
    }

    #[test]
    fn ids_are_read_as_they_are_shown() {
        assert_eq!("8589934593-2".parse(), Ok(RecordId { batch_id: 8_589_934_593, batch_index: 2 }));
        assert_eq!("8589934593".parse(), Ok(RecordId { batch_id: 8_589_934_593, batch_index: 0 }));
        for bad in ["", "-", "x", "1-", "1-2-3", "-1", "18446744073709551616"] {
            let error = bad.parse::<RecordId>().unwrap_err();
            assert!(error.contains("is no record id"), "{error}");
        }
    }
}
