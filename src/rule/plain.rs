//! Nodes of files as plain EMQX values.

use num_traits::ToPrimitive;

use crate::diag::{Diagnostic, codes};
use crate::document::{Data, Node};
use crate::value::{Map, Value};

/// The value of a node: strings are strings, keys are strings, `null` is JSON's null.
pub fn value(node: &Node) -> Result<Value, Box<Diagnostic>> {
    Ok(match &node.data {
        Data::Null => Value::Null,
        Data::Bool(b) => Value::Bool(*b),
        Data::Int(_, n) => n.to_i64().map_or_else(|| Value::integer((**n).clone()), Value::Int),
        Data::Float(raw, f) => finite(raw, *f, node)?,
        Data::Text(text) => Value::str(&**text),
        Data::List(items) => Value::list(items.iter().map(value).collect::<Result<_, _>>()?),
        Data::Map(entries) => {
            let pairs = entries.iter().map(|entry| Ok((Value::str(&*entry.key), value(&entry.value)?)));
            Value::Map(Map::from_entries(pairs.collect::<Result<_, Box<Diagnostic>>>()?))
        }
    })
}

/// A float that EMQX can hold.
pub fn finite(raw: &str, f: f64, node: &Node) -> Result<Value, Box<Diagnostic>> {
    match f.is_finite() {
        true => Ok(Value::Float(f)),
        false => {
            let message = format!("{raw} is no number that EMQX can hold");
            Err(Box::new(Diagnostic::error(codes::BAD_VALUE, message).at(node.span, "")))
        }
    }
}
