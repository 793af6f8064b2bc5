//! `${…}` templates of actions, per profile, parsed once.
//!
//! EMQX has three template languages: emqx_rule_utils of 4.3; in 5.8 emqx_template (http, republish) and
//! emqx_placeholder (HStreamDB and most others). They differ in what a placeholder may hold, in `${.}`, in the escape
//! `${$}`, and in how far they look into strings that hold JSON.
//!
//! Invariant: any text is a template; rendering inserts values raw, with no JSON escaping.

use std::borrow::Cow;
use std::ops::Range;

use crate::profile::Profile;
use crate::value::path::{self, Step};
use crate::value::text::{DECIMALS_4_3, DECIMALS_5_8, NoText, write_text};
use crate::value::{Bytes, Map, Value, decode};

/// Which template language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// emqx_rule_utils:preproc_tmpl of 4.3, for all actions.
    Rule4,
    /// emqx_template of 5.8, over emqx_jsonish.
    Template5,
    /// emqx_placeholder of 5.8.
    Placeholder5,
}

impl Dialect {
    /// The language of http and republish actions.
    pub fn action(profile: Profile) -> Dialect {
        match profile {
            Profile::V4_3 => Dialect::Rule4,
            Profile::V5_8 => Dialect::Template5,
        }
    }

    /// The language of HStreamDB and most database actions.
    pub fn placeholder(profile: Profile) -> Dialect {
        match profile {
            Profile::V4_3 => Dialect::Rule4,
            Profile::V5_8 => Dialect::Placeholder5,
        }
    }

    /// The accessor of the placeholder that starts at `text` (which begins with `${`), and its length in bytes.
    fn placeholder_at(self, text: &str) -> Option<(Part, usize)> {
        let inner = text.get(2..text.find('}')?)?;
        let len = inner.len() + 3;
        let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'_');
        match self {
            Dialect::Rule4 if inner.is_empty() || !plain(inner) => None,
            Dialect::Rule4 => Some((Part::Value(keys(inner)), len)),
            Dialect::Template5 if inner == "$" => Some((Part::Text("$".to_owned()), len)),
            Dialect::Template5 if !plain(inner) => None,
            Dialect::Template5 => {
                let name = inner.strip_prefix('.').unwrap_or(inner);
                Some((Part::Value(if name.is_empty() { Vec::new() } else { keys(name) }), len))
            }
            Dialect::Placeholder5 if inner.is_empty() => None,
            Dialect::Placeholder5 => {
                let name = inner.trim_start_matches('.');
                Some((Part::Value(if name.is_empty() { Vec::new() } else { keys(name) }), len))
            }
        }
    }

    fn decimals(self) -> i64 {
        if self == Dialect::Rule4 { DECIMALS_4_3 } else { DECIMALS_5_8 }
    }
}

fn keys(name: &str) -> Vec<Bytes> {
    name.split('.').map(|key| Bytes::copy_from_slice(key.as_bytes())).collect()
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    source: String,
    dialect: Dialect,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// The keys to the value; none is the whole data.
    Value(Vec<Bytes>),
}

impl Template {
    /// Parses a template; any text is one.
    pub fn parse(text: &str, dialect: Dialect) -> Template {
        let mut parts: Vec<Part> = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            plain.push_str(&rest[..at]);
            rest = &rest[at..];
            match dialect.placeholder_at(rest) {
                Some((Part::Text(text), len)) => {
                    plain.push_str(&text);
                    rest = &rest[len..];
                }
                Some((value, len)) => {
                    if !plain.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut plain)));
                    }
                    parts.push(value);
                    rest = &rest[len..];
                }
                // emqx_placeholder takes the longest text without a closing brace, from the first opening on; the
                // others start anew at the next dollar sign.
                None => {
                    plain.push_str(&rest[..2]);
                    rest = &rest[2..];
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Template { source: text.to_owned(), dialect, parts }
    }

    /// The template as written.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The placeholders, as their keys; an empty list is the whole data.
    pub fn placeholders(&self) -> impl Iterator<Item = &[Bytes]> {
        self.parts.iter().filter_map(|part| match part {
            Part::Value(keys) => Some(keys.as_slice()),
            Part::Text(_) => None,
        })
    }

    /// The placeholders with their byte ranges in [`Template::source`].
    pub fn places(&self) -> Vec<(Range<usize>, &[Bytes])> {
        let mut places = Vec::new();
        let mut keys = self.placeholders();
        let mut at = 0;
        while let Some(start) = self.source[at..].find("${").map(|found| at + found) {
            let len = match self.dialect.placeholder_at(&self.source[start..]) {
                Some((Part::Value(_), len)) => {
                    places.extend(keys.next().map(|keys| (start..start + len, keys)));
                    len
                }
                Some((Part::Text(_), len)) => len,
                None => 2,
            };
            at = start + len;
        }
        places
    }

    /// The value that a placeholder with these keys has over the selected output.
    pub fn value<'v>(&self, keys: &[Bytes], data: &'v Value) -> Cow<'v, Value> {
        lookup(self.dialect, data, keys)
    }

    /// The value of a template that is a single placeholder.
    pub fn single_value(&self, data: &Value) -> Option<Value> {
        match self.parts.as_slice() {
            [Part::Value(keys)] => Some(lookup(self.dialect, data, keys).into_owned()),
            _ => None,
        }
    }

    /// Renders over the selected output; a missing value gives `undefined`, as the engines do.
    pub fn render(&self, data: &Value) -> Result<Bytes, NoText> {
        let mut out = Vec::with_capacity(self.source.len() + 32);
        for part in &self.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Value(keys) => {
                    write_text(&mut out, &lookup(self.dialect, data, keys), self.dialect.decimals())?;
                }
            }
        }
        Ok(Bytes::from(out))
    }
}

fn lookup<'v>(dialect: Dialect, data: &'v Value, keys: &[Bytes]) -> Cow<'v, Value> {
    match dialect {
        // emqx_rule_maps:nested_get: JSON in strings is looked into at every step.
        Dialect::Rule4 => {
            let steps: Vec<Step> = keys.iter().cloned().map(Step::Key).collect();
            path::get_rooted(data, &steps)
        }
        Dialect::Template5 => look(data, keys, 1),
        Dialect::Placeholder5 => look(data, keys, usize::MAX),
    }
}

/// Key by key; at most `decodings` strings on the way are read as JSON.
fn look<'v>(data: &'v Value, keys: &[Bytes], decodings: usize) -> Cow<'v, Value> {
    let Some((key, rest)) = keys.split_first() else { return Cow::Borrowed(data) };
    match data {
        Value::Map(map) => {
            member(map, key).map_or(Cow::Owned(Value::Undefined), |inner| look(inner, rest, decodings))
        }
        Value::Str(text) if decodings > 0 => match decode::decode(text) {
            Ok(inner) => Cow::Owned(look(&inner, keys, decodings - 1).into_owned()),
            Err(_) => Cow::Owned(Value::Undefined),
        },
        _ => Cow::Owned(Value::Undefined),
    }
}

/// The string key, or the atom where the string is missing or undefined (emqx_template:lookup).
fn member<'v>(map: &'v Map, key: &[u8]) -> Option<&'v Value> {
    let string = map.get_str(key).filter(|value| !value.is_undefined());
    string.or_else(|| map.entries().iter().find(|(k, _)| k.atom_name() == Some(key)).map(|(_, v)| v))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, dialect: Dialect) -> String {
        let data = r#"{"a":{"b":"{\"c\":{\"d\":1},\"e\":\"{\\\"f\\\":2}\"}"},"s":"x\"y"}"#;
        let data = decode::decode(&Bytes::from_static(data.as_bytes())).unwrap();
        String::from_utf8(Template::parse(text, dialect).render(&data).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn placeholders_have_places() {
        let text = "é${a}-${${b.c}${$}${}";
        let places = |dialect| {
            let template = Template::parse(text, dialect);
            template.places().into_iter().map(|(range, _)| text[range].to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(places(Dialect::Rule4), ["${a}", "${b.c}"]);
        assert_eq!(places(Dialect::Template5), ["${a}", "${b.c}", "${}"]);
        assert_eq!(places(Dialect::Placeholder5), ["${a}", "${${b.c}", "${$}"]);
    }

    #[test]
    fn dialects_differ() {
        let cases = [
            ("${s}-${no}", ["x\"y-undefined", "x\"y-undefined", "x\"y-undefined"]),
            ("${a.b.c.d}", ["1", "1", "1"]),
            ("${a.b.e.f}", ["2", "undefined", "2"]),
            ("${$}{s}", ["${$}{s}", "${s}", "undefined{s}"]),
            ("${.s}", ["undefined", "x\"y", "x\"y"]),
            ("${}", ["${}", r#"{"s":"x\"y","a":{"b":"{\"c\":{\"d\":1},\"e\":\"{\\\"f\\\":2}\"}"}}"#, "${}"]),
            ("${s t}", ["${s t}", "${s t}", "undefined"]),
            ("${${s}", ["${x\"y", "${x\"y", "undefined"]),
            ("${s", ["${s", "${s", "${s"]),
        ];
        for (text, wanted) in cases {
            for (dialect, wanted) in
                [Dialect::Rule4, Dialect::Template5, Dialect::Placeholder5].into_iter().zip(wanted)
            {
                assert_eq!(render(text, dialect), wanted, "{text} {dialect:?}");
            }
        }
    }
}
