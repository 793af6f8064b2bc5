//! How long things take, by divan: `cargo bench --bench timings`, with part of a name to choose.
//!
//! divan runs one thing after the other, so a busy machine may favour one of them; what must hold is judged by
//! `scenarios.rs` and `index.rs`, which interleave.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "scenario.rs"]
mod scenario;

use divan::{Bencher, black_box};
use rulemill::ctx::Ctx;
use rulemill::topic::Index;
use scenario::{SCENARIOS, columns};

const NAMES: [&str; SCENARIOS.len()] = names();

const fn names() -> [&'static str; SCENARIOS.len()] {
    let mut names = [""; SCENARIOS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = SCENARIOS[at].0;
        at += 1;
    }
    names
}

fn of(name: &str) -> (&'static str, &'static str) {
    let (_, sql, payload, _) = SCENARIOS.iter().find(|scenario| scenario.0 == name).unwrap();
    (sql, payload.trim_end())
}

fn main() {
    divan::main();
}

#[divan::bench(args = NAMES)]
fn evaluate(bencher: Bencher, name: &str) {
    let (sql, payload) = of(name);
    let (program, columns) = (scenario::compile(sql), columns(payload));
    let mut ctx = Ctx::frozen(0, 1);
    let mut out = Vec::with_capacity(4096);
    bencher.bench_local(|| {
        scenario::evaluate(&program, black_box(&columns), &mut ctx, &mut out);
        out.len()
    });
}

#[divan::bench(args = NAMES)]
fn yardstick(bencher: Bencher, name: &str) {
    let (_, payload) = of(name);
    bencher.bench_local(|| scenario::yardstick(black_box(payload)));
}

#[divan::bench(args = NAMES)]
fn compile(bencher: Bencher, name: &str) {
    let (sql, _) = of(name);
    bencher.bench_local(|| scenario::compile(black_box(sql)));
}

/// Rules on distinct filters, ten of which match.
#[divan::bench(args = [100, 10_000, 100_000])]
fn find_topic(bencher: Bencher, rules: u32) {
    let mut index = Index::new();
    for id in 0..rules {
        let filter = if id < 10 {
            format!("plant/7/+/{}", "+/".repeat(id as usize) + "#")
        } else {
            format!("car/{id}/+")
        };
        index.insert(filter.as_bytes(), id);
    }
    let name = format!("plant/7/{}", ["x"; 12].join("/"));
    let mut ids = Vec::new();
    index.find(name.as_bytes(), &mut ids);
    assert_eq!(ids.len(), 10);
    bencher.bench_local(|| {
        index.find(black_box(name.as_bytes()), &mut ids);
        ids.len()
    });
}
