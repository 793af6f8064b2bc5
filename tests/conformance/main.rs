//! The judge: some 24,000 recorded answers of EMQX 5.8.9 and 4.3.22, asked of rulemill through the protocol of
//! `rulemill pipe`, in this process.
//!
//! `differences.json` lists the answers that differ on purpose; a listed one that agrees is a failure too, and the
//! README's table is made of the list. `UPDATE=1 cargo test --test conformance` rewrites that table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod case;
mod json;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use case::Case;
use rulemill::cli::pipe;
use rulemill::ctx::Ctx;
use rulemill::profile::Profile;

/// An answer that is different on purpose.
struct Difference {
    profile: Profile,
    id: String,
    sql: String,
    why: String,
    emqx: String,
    ours: String,
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"))
}

fn differences() -> Vec<Difference> {
    let text = fs::read_to_string(folder().join("differences.json")).unwrap();
    let list: serde_json::Value = serde_json::from_str(&text).unwrap();
    let text = |entry: &serde_json::Value, key: &str| {
        entry[key].as_str().unwrap_or_else(|| panic!("differences.json: {key} of {entry}")).to_owned()
    };
    let entry = |e: &serde_json::Value| Difference {
        profile: text(e, "profile").parse().unwrap(),
        id: text(e, "id"),
        sql: text(e, "sql"),
        why: text(e, "why"),
        emqx: text(e, "emqx"),
        ours: text(e, "ours"),
    };
    list.as_array().unwrap().iter().map(entry).collect()
}

fn ctx() -> Ctx {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Ctx::frozen(now.as_nanos() as i128, 1)
}

fn judge(profile: Profile) {
    let listed: Vec<Difference> = differences().into_iter().filter(|d| d.profile == profile).collect();
    let mut groups: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut wrong = String::new();
    let mut ctx = ctx();
    let mut agreeing = Vec::new();
    for case in case::load(&folder().join(profile.name())) {
        let answer = pipe::answer(case.request.as_bytes(), profile, &mut ctx);
        let agrees = case.agrees(&answer);
        let on_purpose = listed.iter().any(|d| d.id == case.id);
        let group = groups.entry(case.group.split(':').next().unwrap_or_default().to_owned()).or_default();
        group.1 += 1;
        group.0 += usize::from(agrees);
        match (agrees, on_purpose) {
            (false, false) => describe(&mut wrong, &case, &answer),
            (true, true) => agreeing.push(case.id),
            _ => {}
        }
    }
    println!("EMQX {profile}");
    for (group, (good, all)) in &groups {
        println!("  {group:10} {good:6} of {all}");
    }
    assert!(groups.values().map(|(_, all)| all).sum::<usize>() > 10_000, "the recorded answers are missing");
    assert!(wrong.is_empty(), "answers that differ from EMQX {profile}:\n{wrong}");
    assert!(agreeing.is_empty(), "differences.json lists answers that agree: {agreeing:?}");
}

fn describe(out: &mut String, case: &Case, answer: &[u8]) {
    if out.len() < 20_000 {
        let answer = String::from_utf8_lossy(answer);
        let _ = writeln!(out, "{}\n    want {}\n    got  {answer}", case.request, case.expect);
    }
}

#[test]
fn emqx_5_8() {
    judge(Profile::V5_8);
}

#[test]
fn emqx_4_3() {
    judge(Profile::V4_3);
}

/// The README's table of differences says what the list says.
#[test]
fn the_readme_names_every_difference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (start, end) = ("<!-- differences: made by tests/conformance -->\n", "<!-- differences end -->");
    let from = readme.find(start).expect("README.md has no place for the differences") + start.len();
    let to = from + readme[from..].find(end).expect("README.md has no end of the differences");
    let table = table();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, format!("{}{table}{}", &readme[..from], &readme[to..])).unwrap();
    } else {
        assert_eq!(&readme[from..to], table, "run UPDATE=1 cargo test --test conformance");
    }
}

fn table() -> String {
    let mut out =
        String::from("| EMQX | statement | EMQX answers | rulemill answers | why |\n|---|---|---|---|---|\n");
    let cell = |text: &str| text.replace('|', "\\|");
    for d in differences() {
        let (sql, emqx, ours, why) = (cell(&d.sql), cell(&d.emqx), cell(&d.ours), cell(&d.why));
        let _ = writeln!(out, "| {} | `{sql}` | {emqx} | {ours} | {why} (`{}`) |", d.profile, d.id);
    }
    out
}
