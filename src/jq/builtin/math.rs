//! Mathematics, under C's names.

use super::super::throw::{Answer, unfit};
use super::super::value::Val;
use super::{Row, row};

/// A function of the input.
fn one(value: &Val, f: fn(f64) -> f64) -> Answer {
    match value {
        Val::Num(n) => Ok(Val::Num(f(*n))),
        other => Err(unfit(other, "number required")),
    }
}

/// A function of two arguments.
fn two(v: &[Val], f: fn(f64, f64) -> f64) -> Answer {
    match (&v[1], &v[2]) {
        (Val::Num(a), Val::Num(b)) => Ok(Val::Num(f(*a, *b))),
        (Val::Num(_), other) | (other, _) => Err(unfit(other, "number required")),
    }
}

/// A double as C makes an `int` of it.
fn int(n: f64) -> i32 {
    if n.is_nan() || n >= 2_147_483_648.0 || n <= -2_147_483_649.0 { i32::MIN } else { n as i32 }
}

pub(super) const ROWS: &[Row] = &[
    row("acos", 0, |_, v| one(&v[0], f64::acos)),
    row("acosh", 0, |_, v| one(&v[0], libm::acosh)),
    row("asin", 0, |_, v| one(&v[0], f64::asin)),
    row("asinh", 0, |_, v| one(&v[0], libm::asinh)),
    row("atan", 0, |_, v| one(&v[0], f64::atan)),
    row("atan2", 2, |_, v| two(v, f64::atan2)),
    row("atanh", 0, |_, v| one(&v[0], libm::atanh)),
    row("cbrt", 0, |_, v| one(&v[0], f64::cbrt)),
    row("ceil", 0, |_, v| one(&v[0], f64::ceil)),
    row("copysign", 2, |_, v| two(v, f64::copysign)),
    row("cos", 0, |_, v| one(&v[0], f64::cos)),
    row("cosh", 0, |_, v| one(&v[0], f64::cosh)),
    row("drem", 2, |_, v| two(v, libm::remainder)),
    row("erf", 0, |_, v| one(&v[0], libm::erf)),
    row("erfc", 0, |_, v| one(&v[0], libm::erfc)),
    row("exp", 0, |_, v| one(&v[0], f64::exp)),
    row("exp10", 0, |_, v| one(&v[0], libm::exp10)),
    row("exp2", 0, |_, v| one(&v[0], f64::exp2)),
    row("expm1", 0, |_, v| one(&v[0], f64::exp_m1)),
    row("fabs", 0, |_, v| one(&v[0], f64::abs)),
    row("fdim", 2, |_, v| two(v, libm::fdim)),
    row("floor", 0, |_, v| one(&v[0], f64::floor)),
    row("fma", 3, |_, v| match (&v[1], &v[2], &v[3]) {
        (Val::Num(a), Val::Num(b), Val::Num(c)) => Ok(Val::Num(a.mul_add(*b, *c))),
        (Val::Num(_), Val::Num(_), other) | (Val::Num(_), other, _) | (other, _, _) => {
            Err(unfit(other, "number required"))
        }
    }),
    row("fmax", 2, |_, v| two(v, f64::max)),
    row("fmin", 2, |_, v| two(v, f64::min)),
    row("fmod", 2, |_, v| two(v, |a, b| a % b)),
    row("frexp", 0, |_, v| {
        pair(&v[0], |n| {
            let (fraction, exponent) = libm::frexp(n);
            (fraction, f64::from(exponent))
        })
    }),
    row("gamma", 0, |_, v| one(&v[0], libm::lgamma)),
    row("hypot", 2, |_, v| two(v, f64::hypot)),
    row("j0", 0, |_, v| one(&v[0], libm::j0)),
    row("j1", 0, |_, v| one(&v[0], libm::j1)),
    row("jn", 2, |_, v| two(v, |n, x| libm::jn(order(n), x))),
    row("ldexp", 2, |_, v| two(v, |x, e| libm::ldexp(x, int(e)))),
    row("lgamma", 0, |_, v| one(&v[0], libm::lgamma)),
    row("lgamma_r", 0, |_, v| {
        pair(&v[0], |n| {
            let (value, sign) = libm::lgamma_r(n);
            (value, f64::from(sign))
        })
    }),
    row("log", 0, |_, v| one(&v[0], f64::ln)),
    row("log10", 0, |_, v| one(&v[0], f64::log10)),
    row("log1p", 0, |_, v| one(&v[0], f64::ln_1p)),
    row("log2", 0, |_, v| one(&v[0], f64::log2)),
    row("logb", 0, |_, v| one(&v[0], logb)),
    row("modf", 0, |_, v| pair(&v[0], libm::modf)),
    row("nearbyint", 0, |_, v| one(&v[0], f64::round_ties_even)),
    row("nextafter", 2, |_, v| two(v, libm::nextafter)),
    row("nexttoward", 2, |_, v| two(v, libm::nextafter)),
    row("pow", 2, |_, v| two(v, f64::powf)),
    row("pow10", 0, |_, v| one(&v[0], libm::exp10)),
    row("remainder", 2, |_, v| two(v, libm::remainder)),
    row("rint", 0, |_, v| one(&v[0], f64::round_ties_even)),
    row("round", 0, |_, v| one(&v[0], f64::round)),
    row("scalb", 2, |_, v| two(v, |x, e| if e == e.trunc() { libm::ldexp(x, int(e)) } else { f64::NAN })),
    row("scalbln", 2, |_, v| two(v, |x, e| libm::ldexp(x, int(e)))),
    row("significand", 0, |_, v| one(&v[0], significand)),
    row("sin", 0, |_, v| one(&v[0], f64::sin)),
    row("sinh", 0, |_, v| one(&v[0], f64::sinh)),
    row("sqrt", 0, |_, v| one(&v[0], f64::sqrt)),
    row("tan", 0, |_, v| one(&v[0], f64::tan)),
    row("tanh", 0, |_, v| one(&v[0], f64::tanh)),
    row("tgamma", 0, |_, v| one(&v[0], libm::tgamma)),
    row("trunc", 0, |_, v| one(&v[0], f64::trunc)),
    row("y0", 0, |_, v| one(&v[0], libm::y0)),
    row("y1", 0, |_, v| one(&v[0], libm::y1)),
    row("yn", 2, |_, v| two(v, |n, x| libm::yn(order(n), x))),
];

/// Two numbers of one, as an array.
fn pair(value: &Val, f: fn(f64) -> (f64, f64)) -> Answer {
    match value {
        Val::Num(n) => {
            let (a, b) = f(*n);
            Ok(Val::list(vec![Val::Num(a), Val::Num(b)]))
        }
        other => Err(unfit(other, "number required")),
    }
}

/// The order of a Bessel function, which is how often it loops; past this the values are 0 or infinite.
fn order(n: f64) -> i32 {
    int(n).clamp(-100_000, 100_000)
}

fn logb(n: f64) -> f64 {
    match n {
        0.0 => f64::NEG_INFINITY,
        n if n.is_infinite() => f64::INFINITY,
        n if n.is_nan() => n,
        n => f64::from(libm::ilogb(n)),
    }
}

fn significand(n: f64) -> f64 {
    if n == 0.0 || !n.is_finite() { n } else { libm::ldexp(n, -libm::ilogb(n)) }
}
