//! The broker's URL.

use std::fmt;

use reqwest::Url;

use crate::delivery::mask;

/// `mqtt://[user[:password]@]host[:port]`.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl {
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User name and password.
    pub user: Option<(String, String)>,
}

/// MQTT's own port.
const PORT: u16 = 1883;

impl BrokerUrl {
    /// Reads a URL. A bare `host` or `host:port` is one, too.
    pub fn parse(text: &str) -> Result<BrokerUrl, String> {
        let full = if text.contains("://") { text.to_owned() } else { format!("mqtt://{text}") };
        let shown = mask::url(text);
        let url = Url::parse(&full)
            .map_err(|e| format!("'{shown}' is no broker URL: {e}; write mqtt://HOST:1883"))?;
        match url.scheme() {
            "mqtt" | "tcp" => {}
            "mqtts" | "ssl" | "tls" => {
                return Err(format!("'{shown}': MQTT over TLS is not built in; put a TLS tunnel in front"));
            }
            "ws" | "wss" => return Err(format!("'{shown}': use the broker's TCP port, mqtt://HOST:1883")),
            other => return Err(format!("'{shown}': '{other}' is not MQTT; write mqtt://HOST:1883")),
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(format!("'{shown}': a broker URL ends after its port"));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("'{shown}' names no host; write mqtt://HOST:1883"))?;
        let user = match (url.username(), url.password()) {
            ("", None) => None,
            (name, password) => Some((decoded(name)?, decoded(password.unwrap_or_default())?)),
        };
        Ok(BrokerUrl { host: host.to_owned(), port: url.port().unwrap_or(PORT), user })
    }

    /// For people: without the password.
    pub fn shown(&self) -> String {
        format!("mqtt://{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown())
    }
}

/// Undoes %XX.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit =
            || rest.next().and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push(high << 4 | low),
            _ => return Err("user or password of the broker URL has a '%' without two hex digits".to_owned()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "user or password of the broker URL is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_urls_and_explains_what_is_none() {
        let ok = |text: &str| BrokerUrl::parse(text).unwrap();
        let plain = BrokerUrl { host: "h".to_owned(), port: 1883, user: None };
        assert_eq!(ok("mqtt://h"), plain);
        assert_eq!(ok("h"), plain);
        assert_eq!(ok("tcp://h:1883/"), plain);
        assert_eq!(ok("localhost:2883").port, 2883);
        assert_eq!(ok("mqtt://[::1]:1").host, "[::1]");
        let user = |name: &str, password: &str| Some((name.to_owned(), password.to_owned()));
        assert_eq!(ok("mqtt://ann:s%40:x@h").user, user("ann", "s@:x"));
        assert_eq!(ok("mqtt://ann@h").user, user("ann", ""));
        assert!(!format!("{:?}", ok("mqtt://ann:secret@h")).contains("secret"));
        for (text, part) in [
            ("mqtts://h", "TLS is not built in"),
            ("ws://h", "use the broker's TCP port"),
            ("http://h", "'http' is not MQTT"),
            ("mqtt://h/path", "ends after its port"),
            ("mqtt://", "HOST:1883"),
            ("mqtt://h:x", "is no broker URL"),
            ("mqtt://a:secret%4@h", "two hex digits"),
        ] {
            let error = BrokerUrl::parse(text).unwrap_err();
            assert!(error.contains(part) && !error.contains("secret"), "{text}: {error}");
        }
    }
}
