//! Sentences for names that cannot be.

use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::document::{self, Document, Entry, Fields, Problems};
use crate::rule::keys;

/// Are the root keys ours, or a broker's? Says `false` when nothing in the file can be used.
pub(super) fn check_roots(document: &Document, problems: &mut Problems) -> bool {
    let Some(root) = Fields::open("the file", &document.root, problems) else { return false };
    let mut skipped = Vec::new();
    for entry in root.entries() {
        if keys::ROOTS.contains(&&*entry.key) {
            continue;
        }
        match nearest(&entry.key, keys::ROOTS.iter().copied()) {
            // A root key that is nearly ours is a slip, not a broker's setting.
            Some(_) => problems.push(document::unknown_key("the file", entry, keys::ROOTS)),
            None => skipped.push(entry),
        }
    }
    let known = root.entries().iter().any(|entry| keys::ROOTS.contains(&&*entry.key));
    match skipped.first() {
        Some(first) if known => {
            let names: Vec<&str> = skipped.iter().map(|entry| &*entry.key).collect();
            let message =
                format!("skipped, since they are no rules, actions or connectors: {}", names.join(", "));
            let mut note = Diagnostic::warning(codes::SKIPPED_KEY, message).at(first.key_span, "");
            note.severity = Severity::Note;
            problems.push(note);
        }
        _ if !known && problems.errors() == 0 => {
            let problem = Diagnostic::error(codes::NO_RULES, "the file holds no rules").at(root.span(), "");
            problems.push(
                problem
                    .help(format!("rule files have one of these at their root: {}", keys::ROOTS.join(", "))),
            );
        }
        _ => {}
    }
    known
}

pub(super) fn check_type<'a>(
    what: &str,
    kind: &str,
    entry: &Entry,
    known: impl Iterator<Item = &'a str> + Clone,
    problems: &mut Problems,
) -> bool {
    if known.clone().any(|name| name == kind) {
        return true;
    }
    let problem = Diagnostic::error(codes::UNKNOWN_TYPE, format!("EMQX has no {what} type '{kind}'"))
        .at(entry.key_span, "");
    problems.push(match nearest(kind, known) {
        Some(near) => problem.help(format!("did you mean '{near}'?")),
        None => problem,
    });
    false
}

pub(super) fn check_id(what: &str, entry: &Entry, problems: &mut Problems) -> bool {
    let ok = keys::is_id(&entry.key);
    if !ok {
        let article = if what.starts_with('a') { "an" } else { "a" };
        let message = format!("'{}' cannot be the id of {article} {what}", entry.key);
        let problem = Diagnostic::error(codes::BAD_VALUE, message).at(entry.key_span, "");
        problems
            .push(problem.help("EMQX takes letters, digits, '_' and '-', the first one a letter or digit"));
    }
    ok
}

pub(super) fn unknown<'a>(
    what: &str,
    id: &str,
    near_to: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let code = if what == "action" { codes::UNKNOWN_ACTION } else { codes::UNKNOWN_CONNECTOR };
    let problem = Diagnostic::error(code, format!("there is no {what} '{id}'"));
    if let Some(near) = nearest(near_to, known.clone()) {
        return problem.help(format!("did you mean '{near}'?"));
    }
    let names: Vec<&str> = known.collect();
    match names.is_empty() {
        true => problem.help(format!("define it under {what}s")),
        false => problem.help(format!("these are defined: {}", names.join(", "))),
    }
}
