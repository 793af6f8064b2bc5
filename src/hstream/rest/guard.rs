//! Who may ask: loopback is no wall against a browser.
//!
//! A page of any site can make the user's browser send requests to 127.0.0.1, by its own name for that address
//! (DNS rebinding: a foreign `Host`) or as they are (a foreign `Origin`, and `:publish` takes any content type).
//!
//! Invariant: on a loopback address a request that names another host, or comes from a page of another host, is
//! refused before anything of it is read.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};

/// Why a request is refused; nothing when it is not.
pub(super) fn refusal(bound: SocketAddr, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if !bound.ip().is_loopback() {
        return None;
    }
    let hosts = headers.get_all(header::HOST).iter().map(|v| v.to_str().unwrap_or("?"));
    for host in hosts.chain(uri.authority().map(|a| a.as_str())) {
        if !is_loopback(host) {
            return Some(format!(
                "the host {host:?} is not this machine: this port answers requests to 127.0.0.1, [::1] and localhost only"
            ));
        }
    }
    for origin in headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or("?");
        if !origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)) {
            return Some(format!("a page of {origin:?} may not send requests to this port"));
        }
    }
    None
}

/// `HOST[:PORT]` that means this machine.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, port)) => (host, port),
        None => {
            authority.split_once(':').map_or((authority, ""), |(host, _)| (host, &authority[host.len()..]))
        }
    };
    let port = port.is_empty() || port.strip_prefix(':').is_some_and(|p| p.parse::<u16>().is_ok());
    port && (host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_names_pass() {
        let bound: SocketAddr = "127.0.0.1:6580".parse().unwrap();
        let ask = |bound, name: header::HeaderName, value: &str| {
            let headers = HeaderMap::from_iter([(name, value.parse().unwrap())]);
            refusal(bound, &Uri::from_static("/streams"), &headers).is_none()
        };
        for host in ["localhost", "LOCALHOST:1", "127.0.0.1:6580", "127.9.9.9", "[::1]:6580", "[::1]"] {
            assert!(ask(bound, header::HOST, host), "{host}");
            assert!(ask(bound, header::ORIGIN, &format!("http://{host}")), "{host}");
        }
        for host in [
            "evil.example",
            "evil.example:6580",
            "192.168.1.2",
            "localhost.evil.example",
            "127.0.0.1:x",
            "[::2]",
            "",
        ] {
            assert!(!ask(bound, header::HOST, host), "{host}");
            assert!(!ask(bound, header::ORIGIN, &format!("https://{host}")), "{host}");
        }
        assert!(!ask(bound, header::ORIGIN, "null"));
        assert!(ask("0.0.0.0:6580".parse().unwrap(), header::HOST, "evil.example"));
        let absolute = Uri::from_static("http://evil.example/streams");
        assert!(refusal(bound, &absolute, &HeaderMap::new()).is_some());
    }
}
