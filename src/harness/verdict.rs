//! What a rule did, held against what it must do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::compare::{Comparison, Difference, DifferenceKind, under};
use super::expect::{ActionExpect, ActionsExpect, RuleExpect, Said, Wants};
use super::faults::{self, Delivery, End, Faults};
use super::show;
use crate::engine::{Outcome, RenderedAction};
use crate::eval::{EvalError, Verdict};
use crate::rule::{Request, Rule};
use crate::text::Span;
use crate::value::{Map, Value};

/// What a rule did with what came.
#[derive(Clone, Debug)]
pub enum Seen {
    /// It is disabled.
    Disabled,
    /// No FROM matches this topic.
    NotSelected(String),
    /// It ran.
    Ran(Box<Ran>),
}

/// What running came to; when a rule ran more than once, outputs and actions one after another.
#[derive(Clone, Debug)]
pub struct Ran {
    /// What its SQL answered; `None` when WHERE was false.
    pub result: Result<Option<Vec<Map>>, EvalError>,
    /// What its actions asked.
    pub actions: Vec<RenderedAction>,
}

impl Seen {
    /// Notes an outcome.
    pub fn add(seen: &mut BTreeMap<Arc<str>, Seen>, outcome: Outcome) {
        let result = outcome.result.map(|verdict| match verdict {
            Verdict::NoMatch => None,
            Verdict::Outputs(outputs) => Some(outputs.iter().collect::<Vec<Map>>()),
        });
        let Some(Seen::Ran(first)) = seen.get_mut(&outcome.rule) else {
            seen.insert(outcome.rule, Seen::Ran(Box::new(Ran { result, actions: outcome.actions })));
            return;
        };
        match (&mut first.result, result) {
            (Ok(Some(all)), Ok(Some(more))) => all.extend(more),
            (Ok(_), Ok(None)) | (Err(_), _) => {}
            (result, other) => *result = other,
        }
        first.actions.extend(outcome.actions);
    }
}

/// A few words for what a rule did.
pub fn summary(seen: &Seen) -> String {
    match seen {
        Seen::Disabled => "disabled".to_owned(),
        Seen::NotSelected(_) => "not_selected".to_owned(),
        Seen::Ran(ran) => match &ran.result {
            Err(error) => format!("error: {} ({})", error.clause.name(), error.diagnostic.message),
            Ok(None) => "no_match".to_owned(),
            Ok(Some(outputs)) => match outputs.as_slice() {
                [] => "no outputs".to_owned(),
                [one] => format!("one output: {}", show::value(&Value::Map(one.clone()))),
                many => format!("{} outputs: {}", many.len(), show::value(&list(many))),
            },
        },
    }
}

/// What a rule brought that must not go unsaid.
pub fn produced(seen: &Seen) -> Option<String> {
    match seen {
        Seen::Ran(ran) => match &ran.result {
            Ok(None) => None,
            Ok(Some(outputs)) if outputs.is_empty() => None,
            _ => Some(summary(seen)),
        },
        _ => None,
    }
}

fn list(outputs: &[Map]) -> Value {
    Value::list(outputs.iter().cloned().map(Value::Map).collect())
}

/// No rule failed.
pub fn check_no_error(
    prefix: &str,
    span: Span,
    seen: &BTreeMap<Arc<str>, Seen>,
    comparison: &mut Comparison,
) {
    for (rule, seen) in seen {
        if let Seen::Ran(ran) = seen
            && ran.result.is_err()
        {
            let path = match prefix {
                "" => format!("rules.{rule}"),
                _ => format!("{prefix}.rules.{rule}"),
            };
            comparison.push(Difference {
                path,
                kind: DifferenceKind::Unexpected,
                expected: String::new(),
                actual: summary(seen),
                span,
                hint: Some("an error fails unless it is expected: `expect: { error: … }`".to_owned()),
            });
        }
    }
}

/// Compares one rule.
pub fn check(
    prefix: &str,
    rule: &Rule,
    expect: &RuleExpect,
    seen: &Seen,
    faults: &[Faults],
    comparison: &mut Comparison,
) {
    let profile = comparison.profile();
    let answered = check_said(prefix, rule, expect, seen, comparison);
    if let Some(warns) = &expect.warns {
        check_warns(prefix, rule, warns, expect.span, comparison);
    }
    if !answered {
        // Actions of another answer would only repeat that it is another one.
        return;
    }
    let empty = Vec::new();
    let actions = match seen {
        Seen::Ran(ran) => &ran.actions,
        _ => &empty,
    };
    let delivered = |action: &RenderedAction| faults::of_action(rule, action, faults, profile);
    check_actions(prefix, expect, actions, &delivered, comparison);
}

/// Says whether the rule answered in the way expected, whatever the values.
fn check_said(
    prefix: &str,
    rule: &Rule,
    expect: &RuleExpect,
    seen: &Seen,
    comparison: &mut Comparison,
) -> bool {
    let outcome = match seen {
        Seen::Ran(ran) => Some(&ran.result),
        _ => None,
    };
    let expected = match (&expect.said, outcome) {
        (Said::Nothing, _) => return true,
        (Said::NotSelected, None) if matches!(seen, Seen::NotSelected(_)) => return true,
        (Said::Disabled, None) if matches!(seen, Seen::Disabled) => return true,
        (Said::NoMatch, Some(Ok(None))) => return true,
        (Said::Output(pattern), Some(Ok(Some(outputs)))) if outputs.len() == 1 => {
            let output = Value::Map(outputs[0].clone());
            comparison.check(&under(prefix, "output"), pattern, Some(&output));
            return true;
        }
        (Said::Outputs(pattern), Some(Ok(Some(outputs)))) => {
            comparison.check(&under(prefix, "outputs"), pattern, Some(&list(outputs)));
            return true;
        }
        (Said::Error { clause, code, message }, Some(Err(error))) => {
            let path = under(prefix, "error");
            if let Some(clause) = clause.filter(|clause| *clause != error.clause) {
                different(&path, clause.name(), error.clause.name(), expect.span, None, comparison);
            }
            let text = |text: &str| Some(Value::str(text));
            if let Some(code) = code {
                comparison.check(&under(&path, "code"), code, text(error.diagnostic.code).as_ref());
            }
            if let Some(message) = message {
                comparison.check(&under(&path, "message"), message, text(&error.diagnostic.message).as_ref());
            }
            return true;
        }
        (Said::NotSelected, _) => "not_selected".to_owned(),
        (Said::Disabled, _) => "disabled".to_owned(),
        (Said::NoMatch, _) => "no_match".to_owned(),
        (Said::Output(pattern), _) => format!("one output: {pattern}"),
        (Said::Outputs(pattern), _) => format!("outputs: {pattern}"),
        (Said::Error { clause, code, .. }, _) => {
            let clause = clause.map_or("any clause", |c| c.name());
            match code {
                Some(code) => format!("error: {clause}, code {code}"),
                None => format!("error: {clause}"),
            }
        }
    };
    let hint = match seen {
        Seen::NotSelected(topic) => {
            let filters: Vec<String> = rule.program.topics().iter().map(|t| format!("\"{t}\"")).collect();
            Some(format!("the topic '{topic}' matches none of FROM {}", filters.join(", ")))
        }
        _ => None,
    };
    different(&under(prefix, "result"), &expected, &summary(seen), expect.span, hint, comparison);
    false
}

fn different(
    path: &str,
    expected: &str,
    actual: &str,
    span: Span,
    hint: Option<String>,
    comparison: &mut Comparison,
) {
    comparison.push(Difference {
        path: path.to_owned(),
        kind: DifferenceKind::Different,
        expected: expected.to_owned(),
        actual: actual.to_owned(),
        span,
        hint,
    });
}

fn check_warns(prefix: &str, rule: &Rule, warns: &[(String, Span)], span: Span, comparison: &mut Comparison) {
    let mut actual: Vec<&str> = rule.program.problems().iter().map(|problem| problem.code).collect();
    actual.sort_unstable();
    let mut expected: Vec<&str> = warns.iter().map(|(code, _)| code.as_str()).collect();
    expected.sort_unstable();
    if actual != expected {
        let path = under(prefix, "warns");
        let shown = |codes: &[&str]| format!("[{}]", codes.join(", "));
        different(&path, &shown(&expected), &shown(&actual), span, None, comparison);
    }
}

/// What became of an action's delivery, where a test says how its server answers.
type Delivered<'a> = &'a dyn Fn(&RenderedAction) -> Option<Delivery>;

fn check_actions(
    prefix: &str,
    expect: &RuleExpect,
    actions: &[RenderedAction],
    delivered: Delivered<'_>,
    comparison: &mut Comparison,
) {
    let path = |at: usize| under(prefix, &format!("actions[{at}]")).replace('"', "");
    let list = match &expect.actions {
        ActionsExpect::Any => return,
        ActionsExpect::Unsaid => {
            // The console only prints the output that is asserted already.
            for (at, action) in actions.iter().enumerate().filter(|(_, action)| &*action.id != "console") {
                let hint = "write what it does under `actions:`, or `actions: $any`";
                unexpected(&path(at), action, expect.span, Some(hint), comparison);
            }
            return;
        }
        ActionsExpect::List(list) => list,
    };
    for (at, expected) in list.iter().enumerate() {
        match actions.get(at) {
            Some(actual) => {
                check_action(&path(at), expected, actual, comparison);
                check_delivery(&path(at), expected, actual, delivered(actual), comparison);
            }
            None => comparison.push(Difference {
                path: path(at),
                kind: DifferenceKind::Missing,
                expected: format!("{} {}", expected.id, expected.kind).trim_end().to_owned(),
                actual: String::new(),
                span: expected.span,
                hint: None,
            }),
        }
    }
    for (at, action) in actions.iter().enumerate().skip(list.len()) {
        unexpected(&path(at), action, expect.span, None, comparison);
    }
}

fn unexpected(
    path: &str,
    action: &RenderedAction,
    span: Span,
    hint: Option<&str>,
    comparison: &mut Comparison,
) {
    comparison.push(Difference {
        path: path.to_owned(),
        kind: DifferenceKind::Unexpected,
        expected: String::new(),
        actual: format!("{} {}", action.id, described(action)),
        span,
        hint: hint.map(str::to_owned),
    });
}

/// An action on one line.
fn described(action: &RenderedAction) -> String {
    match &action.request {
        Err(why) => format!("error: {why}"),
        Ok(Request::Console { data }) => show::value(data),
        Ok(Request::Params { params, .. }) => show::value(params),
        Ok(request) => {
            let keys = view(request).into_iter().filter(|(key, _)| !matches!(*key, "headers" | "properties"));
            let pairs = keys.filter_map(|(key, value)| Some(format!("{key}: {}", show::value(&value?))));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn check_action(path: &str, expected: &ActionExpect, actual: &RenderedAction, comparison: &mut Comparison) {
    if expected.id != *actual.id {
        return different(&under(path, "id"), &expected.id, &actual.id, expected.span, None, comparison);
    }
    if matches!(expected.wants, Wants::Unsaid) {
        return;
    }
    let path_of_kind = under(path, expected.kind);
    let request = match (&actual.request, &expected.wants) {
        (Err(why), Wants::Whole(pattern)) if expected.kind == "error" => {
            return comparison.check(&path_of_kind, pattern, Some(&Value::str(why)));
        }
        (Err(why), _) => {
            let actual = format!("error: {why}");
            return different(&path_of_kind, expected.kind, &actual, expected.span, None, comparison);
        }
        (Ok(request), _) => request,
    };
    let kind = match request {
        Request::Params { .. } => "params",
        other => other.kind(),
    };
    if kind != expected.kind {
        return different(path, expected.kind, kind, expected.span, None, comparison);
    }
    match &expected.wants {
        Wants::Keys(keys) => {
            let values = view(request);
            for (key, pattern) in keys {
                let value = values.iter().find(|(name, _)| name == key).and_then(|(_, value)| value.as_ref());
                comparison.check(&under(&path_of_kind, key), pattern, value);
            }
        }
        Wants::Whole(pattern) => match request {
            Request::Console { data } => comparison.check(&path_of_kind, pattern, Some(data)),
            Request::Params { params, .. } => comparison.check(&path_of_kind, pattern, Some(params)),
            _ => {}
        },
        Wants::Unsaid => {}
    }
}

/// Holds attempts, waits and result against what was expected.
fn check_delivery(
    path: &str,
    expected: &ActionExpect,
    actual: &RenderedAction,
    delivery: Option<Delivery>,
    comparison: &mut Comparison,
) {
    if expected.id != *actual.id {
        return;
    }
    for (key, pattern) in &expected.delivery {
        let path = under(path, key);
        let Some(delivery) = &delivery else {
            let why = match &actual.request {
                Err(why) => format!("nothing was sent: {why}"),
                Ok(_) => "no delivery".to_owned(),
            };
            let hint = actual.request.is_ok().then(|| {
                format!("say how its server answers: `faults: {{ \"{}\": [503, 200] }}`", actual.id)
            });
            different(&path, &pattern.to_string(), &why, pattern.span, hint, comparison);
            continue;
        };
        // Whatever is not delivered stands in the dead letters, for either reason.
        let dead = Value::str("dead_letter");
        let is_dead = *key == "result" && matches!(delivery.end, End::Failed | End::Dropped);
        if !(is_dead && comparison.matches(pattern, Some(&dead))) {
            comparison.check(&path, pattern, Some(&delivery.value(key)));
        }
    }
}

/// The keys of a request as values.
pub fn view(request: &Request) -> Vec<(&'static str, Option<Value>)> {
    let text = |text: &str| Some(Value::str(text));
    match request {
        Request::Http { method, url, headers, body, .. } => {
            let headers = headers.iter().map(|(k, v)| (Value::str(k.to_lowercase()), Value::str(v)));
            vec![
                ("method", text(method)),
                ("url", text(url)),
                ("headers", Some(Value::Map(Map::from_entries(headers.collect())))),
                ("body", body.clone().map(Value::Str)),
            ]
        }
        Request::Republish { topic, qos, retain, payload, properties, user_properties, direct_dispatch } => {
            let properties = properties.iter().map(|(k, v)| (Value::str(k), v.clone()));
            let pairs = user_properties.iter().map(|(k, v)| Value::list(vec![Value::str(k), Value::str(v)]));
            vec![
                ("topic", text(topic)),
                ("qos", Some(Value::Int(i64::from(*qos)))),
                ("retain", Some(Value::Bool(*retain))),
                ("payload", Some(Value::Str(payload.clone()))),
                ("properties", Some(Value::Map(Map::from_entries(properties.collect())))),
                ("user_properties", Some(Value::list(pairs.collect()))),
                ("direct_dispatch", Some(Value::Bool(*direct_dispatch))),
            ]
        }
        Request::Hstreamdb { stream, partition_key, record, .. } => vec![
            ("stream", text(stream)),
            ("partition_key", text(partition_key)),
            ("record", Some(Value::Str(record.clone()))),
        ],
        Request::Console { .. } | Request::Params { .. } => Vec::new(),
    }
}
