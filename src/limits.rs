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

/// Entries of `kv_store_put`'s and of `proc_dict_put`'s table: a rule that stores under ever new keys must not eat
/// the machine.
pub const STORE_ENTRIES_MAX: usize = 100_000;

/// Bytes of one record of a segment log. Room for a whole batch of HStreamDB records with its envelope.
pub const LOG_RECORD_BYTES_MAX: usize = 8 * RECORD_BYTES_MAX;

/// Bytes of the records that one write and one sync make durable together. A larger batch would not be
/// faster, and its torn remains at a crash would be longer.
pub const LOG_BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Records of one batch, so that a flood of tiny ones is answered in steps.
pub const LOG_BATCH_RECORDS_MAX: usize = 16 * 1024;

/// Bytes waiting for the disk. Above it an append is refused at once: the caller knows how to slow down.
pub const LOG_QUEUE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Bytes of a segment file before the next one starts: small enough to scan and to delete as one piece.
pub const LOG_SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Bytes between two entries of the in-memory index of a segment; a reader skips at most this much.
pub const LOG_INDEX_STRIDE_BYTES: u64 = 64 * 1024;

/// Bytes that a reader takes from a log in one step, so that a long backlog flows in pieces.
pub const LOG_READ_BYTES_MAX: usize = 1024 * 1024;

/// Streams of the HStreamDB stand-in: each has a file and a thread of its own.
pub const STREAMS_MAX: usize = 1024;

/// Names of deleted streams that are remembered, so that their record ids are never given again.
pub const STREAM_NAMES_MAX: usize = 64 * 1024;

/// Characters of a stream name, HStreamDB's own bound since v0.16.
pub const STREAM_NAME_CHARS_MAX: usize = 255;

/// Records of one append.
pub const APPEND_RECORDS_MAX: usize = 64 * 1024;

/// Bytes of one REST request body: a record of the largest size whose every byte is a JSON `\u00xx` escape,
/// and its envelope.
pub const HSTREAM_BODY_BYTES_MAX: usize = 6 * RECORD_BYTES_MAX + 64 * 1024;

/// Connections to the stand-in's REST port that are served at the same time; further ones wait.
pub const HSTREAM_CONNECTIONS_MAX: usize = 1024;

/// Push queries and followed readings that run at the same time.
pub const HSTREAM_QUERIES_MAX: usize = 256;

/// Chunks of a push query's answer that wait for a slow client before the query waits too.
pub const HSTREAM_CHUNKS_MAX: usize = 8;

/// Bytes of a line that the `hstream` client commands accept from a server.
pub const HSTREAM_LINE_BYTES_MAX: usize = 16 * RECORD_BYTES_MAX;

/// Powers of ten that SQL arithmetic on streams may span. A double spans 632; products need some more.
pub const DECIMAL_EXPONENT_MAX: i64 = 4096;

/// Bytes of one jq program. EMQX has no bound; the longest of its docs is under 1 KiB.
pub const JQ_PROGRAM_BYTES_MAX: usize = SQL_BYTES_MAX;

/// Nesting of a jq program: its parser and compiler recurse, and a thread's stack is finite.
pub const JQ_NESTING_MAX: usize = 128;

/// Instructions of a compiled jq program.
pub const JQ_OPS_MAX: usize = 256 * 1024;

/// Compiled jq programs that are kept: a rule has a handful, and a program can come from a payload.
pub const JQ_PROGRAMS_MAX: usize = 64;

/// Steps that a millisecond of a jq time limit is worth. EMQX's jq takes some 20 000 instructions in one.
pub const JQ_STEPS_PER_MS: u64 = 20_000;

/// Steps of one jq run under any time limit: a few seconds, and ten of them in a build without optimization.
pub const JQ_STEPS_MAX: u64 = 40_000_000;

/// Bytes of the values and frames of a jq run that are alive together, as counted: while an array of frames grows
/// the process takes up to three times as much.
pub const JQ_MEMORY_BYTES_MAX: usize = 128 * 1024 * 1024;

/// Bytes of the JSON of a jq run's outputs.
pub const JQ_OUTPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Nesting of JSON that jq 1.6 reads (`MAX_PARSING_DEPTH`); an open member counts as a level, as it does there.
pub const JQ_INPUT_DEPTH_MAX: usize = 256;

/// Nesting of JSON that jq 1.6 writes (`MAX_PRINT_DEPTH`); below it there is no value any more.
pub const JQ_PRINT_DEPTH_MAX: usize = 256;

/// Nesting of the values that jq's builtins compare, merge or set paths in: they recurse.
pub const JQ_DEPTH_MAX: usize = 1024;

/// Bytes of a regular expression in a jq program: what it compiles to can be far larger.
pub const JQ_PATTERN_BYTES_MAX: usize = 16 * 1024;

/// Compiled regular expressions that are kept between jq runs.
pub const JQ_PATTERNS_MAX: usize = 32;

/// Backtracks of a jq regular expression at one place of a text, where it is of the kind that backtracks.
pub const JQ_PATTERN_BACKTRACKS_MAX: u32 = 20_000;
