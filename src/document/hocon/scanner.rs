//! Text to tokens as EMQX's scanner cuts it (hocon_scanner.xrl): at every place the longest token wins.
//!
//! Invariant: tokens lie in the text one behind the other, and what lies between them is blank or a comment.

use super::Release;
use super::sentence;
use crate::diag::{Diagnostic, codes};
use crate::limits;
use crate::text::Span;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Comma,
    /// `:` or `=`.
    Separator,
    True,
    False,
    Null,
    Int,
    Float,
    /// An unquoted string, or a path of keys.
    Word,
    /// `5s`, `256MB`, `80%`: a string as written.
    Unit,
    /// `"…"`.
    Quoted,
    /// `"""…"""`.
    Triple,
    /// `${path}`.
    Variable,
    /// `${?path}`.
    MaybeVariable,
    Include,
    /// `required(` in front of a file's name, whose closing parenthesis is no token.
    Required,
}

impl Kind {
    /// Can it be a key, when a separator follows?
    pub(super) fn is_string(self) -> bool {
        matches!(self, Kind::Word | Kind::Unit | Kind::Quoted | Kind::Triple)
    }

    /// Can it be joined with what follows?
    pub(super) fn joins(self) -> bool {
        use Kind::{MaybeVariable, RightBrace, RightBracket, Variable};
        self.is_string() || matches!(self, Variable | MaybeVariable | RightBrace | RightBracket)
    }
}

/// A token and its place in its own file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) span: Span,
    /// Its line as EMQX counts: only line feeds.
    pub(super) line: u32,
    /// A separator follows, so that it is a key.
    pub(super) key: bool,
    /// Nothing that could be joined with it follows.
    pub(super) end: bool,
}

/// The tokens of a text, and where its comments are.
pub(super) struct Scanned {
    pub(super) tokens: Vec<Token>,
    pub(super) comments: Vec<Span>,
}

/// Cuts a text into tokens.
pub(super) fn scan(text: &str, release: Release) -> Result<Scanned, Diagnostic> {
    let out = Scanned { tokens: Vec::new(), comments: Vec::new() };
    let mut scanner = Scanner { text, at: 0, line: 1, release, unclosed: None, out };
    while let Some(c) = scanner.rest().chars().next() {
        scanner.step(c)?;
        if scanner.out.tokens.len() > limits::HOCON_TOKENS_MAX {
            let message = format!("more than {} words and signs", limits::HOCON_TOKENS_MAX);
            let at = Span::new(scanner.at, scanner.at);
            return Err(Diagnostic::error(codes::TOO_LARGE, message).at(at, ""));
        }
    }
    Ok(scanner.out)
}

/// Ends a comment, and may not stand in a string in quotes.
pub(super) fn is_line_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}')
}

/// May stand between tokens.
pub(super) fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{b}' | '\u{c}' | '\u{a0}') || is_line_break(c)
}

/// The length of the unquoted word that a text begins with.
pub(super) fn word_length(text: &str) -> usize {
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return 0;
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || "_.@%-|".contains(c);
    text.find(|c| !inner(c)).unwrap_or(text.len())
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    line: u32,
    release: Release,
    /// Three quotes that nothing closes; EMQX reads them as an empty string and goes on.
    unclosed: Option<usize>,
    out: Scanned,
}

impl<'a> Scanner<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Kind, length: usize) {
        let span = Span::new(self.at, self.at + length);
        self.out.tokens.push(Token { kind, span, line: self.line, key: false, end: false });
        self.at += length;
    }

    fn step(&mut self, c: char) -> Result<(), Diagnostic> {
        let rest = self.rest();
        match c {
            _ if is_blank(c) => {
                self.line += u32::from(c == '\n');
                self.at += c.len_utf8();
            }
            '#' => self.comment(),
            '/' if rest.starts_with("//") => self.comment(),
            '{' => self.push(Kind::LeftBrace, 1),
            '}' => self.push(Kind::RightBrace, 1),
            '[' => self.push(Kind::LeftBracket, 1),
            ']' => self.push(Kind::RightBracket, 1),
            ',' => self.push(Kind::Comma, 1),
            ':' | '=' => self.push(Kind::Separator, 1),
            '"' => self.string()?,
            '$' => self.variable()?,
            'a'..='z' | 'A'..='Z' => self.word(),
            '0'..='9' | '+' | '-' | '.' => self.number()?,
            _ => return Err(sentence::stray(self.text, self.at)),
        }
        Ok(())
    }

    fn comment(&mut self) {
        let length = self.rest().find(is_line_break).unwrap_or(self.rest().len());
        self.out.comments.push(Span::new(self.at, self.at + length));
        self.at += length;
    }

    fn word(&mut self) {
        let rest = self.rest();
        let length = word_length(rest);
        let word = &rest[..length];
        let kind = match word {
            "true" => Kind::True,
            "false" => Kind::False,
            "null" => Kind::Null,
            "include" => Kind::Include,
            "required" => return self.required(),
            _ => Kind::Word,
        };
        self.push(kind, length);
    }

    /// `required("file")` as one: EMQX's scanner takes it only without blanks.
    fn required(&mut self) {
        let word = "required".len();
        let open = self.at + word;
        let name = self.text[open..].starts_with("(\"").then(|| quoted_end(self.text, open + 1)).flatten();
        match name.filter(|end| self.text[*end..].starts_with(')')) {
            None => self.push(Kind::Word, word),
            Some(end) => {
                self.push(Kind::Required, word + 1);
                self.push(Kind::Quoted, end - self.at);
                self.at += 1;
            }
        }
    }

    fn number(&mut self) -> Result<(), Diagnostic> {
        let rest = self.rest();
        let digits_of = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let sign = usize::from(rest.starts_with(['+', '-']));
        let digits = digits_of(&rest[sign..]);
        let whole = sign + digits;
        let tail = &rest[whole..];
        if sign == 0 && digits > 0 {
            let unit = self.unit_length(tail);
            if unit > 0 {
                self.push(Kind::Unit, whole + unit);
                return Ok(());
            }
        }
        let fraction = tail.strip_prefix('.').map_or(0, digits_of);
        if fraction == 0 {
            return match digits {
                0 => Err(sentence::stray(self.text, self.at)),
                _ => {
                    self.push(Kind::Int, whole);
                    Ok(())
                }
            };
        }
        let mut length = whole + 1 + fraction;
        if sign > 0 && digits == 0 {
            return Err(sentence::no_digit(&rest[..length], self.at));
        }
        if digits > 0
            && let Some(exponent) = rest[length..].strip_prefix(['e', 'E'])
        {
            let sign = usize::from(exponent.starts_with(['+', '-']));
            let digits = digits_of(&exponent[sign..]);
            length += if digits > 0 { 1 + sign + digits } else { 0 };
        }
        self.push(Kind::Float, length);
        Ok(())
    }

    fn unit_length(&self, tail: &str) -> usize {
        const TWO: [&str; 8] = ["kb", "KB", "mb", "MB", "gb", "GB", "ms", "MS"];
        if TWO.iter().any(|unit| tail.starts_with(unit)) {
            return 2;
        }
        let one = tail.starts_with(['d', 'D', 'h', 'H', 'm', 'M', 's', 'S', '%']);
        let byte = self.release == Release::Newer && tail.starts_with(['b', 'B']);
        usize::from(one || byte)
    }

    fn variable(&mut self) -> Result<(), Diagnostic> {
        let rest = self.rest();
        let (kind, open) = match rest.starts_with("${?") {
            true => (Kind::MaybeVariable, 3),
            false => (Kind::Variable, 2),
        };
        let name = if rest.starts_with("${") { word_length(&rest[open..]) } else { 0 };
        if name == 0 || !rest[open + name..].starts_with('}') {
            return Err(sentence::no_variable(self.text, self.at));
        }
        self.push(kind, open + name + 1);
        Ok(())
    }

    fn string(&mut self) -> Result<(), Diagnostic> {
        let at = self.at;
        if self.rest().starts_with("\"\"\"") {
            if let Some(end) = triple_end(self.text, at, self.release) {
                self.push(Kind::Triple, end - at);
                let breaks = self.text[at..end].bytes().filter(|b| *b == b'\n').count();
                self.line += u32::try_from(breaks).unwrap_or(u32::MAX);
                return Ok(());
            }
            self.unclosed = Some(at);
            self.push(Kind::Quoted, 2);
            return Ok(());
        }
        match quoted_end(self.text, at) {
            Some(end) => {
                self.push(Kind::Quoted, end - at);
                Ok(())
            }
            None if self.unclosed.is_some_and(|open| open + 2 == at) => {
                Err(sentence::unclosed_triple(at - 2))
            }
            None => {
                let last = self.out.tokens.last();
                let behind = last.is_some_and(|t| t.kind == Kind::Triple && t.span.end as usize == at);
                Err(sentence::unclosed_string(self.text, at, behind))
            }
        }
    }
}

/// Where a string in quotes ends. EMQX takes the longest: a quote behind a backslash closes the string only when no
/// further quote of the line does.
fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let mut last = None;
    let mut before = '"';
    for (at, c) in text[start + 1..].char_indices() {
        let end = start + 1 + at + 1;
        match c {
            '"' if before != '\\' => return Some(end),
            '"' => last = Some(end),
            _ if is_line_break(c) => break,
            _ => {}
        }
        before = c;
    }
    last
}

/// Where a string in three quotes ends, by the scanner's expression: a body of characters that are no quote, of one
/// or two quotes with another character behind them, and of escapes. Before 0.45.3 an escape may be of a quote, so
/// that `\"""` does not always end the string.
fn triple_end(text: &str, start: usize, release: Release) -> Option<usize> {
    const BODY: u8 = 1;
    const ONE: u8 = 2;
    const TWO: u8 = 4;
    const ESCAPE: u8 = 8;
    const CLOSING: u8 = 16;
    const CLOSING_TWO: u8 = 32;
    let escapes: &[u8] = match release {
        Release::V0_44 => b"\"\\bfnrt",
        Release::Newer => b"\\bfnrt",
    };
    let (mut states, mut end) = (BODY, None);
    for (at, c) in text.bytes().enumerate().skip(start + 3) {
        let has = |state: u8| states & state != 0;
        let quote = c == b'"';
        let mut next = 0;
        if has(BODY) {
            next |= if quote { ONE | CLOSING } else { BODY };
            next |= if c == b'\\' { ESCAPE } else { 0 };
        }
        if has(ONE) {
            next |= if quote { TWO } else { BODY };
        }
        if (has(TWO) && !quote) || (has(ESCAPE) && escapes.contains(&c)) {
            next |= BODY;
        }
        if has(CLOSING) && quote {
            next |= CLOSING_TWO;
        }
        if has(CLOSING_TWO) && quote {
            end = Some(at + 1);
        }
        states = next;
        if states == 0 {
            break;
        }
    }
    end
}
