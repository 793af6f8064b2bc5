//! The names that can be seen, the innermost last.
//!
//! Invariant: depths are those of the functions that stand around; a name is found from inside out.

use super::super::code::{Callee, Slot};

#[derive(Default)]
pub(super) struct Scope {
    names: Vec<Name>,
}

struct Name {
    name: String,
    depth: usize,
    kind: Kind,
}

enum Kind {
    Variable(u32),
    Label(u32),
    Param(u32),
    Function { id: u32, params: usize },
}

impl Scope {
    /// How many names there are.
    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    /// Forgets all names but the first so many.
    pub(super) fn forget(&mut self, names: usize) {
        self.names.truncate(names);
    }

    fn push(&mut self, name: &str, depth: usize, kind: Kind) {
        self.names.push(Name { name: name.into(), depth, kind });
    }

    pub(super) fn variable(&mut self, name: &str, index: u32, depth: usize) {
        self.push(name, depth, Kind::Variable(index));
    }

    pub(super) fn label(&mut self, name: &str, index: u32, depth: usize) {
        self.push(name, depth, Kind::Label(index));
    }

    pub(super) fn param(&mut self, name: &str, index: u32, depth: usize) {
        self.push(name, depth, Kind::Param(index));
    }

    pub(super) fn define(&mut self, name: &str, params: usize, id: u32, depth: usize) {
        self.push(name, depth, Kind::Function { id, params });
    }

    /// The variable of this name, as seen from a depth.
    pub(super) fn find_variable(&self, name: &str, depth: usize) -> Option<Slot> {
        self.names.iter().rev().filter(|n| n.name == name).find_map(|n| match n.kind {
            Kind::Variable(index) => Some(Slot { level: (depth - n.depth) as u32, index }),
            _ => None,
        })
    }

    /// The label of this name, as seen from a depth.
    pub(super) fn find_label(&self, name: &str, depth: usize) -> Option<Slot> {
        self.names.iter().rev().filter(|n| n.name == name).find_map(|n| match n.kind {
            Kind::Label(index) => Some(Slot { level: (depth - n.depth) as u32, index }),
            _ => None,
        })
    }

    /// The function or parameter of this name and number of arguments, as seen from a depth.
    pub(super) fn function(&self, name: &str, args: usize, depth: usize) -> Option<Callee> {
        self.names.iter().rev().filter(|n| n.name == name).find_map(|n| {
            let level = (depth - n.depth) as u32;
            match n.kind {
                Kind::Param(index) if args == 0 => Some(Callee::Param(Slot { level, index })),
                Kind::Function { id, params } if params == args => Some(Callee::Function { level, id }),
                _ => None,
            }
        })
    }
}
