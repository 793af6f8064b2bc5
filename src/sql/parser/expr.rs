//! Expressions: operators by precedence, literals, calls, lists.

use std::str::FromStr;

use num_bigint::BigInt;

use super::super::ast::{ArithOp, CompareOp, Expr, ExprKind, Style};
use super::super::token::Kind;
use super::hint::float_text;
use super::path::{is_bool, unquote};
use super::{Parsed, Parser, Reported};
use crate::diag::Diagnostic;
use crate::profile::Profile;
use crate::value::Value;

/// Which of the grammar's two expression languages is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// `scalar_exp`: arithmetic over variables, literals, calls.
    Scalar,
    /// `fun_arg`: also CASE and comparisons anywhere.
    Argument,
}

impl Parser<'_> {
    /// `scalar_exp [comparison scalar_exp]`.
    pub(super) fn scalar_or_comparison(&mut self) -> Parsed<Expr> {
        let left = self.arithmetic(Mode::Scalar)?;
        self.comparison_tail(left, Mode::Scalar)
    }

    /// An argument of a function.
    fn argument(&mut self) -> Parsed<Expr> {
        let left = self.arithmetic(Mode::Argument)?;
        self.comparison_tail(left, Mode::Argument)
    }

    /// What may follow a scalar that has been read.
    pub(super) fn compare_after(&mut self, left: Expr) -> Parsed<Expr> {
        self.comparison_tail(left, Mode::Scalar)
    }

    /// Comparisons do not chain.
    fn comparison_tail(&mut self, left: Expr, mode: Mode) -> Parsed<Expr> {
        let Some(op) = self.eat_comparison() else { return Ok(left) };
        let right = self.arithmetic(mode)?;
        let span = left.span().to(right.span());
        if matches!(self.peek(), Kind::Comparison(_)) {
            let problem =
                Diagnostic::error("E004", "comparisons do not chain").at(self.span(), "a second one");
            self.problems.push(problem.at(span, "this is one").help("write `a < b AND b < c`"));
            return Err(Reported);
        }
        Ok(Expr::new(ExprKind::Compare(op, Box::new(left), Box::new(right)), span))
    }

    fn eat_comparison(&mut self) -> Option<CompareOp> {
        let Kind::Comparison(text) = *self.peek() else { return None };
        let (op, _) = CompareOp::ALL.into_iter().find(|(_, name)| *name == text)?;
        self.advance();
        Some(op)
    }

    /// `+ -` over `* / div mod` over unary signs, all left-associative.
    pub(super) fn arithmetic(&mut self, mode: Mode) -> Parsed<Expr> {
        let mut left = self.product(mode)?;
        while let Some(op) = self.arith_op().filter(|op| op.is_additive()) {
            self.advance();
            let right = self.product(mode)?;
            left = arith(op, left, right);
        }
        Ok(left)
    }

    fn product(&mut self, mode: Mode) -> Parsed<Expr> {
        let mut left = self.signed(mode)?;
        while let Some(op) = self.arith_op().filter(|op| !op.is_additive()) {
            self.advance();
            let right = self.signed(mode)?;
            left = arith(op, left, right);
        }
        Ok(left)
    }

    fn arith_op(&self) -> Option<ArithOp> {
        let Kind::Punctuation(text) = self.peek() else { return None };
        ArithOp::ALL.into_iter().find(|(_, name)| name == text).map(|(op, _)| op)
    }

    fn signed(&mut self, mode: Mode) -> Parsed<Expr> {
        let start = self.span();
        let negative = self.is("-");
        if !negative && !self.is("+") {
            return self.nested(|p| p.primary(mode));
        }
        self.advance();
        let inner = self.nested(|p| p.signed(mode))?;
        let span = start.to(inner.span());
        Ok(Expr::new(ExprKind::Unary(negative, Box::new(inner)), span))
    }

    fn primary(&mut self, mode: Mode) -> Parsed<Expr> {
        let start = self.span();
        match self.peek().clone() {
            Kind::Str(text) => {
                self.advance();
                let text = unquote(&text, Style::Single, self.profile);
                Ok(Expr::new(ExprKind::Const(Value::from(text)), start))
            }
            Kind::Int(_) | Kind::Float(_) => self.number(),
            Kind::Range(first, last) => {
                self.advance();
                Ok(Expr::new(ExprKind::Range(integer(&first), integer(&last)), start))
            }
            Kind::Punctuation("(") => {
                self.advance();
                let inner = if mode == Mode::Argument { self.argument()? } else { self.arithmetic(mode)? };
                self.expect(")")?;
                Ok(Expr { at: super::super::ast::At(start.to(self.last_span())), ..inner })
            }
            Kind::Punctuation("[") => self.list(),
            // rulesql 0.1.7: the word operators are callable as well.
            Kind::Punctuation("div" | "mod")
                if self.profile.is_5_8() && *self.peek_after(1) == Kind::Punctuation("(") =>
            {
                self.word_operator_call()
            }
            Kind::Keyword("CASE") if mode == Mode::Argument => self.case(),
            Kind::Name(_) | Kind::Quoted(_) => self.variable(),
            _ => self.unexpected("an expression"),
        }
    }

    fn number(&mut self) -> Parsed<Expr> {
        let span = self.span();
        let (text, value) = match self.advance() {
            Kind::Int(text) => {
                let value = integer(&text);
                (text, Some(value))
            }
            Kind::Float(text) => {
                // Erlang's list_to_float wants a fraction, takes no suffix and no infinity.
                let plain = text.contains('.') && text.ends_with(|c: char| c.is_ascii_digit());
                let float = f64::from_str(&text).ok().filter(|f| plain && f.is_finite()).map(Value::Float);
                (text, float)
            }
            _ => (String::new(), None),
        };
        match value {
            Some(value) => Ok(Expr::new(ExprKind::Const(value), span)),
            None => {
                let help = match f64::from_str(text.trim_end_matches(['f', 'F', 'd', 'D'])) {
                    Ok(f) if f.is_finite() => format!("write `{}`", float_text(f)),
                    _ => "write digits, a dot and digits: `1.5`, `1.0e30`".to_owned(),
                };
                let message = format!("`{text}` is no number");
                self.problems.push(Diagnostic::error("E006", message).at(span, "").help(help));
                Err(Reported)
            }
        }
    }

    /// A variable, a slice of one, or a call.
    fn variable(&mut self) -> Parsed<Expr> {
        let path = self.path()?;
        let start = path.at.0;
        if let Kind::Range(first, last) = self.peek().clone() {
            self.advance();
            let kind = ExprKind::Slice(path, integer(&first), integer(&last));
            return Ok(Expr::new(kind, start.to(self.last_span())));
        }
        if self.is("(") {
            let args = self.arguments()?;
            return Ok(Expr::new(ExprKind::Call(path, args), start.to(self.last_span())));
        }
        if path.steps.is_empty() && path.head.style == Style::Bare && is_bool(&path.head.text) {
            return Ok(Expr::new(ExprKind::Const(Value::Bool(path.head.text == "true")), start));
        }
        Ok(Expr::new(ExprKind::Path(path), start))
    }

    fn word_operator_call(&mut self) -> Parsed<Expr> {
        let start = self.span();
        let Kind::Punctuation(word) = self.advance() else { return self.unexpected("an operator") };
        let at = super::super::ast::At(start);
        let head = super::super::ast::Name { text: word.to_owned(), style: Style::Bare, at };
        let path = super::super::ast::Path { head, steps: Vec::new(), at };
        let args = self.arguments()?;
        Ok(Expr::new(ExprKind::Call(path, args), start.to(self.last_span())))
    }

    fn arguments(&mut self) -> Parsed<Vec<Expr>> {
        self.expect("(")?;
        let mut args = Vec::new();
        if self.eat(")") {
            return Ok(args);
        }
        loop {
            args.push(self.nested(Self::argument)?);
            if self.eat(")") {
                return Ok(args);
            }
            if !self.eat(",") {
                return self.unexpected("`,` or `)`");
            }
        }
    }

    fn list(&mut self) -> Parsed<Expr> {
        let start = self.span();
        self.expect("[")?;
        let mut items = Vec::new();
        // An element may follow a comma or not: the grammar has the empty list at the end of every list.
        while !self.eat("]") {
            items.push(self.nested(Self::list_item)?);
            if !self.eat(",") {
                if !self.eat("]") {
                    return self.unexpected("`,` or `]`");
                }
                break;
            }
        }
        Ok(Expr::new(ExprKind::List(items), start.to(self.last_span())))
    }

    /// 4.3 takes variables, slices, lists and literals; rulesql 0.2.0 any expression.
    fn list_item(&mut self) -> Parsed<Expr> {
        if self.profile == Profile::V5_8 {
            return self.argument();
        }
        let item = self.primary(Mode::Scalar)?;
        let plain = !matches!(item.kind, ExprKind::Call(..) | ExprKind::Arith(..) | ExprKind::Unary(..));
        if plain && !self.text[item.span().range()].starts_with('(') {
            return Ok(item);
        }
        let problem = Diagnostic::error("E007", "a list of EMQX 4.3 holds only variables and constants");
        self.problems
            .push(problem.at(item.span(), "an expression").help("select the expression as an alias first"));
        Err(Reported)
    }
}

fn arith(op: ArithOp, left: Expr, right: Expr) -> Expr {
    let span = left.span().to(right.span());
    Expr::new(ExprKind::Arith(op, Box::new(left), Box::new(right)), span)
}

fn integer(text: &str) -> Value {
    let digits = text.strip_prefix('+').unwrap_or(text);
    BigInt::from_str(digits).map_or(Value::Int(0), Value::integer)
}
