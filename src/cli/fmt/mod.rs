//! `rulemill fmt`: the SQL of rule files in one style. Nothing else of a file is touched.

mod file;

use std::io::{self, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use similar::TextDiff;

use super::show::{self, count};
use super::{Exit, files};
use crate::diag::Diagnostic;
use crate::profile::Profile;
use crate::rule::Input;
use file::Formatted;

/// Options of `fmt`.
#[derive(Args, Debug)]
pub(super) struct FmtArgs {
    /// Files and folders; `rules` when there is none.
    #[arg(conflicts_with = "stdin")]
    paths: Vec<PathBuf>,
    /// Change nothing; show what would change, and fail when something would.
    #[arg(long)]
    check: bool,
    /// Read standard input and write to standard output.
    #[arg(long)]
    stdin: bool,
    /// The name that standard input would have as a file: it tells YAML, JSON and SQL apart.
    #[arg(long, value_name = "NAME", default_value = "<stdin>.sql", requires = "stdin")]
    stdin_path: PathBuf,
    /// Whose SQL it is: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// Print problems only.
    #[arg(short, long)]
    quiet: bool,
}

/// What came of all files.
#[derive(Default)]
struct Tally {
    formatted: usize,
    unchanged: usize,
    refused: usize,
    problems: Vec<Diagnostic>,
}

/// Formats the files, or standard input.
pub(super) fn run(args: FmtArgs) -> anyhow::Result<Exit> {
    if args.stdin {
        return from_stdin(&args);
    }
    let found = files::find(&args.paths)?;
    let rules: Vec<_> = found.iter().filter(|found| !found.is_test()).collect();
    if rules.is_empty() {
        bail!("no rule files found");
    }
    let mut out = anstream::stdout().lock();
    let mut tally = Tally::default();
    for found in rules {
        let input = files::read(found)?;
        match file::format(&input, args.emqx) {
            Formatted::NoSql if found.named => bail!("{} holds no SQL of a rule", input.path),
            Formatted::NoSql => {}
            Formatted::Same => tally.unchanged += 1,
            Formatted::Changed(bytes) => {
                tally.formatted += 1;
                if args.check {
                    write_diff(&mut out, &input, &bytes)?;
                } else {
                    files::replace(&found.path, &bytes)?;
                    if !args.quiet {
                        writeln!(out, "formatted {}", input.path)?;
                    }
                }
            }
            Formatted::Wrong(problems) => {
                tally.refused += 1;
                tally.problems.extend(problems);
            }
        }
    }
    show::blocks(&mut anstream::stderr().lock(), &tally.problems)?;
    if !args.quiet {
        writeln!(out, "{}", tally.line(args.check))?;
    }
    let exit = show::exit_of(&tally.problems);
    Ok(if args.check && tally.formatted > 0 { exit.max(Exit::Failed) } else { exit })
}

impl Tally {
    fn line(&self, check: bool) -> String {
        let verb = if check { "would be formatted" } else { "formatted" };
        let parts = [(self.formatted, verb), (self.unchanged, "unchanged"), (self.refused, "wrong")];
        let parts: Vec<String> =
            parts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let files = self.formatted + self.unchanged + self.refused;
        let parts = if parts.is_empty() { "nothing to format".to_owned() } else { parts.join(", ") };
        format!("{}: {parts}", count(files, "file"))
    }
}

fn from_stdin(args: &FmtArgs) -> anyhow::Result<Exit> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
    let input = Input { path: files::shown(&args.stdin_path), bytes };
    let formatted = match file::format(&input, args.emqx) {
        Formatted::Changed(bytes) => bytes,
        Formatted::Same | Formatted::NoSql => input.bytes.clone(),
        Formatted::Wrong(problems) => {
            show::blocks(&mut anstream::stderr().lock(), &problems)?;
            return Ok(show::exit_of(&problems));
        }
    };
    if !args.check {
        io::stdout().lock().write_all(&formatted)?;
    } else if formatted != input.bytes {
        write_diff(&mut anstream::stdout().lock(), &input, &formatted)?;
        return Ok(Exit::Failed);
    }
    Ok(Exit::Ok)
}

/// What would change, as patch programs read it.
fn write_diff(out: &mut dyn Write, input: &Input, formatted: &[u8]) -> io::Result<()> {
    let (before, after) = (String::from_utf8_lossy(&input.bytes), String::from_utf8_lossy(formatted));
    let diff = TextDiff::from_lines(&*before, &*after);
    let path = &input.path;
    write!(out, "{}", diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")))
}
