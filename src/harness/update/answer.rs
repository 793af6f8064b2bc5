//! What a rule answered and did, held against what is said of it under each profile.

use std::sync::Arc;

use super::Came;
use super::action::Act;
use super::leaf::{Actual, Leaves, map, text};
use crate::document::{Data, Entry, Node, new_entry, new_node};
use crate::harness::faults;
use crate::harness::verdict::{self, Ran, Seen};
use crate::rule::Rule;
use crate::value::{Map, Value};

/// One rule under one profile.
#[derive(Clone, Copy)]
struct One<'a> {
    came: Came<'a>,
    id: &'a str,
    seen: &'a Seen,
}

impl<'a> One<'a> {
    fn actual(&self, value: Option<Value>) -> Actual {
        Actual { profile: self.came.profile, value }
    }

    fn rule(&self) -> Option<&'a Arc<Rule>> {
        self.came.loaded.set.rules.get(self.id)
    }

    fn ran(&self) -> Option<&'a Ran> {
        match self.seen {
            Seen::Ran(ran) => Some(ran),
            _ => None,
        }
    }

    fn outputs(&self) -> Option<&'a [Map]> {
        self.ran()?.result.as_ref().ok()?.as_deref()
    }

    /// The word or key for how it answered.
    fn answer(&self) -> &'static str {
        match self.seen {
            Seen::NotSelected(_) => "not_selected",
            Seen::Disabled => "disabled",
            Seen::Ran(ran) => match &ran.result {
                Ok(None) => "no_match",
                Ok(Some(_)) => "outputs",
                Err(_) => "error",
            },
        }
    }

    fn acts(&self) -> Vec<Act<'a>> {
        let actions = self.ran().map(|ran| ran.actions.as_slice()).unwrap_or_default();
        let profile = self.came.profile;
        let delivery = |action| faults::of_action(self.rule()?, action, self.came.faults, profile);
        actions.iter().map(|action| Act { profile, action, delivery: delivery(action) }).collect()
    }
}

impl Leaves<'_> {
    /// `expect` of a step.
    pub(super) fn expect(&mut self, node: &Node, came: &[Came<'_>]) -> Result<(), String> {
        if let Some([entry]) = node.as_map()
            && &*entry.key == "$by_profile"
        {
            for one in came {
                match entry.value.get(one.profile.name()) {
                    Some(own) => self.for_profiles(own, std::slice::from_ref(one))?,
                    None => {
                        let new = self.all_rules(&[*one])?;
                        self.changes.insert(&entry.value, one.profile.name(), new);
                    }
                }
            }
            return Ok(());
        }
        self.for_profiles(node, came)
    }

    fn for_profiles(&mut self, node: &Node, came: &[Came<'_>]) -> Result<(), String> {
        if let Some(kv) = node.get("kv") {
            let actual = |one: &Came<'_>| Actual {
                profile: one.profile,
                value: Some(Value::Map(one.kept.kv.clone())),
            };
            self.merge(kv, &came.iter().map(actual).collect::<Vec<_>>())?;
            if node.as_map().is_some_and(|entries| entries.len() == 1) {
                return Ok(());
            }
        }
        if came.iter().any(|one| one.kept.seen.is_none()) {
            return Ok(());
        }
        match node.get("rules") {
            Some(rules) => self.rules(rules, came),
            None => match one_rule(came) {
                Some(ones) => self.rule(node, &ones, true),
                None => {
                    let new = self.all_rules(came)?;
                    self.set(node, new)
                }
            },
        }
    }

    fn rules(&mut self, node: &Node, came: &[Came<'_>]) -> Result<(), String> {
        let entries = node.as_map().unwrap_or_default();
        for entry in entries {
            let Some(ones) = all_of(came, &entry.key) else {
                return Err(format!("the test runs no rule '{}'", entry.key));
            };
            self.rule(&entry.value, &ones, false)?;
        }
        let Some(first) = came.first().and_then(|one| one.kept.seen.as_ref()) else { return Ok(()) };
        for id in first.keys().filter(|id| entries.iter().all(|entry| entry.key != **id)) {
            let Some(ones) = all_of(came, id) else { continue };
            if ones.iter().any(|one| verdict::produced(one.seen).is_some()) {
                let new = self.whole(&ones)?;
                self.changes.insert(node, id.clone(), new);
            }
        }
        Ok(())
    }

    /// What is said of one rule; `at_top` where it may be said by profile.
    fn rule(&mut self, node: &Node, ones: &[One<'_>], at_top: bool) -> Result<(), String> {
        let answer = ones[0].answer();
        if ones.iter().any(|one| one.answer() != answer) {
            return self.rule_by_profile(node, ones, at_top);
        }
        let entry = |key: &str| node.as_map().and_then(|entries| entries.iter().find(|e| &*e.key == key));
        match answer {
            "outputs" => match (entry("output"), entry("outputs")) {
                (Some(entry), _) => self.output(node, entry, ones)?,
                (None, Some(entry)) => self.merge(&entry.value, &outputs(ones))?,
                (None, None) if node.as_text().is_some() || entry("error").is_some() => {
                    return self.rule_anew(node, ones);
                }
                (None, None) => {}
            },
            "error" => match entry("error") {
                Some(entry) => self.error(&entry.value, ones)?,
                None if says_answer(node) => return self.rule_anew(node, ones),
                None => {}
            },
            _ if node.as_text() == Some(answer) => {}
            _ if says_answer(node) => return self.rule_anew(node, ones),
            _ => {}
        }
        if let Some(entry) = entry("warns") {
            self.warns(&entry.value, ones)?;
        }
        if node.as_text().is_some() {
            return Ok(());
        }
        self.actions(node, entry("actions"), ones, at_top)
    }

    /// Everything that is said of a rule becomes something else.
    fn rule_anew(&mut self, node: &Node, ones: &[One<'_>]) -> Result<(), String> {
        let new = self.whole(ones)?;
        let new = with_kv(new, node)?;
        self.set(node, new)
    }

    fn rule_by_profile(&mut self, node: &Node, ones: &[One<'_>], at_top: bool) -> Result<(), String> {
        if !at_top {
            return Err("its rules differ by profile; write `expect: { $by_profile: … }`".to_owned());
        }
        let mut ones = ones.to_vec();
        ones.sort_by_key(|one| std::cmp::Reverse(one.came.profile));
        let mut entries = Vec::new();
        for one in &ones {
            let new = self.whole(std::slice::from_ref(one))?;
            entries.push((one.came.profile.name(), with_kv(new, node)?));
        }
        self.set(node, map([("$by_profile", map(entries))]))
    }

    fn output(&mut self, node: &Node, entry: &Entry, ones: &[One<'_>]) -> Result<(), String> {
        let one = |one: &One<'_>| match one.outputs() {
            Some([output]) => Some(one.actual(Some(Value::Map(output.clone())))),
            _ => None,
        };
        match ones.iter().map(one).collect::<Option<Vec<Actual>>>() {
            Some(actuals) => self.merge(&entry.value, &actuals),
            None => {
                let new = self.literal(&outputs(ones))?;
                self.changes.remove(entry);
                self.changes.insert(node, "outputs", new);
                Ok(())
            }
        }
    }

    fn error(&mut self, node: &Node, ones: &[One<'_>]) -> Result<(), String> {
        let part = |key: &str| -> Vec<Actual> {
            let value = |one: &One<'_>| {
                let error = one.ran()?.result.as_ref().err()?;
                Some(Value::str(match key {
                    "clause" => error.clause.name(),
                    "code" => error.diagnostic.code,
                    _ => &error.diagnostic.message,
                }))
            };
            ones.iter().map(|one| one.actual(value(one))).collect()
        };
        match node.as_map() {
            None => self.clause(node, &part("clause")),
            Some(entries) => entries.iter().try_for_each(|entry| match &*entry.key {
                "clause" => self.clause(&entry.value, &part("clause")),
                key => self.merge(&entry.value, &part(key)),
            }),
        }
    }

    fn clause(&mut self, node: &Node, actuals: &[Actual]) -> Result<(), String> {
        // EMQX's own name of a class stands for its clause.
        let class = |clause: &str| {
            crate::harness::expect::CLAUSES.iter().find(|c| c.name() == clause).map(|c| c.class())
        };
        let clause = actuals[0].value.as_ref().and_then(Value::as_text).unwrap_or_default();
        match node.as_text() {
            Some(written) if Some(written) == class(clause) => Ok(()),
            _ => self.merge(node, actuals),
        }
    }

    fn warns(&mut self, node: &Node, ones: &[One<'_>]) -> Result<(), String> {
        let codes = |one: &One<'_>| {
            let mut codes: Vec<&str> = one
                .rule()
                .map(|rule| rule.program.problems().iter().map(|p| p.code).collect())
                .unwrap_or_default();
            codes.sort_unstable();
            one.actual(Some(Value::list(codes.into_iter().map(Value::str).collect())))
        };
        let mut written: Vec<&str> =
            node.as_list().unwrap_or_default().iter().filter_map(Node::as_text).collect();
        written.sort_unstable();
        let written = Value::list(written.into_iter().map(Value::str).collect());
        let actuals: Vec<Actual> = ones.iter().map(codes).collect();
        let same = |actual: &Actual| actual.value.as_ref() == Some(&written);
        if actuals.iter().all(same) { Ok(()) } else { self.replace(node, &actuals) }
    }

    fn actions(
        &mut self,
        node: &Node,
        entry: Option<&Entry>,
        ones: &[One<'_>],
        at_top: bool,
    ) -> Result<(), String> {
        let acts: Vec<Vec<Act<'_>>> = ones.iter().map(One::acts).collect();
        let length = acts[0].len();
        let items = match entry {
            Some(entry) => match entry.value.as_list() {
                Some(items) => items,
                None => return Ok(()),
            },
            // The console only prints the output that is asserted already.
            None if acts.iter().flatten().all(|act| &*act.action.id == "console") => return Ok(()),
            None => &[],
        };
        let ids = |at: usize| acts.iter().all(|own| own[at].action.id == acts[0][at].action.id);
        if acts.iter().any(|own| own.len() != length) || !(0..length).all(ids) {
            return self.rule_by_profile(node, ones, at_top);
        }
        let mut missing = Vec::new();
        for at in 0..length {
            let own: Vec<&Act<'_>> = acts.iter().map(|own| &own[at]).collect();
            match items.get(at) {
                Some(item) => self.action(item, &own)?,
                None => missing.push(self.whole_action(&own)?),
            }
        }
        match entry {
            None => self.changes.insert(node, "actions", new_node(Data::List(Arc::new(missing)))),
            Some(entry) => {
                missing.into_iter().for_each(|item| self.changes.append(&entry.value, item));
                if items.len() > length {
                    self.changes.cut(&entry.value, length);
                }
            }
        }
        Ok(())
    }

    /// All that a rule did.
    fn whole(&mut self, ones: &[One<'_>]) -> Result<Node, String> {
        let answer = ones[0].answer();
        let said = match answer {
            "outputs" => match ones.iter().all(|one| one.outputs().is_some_and(|outputs| outputs.len() == 1))
            {
                true => {
                    let first = |one: &One<'_>| {
                        one.actual(one.outputs().and_then(<[Map]>::first).cloned().map(Value::Map))
                    };
                    ("output", self.literal(&ones.iter().map(first).collect::<Vec<_>>())?)
                }
                false => ("outputs", self.literal(&outputs(ones))?),
            },
            "error" => {
                let error = ones[0].ran().and_then(|ran| ran.result.as_ref().err());
                ("error", text(error.map_or("select", |error| error.clause.name())))
            }
            word => return Ok(text(word)),
        };
        let acts: Vec<Vec<Act<'_>>> = ones.iter().map(One::acts).collect();
        if acts.iter().flatten().all(|act| &*act.action.id == "console") {
            return Ok(map([said]));
        }
        if acts.iter().any(|own| own.len() != acts[0].len()) {
            return Err("its actions differ by profile".to_owned());
        }
        let mut items = Vec::new();
        for at in 0..acts[0].len() {
            items.push(self.whole_action(&acts.iter().map(|own| &own[at]).collect::<Vec<_>>())?);
        }
        Ok(map([said, ("actions", new_node(Data::List(Arc::new(items))))]))
    }

    fn all_rules(&mut self, came: &[Came<'_>]) -> Result<Node, String> {
        if let Some(ones) = one_rule(came) {
            return self.whole(&ones);
        }
        let Some(first) = came.first().and_then(|one| one.kept.seen.as_ref()) else {
            return Err("nothing came".to_owned());
        };
        let mut rules = Vec::new();
        for id in first.keys() {
            let Some(ones) = all_of(came, id) else { continue };
            rules.push((&**id, self.whole(&ones)?));
        }
        Ok(map([("rules", map(rules))]))
    }
}

/// What a rule did under each profile.
fn all_of<'a>(came: &[Came<'a>], id: &str) -> Option<Vec<One<'a>>> {
    let mut ones = Vec::new();
    for came in came {
        let (id, seen) = came.kept.seen.as_ref()?.get_key_value(id)?;
        ones.push(One { came: *came, id, seen });
    }
    Some(ones)
}

/// The rule that an expectation of one rule is about: the only one, or the only one reached, the same under each
/// profile.
fn one_rule<'a>(came: &[Came<'a>]) -> Option<Vec<One<'a>>> {
    let one = |came: &Came<'a>| {
        let seen = came.kept.seen.as_ref()?;
        let mut reached = seen.iter().filter(|(_, seen)| seen_at_all(seen) || came.kept_one());
        match (reached.next(), reached.next()) {
            (Some((id, seen)), None) => Some(One { came: *came, id, seen }),
            _ => None,
        }
    };
    let ones: Vec<One<'a>> = came.iter().map(one).collect::<Option<_>>()?;
    ones.iter().all(|one| one.id == ones[0].id).then_some(ones)
}

fn seen_at_all(seen: &Seen) -> bool {
    !matches!(seen, Seen::NotSelected(_))
}

impl Came<'_> {
    /// Does the test run one rule only?
    fn kept_one(&self) -> bool {
        self.kept.seen.as_ref().is_some_and(|seen| seen.len() == 1)
    }
}

fn outputs(ones: &[One<'_>]) -> Vec<Actual> {
    let list = |one: &One<'_>| {
        let outputs = one.outputs().unwrap_or_default();
        one.actual(Some(Value::list(outputs.iter().cloned().map(Value::Map).collect())))
    };
    ones.iter().map(list).collect()
}

/// Does an expectation say how the rule answers?
fn says_answer(node: &Node) -> bool {
    let key = |entry: &Entry| matches!(&*entry.key, "output" | "outputs" | "error");
    node.as_map().is_none_or(|entries| entries.iter().any(key))
}

/// What is said of the kv store stays.
fn with_kv(new: Node, old: &Node) -> Result<Node, String> {
    let Some(kv) = old.as_map().and_then(|entries| entries.iter().find(|entry| &*entry.key == "kv")) else {
        return Ok(new);
    };
    match &new.data {
        Data::Map(entries) => {
            let all = entries.iter().cloned().chain([new_entry(&kv.key, &kv.value)]);
            Ok(new_node(Data::Map(Arc::new(all.collect()))))
        }
        _ => Err("what came cannot be said beside 'kv'".to_owned()),
    }
}
