//! Strict reading of maps: known keys, unknown ones with the nearest known, kinds of values.

use super::{Data, Document, Entry, Node};
use crate::diag::{Diagnostic, codes, nearest};
use crate::text::{Source, Span};

/// What is wrong with one file, gathered while it is read on.
#[derive(Debug)]
pub struct Problems {
    source: Source,
    list: Vec<Diagnostic>,
}

impl Problems {
    /// For the file of a document.
    pub fn new(document: &Document) -> Problems {
        Problems { source: document.source.clone(), list: Vec::new() }
    }

    /// Adds a finding.
    pub fn push(&mut self, problem: Diagnostic) {
        let problem = if problem.source.is_none() { problem.in_source(&self.source) } else { problem };
        self.list.push(problem);
    }

    /// Adds an error at a place.
    pub fn error(&mut self, code: &'static str, at: Span, message: impl Into<String>) {
        self.push(Diagnostic::error(code, message).at(at, ""));
    }

    /// Adds an error about a value of the wrong kind.
    pub fn wrong_kind(&mut self, what: &str, expected: &str, node: &Node) {
        let message = format!("{what} must be {expected}, not {}", node.kind_name());
        self.error(codes::WRONG_KIND, node.span, message);
    }

    /// Adds an error about a value that is of the right kind and still wrong.
    pub fn bad_value(&mut self, node: &Node, message: impl Into<String>) {
        self.error(codes::BAD_VALUE, node.span, message);
    }

    /// All findings.
    pub fn into_list(self) -> Vec<Diagnostic> {
        self.list
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|d| d.severity == crate::diag::Severity::Error).count()
    }
}

/// A map whose keys are known.
#[derive(Clone, Debug)]
pub struct Fields<'a> {
    /// The name of the map in messages, such as `test` or `actions.http.x`.
    what: String,
    node: &'a Node,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// The map at `node`, every key of it among `known`; what is wrong goes to `problems`. Nothing counts as an
    /// empty map.
    pub fn read(what: &str, node: &'a Node, known: &[&str], problems: &mut Problems) -> Option<Fields<'a>> {
        let fields = Fields::open(what, node, problems)?;
        for entry in fields.entries {
            if !known.contains(&&*entry.key) {
                problems.push(unknown_key(what, entry, known));
            }
        }
        Some(fields)
    }

    /// The map at `node`, whatever its keys.
    pub fn open(what: &str, node: &'a Node, problems: &mut Problems) -> Option<Fields<'a>> {
        match &node.data {
            Data::Map(entries) => Some(Fields { what: what.to_owned(), node, entries }),
            Data::Null => Some(Fields { what: what.to_owned(), node, entries: &[] }),
            _ => {
                problems.wrong_kind(what, "a map", node);
                None
            }
        }
    }

    /// The entries in written order.
    pub fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    /// Where the map stands.
    pub fn span(&self) -> Span {
        self.node.span
    }

    /// The value of a key; null counts as absent.
    pub fn get(&self, key: &str) -> Option<&'a Node> {
        self.entries
            .iter()
            .find(|entry| &*entry.key == key)
            .map(|entry| &entry.value)
            .filter(|n| !n.is_null())
    }

    /// The value of a key that must be there.
    pub fn required(&self, key: &str, problems: &mut Problems) -> Option<&'a Node> {
        let found = self.get(key);
        if found.is_none() {
            let message = format!("{} has no '{key}'", self.what);
            problems.error(codes::MISSING_KEY, self.node.span, message);
        }
        found
    }

    /// The string of a key.
    pub fn text(&self, key: &str, problems: &mut Problems) -> Option<&'a str> {
        let node = self.get(key)?;
        let text = node.as_text();
        if text.is_none() {
            problems.wrong_kind(&format!("'{key}'"), "a string", node);
        }
        text
    }

    /// The boolean of a key.
    pub fn boolean(&self, key: &str, problems: &mut Problems) -> Option<bool> {
        let node = self.get(key)?;
        match node.data {
            Data::Bool(b) => Some(b),
            _ => {
                problems.wrong_kind(&format!("'{key}'"), "true or false", node);
                None
            }
        }
    }
}

/// The sentence for a key that nobody knows.
pub fn unknown_key(what: &str, entry: &Entry, known: &[&str]) -> Diagnostic {
    let problem = Diagnostic::error(codes::UNKNOWN_KEY, format!("{what} has no key '{}'", entry.key))
        .at(entry.key_span, "unknown key");
    match nearest(&entry.key, known.iter().copied()) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem.help(format!("known keys: {}", known.join(", "))),
    }
}
