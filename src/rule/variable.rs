//! A template that is one variable and stands for its value, not for its text: `qos: ${qos}`.

use std::borrow::Cow;

use crate::profile::Profile;
use crate::value::{Value, decode, path};

/// `${a.b}`, alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    path: Vec<String>,
    profile: Profile,
}

impl Variable {
    /// The variable that this text is, if it is one and nothing else.
    pub fn parse(text: &str, profile: Profile) -> Option<Variable> {
        let inner = text.strip_prefix("${")?.strip_suffix('}')?;
        let inner = match profile {
            Profile::V5_8 => inner.strip_prefix('.').unwrap_or(inner),
            Profile::V4_3 => inner,
        };
        let well_formed = inner.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_'));
        let empty = inner.is_empty();
        if !well_formed || (empty && !profile.is_5_8()) {
            return None;
        }
        let path = if empty { Vec::new() } else { inner.split('.').map(str::to_owned).collect() };
        Some(Variable { path, profile })
    }

    /// The value it stands for; `None` where there is none.
    pub fn lookup<'v>(&self, data: &'v Value) -> Option<Cow<'v, Value>> {
        match self.profile {
            Profile::V5_8 => jsonish(data, &self.path),
            Profile::V4_3 => {
                let steps = self.path.iter().map(|key| path::Step::Key(key.clone().into_bytes().into()));
                let found = path::get(data, &steps.collect::<Vec<_>>(), data).into_owned();
                (!found.is_undefined()).then_some(Cow::Owned(found))
            }
        }
    }
}

/// emqx_jsonish:lookup/2: one step into a JSON text, and none into a text inside that text.
fn jsonish<'v>(data: &'v Value, path: &[String]) -> Option<Cow<'v, Value>> {
    let mut at = Cow::Borrowed(data);
    let mut decoded = false;
    for key in path {
        if let Value::Str(text) = &*at
            && !decoded
        {
            at = Cow::Owned(decode::decode(text).ok()?);
            decoded = true;
        }
        at = match at {
            Cow::Borrowed(value) => Cow::Borrowed(value.as_map()?.get_named(key.as_bytes())?),
            Cow::Owned(value) => Cow::Owned(value.as_map()?.get_named(key.as_bytes())?.clone()),
        };
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Map;

    fn lookup(text: &str, data: &Value, profile: Profile) -> Option<Value> {
        Variable::parse(text, profile).unwrap().lookup(data).map(Cow::into_owned)
    }

    #[test]
    fn finds_values_as_each_profile_does() {
        let data = Value::Map(Map::of_columns([
            ("qos", Value::Int(1)),
            ("payload", Value::str(r#"{"a": {"b": 2}, "j": "{\"x\": 3}"}"#)),
        ]));
        for profile in Profile::ALL {
            assert_eq!(lookup("${qos}", &data, profile), Some(Value::Int(1)));
            assert_eq!(lookup("${payload.a.b}", &data, profile), Some(Value::Int(2)));
            assert_eq!(lookup("${payload.c}", &data, profile), None);
        }
        assert_eq!(lookup("${payload.j.x}", &data, Profile::V5_8), None);
        assert_eq!(lookup("${payload.j.x}", &data, Profile::V4_3), Some(Value::Int(3)));
        assert_eq!(lookup("${.}", &data, Profile::V5_8), Some(data.clone()));
        for text in ["qos", "${qos}1", "${a-b}", "x${qos}", "${qos"] {
            assert_eq!(Variable::parse(text, Profile::V5_8), None, "{text}");
        }
        assert_eq!(Variable::parse("${}", Profile::V4_3), None);
    }
}
