//! Avro's binary encoding to values (avro_binary_decoder).

use num_bigint::BigInt;

use super::{Avro, Type};
use crate::schema::Failure;
use crate::schema::budget::Budget;
use crate::value::{Bytes, Map, Value};

pub(super) fn decode(avro: &Avro, data: Bytes) -> Result<Value, Failure> {
    let mut reader = Reader { avro, data, at: 0, budget: Budget::new() };
    let value = reader.value(&avro.root)?;
    match reader.data.len() - reader.at {
        0 => Ok(value),
        left => Err(Failure::error(format!("{left} bytes are left behind the value"))),
    }
}

struct Reader<'a> {
    avro: &'a Avro,
    data: Bytes,
    at: usize,
    budget: Budget,
}

impl Reader<'_> {
    fn value(&mut self, kind: &Type) -> Result<Value, Failure> {
        self.budget.value()?;
        Ok(match kind {
            Type::Null => Value::Null,
            Type::Boolean => Value::Bool(self.take(1)?.as_ref() == [1]),
            // An int of erlavro may fill all bits of its five bytes.
            Type::Int => number(self.varint(5)?),
            Type::Long => number(self.varint(10)?),
            Type::Float => {
                let bytes = self.take(4)?;
                finite(<[u8; 4]>::try_from(bytes.as_ref()).map(|b| f64::from(f32::from_le_bytes(b))).ok())?
            }
            Type::Double => {
                let bytes = self.take(8)?;
                finite(<[u8; 8]>::try_from(bytes.as_ref()).map(f64::from_le_bytes).ok())?
            }
            Type::Bytes | Type::String => Value::Str(self.bytes()?),
            Type::Fixed(size) => Value::Str(self.take(*size)?),
            Type::Enum(symbols) => {
                let index = self.varint(5)?;
                let symbol = usize::try_from(index).ok().and_then(|at| symbols.get(at)).ok_or_else(|| {
                    Failure::error(format!("the enum has {} symbols, none of number {index}", symbols.len()))
                })?;
                Value::str(symbol)
            }
            Type::Union(members) => {
                let index = self.varint(10)?;
                let member = usize::try_from(index).ok().and_then(|at| members.get(at)).ok_or_else(|| {
                    Failure::error(format!("the union has {} members, none of number {index}", members.len()))
                })?;
                self.nested(|reader| reader.value(member))?
            }
            Type::Array(items) => {
                let mut list = Vec::new();
                self.nested(|reader| {
                    reader.blocks(|reader| {
                        list.push(reader.value(items)?);
                        Ok(())
                    })
                })?;
                Value::list(list)
            }
            Type::Map(values) => {
                let mut entries = Vec::new();
                self.nested(|reader| {
                    reader.blocks(|reader| {
                        let key = Value::Str(reader.bytes()?);
                        entries.push((key, reader.value(values)?));
                        Ok(())
                    })
                })?;
                Value::Map(Map::from_entries(entries))
            }
            Type::Record(fields) => {
                let mut entries = Vec::with_capacity(fields.len());
                self.nested(|reader| {
                    for field in fields {
                        entries.push((Value::str(&field.name), reader.value(&field.kind)?));
                    }
                    Ok(())
                })?;
                Value::Map(Map::from_entries(entries))
            }
            Type::Named(name) => {
                let kind = self.avro.named(name)?;
                return self.nested(|reader| reader.value(kind));
            }
        })
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Failure>) -> Result<T, Failure> {
        self.budget.enter()?;
        let value = read(self)?;
        self.budget.leave();
        Ok(value)
    }

    /// Blocks of items up to one of none. A negative count is followed by the block's size, which nobody needs.
    fn blocks(&mut self, mut item: impl FnMut(&mut Self) -> Result<(), Failure>) -> Result<(), Failure> {
        loop {
            let count = self.varint(10)?;
            if count == 0 {
                return Ok(());
            }
            if count < 0 {
                self.varint(10)?;
            }
            let mut left = count.unsigned_abs();
            while left > 0 {
                item(self)?;
                left -= 1;
            }
            self.budget.value()?;
        }
    }

    fn take(&mut self, size: usize) -> Result<Bytes, Failure> {
        let left = self.data.len() - self.at;
        if size > left {
            return Err(Failure::error(format!(
                "the data ends too early: {size} bytes are wanted at byte {}, {left} are there",
                self.at
            )));
        }
        self.at += size;
        Ok(self.data.slice(self.at - size..self.at))
    }

    fn bytes(&mut self) -> Result<Bytes, Failure> {
        let at = self.at;
        let size = self.varint(10)?;
        match usize::try_from(size) {
            Ok(size) => self.take(size),
            Err(_) => Err(Failure::error(format!("byte {at} gives a length of {size}"))),
        }
    }

    /// A zigzag number of at most so many bytes.
    fn varint(&mut self, bytes: u32) -> Result<i128, Failure> {
        let start = self.at;
        let mut number: u128 = 0;
        for shift in 0..bytes {
            let byte = self.take(1)?[0];
            number |= u128::from(byte & 0x7F) << (7 * shift);
            if byte < 0x80 {
                let half = i128::try_from(number >> 1).unwrap_or_default();
                return Ok(if number & 1 == 1 { -half - 1 } else { half });
            }
        }
        Err(Failure::error(format!("the number at byte {start} has more than {bytes} bytes")))
    }
}

fn number(n: i128) -> Value {
    i64::try_from(n).map_or_else(|_| Value::integer(BigInt::from(n)), Value::Int)
}

/// Erlang's bit syntax matches no float that is not finite.
fn finite(float: Option<f64>) -> Result<Value, Failure> {
    match float.filter(|f| f.is_finite()) {
        Some(f) => Ok(Value::Float(f)),
        None => Err(Failure::error("a float is infinite or no number, which Erlang does not read")),
    }
}
