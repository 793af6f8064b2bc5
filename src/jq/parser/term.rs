//! Terms: literals, calls, objects, and paths into them.

use super::super::ast::{Ast, Entry, Part, Piece};
use super::super::lexer::Token;
use super::super::literal::Literal;
use super::{Parsed, Parser, Rank, is_keyword};

impl Parser<'_> {
    /// A term and the path parts behind it.
    pub(super) fn term(&mut self) -> Parsed<Ast> {
        let base = self.base()?;
        let (base, mut parts) = match base {
            Ast::Path(base, parts) => (*base, parts),
            base => (base, Vec::new()),
        };
        while let Some(part) = self.part()? {
            parts.push(part);
        }
        Ok(if parts.is_empty() { base } else { Ast::Path(Box::new(base), parts) })
    }

    fn base(&mut self) -> Parsed<Ast> {
        let offset = self.offset();
        let Some(token) = self.peek().cloned() else { return Err(self.unexpected("a value")) };
        match token {
            Token::Number(n) => {
                self.at += 1;
                Ok(Ast::Literal(Literal::Num(n)))
            }
            Token::Field(name) => {
                self.at += 1;
                let optional = self.take_sign("?");
                Ok(Ast::Path(Box::new(Ast::Identity), vec![field(name, optional)]))
            }
            Token::Quote => self.string(),
            Token::Format(_) if matches!(self.peek_second(), Some(Token::Quote)) => self.string(),
            Token::Format(name) => {
                self.at += 1;
                Ok(Ast::Format(name))
            }
            Token::Name(name) => self.call(name),
            Token::Sign(sign) => {
                self.at += 1;
                match sign {
                    "." => self.dot(),
                    ".." => Ok(Ast::Recurse),
                    "$" => self.variable(offset),
                    "(" => {
                        let inner = self.expression(Rank::Pipe)?;
                        self.expect_sign(")")?;
                        Ok(inner)
                    }
                    "[" if self.take_sign("]") => Ok(Ast::Literal(Literal::EmptyArray)),
                    "[" => {
                        let inner = self.expression(Rank::Pipe)?;
                        self.expect_sign("]")?;
                        Ok(Ast::Collect(Box::new(inner)))
                    }
                    "{" => self.object(),
                    _ => {
                        self.at -= 1;
                        Err(self.unexpected("a value"))
                    }
                }
            }
            Token::Text(_) | Token::Open | Token::Close | Token::Unquote => Err(self.unexpected("a value")),
        }
    }

    /// `.` or `."name"`, behind the dot.
    fn dot(&mut self) -> Parsed<Ast> {
        match self.peek() {
            Some(Token::Quote | Token::Format(_)) => {
                let key = self.string()?;
                let optional = self.take_sign("?");
                Ok(Ast::Path(Box::new(Ast::Identity), vec![Part::Index(key, optional)]))
            }
            Some(Token::Name(name)) if !is_keyword(name) => {
                Err(self.fault("no space may stand between `.` and a name"))
            }
            _ => Ok(Ast::Identity),
        }
    }

    /// `$name` or `$__loc__`, behind the `$`.
    fn variable(&mut self, offset: usize) -> Parsed<Ast> {
        if self.take_name("__loc__") {
            let line = 1 + self.text[..offset].bytes().filter(|byte| *byte == b'\n').count();
            let file = ("file".into(), Literal::Str("<top-level>".into()));
            let line = ("line".into(), Literal::Num(line as f64));
            return Ok(Ast::Literal(Literal::Object(vec![file, line])));
        }
        Ok(Ast::Var(self.variable_name()?))
    }

    fn call(&mut self, name: String) -> Parsed<Ast> {
        if name == "break" {
            self.at += 1;
            self.expect_sign("$")?;
            return Ok(Ast::Break(self.variable_name()?));
        }
        if is_keyword(&name) {
            return Err(self.unexpected("a value"));
        }
        self.at += 1;
        let mut args = Vec::new();
        if self.take_sign("(") {
            loop {
                args.push(self.expression(Rank::Pipe)?);
                if !self.take_sign(";") {
                    break;
                }
            }
            self.expect_sign(")")?;
            return Ok(Ast::Call(name, args));
        }
        Ok(match name.as_str() {
            "null" => Ast::Literal(Literal::Null),
            "true" => Ast::Literal(Literal::Bool(true)),
            "false" => Ast::Literal(Literal::Bool(false)),
            _ => Ast::Call(name, args),
        })
    }

    /// One path part, if there is one.
    fn part(&mut self) -> Parsed<Option<Part>> {
        match self.peek() {
            Some(Token::Field(name)) => {
                let name = name.clone();
                self.at += 1;
                let optional = self.take_sign("?");
                Ok(Some(field(name, optional)))
            }
            Some(Token::Sign(".")) => {
                self.at += 1;
                if !matches!(self.peek(), Some(Token::Quote | Token::Format(_))) {
                    return Err(
                        self.unexpected("a string (EMQX's jq is 1.6, which has no `.[` behind a path)")
                    );
                }
                let key = self.string()?;
                let optional = self.take_sign("?");
                Ok(Some(Part::Index(key, optional)))
            }
            Some(Token::Sign("[")) => {
                self.at += 1;
                self.bracket().map(Some)
            }
            _ => Ok(None),
        }
    }

    /// `[]`, `[i]`, `[a:b]`, `[a:]` or `[:b]`, behind the `[`.
    fn bracket(&mut self) -> Parsed<Part> {
        const NULL: Ast = Ast::Literal(Literal::Null);
        if self.take_sign("]") {
            return Ok(Part::Each(self.take_sign("?")));
        }
        if self.take_sign(":") {
            let end = self.expression(Rank::Pipe)?;
            self.expect_sign("]")?;
            return Ok(Part::Slice(NULL, end, self.take_sign("?")));
        }
        let first = self.expression(Rank::Pipe)?;
        if self.take_sign("]") {
            return Ok(Part::Index(first, self.take_sign("?")));
        }
        self.expect_sign(":")?;
        let end = if self.is_sign("]") { NULL } else { self.expression(Rank::Pipe)? };
        self.expect_sign("]")?;
        Ok(Part::Slice(first, end, self.take_sign("?")))
    }

    /// A string, with the name of a format before it or not.
    pub(super) fn string(&mut self) -> Parsed<Ast> {
        let format = match self.peek() {
            Some(Token::Format(name)) => {
                let name = name.clone();
                self.at += 1;
                name
            }
            _ => "text".into(),
        };
        if self.peek() != Some(&Token::Quote) {
            return Err(self.unexpected("a string"));
        }
        self.at += 1;
        let mut pieces: Vec<Piece> = Vec::new();
        loop {
            match self.peek() {
                Some(Token::Text(text)) => {
                    match pieces.last_mut() {
                        Some(Piece::Text(last)) => last.push_str(text),
                        _ => pieces.push(Piece::Text(text.clone())),
                    }
                    self.at += 1;
                }
                Some(Token::Open) => {
                    self.at += 1;
                    pieces.push(Piece::Value(self.expression(Rank::Pipe)?));
                    if self.peek() != Some(&Token::Close) {
                        return Err(self.unexpected("`)`"));
                    }
                    self.at += 1;
                }
                Some(Token::Unquote) => break,
                _ => return Err(self.unexpected("the end of the string")),
            }
        }
        self.at += 1;
        Ok(match pieces.as_slice() {
            [] => Ast::Literal(Literal::Str(String::new())),
            [Piece::Text(text)] => Ast::Literal(Literal::Str(text.clone())),
            _ => Ast::Interpolated(format, pieces),
        })
    }

    /// An object, behind the `{`.
    fn object(&mut self) -> Parsed<Ast> {
        let mut entries = Vec::new();
        while !self.take_sign("}") {
            entries.push(self.entry()?);
            if !self.take_sign(",") {
                self.expect_sign("}")?;
                break;
            }
        }
        Ok(if entries.is_empty() { Ast::Literal(Literal::EmptyObject) } else { Ast::Object(entries) })
    }

    fn entry(&mut self) -> Parsed<Entry> {
        match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                let key = Ast::Literal(Literal::Str(name.clone()));
                if self.take_sign(":") {
                    return Ok(Entry { key, value: Some(self.entry_value()?) });
                }
                if is_keyword(&name) {
                    return Err(self.unexpected("`:`"));
                }
                let value = Ast::Path(Box::new(Ast::Identity), vec![field(name, false)]);
                Ok(Entry { key, value: Some(value) })
            }
            Some(Token::Sign("$")) => {
                self.at += 1;
                let name = self.variable_name()?;
                Ok(Entry { key: Ast::Literal(Literal::Str(name.clone())), value: Some(Ast::Var(name)) })
            }
            Some(Token::Sign("(")) => {
                self.at += 1;
                let key = self.expression(Rank::Pipe)?;
                self.expect_sign(")")?;
                self.constant_key(&key)?;
                self.expect_sign(":")?;
                Ok(Entry { key, value: Some(self.entry_value()?) })
            }
            Some(Token::Quote | Token::Format(_)) => {
                let key = self.string()?;
                let value = if self.take_sign(":") { Some(self.entry_value()?) } else { None };
                Ok(Entry { key, value })
            }
            _ => Err(self.unexpected("a key")),
        }
    }

    /// The value of a member: terms with pipes between them, each with a minus or not.
    fn entry_value(&mut self) -> Parsed<Ast> {
        let mut parts = Vec::new();
        loop {
            parts.push(self.signed_term()?);
            if !self.take_sign("|") {
                break;
            }
        }
        if !matches!(self.peek(), Some(Token::Sign("," | "}")) | None) {
            return Err(self.unexpected("`,` or `}` (EMQX's jq is 1.6: put parentheses around the value)"));
        }
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Ast::Pipe(parts),
        })
    }

    fn signed_term(&mut self) -> Parsed<Ast> {
        self.nested(|parser| {
            if parser.take_sign("-") {
                Ok(Ast::Negate(Box::new(parser.signed_term()?)))
            } else {
                parser.term()
            }
        })
    }
}

fn field(name: String, optional: bool) -> Part {
    Part::Index(Ast::Literal(Literal::Str(name)), optional)
}
