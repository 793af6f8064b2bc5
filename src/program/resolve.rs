//! What a name stands for in a clause, as far as the statement tells.

use super::{Kind, Node};
use crate::text::Span;
use crate::value::Bytes;
use crate::value::decode::Want;
use crate::value::path::{Index, Step};

/// The names that a clause sees above the columns.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope {
    /// Plain fields before this one, by name.
    pub selected: Vec<(Bytes, usize)>,
    /// A selected value that is undefined falls back to the column of its name (5.8, within the list).
    pub falls_back: bool,
    /// Names that something other than a plain field may have set: everything about them is looked up at run time.
    pub dynamic: Vec<Bytes>,
    /// All names may have been set (a star, an output built at run time).
    pub all_dynamic: bool,
    /// The name of the FOREACH item.
    pub item: Option<Bytes>,
}

/// Columns and payload parts given slots so far.
#[derive(Debug, Default)]
pub(super) struct Slots {
    pub columns: Vec<Bytes>,
    pub want: Want,
    pub payload: usize,
    /// The payload cannot be decoded by known paths alone.
    pub payload_dynamic: bool,
    /// Some name had to be left to run time.
    pub used_dynamic: bool,
}

impl Slots {
    fn column(&mut self, name: &Bytes) -> usize {
        match self.columns.iter().position(|c| c == name) {
            Some(at) => at,
            None => {
                self.columns.push(name.clone());
                self.columns.len() - 1
            }
        }
    }

    /// The slot of a payload path, and how many of its steps the slot covers.
    fn payload(&mut self, steps: &[Step]) -> (usize, usize) {
        let mut at = &mut self.want;
        let mut covered = 0;
        for step in steps {
            at = match step {
                Step::Key(key) => {
                    let found = at.keys.iter().position(|(k, _)| k == key).unwrap_or_else(|| {
                        at.keys.push((key.clone(), Want::default()));
                        at.keys.len() - 1
                    });
                    &mut at.keys[found].1
                }
                Step::At(Index::Const(n @ 1..)) => {
                    let n = usize::try_from(*n).unwrap_or(usize::MAX);
                    let found = at.items.iter().position(|(k, _)| *k == n).unwrap_or_else(|| {
                        at.items.push((n, Want::default()));
                        at.items.len() - 1
                    });
                    &mut at.items[found].1
                }
                Step::At(_) => break,
            };
            covered += 1;
        }
        let slot = *at.slot.get_or_insert_with(|| {
            self.payload += 1;
            self.payload - 1
        });
        (slot, covered)
    }
}

fn by_variable(steps: &[Step]) -> bool {
    steps.iter().any(|step| matches!(step, Step::At(Index::Path(_))))
}

impl Scope {
    /// The node of a variable (`steps` empty) or path.
    pub fn node(&self, head: &Bytes, steps: Vec<Step>, span: Span, slots: &mut Slots) -> Node {
        let kind = if steps.is_empty() {
            self.variable(head, span, slots)
        } else {
            self.path(head, steps, span, slots)
        };
        Node { kind, span }
    }

    fn variable(&self, head: &Bytes, span: Span, slots: &mut Slots) -> Kind {
        if self.all_dynamic || self.dynamic.contains(head) {
            slots.used_dynamic = true;
            return Kind::Var(head.clone());
        }
        let below = |slots: &mut Slots| match self.item.as_ref() == Some(head) {
            true => Kind::Item,
            false => Kind::Column(slots.column(head)),
        };
        match self.selected.iter().rfind(|(name, _)| name == head) {
            Some((_, field)) if self.falls_back => {
                let first = Node { kind: Kind::Selected(*field), span };
                let second = Node { kind: below(slots), span };
                Kind::OrElse(Box::new(first), Box::new(second))
            }
            Some((_, field)) => Kind::Selected(*field),
            None => below(slots),
        }
    }

    fn path(&self, head: &Bytes, steps: Vec<Step>, span: Span, slots: &mut Slots) -> Kind {
        let known = !self.all_dynamic && !self.dynamic.contains(head);
        if head.as_ref() == b"payload" {
            let direct =
                known && !by_variable(&steps) && !self.is_selected(head) && self.item.as_ref() != Some(head);
            if !direct || slots.payload_dynamic {
                slots.payload_dynamic = true;
                slots.used_dynamic |= !direct;
                return Kind::Path(head.clone(), steps);
            }
            let (slot, covered) = slots.payload(&steps);
            let rest = steps.get(covered..).unwrap_or(&[]).to_vec();
            let base = Kind::Payload(slot);
            return if rest.is_empty() {
                base
            } else {
                Kind::Walk(Box::new(Node { kind: base, span }), rest)
            };
        }
        if !known || by_variable(&steps) {
            slots.used_dynamic = true;
            return Kind::Path(head.clone(), steps);
        }
        let walk =
            |base: Kind, steps: &[Step]| Kind::Walk(Box::new(Node { kind: base, span }), steps.to_vec());
        match self.variable(head, span, slots) {
            Kind::OrElse(first, second) => {
                let first = Node { kind: walk(first.kind, &steps), span };
                let second = Node { kind: walk(second.kind, &steps), span };
                Kind::OrElse(Box::new(first), Box::new(second))
            }
            base => walk(base, &steps),
        }
    }

    pub fn is_selected(&self, head: &Bytes) -> bool {
        self.selected.iter().any(|(name, _)| name == head)
    }
}
