//! `rulemill run`, as a user runs it: real clients, real signals, exit codes.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use std::net::TcpListener;
use std::process::{Command, Stdio};

use live_support::mosquitto::Mosquitto;
use live_support::process::{Running, Workplace};
use live_support::web::Server;

/// The rule that the README starts with.
const TUTORIAL: &str = include_str!("../rules/emqx_rule_engine_output.yaml");

/// One rule over everything that is sent to this URL.
fn webhook(url: &str, more: &str) -> Workplace {
    Workplace::new(&format!(
        r##"
rule_engine: {{ rules: {{ all: {{ sql: 'SELECT payload FROM "#"', actions: ["http:hook"] }} }} }}
actions: {{ http: {{ hook: {{ connector: web, parameters: {{ path: /hook, body: "${{payload}}" }}{more} }} }} }}
connectors: {{ http: {{ web: {{ url: "{url}" }} }} }}
"##
    ))
}

/// Rows of one statement of the SQL shell.
fn sql(running: &Running, args: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    command.args(["hstream", "sql", "--port", &running.port("hstream").to_string()]).args(args);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The records of a stream, to this count.
fn records(running: &Running, stream: &str, count: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    command.args(["hstream", "read", stream, "--follow", "--count", count, "--port"]);
    let output = command.arg(running.port("hstream").to_string()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_tutorial_works_from_end_to_end() {
    let place = Workplace::new(TUTORIAL);
    let running = place.start(&[]);
    running.said("Stream      emqx_rule_engine_output is new in the HStreamDB stand-in");
    running.said(
        "Connector   http:hstreamdb says http://127.0.0.1:6580, which is the stand-in at http://127.0.0.1:",
    );
    running.said("Rule        emqx_rule_engine_output: # → http:hstreamdb");
    assert_eq!(sql(&running, &["-e", "SHOW STREAMS;"]), "emqx_rule_engine_output\n");

    // A query shows what is written after it was created; its first row tells that it stands.
    let mut shell = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    let select = "SELECT * FROM emqx_rule_engine_output EMIT CHANGES;";
    shell.args(["hstream", "sql", "-e", select, "--rows", "1", "--timeout", "30s", "--port"]);
    let mut shell = shell.arg(running.port("hstream").to_string()).stdout(Stdio::piped()).spawn().unwrap();
    let report = r#"{"location":{"lng":116.296011,"lat":40.005091},"speed":32.12,"tachometer":9001.0,"ts":1563268202}"#;
    while shell.try_wait().unwrap().is_none() {
        running.publish("car/1", report);
    }
    let output = shell.wait_with_output().unwrap();
    let row = String::from_utf8(output.stdout).unwrap();
    assert_eq!(row.lines().next(), Some(report));
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains(" 0 failed"), "{out}");
}

#[test]
fn what_was_stored_is_there_after_a_kill() {
    let place = Workplace::new(TUTORIAL);
    let running = place.start(&[]);
    running.publish("a", "1");
    // Stored before the kill, not only acknowledged.
    running.log("delivered: HTTP 200 topic=a");
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    let running = place.start(&[]);
    running.publish("b", "2");
    let records = records(&running, "emqx_rule_engine_output", "2");
    let payloads: Vec<_> = records.lines().map(|line| line.contains(r#""payload":"1""#)).collect();
    assert_eq!(payloads, [true, false], "{records}");
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn the_hstreamdb_action_waits_for_its_stream() {
    let rules = include_str!("../rules/hstreamdb_action.yaml");
    let place = Workplace::new(rules);
    let running = place.start(&["--no-create-streams"]);
    running.publish("car/1", r#"{"n":1}"#);
    running.log("is there a stream 'reports'?");
    sql(&running, &["-e", "CREATE STREAM reports;"]);
    let record = records(&running, "reports", "1");
    assert!(record.contains(r#""flag":0,"payload":"{\"n\":1}""#), "{record}");
    let (code, _, log) = running.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("delivered: record 8589934593-0, attempt "), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_gets_each_message_once_and_in_order() {
    let mut server = Server::start(&[(503, "busy")]).await;
    let place = webhook(&server.url(), "");
    let running = place.start(&["--no-hstream"]);
    assert!(running.ready().get("hstream").is_none());
    for n in 0..3 {
        let args = ["-i", "c1", "-q", "1", "-t", "t", "-m", &n.to_string()];
        assert!(running.mosquitto("mosquitto_pub", &args).status().unwrap().success());
    }
    for expected in ["0", "0", "1", "2"] {
        let seen = server.next().await;
        assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /hook", expected));
    }
    let (code, out, log) = running.stop();
    assert_eq!(code, Some(0));
    assert!(out.contains("3 messages, 3 delivered, 0 failed"), "{out}");
    assert!(log.contains("not delivered: HTTP 503 Service Unavailable: busy; attempt 2 follows"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_that_failed_for_good_is_the_exit_code() {
    let mut server = Server::start(&[(500, "oops")]).await;
    let place = webhook(&server.url(), "");
    let running = place.start(&["--no-hstream"]);
    running.publish("t", "x");
    server.next().await;
    running.log("failed: HTTP 500 Internal Server Error: oops");
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(1));
    assert!(out.contains("1 message, 0 delivered, 1 failed"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_away_is_given_up_at_its_time() {
    let place = webhook("http://127.0.0.1:1", ", resource_opts: { request_ttl: 300ms }");
    let running = place.start(&["--no-hstream"]);
    running.publish("t", "x");
    running.log("failed: no connection to http://127.0.0.1:1/hook: ");
    assert_eq!(running.stop().0, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_deliveries_finish() {
    let mut server = Server::start(&[]).await;
    server.open.send(false).unwrap();
    let place = webhook(&server.url(), "");
    let running = place.start(&["--no-hstream"]);
    running.publish("t", "1");
    server.next().await;
    running.signal("TERM");
    running.said("stopping; deliveries have 30s to finish");
    server.open.send(true).unwrap();
    let (code, out, _) = running.end();
    assert_eq!(code, Some(0));
    assert!(out.contains("1 message, 1 delivered, 0 failed"), "{out}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_finish_in_time_is_given_up_and_told() {
    let mut server = Server::start(&[]).await;
    server.open.send(false).unwrap();
    let place = webhook(&server.url(), "");
    let running = place.start(&["--no-hstream", "--drain-timeout", "0"]);
    running.publish("t", "1");
    server.next().await;
    let (code, out, log) = running.stop();
    assert_eq!(code, Some(1));
    assert!(out.contains("0 delivered, 0 failed, 1 given up"), "{out}");
    assert!(log.contains("given up: rulemill ended before it was delivered topic=t"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_at_once() {
    let mut server = Server::start(&[]).await;
    server.open.send(false).unwrap();
    let place = webhook(&server.url(), "");
    let running = place.start(&["--no-hstream"]);
    running.publish("t", "1");
    server.next().await;
    running.signal("INT");
    running.said("stopping;");
    running.signal("INT");
    let (code, _, log) = running.end();
    assert_eq!(code, Some(1));
    assert!(log.contains("ended at once, with deliveries under way"), "{log}");
}

#[test]
fn what_is_republished_reaches_subscribers_and_other_rules_but_not_its_own() {
    let place = Workplace::new(
        r##"
rule_engine:
  rules:
    copy: { sql: 'SELECT * FROM "#"', actions: [{ function: republish, args: { topic: "copy/${topic}" } }] }
    see: { sql: 'SELECT topic, clientid FROM "copy/#"', actions: [{ function: console }] }
"##,
    );
    let running = place.start(&["--no-hstream"]);
    let args = &["-t", "copy/#", "-C", "1", "-W", "30", "-F", "%t %p"];
    let mut subscriber = running.mosquitto("mosquitto_sub", args).spawn().unwrap();
    while subscriber.try_wait().unwrap().is_none() {
        running.publish("t", "x");
    }
    let mut line = String::new();
    std::io::Read::read_to_string(&mut subscriber.stdout.take().unwrap(), &mut line).unwrap();
    assert_eq!(line, "copy/t x\n");
    running.said(r#"[rule action] see {"topic":"copy/t","clientid":"copy"}"#);
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0));
    assert!(!out.contains("copy/copy"), "{out}");
}

#[test]
fn a_rule_that_fails_on_a_message_does_not_fail_the_run() {
    let place = Workplace::new(
        r##"
rule_engine: { rules: { r: { sql: 'SELECT payload.x + 1 AS y FROM "#"', actions: [{ function: console }] } } }
"##,
    );
    let running = place.start(&["--no-hstream"]);
    running.publish("t", r#"{"x":{}}"#);
    running.publish("t", r#"{"x":1}"#);
    running.said(r#"[rule action] r {"y":2}"#);
    running.log("the select failed");
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn ports_that_are_taken_are_named_with_their_flag() {
    let place = Workplace::new(TUTORIAL);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for flag in ["--mqtt-port", "--ws-port", "--hstream-port"] {
        let mut args = vec![flag, port.as_str()];
        for other in ["--mqtt-port", "--ws-port", "--hstream-port"] {
            if other != flag {
                args.extend([other, "0"]);
            }
        }
        let (code, _, log) = place.run(&args);
        assert_eq!(code, 2, "{log}");
        assert!(log.contains(&format!("port {port} on 127.0.0.1 is in use")) && log.contains(flag), "{log}");
    }
}

#[test]
fn two_runs_do_not_share_a_data_folder() {
    let place = Workplace::new(TUTORIAL);
    let first = place.start(&[]);
    let (code, _, log) = place.run(&["--mqtt-port", "0", "--ws-port", "0", "--hstream-port", "0"]);
    assert_eq!(code, 2);
    assert!(log.contains("is in use by another rulemill"), "{log}");
    assert_eq!(first.stop().0, Some(0));
}

#[test]
fn bad_command_lines_and_files_have_their_exit_code() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = format!("mqtt://127.0.0.1:{port}");
    let kafka = r##"
rule_engine: { rules: { r: { sql: 'SELECT * FROM "#"', actions: ["kafka_producer:k"] } } }
actions: { kafka_producer: { k: { connector: k, parameters: { topic: t } } } }
connectors: { kafka_producer: { k: { bootstrap_hosts: "h:9092" } } }
"##;
    let grpc = r##"
rule_engine: { rules: { r: { sql: 'SELECT * FROM "#"', actions: ["hstreamdb:h"] } } }
actions: { hstreamdb: { h: { connector: h, parameters: { stream: s } } } }
connectors: { hstreamdb: { h: { } } }
"##;
    let rows: &[(&str, &[&str], i32, &str)] = &[
        (
            TUTORIAL,
            &["--bind", "0.0.0.0"],
            2,
            "say who with --users FILE, or let everybody with --allow-anonymous",
        ),
        (TUTORIAL, &["--users", "nothere"], 2, "cannot read the users file nothere"),
        (TUTORIAL, &["--broker", &away, "--hstream-port", "0"], 2, "cannot use the broker mqtt://127.0.0.1:"),
        (TUTORIAL, &["--broker", "mqtts://h"], 2, "MQTT over TLS is not built in"),
        (
            TUTORIAL,
            &["--broker", "h", "--topic", "a/#/b"],
            2,
            "--topic 'a/#/b': `#` can only be the last level",
        ),
        (TUTORIAL, &["--broker", "h", "--mqtt-port", "1"], 2, "cannot be used with"),
        (TUTORIAL, &["--mqtt-version", "5"], 2, "--broker"),
        (TUTORIAL, &["--drain-timeout", "soon"], 2, "write a number of seconds"),
        (TUTORIAL, &["--no-such-flag"], 2, "--no-such-flag"),
        (TUTORIAL, &["more.yaml"], 2, "cannot read more.yaml"),
        (kafka, &[], 2, "rulemill renders actions of type kafka_producer but does not deliver them"),
        (grpc, &[], 2, "rulemill: { hstreamdb: { h: { api: rest } } }"),
        ("rule_engine: { rules: {", &[], 2, "rules.yaml:1:"),
        ("rule_engine: { rules: { r: { sql: 'SELECT FROM', actions: [] } } }", &[], 3, "rules.yaml:1:"),
        (
            "rule_engine: { rules: { r: { sql: 'SELECT * FROM \"t\"', enable: false } } }",
            &[],
            2,
            "all rules are disabled",
        ),
    ];
    for (rules, args, expected, part) in rows {
        let place = Workplace::new(rules);
        let (code, _, log) = place.run(args);
        assert_eq!(code, *expected, "{args:?}: {log}");
        assert!(log.contains(part), "{args:?}: {log}");
    }
}

#[test]
fn unsupported_actions_can_be_left_out() {
    let place = Workplace::new(
        r##"
rule_engine: { rules: { r: { sql: 'SELECT 1 AS n FROM "#"', actions: ["mysql:m", { function: console }] } } }
actions: { mysql: { m: { connector: m, parameters: { sql: "insert ${n}" } } } }
connectors: { mysql: { m: { server: h } } }
"##,
    );
    let running = place.start(&["--no-hstream", "--skip-unsupported-actions"]);
    running.publish("t", "x");
    running.said(r#"[rule action] r {"n":1}"#);
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0));
    assert!(out.contains("1 message, 1 delivered, 0 failed, 1 skipped"), "{out}");
}

#[test]
fn users_are_asked_for_their_password() {
    let place = Workplace::new(TUTORIAL);
    std::fs::write(place.path("users"), "ann:secret\n").unwrap();
    let running = place.start(&["--users", place.path("users").to_str().unwrap()]);
    let publish = |args: &[&str]| {
        let args = [&["-q", "1", "-t", "t", "-m", "x"], args].concat();
        running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success()
    };
    assert!(publish(&["-u", "ann", "-P", "secret"]));
    assert!(!publish(&["-u", "ann", "-P", "wrong"]));
    assert!(!publish(&[]));
    let (code, _, log) = running.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("bad user name or password of 'ann'") && !log.contains("secret"), "{log}");
}

#[test]
fn the_data_folder_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let place = Workplace::new(TUTORIAL);
    let running = place.start(&[]);
    assert_eq!(std::fs::metadata(place.path("data")).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(running.stop().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_stay_out_of_the_log() {
    let server = Server::start(&[(403, "no")]).await;
    let place = Workplace::new(&format!(
        r##"
rule_engine: {{ rules: {{ r: {{ sql: 'SELECT * FROM "#"', actions: ["http:a", "http:b"] }} }} }}
actions:
  http:
    a: {{ connector: web, parameters: {{ path: "/x?token=s3cret1", headers: {{ authorization: "Bearer s3cret2" }} }} }}
    b: {{ connector: away, parameters: {{ path: "/x?access_token=s3cret3" }}, resource_opts: {{ request_ttl: 50ms }} }}
connectors: {{ http: {{ web: {{ url: "{}" }}, away: {{ url: "http://127.0.0.1:1" }} }} }}
"##,
        server.url()
    ));
    let running = place.start(&["--no-hstream"]);
    running.publish("t", "x");
    running.log("failed: HTTP 403");
    running.log("failed: no connection to http://127.0.0.1:1/x?access_token=******");
    let (code, out, log) = running.stop();
    assert_eq!(code, Some(1));
    assert!(!log.contains("s3cret") && !out.contains("s3cret"), "{log}{out}");
}

#[test]
fn the_log_can_be_json_and_quiet() {
    let rules = r##"rule_engine: { rules: { r: { sql: 'SELECT topic FROM "#"', actions: [{ function: console }] } } }"##;
    let place = Workplace::new(rules);
    let running = place.start(&["--no-hstream", "--log-format", "json"]);
    running.publish("t", "x");
    running.said("[rule action]");
    let (code, out, log) = running.stop();
    assert_eq!((code, out.as_str()), (Some(0), "[rule action] r {\"topic\":\"t\"}\n"));
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines.iter().any(|line| line["message"].as_str().unwrap().starts_with("MQTT        127.0.0.1:")));

    let running = place.start(&["--no-hstream", "--quiet"]);
    running.publish("t", "x");
    running.said("[rule action]");
    let (code, out, log) = running.stop();
    assert_eq!((code, out.as_str(), log.as_str()), (Some(0), "[rule action] r {\"topic\":\"t\"}\n", ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_elsewhere_is_a_source_and_a_sink() {
    let broker = Mosquitto::start();
    let mut server = Server::start(&[]).await;
    let place = Workplace::new(&format!(
        r##"
rule_engine:
  rules:
    hook: {{ sql: 'SELECT topic, payload FROM "t/#"', actions: ["http:hook"] }}
    again: {{ sql: 'SELECT * FROM "t/+"', actions: [{{ function: republish, args: {{ topic: "t/again", qos: 1 }} }}] }}
actions: {{ http: {{ hook: {{ connector: web, parameters: {{ path: "/${{topic}}", body: "${{payload}}" }} }} }} }}
connectors: {{ http: {{ web: {{ url: "{}" }} }} }}
"##,
        server.url()
    ));
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    for version in ["3.1.1", "5"] {
        let running = place.start(&["--no-hstream", "--broker", &url, "--mqtt-version", version]);
        assert_eq!(running.ready()["broker"], url.as_str());
        running.said("subscribed to t/#");
        broker.publish("t/1", "x", &["-q", "1"]).await;
        // The echo reaches the other rule, and goes round no more. Topics do not wait for one another.
        let mut seen =
            [server.next().await, server.next().await].map(|seen| format!("{} {}", seen.line, seen.body));
        seen.sort();
        assert_eq!(seen, ["POST /t/1 x", "POST /t/again x"]);
        broker.publish("t/2", "last", &["-q", "1"]).await;
        let mut seen = [server.next().await, server.next().await].map(|seen| seen.line);
        seen.sort();
        assert_eq!(seen, ["POST /t/2", "POST /t/again"]);
        let (code, out, log) = running.stop();
        assert_eq!(code, Some(0), "{log}");
        assert!(out.contains("4 messages, 6 delivered, 0 failed"), "{out}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_a_broker_and_a_killed_rulemill() {
    let broker = Mosquitto::start();
    let mut server = Server::start(&[]).await;
    server.open.send(false).unwrap();
    let place = webhook(&server.url(), "");
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let running = place.start(&["--no-hstream", "--broker", &url]);
    broker.publish("t", "precious", &["-q", "1"]).await;
    // It is on its way, and never answered.
    assert_eq!(server.next().await.body, "precious");
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    server.open.send(true).unwrap();
    let running = place.start(&["--no-hstream", "--broker", &url]);
    assert_eq!(server.next().await.body, "precious");
    running.log("delivered: HTTP 200 topic=t");
    assert_eq!(running.stop().0, Some(0));
}
