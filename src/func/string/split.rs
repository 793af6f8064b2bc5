//! Texts cut into lists.
//!
//! Invariant: `split` cuts at a text and counts clusters; `tokens` cuts at bytes.

use super::search::{Where, split as pieces};
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(in crate::func) ROWS, "string":
    "split"(text: STR, by: STR) -> LIST, Pure, Both => |_, a| split_text(a, Where::All, false),
        "The pieces of a text between all places of another, without empty ones.",
        ["split('a,b,,c', ',')" => Ok("[\"a\",\"b\",\"c\"]"), "split('abc', 1)" => Err("a string")];
    "split"(text: STR|LIST, by: STR|LIST, where: ANY) -> LIST, Pure, Both => split,
        "The pieces of a text: around the first ('leading') or last ('trailing') place of another, without \
         empty ones; or with them, 'leading_notrim', 'trailing_notrim', and around all places 'notrim'.",
        [
            "split('a,b,,c', ',', 'notrim')" => Ok("[\"a\",\"b\",\"\",\"c\"]"),
            "split('a,b,c', ',', 'trailing')" => Ok("[\"a,b\",\"c\"]"),
            "split('a', ',', 'first')" => Err("'notrim'"),
        ];
    "tokens"(text: STR, separators: STR) -> LIST, Pure, Both => |_, a| tokens(a, false),
        "The pieces of a string between any of the bytes of another, without empty ones.",
        ["tokens('a,b;c', ',;')" => Ok("[\"a\",\"b\",\"c\"]"), "tokens('abc', 1)" => Err("a string")];
    "tokens"(text: STR, separators: STR, nocrlf: STR) -> LIST, Pure, Both => tokens_nocrlf,
        "The pieces of a string between any of the bytes of another, or line ends ('nocrlf').",
        [
            "tokens('a,b', ',', 'nocrlf')" => Ok("[\"a\",\"b\"]"),
            "tokens('a', ',', 'crlf')" => Err("'nocrlf'"),
        ];
}

fn split_text(args: &[Value], places: Where, empty: bool) -> Result<Value, FnError> {
    let (text, by) = (args::utf8(args, 0)?, args::utf8(args, 1)?);
    let bytes = args::bytes(args, 0)?;
    let pieces = pieces(text, by, places);
    args::within_list(pieces.len())?;
    let pieces = pieces.into_iter().filter(|piece| empty || !piece.is_empty());
    Ok(Value::list(pieces.map(|piece| Value::Str(bytes.slice_ref(piece.as_bytes()))).collect()))
}

fn split(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let word = args[2].as_bytes().map_or(&b""[..], |word| word.as_ref());
    let (places, empty) = match word {
        b"notrim" => (Where::All, true),
        b"leading_notrim" => (Where::Leading, true),
        b"trailing_notrim" => (Where::Trailing, true),
        b"leading" => (Where::Leading, false),
        b"trailing" => (Where::Trailing, false),
        _ => {
            let wanted = "'notrim', 'leading', 'leading_notrim', 'trailing' or 'trailing_notrim'";
            return Err(FnError::argument(3, wanted, &args[2]));
        }
    };
    match (&args[0], &args[1]) {
        (Value::Str(_), Value::Str(_)) => split_text(args, places, empty),
        (Value::Str(_), by) if empty => {
            let by = spelled(by, 2)?;
            split_text(&[args[0].clone(), Value::from(by)], places, true)
        }
        (Value::List(_), by) if empty => split_list(&args[0], &spelled(by, 2)?, places),
        (Value::Str(_), by) => Err(FnError::argument(2, "a string", by)),
        (text, _) => Err(FnError::argument(1, "a string", text)),
    }
}

fn spelled(value: &Value, index: usize) -> Result<String, FnError> {
    args::chardata(value)
        .and_then(|text| String::from_utf8(text).ok())
        .ok_or_else(|| FnError::argument(index, "a string, or a list of characters and strings", value))
}

/// The `notrim` modes take any character data: a list is cut into lists of what it held, characters and strings.
fn split_list(list: &Value, by: &str, places: Where) -> Result<Value, FnError> {
    let text = spelled(list, 1)?;
    if by.is_empty() {
        return Ok(Value::list(vec![list.clone()]));
    }
    let mut leaves = Vec::new();
    flatten(list, &mut leaves);
    let pieces = pieces(&text, by, places).into_iter().map(|piece| {
        let start = piece.as_ptr() as usize - text.as_ptr() as usize;
        let mut at = 0;
        let mut items = Vec::new();
        for leaf in &leaves {
            let (from, to) = (at.max(start), (at + leaf.len()).min(start + piece.len()));
            at += leaf.len();
            if from >= to {
                continue;
            }
            match leaf {
                Leaf::Character(n, _) => items.push(Value::Int(*n)),
                Leaf::Text(_) => items.push(Value::str(&text[from..to])),
            }
        }
        Value::list(items)
    });
    Ok(Value::list(pieces.collect()))
}

/// A character with its length in UTF-8, or the length of a string.
enum Leaf {
    Character(i64, usize),
    Text(usize),
}

impl Leaf {
    fn len(&self) -> usize {
        match self {
            Leaf::Character(_, len) | Leaf::Text(len) => *len,
        }
    }
}

fn flatten(value: &Value, leaves: &mut Vec<Leaf>) {
    for item in value.as_list().unwrap_or_default() {
        match item {
            Value::Int(n) => {
                let c = u32::try_from(*n).ok().and_then(char::from_u32);
                leaves.push(Leaf::Character(*n, c.map_or(0, char::len_utf8)));
            }
            Value::Str(text) => leaves.push(Leaf::Text(text.len())),
            inner => flatten(inner, leaves),
        }
    }
}

fn tokens_nocrlf(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    match args::bytes(args, 2)?.as_ref() {
        b"nocrlf" => tokens(args, true),
        _ => Err(FnError::argument(3, "'nocrlf'", &args[2])),
    }
}

/// Bytes stand for themselves, but CR LF is one character: it separates only where the whole of it is asked for.
fn tokens(args: &[Value], line_ends: bool) -> Result<Value, FnError> {
    let (text, separators) = (args::bytes(args, 0)?, args::bytes(args, 1)?);
    let mut set = [false; 256];
    separators.iter().for_each(|b| set[usize::from(*b)] = true);
    if line_ends {
        set[usize::from(b'\r')] = true;
        set[usize::from(b'\n')] = true;
    }
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < text.len() {
        let crlf = text[at..].starts_with(b"\r\n");
        let len = if crlf && set[usize::from(b'\r')] { 2 } else { 1 };
        let separates = set[usize::from(text[at])] && (!crlf || line_ends);
        if separates {
            if start < at {
                out.push((start, at));
                args::within_list(out.len())?;
            }
            start = at + len;
        }
        at += len;
    }
    if start < text.len() {
        out.push((start, text.len()));
    }
    let pieces = out.into_iter();
    Ok(Value::list(pieces.map(|(from, to)| Value::Str(text.slice(from..to))).collect()))
}
