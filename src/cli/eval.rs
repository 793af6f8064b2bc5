//! `rulemill eval`: one statement over messages, like jq.

use std::fs;
use std::io::{self, BufRead, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

use super::files::{self, Found};
use super::{Exit, show, world};
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, Severity, codes};
use crate::eval::{self, Verdict};
use crate::event::{self, Message};
use crate::profile::Profile;
use crate::program::Program;
use crate::rule;
use crate::text::Source;
use crate::topic;
use crate::value::{Bytes, Map, Value, decode};

/// Options of `eval`.
#[derive(Args, Debug)]
pub(super) struct EvalArgs {
    /// The statement, or `@FILE` to read it from a file.
    sql: String,
    /// Files with one payload each. Without one, standard input: one JSON document, or else a payload a line.
    files: Vec<PathBuf>,
    /// Topic of the messages; one that the first FROM filter matches, when not given.
    #[arg(long)]
    topic: Option<String>,
    /// Quality of service of the messages.
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2))]
    qos: u8,
    /// Client id of the publisher.
    #[arg(long, default_value = "c_test")]
    clientid: String,
    /// A column as it shall be, NAME=JSON; may be given again.
    #[arg(long = "column", value_name = "NAME=JSON")]
    columns: Vec<String>,
    /// Print each output over several lines.
    #[arg(long)]
    pretty: bool,
    /// Fill in the sample values of EMQX's online tester.
    #[arg(long)]
    fill_samples: bool,
    /// A rule file whose schemas `schema_encode`, `schema_decode` and `schema_check` know.
    #[arg(long, value_name = "FILE")]
    schemas: Option<PathBuf>,
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
}

/// Prints each output as a line of JSON.
pub(super) fn run(args: EvalArgs) -> anyhow::Result<Exit> {
    let program = match Program::compile(&statement(&args.sql)?, args.emqx) {
        Ok(program) => program,
        Err(problems) => {
            show::blocks(&mut anstream::stderr().lock(), &problems)?;
            return Ok(Exit::Compile);
        }
    };
    let mut ctx = world::ctx();
    if let Some(path) = &args.schemas {
        let loaded = rule::load(&[files::read(&Found { path: path.clone(), named: true })?], args.emqx);
        let of_schemas = |p: &Diagnostic| p.severity == Severity::Error && p.code != codes::UNKNOWN_ACTION;
        let problems: Vec<Diagnostic> = loaded.problems.into_iter().filter(of_schemas).collect();
        if !problems.is_empty() {
            show::blocks(&mut anstream::stderr().lock(), &problems)?;
            return Ok(show::exit_of(&problems));
        }
        ctx.schemas = loaded.set.schemas;
    }
    let Some(base) = columns(&program, &args, &mut ctx)? else { return Ok(Exit::Failed) };
    let mut exit = Exit::Ok;
    payloads(&args.files, &program, &mut |payload, name| {
        let mut columns = base.clone();
        if let Some(payload) = payload {
            columns.insert_column("payload", Value::Str(payload));
        }
        exit = exit.max(one(&program, &columns, name, args.pretty, &mut ctx)?);
        Ok(())
    })?;
    Ok(exit)
}

fn statement(sql: &str) -> anyhow::Result<Source> {
    match sql.strip_prefix('@') {
        Some(file) => {
            let text = fs::read_to_string(file).with_context(|| format!("cannot read '{file}'"))?;
            Ok(Source::new(file, text))
        }
        None => Ok(Source::new("<sql>", sql)),
    }
}

fn one(program: &Program, columns: &Map, name: &str, pretty: bool, ctx: &mut Ctx) -> anyhow::Result<Exit> {
    match eval::run(program, columns, ctx) {
        Ok(Verdict::NoMatch) => Ok(Exit::Ok),
        Ok(Verdict::Outputs(outputs)) => {
            let mut out = io::stdout().lock();
            for at in 0..outputs.len() {
                let mut line = Vec::new();
                outputs.write_json(at, &mut line).context("an output has no JSON")?;
                let mut line = if pretty { indented(&line) } else { line };
                line.push(b'\n');
                out.write_all(&line)?;
            }
            Ok(Exit::Ok)
        }
        Err(e) => {
            let mut diagnostic = *e.diagnostic;
            if !name.is_empty() {
                diagnostic.help.push(format!("this happened at {name}"));
            }
            show::blocks(&mut anstream::stderr().lock(), &[diagnostic])?;
            Ok(Exit::Failed)
        }
    }
}

/// Compact JSON over several lines. The text of numbers and strings stays as it is: no reader of JSON holds them all.
fn indented(json: &[u8]) -> Vec<u8> {
    let (mut out, mut depth, mut quoted, mut escaped) = (Vec::new(), 0usize, false, false);
    let line = |out: &mut Vec<u8>, depth: usize| {
        out.push(b'\n');
        out.extend(std::iter::repeat_n(b' ', 2 * depth));
    };
    for (at, byte) in json.iter().enumerate() {
        let empty = matches!((byte, json.get(at + 1)), (b'{', Some(b'}')) | (b'[', Some(b']')));
        let was_empty =
            matches!((at.checked_sub(1).map(|at| json[at]), byte), (Some(b'{'), b'}') | (Some(b'['), b']'));
        match byte {
            _ if quoted => {
                quoted = escaped || *byte != b'"';
                escaped = !escaped && *byte == b'\\';
                out.push(*byte);
            }
            b'"' => {
                quoted = true;
                out.push(*byte);
            }
            b'{' | b'[' => {
                out.push(*byte);
                depth += 1;
                if !empty {
                    line(&mut out, depth);
                }
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                if !was_empty {
                    line(&mut out, depth);
                }
                out.push(*byte);
            }
            b',' => {
                out.push(*byte);
                line(&mut out, depth);
            }
            b':' => out.extend(b": "),
            _ => out.push(*byte),
        }
    }
    out
}

/// The columns but the payload; none when the message would not be selected, which has been said.
fn columns(program: &Program, args: &EvalArgs, ctx: &mut Ctx) -> anyhow::Result<Option<Map>> {
    let first = program.topics().first().map(String::as_str).unwrap_or_default();
    let event = event::by_topic(first, args.emqx);
    let topic = args.topic.clone().unwrap_or_else(|| topic::matching_name(first));
    let selects = |filter: &String| topic::matches(topic.as_bytes(), filter.as_bytes());
    if event.is_none() && !program.topics().iter().any(selects) {
        let filters = program.topics().join(", ");
        writeln!(anstream::stderr(), "the topic '{topic}' matches none of FROM {filters}")?;
        return Ok(None);
    }
    let mut columns = match event {
        Some(event) if args.fill_samples => event::samples(event, args.emqx, ctx.now_ms(), "0"),
        Some(event) => Map::of_columns([("event", Value::atom(event.name))]),
        None => {
            let mut message = Message::new(topic.as_str(), Bytes::new());
            message.qos = args.qos;
            message.clientid.clone_from(&args.clientid);
            message.timestamp_ms = ctx.now_ms();
            message.publish_received_at_ms = message.timestamp_ms;
            let columns = message.columns(args.emqx);
            match event::by_name("message.publish").filter(|_| args.fill_samples) {
                Some(event) => event::samples(event, args.emqx, message.timestamp_ms, "0").merged(&columns),
                None => columns,
            }
        }
    };
    for column in &args.columns {
        let Some((name, json)) = column.split_once('=') else { bail!("--column {column} is not NAME=JSON") };
        let value = decode::decode(&Bytes::copy_from_slice(json.as_bytes()))
            .with_context(|| format!("--column {name}: '{json}' is no JSON"))?;
        columns.insert(Value::Atom(Bytes::copy_from_slice(name.as_bytes())), value);
    }
    Ok(Some(columns))
}

/// Calls `each` with every payload, one at a time; a statement about an event needs none, and gets one run.
fn payloads(
    files: &[PathBuf],
    program: &Program,
    each: &mut dyn FnMut(Option<Bytes>, &str) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for file in files {
        let name = if files.len() > 1 { file.display().to_string() } else { String::new() };
        let bytes = fs::read(file).with_context(|| format!("cannot read '{}'", file.display()))?;
        each(Some(Bytes::from(bytes)), &name)?;
    }
    if !files.is_empty() {
        return Ok(());
    }
    if program.topics().first().is_some_and(|topic| event::is_event_topic(topic)) {
        return each(None, "");
    }
    let mut input = io::stdin().lock();
    let mut start = Vec::new();
    // A first line that is a document of its own has more of them behind it, however many; else the whole input is
    // one document over several lines, or lines of something else.
    input.read_until(b'\n', &mut start).context("cannot read standard input")?;
    let first = Bytes::copy_from_slice(start.trim_ascii());
    if decode::decode(&first).is_err() {
        input.read_to_end(&mut start).context("cannot read standard input")?;
        let whole = Bytes::from(start);
        let whole = whole.slice_ref(whole.trim_ascii());
        if decode::decode(&whole).is_ok() {
            return each(Some(whole), "");
        }
        let several = whole.contains(&b'\n');
        for (at, line) in whole.split(|byte| *byte == b'\n').enumerate() {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let name = if several { format!("line {}", at + 1) } else { String::new() };
            each(Some(whole.slice_ref(line)), &name)?;
        }
        return Ok(());
    }
    // It may be the only one; who sends more sees the number from the second on.
    each(Some(first), "")?;
    let mut line = Vec::new();
    for at in 2.. {
        line.clear();
        if input.read_until(b'\n', &mut line).context("cannot read standard input")? == 0 {
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        // Blank lines between documents are no payloads.
        if !text.trim_ascii().is_empty() {
            each(Some(Bytes::copy_from_slice(text)), &format!("line {at}"))?;
        }
    }
    Ok(())
}
