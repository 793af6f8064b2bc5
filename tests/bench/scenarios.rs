//! How long statements take, as a multiple of `serde_json::from_str::<Value>(payload)` plus `to_string(&value)` of the
//! same payload: medians of interleaved rounds in one process, so that a noisy machine disturbs both sides alike.
//!
//! `cargo bench --bench scenarios` prints the table; with `-- --check` it fails when a multiple is over its bound.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

#[path = "scenario.rs"]
mod scenario;

use std::hint::black_box;
use std::time::Instant;

use rulemill::ctx::Ctx;
use rulemill::program::Program;
use rulemill::value::Map;
use scenario::{SCENARIOS, columns};

/// Rounds; each runs every scenario and its yardstick.
const ROUNDS: usize = 31;
/// Evaluations a round.
const RUNS: u32 = 2_000;

fn statement_ns(program: &Program, columns: &Map, ctx: &mut Ctx, out: &mut Vec<u8>) -> f64 {
    let started = Instant::now();
    for _ in 0..RUNS {
        scenario::evaluate(program, black_box(columns), ctx, out);
        black_box(&out);
    }
    started.elapsed().as_nanos() as f64 / f64::from(RUNS)
}

fn yardstick_ns(payload: &str) -> f64 {
    let started = Instant::now();
    for _ in 0..RUNS {
        black_box(scenario::yardstick(black_box(payload)));
    }
    started.elapsed().as_nanos() as f64 / f64::from(RUNS)
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn main() {
    let check = std::env::args().any(|arg| arg == "--check");
    let mut ctx = Ctx::frozen(0, 1);
    let mut out = Vec::with_capacity(4096);
    let mut samples = vec![(Vec::new(), Vec::new()); SCENARIOS.len()];
    let prepared: Vec<(Program, Map)> = SCENARIOS
        .iter()
        .map(|(_, sql, payload, _)| (scenario::compile(sql), columns(payload.trim_end())))
        .collect();
    for _ in 0..ROUNDS {
        for (at, (program, columns)) in prepared.iter().enumerate() {
            samples[at].0.push(statement_ns(program, columns, &mut ctx, &mut out));
            samples[at].1.push(yardstick_ns(SCENARIOS[at].2.trim_end()));
        }
    }
    println!("{:10} {:>9} {:>9} {:>7} {:>7}", "scenario", "ns", "serde ns", "times", "bound");
    let mut over = 0;
    for ((name, _, _, bound), (own, serde)) in SCENARIOS.iter().zip(samples) {
        let (own, serde) = (median(own), median(serde));
        let times = own / serde;
        println!(
            "{name:10} {own:9.0} {serde:9.0} {times:7.3} {bound:7.2}{}",
            if times > *bound { "  over" } else { "" }
        );
        over += usize::from(times > *bound);
    }
    println!("{:10} {:9.0} ns a statement", "compile", compile_ns());
    if check && over > 0 {
        std::process::exit(1);
    }
}

/// The mean time to compile the nine statements.
fn compile_ns() -> f64 {
    let rounds = 200;
    let started = Instant::now();
    for _ in 0..rounds {
        for (_, sql, _, _) in SCENARIOS {
            black_box(scenario::compile(black_box(sql)));
        }
    }
    started.elapsed().as_nanos() as f64 / f64::from(rounds) / SCENARIOS.len() as f64
}
