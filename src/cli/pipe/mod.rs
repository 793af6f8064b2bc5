//! `rulemill pipe`: JSON requests in, JSON answers out, one a line and in order, for editors and other programs.

mod bench;
mod tester;

use std::io::{self, BufRead, Write};

use clap::Args;

use super::{Exit, world};
use crate::ctx::Ctx;
use crate::diag::{Diagnostic, Severity};
use crate::eval::{self, EvalError, Verdict};
use crate::profile::Profile;
use crate::program::Program;
use crate::template::{Dialect, Template};
use crate::text::Source;
use crate::topic;
use crate::value::{Bytes, Map, Value, decode, encode};

/// Options of `pipe`.
#[derive(Args)]
pub(super) struct PipeArgs {
    /// Whose behaviour counts: 5.8 or 4.3.
    #[arg(long, default_value = "5.8", value_name = "VERSION")]
    emqx: Profile,
}

/// Answers until the input ends.
pub(super) fn run(args: PipeArgs) -> anyhow::Result<Exit> {
    let mut ctx = world::ctx();
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut line = Vec::new();
    let mut input = io::BufReader::with_capacity(64 * 1024, io::stdin());
    loop {
        line.clear();
        if input.read_until(b'\n', &mut line)? == 0 {
            out.flush()?;
            return Ok(Exit::Ok);
        }
        let answer = answer(&line, args.emqx, &mut ctx);
        out.write_all(&answer)?;
        out.write_all(b"\n")?;
        // Someone may wait for this answer before asking on.
        if input.buffer().is_empty() {
            out.flush()?;
        }
    }
}

/// The answer to one request, both without their line ends.
pub fn answer(line: &[u8], profile: Profile, ctx: &mut Ctx) -> Vec<u8> {
    let request = Bytes::copy_from_slice(line.trim_ascii_end());
    let (id, reply) = match decode::decode(&request) {
        Ok(Value::Map(request)) => {
            let id = request.get_str(b"id").cloned().unwrap_or(Value::Null);
            (id, reply(&request, profile, ctx))
        }
        Ok(_) => (Value::Null, Reply::failure("a request is a JSON object")),
        Err(e) => (Value::Null, Reply::failure(&format!("the request is no JSON: {e}"))),
    };
    let mut out = b"{\"id\":".to_vec();
    let mut body = Vec::new();
    let written = encode::write(&mut out, &id).and_then(|()| reply.write(&mut body));
    match written {
        Ok(()) => out.extend_from_slice(&body),
        Err(e) => {
            let mut text = Vec::new();
            let _ = encode::write_string(&mut text, e.to_string().as_bytes());
            out.extend_from_slice(b",\"error\":{\"class\":\"not_json\",\"reason\":");
            out.extend_from_slice(&text);
            out.push(b'}');
        }
    }
    out.push(b'}');
    out
}

/// The members of an answer behind its id, in order.
struct Reply(Vec<(&'static str, Value)>);

impl Reply {
    fn one(name: &'static str, value: impl Into<Value>) -> Reply {
        Reply(vec![(name, value.into())])
    }

    /// The request itself is wrong.
    fn failure(message: &str) -> Reply {
        Reply::one("request_error", message)
    }

    fn error(class: &str, reason: &str) -> Reply {
        Reply::one("error", Map::of([("class", class.into()), ("reason", reason.into())]))
    }

    fn write(&self, out: &mut Vec<u8>) -> Result<(), encode::NotJson> {
        for (name, value) in &self.0 {
            out.push(b',');
            encode::write_string(out, name.as_bytes())?;
            out.push(b':');
            encode::write(out, value)?;
        }
        Ok(())
    }
}

fn text<'r>(request: &'r Map, name: &str) -> Result<&'r str, Reply> {
    let value = request.get_str(name.as_bytes()).and_then(Value::as_text);
    value.ok_or_else(|| Reply::failure(&format!("`{name}` must be a string")))
}

fn reply(request: &Map, profile: Profile, ctx: &mut Ctx) -> Reply {
    let answered = match text(request, "op") {
        Ok("raw") => raw(request, profile, ctx),
        Ok("parse") => text(request, "sql").map(|sql| parse(sql, profile)),
        Ok("match") => matches(request),
        Ok("render") => render(request, profile),
        Ok("bench") => bench::run(request, profile, ctx),
        Ok("eval") => tester::run(request, profile, ctx),
        Ok(other) => Err(Reply::failure(&format!(
            "unknown op '{other}'; the ops are raw, eval, parse, match, render and bench"
        ))),
        Err(e) => Err(e),
    };
    answered.unwrap_or_else(|e| e)
}

/// The columns of a request: top-level names are atoms, as the broker's columns are.
fn columns(request: &Map, name: &str) -> Result<Map, Reply> {
    match request.get_str(name.as_bytes()) {
        Some(Value::Map(map)) => Ok(atom_keys(map)),
        None => Ok(Map::new()),
        Some(_) => Err(Reply::failure(&format!("`{name}` must be an object"))),
    }
}

fn atom_keys(map: &Map) -> Map {
    let atom = |key: &Value| key.as_bytes().map_or(key.clone(), |name| Value::Atom(name.clone()));
    Map::from_entries(map.entries().iter().map(|(k, v)| (atom(k), v.clone())).collect())
}

fn compile(sql: &str, profile: Profile) -> Result<Program, Reply> {
    Program::compile(&Source::new("<sql>", sql), profile)
        .map_err(|problems| Reply::one("parse_error", reason(&problems)))
}

fn reason(problems: &[Diagnostic]) -> String {
    let errors = problems.iter().filter(|p| p.severity == Severity::Error);
    errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn raw(request: &Map, profile: Profile, ctx: &mut Ctx) -> Result<Reply, Reply> {
    let program = compile(text(request, "sql")?, profile)?;
    let columns = columns(request, "columns")?;
    Ok(verdict(&program, eval::run(&program, &columns, ctx)))
}

/// A FOREACH answers the list of its outputs, a SELECT its one output.
fn verdict(program: &Program, result: Result<Verdict, EvalError>) -> Reply {
    match result {
        Ok(Verdict::NoMatch) => Reply::one("nomatch", true),
        Ok(Verdict::Outputs(outputs)) if program.statement().foreach => {
            Reply::one("ok", Value::list(outputs.iter().map(Value::Map).collect()))
        }
        Ok(Verdict::Outputs(outputs)) => Reply::one("ok", outputs.get(0).unwrap_or_default()),
        Err(e) => {
            let error =
                [("class", Value::str(e.clause.class())), ("reason", Value::from(e.diagnostic.message))];
            Reply::one("error", Map::of(error))
        }
    }
}

fn parse(sql: &str, profile: Profile) -> Reply {
    match Program::compile(&Source::new("<sql>", sql), profile) {
        Ok(_) => Reply::one("accept", true),
        Err(problems) => Reply(vec![("accept", Value::Bool(false)), ("reason", reason(&problems).into())]),
    }
}

fn matches(request: &Map) -> Result<Reply, Reply> {
    let (name, filter) = (text(request, "topic")?, text(request, "filter")?);
    let invalid = |what: &'static str, e: topic::Invalid| {
        Reply(vec![("invalid", Value::str(what)), ("reason", e.to_string().into())])
    };
    topic::validate_filter(filter.as_bytes()).map_err(|e| invalid("filter", e))?;
    topic::validate_name(name.as_bytes()).map_err(|e| invalid("name", e))?;
    Ok(Reply::one("match", topic::matches(name.as_bytes(), filter.as_bytes())))
}

fn render(request: &Map, profile: Profile) -> Result<Reply, Reply> {
    let data = Value::Map(columns(request, "columns")?);
    let template = Template::parse(text(request, "template")?, Dialect::action(profile));
    Ok(match template.render(&data) {
        Ok(text) => Reply::one("text", Value::Str(text)),
        Err(e) => {
            Reply::one("error", Map::of([("class", "render_error".into()), ("reason", e.to_string().into())]))
        }
    })
}

fn number(name: &'static str, value: f64) -> Reply {
    Reply::one(name, value)
}

type Replied = Result<Reply, Reply>;

fn sql(request: &Map) -> Result<&str, Reply> {
    text(request, "sql")
}
