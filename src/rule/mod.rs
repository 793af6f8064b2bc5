//! Rule files, connectors and actions.
//!
//! Invariant: a [`Rule`] in hand is a checked rule: its SQL compiles, its actions exist, their templates are parsed.

mod action;
mod connector;
mod hstreamdb;
mod http;
pub mod keys;
mod load;
mod options;
mod params;
pub mod plain;
mod republish;
mod request;
pub mod retry;
pub mod schema;
pub mod units;

use std::sync::Arc;

pub use action::{Action, ActionKind, Field};
pub use connector::{Connector, Place, Shared as SharedConnector, Url};
pub use hstreamdb::HstreamdbAction;
pub use http::HttpAction;
pub use load::{Input, Loaded, RuleSet, Settings, load, load_with, order, sort};
pub use options::{Options, Setting};
pub use params::Params;
pub use republish::Republish;
pub use request::Request;
pub use retry::Retry;

use crate::diag::Diagnostic;
use crate::document::Embedded;
use crate::program::Program;
use crate::template::Template;
use crate::text::{Source, Span};
use crate::value::{Bytes, Value};

/// A checked rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its id.
    pub id: Arc<str>,
    /// `name`.
    pub name: String,
    /// `description`.
    pub description: String,
    /// `enable`.
    pub enabled: bool,
    /// Its SQL, compiled.
    pub program: Program,
    /// Its SQL as written.
    pub sql: SqlText,
    /// Its actions in order.
    pub actions: Vec<Arc<Action>>,
    /// Where its id stands.
    pub place: Place,
}

/// A SQL text and the file that it stands in.
#[derive(Clone, Debug)]
pub struct SqlText {
    /// The text alone, under the name of its file.
    pub text: Source,
    /// The whole file.
    pub file: Source,
    /// Where the text stands in the file.
    pub span: Span,
    embedded: Embedded,
}

impl SqlText {
    /// A text that `embedded` finds in `file`.
    pub fn new(text: &str, file: &Source, span: Span, embedded: Embedded) -> SqlText {
        SqlText { text: Source::new(file.name(), text), file: file.clone(), span, embedded }
    }

    /// The place in the file of a place in the SQL.
    pub fn place(&self, inner: Span) -> Span {
        self.embedded.place(inner)
    }

    /// The same finding about the SQL, shown in its file.
    pub fn relocated(&self, problem: Diagnostic) -> Diagnostic {
        problem.relocated(&self.file, |span| self.embedded.place(span))
    }
}

/// What a template gives, or why it gives nothing, with the name of what it was for.
fn rendered(what: &str, template: &Template, data: &Value) -> Result<Bytes, String> {
    template.render(data).map_err(|e| format!("the {what} cannot be rendered: {e}"))
}
