//! The `bench` op: the time of one evaluation with its outputs written as JSON.

use std::hint::black_box;
use std::time::Instant;

use super::{Replied, columns, compile, number, sql};
use crate::ctx::Ctx;
use crate::eval::{self, Verdict};
use crate::profile::Profile;
use crate::value::{Map, Value};

pub(super) fn run(request: &Map, profile: Profile, ctx: &mut Ctx) -> Replied {
    let program = compile(sql(request)?, profile)?;
    let columns = columns(request, "columns")?;
    let n = match request.get_str(b"n") {
        Some(Value::Int(n)) => usize::try_from(*n).unwrap_or(1).clamp(1, 10_000_000),
        _ => 10_000,
    };
    let mut out = Vec::with_capacity(4096);
    let started = Instant::now();
    for _ in 0..n {
        out.clear();
        if let Ok(Verdict::Outputs(outputs)) = eval::run(&program, black_box(&columns), ctx) {
            for at in 0..outputs.len() {
                let _ = outputs.write_json(at, &mut out);
            }
        }
        black_box(&out);
    }
    Ok(number("ns_per_eval", started.elapsed().as_nanos() as f64 / n as f64))
}
