//! The smallest set of messages that goes every way that all of them go.
//!
//! Invariant: what is kept reaches all that was reached; each kept message reaches something that no other one does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::hits::Hits;
use super::spot::{Spot, Way};
use crate::ctx::{Ctx, Trace};
use crate::engine::Engine;
use crate::event::Message;
use crate::profile::Profile;
use crate::rule::Rule;

/// Something that a message can reach of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// A way of a rule.
    Way(Arc<str>, Spot, Way),
    /// The failure of a clause, with the diagnostic's code.
    Failure(Arc<str>, &'static str, &'static str),
}

/// Messages that reach something new.
pub struct Sample<T> {
    engine: Engine,
    ctx: Ctx,
    seen: BTreeSet<Reach>,
    kept: Vec<(T, BTreeSet<Reach>)>,
    looked_at: u64,
}

impl<T> Sample<T> {
    /// Nothing looked at yet.
    pub fn new(rules: Vec<Arc<Rule>>, profile: Profile, ctx: Ctx) -> Sample<T> {
        let engine = Engine::new(rules, profile);
        Sample { engine, ctx, seen: BTreeSet::new(), kept: Vec::new(), looked_at: 0 }
    }

    /// Lets the rules see a message; what stands for it is made and kept when they go a new way.
    pub fn see(&mut self, message: &Message, made: impl FnOnce() -> T) {
        self.looked_at += 1;
        self.ctx.trace = Some(Trace::default());
        let outcomes = self.engine.publish(message, &mut self.ctx);
        let mut hits = Hits::default();
        hits.note(self.engine.rules(), Some(&message.topic), &outcomes);
        let mut reached: BTreeSet<Reach> =
            hits.ways().map(|(id, spot, way)| Reach::Way(id.clone(), spot.clone(), way)).collect();
        for outcome in &outcomes {
            if let Err(error) = &outcome.result {
                let failure =
                    Reach::Failure(outcome.rule.clone(), error.clause.name(), error.diagnostic.code);
                reached.insert(failure);
            }
        }
        if !reached.is_subset(&self.seen) {
            self.seen.extend(reached.iter().cloned());
            self.kept.push((made(), reached));
        }
    }

    /// How many messages there were.
    pub fn looked_at(&self) -> u64 {
        self.looked_at
    }

    /// How many ways they went.
    pub fn ways(&self) -> usize {
        self.seen.len()
    }

    /// The messages that are needed, in the order in which they came: those that reach most first, and of these none
    /// that the others make superfluous.
    pub fn into_kept(self) -> Vec<T> {
        let mut missing = self.seen;
        let mut chosen = BTreeSet::new();
        while !missing.is_empty() {
            let new = |at: &usize| self.kept[*at].1.intersection(&missing).count();
            // Of equals the earliest.
            let Some(best) = (0..self.kept.len()).rev().max_by_key(new).filter(|at| new(at) > 0) else {
                break;
            };
            missing.retain(|reach| !self.kept[best].1.contains(reach));
            chosen.insert(best);
        }
        let mut users: BTreeMap<Reach, usize> = BTreeMap::new();
        for at in &chosen {
            self.kept[*at].1.iter().for_each(|reach| *users.entry(reach.clone()).or_default() += 1);
        }
        for at in chosen.clone() {
            let reached = &self.kept[at].1;
            if reached.iter().all(|reach| users.get(reach).is_some_and(|n| *n > 1)) {
                chosen.remove(&at);
                reached.iter().for_each(|reach| *users.entry(reach.clone()).or_default() -= 1);
            }
        }
        let kept = self.kept.into_iter().enumerate();
        kept.filter(|(at, _)| chosen.contains(at)).map(|(_, (made, _))| made).collect()
    }
}
