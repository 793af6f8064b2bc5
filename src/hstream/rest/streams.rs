//! `/streams`: create, list, delete.
//!
//! Invariant: what is answered 200 is durable.

use axum::body::Body;
use axum::http::Response;
use serde_json::{Value, json};

use super::body::Fields;
use super::reply::{self, Code};
use super::{Context, StoreError, parameter};
use crate::hstream::store::StreamInfo;

pub(super) async fn create(context: &Context, body: &[u8]) -> Response<Body> {
    let asked = Fields::read(body).and_then(|fields| {
        let name = fields.string("streamName", "stream_name")?;
        Ok((name, fields.uint32("replicationFactor", "replication_factor")?))
    });
    let (name, factor) = match asked {
        Ok(asked) => asked,
        Err(why) => return reply::error(Code::InvalidArgument, &why),
    };
    match context.blocking(move |store| store.create(&name, factor)).await {
        Ok(info) => reply::ok(&stream(&info)),
        Err(error) => reply::store_error(&error),
    }
}

pub(super) fn list(context: &Context) -> Response<Body> {
    let streams: Vec<Value> = context.store.streams().iter().map(stream).collect();
    reply::ok(&json!({"streams": streams}))
}

pub(super) async fn delete(context: &Context, name: String, query: &str) -> Response<Body> {
    let ignore = ["ignoreNonExist", "ignore_non_exist"].iter().find_map(|key| parameter(query, key));
    let ignore = match ignore.as_deref() {
        None | Some("false" | "0" | "f" | "F" | "FALSE" | "False") => false,
        Some("true" | "1" | "t" | "T" | "TRUE" | "True") => true,
        Some(other) => {
            let why = format!(
                "parsing field \"ignoreNonExist\": strconv.ParseBool: parsing {other:?}: invalid syntax"
            );
            return reply::error(Code::InvalidArgument, &why);
        }
    };
    match context.blocking(move |store| store.delete(&name)).await {
        Ok(()) => reply::ok(&json!({})),
        Err(StoreError::Missing) if ignore => reply::ok(&json!({})),
        Err(error) => reply::store_error(&error),
    }
}

fn stream(info: &StreamInfo) -> Value {
    json!({"streamName": info.name, "replicationFactor": info.replication_factor})
}
