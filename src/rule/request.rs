//! What an action asks a sink to do, with every template rendered.

use crate::value::{Bytes, Value};

/// One rendered action.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// An HTTP request of a `http` action.
    Http {
        /// The connector's name.
        connector: String,
        /// `POST`, `PUT`, `GET` or `DELETE`.
        method: String,
        /// Connector URL and path joined.
        url: String,
        /// In the order they are sent.
        headers: Vec<(String, String)>,
        /// The body; none for GET and DELETE.
        body: Option<Bytes>,
    },
    /// A message to publish.
    Republish {
        /// Topic name.
        topic: String,
        /// Quality of service.
        qos: u8,
        /// The retain flag.
        retain: bool,
        /// Payload.
        payload: Bytes,
        /// MQTT 5 properties, under their MQTT names.
        properties: Vec<(String, Value)>,
        /// MQTT 5 user properties in order.
        user_properties: Vec<(String, String)>,
        /// Delivered without running rules again.
        direct_dispatch: bool,
    },
    /// One HStreamDB record.
    Hstreamdb {
        /// The connector's name.
        connector: String,
        /// Stream name.
        stream: String,
        /// Partition key.
        partition_key: String,
        /// Record bytes.
        record: Bytes,
    },
    /// A line for the console.
    Console {
        /// The selected output.
        data: Value,
    },
    /// An action that rulemill renders but does not deliver.
    Params {
        /// Its type, `kafka_producer`, `mysql`, ….
        kind: String,
        /// Its rendered parameters.
        params: Value,
    },
}

impl Request {
    /// The word for its kind in tests and logs.
    pub fn kind(&self) -> &str {
        match self {
            Request::Http { .. } => "http",
            Request::Republish { .. } => "republish",
            Request::Hstreamdb { .. } => "hstreamdb",
            Request::Console { .. } => "console",
            Request::Params { kind, .. } => kind,
        }
    }
}
