//! Statements, field lists, FROM.

use super::super::ast::{At, ExprKind, Field, Path, Statement, Style, Topic};
use super::super::token::Kind;
use super::path::unquote;
use super::{Parsed, Parser};

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let foreach = self.is_keyword("FOREACH");
        if !foreach && !self.is_keyword("SELECT") {
            return self.unexpected("`SELECT` or `FOREACH`");
        }
        self.advance();
        let fields = self.fields();
        let doeach = if foreach && self.eat_keyword("DO") { Some(self.fields()) } else { None };
        let incase = if foreach && self.eat_keyword("INCASE") { self.clause_condition() } else { None };
        let from = self.topics()?;
        let filter = if self.eat_keyword("WHERE") { self.clause_condition() } else { None };
        if *self.peek() != Kind::End {
            let wanted = if filter.is_some() {
                "the end of the statement"
            } else {
                "`WHERE` or the end of the statement"
            };
            return self.unexpected(wanted);
        }
        Ok(Statement { foreach, fields, doeach, incase, from, filter })
    }

    /// A comma-separated list; a broken item is reported and passed over.
    fn fields(&mut self) -> Vec<Field> {
        let mut fields = Vec::new();
        loop {
            match self.field() {
                Ok(field) => fields.push(field),
                Err(_) => self.recover(),
            }
            if self.eat(",") {
                continue;
            }
            let ends = ["FROM", "DO", "INCASE", "WHERE"];
            if *self.peek() == Kind::End || ends.iter().any(|word| self.is_keyword(word)) {
                return fields;
            }
            let _ = self.unexpected::<()>("`,` or `FROM`");
            self.recover();
            if !self.eat(",") {
                return fields;
            }
        }
    }

    /// Goes to the next comma of the list, or to the next clause.
    fn recover(&mut self) {
        let mut depth = 0i32;
        loop {
            match self.peek() {
                Kind::End | Kind::Keyword("FROM" | "WHERE" | "DO" | "INCASE") => return,
                Kind::Punctuation(",") if depth <= 0 => return,
                Kind::Punctuation("(" | "[") => depth += 1,
                Kind::Punctuation(")" | "]") => depth -= 1,
                _ => {}
            }
            self.advance();
        }
    }

    fn field(&mut self) -> Parsed<Field> {
        if self.is("*") {
            let span = self.span();
            self.advance();
            return Ok(Field::Star(At(span)));
        }
        if self.starts_case() {
            let case = self.case_in_parens()?;
            let alias = self.alias()?;
            return Ok(Field::Expr(case, alias));
        }
        let expr = self.scalar_or_comparison()?;
        let alias =
            if matches!(expr.kind, ExprKind::Compare(..)) { self.alias_after_as()? } else { self.alias()? };
        if let ExprKind::Path(Path { head, steps, .. }) = &expr.kind
            && head.style != Style::Bare
            && head.text == "*"
            && steps.is_empty()
            && alias.is_none()
        {
            // rulesql unwrap_var: the name `"*"` is the star.
            return Ok(Field::Star(expr.at));
        }
        Ok(Field::Expr(expr, alias))
    }

    fn clause_condition(&mut self) -> Option<super::super::ast::Expr> {
        match self.condition() {
            Ok(condition) => Some(condition),
            Err(_) => {
                while !matches!(self.peek(), Kind::End | Kind::Keyword("FROM" | "WHERE")) {
                    self.advance();
                }
                None
            }
        }
    }

    fn topics(&mut self) -> Parsed<Vec<Topic>> {
        if !self.eat_keyword("FROM") {
            return self.unexpected("`FROM`");
        }
        let mut topics = Vec::new();
        loop {
            let span = self.span();
            let (text, style) = match self.peek() {
                Kind::Name(text) => (text.clone(), Style::Bare),
                Kind::Quoted(text) => (text.clone(), Style::Double),
                Kind::Str(text) if self.profile.is_5_8() => (text.clone(), Style::Single),
                _ => return self.unexpected("a topic filter in double quotes"),
            };
            self.advance();
            topics.push(Topic { name: unquote(&text, style, self.profile), style, at: At(span) });
            if !self.eat(",") {
                return Ok(topics);
            }
        }
    }
}
