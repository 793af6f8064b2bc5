//! Results for people and programs.

mod contrast;
pub mod github;
pub mod json;
pub mod junit;

use std::fmt::Write;

use self::contrast::contrast;
use super::compare::{Difference, DifferenceKind};
use super::excerpt;
use super::explain::Explanation;
use super::look::Look;
use super::model::{Test, TestFile};
use super::run::CaseResult;
use super::show;
use crate::profile::Profile;
use crate::rule::Rule;

/// What a whole run came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Cases that passed.
    pub passed: usize,
    /// Cases that failed.
    pub failed: usize,
}

impl Totals {
    /// Counts a case.
    pub fn add(&mut self, passed: bool) {
        *(if passed { &mut self.passed } else { &mut self.failed }) += 1;
    }

    /// The line that ends a report.
    pub fn line(&self) -> String {
        let all = self.passed + self.failed;
        let noun = if all == 1 { "test" } else { "tests" };
        match self.failed {
            0 => format!("{all} {noun}, all passed"),
            failed => format!("{all} {noun}, {} passed, {failed} failed", self.passed),
        }
    }
}

/// `file:line` of a test.
pub fn place(file: &TestFile, test: &Test) -> String {
    format!("{}:{}", file.source.name(), line(file, test))
}

/// The line at which a test begins.
pub fn line(file: &TestFile, test: &Test) -> usize {
    file.source.position(test.span.start as usize).line
}

/// One line for one case: `PASS rules/a.test.yaml:3 a name`.
pub fn case_line(
    file: &TestFile,
    test: &Test,
    result: &CaseResult,
    name_profile: bool,
    look: Look,
) -> String {
    let word = if result.passed() { look.good("PASS") } else { look.bad("FAIL") };
    let profile = if name_profile { format!(" (EMQX {})", result.profile) } else { String::new() };
    format!("{word} {} {}{profile}", place(file, test), look.bold(&test.name))
}

/// The line of a case that was put right: `UPDATED rules/a.test.yaml:3 a name`.
pub fn updated_line(file: &TestFile, test: &Test, look: Look) -> String {
    format!("{} {} {}\n", look.warn("UPDATED"), place(file, test), look.bold(&test.name))
}

/// The differences of a case, one below the other.
pub fn differences(file: &TestFile, result: &CaseResult, look: Look) -> String {
    let mut out = String::new();
    result.differences.iter().for_each(|difference| write_difference(&mut out, file, difference, look));
    if result.left_out > 0 {
        let _ = writeln!(out, "  … and {} more", result.left_out);
    }
    out
}

/// What stands below the line of a failing case: differences, the rules with their values, and how to run it again.
/// Problems are diagnostics and shown by their own renderer.
pub fn failure_block(file: &TestFile, test: &Test, result: &CaseResult, command: &str, look: Look) -> String {
    let mut out = differences(file, result, look);
    out += &explained(result, look);
    let explained = |rule: &Rule| result.explained.iter().any(|(known, _)| known.id == rule.id);
    for rule in result.rules.iter().filter(|rule| !explained(rule)) {
        write_rule(&mut out, rule, "", look);
        excerpt::write(&mut out, rule, &[], look);
    }
    for suspicion in &result.suspicions {
        let _ = writeln!(out, "  {} {suspicion}", look.warn("lint:"));
    }
    let _ = writeln!(out, "  run again: {command} {}", again(file, test, result.profile));
    out
}

/// The arguments that run just this case, as a shell takes them.
fn again(file: &TestFile, test: &Test, profile: Profile) -> String {
    let mut words = vec![place(file, test)];
    // The rows of a table stand at one line.
    if file.tests.iter().filter(|other| other.span == test.span).count() > 1 {
        words.push(format!("/^{}$/", regex::escape(&test.name)));
    }
    if test.profiles.is_none() && profile != Profile::default() {
        words.extend(["--emqx".to_owned(), profile.name().to_owned()]);
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// A word that a shell takes as it stands, in quotes where it needs them.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "_-./:@%+=,".contains(c);
    match word.chars().all(plain) {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

/// The rules with the values that they had.
pub fn explained(result: &CaseResult, look: Look) -> String {
    let mut out = String::new();
    for (rule, explanation) in &result.explained {
        write_rule(&mut out, rule, &explanation.label, look);
        excerpt::write(&mut out, rule, &explanation.marks, look);
        write_items(&mut out, rule, explanation, look);
        for miss in &explanation.misses {
            let _ = writeln!(out, "  {} {miss}", look.warn("note:"));
        }
    }
    out
}

fn write_difference(out: &mut String, file: &TestFile, difference: &Difference, look: Look) {
    let path = if difference.path.is_empty() { "the result" } else { &difference.path };
    let kind = match difference.kind {
        DifferenceKind::Missing => "is missing",
        DifferenceKind::Unexpected => "is not expected",
        DifferenceKind::Different => "is different",
    };
    let _ = writeln!(out, "  {}: {} {kind}", file.source.locate(difference.span), look.bold(path));
    match difference.kind {
        DifferenceKind::Missing => {
            let _ = writeln!(out, "    expected  {}", look.good(&show::cut(&difference.expected)));
        }
        DifferenceKind::Unexpected => {
            let _ = writeln!(out, "    actual    {}", look.bad(&show::cut(&difference.actual)));
        }
        DifferenceKind::Different => {
            let (expected, actual, from) = contrast(&difference.expected, &difference.actual, look);
            let _ = writeln!(out, "    expected  {expected}\n    actual    {actual}");
            if let Some(character) = from {
                let _ = writeln!(out, "    differs   from character {character} on");
            }
        }
    }
    if let Some(hint) = &difference.hint {
        let _ = writeln!(out, "    hint      {hint}");
    }
}

fn write_rule(out: &mut String, rule: &Rule, label: &str, look: Look) {
    let label = if label.is_empty() { String::new() } else { format!(", {label}") };
    let name = look.bold(&format!("rule {}", rule.id));
    let _ = writeln!(out, "  {name} ({}:{}){label}", rule.place.file(), rule.place.line());
}

/// What DO and INCASE had for each item, one expression a line.
fn write_items(out: &mut String, rule: &Rule, explanation: &Explanation, look: Look) {
    for (item, marks) in &explanation.items {
        let _ = writeln!(out, "  item {item}");
        let text = |mark: &excerpt::Mark| {
            let text = rule.program.source().slice(mark.span);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let texts: Vec<String> = marks.iter().map(|mark| show::cut_to(&text(mark), look.width / 2)).collect();
        let width = texts.iter().map(|text| text.chars().count()).max().unwrap_or_default();
        for (mark, text) in marks.iter().zip(texts) {
            let room = look.width.saturating_sub(width + 7).max(24);
            let value = show::cut_to(&mark.text, room);
            let value = if mark.odd { look.warn(&value) } else { look.value(&value) };
            let _ = writeln!(out, "    {text:<width$} = {value}");
        }
    }
    if explanation.items_left_out > 0 {
        let _ = writeln!(out, "  … and {} more items", explanation.items_left_out);
    }
}
