//! What stands beside rules, actions and connectors: schemas, settings, and rulemill's own keys.

use std::sync::Arc;

use super::checks::{check_id, unknown};
use super::{File, Loader};
use crate::document::{Entry, Fields, Problems};
use crate::rule::keys;
use crate::rule::options::Options;
use crate::schema::Kind;
use crate::text::Source;

impl Loader {
    /// What stands under `rulemill` and `schema_registry`, and the engine's settings.
    pub(super) fn extras(&mut self, file: &File, problems: &mut Problems) {
        if file.bare_sql.is_some() {
            return;
        }
        let root = &file.document.root;
        if let Some(node) = root.get("rulemill")
            && let Some((fields, _)) = Options::read("rulemill", node, keys::RULEMILL, problems)
            && let Some(node) = fields.get("hstreamdb")
            && let Some(names) = Fields::open("rulemill.hstreamdb", node, problems)
        {
            names.entries().iter().for_each(|entry| self.hstreamdb_api(entry, problems));
        }
        if let Some(node) = root.get("schema_registry")
            && let Some((fields, _)) = Options::read("schema_registry", node, keys::SCHEMA_REGISTRY, problems)
        {
            let section = |name: &str, problems: &mut Problems| {
                let node = fields.get(name)?;
                Some(Fields::open(&format!("schema_registry.{name}"), node, problems)?.entries())
            };
            for entry in section("schemas", problems).unwrap_or_default() {
                self.schema(file, entry, problems);
            }
            for entry in section("external", problems).unwrap_or_default() {
                let what = format!("schema_registry.external.{}", entry.key);
                if let Some((fields, _)) =
                    Options::read(&what, &entry.value, keys::EXTERNAL_REGISTRY, problems)
                {
                    fields.required("url", problems);
                }
            }
        }
        if let Some(node) = root.get("rule_engine")
            && let Some((_, options)) = Options::read("rule_engine", node, keys::RULE_ENGINE, problems)
        {
            let settings = &mut self.loaded.set.settings;
            if options.is_written("ignore_sys_message") {
                settings.ignore_sys_message = options.is_true("ignore_sys_message");
            }
            if let Some(ms) = options.duration_ms("jq_function_default_timeout") {
                settings.jq_timeout_ms = ms;
            }
        }
    }

    fn hstreamdb_api(&mut self, entry: &Entry, problems: &mut Problems) {
        let what = format!("rulemill.hstreamdb.{}", entry.key);
        let Some((_, options)) = Options::read(&what, &entry.value, keys::RULEMILL_HSTREAMDB, problems)
        else {
            return;
        };
        let id = format!("hstreamdb:{}", entry.key);
        match self.loaded.set.connectors.get_mut(id.as_str()) {
            Some(connector) => Arc::make_mut(connector).rest = options.text("api").as_deref() == Some("rest"),
            None if self.places.contains_key(&format!("connector {id}")) => {}
            None => {
                let names = self.places.keys().filter_map(|what| what.strip_prefix("connector hstreamdb:"));
                let problem = unknown("connector", &id, &entry.key, names).at(entry.key_span, "");
                problems.push(problem);
            }
        }
    }

    fn schema(&mut self, file: &File, entry: &Entry, problems: &mut Problems) {
        let what = format!("schema_registry.schemas.{}", entry.key);
        let named = check_id("schema", entry, problems);
        if !self.define(&format!("schema {}", entry.key), file, entry.key_span, problems) || !named {
            return;
        }
        let Some((fields, options)) = Options::read(&what, &entry.value, keys::SCHEMA, problems) else {
            return;
        };
        fields.required("type", problems);
        let node = fields.required("source", problems);
        let kind = options.text("type").and_then(|kind| Kind::of(&kind));
        let (Some(kind), Some(node), Some(text)) = (kind, node, options.text("source")) else { return };
        let source = Source::new(file.document.source.name(), text);
        let embedded = file.document.embedded(node);
        let found = Arc::make_mut(&mut self.loaded.set.schemas).add(&entry.key, kind, &source);
        let (Ok(found) | Err(found)) = found;
        for problem in found {
            problems.push(problem.relocated(&file.document.source, |span| embedded.place(span)));
        }
    }
}
