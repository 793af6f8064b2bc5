//! Diagnostics for people: the source line, an underline, the way out.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::text::{Source, Span};

/// Columns of a block where nobody says how many there are.
pub const WIDTH: usize = 140;

/// A block of text, with colours when asked for.
pub fn to_text(diagnostic: &Diagnostic, color: bool) -> String {
    to_text_within(diagnostic, color, WIDTH)
}

/// A block of text for a terminal of this width: of longer lines the part is shown that matters.
pub fn to_text_within(diagnostic: &Diagnostic, color: bool, width: usize) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some(source) = &diagnostic.source {
        if diagnostic.labels.is_empty() || source.text().is_empty() {
            group = group.element(annotate_snippets::Origin::path(source.name()));
        } else {
            let mut snippets: Vec<(&str, Snippet<'_, _>)> = Vec::new();
            for (at, label) in diagnostic.labels.iter().enumerate() {
                let (file, span) = source.file_of(label.span);
                let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
                let text = (!label.message.is_empty()).then_some(label.message.as_str());
                let annotation = kind.span(shown(file, span)).label(text);
                let known = snippets.iter().position(|(name, _)| *name == file.name());
                let (name, snippet) = match known {
                    Some(at) => snippets.remove(at),
                    None => (file.name(), Snippet::source(file.text()).path(file.name())),
                };
                snippets.insert(known.unwrap_or(snippets.len()), (name, snippet.annotation(annotation)));
            }
            for (_, snippet) in snippets {
                group = group.element(snippet);
            }
        }
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.term_width(width).render(&[group])
}

/// What is underlined: at least one character where there is one, and not the rest of a text of many lines.
fn shown(source: &Source, span: Span) -> std::ops::Range<usize> {
    let text = source.text();
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    let line_end = text[start..end].find(['\n', '\r']).map_or(end, |at| start + at);
    // An underline over many lines hides what is wrong: its first line is where a reader begins.
    if line_end > start { start..line_end } else { start..start.max(end.min(line_end)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_shows_line_and_help() {
        let source = Source::new("a.yaml", "first\nsecond line\nthird\n");
        let diagnostic = Diagnostic::error("E999", "it is wrong")
            .at(Span::new(13, 17), "this")
            .help("write another")
            .in_source(&source);
        assert_eq!(
            to_text(&diagnostic, false),
            "error[E999]: it is wrong\n --> a.yaml:2:8\n  |\n2 | second line\n  |        ^^^^ this\n  |\n  = help: write another"
        );
    }

    #[test]
    fn a_label_in_an_included_file_is_shown_there() {
        let joined =
            Source::joined(&[Source::new("a.conf", "first\nsecond"), Source::new("b.conf", "third\n")]);
        let diagnostic = Diagnostic::error("E999", "twice")
            .at(Span::new(13, 18), "again here")
            .at(Span::new(6, 12), "first here")
            .in_source(&joined);
        assert_eq!(
            to_text(&diagnostic, false),
            "error[E999]: twice\n --> b.conf:1:1\n  |\n1 | third\n  | ^^^^^ again here\n  |\n ::: a.conf:2:1\n  |\n\
             2 | second\n  | ------ first here"
        );
    }

    #[test]
    fn blocks_without_a_place() {
        let bare = Diagnostic::warning("E999", "it is odd");
        assert_eq!(to_text(&bare, false), "warning[E999]: it is odd");
        let file = bare.in_source(&Source::new("a.yaml", ""));
        assert_eq!(to_text(&file, false), "warning[E999]: it is odd\n--> a.yaml");
    }

    #[test]
    fn odd_places_do_not_fail() {
        let text = "ä\r\nb\tc\r\n";
        let source = Source::new("a.yaml", text);
        for start in 0..=text.len() + 2 {
            for end in start..=text.len() + 2 {
                if text.is_char_boundary(start.min(text.len())) && text.is_char_boundary(end.min(text.len()))
                {
                    let diagnostic =
                        Diagnostic::error("E999", "x").at(Span::new(start, end), "").in_source(&source);
                    assert!(to_text(&diagnostic, false).starts_with("error[E999]: x\n --> a.yaml:"));
                }
            }
        }
    }
}
