//! `rulemill test`: runs the tests of rules.

mod remember;
mod report;
mod rules;
mod select;
mod update;
mod watch;
mod workers;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::{Args, ValueEnum};

use self::remember::Failures;
use self::report::Report;
use self::rules::Rules;
use self::select::{Case, Selection};
use super::coverage::CoverageArgs;
use super::fixtures::Folder;
use super::{Exit, files, show};
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, Severity};
use crate::harness::coverage::Hits;
use crate::harness::{self, CaseResult, Replayed, Runner, TestFile};
use crate::lint;
use crate::profile::Profile;
use crate::rule::{Loaded, Rule};

/// Options of `test`.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// Files, folders, FILE:LINE, parts of the names of tests or of their files, or /PATTERN/; `rules` when no path is given.
    #[arg(value_name = "PATH|NAME")]
    targets: Vec<String>,
    /// Whose behaviour counts where a test does not say: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// How results are written.
    #[arg(long, value_enum, default_value = "human")]
    format: Format,
    /// Name the tests instead of running them.
    #[arg(long)]
    list: bool,
    /// Only the tests that failed the last time.
    #[arg(long)]
    failed: bool,
    /// The tests that failed the last time before the others.
    #[arg(long)]
    failed_first: bool,
    /// Stop at the first failure.
    #[arg(long)]
    fail_fast: bool,
    /// In another order each time; a seed gives the order of an earlier run.
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true)]
    shuffle: Option<Option<u64>>,
    /// Show the values of all expressions, also of tests that pass.
    #[arg(long)]
    trace: bool,
    /// Threads; as many as there are cores when not said.
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Write what really came into the expectations and snapshots of the tests that fail.
    #[arg(long, conflicts_with_all = ["list", "fail_fast", "coverage_min", "coverage_out"])]
    update: bool,
    /// Show what `--update` would write, test by test, and ask.
    #[arg(long, conflicts_with_all = ["update", "list", "fail_fast", "coverage_min", "coverage_out"])]
    review: bool,
    /// Run again what a change touches, until Ctrl-C.
    #[arg(long, conflicts_with_all = ["list", "update", "review", "coverage", "coverage_min", "coverage_out", "failed", "shuffle"])]
    watch: bool,
    /// Let fixtures and included files lie outside the project.
    #[arg(long)]
    allow_outside: bool,
    /// Print failures and the last line only.
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    coverage: CoverageArgs,
}

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// JUnit XML, for CI servers.
    Junit,
    /// Workflow commands of GitHub Actions, beside the failures for people.
    Github,
}

/// How one case went, and how long it took.
struct Done {
    result: CaseResult,
    time: Duration,
}

/// Runs the selected tests and prints how they went.
pub fn run(args: TestArgs) -> anyhow::Result<Exit> {
    update::check(&args)?;
    match args.watch {
        // What passes needs no line each time.
        true => watch::run(&TestArgs { quiet: true, ..args }),
        false => once(&args, None, &mut Touched::default()),
    }
}

/// What a run read, for those who want to know when to run again.
#[derive(Default)]
struct Touched {
    /// Of each test file that was read: itself, its fixtures, and the files of its rules.
    by_test: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    /// The test files in which something failed or could not be run.
    failed: BTreeSet<PathBuf>,
    /// The files of rules, connectors and actions that all tests share.
    shared: BTreeSet<PathBuf>,
}

/// Runs them once; `only` these test files, where it says so.
fn once(args: &TestArgs, only: Option<&BTreeSet<PathBuf>>, touched: &mut Touched) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let selection = Selection::of(&args.targets)?;
    let mut found = found(&selection)?;
    if let Some(only) = only {
        found.retain(|found| !found.is_test() || only.contains(&found.path));
    }
    let (read, broken) = read_tests(&found, args, touched)?;
    let mut failures = Failures::read();
    let mut cases = selection.cases(&read, args.emqx);
    let name_profile = cases.iter().any(|case| case.profile != args.emqx);
    if args.failed {
        cases.retain(|case| failures.has(case));
    }
    let seed = args.shuffle.map(|seed| seed.unwrap_or_else(new_seed));
    if let Some(seed) = seed {
        shuffle(&mut cases, seed);
    }
    if args.failed_first {
        cases.sort_by_key(|case| !failures.has(case));
    }
    let mut report = Report::new(args.format, args.quiet, name_profile, started);
    if args.list {
        report.list(&cases)?;
        cases.clear();
    } else if let Some(seed) = seed {
        report.shuffled(seed)?;
    }
    let rules = Rules::load(&cases, &found, &read, args.allow_outside)?;
    touched.add_rules(&cases, &rules);
    let hits = run_cases(&cases, &rules, args, &mut report, &mut failures)?;
    touched.failed.extend(report.failed_files());
    let mut exit = show::exit_of_tests(&broken);
    rules.problems().for_each(|problem| exit = exit.max(show::exit_of(std::slice::from_ref(problem))));
    let problems: Vec<Diagnostic> = broken.into_iter().chain(rules.errors()).collect();
    let nothing = (cases.is_empty() && !report.has_listed())
        .then(|| selection.nothing(&read, args.failed.then_some(&failures)));
    if report.unreadable {
        exit = exit.max(Exit::Usage);
    }
    if nothing.is_some() || report.totals.failed > 0 {
        exit = exit.max(Exit::Failed);
    }
    if let Some(coverage) =
        args.coverage.of(rules.by_profile(), &found, &read, &hits).filter(|_| !cases.is_empty())
    {
        exit = exit.max(report.coverage(&coverage, &args.coverage)?);
    }
    report.end(&problems, nothing.as_deref())?;
    if !args.list
        && let Err(e) = failures.write()
    {
        report.note(&format!("what failed is not remembered: {e}"))?;
    }
    Ok(exit)
}

/// The files that the selection is about; a rule file brings its test file.
fn found(selection: &Selection) -> anyhow::Result<Vec<files::Found>> {
    let mut found = files::find(&selection.to_read())?;
    let beside: Vec<_> = found
        .iter()
        .filter(|f| f.named && !f.is_test())
        .filter_map(|f| files::test_beside(&f.path))
        .collect();
    found.extend(beside);
    found.sort();
    found.dedup_by(|a, b| a.path == b.path);
    Ok(found)
}

impl Touched {
    fn add_rules(&mut self, cases: &[Case<'_>], rules: &Rules) {
        for case in cases {
            let Some(loaded) = rules.get(case.profile) else { continue };
            let own = self.by_test.entry(PathBuf::from(case.file.source.name())).or_default();
            for rule in harness::rules_of(case.file, case.test, loaded) {
                own.insert(PathBuf::from(rule.place.file()));
                own.extend(rule.actions.iter().map(|action| PathBuf::from(action.place.file())));
            }
        }
        for loaded in rules.by_profile().values() {
            let with_connectors = loaded.set.connectors.values().map(|connector| connector.place.file());
            self.shared.extend(with_connectors.map(PathBuf::from));
            // What could not be read may hold anything.
            let broken = loaded.problems.iter().filter_map(|problem| problem.source.as_ref());
            self.shared.extend(broken.map(|source| PathBuf::from(source.name())));
        }
    }
}

/// A test file, or what is wrong with it, and the fixtures that it asked for.
type Parsed = (Result<TestFile, Vec<Diagnostic>>, Vec<PathBuf>);

/// Reads the test files; what is wrong with some does not stop the others.
fn read_tests(
    found: &[files::Found],
    args: &TestArgs,
    touched: &mut Touched,
) -> anyhow::Result<(Vec<TestFile>, Vec<Diagnostic>)> {
    let tests: Vec<&files::Found> = found.iter().filter(|found| found.is_test()).collect();
    let read_one = |at: usize| {
        let found = tests[at];
        let input = files::read(found)?;
        let mut fixtures = Folder::new(&found.path, args.allow_outside);
        let parsed = harness::parse(&input.path, &input.bytes, &mut fixtures);
        anyhow::Ok((parsed, fixtures.used))
    };
    let (mut read, mut broken) = (Vec::new(), Vec::new());
    let take = |at: usize, parsed: anyhow::Result<Parsed>| {
        let (parsed, used) = parsed?;
        let path = &tests[at].path;
        let own = touched.by_test.entry(path.clone()).or_default();
        own.insert(path.clone());
        own.extend(used);
        match parsed {
            Ok(file) => read.push(file),
            Err(problems) => {
                touched.failed.insert(path.clone());
                broken.extend(problems);
            }
        }
        anyhow::Ok(ControlFlow::Continue(()))
    };
    let threads = workers::threads(args.jobs, tests.len());
    workers::ordered(tests.len(), threads, read_one, take, || {})?;
    Ok((read, broken))
}

fn run_cases<'a>(
    cases: &[Case<'a>],
    rules: &Rules,
    args: &TestArgs,
    report: &mut Report<'a>,
    failures: &mut Failures,
) -> anyhow::Result<Hits> {
    let mut hits = Hits::default();
    let mut held = Vec::new();
    let replayed = Replayed::default();
    let run_one = |at: usize| {
        let case = &cases[at];
        let started = Instant::now();
        let new_ctx = |now, seed| args.coverage.watch(Ctx::frozen(now, seed));
        let runner = Runner { new_ctx: &new_ctx, trace: args.trace, keep: false, replayed: Some(&replayed) };
        let loaded = rules.get(case.profile);
        let result = loaded.map(|loaded| runner.run(case.file, case.test, case.profile, loaded));
        result.map(|result| Done { result, time: started.elapsed() })
    };
    let captures = cases.iter().filter_map(|case| case.test.capture.as_ref());
    let progress = report.progress(captures.filter_map(|capture| capture.stream.bytes).sum());
    let take = |at: usize, done: Option<Done>| {
        let Some(mut done) = done else { return Ok(ControlFlow::Continue(())) };
        let case = &cases[at];
        if args.update {
            update_snapshot(case, &mut done.result, args.allow_outside)?;
        }
        let passed = done.result.passed();
        if let (false, Some(loaded)) = (passed, rules.get(case.profile)) {
            done.result.suspicions = suspicions(loaded, &done.result.rules);
        }
        hits.merge(&done.result.hits);
        failures.note(case, passed);
        progress.clear();
        match (args.update || args.review) && !passed {
            true => held.push((*case, done)),
            false => report.case(case, done)?,
        }
        let stop = args.fail_fast && !passed;
        anyhow::Ok(if stop { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    };
    let threads = workers::threads(args.jobs, cases.len());
    let wait = || progress.show(&replayed);
    workers::ordered(cases.len(), threads, run_one, take, wait)?;
    update::run(held, rules, args, report, failures)?;
    Ok(hits)
}

/// The warnings of lints about rules that did not do what was expected: one of them may be why.
fn suspicions(loaded: &Loaded, rules: &[Arc<Rule>]) -> Vec<Diagnostic> {
    let found = rules.iter().flat_map(|rule| lint::of_rule(loaded, rule));
    found.map(|finding| finding.diagnostic).filter(|found| found.severity != Severity::Note).collect()
}

/// Writes what came as the snapshot, which is then right.
fn update_snapshot(case: &Case<'_>, result: &mut CaseResult, allow_outside: bool) -> anyhow::Result<()> {
    let snapshot = case.test.capture.as_ref().and_then(|capture| capture.snapshot.as_ref());
    if let (Some(snapshot), Some(text)) = (snapshot, &result.snapshot) {
        let folder = Folder::new(Path::new(case.file.source.name()), allow_outside);
        folder.write(&snapshot.path, text).map_err(anyhow::Error::msg)?;
        result.differences.retain(|difference| !difference.path.starts_with("snapshot"));
    }
    Ok(())
}

fn new_seed() -> u64 {
    // Short enough to be typed.
    super::world::ctx().next_random() % 1_000_000
}

/// Fisher and Yates.
fn shuffle(cases: &mut [Case<'_>], seed: u64) {
    let mut numbers = Ctx::frozen(0, seed);
    for last in (1..cases.len()).rev() {
        let other = numbers.next_random() % (last as u64 + 1);
        cases.swap(last, usize::try_from(other).unwrap_or(0));
    }
}
