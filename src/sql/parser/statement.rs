//! Statements, field lists, FROM.

use super::super::ast::{At, Expr, ExprKind, Field, Path, Statement, Style, Topic};
use super::super::token::Kind;
use super::hint::is_other_statement;
use super::path::unquote;
use super::{Parsed, Parser, Reported};
use crate::diag::Diagnostic;
use crate::text::Span;

impl Parser<'_> {
    pub(super) fn statement(&mut self) -> Parsed<Statement> {
        let foreach = self.is_keyword("FOREACH");
        if !foreach && !self.is_keyword("SELECT") {
            let problem = self.no_statement();
            self.problems.push(problem);
            // What is meant for SELECT is read as such, so that its other mistakes are told too.
            match self.peek() {
                Kind::Name(word) if *self.peek_after(1) != Kind::End && !is_other_statement(word) => {}
                _ => return Err(Reported),
            }
        }
        self.advance();
        let fields = self.fields();
        let doeach = if foreach && self.eat_keyword("DO") { Some(self.fields()) } else { None };
        let incase = if foreach && self.eat_keyword("INCASE") { self.clause_condition() } else { None };
        self.misplaced(foreach);
        let from = self.topics()?;
        let filter = if self.eat_keyword("WHERE") { self.clause_condition() } else { None };
        while matches!(self.peek(), Kind::Keyword(_)) && self.misplaced_at_end() {}
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

    /// Reports clauses that stand before FROM and belong elsewhere, and reads them.
    fn misplaced(&mut self, foreach: bool) {
        loop {
            let message = match self.peek() {
                Kind::Keyword("WHERE") => "WHERE stands behind FROM",
                Kind::Keyword("DO") if foreach => "DO stands once, before INCASE",
                Kind::Keyword("INCASE") if foreach => "INCASE stands once, behind DO",
                Kind::Keyword("DO" | "INCASE") => "DO and INCASE belong to FOREACH",
                _ => return,
            };
            let help = match self.peek() {
                Kind::Keyword("WHERE") if !foreach => "write `SELECT fields FROM topics WHERE condition`",
                _ => "write `FOREACH list DO fields INCASE condition FROM topics WHERE condition`",
            };
            self.problems.push(Diagnostic::error("E004", message).at(self.span(), "").help(help));
            if self.advance() == Kind::Keyword("DO") {
                self.fields();
            } else {
                self.clause_condition();
            }
        }
    }

    /// Reports a clause behind FROM that belongs elsewhere, and reads it. None is there: false.
    fn misplaced_at_end(&mut self) -> bool {
        let (message, help) = match self.peek() {
            Kind::Keyword("FROM") => {
                ("a statement has one FROM", "topics are separated by commas: `FROM \"a\", \"b\"`")
            }
            Kind::Keyword("WHERE") => ("a statement has one WHERE", "join the conditions with AND"),
            Kind::Keyword("DO" | "INCASE") => (
                "DO and INCASE stand before FROM, and belong to FOREACH",
                "write `FOREACH list DO fields INCASE condition FROM topics WHERE condition`",
            ),
            _ => return false,
        };
        self.problems.push(Diagnostic::error("E004", message).at(self.span(), "").help(help));
        match self.peek() {
            Kind::Keyword("FROM") => return self.topics().is_ok(),
            Kind::Keyword("DO") => {
                self.advance();
                self.fields();
            }
            _ => {
                self.advance();
                self.clause_condition();
            }
        }
        true
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

    /// A condition up to the next clause. What is wrong in it is reported, and the reading goes on at the next AND
    /// or OR.
    fn clause_condition(&mut self) -> Option<Expr> {
        let mut whole = true;
        loop {
            let condition = self.condition();
            if condition.is_ok()
                && matches!(self.peek(), Kind::End | Kind::Keyword("FROM" | "WHERE" | "DO" | "INCASE"))
            {
                return condition.ok().filter(|_| whole);
            }
            if condition.is_ok() {
                let _ = self.unexpected::<()>("`AND`, `OR` or the end of the condition");
            }
            whole = false;
            while !matches!(
                self.peek(),
                Kind::End | Kind::Keyword("FROM" | "WHERE" | "DO" | "INCASE" | "AND" | "OR")
            ) {
                self.advance();
            }
            if !self.eat_keyword("AND") && !self.eat_keyword("OR") {
                return None;
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
            if self.bare_filter() {
                if !self.eat(",") {
                    return Ok(topics);
                }
                continue;
            }
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

    /// A topic filter without its quotes, such as `t/#`: reported as a whole, and passed over.
    fn bare_filter(&mut self) -> bool {
        if matches!(self.peek(), Kind::Quoted(_) | Kind::Str(_) | Kind::End | Kind::Keyword(_)) {
            return false;
        }
        let start = self.span().start as usize;
        let rest = self.text.get(start..).unwrap_or("");
        let end = rest
            .find(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\''))
            .unwrap_or(rest.len());
        let filter = rest.get(..end).unwrap_or("");
        if filter.len() <= self.span().range().len() && !filter.starts_with(['+', '#', '/', '$']) {
            return false;
        }
        let span = Span::new(start, start + end);
        // What the lexer thought of its parts says less.
        self.problems.retain(|p| {
            !p.labels.first().is_some_and(|label| span.range().contains(&(label.span.start as usize)))
        });
        let problem = Diagnostic::error("E004", "a topic filter stands in quotes").at(span, "");
        self.problems.push(problem.help(format!("write `FROM \"{filter}\"`")));
        while self.span().start < span.end && *self.peek() != Kind::End {
            self.advance();
        }
        true
    }
}
