//! Captures: messages as `rulemill record` writes them, one a line, replayed in one test.

use std::sync::atomic::AtomicU64;

use super::compare::{Comparison, Difference, DifferenceKind};
use super::expect::Expect;
use super::line::Lines;
use super::pattern::Pattern;
use super::verdict::Seen;
use super::{Reading, Stream, expect};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Entry, Fields, Node};
use crate::limits;
use crate::text::Span;
use crate::value::{Bytes, Value, encode};

/// A capture and what must come of it.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The file's path as written.
    pub path: String,
    /// Where the path is written.
    pub span: Span,
    /// The file; it may be larger than the memory.
    pub stream: Stream,
    /// What each must bring.
    pub each: Option<Expect>,
    /// What all must come to.
    pub totals: Vec<(&'static str, Pattern)>,
    /// The outputs as they were once.
    pub snapshot: Option<Snapshot>,
}

/// How far captures are replayed, for those who wait.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Messages.
    pub messages: AtomicU64,
    /// Bytes of their files.
    pub bytes: AtomicU64,
}

/// A file of outputs.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Its path as written.
    pub path: String,
    /// Where the path is written.
    pub span: Span,
    /// Its text; `None` when there is none yet.
    pub text: Option<Bytes>,
}

pub(super) const TOTALS: &[&str] = &["outputs_total", "no_match_total", "errors_total"];
/// Reads `each_line`, `expect` and `snapshot` of a test.
pub(super) fn read(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<Capture> {
    let node = fields.get("each_line")?;
    if node.as_map().is_none() {
        let message = format!("'each_line' must be a map, not {}", node.kind_name());
        let problem = Diagnostic::error(codes::WRONG_KIND, message).at(node.span, "");
        reading.problems.push(problem.help("write `each_line: { $ndjson: FILE }`"));
        return None;
    }
    let file = Fields::read("each_line", node, &["$ndjson"], reading.problems)?;
    let path_node = file.required("$ndjson", reading.problems)?;
    let path = file.text("$ndjson", reading.problems)?;
    let stream = match reading.fixtures.stream(path) {
        Ok(stream) => stream,
        Err(why) => {
            reading.problems.error(codes::FIXTURE, path_node.span, why);
            return None;
        }
    };
    if let Err(problem) = check_start(path, path_node.span, &stream) {
        reading.problems.push(*problem);
        return None;
    }
    let snapshot = match fields.get("snapshot") {
        None => None,
        Some(node) => {
            let path = fields.text("snapshot", reading.problems)?.to_owned();
            let text = reading.fixtures.read(&path).ok();
            Some(Snapshot { path, span: node.span, text })
        }
    };
    let (path, span) = (path.to_owned(), path_node.span);
    let mut capture = Capture { path, span, stream, each: None, totals: Vec::new(), snapshot };
    let Some(node) = fields.get("expect") else {
        if capture.snapshot.is_none() {
            fields.required("expect", reading.problems);
        }
        return Some(capture);
    };
    let is_total = |entry: &Entry| {
        TOTALS.contains(&&*entry.key) || nearest(&entry.key, TOTALS.iter().copied()).is_some()
    };
    match node.as_map().is_some_and(|entries| entries.iter().any(is_total)) {
        true => capture.totals = totals(node, reading)?,
        false => capture.each = Some(expect::read(node, reading)?),
    }
    Some(capture)
}

fn totals(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<(&'static str, Pattern)>> {
    let fields = Fields::read("expect", node, TOTALS, reading.problems)?;
    let mut totals = Vec::new();
    for name in TOTALS {
        if let Some(node) = fields.get(name) {
            totals.push((*name, Pattern::read(node, reading)?));
        }
    }
    Some(totals)
}

/// Reads the first messages: most mistakes are in all of them, and are told before anything runs.
fn check_start(path: &str, span: Span, stream: &Stream) -> Result<(), Box<Diagnostic>> {
    let mut lines = Lines::open(path, span, stream)?;
    for at in 0..limits::CAPTURE_LINES_CHECKED {
        match lines.next() {
            Some(Ok(_)) => {}
            Some(Err(problem)) => return Err(problem),
            None if at == 0 => {
                let message = format!("the capture {path} has no messages");
                return Err(Box::new(Diagnostic::error(codes::NO_TESTS, message).at(span, "")));
            }
            None => break,
        }
    }
    Ok(())
}

/// What the lines of a capture came to so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    outputs: i64,
    no_match: i64,
    errors: i64,
    /// The outputs, as a snapshot holds them; `None` where none is wanted.
    pub written: Option<String>,
    /// They would be more than a snapshot holds.
    full: bool,
}

impl Tally {
    /// Nothing yet.
    pub fn new(capture: &Capture) -> Tally {
        Tally { written: capture.snapshot.as_ref().map(|_| String::new()), ..Tally::default() }
    }

    /// Counts what a rule did with a line.
    pub fn add(&mut self, number: usize, rule: &str, seen: &Seen) {
        let Seen::Ran(ran) = seen else { return };
        let mut outputs = &[][..];
        let mut error = None;
        match &ran.result {
            Err(e) => {
                self.errors += 1;
                error = Some(e.clause.name());
            }
            Ok(None) => {
                self.no_match += 1;
                return;
            }
            Ok(Some(maps)) => {
                self.outputs += i64::try_from(maps.len()).unwrap_or(i64::MAX);
                outputs = maps;
            }
        }
        let Some(text) = &mut self.written else { return };
        let written = match error {
            Some(clause) => format!("\"error\":\"{clause}\""),
            None => {
                let list = Value::list(outputs.iter().cloned().map(Value::Map).collect());
                let json = encode::to_json(&list).unwrap_or_else(|e| format!("\"{e}\"").into_bytes());
                format!("\"outputs\":{}", String::from_utf8_lossy(&json))
            }
        };
        self.full |= text.len() + written.len() > limits::FIXTURE_BYTES_MAX;
        if !self.full {
            text.push_str(&format!("{{\"line\":{number},\"rule\":\"{rule}\",{written}}}\n"));
        }
    }

    /// The totals, by their names.
    pub fn totals(&self) -> Vec<(&'static str, i64)> {
        TOTALS.iter().copied().zip([self.outputs, self.no_match, self.errors]).collect()
    }

    /// Holds totals and snapshot against what was expected.
    pub fn check(&self, capture: &Capture, comparison: &mut Comparison) {
        for (name, pattern) in &capture.totals {
            let actual =
                self.totals().into_iter().find(|(total, _)| total == name).map(|(_, n)| Value::Int(n));
            comparison.check(name, pattern, actual.as_ref());
        }
        let unsaid =
            !capture.totals.is_empty() && capture.totals.iter().all(|(name, _)| *name != "errors_total");
        if unsaid && self.errors > 0 {
            comparison.push(Difference {
                path: "errors_total".to_owned(),
                kind: DifferenceKind::Unexpected,
                expected: String::new(),
                actual: self.errors.to_string(),
                span: capture.span,
                hint: Some("an error fails unless it is expected: write `errors_total`".to_owned()),
            });
        }
        let Some(snapshot) = &capture.snapshot else { return };
        let difference = |kind, expected: &str, actual: &str, path: String| Difference {
            path,
            kind,
            expected: expected.to_owned(),
            actual: actual.to_owned(),
            span: snapshot.span,
            hint: Some("`rulemill test --update` writes the snapshot anew".to_owned()),
        };
        let written = self.written.as_deref().unwrap_or_default();
        if self.full {
            let expected = format!("outputs of at most {} bytes", limits::FIXTURE_BYTES_MAX);
            comparison.push(Difference {
                hint: Some("expect totals, or `each_line` with an `expect`".to_owned()),
                ..difference(DifferenceKind::Different, &expected, "more", "the snapshot".to_owned())
            });
            return;
        }
        let Some(text) = &snapshot.text else {
            let expected = format!("the file {}", snapshot.path);
            comparison.push(difference(DifferenceKind::Missing, &expected, "", "snapshot".to_owned()));
            return;
        };
        let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
        let (mut old, mut new) = (text.lines(), written.lines());
        for number in 1.. {
            let path = format!("snapshot line {number}");
            let found = match (old.next(), new.next()) {
                (None, None) => return,
                (Some(a), Some(b)) if a == b => continue,
                (Some(a), Some(b)) => difference(DifferenceKind::Different, a, b, path),
                (Some(a), None) => difference(DifferenceKind::Missing, a, "", path),
                (None, Some(b)) => difference(DifferenceKind::Unexpected, "", b, path),
            };
            comparison.push(found);
            // One line less shifts all that follow.
            return;
        }
    }
}
