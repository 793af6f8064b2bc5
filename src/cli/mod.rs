//! One file a subcommand; the only place that prints and decides exit codes.

#[cfg(feature = "live")]
pub mod hstream;
