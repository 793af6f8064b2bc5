//! The `http` action, answering as EMQX 5.8's does: 2xx is success, 429, 503 and connection errors are retried, all
//! else fails for good (emqx_bridge_http_connector:transform_result/1).

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, Response, Url};

use super::{Attempt, Job, Sink, unexpected};
use crate::delivery::mask;
use crate::limits;
use crate::rule::Request;
use crate::rule::retry::{self, Answer};

/// Characters of an answer that a log line shows.
const EXCERPT_CHARS: usize = 200;

/// An HTTP client for one connector.
pub struct Http {
    client: reqwest::Client,
    moved: Option<Moved>,
}

/// A server that is somewhere else than the connector's URL says: the embedded stand-in, at the port it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// `http://127.0.0.1:6580`.
    pub from: String,
    /// `http://127.0.0.1:40123`.
    pub to: String,
}

impl Moved {
    /// The URL to really speak to.
    pub fn apply(&self, url: &str) -> String {
        match url.strip_prefix(&self.from) {
            Some(rest) if rest.is_empty() || rest.starts_with(['/', '?']) => format!("{}{rest}", self.to),
            _ => url.to_owned(),
        }
    }
}

/// A client that behaves as EMQX's: HTTP/1.1, no redirects, no proxy out of the environment.
pub fn client(connect_timeout: Duration) -> Result<reqwest::Client, String> {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        .redirect(Policy::none())
        .no_proxy()
        .http1_only()
        .pool_max_idle_per_host(limits::LANES)
        .build()
        .map_err(|e| format!("no HTTP client: {e}"))
}

impl Http {
    /// A sink over this client.
    pub fn new(client: reqwest::Client, moved: Option<Moved>) -> Http {
        Http { client, moved }
    }
}

#[async_trait]
impl Sink for Http {
    async fn attempt(&self, job: &Job, time: Duration) -> Attempt {
        let Request::Http { method, url, headers, body, .. } = &job.request else {
            return unexpected(&job.request);
        };
        let url = self.moved.as_ref().map_or_else(|| url.clone(), |moved| moved.apply(url));
        let built = (|| {
            let method =
                Method::from_bytes(method.as_bytes()).map_err(|e| format!("method '{method}': {e}"))?;
            let target = Url::parse(&url).map_err(|e| format!("URL '{}': {e}", mask::url(&url)))?;
            Ok((method, target, header_map(headers)?))
        })();
        let (method, target, headers) = match built {
            Ok(parts) => parts,
            Err(why) => return Attempt::Failed(why),
        };
        let request = self.client.request(method, target).headers(headers).timeout(time);
        let request = match body {
            Some(body) => request.body(body.clone()),
            None => request,
        };
        match request.send().await {
            Ok(response) => judge(response).await,
            Err(e) => Attempt::Retry(reason(&e, &url)),
        }
    }
}

fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, String> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        let header = HeaderName::from_bytes(name.as_bytes());
        let header = header.map_err(|_| format!("'{name}' cannot be the name of a header"))?;
        // The value stays out of the message: it may be a secret.
        let value = HeaderValue::from_bytes(value.as_bytes());
        let value =
            value.map_err(|_| format!("the value of the header '{name}' has a character it may not"))?;
        map.append(header, value);
    }
    Ok(map)
}

async fn judge(response: Response) -> Attempt {
    let status = response.status();
    let answer = retry::http(status.as_u16());
    if answer == Answer::Delivered {
        // Read to the end, so that the connection can serve the next request.
        let _ = body(response).await;
        return Attempt::Delivered(format!("HTTP {}", status.as_u16()));
    }
    let why = match excerpt(&body(response).await) {
        text if text.is_empty() => format!("HTTP {status}"),
        text => format!("HTTP {status}: {text}"),
    };
    if answer == Answer::Later { Attempt::Retry(why) } else { Attempt::Failed(why) }
}

/// The body's start.
pub(super) async fn body(mut response: Response) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > limits::HTTP_ANSWER_BYTES_MAX {
            bytes.truncate(limits::HTTP_ANSWER_BYTES_MAX);
            break;
        }
    }
    bytes
}

/// An answer in a log line.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let mut shown: String =
        text.trim().chars().take(EXCERPT_CHARS).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.trim().chars().nth(EXCERPT_CHARS).is_some() {
        shown.push('…');
    }
    shown
}

/// Why a request got no answer.
pub(super) fn reason(error: &reqwest::Error, url: &str) -> String {
    let url = mask::url(url);
    if error.is_timeout() {
        return format!("no answer from {url} in time");
    }
    // The innermost cause says it: "connection refused".
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    format!("no connection to {url}: {cause}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_stand_ins_own_url_is_moved() {
        let moved = Moved { from: "http://127.0.0.1:6580".into(), to: "http://127.0.0.1:4000".into() };
        for (url, expected) in [
            ("http://127.0.0.1:6580/streams/s:publish", "http://127.0.0.1:4000/streams/s:publish"),
            ("http://127.0.0.1:6580", "http://127.0.0.1:4000"),
            ("http://127.0.0.1:65801/x", "http://127.0.0.1:65801/x"),
            ("http://other/x", "http://other/x"),
        ] {
            assert_eq!(moved.apply(url), expected);
        }
    }

    #[test]
    fn bad_headers_are_named_without_their_value() {
        let error = header_map(&[("x-token".into(), "a\nb".into())]).unwrap_err();
        assert_eq!(error, "the value of the header 'x-token' has a character it may not");
        assert_eq!(
            header_map(&[("a b".into(), "1".into())]).unwrap_err(),
            "'a b' cannot be the name of a header"
        );
    }

    #[test]
    fn answers_are_shown_in_one_short_line() {
        assert_eq!(excerpt(b" bad\r\nrequest \n"), "bad  request");
        assert_eq!(excerpt("ü".repeat(300).as_bytes()).chars().count(), EXCERPT_CHARS + 1);
    }
}
