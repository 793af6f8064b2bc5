//! The way out of a failed operator or function, for the value that it would not take.

use super::Fail;
use crate::func::FnError;
use crate::text::Span;
use crate::value::Value;
use crate::value::number::parse_number;

/// The failure of an operator: its sides are no arguments for who wrote it.
pub(super) fn operator(name: &str, e: &FnError, values: &[&Value], span: Span) -> Fail {
    let message = match e {
        FnError::Argument { index, wanted, got } => {
            let side = match (values.len(), index) {
                (1, _) => "what follows it",
                (_, 1) => "its left side",
                _ => "its right side",
            };
            format!("`{name}`: {side} must be {wanted}, not {got}")
        }
        FnError::Failed(_) => format!("`{name}`: {e}"),
    };
    let fail = Fail::new("E310", message, span);
    match way_out(e, values) {
        Some(help) => fail.help(help),
        None if name == "/" || name == "div" || name == "mod" => {
            fail.help("ask first: `CASE WHEN b != 0 THEN … END`, with the divisor for b")
        }
        None => fail,
    }
}

/// What turns the value into one that is taken, or keeps it away.
pub(super) fn way_out(e: &FnError, values: &[&Value]) -> Option<String> {
    let FnError::Argument { index, wanted, .. } = e else { return None };
    let value = *values.get(index.checked_sub(1)?)?;
    let wants = |word: &str| wanted.contains(word);
    let advice = match value {
        Value::Undefined => {
            "nothing has that name in this message; `CASE WHEN is_not_null(x) THEN … END` leaves it out then"
        }
        Value::Null => "a JSON null is not missing; `is_not_null_var(x)` of EMQX 5.8 is false for it",
        Value::Str(text) if wanted == "a number" || wanted == "an integer" => match parse_number(text) {
            Some(_) => "`float(x)` or `int(x)` reads the number in the text",
            None => "the text holds no number; `is_num(x)` tells whether a value is one",
        },
        Value::Str(text) if wants("a list") && text.starts_with(b"[") => {
            "`json_decode(x)` reads the list in the text"
        }
        Value::Float(_) if wanted == "an integer" => "`floor(x)`, `round(x)` or `int(x)` makes it one",
        Value::Int(_) | Value::Big(_) | Value::Float(_) | Value::Bool(_) if wants("a string") => {
            "`str(x)` makes it a string"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}
