//! JSON that keeps the text of numbers: 1, 1.0 and 1e0 are three answers.

use std::collections::BTreeMap;

/// A document.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// A number or a word, as written.
    Plain(String),
    Text(String),
    List(Vec<Json>),
    Map(BTreeMap<String, Json>),
}

impl Json {
    /// The document of a text, if it is one.
    pub fn parse(text: &str) -> Option<Json> {
        let mut rest = text.trim();
        let value = value(&mut rest)?;
        rest.trim().is_empty().then_some(value)
    }

    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Map(map) => map.get(key),
            _ => None,
        }
    }

    pub fn text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub fn to_text(&self) -> String {
        match self {
            Json::Plain(text) => text.clone(),
            Json::Text(text) => serde_json::to_string(text).unwrap(),
            Json::List(items) => {
                format!("[{}]", items.iter().map(Json::to_text).collect::<Vec<_>>().join(","))
            }
            Json::Map(map) => {
                let member = |(k, v): (&String, &Json)| {
                    format!("{}:{}", serde_json::to_string(k).unwrap(), v.to_text())
                };
                format!("{{{}}}", map.iter().map(member).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// Equal up to key order, also inside strings that are JSON themselves; `near` forgives a number's last digits.
    pub fn same(&self, other: &Json, near: bool) -> bool {
        match (self, other) {
            (Json::Plain(a), Json::Plain(b)) => a == b || (near && close(a, b)),
            (Json::Text(a), Json::Text(b)) => a == b || same_inside(a, b, near),
            (Json::List(a), Json::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b, near))
            }
            (Json::Map(a), Json::Map(b)) => {
                a.len() == b.len() && a.iter().all(|(k, a)| b.get(k).is_some_and(|b| a.same(b, near)))
            }
            _ => false,
        }
    }
}

fn close(a: &str, b: &str) -> bool {
    match (a.parse::<f64>(), b.parse::<f64>()) {
        (Ok(a), Ok(b)) => (a - b).abs() <= 4e-16 * a.abs().max(b.abs()),
        _ => false,
    }
}

fn same_inside(a: &str, b: &str, near: bool) -> bool {
    let opens = |text: &str| text.starts_with(['{', '[']);
    if !opens(a) || !opens(b) {
        return false;
    }
    matches!((Json::parse(a), Json::parse(b)), (Some(a), Some(b)) if a.same(&b, near))
}

fn value(rest: &mut &str) -> Option<Json> {
    *rest = rest.trim_start();
    match rest.chars().next()? {
        '{' => {
            let mut map = BTreeMap::new();
            sequence(rest, '}', |rest| {
                let Json::Text(key) = value(rest)? else { return None };
                *rest = rest.trim_start().strip_prefix(':')?;
                map.insert(key, value(rest)?);
                Some(())
            })?;
            Some(Json::Map(map))
        }
        '[' => {
            let mut items = Vec::new();
            sequence(rest, ']', |rest| {
                items.push(value(rest)?);
                Some(())
            })?;
            Some(Json::List(items))
        }
        '"' => {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let closes = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                closes
            });
            let (text, after) = rest.split_at(end?.0 + 1);
            *rest = after;
            // Raw line ends stand in some of the engines' own strings.
            let text = text.replace('\n', "\\n").replace('\r', "\\r");
            serde_json::from_str(&text).ok().map(Json::Text)
        }
        _ => {
            let end =
                rest.find(|c: char| !c.is_ascii_alphanumeric() && !"+-.".contains(c)).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            *rest = after;
            (!word.is_empty()).then(|| Json::Plain(word.to_owned()))
        }
    }
}

fn sequence(rest: &mut &str, close: char, mut each: impl FnMut(&mut &str) -> Option<()>) -> Option<()> {
    *rest = rest[1..].trim_start();
    if let Some(after) = rest.strip_prefix(close) {
        *rest = after;
        return Some(());
    }
    loop {
        each(rest)?;
        *rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => *rest = after,
            None => {
                *rest = rest.strip_prefix(close)?;
                return Some(());
            }
        }
    }
}
