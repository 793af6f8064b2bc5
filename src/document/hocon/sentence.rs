//! What is wrong with a text, in words, and what to write instead.

use super::scanner::{is_blank, is_line_break};
use crate::diag::{Diagnostic, codes};
use crate::text::Span;

/// An error in a file's form.
pub(super) fn wrong(span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(codes::SYNTAX, message).at(span, "here")
}

/// The word that a place lies in, as an author sees it: up to the next blank, comma, quote or bracket.
pub(super) fn word_around(text: &str, at: usize) -> Span {
    let ends = |c: char| is_blank(c) || matches!(c, ',' | '"' | '{' | '}' | '[' | ']');
    let before = text[..at].rfind(|c: char| ends(c) || matches!(c, '=' | ':'));
    let start = before.map_or(0, |start| start + text[start..].chars().next().map_or(1, char::len_utf8));
    let end = text[at..].find(ends).map_or(text.len(), |length| at + length);
    Span::new(start, end)
}

/// The sentence for a word that needs quotes.
pub(super) fn needs_quotes(text: &str, span: Span) -> Diagnostic {
    let word = text.get(span.range()).unwrap_or_default();
    let message = format!("'{word}' must stand in quotes");
    let problem = wrong(span, message);
    match word.contains(['"', '\\']) {
        false => problem.help(format!("write \"{word}\"")),
        true => problem,
    }
}

/// A character that no token begins with.
pub(super) fn stray(text: &str, at: usize) -> Diagnostic {
    let rest = &text[at..];
    let c = rest.chars().next().unwrap_or(' ');
    let here = Span::new(at, at + c.len_utf8());
    if rest.starts_with("+=") {
        return wrong(Span::new(at, at + 2), "EMQX's HOCON has no '+='")
            .help("write the whole value, or key = ${key} [item]");
    }
    if c == '\'' {
        return wrong(here, "strings have double quotes").help("write \"…\"");
    }
    if text[..at].ends_with('"') && c == '.' {
        return wrong(here, "a quoted key is no part of a path")
            .help("write the path without quotes, a.b = …, or as objects, \"a.b\" { c = … }");
    }
    if c == '(' && text[..at].trim_end().ends_with("required") {
        return wrong(here, "'required' and the file's name stand together").help("write required(\"…\")");
    }
    if c == ';' {
        return wrong(here, "EMQX's HOCON has no ';'").help("fields are separated by commas or line breaks");
    }
    if c == '\u{feff}' {
        return wrong(here, "a byte-order mark inside the file").help("remove it");
    }
    let word = word_around(text, at);
    let bad = match c.is_control() {
        true => format!("U+{:04X}", u32::from(c)),
        false => format!("'{c}'"),
    };
    match word.range().len() > c.len_utf8() || c.is_alphanumeric() {
        true => needs_quotes(text, word).help(format!(
            "without quotes EMQX takes an ASCII letter and behind it letters, digits and _ . @ % | -, not {bad}"
        )),
        false => wrong(here, format!("{bad} cannot stand outside quotes")),
    }
}

/// A float without a digit before its dot, which only EMQX's scanner takes.
pub(super) fn no_digit(word: &str, at: usize) -> Diagnostic {
    let (sign, fraction) = word.split_at(1);
    wrong(Span::new(at, at + word.len()), format!("'{word}' has no digit before the dot"))
        .help(format!("write {}0{fraction}", sign.trim_start_matches('+')))
}

/// A dollar sign that begins no substitution.
pub(super) fn no_variable(text: &str, at: usize) -> Diagnostic {
    if !text[at..].starts_with("${") {
        return stray(text, at);
    }
    let line = text[at..].find(is_line_break).map_or(text.len(), |length| at + length);
    let end = text[at..line].find('}').map_or(at + 2, |length| at + length + 1);
    wrong(Span::new(at, end), format!("'{}' is no substitution", &text[at..end])).help(
        "${path} names a value of the file: a letter, then letters, digits and _ . @ % | -, without blanks; a \
         template stands in quotes, \"${…}\"",
    )
}

/// Quotes that nothing closes on their line; `behind` when they stand directly behind three closing ones.
pub(super) fn unclosed_string(text: &str, at: usize, behind: bool) -> Diagnostic {
    if behind {
        return wrong(Span::new(at, at + 1), "a fourth quote behind the three closing ones").help(
            "EMQX ends the text at the first three: put a blank in front of them when it ends in a quote",
        );
    }
    let line = text[at..].find(is_line_break).map_or(text.len(), |length| at + length);
    let problem = wrong(Span::new(at, line), "this string is not closed on its line");
    let before = text[..at].rfind(is_line_break).unwrap_or(0);
    match text[before..at].contains("\\\\\"") {
        true => problem.help(
            "EMQX takes \\\\\" for an escaped quote when a further quote follows on the line; put what follows on the \
             next line",
        ),
        false => problem.help("a text of several lines stands in three quotes, \"\"\"…\"\"\""),
    }
}

/// Three quotes that nothing closes.
pub(super) fn unclosed_triple(at: usize) -> Diagnostic {
    wrong(Span::new(at, at + 3), "the three quotes opened here are not closed")
}
