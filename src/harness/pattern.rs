//! What an expectation wants of a value: plain values are exact, words with `$` are matchers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use regex::Regex;

use super::Reading;
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Entry, Node};
use crate::profile::Profile;
use crate::rule::plain;
use crate::text::Span;
use crate::value::{Bytes, Value, compare};

/// An expectation and where it stands.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// Where.
    pub span: Span,
    /// What.
    pub kind: Kind,
}

/// Kinds of expectations.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `$any`: whatever, as long as it is there.
    Any,
    /// `$absent`: the key is not there.
    Absent,
    /// This very value: null, a boolean, a number, `$undefined`, bytes.
    Exact(Value),
    /// This text, of a string or atom.
    Text(Arc<str>),
    /// These items in this order.
    List(Vec<Pattern>),
    /// These keys and no others.
    Map(Vec<Field>),
    /// `$type`.
    Type(&'static str),
    /// `$regex`, found anywhere in the text.
    Regex(Regex),
    /// `$approx: [value, tolerance]`.
    Approx(f64, f64),
    /// `$range: [low, high]`, both included; `None` where there is no bound.
    Range(Option<Value>, Option<Value>),
    /// `$json`: text that holds JSON.
    Json(Box<Pattern>),
    /// `$contains`: part of a map, list or text.
    Contains(Box<Pattern>),
    /// `$unordered`: these items in any order.
    Unordered(Vec<Pattern>),
    /// `$len`.
    Len(Box<Pattern>),
    /// `$not`.
    Not(Box<Pattern>),
    /// `$all`.
    All(Vec<Pattern>),
    /// `$by_profile`.
    ByProfile(BTreeMap<Profile, Pattern>),
}

/// A key of a map and what its value must be.
#[derive(Clone, Debug)]
pub struct Field {
    /// The key.
    pub key: Arc<str>,
    /// What its value must be.
    pub value: Pattern,
}

/// The words that stand alone as a value.
pub const BARE_WORDS: &[&str] = &["$any", "$absent", "$undefined"];

/// The words that are the key of a map of one entry.
pub const WORDS: &[&str] = &[
    "$all",
    "$approx",
    "$base64",
    "$by_profile",
    "$contains",
    "$file",
    "$hex",
    "$json",
    "$len",
    "$not",
    "$range",
    "$regex",
    "$type",
    "$unordered",
];

/// What `$type` knows.
pub const TYPES: &[&str] =
    &["string", "integer", "float", "number", "boolean", "null", "undefined", "atom", "list", "map"];

impl Pattern {
    /// Reads an expectation; what is wrong goes to the problems.
    pub fn read(node: &Node, reading: &mut Reading<'_>) -> Option<Pattern> {
        let kind = match &node.data {
            Data::Text(text) => bare(text, node, reading)?,
            Data::List(items) => Kind::List(list(items, reading)?),
            Data::Map(entries) => match word_of(entries, WORDS, reading) {
                Ok(Some(entry)) => word(entry, reading)?,
                Ok(None) => Kind::Map(fields(entries, reading)?),
                Err(()) => return None,
            },
            _ => Kind::Exact(plain::value(node).map_err(|p| reading.problems.push(*p)).ok()?),
        };
        Some(Pattern { span: node.span, kind })
    }

    /// Is it `$any`?
    pub fn is_any(&self) -> bool {
        matches!(self.kind, Kind::Any)
    }

    /// Makes the keys of a map lower-case, at the top and inside `$contains`: names of headers.
    pub fn lower_keys(&mut self) {
        match &mut self.kind {
            Kind::Map(fields) => fields.iter_mut().for_each(|f| f.key = Arc::from(f.key.to_lowercase())),
            Kind::Contains(inner) | Kind::Not(inner) => inner.lower_keys(),
            Kind::All(all) => all.iter_mut().for_each(Pattern::lower_keys),
            _ => {}
        }
    }
}

/// A text: a bare word, or itself.
fn bare(text: &Arc<str>, node: &Node, reading: &mut Reading<'_>) -> Option<Kind> {
    Some(match &**text {
        "$any" => Kind::Any,
        "$absent" => Kind::Absent,
        "$undefined" => Kind::Exact(Value::Undefined),
        word if word.strip_prefix('$').is_some_and(|rest| BARE_WORDS.contains(&rest)) => {
            Kind::Text(Arc::from(&word[1..]))
        }
        word if word.starts_with('$') => {
            if let Some(near) = nearest(word, BARE_WORDS.iter().chain(WORDS).copied()) {
                let problem = Diagnostic::error(codes::UNKNOWN_WORD, format!("there is no word '{word}'"));
                reading.problems.push(problem.at(node.span, "").help(format!("did you mean '{near}'?")));
                return None;
            }
            Kind::Text(text.clone())
        }
        _ => Kind::Text(text.clone()),
    })
}

/// The one entry of a map whose key is a word, if it has one; `Err` when the map is neither plain nor a word.
pub(super) fn word_of<'n>(
    entries: &'n [Entry],
    words: &[&str],
    reading: &mut Reading<'_>,
) -> Result<Option<&'n Entry>, ()> {
    let is_word = |entry: &&Entry| entry.key.starts_with('$') && !entry.key.starts_with("$$");
    let Some(found) = entries.iter().find(is_word) else { return Ok(None) };
    let name = &*found.key;
    if !words.contains(&name) {
        let problem = Diagnostic::error(codes::UNKNOWN_WORD, format!("there is no word '{name}' here"));
        let help = match nearest(name, words.iter().copied()) {
            Some(near) => format!("did you mean '{near}'?"),
            None => format!("words are {}; a literal leading $ in a key is written $$", words.join(", ")),
        };
        reading.problems.push(problem.at(found.key_span, "").help(help));
        return Err(());
    }
    if entries.len() > 1 {
        let problem =
            Diagnostic::error(codes::BAD_MATCHER, format!("'{name}' must be the only key of its map"));
        let help = "join several matchers with $all; a literal leading $ in a key is written $$";
        reading.problems.push(problem.at(found.key_span, "").help(help));
        return Err(());
    }
    Ok(Some(found))
}

/// A literal key: `$$` stands for `$`.
pub(super) fn literal_key(key: &Arc<str>) -> Arc<str> {
    if key.starts_with("$$") { Arc::from(&key[1..]) } else { key.clone() }
}

fn list(items: &[Node], reading: &mut Reading<'_>) -> Option<Vec<Pattern>> {
    let patterns: Vec<Pattern> = items.iter().filter_map(|item| Pattern::read(item, reading)).collect();
    (patterns.len() == items.len()).then_some(patterns)
}

fn fields(entries: &[Entry], reading: &mut Reading<'_>) -> Option<Vec<Field>> {
    let field = |entry: &Entry, reading: &mut Reading<'_>| {
        Some(Field { key: literal_key(&entry.key), value: Pattern::read(&entry.value, reading)? })
    };
    let fields: Vec<Field> = entries.iter().filter_map(|entry| field(entry, reading)).collect();
    (fields.len() == entries.len()).then_some(fields)
}

fn word(entry: &Entry, reading: &mut Reading<'_>) -> Option<Kind> {
    let node = &entry.value;
    let inner = |reading: &mut Reading<'_>| Pattern::read(node, reading).map(Box::new);
    match &*entry.key {
        "$json" => inner(reading).map(Kind::Json),
        "$not" => inner(reading).map(Kind::Not),
        "$len" => match &node.data {
            Data::Int(raw, _) if raw.starts_with('-') => bad(entry, "$len wants a length from 0", reading),
            _ => inner(reading).map(Kind::Len),
        },
        "$contains" => match node.data {
            Data::Map(_) | Data::List(_) | Data::Text(_) => inner(reading).map(Kind::Contains),
            _ => bad(entry, "$contains wants a map, a list or a text", reading),
        },
        "$all" | "$unordered" => {
            let Some(items) = node.as_list() else {
                return bad(entry, &format!("{} wants a list", entry.key), reading);
            };
            if items.is_empty() && &*entry.key == "$all" {
                return bad(entry, "$all wants at least one matcher", reading);
            }
            let items = list(items, reading)?;
            Some(if &*entry.key == "$all" { Kind::All(items) } else { Kind::Unordered(items) })
        }
        "$type" => match TYPES.iter().find(|name| Some(**name) == node.as_text()) {
            Some(name) => Some(Kind::Type(name)),
            // `$type: null` is written without quotes.
            None if node.is_null() => Some(Kind::Type("null")),
            None => bad(entry, &format!("$type wants one of {}", TYPES.join(", ")), reading),
        },
        "$regex" => regex(entry, reading),
        "$approx" => match node.as_list().map(|pair| pair.iter().map(number).collect::<Option<Vec<f64>>>()) {
            Some(Some(pair)) if pair.len() == 2 && pair[1] >= 0.0 => Some(Kind::Approx(pair[0], pair[1])),
            _ => bad(entry, "$approx wants [value, tolerance], two numbers", reading),
        },
        "$range" => range(entry, reading),
        "$by_profile" => by_profile(entry, reading),
        _ => Some(Kind::Exact(Value::Str(super::payload::bytes_word(entry, reading)?))),
    }
}

fn bad<T>(entry: &Entry, message: &str, reading: &mut Reading<'_>) -> Option<T> {
    let problem = Diagnostic::error(codes::BAD_MATCHER, message.to_owned());
    let message = format!("this is {}", entry.value.kind_name());
    reading.problems.push(problem.at(entry.value.span, message));
    None
}

fn regex(entry: &Entry, reading: &mut Reading<'_>) -> Option<Kind> {
    let Some(text) = entry.value.as_text() else { return bad(entry, "$regex wants a pattern", reading) };
    match Regex::new(text) {
        Ok(regex) => Some(Kind::Regex(regex)),
        Err(e) => {
            let why = e.to_string();
            let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            bad(entry, &format!("$regex cannot be read: {why}"), reading)
        }
    }
}

fn number(node: &Node) -> Option<f64> {
    match &node.data {
        Data::Int(raw, _) => raw.parse().ok(),
        Data::Float(_, f) => Some(*f),
        _ => None,
    }
}

fn range(entry: &Entry, reading: &mut Reading<'_>) -> Option<Kind> {
    let bound = |node: &Node| match &node.data {
        Data::Null => Ok(None),
        Data::Float(_, f) if f.is_infinite() => Ok(None),
        Data::Int(..) | Data::Float(..) => plain::value(node).map(Some).map_err(|_| ()),
        _ => Err(()),
    };
    match entry.value.as_list().map(|pair| pair.iter().map(bound).collect::<Result<Vec<_>, ()>>()) {
        Some(Ok(mut pair)) if pair.len() == 2 => {
            let high = pair.pop().flatten();
            match (pair.pop().flatten(), high) {
                (Some(low), Some(high)) if compare::number_order(&low, &high).is_gt() => {
                    bad(entry, "$range wants the lower bound first; nothing lies in this one", reading)
                }
                (low, high) => Some(Kind::Range(low, high)),
            }
        }
        _ => bad(entry, "$range wants [low, high], two numbers; null leaves a side open", reading),
    }
}

fn by_profile(entry: &Entry, reading: &mut Reading<'_>) -> Option<Kind> {
    let Some(entries) = entry.value.as_map() else {
        return bad(entry, "$by_profile wants a map from \"5.8\" and \"4.3\"", reading);
    };
    let mut patterns = BTreeMap::new();
    for entry in entries {
        match entry.key.parse::<Profile>() {
            Ok(profile) => {
                patterns.insert(profile, Pattern::read(&entry.value, reading)?);
            }
            Err(message) => {
                reading.problems.push(Diagnostic::error(codes::BAD_MATCHER, message).at(entry.key_span, ""));
                return None;
            }
        }
    }
    Some(Kind::ByProfile(patterns))
}

/// As the test file might have written it.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Any => f.write_str("$any"),
            Kind::Absent => f.write_str("$absent"),
            Kind::Exact(Value::Undefined) => f.write_str("$undefined"),
            Kind::Exact(value) => f.write_str(&super::show::value(value)),
            Kind::Text(text) => f.write_str(&super::show::value(&Value::str(&**text))),
            Kind::List(items) => write_list(f, items),
            Kind::Map(fields) => {
                f.write_str("{")?;
                for (at, field) in fields.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    write!(f, "{comma}{}: {}", super::show::value(&Value::str(&*field.key)), field.value)?;
                }
                f.write_str("}")
            }
            Kind::Type(name) => write!(f, "$type {name}"),
            Kind::Regex(regex) => write!(f, "$regex {}", super::show::value(&Value::str(regex.as_str()))),
            Kind::Approx(value, tolerance) => write!(f, "$approx [{value}, {tolerance}]"),
            Kind::Range(low, high) => {
                let bound = |b: &Option<Value>| b.as_ref().map_or("null".to_owned(), super::show::value);
                write!(f, "$range [{}, {}]", bound(low), bound(high))
            }
            Kind::Json(inner) => write!(f, "$json {inner}"),
            Kind::Contains(inner) => write!(f, "$contains {inner}"),
            Kind::Unordered(items) => {
                f.write_str("$unordered ")?;
                write_list(f, items)
            }
            Kind::Len(inner) => write!(f, "$len {inner}"),
            Kind::Not(inner) => write!(f, "$not {inner}"),
            Kind::All(items) => {
                f.write_str("$all ")?;
                write_list(f, items)
            }
            Kind::ByProfile(_) => f.write_str("$by_profile …"),
        }
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, items: &[Pattern]) -> fmt::Result {
    f.write_str("[")?;
    for (at, item) in items.iter().enumerate() {
        write!(f, "{}{item}", if at > 0 { ", " } else { "" })?;
    }
    f.write_str("]")
}

/// A pattern for bytes that are known.
impl From<Bytes> for Kind {
    fn from(bytes: Bytes) -> Kind {
        Kind::Exact(Value::Str(bytes))
    }
}
