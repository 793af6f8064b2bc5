//! A message that WHERE rejects costs no memory: once its buffers are warm, nothing is allocated for it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::alloc::System;

use rulemill::ctx::Ctx;
use rulemill::eval::{self, Verdict};
use rulemill::profile::Profile;
use rulemill::program::Program;
use rulemill::text::Source;
use rulemill::value::{Bytes, Map, Value};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Allocations of a thousand evaluations after some to warm up. One test is all there is in this process, so that
/// nobody else's allocations are counted.
fn allocations(sql: &str) -> usize {
    let program = Program::compile(&Source::new("t", sql), Profile::V5_8).unwrap();
    let payload = Bytes::from_static(br#"{"temp":35.5,"humidity":40,"site":"plant-7","seq":123456}"#);
    let columns = Map::of_columns([
        ("clientid", "c1".into()),
        ("payload", Value::Str(Bytes::copy_from_slice(&payload))),
        ("topic", "t/1".into()),
    ]);
    let mut ctx = Ctx::frozen(0, 1);
    let mut run = |times| {
        for _ in 0..times {
            assert_eq!(eval::run(&program, &columns, &mut ctx).unwrap(), Verdict::NoMatch);
        }
    };
    run(10);
    // Another thread, the test runner's own, may allocate in between: not each time.
    let rounds = (0..5).map(|_| {
        let region = Region::new(ALLOCATOR);
        run(1000);
        region.change().allocations
    });
    rounds.min().unwrap_or_default()
}

#[test]
fn what_where_rejects_allocates_nothing() {
    for sql in [
        "SELECT payload.temp AS temp, clientid FROM \"t/#\" WHERE payload.temp > 90",
        "SELECT payload.site AS site, topic FROM \"t/#\" WHERE payload.humidity > 90 AND payload.temp < 0",
        "SELECT clientid FROM \"t/#\" WHERE clientid = 'c2'",
    ] {
        assert_eq!(allocations(sql), 0, "{sql}");
    }
}
