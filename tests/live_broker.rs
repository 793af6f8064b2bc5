//! The embedded broker, spoken to by real clients: mosquitto's over TCP, rumqttc over WebSocket, bare sockets.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rulemill::broker::{Access, Broker, Config, Events, StartError};
use rulemill::event::Message;
use rulemill::value::Value;
use tokio::sync::mpsc;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

struct Recorder(mpsc::UnboundedSender<Message>);

#[async_trait]
impl Events for Recorder {
    async fn published(&self, message: Message) {
        assert!(message.topic != "panic", "a rule's panic, on purpose");
        let _ = self.0.send(message);
    }
}

struct Running {
    broker: Broker,
    messages: mpsc::UnboundedReceiver<Message>,
}

impl Running {
    async fn start() -> Running {
        Running::with(Access::Anonymous).await
    }

    async fn with(access: Access) -> Running {
        let (sender, messages) = mpsc::unbounded_channel();
        let config = Config { mqtt_port: 0, ws_port: 0, access, ..Config::default() };
        let broker = Broker::start(config, Arc::new(Recorder(sender))).await.unwrap();
        Running { broker, messages }
    }

    async fn next(&mut self) -> Message {
        let next = tokio::time::timeout(PATIENCE, self.messages.recv()).await;
        next.expect("no message came").expect("the broker is gone")
    }

    fn mosquitto(&self, program: &str, args: &[&str]) -> Command {
        mosquitto(program, self.broker.mqtt_addr(), args)
    }
}

fn mosquitto(program: &str, addr: SocketAddr, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", &addr.port().to_string()]).args(args);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Runs to the end, outside the runtime's threads.
async fn run(mut command: Command) -> (bool, String) {
    let output =
        tokio::task::spawn_blocking(move || command.output().expect("mosquitto-clients is installed"));
    let output = output.await.unwrap();
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

#[tokio::test]
async fn every_qos_and_version_reaches_the_hook() {
    let mut running = Running::start().await;
    for version in ["mqttv311", "mqttv5"] {
        for qos in ["0", "1", "2"] {
            let topic = format!("t/{version}/{qos}");
            let args = ["-V", version, "-q", qos, "-t", &topic, "-m", "hello", "-i", "c1", "-u", "ann"];
            let (ok, text) = run(running.mosquitto("mosquitto_pub", &args)).await;
            assert!(ok, "{text}");
            let message = running.next().await;
            assert_eq!(message.topic, topic);
            assert_eq!(message.qos.to_string(), qos);
            assert_eq!(message.payload, "hello");
            assert_eq!(message.clientid, "c1");
            assert_eq!(message.username.as_deref(), Some("ann"));
            assert_eq!(message.peerhost.as_deref(), Some("127.0.0.1"));
            assert!(message.peername.unwrap().starts_with("127.0.0.1:"));
            assert_eq!(message.id.len(), 32);
            assert!(message.id.bytes().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(&b)));
            assert!(!message.dup && !message.retain);
            assert!(message.publish_received_at_ms > 1_600_000_000_000);
        }
    }
    running.broker.stop().await;
}

#[tokio::test]
async fn properties_keep_their_names_and_order() {
    let mut running = Running::start().await;
    let args = [
        "-V",
        "mqttv5",
        "-q",
        "1",
        "-t",
        "t",
        "-m",
        "x",
        "-i",
        "c5",
        "-r",
        "-D",
        "publish",
        "user-property",
        "b",
        "1",
        "-D",
        "publish",
        "user-property",
        "a",
        "2",
        "-D",
        "publish",
        "user-property",
        "b",
        "3",
        "-D",
        "publish",
        "content-type",
        "application/json",
        "-D",
        "publish",
        "message-expiry-interval",
        "60",
        "-D",
        "publish",
        "response-topic",
        "answer",
        "-D",
        "publish",
        "correlation-data",
        "id7",
        "-D",
        "publish",
        "payload-format-indicator",
        "1",
    ];
    let (ok, text) = run(running.mosquitto("mosquitto_pub", &args)).await;
    assert!(ok, "{text}");
    let message = running.next().await;
    let users: Vec<_> = message.user_properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(users, ["b=1", "a=2", "b=3"]);
    assert!(message.retain);
    assert_eq!(message.username, None);
    let expected = [
        ("Payload-Format-Indicator", Value::Int(1)),
        ("Message-Expiry-Interval", Value::Int(60)),
        ("Content-Type", Value::str("application/json")),
        ("Response-Topic", Value::str("answer")),
        ("Correlation-Data", Value::str("id7")),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    assert_eq!(message.properties, expected);
    running.broker.stop().await;
}

#[tokio::test]
async fn retained_messages_come_to_late_subscribers_and_can_be_removed() {
    let mut running = Running::start().await;
    for (topic, payload) in [("r/1", "one"), ("r/2", "two"), ("s/1", "other")] {
        assert!(
            run(running.mosquitto("mosquitto_pub", &["-q", "1", "-r", "-t", topic, "-m", payload])).await.0
        );
    }
    let late = ["-t", "r/#", "-C", "2", "-W", "20", "-F", "%t %r %p"];
    let (ok, text) = run(running.mosquitto("mosquitto_sub", &late)).await;
    assert!(ok, "{text}");
    assert_eq!(text, "r/1 1 one\nr/2 1 two\n");
    assert!(run(running.mosquitto("mosquitto_pub", &["-q", "1", "-r", "-n", "-t", "r/1"])).await.0);
    let left = ["-t", "r/#", "-C", "1", "-W", "20", "-F", "%t"];
    assert_eq!(run(running.mosquitto("mosquitto_sub", &left)).await.1, "r/2\n");
    // Removing is a publish like any other to the rules.
    let topics = [running.next().await, running.next().await, running.next().await, running.next().await];
    assert!(topics[3].retain && topics[3].payload.is_empty());
    running.broker.stop().await;
}

/// A client over rumqttc; `host` is an address, or a `ws://` URL.
fn client(id: &str, host: String, port: u16) -> (rumqttc::AsyncClient, rumqttc::EventLoop) {
    let websocket = host.starts_with("ws://");
    let mut options = rumqttc::MqttOptions::new(id, host, port);
    options.set_max_packet_size(1024 * 1024, 1024 * 1024);
    if websocket {
        options.set_transport(rumqttc::Transport::Ws);
    }
    rumqttc::AsyncClient::new(options, 100)
}

/// Polls until a subscription is acknowledged.
async fn subscribed(events: &mut rumqttc::EventLoop) {
    loop {
        if let rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_)) = poll(events).await {
            return;
        }
    }
}

async fn poll(events: &mut rumqttc::EventLoop) -> rumqttc::Event {
    let event = tokio::time::timeout(PATIENCE, events.poll()).await;
    event.expect("nothing came").expect("the connection failed")
}

/// The payload of the next message.
async fn payload(events: &mut rumqttc::EventLoop) -> String {
    loop {
        if let rumqttc::Event::Incoming(rumqttc::Packet::Publish(publish)) = poll(events).await {
            return String::from_utf8(publish.payload.to_vec()).unwrap();
        }
    }
}

#[tokio::test]
async fn websocket_clients_are_clients_like_others() {
    let mut running = Running::start().await;
    let url = format!("ws://127.0.0.1:{}/mqtt", running.broker.ws_addr().port());
    let (client, mut events) = client("web", url, running.broker.ws_addr().port());
    client.subscribe("w/#", rumqttc::QoS::AtLeastOnce).await.unwrap();
    subscribed(&mut events).await;
    // Larger than any buffer on the way, and as large as one message may be.
    let large = "x".repeat(900 * 1024);
    client.publish("w/1", rumqttc::QoS::ExactlyOnce, false, large.clone()).await.unwrap();
    let seen = tokio::join!(payload(&mut events), running.next());
    assert_eq!(seen.0, large);
    assert_eq!((seen.1.clientid.as_str(), seen.1.qos, seen.1.payload.len()), ("web", 2, large.len()));
    running.broker.stop().await;
}

/// The status line that an upgrade request gets.
fn upgrade(addr: SocketAddr, path: &str, headers: &str) -> String {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n{headers}\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

#[tokio::test]
async fn foreign_pages_and_rebound_names_are_refused() {
    let running = Running::start().await;
    let addr = running.broker.ws_addr();
    let answers = tokio::task::spawn_blocking(move || {
        [
            upgrade(addr, "/mqtt", "Host: localhost\r\n"),
            upgrade(addr, "/mqtt", "Host: localhost\r\nOrigin: http://127.0.0.1:18083\r\n"),
            upgrade(addr, "/mqtt", "Host: localhost\r\nOrigin: https://evil.example\r\n"),
            upgrade(addr, "/mqtt", "Host: evil.example\r\n"),
            upgrade(addr, "/other", "Host: localhost\r\n"),
        ]
    });
    let expected = ["HTTP/1.1 101", "HTTP/1.1 101", "HTTP/1.1 403", "HTTP/1.1 403", "HTTP/1.1 404"];
    assert_eq!(answers.await.unwrap(), expected);
    running.broker.stop().await;
}

#[tokio::test]
async fn shared_subscriptions_take_turns() {
    let mut running = Running::start().await;
    let port = running.broker.mqtt_addr().port();
    let (mut members, mut counts) = (Vec::new(), Vec::new());
    for name in ["m1", "m2"] {
        let (client, mut events) = client(name, "127.0.0.1".to_owned(), port);
        client.subscribe("$share/g/s/#", rumqttc::QoS::AtLeastOnce).await.unwrap();
        subscribed(&mut events).await;
        let (sender, count) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            loop {
                let _ = sender.send(payload(&mut events).await);
            }
        });
        members.push(client);
        counts.push(count);
    }
    let lines: String = (0..10).map(|n| format!("{n}\n")).collect();
    let mut command = running.mosquitto("mosquitto_pub", &["-q", "1", "-t", "s/1", "-l"]);
    command.stdin(Stdio::piped());
    let mut publisher = command.spawn().unwrap();
    publisher.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    for count in &mut counts {
        for _ in 0..5 {
            tokio::time::timeout(PATIENCE, count.recv()).await.expect("each member gets half").unwrap();
        }
    }
    assert!(publisher.wait().unwrap().success());
    for n in 0..10 {
        assert_eq!(running.next().await.payload, n.to_string());
    }
    running.broker.stop().await;
}

#[tokio::test]
async fn users_must_know_their_password() {
    let mut running = Running::with(Access::parse("ann:secret\n").unwrap()).await;
    for version in ["mqttv311", "mqttv5"] {
        for (args, expected) in [
            (&["-u", "ann", "-P", "secret"][..], true),
            (&["-u", "ann", "-P", "wrong"], false),
            (&["-u", "eve", "-P", "secret"], false),
            (&["-u", "ann"], false),
            (&[], false),
        ] {
            let args = [&["-V", version, "-q", "1", "-t", "t", "-m", "x"], args].concat();
            let (ok, text) = run(running.mosquitto("mosquitto_pub", &args)).await;
            assert_eq!(ok, expected, "{args:?}: {text}");
        }
    }
    assert_eq!(running.next().await.username.as_deref(), Some("ann"));
    running.broker.stop().await;
}

/// CONNECT of MQTT 3.1.1 with this client id and a clean session.
fn connect_packet(id: &str) -> Vec<u8> {
    let length = u8::try_from(12 + id.len()).unwrap();
    let id_length = u8::try_from(id.len()).unwrap();
    [&[0x10, length, 0, 4], b"MQTT".as_slice(), &[4, 2, 0, 60, 0, id_length], id.as_bytes()].concat()
}

/// A bare connection that has been accepted.
fn connected(addr: SocketAddr, id: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&connect_packet(id)).unwrap();
    let mut connack = [0; 4];
    stream.read_exact(&mut connack).unwrap();
    assert_eq!(connack, [0x20, 2, 0, 0]);
    stream
}

#[tokio::test]
async fn publishing_to_a_filter_ends_the_connection_and_reaches_no_rule() {
    let mut running = Running::start().await;
    let addr = running.broker.mqtt_addr();
    for topic in ["a/#", "a/+", ""] {
        let mut stream = tokio::task::spawn_blocking(move || connected(addr, "bare")).await.unwrap();
        let length = u8::try_from(topic.len()).unwrap();
        let packet = [&[0x32, length + 5, 0, length], topic.as_bytes(), &[0, 1, b'x']].concat();
        let rest = tokio::task::spawn_blocking(move || {
            stream.write_all(&packet).unwrap();
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).map(|_| rest)
        });
        // No PUBACK, only the end.
        assert_eq!(rest.await.unwrap().unwrap_or_default(), b"", "{topic:?}");
    }
    assert!(run(running.mosquitto("mosquitto_pub", &["-t", "good", "-m", "x"])).await.0);
    assert_eq!(running.next().await.topic, "good");
    running.broker.stop().await;
}

#[tokio::test]
async fn a_last_will_is_a_message_too() {
    let mut running = Running::start().await;
    let mut command = running.mosquitto(
        "mosquitto_sub",
        &["-t", "x", "-i", "dying", "--will-topic", "w", "--will-payload", "bye"],
    );
    let mut child = command.spawn().unwrap();
    // Subscribed when a message comes through.
    let port = running.broker.mqtt_addr().port();
    let mut line = [0; 1];
    let publish = ["-h", "127.0.0.1", "-p", &port.to_string(), "-t", "x", "-m", "1", "-r", "-q", "1"];
    assert!(Command::new("mosquitto_pub").args(publish).status().unwrap().success());
    child.stdout.as_mut().unwrap().read_exact(&mut line).unwrap();
    assert_eq!(running.next().await.topic, "x");
    child.kill().unwrap();
    child.wait().unwrap();
    let will = running.next().await;
    assert_eq!((will.topic.as_str(), &will.payload[..], will.clientid.as_str()), ("w", &b"bye"[..], "dying"));
    assert_eq!(will.peerhost.as_deref(), Some("127.0.0.1"));
    running.broker.stop().await;
}

#[tokio::test]
async fn a_panic_in_a_rule_costs_nobody_the_connection() {
    let mut running = Running::start().await;
    let port = running.broker.mqtt_addr().port();
    let (client, mut events) = client("c", "127.0.0.1".to_owned(), port);
    client.publish("panic", rumqttc::QoS::AtLeastOnce, false, "x").await.unwrap();
    client.publish("after", rumqttc::QoS::AtLeastOnce, false, "x").await.unwrap();
    let mut acks = 0;
    while acks < 2 {
        if let rumqttc::Event::Incoming(rumqttc::Packet::PubAck(_)) = poll(&mut events).await {
            acks += 1;
        }
    }
    assert_eq!(running.next().await.topic, "after");
    running.broker.stop().await;
}

#[tokio::test]
async fn our_own_messages_reach_subscribers_but_no_rule() {
    let mut running = Running::start().await;
    let port = running.broker.mqtt_addr().port();
    let (client, mut events) = client("c", "127.0.0.1".to_owned(), port);
    client.subscribe("out/#", rumqttc::QoS::AtLeastOnce).await.unwrap();
    subscribed(&mut events).await;
    let publisher = running.broker.publisher();
    let message = Message { qos: 1, clientid: "rule".to_owned(), ..Message::new("out/1", "made here") };
    publisher.publish(&message).await.unwrap();
    assert_eq!(payload(&mut events).await, "made here");
    let refused = publisher.publish(&Message::new("out/#", "x")).await;
    assert_eq!(
        refused.unwrap_err(),
        r##"topic "out/#" is none: a topic name cannot hold the wildcards `+` and `#`"##
    );
    assert!(running.messages.try_recv().is_err());
    running.broker.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named_with_its_flag() {
    let running = Running::start().await;
    let (taken_mqtt, taken_ws) = (running.broker.mqtt_addr().port(), running.broker.ws_addr().port());
    for (mqtt_port, ws_port, flag) in [(taken_mqtt, 0, "--mqtt-port"), (0, taken_ws, "--ws-port")] {
        let config = Config { mqtt_port, ws_port, ..Config::default() };
        let (sender, _messages) = mpsc::unbounded_channel();
        let error = match Broker::start(config, Arc::new(Recorder(sender))).await {
            Ok(_) => panic!("started on a taken port"),
            Err(error) => error,
        };
        assert!(matches!(error, StartError::InUse { .. }));
        let text = error.to_string();
        assert!(
            text.starts_with(&format!("port {} on 127.0.0.1 is in use", mqtt_port.max(ws_port))),
            "{text}"
        );
        assert!(text.contains(flag), "{text}");
    }
    running.broker.stop().await;
}

#[tokio::test]
async fn stop_ends_connections_and_frees_the_ports_at_once() {
    let running = Running::start().await;
    let (mqtt, ws) = (running.broker.mqtt_addr(), running.broker.ws_addr());
    let mut stream = tokio::task::spawn_blocking(move || connected(mqtt, "c")).await.unwrap();
    running.broker.stop().await;
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    let config = Config { mqtt_port: mqtt.port(), ws_port: ws.port(), ..Config::default() };
    let (sender, _messages) = mpsc::unbounded_channel();
    let again = Broker::start(config, Arc::new(Recorder(sender))).await.unwrap();
    assert_eq!(again.mqtt_addr(), SocketAddr::from((Ipv4Addr::LOCALHOST, mqtt.port())));
    again.stop().await;
}

#[tokio::test]
async fn a_subscriber_that_stops_reading_is_cut_off() {
    let mut running = Running::start().await;
    let addr = running.broker.mqtt_addr();
    // Subscribes to #, and never reads again. Its last will tells when the broker has given it up.
    let stuck = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(addr).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"\x10\x1a\0\x04MQTT\x04\x06\0\0\0\x05stuck\0\x03cut\0\x02ok").unwrap();
        stream.write_all(&[0x82, 6, 0, 1, 0, 1, b'#', 0]).unwrap();
        let mut answers = [0; 9];
        stream.read_exact(&mut answers).unwrap();
        assert_eq!(answers, [0x20, 2, 0, 0, 0x90, 3, 0, 1, 0]);
        stream
    });
    let mut stuck = stuck.await.unwrap();
    // More than the sockets between hold: without a limit the broker would keep all of it.
    let publisher = running.broker.publisher();
    let payload = vec![b'x'; 512 * 1024];
    for _ in 0..64 {
        publisher.publish(&Message::new("flood", payload.clone())).await.unwrap();
    }
    assert_eq!(running.next().await.topic, "cut");
    let rest = tokio::task::spawn_blocking(move || {
        let mut bytes = 0;
        let mut chunk = vec![0; 64 * 1024];
        // An orderly end or a reset; a timeout would be neither.
        loop {
            match stuck.read(&mut chunk) {
                Ok(0) => return bytes,
                Ok(length) => bytes += length,
                Err(e) if e.kind() == std::io::ErrorKind::ConnectionReset => return bytes,
                Err(e) => panic!("{e}"),
            }
        }
    });
    assert!(rest.await.unwrap() < 64 * payload.len());
    assert!(run(running.mosquitto("mosquitto_pub", &["-t", "alive", "-m", "x"])).await.0);
    assert_eq!(running.next().await.topic, "alive");
    running.broker.stop().await;
}
