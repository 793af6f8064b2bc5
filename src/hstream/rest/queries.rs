//! `/queries`: push queries, and the statements of a shell.
//!
//! Invariant: a push query sees every record that is appended after its headers were sent, each once, in order.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::body::Fields;
use super::lines::{Step, Until, follow};
use super::reply::{self, Code};
use super::{Context, StoreError};
use crate::hstream::sql::{self, InsertBody, NumberText, Query, SqlError, Statement, Termination};
use crate::hstream::store::{self, FLAG_JSON, FLAG_RAW, Record, Start, Stored};
use crate::limits::HSTREAM_QUERIES_MAX;

/// The push queries that run.
pub(super) struct Queries {
    running: Arc<Mutex<BTreeMap<u64, Running>>>,
    next: AtomicU64,
    permits: Arc<Semaphore>,
}

struct Running {
    text: String,
    created_ms: u64,
    stop: watch::Sender<bool>,
}

impl Running {
    fn end(&self) {
        // One that nobody listens for has ended already.
        let _ = self.stop.send(true);
    }
}

impl Default for Queries {
    fn default() -> Queries {
        let permits = Arc::new(Semaphore::new(HSTREAM_QUERIES_MAX));
        Queries { running: Arc::default(), next: AtomicU64::new(1), permits }
    }
}

/// A place among the queries, given back when dropped.
struct Place {
    id: u64,
    running: Arc<Mutex<BTreeMap<u64, Running>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.running).remove(&self.id);
    }
}

fn lock(running: &Mutex<BTreeMap<u64, Running>>) -> MutexGuard<'_, BTreeMap<u64, Running>> {
    running.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queries {
    pub(super) fn permit(&self) -> Result<OwnedSemaphorePermit, String> {
        let full = |_| format!("{HSTREAM_QUERIES_MAX} queries run already: end one and try again");
        Arc::clone(&self.permits).try_acquire_owned().map_err(full)
    }

    fn enter(&self, text: &str) -> Result<(Place, watch::Receiver<bool>), String> {
        let permit = self.permit()?;
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (stop, stopped) = watch::channel(false);
        let running = Running { text: text.to_owned(), created_ms: store::now_ms(), stop };
        lock(&self.running).insert(id, running);
        Ok((Place { id, running: Arc::clone(&self.running), _permit: permit }, stopped))
    }

    pub(super) fn list(&self) -> Vec<Value> {
        let show = |(id, query): (&u64, &Running)| {
            let created = query.created_ms.to_string();
            json!({"id": id.to_string(), "status": "TASK_RUNNING", "createdTime": created, "queryText": query.text})
        };
        lock(&self.running).iter().map(show).collect()
    }

    /// Ends queries; false when one that was named does not run.
    fn terminate(&self, which: &Termination) -> bool {
        let running = lock(&self.running);
        match which {
            Termination::All => running.values().for_each(Running::end),
            Termination::Query(id) => match id.parse().ok().and_then(|id: u64| running.get(&id)) {
                Some(query) => query.end(),
                None => return false,
            },
        }
        true
    }
}

/// An error of a streaming route, before its first line.
fn stream_error(code: Code, message: &str) -> Response<Body> {
    let line = sql::row_text(&json!({"error": reply::error_body(code, message)}), NumberText::Http);
    reply::with_type(code.status(), "application/json", format!("{line}\n").into())
}

pub(super) fn push(context: &Arc<Context>, body: &[u8]) -> Response<Body> {
    let text = match Fields::read(body).and_then(|fields| fields.string("queryText", "query_text")) {
        Ok(text) => text,
        Err(why) => return reply::error(Code::InvalidArgument, &why),
    };
    let query = match sql::parse(&text) {
        Ok(Statement::Select(query)) => query,
        Ok(_) => return stream_error(Code::Internal, "inconsistent method called"),
        Err(error) => return stream_error(Code::Internal, &error.to_string()),
    };
    let reader = match context.store.reader(&query.stream, Start::Latest) {
        Ok(reader) => reader,
        Err(error) => return stream_error(Code::of(&error), &error.to_string()),
    };
    let (place, stop) = match context.queries.enter(&text) {
        Ok(entered) => entered,
        Err(why) => return stream_error(Code::ResourceExhausted, &why),
    };
    let step = move |records: Result<Vec<Stored>, StoreError>| {
        let lines = match records {
            Ok(records) => rows(&query, &records, &place),
            Err(error) => {
                let body = reply::error_body(Code::of(&error), &error.to_string());
                format!("{}\n", sql::row_text(&json!({"error": body}), NumberText::Http))
            }
        };
        Step { lines, last: false }
    };
    follow(context, "application/json", reader, Until::Ended, stop, step)
}

/// The lines that records give. Only records of flag JSON are seen; one that does not fit is passed by.
fn rows(query: &Query, records: &[Stored], place: &Place) -> String {
    let mut lines = String::new();
    for stored in records.iter().filter(|stored| stored.record.flag == FLAG_JSON) {
        match query.row(&stored.record.payload) {
            Ok(None) => {}
            Ok(Some(row)) => {
                lines.push_str(&sql::row_text(&json!({"result": {"SELECT": row}}), NumberText::Http));
                lines.push('\n');
            }
            Err(why) => tracing::debug!(query = place.id, record = %stored.id, "record passed by: {why}"),
        }
    }
    lines
}

pub(super) async fn pull(context: &Arc<Context>, body: &[u8]) -> Response<Body> {
    let text = match Fields::read(body).and_then(|fields| fields.string("stmtText", "stmt_text")) {
        Ok(text) => text,
        Err(why) => return reply::error(Code::InvalidArgument, &why),
    };
    let statement = match sql::parse(&text) {
        Ok(statement) => statement,
        Err(SqlError { text, hint }) => {
            return reply::error(Code::Internal, &SqlError { text, hint }.to_string());
        }
    };
    match execute(context, statement).await {
        Ok(rows) => reply::ok(&json!({"resultSet": rows})),
        Err((code, message)) => reply::error(code, &message),
    }
}

async fn execute(context: &Arc<Context>, statement: Statement) -> Result<Vec<Value>, (Code, String)> {
    let failed = |error: StoreError| (Code::of(&error), error.to_string());
    match statement {
        Statement::CreateStream { name, replication_factor } => {
            let info = context.blocking(move |store| store.create(&name, replication_factor)).await;
            Ok(vec![json!({"STREAM": info.map_err(failed)?.name})])
        }
        Statement::ShowStreams => {
            let names: Vec<Value> = context.store.streams().into_iter().map(|s| s.name.into()).collect();
            Ok(vec![json!({"STREAMS": names})])
        }
        Statement::ShowQueries => Ok(vec![json!({"QUERIES": context.queries.list()})]),
        Statement::DropStream { name, if_exists } => {
            match context.blocking(move |store| store.delete(&name)).await {
                Err(StoreError::Missing) if if_exists => Ok(vec![]),
                outcome => outcome.map(|()| vec![]).map_err(failed),
            }
        }
        Statement::Insert { stream, body } => {
            let (flag, payload) = match body {
                InsertBody::Json(text) => (FLAG_JSON, text),
                InsertBody::Raw(text) => (FLAG_RAW, text),
            };
            let record = Record { flag, payload: payload.into(), ..Record::default() };
            match tokio::time::timeout(context.append_timeout, context.store.append(&stream, record)).await {
                Ok(outcome) => outcome.map(|_| vec![]).map_err(failed),
                Err(_) => Err((Code::DeadlineExceeded, "context deadline exceeded".to_owned())),
            }
        }
        Statement::Terminate(which) => match context.queries.terminate(&which) {
            true => Ok(vec![]),
            false => Err((Code::Internal, NO_QUERY.to_owned())),
        },
        Statement::Select(_) => Err((Code::Internal, "inconsistent method called".to_owned())),
    }
}

const NO_QUERY: &str = "Query is already terminated or does not exist";

pub(super) fn terminate(context: &Context, body: &[u8]) -> Response<Body> {
    let asked = Fields::read(body)
        .and_then(|fields| Ok((fields.strings("queryId", "query_id")?, fields.bool("all", "all")?)));
    let (ids, all) = match asked {
        Ok(asked) => asked,
        Err(why) => return reply::error(Code::InvalidArgument, &why),
    };
    let mut ended = Vec::new();
    if all {
        context.queries.terminate(&Termination::All);
    }
    for id in ids {
        if !context.queries.terminate(&Termination::Query(id.clone())) {
            return reply::error(Code::Internal, NO_QUERY);
        }
        ended.push(id);
    }
    reply::ok(&json!({"queryId": ended}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_queries_run_at_once_and_a_place_comes_back() {
        let queries = Queries::default();
        let mut places: Vec<_> = (0..HSTREAM_QUERIES_MAX).map(|_| queries.enter("q").unwrap()).collect();
        let full = queries.enter("q").err().unwrap();
        assert_eq!(full, "128 queries run already: end one and try again");
        places.pop();
        assert_eq!(queries.list().len(), HSTREAM_QUERIES_MAX - 1);
        assert!(queries.enter("q").is_ok());
    }
}
