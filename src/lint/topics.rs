//! Lints of FROM.

use super::finding::Report;
use super::levels::Level;
use super::subject::Subject;
use super::table::{Check, Example, Lint, Repair};
use crate::diag::nearest;
use crate::event::{self, EVENTS};
use crate::limits::LINT_TOPICS_MAX;
use crate::profile::Profile;
use crate::sql::ast::Topic;
use crate::topic;

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W18",
        name: "dead-topic",
        level: Level::Warn,
        summary: "a FROM item that nothing matches, or that another one covers",
        what: "Looks for filters that no message can match: invalid ones (`a/#/b`, `a+`), `$share/…` and `$queue/…`, which EMQX takes \
               literally here, events that do not exist, `$SYS/…` while `ignore_sys_message` is on, event names of EMQX 3 \
               (`message.publish`), and for filters that are there twice or within another one.",
        why: "The rule is created without complaint and never runs. One that is covered does no harm, and no good: a rule runs once \
              for a message, however many of its filters match.",
        quiet: None,
        bad: Example::Sql("SELECT clientid, reason FROM \"$events/client_disconect\""),
        good: Example::Sql("SELECT clientid, reason FROM \"$events/client_disconnected\""),
        repair: Repair::ByHand,
        check: Check::Rule(dead_topic),
    },
    Lint {
        code: "W19",
        name: "every-message",
        level: Level::Allow,
        summary: "FROM \"#\" without WHERE: the rule runs for every message of the broker",
        what: "Looks for `FROM \"#\"` without a condition.",
        why: "Each message of each client costs a run and a delivery.",
        quiet: Some("storing everything is what many such rules are for, EMQX's own tutorial among them"),
        bad: Example::Sql("SELECT topic, payload FROM \"#\""),
        good: Example::Sql("SELECT topic, payload FROM \"sensors/#\""),
        repair: Repair::ByHand,
        check: Check::Rule(every_message),
    },
];

fn dead_topic(subject: &Subject<'_>, report: &mut Report<'_>) {
    let from = &subject.statement.from;
    for (at, item) in from.iter().enumerate() {
        if let Some((message, help)) = never_matches(subject, item) {
            let label =
                if EVENTS.iter().any(|event| event.name == item.name) { "" } else { "matches nothing" };
            report.sql(item.at.0, message).label(label).help(help);
            continue;
        }
        // Of two equal filters the second one is the superfluous one.
        let covering = from.iter().take(LINT_TOPICS_MAX).enumerate().find(|(other, topic)| {
            match topic.name == item.name {
                true => *other < at,
                false => covers(&topic.name, &item.name),
            }
        });
        if let Some((_, other)) = covering {
            let (message, label) = match other.name == item.name {
                true => (format!("`{}` is here twice", item.name), "the first one"),
                false => {
                    (format!("`{}` lies within `{}`", item.name, other.name), "takes all of its messages")
                }
            };
            report.sql(item.at.0, message).label("adds nothing").also(other.at.0, label).help("leave it out");
        }
    }
}

/// Why a FROM item matches nothing, and what to do.
fn never_matches(subject: &Subject<'_>, item: &Topic) -> Option<(String, String)> {
    let name = item.name.as_str();
    let (message, help) = if name.starts_with("$share/") || name.starts_with("$queue/") {
        let plain = name
            .split('/')
            .skip(if name.starts_with("$share/") { 2 } else { 1 })
            .collect::<Vec<_>>()
            .join("/");
        (
            "a rule takes part in no shared subscription: EMQX reads this as a literal topic".to_owned(),
            format!("write `\"{plain}\"`"),
        )
    } else if let Some(event) = EVENTS.iter().find(|event| event.name == name && !event::is_event_topic(name))
    {
        let help = match event.name {
            "message.publish" => "write the topic filter: `FROM \"t/#\"`".to_owned(),
            _ => format!("write `\"{}\"`", event.topic),
        };
        (
            format!("`{name}` is the name of an event; as a FROM item it is an ordinary topic since EMQX 4"),
            help,
        )
    } else if name == "$events/message_publish" {
        (
            "published messages have no event topic".to_owned(),
            "write the topic filter: `FROM \"t/#\"`".to_owned(),
        )
    } else if name.starts_with("$events/") {
        if event::by_topic(name, subject.profile).is_some() {
            return None;
        }
        let known =
            EVENTS.iter().filter(|event| !event.columns(subject.profile).is_empty()).map(|event| event.topic);
        let help = match nearest(name, known.clone().filter(|topic| topic.starts_with("$events/"))) {
            Some(near) => format!("did you mean `{near}`?"),
            None if event::by_topic(name, Profile::V5_8).is_some() => "EMQX 5.8 has it".to_owned(),
            None => format!(
                "events are {}",
                known.filter(|topic| topic.starts_with("$events/")).collect::<Vec<_>>().join(", ")
            ),
        };
        (format!("EMQX {} has no event `{name}`", subject.profile), help)
    } else if name.starts_with("$SYS/") && subject.settings.ignore_sys_message {
        let message =
            "the broker's own messages do not reach rules while `rule_engine.ignore_sys_message` is true"
                .to_owned();
        (message, "set it to false, which lets them into all rules whose topics match".to_owned())
    } else if !event::is_event_topic(name) {
        let invalid = topic::validate_filter(name.as_bytes()).err()?;
        (
            format!("this is no topic filter: {invalid}"),
            "write for example `\"a/+/b\"` or `\"a/#\"`".to_owned(),
        )
    } else {
        return None;
    };
    Some((message, help))
}

/// Does the first filter match everything that the second one matches?
fn covers(wide: &str, narrow: &str) -> bool {
    if event::is_event_topic(wide) || event::is_event_topic(narrow) {
        return false;
    }
    if narrow.starts_with('$') && wide.starts_with(['+', '#']) {
        return false;
    }
    let mut levels = narrow.split('/');
    for wanted in wide.split('/') {
        match (wanted, levels.next()) {
            ("#", _) => return true,
            ("+", Some(level)) if level != "#" => {}
            (wanted, Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

fn every_message(subject: &Subject<'_>, report: &mut Report<'_>) {
    if subject.statement.filter.is_some() || subject.statement.incase.is_some() {
        return;
    }
    for item in subject.statement.from.iter().filter(|item| item.name == "#") {
        report
            .sql(item.at.0, "the rule runs for every message of every client")
            .help("name the topics that it is for, or add WHERE");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_cover_filters() {
        let cases = [
            ("#", "a/b", true),
            ("#", "$SYS/x", false),
            ("a/#", "a", true),
            ("a/#", "a/+/b", true),
            ("a/+", "a/b", true),
            ("a/+", "a/#", false),
            ("a/+", "a", false),
            ("a/b", "a/+", false),
            ("+/b", "a/b", true),
            ("a/+/c", "a/+/c", true),
        ];
        for (wide, narrow, answer) in cases {
            assert_eq!(covers(wide, narrow), answer, "{wide} {narrow}");
        }
    }
}
