//! `rulemill check`: reads rule files, lints them, and repairs what is certain.

mod diff;
mod repair;
mod report;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;

use super::fixtures::Folder;
use super::includes::Disk;
use super::show;
use super::{Exit, files};
use crate::diag::{Diagnostic, Severity, codes};
use crate::document::{Document, Format};
use crate::harness;
use crate::lint::{self, Level, Levels};
use crate::profile::Profile;
use crate::rule::{self, Input};

/// Options of `check`.
#[derive(Args, Debug)]
pub struct CheckArgs {
    /// Files and folders; `rules` when there is none.
    paths: Vec<PathBuf>,
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// How findings are written.
    #[arg(long, value_enum, default_value = "human")]
    format: report::CheckFormat,
    /// Let a lint fail the check: its code or name, `all`, or `warnings` for every warning.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    deny: Vec<String>,
    /// Let a lint warn.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    warn: Vec<String>,
    /// Let a lint say nothing.
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    allow: Vec<String>,
    /// Repair the files where the repair is certain.
    #[arg(long)]
    fix: bool,
    /// With --fix: show what would be repaired, and write nothing.
    #[arg(long, requires = "fix")]
    dry_run: bool,
    /// Print findings only.
    #[arg(short, long)]
    quiet: bool,
}

/// Checks the files and prints what is wrong.
pub fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let levels = levels(&args)?;
    let found = files::find(&args.paths)?;
    let (tests, rules): (Vec<_>, Vec<_>) = found.into_iter().partition(|found| found.is_test());
    if tests.is_empty() && rules.is_empty() {
        bail!("no rule files found");
    }
    let mut files = Files { inputs: Vec::new(), tests: Vec::new(), rules };
    files.inputs = files.rules.iter().map(files::read).collect::<Result<_, _>>()?;
    for found in tests {
        let input = files::read(&found)?;
        files.tests.push((found, input));
    }
    if args.fix {
        let repaired = repair::repair(&files, &levels, args.emqx);
        if args.dry_run {
            return repair::show(&repaired, args.quiet);
        }
        repair::write(&repaired, &mut files, args.format == report::CheckFormat::Human && !args.quiet)?;
    }
    let checked = look(&files, levels, args.emqx);
    let warnings_fail = args.deny.iter().any(|word| word == "warnings");
    let exit = match warnings_fail && checked.count(Severity::Warning) > 0 {
        true => checked.exit.max(Exit::Failed),
        false => checked.exit,
    };
    report::write(&checked, args.format, args.quiet)?;
    Ok(exit)
}

/// What the command line says of levels.
fn levels(args: &CheckArgs) -> anyhow::Result<Levels> {
    let mut levels = Levels::default();
    for (words, level) in [(&args.deny, Level::Deny), (&args.warn, Level::Warn), (&args.allow, Level::Allow)]
    {
        for word in words.iter().filter(|word| level != Level::Deny || *word != "warnings") {
            levels.set(word, level).map_err(anyhow::Error::msg)?;
        }
    }
    Ok(levels)
}

/// The files of one check.
struct Files {
    /// Rule files, as they were found.
    rules: Vec<files::Found>,
    /// Their bytes, in the same order.
    inputs: Vec<Input>,
    tests: Vec<(files::Found, Input)>,
}

/// What a check came to.
struct Checked {
    findings: Vec<Shown>,
    rules: usize,
    files: usize,
    exit: Exit,
}

/// A diagnostic, and what the lint that it comes from adds.
struct Shown {
    diagnostic: Diagnostic,
    /// The repair, when there is one.
    fix: Option<String>,
}

impl Checked {
    fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|shown| shown.diagnostic.severity == severity).count()
    }
}

fn look(files: &Files, mut levels: Levels, profile: Profile) -> Checked {
    let mut loaded = rule::load_with(&files.inputs, profile, &mut Disk::new(false));
    let mut problems = std::mem::take(&mut loaded.problems);
    // Files of other kinds may lie in a folder; only one that was named must be a rule file.
    let named = |problem: &Diagnostic| {
        let file = problem.source.as_ref().map(|source| source.name().to_owned());
        files.rules.iter().any(|found| found.named && Some(found.shown()) == file)
    };
    problems
        .iter_mut()
        .filter(|p| p.code == codes::NO_RULES && !named(p))
        .for_each(|p| p.severity = Severity::Note);
    for rule in loaded.set.rules.values() {
        // Warnings come back as findings of their lints.
        let errors = rule.program.problems().iter().filter(|p| lint::find(p.code).is_none());
        problems.extend(errors.map(|problem| rule.sql.relocated(problem.clone())));
    }
    let mut test_problems = Vec::new();
    let mut documents = Vec::new();
    for (found, input) in &files.tests {
        let mut folder = Folder::new(&found.path, true);
        match harness::parse(&input.path, &input.bytes, &mut folder) {
            Ok(_) => {
                let format = Format::of(&found.path).unwrap_or(Format::Yaml);
                documents.extend(Document::read(&input.path, &input.bytes, format));
            }
            Err(list) => test_problems.extend(list),
        }
    }
    let linted = lint::check(&loaded, &documents, &mut levels);
    levels.apply(&mut problems);
    problems.extend(linted.problems);
    let plain = |diagnostic| Shown { diagnostic, fix: None };
    let mut findings: Vec<Shown> = problems.into_iter().map(plain).collect();
    findings.extend(
        linted
            .findings
            .into_iter()
            .map(|finding| Shown { diagnostic: finding.diagnostic, fix: finding.fix.map(|fix| fix.title) }),
    );
    let exit = show::exit_of(findings.iter().map(|shown| &shown.diagnostic));
    let exit = exit.max(show::exit_of_tests(&test_problems));
    findings.extend(test_problems.into_iter().map(plain));
    let paths = files.inputs.iter().chain(files.tests.iter().map(|(_, input)| input));
    let order: BTreeMap<&str, usize> =
        paths.enumerate().map(|(at, input)| (input.path.as_str(), at)).collect();
    findings.sort_by_cached_key(|shown| rule::order(&shown.diagnostic, &order));
    let rules = loaded.set.rules.len() + loaded.broken.len();
    Checked { findings, rules, files: files.inputs.len(), exit }
}
