//! Erlang's external term format, in and out.
//!
//! Atoms are written as ATOM_EXT, as OTP up to 25 writes them; every form is read, also compressed ones. What has no
//! value here (process ids, references, functions, improper lists) is an error.
//!
//! Invariant: depth and sizes are bounded whatever the bytes say.

use std::io::Read;

use num_bigint::Sign;

use super::{FnError, args};
use crate::limits;
use crate::value::{BigInt, Bits, Bytes, Map, Value};

const VERSION: u8 = 131;
const COMPRESSED: u8 = 80;

/// The bytes of a value.
pub(super) fn encode(value: &Value) -> Result<Vec<u8>, FnError> {
    let mut out = vec![VERSION];
    write(&mut out, value, limits::JSON_DEPTH_MAX)?;
    Ok(out)
}

fn length(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.push(tag);
    out.extend_from_slice(&u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes());
}

fn write(out: &mut Vec<u8>, value: &Value, depth: usize) -> Result<(), FnError> {
    let depth = depth.checked_sub(1).ok_or_else(too_deep)?;
    args::within_text(out.len())?;
    match value {
        Value::Int(n) => write_integer(out, *n),
        Value::Big(n) => write_big(out, n),
        Value::Float(f) => {
            out.push(70);
            out.extend_from_slice(&f.to_be_bytes());
        }
        Value::Str(bytes) => {
            length(out, 109, bytes.len());
            out.extend_from_slice(bytes);
        }
        Value::Bits(bits) => {
            length(out, 77, bits.bytes.len());
            out.push((bits.bits % 8) as u8);
            out.extend_from_slice(&bits.bytes);
        }
        Value::Tuple(items) => {
            match u8::try_from(items.len()) {
                Ok(len) => out.extend_from_slice(&[104, len]),
                Err(_) => length(out, 105, items.len()),
            }
            items.iter().try_for_each(|item| write(out, item, depth))?;
        }
        Value::List(items) => write_list(out, items, depth)?,
        Value::Map(map) => {
            length(out, 116, map.len());
            for (key, value) in map.entries() {
                write(out, key, depth)?;
                write(out, value, depth)?;
            }
        }
        atom => write_atom(out, atom.atom_name().unwrap_or_default()),
    }
    Ok(())
}

fn write_integer(out: &mut Vec<u8>, n: i64) {
    if let Ok(byte) = u8::try_from(n) {
        out.extend_from_slice(&[97, byte]);
    } else if let Ok(n) = i32::try_from(n) {
        out.push(98);
        out.extend_from_slice(&n.to_be_bytes());
    } else {
        write_big(out, &BigInt::from(n));
    }
}

fn write_big(out: &mut Vec<u8>, n: &BigInt) {
    let (sign, bytes) = n.to_bytes_le();
    match u8::try_from(bytes.len()) {
        Ok(len) => out.extend_from_slice(&[110, len]),
        Err(_) => length(out, 111, bytes.len()),
    }
    out.push(u8::from(sign == Sign::Minus));
    out.extend_from_slice(&bytes);
}

/// A short list of bytes has a form of its own.
fn write_list(out: &mut Vec<u8>, items: &[Value], depth: usize) -> Result<(), FnError> {
    let byte = |item: &Value| match item {
        Value::Int(n) => u8::try_from(*n).ok(),
        _ => None,
    };
    if items.is_empty() {
        out.push(106);
        return Ok(());
    }
    if let (Ok(len), Some(bytes)) =
        (u16::try_from(items.len()), items.iter().map(byte).collect::<Option<Vec<u8>>>())
    {
        out.push(107);
        out.extend_from_slice(&len.to_be_bytes());
        out.extend_from_slice(&bytes);
        return Ok(());
    }
    length(out, 108, items.len());
    items.iter().try_for_each(|item| write(out, item, depth))?;
    out.push(106);
    Ok(())
}

/// Atoms of Latin-1 text in Latin-1, others in UTF-8.
fn write_atom(out: &mut Vec<u8>, name: &[u8]) {
    let text = String::from_utf8_lossy(name);
    let latin: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let (tag, bytes) = latin.map_or((118, name.to_vec()), |latin| (100, latin));
    out.push(tag);
    out.extend_from_slice(&u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(&bytes);
}

/// The value of the bytes; what follows it is not looked at.
pub(super) fn decode(bytes: &Bytes) -> Result<Value, FnError> {
    let mut reader =
        Reader { bytes: bytes.clone(), depth: limits::JSON_DEPTH_MAX, items: limits::LIST_LENGTH_MAX };
    if reader.byte()? != VERSION {
        return Err(broken());
    }
    if reader.bytes.first() != Some(&COMPRESSED) {
        return reader.value();
    }
    reader.byte()?;
    let size = reader.u32()? as usize;
    args::within_text(size)?;
    let mut plain = Vec::new();
    let packed = flate2::read::ZlibDecoder::new(reader.bytes.as_ref());
    packed.take(size as u64 + 1).read_to_end(&mut plain).map_err(|_| broken())?;
    if plain.len() != size {
        return Err(broken());
    }
    Reader { bytes: Bytes::from(plain), ..reader }.value()
}

fn broken() -> FnError {
    FnError::failed("the bytes are no external term of Erlang's")
}

fn too_deep() -> FnError {
    FnError::failed(format!("the term is nested deeper than rulemill's limit of {}", limits::JSON_DEPTH_MAX))
}

struct Reader {
    bytes: Bytes,
    depth: usize,
    /// Items that may still be read.
    items: usize,
}

impl Reader {
    fn take(&mut self, len: usize) -> Result<Bytes, FnError> {
        if self.bytes.len() < len {
            return Err(broken());
        }
        Ok(self.bytes.split_to(len))
    }

    fn byte(&mut self) -> Result<u8, FnError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<usize, FnError> {
        let b = self.take(2)?;
        Ok(usize::from(u16::from_be_bytes([b[0], b[1]])))
    }

    fn u32(&mut self) -> Result<u32, FnError> {
        let b = self.take(4)?;
        Ok(u32::from_be_bytes([b[0], b[1], b[2], b[3]]))
    }

    /// A count of items, each at least one byte: more than there are bytes is no term.
    fn count(&mut self) -> Result<usize, FnError> {
        let count = self.u32()? as usize;
        if count > self.bytes.len() { Err(broken()) } else { self.counted(count) }
    }

    fn counted(&mut self, count: usize) -> Result<usize, FnError> {
        let left = self.items.checked_sub(count);
        self.items = left.ok_or_else(|| {
            FnError::failed(format!(
                "the term has more items than rulemill's limit of {}",
                limits::LIST_LENGTH_MAX
            ))
        })?;
        Ok(count)
    }

    fn value(&mut self) -> Result<Value, FnError> {
        self.depth = self.depth.checked_sub(1).ok_or_else(too_deep)?;
        let value = match self.byte()? {
            104 => {
                let len = self.byte().map(usize::from)?;
                self.counted(len)?;
                self.items(len).map(Value::tuple)
            }
            105 => {
                let len = self.count()?;
                self.items(len).map(Value::tuple)
            }
            108 => self.list(),
            116 => self.map(),
            tag => self.scalar(tag),
        };
        self.depth += 1;
        value
    }

    /// What holds no other terms: kept apart so that the frames of nested terms stay small.
    fn scalar(&mut self, tag: u8) -> Result<Value, FnError> {
        match tag {
            97 => Ok(Value::Int(i64::from(self.byte()?))),
            98 => Ok(Value::Int(i64::from(self.u32()? as i32))),
            99 => self.old_float(),
            70 => {
                let b = self.take(8)?;
                let f = f64::from_be_bytes(b.as_ref().try_into().map_err(|_| broken())?);
                if f.is_finite() { Ok(Value::Float(f)) } else { Err(broken()) }
            }
            100 => self.u16().and_then(|len| self.atom(len, true)),
            115 => self.byte().and_then(|len| self.atom(len.into(), true)),
            118 => self.u16().and_then(|len| self.atom(len, false)),
            119 => self.byte().and_then(|len| self.atom(len.into(), false)),
            106 => Ok(Value::list(Vec::new())),
            107 => {
                let len = self.u16()?;
                self.counted(len)?;
                Ok(Value::list(self.take(len)?.iter().map(|b| Value::Int(i64::from(*b))).collect()))
            }
            109 => {
                let len = self.u32()? as usize;
                self.take(len).map(Value::Str)
            }
            77 => self.bits(),
            110 => self.byte().and_then(|len| self.big(len.into())),
            111 => self.u32().and_then(|len| self.big(len as usize)),
            88 | 89 | 90 | 101 | 102 | 103 | 112 | 113 | 114 | 117 | 120 => Err(FnError::failed(
                "the term holds a process, port, reference or function of Erlang, which no rule value stands for",
            )),
            _ => Err(broken()),
        }
    }

    fn items(&mut self, len: usize) -> Result<Vec<Value>, FnError> {
        let mut items = Vec::with_capacity(len.min(1024));
        for _ in 0..len {
            items.push(self.value()?);
        }
        Ok(items)
    }

    fn list(&mut self) -> Result<Value, FnError> {
        let len = self.count()?;
        let mut items = self.items(len)?;
        match self.value()? {
            Value::List(tail) => items.extend(tail.iter().cloned()),
            _ => {
                return Err(FnError::failed(
                    "the term holds an improper list, which no rule value stands for",
                ));
            }
        }
        Ok(Value::list(items))
    }

    fn map(&mut self) -> Result<Value, FnError> {
        let len = self.count()?;
        let mut entries = Vec::with_capacity(len.min(1024));
        for _ in 0..len {
            let key = self.value()?;
            entries.push((key, self.value()?));
        }
        let map = Map::from_entries(entries);
        // The runtime refuses a key that comes twice.
        if map.len() == len { Ok(Value::Map(map)) } else { Err(broken()) }
    }

    fn atom(&mut self, len: usize, latin: bool) -> Result<Value, FnError> {
        /// Erlang's own bound, in characters.
        const ATOM_MAX: usize = 255;
        let bytes = self.take(len)?;
        let name = match latin {
            true => bytes.iter().map(|b| char::from(*b)).collect(),
            false => String::from_utf8(bytes.to_vec()).map_err(|_| broken())?,
        };
        if name.chars().count() > ATOM_MAX { Err(broken()) } else { Ok(Value::atom(&name)) }
    }

    fn bits(&mut self) -> Result<Value, FnError> {
        let len = self.u32()? as usize;
        let used = usize::from(self.byte()?);
        let mut bytes = self.take(len)?.to_vec();
        match (used, bytes.last_mut()) {
            (8, _) | (0, None) => Ok(Value::bytes(bytes)),
            (1..=7, Some(last)) => {
                *last &= 0xff << (8 - used);
                Ok(Value::Bits(Bits { bits: (len - 1) * 8 + used, bytes: Bytes::from(bytes) }))
            }
            _ => Err(broken()),
        }
    }

    fn big(&mut self, len: usize) -> Result<Value, FnError> {
        let sign = self.byte()?;
        let bytes = self.take(len)?;
        args::within_bits(bytes.len() as u64 * 8)?;
        let n = BigInt::from_bytes_le(Sign::Plus, &bytes);
        Ok(Value::integer(if sign == 0 { n } else { -n }))
    }

    /// 31 bytes of text, as long ago.
    fn old_float(&mut self) -> Result<Value, FnError> {
        let bytes = self.take(31)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| broken())?.trim_end_matches('\0');
        text.parse::<f64>().ok().filter(|f| f.is_finite()).map(Value::Float).ok_or_else(broken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        let values = [
            Value::Null,
            Value::atom("message.publish"),
            Value::atom("é"),
            Value::atom("你"),
            Value::Int(255),
            Value::Int(-1),
            Value::Int(i64::MIN),
            Value::integer(BigInt::from(1) << 4000),
            Value::Float(-0.5),
            Value::str("ab"),
            Value::Bits(Bits { bytes: Bytes::from_static(&[0xe0]), bits: 3 }),
            Value::list((0..300).map(Value::Int).collect()),
            Value::list(vec![Value::Int(1), Value::Int(2)]),
            Value::list(vec![]),
            Value::tuple((0..300).map(Value::Int).collect()),
            Value::Map(Map::of([("a", Value::list(vec![Value::Map(Map::new())]))])),
        ];
        for value in values {
            assert_eq!(decode(&Bytes::from(encode(&value).unwrap())), Ok(value));
        }
    }

    #[test]
    fn reads_compressed_and_old_forms() {
        use std::io::Write;
        let plain = &encode(&Value::str("a".repeat(1000))).unwrap()[1..];
        let mut packed = vec![VERSION, COMPRESSED];
        packed.extend_from_slice(&(plain.len() as u32).to_be_bytes());
        let mut zlib = flate2::write::ZlibEncoder::new(packed, flate2::Compression::default());
        zlib.write_all(plain).unwrap();
        let packed = zlib.finish().unwrap();
        assert_eq!(decode(&Bytes::from(packed)), Ok(Value::str("a".repeat(1000))));
        let mut old = vec![VERSION, 99];
        old.extend_from_slice(b"1.50000000000000000000e+00\0\0\0\0\0");
        assert_eq!(decode(&Bytes::from(old)), Ok(Value::Float(1.5)));
        assert_eq!(decode(&Bytes::from_static(&[131, 119, 4, b'n', b'u', b'l', b'l', 0])), Ok(Value::Null));
    }

    #[test]
    fn refuses_what_is_broken() {
        let cases: [&[u8]; 9] = [
            b"",
            b"x",
            &[131],
            &[131, 97],
            &[131, 108, 0xff, 0xff, 0xff, 0xff, 97, 1],
            &[131, 108, 0, 0, 0, 1, 97, 1, 97, 2],
            &[131, 80, 0xff, 0xff, 0xff, 0xff],
            &[131, 70, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0],
            &[131, 116, 0, 0, 0, 2, 97, 1, 97, 1, 97, 1, 97, 1],
        ];
        for bytes in cases {
            assert!(decode(&Bytes::copy_from_slice(bytes)).is_err(), "{bytes:?}");
        }
        let deep = |n: usize| [vec![VERSION], [104, 1].repeat(n), vec![106]].concat();
        assert!(decode(&Bytes::from(deep(limits::JSON_DEPTH_MAX - 1))).is_ok());
        assert!(decode(&Bytes::from(deep(limits::JSON_DEPTH_MAX))).is_err());
    }
}
