//! The HStreamDB stand-in of a run: which connectors mean it, and the streams that rules write to.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use reqwest::Url;

use super::RunArgs;
use super::plan::Plan;
use crate::hstream::store::StoreError;
use crate::hstream::{Config, Running, Server, ServerError};
use crate::log::Folder;
use crate::rule::{ActionKind, Connector};
use crate::sink::http::Moved;

/// HStreamDB's own ports for REST and gRPC.
const PORTS: [u16; 2] = [6580, 6570];

/// The running stand-in.
pub(super) struct StandIn {
    running: Running,
}

impl StandIn {
    /// Starts it. HStreamDB has no users, so it listens beyond this machine only when everybody may.
    pub(super) async fn start(args: &RunArgs, folder: Arc<Folder>) -> anyhow::Result<StandIn> {
        let mut config = Config { port: args.hstream_port, ..Config::new(&args.data_dir) };
        if args.bind.is_loopback() || args.allow_anonymous {
            config.bind = args.bind;
        }
        let started = Server::start_in(folder, config).await;
        let running = started.map_err(|error| match &error {
            ServerError::Bind { addr, source } if source.kind() == ErrorKind::AddrInUse => anyhow!(
                "port {} on {} is in use; choose another with --hstream-port (0 picks a free one), or use what \
                 listens there with --no-hstream",
                addr.port(),
                addr.ip()
            ),
            _ => anyhow!("the HStreamDB stand-in did not start: {error}"),
        })?;
        running.repairs().iter().for_each(|repair| tracing::warn!("{repair}"));
        Ok(StandIn { running })
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.running.addr()
    }

    pub(super) async fn stop(self) {
        self.running.shutdown().await;
    }

    /// The stand-in's URL, where the connector's means it.
    pub(super) fn moved(&self, connector: &Connector) -> Option<Moved> {
        let base = &connector.url.as_ref()?.base;
        let url = Url::parse(base).ok()?;
        let host = url.host_str()?.trim_matches(['[', ']']);
        let local =
            host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        let meant = local && url.port().is_some_and(|port| PORTS.contains(&port));
        meant.then(|| Moved { from: base.clone(), to: format!("http://{}", self.reachable()) })
    }

    /// Its address as we reach it ourselves.
    fn reachable(&self) -> SocketAddr {
        let addr = self.addr();
        match addr.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => SocketAddr::from(([127, 0, 0, 1], addr.port())),
            IpAddr::V6(ip) if ip.is_unspecified() => {
                SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], addr.port()))
            }
            _ => addr,
        }
    }

    /// Creates the streams that actions write to here and that are not there yet; their names.
    pub(super) fn create_streams(&self, plan: &Plan) -> anyhow::Result<Vec<String>> {
        let mut created = Vec::new();
        for name in self.streams(plan) {
            match self.running.store().create(&name, 1) {
                Ok(_) => created.push(name),
                Err(StoreError::Exists) => {}
                Err(e) => return Err(e).with_context(|| format!("cannot create the stream '{name}'")),
            }
        }
        Ok(created)
    }

    /// The streams that actions write to here, as far as their text says.
    fn streams(&self, plan: &Plan) -> BTreeSet<String> {
        let written = plan.actions.values().filter_map(|action| {
            self.moved(action.connector()?)?;
            match &action.kind {
                ActionKind::Http(http) => published_stream(&http.literal_path()?).map(str::to_owned),
                ActionKind::Hstreamdb(hstreamdb) => Some(hstreamdb.stream().to_owned()),
                _ => None,
            }
        });
        written.collect()
    }
}

/// NAME of `/streams/NAME:publish`.
fn published_stream(path: &str) -> Option<&str> {
    let name = path.strip_prefix("/streams/")?.strip_suffix(":publish")?;
    (!name.is_empty() && !name.contains(['/', '%', '?'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_stream() {
        assert_eq!(published_stream("/streams/s_1:publish"), Some("s_1"));
        for other in
            ["/streams/:publish", "/streams/a/b:publish", "/streams/a", "/x", "/streams/a%20b:publish"]
        {
            assert_eq!(published_stream(other), None, "{other}");
        }
    }
}
