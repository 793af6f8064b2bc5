//! HStreamDB's REST interface of v0.6.1 to v0.8: `POST /streams/NAME:publish`.
//!
//! A record counts as delivered only when the answer holds its record id.
//!
//! EMQX's own hstreamdb action sends raw bytes over gRPC. Over REST a record that is a JSON object gets the flag 0
//! (JSON), so that SQL on streams sees it, and any other the flag 1 (raw).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{StatusCode, Url};
use serde_json::{Value as Json, json};

use super::http::{body, excerpt, reason};
use super::{Attempt, Job, Sink, unexpected};
use crate::delivery::mask;
use crate::limits;
use crate::rule::Request;
use crate::rule::retry::{self, Answer};
use crate::value::{Bytes, Value, decode};

/// HStreamDB behind one connector.
pub struct Hstreamdb {
    client: reqwest::Client,
    base: Url,
}

impl Hstreamdb {
    /// A sink that speaks REST to this URL.
    pub fn new(client: reqwest::Client, url: &str) -> Result<Hstreamdb, String> {
        let base = Url::parse(url).map_err(|e| format!("URL '{}': {e}", mask::url(url)))?;
        if base.cannot_be_a_base() {
            return Err(format!("URL '{}' has no host", mask::url(url)));
        }
        Ok(Hstreamdb { client, base })
    }

    fn publish_url(&self, stream: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("streams").push(&format!("{stream}:publish"));
        }
        url
    }
}

#[async_trait]
impl Sink for Hstreamdb {
    async fn attempt(&self, job: &Job, time: Duration) -> Attempt {
        let Request::Hstreamdb { stream, partition_key, record, .. } = &job.request else {
            return unexpected(&job.request);
        };
        let json = match encode(partition_key, record) {
            Ok(json) => json,
            Err(why) => return Attempt::Failed(why),
        };
        let url = self.publish_url(stream);
        let shown = url.to_string();
        let request =
            self.client.post(url).header("content-type", "application/json").body(json).timeout(time);
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                judge(stream, status, &body(response).await)
            }
            Err(e) => Attempt::Retry(reason(&e, &shown)),
        }
    }
}

/// The request's body, or why the record cannot be one.
fn encode(partition_key: &str, record: &Bytes) -> Result<String, String> {
    if record.len() > limits::RECORD_BYTES_MAX {
        return Err(format!("the record has {} bytes, more than {}", record.len(), limits::RECORD_BYTES_MAX));
    }
    let text = std::str::from_utf8(record).map_err(|e| {
        format!("the record is no UTF-8 text from byte {} on, and REST carries only text", e.valid_up_to())
    })?;
    let object = text.trim_start().starts_with('{') && matches!(decode::decode(record), Ok(Value::Map(_)));
    let mut json = json!({ "payload": text, "flag": if object { 0 } else { 1 } });
    if !partition_key.is_empty() {
        // Known from v0.7 on, and ignored before.
        json["key"] = partition_key.into();
    }
    Ok(json.to_string())
}

fn judge(stream: &str, status: StatusCode, answer: &[u8]) -> Attempt {
    let text = String::from_utf8_lossy(answer);
    let shown = excerpt(answer);
    let id = record_id(answer);
    let kind = retry::hstreamdb(status.as_u16(), &text, id.is_some());
    let why = match status {
        _ if status.is_success() => format!("HTTP {status} without a record id: {shown}"),
        StatusCode::NOT_FOUND | StatusCode::NOT_IMPLEMENTED | StatusCode::METHOD_NOT_ALLOWED => {
            format!("HTTP {status}: {shown}; does HStreamDB v0.6.1 to v0.8 answer there?")
        }
        _ if !status.is_server_error() && text.contains("code = Internal") => {
            format!("HTTP {status}: {shown}; is there a stream '{stream}'?")
        }
        _ => format!("HTTP {status}: {shown}"),
    };
    match (kind, id) {
        (Answer::Delivered, Some(id)) => Attempt::Delivered(format!("record {id}")),
        (Answer::Never, _) => Attempt::Failed(why),
        _ => Attempt::Retry(why),
    }
}

/// `batchId-batchIndex` of the first record id.
fn record_id(answer: &[u8]) -> Option<String> {
    let answer: Json = serde_json::from_slice(answer).ok()?;
    let id = answer.get("recordIds")?.get(0)?;
    let batch = match id.get("batchId")? {
        Json::String(text) => text.clone(),
        Json::Number(number) => number.to_string(),
        _ => return None,
    };
    let index = id.get("batchIndex").and_then(Json::as_u64).unwrap_or(0);
    Some(format!("{batch}-{index}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_objects_get_the_json_flag() {
        let encoded =
            |key: &str, record: &str| encode(key, &Bytes::copy_from_slice(record.as_bytes())).unwrap();
        assert_eq!(encoded("", r#"{"a":"ü"}"#), r#"{"payload":"{\"a\":\"ü\"}","flag":0}"#);
        assert_eq!(encoded("", "[1]"), r#"{"payload":"[1]","flag":1}"#);
        assert_eq!(encoded("", "{no json"), r#"{"payload":"{no json","flag":1}"#);
        assert_eq!(encoded("k", "{}"), r#"{"payload":"{}","flag":0,"key":"k"}"#);
        let binary = encode("", &Bytes::from_static(b"ab\xff")).unwrap_err();
        assert_eq!(binary, "the record is no UTF-8 text from byte 2 on, and REST carries only text");
        let sized = |size| encode("", &Bytes::from(vec![b'x'; size]));
        assert!(sized(limits::RECORD_BYTES_MAX).is_ok());
        assert!(sized(limits::RECORD_BYTES_MAX + 1).is_err());
    }

    #[test]
    fn answers_are_judged_by_their_text() {
        use Attempt::{Delivered, Failed, Retry};
        let stored = r#"{"streamName":"s","recordIds":[{"batchId":"8589934593","batchIndex":2}]}"#;
        let kind =
            |status: u16, text: &str| judge("s", StatusCode::from_u16(status).unwrap(), text.as_bytes());
        assert_eq!(kind(200, stored), Delivered("record 8589934593-2".to_owned()));
        for (status, text) in [
            (200, "{}"),
            (200, "ok"),
            (400, "rpc error: code = Unavailable desc = connection error"),
            (400, "rpc error: code = DeadlineExceeded desc = context deadline exceeded"),
            (400, "rpc error: code = Internal desc = NOTFOUND"),
            (500, "rpc error: code = Internal desc = x"),
            (503, ""),
            (429, ""),
        ] {
            assert!(matches!(kind(status, text), Retry(_)), "{status} {text}");
        }
        for (status, text) in [
            (400, "Bad Request Error: Invalid append payload.\nEOF"),
            (400, "rpc error: code = InvalidArgument desc = x"),
            (404, "{}"),
            (501, "{}"),
            (301, ""),
        ] {
            assert!(matches!(kind(status, text), Failed(_)), "{status} {text}");
        }
    }

    #[test]
    fn stream_names_are_one_path_segment() {
        let client = super::super::http::client(Duration::from_secs(1)).unwrap();
        let sink = Hstreamdb::new(client, "http://h:6580/").unwrap();
        assert_eq!(sink.publish_url("a b/c").as_str(), "http://h:6580/streams/a%20b%2Fc:publish");
    }
}
