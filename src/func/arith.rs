//! The infix operators, also callable as functions of two arguments, and `eq`.
//!
//! Integers have no bound but [`limits::INTEGER_BITS_MAX`](crate::limits::INTEGER_BITS_MAX); an integer beside a
//! float becomes one; an answer that no finite float can hold is an error, as Erlang's `badarith` is.
//!
//! Invariant: nothing here answers an infinite float or NaN.

use num_traits::Zero;

use super::table::builtins;
use super::{FnError, args};
use crate::profile::Profile;
use crate::value::{BigInt, Value, compare};

builtins! { pub(super) ROWS, "arith":
    "+"(a: ANY, b: ANY) -> NUM|STR|TUPLE, Pure, Only5 => |call, a| add(&a[0], &a[1], call.profile),
        "The sum of two numbers, or two values joined as text if one of them is a string.",
        [
            "1 + 2" => Ok("3"),
            "1 + 0.5" => Ok("1.5"),
            "'a' + 1" => Ok("\"a1\""),
            "true + 1" => Err("a number"),
        ];
    "+"(a: NUM|STR, b: NUM|STR) -> NUM|STR|TUPLE, Pure, Only4 => |call, a| add(&a[0], &a[1], call.profile),
        "The sum of two numbers, or two strings joined.",
        ["1 + 2" => Ok("3"), "'a' + 'b'" => Ok("\"ab\""), "'a' + 1" => Err("str(1)")];
    "-"(a: NUM, b: NUM) -> NUM, Pure, Both => |_, a| subtract(&a[0], &a[1]),
        "The difference of two numbers.",
        ["5 - 2" => Ok("3"), "5 - 0.5" => Ok("4.5"), "'5' - 2" => Err("a number")];
    "*"(a: NUM, b: NUM) -> NUM, Pure, Both => |_, a| multiply(&a[0], &a[1]),
        "The product of two numbers.",
        ["6 * 7" => Ok("42"), "2 * 1.5" => Ok("3.0"), "'6' * 7" => Err("a number")];
    "/"(a: NUM, b: NUM) -> FLOAT, Pure, Both => |_, a| divide(&a[0], &a[1]),
        "The quotient of two numbers, always a float.",
        ["7 / 2" => Ok("3.5"), "4 / 2" => Ok("2.0"), "1 / 0" => Err("by zero")];
    "div"(a: INT, b: INT) -> INT, Pure, Both => |_, a| int_divide(&a[0], &a[1]),
        "The whole quotient of two integers, cut toward zero.",
        ["7 div 2" => Ok("3"), "-7 div 2" => Ok("-3"), "7.5 div 2" => Err("an integer")];
    "mod"(a: INT, b: INT) -> INT, Pure, Both => |_, a| modulo(&a[0], &a[1]),
        "What is left when the first integer is divided by the second, with the sign of the first.",
        ["mod(7, 2)" => Ok("1"), "mod(-7, 2)" => Ok("-1"), "mod(7, 0)" => Err("by zero")];
    "eq"(a: ANY, b: ANY) -> BOOL, Pure, Both => |_, a| Ok(Value::Bool(compare::equal(&a[0], &a[1]))),
        "Are two values equal? Numbers are compared by value, so 1 equals 1.0; values of other kinds are not \
         converted.",
        ["eq(1, 1.0)" => Ok("true"), "eq('1', 1)" => Ok("false")];
}

/// `+`: numbers add; strings join (5.8: any value beside a string is turned into text).
pub fn add(a: &Value, b: &Value, profile: Profile) -> Result<Value, FnError> {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(sum) = x.checked_add(*y)
    {
        return Ok(Value::Int(sum));
    }
    match (a, b) {
        (Value::Str(_), Value::Str(_)) => args::join(&[a, b], profile),
        (Value::Str(_), _) | (_, Value::Str(_)) if profile.is_5_8() => args::join(&[a, b], profile),
        (Value::Str(_), other) | (other, Value::Str(_)) if args::is_number(other) => {
            Err(FnError::failed(format!(
                "EMQX 4.3 adds no number to a string; write str({}) to join them as text",
                args::show_bare(other)
            )))
        }
        _ => numbers(a, b, |x, y| x + y, |x, y| x + y),
    }
}

/// `-`.
pub fn subtract(a: &Value, b: &Value) -> Result<Value, FnError> {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(difference) = x.checked_sub(*y)
    {
        return Ok(Value::Int(difference));
    }
    numbers(a, b, |x, y| x - y, |x, y| x - y)
}

/// `*`.
pub fn multiply(a: &Value, b: &Value) -> Result<Value, FnError> {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(product) = x.checked_mul(*y)
    {
        return Ok(Value::Int(product));
    }
    if let (Value::Big(x), Value::Big(y)) = (a, b) {
        // A product has as many bits as its factors together, or one less: refused before it is computed.
        args::within_bits((x.bits() + y.bits()).saturating_sub(1))?;
    }
    numbers(a, b, |x, y| x * y, |x, y| x * y)
}

/// `/`: always a float. Both sides become floats before they are divided, as in Erlang.
pub fn divide(a: &Value, b: &Value) -> Result<Value, FnError> {
    let (x, y) = (args::to_float(a, 1)?, args::to_float(b, 2)?);
    if y == 0.0 {
        return Err(by_zero());
    }
    finite(x / y)
}

/// `div`: integers, toward zero.
pub fn int_divide(a: &Value, b: &Value) -> Result<Value, FnError> {
    integers(a, b, i64::checked_div, |x, y| x / y)
}

/// `mod`: the remainder, with the sign of the left side.
pub fn modulo(a: &Value, b: &Value) -> Result<Value, FnError> {
    integers(a, b, i64::checked_rem, |x, y| x % y)
}

/// Unary minus.
pub fn negate(a: &Value) -> Result<Value, FnError> {
    match a {
        Value::Float(f) => Ok(Value::Float(-f)),
        Value::Int(_) | Value::Big(_) => subtract(&Value::Int(0), a),
        other => Err(FnError::argument(1, "a number", other)),
    }
}

/// Two numbers, as whole numbers if both are.
fn numbers(
    a: &Value,
    b: &Value,
    whole: impl Fn(BigInt, BigInt) -> BigInt,
    float: impl Fn(f64, f64) -> f64,
) -> Result<Value, FnError> {
    if !matches!((a, b), (Value::Float(_), _) | (_, Value::Float(_)))
        && let (Some(x), Some(y)) = (a.to_bigint(), b.to_bigint())
    {
        let answer = whole(x, y);
        args::within_bits(answer.bits())?;
        return Ok(Value::integer(answer));
    }
    finite(float(args::to_float(a, 1)?, args::to_float(b, 2)?))
}

fn integers(
    a: &Value,
    b: &Value,
    small: impl Fn(i64, i64) -> Option<i64>,
    big: impl Fn(BigInt, BigInt) -> BigInt,
) -> Result<Value, FnError> {
    if let (Value::Int(x), Value::Int(y)) = (a, b)
        && let Some(answer) = small(*x, *y)
    {
        return Ok(Value::Int(answer));
    }
    let x = a.to_bigint().ok_or_else(|| FnError::argument(1, "an integer", a))?;
    let y = b.to_bigint().ok_or_else(|| FnError::argument(2, "an integer", b))?;
    if y.is_zero() {
        return Err(by_zero());
    }
    Ok(Value::integer(big(x, y)))
}

fn by_zero() -> FnError {
    FnError::failed("division by zero")
}

/// A float that is a value.
pub(super) fn finite(f: f64) -> Result<Value, FnError> {
    if f.is_finite() {
        Ok(Value::Float(f))
    } else {
        Err(FnError::failed("the answer is too large for a float"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn big(text: &str) -> Value {
        Value::integer(text.parse().unwrap())
    }

    fn is_err<T>(answer: Result<T, FnError>, part: &str) -> bool {
        matches!(answer, Err(e) if e.to_string().contains(part))
    }

    #[test]
    fn integers_grow_past_64_bits() {
        let max = Value::Int(i64::MAX);
        assert_eq!(add(&max, &Value::Int(1), Profile::V5_8), Ok(big("9223372036854775808")));
        assert_eq!(subtract(&big("9223372036854775808"), &Value::Int(1)), Ok(max.clone()));
        assert_eq!(multiply(&max, &max), Ok(big("85070591730234615847396907784232501249")));
        assert_eq!(negate(&Value::Int(i64::MIN)), Ok(big("9223372036854775808")));
        assert_eq!(int_divide(&Value::Int(i64::MIN), &Value::Int(-1)), Ok(big("9223372036854775808")));
        assert_eq!(modulo(&Value::Int(i64::MIN), &Value::Int(-1)), Ok(Value::Int(0)));
        assert_eq!(divide(&big("100000000000000000000"), &Value::Int(10)), Ok(Value::Float(1e19)));
    }

    #[test]
    fn floats_never_overflow_silently() {
        let huge = Value::Float(1e308);
        assert!(is_err(multiply(&huge, &Value::Int(10)), "too large"));
        assert!(is_err(divide(&huge, &Value::Float(1e-10)), "too large"));
        let googol4 = big(&format!("1{}", "0".repeat(400)));
        assert!(is_err(add(&googol4, &Value::Float(1.0), Profile::V5_8), "float can hold"));
        assert!(is_err(divide(&googol4, &googol4), "float can hold"));
        assert_eq!(negate(&Value::Float(0.0)).unwrap().to_bigint(), None);
    }

    #[test]
    fn integers_stop_at_the_bound() {
        let half = Value::integer(BigInt::from(1) << (limits::INTEGER_BITS_MAX / 2));
        let short = Value::integer(BigInt::from(1) << (limits::INTEGER_BITS_MAX / 2 - 1));
        assert!(multiply(&half, &short).is_ok());
        assert!(is_err(multiply(&half, &half), "limit"));
        let full = Value::integer((BigInt::from(1) << limits::INTEGER_BITS_MAX) - 1);
        assert!(subtract(&full, &Value::Int(1)).is_ok());
        assert!(is_err(add(&full, &Value::Int(1), Profile::V4_3), "limit"));
    }

    #[test]
    fn plus_joins_by_profile() {
        let (a, one) = (Value::str("a"), Value::Int(1));
        assert_eq!(add(&a, &one, Profile::V5_8), Ok(Value::str("a1")));
        assert_eq!(add(&Value::Float(1.5), &a, Profile::V5_8), Ok(Value::str("1.5a")));
        assert!(is_err(add(&a, &one, Profile::V4_3), "str(1)"));
        assert!(is_err(add(&Value::Null, &one, Profile::V5_8), "argument 1 must be a number, not null"));
        let broken = add(&Value::str([0xff]), &a, Profile::V5_8).unwrap();
        assert_eq!(broken.kind_name(), "tuple", "text that is no UTF-8 is Erlang's error tuple");
    }
}
