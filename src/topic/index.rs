//! Which of many filters match a topic name, without looking at each.
//!
//! A trie by level. Its edges stand in one table keyed by node and word, so that a level with a hundred thousand
//! children costs what one with two does; words are stored once.
//!
//! Invariant: [`Index::find`] gives the ids of exactly the filters that [`super::matches`] says match.

use std::collections::HashMap;

use super::hash::BuildFold;

/// No node, no entry.
const NONE: u32 = u32::MAX;

/// The edge of a `+` level; words are numbered from 1.
const PLUS: u32 = 0;

/// Filters with the ids they were inserted under.
#[derive(Debug, Default)]
pub struct Index {
    words: HashMap<Box<[u8]>, u32, BuildFold>,
    /// By node and word.
    edges: HashMap<u64, u32, BuildFold>,
    nodes: Vec<Node>,
    entries: Vec<Entry>,
}

/// The filters that end at a node, as heads of lists of entries.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Filters that end here.
    exact: u32,
    /// Filters that go on with `#`, which matches this level and everything below.
    below: u32,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    id: u32,
    next: u32,
}

impl Index {
    /// An index without filters.
    pub fn new() -> Index {
        Index { nodes: vec![Node { exact: NONE, below: NONE }], ..Index::default() }
    }

    /// Adds a filter; several may share an id.
    pub fn insert(&mut self, filter: &[u8], id: u32) {
        let mut node = 0;
        let mut levels = filter.split(|b| *b == b'/').peekable();
        let mut below = false;
        while let Some(level) = levels.next() {
            below = level == b"#" && levels.peek().is_none();
            if !below {
                let word = if level == b"+" { PLUS } else { self.word(level) };
                node = self.child(node, word);
            }
        }
        let Some(entry) = u32::try_from(self.entries.len()).ok() else { return };
        let node = &mut self.nodes[node as usize];
        let head = if below { &mut node.below } else { &mut node.exact };
        self.entries.push(Entry { id, next: std::mem::replace(head, entry) });
    }

    /// Bytes on the heap, by the capacity of its tables.
    pub fn bytes(&self) -> usize {
        let words: usize = self.words.keys().map(|word| word.len()).sum();
        words
            + table_bytes::<(Box<[u8]>, u32)>(self.words.capacity())
            + table_bytes::<(u64, u32)>(self.edges.capacity())
            + self.nodes.capacity() * size_of::<Node>()
            + self.entries.capacity() * size_of::<Entry>()
    }

    fn word(&mut self, level: &[u8]) -> u32 {
        if let Some(word) = self.words.get(level) {
            return *word;
        }
        let word = self.words.len() as u32 + 1;
        self.words.insert(level.into(), word);
        word
    }

    fn child(&mut self, node: u32, word: u32) -> u32 {
        let next = self.nodes.len() as u32;
        let child = *self.edges.entry(edge(node, word)).or_insert(next);
        if child == next {
            self.nodes.push(Node { exact: NONE, below: NONE });
        }
        child
    }

    /// The ids of all filters that match, ascending and each once, in place of what `ids` held.
    pub fn find(&self, name: &[u8], ids: &mut Vec<u32>) {
        ids.clear();
        // Wildcards on the first level do not match names that start with `$` (MQTT-4.7.2-1).
        let wild = name.first() != Some(&b'$');
        self.walk(0, Some(name), wild, ids);
        ids.sort_unstable();
        ids.dedup();
    }

    /// `rest` is what is left of the name, none when all levels are behind.
    fn walk(&self, node: u32, rest: Option<&[u8]>, wild: bool, ids: &mut Vec<u32>) {
        let at = self.nodes[node as usize];
        if wild {
            self.collect(at.below, ids);
        }
        let Some(rest) = rest else { return self.collect(at.exact, ids) };
        let (level, rest) = match rest.iter().position(|b| *b == b'/') {
            Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
            None => (rest, None),
        };
        let word = self.words.get(level).copied();
        for word in word.into_iter().chain(wild.then_some(PLUS)) {
            if let Some(child) = self.edges.get(&edge(node, word)) {
                self.walk(*child, rest, true, ids);
            }
        }
    }

    fn collect(&self, mut entry: u32, ids: &mut Vec<u32>) {
        while let Some(found) = self.entries.get(entry as usize) {
            ids.push(found.id);
            entry = found.next;
        }
    }
}

fn edge(node: u32, word: u32) -> u64 {
    u64::from(node) << 32 | u64::from(word)
}

/// Bytes of a hash table: a power of two of buckets, of which seven in eight are used, and a control byte for each.
fn table_bytes<T>(capacity: usize) -> usize {
    match capacity {
        0 => 0,
        _ => (capacity * 8 / 7).next_power_of_two() * (size_of::<T>() + 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::matches;
    use super::*;

    fn found(filters: &[String], name: &str) -> Vec<u32> {
        let mut index = Index::new();
        for (id, filter) in filters.iter().enumerate() {
            index.insert(filter.as_bytes(), id as u32);
        }
        let mut ids = Vec::new();
        index.find(name.as_bytes(), &mut ids);
        ids
    }

    proptest! {
        #[test]
        fn the_index_finds_what_the_naive_matcher_finds(
            filters in prop::collection::vec("(\\$?[ab]|\\+|#|\\+a|)(/([ab]|\\+|#|é|)){0,4}", 0..20),
            name in "(\\$?[ab]|)(/([ab]|é|)){0,4}",
        ) {
            let naive: Vec<u32> = (0..filters.len() as u32)
                .filter(|id| matches(name.as_bytes(), filters[*id as usize].as_bytes()))
                .collect();
            prop_assert_eq!(found(&filters, &name), naive);
        }
    }

    #[test]
    fn its_bytes_grow_with_what_it_holds() {
        let mut index = Index::new();
        let empty = index.bytes();
        assert!(empty < 100, "{empty}");
        (0..1000).for_each(|id| index.insert(format!("a/{id}/+").as_bytes(), id));
        assert!((30_000..600_000).contains(&index.bytes()), "{}", index.bytes());
    }

    #[test]
    fn one_id_is_found_once() {
        let mut index = Index::new();
        index.insert(b"a/+", 7);
        index.insert(b"a/b", 7);
        let mut ids = vec![1, 2, 3];
        index.find(b"a/b", &mut ids);
        assert_eq!(ids, [7]);
    }
}
