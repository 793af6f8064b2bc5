//! Repairs in files: edits of a rule's SQL become edits of the bytes that hold it.
//!
//! Invariant: what is written has been read again first, and differs from what was there in nothing but the SQL that
//! was meant to change.

use super::finding::{Edit, Finding, Fix};
use super::syntax;
use crate::diag::Severity;
use crate::document::{Data, Document, Embedded, Format, Node, Style};
use crate::profile::Profile;
use crate::sql;
use crate::text::Span;

/// A file with repairs in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fixed {
    /// Its new text, without a byte-order mark.
    pub text: String,
    /// What was done, in order.
    pub titles: Vec<String>,
}

/// Repairs what can be repaired in one file; `None` when nothing can. Several rounds may be needed: a repair can
/// bring another into sight.
pub fn fix(document: &Document, findings: &[Finding], profile: Profile) -> Option<Fixed> {
    let homes = homes(document);
    let mut wanted: Vec<(usize, Fix)> = Vec::new();
    for (at, home) in homes.iter().enumerate() {
        let text = home.node.as_text().unwrap_or_default();
        wanted.extend(syntax::repair_syntax(text, profile).map(|fix| (at, fix)));
        let here = |finding: &&Finding| {
            let source = finding.diagnostic.source.as_ref();
            finding.sql_home == Some(home.node.span)
                && source.is_some_and(|source| source.name() == document.source.name())
        };
        let fixes = findings.iter().filter(here).filter_map(|finding| finding.fix.clone());
        wanted.extend(fixes.map(|fix| (at, fix)));
    }
    let mut accepted: Vec<(usize, Fix)> = Vec::new();
    let mut best = None;
    // All at once is the usual case; where that does not hold, each for itself.
    if let Some(text) = attempt(document, &homes, &wanted, profile) {
        return done(text, wanted);
    }
    for candidate in wanted {
        accepted.push(candidate);
        match attempt(document, &homes, &accepted, profile) {
            Some(text) => best = Some(text),
            None => {
                accepted.pop();
            }
        }
    }
    done(best?, accepted)
}

fn done(text: String, fixes: Vec<(usize, Fix)>) -> Option<Fixed> {
    (!fixes.is_empty()).then(|| Fixed { text, titles: fixes.into_iter().map(|(_, fix)| fix.title).collect() })
}

/// A text with edits in it; `None` where two of them touch each other.
pub(super) fn applied(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span);
    if sorted.windows(2).any(|pair| pair[0].span == pair[1].span || pair[0].span.end > pair[1].span.start) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for edit in sorted {
        out.push_str(text.get(at..edit.span.start as usize)?);
        out.push_str(&edit.text);
        at = edit.span.end as usize;
    }
    out.push_str(text.get(at..)?);
    Some(out)
}

/// A string of the file that is a rule's SQL.
struct Home<'d> {
    node: &'d Node,
    embedded: Embedded,
}

fn homes(document: &Document) -> Vec<Home<'_>> {
    if document.root.as_text().is_some() {
        return vec![Home { node: &document.root, embedded: Embedded::identity(&document.source) }];
    }
    let rules = document.root.get("rule_engine").and_then(|engine| engine.get("rules"));
    let rules = rules.and_then(Node::as_map).unwrap_or_default();
    let sql = rules.iter().filter_map(|rule| rule.value.get("sql")).filter(|node| node.as_text().is_some());
    let mut homes: Vec<Home<'_>> = Vec::new();
    for node in sql {
        // An anchor's text stands in the file once, however often it is used.
        if homes.iter().all(|home| home.node.span != node.span) {
            homes.push(Home { node, embedded: document.embedded(node) });
        }
    }
    homes
}

/// The file with these repairs, when it holds what it should.
fn attempt(
    document: &Document,
    homes: &[Home<'_>],
    fixes: &[(usize, Fix)],
    profile: Profile,
) -> Option<String> {
    let mut file_edits = Vec::new();
    let mut expected: Vec<(Span, String)> = Vec::new();
    for (at, home) in homes.iter().enumerate() {
        let edits: Vec<Edit> =
            fixes.iter().filter(|(of, _)| *of == at).flat_map(|(_, fix)| fix.edits.clone()).collect();
        if edits.is_empty() {
            continue;
        }
        let old = home.node.as_text()?;
        let new = applied(old, &edits)?;
        (complaints(&new, profile) <= complaints(old, profile)).then_some(())?;
        let written = |edit: &Edit| Edit {
            span: home.embedded.place(edit.span),
            text: written(document, home, &edit.text),
        };
        file_edits.extend(edits.iter().map(written));
        expected.push((home.node.span, new));
    }
    let text = applied(document.source.text(), &file_edits)?;
    let name = document.source.name();
    let Some(format) = Format::of(name.as_ref()) else {
        // A bare SQL file is its SQL.
        return (expected.len() == 1 && expected[0].1 == text).then_some(text);
    };
    let new = Document::read(name, text.as_bytes(), format).ok()?;
    same(&document.root, &new.root, &expected).then_some(text)
}

/// How much the parser has against a statement.
fn complaints(text: &str, profile: Profile) -> (usize, usize) {
    let (_, problems) = sql::parse(text, profile);
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    (errors, problems.len())
}

/// SQL as it is written in a string of this style.
fn written(document: &Document, home: &Home<'_>, text: &str) -> String {
    match home.node.style {
        Style::Single => text.replace('\'', "''"),
        Style::Double | Style::Escaped => text
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n")
            .replace('\r', "\\r")
            .replace('\t', "\\t"),
        Style::Literal => {
            let file = document.source.text();
            let start = home.embedded.place(Span::new(0, 1)).start as usize;
            let line = file[..start].rfind('\n').map_or(0, |at| at + 1);
            let end = if file.contains("\r\n") { "\r\n" } else { "\n" };
            text.replace('\n', &format!("{end}{}", &file[line..start]))
        }
        Style::Plain | Style::Folded | Style::Triple => text.to_owned(),
    }
}

/// Are two trees the same but for the strings that were to change, and are these as expected?
fn same(old: &Node, new: &Node, expected: &[(Span, String)]) -> bool {
    match (&old.data, &new.data) {
        (Data::Text(before), Data::Text(after)) => {
            let changed = expected.iter().find(|(span, _)| *span == old.span);
            **after == *changed.map_or(&**before, |(_, text)| text.as_str())
        }
        (Data::List(before), Data::List(after)) => {
            before.len() == after.len() && before.iter().zip(after.iter()).all(|(a, b)| same(a, b, expected))
        }
        (Data::Map(before), Data::Map(after)) => {
            let pair = |(a, b): (&crate::document::Entry, &crate::document::Entry)| {
                a.key == b.key && same(&a.value, &b.value, expected)
            };
            before.len() == after.len() && before.iter().zip(after.iter()).all(pair)
        }
        (Data::Null, Data::Null) => true,
        (Data::Bool(a), Data::Bool(b)) => a == b,
        (Data::Int(a, _), Data::Int(b, _)) | (Data::Float(a, _), Data::Float(b, _)) => a == b,
        _ => false,
    }
}
