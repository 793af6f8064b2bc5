//! What stands beside rules, actions and connectors: schemas, settings, and rulemill's own keys.

use std::sync::Arc;

use super::checks::{check_id, unknown};
use super::{File, Loader, Schema};
use crate::document::{Entry, Fields, Problems};
use crate::rule::keys;
use crate::rule::options::Options;

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
            && let Some(node) = fields.get("schemas")
            && let Some(names) = Fields::open("schema_registry.schemas", node, problems)
        {
            names.entries().iter().for_each(|entry| self.schema(file, entry, problems));
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
        fields.required("source", problems);
        if let (Some(kind), Some(source)) = (options.text("type"), options.text("source")) {
            let schema = Schema { kind, source, place: file.place(entry.key_span) };
            self.loaded.set.schemas.insert(entry.key.to_string(), schema);
        }
    }
}
