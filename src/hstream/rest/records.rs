//! `GET /streams/NAME/records`: our own route, for `rulemill hstream read`.
//!
//! Invariant: a line is one record; its payload is text, or `payload_base64` where the bytes are none.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Response, StatusCode};
use base64::Engine;
use serde_json::{Map, Value};
use tokio::sync::watch;

use super::lines::{Step, Until, follow};
use super::reply::{self, Code};
use super::{Context, StoreError, parameter};
use crate::hstream::store::{Start, Stored};

pub(super) fn records(context: &Arc<Context>, name: &str, query: &str) -> Response<Body> {
    let asked = || -> Result<(Start, u64, bool), String> {
        let from = parameter(query, "from").unwrap_or_else(|| "earliest".to_owned()).parse()?;
        let count = match parameter(query, "n") {
            None => u64::MAX,
            Some(n) => n.parse().map_err(|_| format!("n={n:?} is no count of records"))?,
        };
        match parameter(query, "follow").as_deref() {
            None | Some("false") => Ok((from, count, false)),
            Some("true" | "") => Ok((from, count, true)),
            Some(other) => Err(format!("follow={other:?} is neither true nor false")),
        }
    };
    let (from, mut left, following) = match asked() {
        Ok(asked) => asked,
        Err(why) => return reply::error(Code::InvalidArgument, &why),
    };
    let reader = match context.store.reader(name, from) {
        Ok(reader) => reader,
        Err(error @ StoreError::NoStream(_)) => return reply::error(Code::NotFound, &error.to_string()),
        Err(error) => return reply::store_error(&error),
    };
    let permit = match context.queries.permit() {
        Ok(permit) => permit,
        Err(why) => return reply::error(Code::ResourceExhausted, &why),
    };
    let until = if following { Until::Ended } else { Until::Stored };
    let (never, stop) = watch::channel(false);
    let step = move |records: Result<Vec<Stored>, StoreError>| {
        let _held = (&permit, &never);
        let mut lines = String::new();
        match records {
            Ok(records) => {
                for record in records.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
                    lines.push_str(&line(record));
                    left -= 1;
                }
            }
            Err(error) => {
                lines.push_str(
                    &Value::from_iter([("error", reply::error_body(Code::of(&error), &error.to_string()))])
                        .to_string(),
                );
                lines.push('\n');
            }
        }
        Step { lines, last: left == 0 }
    };
    if left == 0 {
        return reply::with_type(StatusCode::OK, LINES, Body::empty());
    }
    follow(context, LINES, reader, until, stop, step)
}

const LINES: &str = "application/x-ndjson";

fn line(stored: &Stored) -> String {
    let Stored { id, publish_time_ms, record } = stored;
    let mut line = Map::new();
    line.insert("id".to_owned(), id.to_string().into());
    line.insert("publishTime".to_owned(), (*publish_time_ms).into());
    line.insert("flag".to_owned(), record.flag.into());
    if !record.key.is_empty() {
        line.insert("key".to_owned(), record.key.as_str().into());
    }
    match std::str::from_utf8(&record.payload) {
        Ok(text) => line.insert("payload".to_owned(), text.into()),
        Err(_) => {
            let encoded = base64::engine::general_purpose::STANDARD.encode(&record.payload);
            line.insert("payload_base64".to_owned(), encoded.into())
        }
    };
    let mut text = Value::Object(line).to_string();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hstream::store::{Record, RecordId};

    #[test]
    fn a_line_shows_text_as_text_and_bytes_as_base64() {
        let id = RecordId { batch_id: 9, batch_index: 1 };
        let show = |key: &str, payload: &'static [u8]| {
            let record =
                Record { flag: 1, key: key.to_owned(), payload: payload.into(), ..Record::default() };
            line(&Stored { id, publish_time_ms: 5, record })
        };
        assert_eq!(
            show("", "é\n".as_bytes()),
            "{\"id\":\"9-1\",\"publishTime\":5,\"flag\":1,\"payload\":\"é\\n\"}\n"
        );
        assert_eq!(
            show("k", b"\xff"),
            "{\"id\":\"9-1\",\"publishTime\":5,\"flag\":1,\"key\":\"k\",\"payload_base64\":\"/w==\"}\n"
        );
    }
}
