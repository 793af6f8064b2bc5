//! `faults:`: how servers answer in a test, and what becomes of a delivery then.
//!
//! A delivery goes through the same policy as in `rulemill run`, over a clock of its own: an answer takes no time, no
//! answer takes the whole time of the attempt, and waits are not spread. Each delivery meets the answers from the
//! first one on; the last one stays.

use std::time::Duration;

use super::model::Name;
use super::{Reading, table};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Entry, Fields, Node};
use crate::limits;
use crate::profile::Profile;
use crate::rule::retry::{self, Answer, Course};
use crate::rule::{Action, ActionKind, Retry, keys};
use crate::value::Value;

/// The answers that one action meets.
#[derive(Clone, Debug)]
pub struct Faults {
    /// The action.
    pub action: Name,
    /// The answers in order.
    pub answers: Vec<Fault>,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It answers with this status.
    Status(u16),
    /// It does not answer in time.
    Timeout,
    /// Nobody listens.
    Refused,
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// How often it was tried.
    pub attempts: u32,
    /// The waits between attempts.
    pub delays: Vec<Duration>,
    /// How it ended.
    pub end: End,
}

/// How a delivery ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side has it.
    Success,
    /// It was refused for good, or is not tried again.
    Failed,
    /// It was given up when its time was over (`request_ttl`).
    Dropped,
    /// The answers would never end it.
    Endless,
}

/// The words for results in tests. `rulemill run` keeps all that is not delivered as a dead letter, however it ended.
pub(super) const RESULTS: [&str; 4] = ["success", "failed", "dropped", "dead_letter"];

impl End {
    /// The word in tests.
    pub fn name(self) -> &'static str {
        match self {
            End::Success => "success",
            End::Failed => "failed",
            End::Dropped => "dropped",
            End::Endless => "endless",
        }
    }
}

/// Reads `faults`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<Faults>> {
    let fields = Fields::open("faults", node, reading.problems)?;
    let one = |entry: &Entry| {
        let id = match entry.key.split_once(':') {
            Some((kind, name)) => format!("{}:{name}", keys::upgraded(kind)),
            None => entry.key.to_string(),
        };
        let items = match entry.value.as_list() {
            Some(items) => items,
            None => std::slice::from_ref(&entry.value),
        };
        if items.is_empty() || items.len() > limits::FAULTS_MAX {
            let message = format!("'{}' has from 1 to {} answers", entry.key, limits::FAULTS_MAX);
            reading.problems.bad_value(&entry.value, message);
            return None;
        }
        let answers: Option<Vec<Fault>> = items.iter().map(|item| fault(item, reading)).collect();
        Some(Faults { action: Name { name: id, span: entry.key_span }, answers: answers? })
    };
    let all: Vec<Faults> = fields.entries().iter().filter_map(one).collect();
    (all.len() == fields.entries().len()).then_some(all)
}

fn fault(node: &Node, reading: &mut Reading<'_>) -> Option<Fault> {
    let fault = match &node.data {
        Data::Int(raw, _) => raw.parse().ok().filter(|n| (200..600).contains(n)).map(Fault::Status),
        Data::Text(word) if &**word == "timeout" => Some(Fault::Timeout),
        Data::Text(word) if &**word == "refused" => Some(Fault::Refused),
        _ => None,
    };
    if fault.is_none() {
        let written = table::plain_text(node);
        let message = format!("'{written}' is no answer of a server");
        let problem = Diagnostic::error(codes::BAD_GIVEN, message).at(node.span, "");
        reading.problems.push(match nearest(&written, ["timeout", "refused"]) {
            Some(near) => problem.help(format!("did you mean '{near}'?")),
            None => problem.help("write a status from 200 to 599, timeout or refused"),
        });
    }
    fault
}

/// Can the action's delivery be simulated, or why not?
pub fn can_fail(action: &Action) -> Result<(), String> {
    match &action.kind {
        ActionKind::Http(_) | ActionKind::Hstreamdb(_) => Ok(()),
        ActionKind::Republish(_) | ActionKind::Console => {
            Err(format!("{} meets no server that could fail", action.id))
        }
        ActionKind::Params { kind, .. } => {
            Err(format!("rulemill renders actions of type {kind} and does not deliver them"))
        }
    }
}

/// What becomes of one delivery of an action.
pub fn deliver(action: &Action, profile: Profile, answers: &[Fault]) -> Delivery {
    let mut course = Course::new(Retry::of(action, profile));
    let mut age = Duration::ZERO;
    let mut delays = Vec::new();
    let end = loop {
        let Some(time) = course.next(age) else { break End::Dropped };
        let met = usize::try_from(course.tried() - 1).unwrap_or(usize::MAX).min(answers.len() - 1);
        let answer = match answers[met] {
            Fault::Status(status) if matches!(action.kind, ActionKind::Hstreamdb(_)) => {
                retry::hstreamdb(status, "", true)
            }
            Fault::Status(status) => retry::http(status),
            Fault::Timeout => {
                age += time;
                Answer::Later
            }
            Fault::Refused => Answer::Later,
        };
        match answer {
            Answer::Delivered => break End::Success,
            Answer::Never => break End::Failed,
            Answer::Later => {}
        }
        let Some(wait) = course.wait() else { break End::Failed };
        if course.left(age).is_zero() {
            break End::Dropped;
        }
        if delays.len() == limits::ATTEMPTS_MAX {
            break End::Endless;
        }
        let wait = wait.min(course.left(age));
        age += wait;
        delays.push(wait);
    };
    // The last wait ended in giving up, not in an attempt.
    delays.truncate(usize::try_from(course.tried().saturating_sub(1)).unwrap_or(usize::MAX));
    Delivery { attempts: course.tried(), delays, end }
}

impl Delivery {
    /// What a key of an expectation is held against; waits in milliseconds.
    pub fn value(&self, key: &str) -> Value {
        let ms = |wait: &Duration| Value::Int(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
        match key {
            "attempts" => Value::Int(i64::from(self.attempts)),
            "delays" => Value::list(self.delays.iter().map(ms).collect()),
            _ => Value::str(self.end.name()),
        }
    }
}
