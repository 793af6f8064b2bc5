//! Bytes of a segment file: its header, and batches of records with their checksums.
//!
//! ```text
//! segment  magic[8] first:u64 crc:u32 zero:u32
//! batch    magic[4] body_bytes:u32 first:u64 count:u32 crc:u32(of these 20) | count × (bytes:u32 …) crc:u32
//! ```
//! Numbers are little-endian. The head has a checksum of its own, so a length is never believed unchecked.
//!
//! Invariant: what does not decode to exactly what was encoded decodes to nothing.

use bytes::Bytes;

use crate::limits::{LOG_BATCH_BYTES_MAX, LOG_BATCH_RECORDS_MAX, LOG_RECORD_BYTES_MAX};

const SEGMENT_MAGIC: [u8; 8] = *b"rmlog 1\n";
pub(super) const BATCH_MAGIC: [u8; 4] = *b"\xf1rmb";
pub(super) const SEGMENT_HEAD: usize = 24;
pub(super) const BATCH_HEAD: usize = 24;
const TAIL: usize = 4;
const LENGTH: usize = 4;

/// The longest body that the writer makes: one batch may end with a record that goes over its bound.
pub(super) const BODY_MAX: usize =
    LOG_BATCH_BYTES_MAX + LOG_RECORD_BYTES_MAX + LENGTH * LOG_BATCH_RECORDS_MAX + TAIL;

/// What the head of a batch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchHead {
    pub(super) first: u64,
    pub(super) count: u32,
    pub(super) body_bytes: u32,
}

impl BatchHead {
    /// Bytes of the whole batch in the file.
    pub(super) fn file_bytes(&self) -> u64 {
        BATCH_HEAD as u64 + u64::from(self.body_bytes)
    }

    /// The position after the batch.
    pub(super) fn next(&self) -> u64 {
        self.first.saturating_add(u64::from(self.count))
    }
}

pub(super) fn encode_segment_head(first: u64) -> Vec<u8> {
    let mut out = SEGMENT_MAGIC.to_vec();
    out.extend(first.to_le_bytes());
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out.extend([0; 4]);
    out
}

pub(super) fn decode_segment_head(head: &[u8]) -> Option<u64> {
    let first = u64_at(head, 8)?;
    (head == encode_segment_head(first)).then_some(first)
}

pub(super) fn encode_batch(first: u64, records: &[Bytes], out: &mut Vec<u8>) {
    let start = out.len();
    let body_bytes = records.iter().map(|r| LENGTH + r.len()).sum::<usize>() + TAIL;
    debug_assert!(body_bytes <= BODY_MAX && records.len() <= LOG_BATCH_RECORDS_MAX);
    out.extend(BATCH_MAGIC);
    out.extend((body_bytes as u32).to_le_bytes());
    out.extend(first.to_le_bytes());
    out.extend((records.len() as u32).to_le_bytes());
    out.extend(crc32fast::hash(&out[start..]).to_le_bytes());
    let body = out.len();
    for record in records {
        out.extend((record.len() as u32).to_le_bytes());
        out.extend_from_slice(record);
    }
    out.extend(crc32fast::hash(&out[body..]).to_le_bytes());
}

pub(super) fn decode_batch_head(head: &[u8]) -> Option<BatchHead> {
    let sum = crc32fast::hash(head.get(..BATCH_HEAD - TAIL)?);
    if !head.starts_with(&BATCH_MAGIC) || u32_at(head, BATCH_HEAD - TAIL)? != sum {
        return None;
    }
    let found = BatchHead { body_bytes: u32_at(head, 4)?, first: u64_at(head, 8)?, count: u32_at(head, 16)? };
    (found.body_bytes as usize <= BODY_MAX && found.count as usize <= LOG_BATCH_RECORDS_MAX).then_some(found)
}

/// The records of a batch's body, which share its bytes.
pub(super) fn decode_body(head: &BatchHead, body: &Bytes) -> Option<Vec<Bytes>> {
    let records_end = body.len().checked_sub(TAIL)?;
    if body.len() != head.body_bytes as usize
        || u32_at(body, records_end)? != crc32fast::hash(&body[..records_end])
    {
        return None;
    }
    let mut records = Vec::with_capacity(head.count as usize);
    let mut at = 0;
    for _ in 0..head.count {
        let start = at + LENGTH;
        at = start.checked_add(u32_at(body, at)? as usize)?;
        if at > records_end {
            return None;
        }
        records.push(body.slice(start..at));
    }
    (at == records_end).then_some(records)
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_reads_back_and_no_flipped_bit_goes_unseen() {
        let records = [Bytes::from_static(b"one"), Bytes::new(), Bytes::from_static(b"three")];
        let mut file = Vec::new();
        encode_batch(7, &records, &mut file);
        let read = |file: &[u8]| {
            let head = decode_batch_head(&file[..BATCH_HEAD])?;
            Some((head.first, decode_body(&head, &Bytes::copy_from_slice(&file[BATCH_HEAD..]))?))
        };
        assert_eq!(read(&file), Some((7, records.to_vec())));
        for bit in 0..file.len() * 8 {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(read(&damaged), None, "bit {bit}");
        }
    }

    #[test]
    fn a_segment_head_names_its_first_position() {
        let head = encode_segment_head(u64::MAX);
        assert_eq!(head.len(), SEGMENT_HEAD);
        assert_eq!(decode_segment_head(&head), Some(u64::MAX));
        assert_eq!(decode_segment_head(&head[..SEGMENT_HEAD - 1]), None);
        assert_eq!(decode_segment_head(&[0; SEGMENT_HEAD]), None);
    }
}
