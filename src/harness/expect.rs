//! What must come: outputs, errors, actions.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::capture::TOTALS;
use super::pattern::Pattern;
use super::{Reading, faults};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Entry, Fields, Node};
use crate::eval::Clause;
use crate::profile::Profile;
use crate::rule::{keys, units};
use crate::text::Span;

/// What a step must bring.
#[derive(Clone, Debug)]
pub enum Expect {
    /// Of the rules by name, and of the kv store.
    Rules(Vec<(super::Name, RuleExpect)>, Option<Pattern>),
    /// Of the one rule at work, and of the kv store.
    Rule(Box<RuleExpect>, Option<Pattern>),
    /// By profile.
    ByProfile(BTreeMap<Profile, Expect>),
}

/// What one rule must bring.
#[derive(Clone, Debug)]
pub struct RuleExpect {
    /// Where it is said.
    pub span: Span,
    /// What its SQL must answer.
    pub said: Said,
    /// What its actions must do.
    pub actions: ActionsExpect,
    /// The codes of its warnings.
    pub warns: Option<Vec<(String, Span)>>,
}

/// What a rule's SQL must answer.
#[derive(Clone, Debug)]
pub enum Said {
    /// Nothing is said.
    Nothing,
    /// No FROM matches.
    NotSelected,
    /// The rule is disabled.
    Disabled,
    /// WHERE is false.
    NoMatch,
    /// Exactly one output.
    Output(Pattern),
    /// All outputs, as a list.
    Outputs(Pattern),
    /// A clause fails.
    Error {
        /// Which.
        clause: Option<Clause>,
        /// The diagnostic's code.
        code: Option<Pattern>,
        /// Its message.
        message: Option<Pattern>,
    },
}

/// What actions must do.
#[derive(Clone, Debug)]
pub enum ActionsExpect {
    /// Nothing is said: none but the console may do anything.
    Unsaid,
    /// Whatever.
    Any,
    /// These, in this order.
    List(Vec<ActionExpect>),
}

/// What one action must do.
#[derive(Clone, Debug)]
pub struct ActionExpect {
    /// Where it is said.
    pub span: Span,
    /// Its id.
    pub id: String,
    /// `http`, `republish`, …: what is asked for; `error`: why its templates cannot be rendered.
    pub kind: &'static str,
    /// What its keys must be.
    pub wants: Wants,
    /// What must become of its delivery: `attempts`, `delays`, `result`.
    pub delivery: Vec<(&'static str, Pattern)>,
}

/// What the keys of an action must be.
#[derive(Clone, Debug)]
pub enum Wants {
    /// Nothing is said of what is sent, only of how its delivery goes.
    Unsaid,
    /// The whole of it: `console: E`, `params: E`, `http: $any`.
    Whole(Pattern),
    /// Key by key.
    Keys(Vec<(&'static str, Pattern)>),
}

pub(super) const EXPECT: &[&str] = &["output", "outputs", "error", "actions", "warns", "rules", "kv"];
pub(super) const RULE: &[&str] = &["output", "outputs", "error", "actions", "warns"];
pub(super) const WORDS: &[&str] = &["not_selected", "disabled", "no_match"];
pub(super) const DELIVERY: [&str; 3] = ["attempts", "delays", "result"];
pub(super) const CLAUSES: &[Clause] =
    &[Clause::Select, Clause::Where, Clause::Foreach, Clause::Incase, Clause::Do];

/// The kinds of actions, their keys, and the key that must be written.
pub(super) const KINDS: &[(&str, &[&str], &[&str])] = &[
    ("http", &["method", "url", "headers", "body"], &["body"]),
    (
        "republish",
        &["topic", "qos", "retain", "payload", "properties", "user_properties", "direct_dispatch"],
        &["topic", "payload"],
    ),
    ("hstreamdb", &["stream", "partition_key", "record"], &["record"]),
    ("console", &[], &[]),
    ("params", &[], &[]),
    ("error", &[], &[]),
];

/// Reads `expect`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Expect> {
    if let Some([entry]) = node.as_map()
        && &*entry.key == "$by_profile"
    {
        return by_profile(entry, reading);
    }
    if node.as_map().is_none() {
        return rule(node, reading).map(|rule| Expect::Rule(Box::new(rule), None));
    }
    if let Some(entry) = node.as_map().and_then(|entries| entries.iter().find(|e| &*e.key == "$by_profile")) {
        let problem =
            Diagnostic::error(codes::BAD_EXPECTATION, "'$by_profile' must be the only key of 'expect'");
        let help = "write what holds under both profiles in each of them, or use $by_profile further inside";
        reading.problems.push(problem.at(entry.key_span, "").help(help));
        return None;
    }
    if let Some(entry) = node.as_map().and_then(|entries| entries.iter().find(|e| TOTALS.contains(&&*e.key)))
    {
        let message = format!("'{}' counts what a capture brings; there is none", entry.key);
        let problem = Diagnostic::error(codes::BAD_EXPECTATION, message).at(entry.key_span, "");
        reading.problems.push(problem.help("it stands in a test with `each_line: { $ndjson: FILE }`"));
        return None;
    }
    let before = reading.problems.errors();
    let fields = Fields::read("expect", node, EXPECT, reading.problems)?;
    if reading.problems.errors() > before {
        // What a misspelt key was to say is not known: the rest would be judged wrongly.
        return None;
    }
    let kv = match fields.get("kv") {
        Some(node) => Some(Pattern::read(node, reading)?),
        None => None,
    };
    let Some(rules) = fields.get("rules") else {
        let rule = rule_fields(&fields, node.span, reading)?;
        return match kv.is_none() && says_nothing(&rule) {
            true => nothing_said(node, reading),
            false => Some(Expect::Rule(Box::new(rule), kv)),
        };
    };
    if let Some(other) = fields.entries().iter().find(|e| RULE.contains(&&*e.key)) {
        let message = format!("'rules' says it for each rule; '{}' beside it belongs to none", other.key);
        reading.problems.error(codes::BAD_EXPECTATION, other.key_span, message);
        return None;
    }
    let rules = Fields::open("expect.rules", rules, reading.problems)?;
    let named = |entry: &Entry| {
        let name = super::Name { name: entry.key.to_string(), span: entry.key_span };
        Some((name, rule(&entry.value, reading)?))
    };
    let list: Vec<(super::Name, RuleExpect)> = rules.entries().iter().filter_map(named).collect();
    (list.len() == rules.entries().len()).then_some(Expect::Rules(list, kv))
}

fn by_profile(entry: &Entry, reading: &mut Reading<'_>) -> Option<Expect> {
    let entries = Fields::open("$by_profile", &entry.value, reading.problems)?;
    let mut map = BTreeMap::new();
    for entry in entries.entries() {
        match entry.key.parse::<Profile>() {
            Ok(profile) => {
                map.insert(profile, read(&entry.value, reading)?);
            }
            Err(message) => {
                reading.problems.error(codes::BAD_EXPECTATION, entry.key_span, message);
                return None;
            }
        }
    }
    Some(Expect::ByProfile(map))
}

/// What one rule must bring: a word, or a map.
fn rule(node: &Node, reading: &mut Reading<'_>) -> Option<RuleExpect> {
    let said = |said: Said| RuleExpect { span: node.span, said, actions: ActionsExpect::Unsaid, warns: None };
    match &node.data {
        Data::Text(text) => match &**text {
            "not_selected" => Some(said(Said::NotSelected)),
            "disabled" => Some(said(Said::Disabled)),
            "no_match" => Some(said(Said::NoMatch)),
            other => {
                let message = format!("'{other}' is no expectation");
                let problem = Diagnostic::error(codes::BAD_EXPECTATION, message).at(node.span, "");
                reading.problems.push(match nearest(other, WORDS.iter().copied()) {
                    Some(near) => problem.help(format!("did you mean '{near}'?")),
                    None => {
                        problem.help(format!("write {}, or a map with {}", WORDS.join(", "), RULE.join(", ")))
                    }
                });
                None
            }
        },
        Data::Map(_) => {
            let before = reading.problems.errors();
            let fields = Fields::read("expect", node, RULE, reading.problems)?;
            if reading.problems.errors() > before {
                return None;
            }
            let rule = rule_fields(&fields, node.span, reading)?;
            if says_nothing(&rule) { nothing_said(node, reading) } else { Some(rule) }
        }
        _ => nothing_said(node, reading),
    }
}

fn says_nothing(rule: &RuleExpect) -> bool {
    let unsaid = matches!(rule.said, Said::Nothing) && matches!(rule.actions, ActionsExpect::Unsaid);
    unsaid && rule.warns.is_none()
}

fn nothing_said<T>(node: &Node, reading: &mut Reading<'_>) -> Option<T> {
    let problem = Diagnostic::error(codes::BAD_EXPECTATION, "the expectation says nothing").at(node.span, "");
    reading.problems.push(problem.help(format!(
        "write {}, or a map with {}",
        WORDS.join(", "),
        EXPECT.join(", ")
    )));
    None
}

fn rule_fields(fields: &Fields<'_>, span: Span, reading: &mut Reading<'_>) -> Option<RuleExpect> {
    // `output: null` is an expectation, so null does not count as absent here.
    let entry = |key: &str| fields.entries().iter().find(|e| &*e.key == key);
    let given: Vec<&Entry> = ["output", "outputs", "error"].iter().filter_map(|key| entry(key)).collect();
    if let [first, second, ..] = given.as_slice() {
        let message = format!("'{}' and '{}' contradict each other", first.key, second.key);
        reading.problems.error(codes::BAD_EXPECTATION, second.key_span, message);
        return None;
    }
    let said = match given.first() {
        None => Said::Nothing,
        Some(entry) => match &*entry.key {
            "output" => Said::Output(Pattern::read(&entry.value, reading)?),
            "outputs" => Said::Outputs(outputs(&entry.value, reading)?),
            _ => error(&entry.value, reading)?,
        },
    };
    let actions = match entry("actions") {
        None => ActionsExpect::Unsaid,
        Some(entry) => actions(&entry.value, reading)?,
    };
    let warns = match fields.get("warns") {
        None => None,
        Some(node) => Some(warns(node, reading)?),
    };
    Some(RuleExpect { span, said, actions, warns })
}

/// All outputs together are a list; anything else could never be right.
fn outputs(node: &Node, reading: &mut Reading<'_>) -> Option<Pattern> {
    let matcher = node.as_map().is_some_and(|entries| entries.iter().any(|entry| entry.key.starts_with('$')));
    if node.as_list().is_none() && !matcher && node.as_text() != Some("$any") {
        let message = format!("'outputs' must be a list or a matcher, not {}", node.kind_name());
        let problem = Diagnostic::error(codes::WRONG_KIND, message).at(node.span, "");
        reading.problems.push(problem.help("`output:` is for exactly one"));
        return None;
    }
    Pattern::read(node, reading)
}

fn warns(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<(String, Span)>> {
    let code = |item: &Node| item.as_text().map(|text| (text.to_owned(), item.span));
    let codes: Option<Vec<_>> = node.as_list().and_then(|items| items.iter().map(code).collect());
    if codes.is_none() {
        reading.problems.wrong_kind("'warns'", "a list of codes", node);
    }
    for item in node.as_list().unwrap_or_default() {
        known_code(item, reading)?;
    }
    codes
}

fn error(node: &Node, reading: &mut Reading<'_>) -> Option<Said> {
    if node.as_text().is_some() {
        return Some(Said::Error { clause: Some(clause(node, reading)?), code: None, message: None });
    }
    let fields = Fields::read("error", node, &["clause", "code", "message"], reading.problems)?;
    if fields.entries().is_empty() {
        let names: Vec<&str> = CLAUSES.iter().map(|clause| clause.name()).collect();
        let problem = Diagnostic::error(codes::BAD_EXPECTATION, "'error' says nothing").at(node.span, "");
        let help = format!(
            "write the clause that fails, one of {}, or a map with clause, code, message",
            names.join(", ")
        );
        reading.problems.push(problem.help(help));
        return None;
    }
    if let Some(node) = fields.get("code").filter(|node| node.as_text().is_some()) {
        known_code(node, reading)?;
    }
    let clause = match fields.get("clause") {
        Some(node) => Some(clause(node, reading)?),
        None => None,
    };
    let mut pattern = |key: &str| match fields.get(key) {
        Some(node) => Pattern::read(node, reading).map(Some),
        None => Some(None),
    };
    Some(Said::Error { clause, code: pattern("code")?, message: pattern("message")? })
}

/// A code that nothing has could never be right.
fn known_code(node: &Node, reading: &mut Reading<'_>) -> Option<()> {
    let code = node.as_text().unwrap_or_default();
    if code.starts_with('$') || codes::find(code).is_some() {
        return Some(());
    }
    let problem =
        Diagnostic::error(codes::BAD_EXPECTATION, format!("there is no code '{code}'")).at(node.span, "");
    let problem = match nearest(code, codes::CODES.iter().map(|page| page.code)) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem,
    };
    let help = match code.starts_with('W') {
        true => "lints are `rulemill check`'s; a test sees what failed, and what the compiler warns of",
        false => "`rulemill explain` lists all codes",
    };
    reading.problems.push(problem.help(help));
    None
}

fn clause(node: &Node, reading: &mut Reading<'_>) -> Option<Clause> {
    let name = node.as_text().unwrap_or_default();
    let found = CLAUSES.iter().find(|clause| clause.name() == name || clause.class() == name);
    if found.is_none() {
        let names: Vec<&str> = CLAUSES.iter().map(|clause| clause.name()).collect();
        let message = format!("'{name}' is no clause that can fail; write one of {}", names.join(", "));
        reading.problems.error(codes::BAD_EXPECTATION, node.span, message);
    }
    found.copied()
}

fn actions(node: &Node, reading: &mut Reading<'_>) -> Option<ActionsExpect> {
    if node.as_text() == Some("$any") {
        return Some(ActionsExpect::Any);
    }
    let Some(items) = node.as_list() else {
        reading.problems.wrong_kind("'actions'", "a list, or $any", node);
        return None;
    };
    let list: Vec<ActionExpect> = items.iter().filter_map(|item| action(item, reading)).collect();
    (list.len() == items.len()).then_some(ActionsExpect::List(list))
}

fn action(node: &Node, reading: &mut Reading<'_>) -> Option<ActionExpect> {
    let kinds = KINDS.iter().map(|(kind, ..)| *kind);
    let known: Vec<&str> = std::iter::once("id").chain(kinds).chain(DELIVERY).collect();
    let fields = Fields::read("action", node, &known, reading.problems)?;
    fields.required("id", reading.problems)?;
    let id = fields.text("id", reading.problems)?;
    let id = match id.split_once(':') {
        Some((kind, name)) => format!("{}:{name}", keys::upgraded(kind)),
        None => id.to_owned(),
    };
    let delivery = delivery(&fields, reading)?;
    let entry = |kind: &str| fields.entries().iter().find(|e| &*e.key == kind);
    let written: Vec<_> = KINDS.iter().filter_map(|row| entry(row.0).map(|entry| (row, entry))).collect();
    if written.is_empty() && !delivery.is_empty() {
        return Some(ActionExpect { span: node.span, id, kind: "", wants: Wants::Unsaid, delivery });
    }
    let [((kind, keys, must), entry)] = written.as_slice() else {
        let message = match written.len() {
            0 => format!("nothing is said about the action '{id}'"),
            _ => format!("the action '{id}' does one thing, not {}", written.len()),
        };
        let problem = Diagnostic::error(codes::BAD_EXPECTATION, message).at(node.span, "");
        reading
            .problems
            .push(problem.help(format!("write one of {}; $any takes whatever comes", known[1..].join(", "))));
        return None;
    };
    let wants = match keys.is_empty() || entry.value.as_text() == Some("$any") {
        true => Wants::Whole(Pattern::read(&entry.value, reading)?),
        false => Wants::Keys(action_keys(kind, keys, must, &entry.value, reading)?),
    };
    Some(ActionExpect { span: node.span, id, kind, wants, delivery })
}

/// What must become of a delivery; waits may be written as durations.
fn delivery(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Vec<(&'static str, Pattern)>> {
    let mut wants = Vec::new();
    for key in DELIVERY {
        let Some(node) = fields.get(key) else { continue };
        if let (true, Some(word)) = (key == "result", node.as_text())
            && !word.starts_with('$')
            && !faults::RESULTS.contains(&word)
        {
            let message = format!("'{word}' is no result of a delivery");
            let problem = Diagnostic::error(codes::BAD_EXPECTATION, message).at(node.span, "");
            let help = match nearest(word, faults::RESULTS) {
                Some(near) => format!("did you mean '{near}'?"),
                None => format!("write one of {}", faults::RESULTS.join(", ")),
            };
            reading.problems.push(problem.help(help));
            return None;
        }
        let node = if key == "delays" { &in_milliseconds(node) } else { node };
        wants.push((key, Pattern::read(node, reading)?));
    }
    Some(wants)
}

/// A node whose durations are numbers of milliseconds.
pub(super) fn in_milliseconds(node: &Node) -> Node {
    let data = match &node.data {
        Data::Text(text) => match units::duration_ms(text) {
            Some(ms) => Data::Int(Arc::from(ms.to_string()), Arc::new(ms.into())),
            None => node.data.clone(),
        },
        Data::List(items) => Data::List(Arc::new(items.iter().map(in_milliseconds).collect())),
        Data::Map(entries) => {
            let entry = |entry: &Entry| Entry { value: in_milliseconds(&entry.value), ..entry.clone() };
            Data::Map(Arc::new(entries.iter().map(entry).collect()))
        }
        other => other.clone(),
    };
    Node { data, ..node.clone() }
}

fn action_keys(
    kind: &str,
    keys: &'static [&'static str],
    must: &[&str],
    node: &Node,
    reading: &mut Reading<'_>,
) -> Option<Vec<(&'static str, Pattern)>> {
    let fields = Fields::read(kind, node, keys, reading.problems)?;
    let mut wants = Vec::new();
    for key in keys {
        if let Some(entry) = fields.entries().iter().find(|e| &*e.key == *key) {
            let mut pattern = Pattern::read(&entry.value, reading)?;
            if *key == "headers" {
                pattern.lower_keys();
            }
            wants.push((*key, pattern));
        }
    }
    for key in must {
        if !wants.iter().any(|(written, _)| written == key) {
            let message = format!("'{key}' must be written: what is sent is what a test is for");
            let problem = Diagnostic::error(codes::BAD_EXPECTATION, message).at(node.span, "");
            reading.problems.push(problem.help(format!("`{key}: $any` takes whatever comes")));
            return None;
        }
    }
    Some(wants)
}

impl Expect {
    /// What is said for a profile.
    pub fn for_profile(&self, profile: Profile) -> Option<&Expect> {
        match self {
            Expect::ByProfile(map) => map.get(&profile).and_then(|expect| expect.for_profile(profile)),
            other => Some(other),
        }
    }
}
