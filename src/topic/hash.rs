//! The hash of the topic index.
//!
//! The tables hold what rule files say; messages only look things up. So nobody who publishes can make entries
//! collide, and the standard library's keyed hash, which costs as much as the rest of a lookup, buys nothing.

use std::hash::{BuildHasherDefault, Hasher};

/// Builds [`Fold`].
pub(super) type BuildFold = BuildHasherDefault<Fold>;

/// Multiplies what it takes by an odd number, twice as wide, and folds the halves together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Fold(u64);

/// The fraction of the golden ratio: its bits are well mixed.
const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;

impl Fold {
    fn add(&mut self, word: u64) {
        let wide = u128::from(self.0 ^ word ^ FACTOR) * u128::from(FACTOR);
        self.0 = (wide as u64) ^ ((wide >> 64) as u64);
    }
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.add(u64::from_le_bytes(*word)));
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length, so that a NUL at the end counts.
        self.add(u64::from_le_bytes(last) ^ (bytes.len() as u64).rotate_right(8));
    }

    fn write_u32(&mut self, n: u32) {
        self.add(n.into());
    }

    fn write_u64(&mut self, n: u64) {
        self.add(n);
    }

    fn write_usize(&mut self, n: usize) {
        self.add(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::hash::BuildHasher;

    use super::*;

    #[test]
    fn levels_like_those_of_fleets_do_not_collide() {
        let hash = |level: &str| BuildFold::default().hash_one(level.as_bytes());
        let levels =
            || (0..100_000).flat_map(|n| [n.to_string(), format!("device-{n:08}"), format!("{n:x}")]);
        let different: BTreeSet<String> = levels().collect();
        let full: BTreeSet<u64> = different.iter().map(|level| hash(level)).collect();
        assert_eq!(full.len(), different.len());
        // hashbrown takes the bucket from the low bits and a tag from the high ones.
        let low: BTreeSet<u64> = different.iter().map(|level| hash(level) % (1 << 20)).collect();
        let high: BTreeSet<u64> = different.iter().map(|level| hash(level) >> 44).collect();
        assert!(
            low.len() > 190_000 && high.len() > 190_000,
            "{} {} {}",
            different.len(),
            low.len(),
            high.len()
        );
        assert_ne!(hash("a"), hash("a\0"));
        assert_ne!(hash(""), hash("\0"));
    }

    #[test]
    fn edges_spread() {
        let hash =
            |node: u32, word: u32| BuildFold::default().hash_one(u64::from(node) << 32 | u64::from(word));
        let all: BTreeSet<u64> =
            (0..300).flat_map(|node| (0..300).map(move |word| hash(node, word) % (1 << 17))).collect();
        assert!(all.len() > 60_000, "{}", all.len());
    }
}
