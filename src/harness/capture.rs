//! Captures: messages as `rulemill record` writes them, one a line, replayed in one test.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::compare::{Comparison, Difference, DifferenceKind};
use super::expect::Expect;
use super::given::{self, MessageGiven};
use super::pattern::Pattern;
use super::verdict::Seen;
use super::{Reading, clock, expect};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Document, Entry, Fields, Format, Node, Problems, Style};
use crate::limits;
use crate::text::Span;
use crate::value::{Bytes, Value, encode};

/// A capture and what must come of it.
#[derive(Clone, Debug)]
pub struct Capture {
    /// The messages.
    pub lines: Vec<Line>,
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
    let file = Fields::read("each_line", node, &["$ndjson"], reading.problems)?;
    let path_node = file.required("$ndjson", reading.problems)?;
    let path = file.text("$ndjson", reading.problems)?;
    let bytes = match reading.fixtures.read(path) {
        Ok(bytes) => bytes,
        Err(why) => {
            reading.problems.error(codes::FIXTURE, path_node.span, why);
            return None;
        }
    };
    let lines = lines(path, &bytes, path_node.span, limits::CAPTURE_LINES_MAX, reading)?;
    let snapshot = match fields.get("snapshot") {
        None => None,
        Some(node) => {
            let path = fields.text("snapshot", reading.problems)?.to_owned();
            let text = reading.fixtures.read(&path).ok();
            Some(Snapshot { path, span: node.span, text })
        }
    };
    let mut capture = Capture { lines, each: None, totals: Vec::new(), snapshot };
    let Some(node) = fields.get("expect") else {
        if capture.snapshot.is_none() {
            fields.required("expect", reading.problems);
        }
        return Some(capture);
    };
    match node.as_map().is_some_and(|entries| entries.iter().any(|entry| TOTALS.contains(&&*entry.key))) {
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

/// The messages of a file; a bad line is told with its number.
fn lines(
    path: &str,
    bytes: &Bytes,
    span: Span,
    lines_max: usize,
    reading: &mut Reading<'_>,
) -> Option<Vec<Line>> {
    let mut lines = Vec::new();
    for (at, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if lines.len() == lines_max {
            let message = format!("the capture has more than {lines_max} messages");
            reading.problems.error(codes::TOO_LARGE, span, message);
            return None;
        }
        match read_line(at + 1, line, reading) {
            Ok(line) => lines.push(line),
            Err(why) => {
                let message = format!("line {} of the capture {path}: {why}", at + 1);
                reading.problems.error(codes::FIXTURE, span, message);
                return None;
            }
        }
    }
    if lines.is_empty() {
        let problem =
            Diagnostic::error(codes::NO_TESTS, format!("the capture {path} has no messages")).at(span, "");
        reading.problems.push(problem);
    }
    (!lines.is_empty()).then_some(lines)
}

fn read_line(number: usize, bytes: &[u8], reading: &mut Reading<'_>) -> Result<Line, String> {
    let first = |problems: Vec<Diagnostic>| problems.into_iter().next().map_or(String::new(), |p| p.message);
    let document = Document::read("", bytes, Format::Json).map_err(first)?;
    let mut problems = Problems::new(&document);
    let mut inner = Reading { problems: &mut problems, fixtures: reading.fixtures };
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
    Some(Line { number, given, at_ns })
}

/// What the lines of a capture came to so far.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    outputs: i64,
    no_match: i64,
    errors: i64,
    /// The outputs, as a snapshot holds them.
    pub written: String,
}

impl Tally {
    /// Counts what a rule did with a line.
    pub fn add(&mut self, number: usize, rule: &str, seen: &Seen) {
        let Seen::Ran(ran) = seen else { return };
        let written = match &ran.result {
            Err(error) => {
                self.errors += 1;
                format!("\"error\":\"{}\"", error.clause.name())
            }
            Ok(None) => {
                self.no_match += 1;
                return;
            }
            Ok(Some(outputs)) => {
                self.outputs += i64::try_from(outputs.len()).unwrap_or(i64::MAX);
                let list = Value::list(outputs.iter().cloned().map(Value::Map).collect());
                let json = encode::to_json(&list).unwrap_or_else(|e| format!("\"{e}\"").into_bytes());
                format!("\"outputs\":{}", String::from_utf8_lossy(&json))
            }
        };
        self.written.push_str(&format!("{{\"line\":{number},\"rule\":\"{rule}\",{written}}}\n"));
    }

    /// Holds totals and snapshot against what was expected.
    pub fn check(&self, capture: &Capture, comparison: &mut Comparison) {
        for (name, pattern) in &capture.totals {
            let actual = match *name {
                "outputs_total" => self.outputs,
                "no_match_total" => self.no_match,
                _ => self.errors,
            };
            comparison.check(name, pattern, Some(&Value::Int(actual)));
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
        let Some(text) = &snapshot.text else {
            let expected = format!("the file {}", snapshot.path);
            comparison.push(difference(DifferenceKind::Missing, &expected, "", "snapshot".to_owned()));
            return;
        };
        let text = String::from_utf8_lossy(text).replace("\r\n", "\n");
        let (mut old, mut new) = (text.lines(), self.written.lines());
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

    struct Nothing;

    impl super::super::Fixtures for Nothing {
        fn read(&mut self, path: &str) -> Result<Bytes, String> {
            Err(format!("no {path}"))
        }
    }

    #[test]
    fn captures_end_at_the_bound() {
        let document = Document::read("t.yaml", b"x", Format::Yaml).unwrap();
        let read = |n: usize| {
            let bytes = Bytes::from("{\"topic\": \"t\"}\n".repeat(n));
            let mut problems = Problems::new(&document);
            let mut reading = Reading { problems: &mut problems, fixtures: &mut Nothing };
            let count = lines("c", &bytes, Span::new(0, 1), 3, &mut reading).map(|lines| lines.len());
            (count, problems.into_list().first().map(|problem| problem.message.clone()))
        };
        assert_eq!(read(3), (Some(3), None));
        assert_eq!(read(4), (None, Some("the capture has more than 3 messages".to_owned())));
    }
}
