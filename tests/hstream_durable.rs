//! What was answered stays: kills, torn files, damage, full disks, and who may use the folder.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod hstream_support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use hstream_support::{Connection, Server, rulemill, text};

fn ids(records: &[serde_json::Value]) -> Vec<u64> {
    let id = |record: &serde_json::Value| {
        record["id"].as_str().unwrap().strip_suffix("-0").unwrap().parse().unwrap()
    };
    records.iter().map(id).collect()
}

/// Each answered record is there exactly once under its id, ids grow, and nothing is there twice.
fn check(records: &[serde_json::Value], answered: &BTreeMap<String, u64>) {
    let ids = ids(records);
    assert!(ids.windows(2).all(|pair| pair[0] < pair[1]), "{ids:?}");
    let mut stored = BTreeMap::new();
    for (record, id) in records.iter().zip(&ids) {
        let twice = stored.insert(record["payload"].as_str().unwrap().to_owned(), *id);
        assert_eq!(twice, None, "{record}");
    }
    for (payload, id) in answered {
        assert_eq!(stored.get(payload), Some(id), "{payload}");
    }
}

/// Publishes from so many connections at once, kills the server after so many answers, and starts it again.
fn kill_in_the_middle(writers: usize, each: usize, kill_after: usize) {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let port = server.port;
    let answered = Mutex::new(BTreeMap::new());
    let (told, answers) = channel();
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let (told, answered) = (told.clone(), &answered);
            scope.spawn(move || {
                let mut connection = Connection::new(port);
                for i in 0..each {
                    let payload = format!("{{\"writer\":{writer},\"i\":{i}}}");
                    // The kill ends the connection somewhere within a request or an answer.
                    let Ok(answer) = connection.try_publish("s", &payload) else { return };
                    answered.lock().unwrap().insert(payload, answer.batch_id());
                    let _ = told.send(());
                }
            });
        }
        for _ in 0..kill_after {
            answers.recv().unwrap();
        }
        server.kill();
    });
    let answered = answered.into_inner().unwrap();
    assert!(answered.len() >= kill_after && answered.len() < writers * each, "{}", answered.len());
    let server = Server::start(temp.path());
    let records = server.read("s");
    check(&records, &answered);
    let new = server.publish("s", "after").batch_id();
    assert!(new > *ids(&records).last().unwrap());
}

#[test]
fn a_kill_loses_nothing_that_was_answered_to_one_writer() {
    kill_in_the_middle(1, 200, 100);
}

#[test]
fn a_kill_loses_nothing_that_was_answered_to_many_writers() {
    kill_in_the_middle(16, 200, 200);
}

fn segment(data_dir: &Path) -> PathBuf {
    data_dir.join("hstream/streams/0/00000000008589934593.log")
}

/// A server that published three records and was killed.
fn killed(data_dir: &Path) -> BTreeMap<String, u64> {
    let server = Server::start(data_dir);
    server.create("s");
    let published =
        ["one", "two", "three"].map(|payload| (payload.to_owned(), server.publish("s", payload).batch_id()));
    server.kill();
    published.into()
}

/// A server that must not start: its stderr.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    text(&output.stderr)
}

fn server_command(data_dir: &Path, port: u16) -> Command {
    let mut command = rulemill();
    command.args(["server", "--hstream-port", &port.to_string(), "--data-dir"]).arg(data_dir);
    command
}

#[test]
fn a_torn_tail_is_cut_with_a_warning() {
    let temp = tempfile::tempdir().unwrap();
    let published = killed(temp.path());
    let path = segment(temp.path());
    let whole = fs::read(&path).unwrap();
    let torn: Vec<u8> = whole.iter().chain(&whole[24..40]).copied().collect();
    fs::write(&path, torn).unwrap();
    let server = Server::start(temp.path());
    let records = server.read("s");
    check(&records, &published);
    assert_eq!(records.len(), 3);
    let (status, stderr) = server.terminate();
    assert!(status.success());
    assert!(
        stderr.starts_with(&format!("warning: {}: cut 16 bytes at byte {}", path.display(), whole.len())),
        "{stderr}"
    );
    let (status, stderr) = Server::start(temp.path()).terminate();
    assert!(status.success() && stderr.is_empty(), "{stderr}");
}

#[test]
fn a_damaged_middle_is_an_error_with_its_place_and_changes_nothing() {
    let temp = tempfile::tempdir().unwrap();
    killed(temp.path());
    let path = segment(temp.path());
    let mut bytes = fs::read(&path).unwrap();
    bytes[60] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = refused(server_command(temp.path(), 0));
    assert!(error.starts_with(&format!("error: {}: damaged at byte 24: ", path.display())), "{error}");
    assert_eq!(fs::read(&path).unwrap(), bytes);
}

#[test]
fn streams_and_ids_survive_restarts_and_recreation() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    server.create("t");
    let first = server.publish("s", "a").batch_id();
    assert_eq!(server.ask("DELETE", "/streams/s", "").status, 200);
    assert!(server.terminate().0.success());

    let server = Server::start(temp.path());
    assert_eq!(
        server.ask("GET", "/streams", "").text(),
        r#"{"streams":[{"streamName":"t","replicationFactor":0}]}"#
    );
    server.create("s");
    assert!(server.read("s").is_empty());
    let second = server.publish("s", "b").batch_id();
    assert!(second > first);
    server.kill();

    let server = Server::start(temp.path());
    let records = server.read("s");
    assert_eq!((records.len(), records[0]["payload"].as_str()), (1, Some("b")));
    assert!(server.publish("s", "c").batch_id() > second);
}

#[test]
fn a_folder_belongs_to_one_server() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let error = refused(server_command(temp.path(), 0));
    let expected = format!(
        "error: the data folder {} is in use by another rulemill (process {}): stop it, or give --data-dir another folder\n",
        temp.path().display(),
        server.child.id()
    );
    assert_eq!(error, expected);
    server.kill();
    Server::start(temp.path());
}

#[test]
fn a_folder_of_another_version_is_refused() {
    let temp = tempfile::tempdir().unwrap();
    killed(temp.path());
    fs::write(temp.path().join("version"), "rulemill data 7\n").unwrap();
    let error = refused(server_command(temp.path(), 0));
    assert!(error.contains("has version \"7\", and this rulemill reads version 1"), "{error}");
}

#[test]
fn a_port_in_use_is_named_with_its_flag() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(one.path());
    let error = refused(server_command(two.path(), server.port));
    assert!(error.starts_with(&format!("error: the port {} is in use: ", server.port)), "{error}");
    assert!(error.contains("--hstream-port (0 picks a free one)"), "{error}");
}

#[test]
fn a_full_disk_fails_the_append_and_keeps_what_was_answered() {
    let temp = tempfile::tempdir().unwrap();
    // A limit on the size of files stands for the disk: the write that goes over it fails.
    let mut command = Command::new("sh");
    let script = "ulimit -f 16; exec \"$0\" hstream server --hstream-port 0 --data-dir \"$1\"";
    command.args(["-c", script, env!("CARGO_BIN_EXE_rulemill")]).arg(temp.path());
    let server = Server::spawn(command);
    server.create("s");
    let mut answered = BTreeMap::new();
    let error = loop {
        let payload = format!("{}{}", "x".repeat(500), answered.len());
        let answer = server.publish("s", &payload);
        if answer.status != 200 {
            break answer;
        }
        answered.insert(payload.clone(), answer.batch_id());
        assert!(answered.len() < 1000);
    };
    assert!(answered.len() > 5 && error.status == 400, "{}", error.text());
    assert!(error.text().starts_with("rpc error: code = Internal desc = write "), "{}", error.text());
    let again = server.publish("s", "small").text();
    assert!(
        again.contains("the log takes no more records until it is opened again, since: write "),
        "{again}"
    );
    check(&server.read("s"), &answered);
    server.kill();

    let server = Server::start(temp.path());
    check(&server.read("s"), &answered);
    server.publish("s", "more").batch_id();
}

#[test]
fn a_stop_drains_and_its_ready_file_was_whole() {
    let temp = tempfile::tempdir().unwrap();
    let ready = temp.path().join("ready");
    let mut command = server_command(&temp.path().join("data"), 0);
    command.args(["--grpc-port", "0", "--ready-file"]).arg(&ready);
    let server = Server::spawn(command);
    let expected = format!("{{\"hstream\":\"127.0.0.1:{}\"}}", server.port);
    assert_eq!(fs::read_to_string(&ready).unwrap(), expected);
    server.create("s");
    let mut query = server.connect();
    query.send("POST", "/queries/push", &[], br#"{"queryText":"SELECT * FROM s EMIT CHANGES;"}"#).unwrap();
    assert_eq!(query.head().unwrap().status, 200);
    let (status, stderr) = server.terminate();
    assert_eq!(status.code(), Some(0));
    assert!(query.chunk().unwrap().is_empty());
    assert_eq!(
        stderr,
        "warning: --grpc-port is taken note of, but gRPC is not served yet: use the HTTP port\n"
    );
}
