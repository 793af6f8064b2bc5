//! One message of a capture: a line of JSON, read and written.
//!
//! Invariant: what [`write()`] gives, [`Lines`] reads as the same message, as far as a client of a broker sees it.

use std::io::{BufRead, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::given::{self, MessageGiven};
use super::{Fixtures, Reading, Stream, clock};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Document, Entry, Fields, Format, Node, Problems, Style};
use crate::event::Message;
use crate::limits;
use crate::text::Span;
use crate::value::{Bytes, Value};

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

/// The messages of a capture, one after the other; a bad line is told with its number.
pub struct Lines<'a> {
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

/// A message as a line of a capture, with its line break; `clientid` where the publisher is known.
pub fn write(message: &Message, at_ms: i64, clientid: Option<&str>) -> String {
    let mut line = JsonMap::new();
    let mut put = |key: &str, value: Json| _ = line.insert(key.to_owned(), value);
    put("ts", json!(at_ms));
    put("topic", json!(message.topic));
    put("qos", json!(message.qos));
    put("retain", json!(message.retain));
    if let Some(clientid) = clientid {
        put("clientid", json!(clientid));
    }
    if let Some(username) = &message.username {
        put("username", json!(username));
    }
    match std::str::from_utf8(&message.payload) {
        Ok(text) => put("payload", json!(text)),
        Err(_) => put("payload_base64", json!(STANDARD.encode(&message.payload))),
    }
    if !message.properties.is_empty() {
        let pair = |(name, value): &(String, Value)| (name.clone(), property(value));
        put("properties", Json::Object(message.properties.iter().map(pair).collect()));
    }
    if !message.user_properties.is_empty() {
        put("user_properties", json!(message.user_properties));
    }
    Json::Object(line).to_string() + "\n"
}

fn property(value: &Value) -> Json {
    match (value, value.as_text()) {
        (Value::Int(n), _) => json!(n),
        (Value::Str(_), Some(text)) if !text.starts_with('$') => json!(text),
        (Value::Str(bytes), _) => json!({ "$base64": STANDARD.encode(bytes) }),
        (_, text) => json!(text.unwrap_or_default()),
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
    fn what_is_written_is_read() {
        let mut message = Message::new("a/ü", "{\"a\": \"\\n\"}");
        message.qos = 2;
        message.retain = true;
        message.clientid = "c1".to_owned();
        message.username = Some("u".to_owned());
        message.properties = vec![
            ("Content-Type".to_owned(), Value::str("$x")),
            ("Message-Expiry-Interval".to_owned(), Value::Int(7)),
            ("Correlation-Data".to_owned(), Value::bytes(vec![255, 0])),
        ];
        message.user_properties = vec![("k".to_owned(), "1".to_owned()), ("k".to_owned(), "2".to_owned())];
        let mut binary = message.clone();
        binary.payload = Bytes::from_static(&[0xff, 0x00]);
        for message in [message, binary] {
            let line = write(&message, 1_700_000_000_123, Some("c1"));
            assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
            let bytes = Bytes::from(line);
            let stream = Stream::new(move || Ok(Box::new(std::io::Cursor::new(bytes.clone()))));
            let read = Lines::open("c", Span::new(0, 1), &stream).unwrap().next().unwrap().unwrap();
            assert_eq!(read.at_ns, Some(1_700_000_000_123_000_000));
            assert_eq!(read.given.message, message);
        }
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
