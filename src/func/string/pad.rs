//! Texts filled up to a length.
//!
//! Invariant: a text that is long enough comes back as it is; what is added is bytes, one for each code point.

use num_traits::{Signed, ToPrimitive};

use super::case::latin;
use super::clusters;
use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(in crate::func) ROWS, "string":
    "pad"(text: STR, len: INT) -> STR, Pure, Both => pad,
        "The text filled up with blanks at its end to a number of characters.",
        ["pad('abc', 5)" => Ok("\"abc  \""), "pad('abc', '5')" => Err("an integer")];
    "pad"(text: STR, len: INT, where: ANY) -> STR, Pure, Both => pad,
        "The text filled up with blanks to a number of characters: 'leading', 'trailing' or 'both'.",
        [
            "pad('abc', 5, 'leading')" => Ok("\"  abc\""),
            "pad('abc', 5, 'left')" => Err("'leading', 'trailing' or 'both'"),
        ];
    "pad"(text: STR, len: INT, where: ANY, with: STR) -> STR, Pure, Both => pad,
        "The text filled up to a number of characters with another text, which is put there whole for each \
         one that is missing.",
        ["pad('abc', 5, 'both', '*')" => Ok("\"*abc*\""), "pad('abc', 5, 'both', '你')" => Err("U+00FF")];
}

fn pad(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let text = args::utf8(args, 0)?;
    let len = args::integer(args, 1)?;
    let both = match args.get(2).map(Value::as_bytes) {
        None => None,
        Some(Some(word)) if word == "trailing" => None,
        Some(Some(word)) if word == "leading" => Some(false),
        Some(Some(word)) if word == "both" => Some(true),
        _ => return Err(FnError::argument(3, "'leading', 'trailing' or 'both'", &args[2])),
    };
    let missing = len - clusters(text).count();
    if !missing.is_positive() {
        return Ok(args[0].clone());
    }
    let with = match args.get(3) {
        None => vec![b' '],
        Some(with) => args::utf8(args, 3)
            .ok()
            .and_then(|with| latin(with.chars()))
            .ok_or_else(|| FnError::argument(4, "text without characters past U+00FF", with))?,
    };
    let missing = missing.to_usize().unwrap_or(usize::MAX);
    args::within_text(missing.saturating_mul(with.len().max(1)).saturating_add(text.len()))?;
    let left = match both {
        None => 0,
        Some(false) => missing,
        Some(true) => missing / 2,
    };
    Ok(Value::bytes(
        [with.repeat(left).as_slice(), text.as_bytes(), with.repeat(missing - left).as_slice()].concat(),
    ))
}
