//! Compression: gzip, raw deflate (`zip`) and zlib (`zip_compress`).
//!
//! Invariant: what is unpacked is never longer than [`limits::TEXT_BYTES_MAX`].

use std::io::{Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Decompress, FlushDecompress, Status};

use super::table::builtins;
use super::{Call, FnError, args};
use crate::limits;
use crate::value::Value;

builtins! { pub(super) ROWS, "zip":
    "gzip"(bytes: STR) -> STR, Pure, Both => gzip,
        "The bytes compressed, in the gzip format.",
        ["gunzip(gzip('hello'))" => Ok("\"hello\""), "gzip(1)" => Err("a string")];
    "gunzip"(packed: STR) -> STR, Pure, Both => gunzip,
        "The bytes that stand compressed in the gzip format.",
        ["gunzip(gzip('hello'))" => Ok("\"hello\""), "gunzip('hello')" => Err("gzip data")];
    "zip"(bytes: STR) -> STR, Pure, Both => zip,
        "The bytes compressed by raw deflate, with no header.",
        ["unzip(zip('hello'))" => Ok("\"hello\""), "zip(1)" => Err("a string")];
    "unzip"(packed: STR) -> STR, Pure, Both => |_, a| inflate(a, false, "raw deflate data, as zip() makes"),
        "The bytes that stand compressed by raw deflate.",
        ["unzip(zip('hello'))" => Ok("\"hello\""), "unzip('')" => Err("deflate data")];
    "zip_compress"(bytes: STR) -> STR, Pure, Both => zip_compress,
        "The bytes compressed, in the zlib format.",
        ["zip_uncompress(zip_compress('hello'))" => Ok("\"hello\""), "zip_compress(1)" => Err("a string")];
    "zip_uncompress"(packed: STR) -> STR, Pure, Both =>
        |_, a| inflate(a, true, "zlib data, as zip_compress() makes"),
        "The bytes that stand compressed in the zlib format.",
        [
            "zip_uncompress(zip_compress('hello'))" => Ok("\"hello\""),
            "zip_uncompress('hello')" => Err("zlib data"),
        ];
}

fn packed(done: std::io::Result<Vec<u8>>) -> Result<Value, FnError> {
    done.map(Value::bytes).map_err(|e| FnError::failed(format!("compression failed: {e}")))
}

fn gzip(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    packed(encoder.write_all(args::bytes(args, 0)?).and_then(|()| encoder.finish()))
}

fn zip(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    packed(encoder.write_all(args::bytes(args, 0)?).and_then(|()| encoder.finish()))
}

fn zip_compress(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    packed(encoder.write_all(args::bytes(args, 0)?).and_then(|()| encoder.finish()))
}

/// All members that follow each other; anything after them is refused, as `zlib:gunzip/1` does.
fn gunzip(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let mut out = Vec::new();
    let reader = MultiGzDecoder::new(args::bytes(args, 0)?.as_ref());
    let read = reader.take(limits::TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut out);
    read.map_err(|_| FnError::argument(1, "gzip data, as gzip() makes", &args[0]))?;
    args::within_text(out.len())?;
    Ok(Value::bytes(out))
}

/// One stream, which must end; what follows it is not looked at, as `zlib:unzip/1` and `zlib:uncompress/1` do.
fn inflate(args: &[Value], header: bool, wanted: &str) -> Result<Value, FnError> {
    let broken = || FnError::argument(1, wanted, &args[0]);
    let bytes = args::bytes(args, 0)?;
    let mut stream = Decompress::new(header);
    let mut out = Vec::with_capacity(bytes.len().saturating_mul(2).clamp(64, 1 << 16));
    loop {
        args::within_text(out.len())?;
        if out.len() == out.capacity() {
            out.reserve(out.len());
        }
        let (read, had) = (stream.total_in() as usize, out.len());
        let status =
            stream.decompress_vec(&bytes[read..], &mut out, FlushDecompress::None).map_err(|_| broken())?;
        let stuck = stream.total_in() as usize == read && out.len() == had;
        match status {
            Status::StreamEnd => break,
            _ if stuck => return Err(broken()),
            _ => {}
        }
    }
    args::within_text(out.len())?;
    Ok(Value::bytes(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_stops_at_the_bound() {
        let bomb = |len: usize| {
            let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&vec![0; len]).unwrap();
            Value::bytes(encoder.finish().unwrap())
        };
        assert!(inflate(&[bomb(limits::TEXT_BYTES_MAX)], true, "").is_ok());
        let over = inflate(&[bomb(limits::TEXT_BYTES_MAX + 1)], true, "").unwrap_err();
        assert!(over.to_string().contains("limit"), "{over}");
    }

    #[test]
    fn cut_streams_are_refused() {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(b"hello hello hello").unwrap();
        let whole = encoder.finish().unwrap();
        for len in 0..whole.len() {
            assert!(
                inflate(&[Value::str(&whole[..len])], false, "").is_err(),
                "{len} of {} bytes",
                whole.len()
            );
        }
    }
}
