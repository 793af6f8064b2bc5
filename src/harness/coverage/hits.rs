//! What a run reached of its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::condition::Conditions;
use super::spot::{self, Case, Spot, Way};
use crate::ctx::Step;
use crate::engine::Outcome;
use crate::eval::Verdict;
use crate::profile::Profile;
use crate::rule::Rule;
use crate::text::Span;
use crate::topic;
use crate::value::Value;

/// How often each way of each rule was gone.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    rules: BTreeMap<Arc<str>, RuleHits>,
}

/// How often each way of one rule was gone.
#[derive(Clone, Debug, Default)]
pub struct RuleHits {
    /// How often it ran.
    pub runs: u64,
    /// Under which profiles.
    pub profiles: BTreeSet<Profile>,
    /// The actions whose delivery tests let fail or succeed at will.
    pub faulted: BTreeSet<usize>,
    counts: BTreeMap<(Spot, Way), u64>,
}

impl RuleHits {
    /// How often a way was gone.
    pub fn count(&self, spot: &Spot, way: Way) -> u64 {
        self.counts.get(&(spot.clone(), way)).copied().unwrap_or(0)
    }

    fn add(&mut self, spot: Spot, way: Way) {
        *self.counts.entry((spot, way)).or_default() += 1;
    }
}

impl Hits {
    /// What a rule's tests reached; `None` when it never ran.
    pub fn of(&self, rule: &str) -> Option<&RuleHits> {
        self.rules.get(rule)
    }

    /// Every way that was gone, with the rule it is of.
    pub fn ways(&self) -> impl Iterator<Item = (&Arc<str>, &Spot, Way)> {
        let of_rule = |(id, hits)| {
            let hits: &RuleHits = hits;
            hits.counts.keys().map(move |(spot, way)| (id, spot, *way))
        };
        self.rules.iter().flat_map(of_rule)
    }

    /// Adds what another case reached.
    pub fn merge(&mut self, other: &Hits) {
        for (id, more) in &other.rules {
            let hits = self.rules.entry(id.clone()).or_default();
            hits.runs += more.runs;
            hits.profiles.extend(&more.profiles);
            hits.faulted.extend(&more.faulted);
            for (key, count) in &more.counts {
                *hits.counts.entry(key.clone()).or_default() += count;
            }
        }
    }

    /// Notes what rules did with something that came on a topic, or past every FROM. Nothing, when no trace watched.
    pub fn note(&mut self, rules: &[Arc<Rule>], topic: Option<&str>, outcomes: &[Outcome]) {
        for outcome in outcomes {
            let rule = rules.iter().find(|rule| rule.id == outcome.rule);
            if let (Some(rule), Some(steps)) = (rule, &outcome.steps) {
                let hits = self.rules.entry(rule.id.clone()).or_default();
                hits.runs += 1;
                hits.profiles.insert(rule.program.profile());
                hits.topic(rule, topic);
                hits.steps(rule, steps);
                hits.items(rule, outcome, steps);
                hits.actions(rule, outcome);
            }
        }
    }

    /// Notes that a test had a say in the delivery of an action, and how it ended.
    pub fn note_fault(&mut self, rule: &Arc<str>, position: usize, failed: bool, profile: Profile) {
        let hits = self.rules.entry(rule.clone()).or_default();
        hits.profiles.insert(profile);
        hits.faulted.insert(position);
        if failed {
            hits.add(Spot::Action(position), Way::Failed);
        }
    }
}

impl RuleHits {
    fn topic(&mut self, rule: &Rule, topic: Option<&str>) {
        let Some(topic) = topic else { return };
        for filter in &rule.program.statement().from {
            if topic::matches(topic.as_bytes(), filter.name.as_bytes()) {
                self.add(Spot::From(filter.at.0), Way::Taken);
            }
        }
    }

    fn steps(&mut self, rule: &Rule, steps: &[Step]) {
        let watched = Watched::of(rule);
        let mut before: Option<Span> = None;
        for (at, step) in steps.iter().enumerate() {
            // A name may be looked up in several ways at one place; what it came to is the last of them.
            let next = steps.get(at + 1);
            if next.is_some_and(|next| next.span == step.span && next.item == step.item) {
                continue;
            }
            if step.value.is_undefined() {
                for atom in watched.leaves.get(&step.span).into_iter().flatten() {
                    self.add(Spot::Atom(*atom), Way::Undefined);
                }
            }
            if let (Some(spot), Value::Bool(answer)) = (watched.answers.get(&step.span), &step.value) {
                self.add(spot.clone(), if *answer { Way::True } else { Way::False });
            }
            if let Some(case) = watched.cases.get(&step.span) {
                // The arm is the last thing that a CASE evaluates.
                let mut arms = case.arms.iter().chain(&case.otherwise);
                match arms.find(|arm| before == Some(**arm)) {
                    Some(arm) => self.add(Spot::Arm(*arm), Way::Taken),
                    None => self.add(Spot::NoArm(step.span), Way::Taken),
                }
            }
            before = Some(step.span);
        }
    }

    fn items(&mut self, rule: &Rule, outcome: &Outcome, steps: &[Step]) {
        let (Some(list), Ok(Verdict::Outputs(_))) = (spot::items(rule.program.statement()), &outcome.result)
        else {
            return;
        };
        let item = |step: &Step| step.item.map(|at| at + 1);
        let way = match steps.iter().filter_map(item).max() {
            None => Way::NoItem,
            Some(1) => Way::OneItem,
            Some(_) => Way::Items,
        };
        self.add(Spot::Items(list), way);
    }

    fn actions(&mut self, rule: &Rule, outcome: &Outcome) {
        let Ok(Verdict::Outputs(outputs)) = &outcome.result else { return };
        for rendered in &outcome.actions {
            let position = rendered.position;
            if rendered.request.is_err() {
                self.add(Spot::Action(position), Way::Failed);
                continue;
            }
            self.add(Spot::Action(position), Way::Taken);
            let (Some(action), Some(output)) = (rule.actions.get(position), outputs.get(rendered.output))
            else {
                continue;
            };
            let data = Value::Map(output);
            for field in action.templates() {
                for (index, keys) in field.template.placeholders().enumerate() {
                    let undefined = field.template.value(keys, &data).is_undefined();
                    let way = if undefined { Way::Undefined } else { Way::Value };
                    self.add(Spot::Placeholder(position, field.path.clone(), index), way);
                }
            }
        }
    }
}

/// The places of a statement that a trace is searched for.
struct Watched {
    /// Atoms and clauses.
    answers: BTreeMap<Span, Spot>,
    /// The variables of atoms, and which atoms these are.
    leaves: BTreeMap<Span, Vec<Span>>,
    cases: BTreeMap<Span, Case>,
}

impl Watched {
    fn of(rule: &Rule) -> Watched {
        let statement = rule.program.statement();
        let conditions = Conditions::of(statement);
        let mut answers = BTreeMap::new();
        let mut leaves: BTreeMap<Span, Vec<Span>> = BTreeMap::new();
        for atom in &conditions.atoms {
            answers.insert(atom.span, Spot::Atom(atom.span));
            atom.leaves.iter().for_each(|(_, leaf)| leaves.entry(*leaf).or_default().push(atom.span));
        }
        answers.extend(conditions.clauses.iter().map(|span| (*span, Spot::Clause(*span))));
        let cases = spot::cases(statement).into_iter().map(|case| (case.span, case)).collect();
        Watched { answers, leaves, cases }
    }
}
