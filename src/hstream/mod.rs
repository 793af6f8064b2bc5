//! The HStreamDB stand-in: durable streams, HStreamDB v0.6.1's REST and its SQL, in this process.
//!
//! It is enough of HStreamDB for rules to be written, tried and run against: what is published is on the disk
//! before it is answered, record ids are those of HStreamDB, and push queries show what comes. [`store`] keeps
//! streams, `rest` answers HTTP, [`sql`] is the language of queries, [`Server`] binds them to a port.
//!
//! Invariant: a record that was answered with an id is there after any crash, once, under that id.

mod rest;
mod server;
pub mod sql;
pub mod store;

pub use server::{Config, PORT_DEFAULT, Running, Server, ServerError};
