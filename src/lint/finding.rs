//! One finding of a lint, and how it is repaired.

use super::table::Lint;
use crate::diag::{Diagnostic, Severity};
use crate::document::Embedded;
use crate::rule::SqlText;
use crate::text::{Source, Span};

/// A piece of text to put in the place of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What goes, in the SQL text; empty for an insertion.
    pub span: Span,
    /// What comes, as SQL.
    pub text: String,
}

/// A repair that is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What it does, as a sentence fragment.
    pub title: String,
    /// Its edits of the SQL, none of them over another.
    pub edits: Vec<Edit>,
}

impl Fix {
    /// A repair by one edit.
    pub fn new(title: impl Into<String>, span: Span, text: impl Into<String>) -> Fix {
        Fix { title: title.into(), edits: vec![Edit { span, text: text.into() }] }
    }
}

/// Something that a lint found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The lint.
    pub lint: &'static Lint,
    /// What it says, in its file. Its severity is set by the level that counts there.
    pub diagnostic: Diagnostic,
    /// The repair, when one is certain.
    pub fix: Option<Fix>,
    /// Where in the rule's SQL it was found, when it was there.
    pub sql_span: Option<Span>,
    /// Where in the file that SQL stands.
    pub sql_home: Option<Span>,
    /// Worth knowing at most, whatever the level.
    pub only_note: bool,
}

/// Findings of one lint being gathered.
pub(super) struct Report<'a> {
    pub lint: &'static Lint,
    pub sql: Option<&'a SqlText>,
    pub found: Vec<Finding>,
}

impl Report<'_> {
    /// Something at a place in the SQL.
    pub fn sql(&mut self, span: Span, message: impl Into<String>) -> Draft<'_> {
        self.draft(Diagnostic::warning(self.lint.code, message).at(span, ""), Some(span))
    }

    /// Something at a place in a string of a file.
    pub fn text(
        &mut self,
        source: &Source,
        embedded: &Embedded,
        span: Span,
        message: impl Into<String>,
    ) -> Draft<'_> {
        self.place(source, embedded.place(span), message)
    }

    /// Something at a place in a file.
    pub fn place(&mut self, source: &Source, span: Span, message: impl Into<String>) -> Draft<'_> {
        self.draft(Diagnostic::warning(self.lint.code, message).at(span, "").in_source(source), None)
    }

    fn draft(&mut self, diagnostic: Diagnostic, sql_span: Option<Span>) -> Draft<'_> {
        let finding =
            Finding { lint: self.lint, diagnostic, fix: None, sql_span, sql_home: None, only_note: false };
        self.found.push(finding);
        let at = self.found.len() - 1;
        Draft { finding: &mut self.found[at] }
    }

    /// All findings, placed in their files.
    pub fn done(self) -> Vec<Finding> {
        let Some(sql) = self.sql else { return self.found };
        let placed = |mut finding: Finding| {
            if finding.sql_span.is_some() {
                finding.sql_home = Some(sql.span);
                finding.diagnostic = sql.relocated(finding.diagnostic);
            }
            finding
        };
        self.found.into_iter().map(placed).collect()
    }
}

/// A finding being written.
pub(super) struct Draft<'f> {
    finding: &'f mut Finding,
}

impl Draft<'_> {
    /// What is said at its main place.
    pub fn label(self, text: impl Into<String>) -> Self {
        if let Some(label) = self.finding.diagnostic.labels.first_mut() {
            label.message = text.into();
        }
        self
    }

    /// Another place in the same text.
    pub fn also(self, span: Span, text: impl Into<String>) -> Self {
        self.finding.diagnostic.labels.push(crate::diag::Label { span, message: text.into() });
        self
    }

    /// The way out.
    pub fn help(self, text: impl Into<String>) -> Self {
        self.finding.diagnostic.help.push(text.into());
        self
    }

    /// The repair.
    pub fn fix(self, fix: Fix) -> Self {
        self.finding.fix = Some(fix);
        self
    }

    /// Worth knowing at most.
    pub fn note(self) -> Self {
        self.finding.diagnostic.severity = Severity::Note;
        self.finding.only_note = true;
        self
    }
}
