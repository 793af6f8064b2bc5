//! `rulemill test`: runs the tests of rules.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use serde_json::json;

use super::fixtures::Folder;
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
    /// Let fixtures lie outside the project.
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

/// Runs the selected tests and prints how they went.
pub fn run(args: TestArgs) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let selection = select(&args.targets);
    let mut paths = selection.paths.clone();
    paths.extend(selection.lines.iter().map(|(path, _)| path.clone()));
    let found = files::find(&paths)?;
    let test_files: Vec<_> = found.iter().filter(|found| found.is_test()).collect();
    let mut out = anstream::stdout().lock();
    let mut err = anstream::stderr().lock();
    let mut broken = Vec::new();
    let mut read = Vec::new();
    for found in &test_files {
        let input = files::read(found)?;
        let mut folder = Folder::new(&found.path, args.allow_outside);
        match harness::parse(&input.path, &input.bytes, &mut folder) {
            Ok(file) => read.push(file),
            Err(problems) => broken.extend(problems),
        }
    }
    let mut exit = show::exit_of_tests(&broken);
    let cases = cases(&read, &selection, args.emqx);
    if args.list {
        for case in &cases {
            writeln!(out, "{} {}", report::place(case.file, case.test), case.test.name)?;
        }
    }
    let mut loaded = Rules { found: &found, by_profile: BTreeMap::new() };
    let mut results = Vec::new();
    let mut totals = report::Totals::default();
    let name_profile = cases.iter().any(|case| case.profile != args.emqx);
    for case in cases.iter().filter(|_| !args.list) {
        let rules = loaded.get(case.profile, &read)?;
        let result =
            harness::run_case(case.file, case.test, case.profile, rules, &|now, seed| Ctx::frozen(now, seed));
        totals.add(result.passed());
        if args.format == OutputFormat::Human {
            write_case(&mut out, case, &result, name_profile, args.quiet)?;
        }
        let stop = args.fail_fast && !result.passed();
        results.push((case, result));
        if stop {
            break;
        }
    }
    let mut problems = broken;
    for loaded in loaded.by_profile.values() {
        exit = exit.max(show::exit_of(&loaded.problems));
        for problem in loaded.problems.iter().filter(|problem| problem.severity == Severity::Error) {
            // The same file was read for each profile; what both say is said once.
            if !problems.iter().any(|known: &Diagnostic| known.to_string() == problem.to_string()) {
                problems.push(problem.clone());
            }
        }
    }
    let nothing = cases.is_empty() && problems.is_empty();
    if totals.failed > 0 || cases.is_empty() {
        exit = exit.max(Exit::Failed);
    }
    match args.format {
        OutputFormat::Json => {
            let document = json!({
                "passed": totals.passed, "failed": totals.failed,
                "cases": results.iter().map(|(c, r)| report::case_json(c.file, c.test, r)).collect::<Vec<_>>(),
                "problems": problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
            });
            writeln!(io::stdout(), "{document:#}")?;
        }
        OutputFormat::Human => {
            show::blocks(&mut err, &problems)?;
            if !args.list && !(cases.is_empty() && !problems.is_empty()) {
                let line = if nothing { no_tests(&selection, &read) } else { totals.line() };
                writeln!(out, "{line} ({} ms)", started.elapsed().as_millis())?;
            }
        }
    }
    Ok(exit)
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
    by_profile: BTreeMap<Profile, Loaded>,
}

impl Rules<'_> {
    fn get(&mut self, profile: Profile, tests: &[TestFile]) -> anyhow::Result<&Loaded> {
        if !self.by_profile.contains_key(&profile) {
            let loaded = load(self.found, tests, profile)?;
            self.by_profile.insert(profile, loaded);
        }
        self.by_profile.get(&profile).ok_or_else(|| anyhow::anyhow!("no rules for EMQX {profile}"))
    }
}

/// Loads the rule files given; when only test files were, those of the same name, and all beside them when these do
/// not have everything.
fn load(found: &[files::Found], tests: &[TestFile], profile: Profile) -> anyhow::Result<Loaded> {
    let mut given: Vec<_> = found.iter().filter(|found| !found.is_test()).cloned().collect();
    if given.is_empty() {
        for file in tests {
            let stem = harness::rule_stem(file.source.name());
            let paths = ["yaml", "yml", "json", "sql"].map(|e| PathBuf::from(format!("{stem}.{e}")));
            let existing = paths.into_iter().filter(|path| path.is_file());
            given.extend(existing.map(|path| files::Found { path, named: false }));
        }
        let loaded = rule::load(&inputs(&given)?, profile);
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
    let mut loaded = rule::load(&inputs(&given)?, profile);
    // Other YAML and JSON files may lie beside rules.
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
