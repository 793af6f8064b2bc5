//! Values of a map of known keys, checked against their table.

use std::collections::BTreeMap;

use super::keys::{Key, Kind, names};
use super::units;
use crate::diag::{Diagnostic, codes, nearest};
use crate::document::{Data, Fields, Node, Problems};

/// A checked value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// Milliseconds, `None` for `infinity`.
    Duration(Option<u64>),
    /// A size.
    Bytes(u64),
    /// A string, or one of the table's words.
    Text(String),
}

/// The checked values of one map.
#[derive(Clone, Debug)]
pub struct Options {
    table: &'static [Key],
    values: BTreeMap<&'static str, Setting>,
}

impl Options {
    /// Nothing but defaults.
    pub fn defaults(table: &'static [Key]) -> Options {
        Options { table, values: BTreeMap::new() }
    }

    /// Reads a map: unknown keys and wrong values become problems. Values of [`Kind::Any`] are left to their readers.
    pub fn read<'a>(
        what: &str,
        node: &'a Node,
        table: &'static [Key],
        problems: &mut Problems,
    ) -> Option<(Fields<'a>, Options)> {
        let fields = Fields::read(what, node, &names(table), problems)?;
        let mut options = Options::defaults(table);
        for key in table {
            let Some(value) = fields.get(key.name) else { continue };
            match setting(key, value) {
                Ok(Some(setting)) => {
                    options.values.insert(key.name, setting);
                }
                Ok(None) => {}
                Err(problem) => problems.push(*problem),
            }
        }
        Some((fields, options))
    }

    /// What the file says, or else the table's default.
    pub fn get(&self, name: &str) -> Option<Setting> {
        if let Some(setting) = self.values.get(name) {
            return Some(setting.clone());
        }
        let key = self.table.iter().find(|key| key.name == name)?;
        from_text(key.kind, key.default?)
    }

    /// Was it written?
    pub fn is_written(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// A boolean; `false` where there is neither value nor default.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name) == Some(Setting::Bool(true))
    }

    /// An integer.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.get(name) {
            Some(Setting::Int(n)) => Some(n),
            _ => None,
        }
    }

    /// Milliseconds; `None` also for `infinity`.
    pub fn duration_ms(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Setting::Duration(ms)) => ms,
            _ => None,
        }
    }

    /// A size in bytes.
    pub fn bytes(&self, name: &str) -> Option<u64> {
        match self.get(name) {
            Some(Setting::Bytes(n)) => Some(n),
            _ => None,
        }
    }

    /// A string.
    pub fn text(&self, name: &str) -> Option<String> {
        match self.get(name) {
            Some(Setting::Text(text)) => Some(text),
            _ => None,
        }
    }
}

/// The value of one key.
fn setting(key: &Key, node: &Node) -> Result<Option<Setting>, Box<Diagnostic>> {
    let wrong = |expected: &str| {
        let message = format!("'{}' must be {expected}, not {}", key.name, node.kind_name());
        Err(Box::new(Diagnostic::error(codes::WRONG_KIND, message).at(node.span, "")))
    };
    match (key.kind, &node.data) {
        (Kind::Any, _) => Ok(None),
        (Kind::Bool, Data::Bool(b)) => Ok(Some(Setting::Bool(*b))),
        (Kind::Texts, Data::List(items)) if items.iter().all(|item| item.as_text().is_some()) => Ok(None),
        (Kind::Texts, _) => wrong("a list of strings"),
        (Kind::Text, Data::Text(text)) => Ok(Some(Setting::Text(text.to_string()))),
        (Kind::Text, Data::Int(raw, _) | Data::Float(raw, _)) => {
            let message = format!("'{}' must be a string, not {}", key.name, node.kind_name());
            let problem = Diagnostic::error(codes::WRONG_KIND, message).at(node.span, "");
            Err(Box::new(problem.help(format!("write it in quotes: \"{raw}\""))))
        }
        (Kind::Text, _) => wrong("a string"),
        // HOCON hands over what environment variables say as strings, so EMQX takes them for every scalar.
        (kind, Data::Text(text)) => match from_text(kind, text) {
            Some(setting) => Ok(Some(setting)),
            None => Err(Box::new(refused(key, text, node))),
        },
        (kind, Data::Int(raw, _)) => match from_text(kind, raw) {
            Some(setting) => Ok(Some(setting)),
            None if kind == Kind::Bool => wrong("true or false"),
            None => Err(Box::new(refused(key, raw, node))),
        },
        (kind, _) => wrong(&expectation(kind)),
    }
}

fn refused(key: &Key, text: &str, node: &Node) -> Diagnostic {
    let message = format!("'{}' is '{text}'; it must be {}", key.name, expectation(key.kind));
    let problem = Diagnostic::error(codes::BAD_VALUE, message).at(node.span, "");
    match key.kind {
        Kind::OneOf(words) => match nearest(text, words.iter().copied()) {
            Some(word) => problem.help(format!("did you mean '{word}'?")),
            None => problem,
        },
        _ => problem,
    }
}

/// What a kind wants, for a sentence after "must be".
fn expectation(kind: Kind) -> String {
    match kind {
        Kind::Bool => "true or false".to_owned(),
        Kind::Int(least) => format!("an integer of at least {least}"),
        Kind::Duration => "a duration such as 5s or 100ms".to_owned(),
        Kind::DurationOrInfinity => "a duration such as 5s or 100ms, or infinity".to_owned(),
        Kind::Bytes => "a size such as 10KB or 256MB".to_owned(),
        Kind::Text | Kind::Any => "a string".to_owned(),
        Kind::Texts => "a list of strings".to_owned(),
        Kind::OneOf(words) => words.join(" or "),
    }
}

fn from_text(kind: Kind, text: &str) -> Option<Setting> {
    match kind {
        Kind::Bool => match text {
            "true" => Some(Setting::Bool(true)),
            "false" => Some(Setting::Bool(false)),
            _ => None,
        },
        Kind::Int(least) => text.parse().ok().filter(|n| *n >= least).map(Setting::Int),
        Kind::DurationOrInfinity if text == "infinity" => Some(Setting::Duration(None)),
        Kind::Duration | Kind::DurationOrInfinity => {
            units::duration_ms(text).map(|ms| Setting::Duration(Some(ms)))
        }
        Kind::Bytes => units::bytes(text).map(Setting::Bytes),
        Kind::OneOf(words) => words.contains(&text).then(|| Setting::Text(text.to_owned())),
        Kind::Text => Some(Setting::Text(text.to_owned())),
        Kind::Texts | Kind::Any => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::keys;
    use super::*;
    use crate::document::{Document, Format};

    fn read(text: &str, table: &'static [Key]) -> (Options, Vec<String>) {
        let document = Document::read("t.yaml", text.as_bytes(), Format::Yaml).unwrap();
        let mut problems = Problems::new(&document);
        let options = Options::read("x", &document.root, table, &mut problems).unwrap().1;
        (options, problems.into_list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn values_and_defaults() {
        let text =
            "request_ttl: infinity\nbatch_time: 20ms\nmax_buffer_bytes: 1GB\nworker_pool_size: \"4\"\n";
        let (options, problems) = read(text, keys::ACTION_OPTIONS);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(options.get("request_ttl"), Some(Setting::Duration(None)));
        assert_eq!(options.duration_ms("batch_time"), Some(20));
        assert_eq!(options.duration_ms("health_check_interval"), Some(15_000));
        assert_eq!(options.bytes("max_buffer_bytes"), Some(1 << 30));
        assert_eq!(options.int("worker_pool_size"), Some(4));
        assert_eq!(options.text("query_mode").as_deref(), Some("async"));
        assert!(options.is_written("batch_time") && !options.is_written("query_mode"));
    }

    #[test]
    fn wrong_values_are_told() {
        let text = "request_ttl: soon\nbatch_size: 0\nquery_mode: asinc\nenable_batch: yes\nbatch_time: [1]\nbatch_sise: 1\n";
        let (_, problems) = read(text, keys::ACTION_OPTIONS);
        assert_eq!(
            problems,
            [
                "t.yaml:6:1: error[E406]: x has no key 'batch_sise'",
                "t.yaml:3:13: error[E409]: 'query_mode' is 'asinc'; it must be async or sync",
                "t.yaml:1:14: error[E409]: 'request_ttl' is 'soon'; it must be a duration such as 5s or 100ms, or infinity",
                "t.yaml:2:13: error[E409]: 'batch_size' is '0'; it must be an integer of at least 1",
                "t.yaml:5:13: error[E407]: 'batch_time' must be a duration such as 5s or 100ms, not a list",
                "t.yaml:4:15: error[E409]: 'enable_batch' is 'yes'; it must be true or false",
            ]
        );
        let (_, problems) = read("description: 5\n", keys::RULE);
        assert_eq!(problems, ["t.yaml:1:14: error[E407]: 'description' must be a string, not an integer"]);
    }
}
