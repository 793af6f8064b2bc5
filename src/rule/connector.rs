//! Connectors: where actions deliver to.

use std::sync::Arc;

use super::keys::{self, Key};
use super::options::Options;
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Fields, Node, Problems};
use crate::profile::Profile;
use crate::text::{Source, Span};

/// A checked connector.
#[derive(Clone, Debug)]
pub struct Connector {
    /// Its type, `http`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// `enable`.
    pub enabled: bool,
    /// The values of its own keys; empty for types that rulemill does not deliver to.
    pub options: Options,
    /// Its URL, for `http` and `hstreamdb`.
    pub url: Option<Url>,
    /// Headers of a `http` connector as written, `None` when it has none.
    pub headers: Option<Vec<(String, String)>>,
    /// An `hstreamdb` connector that speaks REST (`rulemill.hstreamdb.NAME.api`).
    pub rest: bool,
    /// Where it is defined.
    pub place: Place,
}

/// A place in a file.
#[derive(Clone, Debug)]
pub struct Place {
    /// The file.
    pub source: Source,
    /// Where in it.
    pub span: Span,
}

impl Place {
    /// `file:line:column`.
    pub fn locate(&self) -> String {
        self.source.locate(self.span)
    }

    /// The name of the file, an included one by its own name.
    pub fn file(&self) -> &str {
        self.source.file_of(self.span).0.name()
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.source.position(self.span.start as usize).line
    }
}

/// A connector's URL, split as EMQX splits it (emqx_utils_uri:parse/1); its query does not count there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// `http://host:port`, as written.
    pub base: String,
    /// What follows, up to a query; may be empty, and may hold `${…}`.
    pub path: String,
}

impl Url {
    /// Splits a URL, or says what is wrong with it.
    pub fn parse(text: &str, schemes: &[&str], profile: Profile) -> Result<Url, String> {
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) => (scheme.to_owned(), rest),
            // 4.3 puts http:// in front (emqx_http_lib:uri_parse/1); 5.8 refuses (emqx_connector_resource:parse_url/1).
            None if !profile.is_5_8() => ("http".to_owned(), text),
            None => return Err(format!("the URL '{text}' has no scheme; write {}://…", schemes[0])),
        };
        if !schemes.contains(&scheme.to_lowercase().as_str()) {
            return Err(format!("the URL scheme '{scheme}' is not one of {}", schemes.join(", ")));
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at(end);
        if tail.contains('#') {
            return Err("EMQX takes no fragment (#…) in a connector's URL".to_owned());
        }
        if authority.contains('@') {
            return Err("EMQX takes no user info (user@…) in a connector's URL; use a header".to_owned());
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        if host.is_empty() {
            return Err(format!("the URL '{text}' has no host"));
        }
        if let Some(port) = port
            && port.parse::<u16>().is_err()
        {
            return Err(format!("'{port}' is no port number"));
        }
        let path = tail.split('?').next().unwrap_or_default();
        Ok(Url { base: format!("{scheme}://{authority}"), path: path.to_owned() })
    }
}

/// Reads `connectors.KIND.NAME`.
pub(super) fn read(
    kind: &str,
    name: &str,
    node: &Node,
    place: Place,
    profile: Profile,
    problems: &mut Problems,
) -> Option<Connector> {
    let before = problems.errors();
    let what = format!("connectors.{kind}.{name}");
    let table: Option<&'static [Key]> = match kind {
        "http" => Some(keys::HTTP_CONNECTOR),
        "hstreamdb" => Some(keys::HSTREAMDB_CONNECTOR),
        _ => None,
    };
    let (fields, options) = match table {
        Some(table) => Options::read(&what, node, table, problems)?,
        None => (Fields::open(&what, node, problems)?, Options::defaults(keys::ACTION)),
    };
    let enabled = match table {
        Some(_) => options.is_true("enable"),
        None => fields.boolean("enable", problems).unwrap_or(true),
    };
    let mut connector = Connector {
        kind: kind.to_owned(),
        name: name.to_owned(),
        enabled,
        options,
        url: None,
        headers: None,
        rest: false,
        place,
    };
    if table.is_some() {
        for (key, table) in [("ssl", keys::SSL), ("resource_opts", keys::CONNECTOR_OPTIONS)] {
            if let Some(node) = fields.get(key) {
                Options::read(&format!("{what}.{key}"), node, table, problems);
            }
        }
        connector.url = url(&connector, &fields, profile, problems);
        if kind == "http" {
            connector.headers = fields.get("headers").and_then(|node| headers(&what, node, problems));
        }
    }
    (problems.errors() == before).then_some(connector)
}

fn url(connector: &Connector, fields: &Fields<'_>, profile: Profile, problems: &mut Problems) -> Option<Url> {
    let schemes: &[&str] = match connector.kind.as_str() {
        "http" => &["http", "https"],
        _ => &["http", "https", "hstream", "hstreams"],
    };
    if connector.kind == "http" {
        fields.required("url", problems)?;
    }
    let text = connector.options.text("url")?;
    match Url::parse(&text, schemes, profile) {
        Ok(url) => Some(url),
        Err(message) => {
            if let Some(node) = fields.get("url") {
                problems.bad_value(node, message);
            }
            None
        }
    }
}

/// Reads a map of headers, in byte order of their names, as Erlang keeps it.
pub(super) fn headers(what: &str, node: &Node, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let what = format!("{what}.headers");
    let fields = Fields::open(&what, node, problems)?;
    let mut headers = Vec::new();
    for entry in fields.entries() {
        match &entry.value.data {
            Data::Text(text) => headers.push((entry.key.to_string(), text.to_string())),
            Data::Bool(b) => headers.push((entry.key.to_string(), b.to_string())),
            _ => {
                // emqx_bridge_http_connector:to_bin/1 has no clause for numbers: the connector would not start.
                let message =
                    format!("the header '{}' must be a string, not {}", entry.key, entry.value.kind_name());
                let problem = Diagnostic::error(codes::WRONG_KIND, message).at(entry.value.span, "");
                problems.push(problem.help("write the value in quotes"));
            }
        }
    }
    headers.sort();
    Some(headers)
}

/// A connector that several actions share.
pub type Shared = Arc<Connector>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_split_as_emqx_does() {
        let split =
            |text: &str| Url::parse(text, &["http", "https"], Profile::V5_8).map(|u| (u.base, u.path));
        let ok = |base: &str, path: &str| Ok((base.to_owned(), path.to_owned()));
        assert_eq!(split("http://127.0.0.1:6580"), ok("http://127.0.0.1:6580", ""));
        assert_eq!(split("https://h/a/b/?q=1"), ok("https://h", "/a/b/"));
        assert_eq!(split("http://[::1]:80/x"), ok("http://[::1]:80", "/x"));
        let bad = [
            ("127.0.0.1:6580", "the URL '127.0.0.1:6580' has no scheme; write http://…"),
            ("ftp://h", "the URL scheme 'ftp' is not one of http, https"),
            ("http://", "the URL 'http://' has no host"),
            ("http://h:99999", "'99999' is no port number"),
            ("http://u:p@h", "EMQX takes no user info (user@…) in a connector's URL; use a header"),
            ("http://h/x#f", "EMQX takes no fragment (#…) in a connector's URL"),
        ];
        bad.iter().for_each(|(text, why)| assert_eq!(split(text), Err((*why).to_owned()), "{text}"));
        let old = Url::parse("h:6580/streams/x:publish", &["http"], Profile::V4_3).unwrap();
        assert_eq!((old.base.as_str(), old.path.as_str()), ("http://h:6580", "/streams/x:publish"));
    }
}
