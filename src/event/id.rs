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
        Ids { node: node & 0xFFFF_FFFF_FFFF, counter: 0 }
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
}
