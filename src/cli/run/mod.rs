//! `rulemill run`: rules on live MQTT traffic.
//!
//! ```text
//! embedded broker or --broker ── Dispatcher (rules) ── webhooks, HStreamDB, topics, console
//! ```
//!
//! Invariant: once the ready file is there, everything listens; the exit code is 0 only when every delivery that
//! began was done.

mod filters;
mod input;
mod live;
mod plan;
mod sinks;
mod standin;

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Exit, logging};
use crate::profile::Profile;
use crate::source::Version;

/// Options of `run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// Files and folders with rules; `rules` when there is none.
    paths: Vec<PathBuf>,
    /// Let files that rule files include lie outside the project.
    #[arg(long)]
    allow_outside: bool,
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// Address to listen on.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    bind: IpAddr,
    /// Port of MQTT over TCP; 0 picks a free one.
    #[arg(long, default_value_t = 1883, value_name = "PORT")]
    mqtt_port: u16,
    /// Port of MQTT over WebSocket, at the path /mqtt; 0 picks a free one.
    #[arg(long, default_value_t = 8083, value_name = "PORT")]
    ws_port: u16,
    /// Port of the HStreamDB stand-in's REST; 0 picks a free one.
    #[arg(long, default_value_t = crate::hstream::PORT_DEFAULT, value_name = "PORT")]
    hstream_port: u16,
    /// Start no HStreamDB stand-in, and take all connector URLs as they are written.
    #[arg(long, conflicts_with_all = ["hstream_port", "no_create_streams"])]
    no_hstream: bool,
    /// Do not create the streams that actions write to in the stand-in.
    #[arg(long)]
    no_create_streams: bool,
    /// File with user:password lines; only these users may connect.
    #[arg(long, value_name = "FILE")]
    users: Option<PathBuf>,
    /// Let everybody connect, also beyond this machine.
    #[arg(long, conflicts_with = "users")]
    allow_anonymous: bool,
    /// Take messages from this broker instead of running one: mqtt://HOST:PORT, with USER:PASSWORD@ in front of the host where needed.
    #[arg(long, value_name = "URL", conflicts_with_all = ["mqtt_port", "ws_port", "users"])]
    broker: Option<String>,
    /// Version of MQTT to speak with --broker: 3.1.1 or 5.
    #[arg(long, default_value = "5", value_name = "VERSION", requires = "broker")]
    mqtt_version: Version,
    /// Topic filter to subscribe to at --broker, instead of those of the rules; may be given again.
    #[arg(long, value_name = "FILTER", requires = "broker")]
    topic: Vec<String>,
    /// Client id at --broker; it must stay the same, so that the broker keeps messages for us.
    #[arg(long, value_name = "ID", requires = "broker")]
    client_id: Option<String>,
    /// Folder for all state.
    #[arg(long, default_value = ".rulemill", value_name = "FOLDER")]
    data_dir: PathBuf,
    /// File that gets {"mqtt":"127.0.0.1:PORT",…} once all listens.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Leave out actions of types that rulemill does not deliver, instead of refusing to start.
    #[arg(long)]
    skip_unsupported_actions: bool,
    /// Seconds to finish deliveries in, after Ctrl-C or SIGTERM.
    #[arg(long, default_value = "30", value_name = "SECONDS", value_parser = seconds)]
    drain_timeout: Duration,
    /// Log warnings and errors only.
    #[arg(short, long)]
    quiet: bool,
    /// How the log is written.
    #[arg(long, value_enum, default_value = "text")]
    log_format: LogFormat,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: u64 =
        text.strip_suffix('s').unwrap_or(text).parse().map_err(|_| "write a number of seconds")?;
    Ok(Duration::from_secs(seconds))
}

/// Runs rules until told to stop.
pub fn run(args: RunArgs) -> anyhow::Result<Exit> {
    let plan = match plan::read(&args)? {
        Ok(plan) => plan,
        Err(exit) => return Ok(exit),
    };
    logging::start(args.quiet, args.log_format == LogFormat::Json);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(live::run(&args, plan));
    // Nothing that still waits may hold the process.
    runtime.shutdown_background();
    exit
}
