//! MQTT 5 properties in the events of the embedded broker: the binary, mosquitto's clients and bare sockets.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use live_support::bare::{Bare, packet, text};
use live_support::process::{Running, Workplace};
use rulemill::profile::Profile;
use serde_json::{Value as Json, json};

/// A rule for each row: id, SQL.
fn start(rules: &[(&str, &str)], profile: Profile) -> (Workplace, Running) {
    let rule = |(id, sql): &(&str, &str)| {
        format!("    {id}: {{ sql: '{sql}', actions: [{{ function: console }}] }}\n")
    };
    let place =
        Workplace::new(&format!("rule_engine:\n  rules:\n{}", rules.iter().map(rule).collect::<String>()));
    let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
    (place, running)
}

/// What a rule showed first.
fn shown(running: &Running, rule: &str) -> Json {
    serde_json::from_str(&running.line(&format!("[rule action] {rule} "))).unwrap()
}

/// All that a rule showed, in order.
fn all(out: &str, rule: &str) -> Vec<Json> {
    let start = format!("[rule action] {rule} ");
    let lines = out.lines().filter_map(|line| line.strip_prefix(&start));
    lines.map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A user property on the wire.
fn user(name: &str, value: &str) -> Vec<u8> {
    [&[0x26][..], &text(name), &text(value)].concat()
}

/// Properties with their length.
fn properties(parts: &[&[u8]]) -> Vec<u8> {
    let all = parts.concat();
    [&[all.len() as u8], &*all].concat()
}

#[test]
fn subscribe_and_unsubscribe_show_their_user_properties() {
    for (profile, shared) in [(Profile::V5_8, "$share/g/t/#"), (Profile::V4_3, "t/#")] {
        let sub = r#"SELECT topic, sub_props as props FROM "$events/session_subscribed""#;
        let unsub = r#"SELECT topic, unsub_props as props FROM "$events/session_unsubscribed""#;
        let (_place, running) = start(&[("sub", sub), ("unsub", unsub)], profile);
        let mut client = Bare::v5(&running, "c");
        let both = properties(&[&[0x0B, 7], &user("k", "v"), &user("k", "w")]);
        // The filter in the middle is none: rmqtt says so, and tells nothing.
        let filters = [&*text("$share/g/t/#"), &[1], &*text("a/#/b"), &[1], &*text("u"), &[0]].concat();
        client.send(&packet(0x82, &[&[0, 1], &both, &filters]));
        assert_eq!(client.read()[0], 0x90);
        client.send(&packet(0x82, &[&[0, 2, 0], &*text("u"), &[2]]));
        assert_eq!(client.read()[0], 0x90);
        let one = properties(&[&user("why", "done")]);
        client.send(&packet(0xA2, &[&[0, 3], &one, &text("never"), &text("$share/g/t/#")]));
        assert_eq!(client.read()[0], 0xB0);
        client.send(&packet(0xA2, &[&[0, 4, 0], &*text("u")]));
        assert_eq!(client.read()[0], 0xB0);
        let (code, out, log) = running.stop();
        assert_eq!(code, Some(0), "{log}");
        let pairs = json!([{"key": "k", "value": "v"}, {"key": "k", "value": "w"}]);
        let subscribed = all(&out, "sub");
        let topics: Vec<_> = subscribed.iter().map(|line| line["topic"].clone()).collect();
        assert_eq!(topics, [shared, "u", "u"]);
        for first in &subscribed[..2] {
            assert_eq!(first["props"]["User-Property-Pairs"], pairs);
            assert_eq!(first["props"]["Subscription-Identifier"], 7);
        }
        assert_eq!(subscribed[2]["props"], json!({"User-Property": {}}));
        let why = json!({"User-Property": {"why": "done"}, "User-Property-Pairs": [{"key": "why", "value": "done"}]});
        assert_eq!(
            all(&out, "unsub"),
            [json!({"topic": shared, "props": why}), json!({"topic": "u", "props": {"User-Property": {}}})]
        );
    }
}

#[test]
fn acknowledgements_show_their_properties() {
    for profile in Profile::ALL {
        let acked = r#"SELECT payload, puback_props as props FROM "$events/message_acked""#;
        let (_place, running) = start(&[("acked", acked)], profile);
        let mut client = Bare::v5(&running, "c");
        client.send(&packet(0x82, &[&[0, 1, 0], &*text("t/#"), &[2]]));
        assert_eq!(client.read()[0], 0x90);
        let publish = |qos: &str, payload: &str| {
            let args = ["-q", qos, "-t", "t/1", "-m", payload];
            assert!(running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success());
        };
        let said = properties(&[&[0x1F], &text("fine"), &user("k", "v")]);
        publish("1", "with");
        let id = packet_id(&client.read());
        client.send(&packet(0x40, &[&id, &[0], &said]));
        publish("1", "without");
        let id = packet_id(&client.read());
        client.send(&packet(0x40, &[&id]));
        publish("2", "twice");
        let id = packet_id(&client.read());
        client.send(&packet(0x50, &[&id, &[0], &said]));
        assert_eq!(client.read()[0], 0x62);
        client.send(&packet(0x70, &[&id]));
        // Answered behind what came before it.
        client.send(&[0xC0, 0]);
        assert_eq!(client.read()[0], 0xD0);
        let (code, out, log) = running.stop();
        assert_eq!(code, Some(0), "{log}");
        let said = json!({
            "Reason-String": "fine", "User-Property": {"k": "v"},
            "User-Property-Pairs": [{"key": "k", "value": "v"}]
        });
        let nothing = json!({"User-Property": {}});
        assert_eq!(
            all(&out, "acked"),
            [
                json!({"payload": "with", "props": said}),
                json!({"payload": "without", "props": nothing}),
                json!({"payload": "twice", "props": said}),
            ]
        );
    }
}

/// The packet id of a PUBLISH on `t/1`.
fn packet_id(publish: &[u8]) -> [u8; 2] {
    assert_eq!(publish[0] >> 4, 3, "{publish:?}");
    assert_eq!(&publish[2..7], b"\0\x03t/1");
    publish[7..9].try_into().unwrap()
}

#[test]
fn messages_show_all_their_properties_wherever_they_go() {
    let events = ["message_delivered", "message_acked", "message_dropped"];
    let rules = events.map(|event| (event, format!(r#"SELECT pub_props, flags FROM "$events/{event}""#)));
    let published = ("published", r#"SELECT pub_props, flags FROM "t/#", "nobody/#""#.to_owned());
    let rules: Vec<_> = rules.into_iter().chain([published]).collect();
    let rules: Vec<_> = rules.iter().map(|(id, sql)| (*id, &**sql)).collect();
    let (_place, running) = start(&rules, Profile::V5_8);
    let mut client = Bare::v5(&running, "c");
    client.send(&packet(0x82, &[&[0, 1, 0], &*text("t/#"), &[1]]));
    assert_eq!(client.read()[0], 0x90);
    let publish = |topic: &str, more: &[&str]| {
        let all = [
            ("payload-format-indicator", "1"),
            ("message-expiry-interval", "3600"),
            ("content-type", "text/plain"),
            ("response-topic", "answers/here"),
            ("correlation-data", "c-1"),
        ];
        let all = all.iter().flat_map(|(name, value)| ["-D", "publish", name, value]);
        let user = ["-D", "publish", "user-property", "k", "v", "-D", "publish", "user-property", "k", "w"];
        let args: Vec<_> =
            ["-V", "mqttv5", "-q", "1", "-t", topic, "-m", "x"].into_iter().chain(all).collect();
        let args = [&args[..], &user, more].concat();
        assert!(running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success());
    };
    publish("t/1", &["-r"]);
    let id = packet_id(&client.read());
    client.send(&packet(0x40, &[&id]));
    publish("nobody/there", &[]);
    let expected = json!({
        "Payload-Format-Indicator": 1, "Message-Expiry-Interval": 3600, "Content-Type": "text/plain",
        "Response-Topic": "answers/here", "Correlation-Data": "c-1", "User-Property": {"k": "w"},
        "User-Property-Pairs": [{"key": "k", "value": "v"}, {"key": "k", "value": "w"}]
    });
    // A subscriber that was there gets the message itself, not the retained one.
    for (rule, retain) in [
        ("published", true),
        ("message_delivered", false),
        ("message_acked", false),
        ("message_dropped", false),
    ] {
        let line = shown(&running, rule);
        assert_eq!(line["pub_props"], expected, "{rule}");
        assert_eq!(line["flags"], json!({"retain": retain, "dup": false}), "{rule}");
    }
    // One that comes later gets the retained one, with what it came with.
    let mut late = Bare::v5(&running, "late");
    late.send(&packet(0x82, &[&[0, 1, 0], &*text("t/#"), &[0]]));
    assert_eq!(late.read()[0], 0x90);
    assert_eq!(late.read()[0], 0x31);
    let (code, out, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    let delivered = all(&out, "message_delivered");
    assert_eq!(delivered.len(), 2, "{delivered:?}");
    assert_eq!(delivered[1]["flags"]["retain"], true);
    assert_eq!(delivered[1]["pub_props"]["User-Property-Pairs"], expected["User-Property-Pairs"]);
}
