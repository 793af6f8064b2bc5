//! Rounds of evaluations and their medians.
//!
//! Each round measures everything once, one after the other, so that a machine that slows down for a while disturbs
//! all alike.

use std::hint::black_box;
use std::time::Instant;

use super::Subject;
use crate::ctx::Ctx;
use crate::engine::Engine;
use crate::eval::{self, EvalError, Phase, Phases, Verdict};
use crate::value::encode::NotJson;

/// Rounds whose median counts. Odd, so that the median is one of them.
const ROUNDS: u64 = 31;
/// The time that the whole may take when the number of messages is not given.
const SECONDS: f64 = 1.0;

/// Why there is nothing to measure.
pub(super) enum Failure {
    /// The statement fails on its message.
    Statement(EvalError),
    /// An output has no JSON.
    Json(NotJson),
}

impl From<EvalError> for Failure {
    fn from(e: EvalError) -> Failure {
        Failure::Statement(e)
    }
}

/// What was measured.
pub(super) struct Measured {
    pub messages: u64,
    pub rounds: usize,
    pub outputs: usize,
    pub output_bytes: usize,
    /// Statement and JSON, nanoseconds a message.
    pub whole: Spread,
    /// With the actions rendered as well, where there are some.
    pub with_actions: Option<f64>,
    /// Names and nanoseconds of the clauses.
    pub clauses: Vec<(&'static str, f64)>,
}

/// The middle of many samples.
#[derive(Clone, Copy)]
pub(super) struct Spread {
    pub median: f64,
    /// A quarter of the samples lies below.
    pub low: f64,
    /// A quarter of the samples lies above.
    pub high: f64,
}

impl Spread {
    fn of(mut samples: Vec<f64>) -> Spread {
        samples.sort_by(f64::total_cmp);
        let at = |part: usize| samples.get((samples.len() - 1) * part / 4).copied().unwrap_or_default();
        Spread { median: at(2), low: at(1), high: at(3) }
    }
}

/// Measures one rule, or says why it fails on its message.
pub(super) fn measure(subject: &Subject<'_>, n: Option<u64>, ctx: &mut Ctx) -> Result<Measured, Failure> {
    let program = &subject.rule.program;
    let mut out = Vec::with_capacity(4096);
    let outputs = once(subject, &mut out, ctx)?;
    let output_bytes = out.len();
    let phases = Phases::new(program, &subject.columns, ctx)?;
    let messages = n.unwrap_or_else(|| fitting(subject, ctx));
    let rounds = messages.min(ROUNDS);
    let runs = messages.div_ceil(rounds);
    // Without a payload to decode, what comes before the list is part of it.
    let stops: Vec<Phase> =
        program.phases().into_iter().filter(|phase| *phase != Phase::Decode || phases.decodes()).collect();
    let (mut whole, mut bare, mut acted) = (Vec::new(), Vec::new(), Vec::new());
    let mut cut: Vec<Vec<f64>> = vec![Vec::new(); stops.len()];
    let engine = Engine::new(Vec::new(), program.profile());
    for _ in 0..rounds {
        whole.push(time(runs, || {
            let _ = once(subject, &mut out, ctx);
        }));
        bare.push(time(runs, || {
            let _ = black_box(eval::run(program, black_box(&subject.columns), ctx));
        }));
        for (samples, stop) in cut.iter_mut().zip(&stops) {
            samples.push(time(runs, || {
                let _ = black_box(phases.run(black_box(*stop), ctx));
            }));
        }
        if !subject.rule.actions.is_empty() {
            acted.push(time(runs, || {
                black_box(engine.apply(subject.rule, black_box(&subject.columns), None, ctx));
            }));
        }
    }
    let (whole, bare) = (Spread::of(whole), Spread::of(bare).median);
    let cut: Vec<(Phase, f64)> =
        stops.into_iter().zip(cut.into_iter().map(|samples| Spread::of(samples).median)).collect();
    let with_actions = (!acted.is_empty()).then(|| Spread::of(acted).median);
    let clauses = clauses(program.statement().foreach, &cut, bare, whole.median);
    let messages = rounds * runs;
    Ok(Measured {
        messages,
        rounds: usize::try_from(rounds).unwrap_or(usize::MAX),
        outputs,
        output_bytes,
        whole,
        with_actions,
        clauses,
    })
}

/// One evaluation with its outputs as JSON; how many there were.
fn once(subject: &Subject<'_>, out: &mut Vec<u8>, ctx: &mut Ctx) -> Result<usize, Failure> {
    out.clear();
    let verdict = eval::run(&subject.rule.program, black_box(&subject.columns), ctx)?;
    let Verdict::Outputs(outputs) = verdict else { return Ok(0) };
    for at in 0..outputs.len() {
        outputs.write_json(at, out).map_err(Failure::Json)?;
    }
    black_box(&out);
    Ok(outputs.len())
}

/// Nanoseconds a run.
fn time(runs: u64, mut run: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..runs {
        run();
    }
    started.elapsed().as_nanos() as f64 / runs as f64
}

/// How many messages fill the time.
fn fitting(subject: &Subject<'_>, ctx: &mut Ctx) -> u64 {
    let mut out = Vec::new();
    let mut runs = 1;
    loop {
        let ns = time(runs, || {
            let _ = once(subject, &mut out, ctx);
        });
        // A hundredth of the time says enough about the rest; an evaluation takes a nanosecond at least.
        if ns * runs as f64 > SECONDS * 1e7 || runs >= 1 << 24 {
            return ((SECONDS * 1e9 / ns.max(1.0)) as u64).max(ROUNDS);
        }
        runs *= 4;
    }
}

/// The differences between one stop and the next. Noise may make one negative: then it is too small to be seen.
fn clauses(foreach: bool, cut: &[(Phase, f64)], bare: f64, whole: f64) -> Vec<(&'static str, f64)> {
    let mut clauses: Vec<(&'static str, f64)> = Vec::new();
    let mut before = 0.0;
    for (phase, ns) in cut {
        let name = match phase {
            Phase::Decode => "decode",
            Phase::List if foreach => "FOREACH",
            Phase::List => "SELECT",
            Phase::Where => "WHERE",
            Phase::Incase => "INCASE",
        };
        clauses.push((name, (ns - before).max(0.0)));
        before = *ns;
    }
    let rest = (bare - before).max(0.0);
    match clauses.iter_mut().find(|(name, _)| *name == "SELECT") {
        // The values of a SELECT become its output once WHERE has held.
        Some((_, ns)) => *ns += rest,
        None => clauses.push(("DO", rest)),
    }
    clauses.push(("JSON out", (whole - bare).max(0.0)));
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads_are_quartiles() {
        let spread = Spread::of(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!((spread.low, spread.median, spread.high), (2.0, 3.0, 4.0));
        let one = Spread::of(vec![7.0]);
        assert_eq!((one.low, one.median, one.high), (7.0, 7.0, 7.0));
    }

    #[test]
    fn clauses_are_differences_and_never_negative() {
        let select = [(Phase::Decode, 100.0), (Phase::List, 150.0), (Phase::Where, 140.0)];
        assert_eq!(
            clauses(false, &select, 170.0, 250.0),
            [("decode", 100.0), ("SELECT", 80.0), ("WHERE", 0.0), ("JSON out", 80.0)]
        );
        let foreach = [(Phase::Decode, 10.0), (Phase::List, 20.0), (Phase::Incase, 50.0)];
        assert_eq!(
            clauses(true, &foreach, 90.0, 80.0),
            [("decode", 10.0), ("FOREACH", 10.0), ("INCASE", 30.0), ("DO", 40.0), ("JSON out", 0.0)]
        );
    }
}
