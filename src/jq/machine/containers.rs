//! What the machine does with arrays and objects: gathering, ranges, access, iteration.

use std::rc::Rc;

use super::{Flow, Machine, Resume, Step};
use crate::jq::code::Slot;
use crate::jq::path;
use crate::jq::throw::{self, Throw};
use crate::jq::value::{Key, List, Object, Val};
use crate::jq::writer;

impl Machine<'_> {
    pub(super) fn append(&mut self, slot: Slot) -> Step {
        let value = self.pop();
        let variable = self.local(slot);
        if let Val::Arr(list) = std::mem::replace(variable, Val::Null) {
            *variable = Val::Arr(List::edit(list, |items| items.push(value)));
        }
        Ok(Flow::On)
    }

    pub(super) fn insert(&mut self) -> Step {
        let top = self.pop();
        let value = self.pop();
        let key = self.pop();
        let object = self.pop();
        match (object, key) {
            (Val::Obj(object), Val::Str(key)) => {
                let object = Object::edit(object, |members| {
                    members.insert(Key(key), value);
                });
                self.push(Val::Obj(object));
                self.push(top);
                Ok(Flow::On)
            }
            (_, key) => {
                let excerpt = writer::excerpt(&key, throw::SHORT);
                let text = format!("Cannot use {} ({excerpt}) as object key", key.kind());
                Ok(self.raise(Val::str(text)))
            }
        }
    }

    pub(super) fn range(&mut self, slot: Slot, to: Val) -> Step {
        let (Val::Num(from), Val::Num(end)) = (self.local(slot).clone(), &to) else {
            return Ok(self.raise(Val::str("Range bounds must be numeric")));
        };
        // A NaN is not at its end.
        if from >= *end {
            return Ok(Flow::Back);
        }
        *self.local(slot) = Val::Num(from + 1.0);
        self.fork(Resume::Range(to));
        self.push(Val::Num(from));
        Ok(Flow::On)
    }

    pub(super) fn index(&mut self, optional: bool) -> Step {
        let from = self.pop();
        let key = self.pop();
        if !self.host.on_path(&from) {
            let (key, from) = (writer::excerpt(&key, throw::SHORT), writer::excerpt(&from, throw::LONG));
            let text = format!("Invalid path expression near attempt to access element {key} of {from}");
            return Ok(self.raise(Val::str(text)));
        }
        match path::get(&from, &key) {
            Ok(value) => {
                self.host.follow(key, &value);
                self.push(value);
                Ok(Flow::On)
            }
            Err(Throw::Error(_)) if optional => Ok(Flow::Back),
            Err(throw) => self.throw(throw),
        }
    }

    pub(super) fn each(&mut self, optional: bool) -> Step {
        let container = self.pop();
        if !self.host.on_path(&container) {
            let excerpt = writer::excerpt(&container, throw::LONG);
            let text = format!("Invalid path expression near attempt to iterate through {excerpt}");
            return Ok(self.raise(Val::str(text)));
        }
        match &container {
            Val::Arr(_) | Val::Obj(_) => self.item(container, 0),
            _ if optional => Ok(Flow::Back),
            _ => {
                let excerpt = writer::excerpt(&container, throw::SHORT);
                Ok(self.raise(Val::str(format!("Cannot iterate over {} ({excerpt})", container.kind()))))
            }
        }
    }

    /// Gives one item of a container, and remembers the next.
    pub(super) fn item(&mut self, container: Val, at: usize) -> Step {
        let (key, value, last) = match &container {
            Val::Arr(list) => match list.items().get(at) {
                Some(item) => (Val::count(at), item.clone(), at + 1 == list.items().len()),
                None => return Ok(Flow::Back),
            },
            Val::Obj(object) => match object.members().get_index(at) {
                Some((key, item)) => (Val::Str(Rc::clone(&key.0)), item.clone(), false),
                None => return Ok(Flow::Back),
            },
            _ => return Ok(Flow::Back),
        };
        if !last {
            self.fork(Resume::Each(container, at + 1));
        }
        self.host.follow(key, &value);
        self.push(value);
        Ok(Flow::On)
    }
}
