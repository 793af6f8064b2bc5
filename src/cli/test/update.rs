//! `test --update` and `--review`: what really came is written into the test file, after it was tried there.
//!
//! Invariant: a file is written only with changes under which the tests that were put right pass, and every test of
//! the file that passed before still does.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::Path;

use anyhow::{Context, bail};
use similar::TextDiff;

use super::remember::Failures;
use super::report::Report;
use super::rules::Rules;
use super::select::Case;
use super::{Done, TestArgs};
use crate::cli::files;
use crate::cli::fixtures::Folder;
use crate::ctx::Ctx;
use crate::document::{Changes, Document, Format};
use crate::harness::update::{Run, changes};
use crate::harness::{self, CaseResult, Difference, Runner, TestFile};
use crate::profile::Profile;

/// Refuses what cannot be asked together.
pub(super) fn check(args: &TestArgs) -> anyhow::Result<()> {
    if (args.update || args.review) && args.format != super::Format::Human {
        bail!("--update and --review write for people; leave --format out");
    }
    if args.review && !(io::stdin().is_terminal() && io::stdout().is_terminal()) {
        bail!("--review asks on a terminal, and there is none; --update takes everything without asking");
    }
    Ok(())
}

/// Puts the failed tests right, file by file, and reports them.
pub(super) fn run<'a>(
    held: Vec<(Case<'a>, Done)>,
    rules: &Rules,
    args: &TestArgs,
    report: &mut Report<'a>,
    failures: &mut Failures,
) -> anyhow::Result<()> {
    let mut all = false;
    let mut quit = false;
    let mut rest = held;
    while let Some(file) = rest.first().map(|(case, _)| case.file) {
        let (of_file, others) = rest.into_iter().partition(|(case, _)| std::ptr::eq(case.file, file));
        rest = others;
        let file_cases: Vec<(Case<'a>, Done)> = of_file;
        let work = match Work::open(file, rules, args) {
            Ok(work) => work,
            Err(why) => {
                for (case, done) in file_cases {
                    report.not_updated(&case, done, &format!("{why:#}"))?;
                }
                continue;
            }
        };
        let mut accepted = Accepted::default();
        let mut verdicts: Vec<(usize, Result<(), String>)> = Vec::new();
        let positions = positions(file, &file_cases);
        if args.review {
            for position in positions {
                let cases = file_cases.iter().filter(|(case, _)| at(file, case) == position);
                let verdict = match quit {
                    true => Err("not looked at".to_owned()),
                    false => work.review(position, cases, &mut accepted, report, &mut all, &mut quit)?,
                };
                verdicts.push((position, verdict));
            }
        } else {
            verdicts = work.put_right(&positions, &mut accepted);
        }
        if let Some(text) = &accepted.text {
            work.write(text)?;
        }
        let mut last: Option<(usize, Vec<Difference>)> = None;
        for (case, done) in file_cases {
            let position = at(file, &case);
            match verdicts.iter().find(|(known, _)| *known == position).map(|(_, verdict)| verdict) {
                Some(Err(why)) => report.not_updated(&case, done, why)?,
                _ => {
                    failures.note(&case, true);
                    // What is the same under the next profile is said once.
                    let said = Some((position, done.result.differences.clone()));
                    report.updated(&case, &done, last == said)?;
                    last = said;
                }
            }
        }
    }
    Ok(())
}

/// The position of a case's test in its file.
fn at(file: &TestFile, case: &Case<'_>) -> usize {
    file.tests.iter().position(|test| std::ptr::eq(test, case.test)).unwrap_or(usize::MAX)
}

/// The tests of cases, each once.
fn positions(file: &TestFile, cases: &[(Case<'_>, Done)]) -> Vec<usize> {
    let mut positions: Vec<usize> = cases.iter().map(|(case, _)| at(file, case)).collect();
    positions.sort_unstable();
    positions.dedup();
    positions
}

/// Changes that are taken.
#[derive(Default)]
struct Accepted {
    changes: Changes,
    positions: Vec<usize>,
    text: Option<String>,
}

/// A test file being put right.
struct Work<'a> {
    file: &'a TestFile,
    document: Document,
    /// The bytes before the text: a byte-order mark, or none.
    mark: &'static [u8],
    rules: &'a Rules,
    args: &'a TestArgs,
    /// How its tests went, by position; the last is kept for those that failed.
    passed: Vec<bool>,
}

impl<'a> Work<'a> {
    fn open(file: &'a TestFile, rules: &'a Rules, args: &'a TestArgs) -> anyhow::Result<Work<'a>> {
        let path = file.source.name();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {path}"))?;
        let format = Format::of(path.as_ref()).unwrap_or(Format::Yaml);
        let document = Document::read(path, &bytes, format).ok();
        let document = document.filter(|document| document.source.text() == file.source.text());
        let document = document.with_context(|| format!("{path} has changed meanwhile"))?;
        let mark: &[u8] = if bytes.starts_with(b"\xef\xbb\xbf") { b"\xef\xbb\xbf" } else { b"" };
        let mut work = Work { file, document, mark, rules, args, passed: Vec::new() };
        let passes = |position| work.runs(file, position, false).iter().all(|(_, result)| result.passed());
        work.passed = (0..file.tests.len()).map(passes).collect();
        Ok(work)
    }

    /// Runs a test under each of its profiles.
    fn runs(&self, file: &TestFile, position: usize, keep: bool) -> Vec<(Profile, CaseResult)> {
        let Some(test) = file.tests.get(position) else { return Vec::new() };
        let profiles = test.profiles.clone().unwrap_or_else(|| vec![self.args.emqx]);
        let new_ctx = |now, seed| Ctx::frozen(now, seed);
        let runner = Runner { new_ctx: &new_ctx, trace: false, keep, replayed: None };
        let run = |profile| Some((profile, runner.run(file, test, profile, self.rules.get(profile)?)));
        profiles.into_iter().filter_map(run).collect()
    }

    /// The changes that one test needs.
    fn proposal(&self, position: usize) -> Result<Changes, String> {
        let results = self.runs(self.file, position, true);
        let mut runs = Vec::new();
        for (profile, result) in &results {
            let loaded = self.rules.get(*profile).ok_or("its rules are not loaded")?;
            runs.push(Run { profile: *profile, result, loaded });
        }
        let mut fixtures = Folder::new(Path::new(self.file.source.name()), self.args.allow_outside);
        let test = &self.file.tests[position];
        changes(&self.document, test, position, &runs, &mut fixtures)
    }

    /// The file's text with the changes, if the tests then do as they should.
    fn tried(&self, changes: &Changes, targets: &[usize]) -> Result<String, String> {
        let Some(text) = self.document.revised(changes) else {
            return Err("rulemill cannot write it without touching more of the file".to_owned());
        };
        let path = self.file.source.name();
        let mut fixtures = Folder::new(Path::new(path), self.args.allow_outside);
        let file = harness::parse(path, text.as_bytes(), &mut fixtures).map_err(|problems| {
            let first = problems.first().map(ToString::to_string).unwrap_or_default();
            format!("the file could not be read any more: {first}")
        })?;
        for position in 0..self.passed.len() {
            let is_target = targets.contains(&position);
            if !is_target && !self.passed[position] {
                continue;
            }
            let failed = self.runs(&file, position, false).into_iter().find(|(_, result)| !result.passed());
            let Some((profile, result)) = failed else { continue };
            let name = &self.file.tests[position].name;
            let difference = result.differences.first().map(|d| d.path.clone()).unwrap_or_default();
            return Err(match is_target {
                true => format!("it would still fail under EMQX {profile}, at {difference}"),
                false => format!("'{name}' shares the place and would fail then"),
            });
        }
        Ok(text)
    }

    /// Takes a test's changes if they go with those taken so far.
    fn take(&self, position: usize, changes: &Changes, accepted: &mut Accepted) -> Result<(), String> {
        let mut joined = accepted.changes.clone();
        joined.join(changes).map_err(|span| {
            let place = self.file.source.locate(span);
            format!("another test needs something else at {place}")
        })?;
        let mut targets = accepted.positions.clone();
        targets.push(position);
        let text = self.tried(&joined, &targets)?;
        *accepted = Accepted { changes: joined, positions: targets, text: Some(text) };
        Ok(())
    }

    /// All tests at once where that works, or else one after the other.
    fn put_right(&self, positions: &[usize], accepted: &mut Accepted) -> Vec<(usize, Result<(), String>)> {
        let proposals: Vec<(usize, Result<Changes, String>)> =
            positions.iter().map(|position| (*position, self.proposal(*position))).collect();
        let mut joined = Changes::default();
        let can = |changes: &Changes| joined.join(changes).is_ok();
        let all_join = proposals.iter().filter_map(|(_, proposal)| proposal.as_ref().ok()).all(can);
        let targets: Vec<usize> = proposals
            .iter()
            .filter(|(_, proposal)| proposal.is_ok())
            .map(|(position, _)| *position)
            .collect();
        if all_join
            && !targets.is_empty()
            && let Ok(text) = self.tried(&joined, &targets)
        {
            *accepted = Accepted { changes: joined, positions: targets, text: Some(text) };
            return proposals
                .into_iter()
                .map(|(position, proposal)| (position, proposal.map(|_| ())))
                .collect();
        }
        let one = |(position, proposal): (usize, Result<Changes, String>)| {
            let verdict = proposal.and_then(|changes| self.take(position, &changes, accepted));
            (position, verdict)
        };
        proposals.into_iter().map(one).collect()
    }

    /// Shows what would be written for one test, and asks.
    fn review<'c>(
        &self,
        position: usize,
        cases: impl Iterator<Item = &'c (Case<'a>, Done)>,
        accepted: &mut Accepted,
        report: &Report<'_>,
        all: &mut bool,
        quit: &mut bool,
    ) -> anyhow::Result<Result<(), String>>
    where
        'a: 'c,
    {
        let before = accepted.text.clone().unwrap_or_else(|| self.file.source.text().to_owned());
        let mut next = Accepted {
            changes: accepted.changes.clone(),
            positions: accepted.positions.clone(),
            text: accepted.text.clone(),
        };
        if let Err(why) = self.proposal(position).and_then(|changes| self.take(position, &changes, &mut next))
        {
            return Ok(Err(why));
        }
        if !*all {
            for (case, done) in cases {
                report.show(case, done)?;
            }
            let after = next.text.clone().unwrap_or_default();
            let diff = TextDiff::from_lines(&before, &after);
            let mut out = anstream::stdout().lock();
            write!(out, "{}", diff.unified_diff().context_radius(2).header("now", "accepted"))?;
            match ask(&mut out)? {
                Answer::Yes => {}
                Answer::All => *all = true,
                Answer::No => return Ok(Err("skipped".to_owned())),
                Answer::Quit => {
                    *quit = true;
                    return Ok(Err("skipped".to_owned()));
                }
            }
        }
        *accepted = next;
        Ok(Ok(()))
    }

    fn write(&self, text: &str) -> anyhow::Result<()> {
        let bytes = [self.mark, text.as_bytes()].concat();
        files::replace(Path::new(self.file.source.name()), &bytes)
    }
}

/// What a reader of a difference says.
enum Answer {
    Yes,
    No,
    All,
    Quit,
}

fn ask(out: &mut dyn Write) -> io::Result<Answer> {
    let mut line = String::new();
    loop {
        write!(out, "write this into the test? [y]es, [n]o, [a]ll that follow, [q]uit: ")?;
        out.flush()?;
        line.clear();
        // The end of the input is a way to leave, as in a shell.
        if io::stdin().lock().read_line(&mut line)? == 0 {
            writeln!(out)?;
            return Ok(Answer::Quit);
        }
        match line.trim() {
            "y" | "yes" => return Ok(Answer::Yes),
            "n" | "no" => return Ok(Answer::No),
            "a" | "all" => return Ok(Answer::All),
            "q" | "quit" => return Ok(Answer::Quit),
            _ => {}
        }
    }
}
