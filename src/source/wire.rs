//! One connection to a broker, in either version of MQTT.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;

use super::{Options, Version, v4, v5};
use crate::event::Message;

/// Which connection a message came by.
pub(super) type Generation = u64;

/// What a connection says.
#[derive(Debug)]
pub(super) enum Event {
    /// It stands.
    Connected,
    /// The broker's answer to the subscriptions: for each filter, in order, why it is refused.
    Subscribed(Vec<Option<String>>),
    /// A message, and what acknowledges it.
    Message(Box<Message>, Packet),
    /// A message of ours went out.
    Sent,
    /// A message of ours arrived, or was refused.
    Acknowledged(Result<(), String>),
    /// We said goodbye.
    Disconnected,
    /// Something that needs nothing.
    Other,
}

/// The part of a message that its acknowledgement needs.
#[derive(Clone, Debug)]
pub(super) enum Packet {
    V4(rumqttc::Publish),
    V5(rumqttc::v5::mqttbytes::v5::Publish),
}

/// An acknowledgement that may be sent later.
#[derive(Debug)]
pub(super) struct Ack {
    pub(super) packet: Packet,
    pub(super) generation: Generation,
}

/// The receiving half of a connection.
#[async_trait]
pub(super) trait Wire: Send {
    /// The next event, or why the connection is lost.
    async fn poll(&mut self) -> Result<Event, String>;
}

/// The sending half.
#[derive(Debug)]
pub(super) struct Handle {
    client: Client,
    generation: Generation,
}

#[derive(Debug)]
pub(super) enum Client {
    V4(rumqttc::AsyncClient),
    V5(rumqttc::v5::AsyncClient),
}

/// Connections are told apart by this.
static GENERATIONS: AtomicU64 = AtomicU64::new(1);

/// A connection, not yet made: polling makes it.
pub(super) fn open(options: &Options) -> (Box<dyn Wire>, Handle) {
    let (wire, client): (Box<dyn Wire>, Client) = match options.version {
        Version::V4 => {
            let (client, wire) = v4::open(options);
            (Box::new(wire), Client::V4(client))
        }
        Version::V5 => {
            let (client, wire) = v5::open(options);
            (Box::new(wire), Client::V5(client))
        }
    };
    (wire, Handle { client, generation: GENERATIONS.fetch_add(1, Ordering::Relaxed) })
}

impl Handle {
    pub(super) fn generation(&self) -> Generation {
        self.generation
    }

    /// Asks for messages.
    pub(super) fn subscribe(&self, filters: &[String]) -> Result<(), String> {
        match &self.client {
            Client::V4(client) => v4::subscribe(client, filters),
            Client::V5(client) => v5::subscribe(client, filters),
        }
    }

    /// Acknowledges a message that came by this connection; others the broker will send again anyway.
    pub(super) fn ack(&self, ack: &Ack) {
        if ack.generation != self.generation {
            return;
        }
        let sent = match (&self.client, &ack.packet) {
            (Client::V4(client), Packet::V4(packet)) => client.try_ack(packet).map_err(|e| e.to_string()),
            (Client::V5(client), Packet::V5(packet)) => client.try_ack(packet).map_err(|e| e.to_string()),
            _ => Ok(()),
        };
        if let Err(e) = sent {
            tracing::warn!("an acknowledgement was not sent, its message will come again: {e}");
        }
    }

    /// Sends a message.
    pub(super) fn publish(&self, message: &Message) -> Result<(), String> {
        match &self.client {
            Client::V4(client) => v4::publish(client, message),
            Client::V5(client) => v5::publish(client, message),
        }
    }

    /// Says goodbye.
    pub(super) fn disconnect(&self) {
        // Fails only when the connection is gone already.
        let _ = match &self.client {
            Client::V4(client) => client.try_disconnect().map_err(|e| e.to_string()),
            Client::V5(client) => client.try_disconnect().map_err(|e| e.to_string()),
        };
    }
}

/// A message without what MQTT does not carry: who published it, when, and its id are the broker's secrets.
pub(super) fn message(topic: String, payload: bytes::Bytes) -> Message {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now_ms = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
    Message {
        clientid: "undefined".to_owned(),
        peerhost: None,
        timestamp_ms: now_ms,
        publish_received_at_ms: now_ms,
        ..Message::new(topic, payload)
    }
}
