//! `rulemill hstream read STREAM`: what is stored, one JSON line a record.
//!
//! Invariant: a line is printed as the server sent it.

use std::io::Write;

use clap::Args;

use super::client::Client;
use super::{Exit, Failure, TargetArgs};
use crate::hstream::store::Start;

#[derive(Debug, Args)]
pub(super) struct ReadArgs {
    /// Name of the stream
    stream: String,
    #[command(flatten)]
    target: TargetArgs,
    /// Where to begin: earliest, latest, or a record id such as 8589934593-0
    #[arg(long, default_value = "earliest", value_parser = start)]
    from: String,
    /// End after so many records
    #[arg(short = 'n', long = "count", value_name = "N")]
    count: Option<u64>,
    /// Go on with what is written from now on
    #[arg(long)]
    follow: bool,
}

fn start(text: &str) -> Result<String, String> {
    text.parse::<Start>().map(|_| text.to_owned())
}

pub(super) async fn run(args: ReadArgs) -> Result<Exit, Failure> {
    let client = Client::new(&args.target)?;
    let count = args.count.map_or(String::new(), |n| format!("&n={n}"));
    let query = format!("from={}&follow={}{count}", args.from, args.follow);
    let mut lines = client.records(&args.stream, &query).await?;
    let mut stdout = std::io::stdout().lock();
    let mut printed = 0;
    let mut interrupt = super::interrupt()?;
    loop {
        let line = tokio::select! {
            line = lines.next() => line?,
            _ = interrupt.recv() => return Ok(Exit::Ok),
        };
        let Some(line) = line else { break };
        if line.starts_with("{\"error\":") {
            return Err(Failure::failed(super::client::message_of(&line)));
        }
        writeln!(stdout, "{line}")?;
        stdout.flush()?;
        printed += 1;
    }
    match args.count {
        Some(count) if args.follow && printed < count => {
            Err(Failure::failed(format!("the server ended after {printed} of {count} records")))
        }
        _ => Ok(Exit::Ok),
    }
}
