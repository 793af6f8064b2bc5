//! `unescape`: backslash sequences turned into the characters they stand for.
//!
//! Invariant: a sequence that EMQX does not know is an error, so that it may come to mean something later.

use crate::func::table::builtins;
use crate::func::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(in crate::func) ROWS, "string":
    "unescape"(text: STR) -> STR, Pure, Only5 => unescape,
        "The text with \\n, \\t, \\r, \\b, \\f, \\v, \\a, \\', \\\", \\?, \\\\ and \\x with hexadecimal \
         digits turned into their characters.",
        [
            "unescape('a\\tb')" => Ok("\"a\\tb\""),
            "unescape('\\x41')" => Ok("\"A\""),
            "unescape('\\d')" => Err("\\d"),
        ];
}

fn unescape(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut out = String::new();
    let mut rest = args::utf8(args, 0)?;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let mut after = rest[at + 1..].chars();
        let Some(c) = after.next() else {
            // A backslash that ends the text stands for itself.
            rest = &rest[at..];
            break;
        };
        rest = after.as_str();
        out.push(match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'a' => '\u{7}',
            '\\' | '\'' | '"' | '?' => c,
            'x' => {
                let digits = rest.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(rest.len());
                let code = u32::from_str_radix(rest[..digits].trim_start_matches('0'), 16);
                // Zeros alone are the character NUL.
                let code = if digits > 0 && rest[..digits].bytes().all(|b| b == b'0') { Ok(0) } else { code };
                let c = code
                    .ok()
                    .and_then(char::from_u32)
                    .ok_or_else(|| unknown(&format!("x{}", &rest[..digits])))?;
                rest = &rest[digits..];
                c
            }
            c => return Err(unknown(&c.to_string())),
        });
    }
    out.push_str(rest);
    Ok(Value::from(out))
}

fn unknown(sequence: &str) -> FnError {
    FnError::failed(format!("\\{sequence} stands for no character"))
}
