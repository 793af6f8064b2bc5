//! `rulemill test --update` and `--review`, through the real binary: test files before and after.
//!
//! `tests/data/update/NAME.before.test.*` is put right and compared with `NAME.after.test.*`; what is said of it stands
//! in `NAME.txt`. `UPDATE=1 cargo test` writes both anew.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use std::io::Write;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/update");

/// A folder with the rules and one test file.
fn folder(test: &Path, name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["rules.yaml", "lines.ndjson"] {
        fs::copy(Path::new(DATA).join(file), folder.path().join(file)).unwrap();
    }
    fs::copy(test, folder.path().join(name)).unwrap();
    folder
}

fn rulemill(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    command.args(args).current_dir(folder).env("NO_COLOR", "1").output().unwrap()
}

fn printed(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8(text).unwrap();
    regex::Regex::new(r"\(\d+ ms\)").unwrap().replace_all(&text, "(… ms)").into_owned()
}

/// Compares with a file, or writes it.
#[track_caller]
fn same(path: &Path, actual: &[u8]) {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, actual).unwrap();
    }
    let expected = fs::read(path).unwrap_or_default();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(expected == actual, "{}\n{}\nis now\n{}", path.display(), text(&expected), text(actual));
}

fn before() -> Vec<(String, String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(DATA).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if let Some((stem, end)) = name.split_once(".before.") {
            found.push((stem.to_owned(), end.to_owned(), path));
        }
    }
    found.sort();
    assert!(found.len() >= 6, "where are the test files?");
    found
}

#[test]
fn files_are_put_right_leaf_by_leaf() {
    for (stem, end, path) in before() {
        let name = format!("{stem}.{end}");
        let folder = folder(&path, &name);
        let args = ["test", "--update", "rules.yaml", &name];
        let updated = rulemill(folder.path(), &args);
        let after = fs::read(folder.path().join(&name)).unwrap();
        same(&Path::new(DATA).join(format!("{stem}.after.{end}")), &after);
        same(&Path::new(DATA).join(format!("{stem}.txt")), printed(&updated).as_bytes());
        let code = updated.status.code();
        assert_eq!(code, Some(i32::from(stem == "refused")), "{name}");
        // Once is enough, and what was written holds.
        let again = rulemill(folder.path(), &args);
        assert_eq!(fs::read(folder.path().join(&name)).unwrap(), after, "{name} changes again");
        assert_eq!(again.status.code(), code);
        assert!(!printed(&again).contains("UPDATED"), "{name}");
    }
}

#[test]
fn only_what_is_selected_is_written() {
    let path = Path::new(DATA).join("values.before.test.yaml");
    let folder = folder(&path, "v.test.yaml");
    let output = rulemill(folder.path(), &["test", "--update", "rules.yaml", "v.test.yaml:4"]);
    assert!(output.status.success(), "{}", printed(&output));
    let (old, new) =
        (fs::read_to_string(&path).unwrap(), fs::read_to_string(folder.path().join("v.test.yaml")).unwrap());
    let changed: Vec<(&str, &str)> = old.lines().zip(new.lines()).filter(|(a, b)| a != b).collect();
    assert_eq!(
        changed,
        [
            ("        temp: 35      # degrees", "        temp: 35.5      # degrees"),
            ("        id: \"7\"", "        id: 7")
        ]
    );
}

#[test]
fn what_cannot_be_asked_together_is_refused() {
    let folder = folder(&Path::new(DATA).join("values.before.test.yaml"), "v.test.yaml");
    for (args, sentence) in [
        (
            &["test", "--update", "--format", "json"][..],
            "--update and --review write for people; leave --format out",
        ),
        (&["test", "--review"], "--review asks on a terminal, and there is none; --update takes everything"),
        (&["test", "--update", "--review"], "cannot be used with"),
        (&["test", "--update", "--list"], "cannot be used with"),
    ] {
        let output = rulemill(folder.path(), args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(printed(&output).contains(sentence), "{args:?}\n{}", printed(&output));
    }
}

/// Runs a command on a terminal of its own, with these lines typed.
#[cfg(target_os = "linux")]
fn on_terminal(folder: &Path, command: &str, typed: &str) -> (Option<i32>, String) {
    let mut child = Command::new("script")
        .args(["-qec", &format!("{} {command}", env!("CARGO_BIN_EXE_rulemill")), "/dev/null"])
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command script of util-linux");
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).replace('\r', ""))
}

#[cfg(target_os = "linux")]
#[test]
fn review_asks_test_by_test() {
    let path = Path::new(DATA).join("answers.before.test.yaml");
    let folder = folder(&path, "a.test.yaml");
    let (code, shown) = on_terminal(folder.path(), "test --review rules.yaml a.test.yaml", "y\nwhat\nn\nq\n");
    assert_eq!(code, Some(1), "{shown}");
    assert_eq!(shown.matches("[y]es, [n]o, [a]ll that follow, [q]uit:").count(), 4, "{shown}");
    assert!(shown.contains("FAIL a.test.yaml:3 nothing came before (EMQX 5.8)"), "{shown}");
    assert!(shown.contains("+  - { name: nothing came before, rule: reading"), "{shown}");
    assert!(
        shown.contains("not updated: skipped") && shown.contains("not updated: not looked at"),
        "{shown}"
    );
    let (old, new) =
        (fs::read_to_string(&path).unwrap(), fs::read_to_string(folder.path().join("a.test.yaml")).unwrap());
    let expected = old.replacen(
        "payload: { temp: 1 } }, expect: { output: { temp: 1 } }",
        "payload: { temp: 1 } }, expect: no_match",
        1,
    );
    assert_eq!(new, expected);
    let (code, shown) = on_terminal(folder.path(), "test --review rules.yaml a.test.yaml", "n\na\n");
    assert_eq!(code, Some(1), "{shown}");
    let (code, shown) = on_terminal(folder.path(), "test --review rules.yaml a.test.yaml", "y\n");
    assert_eq!(code, Some(0), "{shown}");
    assert_eq!(
        fs::read_to_string(folder.path().join("a.test.yaml")).unwrap(),
        fs::read_to_string(Path::new(DATA).join("answers.after.test.yaml")).unwrap()
    );
}
