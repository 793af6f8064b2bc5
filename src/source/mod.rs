//! Messages from an MQTT broker elsewhere, and messages back to it.
//!
//! ```text
//! broker ── Wire ── poll ── work (rules) ── lanes …
//!             ↑       ↑                       │
//!             │       └─ publish ─────────────┤ republish
//!             └───────── acks, in order ──────┘ receipts
//! ```
//!
//! A message is acknowledged when everything that the rules made of it is decided: delivered, or failed for good and
//! logged. What was not acknowledged comes again after a lost connection, so it is at least once.
//!
//! Subscriptions ask for QoS 1: rumqttc forgets the second half of a QoS 2 exchange when it reconnects, and would
//! then refuse the broker's PUBREL for ever. Rules see messages of QoS 2 as QoS 1.
//!
//! Invariant: an acknowledgement goes out only on the connection that its message came by; the broker may give the
//! packet id to another message after that.

mod publish;
mod session;
mod url;
mod v4;
mod v5;
mod wire;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use publish::Outbox;
use session::{Incoming, Session};
pub use url::BrokerUrl;
use wire::{Ack, Handle};

use crate::delivery::{Receipt, Settled};
use crate::event::Message;
use crate::limits;

/// How long the first connection may take, subscriptions included.
const FIRST_CONNECTION: Duration = Duration::from_secs(10);

/// The version of MQTT to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// MQTT 3.1.1.
    V4,
    /// MQTT 5.
    V5,
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        match text {
            "3.1.1" | "4" => Ok(Version::V4),
            "5" | "5.0" => Ok(Version::V5),
            _ => Err(format!("there is no MQTT {text} here; write 3.1.1 or 5")),
        }
    }
}

/// What to connect to, and what to ask for.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the broker is, and who we are.
    pub url: BrokerUrl,
    /// The version to speak.
    pub version: Version,
    /// Must stay the same over restarts, so that the broker keeps messages for us.
    pub clientid: String,
    /// Topic filters; none for one who only publishes.
    pub filters: Vec<String>,
    /// Must the broker keep what comes while we are away?
    pub keeps_session: bool,
}

/// Takes messages.
#[async_trait]
pub trait Intake: Send + Sync + 'static {
    /// Takes one; the receipt says when it may be acknowledged.
    async fn take(&self, message: Message) -> Receipt;
}

/// A running subscription.
pub struct Source {
    stop: watch::Sender<bool>,
    session: JoinHandle<()>,
    work: JoinHandle<()>,
    acks: JoinHandle<()>,
    waiting: Arc<session::Waiting>,
}

impl Source {
    /// An outbox for a broker that is still to be connected to.
    pub fn outbox() -> Outbox {
        Outbox::new()
    }

    /// Connects and subscribes, or says why it cannot. Later losses of the connection are made good.
    pub async fn connect(
        options: Options,
        outbox: Outbox,
        intake: Arc<dyn Intake>,
    ) -> Result<Source, String> {
        let (stop, stopped) = watch::channel(false);
        let (sender, messages) = mpsc::channel(limits::SOURCE_QUEUE_MAX);
        let (ready, connected) = oneshot::channel();
        let waiting = Arc::new(session::Waiting::default());
        let shown = options.url.shown();
        let connection = outbox.connection();
        let session = Session::new(options, outbox, sender, Arc::clone(&waiting), stopped.clone());
        let session = tokio::spawn(session.run(ready));
        let problem = match tokio::time::timeout(FIRST_CONNECTION, connected).await {
            Ok(Ok(Ok(()))) => None,
            Ok(Ok(Err(why))) => Some(why),
            Ok(Err(_)) => Some("the connection's task ended; please report this bug".to_owned()),
            Err(_) => Some(format!("no answer in {}s", FIRST_CONNECTION.as_secs())),
        };
        if let Some(why) = problem {
            session.abort();
            return Err(format!("cannot use the broker {shown}: {why}"));
        }
        let (to_acks, decided) = mpsc::channel(limits::SOURCE_QUEUE_MAX);
        let work = tokio::spawn(work(messages, intake, Arc::clone(&waiting), to_acks, stopped));
        let acks = tokio::spawn(acknowledge(decided, connection));
        Ok(Source { stop, session, work, acks, waiting })
    }

    /// Takes no more messages; what has not been given to the rules yet stays unacknowledged with the broker.
    pub async fn stop_taking(&mut self) {
        // No receiver: it has ended already.
        let _ = self.stop.send(true);
        let _ = (&mut self.work).await;
    }

    /// After the lanes have run empty: sends the last acknowledgements, and says goodbye.
    pub async fn finish(self, outbox: &Outbox, deadline: Instant) {
        let _ = tokio::time::timeout_at(deadline.into(), self.acks).await;
        outbox.goodbye();
        let abort = self.session.abort_handle();
        if tokio::time::timeout_at(deadline.into(), self.session).await.is_err() {
            abort.abort();
        }
    }

    /// Messages of QoS 0 that came faster than the rules took them, and are gone.
    pub fn lost(&self) -> u64 {
        self.waiting.lost()
    }
}

/// Gives messages to the rules, one after the other.
async fn work(
    mut messages: mpsc::Receiver<Incoming>,
    intake: Arc<dyn Intake>,
    waiting: Arc<session::Waiting>,
    decided: mpsc::Sender<(Receipt, Ack)>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        let incoming = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            incoming = messages.recv() => incoming,
        };
        let Some(Incoming { message, ack }) = incoming else { return };
        waiting.taken(&message);
        let receipt = intake.take(message).await;
        // The other end goes only when all ends.
        let _ = decided.send((receipt, ack)).await;
    }
}

/// Acknowledges in the order of arrival, as MQTT-4.6.0-2 wants.
async fn acknowledge(
    mut decided: mpsc::Receiver<(Receipt, Ack)>,
    connection: watch::Receiver<Option<Arc<Handle>>>,
) {
    while let Some((receipt, ack)) = decided.recv().await {
        if receipt.settled().await == Settled::Done {
            let handle = connection.borrow().clone();
            if let Some(handle) = handle {
                handle.ack(&ack);
            }
        }
    }
}
