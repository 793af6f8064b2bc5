//! What an expectation must say so that it holds for what really came: the changes to a test file, leaf by leaf.
//!
//! What holds stays as it is written, matchers among it. What does not is written anew; where two profiles differ, it
//! is written by profile.
//!
//! Invariant: nothing is written here; a test that cannot be put right says why.

mod action;
mod answer;
mod leaf;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::read;
use super::run::CaseResult;
use super::verdict::Seen;
use super::{Fixtures, Test, faults::Faults};
use crate::document::{Changes, Document, Entry, Node};
use crate::profile::Profile;
use crate::rule::Loaded;
use crate::value::{Map, Value};
use leaf::{Actual, Leaves};

/// What a step really brought.
#[derive(Debug)]
pub struct Kept {
    /// What each rule did; `None` for a step in which nothing came.
    pub seen: Option<BTreeMap<Arc<str>, Seen>>,
    /// The kv store after it.
    pub kv: Map,
}

/// How a test went under one profile.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// The profile.
    pub profile: Profile,
    /// How it went, with what was [kept](CaseResult::kept).
    pub result: &'a CaseResult,
    /// The rules it ran with.
    pub loaded: &'a Loaded,
}

/// What one step brought under one profile.
#[derive(Clone, Copy)]
struct Came<'a> {
    profile: Profile,
    kept: &'a Kept,
    loaded: &'a Loaded,
    faults: &'a [Faults],
}

/// The changes that make the test at this position of its file hold, or why there are none.
pub fn changes(
    document: &Document,
    test: &Test,
    position: usize,
    runs: &[Run<'_>],
    fixtures: &mut dyn Fixtures,
) -> Result<Changes, String> {
    if runs.iter().any(|run| !run.result.ran) {
        return Err("it cannot be run".to_owned());
    }
    let Some(node) = read::test_nodes(document).into_iter().nth(position) else {
        return Err("its file has changed meanwhile".to_owned());
    };
    let mut leaves = Leaves { document, fixtures, changes: Changes::default(), fold: false };
    match &test.capture {
        Some(capture) if capture.each.is_some() => {
            return Err("its expectation is for every line of the capture".to_owned());
        }
        Some(_) => totals(&mut leaves, &node, runs)?,
        None => steps(&mut leaves, &node, test, runs)?,
    }
    match leaves.changes.is_empty() {
        true => Err("what is wrong is not what it expects".to_owned()),
        false => Ok(leaves.changes),
    }
}

fn totals(leaves: &mut Leaves<'_>, test: &Node, runs: &[Run<'_>]) -> Result<(), String> {
    for Entry { key, value, .. } in test.get("expect").and_then(Node::as_map).unwrap_or_default() {
        let total = |run: &Run<'_>| {
            let found = run.result.totals.iter().find(|(name, _)| *name == &**key);
            Actual { profile: run.profile, value: found.map(|(_, n)| Value::Int(*n)) }
        };
        let actuals: Vec<Actual> = runs.iter().map(total).collect();
        leaves.merge(value, &actuals)?;
    }
    Ok(())
}

fn steps(leaves: &mut Leaves<'_>, test: &Node, model: &Test, runs: &[Run<'_>]) -> Result<(), String> {
    let steps = test.get("steps").and_then(Node::as_list).unwrap_or(std::slice::from_ref(test));
    for (at, step) in steps.iter().enumerate() {
        let Some(expect) = step.get("expect") else { continue };
        let faults = model.steps.get(at).map(|step| &*step.faults).unwrap_or_default();
        let mut came = Vec::new();
        for Run { profile, result, loaded } in runs {
            let kept = result.kept.get(at).ok_or("it ended early")?;
            came.push(Came { profile: *profile, kept, loaded, faults });
        }
        leaves.expect(expect, &came)?;
    }
    Ok(())
}
