//! The function `republish`: emqx_rule_actions:republish/3 of each profile.

use super::action::Field;
use super::keys;
use super::options::Options;
use super::rendered;
use super::request::Request;
use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Fields, Node, Problems};
use crate::profile::Profile;
use crate::template::{Dialect, Template};
use crate::topic::has_wildcard;
use crate::value::{Bytes, Map, Value, encode, text};

/// A checked `republish`.
#[derive(Clone, Debug)]
pub struct Republish {
    topic: Template,
    qos: Simple,
    retain: Simple,
    direct_dispatch: Simple,
    /// `None`: the JSON of the whole output.
    payload: Option<Template>,
    properties: Vec<(&'static str, Template)>,
    user_properties: UserProperties,
    /// The arguments that the file has; EMQX supplies the others.
    written: Vec<&'static str>,
    profile: Profile,
}

/// A constant, or the value of one variable.
#[derive(Clone, Debug)]
enum Simple {
    Constant(Value),
    Variable(Template),
}

impl Simple {
    fn variable(&self) -> Option<&Template> {
        match self {
            Simple::Constant(_) => None,
            Simple::Variable(variable) => Some(variable),
        }
    }
}

#[derive(Clone, Debug)]
enum UserProperties {
    /// Those of the message that the rule matched, whether selected or not.
    Original,
    Variable(Template),
    /// EMQX discards what is no variable.
    None,
}

/// Reads `args`.
pub(super) fn read(what: &str, node: &Node, profile: Profile, problems: &mut Problems) -> Option<Republish> {
    let before = problems.errors();
    let (fields, options) = Options::read(what, node, keys::REPUBLISH, problems)?;
    fields.required("topic", problems);
    let topic = options.text("topic").unwrap_or_default();
    if profile == Profile::V4_3
        && let Some(node) = fields.get("topic")
        && has_wildcard(topic.as_bytes())
    {
        problems.bad_value(node, format!("'{topic}' has a wildcard; a message is published to one topic"));
    }
    let qos = simple(&fields, "qos", QOS, profile, problems);
    let retain = simple(&fields, "retain", BOOLEAN, profile, problems);
    let direct_dispatch = simple(&fields, "direct_dispatch", BOOLEAN, profile, problems);
    let payload = options.text("payload").filter(|text| !text.is_empty());
    let user_properties = match options.text("user_properties").unwrap_or_default().as_str() {
        "${pub_props.'User-Property'}" | "${.pub_props.'User-Property'}" => UserProperties::Original,
        text => variable(text, profile).map_or(UserProperties::None, UserProperties::Variable),
    };
    let properties = fields.get("mqtt_properties").map(|node| properties(what, node, profile, problems));
    let republish = Republish {
        topic: Template::parse(&topic, Dialect::action(profile)),
        qos,
        retain,
        direct_dispatch,
        payload: payload.map(|text| Template::parse(&text, Dialect::action(profile))),
        properties: properties.unwrap_or_default(),
        user_properties,
        written: keys::REPUBLISH
            .iter()
            .map(|key| key.name)
            .filter(|name| fields.get(name).is_some())
            .collect(),
        profile,
    };
    (problems.errors() == before).then_some(republish)
}

fn properties(
    what: &str,
    node: &Node,
    profile: Profile,
    problems: &mut Problems,
) -> Vec<(&'static str, Template)> {
    let what = format!("{what}.mqtt_properties");
    let Some((_, options)) = Options::read(&what, node, keys::MQTT_PROPERTIES, problems) else {
        return Vec::new();
    };
    let pair = |key: &keys::Key| {
        Some((key.name, Template::parse(&options.text(key.name)?, Dialect::action(profile))))
    };
    keys::MQTT_PROPERTIES.iter().filter_map(pair).collect()
}

/// A text that is one placeholder and nothing else.
fn variable(text: &str, profile: Profile) -> Option<Template> {
    let template = Template::parse(text, Dialect::action(profile));
    template.single_value(&Value::Undefined).is_some().then_some(template)
}

/// The constants that a simple value may be.
type Constants = &'static [(&'static str, Value)];
const QOS: Constants = &[("0", Value::Int(0)), ("1", Value::Int(1)), ("2", Value::Int(2))];
const BOOLEAN: Constants = &[("true", Value::Bool(true)), ("false", Value::Bool(false))];

fn simple(
    fields: &Fields<'_>,
    name: &'static str,
    constants: Constants,
    profile: Profile,
    problems: &mut Problems,
) -> Simple {
    let constant =
        |text: &str| constants.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
    let Some(node) = fields.get(name) else {
        return match (profile, name) {
            (Profile::V5_8, "qos" | "retain") => {
                let text = format!("${{{name}}}");
                variable(&text, profile).map_or(Simple::Constant(constants[0].1.clone()), Simple::Variable)
            }
            (_, "qos") => Simple::Constant(Value::Int(0)),
            _ => Simple::Constant(Value::Bool(false)),
        };
    };
    let text = match &node.data {
        Data::Text(text) | Data::Int(text, _) => text.to_string(),
        Data::Bool(b) => b.to_string(),
        _ => String::new(),
    };
    if let Some(value) = constant(&text) {
        return Simple::Constant(value);
    }
    match variable(&text, profile) {
        Some(variable) => Simple::Variable(variable),
        None => {
            let words: Vec<&str> = constants.iter().map(|(word, _)| *word).collect();
            let message =
                format!("'{name}' must be {} or one variable such as ${{{name}}}", words.join(", "));
            problems.push(Diagnostic::error(codes::BAD_VALUE, message).at(node.span, ""));
            Simple::Constant(constants[0].1.clone())
        }
    }
}

impl Republish {
    /// The templates that make the message, but for those that EMQX supplies.
    pub(super) fn templates(&self) -> Vec<Field<'_>> {
        let mut fields = vec![Field::new(&["args", "topic"], &self.topic)];
        fields.extend(self.payload.iter().map(|payload| Field::new(&["args", "payload"], payload)));
        for (name, simple) in [("qos", &self.qos), ("retain", &self.retain)] {
            fields.extend(simple.variable().map(|variable| Field::new(&["args", name], variable)));
        }
        // 4.3 has no more than these.
        if self.profile.is_5_8() {
            let direct = self.direct_dispatch.variable();
            fields.extend(direct.map(|variable| Field::new(&["args", "direct_dispatch"], variable)));
            let properties = self.properties.iter();
            fields.extend(properties.map(|(name, t)| Field::new(&["args", "mqtt_properties", name], t)));
            if let UserProperties::Variable(variable) = &self.user_properties {
                fields.push(Field::new(&["args", "user_properties"], variable));
            }
        }
        fields.retain(|field| field.path.get(1).is_some_and(|name| self.written.contains(&name.as_str())));
        fields
    }

    /// The message for one output; `columns` are those of the rule.
    pub fn render(&self, selected: &Map, columns: &Map) -> Result<Request, String> {
        let data = Value::Map(selected.clone());
        let topic = String::from_utf8(rendered("topic", &self.topic, &data)?.to_vec())
            .map_err(|_| "the topic is not UTF-8 text".to_owned())?;
        if self.profile == Profile::V4_3 && has_wildcard(topic.as_bytes()) {
            return Err(format!(
                "the topic '{topic}' has a wildcard (wildcard_topic_not_allowed_for_publish)"
            ));
        }
        let payload = match &self.payload {
            Some(template) => rendered("payload", template, &data)?,
            None => Bytes::from(encode::to_json(&data).map_err(|e| format!("no payload: {e}"))?),
        };
        let is_5_8 = self.profile.is_5_8();
        Ok(Request::Republish {
            topic,
            qos: self.qos(&data)?,
            retain: self.flag("retain", &self.retain, &data)?,
            payload,
            properties: if is_5_8 { self.rendered_properties(&data)? } else { Vec::new() },
            user_properties: if is_5_8 { self.rendered_user_properties(&data, columns)? } else { Vec::new() },
            direct_dispatch: is_5_8 && self.flag("direct_dispatch", &self.direct_dispatch, &data)?,
        })
    }

    /// A missing variable is the default in 5.8 and an error in 4.3.
    fn value(&self, simple: &Simple, data: &Value, default: Value) -> Value {
        match simple {
            Simple::Constant(value) => value.clone(),
            Simple::Variable(variable) => match variable.single_value(data) {
                Some(Value::Undefined) | None if self.profile.is_5_8() => default,
                found => found.unwrap_or(Value::Undefined),
            },
        }
    }

    fn qos(&self, data: &Value) -> Result<u8, String> {
        let value = self.value(&self.qos, data, Value::Int(0));
        let old = !self.profile.is_5_8();
        match &value {
            Value::Int(n @ 0..=2) => Ok(*n as u8),
            Value::Str(text) if old && matches!(text.as_ref(), b"0" | b"1" | b"2") => Ok(text[0] - b'0'),
            other => Err(format!("qos is {} here, and must be 0, 1 or 2", encode::to_display(other))),
        }
    }

    fn flag(&self, name: &str, simple: &Simple, data: &Value) -> Result<bool, String> {
        let value = self.value(simple, data, Value::Bool(false));
        let old = !self.profile.is_5_8();
        match &value {
            Value::Bool(b) => Ok(*b),
            Value::Int(n @ 0..=1) if old => Ok(*n == 1),
            Value::Str(text) if old && matches!(text.as_ref(), b"true" | b"1") => Ok(true),
            Value::Str(text) if old && matches!(text.as_ref(), b"false" | b"0") => Ok(false),
            other => Err(format!("{name} is {} here, and must be true or false", encode::to_display(other))),
        }
    }

    /// Values that do not fit their property are dropped (emqx_rule_actions:coerce_properties_values/2).
    fn rendered_properties(&self, data: &Value) -> Result<Vec<(String, Value)>, String> {
        let mut properties = Vec::new();
        for (name, template) in &self.properties {
            let bytes = rendered("property", template, data)?;
            let value = match *name {
                "Payload-Format-Indicator" | "Message-Expiry-Interval" => {
                    let number = std::str::from_utf8(&bytes).ok().and_then(|text| text.parse::<i64>().ok());
                    match number {
                        Some(number) => Value::Int(number),
                        None => continue,
                    }
                }
                _ => Value::Str(bytes),
            };
            properties.push(((*name).to_owned(), value));
        }
        Ok(properties)
    }

    fn rendered_user_properties(&self, data: &Value, columns: &Map) -> Result<Vec<(String, String)>, String> {
        let found = match &self.user_properties {
            UserProperties::None => None,
            UserProperties::Variable(variable) => variable.single_value(data),
            UserProperties::Original => {
                let props = columns.get_named(b"pub_props").and_then(Value::as_map);
                props.and_then(|props| props.get_named(b"User-Property")).cloned()
            }
        };
        // What is no map counts as none (emqx_utils:pub_props_to_packet/1).
        let Some(Value::Map(map)) = found else { return Ok(Vec::new()) };
        let word = |value: &Value| {
            let bytes =
                text::to_text(value, text::DECIMALS_5_8).map_err(|e| format!("no user property: {e}"))?;
            String::from_utf8(bytes.to_vec()).map_err(|_| "a user property is not UTF-8 text".to_owned())
        };
        map.entries().iter().map(|(k, v)| Ok((word(k)?, word(v)?))).collect()
    }
}
