//! `rulemill fn`: the builtin functions, from the table that the engine itself calls them by.
//!
//! Invariant: every example's result is evaluated when it is shown.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use regex::Regex;
use serde_json::{Value as Json, json};

use super::show::{OutputFormat, count};
use super::{Exit, world};
use crate::ctx::Ctx;
use crate::diag::nearest;
use crate::eval::{self, Verdict};
use crate::event::Message;
use crate::func::{self, Builtin, Profiles, table};
use crate::profile::Profile;
use crate::program::Program;
use crate::schema::Kind;
use crate::text::Source;
use crate::value::Bytes;
use crate::value::encode;

/// Options of `fn`.
#[derive(Args, Debug)]
pub(super) struct FnArgs {
    /// A function, a part of names, `/a pattern/`, a family, or a word of what functions do; all when there is none.
    name: Option<String>,
    /// Only what this EMQX has: 5.8 or 4.3.
    #[arg(long, value_name = "VERSION")]
    emqx: Option<Profile>,
    /// How the table is written.
    #[arg(long, value_enum, default_value = "human")]
    format: OutputFormat,
}

/// What the name on the command line stands for.
enum Wanted {
    /// The rows of one function, with everything about them.
    Function(Vec<&'static Builtin>),
    /// Rows of a list.
    List(Vec<&'static Builtin>),
}

/// Prints the list or one function.
#[expect(clippy::print_stderr, reason = "errors of the command line")]
pub(super) fn run(args: FnArgs) -> anyhow::Result<Exit> {
    let wanted = match wanted(args.name.as_deref(), args.emqx) {
        Ok(wanted) => wanted,
        Err(Unknown { message, help, exit }) => {
            eprintln!("error: {message}");
            help.iter().for_each(|help| eprintln!("  {help}"));
            return Ok(exit);
        }
    };
    let mut ctx = example_world();
    let mut out = io::stdout().lock();
    match (args.format, wanted) {
        (OutputFormat::Json, Wanted::Function(rows) | Wanted::List(rows)) => {
            let rows: Vec<Json> = rows.iter().map(|row| to_json(row, args.emqx, &mut ctx)).collect();
            writeln!(out, "{:#}", Json::from(rows))?;
        }
        (OutputFormat::Human, Wanted::Function(rows)) => {
            for (at, row) in rows.iter().enumerate() {
                if at > 0 {
                    writeln!(out)?;
                }
                write_row(&mut out, row, args.emqx, &mut ctx)?;
            }
        }
        (OutputFormat::Human, Wanted::List(rows)) => write_list(&mut out, &rows, args.emqx)?,
    }
    Ok(Exit::Ok)
}

/// Why there is nothing to show.
struct Unknown {
    message: String,
    help: Option<String>,
    exit: Exit,
}

fn wanted(name: Option<&str>, profile: Option<Profile>) -> Result<Wanted, Unknown> {
    let has = |row: &&Builtin| profile.is_none_or(|profile| row.profiles.has(profile));
    let rows = || table::all().filter(has);
    let Some(name) = name else { return Ok(Wanted::List(rows().collect())) };
    if let Some(pattern) = name.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
        let pattern = Regex::new(pattern).map_err(|e| Unknown {
            message: format!("'{pattern}' is no regular expression: {}", last_line(&e.to_string())),
            help: None,
            exit: Exit::Usage,
        })?;
        return listed(rows().filter(|row| pattern.is_match(row.name)).collect(), || {
            unknown(format!("no function's name matches {name}"), None)
        });
    }
    let exact: Vec<_> = rows().filter(|row| row.name == name).collect();
    if !exact.is_empty() {
        return Ok(Wanted::Function(exact));
    }
    if let (Some(profile), Some(other)) = (profile, table::named(name).next()) {
        let there = other.profiles.list().map(Profile::name).collect::<Vec<_>>().join(", ");
        return Err(unknown(format!("EMQX {profile} has no function '{name}'; {there} has"), None));
    }
    let part = name.to_lowercase();
    let mut close: Vec<_> = rows().filter(|row| row.family == part || row.name.contains(&part)).collect();
    if close.is_empty() {
        let words = |row: &&Builtin| {
            let mut words = row.doc.split(|c: char| !c.is_alphanumeric());
            words.any(|word| word.to_lowercase() == part)
        };
        close = rows().filter(words).collect();
    }
    listed(close, || {
        let near = nearest(name, table::all().filter(has).map(|row| row.name));
        let help = match near {
            Some(near) => format!("did you mean '{near}'?"),
            None => "`rulemill fn` lists them all".to_owned(),
        };
        unknown(format!("there is no function '{name}'"), Some(help))
    })
}

/// The reason, without the drawing above it.
fn last_line(text: &str) -> String {
    text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

fn unknown(message: String, help: Option<String>) -> Unknown {
    Unknown { message, help, exit: Exit::Failed }
}

fn listed(rows: Vec<&'static Builtin>, none: impl FnOnce() -> Unknown) -> Result<Wanted, Unknown> {
    if rows.is_empty() { Err(none()) } else { Ok(Wanted::List(rows)) }
}

/// The list, family by family.
fn write_list(out: &mut dyn Write, rows: &[&Builtin], profile: Option<Profile>) -> io::Result<()> {
    let mut families: Vec<&str> = Vec::new();
    for row in rows {
        if !families.contains(&row.family) {
            families.push(row.family);
        }
    }
    let width = rows.iter().map(|row| row.short_signature().chars().count()).max().unwrap_or(0);
    for family in &families {
        writeln!(out, "{family}")?;
        for row in rows.iter().filter(|row| row.family == *family) {
            let only = match (profile, row.profiles) {
                (None, Profiles::Only5) => " (5.8 only)",
                (None, Profiles::Only4) => " (4.3 only)",
                _ => "",
            };
            writeln!(out, "  {:width$}  {}{only}", row.short_signature(), row.summary())?;
        }
        writeln!(out)?;
    }
    let mut names: Vec<&str> = rows.iter().map(|row| row.name).collect();
    names.sort_unstable();
    names.dedup();
    writeln!(out, "{}; `rulemill fn NAME` shows one with its examples", count(names.len(), "function"))
}

/// Everything about one row.
fn write_row(
    out: &mut dyn Write,
    row: &Builtin,
    profile: Option<Profile>,
    ctx: &mut Ctx,
) -> anyhow::Result<()> {
    writeln!(out, "{}\n", row.signature())?;
    for line in row.doc.lines() {
        writeln!(out, "  {line}")?;
    }
    let profiles: Vec<&str> = row.profiles.list().map(Profile::name).collect();
    writeln!(out, "\n  family    {}", row.family)?;
    writeln!(out, "  EMQX      {}", profiles.join(", "))?;
    writeln!(out, "  answers   {}", row.purity.describe())?;
    let width = row.examples.iter().map(|example| example.sql.chars().count()).max().unwrap_or(0);
    for (at, example) in row.examples.iter().enumerate() {
        let label = if at == 0 { "examples" } else { "" };
        match evaluate(example.sql, profile_of(row, profile), ctx) {
            Ok(json) => writeln!(out, "  {label:8}  {:width$}  = {json}", example.sql)?,
            Err(why) => writeln!(out, "  {label:8}  {:width$}  fails: {why}", example.sql)?,
        }
    }
    Ok(())
}

fn to_json(row: &Builtin, profile: Option<Profile>, ctx: &mut Ctx) -> Json {
    let params: Vec<Json> =
        row.params.iter().map(|p| json!({ "name": p.name, "kinds": p.kinds.names() })).collect();
    let profiles: Vec<&str> = row.profiles.list().map(Profile::name).collect();
    let mut example = |sql: &str| match evaluate(sql, profile_of(row, profile), ctx) {
        Ok(result) => json!({ "sql": sql, "result": result }),
        Err(why) => json!({ "sql": sql, "error": why }),
    };
    let examples: Vec<Json> = row.examples.iter().map(|e| example(e.sql)).collect();
    json!({
        "name": row.name,
        "family": row.family,
        "signature": row.signature(),
        "params": params,
        "variadic": row.variadic,
        "returns": row.ret.names(),
        "doc": row.doc,
        "purity": row.purity.name(),
        "emqx": profiles,
        "examples": examples,
    })
}

/// The profile that a row's examples run under: the one asked for, or else the newest that has the function.
fn profile_of(row: &Builtin, asked: Option<Profile>) -> Profile {
    asked.filter(|profile| row.profiles.has(*profile)).or(row.profiles.list().last()).unwrap_or_default()
}

/// The world of examples, with the schema that those of the schema registry name.
fn example_world() -> Ctx {
    let mut ctx = world::ctx();
    let source = Source::new("reading", func::schema::EXAMPLE);
    // Without the feature there are no schemas, and the examples say so.
    let _ = Arc::make_mut(&mut ctx.schemas).add("reading", Kind::Json, &source);
    ctx
}

/// The value of an expression as JSON, or why it has none.
fn evaluate(sql: &str, profile: Profile, ctx: &mut Ctx) -> Result<String, String> {
    let statement = Source::new("<example>", format!("SELECT {sql} AS x FROM \"t/1\""));
    let program = Program::compile(&statement, profile)
        .map_err(|problems| problems.first().map_or_else(String::new, |p| p.message.clone()))?;
    let columns = Message::new("t/1", Bytes::new()).columns(profile);
    let outputs = match eval::run(&program, &columns, ctx) {
        Ok(Verdict::Outputs(outputs)) => outputs,
        Ok(Verdict::NoMatch) => return Err("no output".to_owned()),
        Err(e) => return Err(e.diagnostic.message.clone()),
    };
    let output = outputs.get(0).unwrap_or_default();
    let value = output.get_str(b"x").ok_or("no output")?;
    let json = encode::to_json(value).map_err(|e| e.to_string())?;
    Ok(String::from_utf8_lossy(&json).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_what_it_does() {
        for row in table::all() {
            assert!(row.summary().ends_with(['.', '?']), "{row:?}: {}", row.summary());
            assert!(!row.params.iter().any(|p| p.kinds.names().is_empty()), "{row:?}");
        }
    }
}
