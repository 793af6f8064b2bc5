//! Lints of function calls, and of what numbers they give.

use super::finding::{Fix, Report};
use super::kinds;
use super::levels::Level;
use super::output::{self, Found};
use super::subject::Subject;
use super::table::{Check, Example, Lint, Repair};
use super::walk::Clause;
use crate::func::{Profiles, Purity};
use crate::rule::ActionKind;
use crate::sql::ast::{Expr, ExprKind, Path};
use crate::value::{Bytes, Value};

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W12",
        name: "column-function",
        level: Level::Warn,
        summary: "`topic()`, `qos()`, `payload()` in SELECT: undefined under EMQX 5.8",
        what: "Looks for the functions that read a column (`topic()`, `topic(2)`, `payload()`, `qos()`, `clientid()`, `msgid()`, \
               `flag('retain')`, …) where EMQX 5.8 hands them something else than the columns: in SELECT, FOREACH and DO. `clientid()` \
               looks for a column that no event has, everywhere and under 4.3 too.",
        why: "They answer undefined (`flags()` an empty map) without a word. Under 4.3, and in WHERE and INCASE, the others work, so a \
              rule that is carried from 4.3 to 5.8 loses the value.",
        quiet: None,
        bad: Example::Sql("SELECT topic() AS topic, payload FROM \"sensors/+\""),
        good: Example::Sql("SELECT topic, payload, nth(2, tokens(topic, '/')) AS sensor FROM \"sensors/+\""),
        repair: Repair::Certain("a function without arguments becomes its column"),
        check: Check::Rule(column_function),
    },
    Lint {
        code: "W14",
        name: "big-integer",
        level: Level::Warn,
        summary: "an integer beyond 2^53 for a reader of doubles",
        what: "Looks for constants beyond 2^53 and times in nanoseconds in the output of a rule with an `http` or `hstreamdb` action. EMQX \
               keeps integers of any size and writes all their digits.",
        why: "Most readers of JSON, HStreamDB's SQL among them, keep numbers as doubles, and the last digits change.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { stamp: { sql: \"SELECT now_timestamp('nanosecond') AS at FROM \\\"t/1\\\"\", actions: [\"http:sink\"] } } }\n\
             actions: { http: { sink: { connector: sink, parameters: { method: post } } } }\n\
             connectors: { http: { sink: { url: \"http://127.0.0.1:8080\" } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { stamp: { sql: \"SELECT str(now_timestamp('nanosecond')) AS at FROM \\\"t/1\\\"\", actions: [\"http:sink\"] } } }\n\
             actions: { http: { sink: { connector: sink, parameters: { method: post } } } }\n\
             connectors: { http: { sink: { url: \"http://127.0.0.1:8080\" } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(big_integer),
    },
    Lint {
        code: "W16",
        name: "local-zone",
        level: Level::Note,
        summary: "a date in the zone of the machine that the broker runs on",
        what: "Looks for `now_rfc3339` and `unix_ts_to_rfc3339`, which write local time with its offset, and for the offset 'local'.",
        why: "The text changes with the machine, the container's TZ and daylight saving time, and so do tests and keys made of it.",
        quiet: Some("the offset is in the text, so the time is right all the same"),
        bad: Example::Sql("SELECT now_rfc3339() AS at FROM \"t/1\""),
        good: Example::Sql("SELECT format_date('second', 'Z', '%Y-%m-%dT%H:%M:%SZ') AS at FROM \"t/1\""),
        repair: Repair::ByHand,
        check: Check::Rule(local_zone),
    },
    Lint {
        code: "W22",
        name: "other-profile",
        level: Level::Allow,
        summary: "a function that the other EMQX does not have",
        what: "Looks for functions that only EMQX 4.3 or only EMQX 5.8 has.",
        why: "The rule fails in the other one.",
        quiet: Some("most rules live on one broker; `--warn W22` tells before a move"),
        bad: Example::Sql("SELECT coalesce(payload.name, 'none') AS name FROM \"t/1\""),
        good: Example::Sql(
            "SELECT CASE WHEN is_null(payload.name) THEN 'none' ELSE payload.name END AS name FROM \"t/1\"",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(other_profile),
    },
];

fn column_function(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |clause, expr| {
        let ExprKind::Call(name, args) = &expr.kind else { return };
        let Some(builtin) = kinds::called(name, args, subject) else { return };
        let blind = subject.profile.is_5_8() && matches!(clause, Clause::Fields(_) | Clause::Do(_));
        let never = builtin.name == "clientid";
        if builtin.purity != Purity::ReadsMessage || !(blind || never) {
            return;
        }
        let instead = column_of(builtin.name, args);
        let message = match never {
            true => "`clientid()` reads a column that no event has".to_owned(),
            false => format!("`{}` cannot see the columns here under EMQX 5.8", builtin.name),
        };
        let label = if builtin.name == "flags" { "an empty map" } else { "undefined" };
        let draft = report.sql(expr.span(), message).label(label).help(format!("write `{instead}`"));
        if args.is_empty() && subject.is_column(&instead) {
            draft.fix(Fix::new(format!("write `{instead}`"), expr.span(), instead));
        }
    });
}

/// What gives the same value.
fn column_of(name: &str, args: &[Expr]) -> String {
    let constant = args.first().map(|arg| arg.to_string()).unwrap_or_default();
    match (name, args) {
        ("msgid", _) => "id".to_owned(),
        ("clientip", _) => "peerhost".to_owned(),
        ("topic", [_]) => format!("nth({constant}, tokens(topic, '/'))"),
        ("flag", [_]) => format!("flags.{}", constant.trim_matches('\'')),
        ("payload", [_]) => format!("payload.{}", constant.trim_matches('\'')),
        (name, _) => name.to_owned(),
    }
}

fn big_integer(subject: &Subject<'_>, report: &mut Report<'_>) {
    let reads_doubles = |kind: &ActionKind| matches!(kind, ActionKind::Http(_) | ActionKind::Hstreamdb(_));
    let Some((action, _)) = subject.actions.iter().find(|(action, _)| reads_doubles(&action.kind)) else {
        return;
    };
    let output = output::of(subject);
    for name in output.names() {
        let Found::Value(root) = output.find(subject, &[Bytes::copy_from_slice(name.as_bytes())]) else {
            continue;
        };
        if is_beyond_double(root.expr) {
            report
                .sql(
                    root.expr.span(),
                    format!(
                        "`{name}` is beyond 2^53, and readers of `{}` keep numbers as doubles",
                        action.id
                    ),
                )
                .label("loses its last digits there")
                .help("send it as a string, `str(…)`, or a time in milliseconds");
        }
    }
}

fn is_beyond_double(expr: &Expr) -> bool {
    const EXACT_MAX: i64 = 1 << 53;
    match &expr.kind {
        ExprKind::Const(Value::Int(n)) => !(-EXACT_MAX..=EXACT_MAX).contains(n),
        ExprKind::Const(Value::Big(_)) => true,
        ExprKind::Unary(_, inner) => is_beyond_double(inner),
        ExprKind::Call(name, args) => {
            matches!(name.head.text.as_str(), "now_timestamp" | "rfc3339_to_unix_ts" | "date_to_unix_ts")
                && args.iter().any(|arg| is_text(arg, "nanosecond"))
        }
        _ => false,
    }
}

fn is_text(expr: &Expr, text: &str) -> bool {
    matches!(&expr.kind, ExprKind::Const(value) if value.as_text() == Some(text))
}

fn local_zone(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |_, expr| {
        let ExprKind::Call(Path { head, .. }, args) = &expr.kind else { return };
        let name = head.text.as_str();
        let local = match name {
            "now_rfc3339" | "unix_ts_to_rfc3339" => true,
            "format_date" | "date_to_unix_ts" => args.get(1).is_some_and(|arg| is_text(arg, "local")),
            "timezone_to_second" | "timezone_to_offset_seconds" => {
                args.first().is_some_and(|arg| is_text(arg, "local"))
            }
            _ => false,
        };
        if local {
            report
                .sql(expr.span(), format!("`{name}` depends on the zone of the broker's machine"))
                .help("name the offset: `format_date('second', 'Z', '%Y-%m-%dT%H:%M:%SZ')`");
        }
    });
}

fn other_profile(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |_, expr| {
        let ExprKind::Call(name, args) = &expr.kind else { return };
        let Some(builtin) = kinds::called(name, args, subject) else { return };
        let other = match builtin.profiles {
            Profiles::Both => return,
            Profiles::Only5 => "4.3",
            Profiles::Only4 => "5.8",
        };
        report.sql(
            expr.span(),
            format!("EMQX {other} has no `{}` with {} arguments", builtin.name, args.len()),
        );
    });
}
