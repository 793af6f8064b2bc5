//! The subcommands for rule authors through the real binary: what they print stands in `transcripts/`, and
//! `UPDATE_TRANSCRIPTS=1 cargo test --test tools` writes it anew.

#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod bench;
mod fmt;
mod functions;
mod init;
mod schema;
mod shell;
#[path = "../support/mod.rs"]
mod support;
mod transcript;
