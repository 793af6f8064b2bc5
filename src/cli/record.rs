//! `rulemill record`: live messages become fixtures, one a line.
//!
//! ```text
//! embedded broker or --broker ── channel ── redaction ── file, or the sample of --unique
//! ```
//!
//! Invariant: whatever ends it, the file holds whole lines, and all of the messages that were counted.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use clap::Args;
use tokio::sync::mpsc;

use super::includes::Disk;
use super::progress::Progress;
use super::show::{self, count};
use super::stop::Stop;
use super::{Exit, brokers, files, logging, ready, world};
use crate::broker::{Broker, Config, Events};
use crate::delivery::mask::is_secret;
use crate::delivery::{Receipt, Ticket};
use crate::diag::Severity;
use crate::event::Message;
use crate::harness::coverage::Sample;
use crate::harness::line;
use crate::harness::redact::Redaction;
use crate::limits;
use crate::profile::Profile;
use crate::rule::{self, Input};
use crate::source::{Intake, Options, Source, Version};
use crate::topic;

/// How long the embedded broker stays after the last message: its publisher's acknowledgement, and the second half of
/// QoS 2, are still on their way.
const LINGER: Duration = Duration::from_millis(300);

/// Options of `record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// Record from this broker: mqtt://HOST:PORT; without it, what is published to the embedded one.
    #[arg(long, value_name = "URL")]
    broker: Option<String>,
    /// Version of MQTT to speak with --broker: 3.1.1 or 5.
    #[arg(long, default_value = "5", value_name = "VERSION", requires = "broker")]
    mqtt_version: Version,
    /// Client id at --broker; a new one each time when not said.
    #[arg(long, value_name = "ID", requires = "broker")]
    client_id: Option<String>,
    /// Topic filter; may be given again.
    #[arg(long, default_value = "#", value_name = "FILTER")]
    topic: Vec<String>,
    /// Stop after so many messages.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Stop after this time: 30s, 5m.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    time: Option<Duration>,
    /// File to write; standard output when not said.
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long, requires = "out", conflicts_with = "append")]
    force: bool,
    /// Write at the end of a file that is there.
    #[arg(long, requires = "out")]
    append: bool,
    /// Take a value out: payload.user.mail, clientid, user_properties.KEY; `*` is every key and item. Equal values get
    /// the same name, or all of them TEXT with PATH=TEXT. May be given again.
    #[arg(long, value_name = "PATH")]
    redact: Vec<String>,
    /// Do not mask strings whose key is that of a secret, such as password and token.
    #[arg(long)]
    keep_secrets: bool,
    /// Keep the fewest messages that go all ways through the rules that the recorded ones go.
    #[arg(long)]
    unique: bool,
    /// Rule files and folders for --unique; `rules` when not said.
    #[arg(long, value_name = "PATH", requires = "unique")]
    rules: Vec<PathBuf>,
    /// Whose behaviour counts for --unique: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION", requires = "unique")]
    emqx: Profile,
    /// Address of the embedded broker.
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_name = "ADDRESS")]
    bind: IpAddr,
    /// Its port of MQTT over TCP; 0 picks a free one.
    #[arg(long, default_value_t = 1883, value_name = "PORT", conflicts_with = "broker")]
    mqtt_port: u16,
    /// Its port of MQTT over WebSocket, at the path /mqtt; 0 picks a free one.
    #[arg(long, default_value_t = 8083, value_name = "PORT", conflicts_with = "broker")]
    ws_port: u16,
    /// File with user:password lines; only these users may connect to it.
    #[arg(long, value_name = "FILE", conflicts_with = "broker")]
    users: Option<PathBuf>,
    /// Let everybody connect to it, also beyond this machine.
    #[arg(long, conflicts_with = "users")]
    allow_anonymous: bool,
    /// File that gets {"mqtt":"127.0.0.1:PORT",…} once messages are recorded.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Say nothing but errors.
    #[arg(short, long)]
    quiet: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    let ms = rule::units::duration_ms(text).filter(|ms| *ms > 0);
    ms.map(Duration::from_millis).ok_or_else(|| "write a duration such as 30s or 5m".to_owned())
}

/// A message with what says that it is written down.
struct Arrived {
    message: Message,
    /// Is its publisher known?
    named: bool,
    ticket: Option<Ticket>,
}

/// Takes messages from either broker.
struct Taker {
    filters: Vec<String>,
    arrived: mpsc::Sender<Arrived>,
}

#[async_trait]
impl Events for Taker {
    async fn published(&self, message: Message) {
        let wanted = |filter: &String| topic::matches(message.topic.as_bytes(), filter.as_bytes());
        if self.filters.iter().any(wanted) {
            let (ticket, receipt) = Ticket::new();
            let arrived = Arrived { message, named: true, ticket: Some(ticket) };
            if self.arrived.send(arrived).await.is_ok() {
                // The publisher's acknowledgement says that its message is written down.
                receipt.settled().await;
            }
        }
    }
}

#[async_trait]
impl Intake for Taker {
    async fn take(&self, message: Message) -> Receipt {
        let (ticket, receipt) = Ticket::new();
        // Whoever writes has ended: what is not written down stays unacknowledged.
        let _ = self.arrived.send(Arrived { message, named: false, ticket: Some(ticket) }).await;
        receipt
    }
}

/// Where messages come from.
enum From {
    Embedded(Broker),
    Elsewhere(Source, crate::source::Outbox),
}

/// Records until it is enough.
pub fn run(args: RecordArgs) -> anyhow::Result<Exit> {
    let redaction =
        Redaction::new(&args.redact, args.keep_secrets).map_err(|why| anyhow!("--redact: {why}"))?;
    brokers::check_filters(&args.topic)?;
    let sample = match args.unique {
        true => match sample(&args)? {
            Ok(sample) => Some(sample),
            Err(exit) => return Ok(exit),
        },
        false => None,
    };
    logging::start(args.quiet, false);
    let writer = Writer { out: open(&args)?, redaction, sample, recorded: 0 };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(record(&args, writer));
    runtime.shutdown_background();
    ended
}

fn open(args: &RecordArgs) -> anyhow::Result<Box<dyn Write + Send>> {
    let Some(path) = &args.out else { return Ok(Box::new(io::stdout())) };
    let shown = files::shown(path);
    let mut options = fs::OpenOptions::new();
    match (args.force, args.append) {
        (true, _) => options.write(true).create(true).truncate(true),
        (_, true) => options.append(true).create(true),
        _ => options.write(true).create_new(true),
    };
    let file: File = options.open(path).map_err(|e| match e.kind() {
        io::ErrorKind::AlreadyExists => {
            anyhow!("{shown} is there already; --append writes at its end, --force over it")
        }
        _ => anyhow::Error::from(e).context(format!("cannot write {shown}")),
    })?;
    Ok(Box::new(BufWriter::new(file)))
}

/// The rules that --unique looks at; what is wrong with them is said.
fn sample(args: &RecordArgs) -> anyhow::Result<Result<Sample<String>, Exit>> {
    let found: Vec<_> = files::find(&args.rules)?.into_iter().filter(|found| !found.is_test()).collect();
    let inputs: Vec<Input> = found.iter().map(files::read).collect::<Result<_, _>>()?;
    let loaded = rule::load_with(&inputs, args.emqx, &mut Disk::new(false));
    let errors: Vec<_> = loaded.problems.iter().filter(|p| p.severity == Severity::Error).cloned().collect();
    if !errors.is_empty() && loaded.has_errors() {
        show::blocks(&mut anstream::stderr().lock(), &errors)?;
        return Ok(Err(show::exit_of(&errors)));
    }
    let rules: Vec<_> = loaded.set.rules.values().filter(|rule| rule.enabled).cloned().collect();
    if rules.is_empty() {
        bail!("there are no rules to be unique for; name them with --rules");
    }
    Ok(Ok(Sample::new(rules, args.emqx, world::ctx())))
}

/// What is done with messages.
struct Writer {
    out: Box<dyn Write + Send>,
    redaction: Redaction,
    sample: Option<Sample<String>>,
    recorded: u64,
}

impl Writer {
    /// Writes a message down, or looks whether it is needed.
    fn take(&mut self, mut message: Message, named: bool) -> io::Result<()> {
        self.recorded += 1;
        let at_ms = message.publish_received_at_ms;
        let before = self.sample.is_some().then(|| message.clone());
        self.redaction.apply(&mut message, &is_secret);
        let written = || line::write(&message, at_ms, named.then_some(message.clientid.as_str()));
        match (&mut self.sample, before) {
            // Rules see the message as it came: redacted, it might go another way.
            (Some(sample), Some(before)) => {
                sample.see(&before, written);
                Ok(())
            }
            _ => self.out.write_all(written().as_bytes()),
        }
    }

    /// Writes what is left, and says what it was.
    fn finish(mut self) -> io::Result<String> {
        let mut said = format!("{} recorded", count_of(self.recorded, "message"));
        if let Some(sample) = self.sample {
            let (looked_at, ways) = (sample.looked_at(), sample.ways());
            let kept = sample.into_kept();
            kept.iter().try_for_each(|line| self.out.write_all(line.as_bytes()))?;
            said =
                format!("{} of {} kept: they go all {ways} ways", kept.len(), count_of(looked_at, "message"));
        }
        if self.redaction.whole() > 0 {
            let whole = count_of(self.redaction.whole(), "payload");
            said += &format!("; {whole} in which a value to redact could not be looked for went as a whole");
        }
        self.out.flush()?;
        Ok(said)
    }
}

fn count_of(n: u64, noun: &str) -> String {
    count(usize::try_from(n).unwrap_or(usize::MAX), noun)
}

async fn record(args: &RecordArgs, mut writer: Writer) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let (sender, mut arrived) = mpsc::channel(limits::RECORD_QUEUE_MAX);
    let taker = Arc::new(Taker { filters: args.topic.clone(), arrived: sender });
    let (from, place) = begin(args, taker).await?;
    write_ready(args, &from)?;
    let tell = |text: &str| {
        if !args.quiet {
            // Nobody may be reading.
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    };
    tell(&format!("recording {} from {place}; Ctrl-C ends it", args.topic.join(", ")));
    let end = args.time.map(|time| tokio::time::Instant::now() + time);
    let mut progress = Progress::new(args.quiet);
    loop {
        let wait_for_end = async {
            match end {
                Some(end) => tokio::time::sleep_until(end).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = stop.wait() => break,
            () = wait_for_end => break,
            next = arrived.recv() => {
                let Some(Arrived { message, named, ticket }) = next else { break };
                writer.take(message, named).context("cannot write the recording")?;
                if arrived.is_empty() {
                    writer.out.flush().context("cannot write the recording")?;
                }
                ticket.into_iter().for_each(Ticket::settle);
                progress.show(writer.recorded, "recorded");
                if args.count.is_some_and(|count| writer.recorded >= count) {
                    break;
                }
            }
        }
    }
    progress.clear();
    drop(arrived);
    match from {
        From::Embedded(broker) => {
            tokio::time::sleep(LINGER).await;
            broker.stop().await;
        }
        From::Elsewhere(mut source, outbox) => {
            source.stop_taking().await;
            source.finish(&outbox, Instant::now() + Duration::from_secs(1)).await;
        }
    }
    let said = writer.finish().context("cannot write the recording")?;
    tell(&said);
    Ok(Exit::Ok)
}

async fn begin(args: &RecordArgs, taker: Arc<Taker>) -> anyhow::Result<(From, String)> {
    let Some(url) = &args.broker else {
        let config = Config {
            bind: args.bind,
            mqtt_port: args.mqtt_port,
            ws_port: args.ws_port,
            access: brokers::access(args.users.as_deref(), args.bind, args.allow_anonymous)?,
            node: brokers::node(),
            ..Config::default()
        };
        let broker = Broker::start(config, taker).await?;
        let place =
            format!("the embedded broker at {} and ws://{}/mqtt", broker.mqtt_addr(), broker.ws_addr());
        return Ok((From::Embedded(broker), place));
    };
    let url = brokers::url(url)?;
    let place = url.shown();
    let clientid = args.client_id.clone().unwrap_or_else(|| brokers::client_id("record"));
    let options = Options {
        url,
        version: args.mqtt_version,
        clientid,
        filters: args.topic.clone(),
        // A recording that is over must not fill the broker's memory.
        keeps_session: false,
    };
    let outbox = Source::outbox();
    let source = Source::connect(options, outbox.clone(), taker).await.map_err(|why| anyhow!("{why}"))?;
    Ok((From::Elsewhere(source, outbox), place))
}

fn write_ready(args: &RecordArgs, from: &From) -> anyhow::Result<()> {
    let Some(path) = &args.ready_file else { return Ok(()) };
    let ready = match from {
        From::Embedded(broker) => serde_json::json!({
            "mqtt": broker.mqtt_addr().to_string(), "ws": broker.ws_addr().to_string(),
        }),
        From::Elsewhere(..) => serde_json::json!({}),
    };
    ready::write(path, &ready)
}
