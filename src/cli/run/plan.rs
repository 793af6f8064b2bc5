//! What is to run: the rules of the files, checked, and whether all they ask for can be delivered.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use anyhow::bail;

use super::RunArgs;
use crate::cli::includes::Disk;
use crate::cli::{Exit, files, show};
use crate::diag::{Diagnostic, Severity, codes};
use crate::event;
use crate::rule::{self, Action, ActionKind, Input, Rule, RuleSet};

/// Checked rules and what they use.
pub(super) struct Plan {
    /// All definitions.
    pub(super) set: RuleSet,
    /// The rules that are enabled, by id.
    pub(super) rules: Vec<Arc<Rule>>,
    /// The actions that they use, by id.
    pub(super) actions: BTreeMap<Arc<str>, Arc<Action>>,
}

/// Reads the files; what is wrong is printed, and ends with the exit code.
pub(super) fn read(args: &RunArgs) -> anyhow::Result<Result<Plan, Exit>> {
    let found: Vec<_> = files::find(&args.paths)?.into_iter().filter(|found| !found.is_test()).collect();
    let inputs: Vec<Input> = found.iter().map(files::read).collect::<Result<_, _>>()?;
    if inputs.is_empty() {
        bail!("no rule files found");
    }
    let mut loaded = rule::load_with(&inputs, args.emqx, &mut Disk::new(args.allow_outside));
    let mut problems = std::mem::take(&mut loaded.problems);
    // Files of other kinds may lie in a folder; only one that was named must be a rule file.
    let named = |problem: &Diagnostic| {
        let file = problem.source.as_ref().map(|source| source.name().to_owned());
        found.iter().any(|found| found.named && Some(found.shown()) == file)
    };
    problems
        .iter_mut()
        .filter(|p| p.code == codes::NO_RULES && !named(p))
        .for_each(|p| p.severity = Severity::Note);
    let set = loaded.set;
    for rule in set.rules.values() {
        problems.extend(rule.program.problems().iter().map(|problem| rule.sql.relocated(problem.clone())));
    }
    let rules: Vec<Arc<Rule>> = set.rules.values().filter(|rule| rule.enabled).cloned().collect();
    let exit = show::exit_of(&problems);
    let shown = if args.quiet { Severity::Error } else { Severity::Warning };
    problems.retain(|problem| problem.severity >= shown);
    let mut out = anstream::stderr().lock();
    show::blocks(&mut out, &problems)?;
    if exit != Exit::Ok {
        writeln!(out, "nothing runs until this is put right; `rulemill check` says it again")?;
        return Ok(Err(exit));
    }
    if rules.is_empty() {
        bail!("all rules are disabled");
    }
    let actions: BTreeMap<_, _> = rules
        .iter()
        .flat_map(|rule| &rule.actions)
        .map(|action| (action.id.clone(), action.clone()))
        .collect();
    let plan = Plan { set, rules, actions };
    plan.check(args)?;
    Ok(Ok(plan))
}

impl Plan {
    /// Refuses what `run` cannot deliver.
    fn check(&self, args: &RunArgs) -> anyhow::Result<()> {
        for (id, action) in &self.actions {
            if !action.enabled || args.skip_unsupported_actions {
                continue;
            }
            let place = action.place.locate();
            match &action.kind {
                ActionKind::Params { kind, .. } => bail!(
                    "{place}: rulemill renders actions of type {kind} but does not deliver them ({id}); \
                     --skip-unsupported-actions runs the rest"
                ),
                ActionKind::Hstreamdb(hstreamdb) if !hstreamdb.connector.rest => {
                    let name = &hstreamdb.connector.name;
                    bail!(
                        "{place}: {id} would be delivered by gRPC, which is not built yet; for HStreamDB's HTTP server add \
                         `rulemill: {{ hstreamdb: {{ {name}: {{ api: rest }} }} }}`, or --skip-unsupported-actions runs the rest"
                    )
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Their FROM lists.
    pub(super) fn topics(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flat_map(|rule| rule.program.topics()).map(String::as_str)
    }

    /// The events that they select from, by name.
    pub(super) fn events(&self) -> impl Iterator<Item = &'static str> {
        self.topics().filter_map(|topic| event::by_topic(topic, self.set.profile)).map(|event| event.name)
    }

    /// Warns about the events that nobody will tell, given those that somebody does.
    pub(super) fn warn(&self, told: &[&str]) {
        let is_told = |topic: &str| {
            event::by_topic(topic, self.set.profile).is_some_and(|event| told.contains(&event.name))
        };
        let wanted = self.rules.iter().flat_map(|rule| {
            let events = rule.program.topics().iter().filter(|topic| event::is_event_topic(topic));
            events.filter(|topic| !is_told(topic)).map(|topic| format!("{topic} (rule {})", rule.id))
        });
        let wanted: Vec<_> = wanted.collect();
        if !wanted.is_empty() {
            tracing::warn!(
                "nothing here tells {}; `rulemill test` and `rulemill eval` try such rules all the same",
                wanted.join(", ")
            );
        }
    }
}
