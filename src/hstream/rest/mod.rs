//! HStreamDB's HTTP server of v0.6.1, as far as the stand-in has what is behind it.
//!
//! The routes, bodies, codes and texts are those of `hstream-http-server` and the grpc-gateway in it. Other than
//! there, on purpose:
//! - a `POST /streams/NAME` never deletes the stream (there it does, for a form's content type): 501;
//! - a stream without a name cannot be made: 400;
//! - headers of a push query's answer come as soon as it is attached, not with its first row;
//! - `GET /streams/NAME/records?from=earliest|latest|ID&n=N&follow=true` is our own: the records of a stream as
//!   lines of JSON, for `rulemill hstream read`;
//! - `POST /queries/pull` runs the statements that HStreamDB's own client sends to other routes: `CREATE STREAM`
//!   gives `[{"STREAM": name}]`, `SHOW STREAMS` `[{"STREAMS": [names]}]`, the rest nothing;
//! - requests from other hosts' pages are refused with 403, bodies above the bound with 413.
//!
//! Invariant: a `:publish` answered 200 is on the disk.

mod body;
mod gojson;
mod guard;
mod lines;
mod publish;
mod queries;
mod records;
mod reply;
mod route;
mod streams;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode};
use serde_json::json;
use tokio::sync::watch;

use super::store::{Store, StoreError};
use crate::limits::HSTREAM_BODY_BYTES_MAX;
use queries::Queries;
use reply::Code;
use route::Route;

/// What all requests share.
pub(super) struct Context {
    store: Store,
    bound: SocketAddr,
    append_timeout: Duration,
    queries: Queries,
    /// Turns true when the server drains.
    drain: watch::Receiver<bool>,
}

impl Context {
    pub(super) fn new(
        store: Store,
        bound: SocketAddr,
        append_timeout: Duration,
        drain: watch::Receiver<bool>,
    ) -> Context {
        Context { store, bound, append_timeout, queries: Queries::default(), drain }
    }

    /// Runs what waits for the disk where waiting is allowed.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.store.clone();
        let done = tokio::task::spawn_blocking(move || work(&store)).await;
        done.unwrap_or(Err(StoreError::Log(crate::log::LogError::Closed)))
    }
}

/// The service.
pub(super) fn router(context: Context) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(context))
}

async fn answer(State(context): State<Arc<Context>>, request: Request) -> Response<Body> {
    if let Some(why) = guard::refusal(context.bound, request.uri(), request.headers()) {
        return reply::error(Code::PermissionDenied, &why);
    }
    let head = request.method() == Method::HEAD;
    let route = route::route(request.method(), request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let response = match axum::body::to_bytes(request.into_body(), HSTREAM_BODY_BYTES_MAX).await {
        Ok(body) => dispatch(&context, route, &query, &body).await,
        Err(error) => {
            let why = format!("the body cannot be taken: {error} (at most {HSTREAM_BODY_BYTES_MAX} bytes)");
            reply::json(StatusCode::PAYLOAD_TOO_LARGE, &reply::error_body(Code::InvalidArgument, &why))
        }
    };
    if head { response.map(|_| Body::empty()) } else { response }
}

async fn dispatch(context: &Arc<Context>, route: Route, query: &str, body: &[u8]) -> Response<Body> {
    match route {
        Route::Publish(name) => publish::publish(context, &name, body).await,
        Route::CreateStream => streams::create(context, body).await,
        Route::ListStreams => streams::list(context),
        Route::DeleteStream(name) => streams::delete(context, name, query).await,
        Route::Records(name) => records::records(context, &name, query),
        Route::PushQuery => queries::push(context, body),
        Route::PullQuery => queries::pull(context, body).await,
        Route::ListQueries => reply::ok(&json!({"queries": context.queries.list()})),
        Route::TerminateQueries => queries::terminate(context, body),
        Route::Cluster => cluster(context),
        Route::Unimplemented => reply::error(Code::Unimplemented, "Method not implemented!"),
        Route::WrongMethod => reply::error(Code::Unimplemented, "Method Not Allowed"),
        Route::Unknown => reply::error(Code::NotFound, "Not Found"),
    }
}

/// What v0.6.1 says of itself; the one node's port is this one, for there is no gRPC of that version.
fn cluster(context: &Context) -> Response<Body> {
    let node = json!({"id": 100, "host": context.bound.ip().to_string(), "port": context.bound.port()});
    reply::ok(&json!({"protocolVersion": "0.1.0", "serverVersion": "0.6.0", "serverNodes": [node]}))
}

/// The value of a query parameter.
fn parameter(query: &str, name: &str) -> Option<String> {
    let value = query.split('&').find_map(|pair| match pair.split_once('=') {
        Some((key, value)) => (key == name).then_some(value),
        None => (pair == name).then_some(""),
    })?;
    route::percent_decode(&value.replace('+', " "))
}
