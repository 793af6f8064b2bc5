//! What reaches outside in jq: errors, environment, clock, further inputs, modules. Little of it does here.

use super::super::library::Library;
use super::super::meter::Stop;
use super::super::throw::{Answer, Throw, error, unfit};
use super::super::value::Val;
use super::{Row, row, rows};

pub(super) const ROWS: &[Row] = &[
    row("error", 1, |_, v| Err(Throw::Error(v[1].clone()))),
    row("halt", 0, |_, _| Err(Stop::Halt.into())),
    row("halt_error", 1, |_, v| match &v[1] {
        Val::Num(_) => Err(Stop::Halt.into()),
        _ => Err(unfit(&v[0], "halt_error/1: number required")),
    }),
    // EMQX shows the environment of its process; here there is none to leak, and none that differs by machine.
    row("env", 0, |_, _| Ok(Val::members([]))),
    row("now", 0, |host, _| Ok(Val::Num(host.now))),
    // EMQX hands over one input and no callbacks.
    row("_input", 0, |_, _| Err(error("break"))),
    row("debug", 0, |_, v| Ok(v[0].clone())),
    row("stderr", 0, |_, v| Ok(v[0].clone())),
    row("input_filename", 0, |_, _| Ok(Val::Null)),
    row("input_line_number", 0, |_, _| Err(error("Unknown input line number"))),
    row("get_search_list", 0, |_, _| Ok(Val::list(Vec::new()))),
    row("get_prog_origin", 0, |_, _| Err(Throw::Empty)),
    row("get_jq_origin", 0, |_, _| Err(Throw::Empty)),
    row("modulemeta", 0, |_, v| match &v[0] {
        Val::Str(_) => Err(error("modules cannot be loaded in a rule")),
        _ => Err(error("modulemeta input module name must be a string")),
    }),
    row("builtins", 0, |_, _| builtins()),
];

fn builtins() -> Answer {
    let library = Library::shared();
    let bytecoded = [("empty", 0), ("not", 0), ("path", 1), ("range", 2)];
    let all = library.names().chain(rows().map(|row| (row.name, row.args))).chain(bytecoded);
    let public = all.filter(|(name, _)| !name.starts_with('_'));
    let mut names: Vec<String> = public.map(|(name, args)| format!("{name}/{args}")).collect();
    names.sort_unstable();
    names.dedup();
    Ok(Val::list(names.into_iter().map(Val::str).collect()))
}
