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
use super::token::{self, Kind, Token};
use crate::diag::{Diagnostic, Label, Severity};
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
    let (tokens, mut problems) = lexer::scan(text, profile);
    if let [Token { kind: Kind::End, span }] = tokens.as_slice()
        && problems.is_empty()
    {
        let empty = Diagnostic::error("E003", "the statement is empty").at(*span, "");
        return (None, vec![empty.help("write at least `SELECT * FROM \"t/#\"`")]);
    }
    let open_quote = open_quote(text, &tokens, &mut problems);
    let mut parser = Parser { text, tokens, at: 0, problems, profile, depth: 0, retries: 0, open_quote };
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

/// Is a quote not closed? A text before it that holds a clause may be where one is missing.
fn open_quote(text: &str, tokens: &[Token], problems: &mut [Diagnostic]) -> bool {
    let starts = |p: &&mut Diagnostic| {
        let rest = p.labels.first().and_then(|label| text.get(label.span.start as usize..));
        p.code == "E001" && rest.is_some_and(|rest| rest.starts_with(['\'', '"']))
    };
    let Some(problem) = problems.iter_mut().find(starts) else { return false };
    let clause = |text: &str| {
        let mut words = text.split_whitespace().skip(1);
        words.any(|word| matches!(token::keyword(word), Some("FROM" | "WHERE" | "AS" | "AND")))
    };
    let longer = tokens.iter().rev().skip(2).find(|token| match &token.kind {
        Kind::Str(text) | Kind::Quoted(text) => clause(text),
        _ => false,
    });
    if let Some(token) = longer {
        problem
            .labels
            .push(Label { span: token.span, message: "or is it here that one is missing?".to_owned() });
    }
    true
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    at: usize,
    problems: Vec<Diagnostic>,
    profile: Profile,
    depth: usize,
    retries: usize,
    /// A quote is not closed, so that the statement's end says nothing.
    open_quote: bool,
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

    /// Reports the token at hand, which is not `wanted`, unless the lexer has spoken of it.
    fn unexpected<T>(&mut self, wanted: &str) -> Parsed<T> {
        let known = match self.peek() {
            Kind::Wrong => true,
            // An open quote takes the rest of the statement for its text.
            _ => self.open_quote && self.at + 2 >= self.tokens.len(),
        };
        if !known {
            let found = self.mistake(wanted);
            self.problems.push(found);
        }
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
