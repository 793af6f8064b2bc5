//! MQTT 3.1.1.

use std::time::Duration;

use async_trait::async_trait;
use rumqttc::{AsyncClient, ConnectionError, EventLoop, MqttOptions, Outgoing, Packet, QoS};
use rumqttc::{Event as Raw, SubscribeFilter, SubscribeReasonCode};

use super::Options;
use super::wire::{self, Event, Wire};
use crate::event::Message;
use crate::limits;

/// MQTT's own bound: 3.1.1 has no way to tell the broker a smaller one, and a larger packet would end the connection
/// again and again.
const PACKET_BYTES_MAX: usize = 268_435_455;
const KEEP_ALIVE: Duration = Duration::from_secs(30);

pub(super) struct V4(EventLoop);

pub(super) fn open(options: &Options) -> (AsyncClient, V4) {
    let url = &options.url;
    let mut mqtt = MqttOptions::new(&options.clientid, &url.host, url.port);
    mqtt.set_clean_session(!options.keeps_session).set_manual_acks(true).set_keep_alive(KEEP_ALIVE);
    mqtt.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
    if let Some((name, password)) = &url.user {
        mqtt.set_credentials(name, password);
    }
    // Room for an acknowledgement of every packet id there is.
    let (client, events) = AsyncClient::new(mqtt, limits::SOURCE_QUEUE_MAX + 16);
    (client, V4(events))
}

#[async_trait]
impl Wire for V4 {
    async fn poll(&mut self) -> Result<Event, String> {
        let raw = self.0.poll().await.map_err(|e| match e {
            ConnectionError::ConnectionRefused(why) => format!("the broker refused the connection: {why:?}"),
            ConnectionError::Io(e) => e.to_string(),
            other => other.to_string(),
        })?;
        Ok(match raw {
            Raw::Incoming(Packet::ConnAck(_)) => Event::Connected,
            Raw::Incoming(Packet::SubAck(ack)) => {
                let refused = |code: &SubscribeReasonCode| match code {
                    SubscribeReasonCode::Success(_) => None,
                    SubscribeReasonCode::Failure => Some("refused".to_owned()),
                };
                Event::Subscribed(ack.return_codes.iter().map(refused).collect())
            }
            Raw::Incoming(Packet::Publish(publish)) => {
                let message = Message {
                    qos: publish.qos as u8,
                    retain: publish.retain,
                    dup: publish.dup,
                    ..wire::message(publish.topic.clone(), publish.payload.clone())
                };
                Event::Message(Box::new(message), wire::Packet::V4(publish))
            }
            Raw::Incoming(Packet::PubAck(_) | Packet::PubComp(_)) => Event::Acknowledged(Ok(())),
            Raw::Outgoing(Outgoing::Publish(_)) => Event::Sent,
            Raw::Outgoing(Outgoing::Disconnect) => Event::Disconnected,
            _ => Event::Other,
        })
    }
}

pub(super) fn subscribe(client: &AsyncClient, filters: &[String]) -> Result<(), String> {
    let filter = |filter: &String| SubscribeFilter::new(filter.clone(), QoS::AtLeastOnce);
    client.try_subscribe_many(filters.iter().map(filter)).map_err(|e| e.to_string())
}

pub(super) fn publish(client: &AsyncClient, message: &Message) -> Result<(), String> {
    let qos = match message.qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    };
    let payload = message.payload.to_vec();
    client.try_publish(&message.topic, qos, message.retain, payload).map_err(|e| e.to_string())
}
