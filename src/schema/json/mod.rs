//! JSON Schema as jesse 1.8 checks it: drafts 3, 4 and 6, the last one where `$schema` is missing.
//!
//! No crate: none of them knows draft 3, and jesse's answers are its own (`examples` refuses what is no list, `id`
//! spoils a schema of draft 6, other drafts refuse everything). Schemas are used as they are written, since jesse
//! finds mistakes in them only where a value leads it there.

mod check;
mod format;
mod object;
mod reference;

use std::collections::HashMap;
use std::sync::Arc;

use pcre2::bytes::{Regex, RegexBuilder};

use super::{Failure, bad};
use crate::diag::{Diagnostic, Severity};
use crate::document::{Data, Document, Format, Node};
use crate::text::{Source, Span};
use crate::value::{Bytes, Map, Value, decode, encode};

/// A JSON Schema.
#[derive(Clone, Debug)]
pub(super) struct JsonSchema {
    root: Arc<Map>,
    /// The patterns of the schema; none for one that is no regular expression.
    patterns: Arc<HashMap<Bytes, Option<Regex>>>,
}

/// The drafts that jesse knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Draft {
    D3,
    D4,
    D6,
}

impl Draft {
    fn of(uri: &[u8]) -> Option<Draft> {
        match uri {
            b"http://json-schema.org/draft-03/schema#" => Some(Draft::D3),
            b"http://json-schema.org/draft-04/schema#" => Some(Draft::D4),
            b"http://json-schema.org/draft-06/schema#" => Some(Draft::D6),
            _ => None,
        }
    }
}

impl JsonSchema {
    /// The schema, and what EMQX takes and its checker will trip over.
    pub(super) fn compile(source: &Source) -> Result<(JsonSchema, Vec<Diagnostic>), Vec<Diagnostic>> {
        let document = Document::read(source.name(), source.text().as_bytes(), Format::Json)?;
        if document.root.as_map().is_none() {
            let kind = document.root.kind_name();
            let message = format!("a JSON schema is an object here, not {kind}");
            return Err(vec![bad(source, document.root.span, message)]);
        }
        let mut found = Patterns { source, patterns: HashMap::new(), notes: Vec::new() };
        found.walk(&document.root);
        let text = Bytes::copy_from_slice(source.text().as_bytes());
        match decode::decode(&text) {
            Ok(Value::Map(root)) => {
                let schema = JsonSchema { root: Arc::new(root), patterns: Arc::new(found.patterns) };
                Ok((schema, found.notes))
            }
            Ok(_) => Err(vec![bad(source, document.root.span, "a JSON schema is an object here")]),
            Err(e) => Err(vec![bad(source, Span::new(e.at, e.at), format!("EMQX reads no such JSON: {e}"))]),
        }
    }

    pub(super) fn decode(&self, data: &Value, (): ()) -> Result<Value, Failure> {
        let Value::Str(text) = data else {
            let kind = data.kind_name();
            return Err(Failure::error(format!("the data is of kind {kind}, and a JSON text is wanted")));
        };
        let value = decode::decode(text).map_err(|e| Failure::Error(format!("the data is no JSON: {e}")))?;
        self.validate(&value)?;
        Ok(value)
    }

    pub(super) fn encode(&self, value: &Value, (): ()) -> Result<Vec<u8>, Failure> {
        let text = encode::to_json(value).map_err(|e| Failure::Error(e.to_string()))?;
        // What is checked is the text read back (emqx_schema_registry_serde:eval_encode/2).
        let read = decode::decode(&Bytes::copy_from_slice(&text));
        let read =
            read.map_err(|e| Failure::Error(format!("the value makes no JSON that EMQX reads: {e}")))?;
        self.validate(&read)?;
        Ok(text)
    }

    fn validate(&self, value: &Value) -> Result<(), Failure> {
        check::validate(self, value).map_err(|fault| Failure::Error(fault.to_string()))
    }
}

/// Looks for what jesse will need, and for what it will not understand.
struct Patterns<'a> {
    source: &'a Source,
    patterns: HashMap<Bytes, Option<Regex>>,
    notes: Vec<Diagnostic>,
}

impl Patterns<'_> {
    fn walk(&mut self, node: &Node) {
        match &node.data {
            Data::List(items) => items.iter().for_each(|item| self.walk(item)),
            Data::Map(entries) => {
                for entry in entries.iter() {
                    match (&*entry.key, &entry.value.data) {
                        ("pattern", Data::Text(pattern)) => self.pattern(pattern, entry.value.span),
                        ("patternProperties", Data::Map(patterns)) => {
                            patterns.iter().for_each(|p| self.pattern(&p.key, p.key_span));
                        }
                        ("$schema", Data::Text(uri)) if Draft::of(uri.as_bytes()).is_none() => {
                            let message = format!("EMQX checks nothing by '{uri}': every value fails");
                            self.note(
                                entry.value.span,
                                message,
                                "it knows http://json-schema.org/draft-03/schema#, draft-04 and draft-06, written so; \
                                 without `$schema` it takes draft 6",
                            );
                        }
                        _ => {}
                    }
                    self.walk(&entry.value);
                }
            }
            _ => {}
        }
    }

    fn pattern(&mut self, pattern: &str, at: Span) {
        // jesse runs `re` with `unicode` and `ucp`.
        let regex = RegexBuilder::new().utf(true).ucp(true).build(pattern);
        if let Err(e) = &regex {
            self.note(at, format!("'{pattern}' is no regular expression: {e}"), "every string fails here");
        }
        self.patterns.insert(Bytes::copy_from_slice(pattern.as_bytes()), regex.ok());
    }

    fn note(&mut self, at: Span, message: String, help: &str) {
        let mut note = bad(self.source, at, message).help(help);
        note.severity = Severity::Warning;
        self.notes.push(note);
    }
}
