//! Tokens to a tree, by recursive descent; one file a construct.
//!
//! The engines' grammar is LALR with its conflicts resolved towards shifting. Where that is visible, the comment
//! says so. After a mistake the parser goes on behind it, so that one pass reports them all.

mod case;
mod cond;
mod expr;
mod hint;
mod path;
mod statement;

use super::ast::Statement;
use super::lexer;
use super::token::{Kind, Token};
use crate::diag::{Diagnostic, Severity};
use crate::limits;
use crate::profile::Profile;
use crate::text::Span;

/// A mistake that has been reported.
#[derive(Debug)]
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// Parses a statement. The list holds every mistake and some warnings; with an error in it there is no tree to trust.
pub fn parse(text: &str, profile: Profile) -> (Option<Statement>, Vec<Diagnostic>) {
    if text.len() > limits::SQL_BYTES_MAX {
        let message = format!("the statement has {} bytes, more than {}", text.len(), limits::SQL_BYTES_MAX);
        return (None, vec![Diagnostic::error("E009", message).at(Span::new(0, 0), "")]);
    }
    let (tokens, problems) = lexer::scan(text, profile);
    if let [Token { kind: Kind::End, span }] = tokens.as_slice()
        && problems.is_empty()
    {
        let empty = Diagnostic::error("E003", "the statement is empty").at(*span, "");
        return (None, vec![empty.help("write at least `SELECT * FROM \"t/#\"`")]);
    }
    let mut parser = Parser { text, tokens, at: 0, problems, profile, depth: 0, retries: 0 };
    let statement = parser.statement().ok();
    let mut problems = parser.problems;
    // Two minus signs may be meant as such; only a statement that is wrong behind them is told of the comment.
    if let Some(comment) = lexer::unfinished_comment(&parser.tokens, text) {
        let behind = |p: &Diagnostic| {
            p.severity == Severity::Error && p.labels.first().is_some_and(|l| l.span.start >= comment.start)
        };
        if problems.iter().any(behind) {
            problems.retain(|p| !behind(p));
            problems.push(
                Diagnostic::error(
                    "E002",
                    "a comment on the last line is a syntax error: `--` needs a line after it",
                )
                .at(comment, "read as two minus signs")
                .help("move the comment up, before the last line of the statement"),
            );
        }
    }
    problems.sort_by_key(|p| p.labels.first().map(|l| l.span));
    let failed = problems.iter().any(|p| p.severity == Severity::Error);
    (statement.filter(|_| !failed), problems)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    problems: Vec<Diagnostic>,
    profile: Profile,
    depth: usize,
    retries: usize,
}

impl Parser<'_> {
    fn peek(&self) -> &Kind {
        &self.tokens[self.at.min(self.tokens.len() - 1)].kind
    }

    fn peek_after(&self, ahead: usize) -> &Kind {
        &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at.min(self.tokens.len() - 1)].span
    }

    /// The span of the token before.
    fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn advance(&mut self) -> Kind {
        let kind = self.peek().clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        kind
    }

    fn is(&self, text: &str) -> bool {
        matches!(self.peek(), Kind::Punctuation(p) if *p == text)
    }

    fn is_keyword(&self, word: &str) -> bool {
        matches!(self.peek(), Kind::Keyword(k) if *k == word)
    }

    fn eat(&mut self, text: &str) -> bool {
        let found = self.is(text);
        if found {
            self.advance();
        }
        found
    }

    fn eat_keyword(&mut self, word: &str) -> bool {
        let found = self.is_keyword(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, text: &'static str) -> Parsed<()> {
        if self.eat(text) { Ok(()) } else { self.unexpected(&format!("`{text}`")) }
    }

    /// Reports the token at hand, which is not `wanted`.
    fn unexpected<T>(&mut self, wanted: &str) -> Parsed<T> {
        let message = format!("expected {wanted}, found {}", self.peek().describe());
        let found = Diagnostic::error("E004", message).at(self.span(), format!("expected {wanted}"));
        let found = match self.hint() {
            Some(help) => found.help(help),
            None => found,
        };
        self.problems.push(found);
        Err(Reported)
    }

    /// Runs a part that nests, up to the bound.
    fn nested<T>(&mut self, part: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= limits::SQL_DEPTH_MAX {
            let message = format!("nested deeper than {} levels", limits::SQL_DEPTH_MAX);
            self.problems.push(Diagnostic::error("E009", message).at(self.span(), "here"));
            self.at = self.tokens.len() - 1;
            return Err(Reported);
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(sql: &str) -> Vec<&'static str> {
        parse(sql, Profile::V5_8).1.into_iter().map(|p| p.code).collect()
    }

    #[test]
    fn all_mistakes_in_one_pass() {
        let sql = "SELECT a + , CASE WHEN b THEN 1 AS z, c. FROM \"t/#\" WHERE x = ";
        assert_eq!(codes(sql), ["E004", "E004", "E004", "E004"]);
    }

    #[test]
    fn bounds() {
        let nest = |n: usize| format!("SELECT {}1{} FROM t", "(".repeat(n), ")".repeat(n));
        assert!(codes(&nest(limits::SQL_DEPTH_MAX - 2)).is_empty());
        assert!(codes(&nest(limits::SQL_DEPTH_MAX + 1)).contains(&"E009"));
        let long = format!("SELECT 1 FROM \"{}\"", "t".repeat(limits::SQL_BYTES_MAX - 16));
        assert_eq!(long.len(), limits::SQL_BYTES_MAX);
        assert!(codes(&long).is_empty());
        assert_eq!(codes(&format!("{long} ")), ["E009"]);
    }

    #[test]
    fn two_minus_signs_are_only_a_comment_where_nothing_else_will_do() {
        assert!(codes("SELECT 1--1 as x FROM \"t\"").is_empty());
        assert_eq!(codes("SELECT a FROM \"t\" -- all of it"), ["E002"]);
        assert_eq!(codes("   "), ["E003"]);
    }
}
