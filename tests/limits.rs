//! Each bound of `limits.rs` at the bound and one past it, through the real binary; and none without a test.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use regex::Regex;
use rulemill::limits;
use support::{Ran, folder, rulemill};

/// Far more than any bound may take, on a machine that does other things as well.
const PATIENCE: Duration = Duration::from_secs(120);

/// A statement and a payload.
type Input = (String, String);

/// A bound that a statement or its payload can reach.
struct Bound {
    /// Its constant.
    name: &'static str,
    /// Its number.
    max: usize,
    /// What has so many of what is counted.
    with: fn(usize) -> Input,
    /// What is said of one more: a code and a part of the sentence.
    beyond: (&'static str, &'static str),
}

/// A statement of one expression, over no payload to speak of.
fn expression(text: &str) -> Input {
    (format!("SELECT {text} AS x FROM t"), "1".to_owned())
}

/// A jq program over a payload, the answer left out.
fn jq(program: &str, payload: String) -> Input {
    (format!("SELECT is_array(jq('{program}', payload)) AS x FROM t"), payload)
}

fn nested(levels: usize) -> String {
    format!("{}1{}", "[".repeat(levels), "]".repeat(levels))
}

/// As many statements as it takes, each the value before it twice.
fn doubled(first: &str, step: &str, times: usize) -> Input {
    let mut sql = format!("SELECT {first} AS a0");
    (0..times).for_each(|n| sql += &format!(", {} AS a{}", step.replace('@', &format!("a{n}")), n + 1));
    (format!("{sql}, 1 AS x FROM t"), "1".to_owned())
}

const BOUNDS: &[Bound] = &[
    Bound {
        name: "SQL_BYTES_MAX",
        max: limits::SQL_BYTES_MAX,
        with: |n| (format!("SELECT 1 AS x FROM{}t", " ".repeat(n - 19)), "1".to_owned()),
        beyond: ("E009", "the statement has 65537 bytes, more than 65536"),
    },
    Bound {
        name: "SQL_DEPTH_MAX",
        max: limits::SQL_DEPTH_MAX,
        with: |n| expression(&format!("{}1{}", "(".repeat(n - 1), ")".repeat(n - 1))),
        beyond: ("E009", "nested deeper than 128 levels"),
    },
    Bound {
        name: "LIST_LENGTH_MAX",
        max: limits::LIST_LENGTH_MAX,
        with: |n| expression(&format!("length([1..{n}])")),
        beyond: ("E313", "the range has more than 1000000 numbers"),
    },
    Bound {
        name: "TEXT_BYTES_MAX",
        max: limits::TEXT_BYTES_MAX,
        with: |n| expression(&format!("is_str(pad('', {n}))")),
        beyond: ("E311", "the text would be longer than rulemill's limit of 67108864 bytes"),
    },
    Bound {
        name: "INTEGER_BITS_MAX",
        max: limits::INTEGER_BITS_MAX as usize,
        with: |n| expression(&format!("is_int(bitsl(1, {}))", n - 1)),
        beyond: ("E311", "the integer would have more bits than rulemill's limit of 1048576"),
    },
    Bound {
        name: "INTEGER_BITS_MAX",
        max: limits::INTEGER_BITS_MAX as usize / 4,
        with: |n| {
            ("SELECT is_int(payload.n) AS x FROM t".to_owned(), format!("{{\"n\": {}}}", "1".repeat(n)))
        },
        beyond: ("E3", "an integer longer than rulemill's limit"),
    },
    Bound {
        name: "JSON_DEPTH_MAX",
        max: limits::JSON_DEPTH_MAX,
        with: |n| ("SELECT is_array(json_decode(payload)) AS x FROM t".to_owned(), nested(n)),
        beyond: ("E311", "nesting deeper than rulemill's limit"),
    },
    // Each field is one level deeper than the one before it.
    Bound {
        name: "JSON_DEPTH_MAX",
        max: limits::JSON_DEPTH_MAX,
        with: |n| doubled("1", "[@]", n),
        beyond: ("E313", "nested deeper than 512 levels"),
    },
    // Eight texts, each with the 32 bytes that any value costs.
    Bound {
        name: "MADE_BYTES_MAX",
        max: limits::MADE_BYTES_MAX - 8 * 32,
        with: |n| {
            let texts =
                |count: usize, size: usize| vec![format!("is_null(pad(payload, {size})) AS x"); count];
            let rest = n - 7 * limits::TEXT_BYTES_MAX;
            let fields = [texts(7, limits::TEXT_BYTES_MAX), texts(1, rest)].concat();
            (format!("SELECT {} FROM t", fields.join(", ")), "1".to_owned())
        },
        beyond: ("E313", "more than 536870912 bytes for one message"),
    },
    Bound {
        name: "STORE_ENTRIES_MAX",
        max: limits::STORE_ENTRIES_MAX,
        with: |n| (format!("FOREACH [1..{n}] DO kv_store_put(item, 1) AS x FROM t"), "1".to_owned()),
        beyond: ("E311", "the store has reached rulemill's limit of 100000 entries"),
    },
    Bound {
        name: "JQ_PROGRAM_BYTES_MAX",
        max: limits::JQ_PROGRAM_BYTES_MAX,
        // A text in quotes is a program.
        with: |n| ("SELECT jq(payload, 1) AS x FROM t".to_owned(), format!("\"{}\"", "a".repeat(n - 2))),
        beyond: ("E311", "the program is longer than 65536 bytes"),
    },
    Bound {
        name: "JQ_NESTING_MAX",
        max: limits::JQ_NESTING_MAX,
        with: |n| jq(&format!("{}1{}", "(".repeat(n - 1), ")".repeat(n - 1)), "1".to_owned()),
        beyond: ("E311", "the program is nested more than 128 deep"),
    },
    Bound {
        name: "JQ_INPUT_DEPTH_MAX",
        max: limits::JQ_INPUT_DEPTH_MAX,
        with: |n| jq(".", nested(n)),
        beyond: ("E311", "Exceeds depth limit for parsing"),
    },
    Bound {
        name: "JQ_DEPTH_MAX",
        max: limits::JQ_DEPTH_MAX,
        with: |n| jq(&format!("[range({n}) | 0] as $p | null | setpath($p; 1) | 1"), "1".to_owned()),
        beyond: ("E311", "a value is nested too deeply"),
    },
    Bound {
        name: "JQ_PATTERN_BYTES_MAX",
        max: limits::JQ_PATTERN_BYTES_MAX,
        with: |n| jq(". as $p | \"a\" | test($p)", format!("\"{}\"", "a".repeat(n))),
        beyond: ("E311", "an array or a string grew too long"),
    },
    Bound {
        name: "JQ_OUTPUT_BYTES_MAX",
        max: limits::JQ_OUTPUT_BYTES_MAX,
        // Brackets are not counted before the last one.
        with: |n| jq(&format!("\"a\" * {}", n - 3), "1".to_owned()),
        beyond: ("E311", "its answers took more than 16 MiB"),
    },
];

/// What describes far more than it holds, and what must be said of it.
type Hazard = (fn() -> Input, &'static str);

const HAZARDS: &[Hazard] = &[
    (|| doubled("payload", "[@, @]", 60), "error[E313]"),
    (|| doubled("payload", "map_put('y', @, map_put('x', @, map_new()))", 60), "error[E313]"),
    (|| doubled("payload", "concat(@, @)", 60), "error[E311]"),
    (|| doubled("bitsl(1, 1000)", "@ * @", 60), "error[E310]"),
    (|| ("FOREACH [1..1000000] DO bitsl(1, 1000000) AS x FROM t".to_owned(), "1".to_owned()), "error[E313]"),
    (
        || ("FOREACH [1..1000000] DO pad(payload, 1000000) AS x FROM t".to_owned(), "1".to_owned()),
        "error[E313]",
    ),
    (
        || {
            let names: Vec<String> = (0..600)
                .map(|n| {
                    format!(
                        "{} AS b{n}.{}",
                        if n > 0 { format!("b{}", n - 1) } else { "payload".to_owned() },
                        "x"
                    )
                })
                .flat_map(|x| [x.clone(), x.replace(".x", ".y")])
                .collect();
            (format!("SELECT {} FROM t", names.join(", ")), "{\"a\": 1}".to_owned())
        },
        "error[E313]",
    ),
    (
        || {
            let again: Vec<String> = (0..5000).map(|n| format!("a AS b{n}")).collect();
            (format!("SELECT pad(payload, 60000000) AS a, {} FROM t", again.join(", ")), "1".to_owned())
        },
        "the JSON has more than 536870912 bytes",
    ),
    (
        || {
            (
                format!(
                    "SELECT {} 1 AS x FROM t",
                    "is_null(concat(pad('a', 60000000), 'b')) AS x, ".repeat(300)
                ),
                "1".to_owned(),
            )
        },
        "error[E3",
    ),
    (|| expression("jq('[range(1e9)]', payload)"), "its values took more than 128 MiB"),
    (|| expression("jq('repeat(1)', payload, 100)"), "did not end within 100 ms"),
    (|| expression("sprintf('~1000000000..0b', 97)"), "limit of 67108864 bytes"),
    (
        || ("SELECT regex_match(payload, '^(a+)+$') AS x FROM t".to_owned(), format!("{}b", "a".repeat(40))),
        "{\"x\":false}",
    ),
];

/// Bounds of test files: what has so many, the command, what is said of one more.
struct FileBound {
    name: &'static str,
    max: usize,
    test: fn(usize) -> String,
    beyond: &'static str,
}

const FILE_BOUNDS: &[FileBound] = &[
    FileBound {
        name: "FAULTS_MAX",
        max: limits::FAULTS_MAX,
        test: |n| {
            let answers = vec!["200"; n].join(", ");
            format!(
                "{{ name: n, given: {{ topic: t/1 }}, faults: {{ \"http:web\": [{answers}] }}, expect: {{ rules: {{ once: {{ actions: $any }}, many: not_selected }} }} }}"
            )
        },
        beyond: "'http:web' has from 1 to 1000 answers",
    },
    FileBound {
        name: "CHAIN_MESSAGES_MAX",
        max: limits::CHAIN_MESSAGES_MAX,
        test: |n| {
            let list = vec!["1"; n].join(",");
            format!(
                "{{ name: n, chain: true, given: {{ topic: u/1, payload: '[{list}]' }}, expect: {{ rules: {{ once: not_selected, many: {{ outputs: $any, actions: $any }} }} }} }}"
            )
        },
        beyond: "at most 1000 republished messages",
    },
];

const RULES: &str = "rule_engine:
  rules:
    once: { sql: 'SELECT 1 AS x FROM \"t/#\"', actions: [\"http:web\"] }
    many:
      sql: 'FOREACH json_decode(payload) AS e FROM \"u/#\"'
      actions: [{ function: republish, args: { topic: v/1, payload: x } }]
actions: { http: { web: { connector: web, parameters: { path: / } } } }
connectors: { http: { web: { url: \"http://127.0.0.1:9\" } } }
";

/// Bounds that no test of its own holds, each with its reason.
const WITHOUT_TEST: &[(&str, &str)] = &[
    ("BENCH_MESSAGES_MAX", "at the bound it runs for a day; clap refuses one more"),
    ("CAPTURE_LINES_CHECKED", "a size of a step: the lines after it are checked as they run"),
    ("CAPTURE_LINES_MAX", "a capture of so many lines has 50 GB; src/harness/line.rs tests it with few"),
    ("CONNECTIONS_MAX", "20,000 sockets are more than a process may usually open"),
    ("FAILURES_MAX", "what is beyond is not remembered; nothing fails"),
    ("FILES_MAX", "src/cli/files.rs tests it with few files"),
    ("FIX_ROUNDS_MAX", "no repairs are known that undo each other"),
    ("HSTREAM_CHUNKS_MAX", "a size of a queue whose writer waits"),
    ("HTTP_ANSWER_BYTES_MAX", "the rest of a longer answer is not read; nothing fails"),
    ("INFLIGHT_MAX", "a number that CONNACK names to clients"),
    ("JQ_OPS_MAX", "a guard of the compiler: a program of JQ_PROGRAM_BYTES_MAX bytes has fewer instructions"),
    ("JQ_PATTERNS_MAX", "a size of a cache"),
    ("JQ_PATTERN_BACKTRACKS_MAX", "a count inside PCRE2"),
    ("JQ_PRINT_DEPTH_MAX", "jq 1.6's own: deeper values are written as a note, not refused"),
    ("JQ_PROGRAMS_MAX", "a size of a cache"),
    ("JQ_STEPS_PER_MS", "a rate, not a bound"),
    ("LABELS_MAX", "places beyond are not shown; nothing fails"),
    ("LANES", "a size: as many deliveries run side by side"),
    ("LINT_ALIASES_MAX", "a lint that has looked that far says nothing"),
    ("LINT_FINDINGS_MAX", "findings beyond are not shown"),
    ("LINT_TOPICS_MAX", "a lint that has looked that far says nothing"),
    ("LOG_BATCH_BYTES_MAX", "a size of a step of the log's writer"),
    ("LOG_BATCH_RECORDS_MAX", "a size of a step of the log's writer"),
    ("LOG_INDEX_STRIDE_BYTES", "a stride of an index"),
    ("LOG_READ_BYTES_MAX", "a size of a step of the log's reader"),
    ("LOG_SEGMENT_BYTES_MAX", "a size after which the next file begins"),
    ("MESSAGE_BYTES_MAX", "a size that rmqtt checks packets by"),
    ("RECORD_QUEUE_MAX", "a size of a queue whose writer waits"),
    ("REPORT_DIFFERENCES_MAX", "differences beyond are counted, not shown"),
    ("REPORT_ITEMS_MAX", "items beyond are counted, not shown"),
    ("REPORT_KEYS_MAX", "keys beyond are counted, not shown"),
    ("REPORT_MARKS_MAX", "values beyond are not shown"),
    ("REPORT_RUNS_MAX", "runs beyond are not shown"),
    ("REPORT_SQL_LINES_MAX", "lines beyond are not shown"),
    ("SOURCE_QUEUE_BYTES_MAX", "64 MiB that wait: what is beyond is counted as lost"),
    ("SOURCE_QUEUE_MAX", "131,072 messages that wait: what is beyond is counted as lost"),
    ("SQL_RETRIES_MAX", "readings again of parentheses that are wrong already; the error stays"),
    (
        "STORE_BYTES_MAX",
        "src/value/store.rs would need 512 MiB; the weight of values is tested by MADE_BYTES_MAX",
    ),
    ("SUBSCRIBER_QUEUE_MAX", "rmqtt's own queue, given this size"),
    ("SUBSTITUTION_STEPS_MAX", "20 million steps take too long without optimization"),
    ("TEST_STACK_BYTES", "a size of a stack"),
    ("TOPIC_ALIASES_MAX", "rmqtt's own check, given this number"),
    ("TRACE_RUNS_MAX", "runs beyond are not explained"),
    ("TRACE_STEPS_MAX", "steps beyond are not explained"),
];

fn eval((sql, payload): &Input) -> Ran {
    let folder = folder(&[("rule.sql", sql.as_bytes()), ("payload", payload.as_bytes())]);
    let start = Instant::now();
    let ran = rulemill(folder.path(), &["eval", "@rule.sql", "payload"]);
    assert!(start.elapsed() < PATIENCE, "{} took {:?}", start_of(sql), start.elapsed());
    ran
}

fn start_of(text: &str) -> String {
    text.chars().take(300).collect()
}

#[test]
fn statements_at_each_bound_and_one_past_it() {
    let mut wrong = Vec::new();
    for bound in BOUNDS {
        let within = eval(&(bound.with)(bound.max));
        if within.exit != 0 || !within.out.contains("\"x\":") || !within.err.is_empty() {
            wrong.push(format!("{} at {}: {within}", bound.name, bound.max));
        }
        let beyond = eval(&(bound.with)(bound.max + 1));
        let (code, says) = bound.beyond;
        let said = beyond.err.contains(&format!("error[{code}")) && beyond.err.contains(says);
        if ![1, 3].contains(&beyond.exit) || !said {
            wrong.push(format!("{} past {}: {beyond}", bound.name, bound.max));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_would_go_on_for_ever_ends_with_a_sentence() {
    let mut wrong = Vec::new();
    for (input, says) in HAZARDS {
        let input = input();
        let ran = eval(&input);
        if !ran.out.contains(says) && !ran.err.contains(says) {
            wrong.push(format!("{}: {ran}", start_of(&input.0)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn test_files_at_each_bound_and_one_past_it() {
    let mut wrong = Vec::new();
    for bound in FILE_BOUNDS {
        let ran = |n: usize| {
            let test = format!("tests:\n  - {}\n", (bound.test)(n));
            let folder = folder(&[("r.yaml", RULES.as_bytes()), ("r.test.yaml", test.as_bytes())]);
            rulemill(folder.path(), &["test", "--emqx", "5.8", "."])
        };
        let within = ran(bound.max);
        if within.exit != 0 {
            wrong.push(format!("{} at {}: {within}", bound.name, bound.max));
        }
        let beyond = ran(bound.max + 1);
        if beyond.exit == 0 || !(beyond.out.contains(bound.beyond) || beyond.err.contains(bound.beyond)) {
            wrong.push(format!("{} past {}: {beyond}", bound.name, bound.max));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn rust_files(folder: PathBuf, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => rust_files(path, found),
            false if path.extension().is_some_and(|end| end == "rs") => found.push(path),
            false => {}
        }
    }
}

/// All that tests say of limits: the files under `tests/` but for the list above, and the tests within `src/`.
fn tested() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut tests, mut sources) = (Vec::new(), Vec::new());
    rust_files(root.join("tests"), &mut tests);
    rust_files(root.join("src"), &mut sources);
    let own = root.join("tests/limits.rs");
    let mut text: String =
        tests.iter().filter(|path| **path != own).map(|path| fs::read_to_string(path).unwrap()).collect();
    for path in sources {
        let source = fs::read_to_string(path).unwrap();
        text += source.split_once("#[cfg(test)]\nmod tests").map_or("", |(_, tests)| tests);
    }
    let own = BOUNDS.iter().map(|bound| bound.name).chain(FILE_BOUNDS.iter().map(|bound| bound.name));
    own.for_each(|name| text += &format!("\n{name}\n"));
    // What has a test of its own here says so by its path.
    let this = include_str!("limits.rs");
    let path = Regex::new(r"limits::([A-Z0-9_]+)").unwrap();
    path.captures_iter(this).for_each(|found| text += &format!("\n{}\n", &found[1]));
    text
}

#[test]
fn a_delivery_that_never_ends_is_left() {
    let rules = "rule_engine: { rules: { r: { sql: 'SELECT 1 AS a FROM t', actions: ['http:h'] } } }\n\
                 actions: { http: { h: { connector: h, parameters: { method: post, path: /, body: x }, \
                 resource_opts: { request_ttl: infinity } } } }\n\
                 connectors: { http: { h: { url: 'http://127.0.0.1:1' } } }\n";
    let test = |answers: &str| {
        let test = format!(
            "tests:\n  - name: a\n    given: {{ topic: t }}\n    faults: {{ 'http:h': {answers} }}\n    expect: \
             {{ output: $any, actions: [{{ id: 'http:h', attempts: $any, result: success }}] }}\n"
        );
        let folder = folder(&[("r.yaml", rules.as_bytes()), ("r.test.yaml", test.as_bytes())]);
        rulemill(folder.path(), &["test", "r.test.yaml"])
    };
    // As many bad answers as a test can say, and a good one.
    let many = format!("[{}200]", "503, ".repeat(limits::FAULTS_MAX - 1));
    assert_eq!(test(&many).exit, 0);
    let endless = test("[503]");
    assert!(endless.exit == 1 && endless.out.contains("actual    \"endless\""), "{endless}");
    assert_eq!(limits::ATTEMPTS_MAX, 10_000);
}

#[test]
fn substitutions_stop_at_their_bound() {
    // An object with a value of another one weighs four levels.
    let chain = |objects: usize| {
        let mut text = "a0 = 1\nrule_engine.rules.r.sql = \"SELECT 1 AS x FROM t\"\n".to_owned();
        (1..=objects).for_each(|n| text += &format!("a{n} = {{ b = ${{a{}}} }}\n", n - 1));
        let folder = folder(&[("r.conf", text.as_bytes())]);
        rulemill(folder.path(), &["check", "r.conf"])
    };
    let within = limits::SUBSTITUTION_LEVELS_MAX / 4;
    assert_eq!(chain(within - 1).exit, 0);
    let said = |ran: &Ran| ran.to_string().contains("substitutions in substitutions, more than 256 levels");
    assert!(!said(&chain(within)));
    let beyond = chain(within + 1);
    assert!(beyond.exit == 2 && said(&beyond), "{beyond}");
}

#[test]
fn each_bound_has_a_test_or_a_reason() {
    let text = tested();
    let list = include_str!("../src/limits.rs");
    let constants = Regex::new(r"pub const ([A-Z0-9_]+):").unwrap();
    let names: Vec<&str> =
        constants.captures_iter(list).map(|found| found.get(1).unwrap().as_str()).collect();
    let mut wrong = Vec::new();
    for name in &names {
        let named = Regex::new(&format!(r"\b{name}\b")).unwrap().is_match(&text);
        let excused = WITHOUT_TEST.iter().any(|(excused, _)| excused == name);
        match (named, excused) {
            (false, false) => wrong.push(format!("{name} has neither a test nor a reason")),
            (true, true) => wrong.push(format!("{name} has a test and needs no reason")),
            _ => {}
        }
    }
    let gone = WITHOUT_TEST.iter().filter(|(name, _)| !names.contains(name));
    wrong.extend(gone.map(|(name, _)| format!("{name} is no bound any more")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
