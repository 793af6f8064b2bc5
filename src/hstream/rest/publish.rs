//! `POST /streams/NAME:publish`: one record, durable before it is answered.
//!
//! Invariant: exactly one record a request that is answered 200, and none for one whose body is refused.

use axum::body::Body;
use axum::http::Response;
use serde_json::json;

use super::body::publish_body;
use super::reply::{self, Code};
use super::{Context, StoreError};
use crate::hstream::store::Record;

pub(super) async fn publish(context: &Context, name: &str, body: &[u8]) -> Response<Body> {
    let body = match publish_body(body) {
        Ok(body) => body,
        Err(why) => {
            return reply::publish_error(format!("Bad Request Error: Invalid append payload.\n{why}"));
        }
    };
    let record = Record { flag: body.flag, payload: body.payload.into(), ..Record::default() };
    match tokio::time::timeout(context.append_timeout, context.store.append(name, record)).await {
        Ok(Ok(id)) => {
            // 64-bit integers are strings in protojson.
            let id = json!({"batchId": id.batch_id.to_string(), "batchIndex": id.batch_index});
            reply::ok(&json!({"streamName": name, "recordIds": [id]}))
        }
        Ok(Err(error)) => publish_failure(&error),
        Err(_) => reply::publish_rpc_error(Code::DeadlineExceeded, "context deadline exceeded"),
    }
}

fn publish_failure(error: &StoreError) -> Response<Body> {
    reply::publish_rpc_error(Code::of(error), &error.to_string())
}
