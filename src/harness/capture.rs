//! Captures: messages as `rulemill record` writes them, one a line, replayed in one test.

use std::io::{BufRead, Read};
use std::sync::atomic::AtomicU64;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::compare::{Comparison, Difference, DifferenceKind};
use super::expect::Expect;
use super::given::{self, MessageGiven};
use super::pattern::Pattern;
use super::verdict::Seen;
use super::{Fixtures, Reading, Stream, clock, expect};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Document, Entry, Fields, Format, Node, Problems, Style};
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

/// A message of a capture.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its line in the file, from 1.
    pub number: usize,
    /// The message.
    pub given: MessageGiven,
    /// When it came, in nanoseconds since the Unix epoch.
    pub at_ns: Option<i128>,
    /// How far the file is read with it.
    pub read: u64,
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
const LINE: &[&str] = &[
    "ts",
    "topic",
    "qos",
    "retain",
    "clientid",
    "username",
    "peerhost",
    "payload",
    "payload_base64",
    "properties",
    "user_properties",
];

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

/// The messages of a capture, one after the other; a bad line is told with its number.
pub(super) struct Lines<'a> {
    path: &'a str,
    span: Span,
    reader: Box<dyn BufRead>,
    /// Lines so far, empty ones among them.
    number: usize,
    messages: usize,
    messages_max: usize,
    buffer: Vec<u8>,
    /// Bytes since the last message.
    read: u64,
}

impl<'a> Lines<'a> {
    /// Begins at the start of a file.
    pub fn open(path: &'a str, span: Span, stream: &Stream) -> Result<Lines<'a>, Box<Diagnostic>> {
        let reader = stream.open().map_err(|e| {
            let message = format!("cannot read the capture {path}: {e}");
            Box::new(Diagnostic::error(codes::FIXTURE, message).at(span, ""))
        })?;
        let messages_max = limits::CAPTURE_LINES_MAX;
        Ok(Lines { path, span, reader, number: 0, messages: 0, messages_max, buffer: Vec::new(), read: 0 })
    }

    fn problem(&self, code: &'static str, why: &str) -> Box<Diagnostic> {
        let message = format!("line {} of the capture {}: {why}", self.number, self.path);
        Box::new(Diagnostic::error(code, message).at(self.span, ""))
    }

    /// Reads the next line that is not empty; `false` at the end.
    fn fill(&mut self) -> Result<bool, Box<Diagnostic>> {
        loop {
            self.buffer.clear();
            self.number += 1;
            let limit = limits::CAPTURE_LINE_BYTES_MAX;
            let read = (&mut self.reader).take(limit as u64 + 1).read_until(b'\n', &mut self.buffer);
            let read = read.map_err(|e| self.problem(codes::FIXTURE, &e.to_string()))?;
            self.read += read as u64;
            if read > limit {
                return Err(self.problem(codes::TOO_LARGE, &format!("it has more than {limit} bytes")));
            }
            if read == 0 {
                return Ok(false);
            }
            if !self.buffer.iter().all(u8::is_ascii_whitespace) {
                return Ok(true);
            }
        }
    }
}

impl Iterator for Lines<'_> {
    type Item = Result<Line, Box<Diagnostic>>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.fill() {
            Ok(true) => {}
            Ok(false) => return None,
            Err(problem) => return Some(Err(problem)),
        }
        self.messages += 1;
        if self.messages > self.messages_max {
            let message = format!("the capture has more than {} messages", self.messages_max);
            let problem = Diagnostic::error(codes::TOO_LARGE, message).at(self.span, "");
            return Some(Err(Box::new(problem)));
        }
        let read = std::mem::take(&mut self.read);
        let line = read_line(self.number, &self.buffer).map(|line| Line { read, ..line });
        Some(line.map_err(|why| self.problem(codes::FIXTURE, &why)))
    }
}

/// The messages of a capture hold all that they are.
struct NoFixtures;

impl Fixtures for NoFixtures {
    fn read(&mut self, path: &str) -> Result<Bytes, String> {
        Err(format!("a capture cannot refer to {path}"))
    }
}

fn read_line(number: usize, bytes: &[u8]) -> Result<Line, String> {
    let first = |problems: Vec<Diagnostic>| problems.into_iter().next().map_or(String::new(), |p| p.message);
    let document = Document::read("", bytes, Format::Json).map_err(first)?;
    let mut problems = Problems::new(&document);
    let mut inner = Reading { problems: &mut problems, fixtures: &mut NoFixtures };
    let line = message(number, &document.root, &mut inner);
    match (line, problems.into_list()) {
        (Some(line), problems) if problems.is_empty() => Ok(line),
        (_, problems) => Err(first(problems)),
    }
}

fn message(number: usize, root: &Node, reading: &mut Reading<'_>) -> Option<Line> {
    let fields = Fields::read("a message", root, LINE, reading.problems)?;
    let at_ns = match fields.get("ts").map(|node| &node.data) {
        None => None,
        Some(Data::Int(raw, _)) => raw.parse::<i64>().ok().map(|ms| i128::from(ms) * 1_000_000),
        Some(Data::Text(text)) => clock::parse_time(text),
        Some(_) => None,
    };
    if let Some(node) = fields.get("ts").filter(|_| at_ns.is_none()) {
        reading.problems.bad_value(node, "'ts' is neither milliseconds nor a time");
    }
    // A message of a test, but for its time and the bytes of its payload.
    let own = |entry: &&Entry| {
        !["ts", "payload", "payload_base64"].contains(&&*entry.key) && !entry.value.is_null()
    };
    let rest: Vec<Entry> = fields.entries().iter().filter(own).cloned().collect();
    let node = Node { span: root.span, style: Style::Plain, data: Data::Map(std::sync::Arc::new(rest)) };
    let mut given = given::read_message(&node, reading)?;
    given.message.payload = match (fields.get("payload"), fields.text("payload_base64", reading.problems)) {
        (Some(_), None) => Bytes::copy_from_slice(fields.text("payload", reading.problems)?.as_bytes()),
        (None, Some(text)) => match STANDARD.decode(text) {
            Ok(bytes) => Bytes::from(bytes),
            Err(_) => {
                reading.problems.bad_value(fields.get("payload_base64")?, "'payload_base64' is not base64");
                return None;
            }
        },
        (None, None) => Bytes::new(),
        (Some(node), Some(_)) => {
            reading.problems.bad_value(node, "a message has 'payload' or 'payload_base64', not both");
            return None;
        }
    };
    Some(Line { number, given, at_ns, read: 0 })
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

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, messages_max: usize) -> Vec<Result<usize, String>> {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        let stream = Stream::new(move || Ok(Box::new(std::io::Cursor::new(bytes.clone()))));
        let mut lines = Lines::open("c", Span::new(0, 1), &stream).unwrap();
        lines.messages_max = messages_max;
        lines.map(|line| line.map(|line| line.number).map_err(|problem| problem.message)).collect()
    }

    #[test]
    fn captures_end_at_the_bound() {
        let text = "{\"topic\": \"t\"}\n\n".repeat(3);
        assert_eq!(messages(&text, 3), [Ok(1), Ok(3), Ok(5)]);
        let last = messages(&text, 2).pop().unwrap();
        assert_eq!(last, Err("the capture has more than 2 messages".to_owned()));
    }

    #[test]
    fn lines_end_at_the_bound() {
        let line = |bytes: usize| {
            let frame = "{\"topic\": \"t\", \"payload\": \"\"}\n".len();
            format!("{{\"topic\": \"t\", \"payload\": \"{}\"}}\n", "x".repeat(bytes - frame))
        };
        assert_eq!(messages(&line(limits::CAPTURE_LINE_BYTES_MAX), 9), [Ok(1)]);
        let beyond = &messages(&line(limits::CAPTURE_LINE_BYTES_MAX + 1), 9)[0];
        assert_eq!(beyond, &Err("line 1 of the capture c: it has more than 6356992 bytes".to_owned()));
    }
}
