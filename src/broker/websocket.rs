//! Upgrades an HTTP request to MQTT over WebSocket, or refuses it.
//!
//! Loopback is no wall against a browser: any page may open a WebSocket to 127.0.0.1, and a name of its own may
//! point there (DNS rebinding). So the page's Origin must be a loopback page or the very host it speaks to, and on a
//! loopback listener the Host must be a loopback name.

use std::io;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Sink, Stream};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::header::{HOST, HeaderName, ORIGIN, SEC_WEBSOCKET_PROTOCOL};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::limits;

/// The only path, EMQX's `websocket.mqtt_path`.
const PATH: &str = "/mqtt";
/// EMQX's `websocket.supported_subprotocols`, and the name that MQTT 3.1 clients use.
const SUBPROTOCOLS: [&str; 5] = ["mqtt", "mqtt-v3", "mqtt-v3.1.1", "mqtt-v5", "mqttv3.1"];
/// Room for one MQTT packet and its header.
const FRAME_BYTES_MAX: usize = limits::MESSAGE_BYTES_MAX + 64 * 1024;

/// The WebSocket, or why it was refused (the client has been told).
pub(super) async fn upgrade(client: TcpStream, bind: IpAddr) -> Result<ByteStream, String> {
    let config = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(FRAME_BYTES_MAX))
        .max_frame_size(Some(FRAME_BYTES_MAX));
    let mut refusal = None;
    let check = |request: &Request, mut response: Response| -> Result<Response, ErrorResponse> {
        match admit(request, bind) {
            Ok(subprotocol) => {
                response.headers_mut().insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
                Ok(response)
            }
            Err((status, why)) => {
                refusal = Some(why.clone());
                let mut answer = ErrorResponse::new(Some(why));
                *answer.status_mut() = status;
                Err(answer)
            }
        }
    };
    let upgraded = tokio_tungstenite::accept_hdr_async_with_config(client, check, Some(config)).await;
    match upgraded {
        Ok(frames) => Ok(ByteStream { frames, rest: Bytes::new() }),
        Err(e) => Err(refusal.unwrap_or_else(|| e.to_string())),
    }
}

/// The bytes inside binary WebSocket messages, as one stream each way.
pub(super) struct ByteStream {
    frames: WebSocketStream<TcpStream>,
    /// What is left of the last message.
    rest: Bytes,
}

impl AsyncRead for ByteStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() {
            let frame = ready!(Pin::new(&mut self.frames).poll_next(context));
            match frame.transpose().map_err(io::Error::other)? {
                Some(Frame::Binary(bytes)) => self.rest = bytes,
                // Answered by the library.
                Some(Frame::Ping(_) | Frame::Pong(_)) => {}
                Some(Frame::Close(_)) | None => return Poll::Ready(Ok(())),
                Some(Frame::Text(_) | Frame::Frame(_)) => {
                    let why = "MQTT over WebSocket is sent in binary messages";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, why)));
                }
            }
        }
        let length = self.rest.len().min(into.remaining());
        into.put_slice(&self.rest.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for ByteStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.frames).poll_ready(context)).map_err(io::Error::other)?;
        let frame = Frame::Binary(Bytes::copy_from_slice(bytes));
        Pin::new(&mut self.frames).start_send(frame).map_err(io::Error::other)?;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames).poll_flush(context).map_err(io::Error::other)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.frames).poll_close(context).map_err(io::Error::other)
    }
}

/// The subprotocol to speak, or the status and sentence to refuse with.
fn admit(request: &Request, bind: IpAddr) -> Result<HeaderValue, (StatusCode, String)> {
    let host = text(request, &HOST);
    if bind.is_loopback() && !host.as_deref().is_some_and(|host| is_local_host(host_of(host), bind)) {
        let host = host.unwrap_or_default();
        return Err((StatusCode::FORBIDDEN, format!("the Host '{host}' is not this machine's")));
    }
    if let Some(origin) = text(request, &ORIGIN) {
        let from = origin.split_once("://").map(|(_, authority)| host_of(authority));
        let same = from.is_some_and(|from| {
            is_local_host(from, bind) || host.as_deref().is_some_and(|host| host_of(host) == from)
        });
        if !same {
            return Err((StatusCode::FORBIDDEN, format!("pages of '{origin}' may not connect")));
        }
    }
    if request.uri().path() != PATH {
        let path = request.uri().path();
        return Err((StatusCode::NOT_FOUND, format!("no '{path}' here; MQTT is at {PATH}")));
    }
    let offered = text(request, &SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    let known = offered.split(',').map(str::trim).find(|name| SUBPROTOCOLS.contains(name));
    let value = known.and_then(|name| HeaderValue::from_str(name).ok());
    value.ok_or_else(|| {
        (StatusCode::BAD_REQUEST, "the header Sec-WebSocket-Protocol must offer mqtt".to_owned())
    })
}

/// A header's text; one that is not text counts as one that matches nothing.
fn text(request: &Request, name: &HeaderName) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(value.to_str().unwrap_or("?").to_owned())
}

/// The host of `host:port`, `[v6]:port` or `host`.
fn host_of(authority: &str) -> &str {
    let authority = authority.split('/').next().unwrap_or_default();
    match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_local_host(host: &str, bind: IpAddr) -> bool {
    if host.eq_ignore_ascii_case("localhost") {
        return true;
    }
    let address = host.parse::<IpAddr>().or_else(|_| host.parse::<Ipv6Addr>().map(IpAddr::V6));
    address.is_ok_and(|address| address.is_loopback() || (address == bind && !bind.is_unspecified()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)], path: &str) -> Request {
        let mut request = Request::new(());
        *request.uri_mut() = path.parse().unwrap();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        request
    }

    fn status(bind: &str, path: &str, headers: &[(&str, &str)]) -> u16 {
        match admit(&request(headers, path), bind.parse().unwrap()) {
            Ok(_) => 101,
            Err((status, _)) => status.as_u16(),
        }
    }

    #[test]
    fn only_this_machines_pages_and_programs_get_in() {
        let mqtt = ("sec-websocket-protocol", "mqtt");
        type Row<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], u16);
        let rows: &[Row<'_>] = &[
            ("127.0.0.1", "/mqtt", &[("host", "127.0.0.1:8083"), mqtt], 101),
            ("127.0.0.1", "/mqtt", &[("host", "localhost:8083"), mqtt], 101),
            ("127.0.0.1", "/mqtt?x=1", &[("host", "[::1]:8083"), mqtt], 101),
            ("127.0.0.1", "/mqtt", &[("host", "localhost"), ("origin", "http://localhost:18083"), mqtt], 101),
            ("127.0.0.1", "/mqtt", &[("host", "localhost"), ("origin", "https://evil.example"), mqtt], 403),
            (
                "127.0.0.1",
                "/mqtt",
                &[("host", "localhost"), ("origin", "http://localhost.evil.example"), mqtt],
                403,
            ),
            ("127.0.0.1", "/mqtt", &[("host", "localhost"), ("origin", "null"), mqtt], 403),
            ("127.0.0.1", "/mqtt", &[("host", "rebound.example:8083"), mqtt], 403),
            ("127.0.0.1", "/mqtt", &[("host", "127.0.0.1.evil.example"), mqtt], 403),
            ("127.0.0.1", "/mqtt", &[mqtt], 403),
            ("127.0.0.1", "/", &[("host", "localhost"), mqtt], 404),
            ("127.0.0.1", "/mqtt/", &[("host", "localhost"), mqtt], 404),
            ("127.0.0.1", "/mqtt", &[("host", "localhost")], 400),
            ("127.0.0.1", "/mqtt", &[("host", "localhost"), ("sec-websocket-protocol", "chat")], 400),
            ("127.0.0.1", "/mqtt", &[("host", "localhost"), ("sec-websocket-protocol", "chat, mqtt")], 101),
            ("0.0.0.0", "/mqtt", &[("host", "gateway.example:8083"), mqtt], 101),
            ("0.0.0.0", "/mqtt", &[("host", "gw.example:8083"), ("origin", "http://gw.example"), mqtt], 101),
            (
                "0.0.0.0",
                "/mqtt",
                &[("host", "gw.example:8083"), ("origin", "http://evil.example"), mqtt],
                403,
            ),
        ];
        for (bind, path, headers, expected) in rows {
            assert_eq!(status(bind, path, headers), *expected, "{bind} {path} {headers:?}");
        }
    }
}
