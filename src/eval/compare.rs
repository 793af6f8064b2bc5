//! Comparisons and their coercions.

use std::cmp::Ordering;

use super::{Evaluated, Fail, topic_match};
use crate::profile::Profile;
use crate::sql::ast::CompareOp;
use crate::text::Span;
use crate::value::compare::term_order;
use crate::value::number::parse_number;
use crate::value::{Bytes, Value};

/// One side of a comparison, with its place for messages.
pub(super) type Side<'a> = (&'a Value, Span);

/// emqx_rule_runtime:compare. A number beside a string makes the string a number, or fails; an atom beside a string
/// is compared by its text; all else by term order.
pub(super) fn compare(op: CompareOp, left: Side<'_>, right: Side<'_>, profile: Profile) -> Evaluated<bool> {
    let (l, r) = (left.0, right.0);
    if l.is_undefined() || r.is_undefined() {
        return Ok(with_undefined(op, l, r, profile));
    }
    match (l, r) {
        (Value::Int(_) | Value::Big(_) | Value::Float(_), Value::Str(text)) => {
            let number = number(text, left, right)?;
            plain(op, (l, left.1), (&number, right.1), profile)
        }
        (Value::Str(text), Value::Int(_) | Value::Big(_) | Value::Float(_)) => {
            let number = number(text, right, left)?;
            plain(op, (&number, left.1), (r, right.1), profile)
        }
        (Value::Str(_), _) if r.atom_name().is_some() => plain(op, left, (&text_of(r), right.1), profile),
        (_, Value::Str(_)) if l.atom_name().is_some() => plain(op, (&text_of(l), left.1), right, profile),
        _ => plain(op, left, right, profile),
    }
}

fn text_of(atom: &Value) -> Value {
    Value::Str(Bytes::copy_from_slice(atom.atom_name().unwrap_or_default()))
}

fn number(text: &Bytes, number: Side<'_>, string: Side<'_>) -> Evaluated<Value> {
    parse_number(text).ok_or_else(|| {
        Fail::new("E307", "a number is compared with a string that is no number", number.1.to(string.1))
            .showing(number.1, number.0)
            .showing(string.1, string.0)
            .help("EMQX reads the string as a number here, and fails when it is none; compare two strings or two numbers")
    })
}

/// 5.8 says false to any comparison with one undefined side. 4.3 says true to `!=`, and compares nothing else.
fn with_undefined(op: CompareOp, l: &Value, r: &Value, profile: Profile) -> bool {
    let both = l.is_undefined() && r.is_undefined();
    match (op, profile) {
        (CompareOp::TopicMatch, Profile::V5_8) => false,
        (CompareOp::NotEqual, Profile::V4_3) => !both,
        (CompareOp::Equal | CompareOp::LessOrEqual | CompareOp::GreaterOrEqual, _) => both,
        (CompareOp::TopicMatch, Profile::V4_3) => both,
        _ => false,
    }
}

fn ordered(op: CompareOp, order: Ordering) -> Option<bool> {
    Some(match op {
        CompareOp::Equal => order.is_eq(),
        CompareOp::NotEqual => order.is_ne(),
        CompareOp::Less => order.is_lt(),
        CompareOp::Greater => order.is_gt(),
        CompareOp::LessOrEqual => order.is_le(),
        CompareOp::GreaterOrEqual => order.is_ge(),
        CompareOp::TopicMatch | CompareOp::Unsupported => return None,
    })
}

fn plain(op: CompareOp, left: Side<'_>, right: Side<'_>, profile: Profile) -> Evaluated<bool> {
    if let CompareOp::TopicMatch = op
        && let Some(answer) = topic_match::matches(left.0, right.0, profile)
    {
        return Ok(answer);
    }
    match ordered(op, term_order(left.0, right.0)) {
        Some(answer) => Ok(answer),
        None => unsupported(op, left, right),
    }
}

fn unsupported(op: CompareOp, left: Side<'_>, right: Side<'_>) -> Evaluated<bool> {
    let message = match op {
        CompareOp::TopicMatch => {
            "`=~` wants a topic on its left and a topic filter on its right, both strings"
        }
        _ => "EMQX parses `~=`, and cannot evaluate it",
    };
    let fail = Fail::new("E308", message, left.1.to(right.1));
    Err(fail.showing(left.1, left.0).showing(right.1, right.0))
}
