//! The house's rules that no compiler checks: who may import whom, how long a file may be, what stands at the top.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Who may import whom, as data flows. `all` is for the modules at the end of the flow.
const TABLE: [(&str, &str); 29] = [
    ("text", ""),
    ("limits", ""),
    ("profile", ""),
    ("diag", "text limits"),
    ("value", "limits"),
    ("topic", "limits"),
    ("document", "text diag limits"),
    ("sql", "text diag limits profile value"),
    ("event", "value topic profile"),
    ("schema", "value limits text diag document"),
    ("ctx", "value event limits profile text jq schema"),
    ("func", "value topic event ctx limits profile jq schema"),
    ("program", "sql func event topic value diag limits text profile"),
    ("eval", "program func ctx value topic limits diag text sql profile"),
    ("template", "sql value diag limits profile"),
    ("rule", "program template topic diag limits text profile document value sql func event schema"),
    ("lint", "rule program template topic diag limits text profile document value sql func event"),
    ("engine", "rule eval template topic event ctx value profile program"),
    (
        "harness",
        "engine rule eval template topic event ctx value profile program text diag limits document sql func",
    ),
    ("jq", "value limits"),
    ("log", "limits"),
    ("buffer", "log engine limits"),
    ("delivery", "event limits rule"),
    ("source", "delivery engine buffer rule event topic value limits profile ctx diag text"),
    ("sink", "delivery engine eval buffer rule event topic value limits profile ctx diag text template"),
    ("broker", "event topic value limits profile"),
    ("hstream", "log value diag limits text"),
    ("web", "all"),
    ("cli", "all"),
];

/// Lines of a file before its tests.
const FILE_LINES_MAX: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root()).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 50, "where are the sources?");
    files
}

/// The part of a file before its tests.
fn before_tests(text: &str) -> &str {
    text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn imports_flow_down_the_table() {
    let single = Regex::new(r"\bcrate::([a-z_]+)").unwrap();
    let group = Regex::new(r"\bcrate::\{([^}]*)\}").unwrap();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let module = path.iter().nth(1).unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" || module == "main" {
            continue;
        }
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: the module `{module}` is not in the table", path.display()));
            continue;
        };
        if *allowed == "all" {
            continue;
        }
        let text: String = before_tests(&text)
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect::<Vec<_>>()
            .join("\n");
        let mut imported: BTreeSet<String> = single.captures_iter(&text).map(|c| c[1].to_owned()).collect();
        for list in group.captures_iter(&text) {
            let first = |item: &str| item.trim().split("::").next().unwrap_or_default().to_owned();
            imported.extend(list[1].split(',').map(first).filter(|name| !name.is_empty()));
        }
        for name in imported {
            let known = TABLE.iter().any(|(module, _)| *module == name);
            if known && name != module && !allowed.split(' ').any(|a| a == name) {
                wrong.push(format!("{}: `{module}` must not import `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_are_short_and_say_what_they_are() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = before_tests(&text).lines().count();
        if lines > FILE_LINES_MAX {
            wrong.push(format!(
                "{}: {lines} lines before its tests, more than {FILE_LINES_MAX}",
                path.display()
            ));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: no module documentation", path.display()));
        }
        let name = path.file_stem().unwrap().to_str().unwrap();
        if ["utils", "util", "helpers", "helper", "manager", "common", "misc"].contains(&name) {
            wrong.push(format!("{}: `{name}` names nothing", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_top_level_is_the_agreed_one() {
    let agreed =
        ["Cargo.toml", "Cargo.lock", "LICENSE", "README.md", "src", "rules", "tests", "fixtures", "target"];
    let names = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let extra: Vec<String> = names.filter(|n| !n.starts_with('.') && !agreed.contains(&n.as_str())).collect();
    assert!(extra.is_empty(), "at the top level: {extra:?}");
}

#[test]
fn no_number_of_json_is_a_magic_map() {
    // With serde_json/arbitrary_precision, switched on by any dependency, this would be a number.
    let huge = serde_json::from_str::<serde_json::Value>("1e400");
    assert!(huge.is_err(), "serde_json/arbitrary_precision is on: it breaks every visitor of numbers");
}
