//! Operators.

use std::cmp::Ordering;

use super::super::compare;
use super::super::meter::{self, Stop};
use super::super::throw::{Answer, unfit, unfit_pair};
use super::super::value::{List, Members, Object, Text, Val};
use super::{Host, Row, row, string};
use crate::limits::{JQ_DEPTH_MAX, TEXT_BYTES_MAX};

pub(super) const ROWS: &[Row] = &[
    row("_plus", 2, |_, v| binary(v, plus)),
    row("_minus", 2, |_, v| minus(&v[1], &v[2])),
    row("_multiply", 2, |_, v| binary(v, multiply)),
    row("_divide", 2, |_, v| divide(&v[1], &v[2])),
    row("_mod", 2, |_, v| modulo(&v[1], &v[2])),
    row("_negate", 0, negate),
    row("_equal", 2, |_, v| Ok(Val::Bool(compare::equal(&v[1], &v[2])?))),
    row("_notequal", 2, |_, v| Ok(Val::Bool(!compare::equal(&v[1], &v[2])?))),
    row("_less", 2, |_, v| ordered(&v[1], &v[2], Ordering::is_lt)),
    row("_lesseq", 2, |_, v| ordered(&v[1], &v[2], Ordering::is_le)),
    row("_greater", 2, |_, v| ordered(&v[1], &v[2], Ordering::is_gt)),
    row("_greatereq", 2, |_, v| ordered(&v[1], &v[2], Ordering::is_ge)),
];

/// Hands over both arguments alone: the input is mostly the left one as well, and would hold on to it.
fn binary(v: &mut [Val], f: fn(Val, Val) -> Answer) -> Answer {
    let mut take = |at: usize| std::mem::replace(&mut v[at], Val::Null);
    take(0);
    f(take(1), take(2))
}

fn ordered(a: &Val, b: &Val, wanted: fn(Ordering) -> bool) -> Answer {
    Ok(Val::Bool(wanted(compare::order(a, b)?)))
}

fn plus(a: Val, b: Val) -> Answer {
    match (a, b) {
        (Val::Null, other) | (other, Val::Null) => Ok(other),
        (Val::Num(a), Val::Num(b)) => Ok(Val::Num(a + b)),
        (Val::Str(a), Val::Str(b)) => {
            if a.as_str().len() + b.as_str().len() > TEXT_BYTES_MAX {
                return Err(Stop::Size.into());
            }
            Ok(Val::Str(Text::edit(a, |text| text.push_str(b.as_str()))))
        }
        (Val::Arr(a), Val::Arr(b)) => {
            meter::room(size_of_val(b.items()))?;
            Ok(Val::Arr(List::edit(a, |items| items.extend_from_slice(b.items()))))
        }
        (Val::Obj(a), Val::Obj(b)) => {
            meter::spend(b.members().len() as u64)?;
            Ok(Val::Obj(Object::edit(a, |members| merge(members, b.members()))))
        }
        (a, b) => Err(unfit_pair(&a, &b, "cannot be added")),
    }
}

fn merge(into: &mut Members, from: &Members) {
    into.extend(from.iter().map(|(key, value)| (key.clone(), value.clone())));
}

fn minus(a: &Val, b: &Val) -> Answer {
    match (a, b) {
        (Val::Num(a), Val::Num(b)) => Ok(Val::Num(a - b)),
        (Val::Arr(a), Val::Arr(b)) => {
            let mut left = Vec::new();
            for x in a.items() {
                let mut found = false;
                for y in b.items() {
                    if compare::equal(x, y)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    left.push(x.clone());
                }
            }
            Ok(Val::list(left))
        }
        _ => Err(unfit_pair(a, b, "cannot be subtracted")),
    }
}

fn multiply(a: Val, b: Val) -> Answer {
    match (a, b) {
        (Val::Num(a), Val::Num(b)) => Ok(Val::Num(a * b)),
        (Val::Str(text), Val::Num(n)) | (Val::Num(n), Val::Str(text)) => repeat(text.as_str(), n),
        (Val::Obj(a), Val::Obj(b)) => Ok(Val::Obj(merge_deep(a, &b, 0)?)),
        (a, b) => Err(unfit_pair(&a, &b, "cannot be multiplied")),
    }
}

/// A text so many times, at least once; null below 1, but a half is once.
fn repeat(text: &str, n: f64) -> Answer {
    let more = (n - 1.0).trunc();
    // jq counts in 32 bits, and what does not fit is negative.
    if more.is_nan() || more < 0.0 || more >= f64::from(i32::MAX) {
        return Ok(Val::Null);
    }
    let times = more as usize + 1;
    if times.saturating_mul(text.len()) > TEXT_BYTES_MAX {
        return Err(Stop::Size.into());
    }
    Ok(Val::str(text.repeat(times)))
}

fn merge_deep(a: std::rc::Rc<Object>, b: &Object, depth: usize) -> Result<std::rc::Rc<Object>, Stop> {
    if depth > JQ_DEPTH_MAX {
        return Err(Stop::Depth);
    }
    meter::spend(b.members().len() as u64)?;
    let mut merged = a;
    for (key, value) in b.members() {
        let value = match (merged.members().get(key), value) {
            (Some(Val::Obj(old)), Val::Obj(new)) => Val::Obj(merge_deep(old.clone(), new, depth + 1)?),
            _ => value.clone(),
        };
        merged = Object::edit(merged, |members| {
            members.insert(key.clone(), value);
        });
    }
    Ok(merged)
}

fn divide(a: &Val, b: &Val) -> Answer {
    match (a, b) {
        (Val::Num(_), Val::Num(0.0)) => {
            Err(unfit_pair(a, b, "cannot be divided because the divisor is zero"))
        }
        (Val::Num(a), Val::Num(b)) => Ok(Val::Num(a / b)),
        (Val::Str(a), Val::Str(b)) => string::split(a.as_str(), b.as_str()),
        _ => Err(unfit_pair(a, b, "cannot be divided")),
    }
}

/// The remainder of the whole parts, with the sign of the left one.
fn modulo(a: &Val, b: &Val) -> Answer {
    let (Val::Num(x), Val::Num(y)) = (a, b) else {
        return Err(unfit_pair(a, b, "cannot be divided (remainder)"));
    };
    match whole(*y) {
        0 => Err(unfit_pair(a, b, "cannot be divided (remainder) because the divisor is zero")),
        y => Ok(Val::Num(whole(*x).wrapping_rem(y) as f64)),
    }
}

/// A double as C makes a 64 bit integer of it: what does not fit is the smallest.
pub(super) fn whole(n: f64) -> i64 {
    if n.is_nan() || n >= 9_223_372_036_854_775_808.0 { i64::MIN } else { n as i64 }
}

fn negate(_: &mut Host, v: &mut [Val]) -> Answer {
    match &v[0] {
        Val::Num(n) => Ok(Val::Num(-n)),
        other => Err(unfit(other, "cannot be negated")),
    }
}
