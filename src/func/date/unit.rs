//! Units of time.
//!
//! Invariant: a conversion to a coarser unit goes down, also before 1970, as `erlang:convert_time_unit/3`.

use num_integer::Integer;

use crate::func::{FnError, args};
use crate::profile::Profile;
use crate::value::{BigInt, Value};

/// A unit of time, from the coarsest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unit {
    /// Seconds.
    Second,
    /// Thousandths.
    Millisecond,
    /// Millionths.
    Microsecond,
    /// Thousand-millionths.
    Nanosecond,
}

impl Unit {
    const NAMES: [(Unit, &'static str); 4] = [
        (Unit::Second, "second"),
        (Unit::Millisecond, "millisecond"),
        (Unit::Microsecond, "microsecond"),
        (Unit::Nanosecond, "nanosecond"),
    ];

    /// The unit that an argument names; EMQX 5.8 knows names as lists of characters as well.
    pub(in crate::func) fn of(args: &[Value], at: usize, profile: Profile) -> Result<Unit, FnError> {
        let name = match &args[at] {
            Value::Str(name) => Some(name.to_vec()),
            list @ Value::List(_) if profile.is_5_8() => args::characters(list),
            other => other.atom_name().map(<[u8]>::to_vec),
        };
        let found = Unit::NAMES.into_iter().find(|(_, known)| name.as_deref() == Some(known.as_bytes()));
        found.map(|(unit, _)| unit).ok_or_else(|| {
            FnError::argument(at + 1, "'second', 'millisecond', 'microsecond' or 'nanosecond'", &args[at])
        })
    }

    /// How many make a second.
    pub(in crate::func) fn per_second(self) -> i64 {
        match self {
            Unit::Second => 1,
            Unit::Millisecond => 1_000,
            Unit::Microsecond => 1_000_000,
            Unit::Nanosecond => 1_000_000_000,
        }
    }

    /// Digits of the part of a second.
    pub(in crate::func) fn digits(self) -> usize {
        match self {
            Unit::Second => 0,
            Unit::Millisecond => 3,
            Unit::Microsecond => 6,
            Unit::Nanosecond => 9,
        }
    }

    /// A time in another unit.
    pub(in crate::func) fn convert(self, time: BigInt, to: Unit) -> BigInt {
        (time * to.per_second()).div_floor(&BigInt::from(self.per_second()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conversions_go_down() {
        let convert = |n: i64, from: Unit, to| from.convert(BigInt::from(n), to);
        assert_eq!(convert(1999, Unit::Millisecond, Unit::Second), BigInt::from(1));
        assert_eq!(convert(-1, Unit::Millisecond, Unit::Second), BigInt::from(-1));
        assert_eq!(convert(-1, Unit::Second, Unit::Nanosecond), BigInt::from(-1_000_000_000));
    }
}
