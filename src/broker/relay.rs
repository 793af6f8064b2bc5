//! Moves bytes between a client and the broker.
//!
//! All that the broker tells a client passes [`outward`]: an acknowledgement that must wait for the disk will wait
//! there.

use std::io;
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;

/// Bytes moved at once.
const CHUNK: usize = 16 * 1024;
/// A client that takes not one chunk in this time is gone, or as good as.
const STALL: Duration = Duration::from_secs(10);
/// What the broker may still say after the client said goodbye.
const LINGER: Duration = Duration::from_secs(2);

/// Relays MQTT over TCP until one side ends.
pub(super) async fn tcp(
    client: TcpStream,
    broker: TcpStream,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_broker, mut to_broker) = broker.into_split();
    let inward = async move {
        tokio::io::copy(&mut from_client, &mut to_broker).await?;
        Ok(())
    };
    let outward = outward(&mut from_broker, Client::Tcp(&mut to_client));
    both(inward, outward, stopped).await
}

/// Relays MQTT over WebSocket until one side ends.
pub(super) async fn websocket(
    client: WebSocketStream<TcpStream>,
    broker: TcpStream,
    stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let (mut to_client, from_client) = client.split();
    let (mut from_broker, to_broker) = broker.into_split();
    let inward = inward_frames(from_client, to_broker);
    let outward = outward(&mut from_broker, Client::WebSocket(&mut to_client));
    both(inward, outward, stopped).await
}

/// Ends when the broker ends; when the client ends or all stops, the broker still answers what it has read.
///
/// `inward` owns the way into the broker: when it is dropped, the broker reads the end of the stream.
async fn both(
    inward: impl Future<Output = io::Result<()>>,
    outward: impl Future<Output = io::Result<()>>,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    tokio::pin!(outward);
    let inward_ended = tokio::select! {
        ended = &mut outward => return ended,
        ended = inward => ended,
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    };
    match tokio::time::timeout(LINGER, outward).await {
        Ok(ended) => inward_ended.and(ended),
        Err(_) => inward_ended,
    }
}

enum Client<'a> {
    Tcp(&'a mut OwnedWriteHalf),
    WebSocket(&'a mut SplitSink<WebSocketStream<TcpStream>, Frame>),
}

impl Client<'_> {
    async fn send(&mut self, chunk: &[u8]) -> io::Result<()> {
        match self {
            Client::Tcp(stream) => stream.write_all(chunk).await,
            Client::WebSocket(sink) => {
                sink.send(Frame::Binary(chunk.to_vec().into())).await.map_err(io::Error::other)
            }
        }
    }

    async fn close(&mut self) {
        // The client may be gone first.
        let _ = match self {
            Client::Tcp(stream) => stream.shutdown().await,
            Client::WebSocket(sink) => sink.close().await.map_err(io::Error::other),
        };
    }
}

/// Broker to client.
async fn outward(broker: &mut OwnedReadHalf, mut client: Client<'_>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = broker.read(&mut chunk).await?;
        if length == 0 {
            client.close().await;
            return Ok(());
        }
        match tokio::time::timeout(STALL, client.send(&chunk[..length])).await {
            Ok(sent) => sent?,
            Err(_) => return Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes no more bytes")),
        }
    }
}

/// Client to broker, out of WebSocket messages.
async fn inward_frames(
    mut client: SplitStream<WebSocketStream<TcpStream>>,
    mut broker: OwnedWriteHalf,
) -> io::Result<()> {
    while let Some(frame) = client.next().await {
        match frame.map_err(io::Error::other)? {
            Frame::Binary(bytes) => broker.write_all(&bytes).await?,
            Frame::Close(_) => break,
            // Answered by the library.
            Frame::Ping(_) | Frame::Pong(_) => {}
            Frame::Text(_) | Frame::Frame(_) => {
                let why = "MQTT over WebSocket is sent in binary messages";
                return Err(io::Error::new(io::ErrorKind::InvalidData, why));
            }
        }
    }
    Ok(())
}
