//! Numbers of SQL on streams: exact decimals, as HStreamDB's `Scientific` are, so that 0.1 + 0.2 is 0.3.
//!
//! Invariant: a coefficient has no trailing zero, so that equal numbers have equal fields; zero's exponent is 0.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed, Zero};

use crate::limits::DECIMAL_EXPONENT_MAX;

/// `coefficient × 10^exponent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    coefficient: BigInt,
    exponent: i64,
}

impl Decimal {
    fn new(mut coefficient: BigInt, mut exponent: i64) -> Decimal {
        if coefficient.is_zero() {
            return Decimal { coefficient, exponent: 0 };
        }
        while (&coefficient % 10u32).is_zero() {
            coefficient /= 10u32;
            exponent += 1;
        }
        Decimal { coefficient, exponent }
    }

    /// A decimal or scientific notation, such as `-1.5e3`.
    pub fn parse(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let exponent: i64 = exponent.parse().ok()?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let coefficient = format!("{whole}{fraction}").parse().ok()?;
        let exponent = exponent.checked_sub(fraction.len() as i64)?;
        (exponent.abs() <= DECIMAL_EXPONENT_MAX).then(|| Decimal::new(coefficient, exponent))
    }

    /// The shortest decimal that means this double; nothing for what is no number.
    pub fn from_f64(number: f64) -> Option<Decimal> {
        number.is_finite().then(|| Decimal::parse(&format!("{number:e}"))).flatten()
    }

    /// A number of a JSON document.
    pub fn from_json(number: &serde_json::Number) -> Option<Decimal> {
        match (number.as_i64(), number.as_u64()) {
            (Some(n), _) => Some(Decimal::from(n)),
            (None, Some(n)) => Some(Decimal::new(n.into(), 0)),
            (None, None) => Decimal::from_f64(number.as_f64()?),
        }
    }

    /// The nearest double; infinite beyond its range.
    pub fn to_f64(&self) -> f64 {
        format!("{}e{}", self.coefficient, self.exponent).parse().unwrap_or(f64::NAN)
    }

    /// The number as a small integer, where it is one.
    pub fn to_i64(&self) -> Option<i64> {
        let scale = u32::try_from(self.exponent).ok()?;
        i64::try_from(&self.coefficient).ok()?.checked_mul(10i64.checked_pow(scale)?)
    }

    /// The sum; nothing when it would span too many powers of ten.
    pub fn add(&self, other: &Decimal) -> Option<Decimal> {
        let (a, b, exponent) = self.aligned(other)?;
        Some(Decimal::new(a + b, exponent))
    }

    /// The difference, likewise.
    pub fn sub(&self, other: &Decimal) -> Option<Decimal> {
        self.add(&other.neg())
    }

    /// The product, likewise.
    pub fn mul(&self, other: &Decimal) -> Option<Decimal> {
        let product = Decimal::new(&self.coefficient * &other.coefficient, self.exponent + other.exponent);
        let digits = product.coefficient.bits() / 3;
        (product.exponent.abs() <= DECIMAL_EXPONENT_MAX && digits <= DECIMAL_EXPONENT_MAX as u64)
            .then_some(product)
    }

    /// The negative.
    pub fn neg(&self) -> Decimal {
        Decimal { coefficient: -&self.coefficient, exponent: self.exponent }
    }

    /// Without sign.
    pub fn abs(&self) -> Decimal {
        Decimal { coefficient: self.coefficient.abs(), exponent: self.exponent }
    }

    /// -1, 0 or 1.
    pub fn sign(&self) -> i64 {
        self.coefficient.signum().try_into().unwrap_or(0)
    }

    /// The greatest integer that is not above.
    pub fn floor(&self) -> Decimal {
        let Some(divisor) = self.fraction_divisor() else { return self.clone() };
        Decimal::new(num_integer::Integer::div_floor(&self.coefficient, &divisor), 0)
    }

    /// The nearest integer, the even one of two, as Haskell's `round` has it.
    pub fn round_even(&self) -> Decimal {
        let Some(divisor) = self.fraction_divisor() else { return self.clone() };
        let (down, rest) = num_integer::Integer::div_mod_floor(&self.coefficient, &divisor);
        let up = match (rest * 2u32).cmp(&divisor) {
            Ordering::Less => false,
            Ordering::Greater => true,
            Ordering::Equal => num_integer::Integer::is_odd(&down),
        };
        Decimal::new(down + u32::from(up), 0)
    }

    /// The digits of the coefficient, the exponent of the last one, and whether the number is below zero.
    pub(super) fn digits(&self) -> (String, i64, bool) {
        (self.coefficient.magnitude().to_string(), self.exponent, self.coefficient.is_negative())
    }

    fn fraction_divisor(&self) -> Option<BigInt> {
        (self.exponent < 0).then(|| power_of_ten(self.exponent.unsigned_abs()))
    }

    fn aligned(&self, other: &Decimal) -> Option<(BigInt, BigInt, i64)> {
        let exponent = self.exponent.min(other.exponent);
        let scale = |n: &Decimal| {
            let shift = (n.exponent - exponent).unsigned_abs();
            let within = shift <= 2 * DECIMAL_EXPONENT_MAX.unsigned_abs();
            within.then(|| &n.coefficient * power_of_ten(shift))
        };
        Some((scale(self)?, scale(other)?, exponent))
    }
}

impl From<i64> for Decimal {
    fn from(number: i64) -> Decimal {
        Decimal::new(number.into(), 0)
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Decimal) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Decimal) -> Ordering {
        match self.aligned(other) {
            Some((a, b, _)) => a.cmp(&b),
            // So far apart that the doubles tell.
            None => self.to_f64().total_cmp(&other.to_f64()),
        }
    }
}

fn power_of_ten(exponent: u64) -> BigInt {
    num_traits::pow(BigInt::from(10u32), exponent as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn arithmetic_is_exact() {
        assert_eq!(d("0.1").add(&d("0.2")), Some(d("0.3")));
        assert_eq!(d("0.3").sub(&d("0.3")), Some(d("0")));
        assert_eq!(d("1.5").mul(&d("-20")), Some(d("-30")));
        assert_eq!(d("9007199254740993").sub(&d("1")).unwrap().to_i64(), Some(9_007_199_254_740_992));
        assert!(d("2") < d("10") && d("1e300") > d("1e-300") && d("-1") < d("0"));
        assert_eq!(Decimal::from_f64(0.05), Some(d("5e-2")));
        assert_eq!(Decimal::from_f64(f64::NAN), None);
    }

    #[test]
    fn rounding_goes_to_the_even_neighbour() {
        for (text, floor, round) in
            [("2.5", 2, 2), ("3.5", 3, 4), ("-2.5", -3, -2), ("-0.6", -1, -1), ("7e2", 700, 700)]
        {
            assert_eq!(
                (d(text).floor(), d(text).round_even()),
                (Decimal::from(floor), Decimal::from(round)),
                "{text}"
            );
        }
    }

    #[test]
    fn numbers_stay_within_their_bound() {
        let edge = d(&format!("1e{DECIMAL_EXPONENT_MAX}"));
        assert_eq!(edge.mul(&d("1")), Some(edge.clone()));
        assert_eq!(edge.mul(&d("10")), None);
        assert_eq!(Decimal::parse(&format!("1e{}", DECIMAL_EXPONENT_MAX + 1)), None);
        assert_eq!(Decimal::parse("1e99999999999999999999"), None);
        assert!(edge.add(&d("1e-4000")).is_some());
    }
}
