//! `$ref`: where it leads inside the schema (jesse_state:resolve_ref/2, jesse_json_path:parse/1).
//!
//! jesse fetches other files and addresses over the network. Here such a reference leads nowhere.

use crate::value::{Map, Value};

/// The name that jesse keeps a schema under that has no id of its own.
pub(super) const UNNAMED: &str = "file:///schema";

/// The id that holds inside a schema with this id of its own.
pub(super) fn combined(base: &str, id: &str) -> String {
    if id.starts_with('#') {
        let whole = base.split('#').next().unwrap_or_default();
        return format!("{whole}{id}");
    }
    if has_scheme(id) {
        return id.to_owned();
    }
    let folder = base.rsplit_once('/').map_or("", |(folder, _)| folder);
    format!("{folder}/{id}")
}

fn has_scheme(id: &str) -> bool {
    id.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
    })
}

/// What a reference stands for; none where it leads out of the schema or to nothing.
pub(super) fn resolve(root: &Map, root_id: &str, base: &str, reference: &str) -> Option<Value> {
    let whole = combined(base, reference);
    let (uri, pointer) = whole.split_once('#').unwrap_or((&whole, ""));
    (uri == base || uri == root_id).then_some(())?;
    let mut at = Value::Map(root.clone());
    for step in pointer.split('/').map(unescaped).filter(|step| !step.is_empty()) {
        at = match &at {
            Value::Map(map) => map.get_str(step.as_bytes())?.clone(),
            Value::List(items) => items.get(step.parse::<usize>().ok()?)?.clone(),
            _ => return None,
        };
    }
    Some(at)
}

/// `%XX`, then `~0`, then `~1`, in this order.
fn unescaped(step: &str) -> String {
    let mut out = String::new();
    let mut rest = step;
    while let Some(c) = rest.chars().next() {
        let code =
            (c == '%').then(|| rest.get(1..3)).flatten().and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(code) => {
                out.push(char::from(code));
                rest = &rest[3..];
            }
            None => {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    out.replace("~0", "~").replace("~1", "/")
}
