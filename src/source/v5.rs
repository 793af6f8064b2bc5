//! MQTT 5.

use std::time::Duration;

use async_trait::async_trait;
use rumqttc::Outgoing;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{
    ConnectProperties, Filter, Packet, PubAckReason, PubCompReason, PubRecReason, PublishProperties,
    RetainForwardRule, SubscribeReasonCode,
};
use rumqttc::v5::{AsyncClient, ConnectionError, Event as Raw, EventLoop, MqttOptions};

use super::Options;
use super::wire::{self, Event, Wire};
use crate::event::{Message, Properties};
use crate::limits;
use crate::value::Value;

const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// EMQX's default for how long a session outlives its connection.
const SESSION_EXPIRY_SECONDS: u32 = 2 * 60 * 60;
/// The broker keeps larger packets from us.
const PACKET_BYTES_MAX: u32 = 16 * 1024 * 1024;

pub(super) struct V5(EventLoop);

pub(super) fn open(options: &Options) -> (AsyncClient, V5) {
    let url = &options.url;
    let mut mqtt = MqttOptions::new(&options.clientid, &url.host, url.port);
    mqtt.set_clean_start(!options.keeps_session).set_manual_acks(true).set_keep_alive(KEEP_ALIVE);
    let mut properties = ConnectProperties::new();
    properties.session_expiry_interval = options.keeps_session.then_some(SESSION_EXPIRY_SECONDS);
    properties.receive_maximum = Some(limits::INFLIGHT_MAX);
    properties.max_packet_size = Some(PACKET_BYTES_MAX);
    mqtt.set_connect_properties(properties);
    // We publish one message at a time.
    mqtt.set_outgoing_inflight_upper_limit(16);
    if let Some((name, password)) = &url.user {
        mqtt.set_credentials(name, password);
    }
    let (client, events) = AsyncClient::new(mqtt, limits::SOURCE_QUEUE_MAX + 16);
    (client, V5(events))
}

#[async_trait]
impl Wire for V5 {
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
                    other => Some(format!("{other:?}")),
                };
                Event::Subscribed(ack.return_codes.iter().map(refused).collect())
            }
            Raw::Incoming(Packet::Publish(publish)) => {
                let topic = String::from_utf8(publish.topic.to_vec()).map_err(|_| "a topic is not UTF-8")?;
                let (properties, user_properties) =
                    publish.properties.as_ref().map(named).unwrap_or_default();
                let message = Message {
                    qos: publish.qos as u8,
                    retain: publish.retain,
                    dup: publish.dup,
                    properties,
                    user_properties,
                    ..wire::message(topic, publish.payload.clone())
                };
                Event::Message(Box::new(message), wire::Packet::V5(publish))
            }
            Raw::Incoming(Packet::PubAck(ack)) => Event::Acknowledged(match ack.reason {
                PubAckReason::Success | PubAckReason::NoMatchingSubscribers => Ok(()),
                why => Err(format!("the broker refused the message: {why:?}")),
            }),
            Raw::Incoming(Packet::PubRec(ack)) => match ack.reason {
                PubRecReason::Success | PubRecReason::NoMatchingSubscribers => Event::Other,
                why => Event::Acknowledged(Err(format!("the broker refused the message: {why:?}"))),
            },
            Raw::Incoming(Packet::PubComp(ack)) => Event::Acknowledged(match ack.reason {
                PubCompReason::Success => Ok(()),
                why => Err(format!("the broker refused the message: {why:?}")),
            }),
            Raw::Outgoing(Outgoing::Publish(_)) => Event::Sent,
            Raw::Outgoing(Outgoing::Disconnect) => Event::Disconnected,
            _ => Event::Other,
        })
    }
}

pub(super) fn subscribe(client: &AsyncClient, filters: &[String]) -> Result<(), String> {
    let filter = |path: &String| Filter {
        path: path.clone(),
        qos: QoS::AtLeastOnce,
        nolocal: false,
        // Rules see the flag as it was published …
        preserve_retain: true,
        // … and, as in EMQX, no message that was published before they were there.
        retain_forward_rule: RetainForwardRule::Never,
    };
    client.try_subscribe_many(filters.iter().map(filter)).map_err(|e| e.to_string())
}

pub(super) fn publish(client: &AsyncClient, message: &Message) -> Result<(), String> {
    let qos = match message.qos {
        0 => QoS::AtMostOnce,
        1 => QoS::AtLeastOnce,
        _ => QoS::ExactlyOnce,
    };
    let sent = client.try_publish_with_properties(
        &message.topic,
        qos,
        message.retain,
        message.payload.clone(),
        unnamed(message),
    );
    sent.map_err(|e| e.to_string())
}

/// MQTT 5 properties under MQTT's names, and the user properties.
fn named(properties: &PublishProperties) -> (Properties, Vec<(String, String)>) {
    let mut named: Vec<(&str, Value)> = Vec::new();
    if let Some(indicator) = properties.payload_format_indicator {
        named.push(("Payload-Format-Indicator", Value::Int(indicator.into())));
    }
    if let Some(seconds) = properties.message_expiry_interval {
        named.push(("Message-Expiry-Interval", Value::Int(seconds.into())));
    }
    if let Some(content_type) = &properties.content_type {
        named.push(("Content-Type", Value::str(content_type)));
    }
    if let Some(topic) = &properties.response_topic {
        named.push(("Response-Topic", Value::str(topic)));
    }
    if let Some(data) = &properties.correlation_data {
        named.push(("Correlation-Data", Value::Str(data.clone())));
    }
    let named = named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (named, properties.user_properties.clone())
}

fn unnamed(message: &Message) -> PublishProperties {
    let find = |name: &str| message.properties.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let integer = |name: &str| match find(name) {
        Some(Value::Int(n)) => u32::try_from(*n).ok(),
        _ => None,
    };
    let text = |name: &str| find(name).and_then(Value::as_text).map(str::to_owned);
    PublishProperties {
        payload_format_indicator: integer("Payload-Format-Indicator").and_then(|n| u8::try_from(n).ok()),
        message_expiry_interval: integer("Message-Expiry-Interval"),
        topic_alias: None,
        response_topic: text("Response-Topic"),
        correlation_data: find("Correlation-Data").and_then(Value::as_bytes).cloned(),
        user_properties: message.user_properties.clone(),
        subscription_identifiers: Vec::new(),
        content_type: text("Content-Type"),
    }
}
