//! Events of the embedded broker, as rules see them: the binary, real clients and bare sockets.
#![cfg(feature = "live")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

mod live_support;

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use live_support::bare::{Bare, packet, text};
use live_support::mosquitto::Mosquitto;
use live_support::process::{Running, Workplace};
use live_support::web::Server;
use rulemill::event;
use rulemill::profile::Profile;
use serde_json::{Value as Json, json};

/// A rule that shows all columns, for each event; `where_` narrows it.
fn rules(events: &[(&str, &str)]) -> String {
    let rule = |(event, where_): &(&str, &str)| {
        let where_ = if where_.is_empty() { String::new() } else { format!(" WHERE {where_}") };
        format!(
            "    {event}: {{ sql: \"SELECT * FROM \\\"$events/{event}\\\"{where_}\", actions: [{{ function: console }}] }}\n"
        )
    };
    format!("rule_engine:\n  rules:\n{}", events.iter().map(rule).collect::<String>())
}

/// The columns that the rule of an event showed first, once they are exactly those of the table.
fn columns(running: &Running, event: &str, profile: Profile) -> Json {
    let line = running.line(&format!("[rule action] {event} "));
    let columns: Json = serde_json::from_str(&line).unwrap();
    let names: BTreeSet<&str> = columns.as_object().unwrap().keys().map(String::as_str).collect();
    let event = event::by_topic(&format!("$events/{event}"), profile).unwrap();
    let expected = event.supplied(profile).into_iter().chain(["metadata"]).collect();
    assert_eq!(names, expected, "{} in {profile}", event.name);
    assert_eq!(columns["event"], event.name);
    assert_eq!(columns["node"], "emqx@127.0.0.1");
    assert!(columns["timestamp"].as_i64().unwrap() > 1_600_000_000_000);
    columns
}

/// Holds every value that is given; others may stand beside them.
fn assert_holds(columns: &Json, expected: Json) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&columns[name], value, "{name} of {columns}");
    }
}

/// Publishes with MQTT 5, QoS 1 and a user property.
fn publish(running: &Running, topic: &str, more: &[&str]) {
    let args = ["-V", "mqttv5", "-i", "pub", "-u", "bob", "-q", "1", "-t", topic, "-m", "hello"];
    let user = ["-D", "publish", "user-property", "k", "v"];
    let args = [&args[..], &user, more].concat();
    assert!(running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success());
}

#[test]
fn a_subscriber_from_connect_to_disconnect() {
    for profile in Profile::ALL {
        let mut events = vec![
            ("client_connected", "clientid = 'sub'"),
            ("session_subscribed", ""),
            ("message_delivered", ""),
            ("message_acked", ""),
            ("client_disconnected", "clientid = 'sub'"),
        ];
        if profile == Profile::V5_8 {
            events.push(("client_connack", "clientid = 'sub'"));
        }
        let more = r#"    seen: { sql: "SELECT id FROM \"t/#\"", actions: [{ function: console }] }"#;
        let place = Workplace::new(&(rules(&events) + more));
        let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
        let args = ["-V", "mqttv5", "-i", "sub", "-u", "ann", "-q", "1", "-t", "t/+", "-C", "1", "-k", "77"];
        let user = ["-D", "connect", "user-property", "k", "v", "-x", "100", "-c"];
        let mut subscriber =
            running.mosquitto("mosquitto_sub", &[&args[..], &user].concat()).spawn().unwrap();

        let connected = columns(&running, "client_connected", profile);
        let conn_props = json!({
            "Session-Expiry-Interval": 100, "User-Property": {"k": "v"},
            "User-Property-Pairs": [{"key": "k", "value": "v"}]
        });
        let port = running.port("mqtt");
        let client = json!({
            "clientid": "sub", "username": "ann", "proto_name": "MQTT", "proto_ver": 5,
            "sockname": format!("127.0.0.1:{port}")
        });
        assert_holds(&connected, client.clone());
        assert!(connected["peername"].as_str().unwrap().starts_with("127.0.0.1:"));
        assert_holds(&connected, json!({"keepalive": 77, "clean_start": false, "expiry_interval": 100}));
        for (name, value) in conn_props.as_object().unwrap() {
            assert_eq!(&connected["conn_props"][name], value);
        }
        assert!(connected["connected_at"].as_i64().unwrap() > 1_600_000_000_000);
        if profile == Profile::V5_8 {
            let connack = columns(&running, "client_connack", profile);
            assert_holds(&connack, client.clone());
            assert_holds(&connack, json!({"reason_code": "success", "expiry_interval": 100_000}));
        }

        let subscribed = columns(&running, "session_subscribed", profile);
        assert_holds(&subscribed, json!({"clientid": "sub", "username": "ann", "topic": "t/+", "qos": 1}));
        assert_holds(&subscribed, json!({"peerhost": "127.0.0.1", "sub_props": {"User-Property": {}}}));

        publish(&running, "t/1", &[]);
        assert!(subscriber.wait().unwrap().success());
        let id: Json = serde_json::from_str(&running.line("[rule action] seen ")).unwrap();
        for event in ["message_delivered", "message_acked"] {
            let seen = columns(&running, event, profile);
            assert_holds(&seen, json!({"clientid": "sub", "username": "ann", "peerhost": "127.0.0.1"}));
            assert_holds(&seen, json!({"from_clientid": "pub", "from_username": "bob", "id": id["id"]}));
            assert_holds(&seen, json!({"topic": "t/1", "payload": "hello", "qos": 1}));
            assert_holds(&seen, json!({"flags": {"dup": false, "retain": false}}));
            assert_eq!(seen["pub_props"]["User-Property"], json!({"k": "v"}));
            assert!(seen["publish_received_at"].as_i64().unwrap() > 1_600_000_000_000);
        }

        let disconnected = columns(&running, "client_disconnected", profile);
        assert_holds(&disconnected, client);
        assert_holds(&disconnected, json!({"reason": "normal", "disconn_props": {"User-Property": {}}}));
        assert!(disconnected["disconnected_at"].as_i64() >= connected["connected_at"].as_i64());
        assert_eq!(running.stop().0, Some(0));
    }
}

#[test]
fn what_mqtt_3_does_not_have_is_as_emqx_shows_it() {
    let place = Workplace::new(&rules(&[("client_connected", "")]));
    let running = place.start(&["--no-hstream"]);
    let _client = Bare::v4(&running, "old", false, 30);
    let connected = columns(&running, "client_connected", Profile::V5_8);
    assert_holds(&connected, json!({"username": "undefined", "mountpoint": "undefined", "is_bridge": false}));
    assert_holds(&connected, json!({"proto_ver": 4, "keepalive": 30, "clean_start": false}));
    // EMQX's own default for a session that outlives its connection.
    assert_holds(&connected, json!({"expiry_interval": 7200, "conn_props": {"User-Property": {}}}));
    assert_eq!(running.stop().0, Some(0));
}

#[test]
fn an_unsubscription_tells_its_qos_and_a_shared_one_its_name() {
    for (profile, shown) in [(Profile::V5_8, "$share/g/t/#"), (Profile::V4_3, "t/#")] {
        let place = Workplace::new(&rules(&[("session_subscribed", ""), ("session_unsubscribed", "")]));
        let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
        let mut client = Bare::v5(&running, "c");
        // SUBSCRIBE with an identifier.
        client.send(&packet(0x82, &[&[0, 1, 2, 0x0B, 7], &*text("$share/g/t/#"), &[1]]));
        assert_eq!(client.read()[0], 0x90);
        let subscribed = columns(&running, "session_subscribed", profile);
        assert_holds(&subscribed, json!({"topic": shown, "qos": 1}));
        assert_eq!(subscribed["sub_props"], json!({"Subscription-Identifier": 7, "User-Property": {}}));
        client.send(&packet(0xA2, &[&[0, 2, 0], &*text("nothing/there")]));
        assert_eq!(client.read()[0], 0xB0);
        client.send(&packet(0xA2, &[&[0, 3, 0], &*text("$share/g/t/#")]));
        assert_eq!(client.read()[0], 0xB0);
        let unsubscribed = columns(&running, "session_unsubscribed", profile);
        assert_holds(&unsubscribed, json!({"topic": shown, "qos": 1, "clientid": "c"}));
        assert_eq!(running.stop().0, Some(0));
    }
}

#[test]
fn every_end_of_a_connection_has_its_reason() {
    for profile in Profile::ALL {
        let sql = r#"SELECT reason, disconn_props FROM \"$events/client_disconnected\""#;
        let rule = |id: &str| {
            format!(
                "    {id}: {{ sql: \"{sql} WHERE clientid = '{id}'\", actions: [{{ function: console }}] }}\n"
            )
        };
        let taken = if profile == Profile::V5_8 { "takenover" } else { "takeovered" };
        let rows = [
            ("normal", "normal"),
            ("closed", "tcp_closed"),
            ("will", "disconnect_with_will_message"),
            ("silent", "keepalive_timeout"),
            ("taken", taken),
            ("discarded", "discarded"),
            ("badname", "topic_name_invalid"),
        ];
        let rules: String = rows.iter().map(|(id, _)| rule(id)).collect();
        let place = Workplace::new(&format!("rule_engine:\n  rules:\n{rules}"));
        let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
        let _silent = Bare::v4(&running, "silent", true, 1);
        Bare::v4(&running, "normal", true, 60).send(&[0xE0, 0]);
        drop(Bare::v4(&running, "closed", true, 60));
        let user = [&[0x26][..], &text("a"), &text("b")].concat();
        let properties = [&[0x1F][..], &text("bye"), &user].concat();
        Bare::v5(&running, "will").send(&packet(0xE0, &[&[4, properties.len() as u8], &*properties]));
        let _taken = (Bare::v4(&running, "taken", false, 60), Bare::v4(&running, "taken", false, 60));
        let _gone = (Bare::v4(&running, "discarded", true, 60), Bare::v4(&running, "discarded", true, 60));
        let mut badname = Bare::v4(&running, "badname", true, 60);
        badname.send(&packet(0x30, &[&*text("a/#"), b"x"]));
        for (id, reason) in rows {
            let line: Json = serde_json::from_str(&running.line(&format!("[rule action] {id} "))).unwrap();
            assert_eq!(line["reason"], reason, "{id}: {line}");
            if id == "will" {
                let props = &line["disconn_props"];
                assert_eq!(
                    (&props["Reason-String"], &props["User-Property"]),
                    (&json!("bye"), &json!({"a": "b"}))
                );
            }
        }
        assert_eq!(running.stop().0, Some(0));
    }
}

#[test]
fn a_refused_client_is_told_with_its_reason() {
    let place = Workplace::new(
        r#"
rule_engine:
  rules:
    ack: { sql: "SELECT clientid, username, reason_code FROM \"$events/client_connack\"", actions: [{ function: console }] }
    in: { sql: "SELECT clientid FROM \"$events/client_connected\"", actions: [{ function: console }] }
"#,
    );
    std::fs::write(place.path("users"), "ann:secret\n").unwrap();
    let running = place.start(&["--no-hstream", "--users", place.path("users").to_str().unwrap()]);
    let publish = |args: &[&str]| {
        let args = [&["-q", "1", "-t", "t", "-m", "x"], args].concat();
        running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success()
    };
    for version in ["mqttv311", "mqttv5"] {
        assert!(!publish(&["-V", version, "-i", version, "-u", "ann", "-P", "wrong"]));
        running.said(&format!(
            r#"[rule action] ack {{"username":"ann","reason_code":"bad_username_or_password","clientid":"{version}"}}"#
        ));
        assert!(!publish(&["-V", version, "-i", "nobody"]));
    }
    running.said(
        r#"[rule action] ack {"username":"undefined","reason_code":"not_authorized","clientid":"nobody"}"#,
    );
    assert!(publish(&["-i", "c", "-u", "ann", "-P", "secret"]));
    running.said(r#"[rule action] ack {"username":"ann","reason_code":"success","clientid":"c"}"#);
    running.said(r#"[rule action] in {"clientid":"c"}"#);
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0));
    assert_eq!(out.matches("[rule action] in ").count(), 1, "{out}");
}

#[test]
fn a_message_that_nobody_takes_is_dropped_with_all_its_columns() {
    for profile in Profile::ALL {
        let place = Workplace::new(&rules(&[("message_dropped", "")]));
        let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
        publish(&running, "nobody/there", &["-r"]);
        let dropped = columns(&running, "message_dropped", profile);
        assert_holds(&dropped, json!({"reason": "no_subscribers", "clientid": "pub", "username": "bob"}));
        assert_holds(&dropped, json!({"topic": "nobody/there", "payload": "hello", "qos": 1}));
        assert_holds(&dropped, json!({"peerhost": "127.0.0.1", "flags": {"dup": false, "retain": true}}));
        assert_eq!(dropped["pub_props"]["User-Property-Pairs"], json!([{"key": "k", "value": "v"}]));
        assert_eq!(running.stop().0, Some(0));
    }
}

#[test]
fn a_delivery_is_dropped_when_the_queue_is_full_or_the_message_too_old() {
    for profile in Profile::ALL {
        let place = Workplace::new(&rules(&[("delivery_dropped", "clientid = 'full'")]));
        let running = place.start(&["--no-hstream", "--emqx", profile.name()]);
        let mut full = Bare::v5(&running, "full");
        full.send(&packet(0x82, &[&[0, 1, 0], &*text("f"), &[1]]));
        assert_eq!(full.read()[0], 0x90);
        drop(full);
        let mut publisher =
            running.mosquitto("mosquitto_pub", &["-i", "pub", "-u", "bob", "-q", "1", "-t", "f", "-l"]);
        let mut publisher = publisher.stdin(Stdio::piped()).spawn().unwrap();
        let lines: String = (0..1100).map(|n| format!("{n}\n")).collect();
        publisher.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(publisher.wait().unwrap().success());
        let dropped = columns(&running, "delivery_dropped", profile);
        assert_holds(&dropped, json!({"reason": "queue_full", "clientid": "full", "from_clientid": "pub"}));
        assert_holds(&dropped, json!({"from_username": "bob", "topic": "f", "qos": 1}));
        assert_eq!(dropped["id"].as_str().unwrap().len(), 32);
        assert_eq!(running.stop().0, Some(0));
    }

    let place = Workplace::new(&rules(&[("delivery_dropped", "")]));
    let running = place.start(&["--no-hstream"]);
    let mut late = Bare::v5(&running, "late");
    late.send(&packet(0x82, &[&[0, 1, 0], &*text("l"), &[1]]));
    assert_eq!(late.read()[0], 0x90);
    drop(late);
    publish(&running, "l", &["-D", "publish", "message-expiry-interval", "1"]);
    // Its time is the event.
    std::thread::sleep(Duration::from_millis(1_100));
    let _late = Bare::v5(&running, "late");
    let dropped = columns(&running, "delivery_dropped", Profile::V5_8);
    assert_holds(&dropped, json!({"reason": "expired", "clientid": "late", "payload": "hello"}));
    assert_eq!(running.stop().0, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_reaches_a_webhook() {
    let mut server = Server::start(&[]).await;
    let place = Workplace::new(&format!(
        r##"
rule_engine: {{ rules: {{ gone: {{ sql: 'SELECT * FROM "$events/client_disconnected"', actions: ["http:hook"] }} }} }}
actions: {{ http: {{ hook: {{ connector: web, parameters: {{ path: "/${{event}}", body: "${{clientid}} ${{reason}}" }} }} }} }}
connectors: {{ http: {{ web: {{ url: "{}" }} }} }}
"##,
        server.url()
    ));
    let running = place.start(&["--no-hstream"]);
    publish(&running, "t", &[]);
    let seen = server.next().await;
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST /client.disconnected", "pub normal"));
    running.log("delivered: HTTP 200 topic=$events/client_disconnected");
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0));
    assert!(
        out.contains("Rule        gone: matched 1, passed 1, actions.total 1, actions.success 1\n"),
        "{out}"
    );
    assert!(out.contains("1 message, 1 event, 1 delivered, 0 failed"), "{out}");
}

#[test]
fn rules_on_events_do_not_feed_themselves_nor_one_another_for_ever() {
    let rule = |id: &str| {
        format!(
            "    {id}: {{ sql: 'SELECT * FROM \"$events/message_dropped\"', actions: [{{ function: republish, args: \
             {{ topic: \"{id}/${{topic}}\", payload: x }} }}] }}\n"
        )
    };
    let place = Workplace::new(&format!("rule_engine:\n  rules:\n{}", rule("a")));
    let running = place.start(&["--no-hstream"]);
    publish(&running, "t", &[]);
    let (code, out, _) = running.stop();
    assert_eq!(code, Some(0), "{out}");
    // Its own message is dropped as well; EMQX counts that as a success of doing nothing.
    assert!(out.contains("a: matched 2, passed 2, actions.total 2, actions.success 2"), "{out}");

    let place = Workplace::new(&format!("rule_engine:\n  rules:\n{}{}", rule("a"), rule("b")));
    let running = place.start(&["--no-hstream"]);
    publish(&running, "t", &[]);
    running.log("republished 16 times in a chain");
    assert_eq!(running.stop().0, Some(1));
}

#[test]
fn events_that_nobody_tells_are_named_once() {
    let place = Workplace::new(
        r##"
rule_engine:
  rules:
    a: { sql: 'SELECT * FROM "$events/schema_validation_failed", "$events/client_connected"' }
    b: { sql: 'SELECT * FROM "$events/sys/alarm_activated", "t"' }
"##,
    );
    let running = place.start(&["--no-hstream"]);
    running.log(
        "nothing here tells $events/schema_validation_failed (rule a), $events/sys/alarm_activated (rule b);",
    );
    let (code, _, log) = running.stop();
    assert_eq!(code, Some(0));
    assert!(!log.contains("client_connected"), "{log}");

    // EMQX 4.3 does not have the checks.
    let checks = ["client_check_authn_complete", "client_check_authz_complete", "client_connected"];
    let checks = Workplace::new(&rules(&checks.map(|event| (event, ""))));
    let running = checks.start(&["--no-hstream", "--emqx", "4.3"]);
    running.log(
        "$events/client_check_authn_complete (rule client_check_authn_complete), $events/client_check_authz",
    );
    assert_eq!(running.stop().0, Some(0));
    let running = checks.start(&["--no-hstream"]);
    let (code, _, log) = running.stop();
    assert_eq!(code, Some(0));
    assert!(!log.contains("nothing here tells"), "{log}");

    let broker = Mosquitto::start();
    let url = format!("mqtt://127.0.0.1:{}", broker.port);
    let running = place.start(&["--no-hstream", "--broker", &url]);
    running.log("$events/client_connected (rule a)");
    assert_eq!(running.stop().0, Some(0));
}
