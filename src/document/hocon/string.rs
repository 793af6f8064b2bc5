//! Strings as EMQX reads them, with the place of every character.

use super::Release;
use super::scanner::Kind;
use crate::document::place::Trail;
use crate::text::Span;

/// What is wrong with a string, and where in its token.
pub(super) struct Bad {
    pub(super) span: Span,
    pub(super) message: &'static str,
    pub(super) help: &'static str,
}

/// The value of a string's token, whose first byte lies at `base` of the file.
pub(super) fn decode(kind: Kind, token: &str, base: usize, release: Release) -> Result<Trail, Bad> {
    let mut trail = Trail::default();
    match kind {
        Kind::Quoted => {
            let inner = token.get(1..token.len() - 1).unwrap_or_default();
            unescape(inner, base + 1, release, &mut trail)
                .map_err(|bad| Bad { span: bad.span.shifted(1), ..bad })?;
        }
        Kind::Triple => {
            let inner = token.get(3..token.len() - 3).unwrap_or_default();
            if inner.ends_with("\\\"") {
                return Err(Bad {
                    span: Span::new(token.len() - 4, token.len()),
                    message: "EMQX refuses four quotes at the end of a string",
                    help: "put another character, such as a blank, between the last quote and the closing ones",
                });
            }
            undent(inner, base + 3, &mut trail);
        }
        _ => trail.push(base, token, token.len()),
    }
    Ok(trail)
}

/// `\\ \" \n \t \r \b \f`, from 0.46 on also `\u00e9`; any other backslash stands for itself.
fn unescape(inner: &str, base: usize, release: Release, trail: &mut Trail) -> Result<(), Bad> {
    let mut at = 0;
    while at < inner.len() {
        let rest = &inner[at..];
        let plain = rest.find('\\').unwrap_or(rest.len());
        if plain > 0 {
            trail.push(base + at, &rest[..plain], plain);
            at += plain;
            continue;
        }
        let simple = match rest.as_bytes().get(1) {
            Some(b'\\') => "\\",
            Some(b'"') => "\"",
            Some(b'n') => "\n",
            Some(b't') => "\t",
            Some(b'r') => "\r",
            Some(b'b') => "\u{8}",
            Some(b'f') => "\u{c}",
            Some(b'u') if release == Release::Newer => {
                let Some((c, length)) = unicode(rest) else {
                    return Err(Bad {
                        span: Span::new(at, at + 2),
                        message: "\\u needs four hexadecimal digits that are a character",
                        help: "a backslash that is meant as such is written twice",
                    });
                };
                trail.push(base + at, c.encode_utf8(&mut [0; 4]), length);
                at += length;
                continue;
            }
            _ => {
                trail.push(base + at, "\\", 1);
                at += 1;
                continue;
            }
        };
        trail.push(base + at, simple, 2);
        at += 2;
    }
    Ok(())
}

/// The character of a `\u` escape and the bytes that it is written in.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok())?
    };
    match unit(0)? {
        high @ 0xD800..=0xDBFF => {
            let low = unit(6).filter(|low| (0xDC00..=0xDFFF).contains(low))?;
            Some((char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, 12))
        }
        code => Some((char::from_u32(code)?, 6)),
    }
}

/// The text between three quotes: raw, or, behind a `~` that ends its line, without its common indentation and
/// without a `~` in front of the closing quotes (hocon_scanner:unindent/1).
fn undent(inner: &str, base: usize, trail: &mut Trail) {
    let body = inner.strip_prefix("~\r\n").or_else(|| inner.strip_prefix("~\n"));
    let Some(body) = body else {
        trail.push(base, inner, inner.len());
        return;
    };
    let mut at = base + inner.len() - body.len();
    let lines: Vec<&str> = body.strip_suffix('~').unwrap_or(body).split('\n').collect();
    let indent = common_indent(&lines);
    for (number, line) in lines.iter().enumerate() {
        if number > 0 {
            trail.push(at - 1, "\n", 1);
        }
        let cut = line.bytes().take(indent).take_while(|b| *b == b' ').count();
        if cut < line.len() {
            trail.push(at + cut, &line[cut..], line.len() - cut);
        }
        at += line.len() + 1;
    }
}

/// The blanks that all lines begin with; empty lines do not count, nor does a last line of blanks.
fn common_indent(lines: &[&str]) -> usize {
    let indent = |line: &&str| match *line {
        "" | "\r" => None,
        line => Some(line.bytes().take_while(|b| *b == b' ').count()),
    };
    match lines {
        [] => 0,
        [one] => indent(one).unwrap_or(0),
        [lines @ .., last] => {
            let least = lines.iter().filter_map(indent).min().unwrap_or(0);
            match indent(last) {
                Some(of_last) if of_last < last.len() => least.min(of_last),
                _ => least,
            }
        }
    }
}
