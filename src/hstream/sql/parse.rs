//! Statements, read with sqlparser's tokens and expressions.
//!
//! sqlparser's own statements cannot hold `CREATE STREAM` or `EMIT CHANGES`, so the statements are taken apart
//! here and only names and expressions by it.
//!
//! Invariant: what is not the whole of one statement, up to its `;`, is an error.

use serde_json::Value;
use sqlparser::ast::Ident;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer};

use super::convert::{column_name, condition, constant, value};
use super::dialect::{HStream, without_comments};
use super::error::SqlError;
use super::eval::{Expr, Query, Scalar};
use super::print::payload_number;
use crate::limits::{SQL_BYTES_MAX, STREAM_SQL_DEPTH_MAX, STREAM_SQL_OPERATORS_MAX};

/// Copies of a stream's data when `CREATE STREAM` does not say.
const REPLICATION_DEFAULT: u32 = 3;

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `CREATE STREAM s [WITH (REPLICATE = n)]`
    CreateStream {
        /// The stream.
        name: String,
        /// Copies asked for.
        replication_factor: u32,
    },
    /// `SHOW STREAMS`
    ShowStreams,
    /// `SHOW QUERIES`
    ShowQueries,
    /// `DROP STREAM s [IF EXISTS]`
    DropStream {
        /// The stream.
        name: String,
        /// Whether a missing one is well.
        if_exists: bool,
    },
    /// `INSERT INTO s …`
    Insert {
        /// The stream.
        stream: String,
        /// What is inserted.
        body: InsertBody,
    },
    /// `TERMINATE QUERY n | ALL`
    Terminate(Termination),
    /// `SELECT … EMIT CHANGES`
    Select(Query),
}

/// The payload that an `INSERT` makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InsertBody {
    /// JSON text: flag 0.
    Json(String),
    /// Any text, which is stored as it is: flag 1.
    Raw(String),
}

/// Which queries a `TERMINATE` ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Termination {
    /// The one with this id.
    Query(String),
    /// All of them.
    All,
}

/// Reads one statement, which ends with `;`.
pub fn parse(text: &str) -> Result<Statement, SqlError> {
    if text.len() > SQL_BYTES_MAX {
        let text = format!("a statement of {} bytes is above the bound of {SQL_BYTES_MAX}", text.len());
        return Err(SqlError { text, hint: None });
    }
    let text = without_comments(text);
    let tokens = Tokenizer::new(&HStream, &text).tokenize_with_location().map_err(|error| {
        let (line, column) = (error.location.line, error.location.column);
        let text =
            format!("Parse exception at <line {line},column {column}>: syntax error due to lexer error.");
        SqlError { text, hint: Some(error.message) }
    })?;
    foreign_operators(&tokens, &text)?;
    let operators = tokens.iter().filter(|token| is_operator(&token.token)).count();
    if operators > STREAM_SQL_OPERATORS_MAX {
        let text =
            format!("a statement of {operators} operators is above the bound of {STREAM_SQL_OPERATORS_MAX}");
        return Err(SqlError { text, hint: None });
    }
    let parser =
        Parser::new(&HStream).with_recursion_limit(STREAM_SQL_DEPTH_MAX).with_tokens_with_locations(tokens);
    let mut statement = StatementParser { parser };
    let found = statement.statement()?;
    statement.end()?;
    Ok(found)
}

/// sqlparser takes `!=` for `<>` and `==` for `=`; HStreamDB takes neither.
fn foreign_operators(tokens: &[TokenWithSpan], text: &str) -> Result<(), SqlError> {
    for token in tokens {
        let (line, column) = (token.span.start.line, token.span.start.column);
        let (shown, instead) = match token.token {
            Token::DoubleEq => ("==", "="),
            Token::Neq if character_at(text, line, column) == Some('!') => ("!=", "<>"),
            _ => continue,
        };
        return Err(SqlError::syntax(line, column, shown).hint(format!("write `{instead}`")));
    }
    Ok(())
}

fn is_operator(token: &Token) -> bool {
    match token {
        Token::Word(word) => {
            ["AND", "OR", "NOT", "BETWEEN"].iter().any(|name| word.value.eq_ignore_ascii_case(name))
        }
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::Whitespace(_) => false,
        Token::Comma | Token::LParen | Token::RParen | Token::SemiColon => false,
        _ => true,
    }
}

fn character_at(text: &str, line: u64, column: u64) -> Option<char> {
    let line = text.split('\n').nth(usize::try_from(line).ok()?.checked_sub(1)?)?;
    line.chars().nth(usize::try_from(column).ok()?.checked_sub(1)?)
}

struct StatementParser<'a> {
    parser: Parser<'a>,
}

impl StatementParser<'_> {
    fn statement(&mut self) -> Result<Statement, SqlError> {
        match self.word_of(&["SELECT", "CREATE", "SHOW", "DROP", "INSERT", "TERMINATE", "EXPLAIN"])? {
            "SELECT" => self.select(),
            "CREATE" => self.create(),
            "SHOW" => match self.word_of(&["STREAMS", "QUERIES", "CONNECTORS", "VIEWS"])? {
                "STREAMS" => Ok(Statement::ShowStreams),
                "QUERIES" => Ok(Statement::ShowQueries),
                other => Err(SqlError::unsupported(&format!("SHOW {other}"))),
            },
            "DROP" => self.drop_statement(),
            "INSERT" => self.insert(),
            "TERMINATE" => self.terminate(),
            other => Err(SqlError::unsupported(other)),
        }
    }

    fn create(&mut self) -> Result<Statement, SqlError> {
        match self.word_of(&["STREAM", "VIEW", "SINK", "SOURCE"])? {
            "STREAM" => {}
            "VIEW" => return Err(SqlError::unsupported("CREATE VIEW")),
            other => return Err(SqlError::unsupported(&format!("CREATE {other} CONNECTOR"))),
        }
        let name = self.name()?;
        if self.word("AS") {
            return Err(SqlError::unsupported("CREATE STREAM … AS SELECT"));
        }
        let replication_factor = if self.word("WITH") { self.replicate()? } else { REPLICATION_DEFAULT };
        Ok(Statement::CreateStream { name, replication_factor })
    }

    fn replicate(&mut self) -> Result<u32, SqlError> {
        let one = || SqlError::invalid(None, "There should be one and only one REPLICATE option");
        self.token(&Token::LParen)?;
        if self.parser.consume_token(&Token::RParen) {
            return Err(one());
        }
        self.word_of(&["REPLICATE"])?;
        self.token(&Token::Eq)?;
        let _ = self.parser.consume_token(&Token::Plus);
        let (token, place) = self.next();
        let number = match &token {
            Token::Number(digits, _) => digits.parse().ok(),
            _ => None,
        };
        let factor = number.ok_or_else(|| self.unexpected(&token, place))?;
        if self.parser.consume_token(&Token::Comma) {
            return Err(one());
        }
        self.token(&Token::RParen)?;
        Ok(factor)
    }

    fn drop_statement(&mut self) -> Result<Statement, SqlError> {
        let what = self.word_of(&["STREAM", "VIEW", "CONNECTOR"])?;
        if what != "STREAM" {
            return Err(SqlError::unsupported(&format!("DROP {what}")));
        }
        let name = self.name()?;
        let if_exists = self.word("IF");
        if if_exists {
            self.word_of(&["EXISTS"])?;
        }
        Ok(Statement::DropStream { name, if_exists })
    }

    fn terminate(&mut self) -> Result<Statement, SqlError> {
        if self.word_of(&["QUERY", "ALL"])? == "ALL" {
            return Ok(Statement::Terminate(Termination::All));
        }
        match self.next() {
            (Token::Number(id, _), _) => Ok(Statement::Terminate(Termination::Query(id))),
            (token, place) => Err(self.unexpected(&token, place)),
        }
    }

    fn insert(&mut self) -> Result<Statement, SqlError> {
        self.word_of(&["INTO"])?;
        let stream = self.name()?;
        let place = self.place();
        let fields = if self.parser.consume_token(&Token::LParen) {
            let fields = self.names()?;
            self.token(&Token::RParen)?;
            Some(fields)
        } else {
            None
        };
        self.word_of(&["VALUES"])?;
        let body = match fields {
            Some(fields) => self.insert_fields(&fields, place)?,
            None => match self.next() {
                (Token::SingleQuotedString(text), at) => {
                    if !matches!(serde_json::from_str(&text), Ok(Value::Object(_))) {
                        let error = SqlError::invalid(Some(at), "Invalid JSON text");
                        return Err(error.hint("the text in single quotes must be a JSON object"));
                    }
                    InsertBody::Json(text)
                }
                (Token::DoubleQuotedString(text), _) => InsertBody::Raw(text),
                (token, at) => return Err(self.unexpected(&token, at)),
            },
        };
        Ok(Statement::Insert { stream, body })
    }

    fn insert_fields(&mut self, fields: &[String], place: (u64, u64)) -> Result<InsertBody, SqlError> {
        self.token(&Token::LParen)?;
        let values = self.parser.parse_comma_separated(Parser::parse_expr).map_err(|e| self.error(&e))?;
        self.token(&Token::RParen)?;
        if fields.len() != values.len() {
            return Err(SqlError::invalid(Some(place), "Number of fields should match expressions"));
        }
        let mut members = Vec::new();
        for (field, expr) in fields.iter().zip(&values) {
            let text = match constant(expr)? {
                Scalar::Number(number) => payload_number(&number),
                other => other.into_json().map_or_else(|| "null".to_owned(), |json| json.to_string()),
            };
            members.push(format!("{}:{text}", Value::from(field.as_str())));
        }
        Ok(InsertBody::Json(format!("{{{}}}", members.join(","))))
    }

    fn select(&mut self) -> Result<Statement, SqlError> {
        let columns = if self.parser.consume_token(&Token::Mul) { None } else { Some(self.columns()?) };
        self.word_of(&["FROM"])?;
        let place = self.place();
        let stream = self.name()?;
        if self.parser.consume_token(&Token::Comma) {
            let words = "FROM clause does not support many streams seperated by ',' yet";
            return Err(SqlError::invalid(Some(place), words));
        }
        if ["INNER", "LEFT", "OUTER", "JOIN"].iter().any(|word| self.word(word)) {
            return Err(SqlError::unsupported("JOIN"));
        }
        let filter = if self.word("WHERE") {
            let filter = self.parser.parse_expr().map_err(|e| self.error(&e))?;
            Some(condition(&filter, &stream)?)
        } else {
            None
        };
        if self.word("GROUP") {
            return Err(SqlError::unsupported("GROUP BY"));
        }
        if matches!(self.parser.peek_token_ref().token, Token::SemiColon) {
            return Err(without_emit(&stream, filter.is_some()));
        }
        self.word_of(&["EMIT"])?;
        self.word_of(&["CHANGES"])?;
        let columns = columns.map(|columns| {
            let convert = |(expr, alias): (sqlparser::ast::Expr, Option<String>)| {
                let expr = value(&expr, &stream)?;
                Ok((alias.unwrap_or_else(|| column_name(&expr)), expr))
            };
            columns.into_iter().map(convert).collect::<Result<Vec<(String, Expr)>, SqlError>>()
        });
        Ok(Statement::Select(Query { stream, columns: columns.transpose()?, filter }))
    }

    fn columns(&mut self) -> Result<Vec<(sqlparser::ast::Expr, Option<String>)>, SqlError> {
        let mut columns = Vec::new();
        loop {
            let expr = self.parser.parse_expr().map_err(|e| self.error(&e))?;
            let alias = if self.word("AS") { Some(self.name()?) } else { None };
            columns.push((expr, alias));
            if !self.parser.consume_token(&Token::Comma) {
                return Ok(columns);
            }
        }
    }

    fn end(&mut self) -> Result<(), SqlError> {
        match self.next() {
            (Token::SemiColon, _) => {}
            (token, place) => {
                let error = self.unexpected(&token, place);
                return Err(if token == Token::EOF {
                    error.hint("end the statement with `;`")
                } else {
                    error
                });
            }
        }
        match self.next() {
            (Token::EOF, _) => Ok(()),
            (token, place) => Err(self.unexpected(&token, place).hint("one statement at a time")),
        }
    }

    fn next(&mut self) -> (Token, (u64, u64)) {
        let token = self.parser.next_token();
        (token.token, (token.span.start.line, token.span.start.column))
    }

    fn place(&self) -> (u64, u64) {
        let start = self.parser.peek_token_ref().span.start;
        (start.line, start.column)
    }

    fn token(&mut self, wanted: &Token) -> Result<(), SqlError> {
        match self.next() {
            (token, _) if token == *wanted => Ok(()),
            (token, place) => Err(self.unexpected(&token, place).hint(format!("expected `{wanted}`"))),
        }
    }

    /// Takes the word if it is next. Any word will do, whether sqlparser has it as a keyword or not.
    fn word(&mut self, wanted: &str) -> bool {
        let next = matches!(&self.parser.peek_token_ref().token,
            Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted));
        if next {
            self.parser.next_token();
        }
        next
    }

    fn word_of(&mut self, wanted: &[&'static str]) -> Result<&'static str, SqlError> {
        if let Some(found) = wanted.iter().find(|word| self.word(word)) {
            return Ok(found);
        }
        let (token, place) = self.next();
        Err(self.unexpected(&token, place).hint(format!("expected {}", wanted.join(", "))))
    }

    fn name(&mut self) -> Result<String, SqlError> {
        match self.next() {
            (Token::Word(word), _) if word.quote_style.is_none() => Ok(word.value),
            (token, place) => Err(self.unexpected(&token, place).hint("expected a name")),
        }
    }

    fn names(&mut self) -> Result<Vec<String>, SqlError> {
        let idents =
            self.parser.parse_comma_separated(Parser::parse_identifier).map_err(|e| self.error(&e))?;
        Ok(idents.into_iter().map(|Ident { value, .. }| value).collect())
    }

    fn unexpected(&self, token: &Token, (line, column): (u64, u64)) -> SqlError {
        match token {
            Token::EOF => SqlError::end(),
            token => SqlError::syntax(line, column, &token.to_string()),
        }
    }

    /// sqlparser tells what it found, and where, in the text of its error only.
    fn error(&self, error: &ParserError) -> SqlError {
        let text = match error {
            ParserError::RecursionLimitExceeded => {
                let text = format!("an expression is nested deeper than {STREAM_SQL_DEPTH_MAX}");
                return SqlError { text, hint: None };
            }
            ParserError::ParserError(text) | ParserError::TokenizerError(text) => text,
        };
        let parts = text.rsplit_once(" at Line: ").and_then(|(what, place)| {
            let (line, column) = place.split_once(", Column: ")?;
            let (expected, found) = what.split_once(", found: ")?;
            Some((line.parse().ok()?, column.parse().ok()?, expected, found))
        });
        match parts {
            Some((_, _, expected, "EOF")) => SqlError::end().hint(expected.to_lowercase()),
            Some((line, column, expected, found)) => {
                SqlError::syntax(line, column, found).hint(expected.to_lowercase())
            }
            None if text.contains("EOF") => SqlError::end(),
            None => SqlError { text: format!("Parse exception {text}."), hint: None },
        }
    }
}

/// The trap of everyone's first query.
fn without_emit(stream: &str, filtered: bool) -> SqlError {
    let error = if filtered {
        SqlError::unsupported("SELECT from a view")
    } else {
        SqlError::invalid(None, "There has to be a nonempty WHERE clause when selecting from a VIEW")
    };
    error.hint(format!(
        "a stream is data in motion: end the query with `EMIT CHANGES;` to see what is written from now on; \
         `rulemill hstream read {stream}` prints what is stored"
    ))
}
