//! Tokens.

use crate::text::Span;

/// A token and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Token {
    pub kind: Kind,
    pub span: Span,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// `'…'`, with its quotes.
    Str(String),
    /// A bare name.
    Name(String),
    /// `"…"`, with its quotes.
    Quoted(String),
    /// Digits.
    Int(String),
    /// Digits with a fraction, an exponent or a suffix; may still be no number.
    Float(String),
    /// `[1..3]`.
    Range(String, String),
    /// A comparison operator.
    Comparison(&'static str),
    /// `+ - * / ( ) [ ] , .` and the word operators.
    Punctuation(&'static str),
    /// A reserved word, upper case.
    Keyword(&'static str),
    /// What has been reported already, and nothing can be read for.
    Wrong,
    /// After the last token.
    End,
}

impl Kind {
    /// How the token is called in messages.
    pub fn describe(&self) -> String {
        match self {
            Kind::Str(text) | Kind::Name(text) | Kind::Quoted(text) | Kind::Int(text) | Kind::Float(text) => {
                format!("`{text}`")
            }
            Kind::Range(first, last) => format!("`[{first}..{last}]`"),
            Kind::Comparison(text) | Kind::Punctuation(text) => format!("`{text}`"),
            Kind::Keyword(word) => format!("the keyword `{word}`"),
            Kind::Wrong => "what is no rule SQL".to_owned(),
            Kind::End => "the end of the statement".to_owned(),
        }
    }
}

/// The reserved words, in any letter case; `IF` and `ELSIF` are reserved but unused.
pub const KEYWORDS: [&str; 18] = [
    "AND", "AS", "CASE", "DO", "ELSE", "ELSIF", "END", "FOREACH", "FROM", "IF", "IN", "INCASE", "NOT", "OR",
    "SELECT", "THEN", "WHEN", "WHERE",
];

/// Is the word reserved?
pub fn is_keyword(word: &str) -> bool {
    keyword(word).is_some()
}

pub(super) fn keyword(word: &str) -> Option<&'static str> {
    KEYWORDS.into_iter().find(|k| k.eq_ignore_ascii_case(word))
}

/// Can the text stand as a name without quotes (in every profile)?
pub fn is_plain_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic())
        && chars.all(is_name_char)
        && !is_keyword(text)
        && text != "div"
        && text != "mod"
}

pub(super) fn is_name_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '@' | '~')
}
