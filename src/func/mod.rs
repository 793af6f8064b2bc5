//! The builtin functions: one table row each, bodies beside it by family.
//!
//! The table feeds evaluation, arity and kind checks, `rulemill fn` and the tests. A row stands for one name and
//! arity, as Erlang exports functions.
//!
//! Invariant: rows are found by (name, arity, profile), and no two rows share all three.

mod args;
pub mod arith;
mod array;
mod bits;
mod bitseq;
mod convert;
mod date;
mod encode;
mod hash;
mod jq;
mod kv;
mod map;
mod math;
mod message;
mod mongo;
mod number;
mod random;
mod regex;
pub mod schema;
mod sprintf;
mod string;
pub mod table;
mod term;
mod types;
mod zip;

pub use table::{Body, Builtin, Call, Example, FnError, Kinds, Param, Profiles, Purity, find, named};
