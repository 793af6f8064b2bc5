//! What an action did, held against what is said of it under each profile.

use super::leaf::{Actual, Leaves, map, text};
use crate::document::Node;
use crate::engine::RenderedAction;
use crate::harness::expect::{DELIVERY, KINDS, in_milliseconds};
use crate::harness::faults::{Delivery, End};
use crate::harness::verdict;
use crate::profile::Profile;
use crate::rule::{Request, keys};
use crate::value::Value;

/// One action under one profile.
pub(super) struct Act<'a> {
    pub profile: Profile,
    pub action: &'a RenderedAction,
    pub delivery: Option<Delivery>,
}

impl Leaves<'_> {
    /// One action of a list.
    pub(super) fn action(&mut self, node: &Node, acts: &[&Act<'_>]) -> Result<(), String> {
        let id = node.get("id").and_then(Node::as_text).unwrap_or_default();
        let id = match id.split_once(':') {
            Some((kind, name)) => format!("{}:{name}", keys::upgraded(kind)),
            None => id.to_owned(),
        };
        let written = KINDS.iter().find_map(|(kind, ..)| Some((*kind, node.get(kind)?)));
        let kinds_fit = written.is_none_or(|(kind, _)| acts.iter().all(|act| kind_of(act) == kind));
        if id != *acts[0].action.id || !kinds_fit {
            let new = self.whole_action(acts)?;
            return self.set(node, new);
        }
        if let Some((kind, value)) = written.filter(|(_, value)| value.as_text() != Some("$any")) {
            self.request(kind, value, acts)?;
        }
        for key in DELIVERY {
            if let Some(value) = node.get(key) {
                self.delivery(key, value, acts)?;
            }
        }
        Ok(())
    }

    fn request(&mut self, kind: &str, node: &Node, acts: &[&Act<'_>]) -> Result<(), String> {
        if matches!(kind, "console" | "params" | "error") {
            let actuals: Vec<Actual> = acts.iter().map(|act| act.actual(whole_of(act))).collect();
            return self.merge(node, &actuals);
        }
        for entry in node.as_map().unwrap_or_default() {
            let actuals: Vec<Actual> = acts.iter().map(|act| act.actual(key_of(act, &entry.key))).collect();
            self.fold = &*entry.key == "headers";
            let merged = self.merge(&entry.value, &actuals);
            self.fold = false;
            merged?;
        }
        Ok(())
    }

    fn delivery(&mut self, key: &str, node: &Node, acts: &[&Act<'_>]) -> Result<(), String> {
        let mut actuals = Vec::new();
        for act in acts {
            let Some(delivery) = &act.delivery else {
                return Err(format!("nothing says how the server of '{}' answers", act.action.id));
            };
            let is_dead = matches!(delivery.end, End::Failed | End::Dropped);
            if key == "result" && node.as_text() == Some("dead_letter") && is_dead {
                return Ok(());
            }
            actuals.push(act.actual(Some(delivery.value(key))));
        }
        match key == "delays" {
            // Waits are written as durations and held as milliseconds.
            true => self.merge(&in_milliseconds(node), &actuals),
            false => self.merge(node, &actuals),
        }
    }

    /// All that an action did, as a test says it.
    pub(super) fn whole_action(&mut self, acts: &[&Act<'_>]) -> Result<Node, String> {
        let kind = kind_of(acts[0]);
        let actuals = |value: &dyn Fn(&Act<'_>) -> Option<Value>| -> Vec<Actual> {
            acts.iter().map(|act| act.actual(value(act))).collect()
        };
        let said = match kind {
            "console" | "params" | "error" => self.literal(&actuals(&whole_of))?,
            _ => {
                let mut keys = Vec::new();
                for key in told(acts[0]) {
                    keys.push((key, self.literal(&actuals(&|act: &Act<'_>| key_of(act, key)))?));
                }
                map(keys)
            }
        };
        Ok(map([("id", text(&acts[0].action.id)), (kind, said)]))
    }
}

impl Act<'_> {
    fn actual(&self, value: Option<Value>) -> Actual {
        Actual { profile: self.profile, value }
    }
}

fn kind_of(act: &Act<'_>) -> &'static str {
    match &act.action.request {
        Err(_) => "error",
        Ok(Request::Params { .. }) => "params",
        Ok(Request::Console { .. }) => "console",
        Ok(Request::Http { .. }) => "http",
        Ok(Request::Republish { .. }) => "republish",
        Ok(Request::Hstreamdb { .. }) => "hstreamdb",
    }
}

/// What actions hold that are said in one piece.
fn whole_of(act: &Act<'_>) -> Option<Value> {
    match &act.action.request {
        Err(why) => Some(Value::str(why)),
        Ok(Request::Console { data }) => Some(data.clone()),
        Ok(Request::Params { params, .. }) => Some(params.clone()),
        Ok(_) => None,
    }
}

fn key_of(act: &Act<'_>, key: &str) -> Option<Value> {
    let view = act.action.request.as_ref().ok().map(verdict::view).unwrap_or_default();
    view.into_iter().find(|(name, _)| *name == key)?.1
}

/// The keys of an action that a test says unless it leaves some out: not headers, nor what is as always.
fn told(act: &Act<'_>) -> Vec<&'static str> {
    let view = act.action.request.as_ref().ok().map(verdict::view).unwrap_or_default();
    let is_told = |(key, value): &(&'static str, Option<Value>)| match (*key, value) {
        ("headers", _) => false,
        ("properties", Some(Value::Map(map))) => !map.is_empty(),
        ("user_properties", Some(Value::List(list))) => !list.is_empty(),
        ("direct_dispatch", Some(Value::Bool(on))) => *on,
        ("partition_key", Some(Value::Str(key))) => !key.is_empty(),
        _ => true,
    };
    view.iter().filter(|pair| is_told(pair)).map(|(key, _)| *key).collect()
}
