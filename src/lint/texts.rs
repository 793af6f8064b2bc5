//! The templates of an action as they stand in its file.
//!
//! A checked [`Action`] has its templates parsed and forgets where they stood; here they are read again from the
//! document's tree, so that a finding points at the placeholder.

use crate::document::{Data, Document, Embedded, Entry, Node};
use crate::profile::Profile;
use crate::rule::{Action, ActionKind};
use crate::template::{Dialect, Template};
use crate::text::Source;

/// One template of an action.
pub(super) struct Text {
    pub role: Role,
    /// Its key in the file.
    pub key: String,
    pub template: Template,
    pub source: Source,
    pub embedded: Embedded,
}

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The body of an HTTP request.
    Body,
    /// The path of an HTTP request.
    Path,
    /// The topic of a republished message.
    Topic,
    /// The payload of a republished message.
    Payload,
    /// `qos`, `retain`, `user_properties` or `direct_dispatch` of a republished message: one variable.
    Simple,
    /// An HStreamDB record.
    Record,
    /// Anything else.
    Other,
}

/// The templates of an action; none where its file is not among the documents.
pub(super) fn of(action: &Action, documents: &[Document], profile: Profile) -> Vec<Text> {
    let named = |document: &&Document| document.source.name() == action.place.source.name();
    let Some(document) = documents.iter().find(named) else { return Vec::new() };
    let mut texts = Texts { document, list: Vec::new() };
    let dialect = Dialect::action(profile);
    match &action.kind {
        ActionKind::Http(_) => {
            if let Some(parameters) = written(action, document).and_then(|node| node.get("parameters")) {
                texts.add(parameters, "path", Role::Path, dialect);
                texts.add(parameters, "body", Role::Body, dialect);
                for header in entries(parameters.get("headers")) {
                    texts.push(&header.value, &format!("headers.{}", header.key), Role::Other, dialect);
                }
            }
        }
        ActionKind::Hstreamdb(_) => {
            if let Some(parameters) = written(action, document).and_then(|node| node.get("parameters")) {
                let dialect = Dialect::placeholder(profile);
                texts.add(parameters, "partition_key", Role::Other, dialect);
                texts.add(parameters, "record_template", Role::Record, dialect);
            }
        }
        ActionKind::Republish(_) => {
            if let Some(args) = function(action, document).and_then(|node| node.get("args")) {
                texts.add(args, "topic", Role::Topic, dialect);
                texts.add(args, "payload", Role::Payload, dialect);
                for key in ["qos", "retain", "user_properties", "direct_dispatch"] {
                    texts.add(args, key, Role::Simple, dialect);
                }
                for property in entries(args.get("mqtt_properties")) {
                    texts.push(&property.value, &property.key, Role::Other, dialect);
                }
            }
        }
        ActionKind::Params { connector: Some(_), .. } => {
            if let Some(node) = written(action, document).and_then(|node| node.get("parameters")) {
                texts.everything(node, "parameters", dialect);
            }
        }
        ActionKind::Params { .. } | ActionKind::Console => {}
    }
    texts.list
}

/// The value of `actions.KIND.NAME`.
fn written<'d>(action: &Action, document: &'d Document) -> Option<&'d Node> {
    let kinds = entries(document.root.get("actions"));
    let mut all = kinds.iter().flat_map(|kind| entries(Some(&kind.value)));
    all.find(|entry| entry.key_span == action.place.span).map(|entry| &entry.value)
}

/// The item of a rule's `actions` that is a function.
fn function<'d>(action: &Action, document: &'d Document) -> Option<&'d Node> {
    let rules = entries(document.root.get("rule_engine").and_then(|engine| engine.get("rules")));
    let mut items =
        rules.iter().flat_map(|rule| rule.value.get("actions").and_then(Node::as_list).unwrap_or_default());
    items.find(|item| item.span == action.place.span)
}

fn entries(node: Option<&Node>) -> &[Entry] {
    node.and_then(Node::as_map).unwrap_or_default()
}

struct Texts<'d> {
    document: &'d Document,
    list: Vec<Text>,
}

impl Texts<'_> {
    fn add(&mut self, map: &Node, key: &str, role: Role, dialect: Dialect) {
        if let Some(node) = map.get(key) {
            self.push(node, key, role, dialect);
        }
    }

    fn push(&mut self, node: &Node, key: &str, role: Role, dialect: Dialect) {
        let Some(text) = node.as_text() else { return };
        self.list.push(Text {
            role,
            key: key.to_owned(),
            template: Template::parse(text, dialect),
            source: self.document.source.clone(),
            embedded: self.document.embedded(node),
        });
    }

    /// Every string below, as deep as the document's bound on nesting allows.
    fn everything(&mut self, node: &Node, key: &str, dialect: Dialect) {
        match &node.data {
            Data::List(items) => items.iter().for_each(|item| self.everything(item, key, dialect)),
            Data::Map(entries) => {
                entries.iter().for_each(|entry| self.everything(&entry.value, &entry.key, dialect));
            }
            _ => self.push(node, key, Role::Other, dialect),
        }
    }
}
