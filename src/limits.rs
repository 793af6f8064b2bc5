//! Every bound of rulemill, each with its reason. A test stands at each bound and one past it.

/// Bytes of one rule SQL. EMQX itself has no bound; the longest rule seen in its docs is under 2 KiB.
pub const SQL_BYTES_MAX: usize = 64 * 1024;

/// Nesting of expressions: the parser and the evaluator recurse, and a thread's stack is finite.
pub const SQL_DEPTH_MAX: usize = 128;

/// Second readings of parentheses in conditions; each may read the rest of the statement again.
pub const SQL_RETRIES_MAX: usize = 64;

/// Nesting of JSON documents. The encoder and the nested functions recurse.
pub const JSON_DEPTH_MAX: usize = 512;

/// Elements of a range literal or a list that a function makes: `[1..1000000000]` must not eat the machine.
pub const LIST_LENGTH_MAX: usize = 1_000_000;

/// Bytes of one text that a function makes (`pad`, `sprintf`, `replace`, …).
pub const TEXT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bits of an integer that an expression makes (`bitsl`, `*`): EMQX would go on until memory is gone.
pub const INTEGER_BITS_MAX: u64 = 1 << 20;

/// Bytes of one HStreamDB record, the server's own default `max-record-size`.
pub const RECORD_BYTES_MAX: usize = 1024 * 1024;

/// Bytes of one MQTT message, EMQX's default `mqtt.max_packet_size`.
pub const MESSAGE_BYTES_MAX: usize = 1024 * 1024;

/// MQTT connections at once. Each costs two sockets and two tasks; one machine's rule tester needs few.
pub const CONNECTIONS_MAX: usize = 10_000;

/// QoS 1 and 2 messages that one MQTT client may have unacknowledged. rmqtt's own default of 16 disconnects
/// QoS 2 clients with a bigger window.
pub const INFLIGHT_MAX: u16 = 1000;

/// Messages that wait for one slow subscriber, EMQX's default `mqtt.max_mqueue_len`.
pub const SUBSCRIBER_QUEUE_MAX: usize = 1000;

/// Topic aliases of one MQTT 5 connection.
pub const TOPIC_ALIASES_MAX: u16 = 128;

/// Retained messages. They live in memory and only a client can remove them.
pub const RETAINED_MESSAGES_MAX: usize = 100_000;

/// Bytes of all retained payloads.
pub const RETAINED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Lines of a `--users` file.
pub const USERS_MAX: usize = 100_000;

/// Lanes of one action: as many deliveries run side by side, EMQX's default `worker_pool_size`.
pub const LANES: usize = 16;

/// Deliveries that wait in one lane. A full lane holds its publishers back.
pub const LANE_QUEUE_MAX: usize = 256;

/// Kibibytes that wait for one action, in all its lanes: 256 large messages a lane would be 4 GiB.
pub const ACTION_QUEUE_KIB_MAX: u32 = 64 * 1024;

/// Bytes read of an HTTP answer; only the start is of use in a log.
pub const HTTP_ANSWER_BYTES_MAX: usize = 64 * 1024;

/// How often one message may be republished in a chain: rules that feed one another would go on for ever.
pub const REPUBLISH_DEPTH_MAX: usize = 16;

/// Republished messages that a `--broker` may still send back to us. Older ones are forgotten first.
pub const ECHOES_MAX: usize = 10_000;

/// Messages of a `--broker` that wait for the rules: as many as there are packet ids, so that one that must be
/// acknowledged always finds a place. QoS 0 may take half of it; beyond, it is counted as lost.
pub const SOURCE_QUEUE_MAX: usize = 2 * 65_536;

/// Payload bytes that wait for the rules before messages of QoS 0 are counted as lost.
pub const SOURCE_QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;
