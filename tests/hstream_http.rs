//! The stand-in's REST against the recorded answers of HStreamDB v0.6.1's gateway, over raw sockets.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod hstream_support;

use hstream_support::{Server, text};
use serde_json::Value;

struct Case {
    title: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    status: u16,
    content_type: String,
    answer: String,
}

fn cases() -> Vec<Case> {
    include_str!("data/hstream_http.txt").split("\n### ").skip(1).map(case).collect()
}

fn case(block: &str) -> Case {
    let (request, answer) = block.split_once("\n=> ").unwrap_or_else(|| panic!("no answer: {block}"));
    let mut lines = request.lines();
    let title = lines.next().unwrap().to_owned();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let headers = lines.by_ref().take_while(|line| !line.is_empty());
    let headers =
        headers.map(|line| line.split_once(": ").unwrap()).map(|(n, v)| (n.to_owned(), v.to_owned()));
    let headers = headers.collect();
    let body = bytes(&lines.collect::<Vec<_>>().join("\n"));
    let (first, answer) = answer.split_once('\n').unwrap_or((answer, ""));
    let (status, content_type) = first.split_once(' ').unwrap();
    Case {
        title,
        method: method.to_owned(),
        path: path.to_owned(),
        headers,
        body,
        status: status.parse().unwrap(),
        content_type: content_type.to_owned(),
        answer: answer.trim_end_matches('\n').to_owned(),
    }
}

/// `\xHH` is a byte.
fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split("\\x");
    let mut out = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        out.push(u8::from_str_radix(&part[..2], 16).unwrap());
        out.extend(&part.as_bytes()[2..]);
    }
    out
}

#[test]
fn answers_are_those_of_the_real_gateway() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let cases = cases();
    assert!(cases.len() > 65, "{}", cases.len());
    for case in cases {
        let headers: Vec<_> = case.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let answer = server.connect().ask(&case.method, &case.path, &headers, &case.body);
        let got = answer.text();
        assert_eq!(answer.status, case.status, "{}: {got}", case.title);
        assert_eq!(answer.header("content-type"), case.content_type, "{}", case.title);
        assert!(answer.headers.iter().all(|(name, _)| !name.starts_with("access-control")), "{}", case.title);
        match case.answer.strip_suffix('…') {
            Some(start) => assert!(got.starts_with(start), "{}: {got}", case.title),
            None if case.answer.starts_with('{') => {
                let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
                assert_eq!(json(&got), json(&case.answer), "{}", case.title);
            }
            None => assert_eq!(got, case.answer, "{}", case.title),
        }
    }
}

#[test]
fn a_push_query_streams_rows_from_its_start_on_and_can_be_listed_and_terminated() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    server.publish("s", "{\"i\":0}");
    let mut query = server.connect();
    let body = br#"{"queryText":"SELECT * FROM s EMIT CHANGES;"}"#;
    query.send("POST", "/queries/push", &[], body).unwrap();
    let head = query.head().unwrap();
    assert_eq!((head.status, head.header("transfer-encoding")), (200, "chunked"));
    for payload in ["{\"i\":1,\"t\":22.0,\"h\":\"<80>\"}", "no JSON", "[]", "5", "", "{\"i\":2}"] {
        server.publish("s", payload);
    }
    let mut rows = String::new();
    while rows.lines().count() < 2 {
        rows.push_str(&text(&query.chunk().unwrap()));
    }
    let expected = "{\"result\":{\"SELECT\":{\"i\":1,\"t\":22,\"h\":\"\\u003c80\\u003e\"}}}\n{\"result\":{\"SELECT\":{\"i\":2}}}\n";
    assert_eq!(rows, expected);

    let listed: Value = serde_json::from_slice(&server.ask("GET", "/queries", "").body).unwrap();
    let listed = &listed["queries"][0];
    assert_eq!(
        (&listed["status"], &listed["queryText"]),
        (&"TASK_RUNNING".into(), &"SELECT * FROM s EMIT CHANGES;".into())
    );
    let id = listed["id"].as_str().unwrap();
    let ended = server.ask("POST", "/queries/terminate", &format!("{{\"queryId\":[\"{id}\"]}}"));
    assert_eq!(ended.text(), format!("{{\"queryId\":[\"{id}\"]}}"));
    assert!(query.chunk().unwrap().is_empty());
}

#[test]
fn a_query_ends_with_its_stream() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let mut query = server.connect();
    query.send("POST", "/queries/push", &[], br#"{"queryText":"SELECT * FROM s EMIT CHANGES;"}"#).unwrap();
    assert_eq!(query.head().unwrap().status, 200);
    assert_eq!(server.ask("DELETE", "/streams/s", "").status, 200);
    assert!(query.chunk().unwrap().is_empty());
}

#[test]
fn payloads_and_bodies_are_taken_up_to_their_bounds() {
    use rulemill::limits::{HSTREAM_BODY_BYTES_MAX, RECORD_BYTES_MAX};
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    assert_eq!(server.publish("s", &"x".repeat(RECORD_BYTES_MAX)).status, 200);
    // Each byte escaped, the longest form there is.
    assert_eq!(server.publish("s", &"\u{1}".repeat(RECORD_BYTES_MAX)).status, 200);
    let larger = server.publish("s", &"x".repeat(RECORD_BYTES_MAX + 1));
    assert_eq!(larger.status, 400);
    assert_eq!(
        larger.text(),
        "rpc error: code = InvalidArgument desc = a payload of 1048577 bytes is above the bound of 1048576"
    );
    let body = " ".repeat(HSTREAM_BODY_BYTES_MAX - 2) + "{}";
    assert_eq!(server.ask("POST", "/streams/s:publish", &body).status, 200);
    assert_eq!(server.ask("POST", "/streams/s:publish", &format!(" {body}")).status, 413);
    assert_eq!(server.read("s").len(), 3);
}

#[test]
fn the_cluster_is_this_one_node() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let answer: Value = serde_json::from_slice(&server.ask("GET", "/clusters", "").body).unwrap();
    let node = serde_json::json!({"id": 100, "host": "127.0.0.1", "port": server.port});
    assert_eq!(
        answer,
        serde_json::json!({"protocolVersion": "0.1.0", "serverVersion": "0.6.0", "serverNodes": [node]})
    );
}

#[test]
fn connections_beyond_the_bound_wait_for_a_place() {
    use rulemill::limits::HSTREAM_CONNECTIONS_MAX;
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let mut served: Vec<_> = (0..HSTREAM_CONNECTIONS_MAX).map(|_| server.connect()).collect();
    for connection in &mut served {
        assert_eq!(connection.ask("GET", "/streams", &[], b"").status, 200);
    }
    let mut waiting = server.connect();
    waiting.send("GET", "/streams", &[], b"").unwrap();
    // Those that have a place are served on, and the place of one that goes is given to the one that waits.
    assert_eq!(served[0].ask("GET", "/streams", &[], b"").status, 200);
    served.pop();
    assert_eq!(waiting.head().unwrap().status, 200);
}
