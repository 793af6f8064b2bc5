//! `rulemill replay`: the messages of captures are published again, at their pace or faster.
//!
//! Invariant: the exit code is 0 only when the broker acknowledged every message of QoS 1 and 2, and every one of QoS 0
//! was sent.

use std::fs;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use clap::Args;

use super::progress::Progress;
use super::stop::Stop;
use super::{Exit, brokers, files, logging};
use crate::delivery::{Publish, Receipt, Ticket};
use crate::event::Message;
use crate::harness::{Lines, Stream};
use crate::source::{Intake, Options, Outbox, Source, Version};
use crate::text::Span;

/// How often a message is tried again after a lost connection.
const ATTEMPTS_MAX: u32 = 5;
/// Bytes of a capture that are read at once.
const READ_BYTES: usize = 256 * 1024;

/// Options of `replay`.
#[derive(Args, Debug)]
pub struct ReplayArgs {
    /// Captures: one message a line, as `rulemill record` writes them.
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The broker to publish to.
    #[arg(long, default_value = "mqtt://127.0.0.1:1883", value_name = "URL")]
    broker: String,
    /// Version of MQTT to speak: 3.1.1 or 5. Properties are MQTT 5's.
    #[arg(long, default_value = "5", value_name = "VERSION")]
    mqtt_version: Version,
    /// So many times as fast as recorded.
    #[arg(long, default_value = "1", value_name = "FACTOR", value_parser = speed, conflicts_with = "flat_out")]
    speed: f64,
    /// One after the other without waiting.
    #[arg(long)]
    flat_out: bool,
    /// Publish all of it so many times.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    times: u32,
    /// Give up when a message has waited so many seconds for the broker.
    #[arg(long, default_value_t = 30, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    timeout: u64,
    /// Say nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

fn speed(text: &str) -> Result<f64, String> {
    let factor = text.strip_suffix('x').unwrap_or(text).parse::<f64>().ok();
    let factor = factor.filter(|factor| factor.is_finite() && *factor > 0.0);
    factor.ok_or_else(|| "write a number above 0, such as 10 or 0.5".to_owned())
}

/// Whoever only publishes gets no messages.
struct Nothing;

#[async_trait]
impl Intake for Nothing {
    async fn take(&self, _: Message) -> Receipt {
        let (ticket, receipt) = Ticket::new();
        ticket.settle();
        receipt
    }
}

/// Publishes all messages of the files.
pub fn run(args: ReplayArgs) -> anyhow::Result<Exit> {
    logging::start(args.quiet, false);
    let captures = args.files.iter().map(|path| Capture::open(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let exit = runtime.block_on(replay(&args, &captures));
    runtime.shutdown_background();
    exit
}

/// A file of messages.
struct Capture {
    name: String,
    stream: Stream,
}

impl Capture {
    fn open(path: &Path) -> anyhow::Result<Capture> {
        let name = files::shown(path);
        let meta = fs::metadata(path).with_context(|| format!("cannot read {name}"))?;
        if meta.is_dir() {
            bail!("{name} is a folder; name its captures");
        }
        let path = path.to_owned();
        let open = move || -> std::io::Result<Box<dyn std::io::BufRead>> {
            Ok(Box::new(BufReader::with_capacity(READ_BYTES, fs::File::open(&path)?)))
        };
        Ok(Capture { name, stream: Stream::new(open) })
    }

    fn lines(&self) -> anyhow::Result<Lines<'_>> {
        Lines::open(&self.name, Span::new(0, 0), &self.stream)
            .map_err(|problem| anyhow!("{}", problem.message))
    }
}

/// When messages are due.
struct Pace {
    /// None: at once.
    speed: Option<f64>,
    started: Instant,
    first_ns: Option<i128>,
}

impl Pace {
    /// How long to wait for a message of this time. What has no time, or an earlier one, is due at once.
    fn wait(&mut self, at_ns: Option<i128>) -> Duration {
        let (Some(speed), Some(at_ns)) = (self.speed, at_ns) else { return Duration::ZERO };
        let first = *self.first_ns.get_or_insert(at_ns);
        let after = (at_ns - first).max(0) as f64 / 1e9 / speed;
        let due = Duration::try_from_secs_f64(after).unwrap_or(Duration::MAX);
        due.saturating_sub(self.started.elapsed())
    }
}

async fn replay(args: &ReplayArgs, captures: &[Capture]) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let url = brokers::url(&args.broker)?;
    let shown = url.shown();
    let clientid = brokers::client_id("replay");
    let options =
        Options { url, version: args.mqtt_version, clientid, filters: Vec::new(), keeps_session: false };
    let outbox = Source::outbox();
    let connected = Source::connect(options, outbox.clone(), Arc::new(Nothing)).await;
    let mut source = connected.map_err(|why| anyhow!("{why}"))?;
    let mut player = Player { args, outbox, progress: Progress::new(args.quiet), published: 0 };
    let played = tokio::select! {
        played = player.play(captures) => played,
        () = stop.wait() => Err(Stopped::Asked),
    };
    player.progress.clear();
    source.stop_taking().await;
    source.finish(&player.outbox, Instant::now() + Duration::from_secs(1)).await;
    player.report(&shown, played)
}

/// Why not all was published.
enum Stopped {
    /// A signal came.
    Asked,
    /// The broker did not take a message.
    Refused(String),
    /// A line of a capture is none.
    Broken(anyhow::Error),
}

struct Player<'a> {
    args: &'a ReplayArgs,
    outbox: Outbox,
    progress: Progress,
    published: u64,
}

impl Player<'_> {
    async fn play(&mut self, captures: &[Capture]) -> Result<(), Stopped> {
        for _ in 0..self.args.times {
            let speed = (!self.args.flat_out).then_some(self.args.speed);
            let mut pace = Pace { speed, started: Instant::now(), first_ns: None };
            for capture in captures {
                for line in capture.lines().map_err(Stopped::Broken)? {
                    let line = line.map_err(|problem| Stopped::Broken(anyhow!("{}", problem.message)))?;
                    let wait = pace.wait(line.at_ns);
                    if !wait.is_zero() {
                        self.progress.show(self.published, "published");
                        tokio::time::sleep(wait).await;
                    }
                    self.publish(line.given.message).await.map_err(|why| {
                        Stopped::Refused(format!("line {} of {}: {why}", line.number, capture.name))
                    })?;
                    self.published += 1;
                    self.progress.show(self.published, "published");
                }
            }
        }
        Ok(())
    }

    /// Publishes a message until the broker has it.
    async fn publish(&self, message: Message) -> Result<(), String> {
        let timeout = Duration::from_secs(self.args.timeout);
        let mut last = String::new();
        for _ in 0..ATTEMPTS_MAX {
            match tokio::time::timeout(timeout, self.outbox.publish(message.clone())).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(why)) if why.starts_with("the broker refused") => return Err(why),
                Ok(Err(why)) => last = why,
                Err(_) => return Err(format!("no answer in {}s", timeout.as_secs())),
            }
        }
        Err(last)
    }

    fn report(&self, broker: &str, played: Result<(), Stopped>) -> anyhow::Result<Exit> {
        let seconds = self.progress.elapsed().as_secs_f64();
        let rate = self.published as f64 / seconds.max(1e-9);
        let noun = if self.published == 1 { "message" } else { "messages" };
        let said = format!("{} {noun} published to {broker} in {seconds:.1}s, {rate:.0}/s", self.published);
        let mut out = anstream::stderr().lock();
        if !self.args.quiet {
            // Nobody may be reading.
            let _ = writeln!(out, "{said}");
        }
        match played {
            Ok(()) => Ok(Exit::Ok),
            Err(Stopped::Asked) => {
                let _ = writeln!(out, "error: stopped before all was published");
                Ok(Exit::Failed)
            }
            Err(Stopped::Refused(why)) => {
                let _ = writeln!(out, "error: {why}");
                Ok(Exit::Failed)
            }
            Err(Stopped::Broken(e)) => Err(e),
        }
    }
}
