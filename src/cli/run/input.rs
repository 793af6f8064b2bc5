//! Where messages come from: the embedded broker, or one elsewhere.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use async_trait::async_trait;
use serde_json::{Map as JsonMap, Value as Json};
use tokio::sync::SetOnce;

use super::plan::Plan;
use super::{RunArgs, filters};
use crate::broker::{self, Broker, Config, Events, Publisher};
use crate::cli::brokers;
use crate::delivery::{Publish, Receipt};
use crate::event::{Message, Occurrence};
use crate::sink::dispatch::Republish;
use crate::sink::republish::{Echoes, Remote};
use crate::sink::{Dispatcher, Lanes, Retry, Tally};
use crate::source::{Intake, Options, Outbox, Source};

/// The file in the data folder that keeps our client id.
const CLIENT_ID_FILE: &str = "mqtt-client-id";

/// A source of messages that is still to be opened: the dispatcher must be there first.
pub(super) enum Planned {
    Embedded { config: Config, publisher: Arc<SetOnce<Arc<dyn Publish>>> },
    Remote { options: Options, outbox: Outbox },
}

/// A source of messages.
pub(super) enum Input {
    Embedded(Broker),
    Remote { source: Source, outbox: Outbox, shown: String, filters: Vec<String> },
}

impl Planned {
    /// Reads what the command line says of it.
    pub(super) fn read(args: &RunArgs, plan: &Plan) -> anyhow::Result<Planned> {
        match &args.broker {
            Some(url) => Planned::remote(args, plan, url),
            None => Planned::embedded(args, plan),
        }
    }

    fn embedded(args: &RunArgs, plan: &Plan) -> anyhow::Result<Planned> {
        let access = brokers::access(args.users.as_deref(), args.bind, args.allow_anonymous)?;
        let config = Config {
            bind: args.bind,
            mqtt_port: args.mqtt_port,
            ws_port: args.ws_port,
            access,
            events: plan.events().filter(|name| broker::EVENTS.contains(name)).collect(),
            node: brokers::node(),
        };
        Ok(Planned::Embedded { config, publisher: Arc::new(SetOnce::new()) })
    }

    fn remote(args: &RunArgs, plan: &Plan, url: &str) -> anyhow::Result<Planned> {
        let url = brokers::url(url)?;
        brokers::check_filters(&args.topic)?;
        let filters = if args.topic.is_empty() { filters::union(plan.topics()) } else { args.topic.clone() };
        if filters.is_empty() {
            bail!("no rule selects from a topic; give --topic");
        }
        let clientid = match &args.client_id {
            Some(id) => id.clone(),
            None => client_id(&args.data_dir.join(CLIENT_ID_FILE))?,
        };
        let options = Options { url, version: args.mqtt_version, clientid, filters, keeps_session: true };
        Ok(Planned::Remote { options, outbox: Source::outbox() })
    }

    /// The node in the ids of republished messages.
    pub(super) fn node(&self) -> u64 {
        match self {
            Planned::Embedded { config, .. } => config.node ^ 1,
            Planned::Remote { .. } => 1,
        }
    }

    /// The events that this source can tell.
    pub(super) fn events(&self) -> &'static [&'static str] {
        match self {
            Planned::Embedded { .. } => &broker::EVENTS,
            Planned::Remote { .. } => &[],
        }
    }

    /// Where republished messages go.
    pub(super) fn republish(&self, tally: &Arc<Tally>) -> Republish {
        match self {
            Planned::Embedded { publisher, .. } => Republish::Embedded(Arc::clone(publisher)),
            Planned::Remote { options, outbox } => {
                let lanes =
                    Lanes::start(Arc::new(Remote(outbox.clone())), Retry::default(), Arc::clone(tally));
                Republish::Remote(lanes, Arc::new(Echoes::new(options.filters.clone())))
            }
        }
    }

    /// Opens it; messages come from now on.
    pub(super) async fn open(self, dispatcher: Arc<Dispatcher>) -> anyhow::Result<Input> {
        match self {
            Planned::Embedded { config, publisher } => {
                let broker = Broker::start(config, Arc::new(Rules(dispatcher))).await?;
                let own: Arc<dyn Publish> = Arc::new(Own(broker.publisher()));
                if publisher.set(own).is_err() {
                    bail!("the embedded broker was started twice; please report this bug");
                }
                Ok(Input::Embedded(broker))
            }
            Planned::Remote { options, outbox } => {
                if let Some((a, b)) = filters::overlapping(&options.filters) {
                    tracing::warn!("'{a}' and '{b}' share messages; a broker may send those twice");
                }
                let (shown, filters) = (options.url.shown(), options.filters.clone());
                let connected = Source::connect(options, outbox.clone(), Arc::new(Rules(dispatcher))).await;
                let source = connected.map_err(|why| anyhow!("{why}"))?;
                Ok(Input::Remote { source, outbox, shown, filters })
            }
        }
    }
}

impl Input {
    /// Adds its addresses to the ready file.
    pub(super) fn ready(&self, ready: &mut JsonMap<String, Json>) {
        match self {
            Input::Embedded(broker) => {
                ready.insert("mqtt".to_owned(), broker.mqtt_addr().to_string().into());
                ready.insert("ws".to_owned(), broker.ws_addr().to_string().into());
            }
            Input::Remote { shown, .. } => _ = ready.insert("broker".to_owned(), shown.clone().into()),
        }
    }

    /// Says what listens, or what we listen to.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Input::Embedded(broker) => vec![
                format!("MQTT        {} (3.1.1 and 5)", broker.mqtt_addr()),
                format!("WebSocket   ws://{}/mqtt", broker.ws_addr()),
            ],
            Input::Remote { shown, filters, .. } => {
                vec![format!("Broker      {shown}, subscribed to {}", filters.join(", "))]
            }
        }
    }

    /// Takes no more messages, lets deliveries finish, and goes.
    pub(super) async fn close(self, dispatcher: &Dispatcher, deadline: Instant) -> u64 {
        match self {
            Input::Embedded(broker) => {
                broker.stop().await;
                dispatcher.drain(deadline).await;
                0
            }
            Input::Remote { mut source, outbox, .. } => {
                source.stop_taking().await;
                dispatcher.drain(deadline).await;
                let lost = source.lost();
                source
                    .finish(&outbox, deadline.max(Instant::now() + std::time::Duration::from_secs(1)))
                    .await;
                lost
            }
        }
    }
}

/// Our client id of the last time, or a new one.
fn client_id(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(id) if !id.trim().is_empty() => Ok(id.trim().to_owned()),
        Err(e) if e.kind() != ErrorKind::NotFound => {
            Err(e).with_context(|| format!("cannot read {}", path.display()))
        }
        _ => {
            let random = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), path);
            let id = format!("rulemill-{random:016x}");
            fs::write(path, format!("{id}\n")).with_context(|| format!("cannot write {}", path.display()))?;
            Ok(id)
        }
    }
}

/// The rules, as broker and source see them.
struct Rules(Arc<Dispatcher>);

#[async_trait]
impl Events for Rules {
    async fn published(&self, message: Message) {
        // The broker acknowledges once this returns: everything is in its lane.
        let _receipt = self.0.message(message).await;
    }

    async fn happened(&self, occurrence: Occurrence) {
        let _receipt = self.0.event(occurrence).await;
    }
}

#[async_trait]
impl Intake for Rules {
    async fn take(&self, message: Message) -> Receipt {
        self.0.message(message).await
    }
}

/// The embedded broker, as rules see it.
struct Own(Publisher);

#[async_trait]
impl Publish for Own {
    async fn publish(&self, message: Message) -> Result<(), String> {
        self.0.publish(&message).await
    }
}
