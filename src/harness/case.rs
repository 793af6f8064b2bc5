//! One case at work: what comes, and what the rules do with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::capture::{Capture, Replayed, Tally};
use super::compare::{Comparison, Difference, DifferenceKind};
use super::faults::{self, Faults};
use super::given::Given;
use super::line::{Line, Lines};
use super::model::{Step, Test, When};
use super::run::CaseResult;
use super::update::Kept;
use super::verdict::{self, Seen};
use crate::ctx::{Ctx, Trace};
use crate::diag::{Diagnostic, nearest};
use crate::engine::{Engine, Origin, Outcome};
use crate::event::Message;
use crate::limits;
use crate::profile::Profile;
use crate::rule::{Request, Rule};
use crate::text::{Source, Span};
use crate::value::Map;

/// Which runs are explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    Nothing,
    Failures,
    All,
}

/// A test under way.
pub(super) struct Case<'a> {
    pub engine: Engine,
    pub ctx: Ctx,
    pub test: &'a Test,
    pub profile: Profile,
    pub now_ns: i128,
    pub watch: Watch,
    /// The test file.
    pub source: &'a Source,
    /// Is what each step brought kept?
    pub keep: bool,
    /// Counts the messages of captures.
    pub replayed: Option<&'a Replayed>,
    /// How servers answer in the step at hand.
    pub faults: &'a [Faults],
    pub result: CaseResult,
}

impl<'a> Case<'a> {
    /// Does one step.
    pub fn step(&mut self, at: usize, step: &'a Step) {
        self.faults = &step.faults;
        self.now_ns = match step.when {
            When::Now => self.now_ns,
            When::At(ms) => self.test.world.clock_ns + i128::from(ms) * 1_000_000,
            When::Advance(ms) => self.now_ns + i128::from(ms) * 1_000_000,
        };
        let now = self.now_ns;
        self.ctx.set_clock(Box::new(move || now));
        let mut comparison = Comparison::new(self.profile);
        let prefix = if self.test.steps.len() > 1 { format!("steps[{at}]") } else { String::new() };
        self.check_faults(&mut comparison);
        let seen = step.given.as_ref().and_then(|given| self.come(at, step.span, given, &mut comparison));
        if self.watch == Watch::All {
            self.explain_all(&prefix);
        }
        if let Some(expect) = &step.expect {
            match expect.for_profile(self.profile) {
                Some(expect) => self.check(&prefix, expect, seen.as_ref(), &mut comparison),
                None => comparison.push(Difference {
                    path: prefix,
                    kind: DifferenceKind::Missing,
                    expected: format!("an expectation for EMQX {}", self.profile),
                    actual: String::new(),
                    span: step.span,
                    hint: None,
                }),
            }
        } else if let Some(seen) = &seen {
            // A step that expects nothing prepares the next; an error is still one.
            verdict::check_no_error(&prefix, step.span, seen, &mut comparison);
        }
        self.result.differences.extend(comparison.into_differences());
        if self.keep {
            self.result.kept.push(Kept { seen, kv: self.ctx.kv_store.to_map() });
        }
    }

    /// Replays a capture.
    pub fn replay(&mut self, capture: &Capture) {
        let mut comparison = Comparison::new(self.profile);
        let mut tally = Tally::new(capture);
        let lines = match Lines::open(&capture.path, capture.span, &capture.stream) {
            Ok(lines) => lines,
            Err(problem) => return self.cannot_run(*problem),
        };
        for line in lines {
            let line = match line {
                Ok(line) => line,
                Err(problem) => return self.cannot_run(*problem),
            };
            self.replay_line(line, capture, &mut tally, &mut comparison);
            self.result.left_out += comparison.keep(limits::REPORT_DIFFERENCES_MAX);
            if self.watch == Watch::Failures && self.result.explained.len() >= limits::REPORT_RUNS_MAX {
                return;
            }
        }
        tally.check(capture, &mut comparison);
        self.result.totals = tally.totals();
        self.result.snapshot = tally.written;
        self.result.differences.extend(comparison.into_differences());
    }

    fn replay_line(&mut self, line: Line, capture: &Capture, tally: &mut Tally, comparison: &mut Comparison) {
        if let Some(replayed) = self.replayed {
            replayed.messages.fetch_add(1, Ordering::Relaxed);
            replayed.bytes.fetch_add(line.read, Ordering::Relaxed);
        }
        self.now_ns = line.at_ns.unwrap_or(self.now_ns);
        let now = self.now_ns;
        self.ctx.set_clock(Box::new(move || now));
        let given = Given::Message(Box::new(line.given));
        let Some(seen) = self.come(line.number, self.test.span, &given, comparison) else { return };
        seen.iter().for_each(|(rule, seen)| tally.add(line.number, rule, seen));
        if self.watch == Watch::All {
            self.explain_all(&format!("line {}", line.number));
        }
        if let Some(expect) = capture.each.as_ref().and_then(|expect| expect.for_profile(self.profile)) {
            self.check(&format!("line {}", line.number), expect, Some(&seen), comparison);
        }
    }

    fn cannot_run(&mut self, problem: Diagnostic) {
        self.result.ran = false;
        self.result.problems.push(problem.in_source(self.source));
    }

    /// Faults of an action that no rule of the test has would test nothing.
    fn check_faults(&self, comparison: &mut Comparison) {
        for faults in self.faults {
            let mut actions = self.engine.rules().iter().flat_map(|rule| &rule.actions);
            let name = faults.action.name.as_str();
            let why = match actions.find(|action| &*action.id == name) {
                Some(action) => match faults::can_fail(action) {
                    Ok(()) => continue,
                    Err(why) => why,
                },
                None => "no rule of the test has this action".to_owned(),
            };
            let ids =
                self.engine.rules().iter().flat_map(|rule| rule.actions.iter().map(|action| &*action.id));
            comparison.push(Difference {
                path: "faults".to_owned(),
                kind: DifferenceKind::Different,
                expected: format!("the action '{name}' and its server"),
                actual: why,
                span: faults.action.span,
                hint: nearest(name, ids)
                    .filter(|near| *near != name)
                    .map(|near| format!("did you mean '{near}'?")),
            });
        }
    }

    /// Lets something come, and says what each rule did; `None` where it cannot come under this profile.
    fn come(
        &mut self,
        at: usize,
        span: Span,
        given: &Given,
        comparison: &mut Comparison,
    ) -> Option<BTreeMap<Arc<str>, Seen>> {
        let now_ms = i64::try_from(self.now_ns.div_euclid(1_000_000)).unwrap_or(i64::MAX);
        let seed = self.test.world.seed;
        // Someone else may watch as well: coverage gives each world a trace of its own.
        let watched = self.watch != Watch::Nothing || self.ctx.trace.is_some();
        self.ctx.trace = watched.then(Trace::default);
        let (topic, columns) = match given {
            Given::Message(message) => {
                let published = message.at(now_ms, seed, at);
                let columns = message.columns(&published, self.profile);
                (published.topic, columns)
            }
            Given::Event(event) => match event.columns(now_ms, seed, at, self.profile) {
                Some(columns) => (event.topic.clone(), columns),
                None => {
                    comparison.push(Difference {
                        path: "given.event".to_owned(),
                        kind: DifferenceKind::Missing,
                        expected: format!("the event {} in EMQX {}", event.topic, self.profile),
                        actual: String::new(),
                        span: event.span,
                        hint: Some("restrict the test with `emqx:`".to_owned()),
                    });
                    return None;
                }
            },
            Given::Columns(columns) => return Some(self.bare_columns(columns)),
        };
        let outcomes = self.engine.run(&topic, &columns, &mut self.ctx);
        self.result.hits.note(self.engine.rules(), Some(&topic), &outcomes);
        let mut seen = self.not_run(&topic);
        let outcomes = if self.test.chain { self.chained(outcomes, span, comparison) } else { outcomes };
        for outcome in outcomes {
            self.note_faults(&outcome);
            Seen::add(&mut seen, outcome);
        }
        Some(seen)
    }

    /// Tells coverage which deliveries were made to fail, or not to.
    fn note_faults(&mut self, outcome: &Outcome) {
        if self.ctx.trace.is_none() || self.faults.is_empty() {
            return;
        }
        let Some(rule) = self.engine.rules().iter().find(|rule| rule.id == outcome.rule) else { return };
        for action in &outcome.actions {
            if let Some(delivery) = faults::of_action(rule, action, self.faults, self.profile) {
                let failed = delivery.end != faults::End::Success;
                self.result.hits.note_fault(&rule.id, action.position, failed, self.profile);
            }
        }
    }

    /// Every rule as it is before it ran: disabled, or not selected by this topic.
    fn not_run(&self, topic: &str) -> BTreeMap<Arc<str>, Seen> {
        let before = |rule: &Arc<Rule>| match rule.enabled {
            false => (rule.id.clone(), Seen::Disabled),
            true => (rule.id.clone(), Seen::NotSelected(topic.to_owned())),
        };
        self.engine.rules().iter().map(before).collect()
    }

    /// Exactly these columns, past every FROM.
    fn bare_columns(&mut self, columns: &Map) -> BTreeMap<Arc<str>, Seen> {
        let mut seen = self.not_run("");
        for rule in self.engine.rules().to_vec() {
            if rule.enabled {
                let outcome = self.engine.apply(&rule, columns, None, &mut self.ctx);
                self.result.hits.note(self.engine.rules(), None, std::slice::from_ref(&outcome));
                self.note_faults(&outcome);
                Seen::add(&mut seen, outcome);
            }
        }
        seen
    }

    /// Feeds republished messages back until none is left.
    fn chained(&mut self, first: Vec<Outcome>, span: Span, comparison: &mut Comparison) -> Vec<Outcome> {
        let mut done = Vec::new();
        let mut messages = 0;
        let mut waiting: Vec<Outcome> = first.into_iter().rev().collect();
        while let Some(outcome) = waiting.pop() {
            let mut next = Vec::new();
            for (origin, message) in republished(&outcome, self.now_ns) {
                messages += 1;
                if messages > limits::CHAIN_MESSAGES_MAX {
                    comparison.push(Difference {
                        path: "chain".to_owned(),
                        kind: DifferenceKind::Different,
                        expected: format!("at most {} republished messages", limits::CHAIN_MESSAGES_MAX),
                        actual: "more".to_owned(),
                        span,
                        hint: Some("two rules may be feeding each other".to_owned()),
                    });
                    return done;
                }
                let columns = message.columns(self.profile);
                let fed = self.engine.run_from(&message.topic, &columns, Some(&origin), &mut self.ctx);
                self.result.hits.note(self.engine.rules(), Some(&message.topic), &fed);
                next.extend(fed);
            }
            waiting.extend(next.into_iter().rev());
            done.push(outcome);
        }
        done
    }
}

/// The messages that an outcome republishes, as a broker would publish them (emqx_rule_actions:safe_publish/7): the
/// rule is their client.
fn republished(outcome: &Outcome, now_ns: i128) -> Vec<(Origin, Message)> {
    let now_ms = i64::try_from(now_ns.div_euclid(1_000_000)).unwrap_or(i64::MAX);
    let message = |action: &crate::engine::RenderedAction| {
        let Ok(Request::Republish {
            topic,
            qos,
            retain,
            payload,
            properties,
            user_properties,
            direct_dispatch,
        }) = &action.request
        else {
            return None;
        };
        if *direct_dispatch {
            return None;
        }
        let mut message = Message::new(topic.as_str(), payload.clone());
        message.qos = *qos;
        message.retain = *retain;
        message.clientid = outcome.rule.to_string();
        message.peerhost = None;
        message.properties.clone_from(properties);
        message.user_properties.clone_from(user_properties);
        message.timestamp_ms = now_ms;
        message.publish_received_at_ms = now_ms;
        Some((Origin { rule: outcome.rule.clone(), position: action.position }, message))
    };
    outcome.actions.iter().filter_map(message).collect()
}
