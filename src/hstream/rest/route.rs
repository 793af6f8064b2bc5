//! Paths and methods of HStreamDB v0.6.1's HTTP server.
//!
//! A path is split at its slashes after percent-decoding, and the last part at its last colon: what follows the
//! colon is a *verb*. Where no route has that verb, the colon belongs to the name (grpc-gateway's
//! `ServeMux.ServeHTTP` and `Pattern.Match`).
//!
//! Invariant: `POST /streams/NAME` never deletes. The real server takes it for DELETE when the content type is a
//! form's; here it is answered 501, as with any other content type.

use axum::http::Method;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    CreateStream,
    ListStreams,
    DeleteStream(String),
    Publish(String),
    /// Ours: the records of a stream as lines.
    Records(String),
    PushQuery,
    PullQuery,
    ListQueries,
    TerminateQueries,
    Cluster,
    /// Known to HStreamDB, not to the stand-in.
    Unimplemented,
    /// A known path with another method.
    WrongMethod,
    Unknown,
}

/// Routes of v0.6.1 that the stand-in does not answer: method, parts (`*` is any one part), verb.
const UNIMPLEMENTED: &[(Method, &[&str], &str)] = &[
    (Method::POST, &["streams", "query"], ""),
    (Method::POST, &["subscriptions"], ""),
    (Method::GET, &["subscriptions"], ""),
    (Method::POST, &["subscriptions", "fetch"], ""),
    (Method::GET, &["subscriptions", "*"], "check"),
    (Method::DELETE, &["subscriptions", "*"], ""),
    (Method::POST, &["stats"], ""),
    (Method::POST, &["stats", "*"], ""),
    (Method::POST, &["admin"], ""),
    (Method::POST, &["queries"], ""),
    (Method::GET, &["queries", "*"], ""),
    (Method::DELETE, &["queries", "*"], ""),
    (Method::POST, &["queries", "*"], "restart"),
    (Method::POST, &["connectors"], ""),
    (Method::GET, &["connectors"], ""),
    (Method::GET, &["connectors", "*"], ""),
    (Method::DELETE, &["connectors", "*"], ""),
    (Method::POST, &["connectors", "*"], "restart"),
    (Method::POST, &["connectors", "*"], "terminate"),
    (Method::POST, &["views"], ""),
    (Method::GET, &["views"], ""),
    (Method::GET, &["views", "*"], ""),
    (Method::DELETE, &["views", "*"], ""),
    (Method::GET, &["nodes"], ""),
    (Method::GET, &["nodes", "*"], ""),
    (Method::GET, &["clusters", "streams", "*"], ""),
];

/// The route of a method and a path as it stands in the request line.
pub(super) fn route(method: &Method, path: &str) -> Route {
    let Some(path) = percent_decode(path) else { return Route::Unknown };
    let Some(path) = path.strip_prefix('/') else { return Route::Unknown };
    let mut parts: Vec<&str> = path.split('/').collect();
    let last = parts.pop().unwrap_or_default();
    let (stem, verb) = match last.rfind(':') {
        Some(0) => return Route::Unknown,
        Some(at) => (&last[..at], &last[at + 1..]),
        None => (last, ""),
    };
    let with_verb: Vec<&str> = parts.iter().copied().chain([stem]).collect();
    let plain: Vec<&str> = parts.iter().copied().chain([last]).collect();
    if let Some(found) = ours(method, &with_verb, &plain, verb) {
        return found;
    }
    let fits = |(_, pattern, wanted): &&(Method, &[&str], &str)| {
        (verb == *wanted && matches(pattern, &with_verb)) || (wanted.is_empty() && matches(pattern, &plain))
    };
    if UNIMPLEMENTED.iter().filter(fits).any(|(wanted, _, _)| wanted == method) {
        return Route::Unimplemented;
    }
    let known = [Method::GET, Method::POST, Method::DELETE]
        .iter()
        .any(|other| ours(other, &with_verb, &plain, verb).is_some());
    if known || UNIMPLEMENTED.iter().any(|row| fits(&row)) { Route::WrongMethod } else { Route::Unknown }
}

fn ours(method: &Method, with_verb: &[&str], plain: &[&str], verb: &str) -> Option<Route> {
    if let (&Method::POST, ["streams", name], "publish") = (method, with_verb, verb) {
        return Some(Route::Publish((*name).to_owned()));
    }
    Some(match (method.as_str(), plain) {
        ("POST", ["streams"]) => Route::CreateStream,
        ("GET", ["streams"]) => Route::ListStreams,
        ("DELETE", ["streams", name]) => Route::DeleteStream((*name).to_owned()),
        ("GET", ["streams", name, "records"]) if !name.is_empty() => Route::Records((*name).to_owned()),
        ("POST", ["queries", "push"]) => Route::PushQuery,
        ("POST", ["queries", "pull"]) => Route::PullQuery,
        ("GET", ["queries"]) => Route::ListQueries,
        ("POST", ["queries", "terminate"]) => Route::TerminateQueries,
        ("GET", ["clusters"]) => Route::Cluster,
        _ => return None,
    })
}

fn matches(pattern: &[&str], parts: &[&str]) -> bool {
    pattern.len() == parts.len()
        && pattern.iter().zip(parts).all(|(wanted, part)| *wanted == "*" || wanted == part)
}

/// Nothing for a broken escape, and for bytes that are no text.
pub(super) fn percent_decode(path: &str) -> Option<String> {
    let mut out = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || bytes.next().and_then(|b| char::from(b).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_follow_the_gateway() {
        let name = |n: &str| n.to_owned();
        let cases = [
            ("POST", "/streams", Route::CreateStream),
            ("GET", "/streams", Route::ListStreams),
            ("DELETE", "/streams/a", Route::DeleteStream(name("a"))),
            ("DELETE", "/streams/a:b", Route::DeleteStream(name("a:b"))),
            ("POST", "/streams/a:publish", Route::Publish(name("a"))),
            ("POST", "/streams/a:b:publish", Route::Publish(name("a:b"))),
            ("POST", "/streams/%C3%A9-x:publish", Route::Publish(name("é-x"))),
            ("POST", "/streams/a%3Apublish", Route::Publish(name("a"))),
            ("GET", "/streams/a/records", Route::Records(name("a"))),
            ("POST", "/streams/query", Route::Unimplemented),
            ("GET", "/nodes", Route::Unimplemented),
            ("GET", "/clusters/streams/s", Route::Unimplemented),
            ("GET", "/subscriptions/x:check", Route::Unimplemented),
            ("POST", "/streams/a", Route::WrongMethod),
            ("POST", "/streams/a:other", Route::WrongMethod),
            ("GET", "/streams/a:publish", Route::WrongMethod),
            ("PUT", "/streams/a:publish", Route::WrongMethod),
            ("GET", "/streams/", Route::WrongMethod),
            ("HEAD", "/streams", Route::WrongMethod),
            ("OPTIONS", "/streams", Route::WrongMethod),
            ("GET", "/queries/push", Route::Unimplemented),
            ("PUT", "/queries", Route::WrongMethod),
            ("POST", "/streams/:publish", Route::Unknown),
            ("POST", "/streams/a%2Fb:publish", Route::Unknown),
            ("POST", "/streams/a%zz:publish", Route::Unknown),
            ("POST", "/streams/%ff:publish", Route::Unknown),
            ("GET", "/", Route::Unknown),
            ("GET", "/nope", Route::Unknown),
            ("GET", "/streams//records", Route::Unknown),
        ];
        for (method, path, expected) in cases {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            assert_eq!(route(&method, path), expected, "{method} {path}");
        }
    }
}
