//! What `rulemill check` says of mistakes in statements: the table is `data/syntax.txt`, and
//! `UPDATE_TABLES=1 cargo test --test syntax` writes its answers anew.
//!
//! Lines that begin with `> ` are a statement, with `\u{…}` for characters that do not show. Behind it stands a line
//! for each finding: code, what is underlined, the message, and the way out behind `→`. Where EMQX 4.3 has other
//! findings than 5.8, the lines of each begin with its number.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use serde_json::Value;
use support::{folder, rulemill};

#[test]
fn every_mistake_has_its_place_and_its_way_out() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/syntax.txt");
    let table = fs::read_to_string(&path).unwrap();
    let statements = statements(&table);
    assert!(statements.len() > 100);
    let (new, old) = (findings(&statements, "5.8"), findings(&statements, "4.3"));
    let mut got = String::new();
    let mut at = 0;
    let mut lines = table.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with('#') {
            writeln!(got, "{line}").unwrap();
        }
        if !line.starts_with("> ") {
            continue;
        }
        write!(got, "\n{line}\n").unwrap();
        if lines.peek().is_some_and(|next| next.starts_with("> ")) {
            got.truncate(got.len() - line.len() - 2);
            write!(got, "\n{line}\n").unwrap();
            while let Some(next) = lines.next_if(|next| next.starts_with("> ")) {
                writeln!(got, "{next}").unwrap();
            }
        }
        if new[at] == old[at] {
            new[at].iter().for_each(|finding| writeln!(got, "{finding}").unwrap());
        } else {
            new[at].iter().for_each(|finding| writeln!(got, "5.8 {finding}").unwrap());
            old[at].iter().for_each(|finding| writeln!(got, "4.3 {finding}").unwrap());
        }
        at += 1;
    }
    if std::env::var_os("UPDATE_TABLES").is_some() {
        fs::write(&path, &got).unwrap();
        return;
    }
    let other = got.lines().zip(table.lines()).enumerate().find(|(_, (got, expected))| got != expected);
    if let Some((line, (got, expected))) = other {
        panic!("line {}:\n     got {got}\nexpected {expected}", line + 1);
    }
    assert_eq!(got, table);
}

fn statements(table: &str) -> Vec<String> {
    let mut statements: Vec<String> = Vec::new();
    let mut open = false;
    for line in table.lines() {
        match (line.strip_prefix("> "), open) {
            (Some(text), true) => {
                let last = statements.last_mut().unwrap();
                last.push('\n');
                last.push_str(&unescaped(text));
            }
            (Some(text), false) => statements.push(unescaped(text)),
            (None, _) => {}
        }
        open = line.starts_with("> ");
    }
    statements
}

fn unescaped(text: &str) -> String {
    let mut parts = text.split("\\u{");
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let (digits, rest) = part.split_once('}').unwrap();
        out.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        out.push_str(rest);
    }
    out
}

/// The findings of each statement.
fn findings(statements: &[String], profile: &str) -> Vec<Vec<String>> {
    let names: Vec<String> = (0..statements.len()).map(|at| format!("rules/{at:03}.sql")).collect();
    let files: Vec<(&str, &[u8])> =
        names.iter().zip(statements).map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let folder = folder(&files);
    let ran = rulemill(folder.path(), &["check", "--format", "json", "--emqx", profile]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for finding in document["diagnostics"].as_array().unwrap() {
        let file = finding["file"].as_str().unwrap();
        let text = &statements[names.iter().position(|name| name == file).unwrap()];
        let label = &finding["labels"][0];
        let offset = |end: &str| usize::try_from(label[end]["offset"].as_u64().unwrap()).unwrap();
        let shown = text.get(offset("start")..offset("end")).unwrap().escape_debug().to_string();
        let mut line = format!("{} ", finding["code"].as_str().unwrap());
        match shown.replace("\\\"", "\"").replace("\\'", "'").as_str() {
            "" => write!(line, "at {}", label["start"]["column"]).unwrap(),
            shown => write!(line, "[{shown}]").unwrap(),
        }
        write!(line, " {}", finding["message"].as_str().unwrap()).unwrap();
        for other in finding["labels"].as_array().unwrap().iter().skip(1) {
            let message = other["message"].as_str().unwrap();
            write!(line, " ({message} at {})", other["start"]["column"]).unwrap();
        }
        for help in finding["help"].as_array().unwrap() {
            write!(line, " → {}", help.as_str().unwrap()).unwrap();
        }
        found.entry(file.to_owned()).or_default().push(line);
    }
    names.iter().map(|name| found.remove(name).unwrap_or_default()).collect()
}
