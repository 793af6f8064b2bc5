//! Deliveries over HTTP to scripted servers, their order, retries and bounds; republishing and its guards.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use live_support::PATIENCE;
use live_support::web::Server;
use rulemill::delivery::{Publish, Receipt, Settled};
use rulemill::engine::{Origin, Outcome, RenderedAction};
use rulemill::eval::{Outputs, Verdict};
use rulemill::event::Message;
use rulemill::limits;
use rulemill::rule::Request;
use rulemill::sink::dispatch::Republish;
use rulemill::sink::hstreamdb::Hstreamdb;
use rulemill::sink::http::{Http, Moved, client};
use rulemill::sink::republish::{Echoes, Remote};
use rulemill::sink::{Attempt, Dispatcher, Job, Lanes, Retry, Route, Rules, Sink, Tally};
use rulemill::value::{Map, Value};
use tokio::sync::{SetOnce, mpsc, watch};

/// Port 1 of loopback: nobody listens there, and nobody may without being root.
const NOBODY: &str = "http://127.0.0.1:1";

fn http(url: &str, body: &str) -> Request {
    Request::Http {
        connector: "c".to_owned(),
        method: "POST".to_owned(),
        url: format!("{url}/hook?x=1"),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(body.to_owned().into()),
    }
}

/// One rule over everything, with one action of this id.
fn one_action(id: &'static str, make: impl Fn(&Message) -> Request + Send + 'static) -> Box<dyn Rules> {
    rules(move |message, _| vec![outcome("r", id, make(message))])
}

fn rules(run: impl FnMut(&Message, Option<&Origin>) -> Vec<Outcome> + Send + 'static) -> Box<dyn Rules> {
    Box::new(run)
}

fn outcome(rule: &str, id: &str, request: Request) -> Outcome {
    let action = RenderedAction { id: Arc::from(id), position: 0, output: 0, request: Ok(request) };
    Outcome {
        rule: Arc::from(rule),
        result: Ok(Verdict::Outputs(Outputs::of_maps(vec![Map::new()]))),
        actions: vec![action],
        steps: Vec::new(),
    }
}

struct Fixture {
    dispatcher: Arc<Dispatcher>,
    tally: Arc<Tally>,
    lines: mpsc::UnboundedReceiver<String>,
}

impl Fixture {
    fn new(rules: Box<dyn Rules>, id: &str, sink: Option<Arc<dyn Sink>>, retry: Retry) -> Fixture {
        Fixture::with(rules, id, sink, retry, Republish::Embedded(Arc::new(SetOnce::new())))
    }

    fn with(
        rules: Box<dyn Rules>,
        id: &str,
        sink: Option<Arc<dyn Sink>>,
        retry: Retry,
        republish: Republish,
    ) -> Fixture {
        let tally = Arc::new(Tally::default());
        let (sender, lines) = mpsc::unbounded_channel();
        let route = match sink {
            Some(sink) => Route::Lanes(Lanes::start(sink, retry, Arc::clone(&tally))),
            None => Route::Skip,
        };
        let routes = BTreeMap::from([(Arc::from(id), route)]);
        let console = Box::new(move |line| sender.send(line).unwrap());
        let dispatcher = Arc::new(Dispatcher::new(rules, routes, republish, console, Arc::clone(&tally), 1));
        Fixture { dispatcher, tally, lines }
    }

    /// A rule that sends each payload to this server.
    fn webhook(url: String, retry: Retry) -> Fixture {
        let sink: Arc<dyn Sink> = Arc::new(Http::new(client(PATIENCE).unwrap(), None));
        let text = |message: &Message| String::from_utf8(message.payload.to_vec()).unwrap();
        let rules = one_action("http:h", move |message| http(&url, &text(message)));
        Fixture::new(rules, "http:h", Some(sink), retry)
    }

    async fn send(&self, payload: &str) -> Receipt {
        self.dispatcher.message(Message::new("t", payload.to_owned())).await
    }

    /// Sends one message and waits until it is decided.
    async fn decide(&self, payload: &str) -> Settled {
        let receipt = self.send(payload).await;
        tokio::time::timeout(PATIENCE, receipt.settled()).await.expect("never decided")
    }

    fn counts(&self) -> (u64, u64, u64, u64) {
        let tally = &self.tally;
        (tally.delivered.get(), tally.failed.get(), tally.abandoned.get(), tally.retries.get())
    }
}

#[tokio::test]
async fn a_webhook_gets_what_the_rule_rendered() {
    let mut server = Server::start(&[]).await;
    let fixture = Fixture::webhook(server.url(), Retry::default());
    assert_eq!(fixture.decide("{\"a\":1}").await, Settled::Done);
    let seen = server.next().await;
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /hook?x=1", "{\"a\":1}"));
    assert!(seen.headers.contains(&("content-type".to_owned(), "application/json".to_owned())));
    assert_eq!(fixture.counts(), (1, 0, 0, 0));
}

#[tokio::test]
async fn answers_decide_as_in_emqx() {
    // Answers, then delivered, failed, retries.
    for (answers, expected) in [
        (vec![(204, "")], (1, 0, 0, 0)),
        (vec![(299, "")], (1, 0, 0, 0)),
        (vec![(503, ""), (200, "")], (1, 0, 0, 1)),
        (vec![(429, ""), (503, ""), (200, "")], (1, 0, 0, 2)),
        (vec![(503, ""), (503, ""), (503, ""), (200, "")], (1, 0, 0, 3)),
        (vec![(503, ""), (500, "")], (0, 1, 0, 1)),
        (vec![(500, "oops")], (0, 1, 0, 0)),
        (vec![(400, "")], (0, 1, 0, 0)),
        (vec![(302, "")], (0, 1, 0, 0)),
    ] {
        let server = Server::start(&answers).await;
        let fixture = Fixture::webhook(server.url(), Retry::default());
        assert_eq!(fixture.decide("x").await, Settled::Done);
        assert_eq!(fixture.counts(), expected, "{answers:?}");
    }
}

#[tokio::test]
async fn emqx_4_3_does_not_try_again() {
    let server = Server::start(&[(503, ""), (200, "")]).await;
    let fixture = Fixture::webhook(server.url(), Retry { enabled: false, ..Retry::default() });
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(fixture.counts(), (0, 1, 0, 0));
}

#[tokio::test]
async fn a_server_that_is_away_is_tried_until_the_time_is_up() {
    let time_to_live = Some(Duration::from_millis(600));
    let fixture = Fixture::webhook(NOBODY.to_owned(), Retry { time_to_live, ..Retry::default() });
    let start = Instant::now();
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert!(start.elapsed() >= Duration::from_millis(600));
    let (delivered, failed, abandoned, retries) = fixture.counts();
    assert_eq!((delivered, failed, abandoned), (0, 1, 0));
    // Two at once, and the rest with growing waits.
    assert!((3..=6).contains(&retries), "{retries}");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_its_time_and_no_more() {
    let server = Server::start(&[]).await;
    server.open.send(false).unwrap();
    let time_to_live = Some(Duration::from_millis(300));
    let fixture = Fixture::webhook(server.url(), Retry { time_to_live, ..Retry::default() });
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(fixture.counts().1, 1);
}

/// Notes what it is given; a payload `wait` holds its lane until the gate opens.
struct Notes {
    seen: mpsc::UnboundedSender<String>,
    open: watch::Receiver<bool>,
}

#[async_trait]
impl Sink for Notes {
    async fn attempt(&self, job: &Job, _time: Duration) -> Attempt {
        let Request::Http { body: Some(body), .. } = &job.request else { panic!("{:?}", job.request) };
        let body = String::from_utf8(body.to_vec()).unwrap();
        let mut open = self.open.clone();
        if body.ends_with("wait") {
            open.wait_for(|open| *open).await.unwrap();
        }
        self.seen.send(format!("{} {body}", job.key)).unwrap();
        Attempt::Delivered(String::new())
    }
}

struct Noted {
    fixture: Fixture,
    seen: mpsc::UnboundedReceiver<String>,
    open: watch::Sender<bool>,
}

impl Noted {
    fn start() -> Noted {
        let (sender, seen) = mpsc::unbounded_channel();
        let (open, gate) = watch::channel(false);
        let sink: Arc<dyn Sink> = Arc::new(Notes { seen: sender, open: gate });
        let text = |message: &Message| String::from_utf8(message.payload.to_vec()).unwrap();
        let rules = one_action("http:h", move |message| http("http://h", &text(message)));
        let retry = Retry { time_to_live: None, ..Retry::default() };
        Noted { fixture: Fixture::new(rules, "http:h", Some(sink), retry), seen, open }
    }

    async fn send(&self, clientid: &str, payload: &str) -> Receipt {
        let message = Message { clientid: clientid.to_owned(), ..Message::new("t", payload.to_owned()) };
        self.fixture.dispatcher.message(message).await
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(PATIENCE, self.seen.recv()).await.expect("nothing delivered").unwrap()
    }
}

#[tokio::test]
async fn a_client_keeps_its_order_while_others_go_on() {
    let mut noted = Noted::start();
    let first = noted.send("slow", "1 wait").await;
    noted.send("slow", "2").await;
    // Of many clients at least one has another lane; those in the slow one wait.
    for n in 0..64 {
        noted.send(&format!("c{n}"), "x").await;
    }
    let overtook = noted.next().await;
    assert!(!overtook.starts_with("slow"), "{overtook}");
    noted.open.send(true).unwrap();
    assert_eq!(first.settled().await, Settled::Done);
    let mut slow = Vec::new();
    for _ in 0..65 {
        let line = noted.next().await;
        if line.starts_with("slow") {
            slow.push(line);
        }
    }
    assert_eq!(slow, ["slow 1 wait", "slow 2"]);
}

#[tokio::test]
async fn a_full_lane_holds_its_publisher_back_and_nothing_is_lost() {
    let mut noted = Noted::start();
    // One in work, and the lane full behind it.
    for n in 0..=limits::LANE_QUEUE_MAX {
        noted.send("c", &format!("{n} wait")).await;
    }
    let blocked = tokio::time::timeout(Duration::from_millis(100), noted.send("c", "last"));
    assert!(blocked.await.is_err(), "a full lane took one more");
    noted.open.send(true).unwrap();
    for n in 0..=limits::LANE_QUEUE_MAX {
        assert_eq!(noted.next().await, format!("c {n} wait"));
    }
    noted.send("c", "after").await;
    assert_eq!(noted.next().await, "c after");
    // The one that was cut off while it waited is counted, not forgotten.
    assert_eq!(noted.fixture.tally.abandoned.get(), 1);
}

#[tokio::test]
async fn large_messages_wait_for_room() {
    let noted = Noted::start();
    let payload = format!("{} wait", "x".repeat(1024 * 1024 - 5));
    let fits = limits::ACTION_QUEUE_KIB_MAX as usize / 1025;
    let mut receipts = Vec::new();
    // Over many lanes, so that no lane is full.
    for n in 0..fits {
        receipts.push(noted.send(&format!("c{n}"), &payload).await);
    }
    let blocked = tokio::time::timeout(Duration::from_millis(100), noted.send("more", &payload));
    assert!(blocked.await.is_err(), "more bytes were queued than the bound");
    noted.open.send(true).unwrap();
    for receipt in receipts {
        assert_eq!(receipt.settled().await, Settled::Done);
    }
    assert_eq!(noted.send("more", &payload).await.settled().await, Settled::Done);
}

#[tokio::test]
async fn draining_waits_for_deliveries_and_gives_up_at_its_deadline() {
    let noted = Noted::start();
    let done = noted.send("a", "x").await;
    noted.fixture.dispatcher.drain(Instant::now() + PATIENCE).await;
    assert_eq!(done.settled().await, Settled::Done);

    let noted = Noted::start();
    let (stuck, queued) = (noted.send("a", "wait").await, noted.send("a", "x").await);
    noted.fixture.dispatcher.drain(Instant::now() + Duration::from_millis(50)).await;
    assert_eq!(stuck.settled().await, Settled::Abandoned);
    assert_eq!(queued.settled().await, Settled::Abandoned);
    assert_eq!(noted.fixture.counts(), (0, 0, 2, 0));
    assert_eq!(noted.fixture.tally.undelivered(), 2);
}

fn record(json: &str) -> Box<dyn Rules> {
    let json = json.to_owned();
    one_action("hstreamdb:h", move |_| Request::Hstreamdb {
        connector: "h".to_owned(),
        stream: "s".to_owned(),
        partition_key: String::new(),
        record: json.clone().into(),
    })
}

const STORED: &str = r#"{"streamName":"s","recordIds":[{"batchId":"8589934593","batchIndex":0}]}"#;
const NO_BACKEND: &str = "rpc error: code = Unavailable desc = connection error";

#[tokio::test]
async fn hstreamdb_has_a_record_only_when_it_says_its_id() {
    for (answers, expected) in [
        (vec![(200, STORED)], (1, 0, 0, 0)),
        (vec![(200, "{}"), (200, STORED)], (1, 0, 0, 1)),
        (vec![(400, NO_BACKEND), (500, ""), (200, STORED)], (1, 0, 0, 2)),
        (vec![(400, "Bad Request Error: Invalid append payload.\nEOF")], (0, 1, 0, 0)),
        (vec![(404, "{}")], (0, 1, 0, 0)),
    ] {
        let mut server = Server::start(&answers).await;
        let sink: Arc<dyn Sink> = Arc::new(Hstreamdb::new(client(PATIENCE).unwrap(), &server.url()).unwrap());
        let fixture = Fixture::new(record(r#"{"speed":32}"#), "hstreamdb:h", Some(sink), Retry::default());
        assert_eq!(fixture.decide("x").await, Settled::Done);
        assert_eq!(fixture.counts(), expected, "{answers:?}");
        let seen = server.next().await;
        assert_eq!(seen.line, "POST /streams/s:publish");
        assert_eq!(seen.body, r#"{"payload":"{\"speed\":32}","flag":0}"#);
    }
}

#[tokio::test]
async fn a_moved_server_gets_the_requests_of_its_old_url() {
    let mut server = Server::start(&[]).await;
    let moved = Moved { from: "http://127.0.0.1:6580".to_owned(), to: server.url() };
    let sink: Arc<dyn Sink> = Arc::new(Http::new(client(PATIENCE).unwrap(), Some(moved)));
    let rules = one_action("http:h", |_| http("http://127.0.0.1:6580", "x"));
    let fixture = Fixture::new(rules, "http:h", Some(sink), Retry::default());
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(server.next().await.line, "POST /hook?x=1");
}

/// A broker that notes what is published to it.
struct Published(mpsc::UnboundedSender<Message>);

#[async_trait]
impl Publish for Published {
    async fn publish(&self, message: Message) -> Result<(), String> {
        self.0.send(message).map_err(|_| "the broker is gone".to_owned())
    }
}

fn to_topic(topic: &str, direct_dispatch: bool) -> Request {
    Request::Republish {
        topic: topic.to_owned(),
        qos: 1,
        retain: false,
        payload: "again".into(),
        properties: Vec::new(),
        user_properties: vec![("k".to_owned(), "v".to_owned())],
        direct_dispatch,
    }
}

fn embedded(rules: Box<dyn Rules>) -> (Fixture, mpsc::UnboundedReceiver<Message>) {
    let (sender, published) = mpsc::unbounded_channel();
    let broker: Arc<SetOnce<Arc<dyn Publish>>> = Arc::new(SetOnce::new());
    let publisher: Arc<dyn Publish> = Arc::new(Published(sender));
    assert!(broker.set(publisher).is_ok());
    let republish = Republish::Embedded(broker);
    (Fixture::with(rules, "none", None, Retry::default(), republish), published)
}

#[tokio::test]
async fn the_engine_is_told_who_republished_a_message() {
    let rules = rules(|message, origin| match origin {
        None => vec![outcome("r", "republish", to_topic(&format!("{}/out", message.topic), false))],
        Some(origin) => {
            assert_eq!((&*origin.rule, origin.position), ("r", 0));
            Vec::new()
        }
    });
    let (fixture, mut published) = embedded(rules);
    assert_eq!(fixture.decide("x").await, Settled::Done);
    let message = published.recv().await.unwrap();
    assert_eq!((message.topic.as_str(), message.clientid.as_str(), message.qos), ("t/out", "r", 1));
    assert_eq!(message.user_properties, [("k".to_owned(), "v".to_owned())]);
    assert_eq!((message.peerhost, message.username), (None, None));
    assert_ne!(message.id, "00000000000000000000000000000000");
    assert!(published.try_recv().is_err());
    assert_eq!(fixture.tally.rule_errors.get(), 0);
    assert_eq!(fixture.counts(), (1, 0, 0, 0));
}

#[tokio::test]
async fn rules_that_feed_one_another_come_to_an_end() {
    let other = |rule: &str, topic: &str| outcome(rule, "republish", to_topic(topic, false));
    let rules = rules(move |message, _| match message.topic.as_str() {
        "a" => vec![other("from_a", "b")],
        _ => vec![other("from_b", "a")],
    });
    let (fixture, mut published) = embedded(rules);
    let receipt = fixture.dispatcher.message(Message::new("a", "x")).await;
    assert_eq!(receipt.settled().await, Settled::Done);
    let mut count = 0;
    while published.try_recv().is_ok() {
        count += 1;
    }
    assert_eq!(count, limits::REPUBLISH_DEPTH_MAX);
    assert_eq!(fixture.tally.failed.get(), 1);
}

#[tokio::test]
async fn direct_dispatch_triggers_no_rule() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let topics = Arc::clone(&seen);
    let rules = rules(move |message, _| {
        topics.lock().unwrap().push(message.topic.clone());
        vec![outcome("r", "republish", to_topic("out", true))]
    });
    let (fixture, mut published) = embedded(rules);
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(published.recv().await.unwrap().topic, "out");
    assert_eq!(*seen.lock().unwrap(), ["t"]);
}

#[tokio::test]
async fn an_echo_of_a_broker_elsewhere_does_not_come_round_again() {
    let (sender, mut published) = mpsc::unbounded_channel();
    let tally = Arc::new(Tally::default());
    let lanes = Lanes::start(Arc::new(Remote(Published(sender))), Retry::default(), Arc::clone(&tally));
    let echoes = Arc::new(Echoes::new(vec!["#".to_owned()]));
    let rules = rules(|_, origin| match origin {
        None => vec![outcome("r", "republish", to_topic("out", false))],
        Some(_) => Vec::new(),
    });
    let fixture = Fixture::with(rules, "none", None, Retry::default(), Republish::Remote(lanes, echoes));
    assert_eq!(fixture.decide("x").await, Settled::Done);
    let echo = published.recv().await.unwrap();
    // The broker sends it back, as its own.
    let echo = Message { clientid: "undefined".to_owned(), ..echo };
    assert_eq!(fixture.dispatcher.message(echo).await.settled().await, Settled::Done);
    assert!(published.try_recv().is_err());
}

#[tokio::test]
async fn the_console_gets_a_line_for_each_output() {
    let data = Value::Map(Map::of_columns([("n", Value::Int(1))]));
    let rules = one_action("console", move |_| Request::Console { data: data.clone() });
    let mut fixture = Fixture::new(rules, "none", None, Retry::default());
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(fixture.lines.recv().await.unwrap(), r#"[rule action] r {"n":1}"#);
}

#[tokio::test]
async fn a_panic_in_a_rule_ends_that_message_only() {
    let rules = rules(|message, _| {
        assert!(message.payload != "bad", "a rule's panic, on purpose");
        vec![outcome("r", "console", Request::Console { data: Value::Null })]
    });
    let mut fixture = Fixture::new(rules, "none", None, Retry::default());
    assert_eq!(fixture.decide("bad").await, Settled::Done);
    assert_eq!(fixture.decide("good").await, Settled::Done);
    assert_eq!(fixture.lines.recv().await.unwrap(), "[rule action] r null");
    assert_eq!(fixture.tally.rule_errors.get(), 1);
}

#[tokio::test]
async fn actions_that_cannot_be_rendered_fail_and_others_go_on() {
    let rules = rules(|_, _| {
        let action = |request| RenderedAction { id: Arc::from("console"), position: 0, output: 0, request };
        let actions =
            vec![action(Err("no body".to_owned())), action(Ok(Request::Console { data: Value::Null }))];
        vec![Outcome {
            rule: Arc::from("r"),
            result: Ok(Verdict::Outputs(Outputs::of_maps(vec![Map::new()]))),
            actions,
            steps: Vec::new(),
        }]
    });
    let fixture = Fixture::new(rules, "none", None, Retry::default());
    assert_eq!(fixture.decide("x").await, Settled::Done);
    assert_eq!(fixture.counts(), (1, 1, 0, 0));
}
