//! Moves bytes between a client and the broker.
//!
//! All that the broker tells a client passes [`outward`]: an acknowledgement that must wait for the disk will wait
//! there.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::HANDSHAKE_TIMEOUT;
use super::overheard::Ear;
use super::peers::Entry;
use crate::limits;

/// Bytes moved at once.
const CHUNK: usize = 16 * 1024;
/// A client that takes not one chunk in this time is gone, or as good as.
const STALL: Duration = Duration::from_secs(10);
/// What the broker may still say after the client said goodbye.
const LINGER: Duration = Duration::from_secs(2);
/// Waits before a CONNECT is tried again. rmqtt answers "unavailable" to a client whose last connection it is just
/// clearing away, which a script that connects again and again with one client id would meet.
const AGAIN: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(160),
    Duration::from_millis(640),
];

/// A way into the broker.
pub(super) trait Inside {
    /// Opens a connection; it may be used while the entry is kept.
    async fn connect(&self) -> io::Result<(TcpStream, Entry)>;
}

/// Relays until one side ends.
pub(super) async fn relay(
    client: impl AsyncRead + AsyncWrite + Unpin,
    inside: &impl Inside,
    mut stopped: watch::Receiver<bool>,
) -> io::Result<()> {
    let (mut from_client, mut to_client) = tokio::io::split(client);
    let connect = tokio::time::timeout(HANDSHAKE_TIMEOUT, connect_packet(&mut from_client)).await??;
    let (broker, answer, entry) = introduce(inside, &connect).await?;
    send(&mut to_client, &answer).await?;
    let (mut from_broker, mut to_broker) = broker.into_split();

    // Owns the way into the broker: when it is dropped, the broker reads the end of the stream.
    let ear = Ear::new(&connect, &entry.0);
    let inward = async move { inward(&mut from_client, &mut to_broker, ear).await };
    let outward = outward(&mut from_broker, &mut to_client);
    tokio::pin!(outward);
    let inward_ended = tokio::select! {
        ended = &mut outward => return ended,
        ended = inward => ended,
        _ = stopped.wait_for(|stopped| *stopped) => Ok(()),
    };
    // The broker still answers what it has read.
    match tokio::time::timeout(LINGER, outward).await {
        Ok(ended) => inward_ended.and(ended),
        Err(_) => inward_ended,
    }
}

/// Client to broker.
async fn inward(
    client: &mut (impl AsyncRead + Unpin),
    broker: &mut (impl AsyncWrite + Unpin),
    ear: Option<Ear>,
) -> io::Result<()> {
    let Some(mut ear) = ear else {
        return tokio::io::copy(client, broker).await.map(|_| ());
    };
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = client.read(&mut chunk).await?;
        if length == 0 {
            return Ok(());
        }
        ear.hear(&chunk[..length]);
        broker.write_all(&chunk[..length]).await?;
    }
}

/// Broker to client.
async fn outward(
    broker: &mut (impl AsyncRead + Unpin),
    client: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let length = broker.read(&mut chunk).await?;
        if length == 0 {
            // The client may be gone first.
            let _ = client.shutdown().await;
            return Ok(());
        }
        send(client, &chunk[..length]).await?;
    }
}

async fn send(client: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    let sent = async {
        client.write_all(bytes).await?;
        client.flush().await
    };
    match tokio::time::timeout(STALL, sent).await {
        Ok(sent) => sent,
        Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "the client takes no more bytes")),
    }
}

/// The first packet, byte for byte; what is no CONNECT comes as far as it was read, and the broker will refuse it.
async fn connect_packet(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let mut packet = vec![client.read_u8().await?];
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        if packet[0] != 0x10 {
            return Ok(packet);
        }
        let byte = client.read_u8().await?;
        packet.push(byte);
        length |= usize::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            break;
        }
    }
    let body = packet.len();
    if length <= limits::MESSAGE_BYTES_MAX {
        packet.resize(body + length, 0);
        client.read_exact(&mut packet[body..]).await?;
    }
    Ok(packet)
}

/// Hands the broker a CONNECT; the connection that it accepted or refused, and what it said.
async fn introduce(inside: &impl Inside, connect: &[u8]) -> io::Result<(TcpStream, Vec<u8>, Entry)> {
    let mut again = false;
    for wait in AGAIN {
        let (stream, answer, entry) = try_introduce(inside, connect, again).await?;
        if !is_unavailable(&answer) {
            return Ok((stream, answer, entry));
        }
        drop((stream, entry));
        tokio::time::sleep(wait).await;
        again = true;
    }
    try_introduce(inside, connect, again).await
}

async fn try_introduce(
    inside: &impl Inside,
    connect: &[u8],
    again: bool,
) -> io::Result<(TcpStream, Vec<u8>, Entry)> {
    let (mut stream, entry) = inside.connect().await?;
    if again {
        entry.repeats();
    }
    stream.write_all(connect).await?;
    let mut answer = vec![0; CHUNK];
    let mut length = 0;
    // Packet type, length, flags, code: enough to know. A broker that ends the connection says less.
    while length < 4 {
        match stream.read(&mut answer[length..]).await? {
            0 => break,
            more => length += more,
        }
    }
    answer.truncate(length);
    Ok((stream, answer, entry))
}

/// CONNACK with "server unavailable", of MQTT 3.1.1 or 5.
fn is_unavailable(answer: &[u8]) -> bool {
    matches!(answer, [0x20, _, _, 0x03 | 0x88, ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn first_packet(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut bytes = bytes;
        connect_packet(&mut bytes).await
    }

    #[tokio::test]
    async fn the_first_packet_is_read_to_its_end_and_no_further() {
        assert_eq!(first_packet(b"\x10\x03abcdef").await.unwrap(), b"\x10\x03abc");
        let long = [b"\x10\xC8\x01".as_slice(), &[b'x'; 300]].concat();
        assert_eq!(first_packet(&long).await.unwrap(), long[..3 + 200]);
        // Neither is a CONNECT that the broker would take: it shall say so.
        assert_eq!(first_packet(b"GET / HTTP/1.1").await.unwrap(), b"G");
        assert_eq!(first_packet(b"\x10\xff\xff\xff\xff\xff").await.unwrap(), b"\x10\xff\xff\xff\xff");
        assert!(first_packet(b"\x10\x05ab").await.is_err());
        assert!(first_packet(b"").await.is_err());
    }

    /// A broker that answers each connection with the next of these CONNACKs.
    struct Scripted {
        addr: std::net::SocketAddr,
        peers: super::super::peers::Peers,
    }

    impl Scripted {
        async fn start(answers: &'static [&'static [u8]]) -> Scripted {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            tokio::spawn(async move {
                for answer in answers {
                    let (mut stream, _) = listener.accept().await.unwrap();
                    let mut connect = [0; 2];
                    stream.read_exact(&mut connect).await.unwrap();
                    stream.write_all(answer).await.unwrap();
                }
            });
            Scripted { addr, peers: Default::default() }
        }
    }

    impl Inside for Scripted {
        async fn connect(&self) -> io::Result<(TcpStream, Entry)> {
            let stream = TcpStream::connect(self.addr).await?;
            let entry = self.peers.enter(stream.local_addr()?.port(), self.addr, None);
            Ok((stream, entry))
        }
    }

    #[tokio::test]
    async fn a_busy_broker_is_asked_again_and_its_last_word_counts() {
        const BUSY: &[u8] = &[0x20, 2, 0, 3];
        const BUSY_5: &[u8] = &[0x20, 3, 0, 0x88, 0];
        const OK: &[u8] = &[0x20, 2, 0, 0];
        const REFUSED: &[u8] = &[0x20, 2, 0, 5];
        let rows: [(&[&[u8]], &[u8]); 5] = [
            (&[OK], OK),
            (&[REFUSED], REFUSED),
            (&[BUSY, BUSY_5, OK], OK),
            (&[BUSY, BUSY, BUSY, BUSY, BUSY], BUSY),
            (&[&[]], &[]),
        ];
        for (answers, expected) in rows {
            let broker = Scripted::start(answers).await;
            let (_, answer, entry) = introduce(&broker, b"\x10\0").await.unwrap();
            assert_eq!(answer, expected, "{answers:?}");
            assert_eq!(entry.0.is_again(), answers.len() > 1);
        }
    }
}
