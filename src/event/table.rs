//! Every event with its columns, per profile, and a sample of each column: one table for evaluation, checks,
//! completion and the tester's samples.
//!
//! Columns and samples are those that the tester shows (emqx_rule_events:columns_with_exam); where the engine's own
//! (`eventmsg_*`) are others, [`ENGINE_ONLY`] says so.

use crate::profile::Profile;

/// One event.
#[derive(Debug)]
pub struct Event {
    /// `message.publish`, `client.connected`, …: the column `event`.
    pub name: &'static str,
    /// What stands in FROM.
    pub topic: &'static str,
    /// What happened.
    pub doc: &'static str,
    /// Its columns in EMQX 5.8; none when the event is not there.
    pub columns_5_8: &'static [&'static str],
    /// Its columns in EMQX 4.3.
    pub columns_4_3: &'static [&'static str],
}

impl Event {
    /// Its columns in a profile; none when the event is not there.
    pub fn columns(&self, profile: Profile) -> &'static [&'static str] {
        match profile {
            Profile::V5_8 => self.columns_5_8,
            Profile::V4_3 => self.columns_4_3,
        }
    }

    /// The columns that the engine itself supplies in a profile, `metadata` aside; none when the event is not there.
    pub fn supplied(&self, profile: Profile) -> Vec<&'static str> {
        let differs = ENGINE_ONLY.iter().find(|(p, event, ..)| *p == profile && *event == self.name);
        let (more, less) = differs.map_or((&[][..], &[][..]), |(.., more, less)| (*more, *less));
        let shown = self.columns(profile).iter().filter(|name| !less.contains(name));
        shown.chain(more).copied().collect()
    }
}

/// One column, in whatever event it stands.
#[derive(Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub doc: &'static str,
    /// What the tester fills in.
    pub sample: Sample,
}

/// A sample value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sample {
    /// The atom undefined.
    Undefined,
    /// An atom.
    Atom(&'static str),
    /// A string.
    Text(&'static str),
    /// JSON text.
    Json(&'static str),
    /// The time in milliseconds.
    Now,
    /// A fresh message id.
    Id,
}

/// All events.
#[rustfmt::skip]
pub const EVENTS: &[Event] = &[
    Event { name: "message.publish", topic: "$events/message_publish", doc: "a message was published", columns_5_8: &["client_attrs", "clientid", "event", "flags", "id", "node", "payload", "peerhost", "peername", "pub_props", "publish_received_at", "qos", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "flags", "headers", "id", "node", "payload", "peerhost", "publish_received_at", "qos", "timestamp", "topic", "username"] },
    Event { name: "message.delivered", topic: "$events/message_delivered", doc: "a message was handed to a subscriber", columns_5_8: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "peername", "pub_props", "publish_received_at", "qos", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "publish_received_at", "qos", "timestamp", "topic", "username"] },
    Event { name: "message.acked", topic: "$events/message_acked", doc: "a subscriber acknowledged a message", columns_5_8: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "peername", "pub_props", "puback_props", "publish_received_at", "qos", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "publish_received_at", "qos", "timestamp", "topic", "username"] },
    Event { name: "message.dropped", topic: "$events/message_dropped", doc: "a message was dropped before any subscriber", columns_5_8: &["clientid", "event", "flags", "id", "node", "payload", "peerhost", "peername", "pub_props", "publish_received_at", "qos", "reason", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "flags", "id", "node", "payload", "peerhost", "publish_received_at", "qos", "reason", "timestamp", "topic", "username"] },
    Event { name: "delivery.dropped", topic: "$events/delivery_dropped", doc: "a message was dropped on its way to one subscriber", columns_5_8: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "peername", "pub_props", "publish_received_at", "qos", "reason", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "flags", "from_clientid", "from_username", "id", "node", "payload", "peerhost", "publish_received_at", "qos", "reason", "timestamp", "topic", "username"] },
    Event { name: "client.connected", topic: "$events/client_connected", doc: "a client connected", columns_5_8: &["clean_start", "client_attrs", "clientid", "conn_props", "connected_at", "event", "expiry_interval", "is_bridge", "keepalive", "mountpoint", "node", "peername", "proto_name", "proto_ver", "sockname", "timestamp", "username"], columns_4_3: &["clean_start", "clientid", "connected_at", "event", "expiry_interval", "is_bridge", "keepalive", "mountpoint", "node", "peername", "proto_name", "proto_ver", "sockname", "timestamp", "username"] },
    Event { name: "client.disconnected", topic: "$events/client_disconnected", doc: "a client went", columns_5_8: &["client_attrs", "clientid", "connected_at", "disconn_props", "disconnected_at", "event", "node", "peername", "proto_name", "proto_ver", "reason", "sockname", "timestamp", "username"], columns_4_3: &["clientid", "disconnected_at", "event", "node", "peername", "proto_name", "proto_ver", "reason", "sockname", "timestamp", "username"] },
    Event { name: "client.connack", topic: "$events/client_connack", doc: "the broker answered a CONNECT", columns_5_8: &["clean_start", "clientid", "conn_props", "connected_at", "event", "expiry_interval", "keepalive", "node", "peername", "proto_name", "proto_ver", "reason_code", "sockname", "timestamp", "username"], columns_4_3: &[] },
    Event { name: "client.check_authz_complete", topic: "$events/client_check_authz_complete", doc: "an authorization check ended", columns_5_8: &["action", "authz_source", "client_attrs", "clientid", "event", "node", "peerhost", "peername", "result", "timestamp", "topic", "username"], columns_4_3: &[] },
    Event { name: "client.check_authn_complete", topic: "$events/client_check_authn_complete", doc: "an authentication check ended", columns_5_8: &["client_attrs", "clientid", "event", "is_anonymous", "is_superuser", "node", "peername", "reason_code", "timestamp", "username"], columns_4_3: &[] },
    Event { name: "session.subscribed", topic: "$events/session_subscribed", doc: "a client subscribed", columns_5_8: &["client_attrs", "clientid", "event", "node", "peerhost", "peername", "qos", "sub_props", "timestamp", "topic", "username"], columns_4_3: &["clientid", "event", "node", "peerhost", "qos", "timestamp", "topic", "username"] },
    Event { name: "session.unsubscribed", topic: "$events/session_unsubscribed", doc: "a client unsubscribed", columns_5_8: &["client_attrs", "clientid", "event", "node", "peerhost", "peername", "qos", "timestamp", "topic", "unsub_props", "username"], columns_4_3: &["clientid", "event", "node", "peerhost", "qos", "timestamp", "topic", "username"] },
    Event { name: "alarm.activated", topic: "$events/sys/alarm_activated", doc: "an alarm was raised", columns_5_8: &["activated_at", "details", "event", "message", "name"], columns_4_3: &[] },
    Event { name: "alarm.deactivated", topic: "$events/sys/alarm_deactivated", doc: "an alarm was cleared", columns_5_8: &["activated_at", "deactivated_at", "details", "event", "message", "name"], columns_4_3: &[] },
    Event { name: "schema.validation_failed", topic: "$events/schema_validation_failed", doc: "a message failed its validation", columns_5_8: &["clientid", "event", "flags", "id", "node", "payload", "peerhost", "peername", "pub_props", "publish_received_at", "qos", "timestamp", "topic", "username", "validation"], columns_4_3: &[] },
    Event { name: "message.transformation_failed", topic: "$events/message_transformation_failed", doc: "a message failed its transformation", columns_5_8: &["clientid", "event", "flags", "id", "node", "payload", "peername", "pub_props", "publish_received_at", "qos", "timestamp", "topic", "username", "validation"], columns_4_3: &[] },
    Event { name: "$bridges/mqtt:*", topic: "$bridges/mqtt:*", doc: "a message came in over an MQTT bridge", columns_5_8: &["dup", "event", "id", "message_received_at", "node", "payload", "pub_props", "qos", "retain", "server", "timestamp", "topic"], columns_4_3: &[] },
];

/// Where the engine's columns are not the tester's: profile, event, columns that only the engine has, columns that
/// only the tester has.
#[rustfmt::skip]
pub const ENGINE_ONLY: &[(Profile, &str, &[&str], &[&str])] = &[
    (Profile::V5_8, "client.connected", &["receive_maximum"], &[]),
    (Profile::V5_8, "client.connack", &[], &["connected_at"]),
    (Profile::V5_8, "alarm.activated", &["node", "timestamp"], &[]),
    (Profile::V5_8, "alarm.deactivated", &["node", "timestamp"], &[]),
    (Profile::V5_8, "message.transformation_failed", &["transformation"], &["validation"]),
    (Profile::V4_3, "message.publish", &["pub_props"], &[]),
    (Profile::V4_3, "message.delivered", &["headers", "pub_props"], &[]),
    (Profile::V4_3, "message.acked", &["headers", "pub_props", "puback_props"], &[]),
    (Profile::V4_3, "message.dropped", &["headers", "pub_props"], &[]),
    (Profile::V4_3, "delivery.dropped", &["headers", "pub_props"], &[]),
    (Profile::V4_3, "client.connected", &["conn_props", "receive_maximum"], &[]),
    (Profile::V4_3, "client.disconnected", &["disconn_props"], &[]),
    (Profile::V4_3, "session.subscribed", &["sub_props"], &[]),
    (Profile::V4_3, "session.unsubscribed", &["unsub_props"], &[]),
];

/// All columns.
#[rustfmt::skip]
pub const COLUMNS: &[Column] = &[
    Column { name: "action", doc: "what the client asked to do: publish or subscribe", sample: Sample::Text("publish") },
    Column { name: "activated_at", doc: "when the alarm was raised, in ms", sample: Sample::Json("1736512728666") },
    Column { name: "authz_source", doc: "which authorizer decided", sample: Sample::Text("cache") },
    Column { name: "clean_start", doc: "the clean start flag of CONNECT", sample: Sample::Json(r#"true"#) },
    Column { name: "client_attrs", doc: "attributes that the broker gave the client", sample: Sample::Json(r#"{"test":"example"}"#) },
    Column { name: "clientid", doc: "client id; of the receiver in delivery events", sample: Sample::Text("c_emqx") },
    Column { name: "conn_props", doc: "MQTT 5 properties of CONNECT", sample: Sample::Json(r#"{"Receive-Maximum":32,"Session-Expiry-Interval":7200,"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "connected_at", doc: "when the client connected, in ms", sample: Sample::Now },
    Column { name: "deactivated_at", doc: "when the alarm was cleared, in ms", sample: Sample::Json("1736512728999") },
    Column { name: "details", doc: "what the alarm knows", sample: Sample::Json(r#"{"extra":"details"}"#) },
    Column { name: "disconn_props", doc: "MQTT 5 properties of DISCONNECT", sample: Sample::Json(r#"{"Reason-String":"Redirect to another server","Server Reference":"192.168.22.129","Session-Expiry-Interval":7200,"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "disconnected_at", doc: "when the client went, in ms", sample: Sample::Now },
    Column { name: "dup", doc: "the duplicate flag", sample: Sample::Json(r#"false"#) },
    Column { name: "event", doc: "name of the event, an atom", sample: Sample::Atom("client.connected") },
    Column { name: "expiry_interval", doc: "session expiry interval in seconds", sample: Sample::Json(r#"3600"#) },
    Column { name: "flags", doc: "flags of the message: retain, dup", sample: Sample::Json(r#"{}"#) },
    Column { name: "from_clientid", doc: "client id of the publisher", sample: Sample::Text("c_emqx_1") },
    Column { name: "from_username", doc: "user name of the publisher", sample: Sample::Text("u_emqx_1") },
    Column { name: "headers", doc: "internal headers of the message", sample: Sample::Undefined },
    Column { name: "id", doc: "message id", sample: Sample::Id },
    Column { name: "is_anonymous", doc: "whether the client has no identity", sample: Sample::Json(r#"false"#) },
    Column { name: "is_bridge", doc: "whether the client is a bridge", sample: Sample::Json(r#"false"#) },
    Column { name: "is_superuser", doc: "whether the client is a superuser", sample: Sample::Json(r#"true"#) },
    Column { name: "keepalive", doc: "keepalive in seconds", sample: Sample::Json(r#"60"#) },
    Column { name: "message", doc: "text of the alarm", sample: Sample::Text("something is wrong") },
    Column { name: "message_received_at", doc: "when the bridge received the message, in ms", sample: Sample::Now },
    Column { name: "mountpoint", doc: "topic prefix of the client", sample: Sample::Undefined },
    Column { name: "name", doc: "name of the alarm", sample: Sample::Text("alarm_name") },
    Column { name: "node", doc: "name of the broker's node, an atom", sample: Sample::Atom("emqx@127.0.0.1") },
    Column { name: "payload", doc: "payload of the message", sample: Sample::Text("{\"msg\": \"hello\"}") },
    Column { name: "peerhost", doc: "IP address of the client", sample: Sample::Text("192.168.0.10") },
    Column { name: "peername", doc: "IP address and port of the client", sample: Sample::Text("192.168.0.10:32781") },
    Column { name: "proto_name", doc: "name of the protocol", sample: Sample::Text("MQTT") },
    Column { name: "proto_ver", doc: "version of the protocol", sample: Sample::Json(r#"5"#) },
    Column { name: "pub_props", doc: "MQTT 5 properties of PUBLISH, user properties under User-Property", sample: Sample::Json(r#"{"Message-Expiry-Interval":30,"Payload-Format-Indicator":0,"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "puback_props", doc: "MQTT 5 properties of PUBACK", sample: Sample::Json(r#"{"Reason-String":"OK","User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "publish_received_at", doc: "when the broker received the message, in ms", sample: Sample::Now },
    Column { name: "qos", doc: "quality of service", sample: Sample::Json(r#"1"#) },
    Column { name: "reason", doc: "why it happened, an atom", sample: Sample::Atom("normal") },
    Column { name: "reason_code", doc: "reason code by name", sample: Sample::Atom("success") },
    Column { name: "receive_maximum", doc: "how many messages the client takes in flight", sample: Sample::Json(r#"32"#) },
    Column { name: "result", doc: "allow or deny", sample: Sample::Text("allow") },
    Column { name: "retain", doc: "the retain flag", sample: Sample::Json(r#"false"#) },
    Column { name: "server", doc: "address of the remote broker", sample: Sample::Text("192.168.0.10:1883") },
    Column { name: "sockname", doc: "IP address and port that the client connected to", sample: Sample::Text("0.0.0.0:1883") },
    Column { name: "sub_props", doc: "MQTT 5 properties of SUBSCRIBE", sample: Sample::Json(r#"{"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "timestamp", doc: "when the event happened, in ms", sample: Sample::Now },
    Column { name: "topic", doc: "topic of the message, or topic filter of the subscription", sample: Sample::Text("t/a") },
    Column { name: "transformation", doc: "name of the transformation", sample: Sample::Text("my_transformation") },
    Column { name: "unsub_props", doc: "MQTT 5 properties of UNSUBSCRIBE", sample: Sample::Json(r#"{"User-Property":{"foo":"bar"},"User-Property-Pairs":[{"key":"foo"},{"value":"bar"}]}"#, ) },
    Column { name: "username", doc: "user name, undefined when the client gave none", sample: Sample::Text("u_emqx") },
    Column { name: "validation", doc: "name of the validation or transformation", sample: Sample::Text("my_transformation") },
];

/// Samples that differ from their column's: profile, event, column.
#[rustfmt::skip]
pub const SAMPLES: &[(Profile, &str, &str, Sample)] = &[
    (Profile::V5_8, "message.delivered", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V5_8, "message.delivered", "username", Sample::Text("u_emqx_2")),
    (Profile::V5_8, "message.acked", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V5_8, "message.acked", "username", Sample::Text("u_emqx_2")),
    (Profile::V5_8, "message.dropped", "reason", Sample::Atom("no_subscribers")),
    (Profile::V5_8, "delivery.dropped", "reason", Sample::Atom("queue_full")),
    (Profile::V5_8, "delivery.dropped", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V5_8, "delivery.dropped", "username", Sample::Text("u_emqx_2")),
    (Profile::V5_8, "client.connected", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V5_8, "client.disconnected", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V5_8, "client.connack", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V5_8, "client.check_authn_complete", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V5_8, "client.check_authn_complete", "reason_code", Sample::Text("success")),
    (Profile::V5_8, "schema.validation_failed", "validation", Sample::Text("my_validation")),
    (Profile::V5_8, "message.transformation_failed", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V4_3, "message.publish", "payload", Sample::Text("{\"id\": 1, \"name\": \"ha\"}")),
    (Profile::V4_3, "message.publish", "peerhost", Sample::Text("127.0.0.1")),
    (Profile::V4_3, "message.publish", "flags", Sample::Json(r#"{"event":true,"sys":true}"#)),
    (Profile::V4_3, "message.delivered", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V4_3, "message.delivered", "username", Sample::Text("u_emqx_2")),
    (Profile::V4_3, "message.acked", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V4_3, "message.acked", "username", Sample::Text("u_emqx_2")),
    (Profile::V4_3, "message.dropped", "reason", Sample::Atom("no_subscribers")),
    (Profile::V4_3, "delivery.dropped", "reason", Sample::Atom("queue_full")),
    (Profile::V4_3, "delivery.dropped", "clientid", Sample::Text("c_emqx_2")),
    (Profile::V4_3, "delivery.dropped", "username", Sample::Text("u_emqx_2")),
    (Profile::V4_3, "client.connected", "peername", Sample::Text("192.168.0.10:56431")),
    (Profile::V4_3, "client.disconnected", "peername", Sample::Text("192.168.0.10:56431")),
];
