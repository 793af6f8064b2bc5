//! The outputs of one statement.
//!
//! A list whose names are known ahead keeps only the values: its maps are made when someone asks for them, and its
//! JSON is written without them.

use std::sync::Arc;

use crate::program::{Output, PlainList};
use crate::value::encode::{self, NotJson};
use crate::value::{Map, Value};

/// Zero or more outputs, in order.
#[derive(Clone, Debug)]
pub struct Outputs(Rows);

#[derive(Clone, Debug)]
enum Rows {
    /// `values` holds the fields of all rows, one row after the other.
    Plain {
        list: Arc<PlainList>,
        values: Vec<Value>,
    },
    Maps(Vec<Map>),
}

impl Outputs {
    /// Outputs made as maps.
    pub fn of_maps(maps: Vec<Map>) -> Outputs {
        Outputs(Rows::Maps(maps))
    }

    /// Rows of a plain list, the fields of each in the list's order.
    pub(super) fn of_rows(list: &Arc<PlainList>, values: Vec<Value>) -> Outputs {
        Outputs(Rows::Plain { list: list.clone(), values })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.0 {
            // A list has at least one field.
            Rows::Plain { list, values } => values.len() / list.fields.len().max(1),
            Rows::Maps(maps) => maps.len(),
        }
    }

    /// Are there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The output at a position, as a map.
    pub fn get(&self, at: usize) -> Option<Map> {
        match &self.0 {
            Rows::Plain { list, .. } => Some(assemble(&list.output, self.row(at)?)),
            Rows::Maps(maps) => maps.get(at).cloned(),
        }
    }

    /// All of them, as maps.
    pub fn iter(&self) -> impl Iterator<Item = Map> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }

    /// Appends the JSON of the output at a position.
    pub fn write_json(&self, at: usize, out: &mut Vec<u8>) -> Result<(), NotJson> {
        match &self.0 {
            Rows::Plain { list, .. } => write_row(out, &list.output, self.row(at).unwrap_or_default()),
            Rows::Maps(maps) => maps.get(at).map_or(Ok(()), |map| encode::write_object(out, map)),
        }
    }

    fn row(&self, at: usize) -> Option<&[Value]> {
        match &self.0 {
            Rows::Plain { list, values } => {
                let width = list.fields.len();
                values.get(at * width..(at + 1) * width)
            }
            Rows::Maps(_) => None,
        }
    }
}

impl PartialEq for Outputs {
    fn eq(&self, other: &Outputs) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

/// The map of a row's values.
pub(super) fn assemble(output: &[Output], row: &[Value]) -> Map {
    Map::from_sorted(output.iter().map(|out| {
        let value = out.below.iter().rev().fold(row[out.field].clone(), |value, key| {
            Value::Map(Map::from_sorted([(Value::Str(key.clone()), value)]))
        });
        (out.key.clone(), value)
    }))
}

/// The JSON that the map of a row would have.
fn write_row(out: &mut Vec<u8>, output: &[Output], row: &[Value]) -> Result<(), NotJson> {
    out.push(b'{');
    for (at, field) in output.iter().rev().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(&field.json_key);
        encode::write(out, &row[field.field])?;
        encode::within_length(out)?;
        out.extend(std::iter::repeat_n(b'}', field.below.len()));
    }
    out.push(b'}');
    Ok(())
}
