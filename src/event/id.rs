//! Message ids as EMQX makes them: 16 bytes, growing with time, shown as upper-case hex.
//!
//! Invariant: two ids of one [`Ids`] differ, and the later one sorts after the earlier one within a microsecond's
//! 65,536 messages.

use std::fmt::Write;

/// Makes message ids: 64 bits of microseconds, 48 bits of node, 16 bits of a counter (emqx_guid).
#[derive(Clone, Debug)]
pub struct Ids {
    node: u64,
    counter: u16,
}

impl Ids {
    /// Ids of one process; `node` should differ from process to process, and only its lower 48 bits count.
    pub fn new(node: u64) -> Ids {
        Ids { node: node & NODE_BITS, counter: 0 }
    }

    /// The next id, of a message made at this time.
    pub fn next(&mut self, now_us: u64) -> String {
        self.counter = self.counter.wrapping_add(1);
        let low = self.node << 16 | u64::from(self.counter);
        let mut id = String::with_capacity(32);
        // Writing to a String does not fail.
        let _ = write!(id, "{now_us:016X}{low:016X}");
        id
    }
}

/// What of an id is not its millisecond and its node: the rest of the time, and the counter. A broker that keeps
/// only a number beside a message can give the message its id back.
pub fn mark(id: &str) -> Option<u32> {
    let part = |digits: std::ops::Range<usize>| u64::from_str_radix(id.get(digits)?, 16).ok();
    let (us, counter) = (part(0..16)?, part(28..32)?);
    u32::try_from((us % 1000) << 16 | counter).ok()
}

/// The id that was made in this millisecond, on this node, and has this mark.
pub fn with_mark(ms: i64, node: u64, mark: u32) -> String {
    let us = u64::try_from(ms).unwrap_or(0) * 1000 + u64::from(mark >> 16);
    Ids { node: node & NODE_BITS, counter: (mark as u16).wrapping_sub(1) }.next(us)
}

const NODE_BITS: u64 = 0xFFFF_FFFF_FFFF;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_16_bytes_of_upper_case_hex_and_grow() {
        let mut ids = Ids::new(0xABCD_EF01_2345_6789);
        let first = ids.next(0x0005_F3A1);
        assert_eq!(first, "000000000005F3A1EF01234567890001");
        assert!(ids.next(0x0005_F3A1) > first);
    }

    #[test]
    fn an_id_comes_back_from_its_millisecond_its_node_and_its_mark() {
        let mut ids = Ids { node: 7, counter: 0xFFFE };
        for us in [0, 999, 1_700_000_000_123_456, 1_700_000_000_123_999] {
            let id = ids.next(us);
            assert_eq!(with_mark((us / 1000) as i64, 7, mark(&id).unwrap()), id);
        }
        for not_an_id in ["", "é", "00112233445566778899AABBCCDDEEFG", "0011"] {
            assert_eq!(mark(not_an_id), None, "{not_an_id}");
        }
    }
}
