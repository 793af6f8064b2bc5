//! The grammar of jq 1.6: operators by rank, and what stands between them.
//!
//! It is not the grammar of later versions: `if` needs `else`, an object's value is a term or a pipe of terms, a
//! path part cannot follow `f?`, and `//` binds more loosely than `=`.
//!
//! Invariant: nesting is at most [`JQ_NESTING_MAX`], for the parser and the compiler recurse.

mod pattern;
mod term;

use super::ast::{Assign, Ast, Def, Math, Operator, Param};
use super::lexer::{self, Fault, Place, Token};
use super::literal::Literal;
use crate::limits::JQ_NESTING_MAX;

/// A program; an empty one, or one of definitions only, is `.`.
pub(super) fn program(text: &str) -> Result<Ast, Fault> {
    let tokens = lexer::tokens(text)?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    let mut defs = Vec::new();
    while parser.is_name("def") {
        defs.push(parser.def()?);
    }
    let main = if parser.peek().is_none() { Ast::Identity } else { parser.expression(Rank::Pipe)? };
    match parser.peek() {
        None => Ok(defs.into_iter().rev().fold(main, |rest, def| Ast::Def(Box::new(def), Box::new(rest)))),
        Some(_) => Err(parser.unexpected("the end")),
    }
}

/// The definitions of a library.
pub(super) fn library(text: &str) -> Result<Vec<Def>, Fault> {
    let mut parser = Parser { text, tokens: lexer::tokens(text)?, at: 0, depth: 0 };
    let mut defs = Vec::new();
    while parser.peek().is_some() {
        defs.push(parser.def()?);
    }
    Ok(defs)
}

/// How tightly an operator binds, the loosest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Pipe,
    Comma,
    Alternative,
    Assign,
    Or,
    And,
    Compare,
    Sum,
    Product,
    /// Above every operator.
    Unary,
}

impl Rank {
    /// The next tighter rank.
    fn above(self) -> Rank {
        match self {
            Rank::Pipe => Rank::Comma,
            Rank::Comma => Rank::Alternative,
            Rank::Alternative => Rank::Assign,
            Rank::Assign => Rank::Or,
            Rank::Or => Rank::And,
            Rank::And => Rank::Compare,
            Rank::Compare => Rank::Sum,
            Rank::Sum => Rank::Product,
            Rank::Product | Rank::Unary => Rank::Unary,
        }
    }
}

enum Infix {
    Pipe,
    Alternative,
    Assign(Assign),
    Chain(Operator),
}

fn infix(token: &Token) -> Option<(Rank, Infix)> {
    let math = |rank, math| (rank, Infix::Chain(Operator::Math(math)));
    let assign = |assign| (Rank::Assign, Infix::Assign(assign));
    Some(match token {
        Token::Name(name) if name == "or" => (Rank::Or, Infix::Chain(Operator::Or)),
        Token::Name(name) if name == "and" => (Rank::And, Infix::Chain(Operator::And)),
        Token::Sign(sign) => match *sign {
            "|" => (Rank::Pipe, Infix::Pipe),
            "," => (Rank::Comma, Infix::Chain(Operator::Comma)),
            "//" => (Rank::Alternative, Infix::Alternative),
            "=" => assign(Assign::Set),
            "|=" => assign(Assign::Update),
            "//=" => assign(Assign::Alternative),
            "+=" => assign(Assign::Math(Math::Add)),
            "-=" => assign(Assign::Math(Math::Sub)),
            "*=" => assign(Assign::Math(Math::Mul)),
            "/=" => assign(Assign::Math(Math::Div)),
            "%=" => assign(Assign::Math(Math::Rem)),
            "==" => math(Rank::Compare, Math::Equal),
            "!=" => math(Rank::Compare, Math::NotEqual),
            "<" => math(Rank::Compare, Math::Less),
            "<=" => math(Rank::Compare, Math::LessEqual),
            ">" => math(Rank::Compare, Math::Greater),
            ">=" => math(Rank::Compare, Math::GreaterEqual),
            "+" => math(Rank::Sum, Math::Add),
            "-" => math(Rank::Sum, Math::Sub),
            "*" => math(Rank::Product, Math::Mul),
            "/" => math(Rank::Product, Math::Div),
            "%" => math(Rank::Product, Math::Rem),
            _ => return None,
        },
        _ => return None,
    })
}

struct Parser<'p> {
    text: &'p str,
    tokens: Vec<Place>,
    at: usize,
    depth: usize,
}

/// What a production gives.
type Parsed<T> = Result<T, Fault>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|place| &place.token)
    }

    fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|place| &place.token)
    }

    /// The byte at which the next token begins.
    fn offset(&self) -> usize {
        self.tokens.get(self.at).map_or(self.text.len(), |place| place.at)
    }

    fn fault(&self, text: impl Into<String>) -> Fault {
        Fault { text: text.into(), at: self.offset() }
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let end = self.tokens.get(self.at + 1).map_or(self.text.len(), |place| place.at);
        match self.text.get(self.offset()..end).map(str::trim).filter(|found| !found.is_empty()) {
            Some(found) => self.fault(format!("`{found}` where {wanted} should stand")),
            None => self.fault(format!("the program ends where {wanted} should stand")),
        }
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found == name)
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn take_name(&mut self, name: &str) -> bool {
        let found = self.is_name(name);
        self.at += usize::from(found);
        found
    }

    fn expect_sign(&mut self, sign: &str) -> Parsed<()> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    fn expect_name(&mut self, name: &str) -> Parsed<()> {
        if self.take_name(name) { Ok(()) } else { Err(self.unexpected(&format!("`{name}`"))) }
    }

    /// A name that is no keyword.
    fn identifier(&mut self) -> Parsed<String> {
        match self.peek() {
            Some(Token::Name(name)) if !is_keyword(name) => {
                let name = name.clone();
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    /// Goes one level down.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= JQ_NESTING_MAX {
            return Err(self.fault(format!("the program is nested more than {JQ_NESTING_MAX} deep")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// An expression of operators that bind at least so tightly.
    fn expression(&mut self, rank: Rank) -> Parsed<Ast> {
        self.nested(|parser| parser.operators(rank))
    }

    fn operators(&mut self, least: Rank) -> Parsed<Ast> {
        let mut left = self.unary()?;
        while let Some((rank, operator)) = self.peek().and_then(infix).filter(|(rank, _)| *rank >= least) {
            self.at += 1;
            left = match operator {
                Infix::Pipe => {
                    let mut parts = vec![left, self.expression(rank.above())?];
                    while self.take_sign("|") {
                        parts.push(self.expression(rank.above())?);
                    }
                    Ast::Pipe(parts)
                }
                Infix::Alternative => Ast::Alternative(Box::new(left), Box::new(self.expression(rank)?)),
                Infix::Assign(assign) => {
                    Ast::Assign(Box::new(left), assign, Box::new(self.expression(rank.above())?))
                }
                Infix::Chain(operator) => {
                    let right = self.expression(rank.above())?;
                    self.chain(left, operator, right)?
                }
            };
            let single = matches!(rank, Rank::Assign | Rank::Compare);
            if single && self.peek().and_then(infix).is_some_and(|(next, _)| next == rank) {
                return Err(self.fault("comparisons and assignments need parentheses between them"));
            }
        }
        Ok(left)
    }

    /// `left operator right`; of constants it is a constant.
    fn chain(&self, left: Ast, operator: Operator, right: Ast) -> Parsed<Ast> {
        if let (Ast::Literal(a), Operator::Math(math), Ast::Literal(b)) = (&left, operator, &right)
            && let Some(folded) = fold(a, math, b)
        {
            return match folded {
                // jq 1.6 refuses the program, even where a `try` stands around it.
                Literal::Num(n) if n.is_infinite() && math == Math::Div => {
                    Err(self.fault("division by zero"))
                }
                folded => Ok(Ast::Literal(folded)),
            };
        }
        Ok(match left {
            Ast::Chain(first, mut rest)
                if rest.last().is_some_and(|(last, _)| same_rank(*last, operator)) =>
            {
                rest.push((operator, right));
                Ast::Chain(first, rest)
            }
            left => Ast::Chain(Box::new(left), vec![(operator, right)]),
        })
    }

    fn unary(&mut self) -> Parsed<Ast> {
        let mut ast = self.operand()?;
        while self.take_sign("?") {
            ast = Ast::Try(Box::new(ast), None);
        }
        Ok(ast)
    }

    /// What stands between operators, without the `?` behind it.
    fn operand(&mut self) -> Parsed<Ast> {
        if self.take_sign("-") {
            return Ok(Ast::Negate(Box::new(self.expression(Rank::Product)?)));
        }
        let Some(Token::Name(name)) = self.peek() else { return self.term_or_bind() };
        match name.as_str() {
            "def" => {
                let def = self.def()?;
                Ok(Ast::Def(Box::new(def), Box::new(self.expression(Rank::Pipe)?)))
            }
            "if" => self.condition(),
            "try" => {
                self.at += 1;
                let body = self.nested(Parser::operand)?;
                let handler =
                    if self.take_name("catch") { Some(self.nested(Parser::operand)?) } else { None };
                Ok(Ast::Try(Box::new(body), handler.map(Box::new)))
            }
            "reduce" => self.reduce(),
            "foreach" => self.foreach(),
            "label" => {
                self.at += 1;
                self.expect_sign("$")?;
                let name = self.identifier()?;
                self.expect_sign("|")?;
                Ok(Ast::Label(name, Box::new(self.expression(Rank::Pipe)?)))
            }
            _ => self.term_or_bind(),
        }
    }

    fn term_or_bind(&mut self) -> Parsed<Ast> {
        let term = self.term()?;
        if !self.is_name("as") {
            return Ok(term);
        }
        let patterns = self.patterns()?;
        self.expect_sign("|")?;
        Ok(Ast::Bind(Box::new(term), patterns, Box::new(self.expression(Rank::Pipe)?)))
    }

    /// `if a then b elif c then d else e end`, from the `if` or an `elif` on.
    fn condition(&mut self) -> Parsed<Ast> {
        self.at += 1;
        let condition = self.expression(Rank::Pipe)?;
        self.expect_name("then")?;
        let then = self.expression(Rank::Pipe)?;
        let otherwise = if self.is_name("elif") {
            self.nested(Parser::condition)?
        } else if self.take_name("else") {
            let otherwise = self.expression(Rank::Pipe)?;
            self.expect_name("end")?;
            otherwise
        } else {
            return Err(self.unexpected("`else` (EMQX's jq is 1.6, where `if` needs it)"));
        };
        Ok(Ast::If(Box::new(condition), Box::new(then), Box::new(otherwise)))
    }

    fn reduce(&mut self) -> Parsed<Ast> {
        self.at += 1;
        let source = self.nested(Parser::term)?;
        let patterns = self.patterns()?;
        self.expect_sign("(")?;
        let init = self.expression(Rank::Pipe)?;
        self.expect_sign(";")?;
        let update = self.expression(Rank::Pipe)?;
        self.expect_sign(")")?;
        Ok(Ast::Reduce(Box::new(source), patterns, Box::new(init), Box::new(update)))
    }

    fn foreach(&mut self) -> Parsed<Ast> {
        self.at += 1;
        let source = self.nested(Parser::term)?;
        let patterns = self.patterns()?;
        self.expect_sign("(")?;
        let init = self.expression(Rank::Pipe)?;
        self.expect_sign(";")?;
        let update = self.expression(Rank::Pipe)?;
        let extract = if self.take_sign(";") { self.expression(Rank::Pipe)? } else { Ast::Identity };
        self.expect_sign(")")?;
        Ok(Ast::Foreach(Box::new(source), patterns, Box::new(init), Box::new(update), Box::new(extract)))
    }

    /// `def name(params): body;`
    fn def(&mut self) -> Parsed<Def> {
        self.expect_name("def")?;
        let name = self.identifier()?;
        let mut params = Vec::new();
        if self.take_sign("(") {
            loop {
                let var = self.take_sign("$");
                params.push(Param { name: self.identifier()?, var });
                if !self.take_sign(";") {
                    break;
                }
            }
            self.expect_sign(")")?;
        }
        self.expect_sign(":")?;
        let body = self.expression(Rank::Pipe)?;
        self.expect_sign(";")?;
        Ok(Def { name, params, body })
    }
}

fn is_keyword(name: &str) -> bool {
    matches!(
        name,
        "as" | "import"
            | "include"
            | "module"
            | "def"
            | "if"
            | "then"
            | "else"
            | "elif"
            | "and"
            | "or"
            | "end"
            | "reduce"
            | "foreach"
            | "try"
            | "catch"
            | "label"
            | "break"
            | "__loc__"
    )
}

fn same_rank(a: Operator, b: Operator) -> bool {
    let rank = |operator| match operator {
        Operator::Comma => Rank::Comma,
        Operator::Or => Rank::Or,
        Operator::And => Rank::And,
        Operator::Math(Math::Add | Math::Sub) => Rank::Sum,
        Operator::Math(Math::Mul | Math::Div | Math::Rem) => Rank::Product,
        Operator::Math(_) => Rank::Compare,
    };
    rank(a) == rank(b)
}

/// What jq 1.6 computes of two constants before the program runs.
fn fold(a: &Literal, math: Math, b: &Literal) -> Option<Literal> {
    Some(match (a, math, b) {
        (Literal::Null, Math::Add, other) | (other, Math::Add, Literal::Null) => other.clone(),
        (Literal::Str(a), Math::Add, Literal::Str(b)) => Literal::Str(format!("{a}{b}")),
        (Literal::Num(a), math, Literal::Num(b)) => match math {
            Math::Add => Literal::Num(a + b),
            Math::Sub => Literal::Num(a - b),
            Math::Mul => Literal::Num(a * b),
            Math::Div => Literal::Num(a / b),
            Math::Rem => return None,
            Math::Equal => Literal::Bool(a == b),
            Math::NotEqual => Literal::Bool(a != b),
            Math::Less => Literal::Bool(a < b),
            Math::LessEqual => Literal::Bool(a <= b),
            Math::Greater => Literal::Bool(a > b),
            Math::GreaterEqual => Literal::Bool(a >= b),
        },
        _ => return None,
    })
}
