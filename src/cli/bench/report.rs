//! What was measured, for people and for programs.

use std::io::{self, Write};

use serde_json::{Value as Json, json};

use super::Subject;
use super::measure::Measured;
use crate::cli::show::count;
use crate::profile::Profile;

/// One rule and what it took.
pub(super) struct Result<'a> {
    pub subject: Subject<'a>,
    pub measured: Measured,
}

/// Tables for people.
pub(super) fn human(out: &mut dyn Write, file: &str, results: &[Result<'_>]) -> io::Result<()> {
    for (at, Result { subject, measured }) in results.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        let id = &subject.rule.id;
        let what = match measured.outputs {
            0 => "no output".to_owned(),
            n => format!("{}, {}", count(n, "output"), count(measured.output_bytes, "byte")),
        };
        let given = match subject.payload_bytes {
            Some(bytes) => format!("a payload of {} on {}", count(bytes, "byte"), subject.topic),
            None => format!("EMQX's sample of {}", subject.topic),
        };
        writeln!(out, "{id} ({file}): {what} for {given}\n")?;
        let whole = measured.whole;
        writeln!(
            out,
            "  {} a message, {} messages a second on one core",
            ns(whole.median),
            per_second(whole.median)
        )?;
        if let Some(total) = measured.with_actions {
            let actions = count(subject.rule.actions.len(), "action");
            writeln!(out, "  {} with {actions} rendered", ns(total))?;
        }
        writeln!(out)?;
        let sum: f64 = measured.clauses.iter().map(|(_, ns)| ns).sum();
        for (name, time) in &measured.clauses {
            let share = 100.0 * time / sum.max(f64::MIN_POSITIVE);
            writeln!(out, "  {name:9} {share:5.1} %  {:>9}", ns(*time))?;
        }
        writeln!(
            out,
            "\n  median of {}, {}; the middle half lies within {} and {}",
            count(measured.rounds, "round"),
            count(usize::try_from(measured.messages).unwrap_or(usize::MAX), "message"),
            ns(whole.low),
            ns(whole.high)
        )?;
    }
    writeln!(out, "\nThe clauses are measured apart, by running the statement up to each of them.")?;
    if cfg!(debug_assertions) {
        writeln!(out, "This is a debug build: a release build takes a fraction of this.")?;
    }
    Ok(())
}

/// `850 ns`, `1.25 µs`, `3.10 ms`.
fn ns(ns: f64) -> String {
    match ns {
        ns if ns < 1e3 => format!("{ns:.0} ns"),
        ns if ns < 1e6 => format!("{:.2} µs", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

/// `1.63 million`, `215,000`.
fn per_second(ns: f64) -> String {
    let rate = 1e9 / ns.max(f64::MIN_POSITIVE);
    match rate {
        rate if rate >= 1e6 => format!("{:.2} million", rate / 1e6),
        rate if rate >= 1e4 => format!("{:.0},000", rate / 1e3),
        rate => format!("{rate:.0}"),
    }
}

/// One document for programs.
pub(super) fn json(
    out: &mut dyn Write,
    file: &str,
    profile: Profile,
    results: &[Result<'_>],
) -> io::Result<()> {
    let rules: Vec<Json> = results.iter().map(rule).collect();
    let document = json!({
        "file": file,
        "emqx": profile.name(),
        "release_build": !cfg!(debug_assertions),
        "rules": rules,
    });
    writeln!(out, "{document:#}")
}

fn rule(Result { subject, measured }: &Result<'_>) -> Json {
    let whole = measured.whole;
    let sum: f64 = measured.clauses.iter().map(|(_, ns)| ns).sum();
    let clauses: Vec<Json> = measured
        .clauses
        .iter()
        .map(|(name, ns)| json!({ "name": name, "ns": ns, "share": ns / sum.max(f64::MIN_POSITIVE) }))
        .collect();
    json!({
        "rule": &*subject.rule.id,
        "topic": subject.topic,
        "payload_bytes": subject.payload_bytes,
        "outputs": measured.outputs,
        "output_bytes": measured.output_bytes,
        "messages": measured.messages,
        "rounds": measured.rounds,
        "ns_per_message": { "median": whole.median, "low_quartile": whole.low, "high_quartile": whole.high },
        "ns_per_message_with_actions": measured.with_actions,
        "messages_per_second": 1e9 / whole.median.max(f64::MIN_POSITIVE),
        "clauses": clauses,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let written = [850.4, 999.4, 1250.0, 3_100_000.0].map(ns);
        assert_eq!(written, ["850 ns", "999 ns", "1.25 µs", "3.10 ms"]);
        let written = [100.0, 4_651.0, 90_000.0, 3e8].map(per_second);
        assert_eq!(written, ["10.00 million", "215,000", "11,000", "3"]);
    }
}
