//! What is wrong with a statement: HStreamDB's own text first, then a hint of ours.
//!
//! Invariant: the text is HStreamDB v0.6.1's where it has one (`HStream/SQL/Exception.hs`, with the blanks as
//! that code puts them).

use std::fmt;

/// An error of a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError {
    /// What HStreamDB would print.
    pub text: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl SqlError {
    /// A token that does not belong where it stands.
    pub(super) fn syntax(line: u64, column: u64, found: &str) -> SqlError {
        SqlError {
            text: format!("Parse exception at <line {line},column {column}>: syntax error before `{found}'."),
            hint: None,
        }
    }

    /// The statement stops too early.
    pub(super) fn end() -> SqlError {
        SqlError { text: "Parse exception syntax error at end of file.".to_owned(), hint: None }
    }

    /// Well-formed, but not allowed; the place where HStreamDB knows one.
    pub(super) fn invalid(place: Option<(u64, u64)>, message: &str) -> SqlError {
        let at = place.map_or(String::new(), |(line, column)| format!("at <line {line}, column {column}>"));
        SqlError { text: format!("Parse exception {at}{message}."), hint: None }
    }

    /// HStreamDB has it and the stand-in has not.
    pub(super) fn unsupported(what: &str) -> SqlError {
        SqlError { text: format!("{what} is not answered by rulemill's HStreamDB stand-in"), hint: None }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> SqlError {
        SqlError { hint: Some(hint.into()), ..self }
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(f, "\nhint: {hint}"))
    }
}

impl std::error::Error for SqlError {}
