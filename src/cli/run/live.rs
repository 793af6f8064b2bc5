//! Starts everything, waits for the end, stops everything.

use std::io::Write;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map as JsonMap, Value as Json};

use super::input::{Input, Planned};
use super::plan::Plan;
use super::standin::StandIn;
use super::{LogFormat, RunArgs, sinks};
use crate::cli::stop::Stop;
use crate::cli::{Exit, ready, world};
use crate::ctx::Ctx;
use crate::engine::{Counters, Engine, Origin, Outcome};
use crate::event::{Message, Occurrence};
use crate::log::Folder;
use crate::profile::Profile;
use crate::sink::{self, Dispatcher, Tally};

/// Runs until a signal.
pub(super) async fn run(args: &RunArgs, plan: Plan) -> anyhow::Result<Exit> {
    let mut stop = Stop::listen()?;
    let folder = Arc::new(Folder::open(&args.data_dir)?);
    let planned = Planned::read(args, &plan)?;
    say(args, &format!("rulemill {} runs rules as EMQX {}", env!("CARGO_PKG_VERSION"), plan.set.profile));
    let standin = match args.no_hstream {
        true => None,
        false => Some(StandIn::start(args, Arc::clone(&folder)).await?),
    };
    let opened = open(args, &plan, planned, standin.as_ref()).await;
    let Opened { dispatcher, input, tally, counters } = match opened {
        Ok(opened) => opened,
        Err(e) => {
            if let Some(standin) = standin {
                standin.stop().await;
            }
            return Err(e);
        }
    };
    announce(args, &plan, &input, standin.as_ref());
    stop.wait().await;

    say(
        args,
        &format!(
            "stopping; deliveries have {}s to finish, a second signal ends at once",
            args.drain_timeout.as_secs()
        ),
    );
    let closed = close(args.drain_timeout, input, &dispatcher, standin);
    let lost = tokio::select! {
        lost = closed => lost,
        () = stop.wait() => {
            tracing::error!("ended at once, with deliveries under way");
            return Ok(Exit::Failed);
        }
    };
    Ok(report(args, &tally, &counters, lost))
}

async fn close(time: Duration, input: Input, dispatcher: &Dispatcher, standin: Option<StandIn>) -> u64 {
    let lost = input.close(dispatcher, Instant::now() + time).await;
    if let Some(standin) = standin {
        standin.stop().await;
    }
    lost
}

struct Opened {
    dispatcher: Arc<Dispatcher>,
    input: Input,
    tally: Arc<Tally>,
    /// By rule, in the rules' order.
    counters: Vec<(Arc<str>, Arc<Counters>)>,
}

/// The engine with the world that it sees.
struct Rules {
    engine: Engine,
    ctx: Ctx,
    profile: Profile,
}

impl sink::Rules for Rules {
    fn message(&mut self, message: &Message, origin: Option<&Origin>) -> Vec<Outcome> {
        self.engine.publish_from(message, origin, &mut self.ctx)
    }

    fn event(&mut self, occurrence: &Occurrence, origin: Option<&Origin>) -> Vec<Outcome> {
        let Some(topic) = occurrence.topic() else { return Vec::new() };
        let columns = occurrence.columns(self.profile);
        self.engine.run_from(topic, &columns, origin, &mut self.ctx)
    }

    fn counters(&self, rule: &str) -> Option<Arc<Counters>> {
        self.engine.counters(rule).cloned()
    }
}

async fn open(
    args: &RunArgs,
    plan: &Plan,
    planned: Planned,
    standin: Option<&StandIn>,
) -> anyhow::Result<Opened> {
    plan.warn(planned.events());
    if let Some(standin) = standin
        && !args.no_create_streams
    {
        for name in standin.create_streams(plan)? {
            say(args, &format!("Stream      {name} is new in the HStreamDB stand-in"));
        }
    }
    let tally = Arc::new(Tally::default());
    let routes = sinks::routes(plan, standin, &tally)?;
    let engine = Engine::new(plan.rules.clone(), plan.set.profile);
    let counters = plan.rules.iter().filter_map(|rule| {
        let counters = engine.counters(&rule.id)?;
        Some((rule.id.clone(), Arc::clone(counters)))
    });
    let counters = counters.collect();
    let mut ctx = world::ctx();
    ctx.jq_timeout_ms = plan.set.settings.jq_timeout_ms;
    ctx.schemas = Arc::clone(&plan.set.schemas);
    let rules = Box::new(Rules { engine, ctx, profile: plan.set.profile });
    let console = Box::new(|line: String| {
        // Nobody may be reading.
        let _ = writeln!(std::io::stdout(), "{line}");
    });
    let node = planned.node();
    let republish = planned.republish(&tally);
    let dispatcher = Arc::new(Dispatcher::new(rules, routes, republish, console, Arc::clone(&tally), node));
    let input = planned.open(Arc::clone(&dispatcher)).await?;
    if let Some(path) = &args.ready_file {
        let mut ready = JsonMap::new();
        input.ready(&mut ready);
        if let Some(standin) = standin {
            ready.insert("hstream".to_owned(), standin.addr().to_string().into());
        }
        if let Err(e) = ready::write(path, &Json::Object(ready)) {
            input.close(&dispatcher, Instant::now()).await;
            return Err(e);
        }
    }
    Ok(Opened { dispatcher, input, tally, counters })
}

/// Says where everything is, and what to try.
fn announce(args: &RunArgs, plan: &Plan, input: &Input, standin: Option<&StandIn>) {
    input.lines().iter().for_each(|line| say(args, line));
    if let Some(standin) = standin {
        let folder = args.data_dir.join("hstream");
        say(
            args,
            &format!("HStreamDB   http://{} (stand-in, streams in {})", standin.addr(), folder.display()),
        );
        let used = plan.set.connectors.values().filter(|connector| connector.enabled);
        for (connector, moved) in used.filter_map(|connector| Some((connector, standin.moved(connector)?))) {
            let name = format!("{}:{}", connector.kind, connector.name);
            say(
                args,
                &format!("Connector   {name} says {}, which is the stand-in at {}", moved.from, moved.to),
            );
        }
        if !args.bind.is_loopback() && !args.allow_anonymous {
            say(args, "            (HStreamDB has no users, so it stays on this machine)");
        }
    }
    for rule in &plan.rules {
        let actions: Vec<_> = rule.actions.iter().map(|action| &*action.id).collect();
        let to = if actions.is_empty() { "no actions".to_owned() } else { actions.join(", ") };
        say(args, &format!("Rule        {}: {} → {to}", rule.id, rule.program.topics().join(", ")));
    }
    if let Input::Embedded(broker) = input {
        let port = broker.mqtt_addr().port();
        say(args, &format!("Try         mosquitto_pub -p {port} -t car/1 -m '{{\"speed\":32.12}}'"));
    }
    if let Some(standin) = standin {
        say(args, &format!("            rulemill hstream sql --port {}", standin.addr().port()));
    }
}

/// One line for people, or one log line where lines are JSON.
fn say(args: &RunArgs, line: &str) {
    match args.log_format {
        LogFormat::Json => tracing::info!("{line}"),
        LogFormat::Text if args.quiet => {}
        // Nobody may be reading.
        LogFormat::Text => _ = writeln!(std::io::stdout(), "{line}"),
    }
}

/// What came of it all.
fn report(args: &RunArgs, tally: &Tally, counters: &[(Arc<str>, Arc<Counters>)], lost: u64) -> Exit {
    for (rule, counters) in counters {
        let counted = counters.entries().filter(|(name, n)| *n > 0 || *name == "matched");
        let counted: Vec<_> = counted.map(|(name, n)| format!("{name} {n}")).collect();
        say(args, &format!("Rule        {rule}: {}", counted.join(", ")));
    }
    let count = |n: u64, noun: &str| if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") };
    let mut parts = vec![
        count(tally.messages.get(), "message"),
        format!("{} delivered", tally.delivered.get()),
        format!("{} failed", tally.failed.get()),
    ];
    if tally.events.get() > 0 {
        parts.insert(1, count(tally.events.get(), "event"));
    }
    for (n, what) in [
        (tally.abandoned.get(), "given up"),
        (tally.skipped.get(), "skipped"),
        (tally.rule_errors.get(), "rule errors"),
        (lost, "lost"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    say(args, &parts.join(", "));
    if tally.undelivered() + lost == 0 { Exit::Ok } else { Exit::Failed }
}
