//! A sink for each action.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;

use super::plan::Plan;
use super::standin::StandIn;
use crate::profile::Profile;
use crate::rule::{ActionKind, Connector, Retry};
use crate::sink::hstreamdb::Hstreamdb;
use crate::sink::http::{self, Http};
use crate::sink::{Lanes, Route, Sink, Tally};

/// EMQX 4.3's `connect_timeout`.
const TIMEOUT_4_3: Duration = Duration::from_secs(5);
/// EMQX 5.8's `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Routes by action id.
pub(super) fn routes(
    plan: &Plan,
    standin: Option<&StandIn>,
    tally: &Arc<Tally>,
) -> anyhow::Result<BTreeMap<Arc<str>, Route>> {
    let mut routes = BTreeMap::new();
    for (id, action) in &plan.actions {
        let sink: Arc<dyn Sink> = match &action.kind {
            ActionKind::Http(http) => Arc::new(Http::new(
                client(&http.connector, plan.set.profile)?,
                standin.and_then(|standin| standin.moved(&http.connector)),
            )),
            ActionKind::Hstreamdb(hstreamdb) if hstreamdb.connector.rest => {
                let connector = &hstreamdb.connector;
                let url = connector.url.as_ref().map(|url| format!("{}{}", url.base, url.path));
                let url = url.unwrap_or_default();
                let url = match standin.and_then(|standin| standin.moved(connector)) {
                    Some(moved) => moved.apply(&url),
                    None => url,
                };
                let sink = Hstreamdb::new(client(connector, plan.set.profile)?, &url);
                Arc::new(sink.map_err(|why| anyhow!("{}: {why}", connector.place.locate()))?)
            }
            ActionKind::Hstreamdb(_) | ActionKind::Params { .. } => {
                routes.insert(id.clone(), Route::Skip);
                continue;
            }
            ActionKind::Republish(_) | ActionKind::Console => continue,
        };
        let lanes = Lanes::start(sink, Retry::of(action, plan.set.profile), Arc::clone(tally));
        routes.insert(id.clone(), Route::Lanes(lanes));
    }
    Ok(routes)
}

fn client(connector: &Connector, profile: Profile) -> anyhow::Result<reqwest::Client> {
    let written = connector.options.duration_ms("connect_timeout").map(Duration::from_millis);
    let timeout = match profile {
        Profile::V5_8 => written.unwrap_or(CONNECT_TIMEOUT),
        Profile::V4_3 => TIMEOUT_4_3,
    };
    http::client(timeout).map_err(|why| anyhow!("{}: {why}", connector.place.locate()))
}
