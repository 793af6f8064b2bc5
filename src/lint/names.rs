//! Lints of names: columns, aliases, and texts that were taken for names.

use super::finding::{Fix, Report};
use super::levels::Level;
use super::subject::Subject;
use super::syntax;
use super::table::{Check, Example, Lint, Repair};
use super::walk::{self, Clause, Root};
use crate::diag::nearest;
use crate::event::EVENTS;
use crate::limits::LINT_FINDINGS_MAX;
use crate::sql::ast::{CompareOp, Expr, ExprKind, Field, Path, Style};
use crate::sql::is_plain_name;
use crate::text::Span;

pub(super) const ROWS: &[Lint] = &[
    Lint {
        code: "W01",
        name: "double-quoted-string",
        level: Level::Deny,
        summary: "a name in double quotes where a string was meant",
        what: "Looks for `\"…\"` as a value where no column and no alias has that name. In rule SQL, double quotes make a name and single \
               quotes make a string.",
        why: "The name stands for nothing, so the value is undefined: the comparison never holds, the function gets no text.",
        quiet: None,
        bad: Example::Sql("SELECT clientid FROM \"cmd/+\" WHERE payload.cmd = \"reboot\""),
        good: Example::Sql("SELECT clientid FROM \"cmd/+\" WHERE payload.cmd = 'reboot'"),
        repair: Repair::Certain("the double quotes become single ones"),
        check: Check::Rule(double_quoted_string),
    },
    Lint {
        code: "W11",
        name: "shadowing-alias",
        level: Level::Note,
        summary: "an alias takes the name of a column that is used again behind it",
        what: "Looks for an alias with the name of a column, where a later field or WHERE uses that name. Fields see the aliases before them, \
               and WHERE, which runs after SELECT, sees all.",
        why: "The later use gets the alias's value, not the column's.",
        quiet: Some("often the alias is what is meant"),
        bad: Example::Sql("SELECT upper(topic) AS topic FROM \"a/+\" WHERE topic =~ 'a/b'"),
        good: Example::Sql("SELECT upper(topic) AS upper_topic FROM \"a/+\" WHERE topic =~ 'a/b'"),
        repair: Repair::ByHand,
        check: Check::Rule(shadowing_alias),
    },
    Lint {
        code: "W13",
        name: "random-key",
        level: Level::Warn,
        summary: "a function, operator or constant without AS: its key has the time in it",
        what: "Looks for fields without a name of their own: calls, arithmetic, comparisons, CASE, lists, numbers. EMQX makes one up from \
               their form and the system time, such as `_v_op_'+'_1650000000000000000`.",
        why: "The key is another one in each output: no template, table or reader finds the value.",
        quiet: None,
        bad: Example::Sql("SELECT clientid, payload.temp * 1.8 + 32 FROM \"sensors/+\""),
        good: Example::Sql("SELECT clientid, payload.temp * 1.8 + 32 AS fahrenheit FROM \"sensors/+\""),
        repair: Repair::ByHand,
        check: Check::Rule(random_key),
    },
    Lint {
        code: "W21",
        name: "incase-alias",
        level: Level::Deny,
        summary: "INCASE uses a name that DO gives later",
        what: "Looks for names in INCASE that only DO's aliases give. EMQX evaluates INCASE before DO.",
        why: "The name is undefined in INCASE, so every item is left out.",
        quiet: None,
        bad: Example::Sql("FOREACH payload.sensors AS s DO s.temp AS temp INCASE temp > 30 FROM \"house/+\""),
        good: Example::Sql(
            "FOREACH payload.sensors AS s DO s.temp AS temp INCASE s.temp > 30 FROM \"house/+\"",
        ),
        repair: Repair::ByHand,
        check: Check::Rule(incase_alias),
    },
    Lint {
        code: "W26",
        name: "unknown-column",
        level: Level::Warn,
        summary: "a column that the event does not have",
        what: "Looks for names that no event in FROM has as a column and no alias gives. `TRUE`, `FALSE` and `null` are such names: rule SQL \
               knows `true` and `false` in lower case, and no null.",
        why: "The value is undefined, which templates and JSON show as the text \"undefined\".",
        quiet: None,
        bad: Example::Sql("SELECT client_id, temperature FROM \"sensors/+\""),
        good: Example::Sql("SELECT clientid, payload.temperature AS temperature FROM \"sensors/+\""),
        repair: Repair::Certain("`TRUE` and `FALSE` become `true` and `false`"),
        check: Check::Rule(unknown_column),
    },
];

/// Is it a name in double quotes, and nothing more?
fn is_quoted(path: &Path) -> bool {
    path.head.style == Style::Double && path.steps.is_empty()
}

fn double_quoted_string(subject: &Subject<'_>, report: &mut Report<'_>) {
    subject.each(&mut |clause, expr| {
        let Some(path) = walk::as_path(expr).filter(|path| is_quoted(path)) else { return };
        let name = &path.head.text;
        // Of events that nobody knows, a plain name may well be a column.
        if subject.lookup(clause, name).is_some() || (subject.open && is_plain_name(name)) {
            return;
        }
        let draft = report
            .sql(path.at.0, format!("`\"{name}\"` is a name here, and nothing has that name"))
            .label("undefined")
            .help(format!("for a string write '{name}'"));
        if !name.contains('\'') && !name.is_empty() {
            draft.fix(Fix::new(
                format!("write the string in single quotes: '{name}'"),
                path.at.0,
                format!("'{name}'"),
            ));
        }
    });
}

fn shadowing_alias(subject: &Subject<'_>, report: &mut Report<'_>) {
    for (at, root) in subject.roots.iter().enumerate() {
        let Some(alias) = root.alias.filter(|alias| alias.steps.is_empty()) else { continue };
        let name = &alias.head.text;
        let same =
            walk::as_path(root.expr).is_some_and(|path| path.head.text == *name && path.steps.is_empty());
        if same || !subject.is_column(name) {
            continue;
        }
        let later = subject.roots[at + 1..].iter().filter(|other| sees(subject, root, other));
        let mut used = None;
        for other in later {
            walk::paths(other.expr, &mut |path| {
                if path.head.text == *name {
                    used = used.or(Some(path.at.0));
                }
            });
        }
        if let Some(used) = used {
            report
                .sql(used, format!("`{name}` is the alias here, not the column of that name"))
                .label("the alias's value")
                .also(alias.at.0, "named here")
                .help("give the alias a name that no column has");
        }
    }
}

/// Does the second expression see the alias of the first one?
fn sees(subject: &Subject<'_>, root: &Root<'_>, other: &Root<'_>) -> bool {
    match (root.clause, other.clause) {
        (Clause::Fields(_), Clause::Fields(_) | Clause::Where) | (Clause::Do(_), Clause::Do(_)) => true,
        (Clause::Fields(_), Clause::Do(_) | Clause::Incase) => {
            subject.profile.is_5_8() || root.alias.is_some_and(|alias| alias.head.text == subject.item())
        }
        _ => false,
    }
}

fn random_key(subject: &Subject<'_>, report: &mut Report<'_>) {
    let last = subject.statement.fields.len().saturating_sub(1);
    for root in subject.roots.iter().filter(|root| root.alias.is_none()) {
        match root.clause {
            // The last field of FOREACH is the list, whose items are named `item`.
            Clause::Fields(at) if subject.statement.foreach && at == last => continue,
            Clause::Fields(_) | Clause::Do(_) => {}
            Clause::Incase | Clause::Where => continue,
        }
        let what = match &root.expr.kind {
            ExprKind::Const(value) if value.as_text().is_none() => "a constant",
            ExprKind::Range(..) | ExprKind::List(_) => "a list",
            ExprKind::Unary(false, _) | ExprKind::Arith(..) | ExprKind::Compare(..) => "an operator",
            ExprKind::Case { .. } => "a CASE",
            ExprKind::Call(..) => "a function",
            _ => continue,
        };
        let (text, name) = (root.expr.to_string(), suggested(root.expr));
        let text = if text.chars().count() > 60 { "…".to_owned() } else { text };
        report
            .sql(root.expr.span(), format!("{what} without a name: EMQX makes one up, another each time"))
            .help(format!("give it one: `{text} AS {name}`"));
    }
}

fn suggested(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Call(name, _) if is_plain_name(&name.head.text) => name.head.text.clone(),
        _ => "value".to_owned(),
    }
}

fn incase_alias(subject: &Subject<'_>, report: &mut Report<'_>) {
    each_unknown(subject, &mut |clause, path, _| {
        if clause == Clause::Incase
            && let Some(alias) = do_alias(subject, &path.head.text)
        {
            report
                .sql(path.at.0, format!("`{path}` is undefined here: INCASE runs before DO"))
                .label("undefined")
                .also(alias.at.0, "named here, later")
                .help("write in INCASE what DO computes");
        }
    });
}

fn do_alias<'a>(subject: &Subject<'a>, name: &str) -> Option<&'a Path> {
    let fields = subject.statement.doeach.as_deref().unwrap_or_default();
    fields.iter().find_map(|field| match field {
        Field::Expr(_, Some(alias)) if alias.head.text == name => Some(alias),
        _ => None,
    })
}

/// Calls `see` with every path whose first name nothing gives, and the expression around it.
fn each_unknown<'a>(subject: &Subject<'a>, see: &mut dyn FnMut(Clause, &'a Path, &'a Expr)) {
    if subject.open {
        return;
    }
    // The words of a comment that is none, and names that a deleted slash joined, are told of as such.
    let prose: Vec<Span> = syntax::double_minuses(subject).iter().map(|(_, expr)| expr.span()).collect();
    for root in &subject.roots {
        walk::paths(root.expr, &mut |path| {
            let at = path.at.0;
            let joined = subject.rule.sql.text.slice(at).contains("\n/");
            if joined || prose.iter().any(|span| span.start <= at.start && at.end <= span.end) {
                return;
            }
            if !is_quoted(path) && subject.lookup(root.clause, &path.head.text).is_none() {
                see(root.clause, path, root.expr);
            }
        });
    }
}

fn unknown_column(subject: &Subject<'_>, report: &mut Report<'_>) {
    each_unknown(subject, &mut |clause, path, root| {
        let name = path.head.text.as_str();
        let later = clause == Clause::Incase && do_alias(subject, name).is_some();
        // `undefined` says what it is.
        if later || name == "undefined" || report.found.len() >= LINT_FINDINGS_MAX {
            return;
        }
        if path.steps.is_empty() && ["true", "false"].iter().any(|word| name.eq_ignore_ascii_case(word)) {
            let word = name.to_lowercase();
            let fix = Fix::new(format!("write `{word}` in lower case"), path.at.0, word.clone());
            let message = format!("`{name}` is a name here; the constant is written `{word}`");
            report.sql(path.at.0, message).label("undefined").fix(fix);
            return;
        }
        if path.steps.is_empty() && ["null", "nil"].iter().any(|word| name.eq_ignore_ascii_case(word)) {
            null(subject, report, path, root);
            return;
        }
        let event = match subject.events.as_slice() {
            [event] => format!("`{}` has", event.name),
            _ => "the events in FROM have".to_owned(),
        };
        report
            .sql(path.at.0, format!("{event} no column `{name}`"))
            .label("undefined")
            .help(advice(subject, clause, name));
    });
}

/// The names that are there, or where the value may stand.
fn advice(subject: &Subject<'_>, clause: Clause, name: &str) -> String {
    let columns = subject.columns();
    match name {
        _ if name.eq_ignore_ascii_case("distinct") => {
            return "rule SQL has no DISTINCT: a rule sees one message at a time".to_owned();
        }
        "retain" | "dup" if columns.contains(&"flags") => return format!("the flag is `flags.{name}`"),
        "ip" | "ip_address" | "ipaddress" if columns.contains(&"peerhost") => {
            return "the client's address is `peerhost`".to_owned();
        }
        _ => {}
    }
    let events: Vec<String> = EVENTS
        .iter()
        .filter(|event| event.columns(subject.profile).contains(&name))
        .map(|event| format!("`{}`", event.topic))
        .collect();
    if !events.is_empty() {
        return format!("it is a column of {}", events.join(", "));
    }
    let names = subject.names_at(clause).into_iter().chain(columns.iter().copied());
    if let Some(near) = nearest(name, names) {
        return format!("did you mean `{near}`?");
    }
    if subject.statement.foreach && matches!(clause, Clause::Do(_) | Clause::Incase) {
        return format!("a key of the item is `{}.{name}`", subject.item());
    }
    match columns.contains(&"payload") {
        true => format!("a key of the payload is `payload.{name}`"),
        false => format!("its columns are {}", columns.join(", ")),
    }
}

/// `null` is a name that nothing has; what that does depends on where it stands.
fn null(subject: &Subject<'_>, report: &mut Report<'_>, path: &Path, root: &Expr) {
    let mut compared = None;
    root.each(&mut |expr| {
        if let ExprKind::Compare(op, left, right) = &expr.kind {
            let is_null = |side: &Expr| walk::as_path(side).is_some_and(|other| std::ptr::eq(other, path));
            if is_null(left) || is_null(right) {
                let other = if is_null(left) { right } else { left };
                compared = Some((*op, other.to_string()));
            }
        }
    });
    let name = &path.head.text;
    let draft = report.sql(
        path.at.0,
        format!("rule SQL has no constant `{name}`: it is a name, and nothing has that name"),
    );
    let draft = draft.label("undefined");
    match compared {
        Some((CompareOp::NotEqual, other)) if subject.profile.is_5_8() => {
            draft.help(format!("this never holds under EMQX 5.8; write `is_not_null({other})`"));
        }
        Some((CompareOp::NotEqual, other)) => {
            draft.help(format!("for a value that is there write `is_not_null({other})`"));
        }
        Some((_, other)) => {
            let modern = if subject.profile.is_5_8() {
                format!(", or `is_null_var({other})` for a JSON null as well")
            } else {
                String::new()
            };
            draft.help(format!("for a value that is missing write `is_null({other})`{modern}"));
        }
        None => {
            draft.help(
                "the output will hold the text \"undefined\"; a JSON null cannot be written in rule SQL",
            );
        }
    }
}
