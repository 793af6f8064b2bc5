//! Which client stands behind which connection of the broker.
//!
//! Invariant: a port is `open` only while the door holds it, so nobody else can come from it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use super::overheard::Store;

/// A client, as the door saw it.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its address.
    pub(super) addr: SocketAddr,
    /// The address that it connected to.
    pub(super) local: Option<SocketAddr>,
    /// What it said and rmqtt does not pass on, where events ask for it.
    pub(super) overheard: Store,
    open: AtomicBool,
    again: AtomicBool,
}

impl Peer {
    /// Has the broker seen this very CONNECT before?
    pub(super) fn is_again(&self) -> bool {
        self.again.load(Ordering::Acquire)
    }
}

/// Clients by the loopback port from which the door speaks for them. Entries outlive their connection, since a last
/// will comes after its end; a reused port replaces them, so there are never more than there are ports.
#[derive(Debug, Default)]
pub(super) struct Peers {
    by_port: RwLock<HashMap<u16, Arc<Peer>>>,
    overhear: bool,
}

impl Peers {
    /// Nobody yet; `overhear` says that events ask for what rmqtt does not pass on.
    pub(super) fn new(overhear: bool) -> Peers {
        Peers { by_port: RwLock::default(), overhear }
    }

    /// Notes that the door speaks for `addr` from `port`, until the guard goes.
    pub(super) fn enter(&self, port: u16, addr: SocketAddr, local: Option<SocketAddr>) -> Entry {
        let overheard = self.overhear.then(Mutex::default);
        let peer =
            Arc::new(Peer { addr, local, overheard, open: AtomicBool::new(true), again: false.into() });
        let mut by_port = self.by_port.write().unwrap_or_else(PoisonError::into_inner);
        by_port.insert(port, Arc::clone(&peer));
        Entry(peer)
    }

    /// The client behind a port, also after its end.
    pub(super) fn find(&self, port: u16) -> Option<Arc<Peer>> {
        self.by_port.read().unwrap_or_else(PoisonError::into_inner).get(&port).cloned()
    }

    /// Does the door hold this port?
    pub(super) fn is_open(&self, port: u16) -> bool {
        self.find(port).is_some_and(|peer| peer.open.load(Ordering::Acquire))
    }
}

/// Keeps a peer open.
#[derive(Debug)]
pub(super) struct Entry(pub(super) Arc<Peer>);

impl Entry {
    /// The broker will see a CONNECT that it has seen before.
    pub(super) fn repeats(&self) {
        self.0.again.store(true, Ordering::Release);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.open.store(false, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_open_only_while_the_door_holds_it() {
        let peers = Peers::default();
        let addr: SocketAddr = "192.0.2.1:4000".parse().unwrap();
        assert!(!peers.is_open(7));
        let entry = peers.enter(7, addr, None);
        assert!(peers.is_open(7));
        drop(entry);
        assert!(!peers.is_open(7));
        assert_eq!(peers.find(7).unwrap().addr, addr);
    }
}
