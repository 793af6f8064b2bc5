//! The `rulemill` command: one file a subcommand; the only place that prints and decides exit codes.

mod bench;
#[cfg(feature = "live")]
mod brokers;
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
#[cfg(feature = "live")]
mod logging;
pub mod pipe;
#[cfg(feature = "live")]
mod progress;
#[cfg(feature = "live")]
mod ready;
#[cfg(feature = "live")]
mod record;
#[cfg(feature = "live")]
mod replay;
#[cfg(feature = "live")]
mod run;
mod schema;
mod shell;
mod show;
#[cfg(feature = "live")]
mod stop;
mod test;
mod world;

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
pub use exit::Exit;

/// Write, test and run EMQX rules without a broker.
#[derive(Parser)]
#[command(name = "rulemill", version, about, propagate_version = true, max_term_width = 110)]
struct Cli {
    /// When to write in colours.
    #[arg(long, global = true, value_enum, default_value = "auto", value_name = "WHEN", display_order = 900)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

/// When colours are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Color {
    /// To a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Every stream that `anstream` writes asks this.
    fn set(self) {
        match self {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
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
    /// Write live messages into a fixture.
    #[cfg(feature = "live")]
    Record(record::RecordArgs),
    /// Publish the messages of fixtures.
    #[cfg(feature = "live")]
    Replay(replay::ReplayArgs),
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
    cli.color.set();
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
        Command::Record(args) => record::run(args),
        #[cfg(feature = "live")]
        Command::Replay(args) => replay::run(args),
        #[cfg(feature = "live")]
        Command::Hstream(args) => hstream::run(args),
    };
    result.unwrap_or_else(|e| exit::report(&e))
}
