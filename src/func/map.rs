//! Maps: nested get and put by dotted keys, flat get and put, and what a map holds.
//!
//! Invariant: a string and an atom of one name are one key for lookups, the exact one first (emqx_rule_maps).

use std::borrow::Cow;

use super::convert::to_map;
use super::string::search;
use super::table::builtins;
use super::{FnError, args};
use crate::value::path::{self, Step};
use crate::value::{Map, Value};

builtins! { pub(super) ROWS, "map":
    "map_new"() -> MAP, Pure, Both => |_, _| Ok(Value::Map(Map::new())),
        "An empty map.",
        ["map_new()" => Ok("{}")];
    "map_get"(key: STR|LIST, map: ANY) -> ANY, Pure, Both => |_, a| get(&a[0], &a[1], Value::Undefined),
        "The member of a map, or of the map that a string holds as JSON, under a key; dots lead into inner \
         maps. undefined where there is none.",
        [
            "map_get('a.b', json_decode('{\"a\":{\"b\":1}}'))" => Ok("1"),
            "map_get('x', map_new())" => Ok("\"undefined\""),
            "map_get(1, map_new())" => Err("a string"),
        ];
    "map_get"(key: STR|LIST, map: ANY, default: ANY) -> ANY, Pure, Both =>
        |_, a| get(&a[0], &a[1], a[2].clone()),
        "The member of a map under a key, dots leading into inner maps, or else a default.",
        ["map_get('x', map_new(), 7)" => Ok("7"), "map_get(1, map_new(), 7)" => Err("a string")];
    "map_put"(key: STR|LIST, value: ANY, map: ANY) -> MAP, Pure, Both => |_, a| put(&a[0], &a[1], &a[2]),
        "The map with a value under a key; dots lead into inner maps, which are made where they are missing. \
         What is no map, also text of JSON, is replaced by one.",
        [
            "map_put('a.b', 1, map_new())" => Ok("{\"a\":{\"b\":1}}"),
            "map_put(1, 2, map_new())" => Err("a string"),
        ];
    "mget"(key: ANY, map: STR|LIST|MAP) -> ANY, Pure, Only5 =>
        |_, a| mget(&a[0], &to_map(&a[1], 2)?, Value::Undefined),
        "The member of a map under a key as it stands, dots and all; undefined where there is none.",
        ["mget('a', '{\"a\":1}')" => Ok("1"), "mget('a', '1')" => Err("a JSON object")];
    "mget"(key: ANY, map: MAP) -> ANY, Pure, Only4 => |_, a| mget(&a[0], args::map(a, 1)?, Value::Undefined),
        "The member of a map under a key as it stands, dots and all; undefined where there is none.",
        ["mget('a', map_put('a', 1, map_new()))" => Ok("1"), "mget('a', '{}')" => Err("a map")];
    "mget"(key: ANY, map: STR|LIST|MAP, default: ANY) -> ANY, Pure, Only5 =>
        |_, a| mget(&a[0], &to_map(&a[1], 2)?, a[2].clone()),
        "The member of a map under a key as it stands, or else a default.",
        ["mget('b', '{\"a\":1}', 7)" => Ok("7"), "mget('a', '1', 7)" => Err("a JSON object")];
    "mget"(key: ANY, map: MAP, default: ANY) -> ANY, Pure, Only4 =>
        |_, a| mget(&a[0], args::map(a, 1)?, a[2].clone()),
        "The member of a map under a key as it stands, or else a default.",
        ["mget('b', map_new(), 7)" => Ok("7"), "mget('a', '{}', 7)" => Err("a map")];
    "mput"(key: ANY, value: ANY, map: STR|LIST|MAP) -> MAP, Pure, Only5 =>
        |_, a| mput(&a[0], &a[1], to_map(&a[2], 3)?),
        "The map with a value under a key as it stands, dots and all.",
        ["mput('a.b', 1, '{}')" => Ok("{\"a.b\":1}"), "mput('a', 1, '1')" => Err("a JSON object")];
    "mput"(key: ANY, value: ANY, map: MAP) -> MAP, Pure, Only4 =>
        |_, a| mput(&a[0], &a[1], args::map(a, 2)?.clone()),
        "The map with a value under a key as it stands, dots and all.",
        ["mput('a.b', 1, map_new())" => Ok("{\"a.b\":1}"), "mput('a', 1, '{}')" => Err("a map")];
    "map_keys"(map: STR|LIST|MAP) -> LIST, Pure, Only5 => |_, a| each(a, |(key, _)| key.clone()),
        "The keys of a map, in order.",
        ["map_keys('{\"b\":1,\"a\":2}')" => Ok("[\"a\",\"b\"]"), "map_keys('[1]')" => Err("a JSON object")];
    "map_values"(map: STR|LIST|MAP) -> LIST, Pure, Only5 => |_, a| each(a, |(_, value)| value.clone()),
        "The values of a map, in the order of their keys.",
        ["map_values('{\"b\":1,\"a\":2}')" => Ok("[2,1]"), "map_values('[1]')" => Err("a JSON object")];
    "map_to_entries"(map: STR|LIST|MAP) -> LIST, Pure, Only5 => |_, a| each(a, entry),
        "The entries of a map as a list of maps with key and value.",
        [
            "map_to_entries('{\"a\":1}')" => Ok("[{\"value\":1,\"key\":\"a\"}]"),
            "map_to_entries('[1]')" => Err("a JSON object"),
        ];
    "map_size"(map: STR|LIST|MAP) -> INT, Pure, Only5 =>
        |_, a| Ok(Value::Int(to_map(&a[0], 1)?.len() as i64)),
        "How many entries a map has.",
        ["map_size('{\"a\":1}')" => Ok("1"), "map_size('[1]')" => Err("a JSON object")];
}

/// A dotted key in its parts. Keys are strings; a list is taken as characters and never is a key of decoded JSON.
pub(super) enum Path {
    Names(Vec<Step>),
    Characters(Vec<Value>),
}

impl Path {
    fn len(&self) -> usize {
        match self {
            Path::Names(steps) => steps.len(),
            Path::Characters(keys) => keys.len(),
        }
    }
}

/// The path that a key spells.
pub(super) fn path(key: &Value, index: usize) -> Result<Path, FnError> {
    let wrong = || FnError::argument(index, "a key: a string, with dots between the keys of inner maps", key);
    match key {
        Value::Str(text) => {
            let text = std::str::from_utf8(text).map_err(|_| wrong())?;
            let parts = search::split_all(text, ".").into_iter();
            Ok(Path::Names(parts.map(|part| Step::Key(part.as_bytes().to_vec().into())).collect()))
        }
        _ => {
            let text = args::chardata(key).and_then(|text| String::from_utf8(text).ok()).ok_or_else(wrong)?;
            let spell =
                |part: &str| Value::list(part.chars().map(|c| Value::Int(i64::from(u32::from(c)))).collect());
            Ok(Path::Characters(search::split_all(&text, ".").into_iter().map(spell).collect()))
        }
    }
}

/// The value at a path, if there is one that is not undefined.
pub(super) fn get_path(value: &Value, path: &Path) -> Option<Value> {
    match path {
        Path::Names(steps) => {
            Some(path::get_rooted(value, steps).into_owned()).filter(|found| !found.is_undefined())
        }
        Path::Characters(_) => None,
    }
}

fn get(key: &Value, map: &Value, default: Value) -> Result<Value, FnError> {
    Ok(get_path(map, &path(key, 1)?).unwrap_or(default))
}

fn put(key: &Value, value: &Value, map: &Value) -> Result<Value, FnError> {
    let path = path(key, 1)?;
    args::within_depth(value, path.len())?;
    match path {
        Path::Names(steps) => Ok(as_map(path::put(map.clone(), &steps, value.clone()))),
        Path::Characters(keys) => {
            let nest = |inner, key| Value::Map(Map::from_entries(vec![(key, inner)]));
            let Some((first, rest)) = keys.split_first() else { return Ok(map.clone()) };
            let inner = rest.iter().rev().cloned().fold(value.clone(), nest);
            let mut map = map.as_map().cloned().unwrap_or_default();
            map.insert(first.clone(), inner);
            Ok(Value::Map(map))
        }
    }
}

/// A put by keys always makes a map.
fn as_map(value: Value) -> Value {
    match value {
        Value::Map(_) => value,
        _ => Value::Map(Map::new()),
    }
}

/// The entry of exactly this key, or of the atom or string of the same name.
fn entry_of<'m>(map: &'m Map, key: &Value) -> Option<(Value, &'m Value)> {
    let twin = match key {
        Value::Str(name) => Some(std::str::from_utf8(name).map_or(Value::Atom(name.clone()), Value::atom)),
        other => other.atom_name().map(Value::str),
    };
    let exact = map.get(key).map(|value| (key.clone(), value));
    exact.or_else(|| twin.and_then(|twin| map.get(&twin).map(|value| (twin, value))))
}

/// The member of a map, or of a map that a string holds as JSON, under one key of any kind.
pub(super) fn member(value: &Value, key: &Value) -> Option<Value> {
    let map = match value {
        Value::Str(_) => Cow::Owned(to_map(value, 1).ok()?),
        other => Cow::Borrowed(other.as_map()?),
    };
    entry_of(&map, key).map(|(_, value)| value.clone())
}

fn mget(key: &Value, map: &Map, default: Value) -> Result<Value, FnError> {
    Ok(entry_of(map, key).map_or(default, |(_, value)| value.clone()))
}

fn mput(key: &Value, value: &Value, mut map: Map) -> Result<Value, FnError> {
    args::within_depth(value, 1)?;
    let key = entry_of(&map, key).map_or_else(|| key.clone(), |(key, _)| key);
    map.insert(key, value.clone());
    Ok(Value::Map(map))
}

fn each(args: &[Value], part: impl Fn(&(Value, Value)) -> Value) -> Result<Value, FnError> {
    Ok(Value::list(to_map(&args[0], 1)?.entries().iter().map(part).collect()))
}

fn entry((key, value): &(Value, Value)) -> Value {
    Value::Map(Map::of_columns([("key", key.clone()), ("value", value.clone())]))
}
