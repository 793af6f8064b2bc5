//! `rulemill bench`: how long a rule takes for a message, and which clause takes it.
//!
//! The whole is measured as it runs. The clauses are measured apart, by running the statement up to the end of each
//! ([`crate::eval::Phases`]); the engine itself has no clocks in it.

mod measure;
mod report;

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::files::{self, Found};
use super::show::{self, OutputFormat};
use super::{Exit, world};
use crate::diag::{Diagnostic, Severity, codes, nearest};
use crate::engine::{Engine, with_metadata};
use crate::event::{self, Message};
use crate::limits;
use crate::profile::Profile;
use crate::rule::{self, Loaded, Rule};
use crate::topic;
use crate::value::{Bytes, Map};

/// Options of `bench`.
#[derive(Args, Debug)]
pub(super) struct BenchArgs {
    /// A rule file; one rule of it by its id behind a colon.
    #[arg(value_name = "RULE_FILE[:RULE_ID]")]
    rule: String,
    /// File with the payload, `-` for standard input; an event needs none.
    #[arg(long, value_name = "FILE")]
    payload: Option<PathBuf>,
    /// Topic of the messages; one that the rule's FROM matches when there is none.
    #[arg(long)]
    topic: Option<String>,
    /// Messages to measure, in all rounds together; as many as a second takes when not given.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=limits::BENCH_MESSAGES_MAX))]
    n: Option<u64>,
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
}

/// What a rule is measured with.
struct Subject<'a> {
    rule: &'a Rule,
    topic: String,
    /// `None` for an event.
    payload_bytes: Option<usize>,
    columns: Map,
}

/// Measures the rules and prints what came.
pub(super) fn run(args: BenchArgs) -> anyhow::Result<Exit> {
    let (path, id) = split(&args.rule);
    let loaded = load(&path, args.emqx)?;
    let errors: Vec<Diagnostic> =
        loaded.problems.iter().filter(|p| p.severity == Severity::Error).cloned().collect();
    let file = files::shown(&path);
    let rules = match chosen(&loaded, &file, id.as_deref()) {
        Ok(rules) => rules,
        Err(_) if !errors.is_empty() => {
            show::blocks(&mut anstream::stderr().lock(), &errors)?;
            return Ok(show::exit_of(&errors));
        }
        Err(message) => bail!(message),
    };
    let payload = match &args.payload {
        None => None,
        Some(path) if path == Path::new("-") => {
            let mut bytes = Vec::new();
            io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
            Some(Bytes::from(bytes))
        }
        Some(path) => {
            let bytes = fs::read(path).with_context(|| format!("cannot read {}", files::shown(path)))?;
            Some(Bytes::from(bytes))
        }
    };
    let mut results = Vec::new();
    for rule in &rules {
        let subject = subject(rule, &args, payload.as_ref())?;
        let mut ctx = world::ctx();
        ctx.schemas = Arc::clone(&loaded.set.schemas);
        match measure::measure(&subject, args.n, &mut ctx) {
            Ok(measured) => results.push(report::Result { subject, measured }),
            Err(measure::Failure::Json(e)) => {
                writeln!(
                    io::stderr(),
                    "error: an output of the rule '{}' cannot be written as JSON: {e}",
                    rule.id
                )?;
                return Ok(Exit::Failed);
            }
            Err(measure::Failure::Statement(e)) => {
                let mut problem = rule.sql.relocated(*e.diagnostic);
                problem.help.push("a rule that fails on its message is not worth measuring".to_owned());
                show::blocks(&mut anstream::stderr().lock(), &[problem])?;
                return Ok(Exit::Failed);
            }
        }
    }
    match args.format {
        OutputFormat::Json => report::json(&mut io::stdout().lock(), &file, args.emqx, &results)?,
        OutputFormat::Human => report::human(&mut io::stdout().lock(), &file, &results)?,
    }
    Ok(Exit::Ok)
}

/// `FILE:ID` to both; a file of that very name wins.
fn split(target: &str) -> (PathBuf, Option<String>) {
    match target.rsplit_once(':') {
        Some((path, id)) if !Path::new(target).exists() => (PathBuf::from(path), Some(id.to_owned())),
        _ => (PathBuf::from(target), None),
    }
}

/// The rules of a file; what it needs from the files beside it is looked for there.
fn load(path: &Path, profile: Profile) -> anyhow::Result<Loaded> {
    let own = Found { path: path.to_path_buf(), named: true };
    let input = files::read(&own)?;
    let loaded = rule::load(std::slice::from_ref(&input), profile);
    let needs = |p: &Diagnostic| {
        [codes::UNKNOWN_ACTION, codes::UNKNOWN_CONNECTOR, codes::UNKNOWN_SCHEMA].contains(&p.code)
    };
    if !loaded.problems.iter().any(needs) {
        return Ok(loaded);
    }
    let mut inputs = vec![input];
    for beside in files::rules_beside(path.parent().unwrap_or(Path::new("")))? {
        if beside.shown() != own.shown() {
            inputs.push(files::read(&beside)?);
        }
    }
    let mut loaded = rule::load(&inputs, profile);
    let ours = |p: &Diagnostic| p.source.as_ref().is_none_or(|source| source.name() == own.shown());
    loaded.problems.retain(ours);
    Ok(loaded)
}

/// The rules to measure.
fn chosen<'a>(loaded: &'a Loaded, file: &str, id: Option<&str>) -> Result<Vec<&'a Rule>, String> {
    let ids = loaded.by_file.get(file).map(Vec::as_slice).unwrap_or_default();
    let whole = || ids.iter().filter_map(|id| loaded.set.rules.get(id.as_str()).map(AsRef::as_ref));
    match id {
        None if whole().count() < ids.len() => Err(format!("a rule of {file} is wrong")),
        None if ids.is_empty() => Err(format!("{file} holds no rules")),
        None => Ok(whole().collect()),
        Some(id) => match whole().find(|rule| &*rule.id == id) {
            Some(rule) => Ok(vec![rule]),
            None if loaded.broken.contains(id) => Err(format!("the rule '{id}' is wrong")),
            None => Err(match nearest(id, ids.iter().map(String::as_str)) {
                Some(near) => format!("{file} has no rule '{id}'; did you mean '{near}'?"),
                None => format!("{file} has no rule '{id}'; it has {}", ids.join(", ")),
            }),
        },
    }
}

/// The columns that a rule is measured with: those of the message, or the samples of the event it selects.
fn subject<'a>(rule: &'a Rule, args: &BenchArgs, payload: Option<&Bytes>) -> anyhow::Result<Subject<'a>> {
    let id = &rule.id;
    let topic = match &args.topic {
        Some(topic) => topic.clone(),
        None => rule.program.topics().first().map(|filter| filled(filter)).unwrap_or_default(),
    };
    if !Engine::selects(rule, &topic) {
        let filters = rule.program.topics().join("', '");
        bail!("the rule '{id}' selects no message of the topic '{topic}': its FROM has '{filters}'");
    }
    let (columns, payload_bytes) = match (event::by_topic(&topic, args.emqx), payload) {
        (Some(event), _) if event::is_event_topic(&topic) => {
            let now_ms = i64::try_from(world::now_ns() / 1_000_000).unwrap_or(i64::MAX);
            (event::samples(event, args.emqx, now_ms, "00060000000000000000000000000001"), None)
        }
        (_, Some(payload)) => {
            if let Err(why) = topic::validate_name(topic.as_bytes()) {
                bail!("no message has the topic '{topic}': {why}");
            }
            let message = Message::new(topic.as_str(), payload.clone());
            (message.columns(args.emqx), Some(payload.len()))
        }
        (_, None) => bail!("the rule '{id}' selects messages; give one's payload with --payload FILE"),
    };
    Ok(Subject { rule, topic, payload_bytes, columns: with_metadata(&columns, id) })
}

/// A topic that a filter matches.
fn filled(filter: &str) -> String {
    let levels = filter.split('/').map(|level| if level == "+" || level == "#" { "x" } else { level });
    levels.collect::<Vec<_>>().join("/")
}
