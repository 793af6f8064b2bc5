//! Lints of JSON that actions send: templates that break it, records that HStreamDB's SQL does not see.

use super::finding::Report;
use super::kinds;
use super::levels::Level;
use super::output::{self, Found, Output};
use super::subject::{Given, Subject};
use super::table::{Check, Example, Lint, Repair};
use super::texts::{Role, Text};
use super::walk::Clause;
use crate::func::Kinds;
use crate::rule::{Action, ActionKind, HttpAction};
use crate::sql::ast::{Expr, ExprKind};
use crate::text::Span;
use crate::value::{Bytes, Value, decode};

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W15",
        name: "unescaped-json",
        level: Level::Warn,
        summary: "a JSON template whose `${…}` breaks the JSON",
        what: "Looks in templates that are written as JSON for `\"${x}\"` where x is itself JSON (the payload, a map, a list, `json_encode`), \
               and for `${x}` without quotes where x is text. EMQX inserts values as they are, and escapes nothing.",
        why: "The reader gets broken JSON: `{\"payload\": \"{\"a\": 1}\"}`. Other text breaks it only when it holds quotes, \
              and is not reported.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { copy: { sql: \"SELECT clientid, payload FROM \\\"t/1\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: copies, payload: '{\"payload\": \"${payload}\"}', qos: 0, retain: false } }] } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { copy: { sql: \"SELECT clientid, payload FROM \\\"t/1\\\"\", actions: [\n\
             \x20 { function: republish, args: { topic: copies, payload: '${.}', qos: 0, retain: false } }] } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(unescaped_json),
    },
    Lint {
        code: "W24",
        name: "hstreamdb-record",
        level: Level::Warn,
        summary: "a record that HStreamDB refuses, or that its SQL does not see",
        what: "Looks at requests to `/streams/NAME:publish` and at `hstreamdb` actions. Over HTTP, HStreamDB wants `payload`, a string, and \
               `flag`, a number, where 0 says that the payload is JSON. Its SQL reads records that are JSON objects, and passes over \
               all others without a word.",
        why: "A payload that is no string is answered with 400 and lost. One that is no JSON object is stored, and no query \
              ever shows it.",
        quiet: None,
        bad: Example::Rules(
            "rule_engine: { rules: { store: { sql: \"SELECT clientid AS payload, 0 AS flag FROM \\\"t/1\\\"\", actions: [\"http:store\"] } } }\n\
             actions: { http: { store: { connector: hstreamdb, parameters: { method: post, path: \"/streams/s:publish\" } } } }\n\
             connectors: { http: { hstreamdb: { url: \"http://127.0.0.1:6580\" } } }\n",
        ),
        good: Example::Rules(
            "rule_engine: { rules: { store: { sql: \"SELECT payload, str(payload) AS payload, 0 AS flag FROM \\\"t/1\\\"\", actions: [\"http:store\"] } } }\n\
             actions: { http: { store: { connector: hstreamdb, parameters: { method: post, path: \"/streams/s:publish\" } } } }\n\
             connectors: { http: { hstreamdb: { url: \"http://127.0.0.1:6580\" } } }\n",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(hstreamdb_record),
    },
];

fn unescaped_json(subject: &Subject<'_>, report: &mut Report<'_>) {
    let output = output::of(subject);
    for text in subject.actions.iter().flat_map(|(_, texts)| texts) {
        let source = text.template.source();
        let start = source.trim_start();
        let is_json =
            matches!(text.role, Role::Body | Role::Payload | Role::Record) && start.starts_with(['{', '[']);
        if !is_json {
            continue;
        }
        let mut quotes = Quotes::default();
        let mut at = 0;
        for (range, keys) in text.template.places() {
            quotes.read(&source[at..range.start]);
            at = range.end;
            let span = Span::new(range.start, range.end);
            let written = &source[range];
            let found = output.find(subject, keys);
            if quotes.open && (keys.is_empty() || holds_json(subject, found, keys)) {
                report
                    .text(&text.source, &text.embedded, span, format!("`{written}` is JSON itself, and its quotes end this string"))
                    .label("nothing is escaped")
                    .help("leave the template out to send the whole output as JSON, or write it without quotes around it");
            } else if !quotes.open && is_text(subject, found, keys) {
                report
                    .text(
                        &text.source,
                        &text.embedded,
                        span,
                        format!("`{written}` is text, and stands here without quotes"),
                    )
                    .help(format!("write `\"{written}\"`"));
            }
        }
    }
}

/// Reads the text between placeholders.
#[derive(Default)]
struct Quotes {
    /// A string has begun and not ended.
    open: bool,
    escaped: bool,
}

impl Quotes {
    fn read(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                _ if self.escaped => self.escaped = false,
                '\\' if self.open => self.escaped = true,
                '"' => self.open = !self.open,
                _ => {}
            }
        }
    }
}

/// Is the value a payload as it came, or JSON that the rule made?
fn holds_json(subject: &Subject<'_>, found: Found<'_>, keys: &[Bytes]) -> bool {
    match found {
        Found::Column => keys == [Bytes::from_static(b"payload")],
        Found::Value(root) => expr_holds_json(subject, root.clause, root.expr),
        _ => false,
    }
}

fn expr_holds_json(subject: &Subject<'_>, clause: Clause, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Path(path) => path.steps.is_empty() && subject.is_raw_payload(clause, path),
        ExprKind::Call(name, args) => match name.head.text.as_str() {
            "json_encode" => true,
            "str" | "str_utf8" => args.first().is_some_and(|arg| expr_holds_json(subject, clause, arg)),
            _ => is_structure(kinds::of(subject, clause, expr)),
        },
        _ => is_structure(kinds::of(subject, clause, expr)),
    }
}

fn is_structure(kinds: Kinds) -> bool {
    kinds.0 != 0 && kinds.0 & !(Kinds::LIST.0 | Kinds::MAP.0) == 0
}

/// Is the value text for certain, and none that may be JSON?
fn is_text(subject: &Subject<'_>, found: Found<'_>, keys: &[Bytes]) -> bool {
    const COLUMNS: [&[u8]; 7] =
        [b"clientid", b"id", b"topic", b"peerhost", b"peername", b"from_clientid", b"event"];
    let textual = |name: &[u8]| COLUMNS.contains(&name);
    match found {
        Found::Column => keys.first().is_some_and(|key| textual(key)),
        Found::Value(root) => match &root.expr.kind {
            ExprKind::Path(path) => {
                path.steps.is_empty()
                    && textual(path.head.text.as_bytes())
                    && matches!(subject.lookup(root.clause, &path.head.text), Some(Given::Column))
            }
            ExprKind::Call(name, args) => {
                let builtin = kinds::called(name, args, subject);
                builtin.is_some_and(|f| f.ret == Kinds::STR && matches!(f.family, "date" | "hash" | "random"))
            }
            _ => false,
        },
        _ => false,
    }
}

fn hstreamdb_record(subject: &Subject<'_>, report: &mut Report<'_>) {
    let output = output::of(subject);
    for (action, texts) in &subject.actions {
        match &action.kind {
            ActionKind::Http(http) if publishes(http, texts) => {
                published(subject, &output, action, texts, report)
            }
            ActionKind::Hstreamdb(_) => {
                texts
                    .iter()
                    .filter(|text| text.role == Role::Record)
                    .for_each(|text| raw_record(subject, &output, text, report));
            }
            _ => {}
        }
    }
}

/// Does the request go to HStreamDB's publish route?
fn publishes(http: &HttpAction, texts: &[Text]) -> bool {
    let path = texts.iter().find(|text| text.role == Role::Path).map_or("", |text| text.template.source());
    let base = http.connector.url.as_ref().map_or("", |url| url.path.as_str());
    let whole = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
    let name =
        whole.trim_end_matches('/').strip_prefix("/streams/").and_then(|rest| rest.strip_suffix(":publish"));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// A request without a body of its own sends the output as JSON.
fn published(
    subject: &Subject<'_>,
    output: &Output<'_>,
    action: &Action,
    texts: &[Text],
    report: &mut Report<'_>,
) {
    if texts.iter().any(|text| text.role == Role::Body && !text.template.source().is_empty()) {
        return;
    }
    let at = subject.statement.fields.first().map_or(Span::default(), field_span);
    let key = |name: &'static str| [Bytes::from_static(name.as_bytes())];
    let (payload, flag) = (output.find(subject, &key("payload")), output.find(subject, &key("flag")));
    let id = &action.id;
    if let Found::Missing = payload {
        report
            .sql(at, format!("`{id}` sends no `payload` to HStreamDB, and stores empty records"))
            .help("select one: `str(payload) AS payload, 0 AS flag`");
        return;
    }
    if let Found::Value(root) = flag
        && let ExprKind::Const(value) = &root.expr.kind
        && !matches!(value, Value::Int(_))
    {
        report
            .sql(root.expr.span(), "HStreamDB refuses a `flag` that is no integer")
            .help("write `0 AS flag` for JSON");
        return;
    }
    let json_flag = match flag {
        Found::Missing => true,
        Found::Value(root) => root.expr.kind == ExprKind::Const(Value::Int(0)),
        _ => false,
    };
    let Found::Value(root) = payload else { return };
    let kinds = Kinds(kinds::of(subject, root.clause, root.expr).0 & !Kinds::UNDEFINED.0);
    if kinds.0 != 0 && kinds.0 & Kinds::STR.0 == 0 {
        report
            .sql(root.expr.span(), "HStreamDB refuses a `payload` that is no string")
            .label(kinds.describe())
            .help(format!("write `json_encode({}) AS payload`", root.expr));
    } else if json_flag && is_no_object(subject, root.clause, root.expr) {
        report
            .sql(root.expr.span(), "this is no JSON object: HStreamDB stores it, and its SQL never shows it")
            .help("write an object: `json_encode(…)` of a map, or `str(payload)` where devices send objects");
    }
}

fn field_span(field: &crate::sql::ast::Field) -> Span {
    match field {
        crate::sql::ast::Field::Star(at) => at.0,
        crate::sql::ast::Field::Expr(expr, _) => expr.span(),
    }
}

/// Is the value certainly none of JSON's objects as text?
fn is_no_object(subject: &Subject<'_>, clause: Clause, expr: &Expr) -> bool {
    match &expr.kind {
        ExprKind::Const(Value::Str(text)) => !matches!(decode::decode(text), Ok(Value::Map(_))),
        ExprKind::Const(_) => true,
        ExprKind::Path(path) => {
            let name = path.head.text.as_str();
            let text = ["clientid", "id", "topic", "peerhost", "username", "event"].contains(&name);
            text && path.steps.is_empty() && matches!(subject.lookup(clause, name), Some(Given::Column))
        }
        ExprKind::Call(name, args) if name.head.text == "str" => args
            .first()
            .is_some_and(|arg| is_no_object(subject, clause, arg) || is_plain_kind(subject, clause, arg)),
        ExprKind::Call(name, args) if name.head.text == "json_encode" => args.first().is_some_and(|arg| {
            let kinds = kinds::of(subject, clause, arg);
            kinds.0 & Kinds::MAP.0 == 0
        }),
        _ => false,
    }
}

fn is_plain_kind(subject: &Subject<'_>, clause: Clause, expr: &Expr) -> bool {
    kinds::of(subject, clause, expr).0 & (Kinds::MAP.0 | Kinds::STR.0 | Kinds::BITS.0) == 0
}

/// A record as the template writes it.
fn raw_record(subject: &Subject<'_>, output: &Output<'_>, text: &Text, report: &mut Report<'_>) {
    let source = text.template.source();
    let places = text.template.places();
    let whole = Span::new(0, source.len());
    let no_object = match places.first() {
        Some((range, keys)) if source[..range.start].trim().is_empty() => {
            range.end == source.trim_end().len()
                && matches!(output.find(subject, keys), Found::Value(root)
                    if is_no_object(subject, root.clause, root.expr) || is_plain_kind(subject, root.clause, root.expr))
        }
        _ => !source.trim_start().starts_with('{'),
    };
    if no_object {
        report
            .text(
                &text.source,
                &text.embedded,
                whole,
                "this record is no JSON object: HStreamDB stores it, and its SQL never shows it",
            )
            .help("write `${payload}` where devices send objects, or `${.}` for the whole output");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_counted_over_escapes() {
        let open = |text: &str| {
            let mut quotes = Quotes::default();
            quotes.read(text);
            quotes.open
        };
        assert!(open("{\"a\": \"x") && !open("{\"a\": ") && open("{\"a\\\"") && !open("{\"a\\\\\": "));
    }
}
