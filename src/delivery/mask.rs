//! Keeps secrets out of logs.

/// What stands in a secret's place, as in EMQX's logs.
const MASK: &str = "******";

/// Is a header, query parameter or key of this name a secret?
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words =
        ["password", "passwd", "secret", "token", "authorization", "api-key", "api_key", "apikey", "cookie"];
    words.iter().any(|word| name.contains(word))
}

/// A URL without its password and the values of secret query parameters.
pub fn url(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| (scheme, rest));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let authority = match authority.rsplit_once('@') {
        Some((user, host)) => {
            let name = user.split(':').next().unwrap_or_default();
            let password = if user.contains(':') { format!(":{MASK}") } else { String::new() };
            format!("{name}{password}@{host}")
        }
        None => authority.to_owned(),
    };
    let tail = match tail.split_once('?') {
        Some((path, query)) => {
            let parts: Vec<_> = query.split('&').map(parameter).collect();
            format!("{path}?{}", parts.join("&"))
        }
        None => tail.to_owned(),
    };
    if scheme.is_empty() { format!("{authority}{tail}") } else { format!("{scheme}://{authority}{tail}") }
}

fn parameter(part: &str) -> String {
    match part.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={MASK}"),
        _ => part.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_stays() {
        for (written, shown) in [
            ("http://h:1/a?x=1", "http://h:1/a?x=1"),
            ("mqtt://ann:s3@h:1883", "mqtt://ann:******@h:1883"),
            ("mqtt://ann@h", "mqtt://ann@h"),
            ("https://h/hook?access_token=abc&n=2", "https://h/hook?access_token=******&n=2"),
            ("http://h/a@b", "http://h/a@b"),
            ("h:6580/x", "h:6580/x"),
        ] {
            assert_eq!(url(written), shown);
        }
        assert!(is_secret("Proxy-Authorization") && is_secret("X-Api-Key") && !is_secret("content-type"));
    }
}
