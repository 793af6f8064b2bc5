//! `rulemill hstream server`: the stand-in alone.
//!
//! Invariant: the ready file appears, whole, only when the port answers; a stop signal ends with exit 0.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Exit, Failure};
use crate::hstream::{Config, PORT_DEFAULT, Server, ServerError};

#[derive(Debug, Args)]
pub(super) struct ServerArgs {
    /// Folder for the streams
    #[arg(long, default_value = ".rulemill")]
    data_dir: PathBuf,
    /// Port of the HTTP server; 0 picks a free one
    #[arg(long, default_value_t = PORT_DEFAULT)]
    hstream_port: u16,
    /// Port of gRPC, which is not served yet
    #[arg(long)]
    grpc_port: Option<u16>,
    /// File that gets {"hstream":"127.0.0.1:PORT"} once the server answers
    #[arg(long)]
    ready_file: Option<PathBuf>,
}

pub(super) async fn run(args: ServerArgs) -> Result<Exit, Failure> {
    let listen =
        |kind| signal(kind).map_err(|error| Failure::failed(format!("cannot wait for signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut stderr = std::io::stderr();
    if args.grpc_port.is_some() {
        let _ = writeln!(
            stderr,
            "warning: --grpc-port is taken note of, but gRPC is not served yet: use the HTTP port"
        );
    }
    let config = Config { port: args.hstream_port, ..Config::new(&args.data_dir) };
    let running = Server::start(config).await.map_err(|error| Failure::unusable(advice(&error)))?;
    for repair in running.repairs() {
        let _ = writeln!(stderr, "warning: {repair}");
    }
    let addr = running.addr();
    if let Some(path) = &args.ready_file {
        let ready = write_whole(path, &json!({"hstream": addr.to_string()}).to_string());
        if let Err(error) = ready {
            running.shutdown().await;
            return Err(Failure::unusable(format!(
                "cannot write the ready file {}: {error}",
                path.display()
            )));
        }
    }
    let mut stdout = std::io::stdout();
    let _ = writeln!(
        stdout,
        "HStreamDB stand-in: http://{addr}, streams in {}",
        args.data_dir.join("hstream").display()
    );
    let _ = stdout.flush();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await;
    Ok(Exit::Ok)
}

fn advice(error: &ServerError) -> String {
    match error {
        ServerError::Bind { addr, source } if source.kind() == std::io::ErrorKind::AddrInUse => format!(
            "the port {} is in use: stop what listens on {addr}, or give another with --hstream-port (0 picks a free one)",
            addr.port()
        ),
        other => other.to_string(),
    }
}

/// Beside it first, then in its place, so that nobody reads half of it.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}", std::process::id()));
    std::fs::write(&beside, text)?;
    std::fs::rename(&beside, path)
}
