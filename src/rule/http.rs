//! `http` actions: method, URL, headers and body as EMQX sends them.
//!
//! 5.8: emqx_bridge_http_connector (`process_request_and_action/3`, `merge_headers/2`, `join_paths/2`,
//! `formalize_request/3`). 4.3: emqx_web_hook_actions.

use super::action::Field;
use super::connector::{self, Shared, Url};
use super::keys;
use super::options::Options;
use super::rendered;
use super::request::Request;
use crate::document::{Fields, Problems};
use crate::profile::Profile;
use crate::template::{Dialect, Template};
use crate::value::{Bytes, Map, Value, encode};

/// The headers that EMQX 5.8 sends where a connector or action writes none (emqx_bridge_http_schema:headers_field/0).
const DEFAULT_HEADERS: [(&str, &str); 5] = [
    ("accept", "application/json"),
    ("cache-control", "no-cache"),
    ("connection", "keep-alive"),
    ("content-type", "application/json"),
    ("keep-alive", "timeout=5"),
];

/// A checked `http` action.
#[derive(Clone, Debug)]
pub struct HttpAction {
    /// Where it sends to.
    pub connector: Shared,
    /// The values of its parameters.
    pub options: Options,
    method: &'static str,
    base: String,
    /// What the connector's URL says of the path, and what the action adds.
    path: (Template, Template),
    headers: Vec<(Template, Template)>,
    base_headers: Vec<(Template, Template)>,
    body: Option<Template>,
    profile: Profile,
}

/// Reads `parameters`.
pub(super) fn read(
    what: &str,
    fields: &Fields<'_>,
    connector: &Shared,
    profile: Profile,
    problems: &mut Problems,
) -> Option<HttpAction> {
    let what = format!("{what}.parameters");
    let node = fields.required("parameters", problems)?;
    let (parameters, options) = Options::read(&what, node, keys::HTTP_PARAMETERS, problems)?;
    let written = parameters.get("headers").map(|node| connector::headers(&what, node, problems));
    let url = connector.url.clone().unwrap_or(Url { base: String::new(), path: String::new() });
    let method = match options.text("method").as_deref() {
        Some("put") => "PUT",
        Some("get") => "GET",
        Some("delete") => "DELETE",
        _ => "POST",
    };
    let path = options.text("path").unwrap_or_default();
    let template = |text: &str| Template::parse(text, Dialect::action(profile));
    let body = options.text("body").map(|text| template(&text));
    let pairs = |headers: Vec<(String, String)>| -> Vec<(Template, Template)> {
        headers.iter().map(|(k, v)| (template(k), template(v))).collect()
    };
    let (headers, base_headers) = match profile {
        Profile::V5_8 => {
            let default = || DEFAULT_HEADERS.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec();
            let own = written.flatten().unwrap_or_else(default);
            (own, connector.headers.clone().unwrap_or_else(default))
        }
        Profile::V4_3 => {
            let default = || vec![("content-type".to_owned(), "application/json".to_owned())];
            (written.flatten().unwrap_or_else(default), connector.headers.clone().unwrap_or_default())
        }
    };
    let path = match profile {
        Profile::V5_8 => (template(&url.path), template(&path)),
        Profile::V4_3 => (template(&merged_path(&url.path, &path)), template("")),
    };
    Some(HttpAction {
        connector: connector.clone(),
        options,
        method,
        base: url.base,
        path,
        headers: pairs(headers),
        base_headers: pairs(base_headers),
        // 4.3 takes an empty body for none (emqx_web_hook_actions:format_msg/2).
        body: body.filter(|body| profile.is_5_8() || !body.source().is_empty()),
        profile,
    })
}

impl HttpAction {
    /// The request for one output; `columns` are those of the rule.
    pub fn render(&self, selected: &Map, columns: &Map) -> Result<Request, String> {
        let data = match self.profile {
            Profile::V5_8 => Value::Map(selected.clone()),
            Profile::V4_3 => Value::Map(without_user_property(selected)),
        };
        if !self.profile.is_5_8() && columns.get_named(b"clientid").is_none() {
            // The head of emqx_web_hook_actions:on_action_data_to_webserver/2 wants it.
            return Err("EMQX 4.3 sends a webhook only for events that have a clientid".to_owned());
        }
        let path = self.rendered_path(&data)?;
        let has_body = matches!(self.method, "POST" | "PUT");
        let headers = match self.profile {
            Profile::V5_8 => self.headers_5_8(&data)?,
            Profile::V4_3 => self.headers_4_3(&data, has_body)?,
        };
        let body = match (&self.body, has_body) {
            (_, false) => None,
            (Some(template), true) => Some(rendered("body", template, &data)?),
            (None, true) => Some(Bytes::from(encode::to_json(&data).map_err(|e| format!("no body: {e}"))?)),
        };
        Ok(Request::Http {
            connector: self.connector.name.clone(),
            method: self.method.to_owned(),
            url: format!("{}{path}", self.base),
            headers,
            body,
        })
    }

    /// The templates that make the request.
    pub(super) fn templates(&self) -> Vec<Field<'_>> {
        // What 4.3 merges with the connector's path is the action's all the same.
        let (first, second) = &self.path;
        let first_path = if self.profile.is_5_8() { ["connector", "url"] } else { ["parameters", "path"] };
        let mut fields = vec![Field::new(&first_path, first), Field::new(&["parameters", "path"], second)];
        for (whose, headers) in [("parameters", &self.headers), ("connector", &self.base_headers)] {
            for (name, value) in headers {
                let path = [whose, "headers", name.source(), "name"];
                fields.extend([Field::new(&path, name), Field::new(&path[..3], value)]);
            }
        }
        if matches!(self.method, "POST" | "PUT") {
            fields.extend(self.body.iter().map(|body| Field::new(&["parameters", "body"], body)));
        }
        fields
    }

    /// The whole path, when no message has a say in it.
    pub fn literal_path(&self) -> Option<String> {
        let fixed = [&self.path.0, &self.path.1].iter().all(|path| path.placeholders().next().is_none());
        fixed.then(|| self.rendered_path(&Value::Undefined).ok())?
    }

    fn rendered_path(&self, data: &Value) -> Result<String, String> {
        let prefix = text("path", &self.path.0, data)?;
        let suffix = text("path", &self.path.1, data)?;
        Ok(match self.profile {
            Profile::V4_3 => prefix,
            Profile::V5_8 if suffix.is_empty() => joined("/", &prefix),
            Profile::V5_8 => joined("/", &joined(&prefix, &suffix)),
        })
    }

    /// The action's headers in byte order, then what the connector adds, backwards.
    fn headers_5_8(&self, data: &Value) -> Result<Vec<(String, String)>, String> {
        let mut headers = pairs(&self.base_headers, data)?;
        headers.reverse();
        for (name, value) in pairs(&self.headers, data)?.into_iter().rev() {
            if let Some(at) = headers.iter().position(|(k, _)| *k == name) {
                headers.remove(at);
            }
            headers.insert(0, (name, value));
        }
        Ok(headers)
    }

    fn headers_4_3(&self, data: &Value, has_body: bool) -> Result<Vec<(String, String)>, String> {
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in pairs(&self.base_headers, data)?.into_iter().chain(pairs(&self.headers, data)?) {
            // Only the first underscore goes (emqx_web_hook_actions:normalize_key/1).
            let name = name.replacen('_', "-", 1).to_lowercase();
            headers.retain(|(k, _)| *k != name);
            if has_body || name != "content-type" {
                headers.push((name, value));
            }
        }
        headers.sort();
        Ok(headers)
    }
}

fn pairs(headers: &[(Template, Template)], data: &Value) -> Result<Vec<(String, String)>, String> {
    let pair = |(name, value): &(Template, Template)| {
        Ok((text("header name", name, data)?, text("header", value, data)?))
    };
    headers.iter().map(pair).collect()
}

fn text(what: &str, template: &Template, data: &Value) -> Result<String, String> {
    String::from_utf8(rendered(what, template, data)?.to_vec())
        .map_err(|_| format!("the {what} is not UTF-8 text"))
}

/// emqx_bridge_http_connector:join_paths/2.
fn joined(first: &str, second: &str) -> String {
    if second.starts_with('?') {
        return format!("{first}{second}");
    }
    let first = first.strip_suffix('/').unwrap_or(first);
    format!("{first}/{}", second.strip_prefix('/').unwrap_or(second))
}

/// emqx_web_hook_actions:merge_path/2: Erlang's filename:join/2 over URL paths.
fn merged_path(common: &str, path: &str) -> String {
    let common = if common.is_empty() { "/" } else { common };
    if path.is_empty() {
        return common.to_owned();
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    let all = if path.starts_with('/') { path.to_owned() } else { format!("{common}/{path}") };
    let mut out = String::with_capacity(all.len());
    for c in all.chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    if out.len() > 1 && out.ends_with('/') {
        out.pop();
    }
    out
}

/// emqx_web_hook_actions:clear_user_property_header/1: the user properties of `headers` become an empty list.
fn without_user_property(selected: &Map) -> Map {
    let cleared = || {
        let headers = selected.get_atom(b"headers")?.as_map()?;
        let properties = headers.get_atom(b"properties")?.as_map()?;
        let name = Value::static_atom("User-Property");
        properties.get(&name)?;
        let mut properties = properties.clone();
        properties.insert(name, Value::list(Vec::new()));
        let mut headers = headers.clone();
        headers.insert_column("properties", Value::Map(properties));
        let mut selected = selected.clone();
        selected.insert_column("headers", Value::Map(headers));
        Some(selected)
    };
    cleared().unwrap_or_else(|| selected.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_join_as_in_5_8() {
        let cases = [
            ("abc", "cde", "abc/cde"),
            ("abc/", "/cde", "abc/cde"),
            ("", "/x", "/x"),
            ("/", "x/", "/x/"),
            ("/a", "?q=1", "/a?q=1"),
            ("/a", "//b", "/a//b"),
            ("/", "", "/"),
        ];
        cases.iter().for_each(|(a, b, both)| assert_eq!(joined(a, b), *both));
    }

    #[test]
    fn paths_merge_as_in_4_3() {
        let cases = [
            ("", "", "/"),
            ("/", "streams/s:publish", "/streams/s:publish"),
            ("/a/", "b/", "/a/b"),
            ("/a", "//b", "/b"),
            ("/streams/s:publish", "", "/streams/s:publish"),
        ];
        cases.iter().for_each(|(a, b, both)| assert_eq!(merged_path(a, b), *both));
    }
}
