//! Commands and what they print, as a user would see both.
//!
//! ```text
//! $ rulemill fn substrr
//! ! error: there is no function 'substrr'
//! ! did you mean 'substr'?
//! [1]
//! ```
//!
//! `!` begins lines of standard error; the exit code stands last where it is not 0.

use std::fs;
use std::path::{Path, PathBuf};

use super::support::rulemill;

/// Runs every command of a transcript in the folder and holds what comes against what stands there.
#[track_caller]
pub fn check(name: &str, folder: &Path) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/tools/transcripts").join(name);
    let expected = fs::read_to_string(&path).unwrap();
    let mut got = String::new();
    let mut commands = 0;
    for line in expected.lines() {
        if let Some(command) = line.strip_prefix("$ rulemill ") {
            got.push_str(&played(command, folder));
            commands += 1;
        } else if line.starts_with('#') {
            got.push_str(&format!("{line}\n"));
        }
    }
    assert!(commands > 0, "{name} has no commands");
    if std::env::var_os("UPDATE_TRANSCRIPTS").is_some() {
        fs::write(&path, &got).unwrap();
        return;
    }
    assert!(got == expected, "{name}: {}\nfull output:\n{got}", first_difference(&got, &expected));
}

fn played(command: &str, folder: &Path) -> String {
    let args = words(command);
    let ran = rulemill(folder, &args.iter().map(String::as_str).collect::<Vec<_>>());
    let mut text = format!("$ rulemill {command}\n");
    // A build without the live half does not speak of it.
    let offline = |line: &&str| !line.starts_with("  rulemill run ");
    text.extend(ran.out.split_inclusive('\n').filter(offline));
    if !ran.out.is_empty() && !ran.out.ends_with('\n') {
        text.push_str("\n(no line feed)\n");
    }
    for line in ran.err.lines() {
        text.push_str(&format!("{}\n", format!("! {line}").trim_end()));
    }
    if ran.exit != 0 {
        text.push_str(&format!("[{}]\n", ran.exit));
    }
    text
}

/// Words as a shell would split them, with `'…'` only.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = command.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').expect("an open quote"),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

fn first_difference(got: &str, expected: &str) -> String {
    let mut lines = got.lines().zip(expected.lines()).enumerate();
    match lines.find(|(_, (got, expected))| got != expected) {
        Some((at, (got, expected))) => format!("line {}: got {got:?}, expected {expected:?}", at + 1),
        None => "one is longer".to_owned(),
    }
}
