//! Runs one test under one profile.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::capture::{Capture, Tally};
use super::compare::{Comparison, Difference, DifferenceKind};
use super::expect::{Expect, RuleExpect, Said};
use super::given::Given;
use super::model::{Name, Step, Test, TestFile, When};
use super::verdict::{self, Seen};
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, codes, nearest};
use crate::engine::{Engine, Origin, Outcome};
use crate::event::Message;
use crate::limits;
use crate::profile::Profile;
use crate::rule::{Loaded, Request, Rule};
use crate::text::Span;
use crate::value::{Map, Value};

/// Makes the world of a case from its start time and seed.
pub type NewCtx<'a> = &'a dyn Fn(i128, u64) -> Ctx;

/// How one test went under one profile.
#[derive(Debug)]
pub struct CaseResult {
    /// The profile.
    pub profile: Profile,
    /// What is missing, unexpected or different; none when it passed.
    pub differences: Vec<Difference>,
    /// Why it could not be run, or what failed in the rules, shown at its place.
    pub problems: Vec<Diagnostic>,
    /// Could it be run at all?
    pub ran: bool,
    /// The rules that did not do what was expected.
    pub rules: Vec<Arc<Rule>>,
    /// Differences beyond those kept.
    pub left_out: usize,
    /// The snapshot as it would be written now.
    pub snapshot: Option<String>,
}

impl CaseResult {
    /// Did it pass?
    pub fn passed(&self) -> bool {
        self.ran && self.differences.is_empty()
    }
}

/// Runs a test.
pub fn run_case(
    file: &TestFile,
    test: &Test,
    profile: Profile,
    loaded: &Loaded,
    new_ctx: NewCtx<'_>,
) -> CaseResult {
    let mut result = CaseResult {
        profile,
        differences: Vec::new(),
        problems: Vec::new(),
        ran: true,
        rules: Vec::new(),
        left_out: 0,
        snapshot: None,
    };
    let rules = match find_rules(file, test, loaded) {
        Ok(rules) => rules,
        Err(problems) => {
            result.ran = false;
            result.problems = problems;
            return result;
        }
    };
    let mut ctx = new_ctx(test.world.clock_ns, test.world.seed);
    ctx.zone_offset_seconds = test.world.zone_offset_seconds;
    ctx.env.extend(test.world.env.clone());
    ctx.kv_store = test.world.kv.clone();
    ctx.jq_timeout_ms = loaded.set.settings.jq_timeout_ms;
    let mut case =
        Case { engine: Engine::new(rules, profile), ctx, test, profile, now_ns: test.world.clock_ns, result };
    for (at, step) in test.steps.iter().enumerate() {
        case.step(at, step);
    }
    if let Some(capture) = &test.capture {
        case.replay(capture);
    }
    let left_out = case.result.differences.len().saturating_sub(limits::REPORT_DIFFERENCES_MAX);
    case.result.differences.truncate(limits::REPORT_DIFFERENCES_MAX);
    case.result.left_out = left_out;
    case.result
}

/// The rules that a test names, or those of the rule file of the same name.
fn find_rules(file: &TestFile, test: &Test, loaded: &Loaded) -> Result<Vec<Arc<Rule>>, Vec<Diagnostic>> {
    let names = match &test.rules {
        Some(names) => names.clone(),
        None => default_rules(file, test, loaded)?,
    };
    let mut rules = Vec::new();
    let mut problems = Vec::new();
    for name in &names {
        match loaded.set.rules.get(name.name.as_str()) {
            Some(rule) => rules.push(rule.clone()),
            None => problems.push(missing_rule(name, loaded).in_source(&file.source)),
        }
    }
    if problems.is_empty() { Ok(rules) } else { Err(problems) }
}

fn missing_rule(name: &Name, loaded: &Loaded) -> Diagnostic {
    if loaded.broken.contains(&name.name) {
        let problem =
            Diagnostic::error(codes::UNKNOWN_RULE, format!("the rule '{}' does not compile", name.name));
        return problem.at(name.span, "");
    }
    let problem =
        Diagnostic::error(codes::UNKNOWN_RULE, format!("there is no rule '{}'", name.name)).at(name.span, "");
    match nearest(&name.name, loaded.set.rules.keys().map(|id| &**id)) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem.help("give the file or folder of the rule as well"),
    }
}

/// `x.test.yaml` tests the rules of `x.yaml`, `x.yml`, `x.json` or `x.sql` beside it.
fn default_rules(file: &TestFile, test: &Test, loaded: &Loaded) -> Result<Vec<Name>, Vec<Diagnostic>> {
    let stem = rule_stem(file.source.name());
    let mut names = Vec::new();
    for extension in ["yaml", "yml", "json", "sql"] {
        if let Some(ids) = loaded.by_file.get(&format!("{stem}.{extension}")) {
            names.extend(ids.iter().map(|id| Name { name: id.clone(), span: test.span }));
        }
    }
    if names.is_empty() {
        let message = format!("there is no rule file {stem}.yaml, .yml, .json or .sql with rules");
        let problem = Diagnostic::error(codes::UNKNOWN_RULE, message).at(test.span, "");
        return Err(vec![problem.help("name the rule with `rule:`").in_source(&file.source)]);
    }
    Ok(names)
}

/// A test file's path without `.test.yaml`.
pub fn rule_stem(path: &str) -> String {
    let without = Path::new(path).with_extension("");
    without.with_extension("").to_string_lossy().replace('\\', "/")
}

struct Case<'a> {
    engine: Engine,
    ctx: Ctx,
    test: &'a Test,
    profile: Profile,
    now_ns: i128,
    result: CaseResult,
}

impl Case<'_> {
    fn step(&mut self, at: usize, step: &Step) {
        self.now_ns = match step.when {
            When::Now => self.now_ns,
            When::At(ms) => self.test.world.clock_ns + i128::from(ms) * 1_000_000,
            When::Advance(ms) => self.now_ns + i128::from(ms) * 1_000_000,
        };
        let now = self.now_ns;
        self.ctx.set_clock(Box::new(move || now));
        let mut comparison = Comparison::new(self.profile);
        let prefix = if self.test.steps.len() > 1 { format!("steps[{at}]") } else { String::new() };
        let seen = step.given.as_ref().and_then(|given| self.come(at, step.span, given, &mut comparison));
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
        }
        self.result.differences.extend(comparison.into_differences());
    }

    /// Replays a capture.
    fn replay(&mut self, capture: &Capture) {
        let mut comparison = Comparison::new(self.profile);
        let mut tally = Tally::default();
        for line in &capture.lines {
            self.now_ns = line.at_ns.unwrap_or(self.now_ns);
            let now = self.now_ns;
            self.ctx.set_clock(Box::new(move || now));
            let given = Given::Message(Box::new(line.given.clone()));
            let Some(seen) = self.come(line.number, self.test.span, &given, &mut comparison) else {
                continue;
            };
            seen.iter().for_each(|(rule, seen)| tally.add(line.number, rule, seen));
            if let Some(expect) = capture.each.as_ref().and_then(|expect| expect.for_profile(self.profile)) {
                self.check(&format!("line {}", line.number), expect, Some(&seen), &mut comparison);
            }
        }
        tally.check(capture, &mut comparison);
        self.result.snapshot = capture.snapshot.as_ref().map(|_| tally.written);
        self.result.differences.extend(comparison.into_differences());
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
        let mut seen = self.not_run(&topic);
        let outcomes = if self.test.chain { self.chained(outcomes, span, comparison) } else { outcomes };
        for outcome in outcomes {
            Seen::add(&mut seen, outcome);
        }
        Some(seen)
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
                next.extend(self.engine.run_from(&message.topic, &columns, Some(&origin), &mut self.ctx));
            }
            waiting.extend(next.into_iter().rev());
            done.push(outcome);
        }
        done
    }

    fn check(
        &mut self,
        prefix: &str,
        expect: &Expect,
        seen: Option<&BTreeMap<Arc<str>, Seen>>,
        comparison: &mut Comparison,
    ) {
        let kv = match expect {
            Expect::Rules(rules, kv) => {
                if let Some(seen) = seen {
                    self.check_rules(prefix, rules, seen, comparison);
                }
                kv
            }
            Expect::Rule(rule, kv) => {
                let kv_only = kv.is_some() && matches!(rule.said, Said::Nothing);
                if let Some(seen) = seen
                    && !kv_only
                {
                    self.check_one(prefix, rule, seen, comparison);
                }
                kv
            }
            Expect::ByProfile(_) => &None,
        };
        if let Some(kv) = kv {
            let path = super::compare::under(prefix, "kv");
            comparison.check(&path, kv, Some(&Value::Map(self.ctx.kv_store.clone())));
        }
    }

    /// The expectation is for one rule: the only one, or the only one that the message reached.
    fn check_one(
        &mut self,
        prefix: &str,
        expect: &RuleExpect,
        seen: &BTreeMap<Arc<str>, Seen>,
        comparison: &mut Comparison,
    ) {
        let all: Vec<&Arc<str>> = seen.keys().collect();
        let reached: Vec<&Arc<str>> =
            seen.iter().filter(|(_, s)| !matches!(s, Seen::NotSelected(_))).map(|(id, _)| id).collect();
        let ids = match (all.as_slice(), reached.as_slice(), &expect.said) {
            ([one], ..) => vec![*one],
            (_, _, Said::NotSelected) => all,
            (_, [one], _) => vec![*one],
            _ => {
                let names: Vec<&str> = reached.iter().map(|id| &***id).collect();
                comparison.push(Difference {
                    path: super::compare::under(prefix, "rules"),
                    kind: DifferenceKind::Different,
                    expected: "one rule that the message reaches".to_owned(),
                    actual: if names.is_empty() { "none".to_owned() } else { names.join(", ") },
                    span: expect.span,
                    hint: Some("name the rule with `rule:`, or write `expect: { rules: { … } }`".to_owned()),
                });
                return;
            }
        };
        for id in ids {
            self.check_rule(prefix, id, expect, &seen[id], comparison);
        }
    }

    fn check_rules(
        &mut self,
        prefix: &str,
        rules: &[(Name, RuleExpect)],
        seen: &BTreeMap<Arc<str>, Seen>,
        comparison: &mut Comparison,
    ) {
        let prefix = super::compare::under(prefix, "rules");
        for (name, expect) in rules {
            let path = super::compare::under(&prefix, &name.name);
            match seen.get_key_value(name.name.as_str()) {
                Some((id, seen)) => self.check_rule(&path, id, expect, seen, comparison),
                None => {
                    let names: Vec<&str> = seen.keys().map(|id| &**id).collect();
                    comparison.push(Difference {
                        path,
                        kind: DifferenceKind::Missing,
                        expected: format!("the rule '{}'", name.name),
                        actual: String::new(),
                        span: name.span,
                        hint: Some(format!("the test runs {}", names.join(", "))),
                    });
                }
            }
        }
        // What is produced and not expected fails.
        for (id, seen) in seen {
            let said = rules.iter().any(|(name, _)| name.name == **id);
            if let (false, Some(actual), Some(last)) = (said, verdict::produced(seen), rules.last()) {
                comparison.push(Difference {
                    path: super::compare::under(&prefix, id),
                    kind: DifferenceKind::Unexpected,
                    expected: String::new(),
                    actual,
                    span: last.1.span,
                    hint: None,
                });
            }
        }
    }

    fn check_rule(
        &mut self,
        prefix: &str,
        id: &Arc<str>,
        expect: &RuleExpect,
        seen: &Seen,
        comparison: &mut Comparison,
    ) {
        let Some(rule) = self.engine.rules().iter().find(|rule| rule.id == *id).cloned() else { return };
        let mut own = Comparison::new(self.profile);
        verdict::check(prefix, &rule, expect, seen, &mut own);
        let differences = own.into_differences();
        if differences.is_empty() {
            return;
        }
        if let Seen::Ran(ran) = seen
            && let Err(error) = &ran.result
        {
            self.result.problems.push(rule.sql.relocated((*error.diagnostic).clone()));
        }
        if !self.result.rules.iter().any(|known| known.id == *id) {
            self.result.rules.push(rule);
        }
        differences.into_iter().for_each(|difference| comparison.push(difference));
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
