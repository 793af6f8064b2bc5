//! The `rulemill` command: one file a subcommand; the only place that prints and decides exit codes.

mod check;
mod convert;
mod eval;
mod exit;
mod files;
mod fixtures;
#[cfg(feature = "live")]
mod hstream;
mod includes;
pub mod pipe;
#[cfg(feature = "live")]
mod run;
mod show;
mod test;
mod world;

use clap::{Parser, Subcommand};
pub use exit::Exit;

/// Write, test and run EMQX rules without a broker.
#[derive(Parser)]
#[command(name = "rulemill", version, about, propagate_version = true, max_term_width = 110)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Read rule files and say what is wrong with them.
    Check(check::CheckArgs),
    /// Write a rule file as HOCON, JSON or YAML.
    ///
    /// The output says exactly what the file says: it is read again and compared before it is written. Keys keep
    /// their order, and SQL stays readable. Comments are kept, above what they stand above and behind what they
    /// stand behind, but not in JSON, which has none. Includes and substitutions of HOCON and aliases of YAML are
    /// written out.
    Convert(convert::ConvertArgs),
    /// Run the tests of rules.
    Test(test::TestArgs),
    /// Run one statement over JSON messages from a file or standard input.
    Eval(eval::EvalArgs),
    /// Answer JSON requests, one a line, for other programs.
    Pipe(pipe::PipeArgs),
    /// Run rules on live MQTT traffic.
    #[cfg(feature = "live")]
    Run(run::RunArgs),
    /// The HStreamDB stand-in alone, its SQL shell, and its reader.
    #[cfg(feature = "live")]
    Hstream(hstream::HstreamArgs),
}

/// Parses the command line and runs the command.
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            let _ = e.print();
            return if e.use_stderr() { Exit::Usage } else { Exit::Ok };
        }
    };
    let result = match cli.command {
        Command::Check(args) => check::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Test(args) => test::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Pipe(args) => pipe::run(args),
        #[cfg(feature = "live")]
        Command::Run(args) => run::run(args),
        #[cfg(feature = "live")]
        Command::Hstream(args) => hstream::run(args),
    };
    result.unwrap_or_else(|e| exit::report(&e))
}
