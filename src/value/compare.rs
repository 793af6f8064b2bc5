//! Erlang's orders and equalities.
//!
//! `exactly_equal` is `=:=`, `equal` is `==` (1 = 1.0), `term_order` is `<` over all terms:
//! number < atom < tuple < map < list < bit string.

use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{FromPrimitive, Signed};

use super::{Bits, Map, Value};

/// Erlang's `=:=`.
pub fn exactly_equal(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Big(a), Value::Big(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Str(a), Value::Str(b)) => a == b,
        (Value::Bits(a), Value::Bits(b)) => a == b,
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => a == b,
        (Value::Map(a), Value::Map(b)) => a == b,
        _ => matches!((a.atom_name(), b.atom_name()), (Some(a), Some(b)) if a == b),
    }
}

/// Erlang's `==`.
pub fn equal(a: &Value, b: &Value) -> bool {
    term_order(a, b) == Ordering::Equal
}

fn rank(v: &Value) -> u8 {
    match v {
        Value::Int(_) | Value::Big(_) | Value::Float(_) => 0,
        Value::Undefined | Value::Null | Value::Bool(_) | Value::Atom(_) => 1,
        Value::Tuple(_) => 2,
        Value::Map(_) => 3,
        Value::List(_) => 4,
        Value::Str(_) | Value::Bits(_) => 5,
    }
}

/// Erlang's order over all terms, numbers by value.
pub fn term_order(a: &Value, b: &Value) -> Ordering {
    order(a, b, false)
}

/// The order of map keys: like [`term_order`], but an integer is before the float of the same value.
pub fn key_order(a: &Value, b: &Value) -> Ordering {
    order(a, b, true)
}

fn order(a: &Value, b: &Value, exact: bool) -> Ordering {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Str(a), Value::Str(b)) => a.as_ref().cmp(b.as_ref()),
        (Value::Tuple(a), Value::Tuple(b)) => a.len().cmp(&b.len()).then_with(|| items_order(a, b, exact)),
        (Value::List(a), Value::List(b)) => items_order(a, b, exact),
        (Value::Map(a), Value::Map(b)) => map_order(a, b, exact),
        _ => rank(a).cmp(&rank(b)).then_with(|| match rank(a) {
            0 if exact => key_number_order(a, b),
            0 => number_order(a, b),
            1 => a.atom_name().cmp(&b.atom_name()),
            _ => bit_order(a, b),
        }),
    }
}

fn items_order(a: &[Value], b: &[Value], exact: bool) -> Ordering {
    let first = a.iter().zip(b).map(|(x, y)| order(x, y, exact)).find(|o| *o != Ordering::Equal);
    first.unwrap_or_else(|| a.len().cmp(&b.len()))
}

/// Maps: by size, then by all keys, then by all values in key order.
fn map_order(a: &Map, b: &Map, exact: bool) -> Ordering {
    let (a, b) = (a.entries(), b.entries());
    a.len().cmp(&b.len()).then_with(|| {
        let keys = a.iter().zip(b).map(|(x, y)| order(&x.0, &y.0, true));
        let values = a.iter().zip(b).map(|(x, y)| order(&x.1, &y.1, exact));
        keys.chain(values).find(|o| *o != Ordering::Equal).unwrap_or(Ordering::Equal)
    })
}

/// All integers come before all floats as map keys (erts `erts_cmp_compound` with exact terms).
fn key_number_order(a: &Value, b: &Value) -> Ordering {
    let is_float = |v: &Value| matches!(v, Value::Float(_));
    is_float(a).cmp(&is_float(b)).then_with(|| number_order(a, b))
}

/// The order of two numbers by value, exact also beyond 2^53.
pub fn number_order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b).unwrap_or(Ordering::Equal),
        (Value::Float(f), n) => number_order(n, &Value::Float(*f)).reverse(),
        (n, Value::Float(f)) => integer_float_order(n, *f),
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        (Value::Big(a), Value::Int(_)) => {
            if a.is_negative() {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (Value::Int(_), Value::Big(b)) => {
            if b.is_negative() {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (Value::Big(a), Value::Big(b)) => a.cmp(b),
        _ => Ordering::Equal,
    }
}

fn integer_float_order(n: &Value, f: f64) -> Ordering {
    const EXACT: i64 = 1 << 53;
    if let Value::Int(n) = n
        && (-EXACT..=EXACT).contains(n)
    {
        return (*n as f64).partial_cmp(&f).unwrap_or(Ordering::Equal);
    }
    let whole = BigInt::from_f64(f.trunc()).unwrap_or_default();
    let n = n.to_bigint().unwrap_or_default();
    n.cmp(&whole).then_with(|| 0.0.partial_cmp(&f.fract()).unwrap_or(Ordering::Equal))
}

fn bit_order(a: &Value, b: &Value) -> Ordering {
    let parts = |v: &Value| match v {
        Value::Str(s) => Bits { bytes: s.clone(), bits: s.len() * 8 },
        Value::Bits(bits) => bits.clone(),
        _ => Bits { bytes: super::Bytes::new(), bits: 0 },
    };
    let (a, b) = (parts(a), parts(b));
    a.bytes.as_ref().cmp(b.bytes.as_ref()).then_with(|| a.bits.cmp(&b.bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn big(text: &str) -> Value {
        Value::integer(text.parse().unwrap())
    }

    #[test]
    fn terms_are_ordered_by_kind_then_value() {
        let ordered = [
            big("-99999999999999999999999"),
            Value::Int(-1),
            Value::Float(0.5),
            Value::Int(1),
            big("99999999999999999999999"),
            Value::Bool(false),
            Value::Null,
            Value::Bool(true),
            Value::Undefined,
            Value::tuple(vec![]),
            Value::Map(Map::new()),
            Value::list(vec![]),
            Value::list(vec![Value::Int(1)]),
            Value::str(""),
            Value::str("a"),
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(term_order(a, b), i.cmp(&j), "{a:?} against {b:?}");
            }
        }
    }

    #[test]
    fn integers_and_floats_compare_exactly() {
        assert!(equal(&Value::Int(1), &Value::Float(1.0)));
        assert!(!exactly_equal(&Value::Int(1), &Value::Float(1.0)));
        assert!(!equal(&Value::Int((1 << 53) + 1), &Value::Float((1u64 << 53) as f64)));
        assert_eq!(term_order(&big("100000000000000000001"), &Value::Float(1e20)), Ordering::Greater);
    }
}
