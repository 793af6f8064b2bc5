//! The `rulemill` command.

use std::process::ExitCode;

#[cfg(feature = "live")]
fn main() -> anyhow::Result<ExitCode> {
    use clap::{Parser, Subcommand};

    #[derive(Parser)]
    struct Cli {
        #[command(subcommand)]
        command: Command,
    }

    #[derive(Subcommand)]
    enum Command {
        Hstream(rulemill::cli::hstream::HstreamArgs),
    }

    match Cli::parse().command {
        Command::Hstream(args) => rulemill::cli::hstream::run(args),
    }
}

#[cfg(not(feature = "live"))]
fn main() -> ExitCode {
    ExitCode::SUCCESS
}
