//! One published MQTT message, as a broker hands it to the rule engine.

use crate::profile::Profile;
use crate::value::{Bytes, Map, Value};

/// MQTT 5 publish properties under their MQTT names (`Content-Type`, `Message-Expiry-Interval`, …).
pub type Properties = Vec<(String, Value)>;

/// Which action republished a message: of the rule that its `clientid` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Republished {
    /// The action's position among the rule's actions.
    pub position: usize,
    /// How many messages stand before it in the chain.
    pub depth: usize,
}

/// A published message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    /// EMQX's message id, 16 bytes as upper-case hex.
    pub id: String,
    /// Topic name.
    pub topic: String,
    /// Payload bytes.
    pub payload: Bytes,
    /// Quality of service, 0 to 2.
    pub qos: u8,
    /// The retain flag.
    pub retain: bool,
    /// The duplicate flag.
    pub dup: bool,
    /// Publisher's client id.
    pub clientid: String,
    /// Publisher's user name; `None` is `undefined`.
    pub username: Option<String>,
    /// Publisher's IP address.
    pub peerhost: Option<String>,
    /// Publisher's address with port.
    pub peername: Option<String>,
    /// MQTT 5 properties other than user properties.
    pub properties: Properties,
    /// MQTT 5 user properties in order, duplicates kept.
    pub user_properties: Vec<(String, String)>,
    /// When the message was made, in milliseconds since the Unix epoch.
    pub timestamp_ms: i64,
    /// When the broker received it.
    pub publish_received_at_ms: i64,
    /// The broker's node name.
    pub node: String,
    /// Set when a rule published it.
    pub republished: Option<Republished>,
}

impl Message {
    /// A message with what a broker always supplies.
    pub fn new(topic: impl Into<String>, payload: impl Into<Bytes>) -> Message {
        Message {
            id: "00000000000000000000000000000000".to_owned(),
            topic: topic.into(),
            payload: payload.into(),
            qos: 0,
            retain: false,
            dup: false,
            clientid: "c_test".to_owned(),
            username: None,
            peerhost: Some("127.0.0.1".to_owned()),
            peername: None,
            properties: Vec::new(),
            user_properties: Vec::new(),
            timestamp_ms: 0,
            publish_received_at_ms: 0,
            node: "emqx@127.0.0.1".to_owned(),
            republished: None,
        }
    }

    /// The columns of `message.publish` (emqx_rule_events:eventmsg_publish), without `metadata`.
    pub fn columns(&self, profile: Profile) -> Map {
        let text = |s: &str| Value::str(s);
        let optional = |s: &Option<String>| s.as_deref().map_or(Value::Undefined, Value::str);
        let mut columns = Map::of_columns([
            ("clientid", text(&self.clientid)),
            ("event", Value::static_atom("message.publish")),
            ("flags", self.flags().into()),
            ("id", text(&self.id)),
            ("node", Value::Atom(Bytes::copy_from_slice(self.node.as_bytes()))),
            ("payload", Value::Str(self.payload.clone())),
            ("peerhost", optional(&self.peerhost)),
            ("pub_props", self.pub_props().into()),
            ("publish_received_at", self.publish_received_at_ms.into()),
            ("qos", i64::from(self.qos).into()),
            ("timestamp", self.timestamp_ms.into()),
            ("topic", text(&self.topic)),
            ("username", optional(&self.username)),
        ]);
        match profile {
            Profile::V4_3 => columns.insert_column("headers", self.headers().into()),
            Profile::V5_8 => {
                columns.insert_column("peername", optional(&self.peername));
                columns.insert_column("client_attrs", Map::new().into());
            }
        }
        columns
    }

    /// `pub_props`: the MQTT 5 properties with the user properties as a map, and as pairs when there are any
    /// (emqx_rule_events:printable_maps).
    pub fn pub_props(&self) -> Map {
        properties_column(&self.properties, &self.user_properties)
    }

    /// The `flags` column.
    pub(super) fn flags(&self) -> Map {
        Map::of_columns([("dup", self.dup.into()), ("retain", self.retain.into())])
    }

    /// The `headers` column of 4.3.
    pub(super) fn headers(&self) -> Map {
        let optional = |s: &Option<String>| s.as_deref().map_or(Value::Undefined, Value::str);
        Map::of_columns([
            ("peerhost", optional(&self.peerhost)),
            ("properties", self.pub_props().into()),
            ("username", optional(&self.username)),
        ])
    }
}

/// Properties of a packet as a column: user properties as a map, and as pairs when there are any.
pub(super) fn properties_column(properties: &Properties, user: &[(String, String)]) -> Map {
    let atom = |name: &str| Value::atom(name);
    let mut props: Vec<(Value, Value)> =
        properties.iter().map(|(name, value)| (atom(name), value.clone())).collect();
    let users = user.iter().map(|(k, v)| (Value::str(k), Value::str(v))).collect();
    props.push((atom("User-Property"), Value::Map(Map::from_entries(users))));
    if !user.is_empty() {
        let pair = |(k, v): &(String, String)| {
            Value::Map(Map::of_columns([("key", Value::str(k)), ("value", Value::str(v))]))
        };
        props.push((atom("User-Property-Pairs"), Value::list(user.iter().map(pair).collect())));
    }
    Map::from_entries(props)
}
