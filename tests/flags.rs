//! Every flag that `--help` names is used by a test through the real binary.

#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;
use support::{folder, rulemill};

/// Flags that need no test for each subcommand, each with its reason.
const UNTESTED: &[(&str, &str)] = &[
    ("--help", "clap's own; the walk below reads it for every subcommand"),
    ("--version", "clap's own, one line, seen below"),
    ("--color", "one for all subcommands, seen below"),
];

/// The files under tests/ that run the binary, and what runs in CI besides.
fn texts(folder: &Path, out: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            texts(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "txt") {
            let mut text = fs::read_to_string(&path).unwrap();
            // What starts the binary may stand in the folder that some test files share.
            for shared in ["live_support", "hstream_support"].map(|name| (name, folder.join(name))) {
                if text.contains(&format!("mod {};", shared.0)) {
                    let mut more = Vec::new();
                    texts(&shared.1, &mut more);
                    text += &more.concat();
                }
            }
            out.push(text);
        }
    }
}

/// The subcommands that a help page lists.
fn commands(help: &str) -> Vec<String> {
    let list = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
    let list = list.split_once("\n\n").map_or(list, |(list, _)| list);
    let names = list.lines().filter(|l| l.starts_with("  ") && !l.starts_with("   "));
    names.filter_map(|l| l.split_whitespace().next()).filter(|n| *n != "help").map(str::to_owned).collect()
}

/// The long flags of a help page.
fn flags(help: &str) -> Vec<String> {
    let flag = Regex::new(r"(?m)^ {2,6}(?:-[a-zA-Z], )?(--[a-z][a-z0-9-]*)").unwrap();
    flag.captures_iter(help).map(|found| found[1].to_owned()).collect()
}

fn walk(words: &[String], files: &[String], missing: &mut Vec<String>) {
    let mut args: Vec<&str> = words.iter().map(String::as_str).collect();
    args.push("--help");
    let ran = rulemill(Path::new("."), &args);
    assert_eq!((ran.exit, ran.err.as_str()), (0, ""), "{args:?}");
    for name in commands(&ran.out) {
        walk(&[words, &[name]].concat(), files, missing);
    }
    let short = |flag: &str| {
        let pattern = format!(r"(?m)^ +(-[a-zA-Z]), {flag}\b");
        Regex::new(&pattern).unwrap().captures(&ran.out).map(|found| found[1].to_owned())
    };
    for flag in flags(&ran.out).iter().filter(|flag| UNTESTED.iter().all(|(known, _)| known != flag)) {
        // The flag and the subcommand in one test file: near enough for a table of thirty files.
        let spellings = [Some(flag.clone()), short(flag)].into_iter().flatten();
        let spellings: Vec<Regex> =
            spellings.map(|s| Regex::new(&format!(r#"["` ]{s}["=` ]"#)).unwrap()).collect();
        let command: Vec<String> = words
            .iter()
            .map(|word| format!("\"{word}\""))
            .chain([format!("rulemill {} ", words.join(" "))])
            .collect();
        let has = |text: &&String| {
            let runs = words.is_empty()
                || text.contains(&command[words.len()])
                || command[..words.len()].iter().all(|w| text.contains(w));
            runs && spellings.iter().any(|spelling| spelling.is_match(text))
        };
        if !files.iter().any(|text| has(&text)) {
            missing.push(format!("{} {flag}", words.join(" ")));
        }
    }
}

#[test]
fn every_flag_has_a_test() {
    let mut files = Vec::new();
    texts(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut files);
    let mut missing = Vec::new();
    walk(&[], &files, &mut missing);
    assert!(missing.is_empty(), "no test names\n{}", missing.join("\n"));
}

#[test]
fn the_version_is_told() {
    let ran = rulemill(Path::new("."), &["--version"]);
    assert_eq!(ran.out, format!("rulemill {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn colours_are_written_when_asked_for() {
    let folder = folder(&[
        ("r.sql", b"SELECT payload.t as t FROM \"s/#\""),
        ("r.test.yaml", b"tests: [{ name: x, given: { topic: s/1, payload: { t: 31 } }, expect: { output: { t: 3 } } }]\n"),
        ("bad.sql", b"SELECT FROM"),
    ]);
    let coloured = |args: &[&str]| {
        let ran = rulemill(folder.path(), args);
        format!("{}{}", ran.out, ran.err).contains("\u{1b}[")
    };
    for command in [&["test", "r.test.yaml"][..], &["check", "bad.sql"], &["fmt", "--check", "bad.sql"]] {
        let with = |when: &'static str| coloured(&[command, &["--color", when]].concat());
        // The tests run with NO_COLOR, and not on a terminal: what is said on the command line counts more.
        assert_eq!((with("always"), with("auto"), with("never")), (true, false, false), "{command:?}");
    }
    let bad = rulemill(folder.path(), &["--color", "sometimes", "check"]);
    assert!(bad.exit == 2 && bad.err.contains("[possible values: auto, always, never]"), "{}", bad.err);
    let piped = rulemill(folder.path(), &["test", "--format", "json", "--color=always", "r.test.yaml"]);
    assert!(!piped.out.contains('\u{1b}'), "{}", piped.out);
}

/// A rule that the two EMQX answer differently, and one that includes a file from elsewhere.
fn project() -> tempfile::TempDir {
    folder(&[
        ("p/rules/r.sql", b"SELECT bytesize(payload) as n FROM \"t\""),
        (
            "p/rules/r.test.yaml",
            b"tests: [{ name: x, given: { topic: t, payload: abc }, expect: { output: { n: 3 } } }]\n",
        ),
        ("p/rules/list.sql", b"SELECT [1, upper(clientid)] as l FROM \"t\""),
        ("p/rules/inc.conf", b"include \"../../common.conf\"\n"),
        ("common.conf", b"rule_engine.rules.a.sql = \"SELECT * FROM t\"\n"),
    ])
}

#[test]
fn the_profile_of_the_command_line_counts() {
    let folder = project();
    let project = folder.path().join("p");
    let run = |args: &[&str]| {
        let ran = rulemill(&project, args);
        (ran.exit, ran.out + &ran.err)
    };
    let (exit, said) = run(&["test", "rules/r.test.yaml", "--emqx", "4.3"]);
    assert!(exit == 1 && said.contains("EMQX 4.3 has no function `bytesize`"), "{said}");
    assert_eq!(run(&["test", "rules/r.test.yaml", "--emqx", "5.8"]).0, 0);
    let (exit, said) = run(&["fmt", "--check", "rules/list.sql", "--emqx", "4.3"]);
    assert!(exit != 0 && said.contains("E007"), "{exit} {said}");
    assert!(!run(&["fmt", "--check", "rules/list.sql"]).1.contains("E007"));
    let mut pipe = Command::new(env!("CARGO_BIN_EXE_rulemill"));
    let pipe = pipe.args(["pipe", "--emqx", "4.3"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut pipe = pipe.unwrap();
    let request = b"{\"id\":1,\"op\":\"parse\",\"sql\":\"SELECT [1, upper(clientid)] as l FROM t\"}\n";
    pipe.stdin.take().unwrap().write_all(request).unwrap();
    let answer = String::from_utf8(pipe.wait_with_output().unwrap().stdout).unwrap();
    assert!(answer.contains("error[E007]"), "{answer}");
    for command in ["test", "check", "fmt", "bench", "eval"] {
        let (exit, said) = run(&[command, "--emqx", "6.0"]);
        assert!(
            exit == 2 && said.contains("unknown EMQX profile '6.0'; write 5.8 or 4.3"),
            "{command}: {said}"
        );
    }
}

#[test]
fn includes_stay_inside_the_project() {
    let folder = project();
    let project = folder.path().join("p");
    let convert =
        |more: &[&str]| rulemill(&project, &[&["convert", "rules/inc.conf", "--to", "yaml"], more].concat());
    let refused = convert(&[]);
    assert!(refused.exit == 2 && refused.err.contains("E430"), "{} {}", refused.exit, refused.err);
    let let_in = convert(&["--allow-outside"]);
    assert!(
        let_in.exit == 0 && let_in.out.contains("sql: \"SELECT * FROM t\""),
        "{}{}",
        let_in.out,
        let_in.err
    );
}
