//! Case, length, parts and order of characters.
//!
//! Invariant: positions count clusters from 0.

use num_traits::ToPrimitive;

use super::{Clusters, clusters};
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(in crate::func) ROWS, "string":
    "lower"(text: STR) -> STR, Pure, Both =>
        |_, a| Ok(Value::from(args::utf8(a, 0)?.chars().flat_map(char::to_lowercase).collect::<String>())),
        "The text in lower case.",
        ["lower('HELLO É')" => Ok("\"hello é\""), "lower(1)" => Err("a string")];
    "upper"(text: STR) -> STR, Pure, Both =>
        |_, a| Ok(Value::from(args::utf8(a, 0)?.chars().flat_map(char::to_uppercase).collect::<String>())),
        "The text in upper case.",
        ["upper('straße')" => Ok("\"STRASSE\""), "upper(1)" => Err("a string")];
    "reverse"(text: STR) -> STR, Pure, Both => reverse,
        "The characters in reverse order, each as one Latin-1 byte; a character past U+00FF is an error, as \
         in EMQX.",
        ["reverse('abc')" => Ok("\"cba\""), "reverse('你')" => Err("U+00FF")];
    "strlen"(text: STR) -> INT, Pure, Both =>
        |_, a| Ok(Value::Int(clusters(args::utf8(a, 0)?).count() as i64)),
        "How many characters a text has; a letter with its accents is one.",
        ["strlen('héllo')" => Ok("5"), "strlen(1)" => Err("a string")];
    "substr"(text: STR, start: INT) -> STR, Pure, Both => substr,
        "The text from a character on, counted from 0.",
        ["substr('hello', 1)" => Ok("\"ello\""), "substr('abc', -1)" => Err("0 or more")];
    "substr"(text: STR, start: INT, len: INT) -> STR, Pure, Both => substr,
        "At most so many characters of a text from one on, counted from 0.",
        ["substr('hello', 1, 3)" => Ok("\"ell\""), "substr('abc', 0, -1)" => Err("0 or more")];
    "ascii"(text: STR) -> INT, Pure, Both => ascii,
        "The first byte of a string as a number.",
        ["ascii('a')" => Ok("97"), "ascii('')" => Err("not empty")];
}

/// `iolist_to_binary` of reversed characters: their code points must be bytes.
fn reverse(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let all: Vec<&str> = clusters(args::utf8(args, 0)?).collect();
    let bytes = all.iter().rev().flat_map(|cluster| cluster.chars());
    latin(bytes)
        .ok_or_else(|| FnError::argument(1, "text without characters past U+00FF", &args[0]))
        .map(Value::bytes)
}

/// Characters as Latin-1 bytes.
pub(in crate::func) fn latin(text: impl Iterator<Item = char>) -> Option<Vec<u8>> {
    text.map(|c| u8::try_from(u32::from(c)).ok()).collect()
}

/// Moves on by so many clusters.
fn skip(text: &mut Clusters<'_>, count: usize) {
    if count > 0 {
        text.nth(count - 1);
    }
}

fn count(args: &[Value], at: usize) -> Result<usize, FnError> {
    let n = args::integer(args, at)?;
    match n.sign() {
        num_bigint::Sign::Minus => Err(FnError::argument(at + 1, "0 or more", &args[at])),
        _ => Ok(n.to_usize().unwrap_or(usize::MAX)),
    }
}

fn substr(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let bytes = args::bytes(args, 0)?;
    // These two are answered before the text, or even the start, is looked at (`string:slice/2,3`).
    match (&args[1], args.get(2)) {
        (Value::Int(0), None) => return Ok(args[0].clone()),
        (_, Some(Value::Int(0))) => return Ok(Value::str("")),
        _ => {}
    }
    let text = args::utf8(args, 0)?;
    let mut from = clusters(text);
    skip(&mut from, count(args, 1)?);
    let mut to = clusters(from.rest());
    if args.len() > 2 {
        skip(&mut to, count(args, 2)?);
    } else {
        to = clusters("");
    }
    let (start, end) = (text.len() - from.rest().len(), text.len() - to.rest().len());
    Ok(Value::Str(bytes.slice(start..end)))
}

fn ascii(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let first = args::bytes(args, 0)?.first().copied();
    let first = first.ok_or_else(|| FnError::argument(1, "a string that is not empty", &args[0]))?;
    Ok(Value::Int(i64::from(first)))
}
