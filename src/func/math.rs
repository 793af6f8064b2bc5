//! Mathematics over floats, and rounding to integers.
//!
//! Invariant: where the answer would be infinite or no number, the call fails, as Erlang's `badarith`.

use num_traits::{FromPrimitive, Signed};

use super::arith::finite;
use super::table::builtins;
use super::{Call, FnError, args};
use crate::value::{BigInt, Value};

builtins! { pub(super) ROWS, "math":
    "abs"(x: INT) -> INT, Pure, Both => abs,
        "The absolute value of an integer. A float is refused, as EMQX refuses it.",
        ["abs(-12)" => Ok("12"), "abs(-1.2)" => Err("an integer")];
    "acos"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::acos),
        "The arc cosine of a number from -1 to 1, in radians.",
        ["acos(1)" => Ok("0.0"), "acos(2)" => Err("no number")];
    "acosh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, acosh),
        "The inverse hyperbolic cosine of a number from 1 on.",
        ["acosh(1)" => Ok("0.0"), "acosh(0)" => Err("no number")];
    "asin"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::asin),
        "The arc sine of a number from -1 to 1, in radians.",
        ["asin(0)" => Ok("0.0"), "asin(2)" => Err("no number")];
    "asinh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, asinh),
        "The inverse hyperbolic sine.",
        ["asinh(0)" => Ok("0.0"), "asinh('0')" => Err("a number")];
    "atan"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::atan),
        "The arc tangent, in radians.",
        ["atan(0)" => Ok("0.0"), "atan('0')" => Err("a number")];
    "atanh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::atanh),
        "The inverse hyperbolic tangent of a number between -1 and 1.",
        ["atanh(0)" => Ok("0.0"), "atanh(1)" => Err("too large")];
    "ceil"(x: NUM) -> INT, Pure, Both => |_, a| whole(a, f64::ceil),
        "The smallest integer that is not below the number.",
        ["ceil(1.2)" => Ok("2"), "ceil(-1.2)" => Ok("-1"), "ceil('1.2')" => Err("a number")];
    "cos"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::cos),
        "The cosine of an angle in radians.",
        ["cos(0)" => Ok("1.0"), "cos('0')" => Err("a number")];
    "cosh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::cosh),
        "The hyperbolic cosine.",
        ["cosh(0)" => Ok("1.0"), "cosh(1000)" => Err("too large")];
    "exp"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::exp),
        "e to the power of a number.",
        ["exp(0)" => Ok("1.0"), "exp(1000)" => Err("too large")];
    "floor"(x: NUM) -> INT, Pure, Both => |_, a| whole(a, f64::floor),
        "The largest integer that is not above the number.",
        ["floor(1.7)" => Ok("1"), "floor(-1.2)" => Ok("-2"), "floor('1.2')" => Err("a number")];
    "fmod"(x: NUM, y: NUM) -> FLOAT, Pure, Both => |_, a| apply2(a, |x, y| x % y),
        "What is left when the first number is divided by the second, as a float with the sign of the first.",
        ["fmod(7.5, 2)" => Ok("1.5"), "fmod(-7, 2)" => Ok("-1.0"), "fmod(7, 0)" => Err("no number")];
    "log"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::ln),
        "The natural logarithm of a positive number.",
        ["log(1)" => Ok("0.0"), "log(0)" => Err("too large"), "log(-1)" => Err("no number")];
    "log10"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::log10),
        "The logarithm to base 10 of a positive number.",
        ["log10(1000)" => Ok("3.0"), "log10(-1)" => Err("no number")];
    "log2"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::log2),
        "The logarithm to base 2 of a positive number.",
        ["log2(8)" => Ok("3.0"), "log2(-1)" => Err("no number")];
    "power"(x: NUM, y: NUM) -> FLOAT, Pure, Both => |_, a| apply2(a, f64::powf),
        "The first number to the power of the second, as a float.",
        ["power(2, 3)" => Ok("8.0"), "power(0, -1)" => Err("too large")];
    "round"(x: NUM) -> INT, Pure, Both => |_, a| whole(a, f64::round),
        "The nearest integer; halves go away from zero.",
        ["round(2.5)" => Ok("3"), "round(-2.5)" => Ok("-3"), "round('2.5')" => Err("a number")];
    "sin"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::sin),
        "The sine of an angle in radians.",
        ["sin(0)" => Ok("0.0"), "sin('0')" => Err("a number")];
    "sinh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::sinh),
        "The hyperbolic sine.",
        ["sinh(0)" => Ok("0.0"), "sinh(1000)" => Err("too large")];
    "sqrt"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::sqrt),
        "The square root of a number that is not negative.",
        ["sqrt(9)" => Ok("3.0"), "sqrt(-1)" => Err("no number")];
    "tan"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::tan),
        "The tangent of an angle in radians.",
        ["tan(0)" => Ok("0.0"), "tan('0')" => Err("a number")];
    "tanh"(x: NUM) -> FLOAT, Pure, Both => |_, a| apply(a, f64::tanh),
        "The hyperbolic tangent.",
        ["tanh(0)" => Ok("0.0"), "tanh('0')" => Err("a number")];
}

fn abs(_: &mut Call<'_>, args: &[Value]) -> Result<Value, FnError> {
    match &args[0] {
        Value::Int(n) if *n != i64::MIN => Ok(Value::Int(n.abs())),
        _ => Ok(Value::integer(args::integer(args, 0)?.abs())),
    }
}

fn apply(args: &[Value], f: impl Fn(f64) -> f64) -> Result<Value, FnError> {
    defined(f(args::float(args, 0)?))
}

fn apply2(args: &[Value], f: impl Fn(f64, f64) -> f64) -> Result<Value, FnError> {
    defined(f(args::float(args, 0)?, args::float(args, 1)?))
}

/// Past this the square root in the textbook formulas drowns in the number itself, and could overflow.
const VAST: f64 = 268_435_456.0;

fn acosh(x: f64) -> f64 {
    if x > VAST { x.ln() + std::f64::consts::LN_2 } else { x.acosh() }
}

fn asinh(x: f64) -> f64 {
    if x.abs() > VAST { (x.abs().ln() + std::f64::consts::LN_2).copysign(x) } else { x.asinh() }
}

fn defined(answer: f64) -> Result<Value, FnError> {
    if answer.is_nan() {
        return Err(FnError::failed(
            "the answer is no number: an argument is outside what the function takes",
        ));
    }
    finite(answer)
}

fn whole(args: &[Value], f: impl Fn(f64) -> f64) -> Result<Value, FnError> {
    match &args[0] {
        Value::Float(x) => {
            let n = BigInt::from_f64(f(*x)).ok_or_else(|| FnError::failed("the answer is no number"))?;
            Ok(Value::integer(n))
        }
        integer => Ok(integer.clone()),
    }
}
