//! Actions that rulemill renders and does not deliver: every string of their parameters is a template.

use super::action::Field;
use super::{plain, rendered};
use crate::diag::Diagnostic;
use crate::document::{Data, Node};
use crate::profile::Profile;
use crate::template::{Dialect, Template};
use crate::value::{Map, Value};

/// Parameters with their templates parsed.
#[derive(Clone, Debug)]
pub enum Params {
    /// A string.
    Template(Template),
    /// Anything without a string in it.
    Constant(Value),
    /// A list.
    List(Vec<Params>),
    /// A map; its keys are no templates.
    Map(Vec<(Value, Params)>),
}

impl Params {
    /// The parameters that a node holds.
    pub fn read(node: &Node, profile: Profile) -> Result<Params, Box<Diagnostic>> {
        Ok(match &node.data {
            Data::Text(text) => Params::Template(Template::parse(text, Dialect::action(profile))),
            Data::List(items) => {
                Params::List(items.iter().map(|item| Params::read(item, profile)).collect::<Result<_, _>>()?)
            }
            Data::Map(entries) => {
                let pairs =
                    entries.iter().map(|e| Ok((Value::str(&*e.key), Params::read(&e.value, profile)?)));
                Params::Map(pairs.collect::<Result<_, Box<Diagnostic>>>()?)
            }
            _ => Params::Constant(plain::value(node)?),
        })
    }

    /// The templates in the parameters.
    pub(super) fn templates(&self) -> Vec<Field<'_>> {
        let mut fields = Vec::new();
        self.collect(&mut vec!["parameters".to_owned()], &mut fields);
        fields
    }

    fn collect<'a>(&'a self, path: &mut Vec<String>, fields: &mut Vec<Field<'a>>) {
        let mut below = |key: String, inner: &'a Params| {
            path.push(key);
            inner.collect(path, fields);
            path.pop();
        };
        match self {
            Params::Template(template) => fields.push(Field { path: path.clone(), template }),
            Params::Constant(_) => {}
            Params::List(items) => {
                items.iter().enumerate().for_each(|(at, item)| below(at.to_string(), item))
            }
            Params::Map(pairs) => {
                let name = |key: &Value| key.as_text().unwrap_or_default().to_owned();
                pairs.iter().for_each(|(key, inner)| below(name(key), inner));
            }
        }
    }

    /// The parameters for one output.
    pub fn render(&self, data: &Value) -> Result<Value, String> {
        Ok(match self {
            Params::Template(template) => Value::Str(rendered("parameter", template, data)?),
            Params::Constant(value) => value.clone(),
            Params::List(items) => {
                Value::list(items.iter().map(|item| item.render(data)).collect::<Result<_, _>>()?)
            }
            Params::Map(pairs) => {
                let entries = pairs.iter().map(|(key, params)| Ok((key.clone(), params.render(data)?)));
                Value::Map(Map::from_entries(entries.collect::<Result<_, String>>()?))
            }
        })
    }
}
