//! What happened in a broker besides a message being published, and the columns that rules see of it.
//!
//! The event table says which columns there are; here stands what each holds. What the embedded broker cannot know
//! reads as EMQX shows it for a client that has none: `client_attrs` is empty, `mountpoint` is undefined, `is_bridge` is
//! false. In `conn_props` a property that has its default value does not stand, written or not.
//!
//! Invariant: an occurrence has exactly the columns that [`Event::supplied`] names.

use std::net::SocketAddr;

use super::table::Event;
use super::{Message, Properties, by_name, message};
use crate::profile::Profile;
use crate::value::{Map, Value};

/// Properties of one packet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PacketProperties {
    /// Those with a name of MQTT's.
    pub named: Properties,
    /// User properties in order, duplicates kept.
    pub user: Vec<(String, String)>,
}

impl PacketProperties {
    fn column(&self) -> Value {
        Value::Map(message::properties_column(&self.named, &self.user))
    }
}

/// The client that it happened to: of a delivery, the receiver.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Client {
    /// Client id.
    pub clientid: String,
    /// User name; `None` is `undefined`.
    pub username: Option<String>,
    /// Where it comes from.
    pub peer: Option<SocketAddr>,
}

/// What CONNECT said, and what became of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Connection {
    /// The address that the client connected to.
    pub local: Option<SocketAddr>,
    /// `MQTT` or `MQIsdp`.
    pub proto_name: &'static str,
    /// 3, 4 or 5.
    pub proto_ver: u8,
    /// In seconds.
    pub keepalive: u16,
    /// Clean start, or clean session.
    pub clean_start: bool,
    /// How long the session outlives the connection.
    pub expiry_interval_s: u32,
    /// Messages in flight at once.
    pub receive_maximum: u16,
    /// Properties of CONNECT.
    pub properties: PacketProperties,
    /// When it was accepted, in milliseconds since the Unix epoch.
    pub connected_at_ms: i64,
    /// When it ended.
    pub disconnected_at_ms: Option<i64>,
}

/// What SUBSCRIBE or UNSUBSCRIBE named.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subscription {
    /// The filter, without `$share/GROUP/`.
    pub filter: String,
    /// The group of a shared subscription.
    pub group: Option<String>,
    /// Its quality of service.
    pub qos: u8,
}

impl Subscription {
    /// The filter as the client wrote it.
    pub fn written(&self) -> String {
        match &self.group {
            Some(group) => format!("$share/{group}/{}", self.filter),
            None => self.filter.clone(),
        }
    }
}

/// A check of what a client may do.
#[derive(Clone, Debug, PartialEq)]
pub enum Check {
    /// May it connect?
    Authentication {
        /// `success`, or why not.
        reason: &'static str,
        /// Nobody asked who it is.
        anonymous: bool,
    },
    /// May it do that?
    Authorization {
        /// `publish` or `subscribe`.
        action: &'static str,
        /// The topic, or the filter without `$share/GROUP/`.
        topic: String,
    },
}

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Occurrence {
    /// Its name: `client.connected`.
    pub event: &'static str,
    /// The client.
    pub client: Client,
    /// Of `client.*`, checks aside.
    pub connection: Option<Connection>,
    /// Of `client.check_*`.
    pub check: Option<Check>,
    /// Of `session.*`.
    pub subscription: Option<Subscription>,
    /// Of `message.*` and `delivery.*`.
    pub message: Option<Message>,
    /// `reason` or `reason_code`, by EMQX 5.8's name.
    pub reason: Option<&'static str>,
    /// Properties of DISCONNECT, SUBSCRIBE, UNSUBSCRIBE or PUBACK.
    pub properties: PacketProperties,
    /// When it happened, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// The broker's node name.
    pub node: String,
}

impl Occurrence {
    /// Something that happened to a client.
    pub fn new(event: &'static str, client: Client, at_ms: i64) -> Occurrence {
        Occurrence {
            event,
            client,
            connection: None,
            check: None,
            subscription: None,
            message: None,
            reason: None,
            properties: PacketProperties::default(),
            at_ms,
            node: "emqx@127.0.0.1".to_owned(),
        }
    }

    /// What stands in FROM; none for an event that nobody knows.
    pub fn topic(&self) -> Option<&'static str> {
        by_name(self.event).map(|event: &Event| event.topic)
    }

    /// Its columns, without `metadata`; none where the profile does not have the event.
    pub fn columns(&self, profile: Profile) -> Map {
        let names = by_name(self.event).map(|event| event.supplied(profile)).unwrap_or_default();
        let column = |name: &'static str| (Value::static_atom(name), self.column(name, profile));
        Map::from_entries(names.into_iter().map(column).collect())
    }

    fn column(&self, name: &str, profile: Profile) -> Value {
        match name {
            "event" => Value::static_atom(self.event),
            "timestamp" => self.at_ms.into(),
            "node" => Value::atom(&self.node),
            "clientid" => Value::str(&self.client.clientid),
            "username" => optional(self.client.username.as_deref()),
            "peerhost" => self.client.peer.map_or(Value::Undefined, |peer| Value::str(host(peer))),
            "peername" => self.client.peer.map_or(Value::Undefined, |peer| Value::str(name_of(peer))),
            "reason" | "reason_code" if self.check.is_none() => self.reason(profile),
            "client_attrs" => Map::new().into(),
            "disconn_props" | "sub_props" | "unsub_props" | "puback_props" => self.properties.column(),
            "topic" if self.subscription.is_some() => self.subscribed(profile),
            "qos" if self.subscription.is_some() => {
                self.subscription.as_ref().map_or(Value::Undefined, |s| i64::from(s.qos).into())
            }
            _ => match (&self.connection, &self.check, &self.message) {
                (Some(connection), ..) => self.connection(connection, name),
                (_, Some(check), _) => of_check(check, name),
                (.., Some(message)) => of_message(message, name),
                _ => Value::Undefined,
            },
        }
    }

    fn connection(&self, connection: &Connection, name: &str) -> Value {
        match name {
            "sockname" => connection.local.map_or(Value::Undefined, |local| Value::str(name_of(local))),
            "proto_name" => Value::str(connection.proto_name),
            "proto_ver" => i64::from(connection.proto_ver).into(),
            "keepalive" => i64::from(connection.keepalive).into(),
            "clean_start" => connection.clean_start.into(),
            // 5.8 keeps milliseconds and forgets to divide here (emqx_rule_events:eventmsg_connack).
            "expiry_interval" if self.event == "client.connack" => {
                (i64::from(connection.expiry_interval_s) * 1000).into()
            }
            "expiry_interval" => i64::from(connection.expiry_interval_s).into(),
            "receive_maximum" => i64::from(connection.receive_maximum).into(),
            "conn_props" => connection.properties.column(),
            "connected_at" => connection.connected_at_ms.into(),
            "disconnected_at" => connection.disconnected_at_ms.map_or(Value::Undefined, Value::Int),
            "is_bridge" => false.into(),
            _ => Value::Undefined,
        }
    }

    fn reason(&self, profile: Profile) -> Value {
        match (self.reason, profile) {
            (Some("takenover"), Profile::V4_3) => Value::static_atom("takeovered"),
            (Some(reason), _) => Value::static_atom(reason),
            (None, _) => Value::Undefined,
        }
    }

    /// 5.8 shows a shared subscription as it was written, 4.3 its filter alone.
    fn subscribed(&self, profile: Profile) -> Value {
        let Some(subscription) = &self.subscription else { return Value::Undefined };
        if profile.is_5_8() { Value::str(subscription.written()) } else { Value::str(&subscription.filter) }
    }
}

/// The reason of an authentication is text, those of other events are atoms (emqx_rule_events:force_to_bin). Nobody is
/// a superuser here, and nothing is denied: what EMQX answers without a rule of its own is `allow`, from `default`
/// (emqx_access_control:do_authorize).
fn of_check(check: &Check, name: &str) -> Value {
    match (check, name) {
        (Check::Authentication { reason, .. }, "reason_code") => Value::str(reason),
        (Check::Authentication { anonymous, .. }, "is_anonymous") => (*anonymous).into(),
        (Check::Authentication { .. }, "is_superuser") => false.into(),
        (Check::Authorization { action, .. }, "action") => Value::static_atom(action),
        (Check::Authorization { topic, .. }, "topic") => Value::str(topic),
        (Check::Authorization { .. }, "authz_source") => Value::static_atom("default"),
        (Check::Authorization { .. }, "result") => Value::static_atom("allow"),
        _ => Value::Undefined,
    }
}

fn of_message(message: &Message, name: &str) -> Value {
    match name {
        "id" => Value::str(&message.id),
        "from_clientid" => Value::str(&message.clientid),
        "from_username" => optional(message.username.as_deref()),
        "payload" => Value::Str(message.payload.clone()),
        "topic" => Value::str(&message.topic),
        "qos" => i64::from(message.qos).into(),
        "flags" => message.flags().into(),
        "pub_props" => message.pub_props().into(),
        "headers" => message.headers().into(),
        "publish_received_at" => message.publish_received_at_ms.into(),
        _ => Value::Undefined,
    }
}

fn optional(text: Option<&str>) -> Value {
    text.map_or(Value::Undefined, Value::str)
}

/// An IP address as EMQX writes it (emqx_utils:ntoa).
pub fn host(addr: SocketAddr) -> String {
    addr.ip().to_canonical().to_string()
}

/// IP address and port as EMQX writes them: no brackets around IPv6.
pub fn name_of(addr: SocketAddr) -> String {
    format!("{}:{}", host(addr), addr.port())
}

#[cfg(test)]
mod tests {
    use super::super::EVENTS;
    use super::*;

    fn occurrence(event: &'static str) -> Occurrence {
        let client = Client {
            clientid: "c".to_owned(),
            username: Some("u".to_owned()),
            peer: Some("[::ffff:10.0.0.1]:4000".parse().unwrap()),
        };
        let mut occurrence = Occurrence::new(event, client, 7);
        match event.split('.').next() {
            _ if event == "client.check_authn_complete" => {
                let reason = "not_authorized";
                occurrence.check = Some(Check::Authentication { reason, anonymous: false });
            }
            _ if event == "client.check_authz_complete" => {
                let topic = "t/#".to_owned();
                occurrence.check = Some(Check::Authorization { action: "subscribe", topic });
            }
            Some("client") => {
                occurrence.connection = Some(Connection {
                    local: Some("[::1]:1883".parse().unwrap()),
                    proto_name: "MQTT",
                    proto_ver: 5,
                    expiry_interval_s: 60,
                    disconnected_at_ms: Some(9),
                    ..Connection::default()
                });
            }
            Some("session") => {
                let group = Some("g".to_owned());
                occurrence.subscription = Some(Subscription { filter: "t/+".to_owned(), group, qos: 1 });
            }
            _ => {
                let username = Some("p".to_owned());
                occurrence.message = Some(Message { username, ..Message::new("t", "x") });
            }
        }
        occurrence.reason = Some("takenover");
        occurrence
    }

    #[test]
    fn every_column_of_the_table_is_filled() {
        let supplied = ["client.connected", "client.disconnected", "client.connack", "session.subscribed"]
            .into_iter()
            .chain(["session.unsubscribed", "message.delivered", "message.acked", "message.dropped"])
            .chain(["delivery.dropped", "client.check_authn_complete", "client.check_authz_complete"]);
        for name in supplied {
            let event = EVENTS.iter().find(|event| event.name == name).unwrap();
            for profile in Profile::ALL {
                let columns = occurrence(event.name).columns(profile);
                assert_eq!(columns.len(), event.supplied(profile).len(), "{name}");
                for column in event.supplied(profile) {
                    let value = columns.get_named(column.as_bytes()).unwrap();
                    let known = *value != Value::Undefined;
                    assert_eq!(known, column != "mountpoint", "{name} {column} in {profile}");
                }
            }
        }
    }

    #[test]
    fn values_are_those_of_each_profile() {
        for (event, column, new, old) in [
            ("client.disconnected", "reason", "takenover", "takeovered"),
            ("session.subscribed", "topic", "$share/g/t/+", "t/+"),
            ("client.connected", "peername", "10.0.0.1:4000", "10.0.0.1:4000"),
            ("client.connected", "sockname", "::1:1883", "::1:1883"),
            ("client.connected", "expiry_interval", "60", "60"),
            ("client.connack", "expiry_interval", "60000", ""),
            ("message.delivered", "from_username", "p", "p"),
            ("client.check_authn_complete", "reason_code", "not_authorized", ""),
            ("client.check_authz_complete", "action", "subscribe", ""),
        ] {
            for (profile, expected) in [(Profile::V5_8, new), (Profile::V4_3, old)] {
                let columns = occurrence(event).columns(profile);
                let shown = columns.get_named(column.as_bytes()).map(crate::value::encode::to_display);
                let shown = shown.map(|text| text.trim_matches('"').to_owned()).unwrap_or_default();
                assert_eq!(shown, expected, "{event} {column}");
            }
        }
    }
}
