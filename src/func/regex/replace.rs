//! `regex_replace`: all matches, and what stands in their place.
//!
//! Invariant: the result never grows past [`limits::TEXT_BYTES_MAX`](crate::limits::TEXT_BYTES_MAX).

use super::{Compiled, Span};
use crate::func::{FnError, args};

/// A piece of a replacement.
enum Piece {
    Text(Vec<u8>),
    Group(usize),
}

/// The subject with every match replaced (`re:replace/4` with `global`).
pub(super) fn replace(pattern: &Compiled, subject: &[u8], by: &[u8]) -> Result<Vec<u8>, FnError> {
    let mut out = Vec::new();
    let mut done = 0;
    let mut pieces = None;
    let mut put = |groups: &[Option<Span>]| -> Result<(), FnError> {
        let Some((start, end)) = groups[0] else { return Ok(()) };
        // `\K` can move the start of a match in front of the last one's end.
        out.extend_from_slice(&subject[done.min(start)..start]);
        for piece in pieces.get_or_insert_with(|| parse(by)).as_ref().map_err(Clone::clone)? {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Group(n) => {
                    if let Some(Some((start, end))) = groups.get(*n) {
                        out.extend_from_slice(&subject[*start..*end.max(start)]);
                    }
                }
            }
        }
        done = end.max(start);
        args::within_text(out.len())
    };
    let mut from = 0;
    while from <= subject.len() {
        let Some(groups) = pattern.search(subject, from) else { break };
        let (start, end) = groups[0].unwrap_or((from, from));
        put(&groups)?;
        if end > start {
            from = end;
        } else if let Some(groups) = pattern.search_not_empty(subject, start) {
            put(&groups)?;
            from = groups[0].map_or(start + 1, |(_, end)| end.max(start + 1));
        } else {
            from = start + 1;
        }
    }
    out.extend_from_slice(&subject[done..]);
    args::within_text(out.len())?;
    Ok(out)
}

/// `&`, `\N`, `\gN` and `\g{N}` are groups; a backslash before anything else makes it literal.
fn parse(by: &[u8]) -> Result<Vec<Piece>, FnError> {
    let mut pieces = Vec::new();
    let mut text = Vec::new();
    let mut rest = by;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let group = match (first, after.first()) {
            (b'&', _) => Some(0),
            (b'\\', Some(b'1'..=b'9')) => {
                let (n, after) = number(after);
                rest = after;
                Some(n)
            }
            (b'\\', Some(b'g')) => {
                let braced = after.get(1) == Some(&b'{');
                let (n, after) = number(&after[1 + usize::from(braced)..]);
                rest = if braced { after.strip_prefix(b"}").ok_or_else(bad_group)? } else { after };
                if n == usize::MAX { return Err(bad_group()) } else { Some(n) }
            }
            (b'\\', Some(escaped)) => {
                text.push(*escaped);
                rest = &after[1..];
                None
            }
            _ => {
                text.push(*first);
                None
            }
        };
        if let Some(group) = group {
            pieces.push(Piece::Text(std::mem::take(&mut text)));
            pieces.push(Piece::Group(group));
        }
    }
    pieces.push(Piece::Text(text));
    Ok(pieces)
}

/// All digits from the start on; `usize::MAX` where there are none, or more than count.
fn number(text: &[u8]) -> (usize, &[u8]) {
    let end = text.iter().position(|b| !b.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let n = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    // More digits than count name a group that no pattern has.
    (n.unwrap_or(if digits.is_empty() { usize::MAX } else { usize::MAX - 1 }), rest)
}

fn bad_group() -> FnError {
    FnError::failed("in the replacement, \\g wants the number of a group, as in \\g{1}")
}
