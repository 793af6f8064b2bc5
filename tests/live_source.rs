//! A mosquitto broker as source: acknowledgements, lost connections, and messages back to it.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use live_support::PATIENCE;
use live_support::mosquitto::Mosquitto;
use rulemill::broker::{Access, Broker, Config, Events};
use rulemill::delivery::{Publish, Receipt, Ticket};
use rulemill::event::Message;
use rulemill::source::{BrokerUrl, Intake, Options, Outbox, Source, Version};
use tokio::sync::mpsc;

fn options(broker: &Mosquitto, version: Version) -> Options {
    let url = BrokerUrl::parse(&format!("mqtt://127.0.0.1:{}", broker.port)).unwrap();
    let filters = vec!["t/#".to_owned(), "u".to_owned()];
    Options { url, version, clientid: "rulemill-test".to_owned(), filters, keeps_session: true }
}

/// Hands on what it takes, with the ticket that decides it.
struct Taken(mpsc::UnboundedSender<(Message, Ticket)>);

#[async_trait]
impl Intake for Taken {
    async fn take(&self, message: Message) -> Receipt {
        let (ticket, receipt) = Ticket::new();
        let _ = self.0.send((message, ticket));
        receipt
    }
}

struct Running {
    source: Source,
    outbox: Outbox,
    taken: mpsc::UnboundedReceiver<(Message, Ticket)>,
}

impl Running {
    async fn start(options: Options) -> Result<Running, String> {
        let (sender, taken) = mpsc::unbounded_channel();
        let outbox = Source::outbox();
        let source = Source::connect(options, outbox.clone(), Arc::new(Taken(sender))).await?;
        Ok(Running { source, outbox, taken })
    }

    async fn next(&mut self) -> (Message, Ticket) {
        tokio::time::timeout(PATIENCE, self.taken.recv()).await.expect("no message came").unwrap()
    }

    async fn stop(mut self) {
        self.source.stop_taking().await;
        // What the test did not decide.
        drop(self.taken);
        self.source.finish(&self.outbox, Instant::now() + PATIENCE).await;
    }
}

#[tokio::test]
async fn messages_come_with_what_mqtt_carries() {
    let broker = Mosquitto::start();
    for version in [Version::V4, Version::V5] {
        let mut running = Running::start(options(&broker, version)).await.unwrap();
        for (qos, seen) in [("0", 0), ("1", 1), ("2", 1)] {
            broker.publish("t/1", "hello", &["-q", qos]).await;
            let (message, ticket) = running.next().await;
            assert_eq!((message.topic.as_str(), message.qos, message.dup), ("t/1", seen, false));
            assert_eq!(message.payload, "hello");
            assert_eq!((message.clientid.as_str(), message.peerhost), ("undefined", None));
            ticket.settle();
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn mqtt_5_brings_properties_and_the_retain_flag() {
    let broker = Mosquitto::start();
    let mut running = Running::start(options(&broker, Version::V5)).await.unwrap();
    let more = ["-V", "mqttv5", "-r", "-q", "1", "-D", "publish", "user-property", "k", "v"];
    broker.publish("u", "x", &more).await;
    let (message, ticket) = running.next().await;
    assert!(message.retain);
    assert_eq!(message.user_properties, [("k".to_owned(), "v".to_owned())]);
    ticket.settle();
    running.stop().await;
}

#[tokio::test]
async fn retained_messages_of_before_are_not_for_rules() {
    let broker = Mosquitto::start();
    broker.publish("t/old", "x", &["-r", "-q", "1"]).await;
    for version in [Version::V4, Version::V5] {
        let mut running = Running::start(options(&broker, version)).await.unwrap();
        broker.publish("t/new", "x", &["-q", "1"]).await;
        let (message, ticket) = running.next().await;
        assert_eq!(message.topic, "t/new");
        ticket.settle();
        running.stop().await;
    }
}

#[tokio::test]
async fn only_what_is_decided_is_acknowledged() {
    let broker = Mosquitto::start();
    for version in [Version::V4, Version::V5] {
        let mut running = Running::start(options(&broker, version)).await.unwrap();
        for n in 0..4 {
            broker.publish("t/1", &n.to_string(), &["-q", "1"]).await;
        }
        let mut tickets = Vec::new();
        for _ in 0..4 {
            tickets.push(running.next().await.1);
        }
        // The first two are done, the third is given up, the fourth is done after it.
        let mut tickets = tickets.into_iter();
        tickets.next().unwrap().settle();
        tickets.next().unwrap().settle();
        drop(tickets.next());
        tickets.next().unwrap().settle();
        running.stop().await;
        // The broker has kept the one, for the same client.
        let mut running = Running::start(options(&broker, version)).await.unwrap();
        let (message, ticket) = running.next().await;
        assert_eq!((&message.payload[..], message.dup), (&b"2"[..], true));
        ticket.settle();
        broker.publish("t/1", "next", &["-q", "1"]).await;
        let (message, ticket) = running.next().await;
        assert_eq!(message.payload, "next");
        ticket.settle();
        running.stop().await;
    }
}

#[tokio::test]
async fn a_lost_broker_is_found_again() {
    let broker = Mosquitto::start();
    let port = broker.port;
    let mut running = Running::start(options(&broker, Version::V5)).await.unwrap();
    broker.publish("t/1", "before", &["-q", "1"]).await;
    let (message, late) = running.next().await;
    assert_eq!(message.payload, "before");
    drop(broker);
    let broker = Mosquitto::at(port);
    // Decided on a connection that is gone: no stranger's message is acknowledged by it.
    late.settle();
    // Published until the subscription stands again.
    let (message, ticket) = loop {
        broker.publish("t/1", "after", &["-q", "1"]).await;
        if let Ok(next) = tokio::time::timeout(Duration::from_millis(200), running.taken.recv()).await {
            break next.unwrap();
        }
    };
    assert_eq!(message.payload, "after");
    ticket.settle();
    running.stop().await;
}

#[tokio::test]
async fn messages_go_out_at_every_quality() {
    let broker = Mosquitto::start();
    for version in [Version::V4, Version::V5] {
        let mut running = Running::start(options(&broker, version)).await.unwrap();
        for qos in [0, 1, 2] {
            // Back to ourselves: `t/#` is subscribed to.
            let message = Message { qos, ..Message::new("t/out", format!("q{qos}")) };
            tokio::time::timeout(PATIENCE, running.outbox.publish(message)).await.unwrap().unwrap();
            let (message, ticket) = running.next().await;
            assert_eq!(message.payload, format!("q{qos}"));
            ticket.settle();
        }
        running.stop().await;
    }
}

#[tokio::test]
async fn a_broker_that_is_not_there_is_named() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = BrokerUrl::parse(&format!("mqtt://ann:secret@127.0.0.1:{port}")).unwrap();
    for version in [Version::V4, Version::V5] {
        let filters = vec!["#".to_owned()];
        let options =
            Options { url: url.clone(), version, clientid: "c".to_owned(), filters, keeps_session: true };
        let error = Running::start(options).await.err().expect("there is no broker");
        let expected =
            format!("cannot use the broker mqtt://127.0.0.1:{port}: Connection refused (os error 111)");
        assert_eq!(error, expected);
    }
}

struct Nobody;

#[async_trait]
impl Events for Nobody {
    async fn published(&self, _message: Message) {}
}

#[tokio::test]
async fn a_broker_that_refuses_us_says_why() {
    let access = Access::parse("ann:secret\n").unwrap();
    let config = Config { mqtt_port: 0, ws_port: 0, access, ..Config::default() };
    let broker = Broker::start(config, Arc::new(Nobody)).await.unwrap();
    let host = format!("127.0.0.1:{}", broker.mqtt_addr().port());
    for version in [Version::V4, Version::V5] {
        let with = |url: String| Options {
            url: BrokerUrl::parse(&url).unwrap(),
            version,
            clientid: "c".to_owned(),
            filters: vec!["#".to_owned()],
            keeps_session: true,
        };
        let refused = Running::start(with(format!("mqtt://ann:wrong@{host}"))).await.err().unwrap();
        assert!(refused.contains("the broker refused the connection: Bad"), "{refused}");
        assert!(!refused.contains("wrong"), "{refused}");
        Running::start(with(format!("mqtt://ann:secret@{host}"))).await.unwrap().stop().await;
    }
    broker.stop().await;
}
