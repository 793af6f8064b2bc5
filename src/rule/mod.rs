//! Rule files, connectors and actions; a `Rule` in hand is a checked rule.

mod request;

pub use request::Request;
