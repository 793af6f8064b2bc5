//! Maps with atom or string keys, kept sorted in Erlang's term order.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{Bytes, Value, compare};

/// A map from keys (mostly strings and atoms) to values.
///
/// Invariant: entries are sorted by key (`compare::term_order`, exact for numbers) and keys are distinct.
#[derive(Clone, Debug, PartialEq)]
pub struct Map(Arc<[(Value, Value)]>);

impl Default for Map {
    fn default() -> Map {
        Map(Arc::new([]))
    }
}

impl Map {
    /// The empty map.
    pub fn new() -> Map {
        Map::default()
    }

    /// A map of entries in any order; of two entries of one key the later wins.
    pub fn from_entries(mut entries: Vec<(Value, Value)>) -> Map {
        if !entries.is_sorted_by(|a, b| key_order(&a.0, &b.0) == Ordering::Less) {
            entries.sort_by(|a, b| key_order(&a.0, &b.0));
            entries.reverse();
            entries.dedup_by(|a, b| key_order(&a.0, &b.0) == Ordering::Equal);
            entries.reverse();
        }
        Map(entries.into())
    }

    /// A map of entries that the caller knows to be sorted and distinct; an iterator of known length is written
    /// straight into its place.
    pub fn from_sorted(entries: impl IntoIterator<Item = (Value, Value)>) -> Map {
        let map = Map(entries.into_iter().collect());
        debug_assert!(map.0.is_sorted_by(|a, b| key_order(&a.0, &b.0) == Ordering::Less));
        map
    }

    /// A map of the entries at the end of a stack, from `start` on, which are taken off it.
    pub(super) fn from_stack(stack: &mut Vec<(Value, Value)>, start: usize) -> Map {
        if !stack[start..].is_sorted_by(|a, b| key_order(&a.0, &b.0) == Ordering::Less) {
            return Map::from_entries(stack.split_off(start));
        }
        Map(stack.drain(start..).collect())
    }

    /// The entries, sorted by key.
    pub fn entries(&self) -> &[(Value, Value)] {
        &self.0
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Has it none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, key: &Value) -> Result<usize, usize> {
        self.0.binary_search_by(|(k, _)| key_order(k, key))
    }

    /// The value of exactly this key.
    pub fn get(&self, key: &Value) -> Option<&Value> {
        self.find(key).ok().map(|at| &self.0[at].1)
    }

    /// The value of a string key.
    pub fn get_str(&self, key: &[u8]) -> Option<&Value> {
        self.0.iter().find(|(k, _)| matches!(k, Value::Str(s) if s.as_ref() == key)).map(|(_, v)| v)
    }

    /// The value of an atom key that is none of the four special atoms.
    pub fn get_atom(&self, key: &[u8]) -> Option<&Value> {
        self.0.iter().find(|(k, _)| matches!(k, Value::Atom(s) if s.as_ref() == key)).map(|(_, v)| v)
    }

    /// A column: an atom key mostly, found without looking for a string first.
    pub fn get_column(&self, name: &[u8]) -> Option<&Value> {
        self.get_atom(name).or_else(|| self.get_named(name))
    }

    /// The entry of a string key or of the atom of the same name, the string first: how EMQX looks a name up
    /// (emqx_rule_maps:general_find).
    pub fn find_named(&self, name: &[u8]) -> Option<(&Value, &Value)> {
        let mut equivalent = None;
        for (k, v) in self.0.iter() {
            match k {
                Value::Str(s) if s.as_ref() == name => return Some((k, v)),
                Value::Str(_) => {}
                other if other.atom_name() == Some(name) => equivalent = Some((k, v)),
                _ => {}
            }
        }
        equivalent
    }

    /// The value found by [`Map::find_named`].
    pub fn get_named(&self, name: &[u8]) -> Option<&Value> {
        self.find_named(name).map(|(_, v)| v)
    }

    /// Sets a key.
    pub fn insert(&mut self, key: Value, value: Value) {
        match self.find(&key) {
            Ok(at) => Arc::make_mut(&mut self.0)[at].1 = value,
            Err(at) => {
                let (before, after) = self.0.split_at(at);
                let entries = before.iter().cloned().chain([(key, value)]).chain(after.iter().cloned());
                self.0 = entries.collect();
            }
        }
    }

    /// Sets an atom key, the kind that columns have.
    pub fn insert_column(&mut self, name: &'static str, value: Value) {
        self.insert(Value::static_atom(name), value);
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: &Value) -> Option<Value> {
        let at = self.find(key).ok()?;
        let mut entries = self.0.to_vec();
        let (_, value) = entries.remove(at);
        self.0 = entries.into();
        Some(value)
    }

    /// This map with the entries of another over it (Erlang's `maps:merge/2`).
    pub fn merged(&self, over: &Map) -> Map {
        if self.is_empty() {
            return over.clone();
        }
        if over.is_empty() {
            return self.clone();
        }
        let mut entries = Vec::with_capacity(self.len() + over.len());
        let (mut left, mut right) = (self.0.iter().peekable(), over.0.iter().peekable());
        while let (Some(l), Some(r)) = (left.peek(), right.peek()) {
            match key_order(&l.0, &r.0) {
                Ordering::Less => entries.extend(left.next().cloned()),
                Ordering::Greater => entries.extend(right.next().cloned()),
                Ordering::Equal => {
                    left.next();
                    entries.extend(right.next().cloned());
                }
            }
        }
        entries.extend(left.cloned());
        entries.extend(right.cloned());
        Map(entries.into())
    }

    /// The map of string keys with these values, for tables written in code.
    pub fn of<const N: usize>(entries: [(&str, Value); N]) -> Map {
        Map::from_entries(entries.into_iter().map(|(k, v)| (Value::str(k), v)).collect())
    }

    /// The map of atom keys with these values, as columns have them.
    pub fn of_columns<const N: usize>(entries: [(&'static str, Value); N]) -> Map {
        Map::from_entries(entries.into_iter().map(|(k, v)| (Value::static_atom(k), v)).collect())
    }
}

/// The order of keys: term order, but 1 and 1.0 are two keys.
fn key_order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Str(a), Value::Str(b)) | (Value::Atom(a), Value::Atom(b)) => Bytes::cmp(a, b),
        (Value::Atom(_), Value::Str(_)) => Ordering::Less,
        (Value::Str(_), Value::Atom(_)) => Ordering::Greater,
        _ => compare::key_order(a, b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_entries_win_and_order_is_by_term() {
        let map = Map::from_entries(vec![
            (Value::str("b"), Value::Int(1)),
            (Value::str("a"), Value::Int(2)),
            (Value::str("b"), Value::Int(3)),
            (Value::static_atom("z"), Value::Int(4)),
        ]);
        assert_eq!(map.len(), 3);
        assert_eq!(map.get_str(b"b"), Some(&Value::Int(3)));
        assert!(matches!(&map.entries()[0].0, Value::Atom(_)), "atoms come before strings");
    }

    #[test]
    fn a_name_finds_string_then_atom() {
        let mut map = Map::of_columns([("a", Value::Int(1))]);
        assert_eq!(map.get_named(b"a"), Some(&Value::Int(1)));
        map.insert(Value::str("a"), Value::Int(2));
        assert_eq!(map.get_named(b"a"), Some(&Value::Int(2)));
        assert_eq!(map.len(), 2);
    }

    #[test]
    fn merge_takes_the_right_side() {
        let left = Map::of([("a", Value::Int(1)), ("b", Value::Int(1))]);
        let right = Map::of([("b", Value::Int(2)), ("c", Value::Int(2))]);
        let merged = left.merged(&right);
        assert_eq!(merged.get_str(b"b"), Some(&Value::Int(2)));
        assert_eq!(merged.len(), 3);
    }
}
