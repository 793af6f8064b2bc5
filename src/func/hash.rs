//! Hashes, as lower-case hexadecimal digits.
//!
//! Invariant: the names are those of Erlang's crypto application; `sha1` is EMQX's own second name for `sha`.

use md5::{Digest, Md5};
use sha3::digest::{ExtendableOutput, Update, XofReader};

use super::convert::{LOWER, hex_bytes};
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::Value;

builtins! { pub(super) ROWS, "hash":
    "md5"(bytes: STR) -> STR, Pure, Both => |_, a| digest::<Md5>(args::bytes(a, 0)?),
        "The MD5 of the bytes.",
        ["md5('a')" => Ok("\"0cc175b9c0f1b6a831c399e269772661\""), "md5(1)" => Err("a string")];
    "sha"(bytes: STR) -> STR, Pure, Both => |_, a| digest::<sha1::Sha1>(args::bytes(a, 0)?),
        "The SHA-1 of the bytes.",
        ["sha('a')" => Ok("\"86f7e437faa5a7fce15d1ddcb9eaeaea377667b8\""), "sha(1)" => Err("a string")];
    "sha256"(bytes: STR) -> STR, Pure, Both => |_, a| digest::<sha2::Sha256>(args::bytes(a, 0)?),
        "The SHA-256 of the bytes.",
        [
            "sha256('a')" => Ok("\"ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb\""),
            "sha256(1)" => Err("a string"),
        ];
    "hash"(algorithm: STR|ATOM, bytes: ANY) -> STR, Pure, Only5 => hash,
        "The hash of the bytes by an algorithm: md4, md5, ripemd160, sha, sha224, sha256, sha384, sha512, \
         sha512_224, sha512_256, sha3_224, sha3_256, sha3_384, sha3_512, shake128, shake256, blake2b or \
         blake2s.",
        [
            "hash('md5', 'a')" => Ok("\"0cc175b9c0f1b6a831c399e269772661\""),
            "hash('md6', 'a')" => Err("algorithm"),
        ];
}

fn digest<D: Digest>(bytes: &[u8]) -> Result<Value, FnError> {
    Ok(shown(&D::digest(bytes)))
}

fn shown(hash: &[u8]) -> Value {
    Value::bytes(hex_bytes(hash, LOWER))
}

/// A function of any length of output, cut to the length that OpenSSL gives it.
fn extendable<D: Default + Update + ExtendableOutput>(bytes: &[u8], len: usize) -> Result<Value, FnError> {
    let mut hasher = D::default();
    hasher.update(bytes);
    let mut hash = vec![0; len];
    hasher.finalize_xof().read(&mut hash);
    Ok(shown(&hash))
}

fn hash(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    let unknown = || {
        FnError::argument(1, "the name of a hash algorithm, such as 'md5', 'sha256' or 'blake2b'", &args[0])
    };
    let name = args::bytes(args, 0).map_err(|_| unknown())?;
    let bytes = args::iodata(&args[1]);
    let bytes =
        bytes.ok_or_else(|| FnError::argument(2, "a string, or a list of bytes and strings", &args[1]));
    let by: fn(&[u8]) -> Result<Value, FnError> = match name.as_ref() {
        b"md4" => digest::<md4::Md4>,
        b"md5" => digest::<Md5>,
        b"ripemd160" => digest::<ripemd::Ripemd160>,
        b"sha" | b"sha1" => digest::<sha1::Sha1>,
        b"sha224" => digest::<sha2::Sha224>,
        b"sha256" => digest::<sha2::Sha256>,
        b"sha384" => digest::<sha2::Sha384>,
        b"sha512" => digest::<sha2::Sha512>,
        b"sha512_224" => digest::<sha2::Sha512_224>,
        b"sha512_256" => digest::<sha2::Sha512_256>,
        b"sha3_224" => digest::<sha3::Sha3_224>,
        b"sha3_256" => digest::<sha3::Sha3_256>,
        b"sha3_384" => digest::<sha3::Sha3_384>,
        b"sha3_512" => digest::<sha3::Sha3_512>,
        b"shake128" => |bytes| extendable::<sha3::Shake128>(bytes, 16),
        b"shake256" => |bytes| extendable::<sha3::Shake256>(bytes, 32),
        b"blake2b" => digest::<blake2::Blake2b512>,
        b"blake2s" => digest::<blake2::Blake2s256>,
        _ => return Err(unknown()),
    };
    by(&bytes?)
}
