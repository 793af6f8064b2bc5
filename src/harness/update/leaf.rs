//! One value of an expectation, held against what came under each profile.

use std::sync::Arc;

use crate::document::{Changes, Data, Document, Entry, Node, Problems, new_entry, new_node};
use crate::harness::compare::Comparison;
use crate::harness::pattern::{Pattern, WORDS, literal_key};
use crate::harness::{Fixtures, Reading};
use crate::profile::Profile;
use crate::value::{Map, Value, compare, decode, float};

/// A value, or none, under a profile.
#[derive(Clone, Debug)]
pub(super) struct Actual {
    pub profile: Profile,
    pub value: Option<Value>,
}

/// An expectation on its way to what holds.
pub(super) struct Leaves<'a> {
    pub document: &'a Document,
    pub fixtures: &'a mut dyn Fixtures,
    pub changes: Changes,
    /// Are keys names of headers, whose case does not count?
    pub fold: bool,
}

impl Leaves<'_> {
    fn matches(&mut self, node: &Node, actual: &Actual) -> bool {
        let mut problems = Problems::new(self.document);
        let mut reading = Reading { problems: &mut problems, fixtures: self.fixtures };
        let Some(mut pattern) = Pattern::read(node, &mut reading) else { return false };
        if self.fold {
            pattern.lower_keys();
        }
        Comparison::new(actual.profile).matches(&pattern, actual.value.as_ref())
    }

    /// Changes what an expectation says as far as it does not hold.
    pub(super) fn merge(&mut self, node: &Node, actuals: &[Actual]) -> Result<(), String> {
        if actuals.iter().all(|actual| self.matches(node, actual)) {
            return Ok(());
        }
        match &node.data {
            Data::Map(entries) => match entries.as_slice() {
                [entry] if WORDS.contains(&&*entry.key) => self.word(node, entry, actuals),
                _ => match maps(actuals) {
                    Some(maps) => self.fields(node, entries, actuals, &maps, true),
                    None => self.replace(node, actuals),
                },
            },
            Data::List(items) => match lists(actuals) {
                Some(lists) => self.items(node, items, actuals, &lists),
                None => self.replace(node, actuals),
            },
            _ => self.replace(node, actuals),
        }
    }

    /// What came, literally.
    pub(super) fn replace(&mut self, node: &Node, actuals: &[Actual]) -> Result<(), String> {
        let new = self.literal(actuals)?;
        self.set(node, new)
    }

    /// Gives a node another value.
    pub(super) fn set(&mut self, node: &Node, new: Node) -> Result<(), String> {
        if node.span.start == node.span.end {
            return Err("an expectation of it is left empty".to_owned());
        }
        // A whole value `$(name)` stands in its row; a text with one in it stands where all rows share it.
        if node.as_text().is_some() && self.document.source.slice(node.span).contains("$(") {
            return Err(
                "each row of the table fills in its text; write `$(name)` alone, and the row is updated"
                    .to_owned(),
            );
        }
        self.changes.set(node, new);
        Ok(())
    }

    /// A matcher keeps its kind where what it is about is inside it.
    fn word(&mut self, node: &Node, entry: &Entry, actuals: &[Actual]) -> Result<(), String> {
        let inner = &entry.value;
        match &*entry.key {
            "$json" => match decoded(actuals) {
                Some(decoded) => self.merge(inner, &decoded),
                None => self.replace(node, actuals),
            },
            "$contains" => match (&inner.data, maps(actuals)) {
                (Data::Map(entries), Some(maps)) => self.fields(inner, entries, actuals, &maps, false),
                _ => self.replace(node, actuals),
            },
            "$unordered" if lists(actuals).is_some() => self.replace(inner, actuals),
            "$by_profile" => self.by_profile(inner, actuals),
            _ => self.replace(node, actuals),
        }
    }

    fn by_profile(&mut self, node: &Node, actuals: &[Actual]) -> Result<(), String> {
        for actual in actuals {
            let actual = std::slice::from_ref(actual);
            let name = actual[0].profile.name();
            match node.get(name) {
                Some(own) => self.merge(own, actual)?,
                None => {
                    let value = self.literal(actual)?;
                    self.changes.insert(node, name, value);
                }
            }
        }
        Ok(())
    }

    fn fields(
        &mut self,
        node: &Node,
        entries: &[Entry],
        actuals: &[Actual],
        maps: &[&Map],
        exact: bool,
    ) -> Result<(), String> {
        let of_key = |name: &[u8]| -> Vec<Actual> {
            let value = |(actual, map): (&Actual, &&Map)| Actual {
                profile: actual.profile,
                value: map.get_named(name).cloned(),
            };
            actuals.iter().zip(maps).map(value).collect()
        };
        let name = |entry: &Entry, fold: bool| {
            let key = literal_key(&entry.key);
            if fold { Arc::from(key.to_lowercase()) } else { key }
        };
        for entry in entries {
            let values = of_key(name(entry, self.fold).as_bytes());
            let nowhere = values.iter().all(|actual| actual.value.is_none());
            match nowhere && !self.matches(&entry.value, &values[0]) {
                true => self.changes.remove(entry),
                false => self.merge(&entry.value, &values)?,
            }
        }
        let mut written: Vec<Arc<str>> = entries.iter().map(|entry| name(entry, self.fold)).collect();
        for map in maps.iter().filter(|_| exact) {
            for (key, _) in map.entries() {
                let key = key_text(key)?;
                if written.iter().any(|known| **known == *key) {
                    continue;
                }
                let value = self.literal(&of_key(key.as_bytes()))?;
                self.changes.insert(node, escaped(&key), value);
                written.push(Arc::from(key));
            }
        }
        Ok(())
    }

    fn items(
        &mut self,
        node: &Node,
        items: &[Node],
        actuals: &[Actual],
        lists: &[&[Value]],
    ) -> Result<(), String> {
        let length = lists[0].len();
        if lists.iter().any(|list| list.len() != length) {
            return self.replace(node, actuals);
        }
        for at in 0..length {
            let value = |(actual, list): (&Actual, &&[Value])| Actual {
                profile: actual.profile,
                value: Some(list[at].clone()),
            };
            let values: Vec<Actual> = actuals.iter().zip(lists).map(value).collect();
            match items.get(at) {
                Some(item) => self.merge(item, &values)?,
                None => {
                    let value = self.literal(&values)?;
                    self.changes.append(node, value);
                }
            }
        }
        if items.len() > length {
            self.changes.cut(node, length);
        }
        Ok(())
    }

    /// What came, as an expectation says it.
    pub(super) fn literal(&mut self, actuals: &[Actual]) -> Result<Node, String> {
        let Some((first, rest)) = actuals.split_first() else { return Err("nothing came".to_owned()) };
        let same = |other: &Actual| match (&first.value, &other.value) {
            (Some(a), Some(b)) => compare::exactly_equal(a, b),
            (a, b) => a.is_none() && b.is_none(),
        };
        let one = |leaves: &mut Self, value: &Option<Value>| match value {
            Some(value) => leaves.node(value),
            None => Ok(text("$absent")),
        };
        if rest.iter().all(same) {
            return one(self, &first.value);
        }
        // The newest profile first, as files name them.
        let mut by_profile = Vec::new();
        for actual in actuals {
            by_profile.push((actual.profile, one(self, &actual.value)?));
        }
        by_profile.sort_by_key(|(profile, _)| std::cmp::Reverse(*profile));
        let entries = by_profile.into_iter().map(|(profile, node)| (profile.name(), node));
        Ok(map([("$by_profile", map(entries))]))
    }

    fn node(&mut self, value: &Value) -> Result<Node, String> {
        Ok(new_node(match value {
            Value::Undefined => return Ok(text("$undefined")),
            Value::Null => Data::Null,
            Value::Bool(b) => Data::Bool(*b),
            Value::Int(_) | Value::Big(_) => {
                let n = value.to_bigint().unwrap_or_default();
                Data::Int(Arc::from(n.to_string()), Arc::new(n))
            }
            Value::Float(f) => {
                let mut raw = Vec::new();
                float::write_json(&mut raw, *f);
                Data::Float(Arc::from(String::from_utf8_lossy(&raw)), *f)
            }
            Value::Str(bytes) | Value::Atom(bytes) => return Ok(self.string(bytes, value)),
            Value::List(items) => {
                Data::List(Arc::new(items.iter().map(|item| self.node(item)).collect::<Result<_, _>>()?))
            }
            Value::Map(map) => {
                let mut entries: Vec<Entry> = Vec::new();
                for (key, value) in map.entries() {
                    let key = escaped(&key_text(key)?);
                    // Of an atom and a string of one name a reader sees one.
                    if !entries.iter().any(|entry| *entry.key == *key) {
                        entries.push(new_entry(&Arc::from(key), &self.node(value)?));
                    }
                }
                Data::Map(Arc::new(entries))
            }
            Value::Tuple(_) | Value::Bits(_) => {
                let kind = value.kind_name();
                return Err(format!("a test file cannot say {kind}; write a matcher such as $any"));
            }
        }))
    }

    /// A string, such that reading it back gives it: `$any` and its like are words, and not all bytes are text.
    fn string(&mut self, bytes: &[u8], value: &Value) -> Node {
        if let Ok(plain) = std::str::from_utf8(bytes) {
            let actual = Actual { profile: Profile::default(), value: Some(value.clone()) };
            let candidates = [text(plain), text(&format!("${plain}"))];
            if let Some(node) = candidates.into_iter().find(|node| self.matches(node, &actual)) {
                return node;
            }
        }
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        map([("$hex", text(&hex))])
    }
}

/// A text.
pub(super) fn text(text: &str) -> Node {
    new_node(Data::Text(Arc::from(text)))
}

/// A map of these entries.
pub(super) fn map<'k>(entries: impl IntoIterator<Item = (&'k str, Node)>) -> Node {
    let entry = |(key, value): (&str, Node)| new_entry(&Arc::from(key), &value);
    new_node(Data::Map(Arc::new(entries.into_iter().map(entry).collect())))
}

fn maps(actuals: &[Actual]) -> Option<Vec<&Map>> {
    actuals.iter().map(|actual| actual.value.as_ref()?.as_map()).collect()
}

fn lists(actuals: &[Actual]) -> Option<Vec<&[Value]>> {
    actuals.iter().map(|actual| actual.value.as_ref()?.as_list()).collect()
}

fn decoded(actuals: &[Actual]) -> Option<Vec<Actual>> {
    let decoded = |actual: &Actual| match &actual.value {
        Some(Value::Str(text)) => {
            Some(Actual { profile: actual.profile, value: Some(decode::decode(text).ok()?) })
        }
        _ => None,
    };
    actuals.iter().map(decoded).collect()
}

fn key_text(key: &Value) -> Result<String, String> {
    let bytes = key.atom_name().or_else(|| key.as_bytes().map(|bytes| bytes.as_ref()));
    let text = bytes.and_then(|bytes| std::str::from_utf8(bytes).ok());
    text.map(str::to_owned).ok_or_else(|| "a test file cannot say a key that is no text".to_owned())
}

/// A key of an expectation: a leading `$` is written twice.
fn escaped(key: &str) -> String {
    if key.starts_with('$') { format!("${key}") } else { key.to_owned() }
}
