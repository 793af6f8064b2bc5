//! Which parts of a document are asked for, and where they go.

use crate::value::path::{self, Step};
use crate::value::{Bytes, Value};

/// The parts of a document that are asked for, as a tree of keys and list positions.
#[derive(Clone, Debug, Default)]
pub struct Want {
    /// Where the whole value at this place goes.
    pub slot: Option<usize>,
    /// The members asked for.
    pub keys: Vec<(Bytes, Want)>,
    /// The list items asked for, counted from 1.
    pub items: Vec<(usize, Want)>,
    /// Parts of every list item, as rows; at one place of a tree at most, with nothing else there.
    pub each: Option<Box<Each>>,
}

/// The parts asked for of every item of a list.
#[derive(Clone, Debug, Default)]
pub struct Each {
    pub(super) want: Want,
    pub(super) width: usize,
}

impl Each {
    /// The place in a row of the part at this path of keys.
    pub fn part(&mut self, steps: &[Step]) -> usize {
        let mut at = &mut self.want;
        for step in steps {
            let Step::Key(key) = step else { continue };
            let found = at.keys.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                at.keys.push((key.clone(), Want::default()));
                at.keys.len() - 1
            });
            at = &mut at.keys[found].1;
        }
        *at.slot.get_or_insert_with(|| {
            self.width += 1;
            self.width - 1
        })
    }
}

/// Rows of parts, one a list item.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    values: Vec<Value>,
    width: usize,
    count: usize,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The rows, in the list's order.
    pub fn iter(&self) -> impl Iterator<Item = &[Value]> {
        (0..self.count).map(|at| &self.values[at * self.width..(at + 1) * self.width])
    }

    /// Adds a row of undefined parts and gives it to be filled.
    pub(super) fn push(&mut self) -> &mut [Value] {
        let start = self.values.len();
        self.values.resize(start + self.width, Value::Undefined);
        self.count += 1;
        &mut self.values[start..]
    }

    pub(super) fn restart(&mut self, width: usize) {
        *self = Rows { width, ..Rows::default() };
    }
}

/// Where wanted parts go.
pub struct Taken<'t> {
    /// As many as the tree has slots, undefined at first.
    pub slots: &'t mut [Value],
    /// The rows of the one list that is asked for by parts of its items.
    pub rows: &'t mut Rows,
}

impl Want {
    /// Empties every slot at and below this place.
    pub(super) fn clear(&self, taken: &mut Taken<'_>) {
        if let Some(slot) = self.slot {
            taken.slots[slot] = Value::Undefined;
        }
        self.keys.iter().for_each(|(_, want)| want.clear(taken));
        self.items.iter().for_each(|(_, want)| want.clear(taken));
        if let Some(each) = &self.each {
            taken.rows.restart(each.width);
        }
    }

    pub(super) fn is_leaf(&self) -> bool {
        self.keys.is_empty() && self.items.is_empty()
    }

    /// Fills the slots from a value at hand, looking into JSON text in strings as EMQX does at each step.
    pub fn fill(&self, value: &Value, taken: &mut Taken<'_>) {
        for (key, want) in &self.keys {
            if let Some(inner) = path::find_key(value, key) {
                want.fill(&inner, taken);
            }
        }
        for (at, want) in &self.items {
            if let Some(inner) = path::find_item(value, *at as i64) {
                want.fill(&inner, taken);
            }
        }
        if let (Some(each), Value::List(items)) = (&self.each, value) {
            taken.rows.restart(each.width);
            for item in items.iter() {
                let slots = taken.rows.push();
                each.want.fill(item, &mut Taken { slots, rows: &mut Rows::default() });
            }
        }
        if let Some(slot) = self.slot {
            taken.slots[slot] = value.clone();
        }
    }
}
