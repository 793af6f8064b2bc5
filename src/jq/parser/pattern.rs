//! Patterns: what `as` binds a value to.

use super::super::ast::{Ast, Member, Pattern};
use super::super::lexer::Token;
use super::super::literal::Literal;
use super::{Parsed, Parser, Rank, is_keyword};

impl Parser<'_> {
    /// `as pattern ?// pattern`
    pub(super) fn patterns(&mut self) -> Parsed<Vec<Pattern>> {
        self.expect_name("as")?;
        let mut patterns = vec![self.pattern()?];
        while self.take_sign("?//") {
            patterns.push(self.pattern()?);
        }
        Ok(patterns)
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        self.nested(|parser| {
            if parser.take_sign("$") {
                Ok(Pattern::Var(parser.identifier()?))
            } else if parser.take_sign("[") {
                let mut items = vec![parser.pattern()?];
                while parser.take_sign(",") {
                    items.push(parser.pattern()?);
                }
                parser.expect_sign("]")?;
                Ok(Pattern::Array(items))
            } else if parser.take_sign("{") {
                let mut members = vec![parser.member()?];
                while parser.take_sign(",") {
                    members.push(parser.member()?);
                }
                parser.expect_sign("}")?;
                Ok(Pattern::Object(members))
            } else {
                Err(parser.unexpected("a pattern"))
            }
        })
    }

    fn member(&mut self) -> Parsed<Member> {
        if self.take_sign("$") {
            let name = self.identifier()?;
            let pattern = if self.take_sign(":") { Some(self.pattern()?) } else { None };
            return Ok(Member { key: Ast::Literal(Literal::Str(name.clone())), var: Some(name), pattern });
        }
        let key = match self.peek() {
            Some(Token::Name(name)) => {
                let key = Ast::Literal(Literal::Str(name.clone()));
                self.at += 1;
                key
            }
            Some(Token::Sign("(")) => {
                self.at += 1;
                let key = self.expression(Rank::Pipe)?;
                self.expect_sign(")")?;
                self.constant_key(&key)?;
                key
            }
            Some(Token::Quote | Token::Format(_)) => self.string()?,
            _ => return Err(self.unexpected("a key")),
        };
        self.expect_sign(":")?;
        Ok(Member { key, var: None, pattern: Some(self.pattern()?) })
    }

    /// A constant key is a string.
    pub(super) fn constant_key(&self, key: &Ast) -> Parsed<()> {
        match key {
            Ast::Literal(Literal::Str(_)) => Ok(()),
            Ast::Literal(_) => Err(self.fault("a constant that is no string cannot be an object's key")),
            _ => Ok(()),
        }
    }

    /// The name behind a `$`, which may not be a keyword.
    pub(super) fn variable_name(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Name(name)) if is_keyword(name) => Err(self.unexpected("the name of a variable")),
            _ => self.identifier(),
        }
    }
}
