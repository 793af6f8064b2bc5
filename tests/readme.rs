//! The README's commands work as pasted, and print what it says.
//!
//! Every block marked `console` is run in a copy of the example rules and fixtures: `$` lines are commands, the rest is
//! their output, where `…` stands for anything (alone on a line: for any lines).

// An example rule needs the schema registry.
#![cfg(all(feature = "cli", feature = "schema"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use regex::Regex;

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
    }
}

/// Commands with what they print.
fn sessions(readme: &str) -> Vec<(String, String)> {
    let mut sessions: Vec<(String, String)> = Vec::new();
    for block in readme.split("```console\n").skip(1) {
        for line in block.split("\n```").next().unwrap().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => sessions.push((command.to_owned(), String::new())),
                None => {
                    let output = &mut sessions.last_mut().unwrap().1;
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    sessions
}

/// The pattern of an output.
fn pattern(output: &str) -> Regex {
    // Blanks before it are padding, which its width decides.
    let padded = Regex::new(" *…").unwrap();
    let lines = output.lines().map(|line| match line {
        "…" => "(?:.*\n)*?".to_owned(),
        line => padded.replace_all(&regex::escape(line), ".*").into_owned() + "\n",
    });
    Regex::new(&format!("^{}$", lines.collect::<String>())).unwrap()
}

#[test]
fn commands_print_what_the_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    copy(&root.join("rules"), &folder.path().join("rules"));
    copy(&root.join("fixtures"), &folder.path().join("fixtures"));
    let binary = Path::new(env!("CARGO_BIN_EXE_rulemill")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
    let sessions = sessions(&fs::read_to_string(root.join("README.md")).unwrap());
    assert!(sessions.len() >= 4, "where are the README's commands?");
    for (command, expected) in sessions {
        let output = Command::new("sh")
            .args(["-c", &format!("exec 2>&1; {command}")])
            .current_dir(folder.path())
            .env("PATH", &path)
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(
            pattern(&expected).is_match(&printed),
            "$ {command}\nsays\n{printed}\nthe README says\n{expected}"
        );
    }
}
