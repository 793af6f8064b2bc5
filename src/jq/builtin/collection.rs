//! Arrays and objects: keys, sorting, grouping, paths.

use super::super::compare::{self, sorted_keys};
use super::super::meter;
use super::super::path;
use super::super::throw::{Answer, error, unfit, unfit_pair};
use super::super::value::{Text, Val};
use super::{Host, Row, row};

pub(super) const ROWS: &[Row] = &[
    row("length", 0, |_, v| length(&v[0])),
    row("keys", 0, |_, v| keys(&v[0], true)),
    row("keys_unsorted", 0, |_, v| keys(&v[0], false)),
    row("has", 1, |_, v| has(&v[0], &v[1])),
    row("contains", 1, |_, v| contains(&v[0], &v[1])),
    row("sort", 0, |_, v| sort(&v[0])),
    row("min", 0, |_, v| extreme(&v[0], &v[0], true)),
    row("max", 0, |_, v| extreme(&v[0], &v[0], false)),
    row("_sort_by_impl", 1, |_, v| sort_by(&v[0], &v[1])),
    row("_group_by_impl", 1, |_, v| group_by(&v[0], &v[1])),
    row("_min_by_impl", 1, |_, v| extreme(&v[0], &v[1], true)),
    row("_max_by_impl", 1, |_, v| extreme(&v[0], &v[1], false)),
    row("getpath", 1, get_path),
    row("setpath", 2, |_, v| {
        let root = std::mem::replace(&mut v[0], Val::Null);
        let value = std::mem::replace(&mut v[2], Val::Null);
        path::set_path(root, &v[1], value)
    }),
    row("delpaths", 1, |_, v| {
        let root = std::mem::replace(&mut v[0], Val::Null);
        path::delete_paths(root, &v[1])
    }),
];

fn length(value: &Val) -> Answer {
    Ok(match value {
        Val::Null => Val::Num(0.0),
        Val::Num(n) => Val::Num(n.abs()),
        Val::Str(text) => {
            meter::read(text.as_str().len())?;
            Val::count(text.as_str().chars().count())
        }
        Val::Arr(list) => Val::count(list.items().len()),
        Val::Obj(object) => Val::count(object.members().len()),
        Val::Bool(_) => return Err(unfit(value, "has no length")),
    })
}

fn keys(value: &Val, sorted: bool) -> Answer {
    match value {
        Val::Arr(list) => Ok(Val::list((0..list.items().len()).map(Val::count).collect())),
        Val::Obj(object) if sorted => {
            let keys = sorted_keys(object)?;
            Ok(Val::list(keys.into_iter().map(|key| Val::Str(Text::rc(key.into()))).collect()))
        }
        Val::Obj(object) => {
            Ok(Val::list(object.members().keys().map(|key| Val::Str(key.0.clone())).collect()))
        }
        _ => Err(unfit(value, "has no keys")),
    }
}

fn has(value: &Val, key: &Val) -> Answer {
    Ok(Val::Bool(match (value, key) {
        (Val::Null, _) => false,
        (Val::Obj(object), Val::Str(name)) => object.members().contains_key(name.as_str()),
        (Val::Arr(list), Val::Num(n)) => n.trunc() >= 0.0 && n.trunc() < list.items().len() as f64,
        _ => {
            let (value, key) = (value.kind(), key.kind());
            return Err(error(format!("Cannot check whether {value} has a {key} key")));
        }
    }))
}

fn contains(a: &Val, b: &Val) -> Answer {
    // Not `kind`: true and false are two kinds here.
    let same = match (a, b) {
        (Val::Bool(a), Val::Bool(b)) => a == b,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    };
    match same {
        true => Ok(Val::Bool(compare::contains(a, b)?)),
        false => Err(unfit_pair(a, b, "cannot have their containment checked")),
    }
}

fn sort(value: &Val) -> Answer {
    match value {
        Val::Arr(list) => Ok(Val::list(compare::sort(list.items().to_vec(), |item| item)?)),
        _ => Err(unfit(value, "cannot be sorted, as it is not an array")),
    }
}

/// The items with their keys, sorted.
fn sorted_pairs(values: &Val, keys: &Val) -> Result<Vec<(Val, Val)>, super::super::throw::Throw> {
    let (Val::Arr(items), Val::Arr(keys_)) = (values, keys) else {
        return Err(unfit_pair(values, keys, "cannot be sorted, as they are not both arrays"));
    };
    if items.items().len() != keys_.items().len() {
        return Err(unfit_pair(values, keys, "cannot be sorted, as they are not both arrays"));
    }
    let pairs = items.items().iter().cloned().zip(keys_.items().iter().cloned()).collect();
    Ok(compare::sort(pairs, |pair: &(Val, Val)| &pair.1)?)
}

fn sort_by(values: &Val, keys: &Val) -> Answer {
    let pairs = sorted_pairs(values, keys)?;
    Ok(Val::list(pairs.into_iter().map(|(item, _)| item).collect()))
}

fn group_by(values: &Val, keys: &Val) -> Answer {
    let mut groups: Vec<(Vec<Val>, Val)> = Vec::new();
    for (item, key) in sorted_pairs(values, keys)? {
        match groups.last_mut() {
            Some((group, current)) if compare::equal(current, &key)? => group.push(item),
            _ => groups.push((vec![item], key)),
        }
    }
    Ok(Val::list(groups.into_iter().map(|(group, _)| Val::list(group)).collect()))
}

/// The first of the least items, or the last of the greatest.
fn extreme(values: &Val, keys: &Val, least: bool) -> Answer {
    let (Val::Arr(items), Val::Arr(by)) = (values, keys) else {
        return Err(unfit_pair(values, keys, "cannot be iterated over"));
    };
    if items.items().len() != by.items().len() {
        return Err(unfit_pair(values, keys, "have wrong length"));
    }
    let mut pairs = items.items().iter().zip(by.items());
    let Some(mut found) = pairs.next() else { return Ok(Val::Null) };
    for pair in pairs {
        if compare::order(pair.1, found.1)?.is_lt() == least {
            found = pair;
        }
    }
    Ok(found.0.clone())
}

/// The value at a path; a path that is being followed goes on through it.
fn get_path(host: &mut Host, v: &mut [Val]) -> Answer {
    let value = path::get_path(&v[0], &v[1])?;
    if let Some(keys) = v[1].as_list() {
        host.follow_all(&v[0], keys, &value);
    }
    Ok(value)
}
