//! Taking values out of values, putting them in and deleting them, by a key or by a path of keys.
//!
//! Invariant: recursion is as deep as the path is long, at most [`JQ_DEPTH_MAX`].

use super::compare;
use super::meter::{self, Stop};
use super::throw::{Answer, Throw, error};
use super::value::{Key, List, Members, Object, Val};
use crate::limits::{JQ_DEPTH_MAX, LIST_LENGTH_MAX};

/// `from[key]`
pub(super) fn get(from: &Val, key: &Val) -> Answer {
    match (from, key) {
        (Val::Obj(object), Val::Str(name)) => {
            Ok(object.members().get(name.as_str()).cloned().unwrap_or(Val::Null))
        }
        (Val::Arr(list), Val::Num(n)) => Ok(item(list.items(), *n).cloned().unwrap_or(Val::Null)),
        (Val::Arr(list), Val::Obj(slice)) => {
            let (start, end) = bounds(slice, list.items().len()).ok_or_else(bad_slice)?;
            Ok(Val::list(list.items()[start..end].to_vec()))
        }
        (Val::Str(text), Val::Obj(slice)) => {
            let text = text.as_str();
            let length = text.chars().count();
            meter::read(length)?;
            let bounds = bounds(slice, length);
            let text_slice = "Start and end indices of an string slice must be numbers";
            let (start, end) = bounds.ok_or_else(|| error(text_slice))?;
            Ok(Val::str(text.chars().skip(start).take(end - start).collect::<String>()))
        }
        (Val::Arr(list), Val::Arr(part)) => indexes(list.items(), part.items()),
        (Val::Null, Val::Str(_) | Val::Num(_) | Val::Obj(_)) => Ok(Val::Null),
        (_, Val::Str(name)) if name.as_str().len() < 30 => {
            Err(error(format!("Cannot index {} with string \"{}\"", from.kind(), name.as_str())))
        }
        _ => Err(error(format!("Cannot index {} with {}", from.kind(), key.kind()))),
    }
}

fn bad_slice() -> Throw {
    error("Start and end indices of an array slice must be numbers")
}

/// The item at a whole number, from the end when it is negative.
fn item(items: &[Val], n: f64) -> Option<&Val> {
    if n != n.trunc() {
        return None;
    }
    let at = if n < 0.0 { n + items.len() as f64 } else { n };
    if at < 0.0 { None } else { items.get(at as usize) }
}

/// The bounds of a slice `{"start": …, "end": …}` of so many items: from the end when they are negative, cut to
/// what there is, a fraction at the end counting as one more.
fn bounds(slice: &Object, length: usize) -> Option<(usize, usize)> {
    let bound = |name: &str, none: f64| match slice.members().get(name) {
        Some(Val::Null) => Some(none),
        Some(Val::Num(n)) => Some(if *n < 0.0 { n + length as f64 } else { *n }),
        _ => None,
    };
    let (start, end) = (bound("start", 0.0)?, bound("end", length as f64)?);
    let start = (start as usize).min(length);
    let end = (end.ceil() as usize).min(length);
    Some((start, end.max(start)))
}

/// Where a part begins in an array.
fn indexes(items: &[Val], part: &[Val]) -> Answer {
    let mut found = Vec::new();
    for at in 0..items.len() {
        let mut all = !part.is_empty();
        for (x, y) in items[at..].iter().map(Some).chain(std::iter::repeat(None)).zip(part) {
            meter::spend(1)?;
            match x {
                Some(x) if compare::equal(x, y)? => {}
                _ => {
                    all = false;
                    break;
                }
            }
        }
        if all {
            found.push(Val::count(at));
        }
    }
    Ok(Val::list(found))
}

/// `into[key] = value`
fn set(into: Val, key: &Val, value: Val) -> Answer {
    match (into, key) {
        (Val::Obj(object), Val::Str(name)) => Ok(Val::Obj(Object::edit(object, |members| {
            members.insert(Key(name.clone()), value);
        }))),
        (Val::Null, Val::Str(name)) => {
            let mut members = Members::default();
            members.insert(Key(name.clone()), value);
            Ok(Val::object(members))
        }
        (into @ (Val::Arr(_) | Val::Null), Val::Num(n)) => set_item(list_of(into), *n, value),
        (into @ (Val::Arr(_) | Val::Null), Val::Obj(slice)) => {
            let list = list_of(into);
            let (start, end) = bounds(slice, list.items().len()).ok_or_else(bad_slice)?;
            let Val::Arr(insert) = value else {
                return Err(error("A slice of an array can only be assigned another array"));
            };
            Ok(Val::Arr(List::edit(list, |items| {
                items.splice(start..end, insert.items().iter().cloned());
            })))
        }
        (into, key) => Err(error(format!("Cannot update field at {} index of {}", key.kind(), into.kind()))),
    }
}

fn list_of(value: Val) -> std::rc::Rc<List> {
    match value {
        Val::Arr(list) => list,
        _ => List::rc(Vec::new()),
    }
}

fn set_item(list: std::rc::Rc<List>, n: f64, value: Val) -> Answer {
    let length = list.items().len();
    let at = n.trunc() + if n.trunc() < 0.0 { length as f64 } else { 0.0 };
    if at < 0.0 {
        return Err(error("Out of bounds negative array index"));
    }
    if at >= LIST_LENGTH_MAX as f64 {
        return Err(Stop::Size.into());
    }
    let at = at as usize;
    meter::room((at + 1).saturating_sub(length) * size_of::<Val>())?;
    Ok(Val::Arr(List::edit(list, |items| {
        if at >= items.len() {
            items.resize(at + 1, Val::Null);
        }
        items[at] = value;
    })))
}

fn keys(path: &Val) -> Result<&[Val], Throw> {
    path.as_list().ok_or_else(|| error("Path must be specified as an array"))
}

/// `getpath(path)`
pub(super) fn get_path(root: &Val, path: &Val) -> Answer {
    let mut value = root.clone();
    for key in keys(path)? {
        meter::spend(1)?;
        value = get(&value, key)?;
    }
    Ok(value)
}

/// `setpath(path; value)`
pub(super) fn set_path(root: Val, path: &Val, value: Val) -> Answer {
    let keys = keys(path)?;
    if keys.len() > JQ_DEPTH_MAX {
        return Err(Stop::Depth.into());
    }
    set_keys(root, keys, value)
}

fn set_keys(mut root: Val, keys: &[Val], value: Val) -> Answer {
    meter::spend(1)?;
    let [key, rest @ ..] = keys else { return Ok(value) };
    let old = get(&root, key)?;
    if !rest.is_empty() {
        // So that the old value has one holder and can be changed in place.
        root = forget(root, key);
    }
    let new = set_keys(old, rest, value)?;
    set(root, key, new)
}

/// Puts null where a member or an item is that will be set again.
fn forget(root: Val, key: &Val) -> Val {
    match (root, key) {
        (Val::Obj(object), Val::Str(name)) => Val::Obj(Object::edit(object, |members| {
            if let Some(member) = members.get_mut(name.as_str()) {
                *member = Val::Null;
            }
        })),
        (Val::Arr(list), Val::Num(n)) if item(list.items(), *n).is_some() => {
            let length = list.items().len() as f64;
            let at = if *n < 0.0 { n + length } else { *n };
            Val::Arr(List::edit(list, |items| items[at as usize] = Val::Null))
        }
        (root, _) => root,
    }
}

/// `delpaths(paths)`
pub(super) fn delete_paths(root: Val, paths: &Val) -> Answer {
    let Some(paths) = paths.as_list() else { return Err(error("Paths must be specified as an array")) };
    let paths = compare::sort(paths.to_vec(), |path| path)?;
    let mut sorted: Vec<&[Val]> = Vec::with_capacity(paths.len());
    for path in &paths {
        let keys = path.as_list();
        sorted.push(
            keys.ok_or_else(|| error(format!("Path must be specified as array, not {}", path.kind())))?,
        );
        if keys.is_some_and(|keys| keys.len() > JQ_DEPTH_MAX) {
            return Err(Stop::Depth.into());
        }
    }
    match sorted.first() {
        None => Ok(root),
        Some([]) => Ok(Val::Null),
        Some(_) => delete_sorted(root, &sorted, 0),
    }
}

/// Deletes paths that are sorted and agree up to `depth`; parts of a value go before the values themselves.
fn delete_sorted(mut root: Val, paths: &[&[Val]], depth: usize) -> Answer {
    let mut whole: Vec<Val> = Vec::new();
    let mut at = 0;
    while at < paths.len() {
        let Some(key) = paths[at].get(depth) else { break };
        let mut end = at;
        while let Some(other) = paths.get(end).and_then(|path| path.get(depth)) {
            if !compare::equal(key, other)? {
                break;
            }
            end += 1;
        }
        // A NaN equals nothing, not even itself.
        end = end.max(at + 1);
        if paths[at].len() == depth + 1 {
            whole.push(key.clone());
        } else {
            let part = get(&root, key)?;
            if !matches!(part, Val::Null) {
                let part = delete_sorted(part, &paths[at..end], depth + 1)?;
                root = set(root, key, part)?;
            }
        }
        at = end;
    }
    delete_keys(root, &whole)
}

fn delete_keys(root: Val, keys: &[Val]) -> Answer {
    if keys.is_empty() {
        return Ok(root);
    }
    match root {
        Val::Null => Ok(Val::Null),
        Val::Arr(list) => delete_items(list, keys),
        Val::Obj(object) => {
            for key in keys {
                if !matches!(key, Val::Str(_)) {
                    return Err(error(format!("Cannot delete {} field of object", key.kind())));
                }
            }
            meter::spend((object.members().len() * keys.len()) as u64 / 64)?;
            Ok(Val::Obj(Object::edit(object, |members| {
                for key in keys.iter().filter_map(Val::as_str) {
                    members.shift_remove(key);
                }
            })))
        }
        root => Err(error(format!("Cannot delete fields from {}", root.kind()))),
    }
}

fn delete_items(list: std::rc::Rc<List>, keys: &[Val]) -> Answer {
    let length = list.items().len();
    let mut gone = vec![false; length];
    for key in keys {
        match key {
            Val::Num(n) => {
                let at = n.trunc() + if *n < 0.0 { length as f64 } else { 0.0 };
                if let Some(gone) = (at >= 0.0).then_some(at as usize).and_then(|at| gone.get_mut(at)) {
                    *gone = true;
                }
            }
            Val::Obj(slice) => {
                let (start, end) = bounds(slice, length).ok_or_else(bad_slice)?;
                meter::spend((end - start) as u64)?;
                gone[start..end].fill(true);
            }
            key => return Err(error(format!("Cannot delete {} element of array", key.kind()))),
        }
    }
    Ok(Val::Arr(List::edit(list, |items| {
        let mut gone = gone.into_iter();
        items.retain(|_| !gone.next().unwrap_or(false));
    })))
}
