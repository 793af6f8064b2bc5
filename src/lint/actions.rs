//! Lints of what actions take from a rule's output.

use super::finding::Report;
use super::levels::Level;
use super::output::{self, Found, Output};
use super::subject::{Given, Subject};
use super::table::{Check, Example, Lint, Repair};
use super::texts::{Role, Text};
use super::walk::{self, Clause};
use crate::sql::ast::{Expr, ExprKind};
use crate::text::Span;
use crate::topic;
use crate::value::Bytes;

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W04",
        name: "unselected-variable",
        level: Level::Warn,
        summary: "a template uses `${x}`, and the rule does not select x",
        what: "Looks for placeholders in the templates of a rule's actions that the rule's output does not hold. Templates see the output \
               alone, not the columns. FOREACH without DO hands over the columns and `item`: a key of the item is `${item.x}`. \
               `${qos}` and `${retain}` of a republish, EMQX's own defaults, are only noted: unselected, they mean 0 and false.",
        why: "The placeholder renders as the text `undefined`.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { alert: { sql: \"SELECT payload.temp AS temp FROM \\\"sensors/+\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"alerts/${clientid}\", payload: \"${temp}\", qos: 1, retain: false } }] } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { alert: { sql: \"SELECT clientid, payload.temp AS temp FROM \\\"sensors/+\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"alerts/${clientid}\", payload: \"${temp}\", qos: 1, retain: false } }] } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(unselected_variable),
    },
    Lint {
        code: "W20",
        name: "self-republish",
        level: Level::Warn,
        summary: "a rule republishes to a topic that it listens to itself",
        what: "Looks for a republish whose topic certainly matches FROM of the same rule. EMQX runs the rule again for its own message and \
               stops only the second republish (`recursive_republish_detected`). `direct_dispatch: true` passes rules by.",
        why: "Every message runs the rule twice, and its other actions deliver twice.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { copy: { sql: \"SELECT payload, clientid FROM \\\"cars/#\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"cars/copy/${clientid}\", payload: \"${payload}\", qos: 0, retain: false } }] } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { copy: { sql: \"SELECT payload, clientid FROM \\\"cars/#\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"copies/${clientid}\", payload: \"${payload}\", qos: 0, retain: false } }] } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(self_republish),
    },
    Lint {
        code: "W23",
        name: "publisher-topic",
        level: Level::Warn,
        summary: "the publisher chooses the topic that a rule republishes to",
        what: "Looks for a republish whose topic begins with a value from the payload or from the user properties of the message. A fixed \
               first level keeps the rule in its own part of the topics and is not reported.",
        why: "A republish is not subject to the publisher's authorization: who may publish the report may then publish anywhere.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { route: { sql: \"SELECT payload.to AS to, payload.body AS body FROM \\\"mail/+\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"${to}\", payload: \"${body}\", qos: 0, retain: false } }] } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { route: { sql: \"SELECT payload.to AS to, payload.body AS body FROM \\\"mail/+\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: \"inbox/${to}\", payload: \"${body}\", qos: 0, retain: false } }] } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(publisher_topic),
    },
];

/// The templates of all actions of a rule.
fn texts<'s>(subject: &'s Subject<'_>) -> impl Iterator<Item = &'s Text> {
    subject.actions.iter().flat_map(|(_, texts)| texts)
}

fn span_of(range: &std::ops::Range<usize>) -> Span {
    Span::new(range.start, range.end)
}

fn unselected_variable(subject: &Subject<'_>, report: &mut Report<'_>) {
    let output = output::of(subject);
    for text in texts(subject) {
        for (range, keys) in text.template.places() {
            if !matches!(output.find(subject, keys), Found::Missing) {
                continue;
            }
            let written = &text.template.source()[range.clone()];
            // The user properties' default names nothing in the output, and means none.
            if text.key == "user_properties" {
                continue;
            }
            let name = String::from_utf8_lossy(&keys.join(&b'.')).into_owned();
            let id = &subject.rule.id;
            let message = format!("rule '{id}' does not select `{name}`, so `{written}` is undefined");
            let draft = report.text(&text.source, &text.embedded, span_of(&range), message);
            let draft = draft.help(advice(subject, &output, keys, &name));
            if matches!((text.role, name.as_str()), (Role::Simple, "qos" | "retain")) {
                let value = if name == "qos" { "0" } else { "false" };
                draft.label(format!("always {value}")).note();
            }
        }
    }
}

fn advice(subject: &Subject<'_>, output: &Output<'_>, keys: &[Bytes], name: &str) -> String {
    let head = keys.first().map(|key| String::from_utf8_lossy(key).into_owned()).unwrap_or_default();
    if let Some(item) = output.item()
        && !subject.is_column(&head)
    {
        return format!(
            "a key of the item is `${{{item}.{name}}}`; or name it in DO: `{item}.{name} AS {name}`"
        );
    }
    match head.as_str() {
        "retain" | "dup" => format!("select it: `flags.{head} AS {head}`"),
        _ if subject.is_column(&head) => format!("select it: `{name}`"),
        _ => {
            let names = output.names();
            match crate::diag::nearest(&head, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if names.is_empty() => "the rule's output has no names".to_owned(),
                None => format!("the rule selects {}", names.join(", ")),
            }
        }
    }
}

/// One level of a topic template.
enum Part<'a> {
    /// Text alone.
    Literal(&'a str),
    /// A placeholder is in it.
    Variable,
}

fn self_republish(subject: &Subject<'_>, report: &mut Report<'_>) {
    // A condition may well keep the copy out.
    if subject.statement.filter.is_some() {
        return;
    }
    let output = output::of(subject);
    for (_, texts) in &subject.actions {
        let direct =
            texts.iter().any(|text| text.key == "direct_dispatch" && text.template.source() == "true");
        let Some(text) = texts.iter().find(|text| text.role == Role::Topic).filter(|_| !direct) else {
            continue;
        };
        let places = text.template.places();
        let source = text.template.source();
        let own_topic = match places.as_slice() {
            [(range, keys)] if range.len() == source.len() => is_own_topic(subject, &output, keys),
            _ => false,
        };
        let from = subject.statement.from.iter().find(|item| {
            let event = crate::event::is_event_topic(&item.name);
            !event && (own_topic || certainly_matches(source, &places, &item.name))
        });
        let Some(item) = from else { continue };
        let message = format!("rule '{}' republishes to what it takes from `{}`", subject.rule.id, item.name);
        report
            .text(&text.source, &text.embedded, Span::new(0, source.len()), message)
            .label("runs the rule again")
            .help("republish to a topic outside FROM, or keep the message out by WHERE; `direct_dispatch: true` passes all rules by");
    }
}

/// Does the placeholder hold the topic of the message itself?
fn is_own_topic(subject: &Subject<'_>, output: &Output<'_>, keys: &[Bytes]) -> bool {
    match output.find(subject, keys) {
        Found::Column => keys == [Bytes::from_static(b"topic")],
        Found::Value(root) => {
            walk::as_path(root.expr).is_some_and(|path| path.head.text == "topic" && path.steps.is_empty())
                && matches!(subject.lookup(root.clause, "topic"), Some(Given::Column))
        }
        _ => false,
    }
}

/// Does a filter match whatever the placeholders hold? A placeholder is one level or more, and no level is known.
fn certainly_matches(source: &str, places: &[(std::ops::Range<usize>, &[Bytes])], filter: &str) -> bool {
    let mut at = 0;
    let mut levels = Vec::new();
    for level in source.split('/') {
        let range = at..at + level.len();
        let variable = places.iter().any(|(place, _)| place.start < range.end && range.start < place.end);
        levels.push(if variable { Part::Variable } else { Part::Literal(level) });
        at += level.len() + 1;
    }
    let system = source.starts_with('$') && !source.starts_with("${");
    let first_variable = matches!(levels.first(), Some(Part::Variable));
    if filter.starts_with(['+', '#']) && (system || first_variable) {
        return false;
    }
    if places.is_empty() {
        return topic::matches(source.as_bytes(), filter.as_bytes());
    }
    let mut levels = levels.into_iter();
    for wanted in filter.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            (wanted, Some(Part::Literal(level))) if wanted == "+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

fn publisher_topic(subject: &Subject<'_>, report: &mut Report<'_>) {
    let output = output::of(subject);
    for text in texts(subject).filter(|text| text.role == Role::Topic) {
        let places = text.template.places();
        let Some((range, keys)) = places.first().filter(|(range, _)| range.start == 0) else { continue };
        let by_publisher = match output.find(subject, keys) {
            Found::Column | Found::Something => {
                let head = keys.first().map(|key| key.as_ref());
                matches!(head, Some(b"payload" | b"pub_props"))
            }
            Found::Value(root) | Found::Inside(root) => reads_publisher(subject, root.clause, root.expr),
            Found::Item => subject.roots.iter().any(|root| reads_publisher(subject, root.clause, root.expr)),
            Found::Missing => false,
        };
        if by_publisher {
            let message = "the publisher chooses the topic that this is published to";
            report
                .text(&text.source, &text.embedded, span_of(range), message)
                .label("comes out of the message")
                .help(
                    "put a level of your own in front: `inbox/${…}`, or choose among known topics with CASE",
                );
        }
    }
}

/// Does the value come from what the publisher wrote, unchanged or joined?
fn reads_publisher(subject: &Subject<'_>, clause: Clause, expr: &Expr) -> bool {
    match &expr.kind {
        // CASE chooses among what its arms say.
        ExprKind::Case { arms, otherwise, .. } => arms
            .iter()
            .map(|(_, then)| then)
            .chain(otherwise.as_deref())
            .any(|then| reads_publisher(subject, clause, then)),
        ExprKind::Path(path) => match subject.lookup(clause, &path.head.text) {
            Some(Given::Column) => matches!(path.head.text.as_str(), "payload" | "pub_props"),
            Some(Given::Item) => true,
            _ => false,
        },
        ExprKind::Arith(_, left, _) => reads_publisher(subject, clause, left),
        ExprKind::Call(name, args) => {
            let passes = ["str", "lower", "upper", "trim", "concat", "json_decode", "coalesce"];
            passes.contains(&name.head.text.as_str())
                && args.first().is_some_and(|arg| reads_publisher(subject, clause, arg))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Dialect, Template};

    #[test]
    fn what_matches_for_certain() {
        let cases = [
            ("a/b", "a/+", true),
            ("a/${x}", "a/#", true),
            ("a/${x}", "a/+", false),
            ("a/${x}/c", "a/#", true),
            ("a/${x}", "b/#", false),
            ("a/b${x}", "a/b/#", false),
            ("${x}/a", "#", false),
            ("out/${x}", "#", true),
            ("$SYS/${x}", "#", false),
            ("a/b/${x}", "a/+/#", true),
        ];
        for (text, filter, answer) in cases {
            let template = Template::parse(text, Dialect::Template5);
            assert_eq!(certainly_matches(text, &template.places(), filter), answer, "{text} {filter}");
        }
    }
}
