//! Diagnostics as workflow commands of GitHub Actions, which shows them beside the lines of a pull request.

use super::{Diagnostic, Severity};

/// One line: `::error file=…,line=…::message`.
pub fn to_command(diagnostic: &Diagnostic) -> String {
    let command = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    let mut properties = Vec::new();
    if let Some(source) = &diagnostic.source {
        properties.push(format!("file={}", property(source.name())));
        if let Some(label) = diagnostic.labels.first() {
            let start = source.position(label.span.start as usize);
            let end = source.position(label.span.end as usize);
            properties.push(format!("line={}", start.line));
            properties.push(format!("endLine={}", end.line));
            // Columns count only within one line.
            if start.line == end.line {
                properties.push(format!("col={}", start.column));
                properties.push(format!("endColumn={}", end.column));
            }
        }
    }
    properties.push(format!("title={}", property(diagnostic.code)));
    let labels = diagnostic.labels.iter().map(|label| label.message.as_str()).filter(|text| !text.is_empty());
    let lines: Vec<&str> = std::iter::once(diagnostic.message.as_str())
        .chain(labels.take(1))
        .chain(diagnostic.help.iter().map(String::as_str))
        .collect();
    format!("::{command} {}::{}", properties.join(","), text(&lines.join("\n")))
}

fn text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(value: &str) -> String {
    text(value).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Source, Span};

    #[test]
    fn a_command_has_place_and_escapes() {
        let source = Source::new("a,b.yaml", "first\nsecond\n");
        let diagnostic = Diagnostic::error("E999", "100 % wrong").at(Span::new(6, 9), "here").help("a\nb");
        assert_eq!(
            to_command(&diagnostic.clone().in_source(&source)),
            "::error file=a%2Cb.yaml,line=2,endLine=2,col=1,endColumn=4,title=E999::100 %25 wrong%0Ahere%0Aa%0Ab"
        );
        assert_eq!(
            to_command(&Diagnostic::warning("E999", "x").at(Span::new(0, 9), "").in_source(&source)),
            "::warning file=a%2Cb.yaml,line=1,endLine=2,title=E999::x"
        );
        assert_eq!(to_command(&Diagnostic::warning("E999", "x")), "::warning title=E999::x");
    }
}
