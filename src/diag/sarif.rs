//! Diagnostics as SARIF 2.1.0, which code hosts and editors read.

use serde_json::{Value, json};

use super::{Diagnostic, Severity};
use crate::text::{Source, Span};

/// What a code means, for the list of rules in the log.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The code.
    pub id: &'static str,
    /// A name without blanks.
    pub name: String,
    /// One line.
    pub summary: String,
    /// The page's text.
    pub help: String,
    /// How its findings are shown unless somebody says otherwise.
    pub severity: Severity,
}

/// A log of one run. `rules` gives the page of a code; only codes that occur are listed.
pub fn to_log(diagnostics: &[Diagnostic], rule: &dyn Fn(&'static str) -> Rule) -> Value {
    let mut codes: Vec<&'static str> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let results: Vec<Value> = diagnostics.iter().map(|diagnostic| result(diagnostic, &codes)).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "rulemill",
                "version": env!("CARGO_PKG_VERSION"),
                "informationUri": env!("CARGO_PKG_REPOSITORY"),
                "rules": codes.iter().map(|code| described(&rule(code))).collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": { "text": rule.summary },
        "fullDescription": { "text": rule.help },
        "help": { "text": rule.help },
        "defaultConfiguration": { "level": level(rule.severity) },
    })
}

fn result(diagnostic: &Diagnostic, codes: &[&str]) -> Value {
    let mut text = diagnostic.message.clone();
    for help in &diagnostic.help {
        text.push_str("\nhelp: ");
        text.push_str(help);
    }
    let mut result = json!({
        "ruleId": diagnostic.code,
        "ruleIndex": codes.iter().position(|code| *code == diagnostic.code),
        "level": level(diagnostic.severity),
        "message": { "text": text },
    });
    if let Some(source) = &diagnostic.source {
        let main = diagnostic.labels.first().map(|label| label.span);
        result["locations"] = json!([{ "physicalLocation": location(source, main) }]);
        let others: Vec<Value> = diagnostic
            .labels
            .iter()
            .skip(1)
            .map(|label| {
                json!({
                    "physicalLocation": location(source, Some(label.span)),
                    "message": { "text": label.message },
                })
            })
            .collect();
        if !others.is_empty() {
            result["relatedLocations"] = json!(others);
        }
    }
    result
}

fn location(source: &Source, span: Option<Span>) -> Value {
    let mut location = json!({ "artifactLocation": { "uri": uri(source.name()) } });
    if let Some(span) = span {
        let start = source.position(span.start as usize);
        let end = source.position(span.end as usize);
        location["region"] = json!({
            "startLine": start.line, "startColumn": start.column,
            "endLine": end.line, "endColumn": end.column,
        });
    }
    location
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Note => "note",
        Severity::Warning => "warning",
        Severity::Error => "error",
    }
}

/// A path as a URI reference (RFC 3986): a relative path stays relative to where the log is read.
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte))
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    if path.starts_with('/') { format!("file://{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri("rules/a b.yaml"), "rules/a%20b.yaml");
        assert_eq!(uri("rules/ü:1.yaml"), "rules/%C3%BC%3A1.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
    }
}
