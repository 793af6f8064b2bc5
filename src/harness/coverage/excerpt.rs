//! A rule's lines with its places marked, for whoever shows them.

use std::collections::BTreeMap;

use super::summary::{Covered, RuleCoverage};
use crate::text::{Source, Span};

/// Lines of one file.
pub(super) struct Excerpt {
    /// The file.
    pub file: String,
    /// They are no lines of the rule's SQL.
    pub beside: bool,
    /// In order; with gaps where nothing is marked.
    pub lines: Vec<Line>,
}

/// One line.
pub(super) struct Line {
    /// From 1.
    pub number: usize,
    /// Its text; control characters but tabs are replaced, each by one character.
    pub text: String,
    /// From left to right, outer ones first.
    pub marks: Vec<Mark>,
}

/// A marked stretch of a line.
pub(super) struct Mark {
    /// First character, from 0.
    pub from: usize,
    /// One past the last character.
    pub to: usize,
    /// How it stands.
    pub state: State,
    /// What no test reached.
    pub sentence: String,
}

/// How a place stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    /// All that counts was reached, and all that is good to know.
    Reached,
    /// All that counts was reached.
    Advisory,
    /// Something that counts was not.
    Gap,
}

impl Line {
    /// How its worst place stands; `None` for a line without places.
    pub fn state(&self) -> Option<State> {
        self.marks.iter().map(|mark| mark.state).max()
    }
}

/// The lines of the rule's SQL, and then those of its actions that have places.
pub(super) fn excerpts(coverage: &RuleCoverage) -> Vec<Excerpt> {
    let sql = &coverage.rule.sql;
    let first = sql.file.position(sql.span.start as usize).line;
    let last = sql.file.position(sql.span.end.saturating_sub(1).max(sql.span.start) as usize).line;
    let mut marked: BTreeMap<(bool, String, usize), Line> = BTreeMap::new();
    let lines = sql.file.text().lines().enumerate().skip(first - 1).take(last + 1 - first);
    for (at, text) in lines {
        let line = Line { number: at + 1, text: shown(text), marks: Vec::new() };
        marked.insert((false, sql.file.name().to_owned(), at + 1), line);
    }
    for covered in &coverage.places {
        let source = &covered.place.source;
        let number = covered.place.line();
        let in_sql = source.name() == sql.file.name() && (first..=last).contains(&number);
        let (text, from, to) = stretch(source, covered.place.span);
        let line = marked.entry((!in_sql, source.name().to_owned(), number)).or_insert_with(|| Line {
            number,
            text: shown(text),
            marks: Vec::new(),
        });
        let (state, sentence) = standing(covered);
        line.marks.push(Mark { from, to, state, sentence });
    }
    let mut excerpts: Vec<((bool, String), Excerpt)> = Vec::new();
    for ((beside, file, _), mut line) in marked {
        line.marks.sort_by_key(|mark| (mark.from, std::cmp::Reverse(mark.to)));
        match excerpts.last_mut() {
            Some((key, excerpt)) if *key == (beside, file.clone()) => excerpt.lines.push(line),
            _ => excerpts.push(((beside, file.clone()), Excerpt { file, beside, lines: vec![line] })),
        }
    }
    excerpts.into_iter().map(|(_, excerpt)| excerpt).collect()
}

fn standing(covered: &Covered) -> (State, String) {
    match (covered.gap(false), covered.gap(true)) {
        (Some(gap), _) => (State::Gap, gap),
        (None, Some(advice)) => (State::Advisory, advice),
        (None, None) => (State::Reached, String::new()),
    }
}

/// The line that a span begins in, and its first character there and the one past its last.
fn stretch(source: &Source, span: Span) -> (&str, usize, usize) {
    let text = source.text();
    let start = (span.start as usize).min(text.len());
    let line_start = text.get(..start).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..).unwrap_or("");
    let line = line.lines().next().unwrap_or("");
    let characters = |end: usize| {
        let end = end.saturating_sub(line_start).min(line.trim_end().len());
        line.get(..end).map_or(0, |s| s.chars().count())
    };
    let from = characters(start);
    (line, from, characters(span.end as usize).max(from + 1))
}

fn shown(text: &str) -> String {
    let visible = |c: char| if c.is_control() && c != '\t' { '\u{FFFD}' } else { c };
    text.trim_end().chars().map(visible).collect()
}
