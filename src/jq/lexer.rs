//! Tokens of a jq 1.6 program.
//!
//! Invariant: every byte of the program belongs to a token, a space or a comment, or is the error.

use super::number;
use super::reader;

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name, with `::` in it or not, or a keyword.
    Name(String),
    /// `.name`
    Field(String),
    /// `@name`
    Format(String),
    Number(f64),
    /// An operator or a bracket.
    Sign(&'static str),
    /// The quote that begins a string.
    Quote,
    /// Text of a string, escapes resolved.
    Text(String),
    /// `\(`
    Open,
    /// The `)` of a `\(`.
    Close,
    /// The quote that ends a string.
    Unquote,
}

/// A token and the byte at which it begins.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub token: Token,
    pub at: usize,
}

/// Why the text is no program, and the byte where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub text: String,
    pub at: usize,
}

/// Longest first, so that the first that fits is the longest.
const SIGNS: [&str; 29] = [
    "?//", "//=", "!=", "==", "//", "|=", "+=", "-=", "*=", "/=", "%=", "<=", ">=", "..", ".", "?", "=", ";",
    ",", ":", "|", "+", "-", "*", "/", "%", "$", "<", ">",
];

/// What the lexer stands in.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Paren,
    Bracket,
    Brace,
    Interpolation,
    String,
}

struct Lexer<'p> {
    program: &'p str,
    at: usize,
    within: Vec<Within>,
    tokens: Vec<Place>,
}

/// The tokens of a program.
pub(super) fn tokens(program: &str) -> Result<Vec<Place>, Fault> {
    let mut lexer = Lexer { program, at: 0, within: Vec::new(), tokens: Vec::new() };
    while lexer.at < program.len() {
        if lexer.within.last() == Some(&Within::String) { lexer.string()? } else { lexer.token()? }
    }
    Ok(lexer.tokens)
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

impl<'p> Lexer<'p> {
    fn rest(&self) -> &'p str {
        &self.program[self.at..]
    }

    /// How many bytes from `from` on are like this?
    fn run(&self, from: usize, like: impl Fn(u8) -> bool) -> usize {
        self.program.as_bytes()[from..].iter().take_while(|byte| like(**byte)).count()
    }

    fn push(&mut self, token: Token, length: usize) {
        self.tokens.push(Place { token, at: self.at });
        self.at += length;
    }

    fn fault(&self, text: impl Into<String>) -> Fault {
        Fault { text: text.into(), at: self.at }
    }

    fn token(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let (first, second) = (bytes[0], bytes.get(1).copied().unwrap_or_default());
        match first {
            b' ' | b'\n' | b'\t' => self.at += 1,
            b'#' => self.at += self.run(self.at, |byte| !matches!(byte, b'\r' | b'\n')),
            b'"' => {
                self.push(Token::Quote, 1);
                self.within.push(Within::String);
            }
            b'.' if is_name_start(second) => {
                let length = 1 + self.run(self.at + 1, is_name);
                self.push(Token::Field(rest[1..length].into()), length);
            }
            b'@' if is_name(second) => {
                let length = 1 + self.run(self.at + 1, is_name);
                self.push(Token::Format(rest[1..length].into()), length);
            }
            byte if is_name_start(byte) => self.name(),
            byte if byte.is_ascii_digit() || byte == b'.' => return self.number_or_dots(),
            b'(' | b'[' | b'{' => self.enter(first),
            b')' | b']' | b'}' => return self.leave(first),
            _ => return self.sign(),
        }
        Ok(())
    }

    /// `name`, `module::name`, or a keyword.
    fn name(&mut self) {
        let mut length = self.run(self.at, is_name);
        while self.rest()[length..].starts_with("::") {
            let next = self.at + length + 2;
            if !self.program.as_bytes().get(next).is_some_and(|byte| is_name_start(*byte)) {
                break;
            }
            length += 2 + self.run(next, is_name);
        }
        self.push(Token::Name(self.rest()[..length].into()), length);
    }

    /// A number is any run of digits and dots, with an exponent or not; but `.` and `..` are signs.
    fn number_or_dots(&mut self) -> Result<(), Fault> {
        let mut length = self.run(self.at, |byte| byte.is_ascii_digit() || byte == b'.');
        let rest = self.rest();
        if rest[..length] == *"." || rest[..length] == *".." {
            return self.sign();
        }
        if let Some(b'e' | b'E') = rest.as_bytes().get(length) {
            let signed = matches!(rest.as_bytes().get(length + 1), Some(b'+' | b'-'));
            let from = length + 1 + usize::from(signed);
            let digits = self.run(self.at + from.min(rest.len()), |byte| byte.is_ascii_digit());
            if digits > 0 {
                length = from + digits;
            }
        }
        let number = number::parse(&rest[..length]);
        let number = number.ok_or_else(|| self.fault(format!("`{}` is no number", &rest[..length])))?;
        self.push(Token::Number(number), length);
        Ok(())
    }

    fn sign(&mut self) -> Result<(), Fault> {
        match SIGNS.iter().find(|sign| self.rest().starts_with(**sign)) {
            Some(sign) => {
                self.push(Token::Sign(sign), sign.len());
                Ok(())
            }
            None => {
                let c = self.rest().chars().next().unwrap_or_default();
                Err(self.fault(format!("{c:?} does not belong in a program")))
            }
        }
    }

    fn enter(&mut self, bracket: u8) {
        let (sign, within) = match bracket {
            b'(' => ("(", Within::Paren),
            b'[' => ("[", Within::Bracket),
            _ => ("{", Within::Brace),
        };
        self.push(Token::Sign(sign), 1);
        self.within.push(within);
    }

    fn leave(&mut self, bracket: u8) -> Result<(), Fault> {
        let token = match (bracket, self.within.last()) {
            (b')', Some(Within::Paren)) => Token::Sign(")"),
            (b')', Some(Within::Interpolation)) => Token::Close,
            (b']', Some(Within::Bracket)) => Token::Sign("]"),
            (b'}', Some(Within::Brace)) => Token::Sign("}"),
            _ => return Err(self.fault(format!("`{}` closes nothing", char::from(bracket)))),
        };
        self.within.pop();
        self.push(token, 1);
        Ok(())
    }

    /// Reads on inside a string.
    fn string(&mut self) -> Result<(), Fault> {
        let rest = self.rest();
        if rest.starts_with('"') {
            self.push(Token::Unquote, 1);
            self.within.pop();
        } else if rest.starts_with("\\(") {
            self.push(Token::Open, 2);
            self.within.push(Within::Interpolation);
        } else if rest.starts_with('\\') {
            let length = self.escapes();
            let text = reader::unescape_literal(&rest[..length]).map_err(|problem| self.fault(problem))?;
            self.push(Token::Text(text), length);
        } else {
            let length = rest.find(['\\', '"']).unwrap_or(rest.len());
            self.push(Token::Text(rest[..length].into()), length);
        }
        Ok(())
    }

    /// The length of a run of escapes: they are resolved together, as two may be one character.
    fn escapes(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        while let Some(code) = rest[length..].strip_prefix('\\').and_then(|tail| tail.chars().next()) {
            length += match code {
                '(' => break,
                'u' => 2 + self.run(self.at + length + 2, |byte| byte.is_ascii_alphanumeric()).min(4),
                code => 1 + code.len_utf8(),
            };
        }
        // A lone backslash ends the program: it is an escape of nothing.
        length.max(1)
    }
}
