//! How much a finding matters: by the table, by the file, by the command line, by a comment in the SQL.
//!
//! What stands closest to the finding counts: `-- rulemill: allow(W13)` on its line (or on a line of its own above),
//! then `--deny` and its like, then `rulemill.lints` of the file, then the table.

use std::collections::BTreeMap;

use super::table::{self, Lint};
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::document::{Document, Fields, Problems};
use crate::profile::Profile;
use crate::rule::SqlText;
use crate::sql;
use crate::text::{Source, Span};

/// What a finding does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing.
    Allow,
    /// It is shown.
    Note,
    /// It is shown, and fails the check with `--deny warnings`.
    Warn,
    /// It fails the check.
    Deny,
}

impl Level {
    /// All, with their words.
    pub const ALL: [(Level, &'static str); 4] =
        [(Level::Allow, "allow"), (Level::Note, "note"), (Level::Warn, "warn"), (Level::Deny, "deny")];

    /// Its word.
    pub fn name(self) -> &'static str {
        Level::ALL.iter().find(|(level, _)| *level == self).map_or("", |(_, name)| name)
    }

    /// How its findings are shown; `None` when they are not.
    pub fn severity(self) -> Option<Severity> {
        match self {
            Level::Allow => None,
            Level::Note => Some(Severity::Note),
            Level::Warn => Some(Severity::Warning),
            Level::Deny => Some(Severity::Error),
        }
    }
}

/// The levels that were asked for.
#[derive(Clone, Debug, Default)]
pub struct Levels {
    given: BTreeMap<&'static str, Level>,
    all: Option<Level>,
    files: BTreeMap<String, BTreeMap<&'static str, Level>>,
}

impl Levels {
    /// Sets a lint's level for all files; `all` is every lint. Says what is wrong with the name.
    pub fn set(&mut self, code_or_name: &str, level: Level) -> Result<(), String> {
        if code_or_name == "all" {
            self.all = Some(level);
            return Ok(());
        }
        let lint = table::find(code_or_name).ok_or_else(|| unknown(code_or_name))?;
        match self.given.insert(lint.code, level) {
            Some(other) if other != level => {
                Err(format!("{} is given two levels: {} and {}", lint.code, other.name(), level.name()))
            }
            _ => Ok(()),
        }
    }

    /// Reads `rulemill.lints` of each file; says what is wrong there.
    pub fn read_files(&mut self, documents: &[Document]) -> Vec<Diagnostic> {
        let mut list = Vec::new();
        for document in documents {
            let mut problems = Problems::new(document);
            if let Some(node) = document.root.get("rulemill").and_then(|node| node.get("lints"))
                && let Some(fields) = Fields::open("rulemill.lints", node, &mut problems)
            {
                let levels = read(&fields, &mut problems);
                self.files.insert(document.source.name().to_owned(), levels);
            }
            list.extend(problems.into_list());
        }
        list
    }

    /// The level of a lint in a file.
    pub fn of(&self, lint: &Lint, file: &str) -> Level {
        let in_file = || self.files.get(file).and_then(|levels| levels.get(lint.code)).copied();
        self.given.get(lint.code).copied().or(self.all).or_else(in_file).unwrap_or(lint.level)
    }

    /// Gives findings that come from elsewhere (the lexer) their severities, and drops those that are allowed.
    pub fn apply(&self, problems: &mut Vec<Diagnostic>) {
        problems.retain_mut(|problem| {
            let Some(lint) = table::find(problem.code) else { return true };
            let severity = self.of(lint, problem.source.as_ref().map_or("", Source::name)).severity();
            problem.severity = severity.unwrap_or(problem.severity);
            severity.is_some()
        });
    }
}

fn read(fields: &Fields<'_>, problems: &mut Problems) -> BTreeMap<&'static str, Level> {
    let mut levels = BTreeMap::new();
    for entry in fields.entries() {
        let Some(lint) = table::find(&entry.key) else {
            problems.error(codes::UNKNOWN_LINT, entry.key_span, unknown(&entry.key));
            continue;
        };
        let text = entry.value.as_text().unwrap_or_default();
        match Level::ALL.iter().find(|(_, name)| *name == text) {
            Some((level, _)) => {
                levels.insert(lint.code, *level);
            }
            None => {
                let names = Level::ALL.map(|(_, name)| name);
                let message = format!("the level of '{}' must be {}", entry.key, names.join(", "));
                let problem = Diagnostic::error(codes::BAD_VALUE, message).at(entry.value.span, "");
                problems.push(match nearest(text, names) {
                    Some(near) if !text.is_empty() => problem.help(format!("did you mean '{near}'?")),
                    _ => problem,
                });
            }
        }
    }
    levels
}

/// The sentence for a lint that is not there.
fn unknown(written: &str) -> String {
    match table::nearest_name(written) {
        Some(near) => format!("there is no lint '{written}'; did you mean '{near}'?"),
        None => format!("there is no lint '{written}'; `rulemill explain` lists all"),
    }
}

/// What comments in a rule's SQL allow.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Lines from 1, and the lint that may be found there.
    lines: Vec<(usize, &'static Lint)>,
}

impl Allowed {
    /// Reads the comments of a statement; says what is wrong with them.
    pub fn read(sql: &SqlText, profile: Profile) -> (Allowed, Vec<Diagnostic>) {
        let mut allowed = Allowed::default();
        let mut problems = Vec::new();
        let comments = sql::comments(sql.text.text(), profile);
        for at in &comments {
            let text = sql.text.slice(*at).trim_start_matches('-').trim();
            let Some(words) = text.strip_prefix("rulemill:") else { continue };
            let names = words.trim().strip_prefix("allow(").and_then(|rest| rest.strip_suffix(')'));
            let Some(names) = names else {
                let message = "a comment of rulemill's is written `-- rulemill: allow(W13)`";
                problems.push(Diagnostic::error(codes::UNKNOWN_LINT, message).at(*at, ""));
                continue;
            };
            let line = covered_line(&sql.text, *at, &comments);
            for name in names.split(',').map(str::trim) {
                match table::find(name) {
                    Some(lint) => allowed.lines.push((line, lint)),
                    None => problems.push(Diagnostic::error(codes::UNKNOWN_LINT, unknown(name)).at(*at, "")),
                }
            }
        }
        (allowed, problems.into_iter().map(|problem| sql.relocated(problem)).collect())
    }

    /// May this lint be found here?
    pub fn holds(&self, sql: &Source, lint: &Lint, span: Span) -> bool {
        let line = |offset: u32| sql.position(offset as usize).line;
        let last = line(span.end.saturating_sub(1).max(span.start));
        self.lines.iter().any(|(at, known)| *known == lint && (line(span.start)..=last).contains(at))
    }
}

/// The line that a comment speaks of: its own, or the next one with more than a comment when it stands alone.
fn covered_line(sql: &Source, comment: Span, comments: &[Span]) -> usize {
    let own = sql.position(comment.start as usize).line;
    let lines: Vec<&str> = sql.text().split('\n').collect();
    let first_comment = |line: usize| comments.iter().find(|c| sql.position(c.start as usize).line == line);
    let has_code = |line: usize| {
        let text = lines.get(line - 1).copied().unwrap_or_default();
        let before = first_comment(line).map_or(text.len(), |c| sql.position(c.start as usize).column - 1);
        !text.chars().take(before).all(char::is_whitespace)
    };
    (own..=lines.len()).find(|line| has_code(*line)).unwrap_or(own)
}
