//! `rulemill record` and `replay`, through the real binary: from and to the embedded broker and a mosquitto.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use live_support::mosquitto::Mosquitto;
use live_support::process::Running;
use serde_json::{Value, json};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/rules");

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    command.args(args).current_dir(folder).env_remove("RULEMILL_LOG").env("NO_COLOR", "1");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(folder: &Path, args: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = command(folder, args).output().unwrap();
    (status.code(), String::from_utf8([stdout, stderr].concat()).unwrap())
}

/// Starts to record, with every port free.
fn record(folder: &Path, args: &[&str]) -> Running {
    let ready = folder.join("ready");
    let _ = fs::remove_file(&ready);
    let mut command = command(folder, &["record", "--ready-file", "ready"]);
    if !args.contains(&"--broker") {
        command.args(["--mqtt-port", "0", "--ws-port", "0"]);
    }
    Running::wait_for(command.args(args).spawn().unwrap(), &ready)
}

/// The lines of a capture; times are checked and taken off.
fn lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'));
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let ts = line.as_object_mut().unwrap().remove("ts").unwrap().as_i64().unwrap();
        assert!(ts > 1_700_000_000_000, "{ts}");
        line
    };
    text.lines().map(line).collect()
}

fn write_capture(path: &Path, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(path, text).unwrap();
}

/// What a client that publishes with MQTT 5 can say.
fn messages() -> Vec<Value> {
    vec![
        json!({"ts": 1_700_000_000_000_i64, "topic": "a/1", "qos": 0, "retain": false, "payload": "{\"n\": 1}"}),
        json!({"ts": 1_700_000_000_050_i64, "topic": "a/2", "qos": 1, "retain": true, "payload": "ü",
               "properties": {"Payload-Format-Indicator": 1}, "user_properties": [["k", "1"], ["k", "2"]]}),
        json!({"ts": 1_700_000_000_100_i64, "topic": "b", "qos": 2, "retain": false, "payload_base64": "/wA=",
               "properties": {"Content-Type": "x/y", "Message-Expiry-Interval": 60,
                              "Correlation-Data": {"$base64": "/w=="}, "Response-Topic": "r"}}),
    ]
}

fn without_time(mut messages: Vec<Value>) -> Vec<Value> {
    messages.iter_mut().for_each(|line| drop(line.as_object_mut().unwrap().remove("ts")));
    messages
}

#[test]
fn what_is_replayed_is_recorded_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    write_capture(&path("in.ndjson"), &messages());
    let recording = record(folder.path(), &["--out", "out.ndjson", "--count", "3"]);
    let broker = format!("mqtt://127.0.0.1:{}", recording.port("mqtt"));
    let (code, said) = run(folder.path(), &["replay", "in.ndjson", "--broker", &broker, "--speed", "2"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 messages published to mqtt://127.0.0.1:"), "{said}");
    let (code, _, said) = recording.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("3 messages recorded"), "{said}");
    let mut recorded = lines(&path("out.ndjson"));
    for line in &mut recorded {
        // The embedded broker knows who published; a capture of the first time did not say it.
        let clientid = line.as_object_mut().unwrap().remove("clientid").unwrap();
        assert!(clientid.as_str().unwrap().starts_with("rulemill-replay-"), "{clientid}");
    }
    assert_eq!(recorded, without_time(messages()));
}

#[test]
fn a_broker_elsewhere_is_recorded_and_replayed_to() {
    let mosquitto = Mosquitto::start();
    let broker = format!("mqtt://127.0.0.1:{}", mosquitto.port);
    let folder = tempfile::tempdir().unwrap();
    write_capture(&folder.path().join("in.ndjson"), &messages());
    for (version, file) in [("5", "five.ndjson"), ("3.1.1", "three.ndjson")] {
        let args = [
            "--broker",
            &broker,
            "--mqtt-version",
            version,
            "--out",
            file,
            "--topic",
            "a/#",
            "--topic",
            "b",
            "--count",
            "3",
            "--client-id",
            "recorder",
        ];
        let recording = record(folder.path(), &args);
        let (code, said) =
            run(folder.path(), &["replay", "in.ndjson", "--broker", &broker, "--flat-out", "-q"]);
        assert_eq!((code, said.as_str()), (Some(0), ""));
        let (code, _, said) = recording.end();
        assert_eq!(code, Some(0), "{said}");
        let recorded = lines(&folder.path().join(file));
        let mut expected = without_time(messages());
        // rulemill asks for QoS 1.
        expected[2]["qos"] = json!(1);
        if version == "3.1.1" {
            for line in &mut expected {
                let line = line.as_object_mut().unwrap();
                line.remove("properties");
                line.remove("user_properties");
                // The flag is for those who come later.
                line.insert("retain".to_owned(), json!(false));
            }
        }
        // The broker counts how long a message may still live.
        let mut recorded = recorded;
        if let Some(seconds) = recorded[2].pointer_mut("/properties/Message-Expiry-Interval") {
            *seconds = json!(60);
        }
        assert_eq!(recorded, expected, "MQTT {version}");
    }
}

#[test]
fn messages_come_at_their_pace_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut slow = messages();
    slow[2]["ts"] = json!(1_700_000_000_600_i64);
    slow[1].as_object_mut().unwrap().remove("ts");
    write_capture(&folder.path().join("in.ndjson"), &slow);
    let recording = record(folder.path(), &["--out", "out.ndjson"]);
    let broker = format!("mqtt://127.0.0.1:{}", recording.port("mqtt"));
    let took = |more: &[&str]| {
        let started = std::time::Instant::now();
        let args = [&["replay", "in.ndjson", "--broker", &broker], more].concat();
        assert_eq!(run(folder.path(), &args).0, Some(0));
        started.elapsed().as_millis()
    };
    assert!(took(&[]) >= 600);
    assert!(took(&["--speed", "0.5"]) >= 1200);
    assert!(took(&["--speed", "2", "--times", "2"]) >= 600);
    recording.signal("INT");
    let (code, _, said) = recording.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("12 messages recorded"), "{said}");
}

#[test]
fn flat_out_is_fast() {
    let folder = tempfile::tempdir().unwrap();
    let line = json!({"topic": "t", "qos": 1, "payload": "x".repeat(200)}).to_string() + "\n";
    fs::write(folder.path().join("in.ndjson"), line.repeat(2_000)).unwrap();
    let recording = record(folder.path(), &["--out", "out.ndjson", "--count", "2000"]);
    let broker = format!("mqtt://127.0.0.1:{}", recording.port("mqtt"));
    let (code, said) =
        run(folder.path(), &["replay", "--flat-out", "--timeout", "20", "in.ndjson", "--broker", &broker]);
    assert_eq!(code, Some(0), "{said}");
    println!("{}", said.trim());
    assert_eq!(recording.end().0, Some(0));
    assert_eq!(lines(&folder.path().join("out.ndjson")).len(), 2_000);
}

#[test]
fn few_messages_reach_what_a_thousand_do() {
    let folder = tempfile::tempdir().unwrap();
    let topics = ["car/1", "car/2", "bus/1", "house/1/sensors", "other"];
    let payloads = [
        "{\"id\": \"a\", \"speed\": 131.5, \"sensors\": []}",
        "{\"id\": \"b\", \"speed\": 12}",
        "{\"sensors\": [{\"name\": \"x\", \"temp\": 99}]}",
        "{\"sensors\": [{\"name\": \"x\", \"temp\": 1}, {\"name\": \"y\", \"temp\": 99}]}",
        "no JSON",
        "{\"id\": \"cut off\", \"spe",
    ];
    let line = |n: usize| json!({"topic": topics[n % topics.len()], "qos": 1, "payload": payloads[n / 7 % payloads.len()]});
    write_capture(&folder.path().join("all.ndjson"), &(0..1_000).map(line).collect::<Vec<_>>());
    let args = ["--unique", "--emqx", "5.8", "--rules", RULES, "--out", "few.ndjson", "--count", "1000"];
    let recording = record(folder.path(), &args);
    let broker = format!("mqtt://127.0.0.1:{}", recording.port("mqtt"));
    assert_eq!(run(folder.path(), &["replay", "--flat-out", "all.ndjson", "--broker", &broker]).0, Some(0));
    let (code, _, said) = recording.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(" of 1000 messages kept: they go all "), "{said}");
    let kept = lines(&folder.path().join("few.ndjson")).len();
    assert!((4..=20).contains(&kept), "{said}");

    // The few are a fixture, and reach as much as all do.
    let covered = |capture: &str| {
        let rules = "[emqx_rule_engine_output, speeding, sensor_list]";
        let test = format!(
            "rule: {rules}\ntests:\n  - name: all\n    each_line: {{ $ndjson: {capture} }}\n    expect: {{ outputs_total: $any }}\n"
        );
        fs::write(folder.path().join("c.test.yaml"), test).unwrap();
        let args =
            ["test", "-q", "--format", "json", "--coverage", RULES, "c.test.yaml:2", "--allow-outside"];
        let (_, said) = run(folder.path(), &args);
        let report: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}"));
        assert_eq!(report["failed"], 0, "{said}");
        report["coverage"].to_string()
    };
    let counts = regex::Regex::new("\"(count|hits|runs)\":[0-9]+").unwrap();
    let plain = |text: String| counts.replace_all(&text, "").into_owned();
    assert_eq!(plain(covered("few.ndjson")), plain(covered("all.ndjson")));
}

#[test]
fn what_is_asked_to_go_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let redact = ["--redact", "payload.user.mail", "--redact", "clientid", "--redact", "username=someone"];
    let args = [&redact[..], &["--out", "out.ndjson", "--count", "3", "--topic", "t/+"]].concat();
    let recording = record(folder.path(), &args);
    recording.publish("t/1", "{\"user\": {\"mail\": \"a@b\"},  \"password\": \"s3\"}");
    recording.publish("other", "{\"user\": {\"mail\": \"a@b\"}}");
    recording.publish("t/1", "{\"user\": {\"mail\": \"a@b\"}}");
    recording.publish("t/1", "{\"user\": {\"mail");
    let (code, _, said) = recording.end();
    assert_eq!(code, Some(0));
    assert!(
        said.contains("3 messages recorded; 1 payload in which a value to redact could not be looked for"),
        "{said}"
    );
    let recorded = lines(&folder.path().join("out.ndjson"));
    let payloads: Vec<&str> = recorded.iter().map(|line| line["payload"].as_str().unwrap()).collect();
    assert_eq!(payloads[0], "{\"user\": {\"mail\": \"redacted-1\"},  \"password\": \"******\"}");
    assert_eq!(payloads[1], "{\"user\": {\"mail\": \"redacted-1\"}}");
    assert!(
        payloads[2].starts_with("redacted-")
            && recorded[0]["clientid"].as_str().unwrap().starts_with("redacted-")
    );
}

#[test]
fn bad_input_has_its_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("bad.ndjson"), "{\"topic\": \"t\"}\n{\"topic\": \"t\", \"qos\": 3}\n")
        .unwrap();
    fs::write(folder.path().join("there"), "").unwrap();
    let mosquitto = Mosquitto::start();
    let broker = format!("mqtt://127.0.0.1:{}", mosquitto.port);
    for (args, code, sentence) in [
        (vec!["replay", "no.ndjson", "--broker", &broker], 2, "cannot read no.ndjson"),
        (vec!["replay", ".", "--broker", &broker], 2, ". is a folder; name its captures"),
        (
            vec!["replay", "bad.ndjson", "--broker", &broker],
            2,
            "line 2 of the capture bad.ndjson: qos is 3; it must be 0, 1 or 2",
        ),
        (vec!["replay", "bad.ndjson", "--speed", "0"], 2, "write a number above 0, such as 10 or 0.5"),
        (
            vec!["replay", "bad.ndjson", "--broker", "mqtt://127.0.0.1:1"],
            2,
            "cannot use the broker mqtt://127.0.0.1:1",
        ),
        (vec!["record", "--broker", "ftp://x"], 2, "--broker:"),
        (
            vec!["record", "--out", "there"],
            2,
            "there is there already; --append writes at its end, --force over it",
        ),
        (vec!["record", "--redact", "user"], 2, "--redact: 'user' begins with none of payload, clientid"),
        (vec!["record", "--topic", "a/#/b"], 2, "--topic 'a/#/b':"),
        (vec!["record", "--time", "soon"], 2, "write a duration such as 30s or 5m"),
        (vec!["record", "--unique", "--rules", "there"], 2, ""),
        (vec!["record", "--bind", "0.0.0.0"], 2, "--bind 0.0.0.0 lets other machines in"),
    ] {
        let (ended, said) = run(folder.path(), &args);
        assert_eq!(ended, Some(code), "{args:?}: {said}");
        assert!(said.contains(sentence), "{args:?}: {said}");
    }
}

#[test]
fn only_known_users_are_recorded() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users"), "ann:s3cret\n").unwrap();
    fs::write(folder.path().join("in.ndjson"), "{\"topic\": \"t\", \"qos\": 1, \"payload\": \"x\"}\n")
        .unwrap();
    let recording = record(folder.path(), &["--users", "users", "--out", "out.ndjson", "--count", "1"]);
    let broker = |user: &str| format!("mqtt://{user}@127.0.0.1:{}", recording.port("mqtt"));
    let (code, said) = run(folder.path(), &["replay", "in.ndjson", "--broker", &broker("ann:wrong")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("the broker refused the connection: Bad") && !said.contains("wrong"), "{said}");
    assert_eq!(run(folder.path(), &["replay", "in.ndjson", "--broker", &broker("ann:s3cret")]).0, Some(0));
    assert_eq!(recording.end().0, Some(0));
    assert_eq!(lines(&folder.path().join("out.ndjson"))[0]["username"], "ann");
}

#[test]
fn recordings_end_by_themselves_and_files_are_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let args = ["record", "--mqtt-port", "0", "--ws-port", "0", "--time", "50ms", "--out", "out.ndjson"];
    for more in [&[][..], &["--append"], &["--force"], &["--append", "-q"]] {
        let (code, said) = run(folder.path(), &[&args[..], more].concat());
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(said.contains("0 messages recorded"), !more.contains(&"-q"), "{said}");
    }
    let recording =
        record(folder.path(), &["--append", "--out", "out.ndjson", "--keep-secrets", "--allow-anonymous"]);
    recording.publish("t", "{\"token\": \"x\"}");
    let (code, _, said) = recording.stop();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(lines(&folder.path().join("out.ndjson"))[0]["payload"], "{\"token\": \"x\"}");
}
