//! Finding and replacing.
//!
//! Invariant: a hit counts only if its last code point stands alone, so 'e' is not found in 'é' of two code points.

use super::first_len;
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(in crate::func) ROWS, "string":
    "find"(text: STR, part: STR) -> STR, Pure, Both => find,
        "The text from the first place of a part on, or an empty string.",
        ["find('a.b.c', '.')" => Ok("\".b.c\""), "find('abc', 1)" => Err("a string")];
    "find"(text: STR, part: STR, where: ANY) -> STR, Pure, Both => find,
        "The text from the first ('leading') or last ('trailing') place of a part on, or an empty string.",
        [
            "find('a.b.c', '.', 'trailing')" => Ok("\".c\""),
            "find('abc', 'b', 'all')" => Err("'leading' or 'trailing'"),
        ];
    "replace"(text: STR, part: STR, by: STR) -> STR, Pure, Both => replace,
        "The text with every place of a part replaced.",
        ["replace('a.b.c', '.', '-')" => Ok("\"a-b-c\""), "replace('abc', 1, '-')" => Err("a string")];
    "replace"(text: STR, part: STR, by: STR, where: ANY) -> STR, Pure, Both => replace,
        "The text with the places of a part replaced: 'all', the first ('leading') or the last ('trailing').",
        [
            "replace('a.b.c', '.', '-', 'trailing')" => Ok("\"a.b-c\""),
            "replace('abc', 'b', '-', 'first')" => Err("'all', 'leading' or 'trailing'"),
        ];
}

/// Which places count.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::func) enum Where {
    All,
    Leading,
    Trailing,
}

/// The first place of a part at or after `from`.
fn next(text: &str, part: &str, from: usize) -> Option<usize> {
    let last = part.chars().next_back()?.len_utf8();
    let mut from = from;
    loop {
        let at = from + text[from..].find(part)?;
        let end = at + part.len();
        if first_len(&text[end - last..]) == Some(last) {
            return Some(at);
        }
        from = at + text[at..].chars().next().map_or(1, char::len_utf8);
    }
}

/// The last place; places may overlap.
fn last(text: &str, part: &str) -> Option<usize> {
    let mut found = None;
    let mut from = 0;
    while let Some(at) = next(text, part, from) {
        found = Some(at);
        from = at + text[at..].chars().next().map_or(1, char::len_utf8);
    }
    found
}

/// The pieces between the places of a part; an empty part is nowhere.
pub(in crate::func) fn split<'a>(text: &'a str, part: &str, places: Where) -> Vec<&'a str> {
    let cut = |at: usize| vec![&text[..at], &text[at + part.len()..]];
    match places {
        Where::All => split_all(text, part),
        Where::Leading => next(text, part, 0).map_or_else(|| vec![text], cut),
        Where::Trailing => last(text, part).map_or_else(|| vec![text], cut),
    }
}

/// The pieces between all places of a part.
pub(in crate::func) fn split_all<'a>(text: &'a str, part: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while let Some(at) = next(text, part, from) {
        pieces.push(&text[from..at]);
        from = at + part.len();
    }
    pieces.push(&text[from..]);
    pieces
}

fn find(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (text, part) = (args::utf8(args, 0)?, args::utf8(args, 1)?);
    let from = match args.get(2).map(Value::as_bytes) {
        None => next,
        Some(Some(word)) if word == "leading" => next,
        Some(Some(word)) if word == "trailing" => |text: &str, part: &str, _: usize| last(text, part),
        _ => return Err(FnError::argument(3, "'leading' or 'trailing'", &args[2])),
    };
    let at = if part.is_empty() { Some(0) } else { from(text, part, 0) };
    let bytes = args::bytes(args, 0)?;
    Ok(at.map_or_else(|| Value::str(""), |at| Value::Str(bytes.slice(at..))))
}

fn replace(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (text, part, by) = (args::utf8(args, 0)?, args::utf8(args, 1)?, args::bytes(args, 2)?);
    let places = match args.get(3).map(Value::as_bytes) {
        None => Where::All,
        Some(Some(word)) if word == "all" => Where::All,
        Some(Some(word)) if word == "leading" => Where::Leading,
        Some(Some(word)) if word == "trailing" => Where::Trailing,
        _ => return Err(FnError::argument(4, "'all', 'leading' or 'trailing'", &args[3])),
    };
    let pieces = split(text, part, places);
    args::within_text(text.len().saturating_add(by.len().saturating_mul(pieces.len())))?;
    let pieces: Vec<&[u8]> = pieces.into_iter().map(str::as_bytes).collect();
    Ok(Value::bytes(pieces.join(by.as_ref())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_whole_characters() {
        assert_eq!(next("e\u{301}e", "e", 0), Some(3));
        assert_eq!(next("a\r\nb", "\r", 0), None);
        assert_eq!(next("a\r\nb", "\n", 0), Some(2));
        assert_eq!(next("abc", "", 0), None);
        assert_eq!(last("aaa", "aa"), Some(1), "places may overlap");
        assert_eq!(split_all("aaa", "aa"), ["", "a"]);
    }
}
