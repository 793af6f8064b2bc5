//! `rulemill hstream`: the HStreamDB stand-in alone, its SQL shell, and its reader.
//!
//! The clients speak REST only, so the shell also works with a real HStreamDB's HTTP server of v0.6.1.
//!
//! Invariant: exit 0 is success, 1 a statement or delivery that failed or took too long, 2 a server that cannot
//! be reached or started.

mod client;
mod read;
mod server;
mod shell;
mod table;

use std::io::Write;
use std::time::Duration;

use super::Exit;

use clap::{Args, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// HStreamDB without HStreamDB: server, SQL shell, reader.
#[derive(Debug, Args)]
pub struct HstreamArgs {
    #[command(subcommand)]
    command: HstreamCommand,
}

#[derive(Debug, Subcommand)]
enum HstreamCommand {
    /// Run the HStreamDB stand-in: streams on disk, REST of v0.6.1, SQL
    Server(server::ServerArgs),
    /// Open the SQL shell, or run one statement
    Sql(shell::SqlArgs),
    /// Print the records of a stream, one JSON line each
    Read(read::ReadArgs),
}

/// Where a client connects.
#[derive(Debug, Args)]
struct TargetArgs {
    /// Host of the server
    #[arg(long, default_value = "127.0.0.1")]
    host: String,
    /// Port of its HTTP server
    #[arg(long, short, default_value_t = crate::hstream::PORT_DEFAULT)]
    port: u16,
}

/// Runs the subcommand.
pub(super) fn run(args: HstreamArgs) -> anyhow::Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(async {
        match args.command {
            HstreamCommand::Server(args) => server::run(args).await,
            HstreamCommand::Sql(args) => shell::run(args).await,
            HstreamCommand::Read(args) => read::run(args).await,
        }
    });
    // A thread that waits for a line of stdin would hold the process.
    runtime.shutdown_background();
    Ok(match outcome {
        Ok(exit) => exit,
        Err(Failure { exit, message }) => {
            if !message.is_empty() {
                let _ = writeln!(std::io::stderr(), "error: {message}");
            }
            exit
        }
    })
}

/// An end that is told on stderr.
#[derive(Debug)]
struct Failure {
    exit: Exit,
    message: String,
}

impl Failure {
    fn failed(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Failed, message: message.into() }
    }

    fn unusable(message: impl Into<String>) -> Failure {
        Failure { exit: Exit::Usage, message: message.into() }
    }
}

impl From<std::io::Error> for Failure {
    /// A reader that has seen enough is no error.
    fn from(error: std::io::Error) -> Failure {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Failure { exit: Exit::Ok, message: String::new() },
            _ => Failure::failed(format!("cannot write: {error}")),
        }
    }
}

/// Ctrl-C, from now on; none is missed between two waits.
fn interrupt() -> Result<Signal, Failure> {
    signal(SignalKind::interrupt())
        .map_err(|error| Failure::failed(format!("cannot wait for signals: {error}")))
}

/// `500ms`, `5s`, `2m`, `1h`; a bare number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor_ms: u64 = match &text[digits.len()..] {
        "ms" => 1,
        "" | "s" => 1000,
        "m" => 60_000,
        "h" => 3_600_000,
        unit => return Err(format!("the unit {unit:?} is none of ms, s, m, h")),
    };
    let number: f64 = digits.parse().map_err(|_| "write it as 500ms, 5s or 2m".to_owned())?;
    let seconds = number * factor_ms as f64 / 1000.0;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_units() {
        let ms = |text| duration(text).map(|d| d.as_millis());
        assert_eq!((ms("500ms"), ms("5s"), ms("1.5m"), ms("2")), (Ok(500), Ok(5000), Ok(90_000), Ok(2000)));
        for bad in ["", "s", "5x", "-1s", "é", "1e400s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }
}
