//! The `eval` op: a statement as EMQX's online tester runs it (emqx_rule_sqltester), samples filled in.

use super::{Replied, Reply, columns, compile, sql, verdict};
use crate::ctx::Ctx;
use crate::eval;
use crate::event::{self, Event};
use crate::profile::Profile;
use crate::program::Program;
use crate::topic;
use crate::value::{Map, Value};

pub(super) fn run(request: &Map, profile: Profile, ctx: &mut Ctx) -> Replied {
    let program = compile(sql(request)?, profile)?;
    let mut context = columns(request, "context")?;
    let sampled = match profile {
        Profile::V5_8 => tested_5_8(&program, &mut context)?,
        Profile::V4_3 => tested_4_3(&program, &context),
    };
    let Some(event) = sampled else { return Ok(Reply::one("nomatch", true)) };
    if event.name == "$bridges/mqtt:*" {
        // The tester has a sample for it that its own JSON encoder refuses, and answers 500.
        let reason =
            "EMQX's tester fails on its own sample of this event; name the columns in a test instead";
        return Ok(Reply::error("crash_http_500", reason));
    }
    let id = format!("{:016X}{:016X}", ctx.next_random(), ctx.next_random());
    let columns = event::samples(event, profile, ctx.now_ms(), &id).merged(&context);
    ctx.sql_tester = true;
    let answer = eval::run(&program, &columns, ctx);
    ctx.sql_tester = false;
    Ok(verdict(&program, answer))
}

/// The event that `event_type` names, when the statement is about it. `event` and `event_type` are columns in the
/// tester.
fn tested_5_8(program: &Program, context: &mut Map) -> Result<Option<&'static Event>, Reply> {
    let Some(kind) = context.get_atom(b"event_type").and_then(Value::as_text).map(str::to_owned) else {
        return Err(Reply::failure("`context.event_type` is missing; write `message_publish` for a message"));
    };
    let name_of =
        |event: &Event| event.topic.trim_start_matches("$events/").trim_start_matches("sys/").to_owned();
    let Some(event) = event::EVENTS.iter().find(|event| name_of(event) == kind) else {
        return Err(Reply::failure(&format!("unknown event_type '{kind}'")));
    };
    context.insert_column("event", Value::atom(event.name));
    let topic = match event.name {
        "message.publish" => context.get_atom(b"topic").and_then(Value::as_text).unwrap_or("").to_owned(),
        _ => event.topic.to_owned(),
    };
    let selected = program.topics().iter().any(|filter| topic::matches(topic.as_bytes(), filter.as_bytes()));
    Ok(selected.then_some(event))
}

/// One event topic in FROM, and 4.3 asks no more.
fn tested_4_3(program: &Program, context: &Map) -> Option<&'static Event> {
    let topic = context.get_atom(b"topic").and_then(Value::as_text).unwrap_or("");
    let has_event = program.topics().iter().any(|filter| filter.starts_with("$events/"));
    let selected = program.topics().iter().any(|filter| topic::matches(topic.as_bytes(), filter.as_bytes()));
    if !has_event && !selected {
        return None;
    }
    let first = program.topics().first()?;
    event::by_topic(first, Profile::V4_3).or_else(|| event::by_name("message.publish"))
}
