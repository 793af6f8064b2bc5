//! `sprintf`: Erlang's `io_lib:format/2` over bytes.
//!
//! A directive is `~F.P.PadModC`: width (left-justified if negative), precision, padding character, modifiers `t` and
//! `l`, and a letter. The result must be bytes, as `iolist_to_binary` of it would be.
//!
//! Invariant: every argument is used, and no more than there are; anything else is an error.

mod field;
mod number;
mod pretty;
mod term;

use num_traits::ToPrimitive;

use self::field::{Codes, Field, Pad};
use super::table::builtins;
use super::{FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "string":
    "sprintf"(format: STR) -> STR, Pure, Both => |_, a| format(a, &[]),
        "The format with its directives replaced; without arguments only ~~ and ~n can stand in it.",
        ["sprintf('100~~')" => Ok("\"100~\""), "sprintf('~s')" => Err("no argument is left")];
    "sprintf"(format: STR, arguments: ANY; ...) -> STR, Pure, Both => |_, a| format(a, &a[1..]),
        "The format with its directives replaced by the arguments: ~s for strings, ~p and ~w for any value, \
         ~b for integers, ~.2f for floats, ~c for a byte.",
        [
            "sprintf('~s is ~p', 'x', 1)" => Ok("\"x is 1\""),
            "sprintf('~.2f', 1.5)" => Ok("\"1.50\""),
            "sprintf('~s', 1)" => Err("argument 2"),
            "sprintf('~s', 'a', 'b')" => Err("not used"),
        ];
    "sprintf_s"(format: STR, arguments: LIST) -> STR, Pure, Both => |_, a| format(a, args::list(a, 1)?),
        "As sprintf, with the arguments in a list.",
        ["sprintf_s('~s is ~p', ['x', 1])" => Ok("\"x is 1\""), "sprintf_s('~s', 'x')" => Err("a list")];
}

/// The arguments of a format, taken from the front.
struct Given<'a> {
    all: &'a [Value],
    used: usize,
}

impl<'a> Given<'a> {
    fn next(&mut self) -> Result<&'a Value, FnError> {
        let value =
            self.all.get(self.used).ok_or_else(|| FnError::failed("no argument is left for a directive"))?;
        self.used += 1;
        Ok(value)
    }

    /// The last argument taken is not what its directive takes.
    fn wrong(&self, directive: u8, wanted: &str) -> FnError {
        let shown =
            self.used.checked_sub(1).and_then(|at| self.all.get(at)).map(args::show).unwrap_or_default();
        let (at, letter) = (self.used + 1, char::from(directive));
        FnError::failed(format!("~{letter} takes {wanted}, and argument {at} is {shown}"))
    }
}

fn format(args: &[Value], given: &[Value]) -> Result<Value, FnError> {
    let mut rest = args::bytes(args, 0)?.as_ref();
    let mut given = Given { all: given, used: 0 };
    let mut out: Vec<u8> = Vec::with_capacity(rest.len() + 16);
    let mut column = 0;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let codes =
            if *first == b'~' { directive(&mut rest, &mut given, column)? } else { vec![u32::from(*first)] };
        for code in codes {
            column = match code {
                10 => 0,
                9 => (column + 8) / 8 * 8,
                _ => column + 1,
            };
            let byte = u8::try_from(code).map_err(|_| {
                FnError::failed("a character past U+00FF is no byte; write ~s instead of ~ts")
            })?;
            out.push(byte);
        }
        args::within_text(out.len())?;
    }
    if given.used < given.all.len() {
        return Err(FnError::failed(format!("argument {} is not used by the format", given.used + 2)));
    }
    Ok(Value::bytes(out))
}

/// What a directive gives; `rest` stands behind its `~`.
fn directive(rest: &mut &[u8], given: &mut Given<'_>, column: i64) -> Result<Codes, FnError> {
    let mut field = Field::default();
    let left = eat(rest, b'-');
    field.width = value(rest, given)?;
    if left {
        let width = field
            .width
            .ok_or_else(|| FnError::failed("a minus sign in a directive wants a width after it"))?;
        field.width = Some(width.saturating_neg());
    }
    if let Some(width) = field.width.filter(|width| *width < 0) {
        (field.width, field.left) = (Some(width.saturating_neg()), true);
    }
    if eat(rest, b'.') {
        field.precision = value(rest, given)?;
    }
    if rest.len() > 1 && eat(rest, b'.') {
        field.pad = match next(rest)? {
            b'*' => Pad::of(given.next()?),
            byte => Pad::byte(byte),
        };
    }
    let (mut unicode, mut strings) = (false, true);
    loop {
        match next(rest)? {
            b't' => unicode = true,
            b'l' => strings = false,
            letter => return control(letter, &field, given, How { unicode, strings, column }),
        }
    }
}

/// What modifiers and place say about printing.
#[derive(Clone, Copy)]
struct How {
    unicode: bool,
    strings: bool,
    column: i64,
}

fn eat(rest: &mut &[u8], byte: u8) -> bool {
    match rest.strip_prefix(&[byte]) {
        Some(after) => {
            *rest = after;
            true
        }
        None => false,
    }
}

fn next(rest: &mut &[u8]) -> Result<u8, FnError> {
    let (first, after) =
        rest.split_first().ok_or_else(|| FnError::failed("the format ends inside a directive"))?;
    *rest = after;
    Ok(*first)
}

/// A width past any text, from which arithmetic is still far from its own bounds.
const FAR: i64 = 1 << 40;

/// A width or precision: digits, or `*` for the next argument.
fn value(rest: &mut &[u8], given: &mut Given<'_>) -> Result<Option<i64>, FnError> {
    if eat(rest, b'*') {
        return match given.next()? {
            Value::Int(n) => Ok(Some((*n).clamp(-FAR, FAR))),
            _ => Err(given.wrong(b'*', "an integer")),
        };
    }
    let mut number: Option<i64> = None;
    while let Some(digit @ b'0'..=b'9') = rest.first() {
        number = Some(number.unwrap_or(0).saturating_mul(10).saturating_add(i64::from(digit - b'0')));
        *rest = &rest[1..];
    }
    Ok(number.map(|n| n.min(FAR)))
}

fn control(letter: u8, field: &Field, given: &mut Given<'_>, how: How) -> Result<Codes, FnError> {
    match letter {
        b'~' => field.repeat(u32::from(b'~')),
        b'n' => field.newlines(),
        b'i' => given.next().map(|_| Codes::new()),
        b's' => {
            let value = given.next()?;
            let text = text(value, how.unicode)
                .ok_or_else(|| given.wrong(b's', "a string, an atom or a list of characters"))?;
            field.string(text)
        }
        b'c' => match (given.next()?, how.unicode) {
            (Value::Int(n), true) => {
                field.repeat(u32::try_from(*n).map_err(|_| given.wrong(b'c', "a character"))?)
            }
            (Value::Int(n), false) => field.repeat((*n & 255) as u32),
            (Value::Big(n), false) => field.repeat((&**n & BigInt::from(255)).to_u32().unwrap_or(0)),
            _ => Err(given.wrong(b'c', "an integer")),
        },
        b'w' | b'W' => {
            let value = given.next()?;
            let depth = if letter == b'W' { depth(given)? } else { -1 };
            field.term(term::write(value, depth))
        }
        b'p' | b'P' => {
            let value = given.next()?;
            let depth = if letter == b'P' { depth(given)? } else { -1 };
            if field.left {
                return Err(FnError::failed("~p takes no minus sign: its width is the length of a line"));
            }
            let line = pretty::Line {
                length: field.width.unwrap_or(80),
                column: field.precision.unwrap_or(how.column + 1),
                unicode: how.unicode,
                strings: how.strings,
            };
            Ok(pretty::print(value, depth, line))
        }
        b'b' | b'B' | b'x' | b'X' | b'+' | b'#' => integer(letter, field, given),
        b'e' | b'f' | b'g' => match given.next()? {
            Value::Float(f) => number::float(letter, *f, field),
            _ => Err(given.wrong(letter, "a float; float(…) makes one of an integer")),
        },
        other => Err(FnError::failed(format!("~{} is no directive", char::from(other).escape_default()))),
    }
}

fn depth(given: &mut Given<'_>) -> Result<i64, FnError> {
    match given.next()? {
        // Below zero means without end.
        Value::Int(depth) => Ok((*depth).max(-1)),
        _ => Err(given.wrong(b'P', "an integer as its depth")),
    }
}

/// Integers in a base, which is the precision: `b` plain, `x` behind a prefix, `#` behind the base.
fn integer(letter: u8, field: &Field, given: &mut Given<'_>) -> Result<Codes, FnError> {
    let n = given.next()?.to_bigint().ok_or_else(|| given.wrong(letter, "an integer"))?;
    let base = field.precision.unwrap_or(10);
    let prefix = match letter {
        b'b' | b'B' => Codes::new(),
        b'+' | b'#' => ascii(&format!("{base}#")),
        _ => match given.next()? {
            list @ Value::List(_) => characters(list),
            other => other.atom_name().map(|name| ascii(&String::from_utf8_lossy(name))),
        }
        .ok_or_else(|| given.wrong(letter, "a prefix as a list of characters"))?,
    };
    let base = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
    let base = base.ok_or_else(|| {
        FnError::failed("the base of an integer, which is its precision, goes from 2 to 36")
    })?;
    let digits = n.magnitude().to_str_radix(base);
    // `b`, `x` and `+` are in lower case.
    let digits = if matches!(letter, b'b' | b'x' | b'+') { digits } else { digits.to_ascii_uppercase() };
    let sign = if n.sign() == num_bigint::Sign::Minus { "-" } else { "" };
    let plain = Field { precision: None, ..field.clone() };
    plain.term([ascii(sign), prefix, ascii(&digits)].concat())
}

fn ascii(text: &str) -> Codes {
    text.chars().map(u32::from).collect()
}

/// The code points of a list of characters, however nested.
fn characters(value: &Value) -> Option<Codes> {
    let text = args::chardata(value)?;
    let no_strings =
        |value: &Value| value.as_list().is_some_and(|items| items.iter().all(|i| i.as_bytes().is_none()));
    no_strings(value).then(|| ascii(&String::from_utf8_lossy(&text)))
}

/// The characters of `~s`: bytes, or code points under `~ts`, where bytes that are no UTF-8 stand for themselves.
fn text(value: &Value, unicode: bool) -> Option<Codes> {
    let mut out = Codes::new();
    flatten(value, unicode, &mut out, crate::limits::JSON_DEPTH_MAX)?;
    Some(out)
}

fn flatten(value: &Value, unicode: bool, out: &mut Codes, depth: usize) -> Option<()> {
    match value {
        Value::Str(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) if unicode => out.extend(text.chars().map(u32::from)),
            _ => out.extend(bytes.iter().map(|b| u32::from(*b))),
        },
        Value::List(items) => {
            let depth = depth.checked_sub(1)?;
            for item in items.iter() {
                match item {
                    Value::Int(n) if unicode => out.push(u32::try_from(*n).ok()?),
                    Value::Int(n) => out.push(u32::from(u8::try_from(*n).ok()?)),
                    Value::Str(_) | Value::List(_) => flatten(item, unicode, out, depth)?,
                    _ => return None,
                }
            }
        }
        other => out.extend(String::from_utf8_lossy(other.atom_name()?).chars().map(u32::from)),
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, given: &[Value]) -> Result<String, String> {
        let value = format(&[Value::str(text)], given).map_err(|e| e.to_string())?;
        Ok(String::from_utf8_lossy(value.as_bytes().unwrap()).into_owned())
    }

    #[test]
    fn directives() {
        let cases: &[(&str, &[Value], &str)] = &[
            ("~s|~5s|~-5s|~.2s|~2s", &["a", "b", "c", "def", "ghi"].map(Value::from), "a|    b|c    |de|gh"),
            ("~10.3.*s", &[Value::str("*"), Value::str("abcd")], "*******abc"),
            ("~*s", &[Value::Int(-3), Value::str("a")], "a  "),
            (
                "~b ~.16b ~.16B ~8.16.0b",
                &[Value::Int(-5), Value::Int(255), Value::Int(255), Value::Int(255)],
                "-5 ff FF 000000ff",
            ),
            ("~.16# ~.16+ ~#", &[Value::Int(-255), Value::Int(255), Value::Int(7)], "-16#FF 16#ff 10#7"),
            ("~3b", &[Value::Int(12345)], "***"),
            ("~c~3c", &[Value::Int(300), Value::Int(65)], ",AAA"),
            ("~~~n~2n", &[], "~\n\n\n"),
            ("~i~p", &[Value::Int(1), Value::Int(2)], "2"),
            ("~.16x", &[Value::Int(255), Value::list(vec![Value::Int(48), Value::Int(120)])], "0xff"),
            ("~W", &[Value::list((1..9).map(Value::Int).collect()), Value::Int(3)], "[1,2|...]"),
            ("~s", &[Value::Null], "null"),
        ];
        for (text, given, wanted) in cases {
            assert_eq!(of(text, given).as_deref(), Ok(*wanted), "{text}");
        }
    }

    #[test]
    fn refusals() {
        let one = [Value::Int(1)];
        for (text, given) in [
            ("~", &one[..]),
            ("~q", &one),
            ("~-s", &one),
            ("~s", &one),
            ("~f", &one),
            ("plain", &one),
            ("~b", &[]),
            ("~3.5s", &one),
            ("~.37b", &one),
            ("~.1b", &one),
            ("~-5p", &one),
            ("~.0f", &[Value::Float(1.5)]),
            ("~ts", &[Value::str("你")]),
            ("~10000000000s", &[Value::str("a")]),
            ("~x", &[Value::Int(1), Value::str("0x")]),
        ] {
            assert!(of(text, given).is_err(), "{text} gives {:?}", of(text, given));
        }
    }
}
