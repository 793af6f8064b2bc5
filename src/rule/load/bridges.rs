//! `bridges.TYPE.NAME`, which EMQX had before 5.3.2 and rewrites as a connector and an action when it reads it
//! (emqx_connector_schema:transform_bridges_v1_to_connectors_and_bridges_v2/1). Webhooks are rewritten here as well;
//! of other types rulemill does not know which keys are the connector's, so each has its sentence.

use std::sync::Arc;

use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Document, Entry, Fields, Node, Problems, Style};
use crate::rule::keys;
use crate::text::Span;

/// Keys of a webhook that its action gets as parameters (emqx_bridge_http_action_info).
const PARAMETERS: [&str; 4] = ["body", "max_retries", "method", "request_timeout"];

/// Keys of a webhook that its action gets as they are.
const ACTION: [&str; 3] = ["local_topic", "enable", "description"];

/// Puts connectors and actions in the place of bridges.
pub(super) fn upgrade(document: &mut Document, problems: &mut Problems) {
    let Some(mut roots) = document.root.as_map().map(<[Entry]>::to_vec) else { return };
    let Some(at) = roots.iter().position(|root| &*root.key == "bridges") else { return };
    let bridges = roots.remove(at);
    let Some(kinds) = Fields::open("bridges", &bridges.value, problems) else { return };
    for kind in kinds.entries() {
        let what = format!("bridges.{}", kind.key);
        let Some(names) = Fields::open(&what, &kind.value, problems) else { continue };
        for entry in names.entries() {
            let taken = path(&roots, &["actions", "http", &entry.key]);
            match &*kind.key {
                "webhook" | "http" if taken => {
                    let name = &entry.key;
                    let message = format!("{what}.{name} is left out, since there is actions.http.{name}");
                    problems.push(Diagnostic::warning(codes::SKIPPED_KEY, message).at(entry.key_span, ""));
                }
                "webhook" | "http" if entry.value.as_map().is_some() => {
                    let (connector, action) = split(entry);
                    put(&mut roots, &["connectors", "http"], connector);
                    put(&mut roots, &["actions", "http"], action);
                }
                _ => problems.push(left_out(&what, entry)),
            }
        }
    }
    document.root.data = Data::Map(Arc::new(roots));
}

fn left_out(what: &str, entry: &Entry) -> Diagnostic {
    let message = format!("{what}.{} is left out: it is written as before EMQX 5.3.2", entry.key);
    Diagnostic::warning(codes::SKIPPED_KEY, message).at(entry.key_span, "").help(
        "EMQX 5.8 rewrites it as a connector and an action: start it with this file and take its \
         data/configs/cluster.hocon",
    )
}

/// A webhook as its connector and its action.
fn split(bridge: &Entry) -> (Entry, Entry) {
    let span = bridge.value.span;
    let entries = bridge.value.as_map().unwrap_or_default();
    let among = |keys: &[&str], entry: &Entry| keys.contains(&&*entry.key);
    let take = |keys: &[&str]| entries.iter().filter(|entry| among(keys, entry)).cloned().collect::<Vec<_>>();
    let mut connector: Vec<Entry> = entries
        .iter()
        .filter(|entry| !among(&PARAMETERS, entry) && !among(&["local_topic", "direction"], entry))
        .cloned()
        .collect();
    let mut action = take(&ACTION);
    if let Some(options) = connector.iter_mut().find(|entry| &*entry.key == "resource_opts") {
        action.push(options.clone());
        let known = keys::names(keys::CONNECTOR_OPTIONS);
        let kept = options.value.as_map().unwrap_or_default().iter().filter(|entry| among(&known, entry));
        options.value = map(kept.cloned().collect(), options.value.span);
    }
    let mut parameters = take(&PARAMETERS);
    parameters.push(made("path", Data::Text(Arc::from("")), bridge.key_span));
    parameters.push(made("headers", Data::Map(Arc::new(Vec::new())), bridge.key_span));
    action.push(made("connector", Data::Text(bridge.key.clone()), bridge.key_span));
    action.push(Entry { value: map(parameters, span), ..made("parameters", Data::Null, bridge.key_span) });
    let named = |entries| Entry { value: map(entries, span), ..bridge.clone() };
    (named(connector), named(action))
}

fn map(entries: Vec<Entry>, span: Span) -> Node {
    Node { span, style: Style::Plain, data: Data::Map(Arc::new(entries)) }
}

fn made(key: &str, data: Data, key_span: Span) -> Entry {
    Entry { key: Arc::from(key), key_span, value: Node { span: key_span, style: Style::Plain, data } }
}

/// Is there something at a path?
fn path(entries: &[Entry], keys: &[&str]) -> bool {
    let Some((first, rest)) = keys.split_first() else { return true };
    let found = entries.iter().find(|entry| &*entry.key == *first);
    found.is_some_and(|entry| rest.is_empty() || path(entry.value.as_map().unwrap_or_default(), rest))
}

/// Adds an entry to the map at a path.
fn put(entries: &mut Vec<Entry>, keys: &[&str], new: Entry) {
    let Some((first, rest)) = keys.split_first() else {
        entries.push(new);
        return;
    };
    let at = entries.iter().position(|entry| &*entry.key == *first).unwrap_or_else(|| {
        entries
            .push(Entry { value: map(Vec::new(), new.value.span), ..made(first, Data::Null, new.key_span) });
        entries.len() - 1
    });
    let mut inner = entries[at].value.as_map().unwrap_or_default().to_vec();
    put(&mut inner, rest, new);
    entries[at].value.data = Data::Map(Arc::new(inner));
}
