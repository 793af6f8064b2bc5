//! How much a value stands for, its parts counted wherever they stand.
//!
//! Containers share their parts: `[a, a]` of a list costs nothing, and forty such steps describe more than any
//! machine can write down, compare or walk.

use super::Value;
use crate::limits;

/// Bytes of one value, whatever it holds.
const PART_BYTES: u64 = 32;

/// Why a value is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooMuch {
    /// There is no room for it.
    Bytes,
    /// It is nested deeper than [`limits::JSON_DEPTH_MAX`].
    Depth,
}

/// Takes the bytes that a value stands for from the room that is left.
#[inline]
pub fn spend(room: &mut u64, value: &Value) -> Result<(), TooMuch> {
    match value {
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => Ok(()),
        other => spend_nested(room, other, limits::JSON_DEPTH_MAX),
    }
}

fn spend_nested(room: &mut u64, value: &Value, depth: usize) -> Result<(), TooMuch> {
    let own = match value {
        Value::Big(n) => n.bits() / 8,
        Value::Atom(text) | Value::Str(text) => text.len() as u64,
        Value::Bits(bits) => bits.bytes.len() as u64,
        _ => 0,
    };
    *room = room.checked_sub(PART_BYTES + own).ok_or(TooMuch::Bytes)?;
    let inner = || depth.checked_sub(1).ok_or(TooMuch::Depth);
    match value {
        Value::List(items) | Value::Tuple(items) => {
            let depth = inner()?;
            items.iter().try_for_each(|item| spend_nested(room, item, depth))
        }
        Value::Map(map) => {
            let depth = inner()?;
            map.entries().iter().try_for_each(|(key, value)| {
                spend_nested(room, key, depth)?;
                spend_nested(room, value, depth)
            })
        }
        _ => Ok(()),
    }
}
