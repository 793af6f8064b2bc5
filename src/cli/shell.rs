//! `rulemill completions` and `rulemill man`, from the same description of the command line that parses it.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Exit, files};
use crate::diag::nearest;

/// Options of `completions`.
#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell that reads them.
    shell: Shell,
}

/// Options of `man`.
#[derive(Args, Debug)]
pub(super) struct ManArgs {
    /// A subcommand, and one of its own; the page of rulemill itself when there is none.
    #[arg(conflicts_with = "dir")]
    command: Vec<String>,
    /// Write all pages into this folder.
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// What stands at the foot of the pages.
const SOURCE: &str = concat!("rulemill ", env!("CARGO_PKG_VERSION"));

/// Prints a shell's completion script.
pub(super) fn completions(args: CompletionsArgs, mut command: Command) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "rulemill", &mut script);
    io::stdout().lock().write_all(&script)?;
    Ok(Exit::Ok)
}

/// Prints a manual page, or writes them all.
pub(super) fn man(args: ManArgs, mut command: Command) -> anyhow::Result<Exit> {
    command.build();
    if let Some(dir) = &args.dir {
        let cannot = || format!("cannot write to {}", files::shown(dir));
        fs::create_dir_all(dir).with_context(cannot)?;
        let mut names = Vec::new();
        write_all(&command, "rulemill", &mut |name, page| {
            names.push(name.to_owned());
            fs::write(dir.join(name), page)
        })
        .with_context(cannot)?;
        writeln!(io::stdout(), "{} pages in {}", names.len(), files::shown(dir))?;
        return Ok(Exit::Ok);
    }
    let (mut found, mut name) = (&command, "rulemill".to_owned());
    for word in &args.command {
        let Some(inner) = found.find_subcommand(word) else {
            let known = found.get_subcommands().map(Command::get_name);
            match nearest(word, known) {
                Some(near) => bail!("{name} has no command '{word}'; did you mean '{near}'?"),
                None => bail!("{name} has no command '{word}'; `rulemill --help` lists the commands"),
            }
        };
        (found, name) = (inner, format!("{name}-{}", inner.get_name()));
    }
    io::stdout().lock().write_all(&page(found, &name)?)?;
    Ok(Exit::Ok)
}

/// The page of a command under a name such as `rulemill-test`.
fn page(command: &Command, name: &str) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(name).source(SOURCE).render(&mut page)?;
    Ok(page)
}

fn write_all(
    command: &Command,
    name: &str,
    write: &mut dyn FnMut(&str, Vec<u8>) -> io::Result<()>,
) -> io::Result<()> {
    write(&format!("{name}.1"), page(command, name)?)?;
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
        write_all(inner, &format!("{name}-{}", inner.get_name()), write)?;
    }
    Ok(())
}
