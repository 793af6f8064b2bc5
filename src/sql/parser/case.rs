//! `CASE … END`.

use super::super::ast::{At, Expr, ExprKind};
use super::super::token::Kind;
use super::{Parsed, Parser};

impl Parser<'_> {
    /// Does a CASE start here, perhaps in parentheses?
    pub(super) fn starts_case(&self) -> bool {
        let parens = self.tokens[self.at..].iter().take_while(|t| t.kind == Kind::Punctuation("(")).count();
        *self.peek_after(parens) == Kind::Keyword("CASE")
    }

    pub(super) fn case_in_parens(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if !self.eat("(") {
            return self.case();
        }
        let case = self.nested(Self::case_in_parens)?;
        self.expect(")")?;
        Ok(Expr { at: At(start.to(self.last_span())), ..case })
    }

    pub(super) fn case(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.advance();
        let on = if self.is_keyword("WHEN") {
            None
        } else {
            Some(Box::new(self.nested(Self::scalar_with_alias)?))
        };
        let mut arms = Vec::new();
        while self.eat_keyword("WHEN") {
            let when = self.nested(Self::condition)?;
            if !self.eat_keyword("THEN") {
                return self.unexpected("`THEN`");
            }
            arms.push((when, self.nested(Self::scalar_with_alias)?));
        }
        if arms.is_empty() {
            return self.unexpected("`WHEN`");
        }
        let otherwise = if self.eat_keyword("ELSE") {
            Some(Box::new(self.nested(Self::scalar_with_alias)?))
        } else {
            None
        };
        if !self.eat_keyword("END") {
            return self.unexpected(if otherwise.is_some() { "`END`" } else { "`WHEN`, `ELSE` or `END`" });
        }
        Ok(Expr::new(ExprKind::Case { on, arms, otherwise }, start.to(self.last_span())))
    }
}
