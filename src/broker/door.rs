//! Accepts clients, over TCP or WebSocket, and relays each to the broker.
//!
//! Invariant: `stop` ends every connection that the door let in before it returns.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::peers::{Entry, Peers};
use super::relay::{self, Inside};
use super::{HANDSHAKE_TIMEOUT, websocket};
use crate::limits;

/// How a client speaks to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    /// MQTT packets on the stream itself.
    Tcp,
    /// MQTT packets in binary WebSocket messages.
    WebSocket,
}

/// Accepts on all listeners.
pub(super) struct Door {
    broker: SocketAddr,
    peers: Arc<Peers>,
    /// The address that the listeners are bound to: on loopback, a WebSocket's Host is checked.
    bind: IpAddr,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
}

impl Door {
    /// A door to the broker that listens at `broker`.
    pub(super) fn new(
        broker: SocketAddr,
        peers: Arc<Peers>,
        bind: IpAddr,
        stopped: watch::Receiver<bool>,
    ) -> Door {
        let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
        Door { broker, peers, bind, places, stopped }
    }

    /// Accepts until the broker stops, then waits until all its clients are gone.
    pub(super) async fn accept(self: Arc<Door>, listener: TcpListener, transport: Transport) {
        let mut clients = JoinSet::new();
        let mut stopped = self.stopped.clone();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = clients.join_next() => continue,
                _ = stopped.wait_for(|stopped| *stopped) => break,
            };
            match accepted {
                Ok((client, addr)) => {
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                        tracing::warn!(
                            "refused a connection from {addr}: {} are open, the most at once",
                            limits::CONNECTIONS_MAX
                        );
                        continue;
                    };
                    let door = Arc::clone(&self);
                    clients.spawn(async move {
                        door.serve(client, addr, transport).await;
                        drop(place);
                    });
                }
                Err(e) => {
                    // Out of file descriptors, or the client was gone already; accepting at once would spin.
                    tracing::warn!("cannot accept a connection: {e}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
        drop(listener);
        while clients.join_next().await.is_some() {}
    }

    async fn serve(&self, client: TcpStream, addr: SocketAddr, transport: Transport) {
        // Without it small packets wait for each other; failing costs only time.
        let _ = client.set_nodelay(true);
        let inside = Caller { door: self, addr, local: client.local_addr().ok() };
        let stopped = self.stopped.clone();
        let result = match transport {
            Transport::Tcp => relay::relay(client, &inside, stopped).await,
            Transport::WebSocket => {
                let upgrade = websocket::upgrade(client, self.bind);
                match tokio::time::timeout(HANDSHAKE_TIMEOUT, upgrade).await {
                    Ok(Ok(client)) => relay::relay(client, &inside, stopped).await,
                    Ok(Err(refused)) => {
                        tracing::warn!("refused a WebSocket from {addr}: {refused}");
                        return;
                    }
                    Err(_) => return,
                }
            }
        };
        if let Err(e) = result {
            tracing::debug!("connection from {addr} ended: {e}");
        }
    }
}

/// One client's way into the broker.
struct Caller<'a> {
    door: &'a Door,
    addr: SocketAddr,
    local: Option<SocketAddr>,
}

impl Inside for Caller<'_> {
    /// From a port that is known to be ours before the broker sees it.
    async fn connect(&self) -> std::io::Result<(TcpStream, Entry)> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let entry = self.door.peers.enter(socket.local_addr()?.port(), self.addr, self.local);
        let stream = socket.connect(self.door.broker).await?;
        stream.set_nodelay(true)?;
        Ok((stream, entry))
    }
}
