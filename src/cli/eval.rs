//! `rulemill eval`: one statement over messages, like jq.

use std::io::{self, BufRead, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::{Exit, world};
use crate::eval::{self, Verdict};
use crate::event::Message;
use crate::profile::Profile;
use crate::program::Program;
use crate::text::Source;
use crate::value::Bytes;

/// Options of `eval`.
#[derive(Args)]
pub(super) struct EvalArgs {
    /// The statement.
    sql: String,
    /// Files with one payload each; standard input with one payload a line when there is none.
    files: Vec<PathBuf>,
    /// Topic of the messages.
    #[arg(long, default_value = "t/1")]
    topic: String,
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
}

/// Prints each output as a line of JSON.
#[expect(clippy::print_stderr, reason = "diagnostics of the command line")]
pub(super) fn run(args: EvalArgs) -> anyhow::Result<Exit> {
    let program = match Program::compile(&Source::new("<sql>", args.sql.as_str()), args.emqx) {
        Ok(program) => program,
        Err(problems) => {
            problems.iter().for_each(|problem| eprintln!("{problem}"));
            return Ok(Exit::Compile);
        }
    };
    let mut payloads: Vec<Bytes> = Vec::new();
    for file in &args.files {
        let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
        payloads.push(bytes.into());
    }
    if args.files.is_empty() {
        for line in io::stdin().lock().split(b'\n') {
            payloads.push(line.context("cannot read standard input")?.into());
        }
    }
    let mut ctx = world::ctx();
    let mut out = io::stdout().lock();
    let mut exit = Exit::Ok;
    for payload in payloads {
        let columns = Message::new(args.topic.as_str(), payload).columns(args.emqx);
        match eval::run(&program, &columns, &mut ctx) {
            Ok(Verdict::NoMatch) => {}
            Ok(Verdict::Outputs(outputs)) => {
                for at in 0..outputs.len() {
                    let mut line = Vec::new();
                    outputs.write_json(at, &mut line).context("an output has no JSON")?;
                    line.push(b'\n');
                    out.write_all(&line)?;
                }
            }
            Err(e) => {
                eprintln!("{}", e.diagnostic);
                exit = Exit::Failed;
            }
        }
    }
    Ok(exit)
}
