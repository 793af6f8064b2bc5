//! Message → matching rules → outcomes and rendered actions; synchronous and deterministic.
//!
//! The engine delivers nothing: an [`Outcome`] holds what each action asks of a sink.
//!
//! Invariant: outcomes stand in the order in which the rules were given; a rule runs once for a message, however many
//! of its filters match, and a disabled one is not even in the index.

mod counters;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use counters::{Counter, Counters};

use crate::ctx::{Ctx, Step};
use crate::eval::{self, EvalError, Verdict};
use crate::event::Message;
use crate::profile::Profile;
use crate::rule::{Action, ActionKind, Request, Rule};
use crate::topic::{self, Index};
use crate::value::{Map, Value};

/// What one rule did with one message.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The rule's id.
    pub rule: Arc<str>,
    /// What its SQL answered.
    pub result: Result<Verdict, EvalError>,
    /// The actions of each output, in execution order: for each output all actions in the rule's order.
    pub actions: Vec<RenderedAction>,
    /// What was evaluated on the way; `None` when no [`Ctx::trace`] watches.
    pub steps: Option<Vec<Step>>,
}

/// One action of one output.
#[derive(Clone, Debug)]
pub struct RenderedAction {
    /// The action's id, `http:hstreamdb` or `republish` or `console`.
    pub id: Arc<str>,
    /// Its position among the rule's actions, from 0.
    pub position: usize,
    /// Which output it belongs to, from 0.
    pub output: usize,
    /// What to do, or why the templates could not be rendered.
    pub request: Result<Request, String>,
}

/// Which action republished a message: EMQX lets no rule (4.3: no action) feed itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The rule's id.
    pub rule: Arc<str>,
    /// The action's position among the rule's actions.
    pub position: usize,
}

/// Rules at work.
#[derive(Debug)]
pub struct Engine {
    rules: Vec<Arc<Rule>>,
    /// The enabled rules' positions, by FROM.
    index: Index,
    /// In the order of the rules.
    counters: Vec<Arc<Counters>>,
    by_id: BTreeMap<Arc<str>, usize>,
    profile: Profile,
    /// The positions that match the message at work.
    matching: Vec<u32>,
}

impl Engine {
    /// An engine of these rules.
    pub fn new(rules: Vec<Arc<Rule>>, profile: Profile) -> Engine {
        let mut index = Index::new();
        for (at, rule) in (0..).zip(&rules).filter(|(_, rule)| rule.enabled) {
            rule.program.topics().iter().for_each(|filter| index.insert(filter.as_bytes(), at));
        }
        let counters = rules.iter().map(|_| Arc::default()).collect();
        let by_id = rules.iter().enumerate().map(|(at, rule)| (rule.id.clone(), at)).collect();
        Engine { rules, index, counters, by_id, profile, matching: Vec::new() }
    }

    /// The rules.
    pub fn rules(&self) -> &[Arc<Rule>] {
        &self.rules
    }

    /// The counters of a rule: sinks report there how their actions went, without waiting for the engine.
    pub fn counters(&self, rule: &str) -> Option<&Arc<Counters>> {
        self.by_id.get(rule).map(|at| &self.counters[*at])
    }

    /// Adds one to a counter of a rule.
    pub fn count(&self, rule: &str, counter: Counter) {
        if let Some(counters) = self.counters(rule) {
            counters.add(counter);
        }
    }

    /// Runs the rules whose FROM a published message matches; disabled ones rest.
    pub fn publish(&mut self, message: &Message, ctx: &mut Ctx) -> Vec<Outcome> {
        self.publish_from(message, None, ctx)
    }

    /// As [`Engine::publish`], for a message that an action republished.
    pub fn publish_from(
        &mut self,
        message: &Message,
        origin: Option<&Origin>,
        ctx: &mut Ctx,
    ) -> Vec<Outcome> {
        self.index.find(message.topic.as_bytes(), &mut self.matching);
        if self.matching.is_empty() {
            return Vec::new();
        }
        let columns = message.columns(self.profile);
        self.run_matching(&columns, origin, ctx)
    }

    /// Runs the rules whose FROM names an event (`$events/client_connected`) or matches a topic, over columns.
    pub fn run(&mut self, topic: &str, columns: &Map, ctx: &mut Ctx) -> Vec<Outcome> {
        self.run_from(topic, columns, None, ctx)
    }

    /// As [`Engine::run`], for the columns of a message that an action republished.
    pub fn run_from(
        &mut self,
        topic: &str,
        columns: &Map,
        origin: Option<&Origin>,
        ctx: &mut Ctx,
    ) -> Vec<Outcome> {
        self.index.find(topic.as_bytes(), &mut self.matching);
        self.run_matching(columns, origin, ctx)
    }

    /// Does the rule's FROM match?
    pub fn selects(rule: &Rule, topic: &str) -> bool {
        rule.program.topics().iter().any(|filter| topic::matches(topic.as_bytes(), filter.as_bytes()))
    }

    fn run_matching(&self, columns: &Map, origin: Option<&Origin>, ctx: &mut Ctx) -> Vec<Outcome> {
        let run = |at: &u32| {
            let at = *at as usize;
            let rule = &self.rules[at];
            let columns = with_metadata(columns, &rule.id);
            self.apply_counted(rule, &self.counters[at], &columns, origin, ctx)
        };
        self.matching.iter().map(run).collect()
    }

    /// Runs one rule over exactly these columns.
    pub fn apply(&self, rule: &Rule, columns: &Map, origin: Option<&Origin>, ctx: &mut Ctx) -> Outcome {
        match self.counters(&rule.id) {
            Some(counters) => self.apply_counted(rule, counters, columns, origin, ctx),
            None => self.apply_counted(rule, &Counters::default(), columns, origin, ctx),
        }
    }

    fn apply_counted(
        &self,
        rule: &Rule,
        counters: &Counters,
        columns: &Map,
        origin: Option<&Origin>,
        ctx: &mut Ctx,
    ) -> Outcome {
        counters.add(Counter::Matched);
        if let Some(trace) = &mut ctx.trace {
            trace.begin(&rule.id, columns);
        }
        let result = eval::run(&rule.program, columns, ctx);
        let mut actions = Vec::new();
        match &result {
            Err(_) => counters.add(Counter::FailedException),
            Ok(Verdict::NoMatch) => counters.add(Counter::FailedNoResult),
            Ok(Verdict::Outputs(outputs)) => {
                let counter = if outputs.is_empty() { Counter::FailedNoResult } else { Counter::Passed };
                counters.add(counter);
                for (at, output) in outputs.iter().enumerate() {
                    for (position, action) in rule.actions.iter().enumerate() {
                        let looping = loops(origin, &rule.id, position, self.profile);
                        let request = act(action, &output, columns, looping, self.profile, counters);
                        actions.extend(request.map(|request| RenderedAction {
                            id: action.id.clone(),
                            position,
                            output: at,
                            request,
                        }));
                    }
                }
            }
        }
        let steps = ctx.trace.as_ref().map(|trace| trace.last_run().to_vec());
        Outcome { rule: rule.id.clone(), result, actions, steps }
    }
}

/// What one action asks; `None` where EMQX would do nothing.
fn act(
    action: &Action,
    output: &Map,
    columns: &Map,
    looping: bool,
    profile: Profile,
    counters: &Counters,
) -> Option<Result<Request, String>> {
    counters.add(Counter::ActionsTotal);
    if !action.enabled {
        counters.add(Counter::ActionsDiscarded);
        return None;
    }
    if looping && matches!(action.kind, ActionKind::Republish(_)) {
        // 5.8 logs recursive_republish_detected and goes on; 4.3 counts a failure (emqx_rule_actions of each).
        if profile.is_5_8() {
            counters.add(Counter::ActionsSuccess);
            return None;
        }
        counters.add(Counter::ActionsFailedUnknown);
        return Some(Err(
            "the message was republished by this same action (recursively_republish)".to_owned()
        ));
    }
    let request = action.render(output, columns);
    if request.is_err() {
        let down = action.connector().is_some_and(|connector| !connector.enabled);
        counters.add(if down { Counter::ActionsFailedOutOfService } else { Counter::ActionsFailedUnknown });
    }
    Some(request)
}

/// Did this rule (4.3: this very action) republish the message?
fn loops(origin: Option<&Origin>, rule: &str, position: usize, profile: Profile) -> bool {
    let same_action = |origin: &Origin| profile.is_5_8() || origin.position == position;
    origin.is_some_and(|origin| &*origin.rule == rule && same_action(origin))
}

/// The columns with the rule's id in `metadata` (emqx_rule_runtime:add_metadata/2).
pub fn with_metadata(columns: &Map, rule: &str) -> Map {
    let own = Map::of_columns([("rule_id", Value::str(rule))]);
    let metadata = match columns.get_named(b"metadata") {
        Some(Value::Map(given)) => given.merged(&own),
        _ => own,
    };
    let mut columns = columns.clone();
    columns.insert_column("metadata", Value::Map(metadata));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Input, load};

    const FILE: &str = r##"
rule_engine:
  rules:
    all: { sql: "SELECT payload, metadata FROM \"#\"", actions: [{ function: console }, "http:off", "http:down"] }
    hot: { sql: "SELECT payload.t as t FROM \"s/+\" WHERE payload.t > 30", actions: [{ function: console }] }
    each: { sql: "FOREACH payload.l as x DO x.v as v FROM \"l\"", actions: [{ function: console }, { function: console }] }
    rest: { sql: "SELECT * FROM \"#\"", enable: false }
    back: { sql: "SELECT * FROM \"b\"", actions: [{ function: republish, args: { topic: b } }] }
connectors:
  http: { a: { url: "http://h" }, d: { url: "http://h", enable: false } }
actions:
  http: { "off": { connector: a, enable: false, parameters: {} }, down: { connector: d, parameters: {} } }
"##;

    fn engine(profile: Profile) -> Engine {
        let loaded = load(&[Input { path: "t.yaml".to_owned(), bytes: FILE.as_bytes().to_vec() }], profile);
        assert!(!loaded.has_errors(), "{:?}", loaded.problems);
        Engine::new(loaded.set.rules.into_values().collect(), profile)
    }

    fn publish(engine: &mut Engine, topic: &str, payload: &str) -> Vec<String> {
        let message = Message::new(topic, payload.as_bytes().to_vec());
        let outcomes = engine.publish(&message, &mut Ctx::frozen(0, 1));
        outcomes.iter().map(|o| format!("{} {}", o.rule, o.actions.len())).collect()
    }

    #[test]
    fn rules_run_by_topic_and_are_counted() {
        for profile in Profile::ALL {
            let mut engine = engine(profile);
            assert_eq!(publish(&mut engine, "s/1", r#"{"t": 31}"#), ["all 2", "hot 1"]);
            assert_eq!(publish(&mut engine, "s/2", r#"{"t": 3}"#), ["all 2", "hot 0"]);
            assert_eq!(publish(&mut engine, "s/3", "no json"), ["all 2", "hot 0"]);
            assert_eq!(publish(&mut engine, "l", r#"{"l": [{"v": 1}, {"v": 2}]}"#), ["all 2", "each 4"]);
            assert_eq!(publish(&mut engine, "l", r#"{"l": []}"#), ["all 2", "each 0"]);
            assert_eq!(publish(&mut engine, "$SYS/x", ""), Vec::<String>::new());
            let counted = |rule: &str| {
                let entries = engine.counters(rule).unwrap().entries().filter(|(_, n)| *n > 0);
                entries.map(|(name, n)| format!("{name} {n}")).collect::<Vec<_>>().join(", ")
            };
            let hot =
                "matched 3, passed 1, failed 2, failed.exception 1, failed.no_result 1, actions.total 1";
            assert_eq!(counted("hot"), hot);
            assert_eq!(counted("each"), "matched 2, passed 1, failed 1, failed.no_result 1, actions.total 4");
            let all = "matched 5, passed 5, actions.total 15, actions.failed 5, actions.failed.out_of_service 5, \
                       actions.discarded 5";
            assert_eq!(counted("all"), all);
            assert_eq!(counted("rest"), "");
        }
    }

    #[test]
    fn outcomes_keep_the_order_of_the_rules_and_each_rule_runs_once() {
        const RULES: &str = r##"
rule_engine:
  rules:
    z: { sql: "SELECT 1 AS n FROM \"a/+\", \"a/b\", \"#\", \"$events/client_connected\"" }
    m: { sql: "SELECT 1 AS n FROM \"c\"" }
    a: { sql: "SELECT 1 AS n FROM \"a/b\"" }
"##;
        let profile = Profile::V5_8;
        let loaded = load(&[Input { path: "t.yaml".to_owned(), bytes: RULES.into() }], profile);
        let set = loaded.set.rules;
        let rules = ["z", "m", "a"].map(|id| set.values().find(|rule| &*rule.id == id).unwrap().clone());
        let mut engine = Engine::new(rules.to_vec(), profile);
        assert_eq!(publish(&mut engine, "a/b", ""), ["z 0", "a 0"]);
        assert_eq!(publish(&mut engine, "$SYS/b", ""), Vec::<String>::new());
        let columns = Map::of_columns([("clientid", Value::str("c"))]);
        let outcomes = engine.run("$events/client_connected", &columns, &mut Ctx::frozen(0, 1));
        assert_eq!(outcomes.iter().map(|o| &*o.rule).collect::<Vec<_>>(), ["z"]);
        assert_eq!(engine.counters("z").unwrap().get(Counter::Matched), 2);
    }

    #[test]
    fn metadata_names_the_rule() {
        let mut engine = engine(Profile::V5_8);
        let outcomes = engine.publish(&Message::new("x", "p"), &mut Ctx::frozen(0, 1));
        let Ok(Verdict::Outputs(outputs)) = &outcomes[0].result else { panic!("{outcomes:?}") };
        let metadata = outputs.get(0).unwrap();
        let metadata = metadata.get_named(b"metadata").and_then(Value::as_map).unwrap();
        assert_eq!(metadata.get_named(b"rule_id"), Some(&Value::str("all")));
    }

    #[test]
    fn no_rule_feeds_itself() {
        let message = Message::new("b", "x");
        let origin = Origin { rule: Arc::from("back"), position: 0 };
        let mut ctx = Ctx::frozen(0, 1);
        let mut new = engine(Profile::V5_8);
        let fed = new.publish_from(&message, Some(&origin), &mut ctx);
        assert!(fed.iter().find(|o| &*o.rule == "back").unwrap().actions.is_empty());
        let mut old = engine(Profile::V4_3);
        let fed = old.publish_from(&message, Some(&origin), &mut ctx);
        assert!(fed.iter().find(|o| &*o.rule == "back").unwrap().actions[0].request.is_err());
        let other = Origin { position: 1, ..origin };
        let fed = old.publish_from(&message, Some(&other), &mut ctx);
        assert!(fed.iter().find(|o| &*o.rule == "back").unwrap().actions[0].request.is_ok());
    }
}
