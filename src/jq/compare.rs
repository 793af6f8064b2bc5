//! Order and equality of values, containment, and the sort that uses them.
//!
//! Invariant: each visit of a node spends a step, and recursion ends at [`JQ_DEPTH_MAX`]: two small values that
//! share their parts can have more paths than anyone can walk.

use std::cmp::Ordering;

use super::meter::{self, Stop};
use super::value::{Object, Val};
use crate::limits::JQ_DEPTH_MAX;

/// null < false < true < numbers < strings < arrays < objects; NaN stands below every number, and below itself.
pub(super) fn order(a: &Val, b: &Val) -> Result<Ordering, Stop> {
    order_at(a, b, 0)
}

fn order_at(a: &Val, b: &Val, depth: usize) -> Result<Ordering, Stop> {
    enter(depth)?;
    Ok(match (a, b) {
        (Val::Num(a), Val::Num(b)) if a.is_nan() || b.is_nan() => {
            if a.is_nan() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (Val::Num(a), Val::Num(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Val::Str(a), Val::Str(b)) => {
            meter::read(a.as_str().len())?;
            a.as_str().cmp(b.as_str())
        }
        (Val::Arr(a), Val::Arr(b)) => {
            for (x, y) in a.items().iter().zip(b.items()) {
                let found = order_at(x, y, depth + 1)?;
                if found.is_ne() {
                    return Ok(found);
                }
            }
            a.items().len().cmp(&b.items().len())
        }
        (Val::Obj(a), Val::Obj(b)) => objects(a, b, depth)?,
        _ => rank(a).cmp(&rank(b)),
    })
}

/// Objects compare by their sorted keys first, then by the values in the order of the keys.
fn objects(a: &Object, b: &Object, depth: usize) -> Result<Ordering, Stop> {
    let (left, right) = (sorted_keys(a)?, sorted_keys(b)?);
    let keys = left.cmp(&right);
    if keys.is_ne() {
        return Ok(keys);
    }
    for key in left {
        if let (Some(x), Some(y)) = (a.members().get(key), b.members().get(key)) {
            let found = order_at(x, y, depth + 1)?;
            if found.is_ne() {
                return Ok(found);
            }
        }
    }
    Ok(Ordering::Equal)
}

/// The keys of an object in byte order.
pub(super) fn sorted_keys(object: &Object) -> Result<Vec<&str>, Stop> {
    let mut keys: Vec<&str> = object.members().keys().map(|key| key.0.as_str()).collect();
    meter::spend(keys.len() as u64)?;
    keys.sort_unstable();
    Ok(keys)
}

fn rank(value: &Val) -> u8 {
    match value {
        Val::Null => 1,
        Val::Bool(false) => 2,
        Val::Bool(true) => 3,
        Val::Num(_) => 4,
        Val::Str(_) => 5,
        Val::Arr(_) => 6,
        Val::Obj(_) => 7,
    }
}

fn enter(depth: usize) -> Result<(), Stop> {
    if depth > JQ_DEPTH_MAX {
        return Err(Stop::Depth);
    }
    meter::spend(1)
}

/// Are they equal? NaN is not, unless it stands in one and the same container.
pub(super) fn equal(a: &Val, b: &Val) -> Result<bool, Stop> {
    equal_at(a, b, 0)
}

fn equal_at(a: &Val, b: &Val, depth: usize) -> Result<bool, Stop> {
    enter(depth)?;
    Ok(match (a, b) {
        (Val::Num(a), Val::Num(b)) => a == b,
        _ if a.identical(b) => true,
        (Val::Str(a), Val::Str(b)) => a.as_str() == b.as_str(),
        (Val::Arr(a), Val::Arr(b)) => {
            if a.items().len() != b.items().len() {
                return Ok(false);
            }
            for (x, y) in a.items().iter().zip(b.items()) {
                if !equal_at(x, y, depth + 1)? {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Obj(a), Val::Obj(b)) => {
            if a.members().len() != b.members().len() {
                return Ok(false);
            }
            for (key, x) in a.members() {
                match b.members().get(key) {
                    Some(y) if equal_at(x, y, depth + 1)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        _ => false,
    })
}

/// Is `b` in `a`: a part of the text, a sub-object, or an array whose every item is in some item?
pub(super) fn contains(a: &Val, b: &Val) -> Result<bool, Stop> {
    contains_at(a, b, 0)
}

fn contains_at(a: &Val, b: &Val, depth: usize) -> Result<bool, Stop> {
    enter(depth)?;
    Ok(match (a, b) {
        (Val::Obj(a), Val::Obj(b)) => {
            for (key, y) in b.members() {
                match a.members().get(key) {
                    Some(x) if contains_at(x, y, depth + 1)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Val::Arr(a), Val::Arr(b)) => {
            for y in b.items() {
                let mut found = false;
                for x in a.items() {
                    if contains_at(x, y, depth + 1)? {
                        found = true;
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            true
        }
        (Val::Str(a), Val::Str(b)) => {
            // jq 1.6 looks with C's strstr, so a NUL ends both.
            let (a, b) = (until_nul(a.as_str()), until_nul(b.as_str()));
            meter::read(a.len() + b.len())?;
            a.contains(b)
        }
        _ => equal_at(a, b, depth)?,
    })
}

fn until_nul(text: &str) -> &str {
    text.split('\0').next().unwrap_or_default()
}

/// A stable merge sort by key, split where the C library's `qsort` splits: with a NaN the order is none, so the
/// result depends on the way.
pub(super) fn sort<T>(items: Vec<T>, key: fn(&T) -> &Val) -> Result<Vec<T>, Stop> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let mut left = sort(left, key)?.into_iter().peekable();
    let mut right = sort(right, key)?.into_iter().peekable();
    let mut merged = Vec::with_capacity(left.len() + right.len());
    while let (Some(x), Some(y)) = (left.peek(), right.peek()) {
        let take_left = order(key(x), key(y))?.is_le();
        merged.extend(if take_left { left.next() } else { right.next() });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
