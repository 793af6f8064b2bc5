//! Every key that EMQX 5.8 has under `rule_engine`, `actions`, `connectors` and `schema_registry`, with the kind of
//! its value and its default: one table, read by the loader, the docs and the schemas.
//!
//! Taken from emqx_rule_engine_schema, emqx_bridge_v2_schema, emqx_bridge_http_schema, emqx_bridge_hstreamdb,
//! emqx_resource_schema, emqx_connector_schema, emqx_schema_registry_schema and emqx_schema (`ssl_client_opts`).

/// A key and its value.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub kind: Kind,
    /// The default as EMQX documents it, where it has one that counts here.
    pub default: Option<&'static str>,
    /// Must it be there? The loader asks for it where it reads the map.
    pub required: bool,
}

/// Kinds of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Bool,
    /// An integer from this one on.
    Int(i64),
    /// `5s`, `100ms`.
    Duration,
    /// A duration or `infinity`.
    DurationOrInfinity,
    /// `256MB`.
    Bytes,
    /// A string.
    Text,
    /// A list of strings.
    Texts,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// Read by its own reader, or by nobody.
    Any,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, default: None, required: false }
}

const fn with(name: &'static str, kind: Kind, default: &'static str) -> Key {
    Key { name, kind, default: Some(default), required: false }
}

const fn must(name: &'static str, kind: Kind) -> Key {
    Key { name, kind, default: None, required: true }
}

/// The roots that hold what rulemill reads.
pub const ROOTS: &[&str] = &["rule_engine", "actions", "connectors", "schema_registry", "rulemill"];

/// `rule_engine`.
pub const RULE_ENGINE: &[Key] = &[
    with("ignore_sys_message", Kind::Bool, "true"),
    with("jq_function_default_timeout", Kind::Duration, "10s"),
    key("jq_implementation_module", Kind::OneOf(&["jq_nif", "jq_port"])),
    key("rules", Kind::Any),
];

/// `rule_engine.rules.ID`.
pub const RULE: &[Key] = &[
    key("name", Kind::Text),
    must("sql", Kind::Text),
    key("actions", Kind::Any),
    with("enable", Kind::Bool, "true"),
    key("description", Kind::Text),
    key("metadata", Kind::Any),
];

/// An item of a rule's `actions` that is a map.
pub const FUNCTION: &[Key] = &[must("function", Kind::Text), key("args", Kind::Any)];

/// `args` of the function `republish`.
pub const REPUBLISH: &[Key] = &[
    must("topic", Kind::Text),
    with("qos", Kind::Any, "${qos}"),
    with("retain", Kind::Any, "${retain}"),
    with("payload", Kind::Text, "${payload}"),
    key("mqtt_properties", Kind::Any),
    with("user_properties", Kind::Text, "${user_properties}"),
    with("direct_dispatch", Kind::Any, "false"),
];

/// `mqtt_properties` of the function `republish`.
pub const MQTT_PROPERTIES: &[Key] = &[
    key("Payload-Format-Indicator", Kind::Text),
    key("Message-Expiry-Interval", Kind::Text),
    key("Content-Type", Kind::Text),
    key("Response-Topic", Kind::Text),
    key("Correlation-Data", Kind::Text),
];

/// `actions.TYPE.NAME`.
pub const ACTION: &[Key] = &[
    with("enable", Kind::Bool, "true"),
    must("connector", Kind::Text),
    key("tags", Kind::Texts),
    key("description", Kind::Text),
    key("created_at", Kind::Int(0)),
    key("last_modified_at", Kind::Int(0)),
    key("local_topic", Kind::Text),
    key("parameters", Kind::Any),
    key("resource_opts", Kind::Any),
];

/// `resource_opts` of actions, aliases and deprecated keys included.
pub const ACTION_OPTIONS: &[Key] = &[
    with("worker_pool_size", Kind::Int(1), "16"),
    with("health_check_interval", Kind::Duration, "15s"),
    key("resume_interval", Kind::Duration),
    key("metrics_flush_interval", Kind::Duration),
    with("query_mode", Kind::OneOf(&["async", "sync"]), "async"),
    with("request_ttl", Kind::DurationOrInfinity, "45s"),
    key("request_timeout", Kind::DurationOrInfinity),
    with("inflight_window", Kind::Int(1), "100"),
    key("async_inflight_window", Kind::Int(1)),
    with("batch_size", Kind::Int(1), "1"),
    with("batch_time", Kind::Duration, "0ms"),
    with("max_buffer_bytes", Kind::Bytes, "256MB"),
    key("max_queue_bytes", Kind::Bytes),
    with("buffer_mode", Kind::OneOf(&["memory_only", "volatile_offload"]), "memory_only"),
    key("buffer_seg_bytes", Kind::Bytes),
    key("enable_batch", Kind::Bool),
    key("enable_queue", Kind::Bool),
    key("auto_restart_interval", Kind::DurationOrInfinity),
    key("start_after_created", Kind::Bool),
    key("start_timeout", Kind::Duration),
];

/// `parameters` of `http` actions.
pub const HTTP_PARAMETERS: &[Key] = &[
    key("path", Kind::Text),
    with("method", Kind::OneOf(&["post", "put", "get", "delete"]), "post"),
    key("headers", Kind::Any),
    key("body", Kind::Text),
    with("max_retries", Kind::Int(0), "2"),
    key("request_timeout", Kind::Duration),
];

/// `parameters` of `hstreamdb` actions.
pub const HSTREAMDB_PARAMETERS: &[Key] = &[
    must("stream", Kind::Text),
    with("partition_key", Kind::Text, ""),
    with("record_template", Kind::Text, "${payload}"),
    with("grpc_flush_timeout", Kind::Duration, "10s"),
    with("aggregation_pool_size", Kind::Int(1), "8"),
    with("max_batches", Kind::Int(1), "500"),
    with("writer_pool_size", Kind::Int(1), "8"),
    with("batch_size", Kind::Int(1), "100"),
    with("batch_interval", Kind::Duration, "500ms"),
];

/// `connectors.http.NAME`.
pub const HTTP_CONNECTOR: &[Key] = &[
    with("enable", Kind::Bool, "true"),
    key("tags", Kind::Texts),
    key("description", Kind::Text),
    must("url", Kind::Text),
    key("headers", Kind::Any),
    with("connect_timeout", Kind::Duration, "15s"),
    key("retry_interval", Kind::Duration),
    with("pool_type", Kind::OneOf(&["random", "hash"]), "random"),
    with("pool_size", Kind::Int(1), "8"),
    with("enable_pipelining", Kind::Int(1), "100"),
    key("request", Kind::Any),
    key("ssl", Kind::Any),
    key("resource_opts", Kind::Any),
];

/// `connectors.hstreamdb.NAME`.
pub const HSTREAMDB_CONNECTOR: &[Key] = &[
    with("enable", Kind::Bool, "true"),
    key("tags", Kind::Texts),
    key("description", Kind::Text),
    with("url", Kind::Text, "http://127.0.0.1:6570"),
    with("grpc_timeout", Kind::Duration, "30s"),
    key("ssl", Kind::Any),
    key("resource_opts", Kind::Any),
];

/// `resource_opts` of connectors.
pub const CONNECTOR_OPTIONS: &[Key] = &[
    with("health_check_interval", Kind::Duration, "15s"),
    with("start_after_created", Kind::Bool, "true"),
    with("start_timeout", Kind::Duration, "5s"),
];

/// `ssl` of connectors.
pub const SSL: &[Key] = &[
    with("enable", Kind::Bool, "false"),
    key("cacertfile", Kind::Text),
    key("cacerts", Kind::Bool),
    key("certfile", Kind::Text),
    key("keyfile", Kind::Text),
    with("verify", Kind::OneOf(&["verify_none", "verify_peer"]), "verify_none"),
    key("reuse_sessions", Kind::Bool),
    key("depth", Kind::Int(0)),
    key("password", Kind::Text),
    key("versions", Kind::Texts),
    key("ciphers", Kind::Any),
    key("secure_renegotiate", Kind::Bool),
    key("log_level", Kind::Text),
    key("hibernate_after", Kind::Duration),
    key("server_name_indication", Kind::Text),
    key("user_lookup_fun", Kind::Text),
    key("partial_chain", Kind::Any),
    key("verify_peer_ext_key_usage", Kind::Text),
];

/// `schema_registry`.
pub const SCHEMA_REGISTRY: &[Key] = &[key("external", Kind::Any), key("schemas", Kind::Any)];

/// `schema_registry.external.NAME`.
pub const EXTERNAL_REGISTRY: &[Key] = &[
    with("type", Kind::OneOf(&["confluent"]), "confluent"),
    must("url", Kind::Text),
    with("auth", Kind::Any, "none"),
];

/// `schema_registry.schemas.NAME`.
pub const SCHEMA: &[Key] = &[
    must("type", Kind::OneOf(&["avro", "protobuf", "json"])),
    must("source", Kind::Text),
    key("description", Kind::Text),
];

/// `rulemill`: what EMQX has no key for.
pub const RULEMILL: &[Key] = &[key("hstreamdb", Kind::Any), key("lints", Kind::Any)];

/// `rulemill.hstreamdb.CONNECTOR`.
pub const RULEMILL_HSTREAMDB: &[Key] = &[with("api", Kind::OneOf(&["grpc", "rest"]), "grpc")];

/// Action types of EMQX 5.8, with the connector type where it has another name.
pub const ACTION_TYPES: &[&str] = &[
    "azure_blob_storage",
    "azure_event_hub_producer",
    "cassandra",
    "clickhouse",
    "confluent_producer",
    "couchbase",
    "datalayers",
    "dynamo",
    "elasticsearch",
    "gcp_pubsub_producer",
    "greptimedb",
    "hstreamdb",
    "http",
    "influxdb",
    "iotdb",
    "kafka_producer",
    "kinesis",
    "matrix",
    "mongodb",
    "mqtt",
    "mysql",
    "opents",
    "oracle",
    "pgsql",
    "pulsar",
    "rabbitmq",
    "redis",
    "rocketmq",
    "s3",
    "snowflake",
    "sqlserver",
    "syskeeper_forwarder",
    "tablestore",
    "tdengine",
    "timescale",
];

/// Connector types that are not action types.
pub const SOURCE_CONNECTOR_TYPES: &[&str] = &["gcp_pubsub_consumer", "kafka_consumer", "syskeeper_proxy"];

/// Older type names that EMQX 5.8 still takes in a rule's `actions` and as keys
/// (emqx_bridge_lib:upgrade_type/1; the schemas' aliases).
pub const ALIASES: &[(&str, &str)] = &[
    ("webhook", "http"),
    ("kafka", "kafka_producer"),
    ("gcp_pubsub", "gcp_pubsub_producer"),
    ("kinesis_producer", "kinesis"),
    ("pulsar_producer", "pulsar"),
    ("mongodb_rs", "mongodb"),
    ("mongodb_sharded", "mongodb"),
    ("mongodb_single", "mongodb"),
    ("influxdb_api_v1", "influxdb"),
    ("influxdb_api_v2", "influxdb"),
    ("redis_single", "redis"),
    ("redis_sentinel", "redis"),
    ("redis_cluster", "redis"),
];

/// A type's present name.
pub fn upgraded(name: &str) -> &str {
    ALIASES.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// The names of a table.
pub fn names(table: &[Key]) -> Vec<&'static str> {
    table.iter().map(|key| key.name).collect()
}

/// May this be the id of a rule, action or connector? EMQX takes letters, digits, `_` and `-`, the first a letter
/// or digit (emqx_resource:validate_name/2, hocon's map keys).
pub fn is_id(name: &str) -> bool {
    let inner = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    name.len() < 255
        && name.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
        && name.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_no_name_twice() {
        let tables = [
            RULE_ENGINE,
            RULE,
            FUNCTION,
            REPUBLISH,
            MQTT_PROPERTIES,
            ACTION,
            ACTION_OPTIONS,
            HTTP_PARAMETERS,
            HSTREAMDB_PARAMETERS,
            HTTP_CONNECTOR,
            HSTREAMDB_CONNECTOR,
            CONNECTOR_OPTIONS,
            SSL,
            SCHEMA_REGISTRY,
            EXTERNAL_REGISTRY,
            SCHEMA,
            RULEMILL,
            RULEMILL_HSTREAMDB,
        ];
        for table in tables {
            let mut seen = names(table);
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), table.len(), "{table:?}");
        }
        assert!(ACTION_TYPES.is_sorted());
        assert!(ALIASES.iter().all(|(_, new)| ACTION_TYPES.contains(new)));
    }

    #[test]
    fn ids() {
        assert!(is_id("a") && is_id("0-a_B") && is_id(&"a".repeat(254)));
        assert!(!is_id("") && !is_id("_a") && !is_id("a.b") && !is_id("é") && !is_id(&"a".repeat(255)));
    }
}
