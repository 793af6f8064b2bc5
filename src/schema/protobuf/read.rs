//! Protobuf's wire format to values, as the code decodes that gpb generates.
//!
//! Where a number or a fixed field is cut off, gpb's code has no clause, and EMQX throws; where a length goes past
//! the end, a match fails, which is an error. `schema_check` tells the two apart.

use super::{END_GROUP, FIXED32, FIXED64, Field, Kind, Label, Protobuf, SIZED, START_GROUP, Scalar, VARINT};
use crate::schema::Failure;
use crate::schema::budget::Budget;
use crate::value::{Bytes, Map, Value};

pub(super) fn decode(protobuf: &Protobuf, message: usize, data: &Bytes) -> Result<Value, Failure> {
    let mut decoder = Decoder { protobuf, budget: Budget::new() };
    let fields = decoder.message(message, data.clone())?;
    decoder.value(message, fields)
}

/// What a message holds so far, field by field.
type Fields = Vec<Slot>;

#[derive(Clone, Debug)]
enum Slot {
    Absent,
    One(Item),
    Many(Vec<Item>),
    Map(Vec<(Value, Item)>),
}

#[derive(Clone, Debug)]
enum Item {
    Value(Value),
    Message(usize, Fields),
}

/// Bytes being read.
struct Wire {
    data: Bytes,
    at: usize,
}

impl Wire {
    fn new(data: Bytes) -> Wire {
        Wire { data, at: 0 }
    }

    fn is_empty(&self) -> bool {
        self.at == self.data.len()
    }

    /// No clause of gpb's code takes what is left.
    fn cut(&self, what: &str) -> Failure {
        Failure::Throw(format!("the data could not be decoded: {what} at byte {}", self.at))
    }

    /// A number of at most so many bytes.
    fn varint(&mut self, bytes: u32) -> Result<u64, Failure> {
        let mut number: u64 = 0;
        for shift in 0..bytes {
            let byte = *self.data.get(self.at).ok_or_else(|| self.cut("a number is cut off"))?;
            self.at += 1;
            // Bits past the 64th are dropped, as gpb's truncation to the field's size does.
            number |= u64::from(byte & 0x7F).wrapping_shl(7 * shift);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(self.cut("a number is too long"))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Failure> {
        let bytes = self.data.get(self.at..self.at + N).and_then(|bytes| <[u8; N]>::try_from(bytes).ok());
        self.at += if bytes.is_some() { N } else { 0 };
        bytes.ok_or_else(|| self.cut("a field of fixed size is cut off"))
    }

    fn sized(&mut self) -> Result<Bytes, Failure> {
        let size = self.varint(10)?;
        let left = self.data.len() - self.at;
        match usize::try_from(size).ok().filter(|size| *size <= left) {
            Some(size) => {
                self.at += size;
                Ok(self.data.slice(self.at - size..self.at))
            }
            None => Err(Failure::Error(format!(
                "the data ends too early: {size} bytes are wanted at byte {}, {left} are there",
                self.at
            ))),
        }
    }

    fn skip(&mut self, wire_type: u64, number: u64) -> Result<(), Failure> {
        match wire_type {
            VARINT => self.varint(10).map(|_| ()),
            FIXED64 => self.fixed::<8>().map(|_| ()),
            SIZED => self.sized().map(|_| ()),
            FIXED32 => self.fixed::<4>().map(|_| ()),
            START_GROUP => self.group(number).map(|_| ()),
            _ => Err(Failure::Error(format!("a field of wire type {wire_type} at byte {}", self.at))),
        }
    }

    /// What stands before the end of the group of this number; groups inside it do not count (`read_gr_b` of gpb).
    /// Here a field of fixed size that is cut off is a match that fails.
    fn group(&mut self, number: u64) -> Result<Bytes, Failure> {
        let start = self.at;
        loop {
            let end = self.at;
            let tag = self.varint(5)?;
            let size = match tag & 7 {
                END_GROUP if tag >> 3 == number => return Ok(self.data.slice(start..end)),
                START_GROUP | END_GROUP => 0,
                FIXED64 => 8,
                FIXED32 => 4,
                wire_type => {
                    self.skip(wire_type, number)?;
                    0
                }
            };
            if size > self.data.len() - self.at {
                return Err(Failure::Error(format!("the data ends too early at byte {}", self.at)));
            }
            self.at += size;
        }
    }
}

struct Decoder<'a> {
    protobuf: &'a Protobuf,
    budget: Budget,
}

impl Decoder<'_> {
    fn message(&mut self, message: usize, data: Bytes) -> Result<Fields, Failure> {
        self.budget.enter()?;
        let mut wire = Wire::new(data);
        let message = &self.protobuf.messages[message];
        let mut fields = vec![Slot::Absent; message.fields.len()];
        while !wire.is_empty() {
            let tag = wire.varint(5)?;
            let (number, wire_type) = (tag >> 3, tag & 7);
            let known = u32::try_from(number).ok().and_then(|number| message.by_number.get(&number));
            match known.map(|at| (*at, &message.fields[*at])) {
                Some((at, field)) if self.takes(field, wire_type) => {
                    self.budget.value()?;
                    if let Some(oneof) = field.oneof {
                        self.clear(&mut fields, message, oneof, at);
                    }
                    self.field(field, wire_type, &mut wire, &mut fields[at])?;
                }
                _ => wire.skip(wire_type, number)?,
            }
        }
        self.budget.leave();
        self.complete(message, &mut fields);
        Ok(fields)
    }

    fn takes(&self, field: &Field, wire_type: u64) -> bool {
        let packed = matches!(field.label, Label::Repeated { .. }) && field.kind.packs();
        wire_type == field.kind.wire_type() || (packed && wire_type == SIZED)
    }

    /// Of a `oneof` the last one counts.
    fn clear(&self, fields: &mut Fields, message: &super::Message, oneof: usize, but: usize) {
        for (at, field) in message.fields.iter().enumerate() {
            if field.oneof == Some(oneof) && at != but {
                fields[at] = Slot::Absent;
            }
        }
    }

    fn field(
        &mut self,
        field: &Field,
        wire_type: u64,
        wire: &mut Wire,
        slot: &mut Slot,
    ) -> Result<(), Failure> {
        if let Kind::Map(key, value) = &field.kind {
            let entry = self.entry(*key, value, wire.sized()?)?;
            match slot {
                Slot::Map(entries) => set(entries, entry),
                _ => *slot = Slot::Map(vec![entry]),
            }
            return Ok(());
        }
        if !matches!(field.label, Label::Repeated { .. }) {
            let item = self.item(field, wire)?;
            let before = std::mem::replace(slot, Slot::Absent);
            *slot = Slot::One(match before {
                Slot::One(before) => self.merged(before, item),
                _ => item,
            });
            return Ok(());
        }
        let mut items = Vec::new();
        if wire_type == SIZED && field.kind.packs() {
            let mut inner = Wire::new(wire.sized()?);
            while !inner.is_empty() {
                self.budget.value()?;
                items.push(self.item(field, &mut inner)?);
            }
        } else {
            items.push(self.item(field, wire)?);
        }
        match slot {
            Slot::Many(all) => all.extend(items),
            _ => *slot = Slot::Many(items),
        }
        Ok(())
    }

    fn item(&mut self, field: &Field, wire: &mut Wire) -> Result<Item, Failure> {
        match &field.kind {
            Kind::Group(message) => {
                let data = wire.group(field.number.into())?;
                Ok(Item::Message(*message, self.message(*message, data)?))
            }
            kind => self.plain(kind, wire),
        }
    }

    fn plain(&mut self, kind: &Kind, wire: &mut Wire) -> Result<Item, Failure> {
        Ok(Item::Value(match kind {
            Kind::Message(message) | Kind::Group(message) => {
                let data = wire.sized()?;
                return Ok(Item::Message(*message, self.message(*message, data)?));
            }
            Kind::Enum(at) => self.protobuf.enums[*at].symbol(wire.varint(10)? as i32),
            Kind::Scalar(scalar) => scalar.read(wire)?,
            Kind::Map(..) => Value::Undefined,
        }))
    }

    /// An entry of a map is a message of a key and a value; what is missing has its default.
    fn entry(&mut self, key: Scalar, value: &Kind, data: Bytes) -> Result<(Value, Item), Failure> {
        self.budget.enter()?;
        let (mut found_key, mut found) = (None, None);
        let mut wire = Wire::new(data);
        while !wire.is_empty() {
            let tag = wire.varint(5)?;
            match (tag >> 3, tag & 7) {
                (1, wire_type) if wire_type == Kind::Scalar(key).wire_type() => {
                    found_key = Some(key.read(&mut wire)?);
                }
                (2, wire_type) if wire_type == value.wire_type() => {
                    let item = self.plain(value, &mut wire)?;
                    found = Some(match found {
                        Some(before) => self.merged(before, item),
                        None => item,
                    });
                }
                (number, wire_type) => wire.skip(wire_type, number)?,
            }
        }
        self.budget.leave();
        let item = match (found, value) {
            (Some(item), _) => item,
            (None, Kind::Scalar(scalar)) => Item::Value(scalar.default()),
            (None, Kind::Enum(at)) => Item::Value(self.zero(*at)),
            (None, _) => return Err(wire.cut("an entry of a map has no value")),
        };
        Ok((found_key.unwrap_or_else(|| key.default()), item))
    }

    /// The first symbol of an enum, its default in proto3.
    fn zero(&self, at: usize) -> Value {
        let first = self.protobuf.enums[at].symbols.first();
        first.map_or(Value::Int(0), |(name, _)| Value::atom(&String::from_utf8_lossy(name)))
    }

    /// What is not there and has a value all the same.
    fn complete(&self, message: &super::Message, fields: &mut Fields) {
        for (slot, field) in fields.iter_mut().zip(&message.fields) {
            if !matches!(slot, Slot::Absent) {
                continue;
            }
            *slot = match (field.label, &field.kind) {
                (_, Kind::Map(..)) => Slot::Map(Vec::new()),
                (Label::Repeated { .. }, _) => Slot::Many(Vec::new()),
                (Label::Required, _) => Slot::One(Item::Value(Value::static_atom("$undef"))),
                (Label::Implicit, Kind::Scalar(scalar)) => Slot::One(Item::Value(scalar.default())),
                (Label::Implicit, Kind::Enum(at)) => Slot::One(Item::Value(self.zero(*at))),
                (Label::Implicit | Label::Optional, _) => Slot::Absent,
            };
        }
    }

    /// A message that is there twice: the later fields count, lists are joined (`merge_msgs` of gpb).
    fn merged(&self, before: Item, after: Item) -> Item {
        let (Item::Message(message, mut fields), Item::Message(_, later)) = (before, after.clone()) else {
            return after;
        };
        let described = &self.protobuf.messages[message];
        for (at, later) in later.into_iter().enumerate() {
            if let (Slot::One(_), Some(oneof)) = (&later, described.fields[at].oneof) {
                self.clear(&mut fields, described, oneof, at);
            }
            let before = std::mem::replace(&mut fields[at], Slot::Absent);
            fields[at] = match (before, later) {
                (before, Slot::Absent) => before,
                (Slot::One(before), Slot::One(later)) => Slot::One(self.merged(before, later)),
                (Slot::Many(mut all), Slot::Many(later)) => {
                    all.extend(later);
                    Slot::Many(all)
                }
                (Slot::Map(mut all), Slot::Map(later)) => {
                    later.into_iter().for_each(|entry| set(&mut all, entry));
                    Slot::Map(all)
                }
                (_, later) => later,
            };
        }
        Item::Message(message, fields)
    }

    fn value(&self, message: usize, fields: Fields) -> Result<Value, Failure> {
        let described = &self.protobuf.messages[message];
        let mut entries = Vec::with_capacity(fields.len());
        for (field, slot) in described.fields.iter().zip(fields) {
            let value = match slot {
                Slot::Absent => continue,
                Slot::One(item) => self.finished(item)?,
                Slot::Many(items) => {
                    let items: Result<Vec<Value>, Failure> =
                        items.into_iter().map(|item| self.finished(item)).collect();
                    Value::list(items?)
                }
                Slot::Map(items) => {
                    let items: Result<Vec<(Value, Value)>, Failure> = items
                        .into_iter()
                        .map(|(key, item)| Ok((text_key(&field.name, key)?, self.finished(item)?)))
                        .collect();
                    Value::Map(Map::from_entries(items?))
                }
            };
            entries.push((Value::str(&field.name), value));
        }
        Ok(Value::Map(Map::from_entries(entries)))
    }

    fn finished(&self, item: Item) -> Result<Value, Failure> {
        match item {
            Item::Value(value) => Ok(value),
            Item::Message(message, fields) => self.value(message, fields),
        }
    }
}

fn set(entries: &mut Vec<(Value, Item)>, (key, item): (Value, Item)) {
    entries.push((key, item));
}

/// EMQX turns keys into strings; it has no clause for integers (emqx_utils_maps:binary_key_map/1).
fn text_key(field: &str, key: Value) -> Result<Value, Failure> {
    match key {
        Value::Str(_) => Ok(key),
        Value::Bool(true) => Ok(Value::str("true")),
        Value::Bool(false) => Ok(Value::str("false")),
        _ => Err(Failure::Error(format!(
            "the map '{field}' has integers for keys, and EMQX cannot decode such a map unless it is empty"
        ))),
    }
}

impl Scalar {
    fn read(self, wire: &mut Wire) -> Result<Value, Failure> {
        Ok(match self {
            Scalar::Int32 => Value::Int(i64::from(wire.varint(10)? as i32)),
            Scalar::Int64 => Value::Int(wire.varint(10)?.cast_signed()),
            Scalar::Uint32 => Value::Int(i64::from(wire.varint(10)? as u32)),
            Scalar::Uint64 => unsigned(wire.varint(10)?),
            Scalar::Sint32 => {
                let n = wire.varint(10)? as u32;
                Value::Int(i64::from((n >> 1).cast_signed() ^ -((n & 1).cast_signed())))
            }
            Scalar::Sint64 => {
                let n = wire.varint(10)?;
                Value::Int((n >> 1).cast_signed() ^ -((n & 1).cast_signed()))
            }
            Scalar::Fixed32 => Value::Int(u32::from_le_bytes(wire.fixed()?).into()),
            Scalar::Fixed64 => unsigned(u64::from_le_bytes(wire.fixed()?)),
            Scalar::Sfixed32 => Value::Int(i32::from_le_bytes(wire.fixed()?).into()),
            Scalar::Sfixed64 => Value::Int(i64::from_le_bytes(wire.fixed()?)),
            Scalar::Float => float(f32::from_le_bytes(wire.fixed()?).into()),
            Scalar::Double => float(f64::from_le_bytes(wire.fixed()?)),
            Scalar::Bool => Value::Bool(wire.varint(10)? != 0),
            Scalar::String | Scalar::Bytes => Value::Str(wire.sized()?),
        })
    }
}

fn unsigned(n: u64) -> Value {
    i64::try_from(n).map_or_else(|_| Value::integer(n.into()), Value::Int)
}

/// What no Erlang float holds is an atom.
fn float(f: f64) -> Value {
    match f {
        f if f.is_nan() => Value::static_atom("nan"),
        f if f == f64::INFINITY => Value::static_atom("infinity"),
        f if f == f64::NEG_INFINITY => Value::static_atom("-infinity"),
        f => Value::Float(f),
    }
}
