//! The embedded MQTT broker: rmqtt, behind a door of our own.
//!
//! ```text
//! client ── TCP or WebSocket ── door ── loopback TCP ── rmqtt session ── hook ── Events::published
//! ```
//!
//! rmqtt takes connections only from its own listener, so the door relays bytes to one that nobody else can use:
//! a session is accepted only when it comes from a port that the door holds. What must see every byte (Origin and
//! Host of a WebSocket, later an acknowledgement that waits for the disk) stands in the door.
//!
//! Invariant: no type of rmqtt is public here, so another broker can take its place.

mod door;
mod hooks;
mod observed;
mod overheard;
mod packet;
mod peers;
mod reason;
mod relay;
mod retain;
mod share;
mod users;
mod websocket;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU16;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rmqtt::context::ServerContext;
use rmqtt::net::Builder;
use rmqtt::server::MqttServer;
use rmqtt::types::NodeId;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use observed::EVENTS;
pub use users::Access;

use crate::event::{Message, Occurrence};
use crate::limits;
use door::{Door, Transport};
use hooks::Hooks;
use peers::Peers;

/// How long a client may take to say CONNECT, or to upgrade to WebSocket.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// rmqtt queues without bound for a session whose socket takes nothing: such a session must end soon.
const SEND_TIMEOUT: Duration = Duration::from_secs(1);
/// EMQX's default for MQTT 3.1.1 sessions that outlive their connection.
const SESSION_EXPIRY: Duration = Duration::from_secs(2 * 60 * 60);
/// Our only node and listener.
const NODE: NodeId = 1;
const LISTENER: u16 = 1;

/// What happens in the broker and rules may want to see.
#[async_trait]
pub trait Events: Send + Sync + 'static {
    /// A client published, or its last will was. The publisher's acknowledgement waits for the answer, and so does
    /// the rest of its connection: this is how a slow sink holds publishers back.
    async fn published(&self, message: Message);

    /// Something else happened, of the kinds that [`Config::events`] asks for. The connection waits for the answer.
    async fn happened(&self, occurrence: Occurrence) {
        drop(occurrence);
    }
}

/// Where to listen, and for whom.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address of both listeners.
    pub bind: IpAddr,
    /// TCP port; 0 picks a free one.
    pub mqtt_port: u16,
    /// WebSocket port; 0 picks a free one.
    pub ws_port: u16,
    /// Who may connect.
    pub access: Access,
    /// Which of [`EVENTS`] to tell; nothing is spent on the others.
    pub events: BTreeSet<&'static str>,
    /// The node in message ids, of clients' messages; ours come with a node that differs in the last bit.
    pub node: u64,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            bind: Ipv4Addr::LOCALHOST.into(),
            mqtt_port: 1883,
            ws_port: 8083,
            access: Access::Anonymous,
            events: BTreeSet::new(),
            node: 0,
        }
    }
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Someone listens there already.
    #[error(
        "port {port} on {bind} is in use; stop what listens there, or choose another with {flag} (0 picks a free one)"
    )]
    InUse {
        /// The address.
        bind: IpAddr,
        /// The port.
        port: u16,
        /// The flag that sets the port.
        flag: &'static str,
    },
    /// The system refused otherwise.
    #[error("cannot listen on {bind} port {port} ({flag}): {source}")]
    Listen {
        /// The address.
        bind: IpAddr,
        /// The port.
        port: u16,
        /// The flag that sets the port.
        flag: &'static str,
        /// Its reason.
        source: std::io::Error,
    },
    /// rmqtt did not start.
    #[error("the embedded broker did not start: {0}")]
    Inner(String),
}

/// A running broker. Dropped without [`Broker::stop`], its connections end where they are.
pub struct Broker {
    runtime: Option<Runtime>,
    scx: ServerContext,
    mqtt: SocketAddr,
    websocket: SocketAddr,
    stop: watch::Sender<bool>,
    doors: Vec<JoinHandle<()>>,
}

impl Broker {
    /// Binds both ports and starts to accept.
    pub async fn start(config: Config, events: Arc<dyn Events>) -> Result<Broker, StartError> {
        // rmqtt has no stop: its tasks end with their runtime.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .thread_name("broker")
            .enable_all()
            .build()
            .map_err(|e| StartError::Inner(e.to_string()))?;
        let (stop, stopped) = watch::channel(false);
        let started = runtime.spawn(open(config, events, stopped)).await;
        let opened = match started {
            Ok(opened) => opened,
            Err(e) => Err(StartError::Inner(e.to_string())),
        };
        match opened {
            Ok(Opened { scx, mqtt, websocket, doors }) => {
                Ok(Broker { runtime: Some(runtime), scx, mqtt, websocket, stop, doors })
            }
            Err(e) => {
                runtime.shutdown_background();
                Err(e)
            }
        }
    }

    /// Where MQTT over TCP is spoken.
    pub fn mqtt_addr(&self) -> SocketAddr {
        self.mqtt
    }

    /// Where MQTT over WebSocket is spoken, at the path `/mqtt`.
    pub fn ws_addr(&self) -> SocketAddr {
        self.websocket
    }

    /// A handle to publish with.
    pub fn publisher(&self) -> Publisher {
        Publisher { scx: self.scx.clone() }
    }

    /// Stops accepting, lets every connection finish what it has sent, and ends all sessions. Afterwards the ports
    /// are free and no event comes any more.
    pub async fn stop(mut self) {
        // Nobody listening means that all doors are closed already.
        let _ = self.stop.send(true);
        for door in self.doors.drain(..) {
            let _ = door.await;
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Publishes into the broker, past its hooks: subscribers and the retained store see the message, rules do not.
#[derive(Clone)]
pub struct Publisher {
    scx: ServerContext,
}

impl Publisher {
    /// Hands a message to all its subscribers, or says why it is none.
    pub async fn publish(&self, message: &Message) -> Result<(), String> {
        hooks::check_topic_name(&message.topic)?;
        hooks::forward(&self.scx, NODE, message).await
    }
}

struct Opened {
    scx: ServerContext,
    mqtt: SocketAddr,
    websocket: SocketAddr,
    doors: Vec<JoinHandle<()>>,
}

/// Runs inside the broker's runtime, so that all sockets and all of rmqtt's tasks belong to it.
async fn open(
    config: Config,
    events: Arc<dyn Events>,
    stopped: watch::Receiver<bool>,
) -> Result<Opened, StartError> {
    let mqtt = bind(config.bind, config.mqtt_port, "--mqtt-port").await?;
    let websocket = bind(config.bind, config.ws_port, "--ws-port").await?;
    let inner = |e: rmqtt::Error| StartError::Inner(e.to_string());
    let overhear = observed::OVERHEARD.iter().any(|event| config.events.contains(event));
    let peers = Arc::new(Peers::new(overhear));
    // The load check would refuse clients whenever the machine is busy, for instance compiling.
    let scx = ServerContext::new().node_id(NODE).busy_check_enable(false).build().await;
    *scx.extends.retain_mut().await = Box::new(retain::Retained::default());
    *scx.extends.shared_subscription_mut().await = Box::new(share::RoundRobin::default());
    let bind_to = config.bind;
    Hooks::new(events, Arc::clone(&peers), config).register(&scx).await;

    let listener = settings().bind().and_then(|listener| listener.tcp()).map_err(inner)?;
    let address = listener.local_addr().map_err(inner)?;
    let server = MqttServer::new(scx.clone()).listener_by_id(listener, LISTENER).build();
    tokio::spawn(server.run());

    let local = |listener: &TcpListener| listener.local_addr().map_err(|e| StartError::Inner(e.to_string()));
    let (mqtt_addr, ws_addr) = (local(&mqtt)?, local(&websocket)?);
    let door = Arc::new(Door::new(address, peers, bind_to, stopped));
    let doors = vec![
        tokio::spawn(Arc::clone(&door).accept(mqtt, Transport::Tcp)),
        tokio::spawn(door.accept(websocket, Transport::WebSocket)),
    ];
    Ok(Opened { scx, mqtt: mqtt_addr, websocket: ws_addr, doors })
}

/// rmqtt's settings where its defaults do not fit.
fn settings() -> Builder {
    let inflight = NonZeroU16::new(limits::INFLIGHT_MAX).unwrap_or(NonZeroU16::MAX);
    let packet = u32::try_from(limits::MESSAGE_BYTES_MAX).unwrap_or(u32::MAX);
    Builder::new()
        .name("rulemill")
        .laddr((Ipv4Addr::LOCALHOST, 0).into())
        .nodelay(true)
        .reuseaddr(Some(true))
        // Who may connect is decided in the hook alone; `true` would not even ask it.
        .allow_anonymous(false)
        .max_connections(limits::CONNECTIONS_MAX)
        .max_packet_size(packet)
        .max_inflight(inflight)
        .max_mqueue_len(limits::SUBSCRIBER_QUEUE_MAX)
        .max_topic_aliases(limits::TOPIC_ALIASES_MAX)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        .send_timeout(SEND_TIMEOUT)
        .session_expiry_interval(SESSION_EXPIRY)
        // Messages without an expiry of their own do not expire.
        .message_expiry_interval(Duration::ZERO)
}

async fn bind(bind: IpAddr, port: u16, flag: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind((bind, port)).await.map_err(|source| match source.kind() {
        std::io::ErrorKind::AddrInUse => StartError::InUse { bind, port, flag },
        _ => StartError::Listen { bind, port, flag, source },
    })
}
