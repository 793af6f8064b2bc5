//! `rulemill check`: reads rule files and says what is wrong with them.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::fixtures::Folder;
use super::includes::Disk;
use super::show::{self, OutputFormat, count};
use super::{Exit, files};
use crate::diag::{Diagnostic, Severity, codes, json as diag_json};
use crate::harness;
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
    format: OutputFormat,
    /// Let warnings fail the command.
    #[arg(long)]
    deny_warnings: bool,
    /// Let included files lie outside the project.
    #[arg(long)]
    allow_outside: bool,
    /// Print findings only.
    #[arg(short, long)]
    quiet: bool,
}

/// Checks the files and prints what is wrong.
pub fn run(args: CheckArgs) -> anyhow::Result<Exit> {
    let found = files::find(&args.paths)?;
    let (tests, rules): (Vec<_>, Vec<_>) = found.iter().partition(|found| found.is_test());
    let inputs: Vec<Input> = rules.iter().map(|found| files::read(found)).collect::<Result<_, _>>()?;
    let mut includes = Disk::new(args.allow_outside);
    let mut loaded = rule::load_with(&inputs, args.emqx, &mut includes);
    let mut problems = std::mem::take(&mut loaded.problems);
    // Files of other kinds may lie in a folder; only one that was named must be a rule file.
    let named = |problem: &Diagnostic| {
        let file = problem.source.as_ref().map(|source| source.name().to_owned());
        rules.iter().any(|found| found.named && Some(found.shown()) == file)
    };
    problems
        .iter_mut()
        .filter(|p| p.code == codes::NO_RULES && !named(p))
        .for_each(|p| p.severity = Severity::Note);
    for rule in loaded.set.rules.values() {
        problems.extend(rule.program.problems().iter().map(|problem| rule.sql.relocated(problem.clone())));
    }
    rule::sort(&mut problems, &inputs);
    let mut exit = show::exit_of(&problems);
    for found in &tests {
        let input = files::read(found)?;
        let mut folder = Folder::new(&found.path, true);
        if let Err(list) = harness::parse(&input.path, &input.bytes, &mut folder) {
            exit = exit.max(show::exit_of_tests(&list));
            problems.extend(list);
        }
    }
    if inputs.is_empty() && tests.is_empty() {
        anyhow::bail!("no rule files found");
    }
    let errors = problems.iter().filter(|p| p.severity == Severity::Error).count();
    let warnings = problems.iter().filter(|p| p.severity == Severity::Warning).count();
    if args.deny_warnings && warnings > 0 {
        exit = exit.max(Exit::Failed);
    }
    let rules = loaded.set.rules.len() + loaded.broken.len();
    match args.format {
        OutputFormat::Json => {
            let document = json!({
                "rules": rules, "files": inputs.len(), "errors": errors, "warnings": warnings,
                "diagnostics": problems.iter().map(diag_json::to_json).collect::<Vec<_>>(),
            });
            writeln!(io::stdout(), "{document:#}")?;
        }
        OutputFormat::Human => {
            let mut out = anstream::stdout().lock();
            show::blocks(&mut out, &problems)?;
            if !args.quiet {
                let verdict = match (errors, warnings) {
                    (0, 0) => "no problems".to_owned(),
                    (0, _) => count(warnings, "warning"),
                    (_, 0) => count(errors, "error"),
                    _ => format!("{}, {}", count(errors, "error"), count(warnings, "warning")),
                };
                writeln!(out, "{} in {}: {verdict}", count(rules, "rule"), count(inputs.len(), "file"))?;
            }
        }
    }
    Ok(exit)
}
