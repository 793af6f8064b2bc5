//! EMQ's tutorial from end to end, through the real binary and real clients: a rule, a query that waits, messages
//! over MQTT 3.1.1, MQTT 5 and WebSocket, and their rows.

#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod live_support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use live_support::process::{Running, Workplace};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{AsyncClient, Event, Incoming, MqttOptions};

const RULES: &str = include_str!("../rules/emqx_rule_engine_output.yaml");
const REPORT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/location.json");
const QUERY: &str = "SELECT * FROM emqx_rule_engine_output EMIT CHANGES;";

/// `rulemill hstream sql -e`, attached.
fn query(running: &Running, rows: usize) -> Child {
    let port = running.port("hstream").to_string();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .args([
            "hstream",
            "sql",
            "--port",
            &port,
            "-e",
            QUERY,
            "--rows",
            &rows.to_string(),
            "--timeout",
            "30s",
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stderr.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line.trim(), "ready");
    child
}

/// `POST /queries/push`, attached: the answer's head has come.
fn push_query(running: &Running) -> BufReader<TcpStream> {
    let port = running.port("hstream");
    let body = format!("{{\"queryText\":\"{QUERY}\"}}");
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    write!(
        stream,
        "POST /queries/push HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\nContent-Length: \
         {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    reader
}

/// Publishes with QoS 1 over WebSocket, until it is acknowledged.
fn publish_over_websocket(running: &Running, topic: &str, payload: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let url = format!("ws://127.0.0.1:{}/mqtt", running.port("ws"));
        let mut options = MqttOptions::new("tutorial-ws", url, running.port("ws"));
        options.set_transport(rumqttc::Transport::Ws);
        let (client, mut events) = AsyncClient::new(options, 10);
        client.publish(topic, QoS::AtLeastOnce, false, payload.to_owned()).await.unwrap();
        loop {
            if let Event::Incoming(Incoming::PubAck(_)) = events.poll().await.unwrap() {
                return;
            }
        }
    });
}

#[test]
fn messages_become_rows() {
    let workplace = Workplace::new(RULES);
    let running = workplace.start(&[]);
    let mut shell = query(&running, 3);
    let mut pushed = push_query(&running);

    let report = ["-q", "1", "-t", "car/1", "-f", REPORT];
    for version in ["311", "5"] {
        let sent = running.mosquitto("mosquitto_pub", &[&["-V", version][..], &report].concat()).status();
        assert!(sent.expect("mosquitto-clients is installed").success());
    }
    publish_over_websocket(&running, "car/2", "{\"speed\":7}");

    let mut rows = String::new();
    shell.stdout.as_mut().unwrap().read_to_string(&mut rows).unwrap();
    assert!(shell.wait().unwrap().success());
    let rows: Vec<serde_json::Value> = rows.lines().map(|row| serde_json::from_str(row).unwrap()).collect();
    let report: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(REPORT).unwrap()).unwrap();
    assert_eq!(rows[0]["location"], report["location"]);
    assert_eq!(rows[0], rows[1]);
    assert_eq!(rows[2], serde_json::json!({ "speed": 7.0 }));

    let mut found = 0;
    let mut line = String::new();
    while found < 3 {
        line.clear();
        assert!(pushed.read_line(&mut line).unwrap() > 0, "the push query ended");
        if let Some(row) = line.trim().strip_prefix("{\"result\":{\"SELECT\":") {
            let row: serde_json::Value = serde_json::from_str(row.strip_suffix("}}").unwrap()).unwrap();
            assert_eq!(row["speed"].as_f64(), rows[found]["speed"].as_f64());
            found += 1;
        }
    }

    let (code, _, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
}
