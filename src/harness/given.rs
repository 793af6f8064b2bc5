//! What comes in a test: a message, an event, or bare columns, with what a broker always supplies.

use super::{Reading, payload};
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Entry, Fields, Node};
use crate::event::{self, Event, Message, Sample};
use crate::profile::Profile;
use crate::text::Span;
use crate::topic;
use crate::value::{Bytes, Map, Value};

/// What comes.
#[derive(Clone, Debug)]
pub enum Given {
    /// A published message.
    Message(Box<MessageGiven>),
    /// An event of the broker.
    Event(EventGiven),
    /// Exactly these columns, past every FROM.
    Columns(Map),
}

/// A published message as far as the test says.
#[derive(Clone, Debug)]
pub struct MessageGiven {
    /// The message; its times and id are filled in when it comes.
    pub message: Message,
    /// Did the test give an id, a timestamp, a time of receipt?
    pub fixed: (bool, bool, bool),
    /// Columns that no message field holds: `client_attrs`, a clientid of `$undefined`.
    pub columns: Vec<(&'static str, Value)>,
}

/// An event as far as the test says.
#[derive(Clone, Debug)]
pub struct EventGiven {
    /// What FROM names.
    pub topic: String,
    /// The event, where the table has it; `$bridges/…` are not in it.
    pub event: Option<&'static Event>,
    /// The columns that the test gives.
    pub columns: Vec<(String, Value)>,
    /// Where the event's name stands.
    pub span: Span,
}

/// The keys of a message.
pub(super) const MESSAGE: &[&str] = &[
    "topic",
    "payload",
    "qos",
    "retain",
    "dup",
    "clientid",
    "username",
    "peerhost",
    "peername",
    "properties",
    "user_properties",
    "id",
    "node",
    "timestamp",
    "publish_received_at",
    "client_attrs",
];

/// The keys of an event.
pub(super) const EVENT: &[&str] = &["event", "columns"];

/// MQTT 5 properties of PUBLISH, user properties aside.
pub(super) const PROPERTIES: &[&str] = &[
    "Content-Type",
    "Correlation-Data",
    "Message-Expiry-Interval",
    "Payload-Format-Indicator",
    "Response-Topic",
    "Subscription-Identifier",
    "Topic-Alias",
];

/// Reads `given`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Given> {
    let is = |key: &str| node.entry(key).is_some();
    if is("event") {
        return read_event(node, reading);
    }
    if is("columns") && !is("topic") {
        let fields = Fields::read("given", node, &["columns"], reading.problems)?;
        let columns = columns(fields.get("columns")?, reading)?;
        let named = columns.into_iter().map(|(name, value)| (Value::atom(&name), value)).collect();
        return Some(Given::Columns(Map::from_entries(named)));
    }
    read_message(node, reading).map(|message| Given::Message(Box::new(message)))
}

fn columns(node: &Node, reading: &mut Reading<'_>) -> Option<Vec<(String, Value)>> {
    let fields = Fields::open("columns", node, reading.problems)?;
    let pair = |entry: &Entry| Some((entry.key.to_string(), payload::value(&entry.value, reading)?));
    let pairs: Vec<(String, Value)> = fields.entries().iter().filter_map(pair).collect();
    (pairs.len() == fields.entries().len()).then_some(pairs)
}

fn read_event(node: &Node, reading: &mut Reading<'_>) -> Option<Given> {
    let fields = Fields::read("given", node, EVENT, reading.problems)?;
    let name = fields.text("event", reading.problems)?;
    let span = fields.get("event")?.span;
    let columns = match fields.get("columns") {
        Some(node) => columns(node, reading)?,
        None => Vec::new(),
    };
    if name.starts_with("$bridges/") || name.starts_with("$sources/") {
        return Some(Given::Event(EventGiven { topic: name.to_owned(), event: None, columns, span }));
    }
    let word = |event: &Event| event.topic.trim_start_matches("$events/").to_owned();
    let found = event::EVENTS.iter().find(|e| e.topic == name || e.name == name || word(e) == name);
    let Some(event) = found else {
        let words: Vec<String> = event::EVENTS.iter().map(word).collect();
        let problem = Diagnostic::error(codes::BAD_GIVEN, format!("EMQX has no event '{name}'")).at(span, "");
        reading.problems.push(match nearest(name, words.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean '{near}'?")),
            None => problem.help(format!("events are {}", words.join(", "))),
        });
        return None;
    };
    if event.name == "message.publish" {
        let problem = Diagnostic::error(codes::BAD_GIVEN, "a published message is no event").at(span, "");
        reading.problems.push(problem.help("write `topic:` and `payload:` instead"));
        return None;
    }
    let known = |name: &str| event.columns_5_8.contains(&name) || event.columns_4_3.contains(&name);
    let known_names = event.columns_5_8.iter().chain(event.columns_4_3).copied();
    let mut ok = true;
    for entry in fields.get("columns").and_then(Node::as_map).unwrap_or_default() {
        if !known(&entry.key) {
            let message = format!("the event {} has no column '{}'", event.name, entry.key);
            let problem = Diagnostic::error(codes::BAD_GIVEN, message).at(entry.key_span, "");
            reading.problems.push(match nearest(&entry.key, known_names.clone()) {
                Some(near) => problem.help(format!("did you mean '{near}'?")),
                None => problem.help("`columns:` without `event:` gives exactly the columns written"),
            });
            ok = false;
        }
    }
    let topic = event.topic.to_owned();
    ok.then_some(Given::Event(EventGiven { topic, event: Some(event), columns, span }))
}

pub(super) fn read_message(node: &Node, reading: &mut Reading<'_>) -> Option<MessageGiven> {
    let before = reading.problems.errors();
    let fields = Fields::read("given", node, MESSAGE, reading.problems)?;
    let topic_node = fields.required("topic", reading.problems)?;
    let topic = fields.text("topic", reading.problems)?;
    if let Err(why) = topic::validate_name(topic.as_bytes()) {
        reading.problems.error(
            codes::BAD_GIVEN,
            topic_node.span,
            format!("no message has the topic '{topic}': {why}"),
        );
    }
    let payload = match fields.get("payload") {
        Some(node) => payload::payload(node, reading).unwrap_or_default(),
        None => Bytes::new(),
    };
    let mut message = Message::new(topic, payload);
    let mut columns = Vec::new();
    message.qos = qos(&fields, reading);
    message.retain = fields.boolean("retain", reading.problems).unwrap_or(false);
    message.dup = fields.boolean("dup", reading.problems).unwrap_or(false);
    if let Some(clientid) = optional(&fields, "clientid", reading) {
        match clientid {
            Some(text) => message.clientid = text,
            None => columns.push(("clientid", Value::Undefined)),
        }
    }
    message.username = optional(&fields, "username", reading).unwrap_or(message.username);
    message.peerhost = optional(&fields, "peerhost", reading).unwrap_or(message.peerhost);
    message.peername = optional(&fields, "peername", reading).unwrap_or(message.peername);
    let id = fields.text("id", reading.problems);
    let timestamp = milliseconds(&fields, "timestamp", reading);
    let received = milliseconds(&fields, "publish_received_at", reading);
    let fixed = (id.is_some(), timestamp.is_some(), received.is_some());
    message.id = id.map_or(message.id, str::to_owned);
    message.timestamp_ms = timestamp.unwrap_or_default();
    message.publish_received_at_ms = received.unwrap_or_default();
    message.node = fields.text("node", reading.problems).map_or(message.node, str::to_owned);
    if let Some(node) = fields.get("client_attrs")
        && let Some(value) = payload::value(node, reading)
    {
        columns.push(("client_attrs", value));
    }
    message.properties = properties(&fields, reading);
    message.user_properties = user_properties(&fields, reading);
    (reading.problems.errors() == before).then_some(MessageGiven { message, fixed, columns })
}

fn qos(fields: &Fields<'_>, reading: &mut Reading<'_>) -> u8 {
    let Some(node) = fields.get("qos") else { return 0 };
    match &node.data {
        Data::Int(raw, _) if matches!(&**raw, "0" | "1" | "2") => raw.as_bytes()[0] - b'0',
        Data::Int(raw, _) => {
            reading.problems.error(
                codes::BAD_GIVEN,
                node.span,
                format!("qos is {raw}; it must be 0, 1 or 2"),
            );
            0
        }
        _ => {
            reading.problems.wrong_kind("'qos'", "0, 1 or 2", node);
            0
        }
    }
}

/// A text, or `$undefined`.
fn optional(fields: &Fields<'_>, key: &str, reading: &mut Reading<'_>) -> Option<Option<String>> {
    fields.get(key)?;
    let text = fields.text(key, reading.problems)?;
    Some((text != "$undefined").then(|| text.to_owned()))
}

fn milliseconds(fields: &Fields<'_>, key: &str, reading: &mut Reading<'_>) -> Option<i64> {
    let node = fields.get(key)?;
    let parsed = match &node.data {
        Data::Int(raw, _) => raw.parse().ok(),
        Data::Text(text) => super::clock::parse_time(text).and_then(|ns| i64::try_from(ns / 1_000_000).ok()),
        _ => None,
    };
    if parsed.is_none() {
        reading.problems.wrong_kind(
            &format!("'{key}'"),
            "milliseconds or a time such as 2022-05-05T10:00:00Z",
            node,
        );
    }
    parsed
}

fn properties(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Vec<(String, Value)> {
    let Some(node) = fields.get("properties") else { return Vec::new() };
    if let Some(entry) = node.entry("User-Property") {
        let problem = Diagnostic::error(codes::BAD_GIVEN, "user properties have a key of their own");
        let help = "write `user_properties: [[key, value], …]` beside `properties`";
        reading.problems.push(problem.at(entry.key_span, "").help(help));
        return Vec::new();
    }
    let Some(properties) = Fields::read("properties", node, PROPERTIES, reading.problems) else {
        return Vec::new();
    };
    let pair = |entry: &Entry| Some((entry.key.to_string(), payload::value(&entry.value, reading)?));
    properties.entries().iter().filter_map(pair).collect()
}

fn user_properties(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Vec<(String, String)> {
    let Some(node) = fields.get("user_properties") else { return Vec::new() };
    let pair = |node: &Node| match node.as_list()? {
        [key, value] => Some((key.as_text()?.to_owned(), value.as_text()?.to_owned())),
        _ => None,
    };
    let pairs: Option<Vec<(String, String)>> = match &node.data {
        Data::List(items) => items.iter().map(pair).collect(),
        Data::Map(entries) => {
            entries.iter().map(|e| Some((e.key.to_string(), e.value.as_text()?.to_owned()))).collect()
        }
        _ => None,
    };
    pairs.unwrap_or_else(|| {
        reading.problems.wrong_kind("'user_properties'", "a list of [key, value] pairs of strings", node);
        Vec::new()
    })
}

impl MessageGiven {
    /// The message as it comes at this time, the `step`th of its test.
    pub fn at(&self, now_ms: i64, seed: u64, step: usize) -> Message {
        let mut message = self.message.clone();
        let (id, timestamp, received) = self.fixed;
        if !id {
            message.id = message_id(seed, step);
        }
        if !timestamp {
            message.timestamp_ms = now_ms;
        }
        if !received {
            message.publish_received_at_ms = now_ms;
        }
        message
    }

    /// The columns of the message.
    pub fn columns(&self, message: &Message, profile: Profile) -> Map {
        let mut columns = message.columns(profile);
        for (name, value) in &self.columns {
            if columns.get_named(name.as_bytes()).is_some() {
                columns.insert_column(name, value.clone());
            }
        }
        columns
    }
}

/// A message id as EMQX writes them: 32 upper-case hexadecimal digits.
pub fn message_id(seed: u64, step: usize) -> String {
    let mut numbers = crate::ctx::Ctx::frozen(0, seed);
    format!("{:016X}{:016X}", numbers.next_random(), step)
}

impl EventGiven {
    /// The columns as they come at this time; what the test does not give is undefined, but for times, ids and names.
    /// `None` when the profile does not have the event.
    pub fn columns(&self, now_ms: i64, seed: u64, step: usize, profile: Profile) -> Option<Map> {
        let sample =
            |name: &str| event::COLUMNS.iter().find(|column| column.name == name).map(|column| column.sample);
        let mut columns = match self.event {
            None => Map::of_columns([
                ("event", Value::atom(&self.topic)),
                ("node", Value::atom("emqx@127.0.0.1")),
                ("timestamp", Value::Int(now_ms)),
            ]),
            Some(event) if event.columns(profile).is_empty() => return None,
            Some(event) => {
                let default = |name: &&'static str| {
                    let value = match (*name, sample(name)) {
                        ("event", _) => Value::atom(event.name),
                        ("node", _) => Value::atom("emqx@127.0.0.1"),
                        (_, Some(Sample::Now)) => Value::Int(now_ms),
                        (_, Some(Sample::Id)) => Value::str(message_id(seed, step)),
                        _ => Value::Undefined,
                    };
                    (Value::static_atom(name), value)
                };
                Map::from_entries(event.columns(profile).iter().map(default).collect())
            }
        };
        for (name, value) in &self.columns {
            // What EMQX gives as an atom stays one: it compares like its text, and is told apart by is_str().
            let value = match (sample(name), value.as_text()) {
                (Some(Sample::Atom(_)), Some(text)) => Value::atom(text),
                _ => value.clone(),
            };
            columns.insert(Value::atom(name), value);
        }
        Some(columns)
    }
}
