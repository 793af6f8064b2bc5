//! One model for everything rulemill tells a person about a text: code, message, labels, help.
//!
//! Renderers (human, JSON, …) stand beside it; nothing else formats a diagnostic.

pub mod codes;
pub mod examples;
pub mod github;
#[cfg(feature = "cli")]
pub mod human;
pub mod json;
pub mod sarif;

use std::fmt;

use crate::text::{Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Probably not what the author meant.
    Warning,
    /// It does not work.
    Error,
}

/// A place and what is to be said there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where, in the diagnostic's source.
    pub span: Span,
    /// What; may be empty.
    pub message: String,
}

/// One finding.
#[derive(Clone, Debug)]
pub struct Diagnostic {
    /// A stable code, `E001` or `W01`; `rulemill explain` has a page for each.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// A sentence fragment.
    pub message: String,
    /// The text that the labels point into.
    pub source: Option<Source>,
    /// Places, the first the main one.
    pub labels: Vec<Label>,
    /// What to do, one sentence each.
    pub help: Vec<String>,
}

impl Diagnostic {
    /// An error.
    pub fn error(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            source: None,
            labels: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A warning.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// Adds a place.
    pub fn at(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.labels.push(Label { span, message: message.into() });
        self
    }

    /// Adds advice.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }

    /// Says which text the labels point into.
    pub fn in_source(mut self, source: &Source) -> Diagnostic {
        self.source = Some(source.clone());
        self
    }

    /// Moves the labels into another text that holds the first one, for SQL inside a rule file.
    pub fn relocated(mut self, source: &Source, place: impl Fn(Span) -> Span) -> Diagnostic {
        self.labels.iter_mut().for_each(|label| label.span = place(label.span));
        self.source = Some(source.clone());
        self
    }
}

/// `file:line:column: error[E001]: message`, on one line.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(source), Some(label)) = (&self.source, self.labels.first()) {
            write!(f, "{}: ", source.locate(label.span))?;
        }
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{severity}[{}]: {}", self.code, self.message)
    }
}

/// The name nearest to `written`, when one is near enough to be what was meant: at most a third of its letters
/// differ.
pub fn nearest<'a>(written: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bound = (written.chars().count() / 3).max(1);
    let scored = names.into_iter().map(|name| (distance(written, name), name));
    scored.filter(|(d, _)| *d <= bound).min().map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap of neighbours) between two words, letter case ignored.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let first = |i| (0..=b.len()).map(|j| if i == 0 { j } else { i * usize::from(j == 0) }).collect();
    let mut rows: Vec<Vec<usize>> = (0..=a.len()).map(first).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suggests_only_what_is_near() {
        let names = ["payload", "topic", "clientid"];
        assert_eq!(nearest("paylaod", names), Some("payload"));
        assert_eq!(nearest("Topic", names), Some("topic"));
        assert_eq!(nearest("x", names), None);
        assert_eq!(nearest("temperature", names), None);
    }
}
