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

use std::hint::black_box;
use std::time::Instant;

use rulemill::ctx::Ctx;
use rulemill::eval::{self, Verdict};
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::text::Source;
use rulemill::value::{Bytes, Map, Value, decode};

/// Rounds; each runs every scenario and its yardstick.
const ROUNDS: usize = 31;
/// Evaluations a round.
const RUNS: u32 = 2_000;

/// Name, statement, payload, bound.
const SCENARIOS: [(&str, &str, &str, f64); 9] = [
    ("seed", "SELECT payload, str(payload) as payload, 0 as flag FROM \"#\"", LOCATION, 0.35),
    ("project", "SELECT payload.temp as temp, clientid FROM \"t/#\" WHERE payload.temp > 30", SMALL, 0.8),
    ("reject", "SELECT payload.temp as temp, clientid FROM \"t/#\" WHERE payload.temp > 90", SMALL, 0.5),
    ("columns", "SELECT clientid, topic, qos FROM \"t/#\"", SMALL, 0.8),
    ("star", "SELECT * FROM \"t/#\"", SMALL, 1.5),
    (
        "arith",
        "SELECT upper(clientid) as c, payload.temp * 1.8 + 32 as f, concat(topic, '/x') as t2 FROM \"t/#\" WHERE \
         payload.temp > 20 and payload.hum < 80",
        NESTED,
        0.3,
    ),
    (
        "case",
        "SELECT CASE WHEN payload.temp > 30 THEN 'hot' WHEN payload.temp > 20 THEN 'warm' ELSE 'cold' END as c FROM \
         \"t/#\"",
        NESTED,
        0.2,
    ),
    (
        "foreach",
        "FOREACH payload.list as e DO e.k as k, e.v * 2 as v, clientid INCASE e.k > 2 FROM \"t/#\"",
        NESTED,
        0.8,
    ),
    (
        "nested",
        "SELECT payload.dev.id as id, payload.dev.loc[2] as y, payload.dev as out.device FROM \"t/#\"",
        NESTED,
        0.28,
    ),
];

const SMALL: &str = r#"{"temp":35.5,"humidity":40,"site":"plant-7","seq":123456}"#;
const LOCATION: &str = include_str!("location.json");
const NESTED: &str = include_str!("nested.json");

fn columns(payload: &str) -> Map {
    Map::of_columns([
        ("topic", "t/1/2".into()),
        ("clientid", "c1".into()),
        ("username", "u1".into()),
        ("qos", 1.into()),
        ("timestamp", 1_700_000_000_000.into()),
        ("id", "0005".into()),
        ("peerhost", "1.2.3.4".into()),
        ("flags", decode::decode(&Bytes::from_static(b"{\"retain\":false}")).unwrap()),
        ("payload", Value::Str(Bytes::copy_from_slice(payload.as_bytes()))),
    ])
}

fn statement_ns(program: &Program, columns: &Map, ctx: &mut Ctx, out: &mut Vec<u8>) -> f64 {
    let started = Instant::now();
    for _ in 0..RUNS {
        out.clear();
        if let Ok(Verdict::Outputs(outputs)) = eval::run(program, black_box(columns), ctx) {
            for at in 0..outputs.len() {
                outputs.write_json(at, out).unwrap();
            }
        }
        black_box(&out);
    }
    started.elapsed().as_nanos() as f64 / f64::from(RUNS)
}

fn yardstick_ns(payload: &str) -> f64 {
    let started = Instant::now();
    for _ in 0..RUNS {
        let value: serde_json::Value = serde_json::from_str(black_box(payload)).unwrap();
        black_box(serde_json::to_string(&value).unwrap());
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
        .map(|(_, sql, payload, _)| {
            (
                Program::compile(&Source::new("bench", *sql), Profile::V5_8).unwrap(),
                columns(payload.trim_end()),
            )
        })
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
            black_box(Program::compile(&Source::new("bench", sql), Profile::V5_8).unwrap());
        }
    }
    started.elapsed().as_nanos() as f64 / f64::from(rounds) / SCENARIOS.len() as f64
}
