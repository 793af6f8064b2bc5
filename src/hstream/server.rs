//! The stand-in as a running server.
//!
//! Invariant: once [`Server::start`] returns, the port answers; after [`Running::shutdown`] all is on the disk.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::{Listener, ListenerExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::rest;
use super::store::{Store, StoreError};
use crate::limits::HSTREAM_CONNECTIONS_MAX;
use crate::log::{Folder, FolderError, Repair};

/// HStreamDB's own HTTP port.
pub const PORT_DEFAULT: u16 = 6580;

/// How to run the stand-in.
#[derive(Clone, Debug)]
pub struct Config {
    /// Address to listen on.
    pub bind: IpAddr,
    /// Port to listen on; 0 takes a free one.
    pub port: u16,
    /// Folder for the streams; they live in its `hstream`.
    pub data_dir: PathBuf,
    /// After this an append is answered `DeadlineExceeded`, though it may still happen. HStreamDB has 1 s.
    pub append_timeout: Duration,
    /// How long answers under way may take when the server ends.
    pub drain_timeout: Duration,
}

impl Config {
    /// The defaults: loopback, HStreamDB's port.
    pub fn new(data_dir: impl Into<PathBuf>) -> Config {
        Config {
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: PORT_DEFAULT,
            data_dir: data_dir.into(),
            append_timeout: Duration::from_secs(10),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// Why the stand-in does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port cannot be had.
    #[error("cannot listen on {addr}: {}", if source.kind() == ErrorKind::AddrInUse {
        "the port is in use".to_owned() } else { source.to_string() })]
    Bind {
        /// What was asked for.
        addr: SocketAddr,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The data folder cannot be had.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The streams cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Starts the stand-in.
pub struct Server;

/// The stand-in while it runs. It ends when dropped, then without waiting.
pub struct Running {
    addr: SocketAddr,
    store: Store,
    repairs: Vec<Repair>,
    drain: watch::Sender<bool>,
    drain_timeout: Duration,
    task: tokio::task::JoinHandle<()>,
    _folder: Arc<Folder>,
}

impl Server {
    /// Takes the data folder for this process, then as [`Server::start_in`].
    pub async fn start(config: Config) -> Result<Running, ServerError> {
        let folder = Arc::new(Folder::open(&config.data_dir)?);
        Server::start_in(folder, config).await
    }

    /// Opens the streams in a folder that the caller has already, and listens.
    pub async fn start_in(folder: Arc<Folder>, config: Config) -> Result<Running, ServerError> {
        let addr = SocketAddr::new(config.bind, config.port);
        let bind = |source| ServerError::Bind { addr, source };
        // First the port, which fails fast; a connection that comes early waits in the backlog.
        let listener = TcpListener::bind(addr).await.map_err(bind)?;
        let addr = listener.local_addr().map_err(bind)?;
        let path = folder.path().join("hstream");
        let opened = tokio::task::spawn_blocking(move || Store::open(&path)).await;
        let closed = StoreError::Log(crate::log::LogError::Closed);
        let (store, repairs) = opened.unwrap_or(Err(closed))?;
        outlive_file_size_limit();
        let (drain, draining) = watch::channel(false);
        let context = rest::Context::new(store.clone(), addr, config.append_timeout, draining.clone());
        let router = rest::router(context);
        let listener = Bounded { listener, permits: Arc::new(Semaphore::new(HSTREAM_CONNECTIONS_MAX)) };
        let listener = listener.tap_io(|connection| drop(connection.stream.set_nodelay(true)));
        let mut drained = draining;
        let task = tokio::spawn(async move {
            let end = async move { drop(drained.wait_for(|on| *on).await) };
            // axum's serving loop has no error of its own: it ends by `end` alone.
            let _ = axum::serve(listener, router).with_graceful_shutdown(end).await;
        });
        Ok(Running {
            addr,
            store,
            repairs,
            drain,
            drain_timeout: config.drain_timeout,
            task,
            _folder: folder,
        })
    }
}

impl Running {
    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its streams.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// What a crash had torn, and the start cut.
    pub fn repairs(&self) -> &[Repair] {
        &self.repairs
    }

    /// Stops listening, ends push queries, lets other answers finish, and closes the streams.
    pub async fn shutdown(self) {
        let Running { store, drain, drain_timeout, mut task, .. } = self;
        let _ = drain.send(true);
        if tokio::time::timeout(drain_timeout, &mut task).await.is_err() {
            task.abort();
        }
        let _ = tokio::task::spawn_blocking(move || store.close()).await;
    }
}

/// At a file size limit (`ulimit -f`) the system kills a process that has no handler for SIGXFSZ. With one, the
/// write fails, and with it the append, as on a full disk.
fn outlive_file_size_limit() {
    const SIGXFSZ: i32 = 25;
    // Tokio's handler stays once made; without it the process is no worse off than before.
    let _ = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::from_raw(SIGXFSZ));
}

/// A listener that serves a bounded number of connections at the same time.
struct Bounded {
    listener: TcpListener,
    permits: Arc<Semaphore>,
}

/// A connection, and its place among them.
struct Connection {
    stream: TcpStream,
    _permit: Option<OwnedSemaphorePermit>,
}

impl Listener for Bounded {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = Arc::clone(&self.permits).acquire_owned().await.ok();
        let (stream, peer) = Listener::accept(&mut self.listener).await;
        (Connection { stream, _permit: permit }, peer)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

mod io {
    //! [`super::Connection`] reads and writes as its stream does.

    use std::io::{IoSlice, Result};
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Connection;

    impl AsyncRead for Connection {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Connection {
        fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<Result<usize>> {
            Pin::new(&mut self.stream).poll_write(cx, buf)
        }

        fn poll_write_vectored(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bufs: &[IoSlice<'_>],
        ) -> Poll<Result<usize>> {
            Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
        }

        fn is_write_vectored(&self) -> bool {
            self.stream.is_write_vectored()
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
            Pin::new(&mut self.stream).poll_shutdown(cx)
        }
    }
}
