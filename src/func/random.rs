//! Random numbers and ids, from the seed of the context.
//!
//! Invariant: under one seed the answers are the same in every run.

use super::table::builtins;
use super::{Call, FnError};
use crate::value::Value;

builtins! { pub(super) ROWS, "random":
    "random"() -> FLOAT, ReadsRandom, Only5 => random,
        "A random float from 0 up to but not including 1.",
        ["random() >= 0.0" => Ok("true")];
    "uuid_v4"() -> STR, ReadsRandom, Only5 => |call, _| Ok(Value::from(uuid(call, "-"))),
        "A random UUID (version 4).",
        ["strlen(uuid_v4())" => Ok("36")];
    "uuid_v4_no_hyphen"() -> STR, ReadsRandom, Only5 => |call, _| Ok(Value::from(uuid(call, ""))),
        "A random UUID (version 4) without hyphens.",
        ["strlen(uuid_v4_no_hyphen())" => Ok("32")];
}

fn random(call: &mut Call<'_>, _: &[Value]) -> Result<Value, FnError> {
    // The 53 bits that a float can tell apart between 0 and 1.
    Ok(Value::Float((call.ctx.next_random() >> 11) as f64 / (1u64 << 53) as f64))
}

fn uuid(call: &mut Call<'_>, hyphen: &str) -> String {
    let (a, b) = (call.ctx.next_random(), call.ctx.next_random());
    let (version, variant) = (a & !0xf000 | 0x4000, b & !(3 << 62) | 2 << 62);
    let parts = [
        format!("{:08x}", version >> 32),
        format!("{:04x}", version >> 16 & 0xffff),
        format!("{:04x}", version & 0xffff),
        format!("{:04x}", variant >> 48),
        format!("{:012x}", variant & 0xffff_ffff_ffff),
    ];
    parts.join(hyphen)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ctx::Ctx;
    use crate::profile::Profile;

    #[test]
    fn uuids_have_version_and_variant() {
        let mut ctx = Ctx::frozen(0, 7);
        let mut call = Call { ctx: &mut ctx, columns: None, profile: Profile::V5_8 };
        for _ in 0..100 {
            let id = uuid(&mut call, "-");
            let groups: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(groups, [8, 4, 4, 4, 12], "{id}");
            assert_eq!(id.as_bytes()[14], b'4', "{id}");
            assert!(matches!(id.as_bytes()[19], b'8' | b'9' | b'a' | b'b'), "{id}");
        }
    }
}
