//! Secrets and persons taken out of messages before they become fixtures.
//!
//! A value that is asked to go becomes `redacted-1`, `redacted-2`, …: equal values stay equal, so that rules that
//! compare them still can be tested. Whatever has the name of a secret is masked unasked.
//!
//! Invariant: of a payload only the values that go are touched; the rest of its text stays as it is.

use std::collections::BTreeMap;

use crate::document::{Data, Document, Edit, Entry, Format, Node};
use crate::event::Message;
use crate::value::{Bytes, Value};

/// What stands for a masked secret.
const MASK: &str = "******";

/// What is to go.
#[derive(Debug, Default)]
pub struct Redaction {
    paths: Vec<Path>,
    keep_secrets: bool,
    /// What stands for a value, by its text.
    names: BTreeMap<String, usize>,
    /// Payloads that went as a whole, since no value could be found in them.
    whole: u64,
}

/// One value that is to go: `payload.user.email`, `clientid`, …; `*` is every key and every item.
#[derive(Clone, Debug)]
struct Path {
    column: Column,
    keys: Vec<String>,
    /// What stands in its place, instead of a name of ours.
    with: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Payload,
    Clientid,
    Username,
    UserProperties,
    Properties,
}

const COLUMNS: [(&str, Column); 5] = [
    ("payload", Column::Payload),
    ("clientid", Column::Clientid),
    ("username", Column::Username),
    ("user_properties", Column::UserProperties),
    ("properties", Column::Properties),
];

impl Redaction {
    /// Values by their paths, each `PATH` or `PATH=TEXT`; secrets by their names unless they are to be kept.
    pub fn new(paths: &[String], keep_secrets: bool) -> Result<Redaction, String> {
        let paths = paths.iter().map(|path| parse(path)).collect::<Result<_, _>>()?;
        Ok(Redaction { paths, keep_secrets, ..Redaction::default() })
    }

    /// How many payloads went as a whole.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    /// The message without what is to go. `is_secret` tells secrets by their names.
    pub fn apply(&mut self, message: &mut Message, is_secret: &dyn Fn(&str) -> bool) {
        let secret = |name: &str| !self.keep_secrets && is_secret(name);
        for (key, value) in &mut message.user_properties {
            if secret(key) {
                *value = MASK.to_owned();
            }
        }
        let text = std::str::from_utf8(&message.payload).ok();
        let document = text.and_then(|text| Document::read("", text.as_bytes(), Format::Json).ok());
        let mut edits = Vec::new();
        if let Some(document) = &document
            && !self.keep_secrets
        {
            mask(&document.root, is_secret, &mut edits);
        }
        for path in self.paths.clone() {
            match path.column {
                Column::Clientid => message.clientid = self.text(&message.clientid, &path),
                Column::Username => {
                    message.username = message.username.as_deref().map(|name| self.text(name, &path))
                }
                Column::UserProperties => {
                    let named = |key: &str| path.keys.first().is_none_or(|name| name == "*" || name == key);
                    for (_, value) in message.user_properties.iter_mut().filter(|(key, _)| named(key)) {
                        *value = self.text(value, &path);
                    }
                }
                Column::Properties => {
                    let named = |key: &str| path.keys.first().is_none_or(|name| name == "*" || name == key);
                    for (_, value) in message.properties.iter_mut().filter(|(key, _)| named(key)) {
                        if let Value::Str(bytes) = value {
                            let shown = String::from_utf8_lossy(bytes).into_owned();
                            *value = Value::str(self.text(&shown, &path));
                        }
                    }
                }
                Column::Payload => match (&document, path.keys.is_empty()) {
                    (Some(document), false) => {
                        self.values(document, &document.root, &path, &path.keys, &mut edits)
                    }
                    _ if message.payload.is_empty() => {}
                    _ => {
                        self.whole += u64::from(!path.keys.is_empty());
                        let shown = String::from_utf8_lossy(&message.payload).into_owned();
                        message.payload = Bytes::from(self.text(&shown, &path));
                        return;
                    }
                },
            }
        }
        if let Some(document) = &document
            && !edits.is_empty()
        {
            message.payload = Bytes::from(document.edited(distinct(edits)));
        }
    }

    fn values(
        &mut self,
        document: &Document,
        node: &Node,
        path: &Path,
        keys: &[String],
        edits: &mut Vec<Edit>,
    ) {
        let Some((key, rest)) = keys.split_first() else {
            let shown = document.source.slice(node.span);
            // Null hides nothing, and whether something is there is what rules look at.
            if !node.is_null() {
                let text = self.text(node.as_text().unwrap_or(shown), path);
                edits.push(Edit { span: node.span, text: quoted(&text) });
            }
            return;
        };
        match &node.data {
            Data::Map(entries) => {
                let named = entries.iter().filter(|entry| key == "*" || *entry.key == **key);
                named.for_each(|entry| self.values(document, &entry.value, path, rest, edits));
            }
            // A list is looked through: its items have the keys.
            Data::List(items) => {
                let rest = if key == "*" { rest } else { keys };
                items.iter().for_each(|item| self.values(document, item, path, rest, edits));
            }
            _ => {}
        }
    }

    /// What stands for a value.
    fn text(&mut self, value: &str, path: &Path) -> String {
        if let Some(with) = &path.with {
            return with.clone();
        }
        let next = self.names.len() + 1;
        let number = *self.names.entry(value.to_owned()).or_insert(next);
        format!("redacted-{number}")
    }
}

fn parse(text: &str) -> Result<Path, String> {
    let (path, with) = match text.split_once('=') {
        Some((path, with)) => (path, Some(with.to_owned())),
        None => (text, None),
    };
    let mut keys = path.split('.').map(str::to_owned);
    let column = keys.next().unwrap_or_default();
    let known = COLUMNS.iter().find(|(name, _)| *name == column).map(|(_, column)| *column);
    let Some(column) = known else {
        let names: Vec<&str> = COLUMNS.iter().map(|(name, _)| *name).collect();
        return Err(format!(
            "'{path}' begins with none of {}; write payload.KEY, for example",
            names.join(", ")
        ));
    };
    let keys: Vec<String> = keys.collect();
    let keys_max = match column {
        Column::Payload => usize::MAX,
        Column::UserProperties | Column::Properties => 1,
        Column::Clientid | Column::Username => 0,
    };
    if keys.iter().any(String::is_empty) || keys.len() > keys_max {
        return Err(format!(
            "'{path}' is no path; write payload.KEY, user_properties.KEY or clientid, for example"
        ));
    }
    Ok(Path { column, keys, with })
}

/// The strings of a payload that have the name of a secret.
fn mask(node: &Node, is_secret: &dyn Fn(&str) -> bool, edits: &mut Vec<Edit>) {
    match &node.data {
        Data::Map(entries) => entries.iter().for_each(|Entry { key, value, .. }| match value.as_text() {
            Some(_) if is_secret(key) => edits.push(Edit { span: value.span, text: quoted(MASK) }),
            _ => mask(value, is_secret, edits),
        }),
        Data::List(items) => items.iter().for_each(|item| mask(item, is_secret, edits)),
        _ => {}
    }
}

/// Of edits of one place the last, and none inside another.
fn distinct(edits: Vec<Edit>) -> Vec<Edit> {
    let mut kept: Vec<Edit> = Vec::new();
    for edit in edits {
        let (start, end) = (edit.span.start, edit.span.end);
        if kept.iter().any(|k| k.span.start <= start && end <= k.span.end && k.span != edit.span) {
            continue;
        }
        kept.retain(|k| !(start <= k.span.start && k.span.end <= end));
        kept.push(edit);
    }
    kept
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(paths: &[&str], payloads: &[&str]) -> Vec<String> {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        let mut redaction = Redaction::new(&paths, false).unwrap();
        let one = |payload: &&str| {
            let mut message = Message::new("t", (*payload).to_owned());
            redaction.apply(&mut message, &|name| name.contains("password"));
            String::from_utf8_lossy(&message.payload).into_owned()
        };
        payloads.iter().map(one).collect()
    }

    #[test]
    fn values_go_and_the_rest_stays() {
        assert_eq!(
            redacted(
                &["payload.user.mail", "payload.list.*.id", "payload.n=0"],
                &[
                    "{ \"user\" : {\"mail\":\"a@b\" , \"x\": 1.50}, \"list\":[{\"id\":7},{\"id\":\"a@b\"},3], \"n\": 1e3 }",
                    "{\"user\":{\"mail\":\"c@d\"}}",
                    "{\"user\":{\"mail\":null}, \"password\": \"x\", \"password_age\": 3}",
                    "{\"user\":[{\"mail\":\"c@d\"}]}",
                ]
            ),
            [
                "{ \"user\" : {\"mail\":\"redacted-1\" , \"x\": 1.50}, \"list\":[{\"id\":\"redacted-2\"},{\"id\":\"redacted-1\"},3], \"n\": \"0\" }",
                "{\"user\":{\"mail\":\"redacted-3\"}}",
                "{\"user\":{\"mail\":null}, \"password\": \"******\", \"password_age\": 3}",
                "{\"user\":[{\"mail\":\"redacted-3\"}]}",
            ]
        );
    }

    #[test]
    fn payloads_that_hide_their_values_go_as_a_whole() {
        assert_eq!(redacted(&["payload.a"], &["{\"a\": 1", "", "{}"]), ["redacted-1", "", "{}"]);
        assert_eq!(
            redacted(&["payload"], &["{\"a\": 1}", "x", "x"]),
            ["redacted-1", "redacted-2", "redacted-2"]
        );
        assert_eq!(redacted(&[], &["{\"a\": 1", "{\"password\": \"a"]), ["{\"a\": 1", "{\"password\": \"a"]);
    }

    #[test]
    fn paths_are_checked() {
        for (path, sentence) in [
            (
                "user.mail",
                "'user.mail' begins with none of payload, clientid, username, user_properties, properties; write payload.KEY, for example",
            ),
            (
                "payload..a",
                "'payload..a' is no path; write payload.KEY, user_properties.KEY or clientid, for example",
            ),
            (
                "clientid.a",
                "'clientid.a' is no path; write payload.KEY, user_properties.KEY or clientid, for example",
            ),
        ] {
            assert_eq!(Redaction::new(&[path.to_owned()], false).unwrap_err(), sentence);
        }
    }
}
