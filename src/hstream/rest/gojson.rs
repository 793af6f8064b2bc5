//! JSON as Go's `encoding/json` reads it, with its words for what is wrong.
//!
//! HStreamDB's HTTP server is a Go program, and clients see these texts. The check walks bytes with a stack of
//! its own, so that nesting costs no recursion.
//!
//! Invariant: [`value_end`] accepts exactly one JSON value of at most Go's nesting, and ignores what follows.

/// Go's `maxNestingDepth`.
const DEPTH_MAX: usize = 10_000;

#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    /// The first element, or the end of an empty array.
    ElementOrEnd,
    /// The first key, or the end of an empty object.
    KeyOrEnd,
    Key,
    Colon,
    CommaOrEnd,
}

/// Checks the first JSON value of a text; gives where it starts and ends.
pub(super) fn value_end(text: &[u8]) -> Result<(usize, usize), String> {
    let mut stack = Vec::new();
    let mut expect = Expect::Value;
    let mut at = skip_space(text, 0);
    let start = at;
    if at == text.len() {
        return Err("EOF".to_owned());
    }
    loop {
        at = skip_space(text, at);
        let Some(&byte) = text.get(at) else { return Err(unexpected_end()) };
        let closes = match (byte, expect) {
            (b'}', Expect::KeyOrEnd) | (b']', Expect::ElementOrEnd) => true,
            (b'}', Expect::CommaOrEnd) => stack.last() == Some(&b'{'),
            (b']', Expect::CommaOrEnd) => stack.last() == Some(&b'['),
            _ => false,
        };
        if closes {
            stack.pop();
            at += 1;
        } else {
            match (expect, byte) {
                (Expect::Value | Expect::ElementOrEnd, b'{' | b'[') => {
                    stack.push(byte);
                    if stack.len() > DEPTH_MAX {
                        return Err("exceeded max depth".to_owned());
                    }
                    expect = if byte == b'{' { Expect::KeyOrEnd } else { Expect::ElementOrEnd };
                    at += 1;
                    continue;
                }
                (Expect::Value | Expect::ElementOrEnd, _) => at = scalar_end(text, at)?,
                (Expect::Key | Expect::KeyOrEnd, b'"') => {
                    at = string_end(text, at)?;
                    expect = Expect::Colon;
                    continue;
                }
                (Expect::Colon, b':') => {
                    at += 1;
                    expect = Expect::Value;
                    continue;
                }
                (Expect::CommaOrEnd, b',') => {
                    at += 1;
                    expect = if stack.last() == Some(&b'{') { Expect::Key } else { Expect::Value };
                    continue;
                }
                _ => return Err(unexpected(byte, context(expect, stack.last()))),
            }
        }
        if stack.is_empty() {
            return Ok((start, at));
        }
        expect = Expect::CommaOrEnd;
    }
}

fn context(expect: Expect, inside: Option<&u8>) -> &'static str {
    match (expect, inside) {
        (Expect::Key | Expect::KeyOrEnd, _) => "looking for beginning of object key string",
        (Expect::Colon, _) => "after object key",
        (Expect::CommaOrEnd, Some(b'{')) => "after object key:value pair",
        (Expect::CommaOrEnd, _) => "after array element",
        (Expect::Value | Expect::ElementOrEnd, _) => "looking for beginning of value",
    }
}

fn skip_space(text: &[u8], at: usize) -> usize {
    at + text[at..].iter().take_while(|b| matches!(b, b' ' | b'\t' | b'\r' | b'\n')).count()
}

fn unexpected_end() -> String {
    "unexpected EOF".to_owned()
}

/// Go shows the byte as the character of that number, quoted as in its source.
fn unexpected(byte: u8, context: &str) -> String {
    let shown = match byte {
        b'\'' => "'\\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => "'\\\\'".to_owned(),
        0x07 => "'\\a'".to_owned(),
        0x08 => "'\\b'".to_owned(),
        0x0c => "'\\f'".to_owned(),
        b'\n' => "'\\n'".to_owned(),
        b'\r' => "'\\r'".to_owned(),
        b'\t' => "'\\t'".to_owned(),
        0x0b => "'\\v'".to_owned(),
        0..0x20 | 0x7f => format!("'\\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!("'\\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    };
    format!("invalid character {shown} {context}")
}

fn scalar_end(text: &[u8], at: usize) -> Result<usize, String> {
    match text[at] {
        b'"' => string_end(text, at),
        b't' => literal_end(text, at, "true"),
        b'f' => literal_end(text, at, "false"),
        b'n' => literal_end(text, at, "null"),
        b'-' | b'0'..=b'9' => number_end(text, at),
        byte => Err(unexpected(byte, "looking for beginning of value")),
    }
}

fn literal_end(text: &[u8], at: usize, literal: &str) -> Result<usize, String> {
    for (i, wanted) in literal.bytes().enumerate().skip(1) {
        match text.get(at + i) {
            None => return Err(unexpected_end()),
            Some(byte) if *byte == wanted => {}
            Some(byte) => {
                let context = format!("in literal {literal} (expecting '{}')", char::from(wanted));
                return Err(unexpected(*byte, &context));
            }
        }
    }
    Ok(at + literal.len())
}

fn string_end(text: &[u8], at: usize) -> Result<usize, String> {
    let mut i = at + 1;
    loop {
        match text.get(i) {
            None => return Err(unexpected_end()),
            Some(b'"') => return Ok(i + 1),
            Some(b'\\') => i = escape_end(text, i + 1)?,
            Some(byte @ 0..0x20) => return Err(unexpected(*byte, "in string literal")),
            Some(_) => i += 1,
        }
    }
}

fn escape_end(text: &[u8], at: usize) -> Result<usize, String> {
    match text.get(at) {
        None => Err(unexpected_end()),
        Some(b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"') => Ok(at + 1),
        Some(b'u') => {
            for i in at + 1..at + 5 {
                match text.get(i) {
                    None => return Err(unexpected_end()),
                    Some(byte) if byte.is_ascii_hexdigit() => {}
                    Some(byte) => return Err(unexpected(*byte, "in \\u hexadecimal character escape")),
                }
            }
            Ok(at + 5)
        }
        Some(byte) => Err(unexpected(*byte, "in string escape code")),
    }
}

fn number_end(text: &[u8], mut at: usize) -> Result<usize, String> {
    let digits = |from: usize| from + text[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let need_digit = |at: usize, context: &str| match text.get(at) {
        None => Err(unexpected_end()),
        Some(byte) if byte.is_ascii_digit() => Ok(()),
        Some(byte) => Err(unexpected(*byte, context)),
    };
    if text[at] == b'-' {
        at += 1;
        need_digit(at, "in numeric literal")?;
    }
    at = if text[at] == b'0' { at + 1 } else { digits(at) };
    if text.get(at) == Some(&b'.') {
        at += 1;
        need_digit(at, "after decimal point in numeric literal")?;
        at = digits(at);
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(text.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        need_digit(at, "in exponent of numeric literal")?;
        at = digits(at);
    }
    Ok(at)
}

/// A member of an object: its key, and where its value stands in the text.
#[derive(Debug, PartialEq)]
pub(super) struct Member<'t> {
    pub(super) key: String,
    /// Where the key begins.
    pub(super) key_at: usize,
    pub(super) value: &'t [u8],
    /// Where the value begins.
    pub(super) value_at: usize,
}

/// The members of an object that [`value_end`] accepted; `None` for a value of another type.
pub(super) fn members(text: &[u8], start: usize) -> Option<Vec<Member<'_>>> {
    if text.get(start) != Some(&b'{') {
        return None;
    }
    let mut members = Vec::new();
    let mut at = skip_space(text, start + 1);
    while text.get(at) == Some(&b'"') {
        let key_end = string_end(text, at).ok()?;
        let after_colon = skip_space(text, key_end) + 1;
        let (value_start, length) = value_end(text.get(after_colon..)?).ok()?;
        let (value_at, end) = (after_colon + value_start, after_colon + length);
        members.push(Member {
            key: string(&text[at..key_end]),
            key_at: at,
            value: &text[value_at..end],
            value_at,
        });
        at = skip_space(text, end);
        if text.get(at) == Some(&b',') {
            at = skip_space(text, at + 1);
        }
    }
    Some(members)
}

/// The text of a string literal. As in Go, half a surrogate pair and each byte that is no UTF-8 become U+FFFD.
pub(super) fn string(literal: &[u8]) -> String {
    let mut out = Vec::with_capacity(literal.len());
    let mut i = 1;
    let end = literal.len().saturating_sub(1);
    while i < end {
        let byte = literal[i];
        if byte != b'\\' {
            out.push(byte);
            i += 1;
            continue;
        }
        let escaped = literal.get(i + 1).copied().unwrap_or(b'\\');
        i += 2;
        match escaped {
            b'u' => {
                let (character, taken) = unicode_escape(literal, i);
                out.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
                i += taken;
            }
            b'b' => out.push(0x08),
            b'f' => out.push(0x0c),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            other => out.push(other),
        }
    }
    utf8(out)
}

/// The character of `XXXX`, or of `XXXX\uXXXX` where they are a pair, and how many bytes that took.
fn unicode_escape(literal: &[u8], at: usize) -> (char, usize) {
    let unit = |at: usize| {
        let digits = literal.get(at..at + 4).and_then(|d| std::str::from_utf8(d).ok());
        digits.and_then(|d| u32::from_str_radix(d, 16).ok())
    };
    let Some(first) = unit(at) else { return (char::REPLACEMENT_CHARACTER, 4) };
    if let Some(character) = char::from_u32(first) {
        return (character, 4);
    }
    let second = if literal.get(at + 4..at + 6) == Some(b"\\u") { unit(at + 6) } else { None };
    match (first, second) {
        (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
            let code = 0x10000 + ((first - 0xd800) << 10) + (low - 0xdc00);
            (char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 10)
        }
        _ => (char::REPLACEMENT_CHARACTER, 4),
    }
}

/// Go replaces every single byte that is no part of a character; Rust's own function replaces runs of them.
fn utf8(bytes: Vec<u8>) -> String {
    let mut rest = match String::from_utf8(bytes) {
        Ok(text) => return text,
        Err(error) => error.into_bytes(),
    };
    let mut out = String::with_capacity(rest.len() + 8);
    loop {
        match std::str::from_utf8(&rest) {
            Ok(text) => {
                out.push_str(text);
                return out;
            }
            Err(error) => {
                let valid = error.valid_up_to();
                out.push_str(std::str::from_utf8(&rest[..valid]).unwrap_or_default());
                out.push(char::REPLACEMENT_CHARACTER);
                rest.drain(..=valid);
            }
        }
    }
}

/// Go's word for the type of a value, in its errors.
pub(super) fn type_word(value: &[u8]) -> &'static str {
    match value.first() {
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b'"') => "string",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_worded_as_go_words_them() {
        let cases = [
            ("", "EOF"),
            (" \n", "EOF"),
            ("{bad", "invalid character 'b' looking for beginning of object key string"),
            ("{\"payload\":\"{\"msg\":1}\"}", "invalid character 'm' after object key:value pair"),
            ("{\"a\"", "unexpected EOF"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("[}", "invalid character '}' looking for beginning of value"),
            ("{\"a\":1]", "invalid character ']' after object key:value pair"),
            ("tru", "unexpected EOF"),
            ("trux", "invalid character 'x' in literal true (expecting 'e')"),
            ("\"a\nb\"", "invalid character '\\n' in string literal"),
            ("\"\\x\"", "invalid character 'x' in string escape code"),
            ("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+", "unexpected EOF"),
            ("1ex", "invalid character 'x' in exponent of numeric literal"),
            ("\u{e9}", "invalid character 'Ã' looking for beginning of value"),
            ("'", "invalid character '\\'' looking for beginning of value"),
        ];
        for (text, error) in cases {
            assert_eq!(value_end(text.as_bytes()), Err(error.to_owned()), "{text}");
        }
    }

    #[test]
    fn one_value_is_taken_and_what_follows_is_left() {
        let cases = [
            ("{} trailing", 0, 2),
            (" [1,[2,{\"a\":[]}]],", 1, 17),
            ("\"x\\\"y\"z", 0, 6),
            ("01", 0, 1),
            ("-0.5e-3,", 0, 7),
        ];
        for (text, start, end) in cases {
            assert_eq!(value_end(text.as_bytes()), Ok((start, end)), "{text}");
        }
        let deep = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
        assert!(value_end(deep(DEPTH_MAX).as_bytes()).is_ok());
        assert_eq!(value_end(deep(DEPTH_MAX + 1).as_bytes()), Err("exceeded max depth".to_owned()));
    }

    #[test]
    fn members_are_found_with_their_places() {
        let text = b" { \"a\" : [1,{\"b\":2}] ,\"\\u0062\":null}";
        let found = members(text, 1).unwrap();
        let shown: Vec<_> = found.iter().map(|m| (m.key.as_str(), m.key_at, m.value, m.value_at)).collect();
        assert_eq!(shown, [("a", 3, &b"[1,{\"b\":2}]"[..], 9), ("b", 22, b"null", 31)]);
        assert_eq!(members(b"{}", 0), Some(vec![]));
        assert_eq!(members(b"[]", 0), None);
    }

    #[test]
    fn strings_are_decoded_with_replacement_of_what_is_no_text() {
        let cases: [(&[u8], &str); 6] = [
            (b"\"a\\n\\/\\\"\\u00e9\"", "a\n/\"é"),
            (b"\"\\ud83d\\ude00\"", "😀"),
            (b"\"\\ud83dx\"", "\u{fffd}x"),
            (b"\"\\udc00\\ud83d\\u0041\"", "\u{fffd}\u{fffd}A"),
            (b"\"\xff\xfe\"", "\u{fffd}\u{fffd}"),
            (b"\"\xe2\x82x\"", "\u{fffd}\u{fffd}x"),
        ];
        for (literal, text) in cases {
            assert_eq!(string(literal), text);
        }
    }
}
