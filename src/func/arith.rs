//! The infix operators, also callable as functions of two arguments.

use super::FnError;
use crate::profile::Profile;
use crate::value::Value;

fn unfinished(_: &Value, _: &Value) -> Result<Value, FnError> {
    Err(FnError::failed("not built yet"))
}

/// `+`: numbers add; strings join (5.8: any value beside a string is turned into text).
pub fn add(a: &Value, b: &Value, _profile: Profile) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// `-`.
pub fn subtract(a: &Value, b: &Value) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// `*`.
pub fn multiply(a: &Value, b: &Value) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// `/`: always a float.
pub fn divide(a: &Value, b: &Value) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// `div`: integers, toward zero.
pub fn int_divide(a: &Value, b: &Value) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// `mod`: the remainder, with the sign of the left side.
pub fn modulo(a: &Value, b: &Value) -> Result<Value, FnError> {
    unfinished(a, b)
}

/// Unary minus.
pub fn negate(a: &Value) -> Result<Value, FnError> {
    unfinished(a, a)
}
