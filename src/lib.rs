//! rulemill lets people write, test and run EMQX rules without a broker.
//!
//! ```text
//!    text ── lexer ── parser ── AST + spans ── check ── compile ── Program
//! sources ── Message ── topic index ── eval(Program, Ctx) ── outputs ── template ── actions ── sinks
//!                                           │
//!                                    test runner, trace, pipe: all call the same engine
//! ```
//!
//! The core (`text` … `harness`) is pure: it reads no clock, random source, environment, file or socket but
//! through the [`ctx::Ctx`] and the readers it is handed. It builds with `--no-default-features`.
//! `tests/tidy.rs` holds the table of who may import whom, and fails on any other arrow.

pub mod ctx;
pub mod diag;
pub mod document;
pub mod engine;
pub mod eval;
pub mod event;
pub mod func;
pub mod harness;
pub mod jq;
pub mod limits;
pub mod lint;
pub mod profile;
pub mod program;
pub mod rule;
pub mod schema;
pub mod sql;
pub mod template;
pub mod text;
pub mod topic;
pub mod value;

#[cfg(feature = "live")]
pub mod broker;
#[cfg(feature = "live")]
pub mod delivery;
#[cfg(feature = "live")]
pub mod hstream;
#[cfg(feature = "live")]
pub mod log;
#[cfg(feature = "live")]
pub mod sink;
#[cfg(feature = "live")]
pub mod source;

#[cfg(feature = "cli")]
pub mod cli;
