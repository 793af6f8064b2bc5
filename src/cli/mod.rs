//! The `rulemill` command: one file a subcommand; the only place that prints and decides exit codes.

mod bench;
mod check;
mod convert;
mod coverage;
mod eval;
mod exit;
mod explain;
mod files;
mod fixtures;
mod fmt;
mod functions;
#[cfg(feature = "live")]
mod hstream;
mod includes;
mod init;
pub mod pipe;
#[cfg(feature = "live")]
mod run;
mod schema;
mod shell;
mod show;
mod test;
mod world;

use clap::{CommandFactory, Parser, Subcommand};
pub use exit::Exit;

/// Write, test and run EMQX rules without a broker.
#[derive(Parser)]
#[command(name = "rulemill", version, about, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// Colours: always, never, or where a terminal shows the text and NO_COLOR is not set.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value = "auto",
        value_name = "WHEN",
        hide_possible_values = true
    )]
    color: show::Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Make a folder to start from: a rule, its test, a fixture, a CI workflow.
    Init(init::InitArgs),
    /// Read rule files and say what is wrong with them.
    Check(check::CheckArgs),
    /// Explain a code of a finding, or list all.
    Explain(explain::ExplainArgs),
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
    /// Write the SQL of rules in one style.
    Fmt(fmt::FmtArgs),
    /// Measure how long a rule takes for a message.
    Bench(bench::BenchArgs),
    /// Say what the builtin functions of rule SQL do.
    Fn(functions::FnArgs),
    /// Print the JSON Schema of rule or test files, for editors.
    Schema(schema::SchemaArgs),
    /// Print a shell's completion script.
    Completions(shell::CompletionsArgs),
    /// Print a manual page.
    Man(shell::ManArgs),
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
    cli.color.apply();
    let result = match cli.command {
        Command::Init(args) => init::run(args),
        Command::Check(args) => check::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Test(args) => test::run(args),
        Command::Eval(args) => eval::run(args),
        Command::Fmt(args) => fmt::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Fn(args) => functions::run(args),
        Command::Schema(args) => schema::run(args),
        Command::Completions(args) => shell::completions(args, Cli::command()),
        Command::Man(args) => shell::man(args, Cli::command()),
        Command::Pipe(args) => pipe::run(args),
        #[cfg(feature = "live")]
        Command::Run(args) => run::run(args),
        #[cfg(feature = "live")]
        Command::Hstream(args) => hstream::run(args),
    };
    result.unwrap_or_else(|e| exit::report(&e))
}
