//! A client of HStreamDB's HTTP server.
//!
//! Invariant: only the routes of v0.6.1 are used, but for reading back records, which it has none for.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Exit, Failure};
use crate::limits::HSTREAM_LINE_BYTES_MAX;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For answers that come at once. Those that go on, line by line, have no end to wait for.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A server to ask.
pub(super) struct Client {
    base: String,
    address: String,
    http: reqwest::Client,
}

/// What went wrong with a request.
#[derive(Debug)]
pub(super) enum Trouble {
    /// No answer came.
    Unreachable(String),
    /// The server answered with an error.
    Refused(String),
}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Unreachable(message) => Failure { exit: Exit::Usage, message },
            Trouble::Refused(message) => Failure::failed(message),
        }
    }
}

impl Client {
    pub(super) fn new(target: &super::TargetArgs) -> Result<Client, Failure> {
        let host = &target.host;
        let host =
            if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.clone() };
        let address = format!("{host}:{}", target.port);
        let http = reqwest::Client::builder().no_proxy().connect_timeout(CONNECT_TIMEOUT).build();
        let http = http.map_err(|error| Failure::failed(format!("cannot make an HTTP client: {error}")))?;
        Ok(Client { base: format!("http://{address}"), address, http })
    }

    /// Asks for anything, to know that the server is there.
    pub(super) async fn check(&self) -> Result<(), Trouble> {
        self.answer(self.http.get(self.url("/clusters"))).await.map(drop)
    }

    pub(super) async fn create(&self, name: &str, replication_factor: u32) -> Result<String, Trouble> {
        let body = json!({"streamName": name, "replicationFactor": replication_factor});
        let answer = self.json(self.http.post(self.url("/streams")).json(&body)).await?;
        Ok(answer["streamName"].as_str().unwrap_or(name).to_owned())
    }

    pub(super) async fn streams(&self) -> Result<Vec<String>, Trouble> {
        let answer = self.json(self.http.get(self.url("/streams"))).await?;
        let streams = answer["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
        Ok(streams.iter().filter_map(|s| s["streamName"].as_str().map(str::to_owned)).collect())
    }

    pub(super) async fn delete(&self, name: &str, if_exists: bool) -> Result<(), Trouble> {
        let query = if if_exists { "?ignoreNonExist=true" } else { "" };
        let url = self.url(&format!("/streams/{}{query}", escaped(name)));
        self.answer(self.http.delete(url)).await.map(drop)
    }

    pub(super) async fn publish(&self, name: &str, flag: i32, payload: &str) -> Result<(), Trouble> {
        let url = self.url(&format!("/streams/{}:publish", escaped(name)));
        self.answer(self.http.post(url).json(&json!({"payload": payload, "flag": flag}))).await.map(drop)
    }

    pub(super) async fn queries(&self) -> Result<Vec<Value>, Trouble> {
        let answer = self.json(self.http.get(self.url("/queries"))).await?;
        Ok(answer["queries"].as_array().cloned().unwrap_or_default())
    }

    pub(super) async fn terminate(&self, body: &Value) -> Result<(), Trouble> {
        self.answer(self.http.post(self.url("/queries/terminate")).json(body)).await.map(drop)
    }

    /// A push query, once it is attached.
    pub(super) async fn push(&self, text: &str) -> Result<Lines, Trouble> {
        let request = self.http.post(self.url("/queries/push")).json(&json!({"queryText": text}));
        Ok(self.lines(self.respond(request).await?))
    }

    /// Records of a stream as lines.
    pub(super) async fn records(&self, name: &str, query: &str) -> Result<Lines, Trouble> {
        let request = self.http.get(self.url(&format!("/streams/{}/records?{query}", escaped(name))));
        Ok(self.lines(self.respond(request).await?))
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn lines(&self, response: reqwest::Response) -> Lines {
        Lines { response, address: self.address.clone(), buffer: Vec::new(), searched: 0 }
    }

    async fn json(&self, request: reqwest::RequestBuilder) -> Result<Value, Trouble> {
        let text = self.answer(request).await?.text().await.map_err(|e| self.unreachable(&e))?;
        let what = |error| Trouble::Refused(format!("{} answered what is no JSON: {error}", self.address));
        serde_json::from_str(&text).map_err(what)
    }

    async fn answer(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Trouble> {
        self.respond(request.timeout(ANSWER_TIMEOUT)).await
    }

    async fn respond(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Trouble> {
        let response = request.send().await.map_err(|e| self.unreachable(&e))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        let message = message_of(&text);
        Err(Trouble::Refused(if message.is_empty() {
            format!("{} answered {status}", self.address)
        } else {
            message
        }))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Trouble {
        Trouble::Unreachable(unreachable(&self.address, error))
    }
}

/// HStreamDB's client has the first two sentences, whatever the reason; the address and the reason are ours.
fn unreachable(address: &str, error: &reqwest::Error) -> String {
    let mut reason: &dyn std::error::Error = error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    format!("Connection timed out. Please check the server URI and try again. (http://{address}: {reason})")
}

/// The message in an error body: JSON of a route, JSON line of a streaming route, or text of `:publish`.
pub(super) fn message_of(body: &str) -> String {
    let parsed: Option<Value> = serde_json::from_str(body).ok();
    let message =
        parsed.as_ref().and_then(|v| v["message"].as_str().or_else(|| v["error"]["message"].as_str()));
    let text = message.unwrap_or(body.trim());
    match text.strip_prefix("rpc error: code = ").and_then(|rest| rest.split_once(" desc = ")) {
        Some((_, description)) => description.to_owned(),
        None => text.to_owned(),
    }
}

/// A name as one part of a path.
fn escaped(name: &str) -> String {
    let mut out = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// Lines of an answer as they come.
pub(super) struct Lines {
    response: reqwest::Response,
    address: String,
    buffer: Vec<u8>,
    searched: usize,
}

impl Lines {
    /// The next line; nothing when the server has ended the answer.
    pub(super) async fn next(&mut self) -> Result<Option<String>, Failure> {
        loop {
            if let Some(at) = self.buffer[self.searched..].iter().position(|b| *b == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                self.searched = 0;
                return Ok(Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()));
            }
            self.searched = self.buffer.len();
            if self.searched > HSTREAM_LINE_BYTES_MAX {
                let what =
                    format!("{} sends a line of more than {HSTREAM_LINE_BYTES_MAX} bytes", self.address);
                return Err(Failure::failed(what));
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => self.buffer.extend_from_slice(&chunk),
                Ok(None) => return Ok(None),
                Err(error) => return Err(Failure::failed(unreachable(&self.address, &error))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_in_every_kind_of_error_body() {
        let cases = [
            (r#"{"code":13,"message":"Stream already exists","details":[]}"#, "Stream already exists"),
            (r#"{"error":{"code":13,"message":"Parse"}}"#, "Parse"),
            ("rpc error: code = Internal desc = no such stream", "no such stream"),
            (
                "Bad Request Error: Invalid append payload.\nEOF\n",
                "Bad Request Error: Invalid append payload.\nEOF",
            ),
        ];
        for (body, message) in cases {
            assert_eq!(message_of(body), message);
        }
        assert_eq!(escaped("a/b é:c-d"), "a%2Fb%20%C3%A9%3Ac-d");
    }
}
