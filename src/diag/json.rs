//! Diagnostics for programs.

use serde_json::{Value, json};

use super::{Diagnostic, Severity};
use crate::text::{Source, Span};

/// One diagnostic as an object: code, severity, message, file, line, column, labels, help.
pub fn to_json(diagnostic: &Diagnostic) -> Value {
    let severity = severity_name(diagnostic.severity);
    let mut object = json!({
        "code": diagnostic.code,
        "severity": severity,
        "message": diagnostic.message,
    });
    if let Some(source) = &diagnostic.source {
        let mut main = source;
        if let Some(label) = diagnostic.labels.first() {
            let at = source.position(label.span.start as usize);
            main = source.file_of(label.span).0;
            object["line"] = json!(at.line);
            object["column"] = json!(at.column);
        }
        object["file"] = json!(main.name());
        let labels = diagnostic.labels.iter().map(|label| {
            let (file, span) = source.file_of(label.span);
            let mut object = place(file, span, &label.message);
            // A file included by the main one is named where the label stands in it.
            if file.name() != main.name() {
                object["file"] = json!(file.name());
            }
            object
        });
        object["labels"] = labels.collect();
    }
    object["help"] = json!(diagnostic.help);
    object
}

fn place(source: &Source, span: Span, message: &str) -> Value {
    let (start, end) = (source.position(span.start as usize), source.position(span.end as usize));
    json!({
        "message": message,
        "start": { "line": start.line, "column": start.column, "offset": span.start },
        "end": { "line": end.line, "column": end.column, "offset": span.end },
    })
}

/// The word for a severity.
pub fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_all_there_is() {
        let source = Source::new("a.yaml", "k: 1\nü: x\n");
        let diagnostic =
            Diagnostic::error("E999", "no").at(Span::new(9, 10), "here").help("yes").in_source(&source);
        assert_eq!(
            to_json(&diagnostic),
            json!({
                "code": "E999", "severity": "error", "message": "no", "file": "a.yaml", "line": 2, "column": 4,
                "labels": [{
                    "message": "here",
                    "start": { "line": 2, "column": 4, "offset": 9 },
                    "end": { "line": 2, "column": 5, "offset": 10 },
                }],
                "help": ["yes"],
            })
        );
    }
}
