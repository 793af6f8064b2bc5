//! The HStreamDB stand-in.

pub mod sql;
pub mod store;
