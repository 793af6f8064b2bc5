//! The checks of a client's rights by the embedded broker, as rules see them: the binary and mosquitto's clients.
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
use rulemill::event;
use rulemill::profile::Profile;
use serde_json::{Value as Json, json};

/// A rule that shows all columns of an event, and one that shows messages and what else is given, in order.
fn place(event: &str, sql: &str) -> Workplace {
    Workplace::new(&format!(
        r#"
rule_engine:
  rules:
    check: {{ sql: 'SELECT * FROM "$events/{event}"', actions: [{{ function: console }}] }}
    order: {{ sql: '{sql}', actions: [{{ function: console }}] }}
"#
    ))
}

fn publish(running: &Running, args: &[&str]) -> bool {
    let args = [&["-q", "1", "-m", "x"], args].concat();
    running.mosquitto("mosquitto_pub", &args).output().unwrap().status.success()
}

/// What the actions of a rule showed.
fn shown<'a>(out: &'a str, rule: &str) -> Vec<&'a str> {
    let start = format!("[rule action] {rule} ");
    out.lines().filter_map(|line| line.strip_prefix(&start)).collect()
}

/// Ends it: all that the rule `check` showed, with exactly the columns of the table and the values that all share;
/// and the lines of the rule `order`.
fn stop(running: Running, event: &str) -> (Vec<Json>, Vec<String>) {
    let (code, out, log) = running.stop();
    assert_eq!(code, Some(0), "{log}");
    let event = event::by_topic(&format!("$events/{event}"), Profile::V5_8).unwrap();
    let mut expected = event.supplied(Profile::V5_8);
    expected.push("metadata");
    expected.sort_unstable();
    let checked = |line: &&str| {
        let columns: Json = serde_json::from_str(line).unwrap();
        let mut names: Vec<_> = columns.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(columns["event"], event.name);
        assert_eq!(columns["client_attrs"], json!({}));
        assert_eq!(columns["node"], "emqx@127.0.0.1");
        assert!(columns["timestamp"].as_i64().unwrap() > 1_600_000_000_000);
        assert!(columns["peername"].as_str().unwrap().starts_with("127.0.0.1:"), "{columns}");
        columns
    };
    let order = shown(&out, "order").into_iter().map(str::to_owned).collect();
    (shown(&out, "check").iter().map(checked).collect(), order)
}

/// The columns that differ from check to check, as one list each.
fn pick(checks: &[Json], names: &[&str]) -> Vec<Json> {
    checks.iter().map(|check| names.iter().map(|name| check[name].clone()).collect()).collect()
}

#[test]
fn an_authentication_tells_its_result_before_the_connack() {
    let event = "client_check_authn_complete";
    // An apostrophe within a text of YAML is written twice.
    let sql = r#"SELECT event, reason_code FROM "$events/client_check_authn_complete", "$events/client_connack" WHERE username = ''ann''"#;
    let place = place(event, sql);
    std::fs::write(place.path("users"), "ann:secret\n").unwrap();
    let running = place.start(&["--no-hstream", "--users", place.path("users").to_str().unwrap()]);
    assert!(publish(&running, &["-V", "mqttv5", "-t", "t", "-i", "good", "-u", "ann", "-P", "secret"]));
    assert!(!publish(&running, &["-V", "mqttv5", "-t", "t", "-i", "wrong", "-u", "ann", "-P", "x"]));
    assert!(!publish(&running, &["-V", "mqttv311", "-t", "t", "-i", "nobody"]));
    let (checks, order) = stop(running, event);
    let names = ["clientid", "username", "reason_code", "is_anonymous", "is_superuser"];
    assert_eq!(
        pick(&checks, &names),
        [
            json!(["good", "ann", "success", false, false]),
            json!(["wrong", "ann", "bad_username_or_password", false, false]),
            json!(["nobody", "undefined", "not_authorized", false, false]),
        ]
    );
    let line = |event: &str, reason: &str| json!({"event": event, "reason_code": reason});
    let order: Vec<Json> = order.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        order,
        [
            line("client.check_authn_complete", "success"),
            line("client.connack", "success"),
            line("client.check_authn_complete", "bad_username_or_password"),
            line("client.connack", "bad_username_or_password"),
        ]
    );
}

#[test]
fn who_need_not_say_who_he_is_is_anonymous() {
    let event = "client_check_authn_complete";
    let place = place(event, r#"SELECT reason_code FROM "$events/client_connack""#);
    let running = place.start(&["--no-hstream"]);
    assert!(publish(&running, &["-t", "t", "-i", "named", "-u", "ann", "-P", "any"]));
    assert!(publish(&running, &["-t", "t", "-i", "unnamed"]));
    // A last will that no client may leave is malformed: nobody looks at the name.
    let connect = [&b"\0\x04MQTT\x04\x06\0\x3C"[..], &text("bad"), &text("a/#"), &text("x")];
    let refused = Bare::asked(&running, &packet(0x10, &connect)).read();
    assert_eq!(refused, [0x20, 2, 0, 5]);
    let (checks, _) = stop(running, event);
    let names = ["clientid", "username", "reason_code", "is_anonymous", "is_superuser"];
    assert_eq!(
        pick(&checks, &names),
        [
            json!(["named", "ann", "success", true, false]),
            json!(["unnamed", "undefined", "success", true, false])
        ]
    );
}

#[test]
fn of_every_connect_one_authentication_is_told() {
    let event = "client_check_authn_complete";
    let place = place(event, r#"SELECT clientid FROM "$events/client_connected""#);
    let running = place.start(&["--no-hstream"]);
    // Each takes the place of one that is just being cleared away.
    for n in 0..300 {
        drop(Bare::v4(&running, "same", n % 2 == 0, 60));
    }
    let (checks, order) = stop(running, event);
    assert_eq!((checks.len(), order.len()), (300, 300));
}

#[test]
fn an_authorization_is_told_for_each_message_and_each_filter() {
    let event = "client_check_authz_complete";
    let sql = r#"SELECT event, topic FROM "$events/client_check_authz_complete", "$events/session_subscribed", "m/#""#;
    let place = place(event, sql);
    let running = place.start(&["--no-hstream"]);
    let args = ["-i", "sub", "-u", "ann", "-q", "1", "-t", "m/+", "-t", "$share/g/s/#", "-E"];
    assert!(running.mosquitto("mosquitto_sub", &args).output().unwrap().status.success());
    assert!(publish(&running, &["-i", "pub", "-t", "m/1"]));
    assert!(publish(&running, &["-V", "mqttv5", "-i", "pub", "-t", "m/2", "-r", "-q", "2"]));
    // mosquitto_pub says goodbye, so its will stays; one that is killed leaves it.
    let will = ["-i", "dying", "-t", "none", "--will-topic", "m/will", "--will-payload", "x"];
    let mut dying = running.mosquitto("mosquitto_sub", &will).spawn().unwrap();
    running.said(r#"[rule action] order {"topic":"none","event":"session.subscribed"}"#);
    dying.kill().unwrap();
    dying.wait().unwrap();
    running.said(r#"[rule action] order {"topic":"m/will","event":"message.publish"}"#);
    let (checks, order) = stop(running, event);
    let names = ["clientid", "username", "action", "topic", "result", "authz_source", "peerhost"];
    let row = |id: &str, name: &str, action: &str, topic: &str| {
        json!([id, name, action, topic, "allow", "default", "127.0.0.1"])
    };
    assert_eq!(
        pick(&checks, &names),
        [
            row("sub", "ann", "subscribe", "m/+"),
            row("sub", "ann", "subscribe", "s/#"),
            row("pub", "undefined", "publish", "m/1"),
            row("pub", "undefined", "publish", "m/2"),
            row("dying", "undefined", "subscribe", "none"),
            row("dying", "undefined", "publish", "m/will"),
        ]
    );
    // The check comes before what it allows.
    let line = |event: &str, topic: &str| json!({"event": event, "topic": topic});
    let order: Vec<Json> = order.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |topic: &str| order.iter().filter(|line| line["topic"] == topic).cloned().collect::<Vec<_>>();
    let check = "client.check_authz_complete";
    assert_eq!(of("m/+"), [line(check, "m/+"), line("session.subscribed", "m/+")]);
    assert_eq!(of("m/1"), [line(check, "m/1"), line("message.publish", "m/1")]);
    assert_eq!(of("m/will"), [line(check, "m/will"), line("message.publish", "m/will")]);
}
