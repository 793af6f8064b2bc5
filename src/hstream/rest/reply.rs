//! Answers in the forms of HStreamDB's HTTP server.
//!
//! Generated routes answer errors as `{"code", "message", "details"}` with the HTTP status of the gRPC code;
//! `:publish` answers them as text, all with 400 (`hstream-http-server/src/append.go`).
//!
//! Invariant: no answer has CORS headers, so that no page of another origin can read one.

use axum::body::Body;
use axum::http::{Response, StatusCode, header};
use serde_json::{Value, json};

use crate::hstream::store::StoreError;

/// gRPC codes in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    InvalidArgument = 3,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
}

impl Code {
    /// The table of `runtime/errors.go` of grpc-gateway.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Code::InvalidArgument => StatusCode::BAD_REQUEST,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::PermissionDenied => StatusCode::FORBIDDEN,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Its name in texts such as `rpc error: code = Internal desc = …`.
    fn name(self) -> String {
        format!("{self:?}")
    }

    /// What a failure of the store is. v0.6.1 has INTERNAL for nearly everything.
    pub(super) fn of(error: &StoreError) -> Code {
        match error {
            StoreError::Name(..) | StoreError::RecordSize(_) | StoreError::BatchCount { .. } => {
                Code::InvalidArgument
            }
            StoreError::TooMany { .. } => Code::ResourceExhausted,
            StoreError::Log(crate::log::LogError::Full { .. }) => Code::ResourceExhausted,
            StoreError::Log(crate::log::LogError::Closed) => Code::Unavailable,
            StoreError::Exists
            | StoreError::Missing
            | StoreError::NoStream(_)
            | StoreError::Newer(_)
            | StoreError::Log(_) => Code::Internal,
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    with_type(status, "application/json", body.to_string().into())
}

pub(super) fn ok(body: &Value) -> Response<Body> {
    json(StatusCode::OK, body)
}

/// An error of a generated route.
pub(super) fn error(code: Code, message: &str) -> Response<Body> {
    json(code.status(), &error_body(code, message))
}

pub(super) fn error_body(code: Code, message: &str) -> Value {
    json!({"code": code as u8, "message": message, "details": []})
}

pub(super) fn store_error(failure: &StoreError) -> Response<Body> {
    error(Code::of(failure), &failure.to_string())
}

/// An error of `:publish`: plain text, and 400 whatever it is.
pub(super) fn publish_error(text: String) -> Response<Body> {
    with_type(StatusCode::BAD_REQUEST, "text/plain; charset=utf-8", text.into())
}

/// An error of `:publish` that came from behind the gateway.
pub(super) fn publish_rpc_error(code: Code, message: &str) -> Response<Body> {
    publish_error(format!("rpc error: code = {} desc = {message}", code.name()))
}

pub(super) fn with_type(status: StatusCode, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    response
}
