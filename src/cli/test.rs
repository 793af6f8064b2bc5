//! `rulemill test`: runs the tests of rules.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::fixtures::Folder;
use super::includes::Disk;
use super::show::{self, OutputFormat};
use super::{Exit, files};
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, Severity, json as diag_json};
use crate::harness::{self, CaseResult, Test, TestFile, report};
use crate::profile::Profile;
use crate::rule::{self, Input, Loaded};

/// Options of `test`.
#[derive(Args, Debug)]
pub struct TestArgs {
    /// Files, folders, FILE:LINE, or parts of test names; `rules` when no path is given.
    #[arg(value_name = "PATH|NAME")]
    targets: Vec<String>,
    /// Whose behaviour counts where a test does not say: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// How results are written.
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
    /// Name the tests instead of running them.
    #[arg(long)]
    list: bool,
    /// Stop at the first failure.
    #[arg(long)]
    fail_fast: bool,
    /// Write snapshots anew.
    #[arg(long)]
    update: bool,
    /// Let fixtures and included files lie outside the project.
    #[arg(long)]
    allow_outside: bool,
    /// Print failures and the last line only.
    #[arg(short, long)]
    quiet: bool,
}

/// What the command line selects.
#[derive(Default)]
struct Selection {
    paths: Vec<PathBuf>,
    /// `FILE:LINE`.
    lines: Vec<(PathBuf, usize)>,
    /// Parts of names.
    names: Vec<String>,
}

/// A test under one profile.
struct Case<'a> {
    file: &'a TestFile,
    test: &'a Test,
    profile: Profile,
}

/// Everything that came of a run.
struct Run<'a> {
    results: Vec<(&'a Case<'a>, CaseResult)>,
    totals: report::Totals,
    /// Test and rule files that are wrong.
    problems: Vec<Diagnostic>,
    exit: Exit,
}

/// Runs the selected tests and prints how they went.
pub fn run(args: TestArgs) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let selection = select(&args.targets);
    let mut paths = selection.paths.clone();
    paths.extend(selection.lines.iter().map(|(path, _)| path.clone()));
    let found = files::find(&paths)?;
    let (read, broken) = read_tests(&found, args.allow_outside)?;
    let cases = cases(&read, &selection, args.emqx);
    let mut out = anstream::stdout().lock();
    if args.list {
        for case in &cases {
            writeln!(out, "{} {}", report::place(case.file, case.test), case.test.name)?;
        }
    }
    let to_run = if args.list { &[][..] } else { &cases[..] };
    let mut run = run_cases(to_run, &found, &read, &args, &mut out)?;
    run.exit = run.exit.max(show::exit_of_tests(&broken));
    run.problems.splice(0..0, broken);
    if run.totals.failed > 0 || cases.is_empty() {
        run.exit = run.exit.max(Exit::Failed);
    }
    if args.format == OutputFormat::Json {
        let cases = run.results.iter().map(|(case, result)| report::case_json(case.file, case.test, result));
        let document = json!({
            "passed": run.totals.passed, "failed": run.totals.failed, "cases": cases.collect::<Vec<_>>(),
            "problems": run.problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
        });
        writeln!(io::stdout(), "{document:#}")?;
        return Ok(run.exit);
    }
    show::blocks(&mut anstream::stderr().lock(), &run.problems)?;
    let ms = started.elapsed().as_millis();
    match (cases.is_empty(), run.problems.is_empty()) {
        (true, true) => writeln!(out, "{} ({ms} ms)", no_tests(&selection, &read))?,
        (false, _) if !args.list => writeln!(out, "{} ({ms} ms)", run.totals.line())?,
        _ => {}
    }
    Ok(run.exit)
}

/// Reads the test files; what is wrong with some does not stop the others.
fn read_tests(
    found: &[files::Found],
    allow_outside: bool,
) -> anyhow::Result<(Vec<TestFile>, Vec<Diagnostic>)> {
    let mut read = Vec::new();
    let mut broken = Vec::new();
    for found in found.iter().filter(|found| found.is_test()) {
        let input = files::read(found)?;
        match harness::parse(&input.path, &input.bytes, &mut Folder::new(&found.path, allow_outside)) {
            Ok(file) => read.push(file),
            Err(problems) => broken.extend(problems),
        }
    }
    Ok((read, broken))
}

fn run_cases<'a>(
    cases: &'a [Case<'a>],
    found: &[files::Found],
    read: &[TestFile],
    args: &TestArgs,
    out: &mut dyn Write,
) -> anyhow::Result<Run<'a>> {
    let mut rules = Rules { found, allow_outside: args.allow_outside, by_profile: BTreeMap::new() };
    let mut run =
        Run { results: Vec::new(), totals: report::Totals::default(), problems: Vec::new(), exit: Exit::Ok };
    let name_profile = cases.iter().any(|case| case.profile != args.emqx);
    for case in cases {
        let rules = rules.get(case.profile, read)?;
        let new_ctx = |now, seed| Ctx::frozen(now, seed);
        let mut result = harness::run_case(case.file, case.test, case.profile, rules, &new_ctx);
        if args.update {
            update_snapshot(case, &mut result, args.allow_outside)?;
        }
        run.totals.add(result.passed());
        if args.format == OutputFormat::Human {
            write_case(out, case, &result, name_profile, args.quiet)?;
        }
        let stop = args.fail_fast && !result.passed();
        run.results.push((case, result));
        if stop {
            break;
        }
    }
    for loaded in rules.by_profile.values() {
        run.exit = run.exit.max(show::exit_of(&loaded.problems));
        for problem in loaded.problems.iter().filter(|problem| problem.severity == Severity::Error) {
            // The same file was read for each profile; what both say is said once.
            if !run.problems.iter().any(|known| known.to_string() == problem.to_string()) {
                run.problems.push(problem.clone());
            }
        }
    }
    Ok(run)
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

fn no_tests(selection: &Selection, read: &[TestFile]) -> String {
    let tests: usize = read.iter().map(|file| file.tests.len()).sum();
    let mut wanted: Vec<String> = selection.names.iter().map(|name| format!("'{name}'")).collect();
    wanted.extend(selection.lines.iter().map(|(path, line)| format!("{}:{line}", files::shown(path))));
    match (read.len(), wanted.is_empty()) {
        (0, _) => "no test files found".to_owned(),
        (_, true) => "no tests found".to_owned(),
        _ => format!("none of {tests} tests matches {}", wanted.join(", ")),
    }
}

/// Splits targets into paths, lines and names: what exists is a path.
fn select(targets: &[String]) -> Selection {
    let mut selection = Selection::default();
    for target in targets {
        if Path::new(target).exists() {
            selection.paths.push(PathBuf::from(target));
            continue;
        }
        if let Some((path, line)) = target.rsplit_once(':')
            && let Ok(line) = line.parse()
            && Path::new(path).exists()
        {
            selection.lines.push((PathBuf::from(path), line));
            continue;
        }
        // What looks like a path and is not there is a mistake, not a name.
        let like_path =
            target.contains('/') || Path::new(target).extension().is_some_and(|e| e == "yaml" || e == "yml");
        match like_path {
            true => selection.paths.push(PathBuf::from(target)),
            false => selection.names.push(target.clone()),
        }
    }
    selection
}

/// The selected tests under the profiles they are for.
fn cases<'a>(read: &'a [TestFile], selection: &Selection, default: Profile) -> Vec<Case<'a>> {
    let mut cases = Vec::new();
    for file in read {
        for test in &file.tests {
            if selected(file, test, selection) {
                let profiles = test.profiles.clone().unwrap_or_else(|| vec![default]);
                cases.extend(profiles.into_iter().map(|profile| Case { file, test, profile }));
            }
        }
    }
    cases
}

fn selected(file: &TestFile, test: &Test, selection: &Selection) -> bool {
    let named =
        selection.names.is_empty() || selection.names.iter().any(|name| test.name.contains(name.as_str()));
    let in_file = |path: &Path| files::shown(path) == file.source.name();
    let lines: Vec<usize> =
        selection.lines.iter().filter(|(path, _)| in_file(path)).map(|(_, line)| *line).collect();
    // The test that a line belongs to is the last one that begins at or before it.
    let owner =
        |line: usize| file.tests.iter().filter(|t| report::line(file, t) <= line).map(|t| t.span.start).max();
    named && (lines.is_empty() || lines.iter().any(|line| owner(*line) == Some(test.span.start)))
}

fn write_case(
    out: &mut dyn Write,
    case: &Case<'_>,
    result: &CaseResult,
    name_profile: bool,
    quiet: bool,
) -> anyhow::Result<()> {
    if result.passed() {
        if !quiet {
            writeln!(out, "{}", report::case_line(case.file, case.test, result, name_profile))?;
        }
        return Ok(());
    }
    writeln!(out, "{}", report::case_line(case.file, case.test, result, name_profile))?;
    show::blocks(out, &result.problems)?;
    write!(out, "{}", report::failure_block(case.file, case.test, result, "rulemill test"))?;
    writeln!(out)?;
    Ok(())
}

/// The rules that tests run, loaded once for each profile.
struct Rules<'a> {
    found: &'a [files::Found],
    allow_outside: bool,
    by_profile: BTreeMap<Profile, Loaded>,
}

impl Rules<'_> {
    fn get(&mut self, profile: Profile, tests: &[TestFile]) -> anyhow::Result<&Loaded> {
        if !self.by_profile.contains_key(&profile) {
            let loaded = load(self.found, tests, profile, self.allow_outside)?;
            self.by_profile.insert(profile, loaded);
        }
        self.by_profile.get(&profile).ok_or_else(|| anyhow::anyhow!("no rules for EMQX {profile}"))
    }
}

/// Loads the rule files given; when only test files were, those of the same name, and all beside them when these do
/// not have everything.
fn load(
    found: &[files::Found],
    tests: &[TestFile],
    profile: Profile,
    allow_outside: bool,
) -> anyhow::Result<Loaded> {
    let mut includes = Disk::new(allow_outside);
    let mut given: Vec<_> = found.iter().filter(|found| !found.is_test()).cloned().collect();
    if given.is_empty() {
        for file in tests {
            let stem = harness::rule_stem(file.source.name());
            let paths = files::RULE_EXTENSIONS.map(|e| PathBuf::from(format!("{stem}.{e}")));
            let existing = paths.into_iter().filter(|path| path.is_file());
            given.extend(existing.map(|path| files::Found { path, named: false }));
        }
        let loaded = rule::load_with(&inputs(&given)?, profile, &mut includes);
        if !loaded.has_errors() && tests.iter().all(|file| has_rules(file, &loaded)) {
            return Ok(loaded);
        }
        for file in tests {
            let folder = Path::new(file.source.name()).parent().unwrap_or(Path::new(""));
            given.extend(files::rules_beside(folder)?);
        }
        given.sort();
        given.dedup_by(|a, b| files::shown(&a.path) == files::shown(&b.path));
    }
    let mut loaded = rule::load_with(&inputs(&given)?, profile, &mut includes);
    // Other files of these formats may lie beside rules.
    loaded.problems.retain(|problem| problem.code != crate::diag::codes::NO_RULES);
    Ok(loaded)
}

fn has_rules(file: &TestFile, loaded: &Loaded) -> bool {
    let names = file.tests.iter().filter_map(|test| test.rules.as_ref()).flatten();
    names.into_iter().all(|name| loaded.set.rules.contains_key(name.name.as_str()))
}

fn inputs(found: &[files::Found]) -> anyhow::Result<Vec<Input>> {
    found.iter().map(files::read).collect()
}
