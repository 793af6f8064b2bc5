//! `rulemill test --watch`, through the real binary: what a change touches runs again, and soon.

#![cfg(all(feature = "cli", target_os = "linux"))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const RULE: &str = "SELECT payload.n + 1 AS n FROM \"a\"";

/// A watching rulemill.
struct Watching {
    child: Child,
    lines: Receiver<String>,
}

impl Watching {
    fn start(folder: &Path, args: &[&str]) -> Watching {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rulemill"))
            .args(["test", "--watch"])
            .args(args)
            .current_dir(folder)
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        for from in [
            Box::new(child.stdout.take().unwrap()) as Box<dyn std::io::Read + Send>,
            Box::new(child.stderr.take().unwrap()),
        ] {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(from).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
        }
        Watching { child, lines }
    }

    /// What one run printed.
    fn run(&self) -> String {
        let mut text = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE).unwrap_or_else(|e| panic!("{e}: {text}"));
            if line.starts_with("watching") {
                return text;
            }
            text += &(line + "\n");
        }
    }

    fn end(mut self) -> Option<i32> {
        let status = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
        self.child.wait().unwrap().code()
    }
}

/// Two rules with a test file each; `a` reads a fixture.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["rules", "fixtures"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("rules/a.sql", RULE);
    write("rules/b.sql", "SELECT qos FROM \"b\"");
    write("fixtures/a.json", "{\"n\": 1}");
    write(
        "rules/a.test.yaml",
        "tests: [{ name: one, given: { topic: a, payload: { $file: ../fixtures/a.json } }, expect: { output: { n: 2 } } }]\n",
    );
    write(
        "rules/b.test.yaml",
        "tests: [{ name: two, given: { topic: b }, expect: { output: { qos: 0 } } }]\n",
    );
    folder
}

/// Saves as editors do that write beside the file and rename.
fn save(path: &Path, text: &str) {
    let beside = path.with_extension("swap");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

#[test]
fn what_a_change_touches_runs_again() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let watching = Watching::start(folder.path(), &[]);
    assert!(watching.run().starts_with("2 tests, all passed"));

    // A fixture: only the tests that read it.
    let saved = Instant::now();
    save(&path("fixtures/a.json"), "{\"n\": 2}");
    let failed = watching.run();
    println!("from saving to the result: {} ms", saved.elapsed().as_millis());
    assert!(saved.elapsed() < Duration::from_secs(2), "{failed}");
    assert!(failed.contains("FAIL rules/a.test.yaml:1 one") && !failed.contains("two"), "{failed}");
    assert!(
        failed.contains("1 test, 0 passed, 1 failed") && failed.contains("1 other test file untouched"),
        "{failed}"
    );

    // What failed stays on the screen.
    save(&path("rules/b.sql"), "SELECT qos, topic FROM \"b\"");
    let both = watching.run();
    assert!(
        both.contains("one") && both.contains("two") && both.contains("2 tests, 0 passed, 2 failed"),
        "{both}"
    );

    // A rule that cannot be read is told, and waited for.
    save(&path("rules/a.sql"), "SELECT FROM \"a\"");
    assert!(watching.run().contains("rules/a.sql:1:8"));
    save(&path("rules/a.sql"), "SELECT payload.n AS n FROM \"a\"");
    save(&path("rules/b.sql"), "SELECT qos FROM \"b\"");
    let mut all = watching.run();
    while !all.contains("all passed") {
        all = watching.run();
    }

    // So is a file that is gone, and one that is new.
    fs::remove_file(path("fixtures/a.json")).unwrap();
    assert!(watching.run().contains("cannot read the fixture rules/../fixtures/a.json: it does not exist"));
    save(&path("fixtures/a.json"), "{\"n\": 2}");
    assert!(watching.run().contains("all passed"));
    save(
        &path("rules/c.test.yaml"),
        "rule: b\ntests: [{ name: three, given: { topic: x }, expect: not_selected }]\n",
    );
    assert!(watching.run().contains("3 tests, all passed"));
    // Half a file is no end either.
    fs::write(path("rules/c.test.yaml"), "rule: b\ntests: [{ name: three").unwrap();
    let half = watching.run();
    assert!(half.contains("not valid YAML"), "{half}");
    fs::remove_file(path("rules/c.test.yaml")).unwrap();
    let mut rest = watching.run();
    while !rest.contains("all passed") {
        rest = watching.run();
    }
    assert_eq!(watching.end(), Some(0));
}

#[test]
fn one_named_file_is_watched_with_what_it_needs() {
    let folder = folder();
    let watching = Watching::start(folder.path(), &["rules/a.test.yaml"]);
    assert!(watching.run().starts_with("1 test, all passed"));
    save(&folder.path().join("rules/a.sql"), "SELECT payload.n + 2 AS n FROM \"a\"");
    assert!(watching.run().contains("output.n is different"));
    save(&folder.path().join("rules/a.sql"), RULE);
    assert!(watching.run().contains("1 test, all passed"));
    assert_eq!(watching.end(), Some(0));
}

#[test]
fn watching_is_for_people() {
    let folder = folder();
    let output = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .args(["test", "--watch", "--format", "json"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("--watch writes for people; leave --format out")
    );
}
