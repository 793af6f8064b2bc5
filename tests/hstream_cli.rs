//! The shell and the reader as their users have them.
#![cfg(feature = "live")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at what it did not expect")]

mod hstream_support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Child, Stdio};

use hstream_support::{Server, rulemill, signal, text};

/// Waits for the line that says that a query is attached.
fn attached(child: &mut Child) -> BufReader<std::process::ChildStderr> {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, "ready\n");
    stderr
}

fn rest(mut reader: impl Read) -> String {
    let mut text = String::new();
    reader.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn the_shell_prints_what_hstream_client_prints() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let (mut typed, mut expected) = (String::new(), String::new());
    for line in include_str!("data/hstream_shell.txt").lines() {
        if let Some(input) = line.strip_prefix('>') {
            typed.push_str(&format!("{}\n", input.trim_start()));
            expected.push_str("> ");
        } else if let Some(output) = line.strip_prefix(':') {
            expected.push_str(&format!("{}\n", output.strip_prefix(' ').unwrap_or(output)));
        }
    }
    let mut child = server.command(&["sql"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let printed = text(&output.stdout);
    let (greeting, transcript) = printed.split_at(printed.find("> ").unwrap());
    assert_eq!(transcript, expected);
    assert!(greeting.contains("|___/") && greeting.contains(":help [sql_operation]"), "{greeting}");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()));
}

#[test]
fn the_tutorial_ends_with_its_line() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("emqx_rule_engine_output");
    let report = r#"{"location":{"lng":116.296011,"lat":40.005091},"speed":32.12,"tachometer":9001.0,"ts":1563268202,"direction":198.33212,"id":"NXP-058659730253-963945118132721-22","dynamical":8.93}"#;
    server.publish("emqx_rule_engine_output", r#"{"before":"the query"}"#);
    let statement = "SELECT * FROM emqx_rule_engine_output EMIT CHANGES;";
    let mut query =
        server.command(&["sql", "-e", statement, "--rows", "1", "--timeout", "30s"]).spawn().unwrap();
    let stderr = attached(&mut query);
    server.publish("emqx_rule_engine_output", report);
    let output = query.wait_with_output().unwrap();
    assert_eq!((text(&output.stdout), rest(stderr)), (format!("{report}\n"), String::new()));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_statement_runs_alone_with_its_exit_code() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let cases = [
        (&["CREATE STREAM s"][..], 0, "s\n", ""),
        (&["CREATE STREAM s;"], 1, "", "error: Stream already exists\n"),
        (&["SHOW STREAMS"], 0, "s\n", ""),
        (
            &["SHOW TABLES;"],
            1,
            "",
            "error: Parse exception at <line 1,column 6>: syntax error before `TABLES'.\nhint: expected STREAMS, QUERIES, CONNECTORS, VIEWS\n",
        ),
        (
            &["SELECT * FROM s EMIT CHANGES;", "--rows", "2", "--timeout", "100ms"],
            1,
            "",
            "ready\nerror: the time is up after 0 of 2 rows\n",
        ),
        (&["SELECT * FROM s EMIT CHANGES;", "--timeout", "100ms"], 0, "", "ready\n"),
        (&["SELECT * FROM s EMIT CHANGES;", "--rows", "0"], 0, "", ""),
        (
            &["SELECT * FROM t EMIT CHANGES;"],
            1,
            "",
            "error: stream \"t\" does not exist: create it first with `CREATE STREAM t;`\n",
        ),
    ];
    for (args, code, stdout, stderr) in cases {
        let args: Vec<&str> = ["sql", "-e"].iter().chain(args).copied().collect();
        let output = server.run(&args);
        let got = (output.status.code(), text(&output.stdout), text(&output.stderr));
        assert_eq!(got, (Some(code), stdout.to_owned(), stderr.to_owned()), "{args:?}");
    }
}

#[test]
fn a_query_tells_when_the_server_ends_before_its_rows() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let mut query =
        server.command(&["sql", "-e", "SELECT * FROM s EMIT CHANGES;", "--rows", "2"]).spawn().unwrap();
    let stderr = attached(&mut query);
    assert!(server.terminate().0.success());
    assert_eq!(query.wait().unwrap().code(), Some(1));
    assert_eq!(rest(stderr), "error: the query ended after 0 of 2 rows\n");
}

#[test]
fn control_c_ends_the_query_and_not_the_shell() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let mut shell = server.command(&["sql"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    let mut stdout = BufReader::new(shell.stdout.take().unwrap());
    stdin.write_all(b"SELECT * FROM s EMIT CHANGES;\n").unwrap();
    // The query is attached once it is listed.
    while !server.ask("GET", "/queries", "").text().contains("TASK_RUNNING") {
        std::thread::yield_now();
    }
    server.publish("s", "{\"a\":1}");
    let mut line = String::new();
    while !line.ends_with("{\"a\":1.0}\n") {
        assert!(stdout.read_line(&mut line).unwrap() > 0, "{line}");
    }
    signal(&shell, "INT");
    stdin.write_all(b"SHOW STREAMS;\n:q\n").unwrap();
    assert_eq!(rest(stdout), "\n> s\n> ");
    assert_eq!(shell.wait().unwrap().code(), Some(0));
    while server.ask("GET", "/queries", "").text().contains("TASK_RUNNING") {
        std::thread::yield_now();
    }
}

#[test]
fn reading_begins_where_it_is_told_to() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let ids: Vec<String> =
        (0..5).map(|i| format!("{}-0", server.publish("s", &i.to_string()).batch_id())).collect();
    let payloads = |args: &[&str]| {
        let output = server.run(&[&["read", "s"], args].concat());
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        let payload = |line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["payload"].as_str().unwrap().to_owned()
        };
        lines.lines().map(payload).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(payloads(&[]), "0 1 2 3 4");
    assert_eq!(payloads(&["--from", "earliest", "-n", "2"]), "0 1");
    assert_eq!(payloads(&["--from", &ids[3]]), "3 4");
    assert_eq!(payloads(&["--from", ids[3].strip_suffix("-0").unwrap(), "-n", "1"]), "3");
    assert_eq!(payloads(&["--from", "1-0", "-n", "1"]), "0");
    assert_eq!(payloads(&["--from", "latest"]), "");
    assert_eq!(payloads(&["-n", "0"]), "");
    assert_eq!(payloads(&["--from", &ids[4], "-n", "1", "--follow"]), "4");
    let line = server.run(&["read", "s", "-n", "1"]).stdout;
    let line: serde_json::Value = serde_json::from_slice(&line).unwrap();
    let keys: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        (keys.join(" "), &line["flag"], line["publishTime"].is_u64()),
        ("id publishTime flag payload".into(), &0.into(), true)
    );
}

#[test]
fn following_shows_what_comes_and_ends_with_the_stream() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    server.publish("s", "old");
    let mut reader = server.command(&["read", "s", "--follow"]).spawn().unwrap();
    let mut stdout = BufReader::new(reader.stdout.take().unwrap());
    for payload in ["old", "new", "newer"] {
        if payload != "old" {
            server.publish("s", payload);
        }
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains(&format!("\"payload\":\"{payload}\"")), "{line}");
    }
    assert_eq!(server.run(&["sql", "-e", "DROP STREAM s"]).status.code(), Some(0));
    assert_eq!((rest(stdout), reader.wait().unwrap().code()), (String::new(), Some(0)));
}

#[test]
fn wrong_uses_and_missing_servers_are_told_apart() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    let output = server.run(&["read", "nowhere"]);
    let expected =
        "error: stream \"nowhere\" does not exist: create it first with `CREATE STREAM nowhere;`\n";
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected.to_owned()));
    for args in [
        &["read", "s", "--from", "yesterday"][..],
        &["sql", "--rows", "1"],
        &["sql", "-e", "x", "--timeout", "5x"],
        &["nothing"],
    ] {
        assert_eq!(rulemill().args(args).output().unwrap().status.code(), Some(2), "{args:?}");
    }
    // A port that was just free, and is again.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    for args in [
        &["sql"][..],
        &["sql", "-e", "SHOW STREAMS;"],
        &["sql", "-e", "SELECT * FROM s EMIT CHANGES;"],
        &["read", "s"],
    ] {
        let output = rulemill()
            .args(args)
            .args(["--host", "127.0.0.1", "--port", &port])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let error = text(&output.stderr);
        let words =
            "error: Connection timed out. Please check the server URI and try again. (http://127.0.0.1:";
        assert!(error.starts_with(words), "{error}");
        assert_eq!(output.status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let temp = tempfile::tempdir().unwrap();
    let server = Server::start(temp.path());
    server.create("s");
    let long = "x".repeat(100_000);
    for _ in 0..10 {
        server.publish("s", &long);
    }
    let mut reader = server.command(&["read", "s"]).spawn().unwrap();
    drop(reader.stdout.take());
    assert_eq!(rest(reader.stderr.take().unwrap()), "");
    assert_eq!(reader.wait().unwrap().code(), Some(0));
}

#[test]
fn a_server_that_sends_an_endless_line_is_left() {
    use rulemill::limits::HSTREAM_LINE_BYTES_MAX;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let endless = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        let _ = connection.read(&mut request).unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n").unwrap();
        let piece = [b'x'; 1 << 16];
        while connection.write_all(&piece).is_ok() {}
    });
    let output =
        rulemill().args(["read", "s", "--host", "127.0.0.1", "--port", &port.to_string()]).output().unwrap();
    endless.join().unwrap();
    let expected =
        format!("error: 127.0.0.1:{port} sends a line of more than {HSTREAM_LINE_BYTES_MAX} bytes\n");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(1), expected));
}
