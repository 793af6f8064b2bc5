//! Tokens to the tree as written: EMQX's grammar (hocon_parser.yrl), which its token passes make unambiguous.
//!
//! Invariant: recursion is as deep as the tree, and that at most [`limits::DOCUMENT_DEPTH_MAX`].

use std::sync::Arc;

use super::files::Files;
use super::scanner::{Kind, Token, is_blank, is_line_break};
use super::sentence::{self, wrong};
use super::string;
use super::tree::{Field, State, Value, Variable};
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Node, Style, scalar};
use crate::limits;
use crate::text::Span;

/// Letters of what may have been meant as a unit.
const UNIT_CHARS: usize = 3;

/// Characters of a word in a message.
const SHOWN_CHARS: usize = 40;

type Result<T> = std::result::Result<T, Diagnostic>;

/// The reader of one file.
pub(super) struct Parser<'f, 'a> {
    pub(super) files: &'f mut Files<'a>,
    pub(super) text: &'f str,
    /// Where the file's text lies among those of all files.
    pub(super) base: usize,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    pub(super) depth: usize,
    /// The path of the object that is read, from the root of all.
    pub(super) path: Vec<String>,
    /// How much of the path belongs to including files: in front of this file's substitutions.
    pub(super) outer: usize,
}

impl Parser<'_, '_> {
    fn peek(&self) -> Option<Token> {
        self.tokens.get(self.at).copied()
    }

    fn is(&self, kind: Kind) -> bool {
        self.peek().is_some_and(|token| token.kind == kind && !token.key)
    }

    fn slice(&self, token: Token) -> &str {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    fn global(&self, span: Span) -> Span {
        span.shifted(self.base)
    }

    /// The fields of the file.
    pub(super) fn root(&mut self) -> Result<Vec<Field>> {
        if self.peek().is_none() {
            return Ok(Vec::new());
        }
        let braced = self.is(Kind::LeftBrace);
        let fields = match braced {
            true => {
                // The root is one level, with braces and without.
                self.depth -= 1;
                self.object()?.0
            }
            false => self.fields()?,
        };
        match self.peek() {
            None => Ok(fields),
            Some(token) if braced => Err(wrong(token.span, "nothing may follow the root's closing brace")
                .help("write the root without braces, or everything inside them")),
            Some(token) => Err(self.unexpected(token)),
        }
    }

    fn enter(&mut self, span: Span) -> Result<()> {
        self.depth += 1;
        match self.depth > limits::DOCUMENT_DEPTH_MAX {
            true => Err(super::too_deep(span)),
            false => Ok(()),
        }
    }

    fn count(&mut self, span: Span) -> Result<()> {
        self.files.nodes += 1;
        match self.files.nodes > limits::DOCUMENT_NODES_MAX {
            true => Err(super::too_many(span)),
            false => Ok(()),
        }
    }

    /// `{…}`, and the token that closes it.
    fn object(&mut self) -> Result<(Vec<Field>, Token)> {
        let Some(open) = self.peek() else { return Err(self.early()) };
        self.enter(open.span)?;
        self.at += 1;
        let fields = if self.is(Kind::RightBrace) { Vec::new() } else { self.fields()? };
        let close = self.close(open, Kind::RightBrace)?;
        Ok((fields, close))
    }

    /// The token that closes a brace or bracket.
    fn close(&mut self, open: Token, kind: Kind) -> Result<Token> {
        match self.peek() {
            Some(token) if token.kind == kind => {
                self.at += 1;
                self.depth -= 1;
                Ok(token)
            }
            Some(token) if matches!(token.kind, Kind::RightBrace | Kind::RightBracket) => {
                let (wrong_sign, sign) = (self.slice(token), self.slice(open));
                let message = format!("this '{wrong_sign}' cannot close a '{sign}'");
                Err(wrong(token.span, message).at(open.span, "opened here"))
            }
            Some(token) => Err(self.unexpected(token)),
            None => {
                let sign = self.slice(open);
                Err(wrong(open.span, format!("the '{sign}' opened here is not closed")))
            }
        }
    }

    fn fields(&mut self) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        loop {
            match self.peek() {
                Some(token) if token.key => fields.push(self.field(token)?),
                Some(token) if token.kind == Kind::Include => fields.extend(self.include(token)?),
                Some(token) => return Err(self.no_key(token)),
                None => return Err(self.early()),
            }
            if self.is(Kind::Comma) {
                self.at += 1;
                continue;
            }
            match self.peek() {
                Some(token) if token.key || token.kind == Kind::Include => {}
                _ => return Ok(fields),
            }
        }
    }

    fn field(&mut self, token: Token) -> Result<Field> {
        self.at += 1;
        let names = self.names(token)?;
        let outside = self.path.len();
        let variables = self.files.variables.len();
        for (name, span) in &names {
            self.count(*span)?;
            // A path is joined with dots and cut again, so a dot in a quoted key separates there as well.
            self.path.extend(name.split('.').filter(|part| !part.is_empty()).map(str::to_owned));
        }
        let deeper = names.len() - 1;
        (0..deeper).try_for_each(|_| self.enter(token.span))?;
        let value = self.value(token)?;
        self.depth -= deeper;
        self.path.truncate(outside);
        let substituted = self.files.variables.len() > variables;
        let mut field: Option<Field> = None;
        let mut value = Some(value);
        for (key, span) in names.into_iter().rev() {
            let inner = match (field.take(), value.take()) {
                (Some(field), _) => Value::Path(Box::new(field)),
                (None, Some(value)) => value,
                (None, None) => break,
            };
            let (key, key_span) = (Arc::from(key), self.global(span));
            let quoted = token.kind != Kind::Word;
            field = Some(Field { key, key_span, quoted, value: Arc::new(inner), substituted });
        }
        field.ok_or_else(|| wrong(token.span, "a key without a name"))
    }

    /// The names of a key, each with its place.
    fn names(&self, token: Token) -> Result<Vec<(String, Span)>> {
        let text = self.slice(token);
        if token.kind != Kind::Word {
            return Ok(vec![(self.string(token)?, token.span)]);
        }
        let mut names = Vec::new();
        let mut at = token.span.start as usize;
        for name in text.split('.') {
            if !name.is_empty() {
                names.push((name.to_owned(), Span::new(at, at + name.len())));
            }
            at += name.len() + 1;
        }
        Ok(names)
    }

    fn string(&self, token: Token) -> Result<String> {
        let decoded = string::decode(token.kind, self.slice(token), 0, self.files.release);
        decoded
            .map(|trail| trail.out)
            .map_err(|bad| wrong(bad.span.shifted(token.span.start as usize), bad.message).help(bad.help))
    }

    fn value(&mut self, owner: Token) -> Result<Value> {
        let Some(token) = self.peek() else { return Err(self.no_value(owner)) };
        let data = match token.kind {
            Kind::Null => Data::Null,
            Kind::True => Data::Bool(true),
            Kind::False => Data::Bool(false),
            Kind::Int | Kind::Float => self.number(token)?,
            _ => return self.joined(owner),
        };
        self.count(token.span)?;
        self.at += 1;
        let node = Node { span: self.global(token.span), style: Style::Plain, data };
        Ok(Value::Leaf(node))
    }

    fn number(&self, token: Token) -> Result<Data> {
        let text = self.slice(token);
        match scalar::number(text) {
            Ok(Some(Data::Float(_, f))) if !f.is_finite() => {
                Err(wrong(token.span, format!("'{text}' is too large for a number"))
                    .help("write it in quotes"))
            }
            Ok(Some(data)) => Ok(data),
            Ok(None) => Err(wrong(token.span, format!("'{text}' is no number"))),
            Err(_) => {
                let message = format!("a number of more than {} characters", limits::DOCUMENT_DIGITS_MAX);
                Err(Diagnostic::error(codes::TOO_LARGE, message).at(token.span, ""))
            }
        }
    }

    /// Strings, substitutions, objects and arrays one behind the other, up to the one that nothing follows.
    fn joined(&mut self, owner: Token) -> Result<Value> {
        let mut values = Vec::new();
        let start = self.peek().map_or(owner.span, |token| token.span);
        loop {
            let Some(token) = self.peek() else { return Err(self.early()) };
            let last = match token.kind {
                _ if token.key => return Err(self.key_as_value(owner, token, values.is_empty())),
                Kind::LeftBrace => {
                    self.count(token.span)?;
                    let (fields, close) = self.object()?;
                    values.push(Value::Object(fields, self.global(token.span.to(close.span))));
                    close
                }
                Kind::LeftBracket => {
                    self.count(token.span)?;
                    let (items, close) = self.array(token)?;
                    values.push(Value::Array(items, self.global(token.span.to(close.span))));
                    close
                }
                Kind::Variable | Kind::MaybeVariable => {
                    values.push(self.variable(token)?);
                    token
                }
                kind if kind.is_string() => {
                    self.count(token.span)?;
                    let style = match kind {
                        Kind::Quoted => Style::Escaped,
                        Kind::Triple => Style::Triple,
                        _ => Style::Plain,
                    };
                    let data = Data::Text(Arc::from(self.string(token)?));
                    values.push(Value::Leaf(Node { span: self.global(token.span), style, data }));
                    self.at += 1;
                    token
                }
                _ if values.is_empty() => return Err(self.no_value_but(owner, token)),
                _ => return Err(self.no_join(token)),
            };
            if last.end {
                return Ok(Value::Joined(values, self.global(start.to(last.span))));
            }
        }
    }

    fn array(&mut self, open: Token) -> Result<(Vec<Value>, Token)> {
        self.enter(open.span)?;
        self.at += 1;
        let mut items = Vec::new();
        if !self.is(Kind::RightBracket) {
            loop {
                items.push(self.value(open)?);
                match self.peek() {
                    Some(token) if token.kind == Kind::Comma => self.at += 1,
                    Some(token) if token.key || token.kind == Kind::RightBracket => break,
                    Some(token)
                        if matches!(token.kind, Kind::RightBrace | Kind::Include | Kind::Required) =>
                    {
                        break;
                    }
                    Some(_) => {}
                    None => break,
                }
            }
        }
        let close = self.close(open, Kind::RightBracket)?;
        Ok((items, close))
    }

    fn variable(&mut self, token: Token) -> Result<Value> {
        self.at += 1;
        self.count(token.span)?;
        let optional = token.kind == Kind::MaybeVariable;
        let text = self.slice(token);
        let name = text.trim_start_matches(['$', '{', '?']).trim_end_matches('}').to_owned();
        let mut path = self.path.get(..self.outer).unwrap_or_default().to_vec();
        path.extend(name.split('.').filter(|part| !part.is_empty()).map(str::to_owned));
        let span = self.global(token.span);
        self.files.variables.push(Variable { path, name, optional, span, state: State::Open });
        Ok(Value::Variable(self.files.variables.len() - 1))
    }

    /// `include "file"` or `include required("file")`: the fields of the file.
    fn include(&mut self, token: Token) -> Result<Vec<Field>> {
        self.at += 1;
        let required = self.is(Kind::Required);
        self.at += usize::from(required);
        let name = self.peek().filter(|name| name.kind.is_string() && !name.key);
        let Some(name_token) = name else {
            return Err(wrong(token.span, "'include' needs the name of a file")
                .help("write include \"other.conf\"; a key of this name stands in quotes"));
        };
        self.at += 1;
        let name = self.string(name_token)?;
        self.files.include(&name, required, name_token.span, self.depth, self.path.clone())
    }

    // What is wrong where.

    /// A token as messages name it: its first words, without quotes.
    fn shown(&self, token: Token) -> String {
        let text = self.slice(token).trim_matches('"');
        let line = text.split(is_line_break).next().unwrap_or_default();
        let mut shown: String = line.chars().take(SHOWN_CHARS).collect();
        shown.push_str(if shown.len() < text.len() { "…" } else { "" });
        shown
    }

    fn early(&self) -> Diagnostic {
        let end = self.text.len();
        match self.tokens.last() {
            Some(last) if last.kind == Kind::Comma => {
                wrong(last.span, "a comma with nothing behind it").help("remove it")
            }
            _ => wrong(Span::new(end, end), "the file ends here, too early"),
        }
    }

    fn unexpected(&self, token: Token) -> Diagnostic {
        match token.kind {
            Kind::RightBrace | Kind::RightBracket if !token.key => {
                wrong(token.span, format!("this '{}' closes nothing", self.slice(token)))
            }
            _ => self.no_key(token),
        }
    }

    /// Something else stands where a key must.
    fn no_key(&self, token: Token) -> Diagnostic {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied();
        let word = self.slice(token);
        match token.kind {
            Kind::Comma => return wrong(token.span, "a comma with nothing before it").help("remove it"),
            Kind::RightBrace => {
                if let Some(comma) = before.filter(|before| before.kind == Kind::Comma) {
                    return wrong(comma.span, "a comma with nothing behind it").help("remove it");
                }
            }
            Kind::LeftBrace if before.is_some_and(|b| matches!(b.kind, Kind::Comma)) => {
                return wrong(token.span, "an object on a new line is not joined with the one before")
                    .help("begin it on the line where the one before ends, or put a key in front of it");
            }
            Kind::LeftBracket if before.is_none() => {
                return wrong(token.span, "the root must be an object, not an array");
            }
            _ => {}
        }
        if let Some(before) = before.filter(|before| before.span.end == token.span.start) {
            return self.grown_together(before, token);
        }
        match token.kind {
            Kind::LeftBrace | Kind::LeftBracket | Kind::RightBrace | Kind::RightBracket => {
                wrong(token.span, format!("a key must stand here, not '{word}'"))
            }
            kind if kind.is_string() => {
                let quoted = self.text[token.span.end as usize..].starts_with('"');
                if word.ends_with('.') && quoted {
                    return wrong(token.span, "a path has no quoted names")
                        .help(format!("write {} {{ \"…\" = … }}", word.trim_end_matches('.')));
                }
                let word = self.shown(token);
                let problem = wrong(token.span, format!("a key must stand here, and '{word}' has no value"));
                problem.help(
                    "keys are written key = value or key { … }; a value of several words stands in quotes",
                )
            }
            Kind::Variable | Kind::MaybeVariable => wrong(token.span, "a substitution cannot be a key"),
            Kind::Required => wrong(token.span, "'required' stands only behind 'include'"),
            _ => {
                let word = &self.text[sentence::word_around(self.text, token.span.start as usize).range()];
                wrong(token.span, format!("a key must stand here, not '{word}'")).help(format!(
                    "a key that begins with a digit, or is true, false or null, stands in quotes: \"{word}\""
                ))
            }
        }
    }

    /// A number and what is written directly behind it.
    fn grown_together(&self, before: Token, token: Token) -> Diagnostic {
        let around = sentence::word_around(self.text, before.span.start as usize);
        let word = self.text.get(around.range()).unwrap_or_default();
        let problem = sentence::needs_quotes(self.text, around);
        if !matches!(before.kind, Kind::Int | Kind::Float) {
            return problem;
        }
        let tail = self.slice(token);
        let exponent = tail.strip_prefix(['e', 'E']).unwrap_or_default();
        let number = self.slice(before);
        if before.kind == Kind::Int && !exponent.is_empty() && exponent.bytes().all(|b| b.is_ascii_digit()) {
            return wrong(
                around,
                format!("'{word}' is no number here: EMQX wants a fraction before the exponent"),
            )
            .help(format!("write {number}.0e{exponent}"));
        }
        let unit = tail.len() <= UNIT_CHARS && tail.bytes().all(|b| b.is_ascii_alphabetic());
        if token.kind != Kind::Word || number.contains(['-', '+']) || !unit {
            return problem;
        }
        match number.contains('.') {
            true => problem.help("durations and sizes have whole numbers: 1500ms, 1536MB"),
            false => {
                problem.help("EMQX knows the units d h m s ms, kb mb gb in small or capital letters, and %")
            }
        }
    }

    fn no_value(&self, owner: Token) -> Diagnostic {
        match owner.kind {
            Kind::LeftBracket if !owner.key => wrong(owner.span, "the '[' opened here is not closed"),
            _ => wrong(owner.span, format!("the key '{}' has no value", self.shown(owner))),
        }
    }

    /// Something that is no value stands where one must.
    fn no_value_but(&self, owner: Token, token: Token) -> Diagnostic {
        match token.kind {
            Kind::Comma if owner.key => self.no_value(owner),
            Kind::Comma => wrong(token.span, "a comma with nothing before it").help("remove it"),
            Kind::Include => {
                wrong(token.span, "'include' as a value stands in quotes").help("write \"include\"")
            }
            _ if owner.key => self.no_value(owner),
            _ => self.unexpected(token),
        }
    }

    /// A word with a separator behind it where a value must stand, or where one is going on.
    fn key_as_value(&self, owner: Token, token: Token, first: bool) -> Diagnostic {
        let behind = self.text.get(token.span.end as usize..).unwrap_or_default();
        let word = behind.starts_with(':') && !behind[1..].starts_with(is_blank);
        if word && first && token.line == owner.line {
            return sentence::needs_quotes(
                self.text,
                sentence::word_around(self.text, token.span.start as usize),
            );
        }
        match owner.key && first {
            true => self.no_value(owner).at(token.span, "the next key"),
            false => wrong(token.span, format!("the key '{}' cannot stand here", self.shown(token))),
        }
    }

    /// A number, a boolean or null behind something to be joined.
    fn no_join(&self, token: Token) -> Diagnostic {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at)).copied();
        if let Some(before) = before.filter(|before| before.span.end == token.span.start) {
            return self.grown_together(before, token);
        }
        let what = match token.kind {
            Kind::Int | Kind::Float => "a number",
            Kind::Include => "'include'",
            _ => "true, false and null",
        };
        wrong(token.span, format!("{what} cannot be joined with what stands before it"))
            .help("a line break does not end a value in HOCON: put a comma between items, or quotes around the whole")
    }
}
