//! Conditions: `AND`, `OR`, `NOT`, `IN`, parentheses.

use super::super::ast::{Expr, ExprKind};
use super::super::token::Kind;
use super::expr::Mode;
use super::{Parsed, Parser};
use crate::limits;

impl Parser<'_> {
    /// `search_condition`: OR under AND under NOT.
    pub(super) fn condition(&mut self) -> Parsed<Expr> {
        let mut left = self.conjunction()?;
        while self.eat_keyword("OR") {
            let right = self.conjunction()?;
            let span = left.span().to(right.span());
            left = Expr::new(ExprKind::Or(Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed<Expr> {
        let mut left = self.negation()?;
        while self.eat_keyword("AND") {
            let right = self.negation()?;
            let span = left.span().to(right.span());
            left = Expr::new(ExprKind::And(Box::new(left), Box::new(right)), span);
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed<Expr> {
        let start = self.span();
        if !self.eat_keyword("NOT") {
            return self.nested(Self::predicate);
        }
        let inner = self.nested(Self::negation)?;
        let span = start.to(inner.span());
        Ok(Expr::new(ExprKind::Not(Box::new(inner)), span))
    }

    fn predicate(&mut self) -> Parsed<Expr> {
        if self.is("(") && self.parens_hold_condition() {
            return self.condition_in_parens();
        }
        let (at, problems) = (self.at, self.problems.len());
        match self.plain_predicate() {
            Ok(expr) => Ok(expr),
            // `(a b)`: an alias inside the parentheses is a condition's business too.
            Err(failed) if matches!(self.tokens[at].kind, Kind::Punctuation("(")) => {
                self.retries += 1;
                if self.retries > limits::SQL_RETRIES_MAX {
                    return Err(failed);
                }
                let (failed_at, failed_problems) = (self.at, self.problems.split_off(problems));
                self.at = at;
                self.condition_in_parens().inspect_err(|_| {
                    self.problems.truncate(problems);
                    self.problems.extend(failed_problems);
                    self.at = failed_at;
                })
            }
            Err(failed) => Err(failed),
        }
    }

    fn condition_in_parens(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.expect("(")?;
        let inner = self.condition()?;
        self.expect(")")?;
        Ok(Expr { at: super::super::ast::At(start.to(self.last_span())), ..inner })
    }

    /// Do the parentheses here hold a condition rather than a value? The grammar shifts a closing parenthesis as part
    /// of a value wherever it can, so only what no value has makes it a condition.
    fn parens_hold_condition(&self) -> bool {
        let mut depth = 0usize;
        for token in &self.tokens[self.at..] {
            match &token.kind {
                Kind::Punctuation("(" | "[") => depth += 1,
                Kind::Punctuation(")" | "]") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return false;
                    }
                }
                Kind::Comparison(_) | Kind::Keyword("AND" | "OR" | "NOT" | "IN" | "AS") if depth == 1 => {
                    return true;
                }
                Kind::End => return false,
                // Parentheses in parentheses: `((a = 1))` is a condition, `((a))` a value.
                Kind::Comparison(_) | Kind::Keyword("AND" | "OR" | "NOT" | "IN" | "AS")
                    if self.only_parens_before(depth, token.span.start) =>
                {
                    return true;
                }
                _ => {}
            }
        }
        false
    }

    /// Are all parentheses open at this place plain ones, none of a call, and nothing but parentheses before them?
    fn only_parens_before(&self, depth: usize, place: u32) -> bool {
        let opened = self.tokens[self.at..].iter().take_while(|t| t.kind == Kind::Punctuation("(")).count();
        let inside = self.tokens[self.at..].iter().take_while(|t| t.span.start < place);
        let mut lowest = opened;
        let mut open = 0usize;
        for (n, token) in inside.enumerate() {
            match token.kind {
                Kind::Punctuation("(" | "[") => open += 1,
                Kind::Punctuation(")" | "]") => open = open.saturating_sub(1),
                _ => {}
            }
            if n >= opened {
                lowest = lowest.min(open);
            }
        }
        depth <= lowest
    }

    fn plain_predicate(&mut self) -> Parsed<Expr> {
        let left = self.arithmetic(Mode::Scalar)?;
        let start = left.span();
        let negated = self.is_keyword("NOT") && *self.peek_after(1) == Kind::Keyword("IN");
        if negated {
            self.advance();
        }
        if self.eat_keyword("IN") {
            let list = self.in_list()?;
            let kind = ExprKind::In { value: Box::new(left), list, negated };
            return Ok(Expr::new(kind, start.to(self.last_span())));
        }
        let expr = self.compare_after(left)?;
        let alias =
            if matches!(expr.kind, ExprKind::Compare(..)) { self.alias_after_as()? } else { self.alias()? };
        Ok(match alias {
            Some(alias) => Expr::new(ExprKind::Aliased(Box::new(expr), alias), start.to(self.last_span())),
            None => expr,
        })
    }

    fn in_list(&mut self) -> Parsed<Vec<Expr>> {
        self.expect("(")?;
        let mut list = Vec::new();
        loop {
            list.push(self.nested(Self::scalar_with_alias)?);
            if self.eat(")") {
                return Ok(list);
            }
            if !self.eat(",") {
                return self.unexpected("`,` or `)`");
            }
        }
    }

    /// `scalar_opt_as_exp` where only its value counts.
    pub(super) fn scalar_with_alias(&mut self) -> Parsed<Expr> {
        let expr = self.scalar_or_comparison()?;
        let start = expr.span();
        let alias =
            if matches!(expr.kind, ExprKind::Compare(..)) { self.alias_after_as()? } else { self.alias()? };
        Ok(match alias {
            Some(alias) => Expr::new(ExprKind::Aliased(Box::new(expr), alias), start.to(self.last_span())),
            None => expr,
        })
    }
}
