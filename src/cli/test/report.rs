//! How a run is written, case by case and at its end.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::select::Case;
use super::{Done, Format};
use crate::cli::coverage::CoverageArgs;
use crate::cli::{Exit, show};
use crate::diag::{Diagnostic, codes, json as diag_json};
use crate::harness::coverage::{self, Coverage};
use crate::harness::report::junit::Timed;
use crate::harness::report::{self, Totals, github, junit};
use crate::harness::{Look, Replayed, look};

/// Nothing is said of progress before this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Columns of the bar.
const BAR: usize = 24;

/// A report under way.
pub(super) struct Report<'a> {
    format: Format,
    quiet: bool,
    name_profile: bool,
    started: Instant,
    look: Look,
    failed_files: BTreeSet<&'a str>,
    /// Cases that were put right in their files.
    updated: usize,
    /// How many passed and failed so far.
    pub totals: Totals,
    /// A capture turned out to be damaged while it was replayed.
    pub unreadable: bool,
    done: Vec<(Case<'a>, Done)>,
    seed: Option<u64>,
    listed: usize,
    coverage: Option<Value>,
}

impl<'a> Report<'a> {
    /// Nothing done yet.
    pub fn new(format: Format, quiet: bool, name_profile: bool, started: Instant) -> Report<'a> {
        let look = Look { width: width(), colour: true };
        Report {
            format,
            quiet,
            name_profile,
            started,
            look,
            failed_files: BTreeSet::new(),
            updated: 0,
            totals: Totals::default(),
            unreadable: false,
            done: Vec::new(),
            seed: None,
            listed: 0,
            coverage: None,
        }
    }

    /// Names the tests.
    pub fn list(&mut self, cases: &[Case<'_>]) -> io::Result<()> {
        let mut out = anstream::stdout().lock();
        let name = |case: &Case<'_>| format!("{} {}", report::place(case.file, case.test), case.test.name);
        self.listed = cases.len();
        match self.format {
            Format::Json => {
                let tests = cases.iter().map(|case| {
                    json!({
                        "file": case.file.source.name(), "line": report::line(case.file, case.test),
                        "name": case.test.name, "emqx": case.profile.name(),
                    })
                });
                writeln!(out, "{:#}", json!({ "tests": tests.collect::<Vec<_>>() }))
            }
            _ => cases.iter().try_for_each(|case| writeln!(out, "{}", name(case))),
        }
    }

    /// Were tests named?
    pub fn has_listed(&self) -> bool {
        self.listed > 0
    }

    /// Says how to have the same order again.
    pub fn shuffled(&mut self, seed: u64) -> io::Result<()> {
        self.seed = Some(seed);
        match self.format {
            Format::Human | Format::Github => {
                writeln!(anstream::stdout(), "shuffled; --shuffle={seed} gives this order again")
            }
            Format::Json | Format::Junit => Ok(()),
        }
    }

    /// The files of the tests that failed.
    pub fn failed_files(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.failed_files.iter().map(PathBuf::from)
    }

    /// Writes a case that is done.
    pub fn case(&mut self, case: &Case<'a>, done: Done) -> io::Result<()> {
        self.totals.add(done.result.passed());
        if !done.result.passed() {
            self.failed_files.insert(case.file.source.name());
        }
        let damaged = |problem: &Diagnostic| matches!(problem.code, codes::FIXTURE | codes::TOO_LARGE);
        self.unreadable |= done.result.problems.iter().any(damaged);
        match self.format {
            Format::Human => self.write_case(case, &done),
            Format::Github => {
                let mut out = anstream::stdout().lock();
                for command in github::case(case.file, case.test, &done.result) {
                    writeln!(out, "{command}")?;
                }
                drop(out);
                self.write_case(case, &done)
            }
            Format::Json | Format::Junit => {
                self.done.push((*case, done));
                Ok(())
            }
        }
    }

    /// Writes a failed case that waits for an answer.
    pub fn show(&self, case: &Case<'_>, done: &Done) -> io::Result<()> {
        self.write_case(case, done)
    }

    /// Writes a case that was put right in its file, unless that was said for another profile.
    pub fn updated(&mut self, case: &Case<'_>, done: &Done, said: bool) -> io::Result<()> {
        self.totals.add(true);
        self.updated += 1;
        if said {
            return Ok(());
        }
        let mut text = report::updated_line(case.file, case.test, self.look);
        text += &report::differences(case.file, &done.result, self.look);
        anstream::stdout().lock().write_all(text.as_bytes())
    }

    /// Writes a failed case that could not be put right, and why.
    pub fn not_updated(&mut self, case: &Case<'a>, done: Done, why: &str) -> io::Result<()> {
        self.case(case, done)?;
        writeln!(anstream::stdout(), "not updated: {why}\n")
    }

    fn write_case(&self, case: &Case<'_>, done: &Done) -> io::Result<()> {
        let (passed, result) = (done.result.passed(), &done.result);
        if passed && self.quiet {
            return Ok(());
        }
        // One write a case: a terminal shows it whole, and a pipe is not asked for each line.
        let mut text = report::case_line(case.file, case.test, result, self.name_profile, self.look) + "\n";
        match passed {
            true => text += &report::explained(result, self.look),
            false => {
                let mut problems = Vec::new();
                show::blocks(&mut problems, &result.problems)?;
                text += &String::from_utf8_lossy(&problems);
                text += &report::failure_block(case.file, case.test, result, "rulemill test", self.look);
                text.push('\n');
            }
        }
        anstream::stdout().lock().write_all(text.as_bytes())
    }

    /// Prints and writes the coverage as asked for; says whether it is enough.
    pub fn coverage(&mut self, coverage: &Coverage, args: &CoverageArgs) -> anyhow::Result<Exit> {
        match self.format {
            Format::Human | Format::Github => {
                args.report(coverage, Some(&mut anstream::stdout().lock()), self.quiet)
            }
            Format::Json | Format::Junit => {
                self.coverage = Some(coverage::json(coverage));
                args.report(coverage, None, self.quiet)
            }
        }
    }

    /// Writes what stands at the end; `nothing` says why no test ran.
    pub fn end(&self, problems: &[Diagnostic], nothing: Option<&str>) -> io::Result<()> {
        match self.format {
            Format::Json if self.listed == 0 => return self.write_json(problems, nothing),
            Format::Junit => {
                let cases: Vec<Timed<'_>> = self
                    .done
                    .iter()
                    .map(|(case, done)| Timed {
                        file: case.file,
                        test: case.test,
                        result: &done.result,
                        time: done.time,
                    })
                    .collect();
                write!(io::stdout(), "{}", junit::document(&cases, problems))?;
                return match nothing {
                    Some(nothing) if problems.is_empty() => writeln!(anstream::stderr(), "{nothing}"),
                    _ => Ok(()),
                };
            }
            _ => {}
        }
        if self.format == Format::Github {
            problems.iter().try_for_each(|problem| writeln!(io::stdout(), "{}", github::problem(problem)))?;
        }
        show::blocks(&mut anstream::stderr().lock(), problems)?;
        let ms = self.started.elapsed().as_millis();
        let mut out = anstream::stdout().lock();
        match nothing {
            Some(nothing) if problems.is_empty() => writeln!(out, "{nothing} ({ms} ms)"),
            Some(_) => Ok(()),
            None if self.listed > 0 => Ok(()),
            None if self.updated > 0 => {
                writeln!(out, "{}, {} updated ({ms} ms)", self.totals.line(), self.updated)
            }
            None => writeln!(out, "{} ({ms} ms)", self.totals.line()),
        }
    }

    fn write_json(&self, problems: &[Diagnostic], nothing: Option<&str>) -> io::Result<()> {
        let case = |(case, done): &(Case<'_>, Done)| {
            let mut object = report::json::case(case.file, case.test, &done.result);
            object["ms"] = json!((done.time.as_secs_f64() * 1e6).round() / 1e3);
            object
        };
        let mut document = json!({
            "passed": self.totals.passed, "failed": self.totals.failed,
            "cases": self.done.iter().map(case).collect::<Vec<Value>>(),
            "problems": problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
        });
        if let Some(seed) = self.seed {
            document["seed"] = json!(seed);
        }
        if let Some(coverage) = &self.coverage {
            document["coverage"] = coverage.clone();
        }
        if let Some(nothing) = nothing {
            document["nothing"] = json!(nothing);
        }
        writeln!(io::stdout(), "{document:#}")
    }

    /// A line of no consequence for how the command ends.
    pub fn note(&self, text: &str) -> io::Result<()> {
        writeln!(anstream::stderr(), "note: {text}")
    }

    /// The line that tells of progress on a terminal.
    pub fn progress(&self, bytes: u64) -> Progress {
        let shows = self.format == Format::Human && io::stderr().is_terminal();
        Progress { shows, bytes, started: self.started, shown: Cell::new(false) }
    }
}

/// One line on the terminal, for those who wait.
pub(super) struct Progress {
    shows: bool,
    /// All captures together.
    bytes: u64,
    started: Instant,
    shown: Cell<bool>,
}

impl Progress {
    /// Says how far captures are.
    pub fn show(&self, replayed: &Replayed) {
        let messages = replayed.messages.load(Ordering::Relaxed);
        if self.shows && messages > 0 && self.started.elapsed() > PATIENCE {
            let seconds = self.started.elapsed().as_secs();
            let bar = bar(replayed.bytes.load(Ordering::Relaxed), self.bytes);
            // A terminal that cannot be written to needs no progress.
            let _ = write!(anstream::stderr(), "\r\x1b[K{bar}{messages} messages replayed in {seconds} s");
            self.shown.set(true);
        }
    }

    /// Takes the line away before something else is written.
    pub fn clear(&self) {
        if self.shown.take() {
            let _ = write!(anstream::stderr(), "\r\x1b[K");
        }
    }
}

/// A bar and a percentage; nothing where it is not known how much there is.
fn bar(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    let percent = usize::try_from(part.min(whole) * 100 / whole).unwrap_or(100);
    let full = percent * BAR / 100;
    format!("{}{} {percent:>3} %  ", "█".repeat(full), "░".repeat(BAR - full))
}

/// Columns of the terminal, or of a report that goes elsewhere.
fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout());
    terminal.map_or(look::WIDTH, |(width, _)| usize::from(width.0).max(look::WIDTH_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_fill_up() {
        let half = format!("{}{}  50 %  ", "█".repeat(12), "░".repeat(12));
        assert_eq!((bar(1, 2), bar(0, 0)), (half, String::new()));
        assert!(bar(0, 9).starts_with("░") && bar(99, 9).ends_with("█ 100 %  "));
    }
}
