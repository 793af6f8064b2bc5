//! Messages and their properties, from rmqtt's types to ours and back.

use std::num::NonZeroU32;

use bytestring::ByteString;
use rmqtt::codec::types::{Publish as Packet, QoS};
use rmqtt::codec::v5::{Connect, Disconnect, PublishAck, PublishProperties, UserProperties};
use rmqtt::types::Publish;

use crate::event::occurrence::PacketProperties;
use crate::event::{Message, Properties, id};
use crate::value::Value;

fn text(text: &ByteString) -> Value {
    Value::str(text.as_bytes())
}

fn pairs(properties: &UserProperties) -> Vec<(String, String)> {
    properties.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

fn owned<const N: usize>(named: [(&str, Option<Value>); N], user: &UserProperties) -> PacketProperties {
    let named = named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    PacketProperties { named: named.collect(), user: pairs(user) }
}

/// Properties of PUBLISH under MQTT's names.
pub(super) fn of_publish(publish: &Publish) -> PacketProperties {
    let Some(properties) = &publish.properties else { return PacketProperties::default() };
    let subscriptions: Vec<Value> =
        properties.subscription_ids.iter().map(|id| Value::Int(id.get().into())).collect();
    let subscription = match subscriptions.len() {
        0 | 1 => subscriptions.into_iter().next(),
        _ => Some(Value::list(subscriptions)),
    };
    owned(
        [
            ("Payload-Format-Indicator", properties.is_utf8_payload.then_some(Value::Int(1))),
            (
                "Message-Expiry-Interval",
                properties.message_expiry_interval.map(|seconds| Value::Int(seconds.get().into())),
            ),
            ("Content-Type", properties.content_type.as_ref().map(text)),
            ("Response-Topic", properties.response_topic.as_ref().map(text)),
            ("Correlation-Data", properties.correlation_data.clone().map(Value::Str)),
            ("Topic-Alias", properties.topic_alias.map(|alias| Value::Int(alias.get().into()))),
            ("Subscription-Identifier", subscription),
        ],
        &properties.user_properties,
    )
}

/// Properties of CONNECT. A value that MQTT has as default is not told from one that is absent.
pub(super) fn of_connect(connect: &Connect) -> PacketProperties {
    let above_0 = |n: u32| (n > 0).then_some(Value::Int(n.into()));
    owned(
        [
            ("Session-Expiry-Interval", above_0(connect.session_expiry_interval_secs)),
            ("Receive-Maximum", connect.receive_max.map(|n| Value::Int(n.get().into()))),
            ("Maximum-Packet-Size", connect.max_packet_size.map(|n| Value::Int(n.get().into()))),
            ("Topic-Alias-Maximum", above_0(connect.topic_alias_max.into())),
            ("Request-Response-Information", connect.request_response_info.then_some(Value::Int(1))),
            ("Request-Problem-Information", (!connect.request_problem_info).then_some(Value::Int(0))),
            ("Authentication-Method", connect.auth_method.as_ref().map(text)),
            ("Authentication-Data", connect.auth_data.clone().map(Value::Str)),
        ],
        &connect.user_properties,
    )
}

/// Properties of DISCONNECT.
pub(super) fn of_disconnect(disconnect: &Disconnect) -> PacketProperties {
    let expiry = disconnect.session_expiry_interval_secs.map(|seconds| Value::Int(seconds.into()));
    owned(
        [
            ("Session-Expiry-Interval", expiry),
            ("Reason-String", disconnect.reason_string.as_ref().map(text)),
            ("Server-Reference", disconnect.server_reference.as_ref().map(text)),
        ],
        &disconnect.user_properties,
    )
}

/// Properties of PUBACK or PUBREC.
pub(super) fn of_ack(ack: &PublishAck) -> PacketProperties {
    owned([("Reason-String", ack.reason_string.as_ref().map(text))], &ack.properties)
}

/// User properties alone.
pub(super) fn of_user(user: &UserProperties) -> PacketProperties {
    owned([], user)
}

/// A message of ours as rmqtt's. Its mark travels where rmqtt keeps the delay of `$delayed/…`, which is not built in.
pub(super) fn publish(message: &Message) -> Publish {
    marked(Publish::from(packet(message)), message)
}

/// The same packet, with what gives the message its id back when it is delivered.
pub(super) fn marked(mut publish: Publish, message: &Message) -> Publish {
    publish.create_time = Some(message.publish_received_at_ms);
    publish.delay_interval = id::mark(&message.id);
    publish
}

/// The id of a message that was [`marked`]; a retained message that is sent again has the time at which it is sent.
pub(super) fn marked_id(publish: &Publish, node: u64) -> Option<String> {
    Some(id::with_mark(publish.create_time?, node, publish.delay_interval?))
}

fn packet(message: &Message) -> Packet {
    let properties: &Properties = &message.properties;
    let find = |name: &str| properties.iter().find(|(n, _)| n == name).map(|(_, value)| value);
    let integer = |name: &str| match find(name) {
        Some(Value::Int(n)) => u32::try_from(*n).ok(),
        _ => None,
    };
    let text = |name: &str| find(name).and_then(Value::as_text).map(ByteString::from);
    let properties = PublishProperties {
        topic_alias: None,
        correlation_data: find("Correlation-Data").and_then(Value::as_bytes).cloned(),
        message_expiry_interval: integer("Message-Expiry-Interval").and_then(NonZeroU32::new),
        content_type: text("Content-Type"),
        user_properties: message
            .user_properties
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect(),
        is_utf8_payload: integer("Payload-Format-Indicator") == Some(1),
        response_topic: text("Response-Topic"),
        subscription_ids: Vec::new(),
    };
    Packet {
        dup: false,
        retain: message.retain,
        qos: match message.qos {
            0 => QoS::AtMostOnce,
            1 => QoS::AtLeastOnce,
            _ => QoS::ExactlyOnce,
        },
        topic: message.topic.as_str().into(),
        packet_id: None,
        payload: message.payload.clone(),
        properties: Some(properties),
    }
}
