//! JSON text as jq 1.6 reads it: it takes `+1`, `01`, `1.` and `.5`, and a text that is no UTF-8.
//!
//! Invariant: one pass without recursion; what is open stands on a stack of at most [`JQ_INPUT_DEPTH_MAX`].

use std::rc::Rc;

use super::meter;
use super::number;
use super::throw::{Answer, Throw, error};
use super::value::{Key, Members, Text, Val, lossy};
use crate::limits::JQ_INPUT_DEPTH_MAX;

/// The one value of a JSON text, or jq's message with line and column.
pub(super) fn read(text: &[u8]) -> Answer {
    let fail =
        |problem: &str| error(format!("{problem} (while parsing '{}')", lossy(until_nul(text).to_vec())));
    let mut reader = Reader::new(text);
    let mut next = || match reader.next() {
        Ok(value) => Ok(value),
        Err(Fault::Text(problem)) => Err(fail(&problem)),
        Err(Fault::Throw(throw)) => Err(throw),
    };
    let value = next()?;
    let Some(value) = value else { return Err(fail("Expected JSON value")) };
    match next()? {
        Some(_) => Err(fail("Unexpected extra JSON values")),
        None => Ok(value),
    }
}

/// The part of a C string that C sees.
pub(super) fn until_nul(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

enum Fault {
    /// A problem, with its place.
    Text(String),
    Throw(Throw),
}

/// A problem without its place, or the end of the run.
enum Problem {
    Is(&'static str),
    Throw(Throw),
}

impl From<&'static str> for Problem {
    fn from(text: &'static str) -> Problem {
        Problem::Is(text)
    }
}

/// What is open.
enum Open {
    Arr(Vec<Val>),
    Obj(Members),
    /// A key whose value is to come.
    Key(Rc<Text>),
}

#[derive(PartialEq)]
enum State {
    Normal,
    String,
    Escape,
}

struct Reader<'t> {
    bytes: std::slice::Iter<'t, u8>,
    state: State,
    stack: Vec<Open>,
    next: Option<Val>,
    token: Vec<u8>,
    line: usize,
    column: usize,
    malformed: bool,
    ended: bool,
}

impl<'t> Reader<'t> {
    fn new(text: &'t [u8]) -> Reader<'t> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        let shared = text.iter().zip(MARK).take_while(|(a, b)| a == b).count();
        Reader {
            bytes: text[shared..].iter(),
            state: State::Normal,
            stack: Vec::new(),
            next: None,
            token: Vec::new(),
            line: 1,
            column: 0,
            malformed: shared > 0 && shared < MARK.len() && shared < text.len(),
            ended: false,
        }
    }

    /// The next value of the text, `None` behind the last.
    fn next(&mut self) -> Result<Option<Val>, Fault> {
        if self.ended {
            return Ok(None);
        }
        if self.malformed {
            return Err(Fault::Text("Malformed BOM".into()));
        }
        while let Some(&byte) = self.bytes.next() {
            match self.scan(byte) {
                Ok(Some(value)) => return Ok(Some(value)),
                Ok(None) => {}
                Err(problem) => return Err(self.fault(problem, "")),
            }
        }
        self.ended = true;
        if self.state != State::Normal {
            return Err(self.fault("Unfinished string".into(), " at EOF"));
        }
        if let Err(problem) = self.literal() {
            return Err(self.fault(problem, " at EOF"));
        }
        if !self.stack.is_empty() {
            return Err(self.fault("Unfinished JSON term".into(), " at EOF"));
        }
        Ok(self.next.take())
    }

    fn fault(&self, problem: Problem, place: &str) -> Fault {
        match problem {
            Problem::Throw(throw) => Fault::Throw(throw),
            Problem::Is(text) => {
                Fault::Text(format!("{text}{place} at line {}, column {}", self.line, self.column))
            }
        }
    }

    /// Takes one byte, and gives a value that is complete with or before it.
    fn scan(&mut self, byte: u8) -> Result<Option<Val>, Problem> {
        self.column += 1;
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        }
        match self.state {
            State::String if byte == b'"' => {
                self.state = State::Normal;
                let raw = std::mem::take(&mut self.token);
                let text = unescape(&raw)?;
                self.value(Val::str(text))?;
                return Ok(self.done());
            }
            State::String | State::Escape => {
                let escape = self.state == State::String && byte == b'\\';
                self.state = if escape { State::Escape } else { State::String };
                self.token.push(byte);
                return Ok(None);
            }
            State::Normal => {}
        }
        let mut done = None;
        let structure = matches!(byte, b'[' | b']' | b'{' | b'}' | b',' | b':');
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e);
        if structure || space || byte == b'"' {
            self.literal()?;
            done = self.done();
        }
        match byte {
            b'"' => self.state = State::String,
            _ if structure => self.structure(byte)?,
            _ if space => {}
            _ => self.token.push(byte),
        }
        Ok(self.done().or(done))
    }

    fn done(&mut self) -> Option<Val> {
        if self.stack.is_empty() { self.next.take() } else { None }
    }

    fn value(&mut self, value: Val) -> Result<(), Problem> {
        meter::spend(1).and_then(|()| meter::room(0)).map_err(|stop| Problem::Throw(stop.into()))?;
        if self.next.is_some() {
            return Err("Expected separator between values".into());
        }
        self.next = Some(value);
        Ok(())
    }

    fn literal(&mut self) -> Result<(), Problem> {
        let token = std::mem::take(&mut self.token);
        let value = match token.first() {
            None => return Ok(()),
            Some(b't') if token == b"true" => Val::Bool(true),
            Some(b'f') if token == b"false" => Val::Bool(false),
            Some(b'n') if token == b"null" => Val::Null,
            Some(b't' | b'f' | b'n') => return Err("Invalid literal".into()),
            Some(_) => {
                let number = std::str::from_utf8(&token).ok().and_then(number::parse);
                Val::Num(number.ok_or("Invalid numeric literal")?)
            }
        };
        self.value(value)
    }

    fn structure(&mut self, byte: u8) -> Result<(), Problem> {
        match byte {
            b'[' => self.open(Open::Arr(Vec::new())),
            b'{' => self.open(Open::Obj(Members::default())),
            b':' => self.colon(),
            b',' => self.comma(),
            b']' => self.close_array(),
            _ => self.close_object(),
        }
    }

    fn open(&mut self, open: Open) -> Result<(), Problem> {
        if self.stack.len() >= JQ_INPUT_DEPTH_MAX {
            return Err("Exceeds depth limit for parsing".into());
        }
        if self.next.is_some() {
            return Err("Expected separator between values".into());
        }
        self.stack.push(open);
        Ok(())
    }

    fn colon(&mut self) -> Result<(), Problem> {
        let Some(key) = self.next.take() else { return Err("Expected string key before ':'".into()) };
        if !matches!(self.stack.last(), Some(Open::Obj(_))) {
            return Err("':' not as part of an object".into());
        }
        let Val::Str(key) = key else { return Err("Object keys must be strings".into()) };
        self.stack.push(Open::Key(key));
        Ok(())
    }

    fn comma(&mut self) -> Result<(), Problem> {
        let Some(value) = self.next.take() else { return Err("Expected value before ','".into()) };
        match self.stack.last_mut() {
            None => Err("',' not as part of an object or array".into()),
            Some(Open::Arr(items)) => {
                items.push(value);
                Ok(())
            }
            Some(Open::Key(_)) => {
                self.member(value);
                Ok(())
            }
            Some(Open::Obj(_)) => Err("Objects must consist of key:value pairs".into()),
        }
    }

    /// Puts a value under the open key.
    fn member(&mut self, value: Val) {
        let Some(Open::Key(key)) = self.stack.pop() else { return };
        if let Some(Open::Obj(members)) = self.stack.last_mut() {
            members.insert(Key(key), value);
        }
    }

    fn close_array(&mut self) -> Result<(), Problem> {
        let Some(Open::Arr(items)) = self.stack.last_mut() else { return Err("Unmatched ']'".into()) };
        match self.next.take() {
            Some(value) => items.push(value),
            None if !items.is_empty() => return Err("Expected another array element".into()),
            None => {}
        }
        let items = std::mem::take(items);
        self.stack.pop();
        self.next = Some(Val::list(items));
        Ok(())
    }

    fn close_object(&mut self) -> Result<(), Problem> {
        match (self.stack.last(), self.next.take()) {
            (None, _) => return Err("Unmatched '}'".into()),
            (Some(Open::Key(_)), Some(value)) => self.member(value),
            (_, Some(_)) => return Err("Objects must consist of key:value pairs".into()),
            (Some(Open::Obj(members)), None) if members.is_empty() => {}
            (Some(Open::Obj(_)), None) => return Err("Expected another key-value pair".into()),
            (_, None) => return Err("Unmatched '}'".into()),
        }
        if let Some(Open::Obj(members)) = self.stack.pop() {
            self.next = Some(Val::object(members));
        }
        Ok(())
    }
}

/// The text of a string literal between its quotes.
pub(super) fn unescape_literal(raw: &str) -> Result<String, &'static str> {
    unescape(raw.as_bytes()).map_err(|problem| match problem {
        Problem::Is(text) => text,
        Problem::Throw(_) => "Invalid escape",
    })
}

fn unescape(raw: &[u8]) -> Result<String, Problem> {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let [byte, tail @ ..] = rest {
        rest = tail;
        match byte {
            b'\\' => {
                let [code, tail @ ..] = rest else {
                    return Err("Expected escape character at end of string".into());
                };
                rest = tail;
                match code {
                    b'\\' | b'"' | b'/' => out.push(*code),
                    b'b' => out.push(8),
                    b'f' => out.push(12),
                    b't' => out.push(b'\t'),
                    b'n' => out.push(b'\n'),
                    b'r' => out.push(b'\r'),
                    b'u' => rest = code_point(rest, &mut out)?,
                    _ => return Err("Invalid escape".into()),
                }
            }
            1..0x1f => {
                let problem = "Invalid string: control characters from U+0000 through U+001F must be escaped";
                return Err(problem.into());
            }
            _ => out.push(*byte),
        }
    }
    Ok(lossy(out))
}

/// Reads the four digits behind `\u`, and those of a second surrogate.
fn code_point<'r>(rest: &'r [u8], out: &mut Vec<u8>) -> Result<&'r [u8], Problem> {
    let (first, mut rest) = rest.split_at_checked(4).ok_or("Invalid \\uXXXX escape")?;
    let mut code = hex(first).ok_or("Invalid characters in \\uXXXX escape")?;
    if (0xd800..0xdc00).contains(&code) {
        const PAIR: &str = "Invalid \\uXXXX\\uXXXX surrogate pair escape";
        let (second, tail) = rest.split_at_checked(6).ok_or(PAIR)?;
        let low = second.strip_prefix(b"\\u").and_then(hex);
        let low = low.filter(|low| (0xdc00..0xe000).contains(low)).ok_or(PAIR)?;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        rest = tail;
    }
    // A second surrogate alone is no character; jq writes it raw, and then finds that it is no UTF-8.
    let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    Ok(rest)
}

fn hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |n, digit| Some(n * 16 + char::from(*digit).to_digit(16)?))
}
