//! Answers that go on: lines of JSON, sent as they come, until the client goes, the server drains or all is sent.
//!
//! Invariant: a client that does not read holds up its own reading only, and no more than some chunks wait for it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{Response, StatusCode};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;

use super::{Context, reply};
use crate::hstream::store::{Reader, StoreError, Stored};
use crate::limits::HSTREAM_CHUNKS_MAX;

/// What becomes of some records on their way to the client.
pub(super) struct Step {
    /// Lines to send.
    pub(super) lines: String,
    /// Whether these were the last.
    pub(super) last: bool,
}

/// When such an answer ends by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// At the end of what is stored now.
    Stored,
    /// When the stream ends.
    Ended,
}

/// An answer that sends what `step` makes of the records of a reader. `stop` ends it from elsewhere.
pub(super) fn follow(
    context: &Arc<Context>,
    content_type: &'static str,
    mut reader: Reader,
    until: Until,
    mut stop: watch::Receiver<bool>,
    mut step: impl FnMut(Result<Vec<Stored>, StoreError>) -> Step + Send + 'static,
) -> Response<Body> {
    let (send, receive) = mpsc::channel::<Result<Bytes, Infallible>>(HSTREAM_CHUNKS_MAX);
    let mut drain = context.drain.clone();
    tokio::spawn(async move {
        loop {
            let records = tokio::select! {
                () = send.closed() => return,
                _ = drain.wait_for(|on| *on) => return,
                _ = stop.wait_for(|on| *on) => return,
                records = next(&mut reader, until) => records,
            };
            let Some(records) = records.transpose() else { return };
            let failed = records.is_err();
            let Step { lines, last } = step(records);
            if !lines.is_empty() {
                // A client that does not read must not hold up the server's end.
                let place = tokio::select! {
                    place = send.reserve() => place,
                    _ = drain.wait_for(|on| *on) => return,
                };
                let Ok(place) = place else { return };
                place.send(Ok(lines.into()));
            }
            if last || failed {
                return;
            }
        }
    });
    reply::with_type(StatusCode::OK, content_type, Body::from_stream(ReceiverStream::new(receive)))
}

async fn next(reader: &mut Reader, until: Until) -> Result<Option<Vec<Stored>>, StoreError> {
    match until {
        Until::Ended => reader.next().await,
        Until::Stored => Ok(Some(reader.read().await?).filter(|records| !records.is_empty())),
    }
}
