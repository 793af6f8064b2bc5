//! What is cut from the ends of a text.
//!
//! Invariant: blanks are those of Erlang's `string:trim/1`, which knows no U+00A0.

use std::collections::BTreeSet;

use super::{clusters, first_len};
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::{Bytes, Value};

builtins! { pub(in crate::func) ROWS, "string":
    "trim"(text: STR) -> STR, Pure, Both => |_, a| cut(a, true, Some(&blank)),
        "The text without blanks at both ends.",
        ["trim('  a b ')" => Ok("\"a b\""), "trim(1)" => Err("a string")];
    "ltrim"(text: STR) -> STR, Pure, Both => |_, a| cut(a, true, None),
        "The text without blanks at the start.",
        ["ltrim('  a ')" => Ok("\"a \""), "ltrim(1)" => Err("a string")];
    "rtrim"(text: STR) -> STR, Pure, Both => |_, a| cut(a, false, Some(&blank)),
        "The text without blanks at the end.",
        ["rtrim(' a  ')" => Ok("\" a\""), "rtrim(1)" => Err("a string")];
    "rtrim"(text: STR, characters: LIST) -> STR, Pure, Only5 => rtrim,
        "The text without the listed characters at the end. They are given as numbers; EMQX takes no string \
         here.",
        ["rtrim('abc!!', [33])" => Ok("\"abc\""), "rtrim('abc!!', '!')" => Err("a list")];
    "rm_prefix"(text: ANY, prefix: BITSTRING|TUPLE) -> ANY, Pure, Only5 => rm_prefix,
        "The string without a prefix; anything else stays as it is.",
        [
            "rm_prefix('abc', 'ab')" => Ok("\"c\""),
            "rm_prefix('abc', 'x')" => Ok("\"abc\""),
            "rm_prefix('abc', 1)" => Err("a bit string"),
        ];
}

fn blank(cluster: &str) -> bool {
    let mut chars = cluster.chars();
    match (chars.next(), chars.next()) {
        (Some('\r'), Some('\n')) => true,
        (Some(c), None) => {
            matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
        }
        _ => false,
    }
}

fn cut(args: &[Value], start: bool, end: Option<&dyn Fn(&str) -> bool>) -> Result<Value, FnError> {
    let text = args::utf8(args, 0)?;
    let bytes = args::bytes(args, 0)?;
    let from = if start { clusters(text).take_while(|c| blank(c)).map(str::len).sum() } else { 0 };
    let to = end.map_or(text.len(), |is| from + kept(&text[from..], is));
    Ok(Value::Str(bytes.slice(from..to)))
}

/// Length of the text before the clusters at its end that are to go. A cluster is looked for from each character
/// that could start one to be cut, not from the start of the text: that is how `string:trim/2` finds a blank after a
/// character that would join it.
fn kept(text: &str, is: impl Fn(&str) -> bool) -> usize {
    let (mut at, mut end) = (0, None);
    while let Some(len) = first_len(&text[at..]) {
        if is(&text[at..at + len]) {
            end = end.or(Some(at));
            at += len;
        } else {
            end = None;
            at += text[at..].chars().next().map_or(len, char::len_utf8);
        }
    }
    end.unwrap_or(text.len())
}

/// Only numbers and lists of numbers are clusters to Erlang; a string among them is accepted and never found.
fn rtrim(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let wrong = || FnError::argument(2, "a list of characters as numbers", &args[1]);
    let mut cut = BTreeSet::new();
    for item in args::list(args, 1)? {
        let spelled = args::chardata(&Value::list(vec![item.clone()]))
            .filter(|text| !text.is_empty())
            .ok_or_else(wrong)?;
        let spelled = String::from_utf8(spelled).map_err(|_| wrong())?;
        if !matches!(item, Value::Str(_)) {
            cut.insert(spelled);
        }
    }
    let text = args::utf8(args, 0)?;
    let end = if cut.is_empty() { text.len() } else { kept(text, |cluster| cut.contains(cluster)) };
    Ok(Value::Str(args::bytes(args, 0)?.slice(..end)))
}

fn rm_prefix(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let (Value::Str(text), Value::Str(prefix)) = (&args[0], &args[1]) else { return Ok(args[0].clone()) };
    let rest: Option<Bytes> = text.starts_with(prefix).then(|| text.slice(prefix.len()..));
    Ok(rest.map_or_else(|| args[0].clone(), Value::Str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends() {
        let end = |text| kept(text, blank);
        assert_eq!(end("a \r\n"), 1);
        assert_eq!(end("a\u{a0}"), 3);
        assert_eq!(end("a\u{2028}"), 1);
        assert_eq!(end(" "), 0);
        assert_eq!(end("a \u{301}"), 4, "a blank with an accent is no blank");
        assert_eq!(end("\u{600} "), 2, "a blank is found behind what would join it");
    }
}
