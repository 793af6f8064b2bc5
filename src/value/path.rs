//! Nested get and put, as emqx_rule_maps does them.
//!
//! A step into a string decodes it as JSON, at every level; a step that cannot be taken is `undefined`. A put makes
//! the maps that are missing, and replaces what is in its way.

use std::borrow::Cow;

use super::{Bytes, Map, Value, decode};

/// One step of a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A map key.
    Key(Bytes),
    /// A list position.
    At(Index),
}

/// A list position.
#[derive(Clone, Debug, PartialEq)]
pub enum Index {
    /// From 1, or from the end when negative.
    Const(i64),
    /// `[0]`: in front of the first, only for puts.
    Head,
    /// `[-0]`: after the last, only for puts.
    Tail,
    /// The value of a variable of the same root.
    Path(Vec<Step>),
}

/// Looks up the variables that stand in indexes, in the root that the path starts from.
pub type Root<'r> = &'r dyn Fn(&[Step]) -> Value;

impl Index {
    /// The position as a number; `None` for one that no list has.
    fn number(&self, root: Root<'_>) -> Option<i64> {
        match self {
            Index::Const(n) => Some(*n),
            Index::Head | Index::Tail => None,
            Index::Path(steps) => match root(steps) {
                Value::Int(n) => Some(n),
                _ => None,
            },
        }
    }
}

/// The value at a path, `undefined` where there is none.
pub fn get<'v>(value: &'v Value, steps: &[Step], root: Root<'_>) -> Cow<'v, Value> {
    let mut at = Cow::Borrowed(value);
    for step in steps {
        let next = match at {
            Cow::Borrowed(inner) => find(inner, step, root),
            Cow::Owned(inner) => find(&inner, step, root).map(|v| Cow::Owned(v.into_owned())),
        };
        match next {
            Some(found) if !found.is_undefined() => at = found,
            _ => return Cow::Owned(Value::Undefined),
        }
    }
    at
}

/// A root that is a value: variables in indexes are members of it.
pub fn get_rooted<'v>(value: &'v Value, steps: &[Step]) -> Cow<'v, Value> {
    get(value, steps, &|variable| get_rooted(value, variable).into_owned())
}

fn find<'v>(value: &'v Value, step: &Step, root: Root<'_>) -> Option<Cow<'v, Value>> {
    match step {
        Step::Key(key) => find_key(value, key),
        Step::At(index) => find_item(value, index.number(root)?),
    }
}

/// A member of a map, or of the map that a string holds as JSON.
pub fn find_key<'v>(value: &'v Value, key: &[u8]) -> Option<Cow<'v, Value>> {
    match value {
        Value::Map(map) => map.get_named(key).map(Cow::Borrowed),
        // A string that holds a string that holds JSON is looked into as well: each is shorter than the one before.
        Value::Str(text) => {
            let inner = decode::decode(text).ok()?;
            find_key(&inner, key).map(|found| Cow::Owned(found.into_owned()))
        }
        _ => None,
    }
}

/// An item of a list, or of the list that a string holds as JSON; from 1, or from the end when negative.
pub fn find_item<'v>(value: &'v Value, position: i64) -> Option<Cow<'v, Value>> {
    match value {
        Value::List(items) => items.get(offset(position, items.len())?).map(Cow::Borrowed),
        Value::Str(text) => {
            let inner = decode::decode(text).ok()?;
            find_item(&inner, position).map(|found| Cow::Owned(found.into_owned()))
        }
        _ => None,
    }
}

/// The offset of a 1-based or negative position in a list of `len` items.
pub fn offset(position: i64, len: usize) -> Option<usize> {
    let at = if position > 0 {
        position - 1
    } else if position < 0 {
        len as i64 + position
    } else {
        return None;
    };
    usize::try_from(at).ok().filter(|at| *at < len)
}

/// The value with `new` put at a path.
pub fn put(value: Value, steps: &[Step], new: Value) -> Value {
    let root = match value {
        Value::Map(_) | Value::List(_) => value,
        _ => Value::Map(Map::new()),
    };
    if let [step @ Step::Key(_)] = steps {
        return put_step(root, step, new, &|_| Value::Undefined);
    }
    put_nested(root.clone(), steps, new, &|variable| get_rooted(&root, variable).into_owned())
}

fn put_nested(value: Value, steps: &[Step], new: Value, root: Root<'_>) -> Value {
    let Some((step, rest)) = steps.split_first() else { return new };
    let inner = find(&value, step, root).map_or(Value::Undefined, Cow::into_owned);
    put_step(value, step, put_nested(inner, rest, new, root), root)
}

fn put_step(value: Value, step: &Step, new: Value, root: Root<'_>) -> Value {
    match step {
        Step::Key(key) => {
            let mut map = match value {
                Value::Map(map) => map,
                _ => Map::new(),
            };
            let key = match map.find_named(key) {
                Some((key, _)) => key.clone(),
                None => Value::Str(key.clone()),
            };
            map.insert(key, new);
            Value::Map(map)
        }
        Step::At(index) => put_item(value, index, new, root),
    }
}

/// Where there is no list yet, any index makes a list of the one item; an index past the end changes nothing.
fn put_item(value: Value, index: &Index, new: Value, root: Root<'_>) -> Value {
    let Value::List(items) = value else { return Value::list(vec![new]) };
    let mut items = items.to_vec();
    match index {
        Index::Head => items.insert(0, new),
        Index::Tail => items.push(new),
        _ => {
            if let Some(at) = index.number(root).and_then(|n| offset(n, items.len())) {
                items[at] = new;
            }
        }
    }
    Value::list(items)
}

#[cfg(test)]
mod tests {
    use super::super::encode::to_display;
    use super::*;

    fn json(text: &str) -> Value {
        decode::decode(&Bytes::copy_from_slice(text.as_bytes())).unwrap()
    }

    fn key(name: &str) -> Step {
        Step::Key(Bytes::copy_from_slice(name.as_bytes()))
    }

    #[test]
    fn gets() {
        let v = json(r#"{"a":{"b":[10,20,30],"n":2,"s":"{\"q\":[7,8]}"}}"#);
        let at = |i| Step::At(Index::Const(i));
        let of = |steps: &[Step]| to_display(&get_rooted(&v, steps));
        assert_eq!(of(&[key("a"), key("b"), at(1)]), "10");
        assert_eq!(of(&[key("a"), key("b"), at(-1)]), "30");
        assert_eq!(of(&[key("a"), key("b"), at(0)]), "\"undefined\"");
        assert_eq!(of(&[key("a"), key("b"), at(4)]), "\"undefined\"");
        assert_eq!(of(&[key("a"), key("s"), key("q"), at(2)]), "8");
        let by_path = Step::At(Index::Path(vec![key("a"), key("n")]));
        assert_eq!(of(&[key("a"), key("b"), by_path]), "20");
    }

    #[test]
    fn puts() {
        let v = json(r#"{"a":[1,2],"s":"text"}"#);
        let of = |steps: &[Step]| to_display(&put(v.clone(), steps, Value::Int(9)));
        assert_eq!(of(&[key("a"), Step::At(Index::Head)]), r#"{"s":"text","a":[9,1,2]}"#);
        assert_eq!(of(&[key("a"), Step::At(Index::Tail)]), r#"{"s":"text","a":[1,2,9]}"#);
        assert_eq!(of(&[key("a"), Step::At(Index::Const(-1))]), r#"{"s":"text","a":[1,9]}"#);
        assert_eq!(of(&[key("a"), Step::At(Index::Const(3))]), r#"{"s":"text","a":[1,2]}"#);
        assert_eq!(of(&[key("s"), key("x")]), r#"{"s":{"x":9},"a":[1,2]}"#);
        assert_eq!(
            of(&[key("n"), Step::At(Index::Const(7)), key("x")]),
            r#"{"s":"text","n":[{"x":9}],"a":[1,2]}"#
        );
    }
}
