//! Walking over expressions.

use super::{Kind, Node};
use crate::func::Purity;

impl Node {
    /// The expressions directly below.
    pub(crate) fn children(&self) -> Box<dyn Iterator<Item = &Node> + '_> {
        match &self.kind {
            Kind::OrElse(a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Arith(_, a, b)
            | Kind::Compare(_, a, b) => Box::new([&**a, &**b].into_iter()),
            Kind::Walk(a, _) | Kind::Slice(a, ..) | Kind::Negate(a) | Kind::Not(a) => {
                Box::new(std::iter::once(&**a))
            }
            Kind::In(a, list) => Box::new(std::iter::once(&**a).chain(list)),
            Kind::List(list) | Kind::Call { args: list, .. } => Box::new(list.iter()),
            Kind::Case { arms, otherwise } => {
                Box::new(arms.iter().flat_map(|(a, b)| [a, b]).chain(otherwise.as_deref()))
            }
            Kind::Switch { on, arms, otherwise } => {
                let arms = arms.iter().flat_map(|(a, b)| [a, b]);
                Box::new(std::iter::once(&**on).chain(arms).chain(otherwise.as_deref()))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    /// The expressions directly below, to change.
    pub(crate) fn children_mut(&mut self) -> Box<dyn Iterator<Item = &mut Node> + '_> {
        match &mut self.kind {
            Kind::OrElse(a, b)
            | Kind::And(a, b)
            | Kind::Or(a, b)
            | Kind::Arith(_, a, b)
            | Kind::Compare(_, a, b) => Box::new([&mut **a, &mut **b].into_iter()),
            Kind::Walk(a, _) | Kind::Slice(a, ..) | Kind::Negate(a) | Kind::Not(a) => {
                Box::new(std::iter::once(&mut **a))
            }
            Kind::In(a, list) => Box::new(std::iter::once(&mut **a).chain(list)),
            Kind::List(list) | Kind::Call { args: list, .. } => Box::new(list.iter_mut()),
            Kind::Case { arms, otherwise } => {
                Box::new(arms.iter_mut().flat_map(|(a, b)| [a, b]).chain(otherwise.as_deref_mut()))
            }
            Kind::Switch { on, arms, otherwise } => {
                let arms = arms.iter_mut().flat_map(|(a, b)| [a, b]);
                Box::new(std::iter::once(&mut **on).chain(arms).chain(otherwise.as_deref_mut()))
            }
            _ => Box::new(std::iter::empty()),
        }
    }

    /// Does this expression or one below it have the property?
    pub(crate) fn any(&self, property: &dyn Fn(&Node) -> bool) -> bool {
        property(self) || self.children().any(|child| child.any(property))
    }

    /// Does a column function look at the columns, or a name that only the run settles at everything?
    pub(crate) fn reads_columns_as_map(&self) -> bool {
        self.any(&|node| match &node.kind {
            Kind::Var(_) | Kind::Path(..) => true,
            Kind::Call { builtin, .. } => builtin.purity == Purity::ReadsMessage,
            _ => false,
        })
    }

    pub(super) fn is_payload(&self, slot: usize) -> bool {
        matches!(self.kind, Kind::Payload(s) if s == slot)
    }
}
