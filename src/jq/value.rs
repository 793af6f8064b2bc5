//! The values of jq 1.6: every number is a double, objects keep the order in which their keys came.
//!
//! Invariants: a container counts its memory as long as it lives; dropping one of any depth takes no stack.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use indexmap::IndexMap;

use super::meter;

/// A value of jq.
#[derive(Clone, Debug)]
pub(super) enum Val {
    Null,
    Bool(bool),
    Num(f64),
    Str(Rc<Text>),
    Arr(Rc<List>),
    Obj(Rc<Object>),
}

/// A string.
#[derive(Debug)]
pub(super) struct Text {
    text: String,
    counted: usize,
}

/// An array.
#[derive(Debug)]
pub(super) struct List {
    items: Vec<Val>,
    counted: usize,
}

/// An object.
#[derive(Debug)]
pub(super) struct Object {
    members: Members,
    counted: usize,
}

/// Keys and values, in the order in which the keys came.
pub(super) type Members = IndexMap<Key, Val>;

/// The key of an object; it shares the string that it was made from.
#[derive(Clone, Debug)]
pub(super) struct Key(pub Rc<Text>);

impl PartialEq for Key {
    fn eq(&self, other: &Key) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl Borrow<str> for Key {
    fn borrow(&self) -> &str {
        &self.0.text
    }
}

/// Bytes of a container besides what is in it: the counts of its `Rc`, its fields, and what the allocator adds.
const HEADER: usize = 96;

impl Text {
    fn weight(text: &String) -> usize {
        HEADER + text.capacity()
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Changes a string in place, or a copy where others hold it.
    pub(super) fn edit(mut shared: Rc<Text>, change: impl FnOnce(&mut String)) -> Rc<Text> {
        if Rc::get_mut(&mut shared).is_none() {
            shared = Text::rc(shared.text.clone());
        }
        if let Some(own) = Rc::get_mut(&mut shared) {
            change(&mut own.text);
            recount(&mut own.counted, Text::weight(&own.text));
        }
        shared
    }

    pub(super) fn rc(text: String) -> Rc<Text> {
        let counted = Text::weight(&text);
        meter::grow(counted);
        Rc::new(Text { text, counted })
    }
}

impl List {
    fn weight(items: &Vec<Val>) -> usize {
        HEADER + items.capacity() * size_of::<Val>()
    }

    pub(super) fn rc(items: Vec<Val>) -> Rc<List> {
        let counted = List::weight(&items);
        meter::grow(counted);
        Rc::new(List { items, counted })
    }

    pub(super) fn items(&self) -> &[Val] {
        &self.items
    }

    /// Changes an array in place, or a copy where others hold it.
    pub(super) fn edit(mut shared: Rc<List>, change: impl FnOnce(&mut Vec<Val>)) -> Rc<List> {
        if Rc::get_mut(&mut shared).is_none() {
            shared = List::rc(shared.items.clone());
        }
        if let Some(own) = Rc::get_mut(&mut shared) {
            change(&mut own.items);
            recount(&mut own.counted, List::weight(&own.items));
        }
        shared
    }
}

impl Object {
    fn weight(members: &Members) -> usize {
        // An entry has its key, value and hash, and a place in the table.
        2 * HEADER + members.capacity() * (size_of::<Key>() + size_of::<Val>() + 16)
    }

    pub(super) fn rc(members: Members) -> Rc<Object> {
        let counted = Object::weight(&members);
        meter::grow(counted);
        Rc::new(Object { members, counted })
    }

    pub(super) fn members(&self) -> &Members {
        &self.members
    }

    /// Changes an object in place, or a copy where others hold it.
    pub(super) fn edit(mut shared: Rc<Object>, change: impl FnOnce(&mut Members)) -> Rc<Object> {
        if Rc::get_mut(&mut shared).is_none() {
            shared = Object::rc(shared.members.clone());
        }
        if let Some(own) = Rc::get_mut(&mut shared) {
            change(&mut own.members);
            recount(&mut own.counted, Object::weight(&own.members));
        }
        shared
    }
}

fn recount(counted: &mut usize, now: usize) {
    if now >= *counted {
        meter::grow(now - *counted);
    } else {
        meter::shrink(*counted - now);
    }
    *counted = now;
}

impl Drop for Text {
    fn drop(&mut self) {
        meter::shrink(self.counted);
    }
}

impl Drop for List {
    fn drop(&mut self) {
        meter::shrink(self.counted);
        bury(self.items.drain(..));
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        meter::shrink(self.counted);
        bury(self.members.drain(..).map(|(_, value)| value));
    }
}

/// Drops values without recursion: what only they held is dropped after them, not inside them.
fn bury(values: impl Iterator<Item = Val>) {
    let mut waiting: Vec<Val> = values.filter(|v| matches!(v, Val::Arr(_) | Val::Obj(_))).collect();
    while let Some(value) = waiting.pop() {
        match value {
            Val::Arr(list) => {
                if let Some(mut list) = Rc::into_inner(list) {
                    waiting.append(&mut list.items);
                }
            }
            Val::Obj(object) => {
                if let Some(mut object) = Rc::into_inner(object) {
                    waiting.extend(object.members.drain(..).map(|(_, value)| value));
                }
            }
            _ => {}
        }
    }
}

impl Val {
    pub(super) fn str(text: impl Into<String>) -> Val {
        Val::Str(Text::rc(text.into()))
    }

    pub(super) fn list(items: Vec<Val>) -> Val {
        Val::Arr(List::rc(items))
    }

    pub(super) fn object(members: Members) -> Val {
        Val::Obj(Object::rc(members))
    }

    /// An object of few members.
    pub(super) fn members<const N: usize>(members: [(&str, Val); N]) -> Val {
        Val::object(members.into_iter().map(|(name, v)| (Key(Text::rc(name.into())), v)).collect())
    }

    /// A count.
    pub(super) fn count(n: usize) -> Val {
        Val::Num(n as f64)
    }

    /// The name of its type, as `type` and the errors give it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Val::Null => "null",
            Val::Bool(_) => "boolean",
            Val::Num(_) => "number",
            Val::Str(_) => "string",
            Val::Arr(_) => "array",
            Val::Obj(_) => "object",
        }
    }

    /// All but `null` and `false` are true.
    pub(super) fn truthy(&self) -> bool {
        !matches!(self, Val::Null | Val::Bool(false))
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Val::Str(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(super) fn as_list(&self) -> Option<&[Val]> {
        match self {
            Val::Arr(list) => Some(list.items()),
            _ => None,
        }
    }

    /// Are they one and the same? Paths are only followed through values that came out of their parent.
    pub(super) fn identical(&self, other: &Val) -> bool {
        match (self, other) {
            (Val::Null, Val::Null) => true,
            (Val::Bool(a), Val::Bool(b)) => a == b,
            (Val::Num(a), Val::Num(b)) => a.to_bits() == b.to_bits(),
            (Val::Str(a), Val::Str(b)) => Rc::ptr_eq(a, b),
            (Val::Arr(a), Val::Arr(b)) => Rc::ptr_eq(a, b),
            (Val::Obj(a), Val::Obj(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }
}

/// Bytes as text; each sequence that is no UTF-8 becomes U+FFFD, split into sequences as jq does it.
pub(super) fn lossy(bytes: Vec<u8>) -> String {
    let bytes = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(e) => e.into_bytes(),
    };
    let mut out = String::with_capacity(bytes.len());
    let mut rest = bytes.as_slice();
    while let [first, ..] = rest {
        let wanted = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => 1,
        };
        let present = rest.iter().skip(1).take_while(|b| (0x80..0xc0).contains(*b)).count();
        // A sequence cut off by the end is one bad character, one cut off by another byte ends before it.
        let length = if wanted > rest.len() { rest.len() } else { wanted.min(1 + present) };
        let (sequence, tail) = rest.split_at(length);
        match std::str::from_utf8(sequence) {
            Ok(text) => out.push_str(text),
            Err(_) => out.push(char::REPLACEMENT_CHARACTER),
        }
        rest = tail;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::JQ_MEMORY_BYTES_MAX;

    #[test]
    fn deep_values_are_dropped_without_stack() {
        let mut deep = Val::Null;
        for n in 0..400_000 {
            deep = if n % 2 == 0 { Val::list(vec![deep]) } else { Val::members([("k", deep)]) };
        }
        assert_eq!(deep.kind(), "object");
        drop(deep);
    }

    #[test]
    fn memory_is_given_back() {
        meter::start(u64::MAX);
        let list = Val::list((0..1000).map(|n| Val::str(n.to_string())).collect());
        assert_eq!(meter::room(JQ_MEMORY_BYTES_MAX - 1000 * size_of::<Val>()), Err(meter::Stop::Memory));
        drop(list);
        assert_eq!(meter::room(JQ_MEMORY_BYTES_MAX), Ok(()));
    }

    #[test]
    fn a_shared_container_is_copied_before_it_changes() {
        let one = List::rc(vec![Val::Null]);
        let two = List::edit(one.clone(), |items| items.push(Val::Bool(true)));
        assert_eq!((one.items().len(), two.items().len()), (1, 2));
        let address = Rc::as_ptr(&two);
        assert_eq!(Rc::as_ptr(&List::edit(two, |items| items.clear())), address);
    }
}
