//! Many rules: how long the topic index takes to build and to ask, how many bytes a rule costs it, and what a message
//! costs the engine when a thousand rules stand beside the one that matches. Medians.
//!
//! `cargo bench --bench index` prints the table; with `-- --check` it fails when a number is over its bound.

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
use rulemill::engine::Engine;
use rulemill::event::Message;
use rulemill::profile::Profile;
use rulemill::rule::{Input, load};
use rulemill::topic::Index;

/// Rules in the index.
const RULES: usize = 100_000;
/// Of them, how many match the message.
const MATCHING: usize = 10;
/// Rules beside the one that matches, in the engine.
const BESIDE: usize = 999;
const ROUNDS: usize = 21;

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// The mean time of one call, in nanoseconds.
fn ns(runs: u32, mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..runs {
        call();
    }
    started.elapsed().as_nanos() as f64 / f64::from(runs)
}

/// Distinct filters of the kind that fleets have; ten of them match `plant/777/line/3/temp`.
fn filters() -> Vec<String> {
    let wide = [
        "#",
        "plant/#",
        "plant/777/#",
        "+/777/line/3/temp",
        "plant/+/line/3/temp",
        "plant/777/+/3/temp",
        "plant/777/line/+/temp",
        "plant/777/line/3/+",
        "plant/777/line/3/temp",
        "+/+/line/+/temp",
    ];
    let narrow = (0..RULES - wide.len()).map(|n| match n % 4 {
        0 => format!("plant/{}/line/{}/pressure", 1000 + n, n % 7),
        1 => format!("car/{n}/+/speed"),
        2 => format!("site-{n}/device/#"),
        _ => format!("plant/{}/state", 1000 + n),
    });
    wide.iter().map(|filter| (*filter).to_owned()).chain(narrow).collect()
}

/// An engine of rules on topics of their own, and one on `t`.
fn engine(beside: usize) -> Engine {
    let mut file = String::from("rule_engine:\n  rules:\n");
    let mut rule = |id: &str, topic: &str| {
        file += &format!("    {id}: {{ sql: 'SELECT payload.x AS x, clientid FROM \"{topic}\"' }}\n");
    };
    (0..beside).for_each(|n| rule(&format!("r{n}"), &format!("beside/{n}/+")));
    rule("wanted", "t");
    let loaded = load(&[Input { path: "bench.yaml".to_owned(), bytes: file.into() }], Profile::V5_8);
    assert!(!loaded.has_errors(), "{:?}", loaded.problems);
    Engine::new(loaded.set.rules.into_values().collect(), Profile::V5_8)
}

/// What, the number, its bound, its unit.
type Row = (&'static str, f64, f64, &'static str);

fn index_rows() -> Vec<Row> {
    let filters = filters();
    let mut build = Vec::new();
    let mut index = Index::new();
    for _ in 0..5 {
        let started = Instant::now();
        index = Index::new();
        (0..).zip(&filters).for_each(|(id, filter)| index.insert(filter.as_bytes(), id));
        build.push(started.elapsed().as_secs_f64());
    }
    let mut ids = Vec::new();
    index.find(b"plant/777/line/3/temp", &mut ids);
    assert_eq!(ids.len(), MATCHING);
    let find = |_| ns(2_000, || index.find(black_box(b"plant/777/line/3/temp"), black_box(&mut ids)));
    let found = median((0..ROUNDS).map(find).collect());
    // Other messages in between, as in life: the caches are not warm then.
    let names: Vec<String> = (0..5_000).map(|n| format!("plant/{}/state", 1003 + n * 19)).collect();
    let mut at = 0;
    let mut any = || {
        at = (at + 1) % names.len();
        index.find(black_box(names[at].as_bytes()), &mut ids);
    };
    let spread = median((0..ROUNDS).map(|_| ns(5_000, &mut any)).collect());
    vec![
        ("build 100,000 rules", median(build), 1.0, "s"),
        ("bytes a rule", index.bytes() as f64 / RULES as f64, 600.0, "bytes"),
        ("find 10 of 100,000", found / 1_000.0, 3.0, "µs"),
        ("find, topics spread", spread / 1_000.0, 3.0, "µs"),
    ]
}

fn engine_rows() -> Vec<Row> {
    let (mut one, mut many) = (engine(0), engine(BESIDE));
    let message = Message::new("t", r#"{"x":1}"#.as_bytes().to_vec());
    let mut ctx = Ctx::frozen(0, 1);
    let mut publish = |engine: &mut Engine| {
        ns(2_000, || assert_eq!(black_box(engine.publish(&message, &mut ctx)).len(), 1))
    };
    let pairs: Vec<_> = (0..ROUNDS).map(|_| (publish(&mut one), publish(&mut many))).collect();
    let alone = median(pairs.iter().map(|pair| pair.0).collect());
    let among = median(pairs.iter().map(|pair| pair.1).collect());
    vec![
        ("1 rule of 1,000", among / alone, 2.0, "times 1 of 1"),
        ("1 rule of 1", alone / 1_000.0, f64::MAX, "µs"),
    ]
}

fn main() {
    let check = std::env::args().any(|arg| arg == "--check");
    let mut over = 0;
    println!("{:22} {:>10} {:>8}", "what", "is", "bound");
    for (what, is, bound, unit) in index_rows().into_iter().chain(engine_rows()) {
        let shown = if bound == f64::MAX { "-".to_owned() } else { bound.to_string() };
        println!("{what:22} {is:10.3} {shown:>8} {unit}{}", if is > bound { "  over" } else { "" });
        over += usize::from(is > bound);
    }
    if check && over > 0 {
        std::process::exit(1);
    }
}
