//! What commands say of brokers: the embedded one and those elsewhere.

use std::fs;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, anyhow, bail};

use crate::broker::Access;
use crate::source::BrokerUrl;
use crate::topic;

/// Credentials for a broker elsewhere that should not stand on a command line.
const USERNAME: &str = "RULEMILL_BROKER_USERNAME";
const PASSWORD: &str = "RULEMILL_BROKER_PASSWORD";

/// A broker elsewhere.
pub(super) fn url(url: &str) -> anyhow::Result<BrokerUrl> {
    let mut url = BrokerUrl::parse(url).map_err(|why| anyhow!("--broker: {why}"))?;
    if let Ok(name) = std::env::var(USERNAME) {
        url.user = Some((name, std::env::var(PASSWORD).unwrap_or_default()));
    }
    Ok(url)
}

/// Refuses topic filters that are none.
pub(super) fn check_filters(filters: &[String]) -> anyhow::Result<()> {
    for filter in filters {
        topic::validate_filter(filter.as_bytes()).map_err(|why| anyhow!("--topic '{filter}': {why}"))?;
    }
    Ok(())
}

/// Who may connect to the embedded broker.
pub(super) fn access(users: Option<&Path>, bind: IpAddr, allow_anonymous: bool) -> anyhow::Result<Access> {
    match users {
        Some(path) => {
            let text = fs::read_to_string(path)
                .with_context(|| format!("cannot read the users file {}", path.display()))?;
            Access::parse(&text).map_err(|why| anyhow!("{}: {why}", path.display()))
        }
        None if bind.is_loopback() || allow_anonymous => Ok(Access::Anonymous),
        None => bail!(
            "--bind {bind} lets other machines in; say who with --users FILE, or let everybody with --allow-anonymous"
        ),
    }
}

/// A node for message ids, another one each time.
pub(super) fn node() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), "node")
}

/// A client id that no other client has.
pub(super) fn client_id(purpose: &str) -> String {
    format!("rulemill-{purpose}-{:08x}", node() as u32)
}
