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

/// Bytes of all that the operators and functions of a rule make for one message, shared parts counted wherever they
/// stand, and of the JSON of one value: a FOREACH over a long list, or forty times `[a, a]`, would go on for ever.
pub const MADE_BYTES_MAX: usize = 512 * 1024 * 1024;

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

/// Bytes of one MQTT 5 connection's SUBSCRIBE, UNSUBSCRIBE and PUBACK packets, of each kind, whose properties wait for
/// their event.
pub const OVERHEARD_BYTES_MAX: usize = 1024 * 1024;

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

/// Messages that wait to be recorded; publishers wait behind them.
pub const RECORD_QUEUE_MAX: usize = 1_024;

/// Bytes of one rule file, test file or fixture list. A configuration of 10,000 rules is smaller.
pub const DOCUMENT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Nesting of YAML and JSON files: readers and whoever walks the tree recurse.
pub const DOCUMENT_DEPTH_MAX: usize = 64;

/// Nodes of one file, an alias counted as all that it stands for: few anchors can describe billions of nodes.
pub const DOCUMENT_NODES_MAX: usize = 200_000;

/// Digits of a number in a file: turning digits into an integer takes time that grows with their square.
pub const DOCUMENT_DIGITS_MAX: usize = 4096;

/// Files of one command: a folder named by mistake (`/`) ends with a sentence, not with the machine's memory.
pub const FILES_MAX: usize = 10_000;

/// Folders within folders that are searched for files.
pub const FOLDER_DEPTH_MAX: usize = 32;

/// Bytes of a fixture file: sixteen times the largest MQTT message that EMQX takes by default.
pub const FIXTURE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Items that `$unordered` and `$contains` hold against each other: the work grows with their square.
pub const UNORDERED_ITEMS_MAX: usize = 1_000;

/// Characters of one value in a failing test's report; the whole value is in `--format json`.
pub const REPORT_VALUE_CHARS_MAX: usize = 400;

/// Lines of a rule's SQL in a failing test's report.
pub const REPORT_SQL_LINES_MAX: usize = 24;

/// Messages that one message may lead to when a test chains rules: two rules that feed each other never end.
pub const CHAIN_MESSAGES_MAX: usize = 1_000;

/// Entries of `kv_store_put`'s and of `proc_dict_put`'s table: a rule that stores under ever new keys must not eat
/// the machine.
pub const STORE_ENTRIES_MAX: usize = 100_000;

/// Bytes of such a table, shared parts counted wherever they stand.
pub const STORE_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Compiled regular expressions that a thread keeps. A rule has a handful; only patterns made from messages come in
/// ever new forms, and then the cache starts anew.
pub const REGEX_CACHE_MAX: usize = 256;

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

/// Streams of the HStreamDB stand-in: each has a file and a thread of its own. With the two bounds below it stays
/// within the 1024 open files that a process usually has.
pub const STREAMS_MAX: usize = 256;

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
pub const HSTREAM_CONNECTIONS_MAX: usize = 384;

/// Push queries and followed readings that run at the same time.
pub const HSTREAM_QUERIES_MAX: usize = 128;

/// Chunks of a push query's answer that wait for a slow client before the query waits too.
pub const HSTREAM_CHUNKS_MAX: usize = 8;

/// Bytes of a line that the `hstream` client commands accept from a server.
pub const HSTREAM_LINE_BYTES_MAX: usize = 16 * RECORD_BYTES_MAX;

/// Powers of ten that SQL arithmetic on streams may span. A double spans 632; products need some more.
pub const DECIMAL_EXPONENT_MAX: i64 = 4096;

/// Operators in a statement on streams: each may make its expression one deeper, and conversion, evaluation and
/// release of an expression recurse.
pub const STREAM_SQL_OPERATORS_MAX: usize = 256;

/// Nesting of a statement on streams: sqlparser's own default, which its frames (tens of KiB each) fit a
/// thread's stack with.
pub const STREAM_SQL_DEPTH_MAX: usize = 50;

/// Steps of one traced evaluation: a FOREACH over a long list must not fill the memory with notes.
pub const TRACE_STEPS_MAX: usize = 100_000;

/// Runs of rules that one trace tells apart: a chain of rules may be long, and each run keeps its columns.
pub const TRACE_RUNS_MAX: usize = 1_000;

/// Values that a report writes under one rule, and items of a FOREACH whose values it lists: a wall of values hides
/// the one that matters.
pub const REPORT_MARKS_MAX: usize = 64;
/// See [`REPORT_MARKS_MAX`].
pub const REPORT_ITEMS_MAX: usize = 5;

/// Runs of rules that the report of one failing case shows with their values.
pub const REPORT_RUNS_MAX: usize = 4;

/// Keys that a report names when none of them is near to the one that was looked for.
pub const REPORT_KEYS_MAX: usize = 8;

/// Threads that run tests: more than cores bring nothing.
pub const TEST_THREADS_MAX: usize = 256;

/// Stack of a thread that runs tests, a main thread's: JSON may nest 512 deep, and its readers recurse.
pub const TEST_STACK_BYTES: usize = 8 * 1024 * 1024;

/// Failed tests that `rulemill test --failed` remembers.
pub const FAILURES_MAX: usize = 100_000;
/// Messages of one `bench`: a day of one microsecond each.
pub const BENCH_MESSAGES_MAX: u64 = 100_000_000_000;

/// Answers that a test's server gives to one action.
pub const FAULTS_MAX: usize = 1_000;

/// Attempts of one simulated delivery: with `request_ttl: infinity` a server that is down would be asked for ever.
pub const ATTEMPTS_MAX: usize = 10_000;

/// Messages of a capture that one test replays: a busy broker's day. They are read one by one.
pub const CAPTURE_LINES_MAX: usize = 1_000_000_000;

/// Messages of a capture that are read before anything runs, to tell of a wrong file at once.
pub const CAPTURE_LINES_CHECKED: usize = 100;

/// Bytes of one line of a capture: a message of the largest size whose every byte is a JSON `\u00xx` escape, and its
/// envelope.
pub const CAPTURE_LINE_BYTES_MAX: usize = 6 * MESSAGE_BYTES_MAX + 64 * 1024;

/// Differences of one case that are kept: the first ones explain, the rest repeat.
pub const REPORT_DIFFERENCES_MAX: usize = 50;

/// Aliases that a lint looks through to tell what kind of value a name holds: `a AS b, b AS c, …`.
pub const LINT_ALIASES_MAX: usize = 8;

/// FROM items that a lint holds against each of the others: a statement of the largest size has thousands.
pub const LINT_TOPICS_MAX: usize = 500;

/// Findings of one lint in one rule: who has not understood by then will not by more.
pub const LINT_FINDINGS_MAX: usize = 100;

/// Rounds of `check --fix` over one file: a repair may bring another into sight, and two must not undo each other
/// for ever.
pub const FIX_ROUNDS_MAX: usize = 10;

/// Lines times lines that `check --fix --dry-run` compares to show few differences; above it the whole stretch
/// between the first and the last difference is shown.
pub const DIFF_CELLS_MAX: usize = 4_000_000;

/// Words and signs of one HOCON file: each takes some bytes of memory, and a value needs no more than four of them.
pub const HOCON_TOKENS_MAX: usize = 4 * DOCUMENT_NODES_MAX;

/// Files that include each other in a chain: a circle that paths hide ends here.
pub const INCLUDE_DEPTH_MAX: usize = 16;

/// Files that one file includes, directly and through others: sixteen files that include each other twice would be
/// read 65,536 times.
pub const INCLUDES_MAX: usize = 256;

/// Steps of the search for what `${…}` stands for. EMQX's order of settling them takes time that grows with the
/// square of their number.
pub const SUBSTITUTION_STEPS_MAX: usize = 20_000_000;

/// Levels of a value that substitutions build up from each other: joining recurses.
pub const SUBSTITUTION_LEVELS_MAX: usize = 256;

/// Places that one finding points at.
pub const LABELS_MAX: usize = 16;

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

/// Bytes of one schema of the schema registry. EMQX has no bound; the Sparkplug B schema has 8 KiB.
pub const SCHEMA_BYTES_MAX: usize = 256 * 1024;

/// Nesting of brackets in a Protobuf schema: its parser recurses.
pub const SCHEMA_NESTING_MAX: usize = 64;

/// Nesting of what a schema encodes, decodes or checks: all of them recurse, and a schema may name itself.
pub const SCHEMA_DEPTH_MAX: usize = 128;

/// Values that one decoding makes: a few bytes of Avro can claim billions of nulls.
pub const SCHEMA_VALUES_MAX: usize = LIST_LENGTH_MAX;

/// Schemas that one JSON text is held against: schemas that refer to each other twice double with each step.
pub const SCHEMA_STEPS_MAX: usize = 1_000_000;
