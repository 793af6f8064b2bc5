//! Runs the real binary over files that a test writes down.

#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// What a command did.
#[derive(Debug)]
pub struct Ran {
    pub exit: i32,
    pub out: String,
    pub err: String,
}

/// The start of it, for messages.
impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let start = |text: &str| text.chars().take(300).collect::<String>();
        write!(f, "exit {}\n{}{}", self.exit, start(&self.out), start(&self.err))
    }
}

/// A folder with these files.
pub fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Runs `rulemill` in a folder.
pub fn rulemill(folder: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_rulemill"))
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    Ran {
        exit: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// The first lines of all diagnostics, as `CODE PLACE MESSAGE`.
pub fn findings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((severity, rest)) = line.split_once('[') else { continue };
        let Some((code, message)) = rest.split_once("]: ") else { continue };
        if !["error", "warning", "note"].contains(&severity) {
            continue;
        }
        let place = lines.peek().and_then(|line| line.trim_start().strip_prefix("--> ")).unwrap_or("-");
        found.push(format!("{code} {place} {message}"));
    }
    found
}

/// A text without how long it took.
pub fn untimed(text: &str) -> String {
    let time = regex::Regex::new(r" \(\d+ ms\)").unwrap();
    time.replace_all(text, "").into_owned()
}
