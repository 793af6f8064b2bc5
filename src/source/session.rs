//! Keeps a connection, and makes a new one when it is lost.
//!
//! Every connection gets a client of its own: rumqttc's can wedge itself for ever on a packet id that the broker
//! never answered, and what we still had to send we keep ourselves.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use super::wire::{self, Ack, Event, Wire};
use super::{Options, Outbox, Version};
use crate::delivery::Backoff;
use crate::event::Message;
use crate::limits;

/// The first wait after a lost connection, and the longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(15));
/// One lost message in so many is worth a line.
const LOG_EVERY: u64 = 1000;

/// A message from the broker.
pub(super) struct Incoming {
    pub(super) message: Message,
    pub(super) ack: Ack,
}

/// How much waits for the rules. Only messages of QoS 0 need a bound of ours: of the others the broker sends no more
/// than it may leave unacknowledged.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    bytes: AtomicUsize,
    lost: AtomicU64,
}

impl Waiting {
    /// Messages of QoS 0 for which there was no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// One message is with the rules.
    pub(super) fn taken(&self, message: &Message) {
        self.bytes.fetch_sub(message.payload.len(), Ordering::Relaxed);
    }

    fn lose(&self, topic: &str) {
        let before = self.lost.fetch_add(1, Ordering::Relaxed);
        if before.is_multiple_of(LOG_EVERY) {
            let lost = before + 1;
            tracing::error!(
                topic,
                "lost: the rules are too slow for the broker's messages of QoS 0 ({lost} so far)"
            );
        }
    }
}

/// Says once whether the first connection works.
type Ready = Option<oneshot::Sender<Result<(), String>>>;

pub(super) struct Session {
    options: Options,
    outbox: Outbox,
    messages: mpsc::Sender<Incoming>,
    waiting: Arc<Waiting>,
    stopped: watch::Receiver<bool>,
}

/// How a connection ended.
enum End {
    /// As we wished.
    Goodbye,
    /// Otherwise.
    Lost(String),
}

impl Session {
    pub(super) fn new(
        options: Options,
        outbox: Outbox,
        messages: mpsc::Sender<Incoming>,
        waiting: Arc<Waiting>,
        stopped: watch::Receiver<bool>,
    ) -> Session {
        Session { options, outbox, messages, waiting, stopped }
    }

    /// Connects until told to stop. When the first connection fails, it says so and ends.
    pub(super) async fn run(self, ready: oneshot::Sender<Result<(), String>>) {
        let mut ready: Ready = Some(ready);
        let mut backoff = Backoff::new(BACKOFF.0, BACKOFF.1);
        loop {
            let mut stood = false;
            let end = self.connection(&mut ready, &mut stood).await;
            self.outbox.set_connection(None);
            let End::Lost(why) = end else { return };
            if let Some(ready) = ready.take() {
                // Whoever asked may have given up waiting.
                let _ = ready.send(Err(why));
                return;
            }
            if *self.stopped.borrow() {
                return;
            }
            if stood {
                backoff = Backoff::new(BACKOFF.0, BACKOFF.1);
            }
            let wait = backoff.wait();
            let shown = self.options.url.shown();
            tracing::warn!("lost the broker {shown}: {why}; connecting again in {}ms", wait.as_millis());
            tokio::time::sleep(wait).await;
        }
    }

    async fn connection(&self, ready: &mut Ready, stood: &mut bool) -> End {
        let (mut wire, handle) = wire::open(&self.options);
        let handle = Arc::new(handle);
        loop {
            let event = match wire.poll().await {
                Ok(event) => event,
                Err(why) => return End::Lost(why),
            };
            match event {
                Event::Connected => {
                    if self.options.filters.is_empty() {
                        *stood = true;
                        self.stands(&handle, ready);
                    } else if let Err(why) = handle.subscribe(&self.options.filters) {
                        return End::Lost(why);
                    }
                }
                Event::Subscribed(refusals) => {
                    if let Some(why) = self.refused(&refusals) {
                        return End::Lost(why);
                    }
                    *stood = true;
                    self.stands(&handle, ready);
                }
                Event::Message(message, packet) => {
                    let ack = Ack { packet, generation: handle.generation() };
                    if let Err(why) = self.take(*message, ack, &handle) {
                        return End::Lost(why);
                    }
                }
                Event::Sent => self.outbox.sent(),
                Event::Acknowledged(result) => self.outbox.acknowledged(result),
                Event::Disconnected => {
                    close(wire.as_mut()).await;
                    return End::Goodbye;
                }
                Event::Other => {}
            }
        }
    }

    /// A connection can be used.
    fn stands(&self, handle: &Arc<wire::Handle>, ready: &mut Ready) {
        self.outbox.set_connection(Some(Arc::clone(handle)));
        match ready.take() {
            // Whoever asked may have given up waiting.
            Some(ready) => _ = ready.send(Ok(())),
            None => tracing::info!("the broker {} is back", self.options.url.shown()),
        }
    }

    fn refused(&self, refusals: &[Option<String>]) -> Option<String> {
        let mut refused =
            self.options.filters.iter().zip(refusals).filter_map(|(f, why)| Some((f, why.as_ref()?)));
        refused.next().map(|(filter, why)| format!("it refused the subscription to '{filter}': {why}"))
    }

    fn take(&self, message: Message, ack: Ack, handle: &wire::Handle) -> Result<(), String> {
        if *self.stopped.borrow() {
            // It stays unacknowledged, and comes again.
            return Ok(());
        }
        // MQTT 3.1.1 cannot ask to be spared retained messages, which EMQX's rules do not see either.
        if message.retain && self.options.version == Version::V4 {
            handle.ack(&ack);
            return Ok(());
        }
        let bytes = message.payload.len();
        let full = self.messages.capacity() < limits::SOURCE_QUEUE_MAX / 2
            || self.waiting.bytes.load(Ordering::Relaxed) + bytes > limits::SOURCE_QUEUE_BYTES_MAX;
        if message.qos == 0 && full {
            self.waiting.lose(&message.topic);
            return Ok(());
        }
        self.waiting.bytes.fetch_add(bytes, Ordering::Relaxed);
        let sent = self.messages.try_send(Incoming { message, ack });
        sent.map_err(|_| "it sent more unacknowledged messages than there are packet ids".to_owned())
    }
}

/// Polls on until the goodbye is out: the broker closes then.
async fn close(wire: &mut dyn Wire) {
    let closed = async { while wire.poll().await.is_ok() {} };
    // A broker that does not close loses us anyway.
    let _ = tokio::time::timeout(Duration::from_secs(1), closed).await;
}
